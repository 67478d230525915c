/* target.c - reads target descriptions: the built-in ones are embedded texts, a user's is a file. */
#include "target/target.h"

#include "core/runtime_text.h"
#include "target/llvm.h"

#include <string.h>

/* The next word of *s, or NULL; *s moves behind it. */
static const char *word(struct ctx *c, const char **s)
{
	while (**s == ' ' || **s == '\t')
		(*s)++;
	const char *b = *s;
	while (**s && **s != ' ' && **s != '\t')
		(*s)++;
	return *s > b ? str_dup_n(c, b, (size_t)(*s - b)) : NULL;
}

static const char *rest(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* A number of KB up to a GB, as bytes. */
static bool kilobytes(const char *v, int64_t least, int64_t *bytes)
{
	int64_t n = 0;
	if (!*v || strlen(v) > 7)
		return false;
	for (; *v >= '0' && *v <= '9'; v++)
		n = n * 10 + (*v - '0');
	*bytes = n * 1024;
	return !*v && n >= least && n <= 1 << 20;
}

static bool set(struct ctx *c, struct target *t, const char *key, const char *v)
{
	if (str_eq(key, "name"))
		t->name = v;
	else if (str_eq(key, "about"))
		t->about = v;
	else if (str_eq(key, "note"))
		t->note = v;
	else if (str_eq(key, "cc"))
		t->cc = v;
	else if (str_eq(key, "cflags"))
		t->cflags = v;
	else if (str_eq(key, "ldflags"))
		t->ldflags = v;
	else if (str_eq(key, "exe"))
		t->exe = v;
	else if (str_eq(key, "run"))
		t->run = v;
	else if (str_eq(key, "endian") && (str_eq(v, "little") || str_eq(v, "big")))
		t->big_endian = str_eq(v, "big");
	else if (str_eq(key, "incbin") && (str_eq(v, "yes") || str_eq(v, "no")))
		t->incbin = str_eq(v, "yes");
	else if (str_eq(key, "bits") && (str_eq(v, "32") || str_eq(v, "64")))
		t->bits = str_eq(v, "32") ? 32 : 64;
	else if (str_eq(key, "cache") || str_eq(key, "prefetch"))
		return kilobytes(v, str_eq(key, "cache") ? 16 : 0, str_eq(key, "cache") ? &t->cache : &t->prefetch);
	else if (str_eq(key, "threads") && (str_eq(v, "yes") || str_eq(v, "no")))
		t->no_threads = str_eq(v, "no");
	else if (str_eq(key, "make") && *v)
		vec_add(c, t->make, v);
	else if (str_eq(key, "variant")) {
		const char *name = word(c, &v), *macro = word(c, &v);
		if (!name || !macro)
			return false;
		struct target_variant *x = vec_push(c, t->variants);
		x->name = name;
		x->macro = macro;
		x->flags = rest(v);
	} else if (str_eq(key, "detect")) {
		const char *name = word(c, &v), *fn = word(c, &v);
		for (int i = 0; name && fn && i < vec_len(t->variants); i++)
			if (str_eq(t->variants[i].name, name)) {
				t->variants[i].detect = fn;
				return true;
			}
		return false;
	} else {
		return false;
	}
	return true;
}

const struct target *target_parse(struct ctx *c, const char *text, size_t n, const char *file)
{
	struct target *t = NEW(c, struct target);
	const char *s = str_dup_n(c, text, n);
	int line = 0;
	t->bits = 64;
	t->prefetch = -1;
	while (*s) {
		const char *end = strchr(s, '\n');
		const size_t len = end ? (size_t)(end - s) : strlen(s);
		char *l = str_dup_n(c, s, len);
		s += len + (end != NULL);
		line++;
		char *hash = strchr(l, '#');
		if (hash)
			*hash = 0;
		for (size_t k = strlen(l); k > 0 && (l[k - 1] == ' ' || l[k - 1] == '\t' ||
						      l[k - 1] == '\r'); k--)
			l[k - 1] = 0;
		const char *p = l, *key = word(c, &p);
		if (key && !set(c, t, key, rest(p))) {
			diag(c, SEV_ERROR, "target", NULL, "%s, line %d: cannot take \"%s %s\"; see `ampoule help "
			     "targets` for the keys", file, line, key, rest(p));
			return NULL;
		}
	}
	if (!t->name || !vec_len(t->variants)) {
		diag(c, SEV_ERROR, "target", NULL, "%s: a target needs at least `name` and one `variant`", file);
		return NULL;
	}
	if (t->variants[0].detect) {
		diag(c, SEV_ERROR, "target", NULL, "%s: the first variant must run everywhere, without `detect`",
		     file);
		return NULL;
	}
	return t;
}

const struct target **target_all(struct ctx *c)
{
	const struct target **all = NULL;
	for (const struct runtime_file *f = runtime_files; f->path; f++)
		if (str_starts(f->path, "compiler/target/")) {
			const struct target *t = target_parse(c, f->begin, (size_t)(f->end - f->begin), f->path);
			if (t)
				vec_add(c, all, t);
		}
	return all;
}

static const char *native(void)
{
#if defined(__x86_64__)
	return "x86-64";
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return "aarch64";
#elif defined(__riscv) && __riscv_xlen == 64 && defined(__riscv_flen)
	return "riscv64";
#elif defined(__arm__) && defined(__ARM_FEATURE_FMA)
	return "armv7";
#elif defined(__s390x__)
	return "s390x";
#else
	return "generic";
#endif
}

/* gcc and clang refuse the whole of -ffast-math by a macro (simd/guard.h), not its parts. */
const char *target_breach(struct ctx *c, const struct target *t)
{
	static const char *const breaking[] = { "-Ofast", "-ffast-math", "-funsafe-math-optimizations", "-fassociative-math",
		"-freciprocal-math", "-ffinite-math-only", "-fno-honor-nans", "-fno-honor-infinities", "-fno-signed-zeros",
		"-fapprox-func", "-fdenormal-fp-math=preserve-sign", "-fdenormal-fp-math=positive-zero",
		"-mdaz-ftz", "-ffp-model=fast", "-ffp-model=aggressive", NULL };
	for (int v = -3; v < vec_len(t->variants); v++) {
		const char *flags = v == -3 ? t->cc : v == -2 ? t->cflags : v == -1 ? t->ldflags : t->variants[v].flags;
		for (const char *w; flags && (w = word(c, &flags)) != NULL;) {
			for (int i = 0; breaking[i]; i++)
				if (str_eq(w, breaking[i]))
					return w;
			if (t->bits == 32 && str_starts(w, "-mfpu=") && strstr(w, "neon"))	/* ARMv7's flushes subnormals */
				return w;
		}
	}
	return NULL;
}

/* Does LLVM's list of features ("+sse2,+avx,...") hold what each -mNAME of the flags asks for? */
static bool has_all(struct ctx *c, const char *features, const char *flags)
{
	const char *list = str_printf(c, "%s,", features);
	for (const char *w; (w = word(c, &flags)) != NULL;)
		if (str_starts(w, "-m") && !strstr(list, str_printf(c, "+%s,", w + 2)))
			return false;
	return true;
}

/* The one variant that suits this machine best, as LLVM sees it; without LLVM the target as it is. */
static const struct target *for_host(struct ctx *c, const struct target *t)
{
	const char *triple, *cpu, *features;
	int best = 0;
	if (!llvm_host(c, &triple, &cpu, &features))
		return t;
	for (int i = 1; i < vec_len(t->variants); i++)
		if (has_all(c, features, t->variants[i].flags))
			best = i;
	struct target *one = mem_copy(c, t, sizeof *t);
	one->name = "native";
	one->about = str_printf(c, "this machine, %s: the variant %s of %s (LLVM %s, %s)", cpu, t->variants[best].name,
				t->name, llvm_version(c), triple);
	one->variants = NULL;
	vec_add(c, one->variants, t->variants[best]);
	return one;
}

const struct target *target_find(struct ctx *c, const char *name)
{
	if (name && (strchr(name, '/') || str_ends(name, ".target"))) {
		size_t n;
		const unsigned char *text = file_read(c, name, 1 << 16, &n);
		return text ? target_parse(c, (const char *)text, n, name) : NULL;
	}
	const bool here = name && str_eq(name, "native");
	if (!name || here)
		name = native();
	const struct target **all = target_all(c);
	struct text known = { .c = c };
	for (int i = 0; i < vec_len(all); i++) {
		if (str_eq(all[i]->name, name))
			return here ? for_host(c, all[i]) : all[i];
		text_printf(&known, "%s%s", i ? ", " : "", all[i]->name);
	}
	diag(c, SEV_ERROR, "target", NULL, "there is no target \"%s\"; there are: %s, native, or the path of a "
	     ".target file", name, known.s ? known.s : "none");
	return NULL;
}
