/*
 * preprocess.c - a picture becomes the model's input tensor.
 *
 * In:  8-bit RGB of any size; struct amp_preprocess (Hugging Face's preprocessor_config.json).
 * Out: one element of the batch: [C, H, W] or [H, W, C], float32 or uint8; C = 3, or 1: grey as Pillow's
 *      convert("L").
 * Algorithm, in this order, as Hugging Face's image processors (image_transforms.py, NumPy):
 *	resize		Pillow's; shortest edge: the other one is int(size * long / short)
 *	centre crop	top = (height - crop) // 2, rounded down; where the picture is smaller, zeros around it,
 *			the larger half of an odd rest before it
 *	rescale		float32(float64(value) * factor)
 *	normalise	float32: (value - float32(mean)) / float32(std)
 * A value is one of 256, so the last two steps are a table for each channel.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

int app_image_input(const struct amp_io *io, struct app_image_input *in)
{
	const int skip = io->rank == 4 ? 1 : 0;		/* [N, ...] */
	if ((io->rank != 3 && io->rank != 4) || (io->dtype != AMP_FLOAT && io->dtype != AMP_UINT8))
		return -1;
	const int64_t *d = io->dim + skip;
	for (int i = 0; i < io->rank; i++)
		if (io->dim[i] < 1 || io->dim[i] > 1 << 20)
			return -1;
	in->batch = skip ? (int)io->dim[0] : 1;
	in->dtype = io->dtype;
	in->channels_last = !(d[0] == 3 || d[0] == 1) && (d[2] == 3 || d[2] == 1);
	in->channels = (int)d[in->channels_last ? 2 : 0];
	in->height = (int)d[in->channels_last ? 0 : 1];
	in->width = (int)d[in->channels_last ? 1 : 2];
	return in->channels == 3 || in->channels == 1 ? 0 : -1;
}

static void to_grey(unsigned char *rgb, size_t pixels)
{
	for (size_t i = 0; i < pixels; i++, rgb += 3) {
		const unsigned l = rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u;
		memset(rgb, (int)(l >> 16), 3);
	}
}

/* Floor of half of a difference that may be negative. */
static int half_down(int v)
{
	return v >= 0 ? v / 2 : -((1 - v) / 2);
}

/* The centre of from, or from in the centre of zeros. */
static void crop(unsigned char *to, int width, int height, const unsigned char *from, int from_width,
		 int from_height)
{
	/* where the crop begins in the picture: negative where zeros come first */
	const int left = half_down(from_width - width), top = half_down(from_height - height);
	memset(to, 0, (size_t)width * (size_t)height * 3);
	for (int y = 0; y < height; y++) {
		const int sy = y + top;
		if (sy < 0 || sy >= from_height)
			continue;
		const int x0 = left < 0 ? -left : 0;
		const int x1 = from_width - left < width ? from_width - left : width;
		if (x1 > x0)
			memcpy(to + ((size_t)y * (size_t)width + (size_t)x0) * 3,
			       from + ((size_t)sy * (size_t)from_width + (size_t)(x0 + left)) * 3,
			       (size_t)(x1 - x0) * 3);
	}
}

static void fill(const unsigned char *rgb, const struct amp_preprocess *pre,
		 const struct app_image_input *in, void *to)
{
	const size_t pixels = (size_t)in->width * (size_t)in->height, channels = (size_t)in->channels;
	for (size_t c = 0; c < channels; c++) {
		const size_t from = pre && pre->bgr && channels == 3 ? 2 - c : c;
		const size_t step = in->channels_last ? channels : 1;
		const size_t start = in->channels_last ? c : c * pixels;
		if (in->dtype == AMP_UINT8) {
			unsigned char *d = (unsigned char *)to + start;
			for (size_t i = 0; i < pixels; i++)
				d[i * step] = rgb[3 * i + from];
			continue;
		}
		float table[256];
		for (int v = 0; v < 256; v++) {
			table[v] = pre && pre->rescale ? (float)(v * pre->rescale_factor) : (float)v;
			if (pre && pre->normalize) {
				/* stored in between: rounded to float32 also where floats are computed as doubles */
				const float centred = table[v] - (float)pre->mean[c];
				table[v] = centred / (float)pre->std[c];
			}
		}
		float *d = (float *)to + start;
		for (size_t i = 0; i < pixels; i++)
			d[i * step] = table[rgb[3 * i + from]];
	}
}

int app_preprocess(const struct app_picture *p, const struct amp_preprocess *pre,
		   const struct app_image_input *in, void *to, char *err)
{
	int width = p->width, height = p->height, failed = -1;
	unsigned char *rgb = NULL, *resized = NULL, *cropped = NULL;
	const unsigned char *now = p->rgb;
	if (in->channels == 1) {
		rgb = malloc((size_t)width * (size_t)height * 3);
		if (!rgb)
			return app_fail(err, "not enough memory");
		memcpy(rgb, p->rgb, (size_t)width * (size_t)height * 3);
		to_grey(rgb, (size_t)width * (size_t)height);
		now = rgb;
	}
	if (pre && pre->resize) {
		int64_t w = pre->width, h = pre->height;
		if (pre->resize == 2) {
			const int tall = width <= height;
			const double other = (double)pre->width * (tall ? height : width) / (tall ? width : height);
			if (other > APP_MAX_PIXELS) {
				app_fail(err, "%d x %d pixels are too long and narrow", width, height);
				goto out;
			}
			w = tall ? pre->width : (int64_t)other;
			h = tall ? (int64_t)other : pre->width;
		}
		if (w < 1 || h < 1 || w > APP_MAX_PIXELS / h) {
			app_fail(err, "%d x %d pixels are too long and narrow", width, height);
			goto out;
		}
		resized = malloc((size_t)w * (size_t)h * 3);
		if (!resized) {
			app_fail(err, "not enough memory");
			goto out;
		}
		if (app_resize(now, width, height, resized, (int)w, (int)h, pre->resample, err))
			goto out;
		now = resized;
		width = (int)w;
		height = (int)h;
	}
	if (pre && pre->crop) {
		cropped = malloc((size_t)pre->crop_width * (size_t)pre->crop_height * 3);
		if (!cropped) {
			app_fail(err, "not enough memory");
			goto out;
		}
		crop(cropped, pre->crop_width, pre->crop_height, now, width, height);
		now = cropped;
		width = pre->crop_width;
		height = pre->crop_height;
	}
	if (width != in->width || height != in->height) {
		app_fail(err, "%d x %d pixels after preprocessing, and the model takes %d x %d", width, height,
			 in->width, in->height);
		goto out;
	}
	fill(now, pre, in, to);
	failed = 0;
out:
	free(rgb);
	free(resized);
	free(cropped);
	return failed;
}
