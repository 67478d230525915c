/*
 * reduce.c - ReduceSum, Mean, Max, Min, Prod, SumSquare, L1, L2, LogSum, LogSumExp; and
 * GlobalAveragePool, GlobalMaxPool, GlobalLpPool, which reduce over the spatial axes.
 *
 * Axes are a constant input since opset 18 (ReduceSum: 13); older forms' attribute becomes that
 * input.
 */
#include "ops/reduce.h"
#define AMP_T 1
#include "kernels/reduce.inc"

static const struct { const char *name; int mode; } modes[] = {
	{ "ReduceSum", AMP_RED_SUM }, { "ReduceMean", AMP_RED_MEAN },
	{ "ReduceMax", AMP_RED_MAX }, { "ReduceMin", AMP_RED_MIN },
	{ "ReduceProd", AMP_RED_PROD }, { "ReduceSumSquare", AMP_RED_SUM_SQUARE },
	{ "ReduceL1", AMP_RED_L1 }, { "ReduceL2", AMP_RED_L2 },
	{ "ReduceLogSum", AMP_RED_LOG_SUM }, { "ReduceLogSumExp", AMP_RED_LOG_SUM_EXP },
	{ "GlobalAveragePool", AMP_RED_MEAN }, { "GlobalMaxPool", AMP_RED_MAX },
	{ "GlobalLpPool", AMP_RED_LP },
};

static int mode_of(const struct node *n)
{
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (str_eq(modes[i].name, n->op_type))
			return modes[i].mode;
	return -1;
}

static bool type_ok(const struct node *n, enum dtype t)
{
	const int mode = mode_of(n);
	const bool extreme = mode == AMP_RED_MAX || mode == AMP_RED_MIN;
	if (dtype_is_float(t) || t == DT_INT32 || t == DT_INT64 || t == DT_UINT32 || t == DT_UINT64 ||
	    (extreme && (t == DT_INT8 || t == DT_UINT8 || t == DT_BOOL)))
		return true;
	op_error(n, "%s inputs are not in the standard", dtype_name(t));
	return false;
}

/*
 * The axes of a c16 input as the kernel walks them.  Over space: N, block | space | lane; the sums
 * of 16 channels stand side by side.  Over channels (whole blocks): N, space | block, lane: ONNX's
 * order of C.
 */
static int c16_axes(const struct type *x, int64_t *size, int64_t *stride, bool *away)
{
	const int64_t blocks = (x->dim[1].value + 15) / 16;
	const bool channels = away[1];
	int64_t space = 1;
	for (int d = 2; d < x->rank; d++)
		space *= x->dim[d].value;
	const int64_t n = size[0];
	size[0] = n;
	stride[0] = blocks * space * 16;
	away[0] = false;
	size[1] = channels ? space : blocks;
	stride[1] = channels ? 16 : space * 16;
	away[1] = false;
	size[2] = channels ? blocks : space;
	stride[2] = channels ? space * 16 : 16;
	away[2] = true;
	size[3] = 16;
	stride[3] = 1;
	away[3] = channels;
	return 4;
}

/* Sums, means, maxima and minima over all of space, or over whole blocks of channels. */
static bool reduce_c16(const struct node *n, int mode, const bool *reduced, bool keepdims, enum layout *want_in,
		enum layout *want_out)
{
	const struct type *x = &node_in(n, 0)->type;
	bool space = x->rank > 2;
	if (!type_known(x) || x->dtype != DT_FLOAT || x->rank < 3 || mode > AMP_RED_MIN || reduced[0] ||
	    type_elements(x) <= 0)
		return false;
	for (int d = 2; d < x->rank; d++)
		space = space && reduced[d];
	want_in[0] = LAYOUT_C16;
	if (space && !reduced[1] && (keepdims || x->dim[1].value % 16 == 0)) {
		want_out[0] = keepdims ? LAYOUT_C16 : LAYOUT_PLAIN;
		/* lanes beyond C are sums of zeros: +0, as they must be */
		return true;
	}
	for (int d = 2; d < x->rank; d++)
		if (reduced[d])
			return false;
	want_out[0] = LAYOUT_PLAIN;
	return reduced[1] && x->dim[1].value % 16 == 0;
}

bool reduce_lower(struct node *n, struct step *s, int mode, int power, const bool *reduced)
{
	const struct type *x;
	if (!op_in_type(n, 0, &x))
		return false;
	struct amp_reduce *p = step_kernel(s, "reduce", x->dtype);
	int64_t stride[IR_MAX_RANK + 1], size_of[IR_MAX_RANK + 1], at = 1;
	bool away[IR_MAX_RANK + 1];
	int axes = x->rank;
	for (int d = 0; d < axes; d++) {
		size_of[d] = x->dim[d].value;
		away[d] = reduced[d];
	}
	for (int d = axes - 1; d >= 0; d--) {
		stride[d] = at;
		at *= size_of[d] ? size_of[d] : 1;
	}
	if (node_in(n, 0)->layout == LAYOUT_C16)
		axes = c16_axes(x, size_of, stride, away);
	p->mode = mode;
	p->p = power;
	p->count = 1;
	/* neighbours of the same kind become one axis; axes of size 1 vanish */
	int before = -1;
	for (int d = 0; d < axes; d++) {
		const int64_t size = size_of[d];
		int32_t *rank = away[d] ? &p->rank : &p->rank_kept;
		int64_t *dims = away[d] ? p->dim : p->kept;
		int64_t *strides = away[d] ? p->stride : p->kept_stride;
		if (size == 1)
			continue;
		if (away[d])
			p->count *= size;
		if (before == away[d] && strides[*rank - 1] == size * stride[d]) {
			dims[*rank - 1] *= size;
			strides[*rank - 1] = stride[d];
			continue;
		}
		if (*rank == AMP_MAX_RANK) {
			op_error(n, "more than %d separate groups of axes", AMP_MAX_RANK);
			return false;
		}
		dims[*rank] = size;
		strides[(*rank)++] = stride[d];
		before = away[d];
	}
	step_in(s, node_in(n, 0));
	step_out(s, node_out(n, 0));
	return true;
}

/* ---- Reduce* ----------------------------------------------------------------------------------- */

static bool read_axes(const struct node *n, int rank, bool *reduced)
{
	const int64_t *axes = NULL;
	int count = 0;
	for (int d = 0; d < IR_MAX_RANK; d++)
		reduced[d] = false;
	if (node_in(n, 1) && !op_const_ints(n, 1, true, &axes, &count))
		return false;
	for (int i = 0; i < count; i++) {
		int axis;
		if (!op_axis(n, axes[i], rank, &axis))
			return false;
		reduced[axis] = true;
	}
	if (count == 0 && !attr_int(n, "noop_with_empty_axes", 0))
		for (int d = 0; d < rank; d++)
			reduced[d] = true;
	return true;
}

static void upgrade(struct node *n)
{
	if (n->version < (str_eq(n->op_type, "ReduceSum") ? 13 : 18))
		op_attr_ints_to_input(n, "axes", 1);
}

static bool infer(struct node *n)
{
	const struct type *x;
	bool reduced[IR_MAX_RANK];
	int64_t dims[IR_MAX_RANK];
	int rank = 0;
	if (!op_in_type(n, 0, &x) || !type_ok(n, x->dtype) || !read_axes(n, x->rank, reduced))
		return false;
	for (int d = 0; d < x->rank; d++)
		if (!reduced[d])
			dims[rank++] = x->dim[d].value;
		else if (attr_int(n, "keepdims", 1))
			dims[rank++] = 1;
	op_out_type(n, 0, x->dtype, rank, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	bool reduced[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x) || !read_axes(n, x->rank, reduced))
		return false;
	return reduce_lower(n, s, mode_of(n), 0, reduced);
}

static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	bool reduced[IR_MAX_RANK];
	const struct value *x = node_in(n, 0);
	if (!x || !type_known(&x->type) || !read_axes(n, x->type.rank, reduced))
		return false;
	return reduce_c16(n, mode_of(n), reduced, attr_int(n, "keepdims", 1) != 0, want_in, want_out);
}

#define REDUCE_ROW .domain = "", .c16 = c16, .min_in = 1, .max_in = 2, .min_out = 1, .max_out = 1, \
	.upgrade = upgrade, .infer = infer, .lower = lower

const struct op op_reducesum = { .name = "ReduceSum", .since = 13, REDUCE_ROW };
const struct op op_reducemean = { .name = "ReduceMean", .since = 18, REDUCE_ROW };
const struct op op_reducemax = { .name = "ReduceMax", .since = 20, REDUCE_ROW };
const struct op op_reducemin = { .name = "ReduceMin", .since = 20, REDUCE_ROW };
const struct op op_reduceprod = { .name = "ReduceProd", .since = 18, REDUCE_ROW };
const struct op op_reducesumsquare = { .name = "ReduceSumSquare", .since = 18, REDUCE_ROW };
const struct op op_reducel1 = { .name = "ReduceL1", .since = 18, REDUCE_ROW };
const struct op op_reducel2 = { .name = "ReduceL2", .since = 18, REDUCE_ROW };
const struct op op_reducelogsum = { .name = "ReduceLogSum", .since = 18, REDUCE_ROW };
const struct op op_reducelogsumexp = { .name = "ReduceLogSumExp", .since = 18, REDUCE_ROW };

/* ---- Global*Pool -------------------------------------------------------------------------------- */

static bool infer_global(struct node *n)
{
	const struct type *x;
	int64_t dims[IR_MAX_RANK];
	if (!op_in_type(n, 0, &x))
		return false;
	if (!dtype_is_float(x->dtype) || x->rank < 2) {
		op_error(n, "the input must be a floating tensor [N, C, spatial...], not %s",
			 type_text(n->graph->c, x));
		return false;
	}
	for (int d = 0; d < x->rank; d++)
		dims[d] = d < 2 ? x->dim[d].value : 1;
	if (attr_int(n, "p", 2) < 1 || attr_int(n, "p", 2) > 1000) {
		op_error(n, "p = %lld must be a positive number", (long long)attr_int(n, "p", 2));
		return false;
	}
	op_out_type(n, 0, x->dtype, x->rank, dims);
	return true;
}

static bool lower_global(struct node *n, struct step *s)
{
	bool reduced[IR_MAX_RANK];
	for (int d = 0; d < IR_MAX_RANK; d++)
		reduced[d] = d >= 2;
	return reduce_lower(n, s, mode_of(n), (int)attr_int(n, "p", 2), reduced);
}

static bool c16_global(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	bool reduced[IR_MAX_RANK];
	for (int d = 0; d < IR_MAX_RANK; d++)
		reduced[d] = d >= 2;
	return node_in(n, 0) && reduce_c16(n, mode_of(n), reduced, true, want_in, want_out);
}

#define GLOBAL_ROW .domain = "", .c16 = c16_global, .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, \
	.infer = infer_global, .lower = lower_global

const struct op op_globalaveragepool = { .name = "GlobalAveragePool", .since = 22, GLOBAL_ROW };
const struct op op_globalmaxpool = { .name = "GlobalMaxPool", .since = 22, GLOBAL_ROW };
const struct op op_globallppool = { .name = "GlobalLpPool", .since = 22, GLOBAL_ROW };
