/* Tests of compiler/ir: building and changing graphs, types, tensors, conversions, the verifier. */
#include <CUnit/Basic.h>
#include <math.h>
#include <string.h>

#include "ir/ir.h"

static struct ctx *c;

static struct value *input(struct graph *g, const char *name)
{
	const int64_t d[2] = { 2, 3 };
	struct type t = type_tensor(DT_FLOAT, 2, d);
	return graph_add_input(g, name, &t);
}

static struct value *op1(struct graph *g, const char *op, struct value *a, struct value *b)
{
	struct node *n = node_new(g, NULL, "", op, "");
	node_add_in(n, a);
	if (b)
		node_add_in(n, b);
	return node_add_out(n, op);
}

static void test_uses(void)
{
	struct graph *g = graph_new(c, "g");
	struct value *x = input(g, "x"), *y = input(g, "y");
	struct value *s = op1(g, "Add", x, x), *r = op1(g, "Relu", s, NULL);
	graph_add_output(g, r);
	CU_ASSERT_EQUAL(value_n_uses(x), 2);
	CU_ASSERT_PTR_EQUAL(value_only_user(s), r->def);
	CU_ASSERT_PTR_NULL(value_only_user(r));
	CU_ASSERT(value_is_output(r));
	node_set_in(s->def, 1, y);
	CU_ASSERT_EQUAL(value_n_uses(x), 1);
	CU_ASSERT_EQUAL(value_n_uses(y), 1);
	graph_verify(g, "uses");
	/* the output's name moves with it */
	value_replace(r, s);
	CU_ASSERT_STRING_EQUAL(g->outputs[0]->name, "Relu");
	CU_ASSERT_PTR_EQUAL(g->outputs[0], s);
	struct node *dead = r->def;
	CU_ASSERT_EQUAL(value_n_uses(r), 0);
	node_remove(dead);
	graph_verify(g, "replace");
	/* an input cannot be the output itself: an Identity keeps the name */
	value_replace(s, x);
	CU_ASSERT_STRING_EQUAL(g->outputs[0]->name, "Relu");
	CU_ASSERT_STRING_EQUAL(g->outputs[0]->def->op_type, "Identity");
	graph_verify(g, "replace by input");
}

static void test_sort(void)
{
	struct graph *g = graph_new(c, "g");
	struct value *x = input(g, "x");
	struct node *late = node_new(g, NULL, "", "Relu", "late");
	struct value *a = op1(g, "Exp", x, NULL), *b = op1(g, "Log", a, NULL);
	node_add_in(late, b);
	graph_add_output(g, node_add_out(late, "y"));
	/* a subgraph that reads b: its owner must come after */
	struct graph *sub = graph_new(c, "sub");
	struct node *owner = node_new(g, g->first, "", "If", "owner");
	attr_set_graph(owner, "then_branch", sub);
	graph_add_output(sub, op1(sub, "Neg", b, NULL));
	graph_add_output(g, node_add_out(owner, "z"));
	CU_ASSERT_EQUAL(value_n_uses(b), 2);
	graph_sort(g);
	graph_verify(g, "sort");
	CU_ASSERT_PTR_EQUAL(g->first, a->def);
	struct graph *d = graph_clone(c, g);
	graph_verify(d, "clone");
	CU_ASSERT_PTR_NOT_EQUAL(d->first, g->first);
	CU_ASSERT_STRING_EQUAL(d->outputs[1]->name, "z");
	const struct graph *dsub = attr_graph(d->outputs[1]->def, "then_branch");
	CU_ASSERT_PTR_EQUAL(dsub->first->in[0]->graph, d);
	/* a removed owner no longer reads b */
	graph_set_output(g, 1, a);
	node_remove(owner);
	CU_ASSERT_EQUAL(value_n_uses(b), 1);
	graph_verify(g, "remove");
}

static enum result make_cycle(struct ctx *k, void *arg)
{
	struct graph *g = graph_new(k, "g");
	struct node *p = node_new(g, NULL, "", "Relu", "p"), *q = node_new(g, NULL, "", "Relu", "q");
	struct value *a = node_add_out(p, "a"), *b = node_add_out(q, "b");
	(void)arg;
	node_add_in(p, b);
	node_add_in(q, a);
	graph_add_output(g, b);
	graph_sort(g);
	return R_SUCCESS;
}

static enum result break_order(struct ctx *k, void *arg)
{
	struct graph *g = graph_new(k, "g");
	struct value *x = input(g, "x");
	struct value *a = op1(g, "Exp", x, NULL), *b = op1(g, "Log", a, NULL);
	(void)arg;
	graph_add_output(g, b);
	node_move_before(b->def, a->def);
	graph_verify(g, "test");
	return R_SUCCESS;
}

static enum result break_uses(struct ctx *k, void *arg)
{
	struct graph *g = graph_new(k, "g");
	struct value *x = input(g, "x"), *y = input(g, "y");
	struct value *a = op1(g, "Exp", x, NULL);
	(void)arg;
	graph_add_output(g, a);
	a->def->in[0] = y;		/* behind the use lists' back */
	graph_verify(g, "test");
	return R_SUCCESS;
}

static void test_breaches(void)
{
	struct ctx *k = ctx_new();
	CU_ASSERT_EQUAL(ctx_run(k, make_cycle, NULL), R_INPUT);
	CU_ASSERT_EQUAL(ctx_run(k, break_order, NULL), R_INTERNAL);
	CU_ASSERT_EQUAL(ctx_run(k, break_uses, NULL), R_INTERNAL);
	ctx_free(k);
}

static void test_types(void)
{
	const int64_t d[4] = { 1, 20, 7, 9 };
	struct type t = type_tensor(DT_FLOAT, 4, d), u = t;
	CU_ASSERT(type_known(&t));
	CU_ASSERT_EQUAL(type_bytes(&t), 1 * 20 * 7 * 9 * 4);
	struct value v = { .type = t, .layout = LAYOUT_C16 };
	CU_ASSERT_EQUAL(value_bytes(&v), 1 * 32 * 7 * 9 * 4);
	u.dim[0] = (struct dim){ -1, "batch", 8 };
	CU_ASSERT(!type_known(&u));
	CU_ASSERT(!type_equal(&t, &u));
	CU_ASSERT_STRING_EQUAL(type_text(c, &u), "float[batch<=8,20,7,9]");
	u.dim[1] = u.dim[2] = u.dim[3] = (struct dim){ INT64_MAX / 2, NULL, 0 };
	u.dim[0].value = 3;
	CU_ASSERT_EQUAL(type_elements(&u), -1);
	u.dim[2].value = 0;
	CU_ASSERT_EQUAL(type_elements(&u), 0);
	for (int i = 1; i < DT_COUNT; i++)
		CU_ASSERT_EQUAL(dtype_by_name(dtype_name((enum dtype)i)), i);
}

/* Every code of float16, bfloat16 and the small floats survives the way to double and back. */
static void test_small_floats(void)
{
	static const enum dtype kinds[] = { DT_FLOAT16, DT_BFLOAT16, DT_FLOAT8E4M3FN,
		DT_FLOAT8E4M3FNUZ, DT_FLOAT8E5M2, DT_FLOAT8E5M2FNUZ, DT_FLOAT4E2M1, DT_FLOAT8E8M0 };
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		const bool wide = dtype_size(kinds[k]) == 2;
		const int64_t n = wide ? 65536 : kinds[k] == DT_FLOAT4E2M1 ? 16 : 256;
		struct tensor *t = tensor_new(c, kinds[k], 1, &n);
		for (int64_t i = 0; i < n; i++)
			if (wide)
				((uint16_t *)t->data)[i] = (uint16_t)i;
			else
				((uint8_t *)t->data)[i] = (uint8_t)i;
		struct tensor *d = tensor_convert(c, t, DT_DOUBLE);
		struct tensor *b = tensor_convert(c, d, kinds[k]);
		int wrong = 0, nan = 0;
		for (int64_t i = 0; i < n; i++) {
			const double x = tensor_get_f(t, i);
			nan += isnan(x);
			if (isnan(x) ? !isnan(tensor_get_f(b, i)) && kinds[k] != DT_FLOAT4E2M1 :
			    isinf(x) && !wide ? fabs(tensor_get_f(b, i)) < 57344 :
			    wide ? ((uint16_t *)b->data)[i] != i : ((uint8_t *)b->data)[i] != i)
				wrong++;
		}
		CU_ASSERT_EQUAL(wrong, 0);
		static const int nans[] = { 2046, 254, 2, 1, 6, 1, 0, 1 };
		CU_ASSERT_EQUAL(nan, nans[k]);
	}
	/* ties to even, overflow, subnormals */
	CU_ASSERT_EQUAL(f16_of_double(2049), 0x6800);
	CU_ASSERT_EQUAL(f16_of_double(2051), 0x6802);
	CU_ASSERT_EQUAL(f16_of_double(65519), 0x7bff);
	CU_ASSERT_EQUAL(f16_of_double(65520), 0x7c00);
	CU_ASSERT_EQUAL(f16_of_double(0x1p-25), 0);
	CU_ASSERT_EQUAL(f16_of_double(0x1.0000001p-25), 1);
	CU_ASSERT_EQUAL(f16_of_double(-0x1.ff8p-15), 0x83ff);
	CU_ASSERT_EQUAL(f16_of_double(0x1.ffcp-15), 0x0400);
	CU_ASSERT_EQUAL(f16_of_double(-0.0), 0x8000);
	CU_ASSERT_EQUAL(f16_of_double(1e-320), 0);
	CU_ASSERT_EQUAL(bf16_of_double(1.00390625), 0x3f80);
	CU_ASSERT_EQUAL(bf16_of_double(1.01171875), 0x3f82);
	CU_ASSERT_EQUAL(bf16_of_double(3.4e38), 0x7f80);
	CU_ASSERT_EQUAL(bf16_of_double(0x1p-133), 1);
	CU_ASSERT_EQUAL(bf16_of_double((double)NAN), 0x7fc0);
#ifdef __FLT16_MAX__
	/* the compiler's own rounding agrees, from double directly */
	struct tensor *r = tensor_new(c, DT_DOUBLE, 1, (int64_t[]){ 20000 });
	ir_fill(r, 7);
	int wrong = 0;
	for (int64_t i = 0; i < r->n; i++) {
		const double x = ldexp(((double *)r->data)[i] + 0x1p-40 * (double)i, (int)(i % 48) - 28);
		const _Float16 h = (_Float16)x;
		uint16_t bits;
		memcpy(&bits, &h, 2);
		wrong += bits != f16_of_double(x);
	}
	CU_ASSERT_EQUAL(wrong, 0);
#endif
}

static double through(double x, enum dtype t)
{
	struct tensor *a = tensor_new(c, DT_DOUBLE, 0, NULL);
	*(double *)a->data = x;
	return tensor_get_f(tensor_convert(c, a, t), 0);
}

static void test_convert(void)
{
	CU_ASSERT_EQUAL(through(300.7, DT_UINT8), 255);
	CU_ASSERT_EQUAL(through(-3.9, DT_UINT8), 0);
	CU_ASSERT_EQUAL(through(-3.9, DT_INT8), -3);
	CU_ASSERT_EQUAL(through(1e300, DT_INT64), 0x1p63);
	CU_ASSERT_EQUAL(through(1e300, DT_UINT64), 0x1p64);
	CU_ASSERT_EQUAL(through((double)NAN, DT_INT32), 0);
	CU_ASSERT_EQUAL(through(-0.25, DT_BOOL), 1);
	CU_ASSERT_EQUAL(through(99, DT_INT4), 7);
	CU_ASSERT_EQUAL(through(1000, DT_FLOAT8E4M3FN), 448);
	CU_ASSERT_EQUAL(through(-1e9, DT_FLOAT8E5M2), -57344);
	CU_ASSERT_EQUAL(through(2.5, DT_FLOAT4E2M1), 2);
	CU_ASSERT_EQUAL(through(3.5, DT_FLOAT4E2M1), 4);
	/* integer to integer keeps the low bits */
	struct tensor *i = tensor_scalar_i64(c, 0x1ff);
	CU_ASSERT_EQUAL(tensor_get_i(tensor_convert(c, i, DT_INT8), 0), -1);
	CU_ASSERT_EQUAL(tensor_get_i(tensor_convert(c, i, DT_UINT8), 0), 255);
	CU_ASSERT_EQUAL(tensor_get_i(tensor_convert(c, i, DT_INT4), 0), -1);
	/* int64 to float is rounded once: through double this one would be a tie */
	i = tensor_scalar_i64(c, ((int64_t)1 << 60) + ((int64_t)1 << 36) + 1);
	CU_ASSERT_EQUAL(tensor_get_f(tensor_convert(c, i, DT_FLOAT), 0), 0x1.000002p60);
	struct tensor *s = tensor_convert(c, tensor_scalar_i64(c, -12), DT_STRING);
	CU_ASSERT_STRING_EQUAL(((const char **)s->data)[0], "-12");
	CU_ASSERT_EQUAL(tensor_get_i(s, 0), -12);
}

static void test_attrs(void)
{
	struct graph *g = graph_new(c, "g");
	struct node *n = node_new(g, NULL, "", "Conv", "n"), *m = node_new(g, NULL, "", "Conv", "m");
	const int64_t pads[4] = { 1, 2, 3, 4 };
	int k;
	attr_set_ints(n, "pads", pads, 4);
	attr_set_float(n, "alpha", 0.5);
	attr_set_int(n, "group", 3);
	CU_ASSERT_EQUAL(attr_ints(n, "pads", &k)[3], 4);
	CU_ASSERT_EQUAL(k, 4);
	CU_ASSERT_PTR_NULL(attr_ints(n, "strides", &k));
	CU_ASSERT_EQUAL(attr_int(n, "alpha", 9), 9);	/* another kind: the default */
	attr_copy_all(m, n);
	CU_ASSERT(attr_equal_all(n, m));
	attr_set_int(m, "group", 4);
	CU_ASSERT(!attr_equal_all(n, m));
	attr_remove(n, "alpha");
	CU_ASSERT_EQUAL(attr_float(n, "alpha", 2), 2);
	CU_ASSERT_EQUAL(attr_int(n, "group", 0), 3);
}

int main(void)
{
	c = ctx_new();
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("ir", NULL, NULL);
	CU_add_test(s, "uses", test_uses);
	CU_add_test(s, "sort and clone", test_sort);
	CU_add_test(s, "breaches", test_breaches);
	CU_add_test(s, "types", test_types);
	CU_add_test(s, "small floats", test_small_floats);
	CU_add_test(s, "convert", test_convert);
	CU_add_test(s, "attributes", test_attrs);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	int failed = (int)CU_get_number_of_failures();
	CU_cleanup_registry();
	ctx_free(c);
	return failed != 0;
}
