/* manifest.c - manifest.json: what was made from what, each file with its SHA-256; and plan.txt. */
#include "report/report.h"

#include "ops/op.h"

#include <inttypes.h>
#include <string.h>

static void io(struct text *t, const char *key, struct value *const *v)
{
	text_printf(t, "  \"%s\": [", key);
	for (int i = 0; i < vec_len(v); i++) {
		text_printf(t, "%s\n    {\"name\": ", i ? "," : "");
		text_json(t, v[i]->name);
		text_printf(t, ", \"dtype\": \"%s\", \"shape\": [", dtype_name(v[i]->type.dtype));
		for (int d = 0; d < v[i]->type.rank; d++)
			text_printf(t, "%s%" PRId64, d ? ", " : "", v[i]->type.dim[d].value);
		text_printf(t, "], \"bytes\": %" PRId64 "}", type_bytes(&v[i]->type));
	}
	text_printf(t, "],\n");
}

void report_data_files(struct text *t, const struct graph *g)
{
	text_printf(t, "[");
	for (int i = 0; i < vec_len(g->data_files); i++) {
		text_printf(t, "%s{\"file\": ", i ? ", " : "");
		text_json(t, g->data_files[i].name);
		text_printf(t, ", \"bytes\": %" PRId64 ", \"sha256\": \"%s\"}", g->data_files[i].bytes,
			    g->data_files[i].sha256);
	}
	text_printf(t, "]");
}

void report_layers(struct text *t, const struct graph *g)
{
	int count = 0;
	text_printf(t, "  \"layers\": [");
	for (const struct node *n = g->first; n; n = n->next) {
		const char *tried = attr_str(n, "tried", "");
		if (!*tried)
			continue;
		text_printf(t, "%s\n    {\"node\": ", count++ ? "," : "");
		text_json(t, n->name);
		text_printf(t, ", \"algorithm\": \"%s\", \"error_over_direct\": ", attr_str(n, "algorithm", "direct"));
		text_json(t, tried);
		text_printf(t, "}");
	}
	text_printf(t, "],\n");
}

void report_manifest(struct emission *e, const struct compiled *k)
{
	struct ctx *c = e->c;
	struct text t = { .c = c }, plan = { .c = c };
	static const char *const weights[] = { "embed", "array", "file" };
	static const char *const act[] = { "none", "softmax", "sigmoid" };

	text_printf(&plan, "%s", k->p->text);
	emit_add_text(e, "plan.txt", &plan);
	text_printf(&t, "{\n  \"generator\": \"ampoule\",\n  \"version\": \"%s\",\n  \"name\": \"%s\",\n",
		    e->o->version, e->o->name);
	text_printf(&t, "  \"model\": {\"file\": ");
	text_json(&t, e->o->model_file);
	text_printf(&t, ", \"sha256\": \"%s\", \"ir_version\": %" PRId64 ", \"opset\": %d, \"producer\": ",
		    e->o->model_sha256, k->source->ir_version, k->source->opset);
	text_json(&t, k->source->producer ? k->source->producer : "");
	text_printf(&t, ", \"data\": ");
	report_data_files(&t, k->source);
	text_printf(&t, "},\n");
	if (k->target->note) {
		text_printf(&t, "  \"target_note\": ");
		text_json(&t, k->target->note);
		text_printf(&t, ",\n");
	}
	text_printf(&t, "  \"target\": \"%s\",\n  \"variants\": [", k->target->name);
	for (int i = 0; i < vec_len(k->target->variants); i++)
		text_printf(&t, "%s\"%s\"", i ? ", " : "", k->target->variants[i].name);
	text_printf(&t, "],\n  \"options\": {\"weights\": \"%s\", \"library\": %s, \"threads\": %d, \"transform\": \"%s\", \"labels\": %d, "
		    "\"preprocess\": %s, \"activation\": \"%s\"},\n", weights[e->o->weights],
		    e->o->library ? "true" : "false", k->s->threads, k->g->at_start ? "start" : "ahead", e->o->n_labels, e->o->preprocess ? "true" : "false",
		    act[e->o->activation]);
	if (k->clang) {
		text_printf(&t, "  \"objects_by\": ");
		text_json(&t, k->clang->version);
		text_printf(&t, ",\n");
	}
	const char *breach = target_breach(c, k->target);
	text_printf(&t, "  \"numeric_contract\": \"%s%s\",\n", breach ? "not promised: " : "holds", breach ? breach : "");
	text_printf(&t, "  \"numeric_plan\": \"%s\",\n  \"ends_in_softmax\": %s,\n", k->s->plan_name,
		    e->ends_in_softmax ? "true" : "false");
	report_layers(&t, k->g);
	io(&t, "inputs", k->g->inputs);
	io(&t, "outputs", k->g->outputs);
	text_printf(&t, "  \"memory\": {\"arena_bytes\": %" PRId64 ", \"bound_of_order\": %" PRId64
		    ", \"bound_over_all_orders\": %" PRId64 ", \"unpadded_bound_of_order\": %" PRId64
		    ", \"unpadded_bound_over_all_orders\": %" PRId64 ", \"weights_bytes\": %" PRId64
		    ", \"prepared_bytes\": %" PRId64 "},\n", k->p->arena_bytes, k->p->bound_order, k->p->bound_all,
		    k->p->bound_order_plain, k->p->bound_all_plain, k->p->weights_bytes, k->p->prepared_bytes);
	text_printf(&t, "  \"steps\": %d,\n  \"weights_sha256\": \"%s\",\n  \"files\": {", vec_len(k->s->steps),
		    e->weights_sha256);
	for (int i = 0; i < vec_len(e->files); i++) {
		text_printf(&t, "%s\n    ", i ? "," : "");
		text_json(&t, e->files[i].path);
		/* the blob is long, and its digest known */
		const bool blob = str_eq(e->files[i].path, str_printf(c, "%s.weights", e->o->name));
		text_printf(&t, ": \"%s\"", blob ? e->weights_sha256 : sha256_hex(c, e->files[i].data, e->files[i].n));
	}
	text_printf(&t, "\n  }\n}\n");
	emit_add_text(e, "manifest.json", &t);
}

static const char *bytes_text(struct ctx *c, int64_t n)
{
	if (n >= 10 << 20)
		return str_printf(c, "%.1f MB", (double)n / 1e6);
	if (n >= 10 << 10)
		return str_printf(c, "%.1f KB", (double)n / 1e3);
	return str_printf(c, "%" PRId64 " bytes", n);
}

void report_summary(const struct emission *e, const struct compiled *k, const char *dir, FILE *f)
{
	struct ctx *c = e->c;
	fprintf(f, "%s: %d steps, weights %s, RAM %s (%.2f of the bound of its order)\n", e->o->name,
		vec_len(k->s->steps), bytes_text(c, k->p->weights_bytes), bytes_text(c, k->p->arena_bytes),
		k->p->bound_order ? (double)k->p->arena_bytes / (double)k->p->bound_order : 1.0);
	fprintf(f, "written: %s  (make -C %s)\n", dir, dir);
}
