/*
 * resize.c - Pillow's resize of 8-bit RGB, byte for byte.
 *
 * In:  RGB of any size, the new size, the filter.  Out: RGB of the new size.
 * Algorithm: each new sample is a weighted sum of old ones around its centre; the filter is stretched by
 *      the scale when the picture shrinks (antialias).  Weights are computed in double, divided by
 *      their sum, rounded to integers of 22 fractional bits; sums are integers, rounded and clipped to
 *      0..255 once after each pass.  A direction whose size does not change has no pass.  The horizontal
 *      pass comes first, unless the height loses more than twice as many pixels as the width: that is
 *      Pillow 13's rule (found by trying sizes); Pillow 12 and older always begin horizontally, which
 *      changes a few samples of tall pictures by 1.  Nearest takes the pixel under the centre.
 *
 * The weights decide the bytes, so nothing here depends on a libm or on contraction: + - * / and
 * comparisons in double, a sine of our own, and inexact products stored before they are added.
 */
#include "app.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 1
#error "double arithmetic with more than double precision: build with -msse2 -mfpmath=sse"
#endif

#define FRACTION_BITS 22

/* A product rounded to double, whatever the compiler would like to fuse it with. */
static double product(double a, double b)
{
	volatile double p = a * b;
	return p;
}

static double magnitude(double x)
{
	return x < 0 ? -x : x;
}

/*
 * sin(pi * x): reduced exactly to r in [-1/4, 1/4] quarter turns, then the Taylor series of sine or cosine
 * in pi * r; its error is below one unit in the last place, far below the 22 bits that are kept.
 */
static double sine_pi(double x)
{
	const double pi = 3.14159265358979323846;
	const double turns = x < 0 ? -x : x;
	const int half = (int)(turns * 2 + 0.5);	/* x = half / 2 + r */
	const double r = product(turns - half * 0.5, pi), z = product(r, r);
	double sum = 0;
	if (half & 1) {
		for (int k = 20; k > 0; k -= 2)
			sum = product(1 - sum, z) / (double)(k * (k - 1));
		sum = 1 - sum;
	} else {
		for (int k = 21; k > 1; k -= 2)
			sum = product(1 - sum, z) / (double)(k * (k - 1));
		sum = r - product(r, sum);
	}
	if (half & 2)
		sum = -sum;
	return x < 0 ? -sum : sum;
}

static double sinc(double x)
{
	return x == 0 ? 1 : sine_pi(x) / product(x, 3.14159265358979323846);
}

static double filter_box(double x)
{
	return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double filter_bilinear(double x)
{
	x = magnitude(x);
	return x < 1 ? 1 - x : 0;
}

static double filter_hamming(double x)
{
	x = magnitude(x);
	if (x == 0)
		return 1;
	if (x >= 1)
		return 0;
	/* cos(pi x) = sin(pi (x + 1/2)) */
	return product(sinc(x), 0.54 + product(0.46, sine_pi(x + 0.5)));
}

static double filter_bicubic(double x)
{
	const double a = -0.5;
	x = magnitude(x);
	if (x < 1)
		return product(product(product(a + 2, x) - (a + 3), x), x) + 1;
	if (x < 2)
		return product(product(product(x - 5, x) + 8, x) - 4, a);
	return 0;
}

static double filter_lanczos(double x)
{
	return x >= -3 && x < 3 ? product(sinc(x), sinc(x / 3)) : 0;
}

static const struct {
	double (*weight)(double);
	double support;
} filters[] = {
	{ NULL, 0 }, { filter_lanczos, 3 }, { filter_bilinear, 1 }, { filter_bicubic, 2 },
	{ filter_box, 0.5 }, { filter_hamming, 1 }
};

/* For each new position: the first old one, how many, and their weights. */
struct weights {
	int most;		/* room for weights of each position */
	int *first, *count;	/* [new size] */
	int32_t *w;		/* [new size, most] */
};

static void free_weights(struct weights *k)
{
	free(k->first);
	free(k->count);
	free(k->w);
}

static int make_weights(struct weights *k, int from, int to, int resample)
{
	const double scale = (double)from / to, stretch = scale < 1 ? 1 : scale;
	const double support = product(filters[resample].support, stretch), inverse = 1.0 / stretch;
	const int whole = (int)support;
	k->most = (whole + (whole < support)) * 2 + 1;
	k->first = calloc((size_t)to, sizeof *k->first);
	k->count = calloc((size_t)to, sizeof *k->count);
	k->w = (size_t)to > SIZE_MAX / 8 / (size_t)k->most ? NULL :
	       calloc((size_t)to * (size_t)k->most, sizeof *k->w);
	double *real = calloc((size_t)k->most, sizeof *real);
	if (!k->first || !k->count || !k->w || !real) {
		free(real);
		return -1;
	}
	for (int i = 0; i < to; i++) {
		const double centre = product(i + 0.5, scale);
		int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
		double sum = 0;
		first = first < 0 ? 0 : first;
		end = end > from ? from : end;
		for (int x = first; x < end; x++) {
			real[x - first] = filters[resample].weight(product(x - centre + 0.5, inverse));
			sum += real[x - first];
		}
		for (int x = 0; x < end - first; x++) {
			const double part = product(sum != 0 ? real[x] / sum : real[x], 1 << FRACTION_BITS);
			k->w[(size_t)i * (size_t)k->most + (size_t)x] =
				(int32_t)(part < 0 ? part - 0.5 : part + 0.5);
		}
		k->first[i] = first;
		k->count[i] = end - first;
	}
	free(real);
	return 0;
}

static unsigned char clip(int32_t sum)
{
	const int32_t v = sum >> FRACTION_BITS;
	return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* Rows of `width` new pixels from rows of old ones. */
static void horizontal(unsigned char *to, const unsigned char *from, int width, int from_width, int rows,
		       const struct weights *k)
{
	for (int y = 0; y < rows; y++, from += (size_t)from_width * 3)
		for (int x = 0; x < width; x++, to += 3) {
			const int32_t *w = k->w + (size_t)x * (size_t)k->most;
			const unsigned char *s = from + (size_t)k->first[x] * 3;
			int32_t r = 1 << (FRACTION_BITS - 1), g = r, b = r;
			for (int i = 0; i < k->count[x]; i++, s += 3)
				r += s[0] * w[i], g += s[1] * w[i], b += s[2] * w[i];
			to[0] = clip(r), to[1] = clip(g), to[2] = clip(b);
		}
}

static int vertical(unsigned char *to, const unsigned char *from, int width, int height,
		    const struct weights *k)
{
	const size_t samples = (size_t)width * 3;
	int32_t *sum = malloc(samples * sizeof *sum);
	if (!sum)
		return -1;
	for (int y = 0; y < height; y++, to += samples) {
		const int32_t *w = k->w + (size_t)y * (size_t)k->most;
		for (size_t x = 0; x < samples; x++)
			sum[x] = 1 << (FRACTION_BITS - 1);
		for (int i = 0; i < k->count[y]; i++) {
			const unsigned char *s = from + (size_t)(k->first[y] + i) * samples;
			for (size_t x = 0; x < samples; x++)
				sum[x] += s[x] * w[i];
		}
		for (size_t x = 0; x < samples; x++)
			to[x] = clip(sum[x]);
	}
	free(sum);
	return 0;
}

/* Pillow adds the scale up from position to position; so do we. */
static int nearest(unsigned char *to, const unsigned char *from, int from_width, int from_height,
		   int width, int height)
{
	const double scale_x = (double)from_width / width, scale_y = (double)from_height / height;
	int *column = malloc((size_t)width * sizeof *column);
	if (!column)
		return -1;
	double at = product(scale_x, 0.5);
	for (int x = 0; x < width; x++, at += scale_x)
		column[x] = (int)at < from_width ? (int)at : from_width - 1;
	at = product(scale_y, 0.5);
	for (int y = 0; y < height; y++, at += scale_y) {
		const int row = (int)at < from_height ? (int)at : from_height - 1;
		const unsigned char *s = from + (size_t)row * (size_t)from_width * 3;
		for (int x = 0; x < width; x++, to += 3)
			memcpy(to, s + (size_t)column[x] * 3, 3);
	}
	free(column);
	return 0;
}

int app_resize(const unsigned char *from, int from_width, int from_height, unsigned char *to,
	       int width, int height, int resample, char *err)
{
	struct weights kx = { 0 }, ky = { 0 };
	unsigned char *middle = NULL;
	int failed = 0;
	if (resample < APP_NEAREST || resample > APP_HAMMING)
		return app_fail(err, "resampling filter %d is not known", resample);
	/* a picture of 1 x 100000000 must not become one of 224 x 100000000 on the way */
	const int vertical_first = from_height > height &&
				   (int64_t)from_height - height > 2 * ((int64_t)from_width - width);
	if (width <= 0 || height <= 0 || width > APP_MAX_PIXELS / height ||
	    (vertical_first ? from_width > APP_MAX_PIXELS / height : width > APP_MAX_PIXELS / from_height))
		return app_fail(err, "%d x %d pixels cannot be resized to %d x %d: too large", from_width,
				from_height, width, height);
	if (width == from_width && height == from_height) {
		memcpy(to, from, (size_t)width * (size_t)height * 3);
		return 0;
	}
	if (resample == APP_NEAREST) {
		failed = nearest(to, from, from_width, from_height, width, height);
	} else {
		const unsigned char *now = from;
		const int wide_pass = width != from_width, high_pass = height != from_height;
		if (wide_pass)
			failed = make_weights(&kx, from_width, width, resample);
		if (high_pass && !failed)
			failed = make_weights(&ky, from_height, height, resample);
		if (wide_pass && high_pass && !failed) {
			middle = malloc(3 * (vertical_first ? (size_t)from_width * (size_t)height :
						    (size_t)width * (size_t)from_height));
			failed = middle ? 0 : -1;
		}
		if (high_pass && vertical_first && !failed) {
			unsigned char *low = wide_pass ? middle : to;
			failed = vertical(low, now, from_width, height, &ky);
			now = low;
		}
		if (wide_pass && !failed) {
			unsigned char *wide = high_pass && !vertical_first ? middle : to;
			horizontal(wide, now, width, from_width, vertical_first ? height : from_height, &kx);
			now = wide;
		}
		if (high_pass && !vertical_first && !failed)
			failed = vertical(to, now, width, height, &ky);
		free_weights(&kx);
		free_weights(&ky);
		free(middle);
	}
	return failed ? app_fail(err, "not enough memory to resize the picture") : 0;
}
