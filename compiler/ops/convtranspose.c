/*
 * convtranspose.c - ConvTranspose, and ampoule.ConvTranspose: the same with a residual Z (input 3)
 * and an activation.
 * X [N, C, spatial...], W [C, M/group, kernel...], B [M] -> Y [N, M, spatial...].
 */
#include "ops/spatial.h"
#define AMP_T 1
#include "kernels/convtranspose.inc"
#include "kernels/convtranspose_c16.inc"

#include <string.h>

static bool read(const struct node *n, struct spatial *s, const struct type **x, const struct type **w,
		 int64_t *group)
{
	if (!op_in_type(n, 0, x) || !op_in_type(n, 1, w) || !spatial_read_transposed(n, *x, *w, s))
		return false;
	*group = attr_int(n, "group", 1);
	const int64_t c = (*x)->dim[1].value;
	int64_t m;
	if (*group < 1 || c % *group != 0) {
		op_error(n, "group %lld does not divide %lld input channels", (long long)*group,
			 (long long)c);
		return false;
	}
	if ((*w)->dim[0].value != c || !mul_i64((*w)->dim[1].value, *group, &m)) {
		op_error(n, "W is %s, but X has %lld channels: W[0] must be %lld",
			 type_text(n->graph->c, *w), (long long)c, (long long)c);
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
	const int64_t m = w->dim[1].value * group;
	if (!dtype_is_float(x->dtype) || w->dtype != x->dtype) {
		op_error(n, "X is %s and W %s; both must be of the same floating type",
			 dtype_name(x->dtype), dtype_name(w->dtype));
		return false;
	}
	if (node_in(n, 2)) {
		if (!op_in_type(n, 2, &b))
			return false;
		if (b->dtype != x->dtype || b->rank != 1 || b->dim[0].value != m) {
			op_error(n, "B must be %s[%lld], not %s", dtype_name(x->dtype), (long long)m,
				 type_text(n->graph->c, b));
			return false;
		}
	}
	dims[0] = x->dim[0].value;
	dims[1] = m;
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

/* ---- layout c16 -------------------------------------------------------------------------------- */

static bool c16(const struct node *n, enum layout *want_in, enum layout *want_out)
{
	struct spatial s;
	const struct type *x, *w;
	int64_t group;
	if (!read(n, &s, &x, &w, &group) || x->dtype != DT_FLOAT || s.rank != 2 || group != 1 ||
	    !spatial_finite(node_in(n, 1)) || (node_in(n, 2) && !node_in(n, 2)->data))
		return false;
	int64_t out = x->dim[0].value;
	for (int i = 0; i < 2; i++)
		if (s.pad[i] < 0 || s.pad[i] > 1 << 15 || s.kernel[i] > 1 << 10 || s.stride[i] > 64 ||
		    (s.dilation[i] != 1 && s.kernel[i] > 1) || s.in[i] < 1 || s.out[i] < 1 || s.out[i] > 1 << 20 ||
		    !mul_i64(out, s.out[i], &out))
			return false;
	const int64_t m = (w->dim[1].value + 15) / 16 * 16, size = type_elements(x);
	if (x->dim[1].value < 16 || m < 16 || size < 1 || size > INT32_MAX / 64 || !mul_i64(out, m, &out) ||
	    out > INT32_MAX / 64)
		return false;
	want_in[0] = want_in[3] = want_out[0] = LAYOUT_C16;
	return true;
}

/* W [c, m, kh, kw] -> phase after phase [m/16][c/16][ty][tx][16][16], zeros beyond */
static struct tensor *pack_weights(struct ctx *ctx, const struct tensor *w, int64_t sh, int64_t sw)
{
	const int64_t c = w->dim[0], m = w->dim[1], kh = w->dim[2], kw = w->dim[3];
	const int64_t blocks = (c + 15) / 16, m_blocks = (m + 15) / 16, dims[] = { kh * kw, m_blocks, blocks, 16, 16 };
	struct tensor *t = tensor_new(ctx, DT_FLOAT, 5, dims);
	const float *from = w->data;
	float *to = t->data;
	for (int64_t ry = 0; ry < sh; ry++)
		for (int64_t rx = 0; rx < sw; rx++)
			for (int64_t o = 0; o < m_blocks * 16; o += 16)
				for (int64_t i = 0; i < blocks * 16; i += 16)
					for (int64_t y = ry; y < kh; y += sh)
						for (int64_t x = rx; x < kw; x += sw)
							for (int64_t a = i; a < i + 16; a++)
								for (int64_t b = o; b < o + 16; b++)
									*to++ = a < c && b < m ?
										from[((a * m + b) * kh + y) * kw + x] : 0;
	return t;
}

#define BAND_BYTES (192 << 10)		/* input rows of a band: they should stay in the L2 cache */

static void lower_c16(struct node *n, struct step *s, const struct spatial *w, const struct type *x,
		      const struct type *wt)
{
	struct amp_convtranspose_c16 *p = step_kernel(s, "convtranspose_c16", DT_FLOAT);
	*p = (struct amp_convtranspose_c16){
		.n = (int32_t)x->dim[0].value, .c = (int32_t)x->dim[1].value, .m = (int32_t)wt->dim[1].value,
		.ih = (int32_t)w->in[0], .iw = (int32_t)w->in[1], .oh = (int32_t)w->out[0], .ow = (int32_t)w->out[1],
		.kh = (int32_t)w->kernel[0], .kw = (int32_t)w->kernel[1], .sh = (int32_t)w->stride[0],
		.sw = (int32_t)w->stride[1], .ph = (int32_t)w->pad[0], .pw = (int32_t)w->pad[1],
		.act = op_activation(n),
		.alpha = (float)attr_float(n, "act_alpha", 0), .beta = (float)attr_float(n, "act_beta", 0),
	};
	/* the first column that a tap reads, and the last */
	const int32_t reach = (p->kw + p->sw - 1) / p->sw, low = p->pw / p->sw - (reach - 1);
	const int32_t high = (p->ow - 1 + p->pw) / p->sw;
	p->left = low < 0 ? -low : 0;
	p->copy = low < 0 || high >= p->iw;
	p->wp = p->left + (high >= p->iw ? high + 1 : p->iw);
	const int64_t row = (int64_t)(p->c + 15) / 16 * p->wp * 64, rows = (p->kh + p->sh - 1) / p->sh;
	int64_t band = p->oh;
	while (p->copy && band > 1 && ((band + p->sh - 2) / p->sh + rows) * row > op_cache(n->graph, BAND_BYTES))
		band = (band + 1) / 2;
	p->band = (int32_t)band;
	if (p->copy)
		s->scratch = ((band + p->sh - 2) / p->sh + rows) * row;
	step_in(s, node_in(n, 0));
	step_in(s, step_const(n, str_printf(n->graph->c, "%s (c16)", node_in(n, 1)->name),
			      pack_weights(n->graph->c, node_in(n, 1)->data, p->sh, p->sw)));
	spatial_step_end(n, s);
}

static bool lower(struct node *n, struct step *s)
{
	struct spatial w;
	const struct type *x, *wt;
	int64_t group;
	if (!read(n, &w, &x, &wt, &group))
		return false;
	if (node_out(n, 0)->layout == LAYOUT_C16) {
		lower_c16(n, s, &w, x, wt);
		return true;
	}
	struct amp_convtranspose *p = step_kernel(s, "convtranspose", x->dtype);
	p->n = x->dim[0].value;
	p->c = x->dim[1].value;
	p->m = wt->dim[1].value * group;
	p->group = group;
	p->rank = w.rank;
	p->act = op_activation(n);
	p->alpha = attr_float(n, "act_alpha", 0);
	p->beta = attr_float(n, "act_beta", 0);
	int64_t bytes = dtype_size(x->dtype) == 8 ? 16 * 8 : 16 * 4;
	bool ok = mul_i64(bytes, p->c / group, &bytes);
	for (int i = 0; i < w.rank; i++) {
		p->in[i] = w.in[i];
		p->out[i] = w.out[i];
		p->kernel[i] = w.kernel[i];
		p->stride[i] = w.stride[i];
		p->dilation[i] = w.dilation[i];
		p->pad[i] = w.pad[i];
		ok = ok && mul_i64(bytes, w.kernel[i], &bytes);
	}
	if (!ok)
		fatal(n->graph->c, R_INPUT, "%s: the weights are too large", node_where(n));
	s->scratch = bytes;
	for (int i = 0; i < 4; i++)
		step_in(s, node_in(n, i));
	step_out(s, node_out(n, 0));
	return true;
}

static int64_t macs(const struct node *n)
{
	const struct value *x = node_in(n, 0), *w = node_in(n, 1);
	int64_t r = x ? type_elements(&x->type) : -1;
	if (r < 0 || !w || !type_known(&w->type))
		return 0;
	for (int i = 1; i < w->type.rank; i++)
		if (!mul_i64(r, w->type.dim[i].value, &r))
			return 0;
	return r;
}

const struct op op_convtranspose = {
	.domain = "", .name = "ConvTranspose", .since = 22, .min_in = 2, .max_in = 3, .min_out = 1,
	.max_out = 1, .flags = OP_C16_PAYS, .infer = infer, .lower = lower, .c16 = c16, .macs = macs,
};

const struct op op_ampoule_convtranspose = {
	.domain = "ampoule", .name = "ConvTranspose", .since = 1, .min_in = 2, .max_in = 4, .min_out = 1,
	.max_out = 1, .flags = OP_C16_PAYS, .infer = infer, .lower = lower, .c16 = c16, .macs = macs,
};
