/* sha256.c - the classifier's SHA-256, for the compiler: one implementation serves both. */
#include "core/core.h"

#include "app/sha256.c"

const char *sha256_hex(struct ctx *c, const void *data, size_t n)
{
	struct app_sha256 s;
	char *hex = mem_alloc(c, 65);
	app_sha256_init(&s);
	app_sha256_add(&s, data, n);
	app_sha256_hex(&s, hex);
	return hex;
}
