/* file.c - whole files in and out; a file that is written appears complete or not at all. */
#include "core/core.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned char *file_read(struct ctx *c, const char *path, size_t max_bytes, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	*n = 0;
	if (!f || fstat(fileno(f), &st) != 0) {
		diag(c, SEV_ERROR, NULL, NULL, "cannot read %s: %s", path, strerror(errno));
		if (f)
			fclose(f);
		return NULL;
	}
	unsigned char *p = NULL;
	if (S_ISDIR(st.st_mode)) {
		diag(c, SEV_ERROR, NULL, NULL, "cannot read %s: it is a folder", path);
	} else if (S_ISREG(st.st_mode)) {
		if ((uint64_t)st.st_size > max_bytes) {
			diag(c, SEV_ERROR, NULL, NULL, "%s has %lld bytes; at most %zu are read", path,
			     (long long)st.st_size, max_bytes);
		} else {
			p = mem_alloc(c, (size_t)st.st_size + 1);
			*n = fread(p, 1, (size_t)st.st_size, f);
		}
	} else {		/* a pipe: the size is not known ahead */
		struct text t = { .c = c };
		char buf[65536];
		size_t k;
		while ((k = fread(buf, 1, sizeof buf, f)) > 0 && t.n + k <= max_bytes)
			text_add(&t, buf, k);
		if (k > 0) {
			diag(c, SEV_ERROR, NULL, NULL, "%s: more than %zu bytes", path, max_bytes);
		} else {
			text_add(&t, "", 0);
			p = (unsigned char *)t.s;
			*n = t.n;
		}
	}
	if (p && ferror(f)) {
		diag(c, SEV_ERROR, NULL, NULL, "cannot read %s: %s", path, strerror(errno));
		p = NULL;
	}
	fclose(f);
	return p;
}

bool file_write(struct ctx *c, const char *path, const void *data, size_t n)
{
	const char *tmp = str_printf(c, "%s.%ld.tmp", path, (long)getpid());
	FILE *f = fopen(tmp, "wb");
	bool ok = f && (n == 0 || fwrite(data, 1, n, f) == n);
	int e = errno;
	if (f && fclose(f) != 0 && ok) {
		ok = false;
		e = errno;
	}
	if (ok && rename(tmp, path) != 0) {
		ok = false;
		e = errno;
	}
	if (!ok) {
		unlink(tmp);
		diag(c, SEV_ERROR, NULL, NULL, "cannot write %s: %s", path, strerror(e));
	}
	return ok;
}
