/*
 * test_einsum.c - Einsum: any equation, by all three ways that the compiler has for it.
 *
 * In:  equations written here and random ones.  Each is evaluated as it is lowered by itself (one
 * strided product or the loop nest)
 *      and as it is expanded (Transpose, Reshape, MatMul), and by this file's own reading of the
 *      equation: a loop over all labels in float, the summed ones in order of first appearance, by
 *      fma.
 * Out: nonzero unless all bits agree; equations that are wrong must be refused.
 */
#include "eval/exec.h"
#include "ops/op.h"
#include "passes/passes.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static int bad, checks;
static uint64_t seed = 7;

static int64_t random_int(int64_t lo, int64_t hi)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return lo + (int64_t)((seed >> 33) % (uint64_t)(hi - lo + 1));
}

struct operand { const float *x; int rank; int64_t dim[8]; char labels[9]; };

/* '0'..'7' stand for the ellipsis' axes, counted from the last */
static void spell(const char *term, int rank, char *to)
{
	int letters = 0, n = 0;
	for (const char *s = term; *s; s++)
		letters += isalpha((unsigned char)*s) != 0;
	for (const char *s = term; *s; s++) {
		if (isalpha((unsigned char)*s)) {
			to[n++] = *s;
		} else {
			for (int k = rank - letters - 1; k >= 0; k--)
				to[n++] = (char)('0' + k);
			s += 2;
		}
	}
	to[n] = 0;
}

static float at(const struct operand *o, const int64_t *value)
{
	int64_t i = 0;
	for (int d = 0; d < o->rank; d++)
		i = i * o->dim[d] + (o->dim[d] == 1 ? 0 : value[(unsigned char)o->labels[d]]);
	return o->x[i];
}

/* All labels of `list`, last fastest; false after the last. */
static bool next(const char *list, const int64_t *size, int64_t *value)
{
	for (int d = (int)strlen(list) - 1; d >= 0; d--) {
		const unsigned char l = (unsigned char)list[d];
		if (++value[l] < size[l])
			return true;
		value[l] = 0;
	}
	return false;
}

static int64_t naive(const struct operand *o, int n, const char *out, const int64_t *size, float *y)
{
	char sum[64] = "";
	int64_t value[256] = { 0 }, count = 0;
	for (int k = 0; k < n; k++)
		for (const char *s = o[k].labels; *s; s++)
			if (!strchr(out, *s) && !strchr(sum, *s))
				sum[strlen(sum)] = *s;
	do {
		float s = 0;
		do {
			float v = at(&o[0], value);
			for (int k = 1; k < n - 1; k++)
				v *= at(&o[k], value);
			s = n == 1 ? s + v : fmaf(v, at(&o[n - 1], value), s);
		} while (next(sum, size, value));
		y[count++] = s + 0.0f;
	} while (next(out, size, value));
	return count;
}

static struct graph *build(struct ctx *c, const char *equation, const struct operand *o, int n, bool expand)
{
	struct graph *g = graph_new(c, "einsum");
	struct node *e = node_new(g, NULL, "", "Einsum", "e");
	for (int k = 0; k < n; k++) {
		const struct type t = type_tensor(DT_FLOAT, o[k].rank, o[k].dim);
		node_add_in(e, graph_add_input(g, str_printf(c, "x%d", k), &t));
	}
	attr_set_str(e, "equation", equation);
	graph_add_output(g, node_add_out(e, "y"));
	if (expand ? !pass_infer(g) : !e->op->infer(e))
		return NULL;
	return g;
}

struct job { const char *equation; struct operand o[8]; int n; const float *want; int64_t count; bool refused; };

static enum result run(struct ctx *c, void *arg)
{
	struct job *j = arg;
	const struct tensor *in[8];
	for (int k = 0; k < j->n; k++) {
		struct tensor *t = tensor_new(c, DT_FLOAT, j->o[k].rank, j->o[k].dim);
		if (t->n)
			memcpy(t->data, j->o[k].x, (size_t)t->n * sizeof(float));
		in[k] = t;
	}
	for (int way = 0; way < 2; way++) {
		struct graph *g = build(c, j->equation, j->o, j->n, way == 1);
		struct tensor *out[1];
		struct schedule *s = g ? make_schedule(g) : NULL;
		if (!s) {
			j->refused = true;
			return R_INPUT;
		}
		if (exec_run(c, s, in, out, NULL, NULL) != R_SUCCESS)
			return R_INPUT;
		checks++;
		if (out[0]->n != j->count ||
		    memcmp(out[0]->data, j->want, (size_t)j->count * sizeof(float)) != 0) {
			fprintf(stderr, "%s, %s: wrong\n", j->equation, way ? "expanded" : "by itself");
			bad++;
		}
	}
	return R_SUCCESS;
}

/* terms of the equation, with sizes for all labels; broadcast: some axes get size 1 */
static void test(const char *equation, const int64_t *sizes, const int *ranks, bool broadcast)
{
	static float x[8][4096], y[1 << 16];
	struct job j = { .equation = equation };
	char text[200], out[64], *arrow;
	int64_t size[256];
	memcpy(size, sizes, sizeof size);
	snprintf(text, sizeof text, "%s", equation);
	if ((arrow = strstr(text, "->")))
		*arrow = 0;
	int widest = 0;
	for (char *s = strtok(text, ","); s; s = strtok(NULL, ","), j.n++) {
		struct operand *o = &j.o[j.n];
		int letters = 0, dots = strstr(s, "...") != NULL;
		for (const char *p = s; *p; p++)
			letters += isalpha((unsigned char)*p) != 0;
		o->rank = letters + (dots ? ranks[j.n] : 0);
		widest = dots && ranks[j.n] > widest ? ranks[j.n] : widest;
		spell(s, o->rank, o->labels);
		int64_t n = 1;
		for (int d = 0; d < o->rank; d++) {
			o->dim[d] = broadcast && random_int(0, 4) == 0 ? 1 : size[(unsigned char)o->labels[d]];
			n *= o->dim[d];
		}
		for (int64_t i = 0; i < n && i < 4096; i++)
			x[j.n][i] = (float)random_int(-1000, 1000) / 512;
		o->x = x[j.n];
	}
	if (arrow) {
		spell(arrow + 2, widest + (int)strlen(arrow + 2) - (strstr(arrow + 2, "...") ? 3 : 0), out);
	} else {
		int n = 0;
		for (int k = widest - 1; k >= 0; k--)
			out[n++] = (char)('0' + k);
		for (int l = 'A'; l <= 'z'; l++) {
			int times = 0;
			for (int k = 0; k < j.n; k++)
				for (const char *s = j.o[k].labels; *s; s++)
					times += *s == l && isalpha(l);
			if (times == 1)
				out[n++] = (char)l;
		}
		out[n] = 0;
	}
	/* a label all of whose axes have size 1 has size 1 */
	for (int l = 0; l < 256; l++) {
		bool wide = false, used = false;
		for (int k = 0; k < j.n; k++)
			for (int d = 0; d < j.o[k].rank; d++)
				if ((unsigned char)j.o[k].labels[d] == l) {
					used = true;
					wide = wide || j.o[k].dim[d] != 1;
				}
		if (used && !wide)
			size[l] = 1;
	}
	j.count = naive(j.o, j.n, out, size, y);
	j.want = y;
	struct ctx *c = ctx_new();
	const enum result r = ctx_run(c, run, &j);
	if (r != R_SUCCESS) {
		fprintf(stderr, "%s: refused\n", equation);
		diag_print(c, stderr);
		bad++;
	}
	ctx_free(c);
}

static void refused(const char *equation, int rank, int n)
{
	struct job j = { .equation = equation, .n = n };
	static const float x[64];
	for (int k = 0; k < n; k++) {
		j.o[k].x = x;
		j.o[k].rank = rank;
		for (int d = 0; d < rank; d++)
			j.o[k].dim[d] = 2 + d;
	}
	struct ctx *c = ctx_new();
	const enum result r = ctx_run(c, run, &j);
	checks++;
	if (r == R_SUCCESS || !j.refused || !c->n_errors) {
		fprintf(stderr, "\"%s\" was not refused\n", equation);
		bad++;
	}
	ctx_free(c);
}

int main(void)
{
	static const char *const equations[] = {
		"ij,jk->ik", "ij,kj->ik", "ij,jk", "bij,bjk->bik", "bhid,bhjd->bhij", "bhij,bhjd->bihd", "i,i->", "i,j->ij",
		"ij->ji", "ij->i", "ij->", "ii->i", "ii->", "ii", "iij->ji", "i,i->i", "ij,ij->ij", "ijk,ilm,njm->lkn",
		"bhwc,hwcd->bd", "abc,cd->abd", "abcd,cdef->abef", "abcd,dcfe->abef", "ab,b,a->", "a,ab,abc,abcd->d",
		"...ij,...jk->...ik", "...i->...", "...ii->...i", "i...,i...->...", "ij...,jk->ik...", "...,...->...",
		"...a,b->ab...", "...", "aij,akj->aik", "xqc,ckh->xhqk", "Ab,bA->", "zyx,xa", "ab,cd->acbd", "ab,cd->",
		"bchw,bc->bhw", "bthd,tr->bhrd", "ab,ab,ab->ba", "abc->cab", "a,a,a,a->a",
	};
	int64_t sizes[256];
	int ranks[8] = { 2, 2, 1 };
	for (int round = 0; round < 4; round++)
		for (size_t i = 0; i < sizeof equations / sizeof equations[0]; i++) {
			for (int l = 0; l < 256; l++)
				sizes[l] = random_int(1, 4);
			ranks[0] = (int)random_int(0, 2);
			ranks[1] = (int)random_int(0, 2);
			test(equations[i], sizes, ranks, round % 2);
		}
	/* random equations of two operands */
	for (int i = 0; i < 300; i++) {
		char eq[32] = "", used[8] = "";
		int n = 0;
		for (int l = 0; l < 256; l++)
			sizes[l] = random_int(1, 3);
		for (int k = 0; k < 2; k++) {
			const int rank = (int)random_int(0, 4);
			for (int d = 0; d < rank; d++) {
				eq[n++] = (char)('a' + random_int(0, 4));
				if (!strchr(used, eq[n - 1]))
					used[strlen(used)] = eq[n - 1];
			}
			eq[n++] = k ? '-' : ',';
		}
		eq[n++] = '>';
		for (const char *s = used; *s; s++)
			if (random_int(0, 1))
				eq[n++] = *s;
		if (eq[0] == ',' || strstr(eq, ",-"))	/* scalars: strtok above would skip them */
			continue;
		test(eq, sizes, ranks, i % 3 == 0);
	}
	refused("ij,jk->il", 2, 2);
	refused("ij->ii", 2, 1);
	refused("ij,jk", 3, 2);
	refused("ij", 2, 2);
	refused("i+j->i", 2, 1);
	refused("i..j->i", 2, 1);
	refused("......->", 2, 1);
	refused("ij,ji->", 2, 2);
	printf("test_einsum: %d checks, %d failed\n", checks, bad);
	return bad || checks < 500;
}
