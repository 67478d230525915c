/* json.h - a small strict JSON reader (RFC 8259) for configuration files. */
#ifndef AMP_JSON_H
#define AMP_JSON_H

#include "core/core.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_LIST, JSON_OBJECT };

struct json {
	enum json_kind kind;
	bool b;
	double number;
	const char *s;			/* UTF-8, terminated; embedded NUL is refused */
	struct json **items;		/* vec: of a list, or the values of an object */
	const char **keys;		/* vec: of an object */
};

/* NULL and a diagnostic naming file and line when the text is wrong. */
const struct json *json_parse(struct ctx *c, const char *text, size_t n, const char *file);
/* A member of an object; NULL when it is absent, null, or j is no object. */
const struct json *json_get(const struct json *j, const char *key);

#endif
