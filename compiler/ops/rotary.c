/*
 * rotary.c - RotaryEmbedding as simpler operators: pairs (x1, x2) of the first rotary_embedding_dim
 * elements of each head become (cos x1 - sin x2, sin x1 + cos x2); the pairs are the halves, or
 * neighbours when interleaved.
 *
 * X [B, H, S, D] or [B, S, H * D]; cos and sin caches [P, R / 2] picked by position_ids [B, S], or
 * [B, S, R / 2].
 */
#include "ops/expand.h"

struct rotary { int64_t b, h, s, d, r; bool flat, interleaved; };

static bool read(struct node *n, struct rotary *p)
{
	const struct type *x, *c, *s;
	if (!op_in_type(n, 0, &x) || !op_in_type(n, 1, &c) || !op_in_type(n, 2, &s))
		return false;
	p->flat = x->rank == 3;
	p->h = p->flat ? attr_int(n, "num_heads", 0) : x->rank == 4 ? x->dim[1].value : 0;
	if (p->h < 1 || (p->flat && x->dim[2].value % p->h != 0) || !dtype_is_float(x->dtype)) {
		op_error(n, "X, %s, must be [B, H, S, D], or [B, S, H * D] with num_heads",
			 type_text(n->graph->c, x));
		return false;
	}
	p->b = x->dim[0].value;
	p->s = x->dim[p->flat ? 1 : 2].value;
	p->d = p->flat ? x->dim[2].value / p->h : x->dim[3].value;
	p->r = attr_int(n, "rotary_embedding_dim", 0);
	p->interleaved = attr_int(n, "interleaved", 0) != 0;
	if (p->r == 0)
		p->r = p->d;
	const int want = node_in(n, 3) ? 2 : 3;
	bool ok = p->r > 0 && p->r % 2 == 0 && p->r <= p->d && c->rank == want && type_equal(c, s) &&
		  c->dtype == x->dtype && c->dim[want - 1].value == p->r / 2;
	if (ok && want == 3)
		ok = c->dim[0].value == p->b && c->dim[1].value == p->s;
	if (!ok)
		op_error(n, "the caches %s do not fit X %s", type_text(n->graph->c, c),
			 type_text(n->graph->c, x));
	return ok;
}

static bool infer(struct node *n)
{
	struct rotary p;
	int64_t dims[IR_MAX_RANK];
	if (!read(n, &p))
		return false;
	const struct type *x = &node_in(n, 0)->type;
	op_out_type(n, 0, x->dtype, type_dims(x, dims), dims);
	return true;
}

/* x[..., from : to : step] of the last axis of four */
static struct value *part(struct node *n, struct value *x, int64_t from, int64_t to, int64_t step)
{
	const int64_t axis = 3;
	struct value *y = expand_node(n, "Slice", x, expand_ints(n, &from, 1));
	node_add_in(y->def, expand_ints(n, &to, 1));
	node_add_in(y->def, expand_ints(n, &axis, 1));
	node_add_in(y->def, expand_ints(n, &step, 1));
	return y;
}

/* a cache as [B, 1, S, R / 2] */
static struct value *cache(struct node *n, struct value *c, const struct rotary *p)
{
	const int64_t dims[] = { p->b, 1, p->s, p->r / 2 };
	if (node_in(n, 3)) {
		c = expand_node(n, "Gather", c, node_in(n, 3));
		attr_set_int(c->def, "axis", 0);
	}
	return expand_reshape(n, c, 4, dims);
}

static bool expand(struct node *n)
{
	static const int64_t swap[] = { 0, 2, 1, 3 };
	struct rotary p;
	if (!read(n, &p))
		return false;
	const int64_t four[] = { p.b, p.s, p.h, p.d }, half = p.r / 2;
	struct value *x = node_in(n, 0);
	if (p.flat)
		x = expand_transpose(n, expand_reshape(n, x, 4, four), 4, swap);
	struct value *c = cache(n, node_in(n, 1), &p), *s = cache(n, node_in(n, 2), &p);
	struct value *x1 = p.interleaved ? part(n, x, 0, p.r, 2) : part(n, x, 0, half, 1);
	struct value *x2 = p.interleaved ? part(n, x, 1, p.r, 2) : part(n, x, half, p.r, 1);
	struct value *real = expand_node(n, "Sub", expand_node(n, "Mul", c, x1), expand_node(n, "Mul", s, x2));
	struct value *imag = expand_node(n, "Add", expand_node(n, "Mul", s, x1), expand_node(n, "Mul", c, x2));
	struct value *y;
	if (p.interleaved) {
		const int64_t pair[] = { p.b, p.h, p.s, half, 1 }, all[] = { p.b, p.h, p.s, p.r };
		y = expand_node(n, "Concat", expand_reshape(n, real, 5, pair), expand_reshape(n, imag, 5, pair));
		attr_set_int(y->def, "axis", 4);
		y = expand_reshape(n, y, 4, all);
	} else {
		y = expand_node(n, "Concat", real, imag);
		attr_set_int(y->def, "axis", 3);
	}
	if (p.r < p.d) {
		struct value *rest = part(n, x, p.r, p.d, 1);
		y = expand_node(n, "Concat", y, rest);
		attr_set_int(y->def, "axis", 3);
	}
	if (p.flat) {
		const int64_t three[] = { p.b, p.s, p.h * p.d };
		y = expand_reshape(n, expand_transpose(n, y, 4, swap), 3, three);
	}
	expand_result(n, 0, y);
	node_remove(n);
	return true;
}

const struct op op_rotaryembedding = {
	.domain = "", .name = "RotaryEmbedding", .since = 23, .min_in = 3, .max_in = 4, .min_out = 1,
	.max_out = 1, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};
