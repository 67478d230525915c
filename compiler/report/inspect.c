/* inspect.c - what a model is and needs, before anything is built: for people, and as JSON. */
#include "report/report.h"

#include "ops/op.h"

#include <inttypes.h>
#include <string.h>

struct count { const char *name; int n; int64_t macs; };

/* operators of a graph by name, most multiply-accumulates first */
static struct count *count_ops(struct ctx *c, const struct graph *g, int64_t *macs)
{
	struct count *v = NULL;
	*macs = 0;
	for (const struct node *n = g->first; n; n = n->next) {
		const char *name = *n->domain ? str_printf(c, "%s.%s", n->domain, n->op_type) : n->op_type;
		const int64_t m = op_macs(n);
		int i = 0;
		while (i < vec_len(v) && !str_eq(v[i].name, name))
			i++;
		if (i == vec_len(v)) {
			struct count *x = vec_push(c, v);
			x->name = name;
		}
		v[i].n++;
		v[i].macs += m;
		*macs += m;
	}
	for (int i = 1; i < vec_len(v); i++)
		for (int j = i; j > 0 && (v[j].macs > v[j - 1].macs ||
					  (v[j].macs == v[j - 1].macs && v[j].n > v[j - 1].n)); j--) {
			const struct count t = v[j];
			v[j] = v[j - 1];
			v[j - 1] = t;
		}
	return v;
}

int64_t report_parameters(const struct graph *g)
{
	int64_t n = 0;
	for (int i = 0; i < vec_len(g->values); i++)
		if (g->values[i] && g->values[i]->data && value_n_uses(g->values[i]) > 0 &&
		    dtype_is_float(g->values[i]->type.dtype))
			n += g->values[i]->data->n;
	return n;
}

static void ios(struct ctx *c, FILE *f, const char *what, struct value *const *v)
{
	for (int i = 0; i < vec_len(v); i++)
		fprintf(f, "  %-7s %s  %s\n", what, v[i]->name, type_text(c, &v[i]->type));
}

/* the layers for which the numeric plan had a choice */
static void layers(const struct graph *g, FILE *f)
{
	bool any = false;
	for (const struct node *n = g->first; n; n = n->next) {
		const char *tried = attr_str(n, "tried", "");
		if (!*tried)
			continue;
		if (!any)
			fprintf(f, "\nnumeric plan: algorithm of a layer; error of what was tried, direct = 1\n");
		any = true;
		fprintf(f, "  %-13s %-28s %s\n", attr_str(n, "algorithm", "direct"), tried, n->name);
	}
}

static void people(struct ctx *c, const struct compiled *k, FILE *f)
{
	int64_t macs, macs_after;
	const struct count *src = count_ops(c, k->source, &macs);
	const struct count *after = count_ops(c, k->g, &macs_after);
	fprintf(f, "model     %s\n", k->source->name);
	fprintf(f, "  made by %s, IR version %" PRId64 ", opset %d\n", k->source->producer ? k->source->producer : "?",
		k->source->ir_version, k->source->opset);
	fprintf(f, "  SHA-256 %s\n", k->source->model_sha256 ? k->source->model_sha256 : "?");
	for (int i = 0; i < vec_len(k->source->data_files); i++)
		fprintf(f, "  SHA-256 %s of %s\n", k->source->data_files[i].sha256, k->source->data_files[i].name);
	ios(c, f, "input", k->g->inputs);
	ios(c, f, "output", k->g->outputs);
	fprintf(f, "size      %.3f M parameters, %.1f M multiply-accumulates\n", (double)report_parameters(k->source) / 1e6,
		(double)macs / 1e6);
	fprintf(f, "target    %s\n", k->target->name);
	if (k->target->note)
		fprintf(f, "          %s\n", k->target->note);
	const char *breach = target_breach(c, k->target);
	if (breach)
		fprintf(f, "contract  not promised: the target passes %s\n", breach);
	else
		fprintf(f, "contract  holds: the same bytes on every machine\n");
	fprintf(f, "plan      %s, %d steps\n", k->s->plan_name, vec_len(k->s->steps));
	fprintf(f, "flash     %" PRId64 " bytes of weights, and the code\n", k->p->weights_bytes);
	fprintf(f, "RAM       %" PRId64 " bytes of arena, and inputs and outputs\n", k->p->arena_bytes);
	if (k->p->prepared_bytes)
		fprintf(f, "          %" PRId64 " bytes of weights made at start\n", k->p->prepared_bytes);
	fprintf(f, "          bound of this order %" PRId64 ", over all orders %" PRId64 "; unpadded %" PRId64 ", %"
		PRId64 "\n", k->p->bound_order, k->p->bound_all, k->p->bound_order_plain, k->p->bound_all_plain);
	fprintf(f, "\noperators in the model                  after the passes\n");
	for (int i = 0; i < vec_len(src) || i < vec_len(after); i++) {
		char left[64] = "", right[64] = "";
		if (i < vec_len(src))
			snprintf(left, sizeof left, "%5d %-22s%8.1f M", src[i].n, src[i].name,
				 (double)src[i].macs / 1e6);
		if (i < vec_len(after))
			snprintf(right, sizeof right, "%5d %-26s%8.1f M", after[i].n, after[i].name,
				 (double)after[i].macs / 1e6);
		fprintf(f, "%-40s%s\n", left, right);
	}
	layers(k->g, f);
	fprintf(f, "\n%s", k->p->text);
}

static void ops_json(struct text *t, const char *key, const struct count *v)
{
	text_printf(t, "  \"%s\": {", key);
	for (int i = 0; i < vec_len(v); i++) {
		text_printf(t, "%s", i ? ", " : "");
		text_json(t, v[i].name);
		text_printf(t, ": {\"count\": %d, \"macs\": %" PRId64 "}", v[i].n, v[i].macs);
	}
	text_printf(t, "},\n");
}

static void ios_json(struct text *t, const char *key, struct value *const *v)
{
	text_printf(t, "  \"%s\": [", key);
	for (int i = 0; i < vec_len(v); i++) {
		text_printf(t, "%s{\"name\": ", i ? ", " : "");
		text_json(t, v[i]->name);
		text_printf(t, ", \"dtype\": \"%s\", \"shape\": [", dtype_name(v[i]->type.dtype));
		for (int d = 0; d < v[i]->type.rank; d++)
			text_printf(t, "%s%" PRId64, d ? ", " : "", v[i]->type.dim[d].value);
		text_printf(t, "]}");
	}
	text_printf(t, "],\n");
}

static void machines(struct ctx *c, const struct compiled *k, FILE *f)
{
	struct text t = { .c = c };
	int64_t macs, macs_after;
	const struct count *src = count_ops(c, k->source, &macs);
	const struct count *after = count_ops(c, k->g, &macs_after);
	text_printf(&t, "{\n  \"model\": ");
	text_json(&t, k->source->name);
	text_printf(&t, ",\n  \"sha256\": \"%s\",\n  \"data\": ",
		    k->source->model_sha256 ? k->source->model_sha256 : "");
	report_data_files(&t, k->source);
	text_printf(&t, ",\n  \"opset\": %d,\n  \"parameters\": %" PRId64 ",\n  \"macs\": %" PRId64 ",\n",
		    k->source->opset, report_parameters(k->source), macs);
	ios_json(&t, "inputs", k->g->inputs);
	ios_json(&t, "outputs", k->g->outputs);
	ops_json(&t, "operators", src);
	ops_json(&t, "operators_after_passes", after);
	const char *breach = target_breach(c, k->target);
	text_printf(&t, "  \"numeric_contract\": \"%s%s\",\n", breach ? "not promised: " : "holds", breach ? breach : "");
	if (k->target->note) {
		text_printf(&t, "  \"target_note\": ");
		text_json(&t, k->target->note);
		text_printf(&t, ",\n");
	}
	text_printf(&t, "  \"target\": \"%s\",\n  \"numeric_plan\": \"%s\",\n  \"steps\": %d,\n", k->target->name,
		    k->s->plan_name, vec_len(k->s->steps));
	report_layers(&t, k->g);
	text_printf(&t, "  \"weights_bytes\": %" PRId64 ",\n  \"prepared_bytes\": %" PRId64 ",\n  \"arena_bytes\": %" PRId64 ",\n  \"bound_of_order\": %"
		    PRId64 ",\n  \"bound_over_all_orders\": %" PRId64 ",\n  \"unpadded_bound_of_order\": %" PRId64
		    ",\n  \"unpadded_bound_over_all_orders\": %" PRId64 ",\n  \"plan\": %s\n}\n", k->p->weights_bytes, k->p->prepared_bytes,
		    k->p->arena_bytes, k->p->bound_order, k->p->bound_all, k->p->bound_order_plain,
		    k->p->bound_all_plain, k->p->json);
	fputs(t.s, f);
}

void report_inspect(struct ctx *c, const struct compiled *k, bool json, FILE *f)
{
	if (json)
		machines(c, k, f);
	else
		people(c, k, f);
}
