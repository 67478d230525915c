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
	AMP_ERR_POOL = 4,	/* the thread pool does not fit the emitted number of threads */
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

struct amp_pool;			/* threads; NULL runs in the caller's */

/* A model as data.  All functions are reentrant; all memory is the caller's. */
struct amp_model {
	const char *name;
	const char *version;		/* of the compiler */
	const char *model_sha256;	/* of the ONNX file, hexadecimal */
	const char *weights_sha256;	/* of the blob, hexadecimal */
	int n_in, n_out;
	const struct amp_io *in, *out;
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
	/* classifier part: may be NULL or 0 */
	const char *const *labels;
	int n_labels;
	const struct amp_preprocess *preprocess;
	int ends_in_softmax;		/* the graph itself ends in Softmax */
	enum amp_activation activation;	/* what the classifier applies to the output */
};

/* ---- the kernels' interface -------------------------------------------------------------- */

/* What a kernel gets besides its operands: scratch as planned, and its share of the work. */
struct amp_env {
	void *scratch;
	int part, parts;		/* this call computes slice `part` of `parts` of the outputs */
	enum amp_status status;		/* a kernel that sees bad data (an index) stores it here */
};

/* A kernel: constant parameters, operands, environment. */
typedef void amp_kernel(const void *params, const void *const in[], void *const out[],
			struct amp_env *env);

#ifdef __cplusplus
}
#endif
#endif
