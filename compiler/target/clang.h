/*
 * clang.h - an installed clang, which has every LLVM triple in one compiler: what a triple is, and objects for it.
 *
 * Nothing here needs a C library or a cross compiler: clang's own headers are enough for an emitted model.
 */
#ifndef AMP_CLANG_H
#define AMP_CLANG_H

#include "target/target.h"

struct clang {
	const char *path, *name;	/* file; as it was looked for */
	const char *version;		/* the first line that it says */
};

/* $AMPOULE_CLANG, else clang, clang-30, clang-29, ... of $PATH; NULL when there is none. */
const struct clang *clang_find(struct ctx *c);
/* The predefined macros of a triple, one "#define NAME VALUE" a line; NULL and *why when clang does not know it. */
const char *clang_macros(struct ctx *c, const struct clang *x, const char *triple, const char **why);
/* The value of a macro, "" if it has none, NULL if it is not defined. */
const char *macro_value(struct ctx *c, const char *macros, const char *name);

enum emit_kind { EMIT_C, EMIT_OBJ, EMIT_ASM, EMIT_LL };
/*
 * Compiles the model part of an emitted library in `dir`, each file beside its source: NAME.o, NAME_model_VARIANT.o,
 * NAME_weights.o; or .s; or .ll (then without weights that the assembler includes).  False after diagnostics.
 * `pool`: the threads' pool.o as well; it alone wants the system's headers, and a warning says where there are none.
 * The files' names join *made.
 */
bool clang_objects(struct ctx *c, const struct clang *x, const char *dir, const char *name, const char *triple,
		   const struct target *t, bool pool, enum emit_kind kind, const char ***made);

/*
 * The target that a triple is: its vector header if there is one, else plain C.  From clang's macros, and, where this
 * ampoule is linked with LLVM, from LLVM's data layout.  NULL after a diagnostic that says what is missing.
 */
const struct target *target_of_triple(struct ctx *c, const char *triple);
/* The same as the text of a .target file in which guesses are marked; false after a diagnostic. */
bool target_probe(struct ctx *c, const char *triple, struct text *t);

#endif
