/*
 * decode_pnm.c - PNM: P1 to P6 (bitmap, grey, colour; as text or binary), up to 16 bits.
 *
 * In:  header of numbers and comments, then samples 0..maxval.
 * Out: 8-bit RGB.  A sample is round(v / maxval * 255), halves to even, as Pillow computes it; grey of
 *      more than 8 bits is scaled to 16 bits in the same way and its high byte kept.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

struct text {
	const unsigned char *at, *end;
};

static int is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct text *t)
{
	while (t->at < t->end && (is_space(*t->at) || *t->at == '#')) {
		if (*t->at == '#')
			while (t->at < t->end && *t->at != '\n' && *t->at != '\r')
				t->at++;
		else
			t->at++;
	}
}

/* A number of at most 9 digits, or -1. */
static int64_t number(struct text *t)
{
	int64_t v = 0;
	int digits = 0;
	skip_space(t);
	for (; t->at < t->end && *t->at >= '0' && *t->at <= '9' && digits < 10; t->at++, digits++)
		v = v * 10 + (*t->at - '0');
	if (!digits || digits > 9)
		return -1;
	if (t->at < t->end && !is_space(*t->at) && *t->at != '#')
		return -1;
	return v;
}

/* round(v / maxval * top), ties to even, in double as Python does; each step rounded on its own */
static unsigned scaled(unsigned v, unsigned maxval, unsigned top)
{
	volatile double quotient = (double)v / maxval;
	volatile double product = quotient * top;
	const unsigned whole = (unsigned)product;
	volatile double rest = product - whole;
	const unsigned r = whole + (rest > 0.5 || (rest == 0.5 && whole & 1));
	return r < top ? r : top;
}

static int64_t sample(struct text *t, int kind, int bytes)
{
	if (kind == 1) {		/* single digits, which need no space between them */
		skip_space(t);
		if (t->at == t->end || (*t->at != '0' && *t->at != '1'))
			return -1;
		return *t->at++ - '0';
	}
	if (kind <= 3)
		return number(t);
	if (t->end - t->at < bytes)
		return -1;
	const int64_t v = bytes == 1 ? t->at[0] : t->at[0] << 8 | t->at[1];
	t->at += bytes;
	return v;
}

int app_decode_pnm(const unsigned char *data, size_t size, int64_t max_pixels,
		   struct app_picture *p, char *err)
{
	struct text t = { data + 2, data + size };
	const int kind = data[1] - '0';
	const int bitmap = kind == 1 || kind == 4, colour = kind == 3 || kind == 6;
	if (size < 3 || (!is_space(data[2]) && data[2] != '#'))
		return app_fail(err, "damaged header");
	const int64_t w = number(&t), h = number(&t), maxval = bitmap ? 1 : number(&t);
	if (w < 0 || h < 0 || maxval < 1 || maxval > 65535)
		return app_fail(err, "damaged header");
	if (kind >= 4 && t.at++ >= t.end)	/* one white space before the binary samples */
		return app_fail(err, "the file is cut short");
	if (app_new_picture(p, w, h, max_pixels, err))
		return -1;
	const size_t pixels = (size_t)w * (size_t)h;
	if (kind == 4) {
		const size_t stride = ((size_t)w + 7) / 8;
		if ((size_t)(t.end - t.at) / stride < (size_t)h)
			return app_fail(err, "the file is cut short");
		for (size_t y = 0; y < (size_t)h; y++)
			for (size_t x = 0; x < (size_t)w; x++)
				memset(p->rgb + (y * (size_t)w + x) * 3,
				       t.at[y * stride + x / 8] >> (7 - x % 8) & 1 ? 0 : 255, 3);
		return 0;
	}
	unsigned char *map = malloc((size_t)maxval + 1);	/* sample -> 8 bits */
	if (!map)
		return app_fail(err, "not enough memory");
	p->deep = maxval > 255;
	for (unsigned v = 0; v <= (unsigned)maxval; v++)
		map[v] = (unsigned char)(kind == 1 ? 255 * (1 - v) :
			 p->deep && !colour ? scaled(v, (unsigned)maxval, 65535) >> 8 :
			 scaled(v, (unsigned)maxval, 255));
	const size_t channels = colour ? 3 : 1;
	int failed = 0;
	for (size_t i = 0; i < pixels * channels; i++) {
		int64_t v = sample(&t, kind, maxval > 255 ? 2 : 1);
		if (v < 0) {
			failed = app_fail(err, t.at == t.end || kind > 3 ? "the file is cut short" :
					  "a sample is no number");
			break;
		}
		if (v > maxval) {
			if (kind <= 3) {
				failed = app_fail(err, "sample %lld is above the maximum %lld",
						  (long long)v, (long long)maxval);
				break;
			}
			v = maxval;
		}
		if (colour)
			p->rgb[i] = map[v];
		else
			memset(p->rgb + 3 * i, map[v], 3);
	}
	free(map);
	return failed;
}
