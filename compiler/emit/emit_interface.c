/*
 * emit_interface.c - prints NAME.h (what the user includes) and NAME.c (prepare, run, choice of the variant,
 * the model as data).
 */
#include "emit/emit.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

const char *upper(struct ctx *c, const char *s)
{
	char *u = str_dup(c, s);
	for (char *p = u; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return u;
}

static const char *c_type(enum dtype t)
{
	switch (t) {
	case DT_FLOAT: return "float";
	case DT_DOUBLE: return "double";
	case DT_UINT8: return "uint8_t";
	case DT_BOOL: return "uint8_t (0 or 1)";
	case DT_INT8: return "int8_t";
	case DT_UINT16: return "uint16_t";
	case DT_INT16: return "int16_t";
	case DT_UINT32: return "uint32_t";
	case DT_INT32: return "int32_t";
	case DT_UINT64: return "uint64_t";
	case DT_INT64: return "int64_t";
	case DT_FLOAT16: return "uint16_t (IEEE half)";
	case DT_BFLOAT16: return "uint16_t (bfloat16)";
	default: return "?";
	}
}

static void io_comment(struct emission *e, struct text *t, const char *dir, struct value *const *v)
{
	for (int i = 0; i < vec_len(v); i++)
		text_printf(t, " *\t%s[%d]  %s  %s, %" PRId64 " bytes of %s\n", dir, i,
			    comment_text(e->c, v[i]->name), type_text(e->c, &v[i]->type),
			    type_bytes(&v[i]->type), c_type(v[i]->type.dtype));
}

static void header(struct emission *e)
{
	struct ctx *c = e->c;
	const char *n = e->o->name, *u = upper(c, n);
	const struct graph *g = e->s->g;
	struct text t = { .c = c };
	text_printf(&t, "/*\n * %s.h - the model %s as C.  Emitted by Ampoule %s.\n * Model SHA-256 %s\n *\n", n,
		    comment_text(c, e->o->model_file), e->o->version, e->o->model_sha256);
	io_comment(e, &t, "in", g->inputs);
	io_comment(e, &t, "out", g->outputs);
	text_printf(&t, " *\n * Tensors are row-major, the last axis fastest.  %s\n",
		    e->ends_in_softmax ? "The model ends in Softmax: out[0] holds probabilities."
				       : "The model does not end in Softmax: out[0] is as the model gives it.");
	text_printf(&t, " *\n * Use: once NAME_prepare(), then NAME_run() from any number of threads, each with an "
		    "arena of its own.\n * No call allocates, prints or keeps state elsewhere.\n */\n"
		    "#ifndef %s_H\n#define %s_H\n\n#include \"ampoule_rt.h\"\n\n#ifdef __cplusplus\n"
		    "extern \"C\" {\n#endif\n\n", u, u);
	text_printf(&t, "#define %s_ARENA_BYTES %" PRId64 "\t/* AMP_ALIGN aligned */\n", u, e->p->arena_bytes);
	text_printf(&t, "#define %s_PREPARED_BYTES %" PRId64 "\t/* %s */\n", u, e->p->prepared_bytes,
		    e->p->prepared_bytes ? "AMP_ALIGN aligned" : "weights are used as they lie");
	text_printf(&t, "#define %s_WEIGHTS_BYTES %" PRId64 "\n", u, e->p->weights_bytes);
	text_printf(&t, "#define %s_THREADS %d\n", u, e->s->threads);
	for (int i = 0; i < vec_len(g->inputs); i++)
		text_printf(&t, "#define %s_IN%d_BYTES %" PRId64 "\n", u, i, type_bytes(&g->inputs[i]->type));
	for (int i = 0; i < vec_len(g->outputs); i++)
		text_printf(&t, "#define %s_OUT%d_BYTES %" PRId64 "\n", u, i, type_bytes(&g->outputs[i]->type));
	text_printf(&t, "\n/* A prepared model: read only after %s_prepare(). */\nstruct %s {\n"
		    "\tconst unsigned char *weights;\n%s\tint isa;\n\tstruct amp_pool *pool;\n\tamp_watch *watch;\n"
		    "\tvoid *watch_arg;\n};\n\n", n, n, e->p->prepared_bytes ? "\tunsigned char *prepared;\n" : "");
	text_printf(&t, "/*\n * Fills *m.  blob: the weights (%s_weights when they are embedded, else the content of "
		    "%s.weights),\n * AMP_ALIGN aligned, kept by the caller as long as *m is used.  prepared:\n * "
		    "%s_PREPARED_BYTES, which it fills, kept as long; NULL when that is 0.  pool: %s.\n * isa: index of a "
		    "variant, -1: the best one that this CPU runs.\n * AMP_ERR_ARGUMENT, AMP_ERR_BLOB (not this model's weights), "
		    "AMP_ERR_ISA, AMP_ERR_POOL.\n */\nenum amp_status %s_prepare(struct %s *m, const void *blob, void *prepared,\n"
		    "\tstruct amp_pool *pool, int isa);\n\n", n, n, u, e->s->threads > 1 ?
		    str_printf(c, "NULL, or 1 to %d threads (amp_pool_new()), kept by the caller\n * as long as *m is "
			       "used", e->s->threads) : "NULL, or of one thread", n, n);
	text_printf(&t, "/* Later runs call watch(arg, step), see ampoule_rt.h; watch NULL: no longer. */\n"
		    "void %s_watch(struct %s *m, amp_watch *watch, void *arg);\n\n", n, n);
	text_printf(&t, "/*\n * Runs the model: in[] and out[] as above, arena of %s_ARENA_BYTES, AMP_ALIGN aligned, "
		    "which may\n * hold anything.  Inputs and outputs may not overlap the arena or each other.\n */\n"
		    "enum amp_status %s_run(const struct %s *m, void *arena, const void *const in[], "
		    "void *const out[]);\n\n", u, n, n);
	if (e->o->weights != WEIGHTS_FILE)
		text_printf(&t, "extern const unsigned char %s_weights[];\t/* the blob, embedded */\n", n);
	text_printf(&t, "extern const struct amp_model %s_model;\t/* all of this as data */\n\n"
		    "#ifdef __cplusplus\n}\n#endif\n#endif\n", n);
	emit_add_text(e, str_printf(c, "%s.h", n), &t);
}

static void io_table(struct text *t, const char *name, struct value *const *v)
{
	text_printf(t, "static const struct amp_io %s[] = {\n", name);
	for (int i = 0; i < vec_len(v); i++) {
		text_printf(t, "\t{ ");
		text_c_string(t, v[i]->name);
		text_printf(t, ", (enum amp_dtype)%d, %d, { ", v[i]->type.dtype, v[i]->type.rank);
		for (int d = 0; d < v[i]->type.rank; d++)
			text_printf(t, "%s%" PRId64, d ? ", " : "", v[i]->type.dim[d].value);
		text_printf(t, "%s }, %" PRId64 " },\n", v[i]->type.rank ? "" : "0", type_bytes(&v[i]->type));
	}
	if (!vec_len(v))
		text_printf(t, "\t{ 0 }\n");
	text_printf(t, "};\n\n");
}

static int64_t bytes_of(struct value *const *v)
{
	int64_t n = 0;
	for (int i = 0; i < vec_len(v); i++)
		n += v[i] ? value_bytes(v[i]) : 0;
	return n;
}

/* struct amp_step of each step */
static void step_table(struct emission *e, struct text *t)
{
	text_printf(t, "static const struct amp_step steps[] = {\n");
	for (int i = 0; i < vec_len(e->s->steps); i++) {
		const struct step *st = e->s->steps[i];
		const char *const s[4] = {
			st->node->op_type, st->node->name, st->kernel ? st->kernel->base : "elementwise",
			vec_len(st->out) && st->out[0] ? value_text(e->c, st->out[0]) : ""
		};
		text_printf(t, "\t{ ");
		for (int k = 0; k < 4; k++) {
			text_c_string(t, s[k]);
			text_printf(t, ", ");
		}
		text_printf(t, "%" PRId64 ", %" PRId64 ", %d },\n", st->macs, bytes_of(st->in) + bytes_of(st->out),
			    st->parts > 1 ? st->parts : 1);
	}
	if (!vec_len(e->s->steps))
		text_printf(t, "\t{ 0 }\n");
	text_printf(t, "};\n\n");
}

static void preprocess(struct emission *e, struct text *t)
{
	const struct amp_preprocess *p = e->o->preprocess;
	text_printf(t, "static const struct amp_preprocess preprocess = {\n"
		    "\t.resize = %d, .width = %d, .height = %d, .resample = %d,\n"
		    "\t.crop = %d, .crop_width = %d, .crop_height = %d, .bgr = %d,\n"
		    "\t.rescale = %d, .rescale_factor = %a, /* %.17g */\n\t.normalize = %d,\n",
		    p->resize, p->width, p->height, p->resample, p->crop, p->crop_width, p->crop_height,
		    p->bgr, p->rescale, p->rescale_factor, p->rescale_factor, p->normalize);
	text_printf(t, "\t.mean = { %a, %a, %a, %a },\t/* %g %g %g */\n", p->mean[0], p->mean[1], p->mean[2],
		    p->mean[3], p->mean[0], p->mean[1], p->mean[2]);
	text_printf(t, "\t.std = { %a, %a, %a, %a },\t/* %g %g %g */\n};\n\n", p->std[0], p->std[1], p->std[2],
		    p->std[3], p->std[0], p->std[1], p->std[2]);
}

static void dispatch(struct emission *e)
{
	struct ctx *c = e->c;
	const char *n = e->o->name, *u = upper(c, n);
	const struct target *tg = e->o->target;
	const int nv = vec_len(tg->variants);
	const struct graph *g = e->s->g;
	const bool makes = e->p->prepared_bytes > 0;
	bool detects = false;
	struct text t = { .c = c };
	for (int i = 0; i < nv; i++)
		detects = detects || tg->variants[i].detect;
	text_printf(&t, "/*\n * %s.c - prepares and runs the model, and picks the variant of %s_model.c that this CPU "
		    "runs.\n * Emitted by Ampoule %s.\n */\n#include \"%s.h\"\n%s\n", n, n,
		    e->o->version, n, detects ? "#include \"simd/cpu.h\"\n" : "");
	text_printf(&t, "#if defined __BYTE_ORDER__ && __BYTE_ORDER__ != __ORDER_%s_ENDIAN__\n#error \"these weights are "
		    "%s-endian: compile the model for a target with this machine's byte order\"\n#endif\n\n",
		    tg->big_endian ? "BIG" : "LITTLE", tg->big_endian ? "big" : "little");
	text_printf(&t, "typedef enum amp_status variant_run(const struct %s *m, unsigned char *arena,\n"
		    "\tconst void *const in[], void *const out[]);\n", n);
	for (int i = 0; i < nv; i++)
		text_printf(&t, "variant_run %s_run_%s;\n", n, tg->variants[i].name);
	if (makes) {
		text_printf(&t, "typedef enum amp_status variant_make(const unsigned char *weights, unsigned char *prepared);\n");
		for (int i = 0; i < nv; i++)
			text_printf(&t, "variant_make %s_make_%s;\n", n, tg->variants[i].name);
		text_printf(&t, "static variant_make *const makers[] = {");
		for (int i = 0; i < nv; i++)
			text_printf(&t, "%s %s_make_%s", i ? "," : "", n, tg->variants[i].name);
		text_printf(&t, " };\n");
	}
	text_printf(&t, "\nstatic variant_run *const variants[] = {");
	for (int i = 0; i < nv; i++)
		text_printf(&t, "%s %s_run_%s", i ? "," : "", n, tg->variants[i].name);
	text_printf(&t, " };\nstatic const char *const isa_names[] = {");
	for (int i = 0; i < nv; i++)
		text_printf(&t, "%s \"%s\"", i ? "," : "", tg->variants[i].name);
	text_printf(&t, " };\n#define N_ISA %d\n\nstatic int can_run(int isa)\n{\n\tswitch (isa) {\n", nv);
	for (int i = 0; i < nv; i++)
		text_printf(&t, "\tcase %d: return %s%s;\n", i, tg->variants[i].detect ? tg->variants[i].detect : "1",
			    tg->variants[i].detect ? "()" : "");
	text_printf(&t, "\tdefault: return 0;\n\t}\n}\n\nstatic int best_isa(void)\n{\n\tint isa = N_ISA - 1;\n"
		    "\twhile (isa > 0 && !can_run(isa))\n\t\tisa--;\n\treturn isa;\n}\n\n");
	/* the blob's header: magic, then the digest of what follows it */
	text_printf(&t, "/* The blob begins with this: a magic number and the SHA-256 of all that follows. */\n"
		    "static const unsigned char blob_header[48] = {\n");
	const char *hex = e->body_sha256;
	text_printf(&t, "\t'A', 'M', 'P', 'O', 'U', 'L', 'E', 1, 0, 0, 0, 0, 0, 0, 0, 0,");
	for (int i = 0; i < 32; i++)
		text_printf(&t, "%s0x%.2s,", i % 16 ? " " : "\n\t", hex + 2 * i);
	text_printf(&t, "\n};\n\n");
	text_printf(&t, "static int aligned(const void *p)\n{\n\treturn (uintptr_t)p %% AMP_ALIGN == 0;\n}\n\n");
	text_printf(&t, "enum amp_status %s_prepare(struct %s *m, const void *blob, void *prepared,\n"
		    "\tstruct amp_pool *pool, int isa)\n{\n%s\tif (!m || !blob || !aligned(blob)%s)\n"
		    "\t\treturn AMP_ERR_ARGUMENT;\n"
		    "\tif (pool && (pool->threads < 1 || pool->threads > %s_THREADS))\n\t\treturn AMP_ERR_POOL;\n"
		    "\tif (isa == -1)\n\t\tisa = best_isa();\n"
		    "\tif (!can_run(isa))\n\t\treturn AMP_ERR_ISA;\n"
		    "\tconst unsigned char *const b = (const unsigned char *)blob;\n"
		    "\tfor (int i = 0; i < (int)sizeof blob_header; i++)\n\t\tif (b[i] != blob_header[i])\n"
		    "\t\t\treturn AMP_ERR_BLOB;\n"
		    "\tm->weights = b;\n\tm->isa = isa;\n\tm->pool = pool;\n\tm->watch = NULL;\n"
		    "\tm->watch_arg = NULL;\n%s}\n\n", n, n, makes ? "" : "\t(void)prepared;\n",
		    makes ? " || !prepared || !aligned(prepared)" : "", u, makes ? "\tm->prepared = (unsigned char *)prepared;\n"
		    "\treturn makers[isa](b, m->prepared);\n" : "\treturn AMP_OK;\n");
	text_printf(&t, "void %s_watch(struct %s *m, amp_watch *watch, void *arg)\n{\n\tm->watch = watch;\n"
		    "\tm->watch_arg = arg;\n}\n\n", n, n);
	text_printf(&t, "enum amp_status %s_run(const struct %s *m, void *arena, const void *const in[], "
		    "void *const out[])\n{\n\tif (!m || !in || !out || (%s_ARENA_BYTES && (!arena || !aligned(arena))))\n"
		    "\t\treturn AMP_ERR_ARGUMENT;\n", n, n, u);
	text_printf(&t, "\tfor (int i = 0; i < %d; i++)\n\t\tif (!in[i])\n\t\t\treturn AMP_ERR_ARGUMENT;\n"
		    "\tfor (int i = 0; i < %d; i++)\n\t\tif (!out[i])\n\t\t\treturn AMP_ERR_ARGUMENT;\n",
		    vec_len(g->inputs), vec_len(g->outputs));
	text_printf(&t, "\treturn variants[m->isa](m, (unsigned char *)arena, in, out);\n}\n\n");

	io_table(&t, "inputs", g->inputs);
	io_table(&t, "outputs", g->outputs);
	if (e->o->preprocess)
		preprocess(e, &t);
	if (e->o->n_labels) {
		text_printf(&t, "static const char *const labels[] = {\n");
		for (int i = 0; i < e->o->n_labels; i++) {
			text_printf(&t, "\t");
			text_c_string(&t, e->o->labels[i]);
			text_printf(&t, ",\n");
		}
		text_printf(&t, "};\n\n");
	}
	step_table(e, &t);
	text_printf(&t, "static void any_watch(void *state, amp_watch *watch, void *arg)\n{\n"
		    "\t%s_watch((struct %s *)state, watch, arg);\n}\n\n", n, n);
	text_printf(&t, "static enum amp_status any_prepare(void *state, const void *blob, void *prepared,\n"
		    "\tstruct amp_pool *pool, int isa)\n{\n"
		    "\treturn %s_prepare((struct %s *)state, blob, prepared, pool, isa);\n}\n\n"
		    "static enum amp_status any_run(const void *state, void *arena, const void *const in[],\n"
		    "\tvoid *const out[])\n{\n\treturn %s_run((const struct %s *)state, arena, in, out);\n}\n\n",
		    n, n, n, n);
	text_printf(&t, "const struct amp_model %s_model = {\n\t.name = \"%s\",\n\t.version = \"%s\",\n"
		    "\t.model_sha256 = \"%s\",\n\t.weights_sha256 = \"%s\",\n"
		    "\t.n_in = %d, .n_out = %d, .in = inputs, .out = outputs,\n"
		    "\t.threads = %s_THREADS,\n\t.arena_bytes = %s_ARENA_BYTES,\n\t.prepared_bytes = %s_PREPARED_BYTES,\n"
		    "\t.weights_bytes = %s_WEIGHTS_BYTES,\n\t.state_bytes = sizeof(struct %s),\n", n, n,
		    e->o->version, e->o->model_sha256, e->weights_sha256, vec_len(g->inputs),
		    vec_len(g->outputs), u, u, u, u, n);
	if (e->o->weights == WEIGHTS_FILE)
		text_printf(&t, "\t.weights_file = \"%s.weights\",\n", n);
	else
		text_printf(&t, "\t.weights = %s_weights,\n", n);
	if (target_breach(c, e->o->target))
		text_printf(&t, "\t.no_contract = \"%s\",\n", target_breach(c, e->o->target));
	text_printf(&t, "\t.n_isa = N_ISA, .isa_names = isa_names, .best_isa = best_isa,\n"
		    "\t.prepare = any_prepare, .run = any_run,\n"
		    "\t.n_steps = %d, .steps = steps, .watch = any_watch,\n", vec_len(e->s->steps));
	if (e->o->n_labels)
		text_printf(&t, "\t.labels = labels, .n_labels = %d,\n", e->o->n_labels);
	if (e->o->preprocess)
		text_printf(&t, "\t.preprocess = &preprocess,\n");
	text_printf(&t, "\t.ends_in_softmax = %d,\n\t.activation = (enum amp_activation)%d,\n};\n",
		    e->ends_in_softmax, e->o->activation);
	emit_add_text(e, str_printf(c, "%s.c", n), &t);
	if (!e->o->library) {
		struct text a = { .c = c };
		text_printf(&a, "/* %s_app.c - the model that the classifier in app/ serves.  Emitted by Ampoule %s. */\n"
			    "#include \"%s.h\"\n\nextern const struct amp_model *const amp_app_model;\n"
			    "const struct amp_model *const amp_app_model = &%s_model;\n", n, e->o->version, n, n);
		text_printf(&a, "\n/* %s */\n"
			    "extern enum amp_status (*const amp_app_pool)(int threads, struct amp_pool **pool);\n"
			    "enum amp_status (*const amp_app_pool)(int threads, struct amp_pool **pool) = %s;\n",
			    e->s->threads > 1 ? "what makes its threads" : "it runs in one thread",
			    e->s->threads > 1 ? "amp_pool_new" : "NULL");
		emit_add_text(e, str_printf(c, "%s_app.c", n), &a);
	}
}

void emit_interface(struct emission *e)
{
	header(e);
	dispatch(e);
}
