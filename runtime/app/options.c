/*
 * options.c - the command line of a classifier, --help and --version.
 *
 * In:  argv, and the model (what it takes and gives is part of --help).
 * Out: struct app_options, or the exit code: 0 after --help and --version, 2 for wrong usage.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

static void shape(FILE *f, const struct amp_io *io)
{
	fprintf(f, "%s %s[", io->name, app_dtype_name(io->dtype));
	for (int i = 0; i < io->rank; i++)
		fprintf(f, "%s%lld", i ? "," : "", (long long)io->dim[i]);
	fputs("]", f);
}

static void describe_preprocessing(FILE *f, const struct amp_preprocess *p)
{
	static const char *const filter[] = { "nearest", "lanczos", "bilinear", "bicubic", "box", "hamming" };
	const char *name = p->resample >= 0 && p->resample < 6 ? filter[p->resample] : "unknown filter";
	if (p->resize == 1)
		fprintf(f, "resized to %d x %d (%s), ", p->width, p->height, name);
	if (p->resize == 2)
		fprintf(f, "resized until the shorter edge is %d (%s), ", p->width, name);
	if (p->crop)
		fprintf(f, "cropped to the middle %d x %d, ", p->crop_width, p->crop_height);
	if (p->bgr)
		fputs("blue first, ", f);
	if (p->rescale)
		fprintf(f, "multiplied by %.9g, ", p->rescale_factor);
	if (p->normalize)
		fprintf(f, "minus mean (%g, %g, %g), divided by (%g, %g, %g), ", p->mean[0], p->mean[1],
			p->mean[2], p->std[0], p->std[1], p->std[2]);
	fputs("then given to the model\n", f);
}

static void help(const struct amp_model *m)
{
	struct app_image_input in;
	const int pictures = m->n_in > 0 && app_image_input(&m->in[0], &in) == 0;
	printf("Usage: %s [OPTION]... PICTURE|FOLDER|-...\n"
	       "Names what is in each picture, one line a picture.\n\n"
	       "  PICTURE             a file: %s\n"
	       "  FOLDER              the pictures in it, by name; folders within it are left out\n"
	       "  -                   a picture from standard input\n"
	       "  INPUT=FILE.npy      a tensor for the model's input of this name\n\n"
	       "  --top N             print the N most probable classes (3)\n"
	       "  --json, --csv       print JSON, CSV instead of text\n"
	       "  --raw               print the model's output itself, 9 significant digits\n"
	       "  --activation A      softmax, sigmoid or none on the output (%s)\n"
	       "  --min-probability P answer \"uncertain\" below P\n"
	       "  --out DIR           write every output of the model to DIR as .npy\n"
	       "  --isa NAME          use this variant of the code:", m->name, app_formats(),
	       m->ends_in_softmax ? "none: the model ends in softmax" :
	       m->activation == AMP_ACT_SOFTMAX ? "softmax" : m->activation == AMP_ACT_SIGMOID ? "sigmoid" :
	       "none");
	for (int i = 0; i < m->n_isa; i++)
		printf(" %s", m->isa_names[i]);
	printf("\n"
	       "                      (the results are the same bytes); also by the environment: AMPOULE_ISA=NAME\n"
	       "  --weights FILE      read the weights from FILE%s%s\n"
	       "  --threads N         use N threads, 1 to %d (%d)\n"
	       "  --profile           print time and speed of each step on standard error; with --json as JSON\n"
	       "  --time              print times and memory on standard error\n"
	       "  --version, --help\n\n", m->weights ? "" : " instead of ",
	       m->weights || !m->weights_file ? "" : m->weights_file, m->threads, m->threads);
	for (int i = 0; i < m->n_in; i++) {
		printf("Input  ");
		shape(stdout, &m->in[i]);
		printf("\n");
	}
	for (int i = 0; i < m->n_out; i++) {
		printf("Output ");
		shape(stdout, &m->out[i]);
		if (i == 0 && m->labels)
			printf(" (%d labels: %s, ...)", m->n_labels, m->labels[0]);
		printf("\n");
	}
	if (pictures && m->preprocess) {
		printf("A picture is turned upright, made 8-bit RGB, ");
		describe_preprocessing(stdout, m->preprocess);
	} else if (pictures) {
		printf("A picture is turned upright and made 8-bit RGB; it must have the model's size, and its\n"
		       "values 0 to 255 are given to the model as they are.\n");
	}
	printf("\nExit code: 0 all pictures were classified, 1 a picture or the weights are at fault,\n"
	       "2 wrong usage, 4 internal error.\nExample: %s --top 1 --csv slides/ > cells.csv\n", m->name);
}

int app_find_isa(const struct amp_model *m, const char *name)
{
	for (int i = 0; i < m->n_isa; i++)
		if (!strcmp(m->isa_names[i], name))
			return i;
	return -1;
}

static void version(const struct amp_model *m, const char *isa)
{
	printf("%s, compiled by Ampoule %s\nmodel   sha256 %s\nweights sha256 %s\nreads   %s\nvariants", m->name,
	       m->version, m->model_sha256, m->weights_sha256, app_formats());
	const int best = m->best_isa ? m->best_isa() : -1;
	const int used = isa ? app_find_isa(m, isa) : best;
	for (int i = 0; i < m->n_isa; i++)		/* best last: what a CPU has, it has up to its best one */
		printf(" %s%s", m->isa_names[i], i == used && i <= best ? " (used here)" : "");
	if (isa && used > best)
		printf("\nasked for %s: this CPU lacks the instructions", isa);
	else if (isa && used < 0)
		printf("\nasked for %s: there is no such variant", isa);
	if (m->no_contract)
		printf("\ncontract not promised: compiled with %s", m->no_contract);
	else
		printf("\ncontract holds: the same bytes on every machine");
	printf("\nthreads %d", m->threads);
	printf("\nmemory  %lld bytes of arena, %lld prepared, %lld of weights\n", (long long)m->arena_bytes,
	       (long long)m->prepared_bytes, (long long)m->weights_bytes);
}

static int wrong(const struct amp_model *m, const char *what, const char *which)
{
	fprintf(stderr, "%s: %s%s\nTry %s --help\n", m->name, what, which, m->name);
	return 2;
}

/* "--name=value" or "--name value": returns the value, or NULL if argv[*i] is another option. */
static const char *value_of(const char *name, int argc, char **argv, int *i, int *missing)
{
	const size_t n = strlen(name);
	if (strncmp(argv[*i], name, n) || (argv[*i][n] && argv[*i][n] != '='))
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	if (*i + 1 < argc)
		return argv[++*i];
	*missing = 1;
	return "";
}

/* A decimal number without the locale's help; -1 if it is none. */
static double decimal(const char *s)
{
	double v = 0, unit = 1;
	int digits = 0;
	for (; *s >= '0' && *s <= '9'; s++, digits++)
		v = v * 10 + (*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, digits++) {
			v = v * 10 + (*s - '0');
			unit *= 10;
		}
	return digits && digits < 16 && !*s ? v / unit : -1;
}

int app_parse_options(struct app_options *o, const struct amp_model *m, int argc, char **argv)
{
	int plain = 0, show_version = 0;
	const char *const isa = getenv("AMPOULE_ISA");
	memset(o, 0, sizeof *o);
	o->isa = isa && *isa ? isa : NULL;
	o->top = 3;
	o->activation = -1;
	o->min_probability = -1;
	o->program = argc > 0 ? argv[0] : "";
	o->args = argv + (argc > 0);
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v;
		int missing = 0;
		if (plain || a[0] != '-' || !a[1]) {
			o->args[o->n++] = argv[i];	/* never ahead of i */
		} else if (!strcmp(a, "--")) {
			plain = 1;
		} else if (!strcmp(a, "--help") || !strcmp(a, "-h")) {
			help(m);
			return 0;
		} else if (!strcmp(a, "--version")) {
			show_version = 1;
		} else if (!strcmp(a, "--json")) {
			o->json = 1;
		} else if (!strcmp(a, "--csv")) {
			o->csv = 1;
		} else if (!strcmp(a, "--raw")) {
			o->raw = 1;
		} else if (!strcmp(a, "--time")) {
			o->time = 1;
		} else if (!strcmp(a, "--profile")) {
			o->profile = 1;
		} else if ((v = value_of("--threads", argc, argv, &i, &missing)) != NULL) {
			const double n = decimal(v);
			if (!missing && (!(n >= 1 && n <= m->threads) || n != (double)(int)n))
				return wrong(m, m->threads > 1 ? "--threads takes a number from 1 to that of --help, not " :
					     "--threads takes 1: the model was compiled for one thread, not ", v);
			o->threads = (int)n;
		} else if ((v = value_of("--top", argc, argv, &i, &missing)) != NULL) {
			const double n = decimal(v);
			if (!(n >= 1 && n <= 1000000) || n != (double)(int)n)
				return wrong(m, "--top takes a number from 1, not ", v);
			o->top = (int)n;
		} else if ((v = value_of("--min-probability", argc, argv, &i, &missing)) != NULL) {
			o->min_probability = decimal(v);
			if (!(o->min_probability >= 0 && o->min_probability <= 1))
				return wrong(m, "--min-probability takes a number from 0 to 1, not ", v);
		} else if ((v = value_of("--activation", argc, argv, &i, &missing)) != NULL) {
			o->activation = !strcmp(v, "softmax") ? AMP_ACT_SOFTMAX : !strcmp(v, "sigmoid") ?
					AMP_ACT_SIGMOID : !strcmp(v, "none") ? AMP_ACT_NONE : -1;
			if (o->activation < 0)
				return wrong(m, "--activation takes softmax, sigmoid or none, not ", v);
		} else if ((v = value_of("--isa", argc, argv, &i, &missing)) != NULL) {
			o->isa = v;
		} else if ((v = value_of("--weights", argc, argv, &i, &missing)) != NULL) {
			o->weights = v;
		} else if ((v = value_of("--out", argc, argv, &i, &missing)) != NULL) {
			o->out = v;
		} else {
			return wrong(m, "unknown option ", a);
		}
		if (missing)
			return wrong(m, "a value is missing after ", a);
	}
	if (show_version) {
		version(m, o->isa);
		return 0;
	}
	if (o->json && o->csv)
		return wrong(m, "--json and --csv exclude each other", "");
	if (o->n == 0)
		return wrong(m, "no picture is given", "");
	return -1;
}
