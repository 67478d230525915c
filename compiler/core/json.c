/* json.c - recursive descent, depth bounded, errors with their line. */
#include "core/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

struct reader {
	struct ctx *c;
	const char *p, *end, *begin, *file;
	int depth;
	bool failed;
};

static struct json *fail(struct reader *r, const char *what)
{
	if (!r->failed) {
		int line = 1;
		for (const char *q = r->begin; q < r->p && q < r->end; q++)
			line += *q == '\n';
		diag(r->c, SEV_ERROR, "json", NULL, "%s, line %d: %s", r->file, line, what);
	}
	r->failed = true;
	return NULL;
}

static void blank(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool take(struct reader *r, char ch)
{
	blank(r);
	if (r->p < r->end && *r->p == ch) {
		r->p++;
		return true;
	}
	return false;
}

static int hex4(struct reader *r)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		if (r->p >= r->end)
			return -1;
		const char ch = *r->p++;
		const int d = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 :
			      ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static void utf8(struct text *t, unsigned u)
{
	char b[4];
	if (u < 0x80) {
		b[0] = (char)u;
		text_add(t, b, 1);
	} else if (u < 0x800) {
		b[0] = (char)(0xc0 | u >> 6);
		b[1] = (char)(0x80 | (u & 63));
		text_add(t, b, 2);
	} else if (u < 0x10000) {
		b[0] = (char)(0xe0 | u >> 12);
		b[1] = (char)(0x80 | (u >> 6 & 63));
		b[2] = (char)(0x80 | (u & 63));
		text_add(t, b, 3);
	} else {
		b[0] = (char)(0xf0 | u >> 18);
		b[1] = (char)(0x80 | (u >> 12 & 63));
		b[2] = (char)(0x80 | (u >> 6 & 63));
		b[3] = (char)(0x80 | (u & 63));
		text_add(t, b, 4);
	}
}

static const char *string(struct reader *r)
{
	struct text t = { .c = r->c };
	text_add(&t, "", 0);
	for (;;) {
		if (r->p >= r->end || (unsigned char)*r->p < 0x20) {
			fail(r, "a string is not closed");
			return NULL;
		}
		const char ch = *r->p++;
		if (ch == '"')
			return t.s;
		if (ch != '\\') {
			text_add(&t, &ch, 1);
			continue;
		}
		static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
		const char e = r->p < r->end ? *r->p++ : 0;
		const char *k = e ? strchr(from, e) : NULL;
		if (k) {
			text_add(&t, &to[k - from], 1);
			continue;
		}
		int u = e == 'u' ? hex4(r) : -1;
		if (u >= 0xd800 && u < 0xdc00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
			r->p += 2;
			const int low = hex4(r);
			u = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00) : -1;
		} else if (u >= 0xd800 && u < 0xe000) {
			u = -1;
		}
		if (u <= 0) {
			fail(r, "a string has a bad escape");
			return NULL;
		}
		utf8(&t, (unsigned)u);
	}
}

static struct json *value(struct reader *r);

static struct json *many(struct reader *r, struct json *j, char close)
{
	if (take(r, close))
		return j;
	do {
		if (j->kind == JSON_OBJECT) {
			const char *key = take(r, '"') ? string(r) : NULL;
			if (!key || !take(r, ':'))
				return fail(r, "expected \"key\": value");
			vec_add(r->c, j->keys, key);
		}
		struct json *v = value(r);
		if (!v)
			return NULL;
		vec_add(r->c, j->items, v);
	} while (take(r, ','));
	return take(r, close) ? j : fail(r, close == '}' ? "expected , or }" : "expected , or ]");
}

static bool literal(struct reader *r, const char *w)
{
	const size_t n = strlen(w);
	if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0)
		return false;
	r->p += n;
	return true;
}

static struct json *value(struct reader *r)
{
	struct json *j = NEW(r->c, struct json);
	blank(r);
	if (r->p >= r->end)
		return fail(r, "the text ends in the middle");
	if (r->depth >= MAX_DEPTH)
		return fail(r, "nested too deeply");
	const char ch = *r->p;
	if (ch == '{' || ch == '[') {
		r->p++;
		r->depth++;
		j->kind = ch == '{' ? JSON_OBJECT : JSON_LIST;
		j = many(r, j, ch == '{' ? '}' : ']');
		r->depth--;
		return j;
	}
	if (ch == '"') {
		r->p++;
		j->kind = JSON_STRING;
		j->s = string(r);
		return j->s ? j : NULL;
	}
	if (literal(r, "null"))
		return j;
	if (literal(r, "true") || literal(r, "false")) {
		j->kind = JSON_BOOL;
		j->b = r->p[-2] == 'u';
		return j;
	}
	const char *b = r->p;
	while (r->p < r->end && (strchr("+-.eE", *r->p) || (*r->p >= '0' && *r->p <= '9')) && *r->p)
		r->p++;
	if (r->p == b || r->p - b > 60)
		return fail(r, "expected a value");
	char *num = str_dup_n(r->c, b, (size_t)(r->p - b)), *stop;
	j->kind = JSON_NUMBER;
	j->number = strtod(num, &stop);
	return *stop || !isfinite(j->number) ? fail(r, "a number is malformed or too large") : j;
}

const struct json *json_parse(struct ctx *c, const char *text, size_t n, const char *file)
{
	struct reader r = { .c = c, .p = text, .begin = text, .end = text + n, .file = file };
	struct json *j = value(&r);
	blank(&r);
	if (j && r.p != r.end)
		j = fail(&r, "more text after the value");
	return j;
}

const struct json *json_get(const struct json *j, const char *key)
{
	if (!j || j->kind != JSON_OBJECT)
		return NULL;
	for (int i = 0; i < vec_len(j->keys); i++)
		if (str_eq(j->keys[i], key))
			return j->items[i]->kind == JSON_NULL ? NULL : j->items[i];
	return NULL;
}
