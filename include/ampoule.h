/*
 * ampoule.h - the compiler as a library: ONNX in, C out, from a program of your own.
 *
 *	struct ampoule *a = ampoule_new();
 *	struct ampoule_options o = AMPOULE_OPTIONS;
 *	o.labels = "config.json";
 *	if (ampoule_compile(a, &AMPOULE_FILE("rcmnet.onnx"), &o, "out") != AMPOULE_SUCCESS)
 *		for (int i = 0; i < ampoule_messages(a); i++)
 *			puts(ampoule_message(a, i)->text);
 *	ampoule_free(a);
 *
 * Build: cc program.c -lampoule -lm.  (Names that begin with ampoule_ or AMPOULE_ are the interface; the library
 * shows no others to the linker.)
 *
 * No call prints, exits or changes the process's state; the caller's locale does not matter.  One `struct
 * ampoule` serves one thread at a time; several may work side by side.  What a call hands out (messages, texts,
 * tensors) belongs to the struct ampoule and lives until the next call on it.  verify starts the C compiler and
 * make as child processes; nothing else does.
 */
#ifndef AMPOULE_H
#define AMPOULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ampoule;

/* As the exit codes of the command line. */
enum ampoule_result {
	AMPOULE_SUCCESS = 0,
	AMPOULE_INPUT = 1,		/* the model or another input is at fault; the messages say where */
	AMPOULE_USAGE = 2,		/* an option or an argument is wrong */
	AMPOULE_TOLERANCE = 3,		/* verify: a comparison was out of tolerance */
	AMPOULE_INTERNAL = 4		/* a fault of Ampoule's */
};

const char *ampoule_version(void);	/* "0.1.0" */

/* NULL when there is no memory.  ampoule_free(NULL) does nothing. */
struct ampoule *ampoule_new(void);
void ampoule_free(struct ampoule *a);

/* ---- messages --------------------------------------------------------------------------------------- */

enum ampoule_severity { AMPOULE_NOTE, AMPOULE_WARNING, AMPOULE_ERROR };

struct ampoule_message {
	enum ampoule_severity severity;
	const char *file;		/* the model, or NULL */
	const char *where;		/* "node \"/conv1/Conv\" (Conv-0)", or NULL */
	const char *stage;		/* "import", "infer", ..., or NULL */
	const char *text;		/* what is wrong, what was expected, what to do */
};

/* Everything that the last call found, all problems at once; 0 <= i < ampoule_messages(a), else NULL. */
int ampoule_messages(const struct ampoule *a);
const struct ampoule_message *ampoule_message(const struct ampoule *a, int i);

/* ---- models and options --------------------------------------------------------------------------------- */

/* A model in a file, or in memory (then `path` is its name in messages and need not exist). */
struct ampoule_model {
	const char *path;
	const void *bytes;		/* NULL: read the file */
	size_t n_bytes;
	const char *folder;		/* where a model in memory keeps external data; NULL: it may have none */
};
/* In C; a C++ program fills the struct itself. */
#define AMPOULE_FILE(path) ((const struct ampoule_model){ (path), NULL, 0, NULL })

enum ampoule_weights { AMPOULE_EMBED, AMPOULE_ARRAY, AMPOULE_FILE_BESIDE };

/*
 * What `ampoule help COMMAND` explains; zero or NULL is the default everywhere.  Begin with AMPOULE_OPTIONS,
 * which sets `size`: a later version may append members, and reads only those that you have.
 */
struct ampoule_options {
	size_t size;			/* sizeof(struct ampoule_options) */
	const char *target;		/* "native", a name, or the path of a .target file */
	const char *const *dims;	/* "batch=1", ...; ends with NULL */
	const char *const *shapes;	/* "image=1x3x224x224", ...; ends with NULL */
	const char *plan;		/* numeric plan: "speed" (NULL), "size" or "direct" */
	/* compile */
	const char *name;		/* a C identifier */
	enum ampoule_weights weights;
	int library;			/* 1: no classifier */
	const char *labels, *preprocess;
	const char *activation;		/* "softmax", "sigmoid", "none" */
	/* run and verify */
	int exact;			/* run: the contract's bytes instead of double precision */
	int64_t seed;			/* of inputs that are not given */
	const char *const *data;	/* verify: folders of test data; ends with NULL */
	double rtol, atol;		/* verify: 0 and 0 are the defaults, a negative one is 0 */
	const char *cc;			/* verify: "gcc" */
	/* compile, inspect, verify */
	int threads;			/* 1 to 64 threads can share the code; 0: 1 */
	const char *transform;		/* Winograd's and Strassen's weights: "ahead" (NULL), or at "start", by NAME_prepare() */
};
#define AMPOULE_OPTIONS { sizeof(struct ampoule_options), NULL, NULL, NULL, NULL, NULL, AMPOULE_EMBED, 0, NULL, NULL, \
	NULL, 0, 0, NULL, 0, 0, NULL, 0, NULL }

/* ---- the work ----------------------------------------------------------------------------------------------
 * `o` may be NULL everywhere: the defaults.
 */

/* Writes the emitted folder; what is at `folder` is replaced only if it is empty or was written by Ampoule. */
enum ampoule_result ampoule_compile(struct ampoule *a, const struct ampoule_model *model,
				    const struct ampoule_options *o, const char *folder);

/*
 * The same, into memory: put() gets each file once, its path relative to the folder ("kernels/conv.inc").  It
 * returns 0 to go on; anything else ends the call with AMPOULE_INPUT.
 */
typedef int ampoule_put(void *arg, const char *path, const void *data, size_t n);
enum ampoule_result ampoule_compile_to(struct ampoule *a, const struct ampoule_model *model,
				       const struct ampoule_options *o, ampoule_put *put, void *arg);

/* What `ampoule inspect --json` prints: operators, parameters, MACs, memory, the plan. */
enum ampoule_result ampoule_inspect(struct ampoule *a, const struct ampoule_model *model,
				    const struct ampoule_options *o, const char **json);

/* What `ampoule verify --json` prints; *json is set with AMPOULE_SUCCESS and AMPOULE_TOLERANCE. */
enum ampoule_result ampoule_verify(struct ampoule *a, const struct ampoule_model *model,
				   const struct ampoule_options *o, const char **json);

#define AMPOULE_MAX_RANK 16

/* A dense row-major tensor; dtype is ONNX's number (1 float, 7 int64, 11 double, ...). */
struct ampoule_tensor {
	const char *name;		/* of an input or output; of an input NULL: by position */
	int dtype, rank;
	int64_t dim[AMPOULE_MAX_RANK];
	const void *data;
	size_t bytes;
};

/*
 * Evaluates the model inside the compiler.  Inputs that are not among in[n_in] are generated from o->seed.  *out is
 * an array of *n_out tensors, in double where the model has floats unless o->exact is set.
 */
enum ampoule_result ampoule_run(struct ampoule *a, const struct ampoule_model *model,
				const struct ampoule_options *o, const struct ampoule_tensor *in, int n_in,
				const struct ampoule_tensor **out, int *n_out);

#ifdef __cplusplus
}
#endif
#endif
