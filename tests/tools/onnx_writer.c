/* onnx_writer.c - see onnx_writer.h.  Varints, tags and lengths as protobuf's encoding defines them. */
#include "onnx_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- wire format ------------------------------------------------------------------------------ */

void pb_raw(struct pb *m, const void *bytes, size_t n)
{
	if (m->room - m->n < n) {
		m->room = (m->n + n) * 2 + 64;
		m->p = realloc(m->p, m->room);
		if (!m->p) {
			fputs("out of memory\n", stderr);
			exit(1);
		}
	}
	if (n)
		memcpy(m->p + m->n, bytes, n);
	m->n += n;
}

void pb_varint(struct pb *m, uint64_t v)
{
	unsigned char b[10];
	size_t n = 0;
	do {
		b[n++] = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v);
	pb_raw(m, b, n);
}

static void tag(struct pb *m, int field, int wire)
{
	pb_varint(m, (uint64_t)field << 3 | (uint64_t)wire);
}

void pb_int(struct pb *m, int field, int64_t v)
{
	tag(m, field, 0);
	pb_varint(m, (uint64_t)v);
}

void pb_float(struct pb *m, int field, float v)
{
	uint32_t u;
	memcpy(&u, &v, 4);
	const unsigned char b[4] = { u & 255, u >> 8 & 255, u >> 16 & 255, u >> 24 };
	tag(m, field, 5);
	pb_raw(m, b, 4);
}

void pb_bytes(struct pb *m, int field, const void *p, size_t n)
{
	tag(m, field, 2);
	pb_varint(m, n);
	pb_raw(m, p, n);
}

void pb_str(struct pb *m, int field, const char *s)
{
	pb_bytes(m, field, s, strlen(s));
}

void pb_free(struct pb *m)
{
	free(m->p);
	*m = (struct pb){ 0 };
}

void pb_sub(struct pb *m, int field, struct pb sub)
{
	pb_bytes(m, field, sub.p, sub.n);
	pb_free(&sub);
}

bool pb_write(const struct pb *m, const char *path)
{
	FILE *f = fopen(path, "wb");
	const bool ok = f && fwrite(m->p, 1, m->n, f) == m->n;
	return f && fclose(f) == 0 && ok;
}

/* ---- words -------------------------------------------------------------------------------------- */

/* The next word of a list between spaces into word[]; false at the end. */
static bool next_word(const char **s, char word[256])
{
	while (**s == ' ')
		++*s;
	size_t n = 0;
	while (**s && **s != ' ' && n < 255)
		word[n++] = *(*s)++;
	word[n] = 0;
	return n > 0;
}

/* ---- tensors and types ----------------------------------------------------------------------------- */

struct pb onnx_tensor(const char *name, int dtype, const char *dims)
{
	struct pb t = { 0 };
	char w[256];
	while (next_word(&dims, w))
		pb_int(&t, TENSOR_DIMS, strtoll(w, NULL, 10));
	pb_int(&t, TENSOR_TYPE, dtype);
	if (name)
		pb_str(&t, TENSOR_NAME, name);
	return t;
}

struct pb onnx_tensor_raw(const char *name, int dtype, const char *dims, const void *p, size_t n)
{
	struct pb t = onnx_tensor(name, dtype, dims);
	pb_bytes(&t, TENSOR_RAW, p, n);
	return t;
}

struct pb onnx_floats(const char *name, const char *dims, const float *v)
{
	size_t n = 1;
	char w[256];
	for (const char *s = dims; next_word(&s, w);)
		n *= strtoull(w, NULL, 10);
	return onnx_tensor_raw(name, 1, dims, v, n * 4);
}

struct pb onnx_ints(const char *name, const int64_t *v, int n)
{
	char dims[32];
	snprintf(dims, sizeof dims, "%d", n);
	return onnx_tensor_raw(name, 7, dims, v, (size_t)n * 8);
}

struct pb onnx_value(const char *name, int dtype, const char *dims)
{
	struct pb v = { 0 }, type = { 0 }, tensor = { 0 }, shape = { 0 };
	char w[256];
	pb_str(&v, 1, name);
	pb_int(&tensor, 1, dtype);
	for (const char *s = dims; s && next_word(&s, w);) {
		struct pb dim = { 0 };
		if (w[0] == '-' || (w[0] >= '0' && w[0] <= '9'))
			pb_int(&dim, 1, strtoll(w, NULL, 10));
		else if (w[0] != '?')
			pb_str(&dim, 2, w);
		pb_sub(&shape, 1, dim);
	}
	if (dims)
		pb_sub(&tensor, 2, shape);
	pb_sub(&type, 1, tensor);
	pb_sub(&v, 2, type);
	return v;
}

/* ---- nodes and attributes ----------------------------------------------------------------------------- */

struct pb onnx_node(const char *op, const char *inputs, const char *outputs, const char *name)
{
	struct pb n = { 0 };
	char w[256];
	while (next_word(&inputs, w))
		pb_str(&n, NODE_INPUT, strcmp(w, "_") == 0 ? "" : w);
	while (next_word(&outputs, w))
		pb_str(&n, NODE_OUTPUT, strcmp(w, "_") == 0 ? "" : w);
	if (name)
		pb_str(&n, NODE_NAME, name);
	pb_str(&n, NODE_OP, op);
	return n;
}

static struct pb attr(const char *name, int type)
{
	struct pb a = { 0 };
	pb_str(&a, 1, name);
	pb_int(&a, 20, type);
	return a;
}

struct pb onnx_attr_int(const char *name, int64_t v)
{
	struct pb a = attr(name, 2);
	pb_int(&a, 3, v);
	return a;
}

struct pb onnx_attr_float(const char *name, float v)
{
	struct pb a = attr(name, 1);
	pb_float(&a, 2, v);
	return a;
}

struct pb onnx_attr_str(const char *name, const char *v)
{
	struct pb a = attr(name, 3);
	pb_str(&a, 4, v);
	return a;
}

struct pb onnx_attr_ints(const char *name, const char *list)
{
	struct pb a = attr(name, 7);
	char w[256];
	while (next_word(&list, w))
		pb_int(&a, 8, strtoll(w, NULL, 10));
	return a;
}

struct pb onnx_attr_tensor(const char *name, struct pb tensor)
{
	struct pb a = attr(name, 4);
	pb_sub(&a, 5, tensor);
	return a;
}

struct pb onnx_attr_graph(const char *name, struct pb graph)
{
	struct pb a = attr(name, 5);
	pb_sub(&a, 6, graph);
	return a;
}

struct pb onnx_attr_ref(const char *name, int type, const char *refers_to)
{
	struct pb a = attr(name, type);
	pb_str(&a, 21, refers_to);
	return a;
}

void onnx_attrs(struct pb *node, const char *text)
{
	char name[64], value[256];
	int used;
	while (sscanf(text, " %63[^= ]=%n", name, &used) == 1) {
		const char *v = text + used;
		const char *end = *v == '[' ? strchr(v, ']') : *v == '\'' ? strchr(v + 1, '\'') : NULL;
		size_t n = end ? (size_t)(end - v) : strcspn(v, " ");
		snprintf(value, sizeof value, "%.*s", (int)(end ? n - 1 : n), end ? v + 1 : v);
		struct pb a = *v == '[' ? onnx_attr_ints(name, value)
			    : *v == '\'' ? onnx_attr_str(name, value)
			    : strpbrk(value, ".e") ? onnx_attr_float(name, strtof(value, NULL))
			    : onnx_attr_int(name, strtoll(value, NULL, 10));
		pb_sub(node, NODE_ATTRIBUTE, a);
		text = v + n + (end != NULL);
	}
}

struct pb onnx_opset(const char *domain, int64_t version)
{
	struct pb o = { 0 };
	pb_str(&o, 1, domain);
	pb_int(&o, 2, version);
	return o;
}

struct pb onnx_model(int ir_version, int opset, struct pb graph)
{
	struct pb m = { 0 };
	pb_int(&m, 1, ir_version);
	pb_str(&m, 2, "onnx_writer");
	pb_sub(&m, MODEL_OPSET, onnx_opset("", opset));
	pb_sub(&m, MODEL_GRAPH, graph);
	return m;
}

/* ---- seeded numbers --------------------------------------------------------------------------------- */

/* splitmix64: a counter, mixed. */
uint64_t seed_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

float seed_uniform(uint64_t *state)
{
	return (float)((int64_t)(seed_next(state) >> 40) - (1 << 23)) / (float)(1 << 23);
}

/* The sum of three uniforms in (-1, 1) has variance 1. */
float seed_normal(uint64_t *state)
{
	return seed_uniform(state) + seed_uniform(state) + seed_uniform(state);
}
