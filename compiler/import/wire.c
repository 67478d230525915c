/*
 * wire.c - bytes of a file into protobuf structs, safely.
 *
 * Goes in: bytes that anyone may have written.  Comes out: a message in the context's arena, or NULL
 * and a diagnostic.  protobuf-c recurses once a nesting level and merges repeated singular messages, so
 * a first walk along the descriptors refuses what no writer of ONNX produces: nesting beyond
 * MAX_DEPTH (the limit of protobuf's own readers), a singular message given twice, wrong wire
 * types, lengths beyond the end.  Then protobuf-c unpacks with an allocator that has a budget.
 */
#include "import/internal.h"

#include <string.h>

#define MAX_DEPTH 100
#define MAX_FIELDS 64			/* of one message in onnx.proto */

struct walk {
	struct ctx *c;
	const unsigned char *start;
	const char *error;
};

static bool damaged(struct walk *w, const unsigned char *at, const char *what)
{
	if (!w->error)
		w->error = str_printf(w->c, "damaged at byte %zu: %s", (size_t)(at - w->start), what);
	return false;
}

static bool varint(struct walk *w, const unsigned char **p, const unsigned char *end, uint64_t *v)
{
	const unsigned char *q = *p;
	uint64_t r = 0;
	for (int i = 0; i < 10; i++) {
		if (q == end)
			return damaged(w, *p, "it ends within a number");
		const unsigned char b = *q++;
		r |= (uint64_t)(b & 0x7f) << (7 * i);
		if (!(b & 0x80)) {
			*p = q;
			*v = r;
			return true;
		}
	}
	return damaged(w, *p, "a number of more than ten bytes");
}

/* Wire type that protobuf-c expects of a field; packed lists come as 2, whatever their element. */
static int wire_type(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return 2;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return 5;
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return 1;
	default:
		return 0;
	}
}

static bool walk(struct walk *w, const ProtobufCMessageDescriptor *d, const unsigned char *p,
		 const unsigned char *end, int depth)
{
	bool seen[MAX_FIELDS] = { false };
	if (depth > MAX_DEPTH) {
		w->error = str_printf(w->c, "nested more than %d messages deep", MAX_DEPTH);
		return false;
	}
	while (p < end) {
		const unsigned char *at = p;
		uint64_t key, len = 0;
		if (!varint(w, &p, end, &key))
			return false;
		if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
			return damaged(w, at, "a field number that does not exist");
		const ProtobufCFieldDescriptor *f =
			protobuf_c_message_descriptor_get_field(d, (unsigned)(key >> 3));
		const int type = (int)(key & 7);
		switch (type) {
		case 0:
			if (!varint(w, &p, end, &len))
				return false;
			break;
		case 1:
		case 5:
			len = type == 1 ? 8 : 4;
			if ((uint64_t)(end - p) < len)
				return damaged(w, at, "it ends within a number");
			p += len;
			break;
		case 2:
			if (!varint(w, &p, end, &len))
				return false;
			if ((uint64_t)(end - p) < len)
				return damaged(w, at, str_printf(w->c,
					"%s.%s has %llu bytes, but only %zu are left", d->short_name,
					f ? f->name : "?", (unsigned long long)len, (size_t)(end - p)));
			p += len;
			break;
		default:
			return damaged(w, at, "an unknown wire type");
		}
		if (!f)
			continue;
		const bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
		if (type != wire_type(f) && !(list && type == 2))
			return damaged(w, at, str_printf(w->c, "%s.%s has the wrong wire type",
							 d->short_name, f->name));
		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		const size_t k = (size_t)(f - d->fields);
		if (!list && k < MAX_FIELDS) {
			if (seen[k])
				return damaged(w, at, str_printf(w->c, "%s.%s is given twice",
								 d->short_name, f->name));
			seen[k] = true;
		}
		if (!walk(w, f->descriptor, p - len, p, depth + 1))
			return false;
	}
	return true;
}

const char *wire_check(struct ctx *c, const ProtobufCMessageDescriptor *d, const void *bytes,
		       size_t n)
{
	struct walk w = { .c = c, .start = bytes };
	return walk(&w, d, bytes, (const unsigned char *)bytes + n, 0) ? NULL : w.error;
}

/* ---- unpacking ---------------------------------------------------------------------------- */

struct budget { struct ctx *c; size_t used, limit; const char *what; };

static void *budget_alloc(void *data, size_t n)
{
	struct budget *b = data;
	if (n > b->limit - b->used)
		fatal(b->c, R_INPUT, "%s would take more than %zu bytes of memory to read, far more "
		      "than its size explains", b->what, b->limit);
	b->used += n;
	return mem_alloc(b->c, n);
}

static void budget_free(void *data, void *p)
{
	(void)data;
	(void)p;		/* the arena keeps it */
}

ProtobufCMessage *wire_unpack(struct ctx *c, const ProtobufCMessageDescriptor *d,
			      const void *bytes, size_t n, const char *what)
{
	if (n == 0) {
		diag(c, SEV_ERROR, STAGE, NULL, "%s is empty", what);
		return NULL;
	}
	const char *error = wire_check(c, d, bytes, n);
	if (error) {
		diag(c, SEV_ERROR, STAGE, NULL, "%s is %s", what, error);
		return NULL;
	}
	/* a model's structs take about ten times their bytes; 32 times leaves room for odd ones */
	struct budget b = { c, 0, ((size_t)256 << 20) + n * 32, what };
	ProtobufCAllocator a = { budget_alloc, budget_free, &b };
	ProtobufCMessage *m = protobuf_c_message_unpack(d, &a, n, bytes);
	if (!m)
		diag(c, SEV_ERROR, STAGE, NULL, "%s is damaged", what);
	return m;
}
