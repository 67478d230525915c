/*
 * ampoule_rt.h - everything that emitted C sees: status codes, the model's description, the kernel
 * interface.  Freestanding: no libc beyond <stdint.h> and <stddef.h>.
 *
 * An emitted model NAME gives:
 *	NAME.h		sizes as constants, NAME_prepare(), NAME_run(), documented with shapes
 *	NAME_model	a struct amp_model: the same as data, for programs that serve any model
 */
#ifndef AMPOULE_RT_H
#define AMPOULE_RT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What every call of emitted code returns; never ignored. */
enum amp_status {
	AMP_OK = 0,
	AMP_ERR_ARGUMENT = 1,	/* a pointer is NULL or not aligned as the header says */
	AMP_ERR_BLOB = 2,	/* the weights are not the ones that this code was made with */
	AMP_ERR_ISA = 3,	/* this CPU lacks the instructions of the requested variant */
	AMP_ERR_POOL = 4,	/* the thread pool does not fit the emitted number of threads, or cannot be made */
	AMP_ERR_INDEX = 5	/* an index in the input data is outside its axis */
};

/* Element types, numbered as in ONNX's TensorProto.DataType. */
enum amp_dtype {
	AMP_FLOAT = 1, AMP_UINT8 = 2, AMP_INT8 = 3, AMP_UINT16 = 4, AMP_INT16 = 5, AMP_INT32 = 6,
	AMP_INT64 = 7, AMP_BOOL = 9, AMP_FLOAT16 = 10, AMP_DOUBLE = 11, AMP_UINT32 = 12,
	AMP_UINT64 = 13, AMP_BFLOAT16 = 16
};

#define AMP_MAX_RANK 8		/* of model inputs and outputs and of kernels' index spaces */
#define AMP_ALIGN 64		/* of arena, prepared and weights */

/* One input or output of a model: a plain row-major tensor (last axis fastest). */
struct amp_io {
	const char *name;		/* ONNX's name */
	enum amp_dtype dtype;
	int rank;
	int64_t dim[AMP_MAX_RANK];
	int64_t bytes;
};

/*
 * How a picture becomes the input tensor, in this order (Hugging Face's preprocessor_config.json):
 * resize, centre crop, rescale, normalise.  Resizing is Pillow's on 8-bit RGB, byte for byte.
 */
struct amp_preprocess {
	int resize;			/* 0: no; 1: to width x height; 2: shortest edge to `width` */
	int width, height;
	int resample;			/* Pillow's numbers: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic */
	int crop;			/* centre crop to crop_width x crop_height, zero padded if larger */
	int crop_width, crop_height;
	int bgr;			/* 1: channels in the order B, G, R */
	int rescale;			/* multiply by rescale_factor */
	double rescale_factor;
	int normalize;			/* then (x - mean) / std */
	double mean[4], std[4];
};

enum amp_activation { AMP_ACT_NONE = 0, AMP_ACT_SOFTMAX = 1, AMP_ACT_SIGMOID = 2 };

/*
 * Threads that work on one run together.  A model compiled with --threads N takes a pool of 1 to N threads in
 * NAME_prepare(); NULL: the caller's thread alone.  The answer has the same bytes with any number.
 *
 * amp_pool_new() (pool/pool.c in the emitted folder, for POSIX threads and Windows) makes one; a program with threads
 * of its own may fill in the struct itself.  The pool belongs to whoever made it and must outlive the runs of
 * all models prepared with it; it may serve several models, and several threads of the caller: a run that finds
 * it busy goes on in its caller's thread alone.
 */
struct amp_pool {
	int threads;			/* the caller's own included; 1 or more */
	/*
	 * Calls job(arg, part, parts) for part 0 in the caller's thread and for each other part of 1 .. parts - 1 at
	 * most once in a thread of its own, parts = threads; returns 0 when all that began have ended, and none begins
	 * after that.  They share the work as they come: a thread that has not begun when part 0 ends has nothing left
	 * to do and may be left out.  Returns 1, with nothing called, when the pool is busy.
	 */
	int (*run)(struct amp_pool *pool, void (*job)(void *arg, int part, int parts), void *arg);
	/* Lets other threads run; called before a part is taken from its thread, and in a long wait.  May be NULL. */
	void (*yield)(void);
};

#define AMP_MAX_THREADS 64

/*
 * Starts threads - 1 threads, which wait and then sleep until there is work.  On AMP_OK *pool is theirs; else it is
 * NULL: AMP_ERR_ARGUMENT (threads outside 1 .. AMP_MAX_THREADS), AMP_ERR_POOL (the system has no memory or no
 * thread left).
 */
enum amp_status amp_pool_new(int threads, struct amp_pool **pool);

/* Ends the threads.  No run may use the pool any more.  NULL is allowed. */
void amp_pool_free(struct amp_pool *pool);

/*
 * Called by a run in its caller's thread before each step (its number in amp_model's steps) and, with n_steps, after
 * the last one: a clock read there gives the time of each step.
 */
typedef void amp_watch(void *arg, int step);

/* A step of the model, for people and profiles. */
struct amp_step {
	const char *op, *name;		/* ONNX's operator and name of the node (the last of those fused) */
	const char *how;		/* the kernel, or "elementwise" */
	const char *shape;		/* of the first output */
	int64_t macs;			/* multiply-accumulates as the node states them */
	int64_t bytes;			/* of inputs, weights and outputs */
	int parts;			/* threads that can share it */
};

/* A model as data.  All functions are reentrant; all memory is the caller's. */
struct amp_model {
	const char *name;
	const char *version;		/* of the compiler */
	const char *model_sha256;	/* of the ONNX file, hexadecimal */
	const char *weights_sha256;	/* of the blob, hexadecimal */
	int n_in, n_out;
	const struct amp_io *in, *out;
	const char *no_contract;	/* the flag for which the numeric contract is not promised; NULL: it holds */
	int threads;			/* --threads: a pool may have 1 to this many */
	int64_t arena_bytes;		/* for run; AMP_ALIGN aligned; one for each thread of the caller */
	int64_t prepared_bytes;		/* for prepare; may be 0 */
	int64_t weights_bytes;
	int64_t state_bytes;		/* of struct NAME */
	const unsigned char *weights;	/* embedded blob, or NULL: then read weights_file */
	const char *weights_file;	/* name of the blob's file beside the program, or NULL */
	int n_isa;
	const char *const *isa_names;	/* variants in this binary, best last */
	int (*best_isa)(void);		/* the best one that this CPU runs */
	/*
	 * prepare: state (state_bytes), blob (weights_bytes), prepared (prepared_bytes or NULL),
	 * pool or NULL, isa: index into isa_names, or -1 for best_isa().
	 * run: in[n_in] and out[n_out] are tensors as `in` and `out` describe.
	 */
	enum amp_status (*prepare)(void *state, const void *blob, void *prepared,
				   struct amp_pool *pool, int isa);
	enum amp_status (*run)(const void *state, void *arena, const void *const in[],
			       void *const out[]);
	int n_steps;
	const struct amp_step *steps;
	/* The watch of later runs; NULL: none.  Costs nothing while there is none. */
	void (*watch)(void *state, amp_watch *watch, void *arg);
	/* classifier part: may be NULL or 0 */
	const char *const *labels;
	int n_labels;
	const struct amp_preprocess *preprocess;
	int ends_in_softmax;		/* the graph itself ends in Softmax */
	enum amp_activation activation;	/* what the classifier applies to the output */
};

/* ---- the kernels' interface -------------------------------------------------------------- */

/*
 * What a kernel gets besides its operands: scratch as planned, and its share of the work.
 *
 * A step is called once for each part of 0 .. parts - 1, in any order or at the same time, and each call computes its
 * share of the outputs: which element belongs to which part changes no bits.  A kernel that cannot divide its work does
 * all of it in part 0.  A kernel may ask for phases: all parts end phase i before any begins phase i + 1.
 */
struct amp_env {
	void *scratch;			/* of this part; holds nothing from one phase to the next */
	int part, parts;
	enum amp_status status;		/* a kernel that sees bad data (an index) stores it here */
	int phase;			/* 0 .. phases - 1 */
	void *shared;			/* scratch of all parts, kept through all phases of the step */
};

/* A kernel: constant parameters, operands, environment. */
typedef void amp_kernel(const void *params, const void *const in[], void *const out[],
			struct amp_env *env);

#ifdef __cplusplus
}
#endif
#endif
