/*
 * qlinear.c - MatMulInteger, ConvInteger, QLinearMatMul, QLinearConv: exact int32 sums of operands
 * whose zero points are taken away first; then (QLinear*) one multiplication by the combined scale,
 * nearest even, the zero point added, saturated (docs/numerics.md rule 15).
 *
 *	MatMulInteger a, b, a_zero, b_zero;  ConvInteger x, w, x_zero, w_zero
 *	QLinearMatMul a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero
 *	QLinearConv x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias (int32)
 */
#include "ops/expand.h"
#include "ops/spatial.h"

#include <string.h>

static bool is_conv(const struct node *n)
{
	return str_eq(n->op_type, "ConvInteger") || str_eq(n->op_type, "QLinearConv");
}

static bool is_qlinear(const struct node *n)
{
	return str_starts(n->op_type, "QLinear");
}

/* the shape of the result; both operands' types are checked */
static bool shape_of(struct node *n, int *rank, int64_t *dims)
{
	const struct type *a, *b;
	const int second = is_qlinear(n) ? 3 : 1;
	if (!op_in_type(n, 0, &a) || !op_in_type(n, second, &b))
		return false;
	for (int i = 0; i < 2; i++) {
		const enum dtype t = i ? b->dtype : a->dtype;
		if (t != DT_INT8 && t != DT_UINT8) {
			op_error(n, "operands must be int8 or uint8, not %s", dtype_name(t));
			return false;
		}
	}
	if (is_conv(n)) {
		struct spatial s;
		if (!spatial_read(n, a, b, false, &s))
			return false;
		dims[0] = a->dim[0].value;
		dims[1] = b->dim[0].value;
		memcpy(dims + 2, s.out, (size_t)s.rank * sizeof dims[0]);
		*rank = a->rank;
		return true;
	}
	int64_t da[IR_MAX_RANK], db[IR_MAX_RANK];
	const int ra = type_dims(a, da), rb = type_dims(b, db);
	const int64_t k = rb == 1 ? db[0] : db[rb - 2];
	if (ra < 1 || rb < 1 || da[ra - 1] != k) {
		op_error(n, "%s and %s cannot be multiplied", type_text(n->graph->c, a),
			 type_text(n->graph->c, b));
		return false;
	}
	if (!op_broadcast(n, ra > 2 ? ra - 2 : 0, da, rb > 2 ? rb - 2 : 0, db, rank, dims))
		return false;
	if (ra > 1)
		dims[(*rank)++] = da[ra - 2];
	if (rb > 1)
		dims[(*rank)++] = db[rb - 1];
	return true;
}

static bool infer(struct node *n)
{
	int64_t dims[IR_MAX_RANK + 2];
	int rank;
	enum dtype t = DT_INT32;
	if (!shape_of(n, &rank, dims))
		return false;
	if (is_qlinear(n)) {
		if (!node_in(n, 7)) {
			op_error(n, "input 7, the zero point of the result, is required");
			return false;
		}
		t = node_in(n, 7)->type.dtype;
	}
	op_out_type(n, 0, t, rank, dims);
	return true;
}

/* x - zero as int32; the zero point of axis `axis` (or a scalar) broadcasts over rank axes */
static struct value *centred(struct node *n, struct value *x, struct value *zero, int axis)
{
	struct value *y = expand_node(n, "Cast", x, NULL);
	attr_set_int(y->def, "to", DT_INT32);
	if (!zero)
		return y;
	struct value *z = expand_node(n, "Cast", zero, NULL);
	attr_set_int(z->def, "to", DT_INT32);
	if (zero->type.rank == 1 && zero->type.dim[0].value != 1 && axis >= 0) {
		int64_t dims[IR_MAX_RANK];
		for (int d = 0; d < x->type.rank; d++)
			dims[d] = d == axis ? zero->type.dim[0].value : 1;
		z = expand_reshape(n, z, x->type.rank, dims);
	}
	return expand_node(n, "Sub", y, z);
}

/* a scale of one number a row or column, so that it broadcasts over axis `axis` of a result of `rank` axes */
static struct value *along(struct node *n, struct value *v, int rank, int axis)
{
	int64_t dims[IR_MAX_RANK];
	if (v->type.rank != 1 || v->type.dim[0].value == 1)
		return v->type.rank == 1 ? expand_reshape(n, v, 0, NULL) : v;
	for (int d = 0; d < rank; d++)
		dims[d] = d == axis ? v->type.dim[0].value : 1;
	return expand_reshape(n, v, rank, dims);
}

static struct value *as_float(struct node *n, struct value *v)
{
	struct value *y = expand_node(n, "Cast", v, NULL);
	attr_set_int(y->def, "to", DT_FLOAT);
	return y;
}

static bool expand(struct node *n)
{
	static const char *const kept[] = { "strides", "pads", "dilations", "kernel_shape", NULL };
	const bool q = is_qlinear(n), conv = is_conv(n);
	struct value *a = node_in(n, 0), *b = node_in(n, q ? 3 : 1), *sum;
	struct value *za = node_in(n, 2), *zb = node_in(n, q ? 5 : 3);
	int64_t dims[IR_MAX_RANK + 2];
	int rank, count;
	if (!shape_of(n, &rank, dims))
		return false;
	/* per row of a, per column of b; per output channel */
	a = centred(n, a, za, conv ? -1 : a->type.rank - 2);
	b = centred(n, b, zb, conv ? 0 : b->type.rank - 1);
	if (conv) {
		struct node *c = node_new(n->graph, n, "ampoule", "Conv", n->name);
		c->version = 1;
		node_add_in(c, a);
		node_add_in(c, b);
		if (q && node_in(n, 8))
			node_add_in(c, node_in(n, 8));
		for (int i = 0; kept[i]; i++) {
			const int64_t *v = attr_ints(n, kept[i], &count);
			if (v)
				attr_set_ints(c, kept[i], v, count);
		}
		attr_set_int(c, "group", attr_int(n, "group", 1));
		attr_set_str(c, "auto_pad", attr_str(n, "auto_pad", "NOTSET"));
		sum = node_add_out(c, "");
	} else {
		sum = expand_node(n, "MatMul", a, b);
	}
	if (q) {
		const enum dtype t = node_in(n, 7)->type.dtype;
		struct value *sa = along(n, node_in(n, 1), rank, rank - 2);
		struct value *sb = along(n, node_in(n, 4), rank, conv ? 1 : rank - 1);
		struct value *sy = along(n, node_in(n, 6), rank, rank - 2);
		struct value *zy = as_float(n, along(n, node_in(n, 7), rank, rank - 2));
		struct value *scale = as_float(n, expand_node(n, "Div", expand_node(n, "Mul", sa, sb), sy));
		struct value *y = expand_node(n, "Mul", as_float(n, sum), scale);
		y = expand_node(n, "Add", expand_node(n, "Round", y, NULL), zy);
		y = expand_node(n, "Clip", y, expand_scalar(n, DT_FLOAT, t == DT_INT8 ? -128 : 0));
		node_add_in(y->def, expand_scalar(n, DT_FLOAT, t == DT_INT8 ? 127 : 255));
		sum = expand_node(n, "Cast", y, NULL);
		attr_set_int(sum->def, "to", t);
	}
	expand_result(n, 0, sum);
	node_remove(n);
	return true;
}

#define ROW .domain = "", .min_out = 1, .max_out = 1, .flags = OP_EXPAND, .infer = infer, .expand = expand

const struct op op_matmulinteger = { .name = "MatMulInteger", .since = 10, .min_in = 2, .max_in = 4, ROW };
const struct op op_convinteger = { .name = "ConvInteger", .since = 10, .min_in = 2, .max_in = 4, ROW };
const struct op op_qlinearmatmul = { .name = "QLinearMatMul", .since = 21, .min_in = 8, .max_in = 8, ROW };
const struct op op_qlinearconv = { .name = "QLinearConv", .since = 10, .min_in = 8, .max_in = 9, ROW };
