/*
 * user.c - a program of somebody else's that uses the installed library: every call of ampoule.h, from files and from
 * memory, right and wrong.  It has functions of its own by names that the compiler's sources use too.
 *
 *	user TINY.onnx UNKNOWN.onnx FOLDER
 */
#define _POSIX_C_SOURCE 200809L
#include <ampoule.h>

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(x) ((x) ? (void)0 : (printf("user.c:%d: not so: %s\n", __LINE__, #x), exit(1)))

/* names that would clash if the library showed its own */
int diag(void), fatal(void), str_eq(void), graph_new(void), cmd_compile(void), ctx_new(void);
int diag(void) { return 1; }
int fatal(void) { return 2; }
int str_eq(void) { return 3; }
int graph_new(void) { return 4; }
int cmd_compile(void) { return 5; }
int ctx_new(void) { return 6; }

struct file { char path[200]; unsigned char *data; size_t n; };
struct files { struct file f[1000]; int n, stop_at; };

static int put(void *arg, const char *path, const void *data, size_t n)
{
	struct files *fs = arg;
	if (fs->n == fs->stop_at)
		return 1;
	struct file *f = &fs->f[fs->n++];
	CHECK(fs->n < 1000 && strlen(path) < sizeof f->path);
	strcpy(f->path, path);
	f->n = n;
	CHECK((f->data = malloc(n + 1)) != NULL);
	memcpy(f->data, data, n);
	return 0;
}

static unsigned char *read_all(const char *path, size_t *n)
{
	static unsigned char buf[1 << 20];
	FILE *f = fopen(path, "rb");
	CHECK(f != NULL);
	*n = fread(buf, 1, sizeof buf, f);
	fclose(f);
	unsigned char *p = malloc(*n + 1);
	CHECK(p != NULL && *n < sizeof buf);
	memcpy(p, buf, *n);
	return p;
}

static const char *tiny;

static void *thread(void *arg)
{
	const struct ampoule_tensor *out;
	int n_out;
	struct ampoule *a = ampoule_new();
	struct ampoule_options o = AMPOULE_OPTIONS;
	o.exact = 1;
	for (int i = 0; i < 5; i++) {
		CHECK(ampoule_run(a, &AMPOULE_FILE(tiny), &o, NULL, 0, &out, &n_out) == AMPOULE_SUCCESS);
		CHECK(n_out == 1 && out->bytes == 12);
		memcpy(arg, out->data, 12);
	}
	ampoule_free(a);
	return NULL;
}

int main(int argc, char **argv)
{
	CHECK(argc == 4);
	setlocale(LC_ALL, "");		/* the caller's, perhaps with a decimal comma */
	tiny = argv[1];
	const struct ampoule_model file = AMPOULE_FILE(tiny), unknown = AMPOULE_FILE(argv[2]);
	struct ampoule_options o = AMPOULE_OPTIONS;
	const char *json;
	char path[4096];
	static struct files fs = { .stop_at = -1 };

	CHECK(strchr(ampoule_version(), '.') != NULL);
	ampoule_free(NULL);
	struct ampoule *a = ampoule_new();
	CHECK(a != NULL && ampoule_messages(a) == 0 && ampoule_message(a, 0) == NULL);

	/* to a folder, and to memory from memory: the same files */
	o.library = 1;
	o.name = "net";
	CHECK(ampoule_compile(a, &file, &o, argv[3]) == AMPOULE_SUCCESS && ampoule_messages(a) == 0);
	size_t n;
	unsigned char *bytes = read_all(tiny, &n);
	const char *slash = strrchr(tiny, '/');
	const struct ampoule_model memory = { slash ? slash + 1 : tiny, bytes, n, NULL };
	CHECK(ampoule_compile_to(a, &memory, &o, put, &fs) == AMPOULE_SUCCESS);
	CHECK(fs.n > 5);
	for (int i = 0; i < fs.n; i++) {
		size_t k;
		snprintf(path, sizeof path, "%s/%s", argv[3], fs.f[i].path);
		unsigned char *p = read_all(path, &k);
		CHECK(k == fs.f[i].n && memcmp(p, fs.f[i].data, k) == 0);
		free(p);
		free(fs.f[i].data);
	}
	fs = (struct files){ .stop_at = 0 };
	CHECK(ampoule_compile_to(a, &file, &o, put, &fs) == AMPOULE_INPUT && ampoule_messages(a) == 1);

	/* all problems at once, with their places */
	CHECK(ampoule_compile(a, &unknown, NULL, argv[3]) == AMPOULE_INPUT);
	int errors = 0;
	for (int i = 0; i < ampoule_messages(a); i++) {
		const struct ampoule_message *m = ampoule_message(a, i);
		CHECK(m->text[0] && strcmp(m->file, argv[2]) == 0 && m->stage);
		errors += m->severity == AMPOULE_ERROR;
	}
	CHECK(errors == 3 && ampoule_message(a, ampoule_messages(a)) == NULL && ampoule_message(a, -1) == NULL);
	const struct ampoule_model none = AMPOULE_FILE("/no/such.onnx");
	CHECK(ampoule_inspect(a, &none, NULL, &json) == AMPOULE_INPUT && !json && ampoule_messages(a) == 1);
	const struct ampoule_model broken = { "x.onnx", bytes, n / 2, NULL };
	CHECK(ampoule_inspect(a, &broken, NULL, &json) == AMPOULE_INPUT && !json);

	/* wrong usage */
	struct ampoule_options bad = AMPOULE_OPTIONS;
	bad.target = "z80";
	CHECK(ampoule_inspect(a, &file, &bad, &json) == AMPOULE_USAGE && ampoule_messages(a) == 1);
	bad = (struct ampoule_options)AMPOULE_OPTIONS;
	bad.activation = "loud";
	CHECK(ampoule_inspect(a, &file, &bad, &json) == AMPOULE_USAGE);
	bad = (struct ampoule_options){ .size = 0 };
	CHECK(ampoule_inspect(a, &file, &bad, &json) == AMPOULE_USAGE);
	CHECK(ampoule_inspect(a, NULL, NULL, &json) == AMPOULE_USAGE);
	CHECK(ampoule_compile(a, &file, NULL, NULL) == AMPOULE_USAGE);
	bad = (struct ampoule_options)AMPOULE_OPTIONS;
	bad.size = 2 * sizeof(size_t);		/* a caller of a smaller, older version */
	CHECK(ampoule_inspect(a, &file, &bad, &json) == AMPOULE_SUCCESS);

	CHECK(ampoule_inspect(a, &file, NULL, &json) == AMPOULE_SUCCESS && strstr(json, "\"arena_bytes\""));

	/* run: by name, by position, generated, exact, wrong */
	static float image[3 * 12 * 12];
	for (int i = 0; i < 3 * 12 * 12; i++)
		image[i] = (float)(i % 7) / 8;
	struct ampoule_tensor in = { "image", 1, 4, { 1, 3, 12, 12 }, image, sizeof image };
	const struct ampoule_tensor *out;
	int n_out;
	CHECK(ampoule_run(a, &file, NULL, &in, 1, &out, &n_out) == AMPOULE_SUCCESS && n_out == 1);
	CHECK(strcmp(out->name, "probabilities") == 0 && out->dtype == 11 && out->rank == 2 && out->dim[1] == 3);
	double truth[3], sum = 0;
	memcpy(truth, out->data, sizeof truth);
	in.name = NULL;
	o.exact = 1;
	CHECK(ampoule_run(a, &memory, &o, &in, 1, &out, &n_out) == AMPOULE_SUCCESS && out->dtype == 1);
	for (int i = 0; i < 3; i++) {
		const double e = (double)((const float *)out->data)[i] - truth[i];
		sum += truth[i];
		CHECK(e < 1e-6 && e > -1e-6);
	}
	CHECK(sum > 0.999999 && sum < 1.000001);
	in.dim[3] = 11;
	CHECK(ampoule_run(a, &file, &o, &in, 1, &out, &n_out) == AMPOULE_USAGE && !out && !n_out);
	in.bytes = 4 * 3 * 12 * 11;
	CHECK(ampoule_run(a, &file, &o, &in, 1, &out, &n_out) == AMPOULE_INPUT && ampoule_messages(a) == 1);
	in.name = "nobody";
	CHECK(ampoule_run(a, &file, &o, &in, 1, &out, &n_out) == AMPOULE_INPUT);
	in.rank = 17;
	CHECK(ampoule_run(a, &file, &o, &in, 1, &out, &n_out) == AMPOULE_USAGE);

	/* verify */
	CHECK(ampoule_verify(a, &file, NULL, &json) == AMPOULE_SUCCESS && strstr(json, "\"ok\": true"));
	o.rtol = o.atol = -1;
	CHECK(ampoule_verify(a, &file, &o, &json) == AMPOULE_TOLERANCE && strstr(json, "\"ok\": false"));

	/* several threads, each with its own */
	pthread_t t[2];
	float got[2][3];
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, thread, got[i]) == 0);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(memcmp(got[0], got[1], sizeof got[0]) == 0);
	CHECK(diag() + fatal() + str_eq() + graph_new() + cmd_compile() + ctx_new() == 21);
	ampoule_free(a);
	free(bytes);
	fprintf(stderr, "user: all calls do as ampoule.h says\n");
	return 0;
}
