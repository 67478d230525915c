/*
 * Movement operators through their own lowering and kernels, against definitions written out here element by
 * element: random shapes, negative steps and axes, empty tensors, every element size; views where the data lies
 * right; indices outside their axis are an error and nothing outside is read.
 */
#include <CUnit/Basic.h>
#include <string.h>

#include "eval/exec.h"
#include "ops/op.h"
#include "passes/passes.h"

static struct ctx *c;
static uint32_t seed = 1;

static int64_t pick(int64_t low, int64_t high)
{
	seed = seed * 1664525u + 1013904223u;
	return low + (int64_t)((seed >> 8) % (uint32_t)(high - low + 1));
}

/* a graph of one node: operands, constants among them, are added by the caller */
struct one {
	struct graph *g;
	struct node *n;
	const struct tensor *in[4];
	int n_in;
};

static struct one start(const char *op)
{
	struct one o = { .g = graph_new(c, "t") };
	o.n = node_new(o.g, NULL, "", op, "n");
	o.n->version = o.n->op->since;
	return o;
}

static void input(struct one *o, const struct tensor *t)
{
	const struct type ty = type_tensor(t->dtype, t->rank, t->dim);
	node_add_in(o->n, graph_add_input(o->g, str_printf(c, "x%d", o->n_in), &ty));
	o->in[o->n_in++] = t;
}

static void ints(struct one *o, const int64_t *v, int n)
{
	node_add_in(o->n, value_const(o->g, "", tensor_ints(c, v, n)));
}

/* The result, or NULL; the step that made it in *step. */
static const struct tensor *run(struct one *o, const struct step **step)
{
	struct value *y = node_add_out(o->n, "y");
	graph_add_output(o->g, y);
	const int before = c->n_errors;
	struct tensor *out[4] = { NULL };
	if (!node_infer(o->n) || c->n_errors > before)
		return NULL;
	struct schedule *s = make_schedule(o->g);
	if (!s)
		return NULL;
	if (step)
		*step = s->steps[0];
	return exec_run(c, s, o->in, out, NULL, NULL) == R_SUCCESS ? out[0] : NULL;
}

static struct tensor *counting(enum dtype t, int rank, const int64_t *dim)
{
	struct tensor *x = tensor_new(c, t, rank, dim);
	for (int64_t i = 0; i < x->n; i++)
		switch (dtype_size(t)) {
		case 1: ((uint8_t *)x->data)[i] = (uint8_t)i; break;
		case 2: ((uint16_t *)x->data)[i] = (uint16_t)(i * 7); break;
		case 4: ((uint32_t *)x->data)[i] = (uint32_t)(i * 1001); break;
		default: ((uint64_t *)x->data)[i] = (uint64_t)i << 33 | (uint64_t)i; break;
		}
	return x;
}

static bool same(const struct tensor *a, int64_t i, const struct tensor *b, int64_t j)
{
	const size_t n = (size_t)dtype_size(a->dtype);
	return memcmp((const char *)a->data + (size_t)i * n, (const char *)b->data + (size_t)j * n, n) == 0;
}

/* Digits of i in a shape. */
static void digits(int64_t i, int rank, const int64_t *dim, int64_t *x)
{
	for (int d = rank - 1; d >= 0; d--) {
		x[d] = i % dim[d];
		i /= dim[d];
	}
}

static int64_t offset(int rank, const int64_t *dim, const int64_t *x)
{
	int64_t i = 0;
	for (int d = 0; d < rank; d++)
		i = i * dim[d] + x[d];
	return i;
}

static const enum dtype sizes[] = { DT_UINT8, DT_UINT16, DT_FLOAT, DT_INT64 };

static int shape(int64_t *dim, int most)
{
	const int rank = (int)pick(1, most);
	for (int d = 0; d < rank; d++)
		dim[d] = pick(1, 5);
	return rank;
}

static void test_transpose(void)
{
	for (int k = 0; k < 200; k++) {
		int64_t dim[8], perm[8], x[8], y[8];
		const int rank = shape(dim, 6);
		for (int d = 0; d < rank; d++)
			perm[d] = d;
		for (int d = rank - 1; d > 0; d--) {
			const int j = (int)pick(0, d);
			const int64_t t = perm[d];
			perm[d] = perm[j];
			perm[j] = t;
		}
		const struct tensor *a = counting(sizes[k % 4], rank, dim), *b;
		struct one o = start("Transpose");
		input(&o, a);
		attr_set_ints(o.n, "perm", perm, rank);
		b = run(&o, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(b);
		for (int64_t i = 0; i < b->n; i++) {
			digits(i, rank, b->dim, y);
			for (int d = 0; d < rank; d++)
				x[perm[d]] = y[d];
			if (!same(b, i, a, offset(rank, dim, x))) {
				CU_FAIL("Transpose");
				break;
			}
		}
	}
	/* axes of size 1 that move are a view */
	struct one o = start("Transpose");
	const int64_t dim[] = { 3, 1, 4 }, perm[] = { 1, 0, 2 };
	const struct step *s = NULL;
	input(&o, counting(DT_FLOAT, 3, dim));
	attr_set_ints(o.n, "perm", perm, 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(run(&o, &s));
	CU_ASSERT_EQUAL(s->view, VIEW_OF_IN);
}

static void test_slice(void)
{
	for (int k = 0; k < 400; k++) {
		int64_t dim[8], from[8], to[8], axes[8], by[8], y[8];
		int64_t first[8], count[8];
		const int rank = shape(dim, 4);
		for (int d = 0; d < rank; d++) {
			from[d] = pick(-7, 7);
			to[d] = pick(-7, 7);
			by[d] = pick(1, 3) * (pick(0, 1) ? 1 : -1);
			axes[d] = pick(0, 1) ? d : d - rank;
			/* Python's rule */
			const int64_t n = dim[d], low = by[d] > 0 ? 0 : -1, high = by[d] > 0 ? n : n - 1;
			int64_t a = from[d] < 0 ? from[d] + n : from[d], b = to[d] < 0 ? to[d] + n : to[d];
			a = a < low ? low : a > high ? high : a;
			b = b < low ? low : b > high ? high : b;
			first[d] = a;
			count[d] = 0;
			for (int64_t i = a; by[d] > 0 ? i < b : i > b; i += by[d])
				count[d]++;
		}
		const struct tensor *a = counting(sizes[k % 4], rank, dim), *b;
		struct one o = start("Slice");
		input(&o, a);
		ints(&o, from, rank);
		ints(&o, to, rank);
		ints(&o, axes, rank);
		ints(&o, by, rank);
		b = run(&o, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(b);
		CU_ASSERT_EQUAL_FATAL(memcmp(b->dim, count, (size_t)rank * sizeof *count), 0);
		for (int64_t i = 0; i < b->n; i++) {
			digits(i, rank, b->dim, y);
			for (int d = 0; d < rank; d++)
				y[d] = first[d] + y[d] * by[d];
			if (!same(b, i, a, offset(rank, dim, y))) {
				CU_FAIL("Slice");
				break;
			}
		}
	}
	/* the extremes do not overflow; one run is a view at its offset */
	const int64_t dim[] = { 5, 3 }, from[] = { 1 }, to[] = { INT64_MAX }, axis[] = { 0 }, by[] = { 1 };
	const struct step *s = NULL;
	struct one o = start("Slice");
	input(&o, counting(DT_FLOAT, 2, dim));
	ints(&o, from, 1);
	ints(&o, to, 1);
	ints(&o, axis, 1);
	ints(&o, by, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(run(&o, &s));
	CU_ASSERT_EQUAL_FATAL(s->view, VIEW_OF_IN);
	CU_ASSERT_EQUAL(s->view_offset[0], 12);
	const int64_t far[] = { INT64_MAX }, back[] = { INT64_MIN + 1 };
	o = start("Slice");
	input(&o, counting(DT_FLOAT, 2, dim));
	ints(&o, far, 1);
	ints(&o, back, 1);
	ints(&o, axis, 1);
	ints(&o, back, 1);
	const struct tensor *b = run(&o, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_EQUAL(b->dim[0], 1);
}

static void test_concat_split(void)
{
	for (int k = 0; k < 200; k++) {
		int64_t dim[8], part[3][8], y[8];
		const int rank = shape(dim, 4), axis = (int)pick(0, rank - 1);
		struct one o = start("Concat");
		const struct tensor *a[3], *b;
		for (int j = 0; j < 3; j++) {
			memcpy(part[j], dim, sizeof dim);
			part[j][axis] = pick(0, 4);
			a[j] = counting(sizes[k % 4], rank, part[j]);
			input(&o, a[j]);
		}
		attr_set_int(o.n, "axis", pick(0, 1) ? axis : axis - rank);
		b = run(&o, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(b);
		for (int64_t i = 0; i < b->n; i++) {
			int j = 0;
			digits(i, rank, b->dim, y);
			for (; y[axis] >= part[j][axis]; j++)
				y[axis] -= part[j][axis];
			if (!same(b, i, a[j], offset(rank, part[j], y))) {
				CU_FAIL("Concat");
				break;
			}
		}
		/* cut at the same places: the first part comes back */
		struct one p = start("Split");
		const int64_t cut[] = { part[0][axis], part[1][axis] + part[2][axis] };
		input(&p, b);
		ints(&p, cut, 2);
		attr_set_int(p.n, "axis", axis);
		struct value *first = node_add_out(p.n, "first");
		(void)first;
		const struct tensor *back = run(&p, NULL);	/* output "y": the second part */
		CU_ASSERT_PTR_NOT_NULL_FATAL(back);
		for (int64_t i = 0; i < back->n; i++) {
			int j = 1;
			digits(i, rank, back->dim, y);
			if (y[axis] >= part[1][axis])
				y[axis] -= part[j++][axis];
			if (!same(back, i, a[j], offset(rank, part[j], y))) {
				CU_FAIL("Split");
				break;
			}
		}
	}
}

static void test_pad(void)
{
	static const char *const modes[] = { "constant", "reflect", "edge", "wrap" };
	for (int k = 0; k < 400; k++) {
		int64_t dim[8], pads[16], y[8];
		const int rank = shape(dim, 4), mode = (int)pick(0, 3);
		for (int d = 0; d < rank; d++) {
			pads[d] = pick(mode ? 0 : -1, 4);
			pads[rank + d] = pick(mode ? 0 : -1, 4);
			if (dim[d] + pads[d] + pads[rank + d] < 0)
				pads[d] = 1;
		}
		const struct tensor *a = counting(sizes[k % 4], rank, dim), *b;
		const struct tensor *zero = tensor_new(c, a->dtype, 1, &(int64_t){ 1 });
		struct one o = start("Pad");
		input(&o, a);
		ints(&o, pads, 2 * rank);
		attr_set_str(o.n, "mode", modes[mode]);
		b = run(&o, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(b);
		for (int64_t i = 0; i < b->n; i++) {
			bool outside = false;
			digits(i, rank, b->dim, y);
			for (int d = 0; d < rank; d++) {
				y[d] -= pads[d];
				const int64_t n = dim[d];
				/* step by step, as the standard's examples show */
				while (y[d] < 0 || y[d] >= n) {
					if (mode == 0) {
						outside = true;
						y[d] = 0;
					} else if (mode == 1) {
						y[d] = n == 1 ? 0 : y[d] < 0 ? -y[d] : 2 * (n - 1) - y[d];
					} else if (mode == 2) {
						y[d] = y[d] < 0 ? 0 : n - 1;
					} else {
						y[d] += y[d] < 0 ? n : -n;
					}
				}
			}
			if (outside ? !same(b, i, zero, 0) : !same(b, i, a, offset(rank, dim, y))) {
				CU_FAIL(modes[mode]);
				break;
			}
		}
	}
}

static struct tensor *indices(enum dtype t, int rank, const int64_t *dim, int64_t n)
{
	struct tensor *x = tensor_new(c, t, rank, dim);
	for (int64_t i = 0; i < x->n; i++)
		if (t == DT_INT64)
			((int64_t *)x->data)[i] = pick(-n, n - 1);
		else
			((int32_t *)x->data)[i] = (int32_t)pick(-n, n - 1);
	return x;
}

static void test_gather(void)
{
	for (int k = 0; k < 200; k++) {
		int64_t dim[8], e[8], y[16], x[8];
		const int rank = shape(dim, 4), axis = (int)pick(0, rank - 1), r = (int)pick(0, 2);
		for (int d = 0; d < r; d++)
			e[d] = pick(1, 4);
		const struct tensor *a = counting(sizes[k % 4], rank, dim), *b;
		const struct tensor *i = indices(k % 2 ? DT_INT64 : DT_INT32, r, e, dim[axis]);
		struct one o = start("Gather");
		input(&o, a);
		if (k % 3)
			input(&o, i);
		else
			node_add_in(o.n, value_const(o.g, "", i));
		attr_set_int(o.n, "axis", axis);
		b = run(&o, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(b);
		CU_ASSERT_EQUAL_FATAL(b->rank, rank - 1 + r);
		for (int64_t j = 0; j < b->n; j++) {
			digits(j, b->rank, b->dim, y);
			for (int d = 0; d < rank; d++)
				x[d] = d < axis ? y[d] : d > axis ? y[d - 1 + r] : 0;
			const int64_t at = tensor_get_i(i, offset(r, e, y + axis));
			x[axis] = at < 0 ? at + dim[axis] : at;
			if (!same(b, j, a, offset(rank, dim, x))) {
				CU_FAIL("Gather");
				break;
			}
		}
	}
	/* along an axis by elements, and scattered back by addition */
	const int64_t dim[] = { 3, 4 }, e[] = { 2, 4 };
	const struct tensor *a = counting(DT_INT64, 2, dim), *i = indices(DT_INT64, 2, e, 3);
	struct one o = start("GatherElements");
	input(&o, a);
	input(&o, i);
	const struct tensor *b = run(&o, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	for (int64_t j = 0; j < b->n; j++) {
		const int64_t at = (tensor_get_i(i, j) + 3) % 3;
		CU_ASSERT_TRUE(same(b, j, a, at * 4 + j % 4));
	}
	struct one s = start("ScatterElements");
	input(&s, a);
	input(&s, i);
	input(&s, b);
	attr_set_str(s.n, "reduction", "add");
	const struct tensor *sum = run(&s, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sum);
	int64_t want[12];
	memcpy(want, a->data, sizeof want);
	for (int64_t j = 0; j < 8; j++)
		want[(tensor_get_i(i, j) + 3) % 3 * 4 + j % 4] += tensor_get_i(b, j);
	CU_ASSERT_EQUAL(memcmp(sum->data, want, sizeof want), 0);
}

/* An index outside: an error from the run; a sanitizer sees that nothing outside was touched. */
static void test_outside(void)
{
	static const int64_t bad[] = { 3, -4, INT64_MAX, INT64_MIN };
	static const char *const ops[] = { "Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND" };
	for (int k = 0; k < 5; k++)
		for (int j = 0; j < 4; j++) {
			const int64_t dim[] = { 3 }, e[] = { 2, 1 };
			struct tensor *i = tensor_new(c, DT_INT64, k == 2 || k == 4 ? 2 : 1, e);
			((int64_t *)i->data)[1] = bad[j];
			struct one o = start(ops[k]);
			input(&o, counting(DT_FLOAT, 1, dim));
			input(&o, i);
			if (k >= 3)
				input(&o, counting(DT_FLOAT, 1, e));
			CU_ASSERT_PTR_NULL(run(&o, NULL));
		}
	/* a constant one is found before anything runs */
	const int64_t dim[] = { 3 }, three[] = { 3 };
	struct one o = start("Gather");
	input(&o, counting(DT_FLOAT, 1, dim));
	ints(&o, three, 1);
	CU_ASSERT_PTR_NULL(run(&o, NULL));
}

/* What does not fit is refused with a message. */
static void test_refused(void)
{
	static const struct { const char *op; int64_t second[4]; int n; } bad[] = {
		{ "Reshape", { 7 }, 1 }, { "Reshape", { -1, -1 }, 2 }, { "Reshape", { 5, -1 }, 2 },
		{ "Reshape", { INT64_MAX, INT64_MAX, 2 }, 3 }, { "Reshape", { -2, 3 }, 2 },
		{ "Expand", { -1 }, 1 }, { "Expand", { 5 }, 1 }, { "Tile", { -1, 1 }, 2 }, { "Tile", { 1 }, 1 },
		{ "Tile", { INT64_MAX, INT64_MAX }, 2 }, { "Pad", { 1 }, 1 }, { "Pad", { -9, 0, 0, 0 }, 4 },
		{ "Pad", { INT64_MAX, 0, INT64_MAX, 0 }, 4 }, { "Squeeze", { 0 }, 1 }, { "Squeeze", { 7 }, 1 },
		{ "Unsqueeze", { 0, 0 }, 2 }, { "Unsqueeze", { 9 }, 1 }, { "Split", { 1, 1 }, 2 },
		{ "Split", { -1, 4 }, 2 }, { "Gather", { 3 }, 1 }, { "CenterCropPad", { -1, 2 }, 2 }
	};
	const int64_t dim[] = { 3, 4 };
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		const int before = c->n_errors;
		struct one o = start(bad[k].op);
		input(&o, counting(DT_FLOAT, 2, dim));
		ints(&o, bad[k].second, bad[k].n);
		if (strcmp(bad[k].op, "Split") == 0)
			node_add_out(o.n, "z");
		if (run(&o, NULL) || c->n_errors == before)
			CU_FAIL(bad[k].op);
	}
}

static void test_many_axes(void)
{
	/* twelve axes that join to few are fine; ten that do not are an error, no crash */
	int64_t dim[12], perm[12];
	for (int d = 0; d < 12; d++) {
		dim[d] = 2;
		perm[d] = d < 6 ? d + 6 : d - 6;
	}
	struct one o = start("Transpose");
	const struct tensor *a = counting(DT_UINT8, 12, dim), *b;
	input(&o, a);
	attr_set_ints(o.n, "perm", perm, 12);
	b = run(&o, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	for (int64_t i = 0; i < b->n; i++)
		if (!same(b, i, a, i % 64 * 64 + i / 64)) {
			CU_FAIL("12 axes");
			break;
		}
	for (int d = 0; d < 10; d++)
		perm[d] = 9 - d;
	o = start("Transpose");
	input(&o, counting(DT_UINT8, 10, dim));
	attr_set_ints(o.n, "perm", perm, 10);
	CU_ASSERT_PTR_NULL(run(&o, NULL));
}

int main(void)
{
	c = ctx_new();
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("movement", NULL, NULL);
	CU_add_test(s, "Transpose", test_transpose);
	CU_add_test(s, "Slice", test_slice);
	CU_add_test(s, "Concat, Split", test_concat_split);
	CU_add_test(s, "Pad", test_pad);
	CU_add_test(s, "Gather, Scatter", test_gather);
	CU_add_test(s, "indices outside", test_outside);
	CU_add_test(s, "refused", test_refused);
	CU_add_test(s, "many axes", test_many_axes);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	const unsigned failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	ctx_free(c);
	return failures != 0;
}
