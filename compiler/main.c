/* main.c - the command line: one command a line of the table, one call a command, nothing else. */
#include "compile.h"
#include "help.h"

#include <stdlib.h>
#include <string.h>

struct command {
	const char *name;
	enum result (*run)(struct ctx *, void *);
	const char *takes;		/* names of options that it takes, between spaces */
	bool model;
};

static const struct command commands[] = {
	{ "compile", cmd_compile, " -o --name --target --triple --emit --dim --shape --weights --library --classifier --labels "
	  "--preprocess --activation --plan --transform --threads --tune --dump-after --verbose ", true },
	{ "inspect", cmd_inspect, " --dim --shape --target --triple --plan --transform --threads --json --html --dump-after --verbose ", true },
	{ "verify", cmd_verify, " --data --dim --shape --rtol --atol --layers --html --json --cc --keep --seed --plan --transform --threads --target --verbose ",
	  true },
	{ "run", cmd_run, " --exact --input -o --seed --dim --shape --json --plan --verbose ", true },
	{ "targets", cmd_targets, " --probe ", false },
};
#define N_COMMANDS (int)(sizeof commands / sizeof commands[0])

static bool number(const char *s, double *v)
{
	char *end;
	*v = strtod(s, &end);
	return *s && !*end && *v >= 0 && *v <= 1e300;
}

/* One option; false when its value is wrong.  `v` is its value, or NULL for a switch. */
static bool set(struct ctx *c, struct options *o, const char *name, const char *v)
{
	double d;
	if (str_eq(name, "-o"))
		o->out = v;
	else if (str_eq(name, "--name"))
		o->name = v;
	else if (str_eq(name, "--target"))
		o->target = v;
	else if (str_eq(name, "--triple"))
		o->triple = v;
	else if (str_eq(name, "--probe"))
		o->probe = v;
	else if (str_eq(name, "--emit") && (str_eq(v, "c") || str_eq(v, "obj") || str_eq(v, "asm") || str_eq(v, "ll")))
		o->emit = str_eq(v, "c") ? EMIT_C : str_eq(v, "obj") ? EMIT_OBJ : str_eq(v, "asm") ? EMIT_ASM : EMIT_LL;
	else if (str_eq(name, "--dim"))
		vec_add(c, o->dims, v);
	else if (str_eq(name, "--shape"))
		vec_add(c, o->shapes, v);
	else if (str_eq(name, "--labels"))
		o->labels = v;
	else if (str_eq(name, "--preprocess"))
		o->preprocess = v;
	else if (str_eq(name, "--dump-after"))
		o->dump_after = v;
	else if (str_eq(name, "--html"))
		o->html = v;
	else if (str_eq(name, "--tune"))
		o->tune = v;
	else if (str_eq(name, "--data"))
		vec_add(c, o->data, v);
	else if (str_eq(name, "--input"))
		vec_add(c, o->inputs, v);
	else if (str_eq(name, "--cc"))
		o->cc = v;
	else if (str_eq(name, "--plan") && (str_eq(v, "speed") || str_eq(v, "size") || str_eq(v, "direct")))
		o->plan = v;
	else if (str_eq(name, "--transform") && (str_eq(v, "ahead") || str_eq(v, "start")))
		o->at_start = str_eq(v, "start");
	else if (str_eq(name, "--threads") && number(v, &d) && d >= 1 && d <= AMP_MAX_THREADS && d == (int)d)
		o->threads = (int)d;
	else if (str_eq(name, "--activation") &&
		 (str_eq(v, "none") || str_eq(v, "softmax") || str_eq(v, "sigmoid")))
		o->activation = v;
	else if (str_eq(name, "--weights") && str_eq(v, "embed"))
		o->weights = WEIGHTS_EMBED;
	else if (str_eq(name, "--weights") && str_eq(v, "array"))
		o->weights = WEIGHTS_ARRAY;
	else if (str_eq(name, "--weights") && str_eq(v, "file"))
		o->weights = WEIGHTS_FILE;
	else if (str_eq(name, "--rtol") && number(v, &d))
		o->rtol = d;
	else if (str_eq(name, "--atol") && number(v, &d))
		o->atol = d;
	else if (str_eq(name, "--seed") && number(v, &d) && d < 1e15)
		o->seed = (int64_t)d;
	else
		return false;
	return true;
}

/* What an option that set() checks takes, for the message. */
static const char *expected(const char *name)
{
	static const struct { const char *name, *values; } wants[] = {
		{ "--plan", "speed, size or direct" }, { "--activation", "softmax, sigmoid or none" },
		{ "--weights", "embed, array or file" }, { "--rtol", "a number from 0 on" },
		{ "--atol", "a number from 0 on" }, { "--seed", "a number from 0 on" },
		{ "--emit", "c, obj, asm or ll" },
		{ "--threads", "a number from 1 to 64" }, { "--transform", "ahead or start" },
	};
	for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++)
		if (str_eq(name, wants[i].name))
			return wants[i].values;
	return "another value";
}

static bool set_switch(struct options *o, const char *name)
{
	bool *const flags[] = { &o->library, &o->json, &o->exact, &o->keep, &o->verbose, &o->layers };
	static const char *const names[] = { "--library", "--json", "--exact", "--keep", "--verbose",
						"--layers" };
	for (int i = 0; i < 6; i++)
		if (str_eq(name, names[i])) {
			*flags[i] = true;
			return true;
		}
	if (str_eq(name, "--classifier")) {
		o->library = false;
		return true;
	}
	return false;
}

static int usage(const char *fmt, const char *a, const char *b)
{
	fprintf(stderr, "ampoule: ");
	fprintf(stderr, fmt, a, b);
	fprintf(stderr, "; see `ampoule help`\n");
	return R_USAGE;
}

static int run_in(struct ctx *c, const struct command *cmd, int argc, char **argv)
{
	struct options *o = NEW(c, struct options);
	o->rtol = -1;			/* not given */
	o->atol = -1;
	for (int i = 0; i < argc; i++) {
		const char *a = argv[i];
		if (a[0] != '-' || !a[1]) {
			if (!cmd->model || o->model)
				return usage("%s: what is \"%s\"?", cmd->name, a);
			o->model = a;
			continue;
		}
		/* --key=value is --key value */
		const char *eq = str_starts(a, "--") ? strchr(a, '=') : NULL;
		const char *key = eq ? str_dup_n(c, a, (size_t)(eq - a)) : a;
		if (str_eq(key, "--help") || str_eq(key, "-h")) {
			help_command(cmd->name, stdout);
			return R_SUCCESS;
		}
		if (!strstr(cmd->takes, str_printf(c, " %s ", key)))
			return usage("%s has no option %s", cmd->name, key);
		if (!eq && set_switch(o, key))
			continue;
		const char *v = eq ? eq + 1 : i + 1 < argc ? argv[++i] : NULL;
		if (!v)
			return usage("%s: %s needs a value", cmd->name, key);
		if (!set(c, o, key, v))
			return usage("%s: expected %s", str_printf(c, "%s \"%s\"", key, v), expected(key));
	}
	if (cmd->model && !o->model)
		return usage("%s needs a model: ampoule %s MODEL.onnx", cmd->name, cmd->name);
	if (str_eq(cmd->name, "compile") && !o->out)
		return usage("%s needs -o %s", "compile", "FOLDER");
	c->verbose = o->verbose;
	const enum result r = ctx_run(c, cmd->run, o);
	diag_print(c, stderr);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "ampoule: cannot write the output\n");
		return r == R_SUCCESS ? R_INPUT : (int)r;
	}
	return (int)r;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct ctx *c = ctx_new();
	if (!c) {
		fprintf(stderr, "ampoule: out of memory\n");
		return R_INTERNAL;
	}
	const int r = run_in(c, cmd, argc, argv);
	ctx_free(c);
	return r;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	if (!name) {
		help_all(stderr);
		return R_USAGE;
	}
	if (str_eq(name, "--version")) {
		printf("ampoule %s\n", AMPOULE_VERSION);
		return R_SUCCESS;
	}
	if (str_eq(name, "help") || str_eq(name, "--help") || str_eq(name, "-h")) {
		if (argc < 3)
			help_all(stdout);
		else if (!help_command(argv[2], stdout))
			return usage("there is no command %s%s", argv[2], "");
		return R_SUCCESS;
	}
	for (int i = 0; i < N_COMMANDS; i++)
		if (str_eq(commands[i].name, name))
			return run(&commands[i], argc - 2, argv + 2);
	return usage("there is no command %s%s", name, "");
}
