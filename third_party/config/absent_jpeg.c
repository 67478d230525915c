/*
 * absent_jpeg.c - stands where parts of libjpeg-turbo are not built: 12- and 16-bit and lossless
 * decoders, colour quantisers, merged upsampling.
 *
 * In:  calls from jdmaster.c for a JPEG that is not 8-bit and lossy, or for modes that we never ask for.
 * Out: libjpeg's own error "not compiled", by its error manager; nothing returns a result.
 */
#define JPEG_INTERNALS
#include "jinclude.h"
#include "jpeglib.h"
#include "jerror.h"

static void absent(j_decompress_ptr cinfo)
{
	ERREXIT(cinfo, JERR_NOT_COMPILED);
}

#define ABSENT(name) void name(j_decompress_ptr cinfo) { absent(cinfo); }
#define ABSENT2(name) void name(j_decompress_ptr cinfo, boolean b) { (void)b; absent(cinfo); }

ABSENT(j12init_1pass_quantizer)
ABSENT(j12init_2pass_quantizer)
ABSENT(j12init_color_deconverter)
ABSENT2(j12init_d_coef_controller)
ABSENT2(j12init_d_diff_controller)
ABSENT2(j12init_d_main_controller)
ABSENT2(j12init_d_post_controller)
ABSENT(j12init_inverse_dct)
ABSENT(j12init_lossless_decompressor)
ABSENT(j12init_merged_upsampler)
ABSENT(j12init_upsampler)
ABSENT(j16init_color_deconverter)
ABSENT2(j16init_d_diff_controller)
ABSENT2(j16init_d_main_controller)
ABSENT2(j16init_d_post_controller)
ABSENT(j16init_lossless_decompressor)
ABSENT(j16init_upsampler)
ABSENT2(jinit_d_diff_controller)
ABSENT(jinit_lhuff_decoder)
ABSENT(jinit_lossless_decompressor)
ABSENT(jinit_1pass_quantizer)
ABSENT(jinit_2pass_quantizer)
ABSENT(jinit_merged_upsampler)
