/* tif_config.h - libtiff's private configuration, for any C11 compiler. */
#include "tiffconf.h"

#define HAVE_ASSERT_H 1
#define HAVE_FCNTL_H 1		/* the names O_RDONLY, ...; files are never opened */
#define STRIP_SIZE_DEFAULT 8192
#define TIFF_MAX_DIR_COUNT 1048576
#define WORDS_BIGENDIAN HOST_BIGENDIAN
#if SIZE_MAX > 0xffffffff
#define SIZEOF_SIZE_T 8
#define TIFF_SIZE_FORMAT PRIu64
#define TIFF_SSIZE_FORMAT PRId64
#else
#define SIZEOF_SIZE_T 4
#define TIFF_SIZE_FORMAT PRIu32
#define TIFF_SSIZE_FORMAT PRId32
#endif
#if defined(__linux__) || defined(__APPLE__)
#undef TIFF_SIZE_FORMAT
#define TIFF_SIZE_FORMAT "zu"
#endif
