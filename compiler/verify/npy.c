/*
 * npy.c - the format as "numpy.lib.format" in NumPy's documentation describes it: magic, version, length of the
 * header, the header as a Python dictionary, data.
 */
#include "verify/npy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)1 << 33)

static const struct descr { const char *text; enum dtype t; } descrs[] = {
	{ "<f4", DT_FLOAT }, { "<f8", DT_DOUBLE }, { "<f2", DT_FLOAT16 }, { "|u1", DT_UINT8 },
	{ "|i1", DT_INT8 }, { "<u2", DT_UINT16 }, { "<i2", DT_INT16 }, { "<u4", DT_UINT32 },
	{ "<i4", DT_INT32 }, { "<u8", DT_UINT64 }, { "<i8", DT_INT64 }, { "|b1", DT_BOOL },
	{ "<u2", DT_BFLOAT16 },
};
#define N_DESCRS (int)(sizeof descrs / sizeof descrs[0])

/* The text after 'key': in the header, or NULL. */
static const char *after(const char *header, const char *key)
{
	const char *p = strstr(header, key);
	if (!p)
		return NULL;
	p += strlen(key);
	while (*p == '\'' || *p == '"' || *p == ':' || *p == ' ')
		p++;
	return p;
}

static struct tensor *bad(struct ctx *c, const char *path, const char *what)
{
	diag(c, SEV_ERROR, "npy", NULL, "%s: %s", path, what);
	return NULL;
}

/* Fortran order to C order. */
static void transpose(struct tensor *t, const unsigned char *data, size_t size)
{
	for (int64_t i = 0; i < t->n; i++) {
		int64_t rest = i, at = 0, stride = 1, index[IR_MAX_RANK];
		for (int d = t->rank - 1; d >= 0; d--) {
			index[d] = rest % t->dim[d];
			rest /= t->dim[d];
		}
		for (int d = 0; d < t->rank; d++) {
			at += index[d] * stride;
			stride *= t->dim[d];
		}
		memcpy((unsigned char *)t->data + (size_t)i * size, data + (size_t)at * size, size);
	}
}

struct tensor *npy_read(struct ctx *c, const char *path)
{
	size_t n;
	const unsigned char *p = file_read(c, path, MAX_FILE, &n);
	if (!p)
		return NULL;
	if (n < 12 || memcmp(p, "\x93NUMPY", 6) != 0)
		return bad(c, path, "this is no .npy file");
	const bool v1 = p[6] == 1;
	if (p[6] < 1 || p[6] > 3)
		return bad(c, path, "a .npy version that is not 1, 2 or 3");
	const size_t start = v1 ? 10 : 12;
	const size_t len = v1 ? (size_t)p[8] | (size_t)p[9] << 8 : (size_t)p[8] | (size_t)p[9] << 8 |
			   (size_t)p[10] << 16 | (size_t)p[11] << 24;
	if (len > n - start || len > 1 << 20)
		return bad(c, path, "the header is cut off");
	const char *h = str_dup_n(c, (const char *)p + start, len);
	const char *descr = after(h, "descr"), *order = after(h, "fortran_order"), *shape = after(h, "shape");
	enum dtype t = DT_NONE;
	if (!descr || !order || !shape || *shape != '(')
		return bad(c, path, "the header lacks descr, fortran_order or shape");
	for (int i = N_DESCRS - 1; i >= 0; i--)
		if (strncmp(descr, descrs[i].text, 3) == 0 && descrs[i].t != DT_BFLOAT16)
			t = descrs[i].t;
	if (t == DT_NONE)
		return bad(c, path, str_printf(c, "dtype '%.3s' is not supported", descr));
	int64_t dims[IR_MAX_RANK];
	int rank = 0;
	for (shape++; *shape && *shape != ')';) {
		char *end;
		const long long d = strtoll(shape, &end, 10);
		if (end == shape || d < 0 || rank >= IR_MAX_RANK)
			return bad(c, path, "the shape in the header is malformed");
		dims[rank++] = d;
		for (shape = end; *shape == ',' || *shape == ' '; shape++)
			;
	}
	const size_t size = (size_t)dtype_size(t);
	const struct type ty = type_tensor(t, rank, dims);
	const int64_t bytes = type_bytes(&ty);
	if (bytes < 0 || (uint64_t)bytes != n - start - len)
		return bad(c, path, "the data does not have the size that the header says");
	struct tensor *x = tensor_new(c, t, rank, dims);
	if (str_starts(order, "True") && rank > 1)
		transpose(x, p + start + len, size);
	else if (bytes)
		memcpy(x->data, p + start + len, (size_t)bytes);
	return x;
}

bool npy_write(struct ctx *c, const char *path, const struct tensor *t)
{
	struct text h = { .c = c }, f = { .c = c };
	const char *descr = NULL;
	for (int i = 0; i < N_DESCRS; i++)
		if (descrs[i].t == t->dtype)
			descr = descrs[i].text;
	if (!descr) {
		bad(c, path, str_printf(c, "%s has no .npy form", dtype_name(t->dtype)));
		return false;
	}
	text_printf(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
	for (int d = 0; d < t->rank; d++)
		text_printf(&h, "%" PRId64 "%s", t->dim[d], t->rank == 1 ? "," : d + 1 < t->rank ? ", " : "");
	text_printf(&h, "), }");
	while ((10 + h.n + 1) % 64)
		text_add(&h, " ", 1);
	text_add(&h, "\n", 1);
	const char head[10] = { '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)(h.n & 255), (char)(h.n >> 8) };
	text_add(&f, head, sizeof head);
	text_add(&f, h.s, h.n);
	text_add(&f, t->data, (size_t)tensor_bytes(t));
	return file_write(c, path, f.s, f.n);
}
