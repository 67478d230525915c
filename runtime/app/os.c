/*
 * os.c - files, lists of names, aligned memory: what is the same on all operating systems.
 *
 * In:  paths, in UTF-8.  Out: bytes, sorted names.  What differs is in os_posix.c and os_windows.c; nothing else
 *      of the program asks which it is.
 */
#include "app.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int app_fail(char *err, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(err, APP_ERR, format, ap);
	va_end(ap);
	return -1;
}

/* The address that malloc gave lies just before the aligned block. */
void *app_alloc(int64_t bytes)
{
	if (bytes < 0 || (uint64_t)bytes > SIZE_MAX - AMP_ALIGN - sizeof(void *))
		return NULL;
	/* what is large may get large pages, whole ones: an arena or weights that each run goes through cost fewer page walks */
	const int large = bytes >= APP_LARGE_PAGE / 2 && (uint64_t)bytes < SIZE_MAX - 2 * APP_LARGE_PAGE - sizeof(void *);
	const size_t align = large ? APP_LARGE_PAGE : AMP_ALIGN;
	const size_t room = large ? ((size_t)bytes + align - 1) / align * align : (size_t)bytes;
	char *raw = calloc(1, room + align + sizeof(void *));
	if (!raw)
		return NULL;
	char *p = raw + sizeof(void *);
	p += (align - (uintptr_t)p % align) % align;
	memcpy(p - sizeof(void *), &raw, sizeof raw);
	if (large)
		app_large_pages(p, (int64_t)room);
	return p;
}

void app_free(void *p)
{
	char *raw;
	if (!p)
		return;
	memcpy(&raw, (char *)p - sizeof(void *), sizeof raw);
	free(raw);
}

/* Reads to the end, whatever the size: the same for files, pipes and "-", which is standard input. */
int app_read_file(const char *path, int64_t max_bytes, struct app_file *f, char *err)
{
	const int from_stdin = !strcmp(path, "-");
	FILE *in = from_stdin ? stdin : app_open(path, "rb");
	int64_t room = 1 << 16;
	memset(f, 0, sizeof *f);
	if (!in)
		return app_fail(err, "cannot be opened: %s", strerror(errno));
	if (!from_stdin && !fseek(in, 0, SEEK_END)) {
		const long end = ftell(in);
		if (end > 0 && end < LONG_MAX && end <= max_bytes)
			room = (int64_t)end + 1;
		rewind(in);
	}
	f->data = app_alloc(room);
	while (f->data) {
		const size_t got = fread(f->data + f->size, 1, (size_t)(room - f->size), in);
		f->size += (int64_t)got;
		if (f->size < room || f->size > max_bytes)
			break;
		unsigned char *more = app_alloc(room * 2);
		if (more)
			memcpy(more, f->data, (size_t)f->size);
		app_free(f->data);
		f->data = more;
		room *= 2;
	}
	const int bad = ferror(in);
	const int why = errno;
	if (!from_stdin)
		fclose(in);
	if (f->data && !bad && f->size <= max_bytes)
		return 0;
	const int no_memory = !f->data;
	app_free_file(f);
	if (no_memory)
		return app_fail(err, "not enough memory to read it");
	if (bad)
		return app_fail(err, "cannot be read: %s", strerror(why));
	return app_fail(err, "is larger than %lld bytes", (long long)max_bytes);
}

void app_free_file(struct app_file *f)
{
	if (f->mapped)
		app_unmap(f);
	else
		app_free(f->data);
	memset(f, 0, sizeof *f);
}

/* The weights: mapped where the system can, so that the pages are shared between processes. */
int app_map_file(const char *path, struct app_file *f, char *err)
{
	memset(f, 0, sizeof *f);
	const int mapped = app_try_map(path, f, err);
	return mapped ? mapped < 0 ? -1 : 0 : app_read_file(path, INT64_MAX / 4, f, err);
}

int app_write_file(const char *path, const void *head, size_t head_bytes, const void *data,
		   size_t bytes, char *err)
{
	FILE *out = app_open(path, "wb");
	if (!out)
		return app_fail(err, "%.150s cannot be written: %s", path, strerror(errno));
	const int ok = fwrite(head, 1, head_bytes, out) == head_bytes &&
		       fwrite(data, 1, bytes, out) == bytes;
	if (fclose(out) || !ok)
		return app_fail(err, "%.150s could not be written whole", path);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int app_add_name(struct app_names *l, const char *name)
{
	if (l->n == l->room) {
		const size_t more = l->room ? l->room * 2 : 64;
		char **grown = realloc(l->name, more * sizeof *l->name);
		if (!grown)
			return -1;
		l->name = grown;
		l->room = more;
	}
	char *copy = malloc(strlen(name) + 1);
	if (!copy)
		return -1;
	strcpy(copy, name);
	l->name[l->n++] = copy;
	return 0;
}

int app_list_dir(const char *path, char ***names, size_t *n, char *err)
{
	struct app_names l = { 0 };
	*names = NULL;
	*n = 0;
	if (app_read_dir(path, &l, err)) {
		app_free_list(l.name, l.n);
		return -1;
	}
	if (l.n)
		qsort(l.name, l.n, sizeof *l.name, by_bytes);
	*names = l.name;
	*n = l.n;
	return 0;
}

void app_free_list(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
