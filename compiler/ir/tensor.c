/*
 * tensor.c - constant data: creation, access to an element as a number, conversion between dtypes.
 *
 * Conversions are ONNX Cast's: to a float type rounded once to nearest even (the 8-bit and smaller
 * floats saturate), float to integer truncates, saturates and makes 0 of NaN, integer to integer
 * keeps the low bits, anything to bool is x != 0.
 *
 * float16 and bfloat16 are computed by bit operations.  The float types of 8 and 4 bits have at
 * most 256 values: they are decoded by formula, and encoded by a search among the decoded
 * magnitudes, which grow with their codes.
 */
#include "ir/ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tensor *tensor_new(struct ctx *c, enum dtype t, int rank, const int64_t *dims)
{
	if (rank < 0 || rank > IR_MAX_RANK)
		fatal(c, R_INPUT, "a tensor of rank %d (at most %d)", rank, IR_MAX_RANK);
	struct type ty = type_tensor(t, rank, dims);
	int64_t bytes = type_bytes(&ty);
	if (bytes < 0)
		fatal(c, R_INPUT, "a tensor %s is too large", type_text(c, &ty));
	struct tensor *x = NEW(c, struct tensor);
	x->dtype = t;
	x->rank = rank;
	for (int i = 0; i < rank; i++)
		x->dim[i] = dims[i];
	x->n = type_elements(&ty);
	/* 64 bytes at least: empty tensors have an address, all data is aligned for kernels */
	x->data = mem_array(c, bytes < 64 ? 64 : bytes, 1);
	if (t == DT_STRING)
		for (int64_t i = 0; i < x->n; i++)
			((const char **)x->data)[i] = "";
	return x;
}

struct tensor *tensor_scalar_i64(struct ctx *c, int64_t v)
{
	struct tensor *t = tensor_new(c, DT_INT64, 0, NULL);
	*(int64_t *)t->data = v;
	return t;
}

struct tensor *tensor_ints(struct ctx *c, const int64_t *v, int n)
{
	int64_t dim = n;
	struct tensor *t = tensor_new(c, DT_INT64, 1, &dim);
	if (n)
		memcpy(t->data, v, (size_t)n * sizeof *v);
	return t;
}

int64_t tensor_bytes(const struct tensor *t)
{
	return t->n * (t->dtype == DT_STRING ? (int64_t)sizeof(char *) : dtype_size(t->dtype));
}

bool tensor_equal(const struct tensor *a, const struct tensor *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->dtype != b->dtype || a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return false;
	if (a->dtype != DT_STRING)
		return !memcmp(a->data, b->data, (size_t)tensor_bytes(a));
	for (int64_t i = 0; i < a->n; i++)
		if (!str_eq(((const char **)a->data)[i], ((const char **)b->data)[i]))
			return false;
	return true;
}

struct tensor *tensor_copy(struct ctx *c, const struct tensor *t)
{
	struct tensor *d = tensor_new(c, t->dtype, t->rank, t->dim);
	memcpy(d->data, t->data, (size_t)tensor_bytes(t));
	return d;
}

/* ---- float16, bfloat16 ----------------------------------------------------------------------- */

/*
 * A double to a format of `man` stored mantissa bits and exponents emin..emax (of 1.x), rounded
 * once to nearest even.  The 53-bit significand is shifted right by what the format lacks; the
 * carry of the rounding runs into the exponent field by itself.
 */
static uint32_t narrow(double x, int man, int emin, int emax)
{
	uint64_t bits;
	memcpy(&bits, &x, 8);
	const int width = man + (emax + 1 == 128 ? 8 : 5);
	const uint32_t sign = (uint32_t)(bits >> 63) << width;
	const uint32_t inf = (uint32_t)(emax - emin + 2) << man;
	const int e = (int)(bits >> 52 & 0x7ff) - 1023;
	const uint64_t frac = bits & (((uint64_t)1 << 52) - 1);
	if (e == 1024)
		return frac ? inf | (uint32_t)1 << (man - 1) : sign | inf;
	if (e > emax)
		return sign | inf;
	const uint64_t sig = frac | (uint64_t)1 << 52;
	int shift = 52 - man, field = e - emin + 1;
	if (e < emin) {
		shift += emin - e;
		field = 1;		/* less the hidden bit: 0 unless rounding restores it */
	}
	if (shift > 54 || e == -1023)
		return sign;
	uint64_t q = sig >> shift;
	const uint64_t rest = sig & (((uint64_t)1 << shift) - 1), half = (uint64_t)1 << (shift - 1);
	q += rest > half || (rest == half && (q & 1));
	/* q has the hidden bit at `man` (or lacks it: subnormal) */
	return sign | (uint32_t)(((uint64_t)(field - 1) << man) + q);
}

uint16_t f16_of_double(double x)
{
	return (uint16_t)narrow(x, 10, -14, 15);
}

uint16_t bf16_of_double(double x)
{
	return (uint16_t)narrow(x, 7, -126, 127);
}

double f16_to_double(uint16_t h)
{
	const int e = h >> 10 & 31, m = h & 1023;
	double v;
	if (e == 31)
		v = m ? (double)NAN : (double)INFINITY;
	else
		v = e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
	return h & 0x8000 ? -v : v;
}

double bf16_to_double(uint16_t h)
{
	uint32_t bits = (uint32_t)h << 16;
	float f;
	memcpy(&f, &bits, 4);
	return (double)f;
}

/* ---- floats of 8 and 4 bits ------------------------------------------------------------------ */

struct tiny {
	int man, bias;
	int sign;			/* the sign's bit, 0: none */
	int max_code;			/* of the largest finite magnitude */
	int inf_code, nan_code;		/* -1: none */
};

static const struct tiny *tiny_of(enum dtype t)
{
	static const struct tiny e4m3fn = { 3, 7, 0x80, 0x7e, -1, 0x7f };
	static const struct tiny e4m3fnuz = { 3, 8, 0x80, 0x7f, -1, 0x80 };
	static const struct tiny e5m2 = { 2, 15, 0x80, 0x7b, 0x7c, 0x7e };
	static const struct tiny e5m2fnuz = { 2, 16, 0x80, 0x7f, -1, 0x80 };
	static const struct tiny e2m1 = { 1, 1, 0x08, 0x07, -1, -1 };
	static const struct tiny e8m0 = { 0, 127, 0, 0xfe, -1, 0xff };
	switch (t) {
	case DT_FLOAT8E4M3FN: return &e4m3fn;
	case DT_FLOAT8E4M3FNUZ: return &e4m3fnuz;
	case DT_FLOAT8E5M2: return &e5m2;
	case DT_FLOAT8E5M2FNUZ: return &e5m2fnuz;
	case DT_FLOAT4E2M1: return &e2m1;
	case DT_FLOAT8E8M0: return &e8m0;
	default: return NULL;
	}
}

/* The magnitude of a code without sign.  E8M0 has no subnormals: code 0 is 2^-127. */
static double tiny_magnitude(const struct tiny *f, int code)
{
	const int e = code >> f->man, m = code & ((1 << f->man) - 1);
	if (f->man == 0)
		return ldexp(1, e - f->bias);
	return e ? ldexp((1 << f->man) + m, e - f->bias - f->man)
		 : ldexp(m, 1 - f->bias - f->man);
}

static double tiny_decode(const struct tiny *f, int code)
{
	const int mag = f->sign ? code & (f->sign - 1) : code;
	if (code == f->nan_code || (f->inf_code >= 0 && mag > f->inf_code) ||
	    (f->nan_code >= 0 && f->nan_code < 0x80 && f->sign && mag > f->max_code &&
	     mag != f->inf_code))
		return (double)NAN;
	const double v = mag == f->inf_code ? (double)INFINITY : tiny_magnitude(f, mag);
	return f->sign && (code & f->sign) ? -v : v;
}

static int tiny_encode(const struct tiny *f, double x)
{
	if (isnan(x))
		return f->nan_code >= 0 ? f->nan_code : 0;
	const bool negative = signbit(x) != 0;
	const double a = fabs(x);
	if (!f->sign && negative)
		return f->nan_code;	/* E8M0: negative numbers do not exist */
	int lo = 0, hi = f->max_code;
	while (lo < hi) {		/* the last code with magnitude <= a */
		const int mid = (lo + hi + 1) / 2;
		if (tiny_magnitude(f, mid) <= a)
			lo = mid;
		else
			hi = mid - 1;
	}
	if (lo < f->max_code) {
		const double below = a - tiny_magnitude(f, lo);
		const double above = tiny_magnitude(f, lo + 1) - a;
		lo += above < below || (above == below && (lo & 1));
	}
	if (lo == 0 && f->nan_code == 0x80)
		return 0;		/* the FNUZ types have no negative zero */
	return lo | (negative ? f->sign : 0);
}

/* ---- elements -------------------------------------------------------------------------------- */

double tensor_get_f(const struct tensor *t, int64_t i)
{
	const void *p = t->data;
	switch (t->dtype) {
	case DT_FLOAT: return (double)((const float *)p)[i];
	case DT_DOUBLE: return ((const double *)p)[i];
	case DT_FLOAT16: return f16_to_double(((const uint16_t *)p)[i]);
	case DT_BFLOAT16: return bf16_to_double(((const uint16_t *)p)[i]);
	case DT_UINT64: return (double)((const uint64_t *)p)[i];
	case DT_STRING: return strtod(((const char *const *)p)[i], NULL);
	case DT_COMPLEX64: return (double)((const float *)p)[2 * i];
	case DT_COMPLEX128: return ((const double *)p)[2 * i];
	default:
		if (tiny_of(t->dtype))
			return tiny_decode(tiny_of(t->dtype), ((const uint8_t *)p)[i]);
		return (double)tensor_get_i(t, i);
	}
}

static int64_t double_to_i64(double x)
{
	if (isnan(x))
		return 0;
	if (x >= 0x1p63)
		return INT64_MAX;
	if (x < -0x1p63)
		return INT64_MIN;
	return (int64_t)x;
}

int64_t tensor_get_i(const struct tensor *t, int64_t i)
{
	const void *p = t->data;
	switch (t->dtype) {
	case DT_UINT8: case DT_UINT4: case DT_UINT2: return ((const uint8_t *)p)[i];
	case DT_INT8: case DT_INT4: case DT_INT2: return ((const int8_t *)p)[i];
	case DT_BOOL: return ((const uint8_t *)p)[i] != 0;
	case DT_UINT16: return ((const uint16_t *)p)[i];
	case DT_INT16: return ((const int16_t *)p)[i];
	case DT_INT32: return ((const int32_t *)p)[i];
	case DT_UINT32: return ((const uint32_t *)p)[i];
	case DT_INT64: return ((const int64_t *)p)[i];
	case DT_UINT64: return (int64_t)((const uint64_t *)p)[i];
	case DT_STRING: return strtoll(((const char *const *)p)[i], NULL, 10);
	default: return double_to_i64(tensor_get_f(t, i));
	}
}

/* Smallest and largest of an integer type that fits in int64. */
static bool int_range(enum dtype t, int64_t *lo, int64_t *hi)
{
	switch (t) {
	case DT_UINT8: *lo = 0; *hi = UINT8_MAX; return true;
	case DT_INT8: *lo = INT8_MIN; *hi = INT8_MAX; return true;
	case DT_UINT16: *lo = 0; *hi = UINT16_MAX; return true;
	case DT_INT16: *lo = INT16_MIN; *hi = INT16_MAX; return true;
	case DT_INT32: *lo = INT32_MIN; *hi = INT32_MAX; return true;
	case DT_UINT32: *lo = 0; *hi = UINT32_MAX; return true;
	case DT_INT64: *lo = INT64_MIN; *hi = INT64_MAX; return true;
	case DT_UINT4: *lo = 0; *hi = 15; return true;
	case DT_INT4: *lo = -8; *hi = 7; return true;
	case DT_UINT2: *lo = 0; *hi = 3; return true;
	case DT_INT2: *lo = -2; *hi = 1; return true;
	default: return false;
	}
}

void tensor_set_i(struct tensor *t, int64_t i, int64_t x)
{
	void *p = t->data;
	switch (t->dtype) {
	case DT_UINT8: case DT_INT8: ((uint8_t *)p)[i] = (uint8_t)x; return;
	case DT_BOOL: ((uint8_t *)p)[i] = x != 0; return;
	case DT_UINT16: case DT_INT16: ((uint16_t *)p)[i] = (uint16_t)x; return;
	case DT_UINT32: case DT_INT32: ((uint32_t *)p)[i] = (uint32_t)x; return;
	case DT_UINT64: case DT_INT64: ((uint64_t *)p)[i] = (uint64_t)x; return;
	case DT_UINT4: ((uint8_t *)p)[i] = (uint8_t)(x & 15); return;
	case DT_INT4: ((int8_t *)p)[i] = (int8_t)((int)((uint64_t)(x + 8) & 15) - 8); return;
	case DT_UINT2: ((uint8_t *)p)[i] = (uint8_t)(x & 3); return;
	case DT_INT2: ((int8_t *)p)[i] = (int8_t)((int)((uint64_t)(x + 2) & 3) - 2); return;
	case DT_FLOAT: ((float *)p)[i] = (float)x; return;	/* once, not through double */
	default: tensor_set_f(t, i, (double)x); return;
	}
}

void tensor_set_f(struct tensor *t, int64_t i, double x)
{
	void *p = t->data;
	int64_t lo, hi;
	if (int_range(t->dtype, &lo, &hi)) {
		int64_t v = double_to_i64(x);
		tensor_set_i(t, i, v < lo ? lo : v > hi ? hi : v);
		return;
	}
	switch (t->dtype) {
	case DT_FLOAT: ((float *)p)[i] = (float)x; return;
	case DT_DOUBLE: ((double *)p)[i] = x; return;
	case DT_FLOAT16: ((uint16_t *)p)[i] = f16_of_double(x); return;
	case DT_BFLOAT16: ((uint16_t *)p)[i] = bf16_of_double(x); return;
	case DT_BOOL: ((uint8_t *)p)[i] = x != 0; return;
	case DT_UINT64:
		((uint64_t *)p)[i] = isnan(x) || x <= 0 ? 0 : x >= 0x1p64 ? UINT64_MAX : (uint64_t)x;
		return;
	case DT_COMPLEX64: ((float *)p)[2 * i] = (float)x; ((float *)p)[2 * i + 1] = 0; return;
	case DT_COMPLEX128: ((double *)p)[2 * i] = x; ((double *)p)[2 * i + 1] = 0; return;
	default:
		if (tiny_of(t->dtype))
			((uint8_t *)p)[i] = (uint8_t)tiny_encode(tiny_of(t->dtype), x);
		return;
	}
}

struct tensor *tensor_convert(struct ctx *c, const struct tensor *t, enum dtype to)
{
	struct tensor *d = tensor_new(c, to, t->rank, t->dim);
	if (to == t->dtype) {
		memcpy(d->data, t->data, (size_t)tensor_bytes(t));
		return d;
	}
	const bool exact = dtype_is_int(t->dtype) || t->dtype == DT_BOOL;
	for (int64_t i = 0; i < t->n; i++) {
		if (to == DT_STRING)
			((const char **)d->data)[i] = exact
				? str_printf(c, "%lld", (long long)tensor_get_i(t, i))
				: str_printf(c, "%.9g", tensor_get_f(t, i));
		else if (t->dtype == DT_UINT64 && dtype_is_float(to))
			to == DT_FLOAT	/* above 2^63 a signed detour would be wrong */
				? (void)(((float *)d->data)[i] = (float)((const uint64_t *)t->data)[i])
				: tensor_set_f(d, i, tensor_get_f(t, i));
		else if (exact)
			tensor_set_i(d, i, tensor_get_i(t, i));
		else
			tensor_set_f(d, i, tensor_get_f(t, i));
	}
	return d;
}

/* ---- data for tests -------------------------------------------------------------------------- */

/* splitmix64: one step a value, the same on every machine. */
static uint64_t next(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void ir_fill(struct tensor *t, uint64_t seed)
{
	uint64_t s = seed * 0x2545f4914f6cdd1du + 1;
	for (int64_t i = 0; i < t->n; i++) {
		const uint64_t r = next(&s);
		if (t->dtype == DT_BOOL)
			tensor_set_i(t, i, (int64_t)(r >> 63));
		else if (dtype_is_int(t->dtype))
			tensor_set_i(t, i, (int64_t)(r >> 32) % (t->dtype == DT_INT2 ? 2 :
				t->dtype == DT_UINT2 ? 4 : t->dtype == DT_INT4 ? 8 : 10));
		else if (t->dtype != DT_STRING)	/* 23 bits: exact in float, never -1 nor 1 */
			tensor_set_f(t, i, ((double)(r >> 41) + 0.5) * 0x1p-22 - 1);
	}
}
