/*
 * gemm.c - Gemm, and ampoule.Gemm: the same with a residual Z (input 3) and an activation.
 * Y [M, N] = act(alpha * A' * B' + beta * C + Z); A' is A [M, K] or its transpose, C broadcasts.
 */
#include "ops/product.h"
#include "ops/spatial.h"

static bool type_ok(enum dtype t)
{
	return dtype_is_float(t) || t == DT_INT32 || t == DT_INT64 || t == DT_UINT32 || t == DT_UINT64;
}

static bool read(const struct node *n, int64_t *m, int64_t *k, int64_t *cols)
{
	const struct type *a, *b;
	if (!op_in_type(n, 0, &a) || !op_in_type(n, 1, &b))
		return false;
	if (a->rank != 2 || b->rank != 2 || !type_ok(a->dtype) || a->dtype != b->dtype) {
		op_error(n, "A and B must be matrices of one type, not %s and %s",
			 type_text(n->graph->c, a), type_text(n->graph->c, b));
		return false;
	}
	const int ta = attr_int(n, "transA", 0) != 0, tb = attr_int(n, "transB", 0) != 0;
	*m = a->dim[ta].value;
	*k = a->dim[!ta].value;
	*cols = b->dim[!tb].value;
	if (b->dim[tb].value != *k) {
		op_error(n, "A%s is [%lld, %lld], but B%s is [%lld, %lld]", ta ? " transposed" : "",
			 (long long)*m, (long long)*k, tb ? " transposed" : "",
			 (long long)b->dim[tb].value, (long long)*cols);
		return false;
	}
	return true;
}

static bool infer(struct node *n)
{
	int64_t dims[2], k;
	const struct type *x;
	if (!read(n, &dims[0], &k, &dims[1]))
		return false;
	const enum dtype t = node_in(n, 0)->type.dtype;
	for (int i = 2; i < 4; i++) {
		if (!node_in(n, i))
			continue;
		if (!op_in_type(n, i, &x))
			return false;
		bool ok = x->dtype == t && x->rank <= 2;
		for (int d = 0; ok && d < x->rank; d++) {
			const int64_t size = x->dim[d].value;
			ok = size == dims[2 - x->rank + d] || (i == 2 && size == 1);
		}
		if (!ok || (i == 3 && x->rank != 2)) {
			op_error(n, "input %d is %s, which does not fit the result [%lld, %lld]", i,
				 type_text(n->graph->c, x), (long long)dims[0], (long long)dims[1]);
			return false;
		}
	}
	op_out_type(n, 0, t, 2, dims);
	return op_activation(n) >= 0;
}

static bool lower(struct node *n, struct step *s)
{
	struct product p = { .rank = 0 };
	if (!read(n, &p.m, &p.k, &p.n))
		return false;
	p.alpha = attr_float(n, "alpha", 1);
	p.beta = attr_float(n, "beta", 1);
	product_strides(&node_in(n, 0)->type, 0, &p.a);
	product_strides(&node_in(n, 1)->type, 0, &p.b);
	if (attr_int(n, "transA", 0)) {
		const int64_t t = p.a.row;
		p.a.row = p.a.col;
		p.a.col = t;
	}
	if (attr_int(n, "transB", 0)) {
		const int64_t t = p.b.row;
		p.b.row = p.b.col;
		p.b.col = t;
	}
	struct value *c = p.beta == 0 ? NULL : node_in(n, 2);
	if (c)
		product_strides(&c->type, 0, &p.c);
	if (node_in(n, 3))
		product_strides(&node_in(n, 3)->type, 0, &p.z);
	p.y.row = p.n;
	p.y.col = 1;
	return product_lower(n, s, node_in(n, 0)->type.dtype, &p, node_in(n, 0), node_in(n, 1), c,
			     node_in(n, 3), node_out(n, 0));
}

static int64_t macs(const struct node *n)
{
	int64_t m, k, cols, r;
	if (!read(n, &m, &k, &cols) || !mul_i64(m, k, &r) || !mul_i64(r, cols, &r))
		return 0;
	return r;
}

const struct op op_gemm = {
	.domain = "", .name = "Gemm", .since = 13, .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1,
	.infer = infer, .lower = lower, .macs = macs,
};

const struct op op_ampoule_gemm = {
	.domain = "ampoule", .name = "Gemm", .since = 1, .min_in = 2, .max_in = 4, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower, .macs = macs,
};
