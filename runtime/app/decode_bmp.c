/*
 * decode_bmp.c - BMP: 1, 4, 8 bit with palette, 16, 24, 32 bit, RLE4, RLE8, bit fields.
 *
 * In:  a file with an OS/2 (12, 64 bytes) or Windows (40 to 124 bytes) header, bottom-up or top-down.
 * Out: 8-bit RGB.  Channels of n bits become v * 255 / (2^n - 1), rounded down, as in Pillow.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

struct bmp {
	const unsigned char *data;
	size_t size, pixels;		/* offset of the pixels */
	int64_t width, height;
	int top_down, bits, compression;
	uint32_t mask[3];		/* red, green, blue of 16 and 32 bits */
	unsigned char palette[256][3];
};

static uint32_t le(const unsigned char *p, int bytes)
{
	uint32_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint32_t)p[i] << (8 * i);
	return v;
}

static int read_header(struct bmp *b, char *err)
{
	if (b->size < 14 + 12)
		return app_fail(err, "the file is cut short");
	const size_t header = le(b->data + 14, 4);
	const unsigned char *h = b->data + 14;
	uint32_t colours = 0;
	size_t entry = 4, after = 14 + header;
	if (header > b->size - 14 || (header != 12 && header < 40) || header > 1024)
		return app_fail(err, "damaged header");
	b->pixels = le(b->data + 10, 4);
	if (header == 12) {
		b->width = le(h + 4, 2);
		b->height = le(h + 6, 2);
		b->bits = (int)le(h + 10, 2);
		entry = 3;
	} else {
		b->width = (int32_t)le(h + 4, 4);
		b->height = (int32_t)le(h + 8, 4);
		b->bits = (int)le(h + 14, 2);
		b->compression = (int)le(h + 16, 4);
		colours = le(h + 32, 4);
		b->top_down = b->height < 0;
		if (b->height < 0)
			b->height = -b->height;
	}
	if (b->bits != 1 && b->bits != 4 && b->bits != 8 && b->bits != 16 && b->bits != 24 &&
	    b->bits != 32)
		return app_fail(err, "%d bits a pixel are not supported", b->bits);
	if (!(b->compression == 0 || (b->compression == 1 && b->bits == 8) ||
	      (b->compression == 2 && b->bits == 4) ||
	      (b->compression == 3 && (b->bits == 16 || b->bits == 32))))
		return app_fail(err, "compression %d of %d bits is not supported", b->compression, b->bits);
	if (b->compression == 3) {
		if (header < 52)
			after += 12;		/* the masks follow the header */
		if (b->size < 14 + 52)
			return app_fail(err, "the file is cut short");
		for (int c = 0; c < 3; c++)
			b->mask[c] = le(h + 40 + 4 * c, 4);
	} else if (b->bits == 16) {
		b->mask[0] = 0x7c00, b->mask[1] = 0x3e0, b->mask[2] = 0x1f;
	} else if (b->bits == 32) {
		b->mask[0] = 0xff0000, b->mask[1] = 0xff00, b->mask[2] = 0xff;
	}
	if (b->bits <= 8) {
		if (!colours || colours > 1u << b->bits)
			colours = 1u << b->bits;
		if (after > b->size || (b->size - after) / entry < colours)
			return app_fail(err, "the palette is cut short");
		for (uint32_t i = 0; i < colours; i++)
			for (int c = 0; c < 3; c++)
				b->palette[i][c] = b->data[after + i * entry + (size_t)(2 - c)];
		after += colours * entry;
		if (b->pixels == 14 + header)	/* some writers leave the palette out of the offset */
			b->pixels = after;
	}
	if (b->pixels > b->size)
		return app_fail(err, "the file is cut short");
	return 0;
}

static unsigned char *row(const struct bmp *b, struct app_picture *p, int64_t y)
{
	const int64_t at = b->top_down ? y : b->height - 1 - y;
	return p->rgb + (size_t)at * (size_t)b->width * 3;
}

static void put(const struct bmp *b, unsigned char *to, unsigned index)
{
	memcpy(to, b->palette[index & 255], 3);
}

/* Channel of a 16- or 32-bit pixel as 0..255. */
static unsigned char field(uint32_t v, uint32_t mask)
{
	if (!mask)
		return 0;
	int shift = 0;
	while (!(mask >> shift & 1))
		shift++;
	return (unsigned char)((uint64_t)((v & mask) >> shift) * 255 / (mask >> shift));
}

static int read_plain(const struct bmp *b, struct app_picture *p, char *err)
{
	const size_t w = (size_t)b->width;
	const size_t stride = (w * (size_t)b->bits + 31) / 32 * 4;
	/* the last row's padding may be missing */
	const size_t last = (w * (size_t)b->bits + 7) / 8;
	const size_t have = b->size - b->pixels;
	if (have < last || (have - last) / stride < (size_t)b->height - 1)
		return app_fail(err, "the file is cut short");
	for (int64_t y = 0; y < b->height; y++) {
		const unsigned char *s = b->data + b->pixels + (size_t)y * stride;
		unsigned char *to = row(b, p, y);
		for (size_t x = 0; x < w; x++, to += 3) {
			if (b->bits == 24) {
				to[0] = s[3 * x + 2], to[1] = s[3 * x + 1], to[2] = s[3 * x];
			} else if (b->bits > 8) {
				const int bytes = b->bits / 8;
				const uint32_t v = le(s + x * (size_t)bytes, bytes);
				for (int c = 0; c < 3; c++)
					to[c] = field(v, b->mask[c]);
			} else {
				const size_t bit = x * (size_t)b->bits;
				const unsigned v = s[bit / 8] >> (8 - b->bits - (int)(bit % 8));
				put(b, to, v & ((1u << b->bits) - 1));
			}
		}
	}
	return 0;
}

/*
 * Run lengths: (n, v) repeats v n times (RLE4: two colours in turn); (0, 0) ends the row, (0, 1) the
 * picture, (0, 2, dx, dy) moves on, (0, n, ...) is n pixels as they are, padded to 16 bits.
 * Pixels that are skipped have colour 0; those beyond the row's end are dropped.
 */
static int read_rle(const struct bmp *b, struct app_picture *p, char *err)
{
	const unsigned char *s = b->data + b->pixels, *const end = b->data + b->size;
	const int64_t w = b->width, h = b->height;
	int64_t x = 0, y = 0;
	for (int64_t r = 0; r < h; r++)
		for (int64_t i = 0; i < w; i++)
			put(b, row(b, p, r) + 3 * i, 0);
	for (;;) {
		if (y >= h || (y == h - 1 && x >= w))
			return 0;
		if (end - s < 2)
			return app_fail(err, "the file is cut short");
		const int n = *s++, v = *s++;
		if (n) {
			for (int i = 0; i < n && x < w; i++, x++)
				put(b, row(b, p, y) + 3 * x,
				    (unsigned)(b->bits == 8 ? v : i & 1 ? v & 15 : v >> 4));
		} else if (v == 0) {
			x = 0;
			y++;
		} else if (v == 1) {
			return 0;
		} else if (v == 2) {
			if (end - s < 2)
				return app_fail(err, "the file is cut short");
			x += *s++;
			y += *s++;
			if (x > w)
				return app_fail(err, "a run leads out of the picture");
		} else {
			const int bytes = b->bits == 8 ? v : (v + 1) / 2;
			if (end - s < bytes)
				return app_fail(err, "the file is cut short");
			for (int i = 0; i < v && x < w; i++, x++)
				put(b, row(b, p, y) + 3 * x,
				    (unsigned)(b->bits == 8 ? s[i] : i & 1 ? s[i / 2] & 15 : s[i / 2] >> 4));
			s += bytes;
			if (bytes & 1 && s < end)
				s++;
		}
	}
}

int app_decode_bmp(const unsigned char *data, size_t size, int64_t max_pixels,
		   struct app_picture *p, char *err)
{
	struct bmp b = { .data = data, .size = size };
	if (read_header(&b, err) || app_new_picture(p, b.width, b.height, max_pixels, err))
		return -1;
	return b.compression == 1 || b.compression == 2 ? read_rle(&b, p, err) : read_plain(&b, p, err);
}
