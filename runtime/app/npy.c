/*
 * npy.c - NumPy's .npy files, read and written.
 *
 * In:  version 1, 2 or 3; one plain dtype of either byte order; C or Fortran order.
 * Out: where the elements lie and what they are; app_npy_copy() puts them into row-major order.
 *      bfloat16, which NumPy has not, is taken from and written as two raw bytes ('<V2').
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	enum amp_dtype dtype;
	const char *code, *name;
	size_t bytes;
} types[] = {
	{ AMP_FLOAT, "f4", "float32", 4 }, { AMP_DOUBLE, "f8", "float64", 8 },
	{ AMP_FLOAT16, "f2", "float16", 2 }, { AMP_BFLOAT16, "V2", "bfloat16", 2 },
	{ AMP_UINT8, "u1", "uint8", 1 }, { AMP_INT8, "i1", "int8", 1 },
	{ AMP_UINT16, "u2", "uint16", 2 }, { AMP_INT16, "i2", "int16", 2 },
	{ AMP_UINT32, "u4", "uint32", 4 }, { AMP_INT32, "i4", "int32", 4 },
	{ AMP_UINT64, "u8", "uint64", 8 }, { AMP_INT64, "i8", "int64", 8 },
	{ AMP_BOOL, "b1", "bool", 1 }
};

size_t app_dtype_bytes(enum amp_dtype t)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].dtype == t)
			return types[i].bytes;
	return 0;
}

const char *app_dtype_name(enum amp_dtype t)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].dtype == t)
			return types[i].name;
	return "unknown";
}

static int host_is_big(void)
{
	const uint16_t one = 1;
	unsigned char first;
	memcpy(&first, &one, 1);
	return !first;
}

/* The text after 'key': in the header's dictionary, spaces skipped, or NULL. */
static const char *find_key(const char *h, size_t n, const char *key)
{
	const size_t k = strlen(key);
	for (size_t i = 0; i + k + 2 < n; i++) {
		if ((h[i] != '\'' && h[i] != '"') || memcmp(h + i + 1, key, k) || h[i + 1 + k] != h[i])
			continue;
		for (i += k + 2; i < n && (h[i] == ' ' || h[i] == ':'); i++)
			;
		return i < n ? h + i : NULL;
	}
	return NULL;
}

static int read_shape(struct app_npy *a, const char *s, const char *end, char *err)
{
	a->count = 1;
	if (*s++ != '(')
		return app_fail(err, "npy: damaged shape");
	for (;;) {
		while (s < end && (*s == ' ' || *s == ','))
			s++;
		if (s < end && *s == ')')
			return 0;
		int64_t v = 0;
		const char *const start = s;
		for (; s < end && *s >= '0' && *s <= '9'; s++) {
			if (v > (int64_t)1 << 48)
				return app_fail(err, "npy: a dimension is too large");
			v = v * 10 + (*s - '0');
		}
		if (s < end && *s == 'L')
			s++;			/* Python 2 wrote long integers so */
		if (s == start)
			return app_fail(err, "npy: damaged shape");
		if (a->rank == AMP_MAX_RANK)
			return app_fail(err, "npy: more than %d dimensions", AMP_MAX_RANK);
		if (v && a->count > ((int64_t)1 << 48) / v)
			return app_fail(err, "npy: too many elements");
		a->count *= v;
		a->dim[a->rank++] = v;
	}
}

int app_npy_parse(const unsigned char *data, size_t size, struct app_npy *a, char *err)
{
	memset(a, 0, sizeof *a);
	if (size < 12 || !app_is_npy(data, size))
		return app_fail(err, "npy: the file is cut short");
	const int version = data[6];
	if (version < 1 || version > 3)
		return app_fail(err, "npy: version %d is not known", version);
	const size_t start = version == 1 ? 10 : 12;
	size_t n = (size_t)data[8] | (size_t)data[9] << 8;
	if (version > 1)
		n |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
	if (n > size - start)
		return app_fail(err, "npy: the file is cut short");
	const char *h = (const char *)data + start, *end = h + n;
	const char *descr = find_key(h, n, "descr"), *order = find_key(h, n, "fortran_order");
	const char *shape = find_key(h, n, "shape");
	if (!descr || !order || !shape || end - order < 4)
		return app_fail(err, "npy: damaged header");
	if (*descr == '[')
		return app_fail(err, "npy: structured arrays are not supported");
	if (end - descr < 6 || (*descr != '\'' && *descr != '"'))
		return app_fail(err, "npy: damaged header");
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!memcmp(descr + 2, types[i].code, 2) && descr[4] == descr[0])
			a->dtype = types[i].dtype;
	const size_t bytes = app_dtype_bytes(a->dtype);
	if (!bytes || !strchr("<>|=", descr[1]))
		return app_fail(err, "npy: dtype %.*s is not supported",
				(int)(end - descr < 12 ? end - descr : 12), descr);
	a->swapped = bytes > 1 && ((descr[1] == '>' && !host_is_big()) ||
				   (descr[1] == '<' && host_is_big()));
	a->fortran = !memcmp(order, "True", 4);
	if (read_shape(a, shape, end, err))
		return -1;
	if ((uint64_t)a->count > (size - start - n) / bytes)
		return app_fail(err, "npy: %lld elements of %s are announced, and the file is cut short",
				(long long)a->count, app_dtype_name(a->dtype));
	a->data = data + start + n;
	return 0;
}

void app_npy_copy(const struct app_npy *a, void *to)
{
	const size_t bytes = app_dtype_bytes(a->dtype);
	unsigned char *d = to;
	int64_t at[AMP_MAX_RANK] = { 0 };
	if (!a->fortran && !a->swapped) {
		memcpy(d, a->data, (size_t)a->count * bytes);
		return;
	}
	for (int64_t i = 0; i < a->count; i++, d += bytes) {
		int64_t from = i;
		if (a->fortran) {		/* first axis fastest */
			from = 0;
			for (int k = a->rank - 1; k >= 0; k--)
				from = from * a->dim[k] + at[k];
			for (int k = a->rank - 1; k >= 0 && ++at[k] == a->dim[k]; k--)
				at[k] = 0;
		}
		for (size_t b = 0; b < bytes; b++)
			d[b] = a->data[(size_t)from * bytes + (a->swapped ? bytes - 1 - b : b)];
	}
}

void app_npy_little(void *data, int64_t count, size_t element)
{
	unsigned char *p = data;
	for (int64_t i = 0; host_is_big() && i < count; i++, p += element)
		for (size_t b = 0; b < element / 2; b++) {
			const unsigned char x = p[b];
			p[b] = p[element - 1 - b];
			p[element - 1 - b] = x;
		}
}

size_t app_npy_header(char head[512], const struct amp_io *io)
{
	const char *code = "";
	int n;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].dtype == io->dtype)
			code = types[i].code;
	const char order = app_dtype_bytes(io->dtype) == 1 ? '|' : '<';
	n = snprintf(head + 10, 400, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", order, code);
	for (int k = 0; k < io->rank; k++)
		n += snprintf(head + 10 + n, (size_t)(400 - n), "%s%lld%s", k ? " " : "",
			      (long long)io->dim[k], k + 1 < io->rank || io->rank == 1 ? "," : "");
	n += snprintf(head + 10 + n, (size_t)(400 - n), "), }");
	while ((10 + n + 1) % 64)
		head[10 + n++] = ' ';
	head[10 + n++] = '\n';
	memcpy(head, "\x93NUMPY\x01\x00", 8);
	head[8] = (char)(n & 255);
	head[9] = (char)(n >> 8);
	return (size_t)(10 + n);
}
