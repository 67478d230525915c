/* jconfigint.h - libjpeg-turbo's private configuration, for any C11 compiler. */
#include <stdint.h>

#define BUILD "ampoule"
#define HIDDEN
#undef inline
#define INLINE inline
#define THREAD_LOCAL _Thread_local
#define PACKAGE_NAME "libjpeg-turbo"
#define VERSION "3.1.3"
#if SIZE_MAX > 0xffffffff
#define SIZEOF_SIZE_T 8
#else
#define SIZEOF_SIZE_T 4
#endif
#define FALLTHROUGH
#ifndef BITS_IN_JSAMPLE
#define BITS_IN_JSAMPLE 8
#endif
