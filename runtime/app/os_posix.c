/*
 * os_posix.c - files, folders, terminal, clock of POSIX systems.
 *
 * In:  paths.  Out: as app.h says.  os_windows.c is its twin.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE			/* madvise() */
#endif
#define _FILE_OFFSET_BITS 64		/* where long has 32: large files, and folders with large inode numbers */
#include "app.h"

#ifndef _WIN32
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void app_start(int *argc, char ***argv)
{
	(void)argc, (void)argv;
}

FILE *app_open(const char *path, const char *mode)
{
	return fopen(path, mode);
}

int app_try_map(const char *path, struct app_file *f, char *err)
{
	struct stat st;
	const int fd = open(path, O_RDONLY);
	if (fd < 0)
		return app_fail(err, "cannot be opened: %s", strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size <= SIZE_MAX / 2) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED) {
			f->data = p;
			f->size = st.st_size;
			f->mapped = 1;
		}
	}
	close(fd);
	return f->mapped;
}

void app_unmap(struct app_file *f)
{
	munmap(f->data, (size_t)f->size);
}

void app_large_pages(void *p, int64_t bytes)
{
#if defined __linux__ && defined MADV_HUGEPAGE	/* WASI has the name, but no such call */
	madvise(p, (size_t)bytes, MADV_HUGEPAGE);	/* no harm where it is refused */
#else
	(void)p, (void)bytes;
#endif
}

int app_make_dir(const char *path, char *err)
{
	if (mkdir(path, 0777) && !(errno == EEXIST && app_is_dir(path)))
		return app_fail(err, "folder %.150s cannot be made: %s", path, strerror(errno));
	return 0;
}

int app_is_dir(const char *path)
{
	struct stat st;
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int app_is_slash(char c)
{
	return c == '/';
}

int app_read_dir(const char *path, struct app_names *l, char *err)
{
	DIR *d = opendir(path);
	if (!d)
		return app_fail(err, "cannot be listed: %s", strerror(errno));
	int failed = 0, error;
	for (struct dirent *e; errno = 0, e = readdir(d), error = errno, !failed && e; )
		failed = app_add_name(l, e->d_name);
	closedir(d);
	if (failed)
		return app_fail(err, "not enough memory");
	return error ? app_fail(err, "cannot be listed: %s", strerror(error)) : 0;
}

int app_is_terminal(FILE *f)
{
	return isatty(fileno(f));
}

/* A file is looked for beside the program itself, wherever the program was started from. */
char *app_beside_program(const char *argv0, const char *name)
{
	char self[4096] = "";
#if defined(__linux__)
	const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
#endif
	const char *from = self[0] ? self : argv0 ? argv0 : "";
	const char *end = strrchr(from, '/');
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
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
#endif
