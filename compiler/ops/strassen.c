/*
 * strassen.c - matrix products by Strassen's algorithm: its weights, its cost, its admission (rules 6, 17, 18).
 *
 * In: a product's sizes and weights.  Out: whether it pays, the packed weights, the step.  Nothing here looks at the target.
 * Strassen 1969; Winograd's form with 15 sums, 4 of them of weights and made ahead, most others as sums that go on.
 */
#include "ops/strassen.h"
#include "ops/admit.h"
#include "ops/product.h"
#include "ops/spatial.h"
#include "ir/schedule.h"
#define AMP_T 1
#include "kernels/gemm.inc"
#include "kernels/strassen.inc"
#include "kernels/strassen_weights.inc"

bool strassen_fits(const struct strassen_layer *l)
{
	int64_t size;
	return l->rows >= 2 && l->k >= 32 && l->m >= 32 && mul_i64(l->n, l->rows, &size) && size <= INT32_MAX &&
	       l->k <= INT32_MAX / 64 && l->m <= INT32_MAX / 64 && mul_i64(l->k, l->m, &size) && size <= INT32_MAX / 16;
}

static int64_t half_of(const struct strassen_layer *l)
{
	return l->k / 32 * 16;
}

static int64_t pairs_of(const struct strassen_layer *l)		/* of rows, in a matrix */
{
	return (l->rows + 1) / 2;
}

static int64_t weight_floats(const struct strassen_layer *l)
{
	const int64_t half = half_of(l), rest = l->k - 2 * half;
	return ((l->m + 15) / 16 + 1) / 2 * (7 * half + 2 * rest) * 16;
}

/* ---- weights ----------------------------------------------------------------------------------- */

/* [m/16][k][16] */
static struct tensor *pack_raw(struct ctx *ctx, const struct strassen_layer *l)
{
	return product_pack(ctx, l->w, l->k, l->m, l->w_k, l->w_m);
}

static struct amp_strassen_weights form(const struct strassen_layer *l)
{
	return (struct amp_strassen_weights){ .k = (int32_t)l->k, .m = (int32_t)l->m, .half = (int32_t)half_of(l) };
}

#define HOW 1		/* of struct packed; winograd.c's are larger */

static const struct tensor *weights(struct ctx *ctx, const struct strassen_layer *l)
{
	for (int i = 0; l->graph && i < vec_len(l->graph->packed); i++)
		if (l->graph->packed[i].from == l->w && l->graph->packed[i].how == HOW + (l->w_m == 1))
			return l->graph->packed[i].to;
	const struct amp_strassen_weights p = form(l);
	const int64_t dims[] = { weight_floats(l) / 16, 16 };
	struct tensor *t = tensor_new(ctx, DT_FLOAT, 2, dims);
	const void *in[1] = { pack_raw(ctx, l)->data };
	void *out[1] = { t->data };
	struct amp_env env = { .parts = 1 };
	kernel_find("strassen_weights", "f32")->fn(&p, in, out, &env);
	if (l->graph) {
		const struct packed one = { l->w, t, HOW + (l->w_m == 1) };
		vec_add(ctx, l->graph->packed, one);
	}
	return t;
}

/* ---- cost and admission --------------------------------------------------------------------------- */

/*
 * In multiply-accumulates of one lane, for one matrix, as in winograd.c.  Seven products in place of eight; an input
 * counts four more for T1 to T4, an output ten for sums that leave the registers and come again (both measured).
 */
static double cost(const struct strassen_layer *l, bool strassen)
{
	const double k = (double)l->k, m = (double)l->m, rows = (double)l->rows, half = (double)half_of(l);
	double macs = rows * k * m, weights = k * m, sums = 0;
	if (strassen) {
		const double h = (double)pairs_of(l), q = (double)(((l->m + 15) / 16 + 1) / 2) * 16, rest = k - 2 * half;
		macs = h * q * (7 * half + 4 * rest);
		weights = q * (7 * half + 2 * rest);
		sums = rows * (4 * k + 10 * m);
	}
	weights *= 10;
	return (macs > weights ? macs + weights / 4 : weights + macs / 4) + sums;
}

#define CROP 8			/* rows */

/* Rule 18 on CROP rows, x from ir_fill(1), both by the kernels that `run --exact` uses: the error in units of the direct form's */
static double ratio(struct ctx *ctx, const struct strassen_layer *l)
{
	const int64_t x_dims[] = { CROP, l->k }, m = (l->m + 15) / 16 * 16, y_dims[] = { CROP, m };
	struct tensor *x = tensor_new(ctx, DT_FLOAT, 2, x_dims), *y = tensor_new(ctx, DT_FLOAT, 2, y_dims);
	struct tensor *want = tensor_new(ctx, DT_DOUBLE, 2, y_dims), *w = pack_raw(ctx, l);
	ir_fill(x, 1);
	const float *a = x->data, *b = w->data;
	double *sum = want->data;
	for (int64_t i = 0; i < CROP; i++)
		for (int64_t k = 0; k < l->k; k++)
			for (int64_t j = 0; j < l->m; j++)	/* products of floats are exact in double */
				sum[i * m + j] += (double)a[i * l->k + k] * (double)b[(j / 16 * l->k + k) * 16 + j % 16];
	const struct amp_gemm d = {
		.m = CROP, .n = l->m, .k = l->k, .b_packed = 1, .plain = 1, .a_m = l->k, .a_k = 1, .y_m = m, .y_n = 1,
		.alpha = 1, .beta = 1,
	};
	const struct amp_strassen p = {
		.n = 1, .rows = CROP, .k = (int32_t)l->k, .m = (int32_t)l->m, .half = (int32_t)half_of(l), .chunk = CROP / 2,
		.x_row = l->k, .x_block = 16, .y_row = m, .y_block = 16,
	};
	const size_t scratch = (size_t)(4 * (half_of(l) + 16) * (CROP / 2)) * sizeof(float);
	struct amp_env env = { .scratch = mem_alloc(ctx, scratch), .parts = 1 };
	const void *in[4] = { a, b, NULL, NULL };
	void *out[1] = { y->data };
	kernel_find("gemm", "f32")->fn(&d, in, out, &env);
	const double direct = admit_distance(y->data, want->data, CROP * m);
	in[1] = weights(ctx, l)->data;
	kernel_find("strassen", "f32")->fn(&p, in, out, &env);
	const double far = admit_distance(y->data, want->data, CROP * m);
	return admit_ratio(far, direct);
}

bool strassen_choose(struct ctx *ctx, const struct strassen_layer *l, const char **tried)
{
	/* plan `size` admits no weights that are larger than the model's own */
	if (!strassen_fits(l) || (l->graph && l->graph->plan && !str_eq(l->graph->plan, "speed")) || !(cost(l, true) < cost(l, false)))
		return false;
	const double r = ratio(ctx, l);
	*tried = str_printf(ctx, STRASSEN " %.2f", r);
	return r <= ADMIT_AT_MOST;
}

/* ---- the step ------------------------------------------------------------------------------------- */

#define CHUNK_BYTES (320 << 10)		/* sums of inputs of a chunk: they stay in the second cache */
#define PREFETCH (16 << 10)		/* floats ahead, at most */

static int64_t usual_chunk(const struct strassen_layer *l)	/* pairs */
{
	const int64_t pairs = l->n * pairs_of(l);
	int64_t room = op_cache(l->graph, CHUNK_BYTES) / ((half_of(l) + 16) * 16);
	if (pairs <= room || pairs <= 28)
		return pairs;
	room = room < 28 ? 28 : room / 14 * 14;		/* 14: the widest register tile, of which some share weights */
	const int64_t chunks = (pairs + room - 1) / room;
	return (pairs + chunks - 1) / chunks;
}

void strassen_lower(struct node *n, struct step *s, const struct strassen_layer *l, struct value *bias)
{
	struct ctx *c = n->graph->c;
	const int64_t pairs = l->n * pairs_of(l), usual = usual_chunk(l);
	int64_t chunks[] = { 14, 28, usual / 2, usual * 2, pairs }, aheads[] = { 0, 4 << 10, 16 << 10, 64 << 10 };
	for (int i = 0; i < 5; i++)
		chunks[i] = chunks[i] < 1 || chunks[i] > pairs ? usual : chunks[i];
	struct amp_strassen *p = step_kernel(s, "strassen", DT_FLOAT);
	*p = (struct amp_strassen){
		.n = (int32_t)l->n, .rows = (int32_t)l->rows, .k = (int32_t)l->k, .m = (int32_t)l->m, .half = (int32_t)half_of(l),
		.chunk = (int32_t)op_choice(n, "chunk", usual, chunks, 5),
		.ahead = op_choice(n, "ahead", op_prefetch(n->graph, PREFETCH), aheads, 4),
		.x_matrix = l->x_matrix, .x_row = l->x_row, .x_block = l->x_block,
		.y_matrix = l->y_matrix, .y_row = l->y_row, .y_block = l->y_block, .act = op_activation(n),
		.alpha = attr_float(n, "act_alpha", 0), .beta = attr_float(n, "act_beta", 0),
	};
	const int64_t bytes = 16 * ((int64_t)p->half + 16) * p->chunk;
	p->whole = p->chunk >= pairs;
	if (p->whole) {
		s->shared = bytes;
		s->phases = 2;
	} else {
		s->scratch = bytes;
	}
	const char *name = node_in(n, 1)->name;
	struct value *u = step_const(n, str_printf(c, "%s (" STRASSEN ")", name), weights(c, l));
	step_in(s, node_in(n, 0));
	step_in(s, u);
	step_in(s, bias);
	step_in(s, node_in(n, 3));
	step_out(s, node_out(n, 0));
	if (n->graph->at_start) {
		struct step *maker = NEW(c, struct step);
		maker->node = n;
		*(struct amp_strassen_weights *)step_kernel(maker, "strassen_weights", DT_FLOAT) = form(l);
		step_in(maker, step_const(n, str_printf(c, "%s (packed)", name), pack_raw(c, l)));
		step_out(maker, u);
		s->maker = maker;
	}
}
