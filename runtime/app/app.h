/*
 * app.h - the parts of a classifier program: files, pictures, preprocessing, answers.
 *
 * Data flows one way:
 *	os.c		bytes of a file, a folder's names, the clock; with os_posix.c and os_windows.c, all that
 *			differs by system
 *	picture.c	bytes -> 8-bit RGB, with decode_*.c one a format; npy.c: bytes -> tensor
 *	preprocess.c	8-bit RGB -> the model's input tensor, with resize.c
 *	classes.c	the model's output tensor -> values, probabilities, order
 *	output.c	an answer -> a line of text, JSON or CSV
 *	profile.c	time of each step
 *	options.c	the command line, --help, --version
 *	main.c		prepares the model, loops over the pictures
 *
 * Functions that can fail return 0 for success and -1 with a sentence in err[APP_ERR].
 * Everything that comes from a file is hostile: sizes are checked before they are multiplied.
 */
#ifndef AMPOULE_APP_H
#define AMPOULE_APP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ampoule_rt.h"

#define APP_ERR 256

/* The number of pixels above which a picture is refused: Pillow's limit (a "decompression bomb"). */
#define APP_MAX_PIXELS 178956970
/* The largest file that is read. */
#define APP_MAX_FILE ((int64_t)1 << 30)

/* The model of this program: defined by the emitted folder. */
extern const struct amp_model *const amp_app_model;
/* What makes its pool of threads: amp_pool_new, or NULL for a model that was compiled for one thread. */
extern enum amp_status (*const amp_app_pool)(int threads, struct amp_pool **pool);

/* Write a sentence into err, cut to its length; returns -1, so that callers can return it. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int app_fail(char *err, const char *format, ...);

/* ---- os.c; paths, names and arguments are UTF-8 (on POSIX systems any bytes) */
struct app_file {
	unsigned char *data;		/* aligned to AMP_ALIGN */
	int64_t size;
	int mapped;
};
int app_read_file(const char *path, int64_t max_bytes, struct app_file *f, char *err);
int app_map_file(const char *path, struct app_file *f, char *err);
void app_free_file(struct app_file *f);
int app_write_file(const char *path, const void *head, size_t head_bytes, const void *data,
		   size_t bytes, char *err);
int app_make_dir(const char *path, char *err);
int app_is_dir(const char *path);
int app_list_dir(const char *path, char ***names, size_t *n, char *err); /* sorted by bytes */
void app_free_list(char **names, size_t n);
int app_is_terminal(FILE *f);
int app_is_slash(char c);		/* a folder's name may end in it */
void app_start(int *argc, char ***argv); /* first: arguments as UTF-8, no newline translation */
char *app_beside_program(const char *argv0, const char *name);	/* malloc'd path, or NULL */
double app_seconds(void);		/* a clock for durations */
FILE *app_open(const char *path, const char *mode); /* "rb" or "wb" */
/* between os.c and the system's file: 1 mapped, 0 read it instead, -1 failed */
int app_try_map(const char *path, struct app_file *f, char *err);
void app_unmap(struct app_file *f);
struct app_names {
	char **name;
	size_t n, room;
};
int app_add_name(struct app_names *l, const char *name);
int app_read_dir(const char *path, struct app_names *l, char *err);
#define APP_LARGE_PAGE (2 << 20)
void app_large_pages(void *p, int64_t bytes);	/* asks for them; p is aligned to APP_LARGE_PAGE */
void *app_alloc(int64_t bytes);		/* aligned to AMP_ALIGN, zeroed; NULL when there is none */
void app_free(void *p);

/* ---- sha256.c */
struct app_sha256 {
	uint32_t h[8];
	uint64_t bytes;
	unsigned char block[64];
};
void app_sha256_init(struct app_sha256 *s);
void app_sha256_add(struct app_sha256 *s, const void *data, size_t n);
void app_sha256_hex(struct app_sha256 *s, char hex[65]);

/* ---- picture.c and decode_*.c */
struct app_picture {
	int width, height;
	unsigned char *rgb;		/* [height, width, 3], malloc'd */
	int deep;			/* the file had 16 bits a channel; the low 8 were dropped */
	int orientation;		/* EXIF's 1..8 as read; app_decode() has applied it */
};
const char *app_formats(void);		/* what this build reads, for messages */
int app_is_npy(const unsigned char *data, size_t size);
int app_decode(const unsigned char *data, size_t size, int64_t max_pixels, struct app_picture *p,
	       char *err);
void app_free_picture(struct app_picture *p);

/* for the decoders: check the size, allocate p->rgb and set width and height */
int app_new_picture(struct app_picture *p, int64_t width, int64_t height, int64_t max_pixels,
		    char *err);
int app_exif_orientation(const unsigned char *data, size_t size);	/* 1..8, or 0 for none */
int app_xmp_orientation(const unsigned char *data, size_t size);	/* 0..9, or -1 for none */
void app_cmyk_row(unsigned char *rgb, const unsigned char *cmyk, size_t n, int inverted);

int app_decode_bmp(const unsigned char *data, size_t size, int64_t max_pixels,
		   struct app_picture *p, char *err);
int app_decode_pnm(const unsigned char *data, size_t size, int64_t max_pixels,
		   struct app_picture *p, char *err);
int app_decode_png(const unsigned char *data, size_t size, int64_t max_pixels,
		   struct app_picture *p, char *err);
int app_decode_jpeg(const unsigned char *data, size_t size, int64_t max_pixels,
		    struct app_picture *p, char *err);
int app_decode_tiff(const unsigned char *data, size_t size, int64_t max_pixels,
		    struct app_picture *p, char *err);

/* ---- npy.c */
struct app_npy {
	enum amp_dtype dtype;
	int rank;
	int64_t dim[AMP_MAX_RANK];
	int64_t count;			/* elements */
	int fortran, swapped;		/* first axis fastest; other byte order than this machine's */
	const unsigned char *data;	/* count elements, inside the file's bytes */
};
int app_npy_parse(const unsigned char *data, size_t size, struct app_npy *a, char *err);
void app_npy_copy(const struct app_npy *a, void *to);	/* row-major, this machine's byte order */
void app_npy_little(void *data, int64_t count, size_t element);	/* from this machine's byte order */
size_t app_npy_header(char head[512], const struct amp_io *io);	/* version 1.0, little-endian data */
size_t app_dtype_bytes(enum amp_dtype t);
const char *app_dtype_name(enum amp_dtype t);

/* ---- resize.c */
enum app_resample { APP_NEAREST = 0, APP_LANCZOS = 1, APP_BILINEAR = 2, APP_BICUBIC = 3, APP_BOX = 4,
		    APP_HAMMING = 5 };
/* Pillow's Image.resize() on 8-bit RGB; to holds width * height * 3 bytes. */
int app_resize(const unsigned char *from, int from_width, int from_height, unsigned char *to,
	       int width, int height, int resample, char *err);

/* ---- preprocess.c */
struct app_image_input {
	int batch, channels, height, width;	/* channels 1 or 3 */
	int channels_last;
	enum amp_dtype dtype;			/* AMP_FLOAT or AMP_UINT8 */
};
int app_image_input(const struct amp_io *io, struct app_image_input *in);	/* 0: takes pictures */
/* One picture into one element of the batch. */
int app_preprocess(const struct app_picture *p, const struct amp_preprocess *pre,
		   const struct app_image_input *in, void *to, char *err);

/* ---- classes.c */
double app_exp(double x);
float app_half(uint16_t bits);
double app_value(enum amp_dtype t, const void *data, int64_t i);	/* element i as double */
int app_is_finite(double x);
/* Probabilities of n outputs: softmax, sigmoid or as they are; -1 if an output is not finite. */
int app_probabilities(double *p, const double *out, int n, enum amp_activation a, char *err);
int app_order(int *order, const double *p, int n, char *err);	/* largest first, ties by index */

/* ---- profile.c */
#define APP_PROFILE_RUNS 11
struct app_profile {
	const struct amp_model *m;
	double *seconds;			/* [run][n_steps + 1]: the clock before each step, and at the end */
	int run;
};
double app_peak(void);			/* FMA operations a second of one thread; 0: not known here */
/* Runs the model APP_PROFILE_RUNS times on inputs that are ready. */
int app_profile_runs(struct app_profile *p, const struct amp_model *m, void *state, void *arena,
		     const void *const *in, void *const *out);
void app_profile_print(const struct app_profile *p, int threads, int json, FILE *f);

/* ---- options.c */
struct app_options {
	int top, raw, json, csv, time, profile;
	int threads;				/* 0: as many as the model was compiled for */
	int activation;				/* enum amp_activation, or -1: the model's */
	double min_probability;			/* negative: none */
	const char *isa, *weights, *out;	/* or NULL */
	const char *program;
	int n;
	char **args;				/* PICTURE, FOLDER, -, INPUT=FILE */
};
/* Returns -1 to go on, else the exit code (0 after --help and --version). */
/* The variant of this name: its place in isa_names, or -1. */
int app_find_isa(const struct amp_model *m, const char *name);
int app_parse_options(struct app_options *o, const struct amp_model *m, int argc, char **argv);

/* ---- output.c */
enum app_format { APP_TEXT, APP_JSON, APP_CSV };
struct app_output {
	FILE *f;
	enum app_format format;
	int top, raw;
	double min_probability;			/* negative: none */
	int n_classes;
	const char *const *labels;		/* or NULL: the index */
	int rows;				/* printed so far */
};
struct app_answer {
	const char *name;			/* of the picture */
	const char *error;			/* or NULL */
	const char *note;			/* or NULL */
	const double *values;			/* probabilities, or raw outputs with --raw */
	const int *order;
	int n;
	int is_float;				/* the outputs' type, for 9 digits or whole numbers */
};
void app_output_begin(struct app_output *o);
void app_output_row(struct app_output *o, const struct app_answer *a);
void app_output_end(struct app_output *o);

#endif
