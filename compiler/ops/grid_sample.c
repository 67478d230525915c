/* grid_sample.c - GridSample: X read at the places that a grid names; 1 to 4 spatial dimensions. */
#include "ops/move.h"

#include <string.h>

#define AMP_T 1
#include "kernels/grid_sample.inc"

/* Until opset 20 the modes had their names of two dimensions. */
static void upgrade(struct node *n)
{
	const char *mode = attr_str(n, "mode", "linear");
	if (str_eq(mode, "bilinear"))
		attr_set_str(n, "mode", "linear");
	else if (str_eq(mode, "bicubic"))
		attr_set_str(n, "mode", "cubic");
}

static int position(const char *s, const char *const *words)
{
	for (int k = 0; words[k]; k++)
		if (str_eq(s, words[k]))
			return k;
	return -1;
}

static bool infer(struct node *n)
{
	const struct type *x, *g;
	int64_t dims[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x) || !op_in_type(n, 1, &g))
		return false;
	const int rank = x->rank - 2;
	bool ok = rank >= 1 && rank <= AMP_GRID_SAMPLE_RANK && g->rank == x->rank &&
		  g->dim[rank + 1].value == rank && g->dim[0].value == x->dim[0].value &&
		  dtype_is_float(x->dtype) && g->dtype == x->dtype;
	for (int d = 0; ok && d < rank; d++)
		ok = x->dim[2 + d].value > 0;
	if (!ok) {
		op_error(n, "X %s and grid %s do not fit (both must be of one floating type)",
			 type_text(n->graph->c, x), type_text(n->graph->c, g));
		return false;
	}
	dims[0] = x->dim[0].value;
	dims[1] = x->dim[1].value;
	for (int d = 0; d < rank; d++)
		dims[2 + d] = g->dim[1 + d].value;
	op_out_type(n, 0, x->dtype, x->rank, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
	static const char *const paddings[] = { "zeros", "border", "reflection", NULL };
	const struct type *x = &n->in[0]->type, *g = &n->in[1]->type;
	int64_t d[IR_MAX_RANK];
	struct amp_grid_sample *p = step_kernel(s, "grid_sample", x->dtype);
	p->mode = position(attr_str(n, "mode", "linear"), modes);
	p->padding = position(attr_str(n, "padding_mode", "zeros"), paddings);
	if (p->mode < 0 || p->padding < 0) {
		node_error(n, "schedule", "mode %s, padding_mode %s are not known",
			   attr_str(n, "mode", "linear"), attr_str(n, "padding_mode", "zeros"));
		return false;
	}
	p->align = attr_int(n, "align_corners", 0) != 0;
	p->rank = x->rank - 2;
	type_dims(x, d);
	p->batch = d[0];
	p->channels = d[1];
	memcpy(p->size, d + 2, (size_t)p->rank * sizeof *d);
	type_dims(g, d);
	p->points = move_product(d, 1, g->rank - 1);
	step_in(s, n->in[0]);
	step_in(s, n->in[1]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_grid_sample = { .domain = "", .name = "GridSample", .since = 22, .min_in = 2, .max_in = 2,
	.min_out = 1, .max_out = 1, .upgrade = upgrade, .infer = infer, .lower = lower };
