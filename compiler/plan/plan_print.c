/*
 * A plan as text for a person, and as JSON.
 *
 * In:  problem and result, unchanged. Out: text on a stream.
 * The text: the certificate; the steps in their order with the live bytes of each; the table of
 * intervals, one row a root and a scratch area, in the order of their birth, with what lies in it.
 */
#include "planner.h"

#include <inttypes.h>
#include <stdlib.h>

struct row {
	int buffer;	/* or -1: the scratch of a step */
	int step;
	int first, last;
	int64_t offset, bytes;
};

static int root_of(const struct plan_problem *p, int b)
{
	while (p->buffers[b].parent != PLAN_NO_PARENT)
		b = p->buffers[b].parent;
	return b;
}

static void use(struct row *row, int t)
{
	if (row->first < 0 || t < row->first)
		row->first = t;
	if (t > row->last)
		row->last = t;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->buffer - y->buffer;
}

/* Rows of all that is live at some step; NULL when memory is out. */
static struct row *make_rows(const struct plan_problem *p, const struct plan_result *r, int *count)
{
	int n = 0, end = p->n_steps > 0 ? p->n_steps - 1 : 0;
	struct row *rows = malloc(((size_t)p->n_buffers + (size_t)p->n_steps + 1) * sizeof *rows);
	if (!rows)
		return NULL;
	for (int b = 0; b < p->n_buffers; b++)
		rows[b] = (struct row){b, -1, -1, -1, r->offset[b], p->buffers[b].bytes};
	for (int t = 0; t < p->n_steps; t++) {
		const struct plan_step *s = &p->steps[r->order[t]];
		for (int i = 0; i < s->n_in; i++)
			use(&rows[root_of(p, s->in[i])], t);
		for (int i = 0; i < s->n_out; i++)
			use(&rows[root_of(p, s->out[i])], t);
	}
	for (int b = 0; b < p->n_buffers; b++) {
		struct row *row = &rows[root_of(p, b)];
		if (p->buffers[b].pinned_last)
			row->last = end;
		if (p->buffers[b].pinned_first) {
			row->last = row->first < 0 ? end : row->last;
			row->first = 0;
		}
	}
	for (int b = 0; b < p->n_buffers; b++)
		if (p->buffers[b].parent == PLAN_NO_PARENT && r->offset[b] >= 0)
			rows[n++] = rows[b];
	for (int t = 0; t < p->n_steps; t++) {
		int s = r->order[t];
		if (p->steps[s].scratch > 0)
			rows[n++] = (struct row){-1, s, t, t, r->scratch_offset[s], p->steps[s].scratch};
	}
	if (n)
		qsort(rows, (size_t)n, sizeof *rows, compare_rows);
	*count = n;
	return rows;
}

static const char *label(const char *name)
{
	return name ? name : "-";
}

static void print_certificate(const struct plan_result *r, FILE *f)
{
	const struct plan_certificate *c = &r->cert;
	fprintf(f, "arena %" PRId64 " bytes, aligned to %" PRId64 "\n", r->arena_bytes, r->arena_align);
	fprintf(f, "  %-34s %14s %8s   %14s %8s\n", "", "as laid out", "arena/", "ONNX sizes", "arena/");
	fprintf(f, "  %-34s %14" PRId64 " %8.4f   %14" PRId64 " %8.4f\n",
		"bound of this order", c->order_bound, c->over_order,
		c->order_bound_unpadded, c->over_order_unpadded);
	fprintf(f, "  %-34s %14" PRId64 " %8.4f   %14" PRId64 " %8.4f\n",
		"bound of all orders", c->lower_bound, c->over_lower,
		c->lower_bound_unpadded, c->over_lower_unpadded);
	fprintf(f, "  %s; %s\n",
		c->order_proven ? "no order has a lower bound" : "a better order is not excluded",
		c->arena_proven ? "no smaller arena exists (proven)" : "a smaller arena is not excluded");
}

void plan_print(const struct plan_problem *p, const struct plan_result *r, FILE *f)
{
	int n = 0;
	struct row *rows = make_rows(p, r, &n);
	print_certificate(r, f);
	if (!rows) {
		fprintf(f, "out of memory: no table\n");
		return;
	}
	fprintf(f, "\n%12s %12s %12s %5s %5s  %s\n", "from", "to", "bytes", "first", "last", "what");
	for (int i = 0; i < n; i++) {
		const struct row *w = &rows[i];
		fprintf(f, "%12" PRId64 " %12" PRId64 " %12" PRId64 " %5d %5d  ", w->offset,
			w->offset + w->bytes, w->bytes, w->first, w->last);
		if (w->buffer < 0) {
			fprintf(f, "scratch of %s\n", label(p->steps[w->step].name));
			continue;
		}
		fprintf(f, "%s", label(p->buffers[w->buffer].name));
		for (int b = 0; b < p->n_buffers; b++)
			if (r->inplace[b] >= 0 && root_of(p, b) == w->buffer)
				fprintf(f, ", over %s", label(p->buffers[r->inplace[b]].name));
		if (p->buffers[w->buffer].pinned_first)
			fprintf(f, " [from the start]");
		if (p->buffers[w->buffer].pinned_last)
			fprintf(f, " [to the end]");
		fputc('\n', f);
		for (int b = 0; b < p->n_buffers; b++)
			if (b != w->buffer && root_of(p, b) == w->buffer)
				fprintf(f, "%12" PRId64 " %12" PRId64 " %12" PRId64 " %11s   view %s\n", r->offset[b],
					r->offset[b] + p->buffers[b].bytes, p->buffers[b].bytes, "",
					label(p->buffers[b].name));
	}
	fprintf(f, "\norder:");
	for (int t = 0; t < p->n_steps; t++)
		fprintf(f, "%s%d %s", t % 8 ? ", " : "\n  ", r->order[t], label(p->steps[r->order[t]].name));
	fputc('\n', f);
	free(rows);
}

static void json_string(const char *s, FILE *f)
{
	fputc('"', f);
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

void plan_json(const struct plan_problem *p, const struct plan_result *r, FILE *f)
{
	const struct plan_certificate *c = &r->cert;
	fprintf(f, "{\"arena_bytes\":%" PRId64 ",\"arena_align\":%" PRId64
		",\"order_bound\":%" PRId64 ",\"lower_bound\":%" PRId64
		",\"order_bound_unpadded\":%" PRId64 ",\"lower_bound_unpadded\":%" PRId64
		",\"order_proven\":%s,\"arena_proven\":%s,\n\"steps\":[", r->arena_bytes, r->arena_align,
		c->order_bound, c->lower_bound, c->order_bound_unpadded, c->lower_bound_unpadded,
		c->order_proven ? "true" : "false", c->arena_proven ? "true" : "false");
	for (int t = 0; t < p->n_steps; t++) {
		int s = r->order[t];
		fprintf(f, "%s\n{\"step\":%d,\"name\":", t ? "," : "", s);
		json_string(p->steps[s].name, f);
		fprintf(f, ",\"scratch\":%" PRId64 ",\"scratch_offset\":%" PRId64 "}", p->steps[s].scratch,
			r->scratch_offset[s]);
	}
	fprintf(f, "],\n\"buffers\":[");
	for (int b = 0; b < p->n_buffers; b++) {
		fprintf(f, "%s\n{\"buffer\":%d,\"name\":", b ? "," : "", b);
		json_string(p->buffers[b].name, f);
		fprintf(f, ",\"bytes\":%" PRId64 ",\"offset\":%" PRId64 ",\"parent\":%d,\"overwrites\":%d}",
			p->buffers[b].bytes, r->offset[b], p->buffers[b].parent, r->inplace[b]);
	}
	fprintf(f, "]}\n");
}
