/*
 * external.c - tensor data in files beside the model.
 *
 * Goes in: the entries location, offset and length of a TensorProto.  Comes out: the bytes, in the
 * arena.  A location is a relative path without "..", and the file that it leads to, symbolic
 * links resolved, must be a regular file in the folder of the model (or, where the model itself is a
 * link, in the folder that it leads to).  The size wanted is that of the tensor's type and shape;
 * nothing is allocated before the file has proved to be long enough.
 */
#include "import/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *fail(struct importer *im, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void *fail(struct importer *im, const char *where, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	diag_v(im->c, SEV_ERROR, STAGE, where, fmt, ap);
	va_end(ap);
	return NULL;
}

static const char *entry(const Onnx__TensorProto *p, const char *key)
{
	for (size_t i = 0; i < p->n_external_data; i++) {
		const Onnx__StringStringEntryProto *e = p->external_data[i];
		if (e->key && e->value && str_eq(e->key, key))
			return e->value;
	}
	return NULL;
}

/* A decimal number; false when it is anything else. */
static bool number(const char *s, int64_t *v)
{
	*v = 0;
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s < '0' || *s > '9' || !mul_i64(*v, 10, v) || !add_i64(*v, *s - '0', v))
			return false;
	return true;
}

static bool has_parent_step(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (str_starts(p, "..") && (p[2] == '/' || p[2] == 0))
			return true;
	}
	return false;
}

/* Is `path` (resolved) below the folder (resolved here)? */
static bool inside(const char *path, const char *folder)
{
	char real[PATH_MAX];
	if (!realpath(folder, real))
		return false;
	const size_t n = strlen(real);
	return strncmp(path, real, n) == 0 && (path[n] == '/' || (n == 1 && real[0] == '/'));
}

/* The folder of a path's file: "." when the path has none. */
static const char *folder_of(struct ctx *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	return !slash ? "." : slash == path ? "/" : str_dup_n(c, path, (size_t)(slash - path));
}

/* The file's true path into real[]; false and a diagnostic when it may not or cannot be read. */
static bool locate(struct importer *im, const char *location, char real[PATH_MAX],
		   const char *where)
{
	if (!im->folder) {
		fail(im, where, "its data lies in the file \"%s\", but the model was given as bytes "
		     "without a folder", location);
		return false;
	}
	if (!*location || location[0] == '/' || has_parent_step(location)) {
		fail(im, where, "its data lies in \"%s\": a path outside the model's folder is not "
		     "followed", location);
		return false;
	}
	if (!realpath(str_printf(im->c, "%s/%s", im->folder, location), real)) {
		fail(im, where, "its data lies in the file \"%s\" beside the model, which cannot be "
		     "read: %s", location, strerror(errno));
		return false;
	}
	char model[PATH_MAX];
	const bool linked = im->model_path && realpath(im->model_path, model);
	if (!inside(real, im->folder) && !(linked && inside(real, folder_of(im->c, model)))) {
		fail(im, where, "its data file \"%s\" is a symbolic link that leaves the model's "
		     "folder: copy the file there", location);
		return false;
	}
	return true;
}

void *external_read(struct importer *im, const Onnx__TensorProto *p, int64_t want,
		    const char *where)
{
	const char *location = entry(p, "location");
	const char *off = entry(p, "offset"), *len = entry(p, "length");
	int64_t offset = 0, length = want;
	char real[PATH_MAX];
	if (!location)
		return fail(im, where, "its external data names no file (location)");
	if (off && !number(off, &offset))
		return fail(im, where, "its external data's offset is \"%s\", not a number", off);
	if (len && !number(len, &length))
		return fail(im, where, "its external data's length is \"%s\", not a number", len);
	if (length != want)
		return fail(im, where, "its type and shape need %lld bytes, but its external data "
			    "has length %lld", (long long)want, (long long)length);
	if (!locate(im, location, real, where))
		return NULL;
	struct stat st;
	if (lstat(real, &st) != 0 || !S_ISREG(st.st_mode))
		return fail(im, where, "its data file \"%s\" is not a regular file", location);
	if (offset > st.st_size || want > st.st_size - offset)
		return fail(im, where, "its data are %lld bytes from byte %lld of the file \"%s\" on, "
			    "which has only %lld", (long long)want, (long long)offset, location,
			    (long long)st.st_size);
	unsigned char *data = mem_array(im->c, want, 1);
	const int fd = open(real, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int64_t got = 0;
	while (fd >= 0 && got < want) {
		const int64_t k = want - got < (1 << 30) ? want - got : 1 << 30;
		const ssize_t r = pread(fd, data + got, (size_t)k, offset + got);
		if (r <= 0 && !(r < 0 && errno == EINTR))
			break;
		got += r > 0 ? r : 0;
	}
	const int e = errno;
	if (fd >= 0)
		close(fd);
	if (fd < 0 || got < want)
		return fail(im, where, "its data file \"%s\" cannot be read: %s", location,
			    fd < 0 ? strerror(e) : "it ended early");
	return data;
}
