/*
 * external.c - tensor data in files beside the model.
 *
 * Goes in: the entries location, offset and length of a TensorProto.  Comes out: the bytes, in the
 * arena.  A location is a relative path without "..", and the file that it leads to, symbolic
 * links resolved, must be a regular file in the folder of the model (or, where the model itself is a
 * link, in the folder that it leads to).  The size wanted is that of the tensor's type and shape.
 * A file is read once, whole, so that its SHA-256 is of the very bytes that the tensors are made of.
 */
#include "import/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DATA ((int64_t)1 << 36)

/* A file beside the model; bytes NULL: it could not be read, and that has been said. */
struct data_file {
	const char *location;
	unsigned char *bytes;
	int64_t n;
};

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

/* The file's bytes, read when its first tensor asks; NULL and a diagnostic.  `real` has no links left. */
static const struct data_file *read_whole(struct importer *im, const char *location, const char *real,
					  const char *where)
{
	struct data_file *f = map_get(&im->data_files, real);
	struct stat st;
	if (f)
		return f->bytes ? f : NULL;
	f = NEW(im->c, struct data_file);
	f->location = str_dup(im->c, location);
	map_put(im->c, &im->data_files, str_dup(im->c, real), f);
	const int fd = open(real, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		fail(im, where, "its data file \"%s\" cannot be read: %s", location, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		fail(im, where, "its data file \"%s\" is not a regular file", location);
	} else if (st.st_size > MAX_DATA) {
		fail(im, where, "its data file \"%s\" has %lld bytes; at most %lld are read", location,
		     (long long)st.st_size, (long long)MAX_DATA);
	} else {
		unsigned char *bytes = mem_alloc(im->c, (size_t)st.st_size + 1);
		while (f->n < st.st_size) {
			const int64_t k = st.st_size - f->n < (1 << 30) ? st.st_size - f->n : 1 << 30;
			const ssize_t r = pread(fd, bytes + f->n, (size_t)k, f->n);
			if (r <= 0 && !(r < 0 && errno == EINTR))
				break;
			f->n += r > 0 ? r : 0;
		}
		if (f->n < st.st_size)
			fail(im, where, "its data file \"%s\" cannot be read: %s", location,
			     f->n ? "it ended early" : strerror(errno));
		else
			f->bytes = bytes;
	}
	if (fd >= 0)
		close(fd);
	return f->bytes ? f : NULL;
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
	const struct data_file *f = read_whole(im, location, real, where);
	if (!f)
		return NULL;
	if (offset > f->n || want > f->n - offset)
		return fail(im, where, "its data are %lld bytes from byte %lld of the file \"%s\" on, "
			    "which has only %lld", (long long)want, (long long)offset, location,
			    (long long)f->n);
	unsigned char *copy = mem_array(im->c, want, 1);
	memcpy(copy, f->bytes + offset, (size_t)want);
	return copy;
}

struct source_file *external_files(struct importer *im)
{
	struct source_file *files = NULL;
	for (int i = 0; i < vec_len(im->data_files.entries); i++) {
		const struct data_file *f = im->data_files.entries[i].value;
		const struct source_file one = { f->location, f->n, sha256_hex(im->c, f->bytes, (size_t)f->n) };
		vec_add(im->c, files, one);
		mem_give_back(im->c, f->bytes);
	}
	return files;
}
