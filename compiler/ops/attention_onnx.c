/*
 * attention_onnx.c - ONNX's Attention (opsets 23 to 25), written as simpler operators:
 *
 *	softmax(softcap((Q * s) (K * s)^T) + bias) V,   s = sqrt(scale)
 *
 * Q [B, Hq, S, D] or [B, S, Hq * D]; K, V [B, Hk, T, D] or [B, T, Hk * D]; past keys and values are
 * joined before; fewer key heads than query heads are repeated.  bias is the mask (bool: 0 or -inf;
 * shorter than the keys: the rest -inf) + the causal and window limits + the limit of
 * nonpad_kv_seqlen.  Where a whole row may be masked, its probabilities are made 0.  Limits that do
 * not depend on inputs become one constant.
 */
#include "ops/expand.h"

#include <math.h>
#include <string.h>

struct attention {
	enum dtype type;
	bool flat;			/* 3-D operands */
	int64_t b, hq, hk, s, t, total, d, dv;	/* t: new keys, total: with the past */
	int64_t past, left, right;
	bool causal;
};

static bool read(struct node *n, struct attention *a)
{
	const struct type *q, *k, *v, *past;
	memset(a, 0, sizeof *a);
	if (!op_in_type(n, 0, &q) || !op_in_type(n, 1, &k) || !op_in_type(n, 2, &v))
		return false;
	a->type = q->dtype;
	a->flat = q->rank == 3;
	a->left = attr_int(n, "left_window_size", -1);
	a->right = attr_int(n, "right_window_size", -1);
	a->causal = attr_int(n, "is_causal", 0) != 0;
	if (!dtype_is_float(q->dtype) || (q->rank != 3 && q->rank != 4) || k->rank != q->rank ||
	    v->rank != q->rank || k->dtype != q->dtype || v->dtype != q->dtype) {
		op_error(n, "Q, K and V must be floating tensors of one type and all of rank 3 or 4");
		return false;
	}
	a->b = q->dim[0].value;
	a->s = q->dim[q->rank - 2].value;
	a->t = k->dim[k->rank - 2].value;
	if (a->flat) {
		a->hq = attr_int(n, "q_num_heads", 0);
		a->hk = attr_int(n, "kv_num_heads", 0);
		if (a->hq < 1 || a->hk < 1 || q->dim[2].value % a->hq || k->dim[2].value % a->hk ||
		    v->dim[2].value % a->hk) {
			op_error(n, "q_num_heads %lld and kv_num_heads %lld must divide the last axes",
				 (long long)a->hq, (long long)a->hk);
			return false;
		}
		a->d = q->dim[2].value / a->hq;
		a->dv = v->dim[2].value / a->hk;
		if (k->dim[2].value / a->hk != a->d) {
			op_error(n, "the heads of Q have %lld elements, those of K %lld", (long long)a->d,
				 (long long)(k->dim[2].value / a->hk));
			return false;
		}
	} else {
		a->hq = q->dim[1].value;
		a->hk = k->dim[1].value;
		a->d = q->dim[3].value;
		a->dv = v->dim[3].value;
		if (k->dim[3].value != a->d || v->dim[1].value != a->hk) {
			op_error(n, "Q, K and V do not fit: %s, %s, %s", type_text(n->graph->c, q),
				 type_text(n->graph->c, k), type_text(n->graph->c, v));
			return false;
		}
	}
	if (a->hk < 1 || a->hq % a->hk != 0 || k->dim[0].value != a->b || v->dim[0].value != a->b ||
	    v->dim[v->rank - 2].value != a->t) {
		op_error(n, "Q, K and V do not fit: %s, %s, %s", type_text(n->graph->c, q),
			 type_text(n->graph->c, k), type_text(n->graph->c, v));
		return false;
	}
	if ((node_in(n, 4) != NULL) != (node_in(n, 5) != NULL) || (node_in(n, 4) && node_in(n, 6))) {
		op_error(n, "past_key and past_value come together, and without nonpad_kv_seqlen");
		return false;
	}
	for (int i = 4; i < 6; i++) {
		if (!node_in(n, i))
			continue;
		if (!op_in_type(n, i, &past))
			return false;
		if (past->rank != 4 || past->dtype != a->type || past->dim[0].value != a->b ||
		    past->dim[1].value != a->hk || past->dim[3].value != (i == 4 ? a->d : a->dv) ||
		    (i == 5 && past->dim[2].value != a->past)) {
			op_error(n, "input %d, %s, does not fit K and V", i, type_text(n->graph->c, past));
			return false;
		}
		a->past = past->dim[2].value;
	}
	if (a->left < -1 || a->right < -1) {
		op_error(n, "window sizes are -1 or more");
		return false;
	}
	a->total = a->past + a->t;
	return true;
}

static bool infer(struct node *n)
{
	struct attention a;
	const struct type *m;
	if (!read(n, &a))
		return false;
	const int64_t y4[] = { a.b, a.hq, a.s, a.dv }, y3[] = { a.b, a.s, a.hq * a.dv };
	const int64_t key[] = { a.b, a.hk, a.total, a.d }, value[] = { a.b, a.hk, a.total, a.dv };
	const int64_t scores[] = { a.b, a.hq, a.s, a.total };
	if (node_in(n, 3)) {
		if (!op_in_type(n, 3, &m))
			return false;
		bool ok = m->rank >= 1 && m->rank <= 4 && (m->dtype == DT_BOOL || m->dtype == a.type);
		for (int i = 0; ok && i < m->rank; i++) {
			const int64_t size = m->dim[i].value, want = scores[4 - m->rank + i];
			ok = size == 1 || size == want || (i == m->rank - 1 && size < want);
		}
		if (!ok) {
			op_error(n, "attn_mask, %s, does not broadcast to the scores",
				 type_text(n->graph->c, m));
			return false;
		}
	}
	op_out_type(n, 0, a.type, a.flat ? 3 : 4, a.flat ? y3 : y4);
	op_out_type(n, 1, a.type, 4, key);
	op_out_type(n, 2, a.type, 4, value);
	op_out_type(n, 3, a.type, 4, scores);
	return true;
}

/* [B, T, H * D] -> [B, H, T, D] */
static struct value *split_heads(struct node *n, struct value *x, const struct attention *a,
				 int64_t heads, int64_t len, int64_t d)
{
	static const int64_t perm[] = { 0, 2, 1, 3 };
	const int64_t dims[] = { a->b, len, heads, d };
	return a->flat ? expand_transpose(n, expand_reshape(n, x, 4, dims), 4, perm) : x;
}

static struct value *joined(struct node *n, struct value *past, struct value *x)
{
	if (!past)
		return x;
	struct value *y = expand_node(n, "Concat", past, x);
	attr_set_int(y->def, "axis", 2);
	return y;
}

/* each key head for hq / hk query heads */
static struct value *repeated(struct node *n, struct value *x, const struct attention *a, int64_t d)
{
	const int64_t times = a->hk ? a->hq / a->hk : 1;
	const int64_t one[] = { a->b, a->hk, 1, a->total, d }, all[] = { a->b, a->hk, times, a->total, d };
	const int64_t flat[] = { a->b, a->hq, a->total, d };
	if (times == 1)
		return x;
	x = expand_node(n, "Expand", expand_reshape(n, x, 5, one), expand_ints(n, all, 5));
	return expand_reshape(n, x, 4, flat);
}

static struct value *select_bias(struct node *n, const struct attention *a, struct value *allowed)
{
	struct value *y = expand_node(n, "Where", allowed, expand_scalar(n, a->type, 0));
	node_add_in(y->def, expand_scalar(n, a->type, -INFINITY));
	return y;
}

static struct value *sum(struct node *n, struct value *x, struct value *y)
{
	return !x ? y : !y ? x : expand_node(n, "Add", x, y);
}

/* Limits that are known now: a constant [S, total], NULL if there are none; *whole_row: a row is all masked. */
static struct value *known_limits(struct node *n, const struct attention *a, bool *whole_row)
{
	const int64_t dims[] = { a->s, a->total };
	if (!a->causal && a->left < 0 && a->right < 0)
		return NULL;
	struct tensor *t = tensor_new(n->graph->c, DT_DOUBLE, 2, dims);
	for (int64_t i = 0; i < a->s; i++) {
		bool any = false;
		for (int64_t j = 0; j < a->total; j++) {
			const int64_t ahead = j - (i + a->past);
			const bool ok = (!a->causal || ahead <= 0) && (a->left < 0 || -ahead <= a->left) &&
					(a->right < 0 || ahead <= a->right);
			((double *)t->data)[i * a->total + j] = ok ? 0 : -INFINITY;
			any = any || ok;
		}
		*whole_row = *whole_row || !any;
	}
	return value_const(n->graph, "", tensor_convert(n->graph->c, t, a->type));
}

static struct value *int_const(struct node *n, int64_t x)
{
	return value_const(n->graph, "", tensor_scalar_i64(n->graph->c, x));
}

/* Limits that depend on nonpad_kv_seqlen [B]: bool [B, 1, S, total]. */
static struct value *padded_limits(struct node *n, const struct attention *a)
{
	const int64_t per_batch[] = { a->b, 1, 1, 1 }, square[] = { a->s, a->total }, row[] = { a->total };
	struct tensor *ahead = tensor_new(n->graph->c, DT_INT64, 2, square);	/* j - i */
	struct tensor *j = tensor_new(n->graph->c, DT_INT64, 1, row);
	for (int64_t k = 0; k < a->total; k++) {
		((int64_t *)j->data)[k] = k;
		for (int64_t i = 0; i < a->s; i++)
			((int64_t *)ahead->data)[i * a->total + k] = k - i;
	}
	struct value *d = value_const(n->graph, "", ahead);
	struct value *keys = expand_node(n, "Cast", node_in(n, 6), NULL);
	attr_set_int(keys->def, "to", DT_INT64);
	keys = expand_reshape(n, keys, 4, per_batch);
	struct value *offset = expand_node(n, "Sub", keys, int_const(n, a->s));
	struct value *ok = expand_node(n, "Less", value_const(n->graph, "", j), keys);
	if (a->causal)
		ok = expand_node(n, "And", ok, expand_node(n, "LessOrEqual", d, offset));
	if (a->left >= 0) {
		struct value *low = expand_node(n, "Sub", offset, int_const(n, a->left));
		ok = expand_node(n, "And", ok, expand_node(n, "LessOrEqual", low, d));
	}
	if (a->right >= 0) {
		struct value *high = expand_node(n, "Add", offset, int_const(n, a->right));
		ok = expand_node(n, "And", ok, expand_node(n, "LessOrEqual", d, high));
	}
	return ok;
}

/* The mask as a bias of Q's type. */
static struct value *mask_bias(struct node *n, const struct attention *a)
{
	struct value *m = node_in(n, 3);
	if (!m)
		return NULL;
	const struct type t = m->type;
	const int64_t have = t.dim[t.rank - 1].value;
	if (t.dtype == DT_BOOL)
		m = select_bias(n, a, m);
	if (have < a->total) {
		int64_t dims[IR_MAX_RANK];
		const int rank = type_dims(&t, dims);
		dims[rank - 1] = a->total - have;
		struct tensor *rest = tensor_new(n->graph->c, DT_DOUBLE, rank, dims);
		for (int64_t i = 0; i < rest->n; i++)
			((double *)rest->data)[i] = -INFINITY;
		rest = tensor_convert(n->graph->c, rest, a->type);
		m = expand_node(n, "Concat", m, value_const(n->graph, "", rest));
		attr_set_int(m->def, "axis", -1);
	}
	return m;
}

static bool expand(struct node *n)
{
	static const int64_t swap[] = { 0, 1, 3, 2 }, back[] = { 0, 2, 1, 3 }, last = -1;
	struct attention a;
	bool whole_row = node_in(n, 3) != NULL || node_in(n, 6) != NULL;
	if (!read(n, &a))
		return false;
	const int mode = (int)attr_int(n, "qk_matmul_output_mode", 0);
	const double scale = sqrt(attr_float(n, "scale", 1 / sqrt((double)a.d)));
	const double cap = attr_float(n, "softcap", 0);
	const enum dtype precision = (enum dtype)attr_int(n, "softmax_precision", a.type);

	struct value *q = split_heads(n, node_in(n, 0), &a, a.hq, a.s, a.d);
	struct value *key = joined(n, node_in(n, 4), split_heads(n, node_in(n, 1), &a, a.hk, a.t, a.d));
	struct value *v = joined(n, node_in(n, 5), split_heads(n, node_in(n, 2), &a, a.hk, a.t, a.dv));
	expand_result(n, 1, key);
	expand_result(n, 2, v);
	struct value *s = expand_scalar(n, a.type, scale);
	struct value *k = expand_transpose(n, repeated(n, key, &a, a.d), 4, swap);
	q = expand_node(n, "Mul", q, s);
	k = expand_node(n, "Mul", k, s);
	struct value *x = expand_node(n, "MatMul", q, k);
	if (mode == 0)
		expand_result(n, 3, x);
	if (cap > 0) {
		struct value *c = expand_scalar(n, a.type, cap);
		x = expand_node(n, "Mul", expand_node(n, "Tanh", expand_node(n, "Div", x, c), NULL), c);
	}
	if (mode == 1)
		expand_result(n, 3, x);
	struct value *bias = mask_bias(n, &a);
	if (node_in(n, 6))
		bias = sum(n, bias, select_bias(n, &a, padded_limits(n, &a)));
	else
		bias = sum(n, bias, known_limits(n, &a, &whole_row));
	x = sum(n, x, bias);
	if (mode == 2)
		expand_result(n, 3, x);
	if (precision != a.type) {
		x = expand_node(n, "Cast", x, NULL);
		attr_set_int(x->def, "to", precision);
	}
	x = expand_node(n, "Softmax", x, NULL);
	attr_set_int(x->def, "axis", -1);
	if (precision != a.type) {
		x = expand_node(n, "Cast", x, NULL);
		attr_set_int(x->def, "to", a.type);
	}
	if (bias && whole_row) {
		struct value *most = expand_node(n, "ReduceMax", bias, expand_ints(n, &last, 1));
		struct value *none = expand_node(n, "Equal", most, expand_scalar(n, a.type, -INFINITY));
		struct value *kept = expand_node(n, "Where", none, expand_scalar(n, a.type, 0));
		node_add_in(kept->def, x);
		x = kept;
	}
	if (mode == 3)
		expand_result(n, 3, x);
	struct value *y = expand_node(n, "MatMul", x, repeated(n, v, &a, a.dv));
	if (a.flat) {
		const int64_t dims[] = { a.b, a.s, a.hq * a.dv };
		y = expand_reshape(n, expand_transpose(n, y, 4, back), 3, dims);
	}
	expand_result(n, 0, y);
	node_remove(n);
	return true;
}

const struct op op_attention = {
	.domain = "", .name = "Attention", .since = 25, .min_in = 3, .max_in = 7, .min_out = 1,
	.max_out = 4, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};
