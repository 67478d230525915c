/*
 * main.c - a classifier: pictures in, classes out.
 *
 * In:  amp_app_model, the command line, picture files and .npy tensors.
 * Out: one row a picture on standard output; exit code 0, or 1 if a picture or the weights are at fault,
 *      2 wrong usage, 4 internal error.
 * Algorithm: the weights are checked and prepared once; then for each batch: files -> tensors -> run ->
 *      rows.  A broken picture gives a row that says why, and the others go on.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

/* One picture of a batch. */
struct slot {
	const char *name;
	int failed, deep;
	char err[APP_ERR];
	double seconds;			/* read, decoded, preprocessed */
};

struct session {
	const struct amp_model *m;
	struct app_options opt;
	struct app_output out;
	struct app_file weights;	/* when they are not in the program */
	void *state, *prepared, *arena;
	struct amp_pool *pool;		/* until the program ends; NULL: one thread */
	void **in, **outputs;		/* tensors */
	char *given;			/* [n_in] this input came as INPUT=FILE */
	int picture_input;		/* the input that pictures go to, or -1 */
	int takes_pictures;
	struct app_image_input image;
	int batch, used;		/* slots */
	struct slot *slot;
	int n_classes;			/* elements of output 0 of one picture */
	int has_classes;		/* it is a list of classes */
	enum amp_activation activation;
	double *value, *probability;
	int *order;
	char **path;			/* all pictures */
	size_t n_paths, path_room, done;
	int progress;			/* a terminal watches */
	int broken;			/* pictures */
	double run_seconds;
};

static int complain(const struct session *s, int code, const char *what, const char *why)
{
	fprintf(stderr, "%s: %s%s%s\n", s->m->name, what, *why ? ": " : "", why);
	return code;
}

static const char *status_text(enum amp_status st)
{
	switch (st) {
	case AMP_OK: return "no error";
	case AMP_ERR_ARGUMENT: return "wrong argument";
	case AMP_ERR_BLOB: return "the weights are not this model's";
	case AMP_ERR_ISA: return "this processor lacks the instructions of the chosen variant";
	case AMP_ERR_POOL: return "the thread pool does not fit";
	case AMP_ERR_INDEX: return "an index in the input is outside its axis";
	}
	return "unknown error";
}

/* ---- the model -------------------------------------------------------------------------------------- */

static int load_weights(struct session *s)
{
	const struct amp_model *m = s->m;
	char err[APP_ERR], hex[65], *beside = NULL;
	const char *path = s->opt.weights;
	struct app_sha256 sum;
	int code = 0;
	if (!path && m->weights)
		return 0;
	if (!path && m->weights_file)
		path = beside = app_beside_program(s->opt.program, m->weights_file);
	if (!path)
		return complain(s, 4, "not enough memory", "");
	if (app_map_file(path, &s->weights, err)) {
		code = complain(s, 1, path, err);
	} else if (s->weights.size != m->weights_bytes) {
		snprintf(err, sizeof err, "%lld bytes, and this model's weights have %lld",
			 (long long)s->weights.size, (long long)m->weights_bytes);
		code = complain(s, 1, path, err);
	} else {
		app_sha256_init(&sum);
		app_sha256_add(&sum, s->weights.data, (size_t)s->weights.size);
		app_sha256_hex(&sum, hex);
		if (strcmp(hex, m->weights_sha256))
			code = complain(s, 1, path, "its SHA-256 is not that of this model's weights");
	}
	free(beside);
	return code;
}

static int prepare(struct session *s)
{
	const struct amp_model *m = s->m;
	int isa = -1;
	if (s->opt.isa) {
		isa = app_find_isa(m, s->opt.isa);
		if (isa < 0)
			return complain(s, 2, "--isa or AMPOULE_ISA: no such variant in this program (see --version)", s->opt.isa);
	}
	const int code = load_weights(s);
	if (code)
		return code;
	s->state = app_alloc(m->state_bytes);
	s->prepared = m->prepared_bytes ? app_alloc(m->prepared_bytes) : NULL;
	s->arena = app_alloc(m->arena_bytes);
	s->in = calloc((size_t)m->n_in + 1, sizeof *s->in);
	s->outputs = calloc((size_t)m->n_out + 1, sizeof *s->outputs);
	s->given = calloc((size_t)m->n_in + 1, 1);
	if (!s->state || (m->prepared_bytes && !s->prepared) || !s->arena || !s->in || !s->outputs || !s->given)
		return complain(s, 1, "not enough memory", "");
	for (int i = 0; i < m->n_in; i++)
		if (!(s->in[i] = app_alloc(m->in[i].bytes)))
			return complain(s, 1, "not enough memory", "");
	for (int i = 0; i < m->n_out; i++)
		if (!(s->outputs[i] = app_alloc(m->out[i].bytes)))
			return complain(s, 1, "not enough memory", "");
	if (!s->opt.threads)
		s->opt.threads = m->threads;
	if (s->opt.threads > 1 && amp_app_pool && amp_app_pool(s->opt.threads, &s->pool) != AMP_OK)
		return complain(s, 1, "the threads cannot be started (try --threads 1)", "");
	const enum amp_status st = m->prepare(s->state, s->weights.data ? s->weights.data : m->weights,
					      s->prepared, s->pool, isa);
	return st == AMP_OK ? 0 : complain(s, st == AMP_ERR_ISA ? 1 : 4, "the model cannot be prepared",
					   status_text(st));
}

/* ---- inputs ----------------------------------------------------------------------------------------- */

/* The tensor's axes, leading ones left out: [1, 3, 8, 8] fits [3, 8, 8]. */
static int same_shape(const int64_t *a, int na, const int64_t *b, int nb)
{
	for (; na && *a == 1; a++)
		na--;
	for (; nb && *b == 1; b++)
		nb--;
	return na == nb && !memcmp(a, b, (size_t)na * sizeof *a);
}

/* A .npy file into an input: skip = 1 leaves the batch axis out. */
static int load_npy(const struct amp_io *io, int skip, const unsigned char *data, size_t size, void *to,
		    char *err)
{
	struct app_npy a;
	if (app_npy_parse(data, size, &a, err))
		return -1;
	if (a.dtype != io->dtype)
		return app_fail(err, "npy: elements are %s, and input %.60s takes %s", app_dtype_name(a.dtype),
				io->name, app_dtype_name(io->dtype));
	if (!same_shape(a.dim, a.rank, io->dim + skip, io->rank - skip))
		return app_fail(err, "npy: the shape does not fit input %.60s (see --help)", io->name);
	app_npy_copy(&a, to);
	return 0;
}

/* INPUT=FILE: returns the input's index, or -1 if arg is none. */
static int named_input(const struct session *s, const char *arg, const char **file)
{
	for (int i = 0; i < s->m->n_in; i++) {
		const size_t n = strlen(s->m->in[i].name);
		if (!strncmp(arg, s->m->in[i].name, n) && arg[n] == '=') {
			*file = arg + n + 1;
			return i;
		}
	}
	return -1;
}

static int load_named(struct session *s, int i, const char *path)
{
	struct app_file f;
	char err[APP_ERR];
	if (app_read_file(path, APP_MAX_FILE * 4, &f, err))
		return complain(s, 1, path, err);
	const int failed = app_is_npy(f.data, (size_t)f.size) ?
		load_npy(&s->m->in[i], 0, f.data, (size_t)f.size, s->in[i], err) :
		app_fail(err, "no .npy file");
	app_free_file(&f);
	s->given[i] = 1;
	return failed ? complain(s, 1, path, err) : 0;
}

static int add_path(struct session *s, const char *folder, const char *name)
{
	const size_t n = folder ? strlen(folder) : 0;
	const char *slash = n && !app_is_slash(folder[n - 1]) ? "/" : "";
	if (s->n_paths == s->path_room) {
		const size_t room = s->path_room ? 2 * s->path_room : 64;
		char **more = realloc(s->path, room * sizeof *more);
		if (!more)
			return complain(s, 1, "not enough memory", "");
		s->path = more;
		s->path_room = room;
	}
	char *p = malloc(n + strlen(name) + 2);
	if (!p)
		return complain(s, 1, "not enough memory", "");
	strcpy(p, folder ? folder : "");
	strcat(p, slash);
	strcat(p, name);
	s->path[s->n_paths++] = p;
	return 0;
}

static int has_picture_name(const char *name)
{
	static const char *const known[] = { "png", "jpg", "jpeg", "jpe", "tif", "tiff", "bmp", "dib", "pnm",
					     "pbm", "pgm", "ppm", "npy" };
	const char *dot = strrchr(name, '.');
	if (!dot || dot == name)
		return 0;
	for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
		size_t i = 0;
		while (known[k][i] && (dot[1 + i] | 32) == known[k][i])
			i++;
		if (!known[k][i] && !dot[1 + i])
			return 1;
	}
	return 0;
}

static int add_folder(struct session *s, const char *folder)
{
	char **names, err[APP_ERR];
	size_t n;
	const size_t before = s->n_paths;
	int code = 0;
	if (app_list_dir(folder, &names, &n, err)) {
		s->broken++;
		complain(s, 1, folder, err);
		return 0;
	}
	for (size_t i = 0; i < n && !code; i++)
		if (has_picture_name(names[i])) {
			code = add_path(s, folder, names[i]);
			if (!code && app_is_dir(s->path[s->n_paths - 1]))
				free(s->path[--s->n_paths]);
		}
	app_free_list(names, n);
	if (!code && s->n_paths == before) {
		s->broken++;
		complain(s, 1, folder, "no pictures in this folder");
	}
	return code;
}

/* The arguments: tensors by name are loaded, pictures are listed, and the free input is found. */
static int take_arguments(struct session *s)
{
	const struct amp_model *m = s->m;
	int code = 0, open = 0, positional = 0;
	for (int i = 0; i < s->opt.n && !code; i++) {
		const char *arg = s->opt.args[i], *file;
		const int input = named_input(s, arg, &file);
		positional += input < 0;
		code = input >= 0 ? load_named(s, input, file) : strcmp(arg, "-") && app_is_dir(arg) ?
		       add_folder(s, arg) : add_path(s, NULL, arg);
	}
	if (code)
		return code;
	s->picture_input = -1;
	for (int i = 0; i < m->n_in; i++)
		if (!s->given[i]) {
			open++;
			s->picture_input = i;
		}
	if (!positional && open)
		return complain(s, 2, "an input of the model is not given", m->in[s->picture_input].name);
	if (positional && open != 1)
		return complain(s, 2, open ? "the model has several inputs: give them as NAME=FILE.npy, all but "
				"one (see --help)" : "all inputs are given by name, and there are pictures too", "");
	s->takes_pictures = open && app_image_input(&m->in[s->picture_input], &s->image) == 0;
	s->batch = 1;
	if (open && m->n_out) {
		const struct amp_io *io = &m->in[s->picture_input];
		int together = io->rank > 1 && io->dim[0] > 1;
		for (int i = 0; i < m->n_out; i++)
			together &= m->out[i].rank > 0 && m->out[i].dim[0] == io->dim[0];
		if (together && io->dim[0] <= 65536)
			s->batch = (int)io->dim[0];
		else if (s->takes_pictures && s->image.batch != 1)
			s->takes_pictures = 0;
	}
	return 0;
}

/* ---- outputs ---------------------------------------------------------------------------------------- */

static int64_t elements(const struct amp_io *io)
{
	int64_t n = 1;
	for (int i = 0; i < io->rank; i++)
		n *= io->dim[i];
	return n;
}

static int is_float(enum amp_dtype t)
{
	return t == AMP_FLOAT || t == AMP_DOUBLE || t == AMP_FLOAT16 || t == AMP_BFLOAT16;
}

/* What of output 0 is printed. */
static int plan_output(struct session *s)
{
	const struct amp_model *m = s->m;
	const struct amp_io *io = &m->out[0];
	int wide = 0;
	if (m->n_out < 1)
		return complain(s, 4, "the model has no output", "");
	const int64_t n = elements(io) / s->batch;
	for (int i = s->batch > 1; i < io->rank; i++)
		wide += io->dim[i] > 1;
	s->has_classes = wide <= 1 && is_float(io->dtype) && n >= 1 && n <= 1 << 20;
	if (!s->has_classes && !s->opt.raw && !s->opt.out)
		return complain(s, 2, "the model's output is no list of classes: use --raw or --out DIR", io->name);
	if (n < 1 || n > 1 << 28)
		return complain(s, 2, "the model's output cannot be printed", io->name);
	s->n_classes = s->has_classes || s->opt.raw ? (int)n : 0;
	s->activation = s->opt.activation >= 0 ? (enum amp_activation)s->opt.activation :
			m->ends_in_softmax ? AMP_ACT_NONE : m->activation;
	const size_t room = (size_t)n + 1;
	s->value = malloc(room * sizeof *s->value);
	s->probability = malloc(room * sizeof *s->probability);
	s->order = malloc(room * sizeof *s->order);
	s->slot = calloc((size_t)s->batch, sizeof *s->slot);
	if (!s->value || !s->probability || !s->order || !s->slot)
		return complain(s, 1, "not enough memory", "");
	s->out.f = stdout;
	s->out.format = s->opt.json ? APP_JSON : s->opt.csv ? APP_CSV : APP_TEXT;
	s->out.top = s->opt.top;
	s->out.raw = s->opt.raw;
	s->out.min_probability = s->opt.min_probability;
	s->out.n_classes = s->n_classes;
	s->out.labels = m->n_labels >= s->n_classes ? m->labels : NULL;
	return 0;
}

/* DIR/PICTURE.OUTPUT.npy, or DIR/PICTURE.npy when there is one output; slashes become underscores. */
static int write_outputs(const struct session *s, const char *picture, int k, char *err)
{
	for (int i = 0; i < s->m->n_out; i++) {
		struct amp_io one = s->m->out[i];
		char head[512], *path = malloc(strlen(s->opt.out) + strlen(picture) + strlen(one.name) + 16);
		if (!path)
			return app_fail(err, "not enough memory");
		strcpy(path, s->opt.out);
		strcat(path, "/");
		char *p = path + strlen(path);
		strcpy(p, *picture ? picture : one.name);
		if (*picture && s->m->n_out > 1) {
			strcat(p, ".");
			strcat(p, one.name);
		}
		for (; *p; p++)
			if (*p == '/' || *p == '\\' || *p == ':')
				*p = '_';
		strcpy(p, ".npy");
		if (s->batch > 1)
			one.dim[0] = 1;
		const size_t bytes = (size_t)(one.bytes / s->batch);
		const size_t n = app_npy_header(head, &one);
		char *data = (char *)s->outputs[i] + bytes * (size_t)k;
		const size_t element = app_dtype_bytes(one.dtype);
		app_npy_little(data, element ? (int64_t)(bytes / element) : 0, element);
		const int failed = app_write_file(path, head, n, data, bytes, err);
		free(path);
		if (failed)
			return -1;
	}
	return 0;
}

static int check_finite(const struct session *s, int k, char *err)
{
	for (int i = 0; i < s->m->n_out; i++) {
		const struct amp_io *io = &s->m->out[i];
		const int64_t n = elements(io) / s->batch;
		for (int64_t j = 0; is_float(io->dtype) && j < n; j++)
			if (!app_is_finite(app_value(io->dtype, s->outputs[i], k * n + j)))
				return app_fail(err, "the model's output %.60s is not a finite number at %lld", io->name,
						(long long)j);
	}
	return 0;
}

static void answer_row(struct session *s, int k)
{
	struct slot *slot = &s->slot[k];
	struct app_answer a = { .name = slot->name, .n = s->n_classes, .is_float = is_float(s->m->out[0].dtype) };
	if (!slot->failed)
		slot->failed = check_finite(s, k, slot->err);
	for (int i = 0; i < s->n_classes && !slot->failed; i++)
		s->value[i] = app_value(s->m->out[0].dtype, s->outputs[0], (int64_t)k * s->n_classes + i);
	a.values = s->value;
	if (!slot->failed && !s->opt.raw && s->n_classes) {
		slot->failed = app_probabilities(s->probability, s->value, s->n_classes, s->activation, slot->err) ||
			       app_order(s->order, s->probability, s->n_classes, slot->err);
		a.values = s->probability;
		a.order = s->order;
	}
	if (!slot->failed && s->opt.out)
		slot->failed = write_outputs(s, s->n_paths ? slot->name : "", k, slot->err);
	if (slot->failed) {
		a.error = slot->err;
		s->broken++;
	} else if (slot->deep) {
		a.note = "16 bits a channel, scaled to 8";
	}
	app_output_row(&s->out, &a);
	if (s->opt.time)
		fprintf(stderr, "%s: %.2f ms to read and prepare, %.2f ms to run%s\n", slot->name,
			slot->seconds * 1e3, s->run_seconds * 1e3, s->batch > 1 ? " the batch" : "");
}

/* ---- the loop --------------------------------------------------------------------------------------- */

static void show_progress(const struct session *s, int on)
{
	if (!s->progress)
		return;
	if (on)
		fprintf(stderr, "\r%lu of %lu ", (unsigned long)s->done, (unsigned long)s->n_paths);
	else
		fputs("\r                              \r", stderr);
	fflush(stderr);
}

/* --profile: the first batch that could be run, again and again */
static void profile(struct session *s)
{
	struct app_profile p;
	s->opt.profile = 0;
	show_progress(s, 0);
	if (app_profile_runs(&p, s->m, s->state, s->arena, (const void *const *)s->in, s->outputs))
		complain(s, 1, "--profile: not enough memory", "");
	else
		app_profile_print(&p, s->opt.threads, s->opt.json, stderr);
	free(p.seconds);
}

static void flush_batch(struct session *s)
{
	int good = 0;
	for (int k = 0; k < s->used; k++)
		good += !s->slot[k].failed;
	if (good) {
		const double start = app_seconds();
		const enum amp_status st = s->m->run(s->state, s->arena, (const void *const *)s->in, s->outputs);
		s->run_seconds = app_seconds() - start;
		if (st == AMP_OK && s->opt.profile)
			profile(s);
		for (int k = 0; st != AMP_OK && k < s->used; k++)
			if (!s->slot[k].failed)
				s->slot[k].failed = app_fail(s->slot[k].err, "the model failed: %s", status_text(st));
	}
	show_progress(s, 0);
	for (int k = 0; k < s->used; k++)
		answer_row(s, k);
	s->done += (size_t)s->used;
	s->used = 0;
	show_progress(s, 1);
}

/* One file into place k of the batch. */
static int load_picture(struct session *s, const char *path, int k)
{
	const struct amp_io *io = &s->m->in[s->picture_input];
	struct slot *slot = &s->slot[k];
	void *to = (char *)s->in[s->picture_input] + io->bytes / s->batch * k;
	struct app_picture p;
	struct app_file f;
	if (app_read_file(path, APP_MAX_FILE, &f, slot->err))
		return -1;
	int failed;
	if (app_is_npy(f.data, (size_t)f.size)) {
		failed = load_npy(io, s->batch > 1, f.data, (size_t)f.size, to, slot->err);
	} else if (!s->takes_pictures) {
		failed = app_fail(slot->err, "input %.60s takes .npy tensors, no pictures", io->name);
	} else if (!(failed = app_decode(f.data, (size_t)f.size, APP_MAX_PIXELS, &p, slot->err))) {
		slot->deep = p.deep;
		failed = app_preprocess(&p, s->m->preprocess, &s->image, to, slot->err);
		app_free_picture(&p);
	}
	app_free_file(&f);
	return failed;
}

static void run_all(struct session *s)
{
	if (!s->n_paths && !s->broken) {		/* all inputs by name: one run */
		s->slot[0].name = s->m->name;
		s->used = 1;
		flush_batch(s);
	}
	for (size_t i = 0; i < s->n_paths; i++) {
		const double start = app_seconds();
		struct slot *slot = &s->slot[s->used];
		memset(slot, 0, sizeof *slot);
		slot->name = s->path[i];
		slot->failed = load_picture(s, s->path[i], s->used);
		slot->seconds = app_seconds() - start;
		if (++s->used == s->batch)
			flush_batch(s);
	}
	if (s->used)
		flush_batch(s);
	show_progress(s, 0);
}

int main(int argc, char **argv)
{
	static struct session s;
	char err[APP_ERR];
	s.m = amp_app_model;
	app_start(&argc, &argv);
	int code = app_parse_options(&s.opt, s.m, argc, argv);
	if (code >= 0)
		return code;
	const double start = app_seconds();
	if ((code = prepare(&s)) || (code = take_arguments(&s)) || (code = plan_output(&s)))
		return code;
	if (s.opt.time)
		fprintf(stderr, "prepared in %.2f ms; arena %lld bytes, prepared %lld, weights %lld\n",
			(app_seconds() - start) * 1e3, (long long)s.m->arena_bytes, (long long)s.m->prepared_bytes,
			(long long)s.m->weights_bytes);
	if (s.opt.out && app_make_dir(s.opt.out, err))
		return complain(&s, 1, err, "");
	s.progress = s.n_paths > 1 && app_is_terminal(stderr);
	app_output_begin(&s.out);
	run_all(&s);
	app_output_end(&s.out);
	if (ferror(stdout))
		return complain(&s, 1, "the answers could not be written", "");
	if (s.broken && s.n_paths > 1)
		fprintf(stderr, "%s: %d of %lu could not be classified\n", s.m->name, s.broken,
			(unsigned long)s.n_paths);
	return s.broken ? 1 : 0;
}
