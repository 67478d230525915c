/* host.c - see host.h. */
#include "host.h"
#include "simd/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int host_call(const char *dir, bool quiet, char *const argv[])
{
	fflush(stdout);
	const pid_t pid = fork();
	if (pid == 0) {
		const int null = quiet ? open("/dev/null", O_WRONLY) : -1;
		if ((dir && chdir(dir) != 0) || (quiet && dup2(null, 2) < 0) || dup2(2, 1) < 0)
			_exit(126);
		unsetenv("MAKEFLAGS");	/* variables of a make that calls us are not for the emitted Makefile */
		execvp(argv[0], argv);
		_exit(127);
	}
	int status;
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * The target with the one variant that this machine would pick: the others give the same bytes (tests/cli/emitted.sh)
 * and would take four times the time to build.
 */
static const struct target *best_variant(struct ctx *c, const struct target *t)
{
	struct target *one = mem_copy(c, t, sizeof *t);
	int best = 0;
#if defined(__x86_64__)
	for (int i = 1; i < vec_len(t->variants); i++)
		if ((str_eq(t->variants[i].detect, "amp_cpu_has_avx") && amp_cpu_has_avx()) ||
		    (str_eq(t->variants[i].detect, "amp_cpu_has_avx2") && amp_cpu_has_avx2()) ||
		    (str_eq(t->variants[i].detect, "amp_cpu_has_avx512") && amp_cpu_has_avx512()))
			best = i;
#endif
	one->variants = NULL;
	vec_add(c, one->variants, t->variants[best]);
	one->variants[0].detect = NULL;
	return one;
}

const char *host_build(struct ctx *c, const struct options *o, const struct compiled *k, const char *driver,
		       const char *stage)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = str_printf(c, "%s/ampoule-%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", stage);
	if (!mkdtemp(dir)) {
		diag(c, SEV_ERROR, stage, NULL, "cannot make a folder in %s: %s", tmp ? tmp : "/tmp",
		     strerror(errno));
		return NULL;
	}
	const char *slash = strrchr(o->model, '/');
	const struct emit_options eo = {
		.name = "model", .model_file = slash ? slash + 1 : o->model, .library = true,
		.model_sha256 = k->source->model_sha256 ? k->source->model_sha256 : "",
		.version = AMPOULE_VERSION, .target = best_variant(c, k->target),
	};
	struct emission *e = emit_c(c, k->s, k->p, &eo);
	emit_add(e, "driver.c", driver, strlen(driver));
	if (!emit_write(e, dir))
		return NULL;
	const char *cc = o->cc ? o->cc : "gcc";
	char *make[] = { "make", "-s", "-j2", "-C", dir, str_printf(c, "CC=%s", cc), "libmodel.a", NULL };
	char *link[] = { "sh", "-c", str_printf(c, "exec %s -I. %s -o driver driver.c libmodel.a", cc,
		o->threads > 1 ? str_printf(c, "-pthread -DTHREADS=%d", o->threads) : ""), NULL };
	int r = host_call(NULL, o->quiet, make);
	if (r == 0)
		r = host_call(dir, o->quiet, link);
	if (r != 0)
		diag(c, SEV_ERROR, stage, NULL, "the emitted code does not build with %s (exit code %d); see %s", cc, r, dir);
	return r == 0 ? dir : NULL;
}

bool host_inputs(struct ctx *c, const char *dir, const struct graph *g, const struct tensor *const *in)
{
	for (int i = 0; i < vec_len(g->inputs); i++)
		if (!file_write(c, str_printf(c, "%s/in%d.bin", dir, i), in[i]->data, (size_t)tensor_bytes(in[i])))
			return false;
	return true;
}
