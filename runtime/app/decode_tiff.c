/*
 * decode_tiff.c - TIFF through libtiff: the first picture of a file, in strips or tiles.
 *
 * In:  1, 2, 4, 8, 16 bits; grey of both polarities, palette, RGB, CMYK; extra channels; planes together
 *      or apart; none, LZW, Deflate or PackBits; classic or big; either byte order.
 * Out: 8-bit RGB.  16-bit samples are cut to their high byte.  Alpha that is multiplied in
 *      (ExtraSamples 1) is divided out, min(255, 255 * v / alpha), as in Pillow; other extras are dropped.
 * Algorithm: libtiff decodes strips or tiles to raw samples; they are put as 8-bit samples into one
 *      buffer [height, width, kept]; the photometric interpretation turns that into RGB.
 */
#include "app.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tiffio.h"

#define MAX_SAMPLES 8		/* channels of a pixel */
#define MAX_KEPT 5		/* of these: colours and one alpha */

struct reader {
	const unsigned char *data;
	size_t size, at;
	char *err;
	int64_t max_pixels;
	uint32_t width, height;
	uint16_t bits, samples, photometric, planar, compression, format;
	int kept;			/* samples that matter: the colours, and alpha to divide out */
	int divide;			/* the last one kept is an alpha that was multiplied in */
	unsigned char *sample;		/* [height, width, kept] */
	unsigned char *block;		/* one strip or tile as libtiff decodes it */
};

static tmsize_t on_read(thandle_t h, void *to, tmsize_t n)
{
	struct reader *r = h;
	const size_t left = r->at < r->size ? r->size - r->at : 0;
	const size_t take = n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
	memcpy(to, r->data + (take ? r->at : 0), take);
	r->at += take;
	return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t h, void *from, tmsize_t n)
{
	(void)h, (void)from, (void)n;
	return -1;
}

static toff_t on_seek(thandle_t h, toff_t to, int whence)
{
	struct reader *r = h;
	const toff_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? r->at : r->size;
	if (to > (toff_t)1 << 40)
		return (toff_t)-1;
	r->at = (size_t)(base + to);
	return r->at;
}

static int on_close(thandle_t h)
{
	(void)h;
	return 0;
}

static toff_t on_size(thandle_t h)
{
	return ((struct reader *)h)->size;
}

static int on_error(TIFF *t, void *user, const char *module, const char *format, va_list ap)
{
	struct reader *r = user;
	(void)t, (void)module;
	if (!*r->err)			/* the first one is the cause */
		vsnprintf(r->err, APP_ERR, format, ap);
	return 1;
}

static int on_warning(TIFF *t, void *user, const char *module, const char *format, va_list ap)
{
	(void)t, (void)user, (void)module, (void)format, (void)ap;
	return 1;
}

/* What the file is, and whether it is read. */
static int examine(struct reader *r, TIFF *t)
{
	uint16_t extras = 0, *extra = NULL;
	TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &r->bits);
	TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &r->samples);
	TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &r->planar);
	TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &r->compression);
	TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &r->format);
	TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &extras, &extra);
	if (!TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &r->width) ||
	    !TIFFGetField(t, TIFFTAG_IMAGELENGTH, &r->height) ||
	    !TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &r->photometric))
		return app_fail(r->err, "size or photometric interpretation is missing");
	if (!TIFFIsCODECConfigured(r->compression))
		return app_fail(r->err, "compression %d is not supported (none, LZW, Deflate and PackBits "
				"are)", r->compression);
	if (r->format != SAMPLEFORMAT_UINT && r->format != SAMPLEFORMAT_VOID)
		return app_fail(r->err, "samples that are not unsigned integers are not supported");
	const int colours = r->photometric == PHOTOMETRIC_RGB ? 3 :
			    r->photometric == PHOTOMETRIC_SEPARATED ? 4 : 1;
	if (r->photometric != PHOTOMETRIC_RGB && r->photometric != PHOTOMETRIC_SEPARATED &&
	    r->photometric != PHOTOMETRIC_PALETTE && r->photometric != PHOTOMETRIC_MINISBLACK &&
	    r->photometric != PHOTOMETRIC_MINISWHITE)
		return app_fail(r->err, "photometric interpretation %d is not supported (grey, palette, "
				"RGB and CMYK are)", r->photometric);
	if (r->samples < colours || r->samples > MAX_SAMPLES)
		return app_fail(r->err, "%d channels are not supported", r->samples);
	const int small = r->bits == 1 || r->bits == 2 || r->bits == 4;
	if (!(small && r->samples == 1) && r->bits != 8 &&
	    !(r->bits == 16 && r->photometric != PHOTOMETRIC_PALETTE))
		return app_fail(r->err, "%d channels of %d bits are not supported", r->samples, r->bits);
	r->divide = extras > 0 && extra[0] == EXTRASAMPLE_ASSOCALPHA && r->samples > colours &&
		    (colours == 1 || colours == 3) && r->photometric != PHOTOMETRIC_PALETTE;
	r->kept = colours + r->divide;
	return 0;
}

/* One decoded block's samples of rows y.. and columns x.. into r->sample.  plane < 0: all together. */
static void take(struct reader *r, size_t x0, size_t y0, size_t cols, size_t rows, size_t stride,
		 int plane)
{
	const size_t w = r->width, kept = (size_t)r->kept;
	const size_t step = plane < 0 ? r->samples : 1;		/* samples from pixel to pixel */
	const size_t first = plane < 0 ? 0 : (size_t)plane, count = plane < 0 ? kept : 1;
	for (size_t y = 0; y < rows && y0 + y < r->height; y++) {
		const unsigned char *row = r->block + y * stride;
		unsigned char *to = r->sample + (y0 + y) * w * kept;
		for (size_t x = 0; x < cols && x0 + x < w; x++)
			for (size_t s = 0; s < count; s++) {
				const size_t i = x * step + s;
				unsigned v;
				if (r->bits == 8) {
					v = row[i];
				} else if (r->bits == 16) {
					uint16_t wide;		/* libtiff gives this machine's order */
					memcpy(&wide, row + 2 * i, 2);
					v = wide >> 8;
				} else {
					const size_t bit = i * r->bits;
					v = row[bit / 8] >> (8 - r->bits - bit % 8) & ((1u << r->bits) - 1);
				}
				to[(x0 + x) * kept + first + s] = (unsigned char)v;
			}
	}
}

static int read_blocks(struct reader *r, TIFF *t)
{
	const int tiled = TIFFIsTiled(t);
	uint32_t cols = r->width, rows = 0;
	if (tiled) {
		if (!TIFFGetField(t, TIFFTAG_TILEWIDTH, &cols) || !TIFFGetField(t, TIFFTAG_TILELENGTH, &rows))
			return app_fail(r->err, "the tile size is missing");
	} else {
		TIFFGetFieldDefaulted(t, TIFFTAG_ROWSPERSTRIP, &rows);
		if (rows > r->height)
			rows = r->height;
	}
	if (!cols || !rows || cols > r->max_pixels || rows > r->max_pixels / cols)
		return app_fail(r->err, "a strip or tile of %lu x %lu pixels is too large",
				(unsigned long)cols, (unsigned long)rows);
	const tmsize_t bytes = tiled ? TIFFTileSize(t) : TIFFStripSize(t);
	const tmsize_t stride = tiled ? TIFFTileRowSize(t) : TIFFScanlineSize(t);
	const int apart = r->planar == PLANARCONFIG_SEPARATE && r->samples > 1;
	const uint64_t row_bits = (uint64_t)cols * r->bits * (apart ? 1 : r->samples);
	if (bytes <= 0 || stride <= 0 || (uint64_t)stride < (row_bits + 7) / 8 ||
	    bytes / stride < (tmsize_t)rows)
		return app_fail(r->err, "damaged strip or tile sizes");
	r->block = malloc((size_t)bytes);
	if (!r->block)
		return app_fail(r->err, "not enough memory");
	for (int plane = 0; plane < (apart ? r->kept : 1); plane++)
		for (uint32_t y = 0; y < r->height; y += rows)
			for (uint32_t x = 0; x < r->width; x += cols) {
				const uint32_t left = r->height - y < rows ? r->height - y : rows;
				const tmsize_t want = tiled ? bytes : (tmsize_t)left * stride;
				const tmsize_t got = tiled ?
					TIFFReadEncodedTile(t, TIFFComputeTile(t, x, y, 0, (uint16_t)plane),
							    r->block, bytes) :
					TIFFReadEncodedStrip(t, TIFFComputeStrip(t, y, (uint16_t)plane),
							     r->block, want);
				if (got < want)
					return *r->err ? -1 : app_fail(r->err, "the file is cut short");
				take(r, x, y, cols, rows, (size_t)stride, apart ? plane : -1);
				if (r->width - x <= cols)
					break;
			}
	return 0;
}

static unsigned char divided(unsigned v, unsigned alpha)
{
	if (!alpha)
		return 0;
	return (unsigned char)(255 * v / alpha > 255 ? 255 : 255 * v / alpha);
}

static int to_rgb(struct reader *r, TIFF *t, struct app_picture *p)
{
	const size_t n = (size_t)r->width * r->height, kept = (size_t)r->kept;
	const unsigned top = (1u << (r->bits < 8 ? r->bits : 8)) - 1;
	unsigned char map[256][3];
	if (r->photometric == PHOTOMETRIC_SEPARATED) {
		app_cmyk_row(p->rgb, r->sample, n, 0);
		return 0;
	}
	for (unsigned i = 0; i < 256; i++) {
		const unsigned v = (i > top ? top : i) * 255 / top;
		memset(map[i], (int)(r->photometric == PHOTOMETRIC_MINISWHITE ? 255 - v : v), 3);
	}
	if (r->photometric == PHOTOMETRIC_PALETTE) {
		uint16_t *c[3];
		if (!TIFFGetField(t, TIFFTAG_COLORMAP, &c[0], &c[1], &c[2]))
			return app_fail(r->err, "the colour map is missing");
		for (unsigned i = 0; i <= top; i++)
			for (int k = 0; k < 3; k++)
				map[i][k] = (unsigned char)(c[k][i] >> 8);
	}
	for (size_t i = 0; i < n; i++) {
		const unsigned char *s = r->sample + i * kept;
		unsigned char *to = p->rgb + 3 * i;
		const unsigned alpha = r->divide ? s[kept - 1] : 255;
		if (r->photometric == PHOTOMETRIC_RGB)
			for (int k = 0; k < 3; k++)
				to[k] = divided(s[k], alpha);
		else
			memset(to, divided(map[s[0]][0], alpha), 3);
		if (r->photometric == PHOTOMETRIC_PALETTE)
			memcpy(to, map[s[0]], 3);
	}
	return 0;
}

static int orientation(TIFF *t)
{
	uint16_t o = 0;
	uint32_t n = 0;
	void *xmp = NULL;
	if (TIFFGetField(t, TIFFTAG_ORIENTATION, &o))
		return o;
	if (TIFFGetField(t, TIFFTAG_XMLPACKET, &n, &xmp) && xmp)
		return app_xmp_orientation(xmp, n);
	return 0;
}

static int decode(struct reader *r, TIFF *t, struct app_picture *p)
{
	if (examine(r, t) || app_new_picture(p, r->width, r->height, r->max_pixels, r->err))
		return -1;
	p->deep = r->bits == 16;
	p->orientation = orientation(t);
	r->sample = calloc((size_t)r->width * r->height, (size_t)r->kept);
	if (!r->sample)
		return app_fail(r->err, "not enough memory");
	return read_blocks(r, t) || to_rgb(r, t, p) ? -1 : 0;
}

int app_decode_tiff(const unsigned char *data, size_t size, int64_t max_pixels,
		    struct app_picture *p, char *err)
{
	struct reader r = { .data = data, .size = size, .err = err, .max_pixels = max_pixels };
	TIFFOpenOptions *o = TIFFOpenOptionsAlloc();
	TIFF *t = NULL;
	if (o) {
		TIFFOpenOptionsSetErrorHandlerExtR(o, on_error, &r);
		TIFFOpenOptionsSetWarningHandlerExtR(o, on_warning, &r);
		/* what a small hostile file may make libtiff allocate for its tags */
		TIFFOpenOptionsSetMaxSingleMemAlloc(o, 256 << 20);
		t = TIFFClientOpenExt("picture", "rm", &r, on_read, on_write, on_seek, on_close, on_size,
				      NULL, NULL, o);
		TIFFOpenOptionsFree(o);
	}
	if (!t)
		return *err ? -1 : app_fail(err, "cannot be read");
	const int failed = decode(&r, t, p);
	TIFFClose(t);
	free(r.sample);
	free(r.block);
	return failed;
}
