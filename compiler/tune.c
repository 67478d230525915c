/*
 * tune.c - see tune.h.
 *
 * For each kind of choice ("band", "chunk", "ahead") in turn: round r compiles the model with the r-th candidate of
 * every step at once, builds it, and times each step by the model's own watch (best of RUNS runs).  A step's
 * candidate wins when it is faster than the usual value by more than NOISE.  Equal steps (one key) are judged by
 * the sum of their times.  Every candidate must give the bytes of the first: a choice changes none.
 */
#include "tune.h"

#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOISE 0.03
#define MAX_LINE 1024
#define MAX_ROUNDS 16

/* Writes times.txt, a line a step: nanoseconds, the best of all runs; and out0.bin, ... of the last one. */
static const char driver[] =
	"#define _POSIX_C_SOURCE 200809L\n#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n#include \"model.h\"\n"
	"#define RUNS 25\n"
	"static const struct amp_model *m = &model_model;\n"
	"static long long *best, last;\n"
	"static long long now(void)\n{\n\tstruct timespec t;\n\tclock_gettime(CLOCK_MONOTONIC, &t);\n"
	"\treturn t.tv_sec * 1000000000LL + t.tv_nsec;\n}\n"
	"static void watch(void *arg, int step)\n{\n\tconst long long t = now();\n\t(void)arg;\n"
	"\tif (step > 0 && t - last < best[step - 1])\n\t\tbest[step - 1] = t - last;\n\tlast = now();\n}\n"
	"static void *block(int64_t n)\n{\n\tvoid *p = aligned_alloc(AMP_ALIGN, ((size_t)n / AMP_ALIGN + 1) * AMP_ALIGN);\n"
	"\tif (!p)\n\t\texit(9);\n\treturn p;\n}\n"
	"int main(void)\n{\n\tchar name[64];\n\tvoid *state = block(m->state_bytes), *prepared = block(m->prepared_bytes);\n"
	"\tvoid *arena = block(m->arena_bytes);\n\tstruct amp_pool *pool = NULL;\n"
	"\tconst void **in = calloc((size_t)m->n_in + 1, sizeof *in);\n\tvoid **out = calloc((size_t)m->n_out + 1, sizeof *out);\n"
	"\tif (!in || !out || !(best = malloc(sizeof *best * ((size_t)m->n_steps + 1))))\n\t\treturn 9;\n"
	"\tfor (int i = 0; i < m->n_steps; i++)\n\t\tbest[i] = 1LL << 60;\n"
	"\tfor (int i = 0; i < m->n_in; i++) {\n\t\tvoid *p = block(m->in[i].bytes);\n"
	"\t\tsnprintf(name, sizeof name, \"in%d.bin\", i);\n\t\tFILE *f = fopen(name, \"rb\");\n"
	"\t\tif (!f || fread(p, 1, (size_t)m->in[i].bytes, f) != (size_t)m->in[i].bytes)\n\t\t\treturn 8;\n"
	"\t\tfclose(f);\n\t\tin[i] = p;\n\t}\n"
	"\tfor (int i = 0; i < m->n_out; i++)\n\t\tout[i] = block(m->out[i].bytes);\n"
	"#ifdef THREADS\n\tif (amp_pool_new(THREADS, &pool))\n\t\treturn 9;\n#endif\n"
	"\tif (m->prepare(state, m->weights, prepared, pool, -1))\n\t\treturn 10;\n"
	"\tm->watch(state, watch, NULL);\n"
	"\tfor (int i = 0; i < RUNS; i++)\n\t\tif (m->run(state, arena, in, out))\n\t\t\treturn 11;\n"
	"\tFILE *f = fopen(\"times.txt\", \"w\");\n\tif (!f)\n\t\treturn 7;\n"
	"\tfor (int i = 0; i < m->n_steps; i++)\n\t\tfprintf(f, \"%lld\\n\", best[i]);\n\tif (fclose(f))\n\t\treturn 7;\n"
	"\tfor (int i = 0; i < m->n_out; i++) {\n\t\tsnprintf(name, sizeof name, \"out%d.bin\", i);\n"
	"\t\tf = fopen(name, \"wb\");\n"
	"\t\tif (!f || fwrite(out[i], 1, (size_t)m->out[i].bytes, f) != (size_t)m->out[i].bytes || fclose(f))\n"
	"\t\t\treturn 7;\n\t}\n\treturn 0;\n}\n";

static const char *word(struct ctx *c, const struct choice *q)
{
	return str_printf(c, "%s %s", q->what, q->key);
}

static void set(struct ctx *c, struct tuning *t, const char *word, int64_t v)
{
	int64_t *p = NEW(c, int64_t);
	*p = v;
	map_put(c, &t->values, word, p);
}

/* ---- the file ---------------------------------------------------------------------------------- */

bool tune_load(struct ctx *c, const struct options *o, struct tuning *t)
{
	size_t n;
	if (access(o->tune, F_OK) != 0)
		return true;
	const char *text = (const char *)file_read(c, o->tune, 64 << 20, &n);
	if (!text)
		return false;
	int number = 1;
	for (const char *at = text, *end; at < text + n; at = end + 1, number++) {
		end = memchr(at, '\n', (size_t)(text + n - at));
		end = end ? end : text + n;
		char *line = str_dup_n(c, at, (size_t)(end - at)), *space, *rest;
		if (!*line || *line == '#')
			continue;
		space = strchr(line, ' ');
		errno = 0;
		const long long v = space ? strtoll(space + 1, &rest, 10) : 0;
		if (!space || space == line || rest == space + 1 || *rest != ' ' || !rest[1] || errno ||
		    strlen(line) > MAX_LINE || v < 0) {
			diag(c, SEV_ERROR, "tune", NULL, "%s, line %d: expected WHAT NUMBER OPERATOR..., as --tune writes it; "
			     "remove the file to measure anew", o->tune, number);
			return false;
		}
		set(c, t, str_printf(c, "%.*s %s", (int)(space - line), line, rest + 1), v);
	}
	return true;
}

static int by_word(const void *a, const void *b)
{
	return strcmp(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}

static bool save(struct ctx *c, const struct options *o, const struct tuning *t)
{
	struct text out = { .c = c };
	const int n = vec_len(t->values.entries);
	struct map_entry *e = NEW_ARRAY(c, n + 1, struct map_entry);
	if (n)
		memcpy(e, t->values.entries, (size_t)n * sizeof *e);
	qsort(e, (size_t)n, sizeof *e, by_word);
	text_printf(&out, "# What was fastest on the machine that measured it; `ampoule compile --tune` reads it.\n"
		    "# These values change time and memory, and not one bit of a result.\n");
	for (int i = 0; i < n; i++) {
		const char *space = strchr(e[i].key, ' ');
		text_printf(&out, "%.*s %" PRId64 " %s\n", (int)(space - e[i].key), e[i].key, *(const int64_t *)e[i].value,
			    space + 1);
	}
	return file_write(c, o->tune, out.s, out.n);
}

/* ---- measuring ----------------------------------------------------------------------------------- */

struct measured {
	int64_t *ns;			/* by position in schedule->steps */
	const unsigned char *out;	/* all outputs' bytes */
	size_t n_out;
};

/* Compiles with what t says, builds, runs. */
static bool measure(struct ctx *c, const struct options *o, struct compiled *k, struct tuning *t, struct measured *m)
{
	t->asked = NULL;
	if (!stage_build(c, o, k))
		return false;
	const char *dir = host_build(c, o, k, driver, "tune");
	if (!dir)
		return false;
	const struct tensor **in = NEW_ARRAY(c, vec_len(k->g->inputs) + 1, const struct tensor *);
	for (int i = 0; i < vec_len(k->g->inputs); i++)
		in[i] = seeded_input(c, k->g, i, 0);
	char *argv[] = { "./driver", NULL };
	const int r = host_inputs(c, dir, k->g, in) ? host_call(dir, o->quiet, argv) : -1;
	size_t n;
	char *text = r == 0 ? (char *)file_read(c, str_printf(c, "%s/times.txt", dir), 1 << 20, &n) : NULL;
	if (!text) {
		diag(c, SEV_ERROR, "tune", NULL, "the built program failed with exit code %d; see %s", r, dir);
		return false;
	}
	*m = (struct measured){ .ns = NEW_ARRAY(c, vec_len(k->s->steps) + 1, int64_t) };
	char *at = text;
	for (int i = 0; i < vec_len(k->s->steps); i++)
		m->ns[i] = strtoll(at, &at, 10);
	struct text all = { .c = c };
	for (int i = 0; i < vec_len(k->g->outputs); i++) {
		const unsigned char *p = file_read(c, str_printf(c, "%s/out%d.bin", dir, i), SIZE_MAX / 4, &n);
		if (!p)
			return false;
		text_add(&all, (const char *)p, n);
	}
	m->out = (const unsigned char *)all.s;
	m->n_out = all.n;
	remove_tree(dir);
	return true;
}

/* The time of all steps whose choice has this word. */
static int64_t time_of(struct ctx *c, const struct compiled *k, const struct tuning *t, const struct measured *m,
		       const char *w)
{
	int64_t sum = 0;
	for (int i = 0; i < vec_len(t->asked); i++) {
		if (!str_eq(word(c, &t->asked[i]), w))
			continue;
		/* the nodes are those of this compilation's graph */
		for (int p = 0; p < vec_len(k->s->steps); p++)
			if (k->s->steps[p]->node == t->asked[i].node)
				sum += m->ns[p];
	}
	return sum;
}

struct best { const char *word; int64_t *candidates; int64_t usual, value, ns, usual_ns; };

static bool one_kind(struct ctx *c, const struct options *o, struct compiled *k, struct tuning *t, const char *what,
		     struct measured *first)
{
	struct best *v = NULL;
	struct map known = { 0 };
	int rounds = 0;
	for (int i = 0; i < vec_len(t->asked); i++) {
		const struct choice *q = &t->asked[i];
		if (!str_eq(q->what, what) || map_get(&t->values, word(c, q)) || map_get(&known, word(c, q)))
			continue;
		map_put(c, &known, word(c, q), "");
		vec_add(c, v, ((struct best){ .word = word(c, q), .candidates = q->candidates, .usual = q->usual,
					      .value = q->usual }));
		rounds = vec_len(q->candidates) > rounds ? vec_len(q->candidates) : rounds;
	}
	rounds = rounds ? (rounds < MAX_ROUNDS ? rounds : MAX_ROUNDS) + 1 : 0;
	/* the last round is the first one again: a machine that was busy at the start must not flatter the others */
	for (int r = 0; r < rounds; r++) {
		const bool again = r == rounds - 1;
		struct measured m;
		for (int i = 0; i < vec_len(v); i++)
			set(c, t, v[i].word, v[i].candidates[again || r >= vec_len(v[i].candidates) ? 0 : r]);
		if (!o->quiet && isatty(2))
			fprintf(stderr, "\rtuning %s: %d of %d ", what, r + 1, rounds);
		if (!measure(c, o, k, t, &m))
			return false;
		if (!first->out)
			*first = m;
		if (m.n_out != first->n_out || (m.n_out && memcmp(m.out, first->out, m.n_out) != 0))
			fatal(c, R_INTERNAL, "tuning %s changed the model's output: a fault of the compiler", what);
		for (int i = 0; i < vec_len(v); i++) {
			const int64_t ns = time_of(c, k, t, &m, v[i].word);
			if (r == 0 || again || r >= vec_len(v[i].candidates)) {
				v[i].usual_ns = r == 0 || ns < v[i].usual_ns ? ns : v[i].usual_ns;
			} else if (!v[i].ns || ns < v[i].ns) {
				v[i].ns = ns;
				v[i].value = v[i].candidates[r];
			}
		}
	}
	for (int i = 0; i < vec_len(v); i++)
		set(c, t, v[i].word, v[i].ns && (double)v[i].ns < (1 - NOISE) * (double)v[i].usual_ns ? v[i].value
		    : v[i].usual);
	if (rounds && !o->quiet && isatty(2))
		fprintf(stderr, "\r%60s\r", "");
	return true;
}

bool tune_measure(struct ctx *c, const struct options *o, struct compiled *k, struct tuning *t)
{
	static const char *const kinds[] = { "chunk", "band", "ahead" };
	struct measured first = { 0 };
	bool new_ = false;
	for (int i = 0; i < vec_len(t->asked); i++)
		new_ = new_ || !map_get(&t->values, word(c, &t->asked[i]));
	if (!new_)
		return true;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!one_kind(c, o, k, t, kinds[i], &first))
			return false;
	t->asked = NULL;
	return save(c, o, t) && stage_build(c, o, k);
}
