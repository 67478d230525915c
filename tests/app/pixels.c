/*
 * pixels.c - a test's window on the decoders.
 *
 * In:  picture files.  Out: a line for each: name, width, height, SHA-256 of the RGB bytes; or the error.
 */
#include "app.h"

#include <string.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/');
		const char *name = slash ? slash + 1 : argv[i];
		struct app_file f;
		struct app_picture p;
		struct app_sha256 s;
		char err[APP_ERR], hex[65];
		if (app_read_file(argv[i], APP_MAX_FILE, &f, err)) {
			printf("%s: %s\n", name, err);
			continue;
		}
		if (app_decode(f.data, (size_t)f.size, APP_MAX_PIXELS, &p, err)) {
			printf("%s error %s\n", name, err);
		} else {
			app_sha256_init(&s);
			app_sha256_add(&s, p.rgb, (size_t)p.width * (size_t)p.height * 3);
			app_sha256_hex(&s, hex);
			printf("%s %d %d %s\n", name, p.width, p.height, hex);
			app_free_picture(&p);
		}
		app_free_file(&f);
	}
	return 0;
}
