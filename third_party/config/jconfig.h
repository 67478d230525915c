/* jconfig.h - libjpeg-turbo's public configuration, for any C11 compiler: the libjpeg 6.2 API,
 * arithmetic decoding as in Debian's and Pillow's builds, no SIMD (one code, the same bits). */
#define JPEG_LIB_VERSION 62
#define LIBJPEG_TURBO_VERSION 3.1.3
#define LIBJPEG_TURBO_VERSION_NUMBER 3001003
#define D_ARITH_CODING_SUPPORTED 1
#define MEM_SRCDST_SUPPORTED 1
#ifndef BITS_IN_JSAMPLE
#define BITS_IN_JSAMPLE 8
#endif
