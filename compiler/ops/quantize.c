/*
 * quantize.c - QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear as elementwise operators.
 *
 *	Q: saturate(round(x / scale) + zero)	D: (x - zero) * scale
 * scale and zero have one number in all, one a slice of `axis`, or one a block of block_size
 * elements of it (then they are spread by Gather).  8- and 16-bit integers, and int32 for D; the
 * 4-bit and 8-bit floating types have no kernels.
 */
#include "ops/expand.h"

static bool is_dequantize(const struct node *n)
{
	return str_eq(n->op_type, "DequantizeLinear");
}

static bool small_int(enum dtype t)
{
	return t == DT_INT8 || t == DT_UINT8 || t == DT_INT16 || t == DT_UINT16;
}

/* The operands' forms; gives the result's type. */
static bool read(struct node *n, const struct type **x, const struct type **scale, enum dtype *result)
{
	const struct type *zero = NULL;
	if (!op_in_type(n, 0, x) || !op_in_type(n, 1, scale) ||
	    (node_in(n, 2) && !op_in_type(n, 2, &zero)))
		return false;
	const int64_t given = attr_int(n, "output_dtype", 0);
	const bool d = is_dequantize(n);
	if (d)
		*result = given ? (enum dtype)given : (*scale)->dtype;
	else
		*result = zero ? zero->dtype : given ? (enum dtype)given : DT_UINT8;
	const enum dtype quantised = d ? (*x)->dtype : *result, real = d ? *result : (*x)->dtype;
	if (!(small_int(quantised) || (d && quantised == DT_INT32)) ||
	    !(dtype_is_float(real) || (!d && real == DT_INT32)) || !dtype_is_float((*scale)->dtype)) {
		op_error(n, "%s to %s with a scale of %s is not supported", dtype_name((*x)->dtype),
			 dtype_name(*result), dtype_name((*scale)->dtype));
		return false;
	}
	if (zero && type_elements(zero) != type_elements(*scale)) {
		op_error(n, "scale and zero point have different shapes");
		return false;
	}
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x, *scale;
	enum dtype t;
	int64_t dims[IR_MAX_RANK];
	int axis;
	if (!read(n, &x, &scale, &t))
		return false;
	if (type_elements(scale) != 1) {
		if (!op_axis(n, attr_int(n, "axis", 1), x->rank, &axis))
			return false;
		const int64_t size = x->dim[axis].value, block = attr_int(n, "block_size", 0);
		bool ok = block ? scale->rank == x->rank &&
				  scale->dim[axis].value == (size + block - 1) / block :
				  scale->rank == 1 && scale->dim[0].value == size;
		for (int d = 0; ok && block && d < x->rank; d++)
			ok = d == axis || scale->dim[d].value == x->dim[d].value;
		if (block < 0 || !ok) {
			op_error(n, "the scale is %s, which does not fit axis %d of %s",
				 type_text(n->graph->c, scale), axis, type_text(n->graph->c, x));
			return false;
		}
	}
	op_out_type(n, 0, t, type_dims(x, dims), dims);
	return true;
}

static struct value *cast(struct node *n, struct value *v, enum dtype t)
{
	if (v->type.dtype == t)
		return v;
	struct value *y = expand_node(n, "Cast", v, NULL);
	attr_set_int(y->def, "to", t);
	return y;
}

/* scale or zero point so that it broadcasts over x */
static struct value *spread(struct node *n, struct value *v, const struct type *x)
{
	const int64_t block = attr_int(n, "block_size", 0);
	int64_t dims[IR_MAX_RANK];
	int axis = 0;
	if (type_elements(&v->type) == 1)
		return v->type.rank == 0 ? v : expand_reshape(n, v, 0, NULL);
	if (!op_axis(n, attr_int(n, "axis", 1), x->rank, &axis))
		return v;
	if (!block) {
		for (int d = 0; d < x->rank; d++)
			dims[d] = d == axis ? x->dim[axis].value : 1;
		return expand_reshape(n, v, x->rank, dims);
	}
	const int64_t size = x->dim[axis].value;
	struct tensor *from = tensor_new(n->graph->c, DT_INT64, 1, &size);
	for (int64_t i = 0; i < size; i++)
		((int64_t *)from->data)[i] = i / block;
	struct value *y = expand_node(n, "Gather", v, value_const(n->graph, "", from));
	attr_set_int(y->def, "axis", axis);
	return y;
}

static void limits(enum dtype t, double *low, double *high)
{
	*low = t == DT_INT8 ? -128 : t == DT_INT16 ? -32768 : 0;
	*high = t == DT_INT8 ? 127 : t == DT_UINT8 ? 255 : t == DT_INT16 ? 32767 : 65535;
}

/* saturate(round(x / scale) + zero) of type t; zero may be NULL */
static struct value *quantised(struct node *n, struct value *x, struct value *scale, struct value *zero,
			       enum dtype t)
{
	double low, high;
	limits(t, &low, &high);
	struct value *y = expand_node(n, "Round", expand_node(n, "Div", x, scale), NULL);
	struct value *f = expand_node(n, "Cast", y, NULL);
	attr_set_int(f->def, "to", DT_FLOAT);
	if (zero)
		f = expand_node(n, "Add", f, zero);
	f = expand_node(n, "Clip", f, expand_scalar(n, DT_FLOAT, low));
	node_add_in(f->def, expand_scalar(n, DT_FLOAT, high));
	y = expand_node(n, "Cast", f, NULL);
	attr_set_int(y->def, "to", t);
	return y;
}

static bool expand(struct node *n)
{
	const struct type *xt, *st;
	enum dtype t;
	if (!read(n, &xt, &st, &t))
		return false;
	const struct type x_type = *xt;
	struct value *x = node_in(n, 0), *zero = node_in(n, 2) ? spread(n, node_in(n, 2), &x_type) : NULL;
	struct value *scale = spread(n, node_in(n, 1), &x_type), *y;
	const enum dtype scale_type = st->dtype;
	if (is_dequantize(n)) {
		y = cast(n, x, DT_INT32);
		if (zero) {
			struct value *z = expand_node(n, "Cast", zero, NULL);
			attr_set_int(z->def, "to", DT_INT32);
			y = expand_node(n, "Sub", y, z);
		}
		struct value *f = expand_node(n, "Cast", y, NULL);
		attr_set_int(f->def, "to", scale_type);
		y = expand_node(n, "Mul", f, scale);
		if (t != scale_type) {
			y = expand_node(n, "Cast", y, NULL);
			attr_set_int(y->def, "to", t);
		}
	} else {
		const enum dtype p = (enum dtype)attr_int(n, "precision", scale_type);
		if (zero) {
			zero = expand_node(n, "Cast", zero, NULL);
			attr_set_int(zero->def, "to", DT_FLOAT);
		}
		if (p != scale_type) {
			scale = expand_node(n, "Cast", scale, NULL);
			attr_set_int(scale->def, "to", p);
		}
		y = quantised(n, cast(n, x, p), scale, zero, t);
	}
	expand_result(n, 0, y);
	node_remove(n);
	return true;
}

const struct op op_quantizelinear = {
	.domain = "", .name = "QuantizeLinear", .since = 25, .min_in = 2, .max_in = 3, .min_out = 1,
	.max_out = 1, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};
const struct op op_dequantizelinear = {
	.domain = "", .name = "DequantizeLinear", .since = 25, .min_in = 2, .max_in = 3, .min_out = 1,
	.max_out = 1, .flags = OP_EXPAND, .infer = infer, .expand = expand,
};

/* ---- DynamicQuantizeLinear: scale and zero point from the range of x, 0 included ------------------ */

static bool infer_dynamic(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	if (x->dtype != DT_FLOAT && x->dtype != DT_DOUBLE) {
		op_error(n, "x must be float, not %s", dtype_name(x->dtype));
		return false;
	}
	op_out_type(n, 0, DT_UINT8, type_dims(x, dims), dims);
	op_out_type(n, 1, DT_FLOAT, 0, NULL);
	op_out_type(n, 2, DT_UINT8, 0, NULL);
	return true;
}

static bool expand_dynamic(struct node *n)
{
	struct value *x = node_in(n, 0), *zero = expand_scalar(n, DT_FLOAT, 0);
	struct value *low = expand_node(n, "ReduceMin", x, NULL), *high = expand_node(n, "ReduceMax", x, NULL);
	attr_set_int(low->def, "keepdims", 0);
	attr_set_int(high->def, "keepdims", 0);
	low = expand_node(n, "Min", low, zero);
	high = expand_node(n, "Max", high, zero);
	struct value *scale = expand_node(n, "Div", expand_node(n, "Sub", high, low),
					  expand_scalar(n, DT_FLOAT, 255));
	struct value *z = expand_node(n, "Sub", zero, expand_node(n, "Div", low, scale));
	z = expand_node(n, "Clip", z, zero);
	node_add_in(z->def, expand_scalar(n, DT_FLOAT, 255));
	z = expand_node(n, "Round", z, NULL);
	struct value *z8 = expand_node(n, "Cast", z, NULL);
	attr_set_int(z8->def, "to", DT_UINT8);
	struct value *y = quantised(n, x, scale, z, DT_UINT8);
	expand_result(n, 0, y);
	expand_result(n, 1, scale);
	expand_result(n, 2, z8);
	node_remove(n);
	return true;
}

const struct op op_dynamicquantizelinear = {
	.domain = "", .name = "DynamicQuantizeLinear", .since = 11, .min_in = 1, .max_in = 1, .min_out = 3,
	.max_out = 3, .flags = OP_EXPAND, .infer = infer_dynamic, .expand = expand_dynamic,
};
