/*
 * conv.c - Conv, and ampoule.Conv: the same with a residual Z (input 3) and an activation in it; of int32 too (what
 * ConvInteger and QLinearConv become).
 * X [N, C, spatial...], W [M, C/group, kernel...], B [M] -> Y [N, M, spatial...].
 */
#include "ops/product.h"
#include "ops/spatial.h"
#include "ops/stem.h"
#include "ops/strassen.h"
#include "ops/winograd.h"
#define AMP_T 1
#include "kernels/conv.inc"
#include "kernels/conv_c16.inc"
#include "kernels/conv_rows.inc"
#include "kernels/dwconv_c16.inc"
#include "kernels/winograd_c16.inc"

#include <string.h>

static bool read(const struct node *n, struct spatial *s, const struct type **x, const struct type **w,
		 int64_t *group)
{
	if (!op_in_type(n, 0, x) || !op_in_type(n, 1, w) || !spatial_read(n, *x, *w, false, s))
		return false;
	*group = attr_int(n, "group", 1);
	const int64_t c = (*x)->dim[1].value, m = (*w)->dim[0].value;
	if (*group < 1 || (c % *group) != 0 || (m % *group) != 0) {
		op_error(n, "group %lld does not divide %lld input and %lld output channels",
			 (long long)*group, (long long)c, (long long)m);
		return false;
	}
	if ((*w)->dim[1].value != c / *group) {
		op_error(n, "W is %s, but X has %lld channels in %lld groups: W[1] must be %lld",
			 type_text(n->graph->c, *w), (long long)c, (long long)*group,
			 (long long)(c / *group));
		return false;
	}
	return true;
}

static bool infer(struct node *n)
{
	struct spatial s;
	const struct type *x, *w, *b, *z;
	int64_t group, dims[IR_MAX_RANK];
	if (!read(n, &s, &x, &w, &group))
		return false;
	const bool type_ok = dtype_is_float(x->dtype) || (n->domain[0] && x->dtype == DT_INT32);
	if (!type_ok || w->dtype != x->dtype) {
		op_error(n, "X is %s and W %s; both must be of the same floating type",
			 dtype_name(x->dtype), dtype_name(w->dtype));
		return false;
	}
	if (node_in(n, 2)) {
		if (!op_in_type(n, 2, &b))
			return false;
		if (b->dtype != x->dtype || b->rank != 1 || b->dim[0].value != w->dim[0].value) {
			op_error(n, "B must be %s[%lld], not %s", dtype_name(x->dtype),
				 (long long)w->dim[0].value, type_text(n->graph->c, b));
			return false;
		}
	}
	dims[0] = x->dim[0].value;
	dims[1] = w->dim[0].value;
	memcpy(dims + 2, s.out, (size_t)s.rank * sizeof dims[0]);
	op_out_type(n, 0, x->dtype, x->rank, dims);
	if (node_in(n, 3)) {
		const struct type y = type_tensor(x->dtype, x->rank, dims);
		if (!op_in_type(n, 3, &z))
			return false;
		if (!type_equal(z, &y)) {
			op_error(n, "the residual is %s, but the result %s", type_text(n->graph->c, z),
				 type_text(n->graph->c, &y));
			return false;
		}
	}
	return op_activation(n) >= 0;
}

static void lower_c16(struct node *n, struct step *s, const struct spatial *w, const struct type *x,
		      const struct type *wt, int64_t group);

/* Few output channels in a group, on vectors along the row (conv_rows.inc). */
static bool lower_rows(struct node *n, struct step *s, const struct spatial *w, const struct type *x,
		       const struct type *wt, int64_t group)
{
	const int64_t c = x->dim[1].value, m = wt->dim[0].value;
	int64_t width, bytes = 4;
	if (x->dtype != DT_FLOAT || w->rank != 2 || w->stride[1] != 1 || m / group >= 8 || !spatial_finite(node_in(n, 1)))
		return false;
	struct amp_conv_rows *p = step_kernel(s, "conv_rows", DT_FLOAT);
	*p = (struct amp_conv_rows){
		.n = x->dim[0].value, .c = c, .m = m, .group = group, .ih = w->in[0], .iw = w->in[1], .oh = w->out[0],
		.ow = w->out[1], .kh = w->kernel[0], .kw = w->kernel[1], .sh = w->stride[0], .dh = w->dilation[0],
		.dw = w->dilation[1], .ph = w->pad[0], .pw = w->pad[1], .act = op_activation(n),
		.alpha = (float)attr_float(n, "act_alpha", 0), .beta = (float)attr_float(n, "act_beta", 0),
	};
	if (!mul_i64(p->kw - 1, p->dw, &width) || width >= INT64_MAX - 80 - p->ow ||
	    !mul_i64(bytes, width + p->ow + 80, &bytes) || !mul_i64(bytes, p->kh, &bytes) ||
	    !mul_i64(bytes, c / group, &bytes))
		fatal(n->graph->c, R_INPUT, "%s: the weights are too large", node_where(n));
	s->scratch = bytes;
	for (int i = 0; i < 4; i++)
		step_in(s, node_in(n, i));
	step_out(s, node_out(n, 0));
	return true;
}

/* One pixel in, one pixel out: the product of the images' channels and W, with its sums in the same order. */
static bool is_product(const struct spatial *w, int64_t group)
{
	for (int i = 0; i < w->rank; i++)
		if (w->in[i] != 1 || w->out[i] != 1 || w->kernel[i] != 1 || w->pad[i] != 0)
			return false;
	return group == 1;
}

static bool lower_product(struct node *n, struct step *s, const struct type *x, const struct type *wt)
{
	const int64_t c = x->dim[1].value, m = wt->dim[0].value;
	struct product p = {
		.m = x->dim[0].value, .n = m, .k = c, .a = { .row = c, .col = 1 }, .b = { .row = 1, .col = c },
		.c = { .col = 1 }, .z = { .row = m, .col = 1 }, .y = { .row = m, .col = 1 }, .alpha = 1, .beta = 1,
	};
	return product_lower(n, s, x->dtype, &p, node_in(n, 0), node_in(n, 1), node_in(n, 2), node_in(n, 3),
			     node_out(n, 0));
}

static bool lower(struct node *n, struct step *s)
{
	struct spatial w;
	const struct type *x, *wt;
	int64_t group;
	if (!read(n, &w, &x, &wt, &group))
		return false;
	if (node_out(n, 0)->layout == LAYOUT_C16) {
		lower_c16(n, s, &w, x, wt, group);
		return true;
	}
	if (is_product(&w, group))
		return lower_product(n, s, x, wt);
	if (lower_rows(n, s, &w, x, wt, group))
		return true;
	struct amp_conv *p = step_kernel(s, "conv", x->dtype);
	p->n = x->dim[0].value;
	p->c = x->dim[1].value;
	p->m = wt->dim[0].value;
	p->group = group;
	p->rank = w.rank;
	p->act = op_activation(n);
	p->alpha = attr_float(n, "act_alpha", 0);
	p->beta = attr_float(n, "act_beta", 0);
	for (int i = 0; i < w.rank; i++) {
		p->in[i] = w.in[i];
		p->out[i] = w.out[i];
		p->kernel[i] = w.kernel[i];
		p->stride[i] = w.stride[i];
		p->dilation[i] = w.dilation[i];
		p->pad[i] = w.pad[i];
	}
	if (spatial_pointwise(&w)) {	/* one long row */
		for (int i = 1; i < w.rank; i++)
			p->in[0] *= p->in[i];
		p->out[0] = p->in[0];
		p->rank = 1;
	}
	for (int i = 0; i < 4; i++)
		step_in(s, node_in(n, i));
	step_out(s, node_out(n, 0));
	if (p->m / group >= 8) {
		int64_t bytes = dtype_size(x->dtype) == 8 ? 16 * 8 : 16 * 4;
		bool ok = mul_i64(bytes, p->c / group, &bytes);
		for (int i = 0; i < p->rank; i++)
			ok = ok && mul_i64(bytes, p->kernel[i], &bytes);
		if (!ok)
			fatal(n->graph->c, R_INPUT, "%s: the weights are too large", node_where(n));
		s->scratch = bytes;
	}
	return true;
}

/* ---- layout c16 -------------------------------------------------------------------------------- */

static bool depthwise(int64_t c, int64_t m, int64_t group)
{
	return group > 1 && c == group && m == group;
}

static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	struct spatial s;
	const struct type *x, *w;
	int64_t group;
	if (!read(n, &s, &x, &w, &group) || x->dtype != DT_FLOAT || s.rank != 2 ||
	    !spatial_finite(node_in(n, 1)) || (node_in(n, 2) && !node_in(n, 2)->data))
		return false;
	const int64_t c = x->dim[1].value, m = w->dim[0].value;
	int64_t size = type_elements(x);
	for (int i = 0; i < 2; i++)
		if (s.pad[i] < 0 || s.pad_end[i] < 0 || s.stride[i] > 1 << 15 || s.kernel[i] > 1 << 15 ||
		    s.dilation[i] > 1 << 15 || s.pad[i] > 1 << 15 || s.out[i] == 0 || s.in[i] == 0)
			return false;
	/* a block of few channels: only where the input, which is no smaller, would have to be converted, and is a map */
	if (m < 16 && (c < 16 || node_in(n, 0)->layout != LAYOUT_C16 || s.out[0] * s.out[1] == 1))
		return false;
	if (size < 1 || size > INT32_MAX / 64 || x->dim[0].value < 1)
		return false;
	if (!depthwise(c, m, group) && group > 1 && (c / group % 16 || m / group % 16))
		return false;
	for (int i = 0; i < 4; i++)
		want_in[i] = i == 0 || i == 3 ? LAYOUT_C16 : LAYOUT_PLAIN;
	if (c < 16)			/* the first layer reads the picture as it is */
		want_in[0] = LAYOUT_PLAIN;
	want_out[0] = LAYOUT_C16;
	return true;
}

static void step_weights(struct node *n, struct step *s, const struct tensor *packed, const char *how)
{
	step_in(s, step_const(n, str_printf(n->graph->c, "%s (%s)", node_in(n, 1)->name, how), packed));
}

/* ---- Winograd ---- */

/* Is it a product of pixels and weights, which Strassen's algorithm could compute? */
static bool strassen_read(const struct node *n, const struct spatial *w, const struct type *x, const struct type *wt,
			  int64_t group, struct strassen_layer *l)
{
	const int64_t c = x->dim[1].value, m = wt->dim[0].value, pixels = w->in[0] * w->in[1];
	*l = (struct strassen_layer){
		.n = x->dim[0].value, .rows = pixels, .k = c, .m = m, .w = node_in(n, 1)->data, .w_k = 1, .w_m = c,
		.x_matrix = (c + 15) / 16 * pixels * 16, .x_row = 16, .x_block = pixels * 16,
		.y_matrix = (m + 15) / 16 * pixels * 16, .y_row = 16, .y_block = pixels * 16, .graph = n->graph,
	};
	return spatial_pointwise(w) && group == 1 && c >= 16 && strassen_fits(l);
}

static const char *algorithm(const struct node *n, const char **tried)
{
	struct spatial s;
	const struct type *x, *w;
	struct winograd_layer l;
	struct strassen_layer product;
	int64_t group;
	if (!read(n, &s, &x, &w, &group) || node_out(n, 0)->layout != LAYOUT_C16)
		return NULL;
	if (strassen_read(n, &s, x, w, group, &product))
		return strassen_choose(n->graph->c, &product, tried) ? STRASSEN : NULL;
	if (!winograd_read(&s, x->dim[1].value, w->dim[0].value, group, &l))
		return NULL;
	l.w = node_in(n, 1)->data;
	l.graph = n->graph;
	l.w_direct = spatial_pack_c16(n->graph->c, l.w, l.c < 16 ? l.c : 16);
	const int form = winograd_choose(n->graph->c, &l, tried);
	return form ? winograd_name(form) : NULL;
}

#define ONE_ROW 256			/* pixels */
#define BAND_BYTES (192 << 10)		/* input rows of a band: they should stay in the L2 cache */
#define SHORT_ROW 10			/* pixels: no register tile is full */
#define FEW_OUTPUTS 64			/* channels for which gathering the taps does not pay */
#define TAPS_BYTES (1 << 20)
#define MANY_WEIGHTS (1 << 20)		/* bytes that come from memory at each run */
#define PREFETCH (32 << 10)		/* floats ahead */

static void lower_c16(struct node *n, struct step *s, const struct spatial *w, const struct type *x,
		      const struct type *wt, int64_t group)
{
	const int64_t c = x->dim[1].value, m = wt->dim[0].value;
	struct winograd_layer l;
	struct strassen_layer product;
	/* the attribute is the pass `plan`'s */
	if (*n->domain && str_eq(attr_str(n, "algorithm", ""), STRASSEN) && strassen_read(n, w, x, wt, group, &product)) {
		strassen_lower(n, s, &product, spatial_bias_c16(n));
		if (node_in(n, 3) && !node_in(n, 3)->data)
			step_inplace(s, 0, 3);
		return;
	}
	const int form = *n->domain && winograd_read(w, c, m, group, &l) ?
			 winograd_form(&l, attr_str(n, "algorithm", "")) : 0;
	if (form && c < 16) {
		stem_lower(n, s, &l, w, NULL);
		return;
	}
	step_in(s, node_in(n, 0));
	if (depthwise(c, m, group)) {
		struct amp_dwconv_c16 *p = step_kernel(s, "dwconv_c16", DT_FLOAT);
		*p = (struct amp_dwconv_c16){
			.n = (int32_t)x->dim[0].value, .c = (int32_t)c, .ih = (int32_t)w->in[0],
			.iw = (int32_t)w->in[1], .oh = (int32_t)w->out[0], .ow = (int32_t)w->out[1],
			.kh = (int32_t)w->kernel[0], .kw = (int32_t)w->kernel[1], .sh = (int32_t)w->stride[0],
			.sw = (int32_t)w->stride[1], .dh = (int32_t)w->dilation[0], .dw = (int32_t)w->dilation[1],
			.ph = (int32_t)w->pad[0], .pw = (int32_t)w->pad[1], .by_rows = spatial_by_rows(n, w), .act = op_activation(n),
			.alpha = (float)attr_float(n, "act_alpha", 0), .beta = (float)attr_float(n, "act_beta", 0),
		};
		/* outputs at the ends of a row are made one by one: rows of few others are padded by a copy */
		const int64_t reach = (w->kernel[1] - 1) * w->dilation[1], wp = (w->out[1] - 1) * w->stride[1] + reach + 1;
		const int64_t ends = (w->pad[1] + w->stride[1] - 1) / w->stride[1] +
				     (wp - w->pad[1] - w->in[1] + w->stride[1] - 1) / w->stride[1];
		p->copy = ends > 0 && w->in[1] <= 6 * ends * w->kernel[0];
		if (p->copy)
			s->scratch = ((w->kernel[0] - 1) * w->dilation[0] + 1) * wp * 64;
		step_weights(n, s, spatial_pack_c16(n->graph->c, node_in(n, 1)->data, 1), "c16");
	} else if (form) {
		struct amp_winograd_c16 *p = step_kernel(s, "winograd_c16", DT_FLOAT);
		l.w = node_in(n, 1)->data;
		l.graph = n->graph;
		const int64_t chunk = winograd_chunk(&l, form), tiles = winograd_tiles(&l, form);
		int64_t chunks[] = { chunk / 28 * 14, chunk * 2, chunk * 4, tiles }, aheads[] = { 0, 4 << 10, 16 << 10, 64 << 10 };
		for (int i = 0; i < 4; i++)
			chunks[i] = chunks[i] < 14 || chunks[i] > tiles ? chunk : chunks[i];
		l.chunk = op_choice(n, "chunk", chunk, chunks, 4);
		*p = (struct amp_winograd_c16){
			.n = (int32_t)x->dim[0].value, .c = (int32_t)c, .m = (int32_t)m, .ih = (int32_t)w->in[0],
			.iw = (int32_t)w->in[1], .oh = (int32_t)w->out[0], .ow = (int32_t)w->out[1],
			.ph = (int32_t)w->pad[0], .pw = (int32_t)w->pad[1], .stride = (int32_t)l.stride,
			.tile = WINOGRAD_T(form), .form = winograd_kernel_form(&l, form), .chunk = (int32_t)winograd_chunk(&l, form),
			.whole = winograd_whole(&l, form), .ahead = op_choice(n, "ahead", winograd_ahead(&l, form), aheads, 4),
			.act = op_activation(n),
			.alpha = (float)attr_float(n, "act_alpha", 0), .beta = (float)attr_float(n, "act_beta", 0),
		};
		if (p->whole) {
			s->shared = winograd_scratch(&l, form);
			s->phases = 3 * op_i32(n, x->dim[0].value);
		} else {
			s->scratch = winograd_scratch(&l, form);
		}
		winograd_step_weights(n, s, &l, form);
	} else {
		struct amp_conv_c16 *p = step_kernel(s, "conv_c16", DT_FLOAT);
		const int64_t cg = c / group, cs = c < 16 ? c : 16;
		*p = (struct amp_conv_c16){
			.n = (int32_t)x->dim[0].value, .c = (int32_t)c, .m = (int32_t)m, .group = (int32_t)group,
			.ih = (int32_t)w->in[0], .iw = (int32_t)w->in[1], .oh = (int32_t)w->out[0],
			.ow = (int32_t)w->out[1], .kh = (int32_t)w->kernel[0], .kw = (int32_t)w->kernel[1],
			.sh = (int32_t)w->stride[0], .sw = (int32_t)w->stride[1], .dh = (int32_t)w->dilation[0],
			.dw = (int32_t)w->dilation[1], .ph = (int32_t)w->pad[0], .pw = (int32_t)w->pad[1],
			.x_plain = c < 16, .last_half = m % 16 >= 1 && m % 16 <= 8, .act = op_activation(n),
			.alpha = (float)attr_float(n, "act_alpha", 0), .beta = (float)attr_float(n, "act_beta", 0),
		};
		/* a small map that each pixel of which is its own window is one row: register tiles fill better */
		struct spatial flat = *w;
		if (w->in[0] * w->in[1] <= ONE_ROW && w->out[0] == w->in[0] && w->out[1] == w->in[1] &&
		    w->kernel[0] * w->kernel[1] == 1) {
			flat.in[0] = flat.out[0] = 1;
			flat.in[1] = flat.out[1] = w->in[0] * w->in[1];
			p->ih = p->oh = 1;
			p->iw = p->ow = (int32_t)flat.in[1];
			w = &flat;
		}
		const int64_t wp = (w->out[1] - 1) * w->stride[1] + (w->kernel[1] - 1) * w->dilation[1] + 1;
		p->copy = c < 16 || w->pad[1] > 0 || wp > w->in[1] ? AMP_CONV_BAND : AMP_CONV_IN_PLACE;
		p->ahead = node_in(n, 1)->data->n * 4 > MANY_WEIGHTS ? op_prefetch(n->graph, PREFETCH) : 0;
		/* what each output pixel sees, if that is not much and its rows are short: then likewise one row */
		const int64_t taps = w->kernel[0] * w->kernel[1], pixels = w->out[0] * w->out[1];
		if (c >= 16 && group == 1 && m >= FEW_OUTPUTS && w->out[0] > 1 && w->out[1] <= SHORT_ROW &&
		    w->out[0] <= SHORT_ROW && taps <= TAPS_BYTES / ((c + 15) / 16 * 64) / pixels) {
			p->copy = AMP_CONV_TAPS;
			p->band = 1;
			s->shared = (c + 15) / 16 * taps * pixels * 64;
			s->phases = 2 * op_i32(n, x->dim[0].value);
		}
		/* as many output rows as keep the band's input rows within BAND_BYTES */
		const int64_t row = (cg + cs - 1) / cs * cs * wp * 4;
		int64_t band = w->out[0];
		while (band > 1 && ((band - 1) * w->stride[0] + (w->kernel[0] - 1) * w->dilation[0] + 1) * row >
				   op_cache(n->graph, BAND_BYTES))
			band = (band + 1) / 2;
		int64_t bands[] = { 1, (band + 3) / 4, (band + 1) / 2, band * 2, band * 4, w->out[0] };
		for (int i = 0; i < 6; i++)
			bands[i] = bands[i] < w->out[0] ? bands[i] : w->out[0];
		if (p->copy != AMP_CONV_TAPS)
			p->band = (int32_t)op_choice(n, "band", band, bands, w->out[0] > 1 ? 6 : 0);
		band = p->band;
		if (p->copy == AMP_CONV_BAND)
			s->scratch = ((band - 1) * w->stride[0] + (w->kernel[0] - 1) * w->dilation[0] + 1) * row;
		step_weights(n, s, spatial_pack_c16(n->graph->c, node_in(n, 1)->data, cs), "c16");
	}
	spatial_step_end(n, s);
}

static int64_t macs(const struct node *n)
{
	const struct value *y = node_out(n, 0), *w = node_in(n, 1);
	int64_t r = y ? type_elements(&y->type) : -1;
	if (r < 0 || !w || !type_known(&w->type))
		return 0;
	for (int i = 1; i < w->type.rank; i++)
		if (!mul_i64(r, w->type.dim[i].value, &r))
			return 0;
	return r;
}

const struct op op_conv = {
	.domain = "", .name = "Conv", .since = 22, .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1,
	.flags = OP_C16_PAYS, .infer = infer, .lower = lower, .c16 = c16, .algorithm = algorithm, .macs = macs,
};

const struct op op_ampoule_conv = {
	.domain = "ampoule", .name = "Conv", .since = 1, .min_in = 2, .max_in = 4, .min_out = 1,
	.max_out = 1, .flags = OP_C16_PAYS, .infer = infer, .lower = lower, .c16 = c16, .algorithm = algorithm, .macs = macs,
};
