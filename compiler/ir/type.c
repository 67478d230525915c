/*
 * type.c - element types and the types of values: names, sizes, equality, text.
 *
 * In: dtype numbers as in ONNX, dimensions.  Out: sizes that are checked before they are multiplied
 * (-1 when unknown or beyond IR_MAX_BYTES).
 */
#include "ir/ir.h"

/* One row a dtype: ONNX's word, the suffix of kernels, bytes of an element in memory. */
static const struct dtype_row {
	const char *name, *suffix;
	int size;
} rows[DT_COUNT] = {
	[DT_NONE] = { "none", NULL, 0 },
	[DT_FLOAT] = { "float", "f32", 4 },
	[DT_UINT8] = { "uint8", "u8", 1 },
	[DT_INT8] = { "int8", "i8", 1 },
	[DT_UINT16] = { "uint16", "u16", 2 },
	[DT_INT16] = { "int16", "i16", 2 },
	[DT_INT32] = { "int32", "i32", 4 },
	[DT_INT64] = { "int64", "i64", 8 },
	[DT_STRING] = { "string", NULL, 0 },
	[DT_BOOL] = { "bool", "b8", 1 },
	[DT_FLOAT16] = { "float16", "f16", 2 },
	[DT_DOUBLE] = { "double", "f64", 8 },
	[DT_UINT32] = { "uint32", "u32", 4 },
	[DT_UINT64] = { "uint64", "u64", 8 },
	[DT_COMPLEX64] = { "complex64", NULL, 8 },
	[DT_COMPLEX128] = { "complex128", NULL, 16 },
	[DT_BFLOAT16] = { "bfloat16", "bf16", 2 },
	[DT_FLOAT8E4M3FN] = { "float8e4m3fn", NULL, 1 },
	[DT_FLOAT8E4M3FNUZ] = { "float8e4m3fnuz", NULL, 1 },
	[DT_FLOAT8E5M2] = { "float8e5m2", NULL, 1 },
	[DT_FLOAT8E5M2FNUZ] = { "float8e5m2fnuz", NULL, 1 },
	[DT_UINT4] = { "uint4", NULL, 1 },
	[DT_INT4] = { "int4", NULL, 1 },
	[DT_FLOAT4E2M1] = { "float4e2m1", NULL, 1 },
	[DT_FLOAT8E8M0] = { "float8e8m0", NULL, 1 },
	[DT_UINT2] = { "uint2", NULL, 1 },
	[DT_INT2] = { "int2", NULL, 1 },
};

static bool in_table(enum dtype t)
{
	return (unsigned)t < DT_COUNT && rows[t].name;
}

const char *dtype_name(enum dtype t)
{
	return in_table(t) ? rows[t].name : "none";
}

const char *dtype_suffix(enum dtype t)
{
	return in_table(t) ? rows[t].suffix : NULL;
}

enum dtype dtype_by_name(const char *name)
{
	for (int t = 1; t < DT_COUNT; t++)
		if (rows[t].name && str_eq(rows[t].name, name))
			return (enum dtype)t;
	return DT_NONE;
}

int dtype_size(enum dtype t)
{
	return in_table(t) ? rows[t].size : 0;
}

bool dtype_is_float(enum dtype t)
{
	return t == DT_FLOAT || t == DT_DOUBLE || t == DT_FLOAT16 || t == DT_BFLOAT16;
}

bool dtype_is_int(enum dtype t)
{
	switch (t) {
	case DT_UINT8: case DT_INT8: case DT_UINT16: case DT_INT16: case DT_INT32: case DT_INT64:
	case DT_UINT32: case DT_UINT64: case DT_UINT4: case DT_INT4: case DT_UINT2: case DT_INT2:
		return true;
	default:
		return false;
	}
}

struct type type_tensor(enum dtype t, int rank, const int64_t *dims)
{
	struct type r = { .kind = KIND_TENSOR, .dtype = t, .rank = rank };
	for (int i = 0; i < rank && i < IR_MAX_RANK; i++)
		r.dim[i].value = dims[i];
	return r;
}

bool type_known(const struct type *t)
{
	if (t->kind != KIND_TENSOR || t->dtype == DT_NONE || t->rank < 0)
		return false;
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i].value < 0)
			return false;
	return true;
}

int64_t type_elements(const struct type *t)
{
	int64_t n = 1;
	if (!type_known(t))
		return -1;
	for (int i = 0; i < t->rank; i++)
		if (t->dim[i].value == 0)
			return 0;
	for (int i = 0; i < t->rank; i++)
		if (!mul_i64(n, t->dim[i].value, &n) || n > IR_MAX_BYTES)
			return -1;
	return n;
}

/* Strings are counted as the pointers that hold them. */
static int64_t element_bytes(enum dtype t)
{
	return t == DT_STRING ? (int64_t)sizeof(char *) : dtype_size(t);
}

int64_t type_bytes(const struct type *t)
{
	int64_t n = type_elements(t);
	if (n < 0 || !mul_i64(n, element_bytes(t->dtype), &n) || n > IR_MAX_BYTES)
		return -1;
	return n;
}

int64_t value_bytes(const struct value *v)
{
	const struct type *t = &v->type;
	if (v->layout != LAYOUT_C16)
		return type_bytes(t);
	if (!type_known(t) || t->rank < 2)
		return -1;
	struct type padded = *t;
	if (!add_i64(t->dim[1].value, 15, &padded.dim[1].value))
		return -1;
	padded.dim[1].value -= padded.dim[1].value % 16;
	return type_bytes(&padded);
}

static bool dim_equal(const struct dim *a, const struct dim *b)
{
	if (a->value >= 0 || b->value >= 0)
		return a->value == b->value;
	return str_eq(a->symbol, b->symbol);
}

bool type_equal(const struct type *a, const struct type *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == KIND_MAP && a->key != b->key)
		return false;
	if (a->kind != KIND_TENSOR)
		return a->elem && b->elem ? type_equal(a->elem, b->elem) : a->elem == b->elem;
	if (a->dtype != b->dtype || a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (!dim_equal(&a->dim[i], &b->dim[i]))
			return false;
	return true;
}

static void add_type(struct text *o, const struct type *t)
{
	switch (t->kind) {
	case KIND_SEQUENCE:
	case KIND_OPTIONAL:
		text_printf(o, t->kind == KIND_SEQUENCE ? "seq(" : "optional(");
		if (t->elem)
			add_type(o, t->elem);
		text_printf(o, ")");
		return;
	case KIND_MAP:
		text_printf(o, "map(%s,", dtype_name(t->key));
		if (t->elem)
			add_type(o, t->elem);
		else
			text_printf(o, "%s[]", dtype_name(t->dtype));
		text_printf(o, ")");
		return;
	case KIND_TENSOR:
		break;
	}
	text_printf(o, "%s[", dtype_name(t->dtype));
	if (t->rank < 0)
		text_printf(o, "...");
	for (int i = 0; i < t->rank; i++) {
		const struct dim *d = &t->dim[i];
		if (i)
			text_printf(o, ",");
		if (d->value >= 0)
			text_printf(o, "%lld", (long long)d->value);
		else
			text_printf(o, "%s", d->symbol && d->symbol[0] ? d->symbol : "?");
		if (d->value < 0 && d->max > 0)
			text_printf(o, "<=%lld", (long long)d->max);
	}
	text_printf(o, "]");
}

const char *type_text(struct ctx *c, const struct type *t)
{
	struct text o = { .c = c };
	add_type(&o, t);
	return o.s;
}
