/*
 * emit_files.c - weights, Makefile, the runtime's files that the model needs; and the folder itself.
 */
#include "emit/emit.h"

#include "core/runtime_text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

void emit_add(struct emission *e, const char *path, const char *data, size_t n)
{
	struct out_file *f = vec_push(e->c, e->files);
	f->path = path;
	f->data = data;
	f->n = n;
}

void emit_add_text(struct emission *e, const char *path, const struct text *t)
{
	emit_add(e, path, t->s, t->n);
}

/* ---- weights --------------------------------------------------------------------------------- */

/* n elements of `size` bytes, the order of the bytes of each turned round. */
static void swap_elements(unsigned char *p, size_t n, size_t size)
{
	for (size_t i = 0; i < n; i++, p += size)
		for (size_t k = 0; k < size / 2; k++) {
			const unsigned char b = p[k];
			p[k] = p[size - 1 - k];
			p[size - 1 - k] = b;
		}
}

/* Header (magic, digest of the rest), then each constant at its place, in the target's byte order. */
void emit_weights(struct emission *e)
{
	struct ctx *c = e->c;
	const char *name = e->o->name;
	const size_t n = (size_t)e->p->weights_bytes;
	unsigned char *blob = mem_alloc(c, n);
	for (int i = 0; i < vec_len(e->p->weights); i++) {
		const struct value *v = e->p->weights[i];
		unsigned char *at = blob + e->p->place[v->id].offset;
		if (!v->data->n)
			continue;
		memcpy(at, v->data->data, (size_t)tensor_bytes(v->data));
		if (e->o->target->big_endian != HOST_BIG_ENDIAN)
			swap_elements(at, (size_t)v->data->n, (size_t)dtype_size(v->data->dtype));
	}
	memcpy(blob, "AMPOULE\1", 8);
	e->body_sha256 = sha256_hex(c, blob + AMP_ALIGN, n - AMP_ALIGN);
	for (int i = 0; i < 32; i++) {
		const char byte[3] = { e->body_sha256[2 * i], e->body_sha256[2 * i + 1], 0 };
		blob[16 + i] = (unsigned char)strtoul(byte, NULL, 16);
	}
	e->weights_sha256 = sha256_hex(c, blob, n);

	struct text t = { .c = c };
	const char *file = str_printf(c, "%s.weights", name);
	if (e->o->weights != WEIGHTS_ARRAY)
		emit_add(e, file, (const char *)blob, n);
	if (e->o->weights == WEIGHTS_EMBED && e->o->target->incbin) {
		text_printf(&t, "/* The weights of %s inside the binary: read only, page aligned. */\n"
			    "#if defined(__APPLE__)\n\t.section __TEXT,__const\n\t.globl _%s_weights\n"
			    "\t.balign 4096\n_%s_weights:\n#elif defined(_WIN32)\n\t.section .rdata,\"dr\"\n"
			    "\t.globl %s_weights\n\t.balign 4096\n%s_weights:\n"
			    "#elif defined(__wasm__)\n\t.section .rodata.%s_weights,\"\",@\n\t.globl %s_weights\n"
			    "\t.type %s_weights,@object\n\t.p2align 6\n%s_weights:\n#else\n"
			    "\t.section .rodata,\"a\"\n\t.globl %s_weights\n\t.balign 4096\n%s_weights:\n#endif\n"
			    "\t.incbin \"%s\"\n"
			    "#if defined(__wasm__)\n\t.size %s_weights, . - %s_weights\n#endif\n"
			    "#if defined(__ELF__)\n\t.section .note.GNU-stack,\"\",%%progbits\n#endif\n",
			    name, name, name, name, name, name, name, name, name, name, name, file, name, name);
		emit_add_text(e, str_printf(c, "%s_weights.S", name), &t);
	} else if (e->o->weights != WEIGHTS_FILE) {
		text_printf(&t, "/* The weights of %s, %zu bytes. */\n#include \"%s.h\"\n"
			    "_Alignas(AMP_ALIGN) const unsigned char %s_weights[%zu] = {", name, n, name, name, n);
		for (size_t i = 0; i < n; i++)
			text_printf(&t, "%s%u,", i % 32 ? "" : "\n", blob[i]);
		text_printf(&t, "\n};\n");
		emit_add_text(e, str_printf(c, "%s_weights.c", name), &t);
	}
}

/* ---- the runtime ------------------------------------------------------------------------------- */

static const struct runtime_file *find(const char *include)
{
	static const char *const roots[] = { "runtime/", "include/" };
	for (const struct runtime_file *f = runtime_files; f->path; f++)
		for (int i = 0; i < 2; i++)
			if (str_starts(f->path, roots[i]) && str_eq(f->path + strlen(roots[i]), include))
				return f;
	return NULL;
}

/* Adds every file that `text` includes by "...", and what those include; paths are from the root or beside. */
static void add_includes(struct emission *e, struct map *seen, const char *text, size_t n, const char *dir)
{
	struct ctx *c = e->c;
	const char *end = text + n;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = nl ? nl : end;
		const char *p = text;
		while (p < line_end && (*p == ' ' || *p == '\t' || *p == '#'))
			p++;
		if (p > text && line_end - p > 9 && memcmp(p, "include \"", 9) == 0) {
			const char *b = p + 9, *q = memchr(b, '"', (size_t)(line_end - b));
			if (q) {
				const char *inc = str_dup_n(c, b, (size_t)(q - b));
				const struct runtime_file *f = find(inc);
				if (!f)
					f = find(str_printf(c, "%s%s", dir, inc));
				if (f && !map_get(seen, f->path)) {
					const char *path = strchr(f->path, '/') + 1;
					const char *slash = strrchr(path, '/');
					map_put(c, seen, f->path, (void *)(uintptr_t)f);
					emit_add(e, path, f->begin, (size_t)(f->end - f->begin));
					add_includes(e, seen, f->begin, (size_t)(f->end - f->begin),
						     slash ? str_dup_n(c, path, (size_t)(slash - path) + 1) : "");
				}
			}
		}
		text = line_end + 1;
	}
}

void emit_runtime(struct emission *e, const char *model_c)
{
	struct map seen = { 0 };
	add_includes(e, &seen, model_c, strlen(model_c), "");
	const char *always = "#include \"ampoule_rt.h\"\n#include \"simd/cpu.h\"\n";
	add_includes(e, &seen, always, strlen(always), "");
	if (e->s->threads > 1) {
		always = "#include \"pool/pool.c\"\n";
		add_includes(e, &seen, always, strlen(always), "");
	}
	if (e->o->library)
		return;
	for (const struct runtime_file *f = runtime_files; f->path; f++) {
		const bool app = str_starts(f->path, "runtime/app/");
		if (!app && !str_starts(f->path, "third_party/"))
			continue;
		const size_t n = (size_t)(f->end - f->begin);
		const char *path = app ? f->path + strlen("runtime/") : f->path;
		if (str_eq(path, "app/THIRD_PARTY.txt"))
			path = "THIRD_PARTY.txt";
		if (map_get(&seen, f->path))
			continue;
		map_put(e->c, &seen, f->path, (void *)(uintptr_t)f);
		emit_add(e, path, f->begin, n);
		if (app)
			add_includes(e, &seen, f->begin, n, "app/");
	}
}

/* ---- Makefile ------------------------------------------------------------------------------------ */

void emit_makefile(struct emission *e)
{
	struct ctx *c = e->c;
	const char *n = e->o->name;
	const struct target *tg = e->o->target;
	const char *program = str_printf(c, "%s%s", n, tg->exe ? tg->exe : "");
	struct text t = { .c = c };
	text_printf(&t, "# Builds %s%s.  Emitted by Ampoule %s for target %s.\n"
		    "#   make            %s\n#   make lib%s.so   the model as a shared library\n"
		    "#   make CC=clang CFLAGS=-O2\n%s\n",
		    n, e->o->library ? " as a library" : ", a static classifier", e->o->version, tg->name,
		    e->o->library ? str_printf(c, "lib%s.a", n) : str_printf(c, "%s, the classifier", program), n,
		    e->o->library ? "" : "#   make DECODERS=0 without PNG, JPEG and TIFF (PNM, BMP and .npy stay)\n");
	text_printf(&t, "ifeq ($(origin CC),default)\nCC := %s\nendif\nCFLAGS ?= -O2\n", tg->cc ? tg->cc : "gcc");
	for (int i = 0; i < vec_len(tg->make); i++)
		text_printf(&t, "%s\n", tg->make[i]);
	text_printf(&t, "# off: the contract's bits do not depend on it, but no compiler needs to try\n"
		    "override CFLAGS += -std=c11 -Wall -Wextra -Werror -ffp-contract=off -fno-math-errno -fPIC -I.%s%s\n"
		    "override LDFLAGS += %s\n\n", tg->cflags ? " " : "", tg->cflags ? tg->cflags : "",
		    tg->ldflags ? tg->ldflags : "");
	text_printf(&t, "MODEL := %s.o", n);
	for (int i = 0; i < vec_len(tg->variants); i++)
		text_printf(&t, " %s_model_%s.o", n, tg->variants[i].name);
	if (e->o->weights != WEIGHTS_FILE)
		text_printf(&t, " %s_weights.o", n);
	const bool pool = e->s->threads > 1;
	if (pool)
		text_printf(&t, " pool.o");
	text_printf(&t, "\n\nall: %s%s\n\n", e->o->library ? "lib" : "", e->o->library ?
		    str_printf(c, "%s.a", n) : program);
	text_printf(&t, "lib%s.a: $(MODEL)\n\trm -f $@\n\t$(AR) rcs $@ $(MODEL)\n"
		    "lib%s.so: $(MODEL)\n\t$(CC) -shared $(LDFLAGS) -o $@ $(MODEL)%s\n\n", n, n, pool ? " $(POOL_FLAGS)" : "");
	if (pool)
		text_printf(&t, "# the pool's threads; nothing on Windows\nPOOL_FLAGS ?=%s\n"
			    "pool.o: pool/pool.c pool/team.h\n\t$(CC) $(CFLAGS) $(POOL_FLAGS) -c -o $@ pool/pool.c\n\n",
			    tg->exe ? "" : " -pthread");
	for (int i = 0; i < vec_len(tg->variants); i++)
		text_printf(&t, "%s_model_%s.o: %s_model.c %s.h\n\t$(CC) $(CFLAGS) %s -ffreestanding -D%s "
			    "-DAMP_VARIANT=%s -c -o $@ %s_model.c\n", n, tg->variants[i].name, n, n,
			    tg->variants[i].flags, tg->variants[i].macro, tg->variants[i].name, n);
	text_printf(&t, "%s.o: %s.c %s.h\n\t$(CC) $(CFLAGS) -ffreestanding -c -o $@ %s.c\n", n, n, n, n);
	if (e->o->weights == WEIGHTS_EMBED && tg->incbin)
		text_printf(&t, "%s_weights.o: %s_weights.S %s.weights\n\t$(CC) -c -o $@ %s_weights.S\n", n, n, n, n);
	else if (e->o->weights != WEIGHTS_FILE)
		text_printf(&t, "%s_weights.o: %s_weights.c\n\t$(CC) -O0 -std=c11 -fPIC -I. -c -o $@ %s_weights.c\n",
			    n, n, n);
	if (!e->o->library)
		text_printf(&t, "\n# app.mk: APP_OBJ, and how to compile app/ and third_party/\ninclude app/app.mk\n\n"
			    "%s_app.o: %s_app.c %s.h\n\t$(CC) $(CFLAGS) -c -o $@ %s_app.c\n"
			    "%s: $(APP_OBJ) %s_app.o lib%s.a\n\t$(CC) -static $(LDFLAGS) -o $@ $(APP_OBJ) %s_app.o "
			    "lib%s.a $(APP_LIBS)%s\n", n, n, n, n, program, n, n, n, n, pool ? " $(POOL_FLAGS)" : "");
	text_printf(&t, "\nclean:\n\trm -f *.o lib%s.a lib%s.so%s\n.PHONY: all clean\n", n, n,
		    e->o->library ? "" : str_printf(c, " %s $(APP_OBJ)", program));
	emit_add_text(e, "Makefile", &t);
}

/* ---- the folder ------------------------------------------------------------------------------------ */

bool remove_tree(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT;
	if (!S_ISDIR(st.st_mode))
		return unlink(path) == 0;
	DIR *d = opendir(path);
	bool ok = d != NULL;
	for (struct dirent *x; ok && (x = readdir(d)) != NULL;) {
		char sub[4096];
		if (str_eq(x->d_name, ".") || str_eq(x->d_name, ".."))
			continue;
		const int n = snprintf(sub, sizeof sub, "%s/%s", path, x->d_name);
		ok = n > 0 && (size_t)n < sizeof sub && remove_tree(sub);
	}
	if (d)
		closedir(d);
	return ok && rmdir(path) == 0;
}

/* 1: absent; 2: ours or empty, may be replaced; 0: somebody else's */
static int state_of(struct ctx *c, const char *dir)
{
	struct stat st;
	if (lstat(dir, &st) != 0)
		return 1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	FILE *f = fopen(str_printf(c, "%s/manifest.json", dir), "rb");
	if (f) {
		char head[64] = { 0 };
		const size_t n = fread(head, 1, sizeof head - 1, f);
		fclose(f);
		return n > 0 && strstr(head, "\"ampoule\"") ? 2 : 0;
	}
	DIR *d = opendir(dir);
	int entries = 0;
	while (d && readdir(d))
		entries++;
	if (d)
		closedir(d);
	return entries == 2 ? 2 : 0;
}

static bool make_parents(struct ctx *c, const char *root, const char *path)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		const char *d = str_printf(c, "%s/%.*s", root, (int)(p - path), path);
		if (mkdir(d, 0777) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

/* Files from the first-th on, under `dir`. */
static bool write_files(const struct emission *e, const char *dir, int first)
{
	struct ctx *c = e->c;
	for (int i = first; i < vec_len(e->files); i++) {
		const struct out_file *f = &e->files[i];
		if (!make_parents(c, dir, f->path)) {
			diag(c, SEV_ERROR, "emit", NULL, "cannot make the folder of %s: %s", f->path, strerror(errno));
			return false;
		}
		if (!file_write(c, str_printf(c, "%s/%s", dir, f->path), f->data, f->n))
			return false;
	}
	return true;
}

bool emit_write(struct emission *e, const char *dir_in)
{
	struct ctx *c = e->c;
	char *dir = str_dup(c, dir_in);
	for (size_t n = strlen(dir); n > 1 && dir[n - 1] == '/'; n--)
		dir[n - 1] = 0;
	const int state = state_of(c, dir);
	if (state == 0) {
		diag(c, SEV_ERROR, "emit", NULL, "%s exists and was not written by ampoule; name another folder "
		     "or remove it", dir);
		return false;
	}
	const char *tmp = str_printf(c, "%s.%ld.tmp", dir, (long)getpid());
	const char *old = str_printf(c, "%s.%ld.old", dir, (long)getpid());
	bool ok = mkdir(tmp, 0777) == 0;
	if (!ok)
		diag(c, SEV_ERROR, "emit", NULL, "cannot make the folder %s: %s", tmp, strerror(errno));
	const int n_files = vec_len(e->files);
	ok = ok && write_files(e, tmp, 0);
	ok = ok && (!e->finish || (e->finish(e, e->finish_arg, tmp) && write_files(e, tmp, n_files)));
	if (ok && state == 2 && rename(dir, old) != 0) {
		diag(c, SEV_ERROR, "emit", NULL, "cannot replace %s: %s", dir, strerror(errno));
		ok = false;
	}
	if (ok && rename(tmp, dir) != 0) {
		diag(c, SEV_ERROR, "emit", NULL, "cannot make %s: %s", dir, strerror(errno));
		if (state == 2)
			ok = rename(old, dir) == 0 && false;
		ok = false;
	}
	if (ok && state == 2 && !remove_tree(old))
		diag(c, SEV_WARNING, "emit", NULL, "cannot remove the former folder, now %s", old);
	if (!ok)
		remove_tree(tmp);
	return ok;
}
