/*
 * page.c - a model as one HTML page: what it is, what it needs, how far it is from the truth; its pictures.  The
 * page needs no network, no script and no second file; it holds no date and no path, so it is the same twice.
 */
#include "report/pictures.h"

#include "ops/op.h"

#include <inttypes.h>
#include <string.h>

static const char style[] =
	":root{--fg:#1d2327;--dim:#69757d;--bg:#fff;--line:#d5dadd;--conv:#2f6f9f;--gemm:#7a5aa6;--attn:#b3472f;"
	"--ew:#6b8f3a;--move:#8a8f93}\n"
	"@media(prefers-color-scheme:dark){:root{--fg:#e4e8ea;--dim:#98a4ab;--bg:#15191c;--line:#39434a;--conv:#6fb0de;"
	"--gemm:#b79be0;--attn:#e58a72;--ew:#a5c873;--move:#a0a7ab}}\n"
	"body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:1180px;margin:2em auto;"
	"padding:0 1em}\nh1{font-size:1.6em;margin:0}h2{font-size:1.15em;margin:2em 0 .4em}p{max-width:75ch}\n"
	"table{border-collapse:collapse}td,th{text-align:left;padding:.2em 1.2em .2em 0;vertical-align:top;"
	"border-bottom:1px solid var(--line)}td.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.ok{color:var(--ew)}.bad{color:var(--attn);"
	"font-weight:bold}.wide{overflow-x:auto}\n"
	"svg{font:12px system-ui,sans-serif;display:block}svg text{fill:var(--fg)}.name,.axis{fill:var(--dim)!important}"
	".head text{font-weight:bold}\n"
	".conv{fill:var(--conv)}.gemm{fill:var(--gemm)}.attn{fill:var(--attn)}.ew{fill:var(--ew)}.move{fill:var(--move)}\n"
	".value{fill-opacity:.45;stroke:var(--bg);stroke-width:.6}.scratch{fill:var(--dim);fill-opacity:.25}\n"
	".arc,.rms,.grid,.ulp{fill:none;stroke:var(--dim);stroke-width:1.2}.grid{stroke:var(--line)}.rms{stroke:var(--attn)}"
	".ulp{stroke-dasharray:4 4}.ground{fill:none;stroke:var(--line)}\n";

static void row(struct text *t, const char *what, const char *value)
{
	text_printf(t, "<tr><th>%s</th><td>", what);
	text_html(t, value);
	text_printf(t, "</td></tr>\n");
}

static void facts(struct text *t, const struct compiled *k, const char *file, long stack)
{
	struct ctx *c = t->c;
	int64_t macs = 0;
	for (const struct node *n = k->source->first; n; n = n->next)
		macs += op_macs(n);
	text_printf(t, "<table>\n");
	row(t, "model", str_printf(c, "%s, %s, IR version %" PRId64 ", opset %d", file,
	    k->source->producer ? k->source->producer : "unknown producer", k->source->ir_version, k->source->opset));
	row(t, "SHA-256", k->source->model_sha256 ? k->source->model_sha256 : "?");
	for (int i = 0; i < vec_len(k->source->data_files); i++)
		row(t, "and its data", str_printf(c, "%s %s", k->source->data_files[i].name,
						  k->source->data_files[i].sha256));
	for (int i = 0; i < vec_len(k->g->inputs); i++)
		row(t, "input", str_printf(c, "%s  %s", k->g->inputs[i]->name, type_text(c, &k->g->inputs[i]->type)));
	for (int i = 0; i < vec_len(k->g->outputs); i++)
		row(t, "output", str_printf(c, "%s  %s", k->g->outputs[i]->name, type_text(c, &k->g->outputs[i]->type)));
	row(t, "size", str_printf(c, "%.3f M parameters, %.1f M multiply-accumulates", (double)report_parameters(k->source) / 1e6,
				  (double)macs / 1e6));
	row(t, "compiled for", str_printf(c, "%s, numeric plan %s, %d steps", k->target->name, k->s->plan_name,
					  vec_len(k->s->steps)));
	row(t, "weights", str_printf(c, "%" PRId64 " bytes, read only", k->p->weights_bytes));
	if (k->p->prepared_bytes)
		row(t, "made at start", str_printf(c, "%" PRId64 " bytes of transformed weights", k->p->prepared_bytes));
	row(t, "arena", str_printf(c, "%" PRId64 " bytes: %.3f of the proven bound of its order (%" PRId64 "); over all "
				   "orders at least %" PRId64, k->p->arena_bytes, k->p->bound_order ?
				   (double)k->p->arena_bytes / (double)k->p->bound_order : 1.0, k->p->bound_order,
				   k->p->bound_all));
	if (stack > 0)
		row(t, "stack", str_printf(c, "%ld bytes measured", stack));
	text_printf(t, "</table>\n");
}

static void comparisons(struct text *t, const struct verified *v)
{
	text_printf(t, "<h2>Compared</h2>\n<p>The code that was emitted, built and run here, against outputs stored "
		    "beside the model, against the model in double precision, and byte for byte against the "
		    "numeric contract (<code>ampoule run --exact</code>).</p>\n<div class=\"wide\"><table>\n<tr><th>inputs</th>"
		    "<th>output</th><th>against</th><th>largest error</th><th>of the largest value</th><th>in units of the last "
		    "place</th><th>same class</th><th></th></tr>\n");
	for (int i = 0; i < vec_len(v); i++) {
		text_printf(t, "<tr><td>");
		text_html(t, v[i].set);
		text_printf(t, "</td><td>");
		text_html(t, v[i].output);
		text_printf(t, "</td><td>%s</td>", v[i].against);
		if (str_eq(v[i].against, "exact"))
			text_printf(t, "<td colspan=\"4\">%s</td>", v[i].ok ? "the same bytes" : "other bytes");
		else
			text_printf(t, "<td class=\"n\">%.3g</td><td class=\"n\">%.3g</td><td class=\"n\">%.3g</td><td>%" PRId64 " of %"
				    PRId64 "</td>", v[i].max_abs, v[i].max_rel, v[i].max_ulp, v[i].top1_same, v[i].rows);
		text_printf(t, "<td class=\"%s\">%s</td></tr>\n", v[i].ok ? "ok" : "bad", v[i].ok ? "ok" : "OUTSIDE");
	}
	text_printf(t, "</table></div>\n");
}

void report_page(struct text *t, const struct compiled *k, const char *file, const struct verification *r)
{
	const char *slash = strrchr(file, '/');
	file = slash ? slash + 1 : file;
	text_printf(t, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
		    "content=\"width=device-width\"><title>");
	text_html(t, file);
	text_printf(t, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
	text_html(t, file);
	text_printf(t, "</h1>\n");
	if (r)
		text_printf(t, "<p class=\"%s\">%s (ampoule %s, %d set%s of inputs)</p>\n", r->ok ? "ok" : "bad",
			    r->ok ? "Verified: everything compared is within tolerance." : "NOT verified: see below.",
			    AMPOULE_VERSION, r->n_sets, r->n_sets == 1 ? "" : "s");
	else
		text_printf(t, "<p>As ampoule %s compiles it. Errors are measured by <code>ampoule verify --html</code>.</p>\n",
			    AMPOULE_VERSION);
	facts(t, k, file, r ? r->stack : 0);
	if (r) {
		comparisons(t, r->compared);
		text_printf(t, "<h2>Error by layer</h2>\n<p>For each value that the planned graph shares with the model: the largest "
			    "difference from double precision over the largest value (dots), and the root mean square of the "
			    "difference over that of the values (line). Both runs start from the model's inputs (the first set), so "
			    "errors add up on the way, as they do in the binary.</p>\n<div class=\"wide\">");
		picture_errors(t, k, r->layers);
		text_printf(t, "</div>\n");
	}
	text_printf(t, "<h2>Memory</h2>\n<p>The arena over time: each rectangle is a value between the step that writes it and the "
		    "last that reads it, at its place; grey is scratch. Its colour is that of the step that wrote it. Parts of one "
		    "value lie over it.</p>\n<div class=\"wide\">");
	picture_memory(t, k);
	text_printf(t, "</div>\n<h2>Network</h2>\n<p>The steps in the order in which they run, and where their inputs come from. "
		    "<svg width=\"560\" height=\"18\" style=\"display:inline\">");
	static const struct { const char *name, *what; } kinds[] = { { "conv", "convolution" }, { "gemm", "matrix product" },
		{ "attn", "attention" }, { "ew", "elementwise" }, { "move", "everything else" } };
	for (int i = 0; i < 5; i++)
		text_printf(t, "<circle class=\"%s\" cx=\"%d\" cy=\"12\" r=\"5\"/><text x=\"%d\" y=\"16\">%s</text>", kinds[i].name,
			    8 + i * 112, 18 + i * 112, kinds[i].what);
	text_printf(t, "</svg></p>\n<div class=\"wide\">");
	picture_network(t, k, r ? r->layers : NULL);
	text_printf(t, "</div>\n</body></html>\n");
}
