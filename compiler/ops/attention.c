/*
 * attention.c - ampoule.Attention, what the pass attention makes of QK^T, scales, biases, softmax
 * and V.
 *
 * Inputs as runtime/kernels/attention.inc lists them (14, many absent).  Attributes, integers:
 *	batch, sizes [rows, columns, width], depth [depth0, depth1], split [split_i, split_j], shape of the result
 *	program [op, arg, op, arg, ..]
 *	v [offset, batch.., j, n]   y [batch.., i, n]   q0, q1 [offset, batch.., i, k]
 *	k0, k1 [offset, batch.., k, j]   b0, b1, b2 [offset, batch.., i0, i1, j0, j1]
 * Every view is checked against its operand: a program that reads outside of it is refused.
 */
#include "ops/op.h"
#define AMP_T 1
#include "kernels/attention.inc"

#include <string.h>

#define N_IN 14

struct form {
	int rank;
	const int64_t *batch, *sizes, *depth, *split;
	const int64_t *view[9];		/* v q0 k0 q1 k1 b0 b1 b2 y; NULL: absent */
};

static const char *const names[9] = { "v", "q0", "k0", "q1", "k1", "b0", "b1", "b2", "y" };

static bool list(const struct node *n, const char *name, int count, const int64_t **v)
{
	int have;
	*v = attr_ints(n, name, &have);
	if (have == count)
		return true;
	op_error(n, "attribute %s must have %d numbers, not %d", name, count, have);
	return false;
}

/* Does the view stay within `elements`?  sizes of its last axes. */
static bool inside(const struct form *f, const int64_t *s, int n_axes, const int64_t *size,
		   int64_t elements)
{
	int64_t low = s[0], high = s[0];
	for (int d = 0; d < f->rank + n_axes; d++) {
		const int64_t n = d < f->rank ? f->batch[d] : size[d - f->rank];
		int64_t reach;
		if (n == 0)
			return true;
		if (!mul_i64(n - 1, s[1 + d], &reach) ||
		    !add_i64(reach < 0 ? low : high, reach, reach < 0 ? &low : &high))
			return false;
	}
	return low >= 0 && high < elements;
}

static bool check_view(const struct node *n, struct form *f, int i)
{
	const struct value *x = i < 8 ? node_in(n, i) : node_out(n, 0);
	const bool bias = i >= 5 && i < 8;
	const int64_t rows = f->sizes[0], columns = f->sizes[1], width = f->sizes[2];
	const int64_t k = f->depth[i >= 3];
	const int64_t size[9][4] = {
		{ columns, width }, { rows, k }, { k, columns }, { rows, k }, { k, columns },
		{ rows / f->split[0], f->split[0], columns / f->split[1], f->split[1] },
		{ rows / f->split[0], f->split[0], columns / f->split[1], f->split[1] },
		{ rows / f->split[0], f->split[0], columns / f->split[1], f->split[1] }, { rows, width } };
	const int n_axes = bias ? 4 : 2;
	if (i < 8 && !x)
		return i > 0 || (op_error(n, "V is required"), false);
	if (!list(n, names[i], (i < 8) + f->rank + n_axes, &f->view[i]))
		return false;
	if (i == 8) {			/* no offset: put a 0 in front */
		int64_t *v = NEW_ARRAY(n->graph->c, f->rank + 3, int64_t);
		memcpy(v + 1, f->view[i], (size_t)(f->rank + 2) * sizeof *v);
		f->view[i] = v;
	}
	if (!inside(f, f->view[i], n_axes, size[i], type_elements(&x->type))) {
		op_error(n, "view %s reaches outside its tensor", names[i]);
		return false;
	}
	return true;
}

static bool check_program(const struct node *n, const struct form *f)
{
	int count, top = 0;
	const int64_t *p = attr_ints(n, "program", &count);
	bool ok = count % 2 == 0 && count >= 2 && count / 2 <= AMP_ATTENTION_OPS;
	for (int i = 0; ok && i < count; i += 2) {
		const int64_t a = p[i + 1];
		if (p[i] == AMP_ATT_PRODUCT)
			ok = (a == 0 || a == 1) && f->view[1 + 2 * a] && f->view[2 + 2 * a] && top++ >= 0;
		else if (p[i] == AMP_ATT_BIAS)
			ok = a >= 0 && a < 3 && f->view[5 + a] && top++ >= 0;
		else if (p[i] == AMP_ATT_ADD)
			ok = --top >= 1;
		else
			ok = (p[i] == AMP_ATT_MUL || p[i] == AMP_ATT_DIV) && a >= 0 && a < 2 &&
			     node_in(n, 12 + (int)a) && top >= 1;
		ok = ok && top <= AMP_ATTENTION_STACK;
	}
	if (!ok || top != 1)
		op_error(n, "the program of the scores is wrong");
	return ok && top == 1;
}

static bool read(const struct node *n, struct form *f)
{
	const struct type *v;
	memset(f, 0, sizeof *f);
	f->batch = attr_ints(n, "batch", &f->rank);
	if (f->rank > AMP_MAX_RANK || !list(n, "sizes", 3, &f->sizes) || !list(n, "depth", 2, &f->depth) ||
	    !list(n, "split", 2, &f->split) || !op_in_type(n, 0, &v))
		return false;
	bool ok = dtype_is_float(v->dtype) && f->split[0] > 0 && f->split[1] > 0;
	for (int d = 0; d < f->rank; d++)
		ok = ok && f->batch[d] >= 0;
	for (int d = 0; d < 3; d++)
		ok = ok && f->sizes[d] >= 0 && f->depth[d % 2] >= 0;
	ok = ok && f->sizes[0] % f->split[0] == 0 && f->sizes[1] % f->split[1] == 0;
	for (int i = 0; ok && i < N_IN; i++)
		ok = !node_in(n, i) || (type_known(&n->in[i]->type) && n->in[i]->type.dtype == v->dtype &&
					(i < 8 || type_elements(&n->in[i]->type) == 1));
	if (!ok) {
		op_error(n, "the operands or sizes do not fit");
		return false;
	}
	return true;
}

static bool infer(struct node *n)
{
	struct form f;
	int rank;
	const int64_t *shape = attr_ints(n, "shape", &rank);
	if (!read(n, &f))
		return false;
	op_out_type(n, 0, node_in(n, 0)->type.dtype, rank, shape);
	for (int i = 0; i < 9; i++)
		if (!check_view(n, &f, i))
			return false;
	return check_program(n, &f);
}

/*
 * Does a view of n's input i (8: the output) read [N, C, space..] as tokens and whole blocks of 16 channels, so that it
 * can be one of c16?  Offset and strides of the batch are then the same numbers in both layouts.
 */
static bool is_c16_view(const struct node *n, const struct form *f, int i)
{
	const struct value *x = i < 8 ? node_in(n, i) : node_out(n, 0);
	const int64_t *s = f->view[i];
	const int channel = i == 0 || i == 8 || i % 2 ? 1 : 0;	/* of the two axes: v [j, n], q [i, k], k [k, j], y [i, n] */
	int64_t space = 1;
	if (!x || !s || (i >= 5 && i < 8) || x->type.dtype != DT_FLOAT || x->type.rank < 3 || x->type.dim[1].value % 16)
		return false;
	for (int d = 2; d < x->type.rank; d++)
		space *= x->type.dim[d].value;
	const int64_t depth = i == 0 || i == 8 ? f->sizes[2] : f->depth[i >= 3], tokens = f->sizes[i != 1 && i != 3 && i != 8];
	if (space < 2 || tokens != space || depth % 16 || s[0] % (16 * space))
		return false;
	for (int d = 0; d < f->rank; d++)
		if (s[1 + d] % (16 * space))
			return false;
	return s[1 + f->rank + channel] == space && s[1 + f->rank + !channel] == 1;
}

static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	struct form f;
	if (!read(n, &f))
		return false;
	for (int i = 0; i < 9; i++)
		if (!check_view(n, &f, i))
			return false;
	for (int i = 0; i < 5; i++)
		if (node_in(n, i) && !n->in[i]->data && is_c16_view(n, &f, i))
			want_in[i] = LAYOUT_C16;
	if (is_c16_view(n, &f, 8))
		want_out[0] = LAYOUT_C16;
	return want_in[0] == LAYOUT_C16 || want_out[0] == LAYOUT_C16;
}

static void copy(int64_t *to, const int64_t *from, int n)
{
	memcpy(to, from, (size_t)n * sizeof *to);
}

static bool lower(struct node *n, struct step *s)
{
	struct form f;
	int count;
	if (!read(n, &f))
		return false;
	for (int i = 0; i < 9; i++)
		if (!check_view(n, &f, i))
			return false;
	const enum dtype t = node_in(n, 0)->type.dtype;
	struct amp_attention *p = step_kernel(s, "attention", t);
	const int r = f.rank;
	const int64_t *op = attr_ints(n, "program", &count);
	p->rank = r;
	copy(p->batch, f.batch, r);
	p->n_ops = count / 2;
	for (int i = 0; i < count / 2; i++) {
		p->op[i] = (int32_t)op[2 * i];
		p->arg[i] = (int32_t)op[2 * i + 1];
	}
	p->rows = f.sizes[0];
	p->columns = f.sizes[1];
	p->width = f.sizes[2];
	p->depth0 = f.depth[0];
	p->depth1 = f.depth[1];
	p->split_i = f.split[0];
	p->split_j = f.split[1];
	struct { int64_t *offset, *batch, *axis; } to[9] = {
		{ &p->v_offset, p->v_batch, NULL }, { &p->q0_offset, p->q0_batch, NULL },
		{ &p->k0_offset, p->k0_batch, NULL }, { &p->q1_offset, p->q1_batch, NULL },
		{ &p->k1_offset, p->k1_batch, NULL }, { &p->b0_offset, p->b0_batch, p->b0_ij },
		{ &p->b1_offset, p->b1_batch, p->b1_ij }, { &p->b2_offset, p->b2_batch, p->b2_ij },
		{ NULL, p->y_batch, NULL } };
	int64_t *const pair[9][2] = {
		{ &p->v_j, &p->v_n }, { &p->q0_i, &p->q0_k }, { &p->k0_k, &p->k0_j }, { &p->q1_i, &p->q1_k },
		{ &p->k1_k, &p->k1_j }, { NULL }, { NULL }, { NULL }, { &p->y_i, &p->y_n } };
	int64_t *const block[9] = { &p->v_b, &p->q0_b, &p->k0_b, &p->q1_b, &p->k1_b, NULL, NULL, NULL, &p->y_b };
	for (int i = 0; i < 9; i++) {
		const int64_t *w = f.view[i];
		if (!w)
			continue;
		if (to[i].offset)
			*to[i].offset = w[0];
		copy(to[i].batch, w + 1, r);
		if (to[i].axis) {
			copy(to[i].axis, w + 1 + r, 4);
			continue;
		}
		const struct value *x = i < 8 ? node_in(n, i) : node_out(n, 0);
		const bool blocks = x->layout == LAYOUT_C16;
		const int channel = i == 0 || i == 8 || i % 2 ? 1 : 0;
		if (blocks && !is_c16_view(n, &f, i))
			fatal(n->graph->c, R_INTERNAL, "%s: view %s of c16", node_where(n), names[i]);
		for (int k = 0; k < 2; k++)
			*pair[i][k] = !blocks ? w[1 + r + k] : k == channel ? 1 : 16;
		*block[i] = 16 * w[1 + r + channel];	/* in c16 the plain stride of a channel is the space */
	}
	for (int i = 0; i < N_IN; i++)
		step_in(s, node_in(n, i));
	step_out(s, node_out(n, 0));
	const int64_t st = dtype_size(t), ct = st == 8 ? 8 : 4;
	const int64_t deep = p->depth0 > p->depth1 ? p->depth0 : p->depth1;
	const int64_t wide = deep > p->columns ? deep : p->columns;
	int64_t bytes;
	if (t == DT_FLOAT) {	/* scores, packed k0, k1 and v, scaled rows of q */
		int64_t packed, v, sum;
		if (p->columns > INT32_MAX - 16 || deep > INT32_MAX ||	/* the tile counts in 32 bits */
		    !add_i64(p->depth0, p->depth1, &sum) ||
		    !mul_i64((p->columns + 15) / 16 * 16, sum, &packed) ||
		    !add_i64(p->width, 15, &v) || !mul_i64(v / 16 * 16, p->columns, &v) ||
		    !add_i64(packed, v, &bytes) ||
		    !add_i64(bytes, AMP_ATTENTION_ROWS * (AMP_ATTENTION_STACK * ((p->columns + 15) / 16 * 16) + deep), &bytes) ||
		    !mul_i64(bytes, 4, &s->scratch))
			fatal(n->graph->c, R_INPUT, "%s: the operands are too large", node_where(n));
		return true;
	}
	if (!mul_i64(wide, AMP_ATTENTION_ROWS * ((AMP_ATTENTION_STACK + 1) * ct + 2 * st), &bytes))
		return false;
	s->scratch = bytes;
	return true;
}

static int64_t macs(const struct node *n)
{
	struct form f;
	int64_t r = 1;
	if (!read(n, &f))
		return 0;
	for (int d = 0; d < f.rank; d++)
		r *= f.batch[d];
	return r * f.sizes[0] * f.sizes[1] * (f.sizes[2] + f.depth[0] + (node_in(n, 3) ? f.depth[1] : 0));
}

const struct op op_attention_fused = {
	.domain = "ampoule", .name = "Attention", .since = 1, .min_in = 1, .max_in = N_IN, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower, .c16 = c16, .macs = macs,
};
