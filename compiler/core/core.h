/*
 * core.h - what every part of the compiler stands on: one arena a compilation, strings, a map,
 * diagnostics, checked arithmetic, files, SHA-256.  Knows nothing of graphs.
 *
 * Memory: everything is allocated in the context's arena and freed at once with the context.
 * Errors: a stage reports every problem it sees with diag() and goes on where it can; fatal() ends
 * the compilation at once (it jumps back to the entry point, ctx_run()).
 */
#ifndef AMP_CORE_H
#define AMP_CORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes of the command line, and the results of the library's calls. */
enum result {
	R_SUCCESS = 0,		/* not R_OK: <unistd.h> has a macro of that name */
	R_INPUT = 1,		/* the model or the input is at fault */
	R_USAGE = 2,		/* wrong usage */
	R_TOLERANCE = 3,	/* a comparison was out of tolerance */
	R_INTERNAL = 4		/* a fault of ours */
};

enum severity { SEV_NOTE, SEV_WARNING, SEV_ERROR };

struct diag {
	enum severity severity;
	const char *file, *where, *stage, *text;
};

struct arena_block;

struct ctx {
	struct arena_block *blocks;
	size_t allocated;		/* bytes so far; bounded by `limit` */
	size_t limit;
	const char *file;		/* the model's file, for messages */
	struct diag *diags;		/* vec */
	int n_errors;
	bool running;			/* fatal() may jump */
	jmp_buf on_fatal;
	enum result result;
	int verbose;
};

/* A new context (malloc'd; NULL when there is no memory), and its end with all that it holds. */
struct ctx *ctx_new(void);
void ctx_free(struct ctx *c);

/* Calls fn(c, arg) so that fatal() inside comes back here; the result is fn's or fatal's. */
enum result ctx_run(struct ctx *c, enum result (*fn)(struct ctx *, void *), void *arg);

/* Ends the compilation: reports and jumps to ctx_run().  R_INTERNAL is for faults of ours. */
_Noreturn void fatal(struct ctx *c, enum result r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- memory ------------------------------------------------------------------------------ */

void *mem_alloc(struct ctx *c, size_t bytes);			/* zeroed, 64-byte aligned if >= 64 */
void *mem_array(struct ctx *c, int64_t n, size_t size);	/* n * size, checked; fatal() on excess */
void mem_give_back(struct ctx *c, const void *p);		/* frees p early if it is large */
void *mem_copy(struct ctx *c, const void *p, size_t bytes);
#define NEW(c, type)		((type *)mem_alloc((c), sizeof(type)))
#define NEW_ARRAY(c, n, type)	((type *)mem_array((c), (n), sizeof(type)))

/* Vectors: a NULL pointer is an empty one; `type *v`.  vec_push gives a pointer to the new slot. */
#define vec_len(v)		((v) ? ((const int *)(const void *)((const char *)(v) - 16))[0] : 0)
#define vec_push(c, v)		((v) = vec_grow((c), (v), sizeof *(v)), \
				 &(v)[vec_len(v) - 1])
#define vec_add(c, v, x)	(*vec_push((c), (v)) = (x))
#define vec_pop(v)		(((int *)(void *)((char *)(v) - 16))[0]--)
void *vec_grow(struct ctx *c, void *v, size_t size);

/* ---- checked arithmetic: false when the result does not fit -------------------------------- */

bool mul_i64(int64_t a, int64_t b, int64_t *r);
bool add_i64(int64_t a, int64_t b, int64_t *r);

/* ---- strings ------------------------------------------------------------------------------- */

char *str_dup(struct ctx *c, const char *s);
char *str_dup_n(struct ctx *c, const char *s, size_t n);
char *str_printf(struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *str_vprintf(struct ctx *c, const char *fmt, va_list ap);
bool str_eq(const char *a, const char *b);			/* NULL equals NULL only */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* A growing text; s is always terminated. */
struct text { struct ctx *c; char *s; size_t n, room; };
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_add(struct text *t, const char *s, size_t n);
void text_json(struct text *t, const char *s);			/* quoted and escaped */
void text_c_string(struct text *t, const char *s);		/* quoted as a C literal */

/* ---- map: string -> pointer, insertion order kept for iteration ------------------------------ */

struct map { struct map_entry *entries; int *slots; int n_slots; };	/* zero is empty */
struct map_entry { const char *key; void *value; };			/* entries: vec */
void *map_get(const struct map *m, const char *key);
void map_put(struct ctx *c, struct map *m, const char *key, void *value);	/* key is kept */

/* ---- diagnostics ----------------------------------------------------------------------------- */

/* `where` names the place in the file ("node \"x\" (Conv-11)") or is NULL; stage: "import", ... */
void diag(struct ctx *c, enum severity s, const char *stage, const char *where,
	  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void diag_v(struct ctx *c, enum severity s, const char *stage, const char *where,
	    const char *fmt, va_list ap);
/* All diagnostics as lines "FILE: WHERE: TEXT [stage]"; notes only when verbose. */
void diag_print(const struct ctx *c, FILE *f);

/* ---- files ------------------------------------------------------------------------------------ */

/* The whole file; NULL and a diagnostic when it cannot be read or exceeds max_bytes. */
unsigned char *file_read(struct ctx *c, const char *path, size_t max_bytes, size_t *n);
/* Writes the file whole (to a temporary name, then renamed); false and a diagnostic otherwise. */
bool file_write(struct ctx *c, const char *path, const void *data, size_t n);

/* ---- SHA-256 (FIPS 180-4) ---------------------------------------------------------------------- */

/* In hexadecimal. */
const char *sha256_hex(struct ctx *c, const void *data, size_t n);

#endif
