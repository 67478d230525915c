/*
 * fuzz.c - damaged pictures must never crash a decoder, leak, or write out of bounds.
 *
 * In:  seconds, first seed, number of rounds, picture files.
 * Out: how many were refused and read; sanitizers end the program when something is wrong.
 * Algorithm: seeded and bounded.  Each round takes a file, changes one to eight things (a bit, a byte to an
 *      extreme, a piece copied elsewhere, a cut, two or four bytes of a number) and decodes it with a limit of
 *      one million pixels; what decodes is preprocessed too.
 */
#include "app.h"

#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return below ? (uint32_t)(state >> 33) % below : 0;
}

static size_t damage(unsigned char *d, size_t n)
{
	static const unsigned char extreme[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, 4, 16, 255 };
	for (uint32_t k = 1 + draw(8); k && n; k--) {
		/* most damage goes to the headers at both ends */
		const uint32_t where = draw(4);
		size_t at = where == 0 ? draw((uint32_t)n) : where == 3 ? n - 1 - draw((uint32_t)(n < 256 ? n : 256)) :
			    draw((uint32_t)(n < 512 ? n : 512));
		switch (draw(6)) {
		case 0: d[at] ^= (unsigned char)(1u << draw(8)); break;
		case 1: d[at] = extreme[draw(sizeof extreme)]; break;
		case 2: d[at] = (unsigned char)draw(256); break;
		case 3: {
			const size_t from = draw((uint32_t)n), len = draw(32);
			if (from + len <= n && at + len <= n)
				memmove(d + at, d + from, len);
			break;
		}
		case 4:
			if (draw(4) == 0)
				n = at;
			break;
		case 5:
			for (size_t i = 0; i < 4 && at + i < n; i++)
				d[at + i] = (unsigned char)(draw(3) ? 0 : 255);
			break;
		}
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct amp_preprocess pre = { .resize = 2, .width = 8, .resample = 3, .crop = 1, .crop_width = 8,
						   .crop_height = 8, .rescale = 1, .rescale_factor = 1 };
	static const struct app_image_input in = { 1, 3, 8, 8, 0, AMP_FLOAT };
	static float tensor[3 * 8 * 8];
	char err[APP_ERR];
	long read = 0, refused = 0;
	if (argc < 5)
		return 2;
	const double limit = atof(argv[1]), start = app_seconds();
	const long first = atol(argv[2]), rounds = atol(argv[3]);
	for (long i = 0; i < rounds && app_seconds() - start < limit; i++) {
		struct app_file f;
		struct app_picture p;
		struct app_npy a;
		state = (uint64_t)(first + i) * 0x9e3779b97f4a7c15u + 1;
		const char *path = argv[4 + (int)draw((uint32_t)(argc - 4))];
		if (app_read_file(path, 1 << 20, &f, err))
			return fprintf(stderr, "%s: %s\n", path, err), 2;
		/* a block of exactly its size, so that a sanitizer sees one byte too many */
		unsigned char *d = malloc((size_t)f.size + 1);
		if (f.size)
			memcpy(d, f.data, (size_t)f.size);
		const size_t n = damage(d, (size_t)f.size);
		unsigned char *tight = malloc(n ? n : 1);
		memcpy(tight, d, n);
		err[0] = 0;
		if (app_is_npy(tight, n)) {
			if (app_npy_parse(tight, n, &a, err) == 0 && a.count < 1 << 20) {
				void *to = malloc((size_t)a.count * app_dtype_bytes(a.dtype) + 1);
				app_npy_copy(&a, to);
				free(to);
				read++;
			} else {
				refused++;
			}
		} else if (app_decode(tight, n, 1000000, &p, err)) {
			refused++;
			if (!err[0])
				return fprintf(stderr, "seed %ld, %s: refused without a reason\n", first + i, path), 1;
		} else {
			read++;
			app_preprocess(&p, &pre, &in, tensor, err);
			app_free_picture(&p);
		}
		free(tight);
		free(d);
		app_free_file(&f);
	}
	printf("%ld refused, %ld read\n", refused, read);
	return refused + read < 500 || !read || !refused;
}
