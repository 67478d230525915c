/*
 * decode_png.c - PNG through libpng.
 *
 * In:  any PNG: 1 to 16 bits, palette, grey, colour, alpha, interlaced.
 * Out: 8-bit RGB: low bits expanded, 16 bits cut to their high byte, alpha and tRNS dropped; palette
 *      indices are looked up here, so that an index beyond the palette is as Pillow has it.
 *      The orientation comes from the eXIf chunk, a "Raw profile type exif" text, or XMP.
 */
#include "app.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "png.h"

struct reader {
	const unsigned char *at, *end;
	char *err;
	png_structp png;
	png_infop info;
	unsigned char *indices;
};

static void on_error(png_structp png, png_const_charp message)
{
	struct reader *r = png_get_error_ptr(png);
	app_fail(r->err, "%s", message);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png, (void)message;
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
	struct reader *r = png_get_io_ptr(png);
	if ((size_t)(r->end - r->at) < n)
		png_error(png, "the file is cut short");
	memcpy(to, r->at, n);
	r->at += n;
}

static int hex(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ImageMagick's form: an empty line, the name, the length, then hexadecimal lines. */
static int raw_profile(const char *text, size_t n)
{
	unsigned char *bytes = malloc(n / 2 + 1);
	size_t used = 0, i = 0;
	int high = -1, orientation;
	if (!bytes)
		return 0;
	for (int lines = 0; i < n && lines < 3; i++)
		lines += text[i] == '\n';
	for (; i < n; i++) {
		const int d = hex(text[i]);
		if (d < 0)
			continue;
		if (high < 0) {
			high = d;
		} else {
			bytes[used++] = (unsigned char)(high << 4 | d);
			high = -1;
		}
	}
	orientation = app_exif_orientation(bytes, used);
	free(bytes);
	return orientation;
}

static int orientation(png_structp png, png_infop info)
{
	png_bytep exif = NULL;
	png_uint_32 bytes = 0;
	png_textp text = NULL;
	int n = 0, found = 0;
	if (png_get_eXIf_1(png, info, &bytes, &exif) && exif)
		found = app_exif_orientation(exif, bytes);
	if (png_get_text(png, info, &text, &n) <= 0)
		return found;
	for (int i = 0; i < n && !found && !exif; i++)
		if (!strcmp(text[i].key, "Raw profile type exif") && text[i].text)
			found = raw_profile(text[i].text, strlen(text[i].text));
	for (int i = 0; i < n && !found; i++)
		if (!strcmp(text[i].key, "XML:com.adobe.xmp") && text[i].text)
			found = app_xmp_orientation((const unsigned char *)text[i].text,
						    strlen(text[i].text));
	return found;
}

/* Grey levels and palette indices, one byte each, become RGB. */
static void spread(struct reader *r, struct app_picture *p, int is_palette)
{
	const size_t n = (size_t)p->width * (size_t)p->height;
	unsigned char map[256][3];
	png_colorp palette = NULL;
	int colours = 0;
	for (int i = 0; i < 256; i++)
		memset(map[i], is_palette ? 0 : i, 3);
	if (is_palette && png_get_PLTE(r->png, r->info, &palette, &colours))
		for (int i = 0; i < colours && i < 256; i++)
			map[i][0] = palette[i].red, map[i][1] = palette[i].green, map[i][2] = palette[i].blue;
	for (size_t i = 0; i < n; i++)
		memcpy(p->rgb + 3 * i, map[r->indices[i]], 3);
}

int app_decode_png(const unsigned char *data, size_t size, int64_t max_pixels,
		   struct app_picture *p, char *err)
{
	struct reader r = { data, data + size, err, NULL, NULL, NULL };
	struct reader *const volatile rp = &r;		/* its fields survive the longjmp */
	r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
	if (r.png)
		r.info = png_create_info_struct(r.png);
	if (!r.info) {
		png_destroy_read_struct(&r.png, NULL, NULL);
		return app_fail(err, "not enough memory");
	}
	if (setjmp(png_jmpbuf(r.png))) {
		png_destroy_read_struct(&rp->png, &rp->info, NULL);
		free(rp->indices);
		return -1;
	}
	png_set_benign_errors(r.png, 1);
	png_set_read_fn(r.png, &r, read_bytes);
	png_read_info(r.png, r.info);
	const int colour = png_get_color_type(r.png, r.info), bits = png_get_bit_depth(r.png, r.info);
	const size_t w = png_get_image_width(r.png, r.info), h = png_get_image_height(r.png, r.info);
	const int one_byte = !(colour & PNG_COLOR_MASK_COLOR) || colour == PNG_COLOR_TYPE_PALETTE;
	if (app_new_picture(p, (int64_t)w, (int64_t)h, max_pixels, err))
		png_longjmp(r.png, 1);
	p->deep = bits == 16;
	if (bits == 16)
		png_set_strip_16(r.png);
	if (colour & PNG_COLOR_MASK_ALPHA)
		png_set_strip_alpha(r.png);
	if (colour == PNG_COLOR_TYPE_GRAY && bits < 8)
		png_set_expand_gray_1_2_4_to_8(r.png);
	if (colour == PNG_COLOR_TYPE_PALETTE)
		png_set_packing(r.png);
	const int passes = png_set_interlace_handling(r.png);
	png_read_update_info(r.png, r.info);
	if (png_get_rowbytes(r.png, r.info) != w * (one_byte ? 1 : 3))
		png_error(r.png, "unexpected row size");
	if (one_byte) {
		r.indices = calloc(w, h);
		if (!r.indices)
			png_error(r.png, "not enough memory");
	}
	for (int pass = 0; pass < passes; pass++)
		for (size_t y = 0; y < h; y++)
			png_read_row(r.png, one_byte ? r.indices + y * w : p->rgb + y * w * 3, NULL);
	png_read_end(r.png, r.info);
	if (one_byte)
		spread(&r, p, colour == PNG_COLOR_TYPE_PALETTE);
	p->orientation = orientation(r.png, r.info);
	png_destroy_read_struct(&r.png, &r.info, NULL);
	free(r.indices);
	return 0;
}
