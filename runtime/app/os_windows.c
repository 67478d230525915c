/*
 * os_windows.c - files, folders, console, clock of Windows 7 and later.
 *
 * In:  paths and arguments in UTF-8 (an unpaired surrogate in a name is kept as its three bytes, so that the file can be
 *      opened again).  Out: as app.h says.  os_posix.c is its twin.
 * Only KERNEL32 and msvcrt are used.  Names go to the system in UTF-16, long ones in the form \\?\ that has no limit of
 * 260.  The console takes UTF-16 too: its code page for UTF-8 loses bytes on Windows 7, so what is printed goes through a
 * pipe to a thread that writes it there.  Files and pipes get the bytes as they are.
 */
#include "app.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* ---- names ---- */

static char *utf8_of(const wchar_t *w)
{
	const size_t n = wcslen(w);
	char *to = n < SIZE_MAX / 4 ? malloc(3 * n + 1) : NULL, *p = to;
	for (size_t i = 0; to && i < n; i++) {
		unsigned long c = w[i];
		if (c >= 0xd800 && c < 0xdc00 && w[i + 1] >= 0xdc00 && w[i + 1] < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (w[++i] - 0xdc00u);
		if (c < 0x80) {
			*p++ = (char)c;
			continue;
		}
		if (c < 0x800) {
			*p++ = (char)(0xc0 | c >> 6);
		} else {
			if (c < 0x10000) {
				*p++ = (char)(0xe0 | c >> 12);
			} else {
				*p++ = (char)(0xf0 | c >> 18);
				*p++ = (char)(0x80 | (c >> 12 & 63));
			}
			*p++ = (char)(0x80 | (c >> 6 & 63));
		}
		*p++ = (char)(0x80 | (c & 63));
	}
	if (to)
		*p = 0;
	return to;
}

/* Bytes that are no UTF-8 become U+FFFD. */
static wchar_t *utf16_of(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	const size_t n = strlen(text);
	wchar_t *to = n < SIZE_MAX / 4 ? malloc((n + 1) * sizeof *to) : NULL, *p = to;
	while (to && *s) {
		const int more = *s < 0x80 ? 0 : *s < 0xc2 ? -1 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : *s < 0xf5 ? 3 : -1;
		unsigned long c = more <= 0 ? *s : *s & (0x3fu >> more);
		int got = 0;
		while (got < more && (s[1 + got] & 0xc0) == 0x80)
			c = c << 6 | (s[1 + got++] & 0x3fu);
		if (got != more || c > 0x10ffff || (more == 2 && c < 0x800) || (more == 3 && c < 0x10000)) {
			*p++ = 0xfffd;
			s++;
			continue;
		}
		if (c < 0x10000) {
			*p++ = (wchar_t)c;
		} else {
			*p++ = (wchar_t)(0xd800 + ((c - 0x10000) >> 10));
			*p++ = (wchar_t)(0xdc00 + (c & 0x3ff));
		}
		s += 1 + more;
	}
	if (to)
		*p = 0;
	return to;
}

/* A path as the system takes it; `room` characters may be added to it.  malloc'd. */
static wchar_t *wide_path(const char *path, size_t room)
{
	wchar_t *w = utf16_of(path);
	if (!w || wcslen(w) + room < 240)
		return w;
	const DWORD need = GetFullPathNameW(w, 0, NULL, NULL);
	wchar_t *full = need ? malloc(((size_t)need + 16) * sizeof *full) : NULL;
	if (!full) {
		free(w);
		return NULL;
	}
	wchar_t *at = full + 8;
	const DWORD n = GetFullPathNameW(w, need, at, NULL);
	free(w);
	if (!n || n >= need) {
		free(full);
		return NULL;
	}
	if (!wcsncmp(at, L"\\\\?\\", 4) || !wcsncmp(at, L"\\\\.\\", 4))
		memmove(full, at, (n + 1) * sizeof *full);
	else if (!wcsncmp(at, L"\\\\", 2))
		memcpy(full, L"\\\\?\\UNC", 7 * sizeof *full), memmove(full + 7, at + 1, n * sizeof *full);
	else
		memcpy(full, L"\\\\?\\", 4 * sizeof *full), memmove(full + 4, at, (n + 1) * sizeof *full);
	return full;
}

/* ---- start: arguments and console ---- */

struct startup { int newmode; };
__declspec(dllimport) int __cdecl __wgetmainargs(int *argc, wchar_t ***argv, wchar_t ***env, int wildcards,
						 struct startup *startup);

static int is_console[3];		/* of descriptors 0 to 2 */
static HANDLE console, console_read, console_thread;

/* What the pipe brings, in whole characters, to the console. */
static DWORD WINAPI write_console(void *arg)
{
	static char buffer[4096];
	static wchar_t wide[4096];
	DWORD kept = 0, n;
	(void)arg;
	while (ReadFile(console_read, buffer + kept, sizeof buffer - kept, &n, NULL) && n) {
		DWORD have = kept + n, whole = have, back = 0, done = 0;
		while (back < 3 && back < have && ((unsigned char)buffer[have - 1 - back] & 0xc0) == 0x80)
			back++;
		if (back < have) {
			const unsigned char first = (unsigned char)buffer[have - 1 - back];
			const DWORD length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
			if (length > back + 1)
				whole = have - 1 - back;
		}
		const int units = whole ? MultiByteToWideChar(CP_UTF8, 0, buffer, (int)whole, wide, 4096) : 0;
		while (units > 0 && done < (DWORD)units) {
			DWORD w = 0;
			if (!WriteConsoleW(console, wide + done, (DWORD)units - done, &w, NULL) || !w)
				break;
			done += w;
		}
		kept = have - whole;
		memmove(buffer, buffer + whole, kept);
	}
	return 0;
}

static void end_console(void)
{
	fflush(NULL);
	for (int fd = 1; fd < 3; fd++)
		if (is_console[fd])
			_close(fd);
	WaitForSingleObject(console_thread, 10000);
}

/* If anything fails, the bytes go to the console as they are. */
static void start_console(void)
{
	HANDLE write_end = NULL, at = INVALID_HANDLE_VALUE;
	for (int fd = 2; fd >= 0; fd--) {
		const HANDLE h = (HANDLE)_get_osfhandle(fd);
		DWORD mode;
		is_console[fd] = h != INVALID_HANDLE_VALUE && GetConsoleMode(h, &mode);
		if (is_console[fd] && fd)
			at = h;
	}
	/* descriptor 1 or 2 is taken over below, so the console needs a handle of its own */
	if (at == INVALID_HANDLE_VALUE || !DuplicateHandle(GetCurrentProcess(), at, GetCurrentProcess(), &console, 0,
							   FALSE, DUPLICATE_SAME_ACCESS))
		return;
	if (!CreatePipe(&console_read, &write_end, NULL, 4096))
		return;
	console_thread = CreateThread(NULL, 0, write_console, NULL, 0, NULL);
	const int pipe = console_thread ? _open_osfhandle((intptr_t)write_end, _O_BINARY) : -1;
	if (pipe < 0)
		return;
	for (int fd = 1; fd < 3; fd++)
		if (is_console[fd])
			_dup2(pipe, fd);
	_close(pipe);
	atexit(end_console);
}

/* Arguments in UTF-8, wildcards expanded, which Windows leaves to programs; no newline translation. */
void app_start(int *argc, char ***argv)
{
	struct startup startup = { 0 };
	wchar_t **wide = NULL, **env = NULL;
	int n = 0;
	if (!__wgetmainargs(&n, &wide, &env, 1, &startup) && n > 0) {
		char **list = calloc((size_t)n + 1, sizeof *list);
		int k = 0;
		while (list && k < n && (list[k] = utf8_of(wide[k])) != NULL)
			k++;
		if (list && k == n) {
			*argc = n;
			*argv = list;
		}
	}
	_setmode(0, _O_BINARY);
	_setmode(1, _O_BINARY);
	_setmode(2, _O_BINARY);
	start_console();
}

int app_is_terminal(FILE *f)
{
	const int fd = _fileno(f);
	return fd >= 0 && fd < 3 && is_console[fd];
}

/* ---- files and folders ---- */

FILE *app_open(const char *path, const char *mode)
{
	wchar_t *w = wide_path(path, 0);
	FILE *f = NULL;
	if (w)
		f = _wfopen(w, *mode == 'r' ? L"rb" : L"wb");
	else
		errno = ENOMEM;
	free(w);
	return f;
}

int app_try_map(const char *path, struct app_file *f, char *err)
{
	wchar_t *w = wide_path(path, 0);
	const HANDLE h = w ? CreateFileW(w, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL,
					 NULL) : INVALID_HANDLE_VALUE;
	LARGE_INTEGER size;
	(void)err;
	free(w);
	if (h == INVALID_HANDLE_VALUE)
		return 0;	/* reading it says why */
	if (GetFileSizeEx(h, &size) && size.QuadPart > 0) {
		const HANDLE map = CreateFileMappingW(h, NULL, PAGE_READONLY, 0, 0, NULL);
		if (map) {
			f->data = MapViewOfFile(map, FILE_MAP_READ, 0, 0, 0);
			f->mapped = f->data != NULL;
			f->size = f->mapped ? size.QuadPart : 0;
			CloseHandle(map);
		}
	}
	CloseHandle(h);
	return f->mapped;
}

void app_unmap(struct app_file *f)
{
	UnmapViewOfFile(f->data);
}

void app_large_pages(void *p, int64_t bytes)
{
	(void)p, (void)bytes;		/* a privilege there */
}

int app_make_dir(const char *path, char *err)
{
	wchar_t *w = wide_path(path, 0);
	const int made = w && CreateDirectoryW(w, NULL);
	const DWORD why = GetLastError();
	free(w);
	if (made || (why == ERROR_ALREADY_EXISTS && app_is_dir(path)))
		return 0;
	return app_fail(err, "folder %.150s cannot be made: %s", path, why == ERROR_ALREADY_EXISTS ? "a file is there" :
			why == ERROR_PATH_NOT_FOUND ? "no such folder above it" : why == ERROR_ACCESS_DENIED ?
			"permission denied" : "Windows refused");
}

int app_is_dir(const char *path)
{
	wchar_t *w = wide_path(path, 0);
	const DWORD a = w ? GetFileAttributesW(w) : INVALID_FILE_ATTRIBUTES;
	free(w);
	return a != INVALID_FILE_ATTRIBUTES && a & FILE_ATTRIBUTE_DIRECTORY;
}

int app_is_slash(char c)
{
	return c == '/' || c == '\\' || c == ':';
}

int app_read_dir(const char *path, struct app_names *l, char *err)
{
	WIN32_FIND_DATAW entry;
	const size_t n = strlen(path);
	wchar_t *w = wide_path(path, 2), *pattern = w ? malloc((wcslen(w) + 3) * sizeof *w) : NULL;
	int failed = 0;
	if (!pattern) {
		free(w);
		return app_fail(err, "not enough memory");
	}
	wcscpy(pattern, w);
	wcscat(pattern, n && app_is_slash(path[n - 1]) ? L"*" : L"\\*");
	free(w);
	const HANDLE h = FindFirstFileW(pattern, &entry);
	free(pattern);
	if (h == INVALID_HANDLE_VALUE)
		return app_fail(err, "cannot be listed: %s", GetLastError() == ERROR_ACCESS_DENIED ?
				"permission denied" : "no such folder");
	do {
		char *name = utf8_of(entry.cFileName);
		failed = !name || app_add_name(l, name);
		free(name);
	} while (!failed && FindNextFileW(h, &entry));
	const DWORD why = GetLastError();
	FindClose(h);
	if (failed)
		return app_fail(err, "not enough memory");
	return why == ERROR_NO_MORE_FILES ? 0 : app_fail(err, "cannot be listed to its end");
}

/* A file is looked for beside the program itself, wherever the program was started from. */
char *app_beside_program(const char *argv0, const char *name)
{
	wchar_t *self = malloc(32768 * sizeof *self);
	const DWORD n = self ? GetModuleFileNameW(NULL, self, 32768) : 0;
	char *from = n && n < 32768 ? utf8_of(self) : NULL;
	free(self);
	const char *path = from ? from : argv0 ? argv0 : "";
	size_t folder = strlen(path);
	while (folder && !app_is_slash(path[folder - 1]))
		folder--;
	char *to = malloc(folder + strlen(name) + 1);
	if (to) {
		memcpy(to, path, folder);
		strcpy(to + folder, name);
	}
	free(from);
	return to;
}

double app_seconds(void)
{
	LARGE_INTEGER now, rate;
	QueryPerformanceCounter(&now);
	QueryPerformanceFrequency(&rate);
	return (double)now.QuadPart / (double)rate.QuadPart;
}
#endif
