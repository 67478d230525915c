/*
 * einsum.c - Einsum, any equation: repeated labels, ellipsis, implicit output, up to 8 operands.
 *
 * The equation becomes labels with sizes, and strides of each operand over them (a repeated label's
 * strides add up to the diagonal; a size of 1 broadcasts).  Summed labels are in the order of their
 * first appearance.
 *	two operands, each label once in an operand, none summed in one of them alone: expand() writes it as
 *		Transpose, Reshape, MatMul, Reshape, Transpose, which the passes understand
 *	a permutation: Transpose
 *	else two operands whose summed labels run evenly: one strided matrix product
 *	else the loop nest of the kernel einsum
 * All of them sum in the same order, so the bits do not depend on the way.
 */
#include "ops/expand.h"
#include "ops/product.h"
#define AMP_T 1
#include "kernels/einsum.inc"

#include <string.h>

#define MAX_LABELS 32			/* distinct ones, the ellipsis' axes included */
#define ELLIPSIS 256			/* label numbers: letters by code; ELLIPSIS + axis counted from the last */

struct einsum {
	int operands, n;		/* labels */
	int label[MAX_LABELS];
	int64_t size[MAX_LABELS];
	int64_t stride[AMP_EINSUM_OPERANDS][MAX_LABELS];
	int times[AMP_EINSUM_OPERANDS][MAX_LABELS];	/* how often it stands in the operand */
	int axes[AMP_EINSUM_OPERANDS][IR_MAX_RANK];	/* label index of each axis */
	int rank[AMP_EINSUM_OPERANDS];
	int n_out, out[IR_MAX_RANK];	/* label indices */
	int ellipsis;			/* axes that it stands for, at most */
	enum dtype type;
};

static int label_index(struct einsum *e, int label)
{
	for (int i = 0; i < e->n; i++)
		if (e->label[i] == label)
			return i;
	if (e->n == MAX_LABELS)
		return -1;
	e->label[e->n] = label;
	e->size[e->n] = 1;
	return e->n++;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One term "ab...c" of operand k: the labels of its axes. */
static bool read_term(struct node *n, struct einsum *e, int k, const char *term, size_t len)
{
	const struct type *t;
	int letters = 0, axis = 0;
	bool dots = false;
	if (!op_in_type(n, k, &t))
		return false;
	for (size_t i = 0; i < len; i++)
		letters += is_letter(term[i]);
	if (k == 0)
		e->type = t->dtype;
	if (t->dtype != e->type || !(dtype_is_float(t->dtype) || dtype_is_int(t->dtype))) {
		op_error(n, "operand %d is %s; all must be of one numeric type", k,
			 dtype_name(t->dtype));
		return false;
	}
	e->rank[k] = t->rank;
	for (size_t i = 0; i < len; i++) {
		int first = term[i], count = 1;
		if (!is_letter(term[i])) {
			if (dots || i + 3 > len || memcmp(term + i, "...", 3) != 0) {
				op_error(n, "term %d of the equation is wrong at \"%.*s\"", k,
					 (int)(len - i), term + i);
				return false;
			}
			dots = true;
			i += 2;
			count = t->rank - letters;
			first = ELLIPSIS + count - 1;
			if (count > e->ellipsis)
				e->ellipsis = count;
		}
		for (int c = 0; c < count; c++, axis++) {
			const int l = label_index(e, first - c);
			if (l < 0 || axis >= t->rank) {
				op_error(n, l < 0 ? "the equation has too many labels" :
					 "a term of the equation has more labels than its operand axes");
				return false;
			}
			const int64_t size = t->dim[axis].value;
			if (size != 1 && e->size[l] != 1 && size != e->size[l]) {
				op_error(n, "axis %d of operand %d has size %lld, but its label has %lld",
					 axis, k, (long long)size, (long long)e->size[l]);
				return false;
			}
			if (size != 1)
				e->size[l] = size;
			e->axes[k][axis] = l;
			e->times[k][l]++;
		}
	}
	if (axis != t->rank) {
		op_error(n, "term %d of the equation has %d labels, but the operand has rank %d", k, axis,
			 t->rank);
		return false;
	}
	int64_t at = 1;
	for (int d = t->rank - 1; d >= 0; d--) {
		const int64_t size = t->dim[d].value;
		e->stride[k][e->axes[k][d]] += size == 1 ? 0 : at;
		at *= size ? size : 1;
	}
	return true;
}

static bool add_out(struct node *n, struct einsum *e, int label)
{
	int l = -1;
	for (int i = 0; i < e->n; i++)
		if (e->label[i] == label)
			l = i;
	for (int i = 0; i < e->n_out; i++)
		if (e->out[i] == l)
			l = -1;
	if (l < 0 || e->n_out == IR_MAX_RANK) {
		op_error(n, "the equation's result has a label twice, or one that no operand has");
		return false;
	}
	e->out[e->n_out++] = l;
	return true;
}

static bool read_result(struct node *n, struct einsum *e, const char *s)
{
	if (!s) {		/* the ellipsis, then what stands once, by the alphabet */
		for (int i = e->ellipsis - 1; i >= 0; i--)
			if (!add_out(n, e, ELLIPSIS + i))
				return false;
		for (int c = 'A'; c <= 'z'; c++) {
			int times = 0;
			for (int i = 0; i < e->n; i++)
				for (int k = 0; e->label[i] == c && k < e->operands; k++)
					times += e->times[k][i];
			if (times == 1 && !add_out(n, e, c))
				return false;
		}
		return true;
	}
	for (; *s; s++) {
		if (strncmp(s, "...", 3) == 0) {
			for (int i = e->ellipsis - 1; i >= 0; i--)
				if (!add_out(n, e, ELLIPSIS + i))
					return false;
			s += 2;
		} else if (!is_letter(*s)) {
			op_error(n, "the equation's result is wrong at \"%s\"", s);
			return false;
		} else if (!add_out(n, e, *s)) {
			return false;
		}
	}
	return true;
}

static bool read(struct node *n, struct einsum *e)
{
	const char *given = attr_str(n, "equation", "");
	char *eq = str_dup(n->graph->c, given), *to = eq;
	memset(e, 0, sizeof *e);
	for (const char *s = given; *s; s++)
		if (*s != ' ')
			*to++ = *s;
	*to = 0;
	char *arrow = strstr(eq, "->");
	if (arrow)
		*arrow = 0;
	const char *s = eq;
	for (;;) {
		const size_t len = strcspn(s, ",");
		if (e->operands == AMP_EINSUM_OPERANDS) {
			op_error(n, "more than %d operands", AMP_EINSUM_OPERANDS);
			return false;
		}
		if (!read_term(n, e, e->operands++, s, len))
			return false;
		if (!s[len])
			break;
		s += len + 1;
	}
	if (e->operands != vec_len(n->in)) {
		op_error(n, "the equation \"%s\" has %d terms, but there are %d operands", given,
			 e->operands, vec_len(n->in));
		return false;
	}
	return read_result(n, e, arrow ? arrow + 2 : NULL);
}

static bool in_result(const struct einsum *e, int l)
{
	for (int i = 0; i < e->n_out; i++)
		if (e->out[i] == l)
			return true;
	return false;
}

static bool infer(struct node *n)
{
	struct einsum e;
	int64_t dims[IR_MAX_RANK];
	if (!read(n, &e))
		return false;
	for (int i = 0; i < e.n_out; i++)
		dims[i] = e.size[e.out[i]];
	op_out_type(n, 0, e.type, e.n_out, dims);
	return true;
}

/* ---- as MatMul ------------------------------------------------------------------------------------ */

/* a group of labels, in order */
struct group { int n, l[MAX_LABELS]; int64_t size; };

static void put(struct group *g, const struct einsum *e, int l)
{
	g->l[g->n++] = l;
	g->size *= e->size[l];
}

/* operand k with its axes in the order of the groups, each but the batch made one axis */
static struct value *arranged(struct node *n, const struct einsum *e, int k, const struct group *batch,
			      const struct group *a, const struct group *b)
{
	int64_t perm[IR_MAX_RANK], dims[IR_MAX_RANK];
	int rank = 0;
	const struct group *const order[3] = { batch, a, b };
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < order[i]->n; j++)
			for (int d = 0; d < e->rank[k]; d++)
				if (e->axes[k][d] == order[i]->l[j])
					perm[rank++] = d;
	struct value *x = expand_transpose(n, node_in(n, k), rank, perm);
	if (a->n == 1 && b->n == 1)
		return x;
	for (int i = 0; i < batch->n; i++)
		dims[i] = e->size[batch->l[i]];
	dims[batch->n] = a->size;
	dims[batch->n + 1] = b->size;
	return expand_reshape(n, x, batch->n + 2, dims);
}

static bool expand(struct node *n)
{
	struct einsum e;
	struct group batch = { .size = 1 }, m = { .size = 1 }, cols = { .size = 1 }, k = { .size = 1 };
	int64_t perm[IR_MAX_RANK], dims[IR_MAX_RANK];
	if (!read(n, &e))
		return false;
	for (int i = 0; i < e.operands; i++)
		for (int l = 0; l < e.n; l++)
			if (e.times[i][l] > 1)
				return false;
	if (e.operands == 1 && e.n_out == e.rank[0]) {
		for (int i = 0; i < e.n_out; i++)
			for (int d = 0; d < e.rank[0]; d++)
				if (e.axes[0][d] == e.out[i])
					perm[i] = d;
		expand_result(n, 0, expand_transpose(n, node_in(n, 0), e.n_out, perm));
		node_remove(n);
		return true;
	}
	const bool type_ok = dtype_is_float(e.type) || e.type == DT_INT32 || e.type == DT_INT64 ||
			     e.type == DT_UINT32 || e.type == DT_UINT64;
	if (e.operands != 2 || !type_ok)
		return false;
	for (int l = 0; l < e.n; l++) {
		const bool a = e.times[0][l], b = e.times[1][l], y = in_result(&e, l);
		/* a size of 1 against another one broadcasts: not here */
		for (int i = 0; i < 2; i++)
			if (e.times[i][l] && e.size[l] != 1 && e.stride[i][l] == 0)
				return false;
		if (a && b)
			put(y ? &batch : &k, &e, l);
		else if (!y)
			return false;
		else
			put(a ? &m : &cols, &e, l);
	}
	if (batch.n + 2 > IR_MAX_RANK || batch.n + m.n + cols.n > IR_MAX_RANK)
		return false;
	/* the free labels in the result's order; it may save the last transpose */
	struct group *const free_[3] = { &batch, &m, &cols };
	for (int g = 0; g < 3; g++) {
		struct group sorted = { .size = 1 };
		for (int i = 0; i < e.n_out; i++)
			for (int j = 0; j < free_[g]->n; j++)
				if (free_[g]->l[j] == e.out[i])
					put(&sorted, &e, e.out[i]);
		*free_[g] = sorted;
	}
	struct value *a = arranged(n, &e, 0, &batch, &m, &k);
	struct value *b = arranged(n, &e, 1, &batch, &k, &cols);
	struct value *y = expand_node(n, "MatMul", a, b);
	int order[MAX_LABELS], rank = 0;
	for (int g = 0; g < 3; g++)
		for (int j = 0; j < free_[g]->n; j++) {
			dims[rank] = e.size[free_[g]->l[j]];
			order[rank++] = free_[g]->l[j];
		}
	if (m.n != 1 || cols.n != 1)
		y = expand_reshape(n, y, rank, dims);
	for (int i = 0; i < e.n_out; i++)
		for (int j = 0; j < rank; j++)
			if (order[j] == e.out[i])
				perm[i] = j;
	expand_result(n, 0, expand_transpose(n, y, rank, perm));
	node_remove(n);
	return true;
}

/* ---- as one step ----------------------------------------------------------------------------------- */

/* labels that several operands walk evenly, made one: strides of a, b, y */
struct run { int64_t size, a, b, y; };

static int join(struct run *r, int n, struct run next)
{
	if (n > 0 && r[n - 1].a == next.a * next.size && r[n - 1].b == next.b * next.size &&
	    r[n - 1].y == next.y * next.size) {
		next.size *= r[n - 1].size;
		r[n - 1] = next;
		return n;
	}
	r[n] = next;
	return n + 1;
}

/* Two operands as one strided product, if the summed labels run evenly. */
static bool as_product(const struct einsum *e, struct product *p)
{
	struct run batch[3 * MAX_LABELS], m[MAX_LABELS], cols[MAX_LABELS], k[MAX_LABELS];
	int n_batch = 0, n_m = 0, n_cols = 0, n_k = 0;
	int64_t y[MAX_LABELS] = { 0 }, at = 1;
	if (e->operands != 2)
		return false;
	for (int i = e->n_out - 1; i >= 0; i--) {
		y[e->out[i]] = at;
		at *= e->size[e->out[i]] ? e->size[e->out[i]] : 1;
	}
	for (int i = 0; i < e->n_out; i++) {
		const int l = e->out[i];
		const struct run r = { e->size[l], e->stride[0][l], e->stride[1][l], y[l] };
		if (r.size == 1)
			continue;
		if (r.a && !r.b)
			n_m = join(m, n_m, r);
		else if (r.b && !r.a)
			n_cols = join(cols, n_cols, r);
		else
			n_batch = join(batch, n_batch, r);
	}
	for (int l = 0; l < e->n; l++) {
		const struct run r = { e->size[l], e->stride[0][l], e->stride[1][l], 0 };
		if (r.size != 1 && !in_result(e, l))
			n_k = join(k, n_k, r);
	}
	if (n_k > 1)
		return false;
	/* one run of rows and one of columns; the others are batch */
	for (int i = 0; i < n_m - 1; i++)
		batch[n_batch++] = m[i];
	for (int i = 0; i < n_cols - 1; i++)
		batch[n_batch++] = cols[i];
	if (n_batch > IR_MAX_RANK)
		return false;
	const struct run one = { 1, 0, 0, 0 };
	const struct run rm = n_m ? m[n_m - 1] : one, rn = n_cols ? cols[n_cols - 1] : one;
	const struct run rk = n_k ? k[0] : one;
	memset(p, 0, sizeof *p);
	p->alpha = p->beta = 1;
	p->rank = n_batch;
	for (int i = 0; i < n_batch; i++) {
		p->batch[i] = batch[i].size;
		p->a.batch[i] = batch[i].a;
		p->b.batch[i] = batch[i].b;
		p->y.batch[i] = batch[i].y;
	}
	p->m = rm.size;
	p->n = rn.size;
	p->k = rk.size;
	p->a.row = rm.a;
	p->a.col = rk.a;
	p->b.row = rk.b;
	p->b.col = rn.b;
	p->y.row = rm.y;
	p->y.col = rn.y;
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	struct einsum e;
	struct product product;
	if (!read(n, &e))
		return false;
	const bool type_ok = dtype_is_float(e.type) || e.type == DT_INT32 || e.type == DT_INT64 ||
			     e.type == DT_UINT32 || e.type == DT_UINT64;
	if (type_ok && as_product(&e, &product))
		return product_lower(n, s, e.type, &product, node_in(n, 0), node_in(n, 1), NULL, NULL,
				     node_out(n, 0));
	struct amp_einsum *p = step_kernel(s, "einsum", e.type);
	p->operands = e.operands;
	for (int i = 0; i < e.n_out; i++) {
		for (int k = 0; k < e.operands; k++)
			p->kept_stride[k * AMP_EINSUM_LABELS + i] = e.stride[k][e.out[i]];
		p->kept[p->rank_kept++] = e.size[e.out[i]];
	}
	for (int l = 0; l < e.n; l++) {
		if (in_result(&e, l) || e.size[l] == 1)
			continue;
		if (p->rank == AMP_EINSUM_LABELS) {
			op_error(n, "more than %d summed labels", AMP_EINSUM_LABELS);
			return false;
		}
		for (int k = 0; k < e.operands; k++)
			p->stride[k * AMP_EINSUM_LABELS + p->rank] = e.stride[k][l];
		p->dim[p->rank++] = e.size[l];
	}
	for (int k = 0; k < e.operands; k++)
		step_in(s, node_in(n, k));
	step_out(s, node_out(n, 0));
	return true;
}

static int64_t macs(const struct node *n)
{
	struct einsum e;
	struct node copy = *n;
	int64_t r = 1;
	if (vec_len(n->in) < 2 || !read(&copy, &e))
		return 0;
	for (int l = 0; l < e.n; l++)
		if (!mul_i64(r, e.size[l], &r))
			return 0;
	return r;
}

const struct op op_einsum = {
	.domain = "", .name = "Einsum", .since = 12, .min_in = 1, .max_in = -1, .min_out = 1, .max_out = 1,
	.infer = infer, .lower = lower, .expand = expand, .macs = macs,
};
