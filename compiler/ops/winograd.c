/*
 * winograd.c - convolutions by Winograd's algorithm: its weights, its cost, its admission (rules 6, 17, 18).
 *
 * In: a layer's sizes and weights.  Out: the tile size, or the packed weights.  Nothing here looks at the target.
 */
#include "ops/winograd.h"
#include "ops/admit.h"
#include "ops/spatial.h"
#include "ir/schedule.h"
#define AMP_T 1
#include "kernels/conv_c16.inc"
#include "kernels/stem_c16.inc"
#include "kernels/winograd_c16.inc"
#include "kernels/winograd_weights.inc"

#include <string.h>

/*
 * So many tiles F(4, 2) has with the weights as the model has them: the bits are the same.  With more of them it pays to make
 * and keep 36 for each 9.
 */
#define FEW_TILES 16

/* in the order in which they are tried where they cost the same */
static const struct { int form; const char *name; } forms[] = {
	{ 2, "winograd2" }, { 4, "winograd4" }, { 5, "winograd5" }, { 6, "winograd6" },
	{ 4 + WINOGRAD_LATE, "winograd4late" }, { 5 + WINOGRAD_LATE, "winograd5late" },
};
#define FORMS ((int)(sizeof forms / sizeof *forms))

const char *winograd_name(int form)
{
	for (int i = 0; i < FORMS; i++)
		if (forms[i].form == form)
			return forms[i].name;
	return NULL;
}

/* Plan `size` admits no weights that are larger than the model's own. */
static bool own_weights(const struct winograd_layer *l)
{
	return l->graph && l->graph->plan && str_eq(l->graph->plan, "size");
}

int winograd_taps(const struct winograd_layer *l)
{
	return (int)((l->kernel + l->stride - 1) / l->stride);
}

bool winograd_read(const struct spatial *w, int64_t c, int64_t m, int64_t group, struct winograd_layer *l)
{
	*l = (struct winograd_layer){ .c = c, .m = m, .oh = w->out[0], .ow = w->out[1], .kernel = w->kernel[0],
				      .stride = w->stride[0] };
	return group == 1 && w->kernel[0] == w->kernel[1] && w->stride[0] == w->stride[1] && w->dilation[0] == 1 &&
	       w->dilation[1] == 1 && winograd_fits(l);
}

bool winograd_fits(const struct winograd_layer *l)
{
	int64_t size;
	const int64_t k = l->kernel, c = l->c;
	if (!(l->stride == 1 && k == 3 && c >= 16) &&
	    !(l->stride == 2 && (k == 3 || k == 7) && (c % 16 == 0 || c <= 4)))
		return false;
	return mul_i64(l->oh, l->ow, &size) && size <= INT32_MAX / 256 && mul_i64(c, l->m, &size) &&
	       size <= INT32_MAX / 512;
}

int winograd_side(const struct winograd_layer *l, int form)
{
	return WINOGRAD_T(form) + winograd_taps(l) - 1;
}

int32_t winograd_kernel_form(const struct winograd_layer *l, int form)
{
	if (winograd_taps(l) == 4)
		return l->c < 16 ? AMP_WINO_4X4_PLAIN : AMP_WINO_4X4;
	if (l->stride == 2 && l->c >= 16 && (winograd_tiles(l, form) <= FEW_TILES || own_weights(l)))
		return AMP_WINO_RAW2;
	return winograd_side(l, form) + (form & WINOGRAD_LATE ? AMP_WINO_LATE : 0);
}

static bool has_form(const struct winograd_layer *l, int form)
{
	return l->stride == 1 || form == 4;
}

int winograd_form(const struct winograd_layer *l, const char *name)
{
	for (int i = 0; i < FORMS; i++)
		if (has_form(l, forms[i].form) && str_eq(name, forms[i].name))
			return forms[i].form;
	return 0;
}

/* ---- weights ----------------------------------------------------------------------------------- */

/* [m/16][tap][c][16]: all channels are one block */
static struct tensor *pack_raw(struct ctx *ctx, const struct winograd_layer *l)
{
	return spatial_pack_c16(ctx, l->w, l->c);
}

/* Does the kernel take the weights as the model has them? */
static bool raw(const struct winograd_layer *l, int form)
{
	const int32_t kernel = winograd_kernel_form(l, form);
	return kernel == AMP_WINO_RAW || kernel == AMP_WINO_RAW2;
}

/* Do they lie by phases? */
static bool by_phases(const struct winograd_layer *l)
{
	return l->stride == 2 && l->kernel == 3 && l->c >= 16;
}

static struct amp_winograd_weights params(const struct winograd_layer *l, int form)
{
	return (struct amp_winograd_weights){
		.c = (int32_t)l->c, .m = (int32_t)l->m, .size = (int32_t)l->kernel, .stride = (int32_t)l->stride,
		.tile = WINOGRAD_T(form), .taps = winograd_taps(l), .late = (form & WINOGRAD_LATE) != 0,
		.phases = by_phases(l),
	};
}

/* How many floats stand for the weights of one input and output */
static int64_t weights_each(const struct winograd_layer *l, int form)
{
	const int64_t n = winograd_side(l, form);
	return raw(l, form) ? 9 : form & WINOGRAD_LATE ? n * winograd_taps(l) : by_phases(l) ? 36 : n * n * l->stride * l->stride;
}

static struct tensor *transform(struct ctx *ctx, const struct winograd_layer *l, int form)
{
	const struct amp_winograd_weights p = params(l, form);
	const int64_t n = winograd_side(l, form), m_blocks = (l->m + 15) / 16, k = l->c * l->stride * l->stride;
	const int64_t all[] = { n * n, m_blocks, k, 16 }, late[] = { n, (k + 15) / 16, m_blocks, p.taps, 256 }, phases[] = { 6, m_blocks, 6, l->c, 16 };
	struct tensor *t = p.late ? tensor_new(ctx, DT_FLOAT, 5, late) :
			   p.phases ? tensor_new(ctx, DT_FLOAT, 5, phases) : tensor_new(ctx, DT_FLOAT, 4, all);
	const void *in[1] = { pack_raw(ctx, l)->data };
	void *out[1] = { t->data };
	struct amp_env env = { .parts = 1 };
	kernel_find("winograd_weights", "f32")->fn(&p, in, out, &env);
	return t;
}

const struct tensor *winograd_weights(struct ctx *ctx, const struct winograd_layer *l, int form)
{
	const int how = (form * 16 + (int)l->stride) * 2 + raw(l, form);
	for (int i = 0; l->graph && i < vec_len(l->graph->packed); i++)
		if (l->graph->packed[i].from == l->w && l->graph->packed[i].how == how)
			return l->graph->packed[i].to;
	const struct tensor *t = raw(l, form) ? spatial_pack_c16(ctx, l->w, 16) : transform(ctx, l, form);
	if (l->graph) {
		const struct packed one = { l->w, t, how };
		vec_add(ctx, l->graph->packed, one);
	}
	return t;
}

void winograd_step_weights(struct node *n, struct step *s, const struct winograd_layer *l, int form)
{
	struct ctx *c = n->graph->c;
	struct value *u = step_const(n, str_printf(c, "%s (%s)", node_in(n, 1)->name, raw(l, form) ? "c16" : winograd_name(form)),
				     winograd_weights(c, l, form));
	step_in(s, u);
	if (!n->graph->at_start || raw(l, form))
		return;
	s->maker = NEW(c, struct step);
	s->maker->node = n;
	*(struct amp_winograd_weights *)step_kernel(s->maker, "winograd_weights", DT_FLOAT) = params(l, form);
	step_in(s->maker, step_const(n, str_printf(c, "%s (c16)", node_in(n, 1)->name), pack_raw(c, l)));
	step_out(s->maker, u);
}

/* ---- cost -------------------------------------------------------------------------------------- */

/*
 * In multiply-accumulates of one lane, for one image.  A weight is read once from memory and counts ten; arithmetic and
 * reading overlap, but not wholly.  That makes late layers, with large weights and small maps, prefer the smaller
 * tile, or late weights: F(5, 3)'s are made of half as many, at each run once for nine tiles, by two operations for each of
 * the three pairs of points, F(4, 3)'s of the model's own, once for four tiles, by 60 operations; F(4, 2)'s, where the model's own do, by 48.  A transform counts twelve a point of input, eight a point and a pixel of output.
 * F(6, 3) has to win a tenth: on maps of 56x56 it was 5 % faster than F(4, 3) and on 28x28 not at all, for 1.8 times its
 * weights.
 */
static double cost(const struct winograd_layer *l, int form)
{
	double c = (double)l->c, m = (double)l->m, macs, weights, transforms = 0;
	if (form == 0) {
		weights = (double)(l->kernel * l->kernel) * c * m;
		macs = (double)l->oh * (double)l->ow * weights;
	} else {
		const int64_t tile = WINOGRAD_T(form), across = (l->ow + tile - 1) / tile, down = (l->oh + tile - 1) / tile;
		const double tiles = (double)down * (double)across, n = winograd_side(l, form), points = n * n;
		weights = (double)weights_each(l, form) * c * m;
		c *= (double)(l->stride * l->stride);
		/* half of the phases lack a last row, half a last column */
		macs = tiles * (l->stride == 1 ? points : (n - 0.5) * (n - 0.5)) * c * m;
		if (raw(l, form))
			macs += ceil(tiles / 4) * (l->stride == 1 ? 60 : 12) * c * m;
		else if (form & WINOGRAD_LATE)
			macs += ceil(tiles / 9) * n * 2 * floor((n - 1) / 2) * c * m;
		transforms = tiles * (12 * points * ceil(c / 16) * 16 + 8 * (points + (double)(tile * tile)) * m);
	}
	weights *= 10;
	return ((macs > weights ? macs + weights / 4 : weights + macs / 4) + transforms) * (form == 6 ? 1.1 : 1);
}

#define CHUNK_BYTES (384 << 10)		/* V and M of a chunk, where the weights fit into the cache beside them */
#define WHOLE_BYTES (2 << 20)		/* the same where the weights do not: they should stream once */
#define NEAR_BYTES (1 << 20)		/* the same where they come again from the last cache */
#define SMALL_WEIGHTS (768 << 10)
#define NEAR_WEIGHTS (8 << 20)

static int64_t weight_bytes(const struct winograd_layer *l, int form)
{
	return weights_each(l, form) * l->c * l->m * 4;
}

int64_t winograd_tiles(const struct winograd_layer *l, int form)
{
	const int64_t tile = WINOGRAD_T(form);
	return ((l->ow + tile - 1) / tile) * ((l->oh + tile - 1) / tile);
}

/* V and M of one tile, in bytes */
static int64_t tile_bytes(const struct winograd_layer *l, int form)
{
	const int64_t n = winograd_side(l, form), k_blocks = (l->c * l->stride * l->stride + 15) / 16;
	return n * n * (k_blocks + (l->m + 15) / 16) * 64;
}

/* what the kernel takes: the model's own weights meet four tiles at a time */
static int64_t fours(const struct winograd_layer *l, int form, int64_t chunk)
{
	return raw(l, form) ? (chunk + 3) / 4 * 4 : chunk;
}

int64_t winograd_chunk(const struct winograd_layer *l, int form)
{
	const int64_t tile = WINOGRAD_T(form), tiles = winograd_tiles(l, form), w = weight_bytes(l, form);
	const int64_t room_bytes = w <= op_cache(l->graph, SMALL_WEIGHTS) ? CHUNK_BYTES :
				   w <= NEAR_WEIGHTS ? NEAR_BYTES : WHOLE_BYTES;
	int64_t room = op_cache(l->graph, room_bytes) / tile_bytes(l, form);
	if (l->chunk)
		return fours(l, form, l->chunk);
	if (l->c < 16)			/* a row of tiles */
		return (l->ow + tile - 1) / tile;
	if (tiles <= room || tiles <= 28)
		return fours(l, form, tiles);
	room = room < 28 ? 14 : room / 14 * 14;		/* 14: the widest register tile */
	const int64_t chunks = (tiles + room - 1) / room;
	return fours(l, form, (tiles + chunks - 1) / chunks);
}

bool winograd_whole(const struct winograd_layer *l, int form)
{
	return l->c >= 16 && winograd_chunk(l, form) >= winograd_tiles(l, form);
}

int64_t winograd_ahead(const struct winograd_layer *l, int form)
{
	if (weight_bytes(l, form) <= op_cache(l->graph, SMALL_WEIGHTS))
		return op_prefetch(l->graph, 4 << 10);
	/* what the next blocks of columns need: one of late weights, two by phases; of those as the model has them the 64th next input */
	return op_prefetch(l->graph, raw(l, form) ? 64 * 9 * 16 : form & WINOGRAD_LATE ? 3 * 256 :
				     by_phases(l) ? 2 * 6 * 16 * l->c : 48 << 10);
}

int64_t winograd_scratch(const struct winograd_layer *l, int form)
{
	const int64_t n = winograd_side(l, form), tile = WINOGRAD_T(form);
	const int64_t band = l->c < 16 ? n * ((l->ow + tile - 1) / tile * tile + winograd_taps(l) - 1) * 64 : 0;
	return tile_bytes(l, form) * winograd_chunk(l, form) + n * n * 2 * 64 + band;
}

/* ---- admission ----------------------------------------------------------------------------------- */

/* Where pixel (y, x) of channel c lies in the picture of the crop, `side` pixels square */
static int64_t pixel(const struct winograd_layer *l, int64_t side, int64_t c, int64_t y, int64_t x)
{
	return l->c < 16 ? (c * side + y) * side + x : ((c / 16 * side + y) * side + x) * 16 + c % 16;
}

/* One tile of output, all channels: sums in double, in c16 as the kernels give them */
static void truth(const struct winograd_layer *l, int tile, int64_t side, const float *x, double *y)
{
	const int64_t k = l->kernel, s = l->stride, n = tile * tile;
	const float *w = l->w->data;
	for (int64_t o = 0; o < l->m; o++) {
		double sum[AMP_WINO_MAX * AMP_WINO_MAX] = { 0 };
		for (int64_t c = 0; c < l->c; c++)
			for (int64_t i = 0; i < k * k; i++, w++) {
				const double g = (double)*w;
				for (int t = 0; t < n; t++)	/* products of floats are exact in double */
					sum[t] += g * (double)x[pixel(l, side, c, t / tile * s + i / k, t % tile * s + i % k)];
			}
		for (int t = 0; t < n; t++)
			y[(o / 16 * n + t) * 16 + o % 16] = sum[t];
	}
}

/*
 * Rule 18 on a crop: one tile of output with all input and output channels, no padding, x from ir_fill(1).
 * Both forms by the kernels that `run --exact` uses.  The error of Winograd's form in units of the direct form's.
 */
static double ratio(struct ctx *ctx, const struct winograd_layer *l, int form)
{
	const int tile = WINOGRAD_T(form);
	const int64_t side = (tile - 1) * l->stride + l->kernel, blocks = (l->c + 15) / 16, m_blocks = (l->m + 15) / 16;
	const int64_t x_dims[] = { l->c < 16 ? l->c : blocks * 16, side, side };
	const int64_t y_dims[] = { m_blocks, tile, tile, 16 };
	struct tensor *x = tensor_new(ctx, DT_FLOAT, 3, x_dims), *y = tensor_new(ctx, DT_FLOAT, 4, y_dims);
	struct tensor *want = tensor_new(ctx, DT_DOUBLE, 4, y_dims);
	ir_fill(x, 1);
	for (int64_t i = l->c > 16 && l->c % 16 ? (blocks - 1) * side * side * 16 : x->n; i < x->n; i++)
		if (i % 16 >= l->c % 16)
			((float *)x->data)[i] = 0;
	truth(l, tile, side, x->data, want->data);

	struct winograd_layer crop = *l;
	crop.oh = crop.ow = tile;
	const int32_t c = (int32_t)l->c, m = (int32_t)l->m, s = (int32_t)l->stride, k = (int32_t)l->kernel;
	const struct amp_conv_c16 d = {
		.n = 1, .c = c, .m = m, .group = 1, .ih = (int32_t)side, .iw = (int32_t)side, .oh = tile, .ow = tile,
		.kh = k, .kw = k, .sh = s, .sw = s, .dh = 1, .dw = 1, .band = tile, .x_plain = c < 16, .copy = c < 16,
	};
	const struct amp_winograd_c16 p = {
		.n = 1, .c = c, .m = m, .ih = (int32_t)side, .iw = (int32_t)side, .oh = tile, .ow = tile,
		.stride = s, .tile = tile, .form = winograd_kernel_form(l, form), .chunk = (int32_t)fours(l, form, 1),
	};
	const struct amp_stem_c16 stem = {
		.n = 1, .c = c, .m = m, .ih = (int32_t)side, .iw = (int32_t)side, .oh = tile, .ow = tile, .form = winograd_kernel_form(l, form),
	};
	const int64_t copy = side * side * 16 * 4, scratch = winograd_scratch(&crop, form);
	struct amp_env env = { .scratch = mem_alloc(ctx, (size_t)(copy > scratch ? copy : scratch)), .parts = 1 };
	const void *in[4] = { x->data, l->w_direct->data, NULL, NULL };
	void *out[1] = { y->data };
	kernel_find("conv_c16", "f32")->fn(&d, in, out, &env);
	const double direct = admit_distance(y->data, want->data, y->n);
	in[1] = winograd_weights(ctx, l, form)->data;
	if (c < 16)
		kernel_find("stem_c16", "f32")->fn(&stem, in, out, &env);
	else
		kernel_find("winograd_c16", "f32")->fn(&p, in, out, &env);
	const double far = admit_distance(y->data, want->data, y->n);
	return admit_ratio(far, direct);
}

int winograd_choose(struct ctx *ctx, const struct winograd_layer *l, const char **tried)
{
	bool refused[FORMS] = { false };
	for (;;) {
		int best = -1;
		for (int i = 0; i < FORMS; i++)
			if (has_form(l, forms[i].form) && !refused[i] && (!own_weights(l) || raw(l, forms[i].form)) &&
			    cost(l, forms[i].form) < cost(l, best < 0 ? 0 : forms[best].form))
				best = i;
		if (best < 0)
			return 0;
		const double r = ratio(ctx, l, forms[best].form);
		*tried = str_printf(ctx, "%s%s%s %.2f", *tried ? *tried : "", *tried ? ", " : "", forms[best].name, r);
		if (r <= ADMIT_AT_MOST)
			return forms[best].form;
		refused[best] = true;
	}
}
