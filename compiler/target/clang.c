/*
 * clang.c - finds and runs clang, without a shell: its macros for a triple, an emitted model's objects.
 */
#include "target/clang.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs argv in `dir` (NULL: here), no input; what it prints on standard output, or on both, up to 4 MiB. Its exit code. */
static int run(struct ctx *c, const char *dir, char *const argv[], bool both, const char **said)
{
	struct text t = { .c = c };
	int fd[2], status = 0;
	*said = "";
	if (pipe(fd) != 0)
		return -1;
	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		if ((dir && chdir(dir) != 0) || dup2(fd[1], 1) < 0 || (both && dup2(fd[1], 2) < 0) || close(0) != 0)
			_exit(126);
		if (!both)
			close(2);
		close(fd[0]);
		close(fd[1]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fd[1]);
	for (char room[4096]; pid > 0;) {
		const ssize_t n = read(fd[0], room, sizeof room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (t.n < 1 << 22)
			text_add(&t, room, (size_t)n);
	}
	close(fd[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	*said = t.s ? t.s : "";
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *in_path(struct ctx *c, const char *name)
{
	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? name : NULL;
	for (const char *p = getenv("PATH"); p && *p;) {
		const char *end = strchrnul(p, ':');
		const char *file = str_printf(c, "%.*s/%s", end > p ? (int)(end - p) : 1, end > p ? p : ".", name);
		if (access(file, X_OK) == 0)
			return file;
		p = *end ? end + 1 : end;
	}
	return NULL;
}

const struct clang *clang_find(struct ctx *c)
{
	const char *asked = getenv("AMPOULE_CLANG"), *said;
	struct clang *x = NEW(c, struct clang);
	if (asked && *asked) {
		x->path = in_path(c, x->name = asked);
	} else {
		x->path = in_path(c, x->name = "clang");
		for (int v = 30; v >= 11 && !x->path; v--)
			x->path = in_path(c, x->name = str_printf(c, "clang-%d", v));
	}
	if (!x->path)
		return NULL;
	char *argv[] = { str_dup(c, x->path), "--version", NULL };
	if (run(c, NULL, argv, false, &said) != 0)
		return NULL;
	x->version = str_dup_n(c, said, strcspn(said, "\n"));
	return x;
}

const char *clang_macros(struct ctx *c, const struct clang *x, const char *triple, const char **why)
{
	const char *said;
	char *argv[] = { str_dup(c, x->path), str_printf(c, "--target=%s", triple), "-ffreestanding", "-dM", "-E", "-x",
			 "c", "/dev/null", NULL };
	if (run(c, NULL, argv, true, &said) != 0) {
		*why = str_dup_n(c, said, strcspn(said, "\n"));
		return NULL;
	}
	return said;
}

const char *macro_value(struct ctx *c, const char *macros, const char *name)
{
	const char *key = str_printf(c, "#define %s", name);
	const size_t n = strlen(key);
	for (const char *p = macros; (p = strstr(p, key)) != NULL; p += n)
		if ((p == macros || p[-1] == '\n') && (p[n] == ' ' || p[n] == '\n'))
			return p[n] == ' ' ? str_dup_n(c, p + n + 1, strcspn(p + n + 1, "\n")) : "";
	return NULL;
}

/* One file.  `flags`: words between spaces.  `to` joins *made; what clang says of a failure is *said. */
static bool compile(struct ctx *c, const struct clang *x, const char *dir, const char *triple, const char *flags,
		    const char *kind, const char *from, const char *to, const char ***made, const char **said)
{
	const char **argv = NULL;
	vec_add(c, argv, x->path);
	vec_add(c, argv, str_printf(c, "--target=%s", triple));
	char *words = str_dup(c, flags), *at = NULL;
	for (char *w = strtok_r(words, " ", &at); w; w = strtok_r(NULL, " ", &at))
		vec_add(c, argv, w);
	for (const char *k = kind; *k;) {
		const size_t n = strcspn(k, " ");
		vec_add(c, argv, str_dup_n(c, k, n));
		k += n + (k[n] == ' ');
	}
	vec_add(c, argv, "-o");
	vec_add(c, argv, to);
	vec_add(c, argv, from);
	vec_add(c, argv, NULL);
	if (run(c, dir, (char *const *)(void *)argv, true, said) != 0) {
		*said = str_printf(c, "%s --target=%s cannot compile %s:\n%s", x->path, triple, from, *said);
		return false;
	}
	vec_add(c, *made, to);
	return true;
}

bool clang_objects(struct ctx *c, const struct clang *x, const char *dir, const char *name, const char *triple,
		   const struct target *t, bool pool, enum emit_kind kind, const char ***made)
{
	static const char *const how[] = { "", "-c", "-S", "-S -emit-llvm" }, *const end[] = { "", "o", "s", "ll" };
	/* what the emitted Makefile passes; no header but clang's own */
	const char *hosted = str_printf(c, "-O2 -std=c11 -ffp-contract=off -fno-math-errno -I. %s", t->cflags ? t->cflags : "");
	const char *flags = str_printf(c, "%s -ffreestanding -nostdlibinc", hosted);
	const char *weights = str_printf(c, "%s_weights", name), *said = "";
	bool ok = compile(c, x, dir, triple, flags, how[kind], str_printf(c, "%s.c", name),
			  str_printf(c, "%s.%s", name, end[kind]), made, &said);
	for (int i = 0; i < vec_len(t->variants) && ok; i++) {
		const struct target_variant *v = &t->variants[i];
		ok = compile(c, x, dir, triple, str_printf(c, "%s %s -D%s -DAMP_VARIANT=%s", flags, v->flags, v->macro,
							   v->name), how[kind], str_printf(c, "%s_model.c", name),
			     str_printf(c, "%s_model_%s.%s", name, v->name, end[kind]), made, &said);
	}
	if (ok && access(str_printf(c, "%s/%s.S", dir, weights), R_OK) == 0 && kind == EMIT_OBJ)
		ok = compile(c, x, dir, triple, t->cflags ? t->cflags : "", "-c", str_printf(c, "%s.S", weights),
			     str_printf(c, "%s.o", weights), made, &said);
	else if (ok && access(str_printf(c, "%s/%s.c", dir, weights), R_OK) == 0)
		ok = compile(c, x, dir, triple, flags, how[kind], str_printf(c, "%s.c", weights),
			     str_printf(c, "%s.%s", weights, end[kind]), made, &said);
	if (!ok)
		diag(c, SEV_ERROR, "clang", NULL, "%s", said);
	else if (pool && !compile(c, x, dir, triple, hosted, how[kind], "pool/pool.c", str_printf(c, "pool.%s", end[kind]),
				  made, &said))
		diag(c, SEV_WARNING, "clang", NULL, "no pool.%s: amp_pool_new() starts the system's threads and needs its headers "
		     "for %s; install them, or give %s_prepare() a struct amp_pool of your own\n%s", end[kind], triple, name,
		     said);
	return ok;
}
