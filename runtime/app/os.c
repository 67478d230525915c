/*
 * os.c - all that differs between operating systems: files, folders, terminal, clock, memory.
 *
 * In:  paths.  Out: bytes, sorted names.  POSIX and Windows; nothing else of the program asks which.
 */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif
#define _FILE_OFFSET_BITS 64		/* where long has 32: large files, and folders with large inode numbers */
#include "app.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <direct.h>
#include <fcntl.h>
#include <io.h>
#else
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

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
	char *raw = calloc(1, (size_t)bytes + AMP_ALIGN + sizeof(void *));
	if (!raw)
		return NULL;
	char *p = raw + sizeof(void *);
	p += (AMP_ALIGN - (uintptr_t)p % AMP_ALIGN) % AMP_ALIGN;
	memcpy(p - sizeof(void *), &raw, sizeof raw);
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
	FILE *in = from_stdin ? stdin : fopen(path, "rb");
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
#ifndef _WIN32
	if (f->mapped)
		munmap(f->data, (size_t)f->size);
	else
#endif
		app_free(f->data);
	memset(f, 0, sizeof *f);
}

/* The weights: mapped where the system can, so that the pages are shared between processes. */
int app_map_file(const char *path, struct app_file *f, char *err)
{
#ifndef _WIN32
	struct stat st;
	memset(f, 0, sizeof *f);
	const int fd = open(path, O_RDONLY);
	if (fd < 0)
		return app_fail(err, "cannot be opened: %s", strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uint64_t)st.st_size <= SIZE_MAX / 2) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED) {
			close(fd);
			f->data = p;
			f->size = st.st_size;
			f->mapped = 1;
			return 0;
		}
	}
	close(fd);
#endif
	return app_read_file(path, INT64_MAX / 4, f, err);
}

int app_write_file(const char *path, const void *head, size_t head_bytes, const void *data,
		   size_t bytes, char *err)
{
	FILE *out = fopen(path, "wb");
	if (!out)
		return app_fail(err, "%.150s cannot be written: %s", path, strerror(errno));
	const int ok = fwrite(head, 1, head_bytes, out) == head_bytes &&
		       fwrite(data, 1, bytes, out) == bytes;
	if (fclose(out) || !ok)
		return app_fail(err, "%.150s could not be written whole", path);
	return 0;
}

int app_make_dir(const char *path, char *err)
{
#ifdef _WIN32
	const int failed = _mkdir(path);
#else
	const int failed = mkdir(path, 0777);
#endif
	if (failed && !(errno == EEXIST && app_is_dir(path)))
		return app_fail(err, "folder %.150s cannot be made: %s", path, strerror(errno));
	return 0;
}

int app_is_dir(const char *path)
{
#ifdef _WIN32
	const DWORD a = GetFileAttributesA(path);
	return a != INVALID_FILE_ATTRIBUTES && a & FILE_ATTRIBUTE_DIRECTORY;
#else
	struct stat st;
	return !stat(path, &st) && S_ISDIR(st.st_mode);
#endif
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***names, size_t *n, size_t *room, const char *name)
{
	if (*n == *room) {
		const size_t more = *room ? *room * 2 : 64;
		char **grown = realloc(*names, more * sizeof **names);
		if (!grown)
			return -1;
		*names = grown;
		*room = more;
	}
	char *copy = malloc(strlen(name) + 1);
	if (!copy)
		return -1;
	strcpy(copy, name);
	(*names)[(*n)++] = copy;
	return 0;
}

int app_list_dir(const char *path, char ***names, size_t *n, char *err)
{
	size_t room = 0;
	int failed = 0;
	*names = NULL;
	*n = 0;
#ifdef _WIN32
	WIN32_FIND_DATAA entry;
	char *pattern = malloc(strlen(path) + 3);
	if (!pattern)
		return app_fail(err, "not enough memory");
	strcpy(pattern, path);
	strcat(pattern, "\\*");
	HANDLE h = FindFirstFileA(pattern, &entry);
	free(pattern);
	if (h == INVALID_HANDLE_VALUE)
		return app_fail(err, "cannot be listed");
	do
		failed |= add_name(names, n, &room, entry.cFileName);
	while (!failed && FindNextFileA(h, &entry));
	FindClose(h);
#else
	DIR *d = opendir(path);
	if (!d)
		return app_fail(err, "cannot be listed: %s", strerror(errno));
	int error;
	for (struct dirent *e; errno = 0, e = readdir(d), error = errno, !failed && e; )
		failed = add_name(names, n, &room, e->d_name);
	closedir(d);
	if (error && !failed) {
		app_free_list(*names, *n);
		*names = NULL;
		*n = 0;
		return app_fail(err, "cannot be listed: %s", strerror(error));
	}
#endif
	if (failed) {
		app_free_list(*names, *n);
		*names = NULL;
		*n = 0;
		return app_fail(err, "not enough memory");
	}
	if (*n)
		qsort(*names, *n, sizeof **names, by_bytes);
	return 0;
}

void app_free_list(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

int app_is_terminal(FILE *f)
{
#ifdef _WIN32
	return _isatty(_fileno(f));
#else
	return isatty(fileno(f));
#endif
}

void app_binary_stdio(void)
{
#ifdef _WIN32
	_setmode(_fileno(stdin), _O_BINARY);
	_setmode(_fileno(stdout), _O_BINARY);
#endif
}

/* A file is looked for beside the program itself, wherever the program was started from. */
char *app_beside_program(const char *argv0, const char *name)
{
	char self[4096] = "";
#ifdef _WIN32
	if (GetModuleFileNameA(NULL, self, sizeof self - 1) >= sizeof self - 1)
		self[0] = 0;
#elif defined(__linux__)
	const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
#endif
	const char *from = self[0] ? self : argv0 ? argv0 : "";
	const char *end = strrchr(from, '/');
#ifdef _WIN32
	const char *back = strrchr(from, '\\');
	if (back && (!end || back > end))
		end = back;
#endif
	const size_t folder = end ? (size_t)(end - from) + 1 : 0;
	char *path = malloc(folder + strlen(name) + 1);
	if (!path)
		return NULL;
	memcpy(path, from, folder);
	strcpy(path + folder, name);
	return path;
}

double app_seconds(void)
{
#ifdef _WIN32
	LARGE_INTEGER now, rate;
	QueryPerformanceCounter(&now);
	QueryPerformanceFrequency(&rate);
	return (double)now.QuadPart / (double)rate.QuadPart;
#else
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
#endif
}
