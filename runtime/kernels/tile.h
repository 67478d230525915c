/*
 * tile.h - the register tile of convolution in c16, matrix product and attention (float32).
 *
 * in:  struct amp_tile: T rows (pixels) of x, V blocks of 16 columns (output channels) of w
 * out: sum[V][AMP_TILE_T][16]: each sum starts at +0, or at start, of the same shape, and runs over (block of 16 inputs, ky,
 *      kx, input) by fma
 *
 * The vector runs over columns, the T x V sums stay in registers, each step broadcasts T inputs.  A matrix product
 * is the case of one block of k inputs and one tap.  amp_tiles[V - 1][T - 1] picks the function.
 * A clamp behind the sums (none, Relu, Clip) can be done before they leave the registers: `y`.
 */
#ifndef AMP_TILE_H
#define AMP_TILE_H

#include "kernels/type.h"

/*
 * rows x blocks.  32 registers of 16 floats; 16 of 8 or 32 of 4; plain C, for compilers that vectorise; SSE2, whose
 * fma is made of doubles (tile_soft.h).
 */
#if defined(AMP_ISA_AVX512)
#define AMP_TILE_T 14
#define AMP_TILE_V 2
#elif defined(AMP_ISA_AVX2) || defined(AMP_ISA_NEON)
#define AMP_TILE_T 6
#define AMP_TILE_V 1
#elif !defined(AMP_ISA_SSE2)
#define AMP_TILE_T 4
#define AMP_TILE_V 1
#define AMP_TILE_PLAIN
#else
#define AMP_TILE_T 4
#define AMP_TILE_V 1
#define AMP_TILE_SOFT
#endif

#if defined(AMP_TILE_PLAIN) || defined(AMP_TILE_SOFT)
#define AMP_TILE_CLAMPS 0
#else
#define AMP_TILE_CLAMPS 1
#endif

/* What a tile reads: all strides in floats. */
struct amp_tile {
	const float *x, *w;		/* first row at kernel row ky0, column 0; first weight */
	const float *start;		/* NULL: +0; else as the sums are given, and where they are given or elsewhere */
	int64_t x_block, x_row, x_col;	/* to the next input block, kernel row, kernel column */
	int64_t x_pixel;		/* to the next row of the tile; inputs of a block are neighbours */
	int64_t w_block;		/* from one block of columns to the next; inputs are 16 apart */
	int64_t sum_block;		/* the same in the sums; 0: AMP_TILE_T * 16 */
	int64_t ahead[AMP_TILE_V];	/* each step prefetches what lies so far from its weights; 0: nothing new */
	int32_t blocks, last, cs;	/* inputs in a block: cs, in the last one `last` */
	int32_t ky0, ky1, kh, kw;
	float *y;			/* where AMP_TILE_CLAMPS, of AMP_TILE_V blocks and AMP_TILE_CLAMP_T rows or more, not NULL:
					 * y = clamp(sum + bias), and no sums */
	int64_t y_block;		/* from one block of columns to the next in y; rows are 16 apart */
	const float *bias;		/* [V][16], no -0 */
	float low, high;		/* no -0 */
};

/*
 * Row t of x: a pointer for each three rows, hidden from the compiler, which would keep 14 offsets, most of them on the
 * stack: a load more for each row.
 */
#define AMP_AT0 x0[0]
#define AMP_AT1 x0[px]
#define AMP_AT2 x0[2 * px]
#define AMP_AT3 x3[0]
#define AMP_AT4 x3[px]
#define AMP_AT5 x3[2 * px]
#define AMP_AT6 x6[0]
#define AMP_AT7 x6[px]
#define AMP_AT8 x6[2 * px]
#define AMP_AT9 x9[0]
#define AMP_AT10 x9[px]
#define AMP_AT11 x9[2 * px]
#define AMP_AT12 x12[0]
#define AMP_AT13 x12[px]
#ifdef AMP_TILE_PLAIN
#define AMP_ROWS(T) const float *x0 = xk;
#define AMP_NEXT(T) x0++
#else
#define AMP_ROWS(T) \
	const float *x0 = xk, *x3 = xk + (T > 3 ? 3 * px : 0), *x6 = xk + (T > 6 ? 6 * px : 0); \
	const float *x9 = xk + (T > 9 ? 9 * px : 0), *x12 = xk + (T > 12 ? 12 * px : 0); \
	__asm__("" : "+r"(x0)); \
	__asm__("" : "+r"(x3)); \
	__asm__("" : "+r"(x6)); \
	__asm__("" : "+r"(x9)); \
	__asm__("" : "+r"(x12)); \
	const float *xn = xk + T * px; \
	(void)xn;
#define AMP_NEXT(T) x0++, x3++, x6++, x9++, x12++, xn += near
#endif

#ifdef AMP_TILE_PLAIN
/* loops over 16 lanes that compilers vectorise: sums in arrays with names of their own stay in registers */
#define AMP_ACC1(t) float a##t[16] = { 0 };
#define AMP_X1(t) const float s##t = x0[t * px];
#define AMP_GO1(t) memcpy(a##t, start + t * 16, sizeof a##t);
#define AMP_FMA1(t) a##t[j] = s_fma(s##t, w[j], a##t[j]);
#define AMP_PUT1(t) memcpy(sum + t * 16, a##t, sizeof a##t);
#define AMP_STEP(T, V) AMP_REP##T(AMP_X1) for (int j = 0; j < 16; j++) { AMP_REP##T(AMP_FMA1) }
#else
#define AMP_ACC1(t) vf a##t = v_zero();
#define AMP_ACC2(t) vf a##t = v_zero(), b##t = v_zero();
#define AMP_GO1(t) a##t = v_load(start + t * 16);
#define AMP_GO2(t) a##t = v_load(start + t * 16), b##t = v_load(start + sb + t * 16);
#define AMP_FMA1(t) a##t = v_fma(v_set1(AMP_AT##t), w0, a##t);
#define AMP_FMA2(t) { const vf s = v_set1(AMP_AT##t); a##t = v_fma(s, w0, a##t); b##t = v_fma(s, w1, b##t); }
#define AMP_PUT1(t) v_store(sum + t * 16, a##t);
#define AMP_PUT2(t) v_store(sum + t * 16, a##t); v_store(sum + sb + t * 16, b##t);
#define AMP_W1 const vf w0 = v_load(w); __builtin_prefetch(w + ahead0, 0, 2);
#define AMP_W2 const vf w0 = v_load(w), w1 = v_load(w + wb); \
	__builtin_prefetch(w + ahead0, 0, 2); __builtin_prefetch(w + ahead1, 0, 2); __builtin_prefetch(xn, 0, 3);
#define AMP_STEP(T, V) AMP_W##V AMP_REP##T(AMP_FMA##V)
/* neither the bias nor a bound is -0: so no sum with its bias is, and nothing that the clamp makes of it */
#define AMP_CLAMP(s, b) v_min(high, v_max(low, v_add(s, b)))
#define AMP_END1(t) v_store(y + t * 16, AMP_CLAMP(a##t, bias0));
#define AMP_END2(t) v_store(y + t * 16, AMP_CLAMP(a##t, bias0)); v_store(y + yb + t * 16, AMP_CLAMP(b##t, bias1));
#define AMP_BIAS1 const vf bias0 = v_load(p->bias);
#define AMP_BIAS2 const vf bias0 = v_load(p->bias), bias1 = v_load(p->bias + 16);
#endif
/* few calls are of fewer blocks than AMP_TILE_V, or of narrow tiles: they would be most of the code */
#define AMP_TILE_CLAMP_T (AMP_TILE_T - 2)
#define AMP_TILE_CLAMP(T, V) \
	if (T >= AMP_TILE_CLAMP_T && p->y) { \
		const vf low = v_set1(p->low), high = v_set1(p->high); \
		float *const y = p->y; \
		const int64_t yb = p->y_block; \
		AMP_BIAS##V \
		(void)yb; \
		AMP_REP##T(AMP_END##V) \
		return; \
	}
#define AMP_TILE_CLAMP1(T)
#define AMP_TILE_CLAMP2(T)
#if AMP_TILE_CLAMPS && AMP_TILE_V == 1
#undef AMP_TILE_CLAMP1
#define AMP_TILE_CLAMP1(T) AMP_TILE_CLAMP(T, 1)
#elif AMP_TILE_CLAMPS
#undef AMP_TILE_CLAMP2
#define AMP_TILE_CLAMP2(T) AMP_TILE_CLAMP(T, 2)
#endif

/* What a tile's steps need */
#define AMP_TILE_VARS \
	const int64_t px = p->x_pixel, sb = p->sum_block ? p->sum_block : AMP_TILE_T * 16; \
	const int64_t wb = p->w_block, ahead0 = p->ahead[0], ahead1 = p->ahead[AMP_TILE_V - 1]; \
	const int64_t near = px == 16 ? 16 : 0; /* rows side by side: the next ones are fetched, a row each step */ \
	(void)sb, (void)wb, (void)ahead0, (void)ahead1, (void)near;

/* all inputs, a STEP each; a loop over them keeps the body small */
#define AMP_TILE_SUMS(T, STEP) \
	const int64_t rows = (int64_t)p->kw * p->cs * 16;	/* weights of a kernel row */ \
	const float *xb = p->x, *wi = p->w + p->ky0 * rows; \
	for (int32_t ib = p->blocks; ib > 0; ib--, xb += p->x_block, wi += p->kh * rows) { \
		const int32_t cn = ib > 1 ? p->cs : p->last, rest = (p->cs - cn) * 16; \
		const float *xr = xb, *w = wi; \
		for (int32_t ky = p->ky1 - p->ky0; ky > 0; ky--, xr += p->x_row) { \
			const float *xk = xr; \
			for (int32_t kx = p->kw; kx > 0; kx--, xk += p->x_col, w += rest) { \
				AMP_ROWS(T) \
				for (const float *end = w + cn * 16; w != end; w += 16, AMP_NEXT(T)) { \
					STEP \
				} \
			} \
		} \
	}

#define AMP_TILE_FMA_FN(NAME, T, V) \
static __attribute__((noinline, unused)) void NAME##_##T##_##V(const struct amp_tile *p, float *sum) \
{ \
	AMP_TILE_VARS \
	const float *const start = p->start; \
	AMP_REP##T(AMP_ACC##V) \
	if (start) { \
		AMP_REP##T(AMP_GO##V) \
	} \
	AMP_TILE_SUMS(T, AMP_STEP(T, V)) \
	AMP_TILE_CLAMP##V(T) \
	AMP_REP##T(AMP_PUT##V) \
}

#ifdef AMP_TILE_SOFT
AMP_TILE_FMA_FN(amp_tile_exact, 1, 1)
#include "kernels/tile_soft.h"
#define AMP_TILE_FN(T, V) AMP_TILE_SOFT_FN(T, V)
#else
#define AMP_TILE_FN(T, V) AMP_TILE_FMA_FN(amp_tile, T, V)
#endif

typedef void amp_tile_fn(const struct amp_tile *p, float *sum);

AMP_TILE_FN(1, 1)
AMP_TILE_FN(2, 1)
#if AMP_TILE_T > 2
AMP_TILE_FN(3, 1)
AMP_TILE_FN(4, 1)
#endif
#if AMP_TILE_T > 4
AMP_TILE_FN(5, 1)
AMP_TILE_FN(6, 1)
#endif
#if AMP_TILE_T > 6
AMP_TILE_FN(7, 1)

/* one block of columns, which comes after pairs of them, and more than seven rows: in two halves */
AMP_OUTLINE void amp_tile_halved(const struct amp_tile *p, float *sum, int32_t rows)
{
	static amp_tile_fn *const narrow[7] = {
		amp_tile_1_1, amp_tile_2_1, amp_tile_3_1, amp_tile_4_1, amp_tile_5_1, amp_tile_6_1, amp_tile_7_1,
	};
	const int32_t first = (rows + 1) / 2;
	struct amp_tile rest = *p;
	rest.x += first * p->x_pixel;
	rest.start = p->start ? p->start + first * 16 : NULL;
	rest.ahead[0] = 0;
	narrow[first - 1](p, sum);
	narrow[rows - first - 1](&rest, sum + first * 16);
}
#define AMP_TILE_HALVED(T) \
static __attribute__((unused)) void amp_tile_##T##_1(const struct amp_tile *p, float *sum) \
{ \
	amp_tile_halved(p, sum, T); \
}
AMP_TILE_HALVED(8)
AMP_TILE_HALVED(9)
AMP_TILE_HALVED(10)
AMP_TILE_HALVED(11)
AMP_TILE_HALVED(12)
AMP_TILE_HALVED(13)
AMP_TILE_HALVED(14)
AMP_TILE_FN(1, 2)
AMP_TILE_FN(2, 2)
AMP_TILE_FN(3, 2)
AMP_TILE_FN(4, 2)
AMP_TILE_FN(5, 2)
AMP_TILE_FN(6, 2)
AMP_TILE_FN(7, 2)
AMP_TILE_FN(8, 2)
AMP_TILE_FN(9, 2)
AMP_TILE_FN(10, 2)
AMP_TILE_FN(11, 2)
AMP_TILE_FN(12, 2)
AMP_TILE_FN(13, 2)
AMP_TILE_FN(14, 2)
#endif

static __attribute__((unused)) amp_tile_fn *const amp_tiles[AMP_TILE_V][AMP_TILE_T] = {
	{ amp_tile_1_1, amp_tile_2_1,
#if AMP_TILE_T > 2
	  amp_tile_3_1, amp_tile_4_1,
#endif
#if AMP_TILE_T > 4
	  amp_tile_5_1, amp_tile_6_1,
#endif
#if AMP_TILE_T > 6
	  amp_tile_7_1, amp_tile_8_1, amp_tile_9_1, amp_tile_10_1, amp_tile_11_1, amp_tile_12_1,
	  amp_tile_13_1, amp_tile_14_1,
#endif
	},
#if AMP_TILE_V > 1
	{ amp_tile_1_2, amp_tile_2_2, amp_tile_3_2, amp_tile_4_2, amp_tile_5_2, amp_tile_6_2, amp_tile_7_2,
	  amp_tile_8_2, amp_tile_9_2, amp_tile_10_2, amp_tile_11_2, amp_tile_12_2, amp_tile_13_2,
	  amp_tile_14_2 },
#endif
};

/* `left` rows in tiles of nearly equal width: the next tile's */
static inline __attribute__((unused)) int32_t amp_tile_width(int64_t left)
{
	const int64_t tiles = (left + AMP_TILE_T - 1) / AMP_TILE_T;
	return (int32_t)((left + tiles - 1) / tiles);
}

/*
 * The weights that lie `ahead` floats behind these are fetched while these are used, in several passes of tiles: where
 * two blocks lie side by side, one in the first pass and one in the middle, so that the memory has something to do in both.
 */
AMP_INLINE void amp_tile_ahead(struct amp_tile *t, int64_t ahead, int32_t pass, int32_t passes)
{
	for (int v = 0; v < AMP_TILE_V; v++)
		if (passes == 1)
			t->ahead[v] = ahead ? ahead + v * t->w_block : 0;
		else if (pass == 0)
			t->ahead[v] = ahead;
		else
			t->ahead[v] = ahead && AMP_TILE_V > 1 && pass == passes / 2 ? ahead + t->w_block : 0;
}

/* 16 inputs of nb columns, each contiguous, -> [16][16]; columns beyond nb are 0 */
static inline __attribute__((unused)) void amp_tile_turn(const float *from, int64_t step, int nb, float *restrict to)
{
	_Alignas(64) float whole[256];
	if (nb == 16) {
		v_turn(from, step, to);
		return;
	}
	for (int j = 0; j < 16; j++)
		v_store(whole + j * 16, j < nb ? v_load(from + j * step) : v_zero());
	v_turn(whole, 16, to);
}

/* b, whose element [i][j] lies at i * bk + j * bn, in blocks of 16 columns [n/16][k][16]; columns beyond n are 0 */
static inline __attribute__((unused)) void amp_tile_pack(const float *b, int64_t bk, int64_t bn, int64_t k,
							 int64_t n, float *restrict to)
{
	for (int64_t n0 = 0; n0 < n; n0 += 16, to += k * 16) {
		const int nb = n - n0 < 16 ? (int)(n - n0) : 16;
		const float *from = b + n0 * bn;
		if (bn == 1) {
			for (int64_t i = 0; i < k; i++)
				v_store(to + i * 16, nb == 16 ? v_load(from + i * bk) : v_load_n(from + i * bk, nb));
			continue;
		}
		for (int64_t k0 = 0; k0 < k; k0 += 16) {	/* so that a transposed b is read in runs */
			const int64_t end = k - k0 < 16 ? k : k0 + 16;
			if (bk == 1 && end == k0 + 16) {
				amp_tile_turn(from + k0, bn, nb, to + k0 * 16);
				continue;
			}
			for (int64_t j = 0; j < 16; j++)
				for (int64_t i = k0; i < end; i++)
					to[i * 16 + j] = j < nb ? from[i * bk + j * bn] : 0;
		}
	}
}

/* A tile of a matrix product: x[row * x_pixel + i], w packed by amp_tile_pack, k inputs (below 2^31) */
static inline __attribute__((unused)) struct amp_tile amp_tile_product(int64_t x_pixel, int64_t k)
{
	return (struct amp_tile){ .x_pixel = x_pixel, .w_block = k * 16, .blocks = 1,
				  .last = (int32_t)k, .cs = (int32_t)k, .ky1 = 1, .kh = 1, .kw = 1 };
}

#endif
