/*
 * test_norm.c - GroupNormalization and InstanceNormalization in c16 against the plain kernel (test_reduce.c), whose bits
 * they must give: groups within a block, of a block, across blocks; NaN, infinities, huge and subnormal numbers.
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/norm.inc"
#include "kernels/norm_c16.inc"

static int special;			/* what the inputs hold besides ordinary numbers */

static float draw(void)
{
	static const float odd[] = { 0.0f, -0.0f, INFINITY, NAN, 3e38f, -3e38f, 1e-42f, -1e-38f };
	const int64_t k = special ? random_int(0, special == 1 ? 30 : 9999) : 99;
	return k < 8 ? odd[k] : random_float() * 4 + 1;
}

static void run(int64_t n, int64_t c, int64_t each, int64_t space, double epsilon)
{
	const int64_t blocks = (c + 15) / 16, plain_size = n * c * space, size = n * blocks * space * 16;
	struct amp_norm_c16 p = { .n = (int32_t)n, .c = (int32_t)c, .each = (int32_t)each, .space = space, .epsilon = epsilon };
	struct amp_norm q = { .rows = n * c / each, .len = each * space, .rank = 3, .dim = { n, c, space },
			      .scale_stride = { 0, 1, 0 }, .bias_stride = { 0, 1, 0 }, .epsilon = epsilon };
	float *x = get((size_t)plain_size * 4), *y = get((size_t)plain_size * 4);
	float *xb = get((size_t)size * 4), *yb = get((size_t)size * 4);
	float *scale = get((size_t)blocks * 64), *bias = get((size_t)blocks * 64);
	const void *in[3] = { x, scale, bias }, *in_c16[3] = { xb, scale, bias };
	void *out[3] = { y, NULL, NULL }, *out_c16[1] = { yb };
	const size_t bytes[3] = { (size_t)plain_size * 4, 0, 0 }, bytes_c16[1] = { (size_t)size * 4 };
	char text[160];
	snprintf(text, sizeof text, "n %lld c %lld each %lld space %lld special %d", (long long)n, (long long)c,
		 (long long)each, (long long)space, special);
	what = text;
	for (int64_t i = 0; i < plain_size; i++)
		x[i] = draw();
	for (int64_t i = 0; i < blocks * 16; i++) {
		scale[i] = i < c ? random_float() : 0;
		bias[i] = i < c ? random_float() : 0;
	}
	for (int64_t i = 0; i < size; i++) {
		const int64_t b = i / (16 * space), ch = b % blocks * 16 + i % 16, s = i / 16 % space;
		xb[i] = ch < c ? x[(b / blocks * c + ch) * space + s] : 0;
	}
	test_phases = 1;
	test_shared = 0;
	call("norm", "f32", &q, in, out, bytes, 3, 0);
	test_phases = 2;
	test_shared = (size_t)(n * blocks * 32 * 4);
	call("norm_c16", "f32", &p, in_c16, out_c16, bytes_c16, 1, each > 1 ? (size_t)space * 64 : 0);
	for (int64_t i = 0; i < size; i++) {
		const int64_t b = i / (16 * space), ch = b % blocks * 16 + i % 16, s = i / 16 % space;
		const float want = ch < c ? y[(b / blocks * c + ch) * space + s] : 0;
		EXPECT(same_bits(yb[i], want), "channel %lld, pixel %lld is %.9g, in plain layout %.9g", (long long)ch,
		       (long long)s, (double)yb[i], (double)want);
	}
	free(x), free(y), free(xb), free(yb), free(scale), free(bias);
}

int main(void)
{
	static const int64_t spaces[] = { 1, 2, 3, 4, 15, 16, 17, 19, 31, 36, 49, 64 };
	static const int64_t groups[][2] = {		/* channels, of them in a group */
		{ 16, 1 }, { 5, 1 }, { 40, 1 }, { 32, 2 }, { 24, 8 }, { 48, 16 }, { 30, 3 }, { 72, 24 }, { 64, 32 }, { 21, 21 },
		{ 20, 20 }, { 3, 3 },
	};
	for (special = 0; special < 3; special++)
		for (int g = 0; g < 12; g++)
			for (int s = 0; s < 12; s++)
				run(1 + (g + s) % 2, groups[g][0], groups[g][1], spaces[s], s % 3 ? 1e-5 : 0);
	for (int i = 0; i < 100; i++) {
		special = (int)random_int(0, 2);
		const int64_t each = random_int(1, 40);
		run(random_int(1, 3), each * random_int(1, 5), each, random_int(1, 80), 1e-5);
	}
	return finish("test_norm");
}
