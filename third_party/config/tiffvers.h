/* tiffvers.h - the version of libtiff in third_party/libtiff. */
#define TIFFLIB_VERSION_STR "LIBTIFF, Version 4.7.2"
#define TIFFLIB_VERSION 20260627
#define TIFFLIB_MAJOR_VERSION 4
#define TIFFLIB_MINOR_VERSION 7
#define TIFFLIB_MICRO_VERSION 2
#define TIFFLIB_VERSION_STR_MAJ_MIN_MIC "4.7.2"
#define TIFFLIB_AT_LEAST(major, minor, micro) \
	((major) * 10000 + (minor) * 100 + (micro) <= 40702)
