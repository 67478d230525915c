/*
 * decode_jpeg.c - JPEG through libjpeg-turbo: slow integer DCT, fancy upsampling, as Pillow.
 *
 * In:  8-bit baseline, progressive or arithmetic JPEG: grey, YCbCr, RGB, CMYK, YCCK.
 * Out: 8-bit RGB.  Four components are taken as Adobe's inverted CMYK, as Pillow does.
 *      The orientation comes from EXIF, else from XMP.
 * Damage that libjpeg only warns about and paints over is an error here: a classifier must not name
 * a picture that is half grey.
 */
#include "app.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jpeglib.h"
#include "jerror.h"

/* A progressive file may hold any number of scans over the whole picture: bound the work. */
#define MAX_SCANS 500

struct reader {
	struct jpeg_decompress_struct j;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf jump;
	char *err;
	unsigned char *row;
};

static void on_error(j_common_ptr j)
{
	struct reader *r = j->client_data;
	char text[JMSG_LENGTH_MAX];
	j->err->format_message(j, text);
	app_fail(r->err, "%.200s", text);
	longjmp(r->jump, 1);
}

static void on_message(j_common_ptr j, int level)
{
	if (level >= 0)
		return;
	switch (j->err->msg_code) {
	case JWRN_EXTRANEOUS_DATA:	/* nothing of the picture is lost */
	case JWRN_ADOBE_XFORM:
	case JWRN_BOGUS_PROGRESSION:
	case JWRN_JFIF_MAJOR:
	case JWRN_TOO_MUCH_DATA:
		return;
	case JWRN_JPEG_EOF: {
		struct reader *r = j->client_data;
		app_fail(r->err, "the file is cut short");
		longjmp(r->jump, 1);
	}
	default:
		on_error(j);
	}
}

static void on_progress(j_common_ptr j)
{
	struct reader *r = j->client_data;
	if (r->j.input_scan_number > MAX_SCANS) {
		app_fail(r->err, "more than %d scans", MAX_SCANS);
		longjmp(r->jump, 1);
	}
}

static int orientation(const struct jpeg_decompress_struct *j)
{
	static const char xmp[] = "http://ns.adobe.com/xap/1.0/";	/* with its closing 0 */
	for (jpeg_saved_marker_ptr m = j->marker_list; m; m = m->next)
		if (m->data_length >= 6 && !memcmp(m->data, "Exif\0\0", 6)) {
			const int found = app_exif_orientation(m->data, m->data_length);
			if (found)
				return found;
			break;
		}
	for (jpeg_saved_marker_ptr m = j->marker_list; m; m = m->next)
		if (m->data_length >= sizeof xmp && !memcmp(m->data, xmp, sizeof xmp))
			return app_xmp_orientation(m->data, m->data_length);
	return 0;
}

static void decode(struct reader *r, const unsigned char *data, size_t size, int64_t max_pixels,
		   struct app_picture *p)
{
	struct jpeg_decompress_struct *j = &r->j;
	jpeg_mem_src(j, data, (unsigned long)size);
	jpeg_save_markers(j, JPEG_APP0 + 1, 0xffff);
	jpeg_read_header(j, TRUE);
	if (j->data_precision != 8) {
		app_fail(r->err, "%d bits a sample are not supported", j->data_precision);
		longjmp(r->jump, 1);
	}
	if (j->num_components != 1 && j->num_components != 3 && j->num_components != 4) {
		app_fail(r->err, "%d components are not supported", j->num_components);
		longjmp(r->jump, 1);
	}
	if (app_new_picture(p, j->image_width, j->image_height, max_pixels, r->err))
		longjmp(r->jump, 1);
	p->orientation = orientation(j);
	j->out_color_space = j->num_components == 1 ? JCS_GRAYSCALE :
			     j->num_components == 3 ? JCS_RGB : JCS_CMYK;
	j->dct_method = JDCT_ISLOW;
	j->do_fancy_upsampling = TRUE;
	const size_t w = (size_t)p->width;
	r->row = malloc(w * 4);
	if (!r->row) {
		app_fail(r->err, "not enough memory");
		longjmp(r->jump, 1);
	}
	jpeg_start_decompress(j);
	while (j->output_scanline < j->output_height) {
		unsigned char *to = p->rgb + j->output_scanline * w * 3;
		unsigned char *row = j->num_components == 3 ? to : r->row;
		if (jpeg_read_scanlines(j, &row, 1) != 1) {
			app_fail(r->err, "the file is cut short");
			longjmp(r->jump, 1);
		}
		if (j->num_components == 1)
			for (size_t x = 0; x < w; x++)
				memset(to + 3 * x, row[x], 3);
		else if (j->num_components == 4)
			app_cmyk_row(to, row, w, 1);
	}
	jpeg_finish_decompress(j);
}

int app_decode_jpeg(const unsigned char *data, size_t size, int64_t max_pixels,
		    struct app_picture *p, char *err)
{
	struct reader *const r = calloc(1, sizeof *r);
	volatile int failed = 0;
	if (!r)
		return app_fail(err, "not enough memory");
	r->err = err;
	r->j.err = jpeg_std_error(&r->errors);
	r->errors.error_exit = on_error;
	r->errors.emit_message = on_message;
	r->j.client_data = r;
	if (!setjmp(r->jump)) {
		jpeg_create_decompress(&r->j);	/* keeps err and client_data */
		r->progress.progress_monitor = on_progress;
		r->j.progress = &r->progress;
		decode(r, data, size, max_pixels, p);
	} else {
		failed = -1;
	}
	jpeg_destroy_decompress(&r->j);
	free(r->row);
	free(r);
	return failed;
}
