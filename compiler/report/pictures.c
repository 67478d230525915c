/* pictures.c - see pictures.h.  Numbers only come from the plan and the errors measured: no layout of its own. */
#include "report/pictures.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void text_html(struct text *t, const char *s)
{
	for (; *s; s++) {
		const char *e = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" :
				*s == '"' ? "&quot;" : NULL;
		if (e)
			text_printf(t, "%s", e);
		else if ((unsigned char)*s >= 32)
			text_add(t, s, 1);
	}
}

const char *report_node(const struct node *n)
{
	const char *algorithm = attr_str(n, "algorithm", "");
	return *algorithm ? str_printf(n->graph->c, "%s, %s", n->op_type, algorithm) : n->op_type;
}

/* What kind of work a step is, as a class of the style sheet. */
static const char *kind(const struct step *s)
{
	const char *op = s->node->op_type;
	if (s->macs > 0)
		return strstr(op, "Conv") || strstr(op, "Depthwise") ? "conv" : strstr(op, "Attention") ? "attn" : "gemm";
	return s->ew ? "ew" : "move";
}

/* ---- when values live ------------------------------------------------------------------------ */

/* By value id: the positions in the schedule between which it lies in memory; first < 0: nowhere. */
struct life { int first, last; };

static void widen(struct life *l, int at)
{
	if (l->first < 0 || at < l->first)
		l->first = at;
	if (at > l->last)
		l->last = at;
}

static struct life *lives(struct ctx *c, const struct schedule *s)
{
	const int n = vec_len(s->g->values);
	struct life *l = NEW_ARRAY(c, n + 1, struct life);
	for (int i = 0; i < n; i++)
		l[i] = (struct life){ -1, -1 };
	for (int p = 0; p < vec_len(s->steps); p++) {
		const struct step *st = s->steps[p];
		for (int i = 0; i < vec_len(st->out); i++)
			if (st->out[i])
				widen(&l[st->out[i]->id], p);
		for (int i = 0; i < vec_len(st->in); i++)
			if (st->in[i])
				widen(&l[st->in[i]->id], p);
	}
	/* views that vanished: a part and its whole live as long as either */
	for (int i = 0; i < vec_len(s->all); i++)
		for (int j = 0, m = vec_len(s->all[i]->in); s->all[i]->view_taken && j < m; j++)
			for (int o = 0; o < vec_len(s->all[i]->out); o++)
				if (s->all[i]->in[j] && s->all[i]->out[o] && l[s->all[i]->in[j]->id].first >= 0)
					widen(&l[s->all[i]->out[o]->id], l[s->all[i]->in[j]->id].first);
	for (int i = vec_len(s->all) - 1; i >= 0; i--)
		for (int j = 0, m = vec_len(s->all[i]->in); s->all[i]->view_taken && j < m; j++)
			for (int o = 0; o < vec_len(s->all[i]->out); o++)
				if (s->all[i]->in[j] && s->all[i]->out[o] && l[s->all[i]->out[o]->id].last >= 0)
					widen(&l[s->all[i]->in[j]->id], l[s->all[i]->out[o]->id].last);
	return l;
}

/* ---- the network ------------------------------------------------------------------------------ */

#define ROW 22
#define LANE 8
#define MAX_LANES 24

struct arcs {
	const struct schedule *s;
	int *position;			/* by value id: of the step that wrote it, -1: none */
	struct step **def;		/* by value id: a view that vanished, or NULL */
	int lane_end[MAX_LANES];
	int lanes;
};

struct arc { int from, to, lane; };

/* The steps that really wrote what v shows. */
static void sources(struct ctx *c, const struct arcs *a, const struct value *v, int **at, int depth)
{
	if (a->position[v->id] >= 0) {
		for (int i = 0; i < vec_len(*at); i++)
			if ((*at)[i] == a->position[v->id])
				return;
		vec_add(c, *at, a->position[v->id]);
		return;
	}
	const struct step *s = a->def[v->id];
	for (int i = 0; s && depth < 64 && i < vec_len(s->in); i++)
		if (s->in[i] && !s->in[i]->data)
			sources(c, a, s->in[i], at, depth + 1);
}

static struct arc *find_arcs(struct ctx *c, struct arcs *a)
{
	struct arc *v = NULL;
	const int n = vec_len(a->s->g->values);
	a->position = NEW_ARRAY(c, n + 1, int);
	a->def = NEW_ARRAY(c, n + 1, struct step *);
	for (int i = 0; i < n; i++)
		a->position[i] = -1;
	for (int i = 0; i < vec_len(a->s->all); i++)
		for (int o = 0; o < vec_len(a->s->all[i]->out); o++)
			if (a->s->all[i]->out[o] && a->s->all[i]->view_taken)
				a->def[a->s->all[i]->out[o]->id] = a->s->all[i];
	for (int p = 0; p < vec_len(a->s->steps); p++)
		for (int o = 0; o < vec_len(a->s->steps[p]->out); o++)
			if (a->s->steps[p]->out[o])
				a->position[a->s->steps[p]->out[o]->id] = p;
	for (int p = 0; p < vec_len(a->s->steps); p++) {
		int *at = NULL;
		for (int i = 0; i < vec_len(a->s->steps[p]->in); i++)
			if (a->s->steps[p]->in[i] && !a->s->steps[p]->in[i]->data)
				sources(c, a, a->s->steps[p]->in[i], &at, 0);
		for (int i = 0; i < vec_len(at); i++)
			vec_add(c, v, ((struct arc){ at[i], p, -1 }));
	}
	/* lanes: short arcs lie inside; two arcs that overlap never share a lane while there is another */
	for (int from = 0; from < vec_len(a->s->steps); from++)
		for (int i = 0; i < vec_len(v); i++) {
			if (v[i].from != from || v[i].to == from + 1)
				continue;
			int lane = 0;
			while (lane < MAX_LANES - 1 && a->lane_end[lane] > from)
				lane++;
			a->lane_end[lane] = v[i].to;
			v[i].lane = lane;
			a->lanes = lane + 1 > a->lanes ? lane + 1 : a->lanes;
		}
	return v;
}

static const struct layer_error *error_of(const struct layer_error *e, const struct step *s)
{
	for (int i = 0; i < vec_len(e); i++)
		if (e[i].step == s)
			return &e[i];
	return NULL;
}

void picture_network(struct text *t, const struct compiled *k, const struct layer_error *errors)
{
	struct ctx *c = t->c;
	struct arcs a = { .s = k->s };
	const struct arc *v = find_arcs(c, &a);
	const int n = vec_len(k->s->steps), left = 24 + a.lanes * LANE, wide = left + 1010;
	int64_t most = 1;
	for (int p = 0; p < n; p++)
		most = k->s->steps[p]->macs > most ? k->s->steps[p]->macs : most;
	text_printf(t, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n", wide, (n + 1) * ROW + 6, wide,
		    (n + 1) * ROW + 6);
	text_printf(t, "<g class=\"head\"><text x=\"%d\" y=\"15\">step</text><text x=\"%d\" y=\"15\">result</text>"
		    "<text x=\"%d\" y=\"15\">multiply-accumulates</text>%s</g>\n", left + 14, left + 560, left + 760,
		    errors ? str_printf(c, "<text x=\"%d\" y=\"15\">error</text>", left + 940) : "");
	for (int i = 0; i < vec_len(v); i++) {
		const int y0 = (v[i].from + 1) * ROW + ROW / 2, y1 = (v[i].to + 1) * ROW + ROW / 2;
		if (v[i].lane < 0) {
			text_printf(t, "<path class=\"arc\" d=\"M%d %dV%d\"/>\n", left, y0, y1);
			continue;
		}
		const int x = left - 12 - v[i].lane * LANE;
		text_printf(t, "<path class=\"arc\" d=\"M%d %dC%d %d %d %d %d %dV%dC%d %d %d %d %d %d\"/>\n", left, y0, x,
			    y0, x, y0, x, y0 + 10, y1 - 10, x, y1, x, y1, left, y1);
	}
	for (int p = 0; p < n; p++) {
		const struct step *s = k->s->steps[p];
		const int y = (p + 1) * ROW;
		text_printf(t, "<g><title>%d: ", p);
		text_html(t, report_node(s->node));
		text_printf(t, " \"");
		text_html(t, s->node->name);
		text_printf(t, "\"</title><circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"5\"/>", kind(s), left, y + ROW / 2);
		text_printf(t, "<text x=\"%d\" y=\"%d\">%d&#160; ", left + 14, y + 15, p);
		text_html(t, report_node(s->node));
		text_printf(t, " <tspan class=\"name\">");
		text_html(t, strlen(s->node->name) > 56 ? str_printf(c, "...%s", s->node->name + strlen(s->node->name) - 53)
			  : s->node->name);
		text_printf(t, "</tspan></text><text x=\"%d\" y=\"%d\">", left + 560, y + 15);
		if (vec_len(s->out) && s->out[0])
			text_html(t, str_printf(c, "%s%s", type_text(c, &s->out[0]->type),
						s->out[0]->layout == LAYOUT_C16 ? " c16" : ""));
		text_printf(t, "</text>");
		if (s->macs > 0)
			text_printf(t, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"10\"/><text class=\"name\" "
				    "x=\"%.1f\" y=\"%d\">%.1f %c</text>", kind(s), left + 760, y + 6,
				    110.0 * (double)s->macs / (double)most, left + 765 + 110.0 * (double)s->macs / (double)most,
				    y + 15, (double)s->macs / (s->macs < 100000 ? 1e3 : 1e6), s->macs < 100000 ? 'K' : 'M');
		const struct layer_error *e = error_of(errors, s);
		if (e)
			text_printf(t, "<text x=\"%d\" y=\"%d\">%.1e</text>", left + 940, y + 15, e->max_rel);
		text_printf(t, "</g>\n");
	}
	text_printf(t, "</svg>\n");
}

/* ---- memory ------------------------------------------------------------------------------------ */

#define MEMORY_HIGH 340

void picture_memory(struct text *t, const struct compiled *k)
{
	struct ctx *c = t->c;
	const struct schedule *s = k->s;
	const struct life *l = lives(c, s);
	const int n = vec_len(s->steps), wide = n * 7 < 900 ? 900 : n * 7;
	const double dx = n ? (double)wide / n : 0;
	const double dy = k->p->arena_bytes ? (double)MEMORY_HIGH / (double)k->p->arena_bytes : 0;
	text_printf(t, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n<rect class=\"ground\" x=\"60\" y=\"10\" "
		    "width=\"%d\" height=\"%d\"/>\n", wide + 70, MEMORY_HIGH + 40, wide + 70, MEMORY_HIGH + 40, wide,
		    MEMORY_HIGH);
	for (int i = 0; i <= 4; i++)
		text_printf(t, "<text class=\"axis\" x=\"54\" y=\"%d\" text-anchor=\"end\">%.2f MB</text>\n",
			    14 + MEMORY_HIGH - i * MEMORY_HIGH / 4, (double)k->p->arena_bytes * i / 4e6);
	text_printf(t, "<text class=\"axis\" x=\"60\" y=\"%d\">step 0</text><text class=\"axis\" x=\"%d\" y=\"%d\" "
		    "text-anchor=\"end\">step %d</text>\n", MEMORY_HIGH + 28, wide + 60, MEMORY_HIGH + 28, n - 1);
	for (int p = 0; p < n; p++)
		if (s->steps[p]->scratch > 0)
			text_printf(t, "<rect class=\"scratch\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>scratch of "
				    "step %d, %" PRId64 " bytes</title></rect>\n", 60 + p * dx, 10 + MEMORY_HIGH -
				    dy * (double)(k->p->scratch[p] + s->steps[p]->scratch), dx, dy * (double)s->steps[p]->scratch,
				    p, s->steps[p]->scratch);
	for (int i = 0; i < vec_len(s->g->values); i++) {
		const struct value *v = s->g->values[i];
		if (!v || k->p->place[i].kind != PLACE_ARENA || l[i].first < 0)
			continue;
		const int64_t bytes = value_bytes(v);
		const struct step *by = s->steps[l[i].first];
		text_printf(t, "<rect class=\"value %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>", kind(by),
			    60 + l[i].first * dx, 10 + MEMORY_HIGH - dy * (double)(k->p->place[i].offset + bytes),
			    (l[i].last - l[i].first + 1) * dx, dy * (double)bytes);
		text_html(t, v->name);
		text_printf(t, "\n%s, %" PRId64 " bytes at %" PRId64 ", steps %d to %d</title></rect>\n",
			    type_text(c, &v->type), bytes, k->p->place[i].offset, l[i].first, l[i].last);
	}
	text_printf(t, "</svg>\n");
}

/* ---- errors ------------------------------------------------------------------------------------- */

#define ERRORS_HIGH 300
#define LOWEST (-10)			/* decades: 1e-10 at the bottom, 1 on top */

static double height(double x)
{
	double e = x > 0 ? log10(x) : LOWEST;
	e = e < LOWEST ? LOWEST : e > 0 || !isfinite(e) ? 0 : e;
	return 10 + ERRORS_HIGH * e / LOWEST;
}

void picture_errors(struct text *t, const struct compiled *k, const struct layer_error *e)
{
	struct ctx *c = t->c;
	const int n = vec_len(e), wide = n * 8 < 900 ? 900 : n * 8;
	const double dx = n ? (double)wide / n : 0;
	(void)k;
	text_printf(t, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n<rect class=\"ground\" x=\"60\" y=\"10\" "
		    "width=\"%d\" height=\"%d\"/>\n", wide + 70, ERRORS_HIGH + 40, wide + 70, ERRORS_HIGH + 40, wide,
		    ERRORS_HIGH);
	for (int d = 0; d >= LOWEST; d -= 2) {
		const double y = 10 + (double)ERRORS_HIGH * d / LOWEST;
		text_printf(t, "<path class=\"grid\" d=\"M60 %.1fh%d\"/><text class=\"axis\" x=\"54\" y=\"%.1f\" "
			    "text-anchor=\"end\">1e%d</text>\n", y, wide, y + 4, d);
	}
	/* a unit in the last place of float32, relative */
	text_printf(t, "<path class=\"ulp\" d=\"M60 %.1fh%d\"/><text class=\"axis\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">"
		    "2^-24, half a unit of float32</text>\n", height(ldexp(1, -24)), wide, wide + 56,
		    height(ldexp(1, -24)) + 14);
	text_printf(t, "<path class=\"rms\" d=\"");
	for (int i = 0; i < n; i++)
		text_printf(t, "%s%.1f %.1f", i ? "L" : "M", 60 + (i + 0.5) * dx, height(e[i].rms_rel));
	text_printf(t, "\"/>\n");
	for (int i = 0; i < n; i++) {
		text_printf(t, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>", kind(e[i].step),
			    60 + (i + 0.5) * dx, height(e[i].max_rel));
		text_html(t, str_printf(c, "%s\n%s, ", e[i].value->name, report_node(e[i].step->node)));
		text_printf(t, "%s\nlargest error %.3g of largest value %.3g = %.2e; rms %.2e</title></circle>\n",
			    type_text(c, &e[i].value->type), e[i].max_abs, e[i].greatest, e[i].max_rel, e[i].rms_rel);
	}
	text_printf(t, "</svg>\n");
}
