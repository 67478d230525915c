/* Tests of the IR's text form: what is printed reads back the same; wrong text is refused by line. */
#include <CUnit/Basic.h>
#include <string.h>

#include "ir/ir.h"

static struct ctx *c;

static const char *text_of(const struct graph *g, unsigned flags)
{
	struct text t = { .c = c };
	graph_print_as(g, &t, flags);
	return t.s;
}

/* text -> graph -> text -> graph -> text: the last two texts agree, canonical ones too. */
static struct graph *round_trip(const char *text)
{
	struct graph *g = graph_parse(c, text, "test");
	CU_ASSERT_PTR_NOT_NULL_FATAL(g);
	graph_verify(g, "parse");
	const char *a = text_of(g, 0);
	struct graph *h = graph_parse(c, a, "printed");
	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	graph_verify(h, "second parse");
	CU_ASSERT_STRING_EQUAL(text_of(h, PRINT_CANONICAL), text_of(g, PRINT_CANONICAL));
	CU_ASSERT_STRING_EQUAL(text_of(graph_clone(c, g), 0), a);
	/* ids may differ once (values that nobody uses are not printed); then it is a fixed point */
	const char *b = text_of(h, 0);
	CU_ASSERT_STRING_EQUAL(text_of(graph_parse(c, b, "printed again"), 0), b);
	return h;
}

static void test_all_forms(void)
{
	struct graph *g = round_trip(
		"# a comment\n"
		"graph \"my net\" {\n"
		"  input %x : float[1,3,8,8]\n"
		"  input %\"a b\\\"\\x01\" : float16[n<=4,?,2*h + 1]\n"
		"  input %s : seq(map(int64,optional(string[...])))\n"
		"  const %w : float[2,3] = [1, -2.5, 1e-30, inf, -0, 0.1]\n"
		"  const %z : int64[3] = zeros\n"
		"  const %h : float16[2] = 0x003c00bc\n"
		"  const %f : float[16,3,3,3] c16 = fill(7)\n"
		"  const %t : string[2] = [\"a\\n\", \"b\"]\n"
		"  const %u : uint64[1] = [18446744073709551615]\n"
		"  const %nan : float[2] = 0x0100c07f0000807f\n"
		"  %y : float[1,16,8,8] c16, _, %q@7 = ampoule.Conv(%x, _, %f) {pads=[1,1,-1,1], alpha=0.5, "
		"name=\"a\\\"b\", fl=[1.0,2], none=[], nofl=floats[], nostr=strings[], st=[\"p\",\"q\"], "
		"t=float[2]=[1,2], ty=seq(float[2,n])} \"node one\"\n"
		"  %q@9 = Mix(%q@7, %\"a b\\\"\\x01\", %s, %w, %z, %h, %t, %u, %nan)\n"
		"  %@1 = com.other.Mix(%q@9)\n"
		"  output %y\n"
		"  output %@1\n"
		"}\n");
	const struct node *n = g->first;
	int k;
	CU_ASSERT_STRING_EQUAL(n->domain, "ampoule");
	CU_ASSERT_STRING_EQUAL(n->name, "node one");
	CU_ASSERT_EQUAL(attr_ints(n, "pads", &k)[2], -1);
	CU_ASSERT_EQUAL(attr_floats(n, "fl", &k)[0], 1);
	CU_ASSERT_EQUAL(attr_find(n, "nofl")->kind, ATTR_FLOATS);
	CU_ASSERT_EQUAL(attr_find(n, "nostr")->kind, ATTR_STRINGS);
	CU_ASSERT_EQUAL(attr_find(n, "none")->kind, ATTR_INTS);
	CU_ASSERT_EQUAL(attr_find(n, "alpha")->kind, ATTR_FLOAT);
	CU_ASSERT_EQUAL(n->out[0]->layout, LAYOUT_C16);
	CU_ASSERT_PTR_NULL(node_out(n, 1));
	CU_ASSERT_STRING_EQUAL(n->out[2]->name, "q");
	CU_ASSERT_STRING_EQUAL(n->next->out[0]->name, "q");
	CU_ASSERT_PTR_EQUAL(n->next->in[0], n->out[2]);
	CU_ASSERT_EQUAL(g->inputs[1]->type.dim[0].max, 4);
	CU_ASSERT_STRING_EQUAL(g->inputs[1]->type.dim[2].symbol, "2*h + 1");
	CU_ASSERT_EQUAL(((const uint64_t *)n->next->in[7]->data->data)[0], UINT64_MAX);
	CU_ASSERT_STRING_EQUAL(g->outputs[1]->name, "");
	CU_ASSERT_STRING_EQUAL(g->name, "my net");
}

static void test_subgraph(void)
{
	struct graph *g = round_trip(
		"graph {\n"
		"  input %c : bool[]\n"
		"  input %x : float[2]\n"
		"  const %k : float[2] = [1, 2]\n"
		"  %y = If(%c) {then_branch=graph a {\n"
		"    %y = Add(%x, %k)\n"
		"    output %y\n"
		"  }, else_branch=graph {\n"
		"    input %i : int64[]\n"
		"    const %k : float[2] = [3, 4]\n"
		"    %z = Loop(%i) {body=graph { %deep = Mul(%x, %k) output %deep output %x }}\n"
		"    output %z\n"
		"    output %k\n"
		"  }}\n"
		"  output %y\n"
		"}\n");
	struct graph *then = attr_graph(g->first, "then_branch");
	struct graph *els = attr_graph(g->first, "else_branch");
	struct graph *deep = attr_graph(els->first, "body");
	CU_ASSERT_PTR_EQUAL(then->first->in[0], g->inputs[0 + 1]);
	CU_ASSERT_PTR_EQUAL(then->first->in[1]->graph, g);
	CU_ASSERT_PTR_EQUAL(deep->first->in[1]->graph, els);
	CU_ASSERT_EQUAL(tensor_get_f(deep->first->in[1]->data, 1), 4);
	/* an outer value as output comes through an Identity */
	CU_ASSERT_STRING_EQUAL(deep->outputs[1]->def->op_type, "Identity");
}

static void test_canonical(void)
{
	const char *a = "graph a { input %x : float[2] const %k : float[1] = [1]\n"
			"%p = Exp(%x) {a=1, b=2} \"n\" %y = Add(%p, %k) output %y }";
	const char *b = "graph { input %in : float[2]\n const %unused : float[1] = [9]\n"
			"%q = Exp(%in) {b=2, a=1} const %one : float[1] = [1.0] %r = Add(%q, %one) output %r }";
	CU_ASSERT_STRING_EQUAL(text_of(graph_parse(c, a, "a"), PRINT_CANONICAL),
			       text_of(graph_parse(c, b, "b"), PRINT_CANONICAL));
	const char *d = "graph { input %in : float[2] const %one : float[1] = [1.0]\n"
			"%q = Exp(%in) {b=2, a=1} %r = Add(%one, %q) output %r }";
	CU_ASSERT_STRING_NOT_EQUAL(text_of(graph_parse(c, a, "a"), PRINT_CANONICAL),
				   text_of(graph_parse(c, d, "d"), PRINT_CANONICAL));
}

/* Wrong text, and a part of the message that it must give. */
static const struct { const char *text, *line, *message; } wrong[] = {
	{ "", "t:1", "\"graph\" is expected" },
	{ "graph {\n", "t:2", "no closing brace" },
	{ "graph {\n input %x : floot[2] }", "t:2", "no element type \"floot\"" },
	{ "graph {\n input %x\n input %x }", "t:3", "defined twice" },
	{ "graph {\n\n %y = Relu(%x) }", "t:3", "%x is not defined above" },
	{ "graph { const %w : float[2] = [1] }", "t:1", "1 elements, 2 are expected" },
	{ "graph { const %w : float[2] = [1,2,3] }", "t:1", "more than 2" },
	{ "graph { const %w : float[2] = 0x0011 }", "t:1", "2 bytes" },
	{ "graph { const %w : float[2] = ... }", "t:1", "left out" },
	{ "graph { const %w : float[99999999999,99999999999] = zeros }", "t:1", "constant data of type" },
	{ "graph { const %w : float[n] = zeros }", "t:1", "constant data of type" },
	{ "graph { %y = Relu() {a=1, a=2} }", "t:1", "given twice" },
	{ "graph { %y = Relu() {a=} }", "t:1", "a number is expected" },
	{ "graph { %y = Relu( }", "t:1", "expected" },
	{ "graph { %y = Relu() \"abc }", "t:1", "no end" },
	{ "graph { output %y }", "t:1", "not defined" },
	{ "graph { } x", "t:1", "after the graph" },
	{ "graph { input %x : float[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] }", "t:1", "rank" },
};

static void test_errors(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct ctx *k = ctx_new();
		CU_ASSERT_PTR_NULL(graph_parse(k, wrong[i].text, "t"));
		CU_ASSERT_EQUAL_FATAL(vec_len(k->diags), 1);
		if (!strstr(k->diags[0].text, wrong[i].message) ||
		    strcmp(k->diags[0].where, wrong[i].line)) {
			printf("\n%s -> %s: %s", wrong[i].text, k->diags[0].where, k->diags[0].text);
			CU_FAIL("another message is expected");
		}
		ctx_free(k);
	}
	/* nesting is bounded */
	struct text t = { .c = c };
	for (int i = 0; i < 100000; i++)
		text_printf(&t, "graph { %%y = If() {b=");
	CU_ASSERT_PTR_NULL(graph_parse(c, t.s, "deep"));
	t = (struct text){ .c = c };
	text_printf(&t, "graph { input %%x : ");
	for (int i = 0; i < 100000; i++)
		text_printf(&t, "seq(");
	CU_ASSERT_PTR_NULL(graph_parse(c, t.s, "deep"));
}

/* Cut and changed at every place: no crash, whatever comes out (sanitizers look on). */
static void test_mutations(void)
{
	static const char text[] = "graph g { input %x : float[2,n<=3] const %w : float[2] = [1,2]\n"
		"%y : float[2] c16, _ = a.B(%x, _, %w) {p=[1,2], s=\"a\\x41\", t=int8[1]=[3], "
		"g=graph { %q = C(%x) output %q }} \"n\" output %y }";
	struct ctx *k = ctx_new();
	char s[sizeof text];
	for (size_t i = 0; i < sizeof text - 1; i++)
		for (int m = 0; m < 5; m++) {
			memcpy(s, text, sizeof text);
			s[i] = "\0\"%[9"[m];
			struct graph *g = graph_parse(k, s, "t");
			if (g)
				graph_verify(g, "mutation");
			CU_ASSERT(i == sizeof text - 2 || m || !g);
		}
	ctx_free(k);
}

static void test_brief(void)
{
	struct graph *g = graph_parse(c, "graph { const %w : float[9] = fill(1) %y = Relu(%w) output %y }", "t");
	CU_ASSERT_PTR_NOT_NULL(strstr(text_of(g, PRINT_BRIEF), "= ...\n"));
}

int main(void)
{
	c = ctx_new();
	CU_initialize_registry();
	CU_pSuite s = CU_add_suite("text form", NULL, NULL);
	CU_add_test(s, "all forms", test_all_forms);
	CU_add_test(s, "subgraphs", test_subgraph);
	CU_add_test(s, "canonical", test_canonical);
	CU_add_test(s, "errors", test_errors);
	CU_add_test(s, "mutations", test_mutations);
	CU_add_test(s, "brief", test_brief);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	int failed = (int)CU_get_number_of_failures();
	CU_cleanup_registry();
	ctx_free(c);
	return failed != 0;
}
