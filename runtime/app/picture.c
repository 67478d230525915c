/*
 * picture.c - a picture file's bytes become 8-bit RGB, upright.
 *
 * In:  the bytes of a file (its name does not matter: the first bytes tell the format).
 * Out: what Pillow gives for ImageOps.exif_transpose(im).convert("RGB"), byte for byte: palettes looked
 *      up, alpha dropped, CMYK multiplied out, grey repeated, the EXIF orientation applied.  One
 *      difference: 16-bit grey is v >> 8 (Pillow's convert clips it to white); p->deep says so.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

const char *app_formats(void)
{
#ifdef APP_DECODERS
	return "PNG, JPEG, TIFF, BMP, PNM and .npy";
#else
	return "BMP, PNM and .npy (this program was built without its PNG, JPEG and TIFF decoders)";
#endif
}

int app_is_npy(const unsigned char *data, size_t size)
{
	return size >= 6 && !memcmp(data, "\x93NUMPY", 6);
}

int app_new_picture(struct app_picture *p, int64_t width, int64_t height, int64_t max_pixels,
		    char *err)
{
	if (width <= 0 || height <= 0)
		return app_fail(err, "damaged: a picture of %lld x %lld pixels", (long long)width,
				(long long)height);
	if (width > max_pixels || height > max_pixels / width || width > 1 << 28 || height > 1 << 28)
		return app_fail(err, "%lld x %lld pixels is too large: at most %lld pixels are read",
				(long long)width, (long long)height, (long long)max_pixels);
	p->width = (int)width;
	p->height = (int)height;
	p->rgb = calloc((size_t)width * (size_t)height, 3);
	return p->rgb ? 0 : app_fail(err, "not enough memory for %d x %d pixels", p->width, p->height);
}

void app_free_picture(struct app_picture *p)
{
	free(p->rgb);
	p->rgb = NULL;
}

static uint32_t number(const unsigned char *p, int bytes, int big)
{
	uint32_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint32_t)p[big ? bytes - 1 - i : i] << (8 * i);
	return v;
}

/* EXIF is a small TIFF: tag 274 of its first directory. */
int app_exif_orientation(const unsigned char *data, size_t size)
{
	while (size >= 6 && !memcmp(data, "Exif\0\0", 6))
		data += 6, size -= 6;
	if (size < 8 || (memcmp(data, "II*\0", 4) && memcmp(data, "MM\0*", 4)))
		return 0;
	const int big = data[0] == 'M';
	const size_t at = number(data + 4, 4, big);
	if (at > size || size - at < 2)
		return 0;
	const size_t entries = number(data + at, 2, big);
	for (size_t i = 0; i < entries; i++) {
		const size_t e = at + 2 + 12 * i;
		if (e > size || size - e < 12)
			return 0;
		if (number(data + e, 2, big) != 274)
			continue;
		const uint32_t type = number(data + e + 2, 2, big);
		const uint32_t v = number(data + e + 8, type == 4 ? 4 : type == 3 ? 2 : 1, big);
		if ((type != 1 && type != 3 && type != 4) || number(data + e + 4, 4, big) != 1)
			return 0;
		return v >= 1 && v <= 8 ? (int)v : 1;
	}
	return 0;
}

/* XMP is text: tiff:Orientation="6" or tiff:Orientation>6 */
int app_xmp_orientation(const unsigned char *data, size_t size)
{
	static const char key[] = "tiff:Orientation";
	const size_t k = sizeof key - 1;
	for (size_t i = 0; size >= k + 2 && i < size - k - 1; i++) {
		if (memcmp(data + i, key, k))
			continue;
		size_t v = i + k;
		if (data[v] == '>')
			v += 1;
		else if (data[v] == '=' && data[v + 1] == '"')
			v += 2;
		else
			continue;
		if (v < size && data[v] >= '0' && data[v] <= '9')
			return data[v] - '0';
	}
	return -1;
}

/* Pillow's cmyk2rgb: each ink leaves (255 - k) - c * (255 - k) / 255, rounded. */
void app_cmyk_row(unsigned char *rgb, const unsigned char *cmyk, size_t n, int inverted)
{
	const unsigned flip = inverted ? 255 : 0;
	for (size_t i = 0; i < n; i++) {
		const unsigned white = 255 - (cmyk[4 * i + 3] ^ flip);
		for (size_t c = 0; c < 3; c++) {
			const unsigned t = (cmyk[4 * i + c] ^ flip) * white + 128;
			rgb[3 * i + c] = (unsigned char)(white - (((t >> 8) + t) >> 8));
		}
	}
}

/*
 * The orientation says how the stored rows lie.  Each pixel (x, y) of the upright picture is taken from
 * the stored one: 2, 3, 4 mirror in x, both, y; 5 to 8 swap x and y as well.
 */
static int upright(struct app_picture *p, char *err)
{
	const int o = p->orientation;
	if (o < 2 || o > 8)
		return 0;
	const size_t w = (size_t)p->width, h = (size_t)p->height;
	const size_t new_w = o >= 5 ? h : w, new_h = o >= 5 ? w : h;
	const int mirror_x = o == 2 || o == 3 || o == 7 || o == 8;
	const int mirror_y = o == 3 || o == 4 || o == 6 || o == 7;
	unsigned char *to = malloc(w * h * 3);
	if (!to)
		return app_fail(err, "not enough memory to turn the picture upright");
	for (size_t y = 0; y < new_h; y++)
		for (size_t x = 0; x < new_w; x++) {
			size_t sx = o >= 5 ? y : x, sy = o >= 5 ? x : y;
			if (mirror_x)
				sx = w - 1 - sx;
			if (mirror_y)
				sy = h - 1 - sy;
			memcpy(to + (y * new_w + x) * 3, p->rgb + (sy * w + sx) * 3, 3);
		}
	free(p->rgb);
	p->rgb = to;
	p->width = (int)new_w;
	p->height = (int)new_h;
	return 0;
}

struct format {
	const char *name;
	int offset;
	const char *magic;
	size_t length;
	int (*decode)(const unsigned char *, size_t, int64_t, struct app_picture *, char *);
};

#ifdef APP_DECODERS
#define WITH(f) f
#else
#define WITH(f) NULL
#endif

static const struct format formats[] = {
	{ "PNG", 0, "\x89PNG\r\n\x1a\n", 8, WITH(app_decode_png) },
	{ "JPEG", 0, "\xff\xd8\xff", 3, WITH(app_decode_jpeg) },
	{ "TIFF", 0, "II*\0", 4, WITH(app_decode_tiff) },
	{ "TIFF", 0, "MM\0*", 4, WITH(app_decode_tiff) },
	{ "TIFF", 0, "II+\0", 4, WITH(app_decode_tiff) },
	{ "TIFF", 0, "MM\0+", 4, WITH(app_decode_tiff) },
	{ "BMP", 0, "BM", 2, app_decode_bmp },
	{ "PNM", 0, "P1", 2, app_decode_pnm }, { "PNM", 0, "P2", 2, app_decode_pnm },
	{ "PNM", 0, "P3", 2, app_decode_pnm }, { "PNM", 0, "P4", 2, app_decode_pnm },
	{ "PNM", 0, "P5", 2, app_decode_pnm }, { "PNM", 0, "P6", 2, app_decode_pnm },
	{ "GIF", 0, "GIF8", 4, NULL }, { "WebP", 8, "WEBP", 4, NULL }, { "HEIF", 4, "ftyp", 4, NULL },
	{ "JPEG 2000", 4, "jP  ", 4, NULL }, { "DICOM", 128, "DICM", 4, NULL }, { "PDF", 0, "%PDF", 4, NULL }
};

int app_decode(const unsigned char *data, size_t size, int64_t max_pixels, struct app_picture *p,
	       char *err)
{
	memset(p, 0, sizeof *p);
	if (!size)
		return app_fail(err, "the file is empty");
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		const struct format *f = &formats[i];
		const size_t at = (size_t)f->offset;
		if (size < at + f->length || memcmp(data + at, f->magic, f->length))
			continue;
		if (!f->decode)
			return app_fail(err, "%s files are not read; what is: %s", f->name,
					app_formats());
		char why[APP_ERR] = "";
		if (f->decode(data, size, max_pixels, p, why)) {
			app_free_picture(p);
			return app_fail(err, "%s: %.200s", f->name, why);
		}
		if (upright(p, err)) {
			app_free_picture(p);
			return -1;
		}
		return 0;
	}
	return app_fail(err, "no picture that is read; what is: %s", app_formats());
}
