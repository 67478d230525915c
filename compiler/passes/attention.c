/*
 * attention.c - attention as one step that never writes the full score tensor.
 *
 * In: a typed graph.  Out: ampoule.Attention in place of
 *	scores -> Softmax (last axis) -> MatMul(., V), or MatMul(V', its transpose)
 * where scores is any tree of Add, Mul and Div by a scalar, and Reshape, over one or two MatMuls
 * and up to three other tensors (relative positions, masks): that is QK^T * s, (QK^T + RQ) * s,
 * QK^T + RQ * s, (Q * s)(K * s)^T, QK^T + bias + mask, however it is spelled.  The movements
 * around it (heads split off by Reshape, Transpose, Split, Slice, Gather; joined again behind it)
 * become strides of its operands and of its result (view.h).
 *
 * Exact: the kernel does the same operations in the same order (rules 2, 4, 5), and rounds
 * float16 where the separate nodes stored.
 *
 * First the tree is read into a program for a stack; then each operand is seen as deep through
 * movements as its axes allow; then the batch axes of all operands are cut at common places and
 * joined again where all of them run on evenly.  Where they have no common cut, the operands are
 * taken as they are.
 */
#include "ops/op.h"
#include "passes/passes.h"
#include "passes/view.h"

#include <stdlib.h>
#include <string.h>

/* as runtime/kernels/attention.inc numbers them */
enum { PRODUCT, BIAS, ADD, MUL, DIV };
enum { V, Q0, K0, Q1, K1, B0, B1, B2, Y, N_VIEWS };
enum { SCALE_Q0 = 8, SCORE_SCALE = 12, N_IN = 14 };
#define MAX_OPS 12
#define MAX_STACK 3
#define MAX_BATCH 24		/* atoms, before they are joined */

struct operand {
	struct value *v;
	int rank;			/* of the space in which it is broadcast */
	int64_t dims[IR_MAX_RANK];	/* of that space; for products with its own last axis */
	struct view view;
	int n_batch;
	struct atom batch[MAX_BATCH];
	struct axis axis[2];		/* the last two */
	int64_t stride[AMP_MAX_RANK];	/* over the common batch axes */
};

struct match {
	struct graph *g;
	struct node *softmax, *values;	/* values: the MatMul with V */
	bool turned;			/* MatMul(V', transposed probabilities) */
	int64_t batch_size, rows, columns, width, depth[2], split[2];
	struct operand o[N_VIEWS];
	int n_products, n_biases, n_scales;
	struct value *scale[2];
	int64_t program[2 * MAX_OPS];
	int n_ops, stack;
	struct value *last;
	int rank;
	int64_t batch[AMP_MAX_RANK];
};

static int64_t product(const int64_t *d, int n)
{
	int64_t p = 1;
	for (int i = 0; i < n; i++)
		p *= d[i];
	return p;
}

static bool same_dims(const struct type *t, int rank, const int64_t *dims)
{
	if (t->rank != rank)
		return false;
	for (int d = 0; d < rank; d++)
		if (t->dim[d].value != dims[d])
			return false;
	return true;
}

/* ---- the tree of scores -> a program --------------------------------------------------------- */

static bool emit(struct match *m, int op, int arg)
{
	if (m->n_ops == MAX_OPS)
		return false;
	m->program[2 * m->n_ops] = op;
	m->program[2 * m->n_ops++ + 1] = arg;
	m->stack += op == PRODUCT || op == BIAS ? 1 : op == ADD ? -1 : 0;
	return m->stack <= MAX_STACK;
}

static void set_operand(struct operand *o, struct value *v, int rank, const int64_t *dims)
{
	o->v = v;
	o->rank = rank;
	memcpy(o->dims, dims, (size_t)rank * sizeof *dims);
}

static bool scores(struct match *m, struct value *v, int rank, const int64_t *dims, int depth);

static bool take_product(struct match *m, const struct node *n, int rank, const int64_t *dims)
{
	struct value *a = n->in[0], *b = n->in[1];
	const int p = m->n_products;
	int64_t d[IR_MAX_RANK];
	if (p == 2 || rank < 2 || a->type.rank < 2 || b->type.rank < 2 || a->type.rank > rank ||
	    b->type.rank > rank || dims[rank - 2] != m->rows || dims[rank - 1] != m->columns)
		return false;
	m->depth[p] = a->type.dim[a->type.rank - 1].value;
	memcpy(d, dims, (size_t)rank * sizeof *d);
	d[rank - 1] = m->depth[p];
	set_operand(&m->o[p ? Q1 : Q0], a, rank, d);
	d[rank - 2] = m->depth[p];
	d[rank - 1] = m->columns;
	set_operand(&m->o[p ? K1 : K0], b, rank, d);
	m->n_products++;
	return emit(m, PRODUCT, p);
}

static bool take_bias(struct match *m, struct value *v, int rank, const int64_t *dims)
{
	if (m->n_biases == 3 || v->type.rank > rank)
		return false;
	set_operand(&m->o[B0 + m->n_biases], v, rank, dims);
	return emit(m, BIAS, m->n_biases++);
}

static bool scalar(const struct value *v)
{
	return v->data && v->data->n == 1;
}

static bool take_scale(struct match *m, const struct node *n, int rank, const int64_t *dims, int depth)
{
	const bool div = node_is(n, "Div");
	for (int i = 0; i < (div ? 1 : 2); i++) {
		struct value *x = n->in[i], *k = n->in[1 - i];
		if (!scalar(k) || !same_dims(&x->type, rank, dims))
			continue;
		int at = 0;
		if (!scores(m, x, rank, dims, depth + 1))
			return false;
		while (at < m->n_scales && m->scale[at] != k)
			at++;
		if (at == 2)
			return false;
		m->scale[at] = k;
		m->n_scales += at == m->n_scales;
		return emit(m, div ? DIV : MUL, at);
	}
	return false;
}

/* Pushes the scores v, broadcast to dims.  What is no known form of full size is a bias. */
static bool scores(struct match *m, struct value *v, int rank, const int64_t *dims, int depth)
{
	struct node *n = v->def;
	if (!type_known(&v->type) || v->layout != LAYOUT_PLAIN || depth > 8)
		return false;
	if (!n || n->graph != m->g || value_n_uses(v) != 1 || !same_dims(&v->type, rank, dims))
		return take_bias(m, v, rank, dims);
	const struct match saved = *m;
	bool ok = false;
	if (node_is(n, "MatMul")) {
		ok = take_product(m, n, rank, dims);
	} else if (node_is(n, "Add")) {
		ok = scores(m, n->in[0], rank, dims, depth + 1) &&
		     scores(m, n->in[1], rank, dims, depth + 1) && emit(m, ADD, 0);
	} else if (node_is(n, "Mul") || node_is(n, "Div")) {
		ok = take_scale(m, n, rank, dims, depth);
	} else if (only_reshapes(n)) {
		int64_t inner[IR_MAX_RANK];
		const struct type *t = &n->in[0]->type;
		if (type_known(t))
			ok = scores(m, n->in[0], type_dims(t, inner), inner, depth + 1);
	}
	if (ok)
		return true;
	*m = saved;
	return take_bias(m, v, rank, dims);
}

/* ---- operands -> strides --------------------------------------------------------------------- */

static bool append(struct operand *o, const struct axis *a)
{
	for (int i = 0; i < a->n; i++) {
		if (o->n_batch == MAX_BATCH)
			return false;
		o->batch[o->n_batch++] = a->atom[i];
	}
	return true;
}

static bool join_into(struct axis *to, const struct axis *from)
{
	for (int i = 0; i < from->n; i++) {
		if (to->n == VIEW_ATOMS)
			return false;
		to->atom[to->n++] = from->atom[i];
	}
	return true;
}

/* Cuts the view's axes into batch and the last two of sizes inner0, inner1. */
static bool cut_axes(struct operand *o, int64_t inner0, int64_t inner1, int max_atoms)
{
	const struct view *w = &o->view;
	int64_t behind = 1;
	int64_t sizes[IR_MAX_RANK];
	memset(o->axis, 0, sizeof o->axis);
	o->n_batch = 0;
	for (int d = 0; d < w->rank; d++) {
		sizes[d] = 1;
		for (int i = 0; i < w->axis[d].n; i++)
			sizes[d] *= w->axis[d].atom[i].size;
	}
	int q = w->rank, p;
	while (q > 0 && behind < inner1)
		behind *= sizes[--q];
	if (behind != inner1)
		return false;
	for (p = q, behind = 1; p > 0 && behind < inner0;)
		behind *= sizes[--p];
	if (behind != inner0)
		return false;
	for (int d = 0; d < w->rank; d++)
		if (!(d < p ? append(o, &w->axis[d]) : join_into(&o->axis[d >= q], &w->axis[d])))
			return false;
	return axis_join(&o->axis[0], max_atoms) && axis_join(&o->axis[1], max_atoms);
}

static void inner_sizes(const struct match *m, int i, int64_t *a, int64_t *b)
{
	const int64_t k = m->depth[i >= Q1];
	*a = i == V ? m->columns : i == K0 || i == K1 ? k : m->rows;
	*b = i == V || i == Y ? m->width : i == Q0 || i == Q1 ? k : m->columns;
	if (m->turned && (i == V || i == Y)) {
		const int64_t t = *a;
		*a = *b;
		*b = t;
	}
}

static bool see(struct match *m, int i, int depth)
{
	struct operand *o = &m->o[i];
	int64_t a, b;
	const bool scales = i >= Q0 && i <= K1;
	inner_sizes(m, i, &a, &b);
	if (i == Y)
		return view_forward(&o->view, o->v, depth, &m->last) && cut_axes(o, a, b, 1);
	return view_of(&o->view, o->v, depth, scales) && view_broadcast(&o->view, o->rank, o->dims) &&
	       cut_axes(o, a, b, i >= B0 ? 2 : 1);
}

static bool see_all(struct match *m, bool deep, bool deep_result)
{
	for (int i = 0; i < N_VIEWS; i++) {
		int depth = (i == Y ? deep_result : deep) ? VIEW_DEPTH : 0;
		if (!m->o[i].v)
			continue;
		while (depth >= 0 && !see(m, i, depth))
			depth--;
		if (depth < 0)
			return false;
	}
	return true;
}

/* One split of rows, and one of columns, for all biases. */
static bool common_split(struct match *m)
{
	m->split[0] = m->split[1] = 1;
	for (int k = 0; k < 2; k++)
		for (int i = B0; i <= B2; i++) {
			const struct axis *a = &m->o[i].axis[k];
			if (!m->o[i].v || a->n < 2)
				continue;
			if (m->split[k] != 1 && m->split[k] != a->atom[1].size)
				return false;
			m->split[k] = a->atom[1].size;
		}
	return true;
}

static int ascending(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Cuts the batch of all operands at every place where one of them is cut. */
static bool common_batch(struct match *m)
{
	int64_t at[N_VIEWS * MAX_BATCH + 1], size[N_VIEWS * MAX_BATCH];
	int n = 0, r = 0;
	for (int i = 0; i < N_VIEWS; i++) {
		int64_t behind = 1;
		for (int k = m->o[i].n_batch - 1; m->o[i].v && k >= 0; k--) {
			at[n++] = behind;
			behind *= m->o[i].batch[k].size;
		}
		if (m->o[i].v && behind != m->batch_size)
			return false;
	}
	at[n++] = m->batch_size;
	qsort(at, (size_t)n, sizeof *at, ascending);
	for (int k = 0; k + 1 < n; k++) {
		if (at[k] == at[k + 1])
			continue;
		if (at[k + 1] % at[k])
			return false;
		size[r++] = at[k + 1] / at[k];	/* innermost first */
	}
	if (n && m->batch_size > 1 && at[0] != 1)
		return false;
	/* joined where every operand runs on evenly */
	int64_t stride[N_VIEWS][N_VIEWS * MAX_BATCH];
	for (int i = 0; i < N_VIEWS; i++) {
		int k = m->o[i].n_batch - 1;
		int64_t done = 1;
		for (int d = 0; m->o[i].v && d < r; d++) {
			stride[i][d] = m->o[i].batch[k].stride * done;
			done *= size[d];
			if (done == m->o[i].batch[k].size) {
				k--;
				done = 1;
			}
		}
	}
	m->rank = 0;
	for (int d = r - 1; d >= 0; d--) {
		bool join = m->rank > 0;
		for (int i = 0; i < N_VIEWS && join; i++)
			join = !m->o[i].v || m->o[i].stride[m->rank - 1] == stride[i][d] * size[d];
		if (!join && m->rank == AMP_MAX_RANK)
			return false;
		if (!join)
			m->batch[m->rank++] = 1;
		m->batch[m->rank - 1] *= size[d];
		for (int i = 0; i < N_VIEWS; i++)
			if (m->o[i].v)
				m->o[i].stride[m->rank - 1] = stride[i][d];
	}
	return true;
}

/* ---- the match ------------------------------------------------------------------------------- */

/* What comes behind the softmax: fills values, turned, width, V and Y. */
static bool find_values(struct match *m)
{
	struct value *p = m->softmax->out[0];
	struct node *u = value_only_user(p);
	const int rank = p->type.rank;
	if (!u || u->graph != m->g)
		return false;
	if (node_is(u, "Transpose")) {
		int n;
		const int64_t *perm = attr_ints(u, "perm", &n);
		for (int d = 0; d < n; d++)
			if (perm[d] != (d < rank - 2 ? d : 2 * rank - 3 - d))
				return false;
		p = u->out[0];
		u = value_only_user(p);
		if (!n || !u || u->graph != m->g)
			return false;
		m->turned = true;
	}
	if (!node_is(u, "MatMul") || u->in[m->turned] != p || u->in[!m->turned] == p)
		return false;
	struct value *v = u->in[!m->turned], *y = u->out[0];
	if (v->type.rank < 2 || v->type.rank > rank || y->type.rank != rank || v->layout != LAYOUT_PLAIN ||
	    y->layout != LAYOUT_PLAIN)
		return false;
	int64_t dims[IR_MAX_RANK];
	type_dims(&y->type, dims);
	if (product(dims, rank - 2) != m->batch_size)
		return false;
	m->values = u;
	m->width = dims[m->turned ? rank - 2 : rank - 1];
	set_operand(&m->o[Y], y, rank, dims);
	dims[m->turned ? rank - 1 : rank - 2] = m->columns;
	set_operand(&m->o[V], v, rank, dims);
	return true;
}

static bool find(struct match *m, struct node *softmax)
{
	struct value *x = node_in(softmax, 0);
	int64_t dims[IR_MAX_RANK];
	if (!node_is(softmax, "Softmax") || !x || !type_known(&x->type) || !node_out(softmax, 0) ||
	    !dtype_is_float(x->type.dtype) || x->type.rank < 2 || x->layout != LAYOUT_PLAIN ||
	    value_n_uses(x) != 1 || attr_int(softmax, "together", 0) || type_elements(&x->type) < 1)
		return false;
	const int rank = type_dims(&x->type, dims);
	const int64_t axis = attr_int(softmax, "axis", -1);
	if (axis != -1 && axis != rank - 1)
		return false;
	memset(m, 0, sizeof *m);
	m->g = softmax->graph;
	m->softmax = softmax;
	m->rows = dims[rank - 2];
	m->columns = dims[rank - 1];
	m->batch_size = product(dims, rank - 2);
	if (!find_values(m) || !scores(m, x, rank, dims, 0) || m->n_products == 0 || m->stack != 1)
		return false;
	for (int k = 0; k < 3; k++) {
		const bool deep = k < 2, deep_result = k == 0;
		if (see_all(m, deep, deep_result) && common_split(m) && common_batch(m))
			return true;
	}
	return false;
}

/* ---- the node -------------------------------------------------------------------------------- */

static void set_view(struct node *n, const struct match *m, int i)
{
	static const char *const names[N_VIEWS] = { "v", "q0", "k0", "q1", "k1", "b0", "b1", "b2", "y" };
	const struct operand *o = &m->o[i];
	int64_t list[1 + AMP_MAX_RANK + 4];
	int count = 0;
	if (!o->v)
		return;
	if (i != Y)
		list[count++] = o->view.offset;
	for (int d = 0; d < m->rank; d++)
		list[count++] = o->stride[d];
	const bool turned = m->turned && (i == V || i == Y);
	for (int k = 0; k < 2; k++) {
		const struct axis *a = &o->axis[turned ? 1 - k : k];
		const int64_t inner = a->n ? a->atom[a->n - 1].stride : 0;
		if (i >= B0 && i <= B2)
			list[count++] = a->n == 2 ? a->atom[0].stride : inner * m->split[k];
		list[count++] = inner;
	}
	attr_set_ints(n, names[i], list, count);
}

static void build(const struct match *m)
{
	const int64_t sizes[3] = { m->rows, m->columns, m->width };
	struct node *n = node_new(m->g, m->values, "ampoule", "Attention", m->softmax->name);
	int64_t shape[IR_MAX_RANK];
	struct value *in[N_IN] = { NULL };
	for (int i = 0; i < Y; i++)
		in[i] = m->o[i].v ? m->o[i].view.base : NULL;
	for (int i = 0; i < 4; i++)
		in[SCALE_Q0 + i] = m->o[Q0 + i].v ? m->o[Q0 + i].view.scale : NULL;
	for (int i = 0; i < 2; i++)
		in[SCORE_SCALE + i] = m->scale[i];
	int n_in = N_IN;
	while (!in[n_in - 1])
		n_in--;
	for (int i = 0; i < n_in; i++)
		node_add_in(n, in[i]);
	attr_set_ints(n, "batch", m->batch, m->rank);
	attr_set_ints(n, "sizes", sizes, 3);
	attr_set_ints(n, "depth", m->depth, 2);
	attr_set_ints(n, "split", m->split, 2);
	attr_set_ints(n, "program", m->program, 2 * m->n_ops);
	for (int i = 0; i < N_VIEWS; i++)
		set_view(n, m, i);
	attr_set_ints(n, "shape", shape, type_dims(&m->last->type, shape));
	node_take_out(n, 0, m->last);
}

bool pass_attention(struct graph *g)
{
	struct node **nodes = graph_nodes(g);
	struct match *m = NEW(g->c, struct match);
	for (int i = 0; i < vec_len(nodes); i++)
		if (!nodes[i]->removed && find(m, nodes[i])) {
			build(m);
			graph_drop_dead(g);
		}
	return true;
}
