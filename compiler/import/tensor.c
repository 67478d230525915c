/*
 * tensor.c - TensorProto and SparseTensorProto into dense tensors.
 *
 * Goes in: a message whose data lies in raw_data (little-endian bytes), in one of five typed lists, or
 * in a file beside the model.  Comes out: struct tensor, row-major, sub-byte elements unpacked to a
 * byte each, booleans 0 or 1.  raw_data is used where it lies: protobuf-c put it into the arena,
 * aligned, so the weights of a model are not copied again.
 */
#include "import/internal.h"

#include <string.h>

#define MAX_SPARSE_BYTES ((int64_t)1 << 30)	/* dense size of a sparse tensor */

bool dtype_import(int data_type, enum dtype *t)
{
	*t = data_type > 0 && data_type < DT_COUNT ? (enum dtype)data_type : DT_NONE;
	return *t != DT_NONE;
}

/* Elements in a byte: 2 for 4-bit types, 4 for 2-bit ones, else 1. */
static int per_byte(enum dtype t)
{
	switch (t) {
	case DT_UINT4: case DT_INT4: case DT_FLOAT4E2M1:
		return 2;
	case DT_UINT2: case DT_INT2:
		return 4;
	default:
		return 1;
	}
}

/* Bytes of n elements as a file holds them. */
static int64_t stored_bytes(enum dtype t, int64_t n)
{
	const int k = per_byte(t);
	return k > 1 ? n / k + (n % k != 0) : n * dtype_size(t);
}

/* Element i of packed bytes, the low bits first; signed types are sign-extended. */
static unsigned char unpack(enum dtype t, unsigned char byte, int64_t i)
{
	if (per_byte(t) == 2) {
		const unsigned v = byte >> (i % 2 * 4) & 15;
		return (unsigned char)(t == DT_INT4 ? (v ^ 8) - 8 : v);
	}
	const unsigned v = byte >> (i % 4 * 2) & 3;
	return (unsigned char)(t == DT_INT2 ? (v ^ 2) - 2 : v);
}

static void swap_to_host(unsigned char *p, int64_t n, int size)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (int64_t i = 0; i < n; i++, p += size)
		for (int a = 0, b = size - 1; a < b; a++, b--) {
			const unsigned char x = p[a];
			p[a] = p[b];
			p[b] = x;
		}
#else
	(void)p;
	(void)n;
	(void)size;
#endif
}

/* Bytes as stored (in the arena, writable) become t->data. */
static void take_bytes(struct ctx *c, struct tensor *t, unsigned char *raw)
{
	if (per_byte(t->dtype) > 1) {
		unsigned char *d = mem_array(c, t->n, 1);
		for (int64_t i = 0; i < t->n; i++)
			d[i] = unpack(t->dtype, raw[i / per_byte(t->dtype)], i);
		t->data = d;
		return;
	}
	if (t->dtype == DT_BOOL)
		for (int64_t i = 0; i < t->n; i++)
			raw[i] = raw[i] != 0;
	const bool complex_ = t->dtype == DT_COMPLEX64 || t->dtype == DT_COMPLEX128;
	const int parts = complex_ ? 2 : 1;
	swap_to_host(raw, t->n * parts, dtype_size(t->dtype) / parts);
	if ((uintptr_t)raw % 16)	/* cannot happen with our allocator: stay right if it does */
		raw = mem_copy(c, raw, (size_t)(t->n * dtype_size(t->dtype)));
	t->data = raw;
}

static struct tensor *fail(struct ctx *c, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static struct tensor *fail(struct ctx *c, const char *where, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	diag_v(c, SEV_ERROR, STAGE, where, fmt, ap);
	va_end(ap);
	return NULL;
}

/* An integer of int32_data must fit the element type. */
static bool fits(enum dtype t, int32_t v)
{
	switch (t) {
	case DT_INT8: return v >= INT8_MIN && v <= INT8_MAX;
	case DT_UINT8: return v >= 0 && v <= UINT8_MAX;
	case DT_INT16: return v >= INT16_MIN && v <= INT16_MAX;
	case DT_UINT16: return v >= 0 && v <= UINT16_MAX;
	default: return true;
	}
}

static struct tensor *from_int32(struct ctx *c, struct tensor *t, const Onnx__TensorProto *p,
				 const char *where)
{
	const int32_t *v = p->int32_data;
	const int size = dtype_size(t->dtype);
	if (per_byte(t->dtype) > 1) {
		const int64_t n = stored_bytes(t->dtype, t->n);
		unsigned char *raw = mem_array(c, n, 1);
		for (int64_t i = 0; i < n; i++)
			raw[i] = (unsigned char)v[i];
		take_bytes(c, t, raw);
		return t;
	}
	t->data = mem_array(c, t->n, (size_t)size);
	for (int64_t i = 0; i < t->n; i++) {
		if (!fits(t->dtype, v[i]))
			return fail(c, where, "element %lld is %d, which %s cannot hold",
				    (long long)i, (int)v[i], dtype_name(t->dtype));
		if (t->dtype == DT_BOOL)
			((uint8_t *)t->data)[i] = v[i] != 0;
		else if (size == 1)
			((uint8_t *)t->data)[i] = (uint8_t)v[i];
		else if (size == 2)
			((uint16_t *)t->data)[i] = (uint16_t)v[i];
		else
			((int32_t *)t->data)[i] = v[i];
	}
	return t;
}

static struct tensor *from_strings(struct ctx *c, struct tensor *t, const Onnx__TensorProto *p,
				   const char *where)
{
	const char **s = NEW_ARRAY(c, t->n, const char *);
	for (int64_t i = 0; i < t->n; i++) {
		const ProtobufCBinaryData *b = &p->string_data[i];
		if (b->len && memchr(b->data, 0, b->len))
			return fail(c, where, "string %lld holds a zero byte", (long long)i);
		s[i] = str_dup_n(c, b->len ? (const char *)b->data : "", b->len);
	}
	t->data = s;
	return t;
}

static struct tensor *from_uint64(struct ctx *c, struct tensor *t, const Onnx__TensorProto *p,
				  const char *where)
{
	if (t->dtype == DT_UINT64) {
		t->data = p->uint64_data;
		return t;
	}
	uint32_t *d = NEW_ARRAY(c, t->n, uint32_t);
	for (int64_t i = 0; i < t->n; i++) {
		if (p->uint64_data[i] > UINT32_MAX)
			return fail(c, where, "element %lld is %llu, which uint32 cannot hold",
				    (long long)i, (unsigned long long)p->uint64_data[i]);
		d[i] = (uint32_t)p->uint64_data[i];
	}
	t->data = d;
	return t;
}

/* The typed list that holds a dtype's elements: its name, its length, and the length that is right. */
static const char *typed_list(const Onnx__TensorProto *p, enum dtype t, int64_t n, size_t *have,
			      int64_t *want)
{
	*want = n;
	switch (t) {
	case DT_COMPLEX64:
		*want = 2 * n;
		/* fall through */
	case DT_FLOAT:
		*have = p->n_float_data;
		return "float_data";
	case DT_COMPLEX128:
		*want = 2 * n;
		/* fall through */
	case DT_DOUBLE:
		*have = p->n_double_data;
		return "double_data";
	case DT_INT64:
		*have = p->n_int64_data;
		return "int64_data";
	case DT_UINT32:
	case DT_UINT64:
		*have = p->n_uint64_data;
		return "uint64_data";
	case DT_STRING:
		*have = p->n_string_data;
		return "string_data";
	default:
		*want = per_byte(t) > 1 ? stored_bytes(t, n) : n;
		*have = p->n_int32_data;
		return "int32_data";
	}
}

static struct tensor *from_typed(struct ctx *c, struct tensor *t, const Onnx__TensorProto *p,
				 const char *where)
{
	size_t have;
	int64_t want;
	const char *list = typed_list(p, t->dtype, t->n, &have, &want);
	if ((int64_t)have != want)
		return fail(c, where, "%s needs %lld entries of %s, but it holds %zu",
			    dtype_name(t->dtype), (long long)want, list, have);
	switch (t->dtype) {
	case DT_FLOAT: case DT_COMPLEX64:
		t->data = p->float_data;
		return t;
	case DT_DOUBLE: case DT_COMPLEX128:
		t->data = p->double_data;
		return t;
	case DT_INT64:
		t->data = p->int64_data;
		return t;
	case DT_UINT32: case DT_UINT64:
		return from_uint64(c, t, p, where);
	case DT_STRING:
		return from_strings(c, t, p, where);
	default:
		return from_int32(c, t, p, where);
	}
}

/* dims -> rank, dim[], n; false and a diagnostic when absurd. */
static bool read_dims(struct ctx *c, struct tensor *t, const int64_t *dims, size_t rank,
		      const char *where)
{
	if (rank > IR_MAX_RANK) {
		fail(c, where, "it has %zu dimensions; at most %d are supported", rank, IR_MAX_RANK);
		return false;
	}
	t->rank = (int)rank;
	t->n = 1;
	bool fits_all = true, empty = false;
	for (size_t i = 0; i < rank; i++) {
		if (dims[i] < 0) {
			fail(c, where, "dimension %zu is %lld", i, (long long)dims[i]);
			return false;
		}
		t->dim[i] = dims[i];
		empty |= dims[i] == 0;
		fits_all = fits_all && mul_i64(t->n, dims[i], &t->n);
	}
	if (empty)
		t->n = 0;
	else if (!fits_all || t->n > IR_MAX_BYTES / 16) {
		fail(c, where, "its dimensions are absurdly large");
		return false;
	}
	return true;
}

static bool read_header(struct ctx *c, struct tensor *t, const Onnx__TensorProto *p,
			const char *where)
{
	if (!dtype_import(p->data_type, &t->dtype)) {
		fail(c, where, p->data_type ? "element type %d is not supported"
					    : "it has no element type (%d)", p->data_type);
		return false;
	}
	if (p->segment) {
		fail(c, where, "a tensor in segments is not supported");
		return false;
	}
	return read_dims(c, t, p->dims, p->n_dims, where);
}

struct tensor *tensor_import(struct importer *im, const Onnx__TensorProto *p, const char *where)
{
	struct ctx *c = im->c;
	struct tensor *t = NEW(c, struct tensor);
	if (!read_header(c, t, p, where))
		return NULL;
	const int64_t want = t->dtype == DT_STRING ? 0 : stored_bytes(t->dtype, t->n);
	if (p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
		if (t->dtype == DT_STRING)
			return fail(c, where, "strings cannot lie in external data");
		void *raw = external_read(im, p, want, where);
		if (!raw)
			return NULL;
		take_bytes(c, t, raw);
	} else if (p->raw_data.len) {
		if (t->dtype == DT_STRING)
			return fail(c, where, "strings cannot lie in raw_data");
		if (p->raw_data.len != (size_t)want)
			return fail(c, where, "%lld elements of %s are %lld bytes, but raw_data holds "
				    "%zu", (long long)t->n, dtype_name(t->dtype), (long long)want,
				    p->raw_data.len);
		take_bytes(c, t, p->raw_data.data);
	} else if (!from_typed(c, t, p, where)) {
		return NULL;
	}
	if (!t->data)
		t->data = mem_alloc(c, 1);	/* no elements */
	return t;
}

/* ---- sparse ------------------------------------------------------------------------------------ */

/* Position of nonzero k in the dense tensor, -1 when outside. */
static int64_t position(const struct tensor *d, const struct tensor *indices, int64_t k)
{
	const int64_t *v = indices->data;
	if (indices->rank == 1)
		return v[k] >= 0 && v[k] < d->n ? v[k] : -1;
	int64_t at = 0;
	for (int a = 0; a < d->rank; a++) {
		const int64_t x = v[k * d->rank + a];
		if (x < 0 || x >= d->dim[a])
			return -1;
		at = at * d->dim[a] + x;
	}
	return at;
}

struct tensor *sparse_import(struct importer *im, const Onnx__SparseTensorProto *p,
			     const char *where)
{
	struct ctx *c = im->c;
	if (!p->values || !p->indices)
		return fail(c, where, "a sparse tensor needs values and indices");
	const struct tensor *v = tensor_import(im, p->values, where);
	const struct tensor *ix = tensor_import(im, p->indices, where);
	struct tensor *d = NEW(c, struct tensor);
	if (!v || !ix || !read_dims(c, d, p->dims, p->n_dims, where))
		return NULL;
	d->dtype = v->dtype;
	if (d->dtype == DT_STRING)
		return fail(c, where, "a sparse tensor of strings is not supported");
	if (d->n > MAX_SPARSE_BYTES / dtype_size(d->dtype))
		return fail(c, where, "made dense, the sparse tensor would exceed %lld bytes",
			    (long long)MAX_SPARSE_BYTES);
	const bool flat = ix->rank == 1 && ix->dim[0] == v->n;
	const bool coordinates = ix->rank == 2 && ix->dim[0] == v->n && ix->dim[1] == d->rank;
	if (v->rank != 1 || ix->dtype != DT_INT64 || !(flat || coordinates))
		return fail(c, where, "a sparse tensor of %lld values needs int64 indices of shape "
			    "[%lld] or [%lld,%d]", (long long)v->n, (long long)v->n, (long long)v->n,
			    d->rank);
	const int size = dtype_size(d->dtype);
	d->data = mem_array(c, d->n, (size_t)size);
	for (int64_t k = 0, last = -1; k < v->n; k++) {
		const int64_t at = position(d, ix, k);
		if (at < 0)
			return fail(c, where, "sparse index %lld is outside the tensor", (long long)k);
		if (at <= last)
			return fail(c, where, "sparse index %lld is not above the one before it",
				    (long long)k);
		last = at;
		memcpy((char *)d->data + at * size, (const char *)v->data + k * size, (size_t)size);
	}
	return d;
}
