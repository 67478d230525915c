/*
 * emit.h - the only code that prints C.  In: a planned schedule.  Out: the files of the emitted folder,
 * in memory first, so that a folder appears complete or not at all.
 */
#ifndef AMP_EMIT_H
#define AMP_EMIT_H

#include "ir/schedule.h"
#include "target/target.h"

enum weights_mode { WEIGHTS_EMBED, WEIGHTS_ARRAY, WEIGHTS_FILE };

struct emit_options {
	const char *name;			/* a C identifier */
	const char *model_file;		/* its last path component, for comments */
	const char *model_sha256;
	const char *version;
	const struct target *target;
	enum weights_mode weights;
	bool library;				/* no classifier */
	const char *const *labels;
	int n_labels;
	const struct amp_preprocess *preprocess;	/* or NULL */
	enum amp_activation activation;
	bool activation_given;			/* else softmax unless the graph ends in one */
};

struct out_file {
	const char *path;			/* relative to the folder */
	const char *data;
	size_t n;
};

struct emission {
	struct ctx *c;
	const struct emit_options *o;
	const struct schedule *s;
	const struct plan *p;
	struct out_file *files;			/* vec */
	const char *weights_sha256;		/* of the whole blob */
	const char *body_sha256;		/* of what follows its header */
	bool ends_in_softmax;
	/* NULL, or what makes more in the temporary folder and adds it to the files; false: the folder does not appear */
	bool (*finish)(struct emission *e, void *arg, const char *dir);
	void *finish_arg;
};

/* All files but the manifest. */
struct emission *emit_c(struct ctx *c, const struct schedule *s, const struct plan *p,
			const struct emit_options *o);
void emit_add(struct emission *e, const char *path, const char *data, size_t n);
void emit_add_text(struct emission *e, const char *path, const struct text *t);

/*
 * Writes the folder: to a temporary one beside it, then renamed.  A folder that is there is replaced only
 * when it is empty or was written by ampoule (it holds a manifest.json of ours).
 */
bool emit_write(struct emission *e, const char *dir);

/* Removes a file or a folder with all that it holds; true also when there was none. */
bool remove_tree(const char *path);

/* Parts, one file each. */
void emit_model(struct emission *e);		/* NAME_model.c: the steps */
void emit_interface(struct emission *e);	/* NAME.h, NAME.c: sizes, dispatch, the model as data */
void emit_weights(struct emission *e);		/* NAME.weights, NAME_weights.S or .c */
void emit_makefile(struct emission *e);
void emit_runtime(struct emission *e, const char *model_c);	/* copies what model_c includes, and the app */

/* The name of a macro: s in capitals. */
const char *upper(struct ctx *c, const char *s);
/* Text for a comment: no end of comment, no line break, no trigraph. */
const char *comment_text(struct ctx *c, const char *s);
/* "float[1,64,56,56] c16" */
const char *value_text(struct ctx *c, const struct value *v);

#endif
