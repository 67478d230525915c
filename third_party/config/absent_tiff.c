/*
 * absent_tiff.c - stands where libtiff's writing half, its file access and zlib's deflate are not
 * built.
 *
 * In:  calls from libtiff's reading half.  Files are opened through TIFFClientOpen with mode "r", so
 *      the functions that write are never reached; they fail if they are.
 * Out: libtiff's memory functions (tif_unix.c holds them upstream); no default message handlers.
 */
#include <stdlib.h>
#include <string.h>

#include "tiffiop.h"
#include "zlib.h"

TIFFErrorHandler _TIFFwarningHandler = NULL;
TIFFErrorHandler _TIFFerrorHandler = NULL;

void *_TIFFmalloc(tmsize_t s)
{
	return s <= 0 ? NULL : malloc((size_t)s);
}

void *_TIFFcalloc(tmsize_t n, tmsize_t s)
{
	return n <= 0 || s <= 0 ? NULL : calloc((size_t)n, (size_t)s);
}

void *_TIFFrealloc(void *p, tmsize_t s)
{
	return s <= 0 ? NULL : realloc(p, (size_t)s);
}

void _TIFFfree(void *p)
{
	free(p);
}

void _TIFFmemset(void *p, int v, tmsize_t n)
{
	memset(p, v, (size_t)n);
}

void _TIFFmemcpy(void *d, const void *s, tmsize_t n)
{
	memcpy(d, s, (size_t)n);
}

int _TIFFmemcmp(const void *a, const void *b, tmsize_t n)
{
	return memcmp(a, b, (size_t)n);
}

int TIFFFlushData1(TIFF *tif)
{
	(void)tif;
	return 0;
}

int TIFFRewriteDirectory(TIFF *tif)
{
	(void)tif;
	return 0;
}

int TIFFSetupStrips(TIFF *tif)
{
	(void)tif;
	return 0;
}

int _TIFFRewriteField(TIFF *tif, uint16_t tag, TIFFDataType type, tmsize_t count, void *data)
{
	(void)tif, (void)tag, (void)type, (void)count, (void)data;
	return 0;
}

int deflateInit_(z_streamp s, int level, const char *version, int size)
{
	(void)s, (void)level, (void)version, (void)size;
	return Z_STREAM_ERROR;
}

int deflate(z_streamp s, int flush)
{
	(void)s, (void)flush;
	return Z_STREAM_ERROR;
}

int deflateEnd(z_streamp s)
{
	(void)s;
	return Z_STREAM_ERROR;
}

int deflateReset(z_streamp s)
{
	(void)s;
	return Z_STREAM_ERROR;
}

int deflateParams(z_streamp s, int level, int strategy)
{
	(void)s, (void)level, (void)strategy;
	return Z_STREAM_ERROR;
}
