/*
 * matmul.c - MatMul as numpy's, and ampoule.MatMul: with transA, transB (of the last two axes), a
 * bias (input 2) and a residual (input 3) that broadcast to the result, alpha, and an activation.
 */
#include "ops/product.h"
#include "ops/spatial.h"
#include "ops/strassen.h"

struct shapes {
	const struct type *a, *b;
	struct type wide_a, wide_b;	/* at least rank 2 */
	bool vector_a, vector_b;
	int rank;			/* of batch */
	int64_t batch[IR_MAX_RANK], m, n, k;
};

static bool type_ok(enum dtype t)
{
	return dtype_is_float(t) || t == DT_INT32 || t == DT_INT64 || t == DT_UINT32 || t == DT_UINT64;
}

static bool read(const struct node *n, struct shapes *s)
{
	int64_t da[IR_MAX_RANK], db[IR_MAX_RANK];
	if (!op_in_type(n, 0, &s->a) || !op_in_type(n, 1, &s->b))
		return false;
	if (!type_ok(s->a->dtype) || s->a->dtype != s->b->dtype || s->a->rank < 1 || s->b->rank < 1) {
		op_error(n, "%s and %s cannot be multiplied", type_text(n->graph->c, s->a),
			 type_text(n->graph->c, s->b));
		return false;
	}
	s->wide_a = *s->a;
	s->wide_b = *s->b;
	s->vector_a = s->a->rank == 1;
	s->vector_b = s->b->rank == 1;
	if (s->vector_a) {		/* a row */
		s->wide_a.rank = 2;
		s->wide_a.dim[1] = s->a->dim[0];
		s->wide_a.dim[0].value = 1;
	}
	if (s->vector_b) {		/* a column */
		s->wide_b.rank = 2;
		s->wide_b.dim[1].value = 1;
	}
	const int ra = type_dims(&s->wide_a, da), rb = type_dims(&s->wide_b, db);
	const int ta = attr_int(n, "transA", 0) != 0, tb = attr_int(n, "transB", 0) != 0;
	s->m = da[ra - 2 + ta];
	s->k = da[ra - 1 - ta];
	s->n = db[rb - 1 - tb];
	if (db[rb - 2 + tb] != s->k) {
		op_error(n, "%s and %s cannot be multiplied: %lld columns, %lld rows",
			 type_text(n->graph->c, s->a), type_text(n->graph->c, s->b), (long long)s->k,
			 (long long)db[rb - 2 + tb]);
		return false;
	}
	return op_broadcast(n, ra - 2, da, rb - 2, db, &s->rank, s->batch);
}

/* may input i be broadcast to the result? */
static bool fits(const struct node *n, int i, enum dtype t, int rank, const int64_t *dims)
{
	const struct type *x;
	if (!node_in(n, i))
		return true;
	if (!op_in_type(n, i, &x))
		return false;
	bool ok = x->dtype == t && x->rank <= rank;
	for (int d = 0; ok && d < x->rank; d++)
		ok = x->dim[d].value == 1 || x->dim[d].value == dims[rank - x->rank + d];
	if (!ok)
		op_error(n, "input %d, %s, does not broadcast to the result", i,
			 type_text(n->graph->c, x));
	return ok;
}

static bool infer(struct node *n)
{
	struct shapes s;
	int64_t dims[IR_MAX_RANK + 2];
	if (!read(n, &s))
		return false;
	int rank = s.rank;
	for (int d = 0; d < rank; d++)
		dims[d] = s.batch[d];
	if (!s.vector_a)
		dims[rank++] = s.m;
	if (!s.vector_b)
		dims[rank++] = s.n;
	if (!fits(n, 2, s.a->dtype, rank, dims) || !fits(n, 3, s.a->dtype, rank, dims))
		return false;
	op_out_type(n, 0, s.a->dtype, rank, dims);
	return op_activation(n) >= 0;
}

static void turn(struct product_operand *o)
{
	const int64_t t = o->row;
	o->row = o->col;
	o->col = t;
}

/* an operand of the result's shape, whose rows or columns may be missing */
static void result_strides(const struct shapes *s, const struct value *v, struct product_operand *o)
{
	struct type t;
	if (!v)
		return;
	t = v->type;
	if (s->vector_b) {		/* [..., m]: a last axis of size 1 */
		t.dim[t.rank++].value = 1;
	} else if (s->vector_a && t.rank > 1) {		/* [..., n]: an axis of size 1 before the last */
		t.dim[t.rank] = t.dim[t.rank - 1];
		t.dim[t.rank - 1].value = 1;
		t.rank++;
	}
	if (s->vector_a && s->vector_b && t.rank > 1) {
		t.dim[t.rank] = t.dim[t.rank - 1];
		t.dim[t.rank - 1].value = 1;
		t.rank++;
	}
	product_strides(&t, s->rank, o);
}

/*
 * Could Strassen's algorithm compute it: a [batch, rows.., k] times a constant, with a constant bias of the columns and a
 * residual of the result's shape?  The first axis may be the batch of a model, so that no pair of rows crosses it.
 */
static bool strassen_read(const struct node *n, struct strassen_layer *l)
{
	struct shapes s;
	const struct value *w = node_in(n, 1), *bias = node_in(n, 2), *z = node_in(n, 3);
	if (!read(n, &s) || s.a->dtype != DT_FLOAT || s.a->rank < 3 || s.b->rank != 2 || !w->data || w->layout != LAYOUT_PLAIN ||
	    node_in(n, 0)->data || attr_int(n, "transA", 0) || attr_float(n, "alpha", 1) != 1 || s.n % 16 != 0 || type_elements(s.a) < 1)
		return false;
	if (bias && (!bias->data || bias->data->n != s.n || bias->type.dim[bias->type.rank - 1].value != s.n))
		return false;
	if (z && !type_equal(&z->type, &node_out(n, 0)->type))
		return false;
	const bool turned = attr_int(n, "transB", 0) != 0;
	*l = (struct strassen_layer){
		.n = s.a->dim[0].value, .rows = 1, .k = s.k, .m = s.n, .w = w->data, .w_k = turned ? 1 : s.n,
		.w_m = turned ? s.k : 1, .x_row = s.k, .x_block = 16, .y_row = s.n, .y_block = 16, .graph = n->graph,
	};
	for (int i = 1; i < s.a->rank - 1; i++)
		l->rows *= s.a->dim[i].value;
	l->x_matrix = l->rows * s.k;
	l->y_matrix = l->rows * s.n;
	return strassen_fits(l);
}

static const char *algorithm(const struct node *n, const char **tried)
{
	struct strassen_layer l;
	return strassen_read(n, &l) && strassen_choose(n->graph->c, &l, tried) ? STRASSEN : NULL;
}

static bool lower(struct node *n, struct step *st)
{
	struct shapes s;
	struct strassen_layer l;
	struct product p = { .rank = 0 };
	/* the attribute is the pass `plan`'s */
	if (*n->domain && str_eq(attr_str(n, "algorithm", ""), STRASSEN) && strassen_read(n, &l)) {
		strassen_lower(n, st, &l, spatial_bias_c16(n));
		return op_activation(n) >= 0;
	}
	if (!read(n, &s))
		return false;
	if (s.rank + 2 >= IR_MAX_RANK) {
		op_error(n, "rank %d is not supported", s.rank + 2);
		return false;
	}
	p.rank = s.rank;
	for (int d = 0; d < s.rank; d++)
		p.batch[d] = s.batch[d];
	p.m = s.m;
	p.n = s.n;
	p.k = s.k;
	p.alpha = attr_float(n, "alpha", 1);
	p.beta = 1;
	product_strides(&s.wide_a, s.rank, &p.a);
	product_strides(&s.wide_b, s.rank, &p.b);
	if (attr_int(n, "transA", 0))
		turn(&p.a);
	if (attr_int(n, "transB", 0))
		turn(&p.b);
	result_strides(&s, node_in(n, 2), &p.c);
	result_strides(&s, node_in(n, 3), &p.z);
	int64_t at = s.m * s.n;
	p.y.row = s.n;
	p.y.col = 1;
	for (int d = s.rank - 1; d >= 0; d--) {
		p.y.batch[d] = at;
		at *= s.batch[d];
	}
	return product_lower(n, st, s.a->dtype, &p, node_in(n, 0), node_in(n, 1), node_in(n, 2),
			     node_in(n, 3), node_out(n, 0));
}

static int64_t macs(const struct node *n)
{
	struct shapes s;
	int64_t r;
	if (!read(n, &s) || !mul_i64(s.m, s.k, &r) || !mul_i64(r, s.n, &r))
		return 0;
	for (int d = 0; d < s.rank; d++)
		if (!mul_i64(r, s.batch[d], &r))
			return 0;
	return r;
}

const struct op op_matmul = {
	.domain = "", .name = "MatMul", .since = 13, .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1,
	.infer = infer, .lower = lower, .algorithm = algorithm, .macs = macs,
};

const struct op op_ampoule_matmul = {
	.domain = "ampoule", .name = "MatMul", .since = 1, .min_in = 2, .max_in = 4, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower, .algorithm = algorithm, .macs = macs,
};
