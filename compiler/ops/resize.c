/*
 * resize.c - Resize in all modes: nearest, linear, cubic, with or without antialiasing, on any axes.
 *
 * Coordinates and weights depend on shapes alone: they are computed here, in double, and stored as constant
 * tables (a row of indices and weights for each output position of each axis).  Kernels then take (nearest) or
 * sum (others).  Neighbours outside the tensor are its border elements, or left out (exclude_outside).
 * Integers other than nearest: through float, cut back as Cast does.
 */
#include "ops/expand.h"
#include "ops/move.h"

#include <math.h>
#include <string.h>

#define AMP_T 12
#include "kernels/resize_nearest.inc"
#undef AMP_T
#define AMP_T 1
#include "kernels/resize.inc"

/* Opset 10 had the operands X, scales, and one rule of coordinates. */
static void upgrade(struct node *n)
{
	if (n->version >= 11)
		return;
	struct value *scales = node_in(n, 1);
	if (!scales)
		return;
	while (vec_len(n->in) < 3)
		node_add_in(n, NULL);
	node_set_in(n, 1, NULL);
	node_set_in(n, 2, scales);
	attr_set_str(n, "coordinate_transformation_mode", "asymmetric");
	attr_set_str(n, "nearest_mode", "floor");
}

enum coordinates { HALF_PIXEL, HALF_PIXEL_SYMMETRIC, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, TF_CROP,
		   TF_HALF_PIXEL_NN };
enum nearest { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL };
enum mode { NEAREST, LINEAR, CUBIC };

struct resizing {
	const struct type *x;
	enum mode mode;
	enum coordinates coordinates;
	enum nearest nearest;
	bool antialias, exclude_outside;
	double a, value;
	int64_t dim[IR_MAX_RANK];	/* of the result */
	double scale[IR_MAX_RANK], start[IR_MAX_RANK], end[IR_MAX_RANK];
};

static bool choose(const struct node *n, const char *name, const char *otherwise, const char *const *words,
		   int *which)
{
	const char *s = attr_str(n, name, otherwise);
	for (int k = 0; words[k]; k++)
		if (str_eq(s, words[k])) {
			*which = k;
			return true;
		}
	op_error(n, "%s \"%s\" is not known", name, s);
	return false;
}

static bool read_modes(const struct node *n, struct resizing *p)
{
	static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
	static const char *const rules[] = { "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
		"align_corners", "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn", NULL };
	static const char *const roundings[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil",
		NULL };
	int mode, rule, rounding;
	if (!choose(n, "mode", "nearest", modes, &mode) ||
	    !choose(n, "coordinate_transformation_mode", "half_pixel", rules, &rule) ||
	    !choose(n, "nearest_mode", "round_prefer_floor", roundings, &rounding))
		return false;
	p->mode = (enum mode)mode;
	p->coordinates = (enum coordinates)rule;
	p->nearest = (enum nearest)rounding;
	p->antialias = attr_int(n, "antialias", 0) != 0;
	p->exclude_outside = attr_int(n, "exclude_outside", 0) != 0;
	p->a = attr_float(n, "cubic_coeff_a", -0.75);
	p->value = attr_float(n, "extrapolation_value", 0);
	return true;
}

/* Constant floats of input i; 0 when it is absent or empty. */
static int floats(const struct node *n, int i, const struct tensor **t)
{
	*t = node_in(n, i) ? op_const(n, i) : NULL;
	return *t ? (int)(*t)->n : 0;
}

static bool read(const struct node *n, struct resizing *p)
{
	const struct tensor *roi, *scales, *sizes;
	int axis[IR_MAX_RANK], n_axes, count;
	bool seen[IR_MAX_RANK] = { false };
	if (!move_in(n, 0, &p->x) || !read_modes(n, p))
		return false;
	for (int i = 1; i < 4; i++)
		if (node_in(n, i) && !op_const(n, i) && type_elements(&n->in[i]->type) != 0) {
			op_error(n, "input %d (\"%s\") must be known at compile time", i, n->in[i]->name);
			return false;
		}
	const int64_t *axes = attr_ints(n, "axes", &count);
	n_axes = axes ? count : p->x->rank;
	for (int k = 0; k < n_axes; k++) {
		if (k >= IR_MAX_RANK || !op_axis(n, axes ? axes[k] : k, p->x->rank, &axis[k]))
			return false;
		if (seen[axis[k]]) {
			op_error(n, "axis %d stands twice", axis[k]);
			return false;
		}
		seen[axis[k]] = true;
	}
	for (int d = 0; d < p->x->rank; d++) {
		p->dim[d] = p->x->dim[d].value;
		p->scale[d] = p->end[d] = 1;
		p->start[d] = 0;
	}
	const int n_roi = floats(n, 1, &roi), n_scales = floats(n, 2, &scales), n_sizes = floats(n, 3, &sizes);
	if (p->coordinates == TF_CROP) {
		if (n_roi != 2 * n_axes) {
			op_error(n, "roi has %d elements, not %d", n_roi, 2 * n_axes);
			return false;
		}
		for (int k = 0; k < n_axes; k++) {
			p->start[axis[k]] = tensor_get_f(roi, k);
			p->end[axis[k]] = tensor_get_f(roi, n_axes + k);
		}
	}
	if ((n_scales > 0) == (n_sizes > 0) || (n_scales ? n_scales : n_sizes) != n_axes) {
		op_error(n, "%d scales and %d sizes for %d axes: give one of the two", n_scales, n_sizes,
			 n_axes);
		return false;
	}
	/* one scale for all axes, so that the result is no larger or no smaller than asked */
	const char *policy = attr_str(n, "keep_aspect_ratio_policy", "stretch");
	double common = 0;
	for (int k = 0; k < n_sizes && !str_eq(policy, "stretch"); k++) {
		const double s = tensor_get_f(sizes, k) / (double)p->x->dim[axis[k]].value;
		if (k == 0 || (str_eq(policy, "not_larger") ? s < common : s > common))
			common = s;
	}
	for (int k = 0; k < n_axes; k++) {
		const int d = axis[k];
		const double size = (double)p->x->dim[d].value;
		double want, scale;
		if (n_scales) {
			scale = tensor_get_f(scales, k);
			want = floor(size * (p->end[d] - p->start[d]) * scale);
		} else if (common > 0) {
			scale = common;
			want = floor(common * size + 0.5);
		} else {
			want = tensor_get_f(sizes, k);
			scale = want / size;
		}
		if (!(scale > 0) || !(want >= 0) || want > 2147483647.0 || (size == 0 && want > 0)) {
			op_error(n, "axis %d of size %lld cannot become %g", d, (long long)p->x->dim[d].value,
				 want);
			return false;
		}
		p->scale[d] = scale;
		p->dim[d] = (int64_t)want;
	}
	return true;
}

static bool infer(struct node *n)
{
	struct resizing p = { 0 };
	if (!read(n, &p))
		return false;
	op_out_type(n, 0, p.x->dtype, p.x->rank, p.dim);
	return true;
}

/* ---- tables ------------------------------------------------------------------------------------------ */

/* Where output position i of axis d lies in the input. */
static double origin_any(const struct resizing *p, int d, int64_t i)
{
	const double x = (double)i, in = (double)p->x->dim[d].value, out = (double)p->dim[d], s = p->scale[d];
	/* the result's size before it was cut to a whole number */
	const double exact = fabs(in * s - out) < 1e-6 * out ? out : in * s;
	switch (p->coordinates) {
	case HALF_PIXEL_SYMMETRIC: {
		const double adjust = out / exact;
		return in / 2 * (1 - adjust) + (x + 0.5) / s - 0.5;
	}
	case PYTORCH_HALF_PIXEL: return out > 1 ? (x + 0.5) / s - 0.5 : 0;
	case ALIGN_CORNERS: return exact == 1 ? 0 : x * (in - 1) / (exact - 1);
	case ASYMMETRIC: return x / s;
	case TF_CROP:
		return exact == 1 ? 0.5 * (p->start[d] + p->end[d]) * (in - 1) :
		       p->start[d] * (in - 1) + x * (p->end[d] - p->start[d]) * (in - 1) / (exact - 1);
	case TF_HALF_PIXEL_NN: return (x + 0.5) / s;
	default: return (x + 0.5) / s - 0.5;
	}
}

/* The same, never beyond what an index holds. */
static double origin(const struct resizing *p, int d, int64_t i)
{
	const double x = origin_any(p, d, i);
	return x > 1e9 ? 1e9 : x > -1e9 ? x : -1e9;
}

/* Is the axis left as it is? */
static bool untouched(const struct resizing *p, int d)
{
	if (p->dim[d] != p->x->dim[d].value || p->scale[d] != 1)
		return false;
	return p->coordinates != TF_CROP || (p->start[d] == 0 && p->end[d] == 1);
}

static bool outside(const struct resizing *p, int d, double x)
{
	return p->coordinates == TF_CROP && (x < 0 || x > (double)(p->x->dim[d].value - 1));
}

static int64_t clamp(int64_t i, int64_t n)
{
	return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static int64_t nearest(const struct resizing *p, double x)
{
	switch (p->nearest) {
	case PREFER_CEIL: return (int64_t)floor(x + 0.5);
	case FLOOR: return (int64_t)floor(x);
	case CEIL: return (int64_t)ceil(x);
	default: return (int64_t)ceil(x - 0.5);
	}
}

/* Keys' cubic at distance x. */
static double cubic(double x, double a)
{
	x = fabs(x);
	if (x <= 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	if (x < 2)
		return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
	return 0;
}

/* How far the filter reaches on each side: half the number of taps. */
static int reach(const struct resizing *p, int d)
{
	const double support = p->mode == LINEAR ? 1 : 2;
	if (!p->antialias || p->scale[d] >= 1)
		return (int)support;
	const double r = ceil(support / p->scale[d]);
	return r < 1e6 ? (int)r : 1000000;
}

/* One output position: indices and weights of 2 * reach taps, the weights summing to 1 where they must. */
static void taps(const struct resizing *p, int d, int64_t i, int half, int32_t *index, double *weight)
{
	const double x = origin(p, d, i), stretch = p->antialias && p->scale[d] < 1 ? p->scale[d] : 1;
	const int64_t n = p->x->dim[d].value, left = (int64_t)ceil(x) - 1;
	double sum = 0;
	bool normalise = p->antialias || p->exclude_outside;
	for (int k = 0; k < 2 * half; k++) {
		const int64_t at = left + 1 - half + k;
		const double far = ((double)at - x) * stretch;
		double w = p->mode == LINEAR ? 1 - fabs(far) : cubic(far, p->a);
		if (p->mode == LINEAR && w < 0)
			w = 0;
		if (p->exclude_outside && (at < 0 || at >= n))
			w = 0;
		index[k] = (int32_t)clamp(at, n);
		weight[k] = w;
		sum += w;
	}
	for (int k = 0; k < 2 * half && normalise && sum != 0; k++)
		weight[k] /= sum;
	if (outside(p, d, x))
		index[0] = -1;
}

/* ---- steps ------------------------------------------------------------------------------------------------ */

/* The axes of the kernel: neighbours that stay as they are become one.  from[a]: the first of x's axes in axis a. */
static int nearest_axes(const struct resizing *p, struct amp_resize_nearest *k, int *from)
{
	int r = 0;
	for (int d = 0; d < p->x->rank; d++) {
		const int64_t size = p->x->dim[d].value;
		if (r > 0 && untouched(p, d) && untouched(p, from[r - 1]) && k->dim[r - 1] * size <= 65536) {
			k->dim[r - 1] *= size;
			k->size[r - 1] *= size;
			continue;
		}
		if (r == AMP_MAX_RANK)
			return -1;
		k->dim[r] = p->dim[d];
		k->size[r] = size;
		from[r++] = d;
	}
	return r;
}

static bool nearest_lower(struct node *n, struct step *s, const struct resizing *p)
{
	struct ctx *c = n->graph->c;
	struct amp_resize_nearest *k = step_kernel(s, "resize_nearest", dtype_bits(p->x->dtype));
	int from[AMP_MAX_RANK];
	int64_t entries = 0;
	k->rank = nearest_axes(p, k, from);
	if (k->rank < 0) {
		node_error(n, "schedule", "more than %d axes", AMP_MAX_RANK);
		return false;
	}
	if (k->rank == 0)		/* a scalar */
		k->dim[0] = k->size[0] = k->rank = 1;
	for (int a = 0; a < k->rank; a++)
		entries += k->dim[a];
	struct tensor *t = tensor_new(c, DT_INT32, 1, &entries);
	int32_t *at = t->data;
	for (int a = 0; a < k->rank; a++) {
		const bool stays = p->x->rank == 0 || untouched(p, from[a]);
		for (int64_t i = 0; i < k->dim[a]; i++) {
			const double x = stays ? (double)i : origin(p, from[a], i);
			*at++ = stays ? (int32_t)i : outside(p, from[a], x) ? -1 : (int32_t)clamp(nearest(p, x), k->size[a]);
		}
	}
	struct tensor *value = tensor_new(c, DT_DOUBLE, 1, &(int64_t){ 1 });
	*(double *)value->data = p->value;
	step_in(s, n->in[0]);
	step_in(s, step_const(n, "resize table", t));
	step_in(s, p->coordinates == TF_CROP ?
		step_const(n, "resize value", tensor_convert(c, value, p->x->dtype)) : NULL);
	step_out(s, n->out[0]);
	return true;
}

static bool weights_lower(struct node *n, struct step *s, const struct resizing *p)
{
	struct ctx *c = n->graph->c;
	struct amp_resize *k = step_kernel(s, "resize", p->x->dtype);
	const enum dtype wt = p->x->dtype == DT_DOUBLE ? DT_DOUBLE : DT_FLOAT;
	int64_t dim[IR_MAX_RANK], entries = 0, buffer = 0;
	const int rank = type_dims(p->x, dim);
	int passes = 0;
	for (int d = 0; d < rank; d++)
		if (!untouched(p, d) && !mul_i64(p->dim[d], 2 * reach(p, d), &buffer))
			return false;
		else if (!untouched(p, d))
			entries += buffer;
	struct tensor *index = tensor_new(c, DT_INT32, 1, &(int64_t){ entries ? entries : 1 });
	struct tensor *weight = tensor_new(c, DT_DOUBLE, 1, &(int64_t){ entries ? entries : 1 });
	int32_t *ip = index->data;
	double *wp = weight->data;
	buffer = 0;
	for (int d = 0; d < rank; d++) {
		if (untouched(p, d))
			continue;
		if (passes == AMP_MAX_RANK) {
			node_error(n, "schedule", "more than %d axes", AMP_MAX_RANK);
			return false;
		}
		const int half = reach(p, d);
		k->outer[passes] = move_product(dim, 0, d);
		k->inner[passes] = move_product(dim, d + 1, rank);
		k->size[passes] = dim[d];
		k->dim[passes] = p->dim[d];
		k->taps[passes++] = 2 * half;
		for (int64_t i = 0; i < p->dim[d]; i++, ip += 2 * half, wp += 2 * half)
			taps(p, d, i, half, ip, wp);
		dim[d] = p->dim[d];
		const int64_t size = move_product(dim, 0, rank);
		buffer = size > buffer ? size : buffer;
	}
	if (passes == 0) {
		/* nothing changes: one pass with one tap of weight 1 */
		k->outer[0] = 1;
		k->inner[0] = move_product(dim, 0, rank);
		k->size[0] = k->dim[0] = k->taps[0] = passes = 1;
		*wp = 1;
	}
	k->passes = passes;
	k->buffer = passes > 1 ? (buffer + 15) / 16 * 16 : 0;
	k->value = (float)p->value;
	if (passes > 1)
		s->shared = 2 * k->buffer * dtype_size(wt);
	s->phases = passes;
	step_in(s, n->in[0]);
	step_in(s, step_const(n, "resize index", index));
	step_in(s, step_const(n, "resize weight", tensor_convert(c, weight, wt)));
	step_out(s, n->out[0]);
	return true;
}

/* In c16 [N, C/16, H, W, 16], where height and width alone change: the same sums, a vector of channels each. */
static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	struct resizing p = { 0 };
	if (!read(n, &p) || p.x->dtype != DT_FLOAT || p.x->rank != 4 || p.coordinates == TF_CROP || !untouched(&p, 0) ||
	    !untouched(&p, 1) || type_elements(p.x) < 1 || type_elements(p.x) > INT32_MAX / 64)
		return false;
	want_in[0] = want_out[0] = LAYOUT_C16;
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	struct resizing p = { 0 };
	struct type blocks;
	if (!read(n, &p))
		return false;
	if (node_out(n, 0)->layout == LAYOUT_C16) {
		const int64_t c = (p.x->dim[1].value + 15) / 16;
		const int64_t dims[] = { p.x->dim[0].value, c, p.x->dim[2].value, p.x->dim[3].value, 16 };
		blocks = type_tensor(DT_FLOAT, 5, dims);
		p.x = &blocks;
		p.dim[1] = c;
		p.dim[4] = 16;
		p.scale[4] = p.end[4] = 1;
	}
	if (p.mode == NEAREST)
		return nearest_lower(n, s, &p);
	if (!dtype_is_float(p.x->dtype)) {
		node_error(n, "schedule", "%s is resized by mode nearest only", dtype_name(p.x->dtype));
		return false;
	}
	return weights_lower(n, s, &p);
}

/* Integers: Cast to float, Resize, Cast back. */
static bool expand(struct node *n)
{
	struct value *x = node_in(n, 0);
	if (str_eq(attr_str(n, "mode", "nearest"), "nearest") || !x || !dtype_is_int(x->type.dtype))
		return false;
	const enum dtype t = x->type.dtype;
	struct value *wide = expand_node(n, "Cast", x, NULL);
	attr_set_int(wide->def, "to", DT_FLOAT);
	struct value *r = expand_node(n, "Resize", wide, NULL);
	for (int i = 1; i < vec_len(n->in); i++)
		node_add_in(r->def, n->in[i]);
	for (int i = 0; i < vec_len(n->attrs); i++)
		vec_add(n->graph->c, r->def->attrs, n->attrs[i]);
	struct value *y = expand_node(n, "Cast", r, NULL);
	attr_set_int(y->def, "to", t);
	expand_result(n, 0, y);
	node_remove(n);
	return true;
}

const struct op op_resize = { .domain = "", .name = "Resize", .since = 19, .min_in = 1, .max_in = 4, .min_out = 1,
	.max_out = 1, .upgrade = upgrade, .infer = infer, .lower = lower, .expand = expand, .c16 = c16,
	.flags = OP_C16_PAYS };
