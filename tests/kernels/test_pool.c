/*
 * test_pool.c - MaxPool with its indices, AveragePool, LpPool: against loops over every window
 * position.
 */
#include "kernel_test.h"
#define AMP_T 1
#include "kernels/maxpool.inc"
#include "kernels/avgpool.inc"

struct shape { int rank; int64_t planes, in[3], k[3], s[3], d[3], p[3], pe[3], out[3]; };

#define FILL(P, h) do { \
	(P).planes = (h)->planes; \
	(P).rank = (h)->rank; \
	memcpy((P).in, (h)->in, sizeof (h)->in); \
	memcpy((P).out, (h)->out, sizeof (h)->out); \
	memcpy((P).kernel, (h)->k, sizeof (h)->k); \
	memcpy((P).stride, (h)->s, sizeof (h)->s); \
	memcpy((P).dilation, (h)->d, sizeof (h)->d); \
	memcpy((P).pad, (h)->p, sizeof (h)->p); \
	memcpy((P).pad_end, (h)->pe, sizeof (h)->pe); \
} while (0)

static int64_t product(const int64_t *v, int n)
{
	int64_t r = 1;
	for (int i = 0; i < n; i++)
		r *= v[i];
	return r;
}

/* Tap t of output o: offset in the plane or -1; *padded: does it lie inside x or its padding?  *column: first axis fastest */
static int64_t position(const struct shape *h, int64_t o, int64_t t, int *padded, int64_t *column)
{
	int64_t pos[3], at = 0;
	int inside = 1;
	*padded = 1;
	for (int d = h->rank - 1; d >= 0; d--) {
		pos[d] = o % h->out[d] * h->s[d] - h->p[d] + t % h->k[d] * h->d[d];
		o /= h->out[d];
		t /= h->k[d];
		inside = inside && pos[d] >= 0 && pos[d] < h->in[d];
		*padded = *padded && pos[d] < h->in[d] + h->pe[d];
	}
	*column = 0;
	for (int d = 0; d < h->rank; d++)
		at = at * h->in[d] + pos[d];
	for (int d = h->rank - 1; d >= 0; d--)
		*column = *column * h->in[d] + pos[d];
	return inside ? at : -1;
}

static void run(const struct shape *h, int nan)
{
	const int64_t plane = product(h->in, h->rank), out = product(h->out, h->rank);
	const int64_t taps = product(h->k, h->rank), ny = h->planes * out;
	float *x = floats(h->planes * plane), *y = get((size_t)ny * 4);
	int64_t *where = get((size_t)ny * 8);
	struct amp_maxpool pm = { .column_major = (int32_t)random_int(0, 1) };
	const void *in[1] = { x };
	void *outs[2] = { y, where };
	const size_t bytes[2] = { (size_t)ny * 4, (size_t)ny * 8 };
	if (nan)
		x[random_int(0, h->planes * plane - 1)] = NAN;
	what = "maxpool";
	FILL(pm, h);
	call("maxpool", "f32", &pm, in, outs, bytes, 2, 0);
	for (int64_t i = 0; i < ny; i++) {
		float best = -INFINITY;
		int64_t at = -1, column, col_at = 0;
		int padded;
		for (int64_t t = 0; t < taps; t++) {
			const int64_t a = position(h, i % out, t, &padded, &column);
			if (a < 0)
				continue;
			const float v = x[i / out * plane + a];
			if (at < 0 || v > best || (isnan(v) && !isnan(best))) {
				best = v;
				at = a;
				col_at = column;
			}
		}
		EXPECT(same_bits(y[i], best), "element %lld is %g, expected %g", (long long)i, (double)y[i],
		       (double)best);
		const int64_t want = at < 0 ? -1 : i / out * plane + (pm.column_major ? col_at : at);
		EXPECT(where[i] == want, "index %lld is %lld, expected %lld", (long long)i,
		       (long long)where[i], (long long)want);
	}
	for (int p = 0; p < 4; p++) {
		struct amp_avgpool pa = { .p = p, .count_pad = (int32_t)random_int(0, 1) };
		what = p ? "lppool" : "avgpool";
		FILL(pa, h);
		call("avgpool", "f32", &pa, in, outs, bytes, 1, 0);
		for (int64_t i = 0; i < ny; i++) {
			double s = 0, size = 0;
			float order = 0;
			int64_t count = 0, column;
			for (int64_t t = 0; t < taps; t++) {
				int padded;
				const int64_t a = position(h, i % out, t, &padded, &column);
				count += pa.count_pad ? padded : a >= 0;
				if (a < 0)
					continue;
				const double v = (double)x[i / out * plane + a];
				s += p ? pow(fabs(v), p) : v;
				size += p ? pow(fabs(v), p) : fabs(v);
				order += (float)v;
			}
			const double want = p ? pow(s, 1.0 / p) : s / (double)count;
			const double bound = (double)(taps + 4) * EPS * (p ? fabs(want) : size / (double)count);
			if (p == 0)
				EXPECT(same_bits(y[i], order / (float)count), "element %lld: order", (long long)i);
			EXPECT(isnan(want) ? isnan(y[i]) : fabs((double)y[i] - want) <= bound,
			       "element %lld is %.9g, expected %.17g", (long long)i, (double)y[i], want);
		}
	}
	free(x), free(y), free(where);
}

int main(void)
{
	static const struct shape extremes[] = {
		{ 1, 1, { 1 }, { 1 }, { 1 }, { 1 }, { 0 }, { 0 }, { 0 } },
		{ 2, 3, { 8, 8 }, { 8, 8 }, { 8, 8 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 0 } },
		{ 2, 2, { 7, 5 }, { 3, 2 }, { 2, 3 }, { 3, 2 }, { 3, 1 }, { 2, 1 }, { 0 } },
		{ 2, 1, { 2, 2 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, { 3, 3 }, { 3, 3 }, { 0 } },	/* empty windows */
		{ 3, 2, { 4, 5, 6 }, { 2, 3, 2 }, { 2, 1, 3 }, { 1, 2, 1 }, { 1, 1, 0 }, { 0, 1, 1 }, { 0 } },
	};
	const int n_extremes = sizeof extremes / sizeof extremes[0];
	for (int i = 0; i < 150; i++) {
		struct shape h;
		if (i < n_extremes) {
			h = extremes[i];
		} else {
			h = (struct shape){ .rank = (int)random_int(1, 3), .planes = random_int(1, 4) };
			for (int d = 0; d < h.rank; d++) {
				h.in[d] = random_int(1, 9);
				h.k[d] = random_int(1, 4);
				h.s[d] = random_int(1, 4);
				h.d[d] = random_int(1, 3);
				h.p[d] = random_int(0, 2);
				h.pe[d] = random_int(0, 2);
			}
		}
		int fits = 1;
		for (int d = 0; d < h.rank; d++) {
			const int64_t room = h.in[d] + h.p[d] + h.pe[d] - (h.k[d] - 1) * h.d[d] - 1;
			/* ceil_mode's extra window too */
			h.out[d] = room < 0 ? 0 : room / h.s[d] + 1;
			if (h.out[d] && i % 2 && room % h.s[d] && h.out[d] * h.s[d] < h.in[d] + h.p[d])
				h.out[d]++;
			fits = fits && h.out[d] > 0;
		}
		if (fits)
			run(&h, i % 5 == 4);
	}
	return finish("test_pool");
}
