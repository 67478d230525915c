/* Tests of compiler/import: every fault of a model gives its message, all of them at once. */
#include "../tools/importing.h"

#include <stdio.h>

static struct pb model(struct pb g)
{
	return onnx_model(8, 17, g);
}

/* ---- names ------------------------------------------------------------------------------------------ */

static void test_undefined(void)
{
	struct pb g = graph_of("x", "y");
	add_node(&g, "Add", "x nothing", "s", "");
	add_node(&g, "Add", "s nothing", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "input \"nothing\" is defined nowhere"));	/* one fault, told once */
	g = graph_of("x", "y z");
	add_node(&g, "Relu", "x", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "output \"z\" of the graph is defined nowhere"));
}

static void test_unsorted(void)
{
	struct pb g = graph_of("x", "y");
	add_node(&g, "Relu", "s", "y", "");
	add_node(&g, "Relu", "x", "s", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "made by a later node, node \"s\" (Relu)"));
}

static void test_cycle(void)
{
	struct pb g = graph_of("x", "y");
	add_node(&g, "Add", "x c", "a", "");
	add_node(&g, "Relu", "a", "b", "");
	add_node(&g, "Relu", "b", "c", "");
	add_node(&g, "Relu", "c", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "the graph has a cycle"));
	g = graph_of("x", "y");
	add_node(&g, "Add", "x y", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "the graph has a cycle"));
}

static void test_twice(void)
{
	struct pb g = graph_of("x", "y");
	add_node(&g, "Relu", "x", "y", "");
	add_node(&g, "Relu", "x", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "\"y\" is defined a second time"));
	g = graph_of("x x", "y");
	add_node(&g, "Relu", "x", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "\"x\" is defined a second time"));
	/* two nodes of one name are no fault: names of nodes mean nothing */
	g = graph_of("x", "y");
	pb_sub(&g, GRAPH_NODE, onnx_node("Relu", "x", "t", "same"));
	pb_sub(&g, GRAPH_NODE, onnx_node("Relu", "t", "y", "same"));
	import_pb(model(g));
	CU_ASSERT(imports());
	CU_ASSERT_EQUAL(node_count(), 2);
}

/* Very many faults: the first are told, the rest counted. */
static void test_many_undefined(void)
{
	struct pb g = graph_of("x", "y");
	for (int i = 0; i < 5000; i++) {
		char in[64], out[32];
		snprintf(in, sizeof in, "x n%d", i);
		snprintf(out, sizeof out, "v%d", i);
		add_node(&g, "Add", in, out, "");
	}
	add_node(&g, "Relu", "x", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(51, "4950 more undefined names"));
}

/* ---- operators ---------------------------------------------------------------------------------------- */

static void test_unsupported(void)
{
	struct pb g = graph_of("x", "y"), n;
	add_node(&g, "NoSuchOperator", "x", "a", "");
	add_node(&g, "NoSuchOperator", "a", "b", "");
	n = onnx_node("Fancy", "b", "c", "fancy");
	pb_str(&n, NODE_DOMAIN, "com.microsoft");
	pb_sub(&g, GRAPH_NODE, n);
	n = onnx_node("Odd", "c", "d", "odd");
	pb_str(&n, NODE_DOMAIN, "org.example");
	pb_sub(&g, GRAPH_NODE, n);
	pb_sub(&g, GRAPH_INPUT, onnx_value("z", 1, "batch"));
	add_node(&g, "Add", "d missing", "y", "");
	import_pb(model(g));
	/* everything at once: three operators, one dimension, one name */
	CU_ASSERT(fails_with(5, "operator NoSuchOperator (operator set 17) is not supported: 2 nodes, "
				"first node \"a\""));
	CU_ASSERT_EQUAL(told("operator com.microsoft.Fancy"), 1);
	CU_ASSERT_EQUAL(told("the domain \"org.example\" is unknown"), 1);
	CU_ASSERT_EQUAL(told("--dim batch=1"), 1);
	CU_ASSERT_EQUAL(told("input \"missing\" is defined nowhere"), 1);
	CU_ASSERT_EQUAL(told("imports no operator set \"com.microsoft\""), 1);	/* a warning */
}

static void test_operands(void)
{
	struct pb g = graph_of("x", "y");
	add_node(&g, "Add", "x", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "it has 1 inputs; Add needs at least 2"));
	g = graph_of("x", "y");
	add_node(&g, "Relu", "x x", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "it has 2 inputs; Relu takes at most 1"));
	g = graph_of("x", "y");
	add_node(&g, "Add", "_ x", "y", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "input 0 is absent; Add needs it"));
	g = graph_of("x", "y");
	add_node(&g, "Relu", "x", "y z", "");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "it has 2 outputs; Relu gives at most 1"));
	g = graph_of("x", "y");
	struct pb n = onnx_node("", "x", "y", "empty");
	pb_sub(&g, GRAPH_NODE, n);
	import_pb(model(g));
	CU_ASSERT_EQUAL(told("a node without an operator"), 1);
}

static void test_attribute_faults(void)
{
	struct pb g = graph_of("x", "y");
	add_node(&g, "LeakyRelu", "x", "y", "alpha=1");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "attribute \"alpha\" must be a float, not an integer"));
	g = graph_of("x", "y");
	add_node(&g, "LeakyRelu", "x", "y", "alpha=0.5 alpha=0.25");
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "attribute \"alpha\" is given twice"));
	g = graph_of("x", "y");
	struct pb n = onnx_node("LeakyRelu", "x", "y", "leaky");
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_ref("alpha", 1, "slope"));
	pb_sub(&g, GRAPH_NODE, n);
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "no function is being called"));
}

/* ---- functions -------------------------------------------------------------------------------------------- */

static struct pb function(const char *name, const char *calls)
{
	struct pb f = { 0 }, n = onnx_node(calls, "a", "r", "");
	pb_str(&f, FUNCTION_NAME, name);
	pb_str(&f, FUNCTION_DOMAIN, "my");
	pb_str(&f, FUNCTION_INPUT, "a");
	pb_str(&f, FUNCTION_OUTPUT, "r");
	pb_sub(&f, FUNCTION_OPSET, onnx_opset("", 18));
	pb_sub(&f, FUNCTION_OPSET, onnx_opset("my", 1));
	if (strcmp(calls, "Relu") != 0)
		pb_str(&n, NODE_DOMAIN, "my");
	pb_sub(&f, FUNCTION_NODE, n);
	return f;
}

static struct pb calling(const char *name, const char *in)
{
	struct pb g = graph_of("x", "y"), n = onnx_node(name, in, "y", "call");
	pb_str(&n, NODE_DOMAIN, "my");
	pb_sub(&g, GRAPH_NODE, n);
	struct pb m = model(g);
	pb_sub(&m, MODEL_OPSET, onnx_opset("my", 1));
	return m;
}

static void test_functions(void)
{
	struct pb m = calling("f", "x");
	pb_sub(&m, MODEL_FUNCTION, function("f", "g"));
	pb_sub(&m, MODEL_FUNCTION, function("g", "f"));
	import_pb(m);
	CU_ASSERT(fails_with(1, "calls itself"));
	m = calling("f", "x x");
	pb_sub(&m, MODEL_FUNCTION, function("f", "Relu"));
	import_pb(m);
	CU_ASSERT(fails_with(1, "it passes 2 inputs to a function of 1"));
	m = calling("f", "x");
	pb_sub(&m, MODEL_FUNCTION, function("f", "Relu"));
	pb_sub(&m, MODEL_FUNCTION, function("f", "Relu"));
	import_pb(m);
	CU_ASSERT(fails_with(1, "it is defined twice"));
	/* a chain of calls, too long */
	m = calling("f0", "x");
	for (int i = 0; i < 150; i++) {
		char a[16], b[16];
		snprintf(a, sizeof a, "f%d", i);
		snprintf(b, sizeof b, "f%d", i + 1);
		pb_sub(&m, MODEL_FUNCTION, function(a, i < 149 ? b : "Relu"));
	}
	import_pb(m);
	CU_ASSERT(fails_with(1, "call each other more than 100 deep"));
	/* each body calls the next one ten times: 10^30 nodes in a few kilobytes */
	m = calling("f0", "x");
	for (int i = 0; i < 30; i++) {
		char a[16], b[16];
		snprintf(a, sizeof a, "f%d", i);
		snprintf(b, sizeof b, "f%d", i + 1);
		struct pb f = function(a, i < 29 ? b : "Relu");
		for (int k = 0; k < 9; k++) {
			struct pb n = onnx_node(i < 29 ? b : "Relu", "a", "", "");
			char out[16];
			snprintf(out, sizeof out, "t%d", k);
			pb_str(&n, NODE_OUTPUT, out);
			if (i < 29)
				pb_str(&n, NODE_DOMAIN, "my");
			pb_sub(&f, FUNCTION_NODE, n);
		}
		pb_sub(&m, MODEL_FUNCTION, f);
	}
	import_pb(m);
	CU_ASSERT(fails_with(1, "inlined, give more than"));
}

/* ---- tensors ----------------------------------------------------------------------------------------------- */

static void with_tensor(struct pb t)
{
	struct pb g = graph_of("x", "y");
	pb_sub(&g, GRAPH_INITIALIZER, t);
	add_node(&g, "Add", "x w", "y", "");
	import_pb(model(g));
}

static void test_tensors(void)
{
	const float v[6] = { 0 };
	with_tensor(onnx_tensor_raw("w", 1, "2 3", v, 20));
	CU_ASSERT(fails_with(1, "6 elements of float are 24 bytes, but raw_data holds 20"));
	with_tensor(onnx_tensor("w", 1, "2 3"));
	CU_ASSERT(fails_with(1, "float needs 6 entries of float_data, but it holds 0"));
	with_tensor(onnx_tensor_raw("w", 1, "2 -3", v, 24));
	CU_ASSERT(fails_with(1, "dimension 1 is -3"));
	with_tensor(onnx_tensor_raw("w", 1, "4294967296 4294967296 4294967296", v, 24));
	CU_ASSERT(fails_with(1, "absurdly large"));
	with_tensor(onnx_tensor_raw("w", 1, "9223372036854775807", v, 24));
	CU_ASSERT(fails_with(1, "absurdly large"));
	with_tensor(onnx_tensor_raw("w", 1, "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", v, 4));
	CU_ASSERT(fails_with(1, "it has 17 dimensions"));
	with_tensor(onnx_tensor_raw("w", 99, "2 3", v, 24));
	CU_ASSERT(fails_with(1, "element type 99 is not supported"));
	with_tensor(onnx_tensor_raw("w", 0, "2 3", v, 24));
	CU_ASSERT(fails_with(1, "it has no element type"));
	struct pb t = onnx_tensor("w", 3, "1");
	pb_int(&t, TENSOR_INT32S, 300);
	with_tensor(t);
	CU_ASSERT(fails_with(1, "element 0 is 300, which int8 cannot hold"));
	t = onnx_tensor("w", 12, "1");
	pb_int(&t, TENSOR_UINT64S, (int64_t)1 << 40);
	with_tensor(t);
	CU_ASSERT(fails_with(1, "which uint32 cannot hold"));
	t = onnx_tensor("w", 8, "1");
	pb_bytes(&t, TENSOR_STRINGS, "a\0b", 3);
	with_tensor(t);
	CU_ASSERT(fails_with(1, "holds a zero byte"));
	t = onnx_tensor("w", 1, "2 3");
	pb_int(&t, TENSOR_LOCATION, 1);
	with_tensor(t);
	CU_ASSERT(fails_with(1, "names no file"));
}

static void with_sparse(const char *dims, const int64_t *at, int n)
{
	const float v[2] = { 5, 7 };
	struct pb g = graph_of("x", "y"), s = { 0 };
	pb_sub(&s, 1, onnx_floats("w", "2", v));
	pb_sub(&s, 2, onnx_ints("", at, n));
	char *end;
	for (long long d; (d = strtoll(dims, &end, 10), end != dims); dims = end)
		pb_int(&s, 3, d);
	pb_sub(&g, GRAPH_SPARSE, s);
	add_node(&g, "Add", "x w", "y", "");
	import_pb(model(g));
}

static void test_sparse(void)
{
	with_sparse("2 3", (const int64_t[]){ 1, 6 }, 2);
	CU_ASSERT(fails_with(1, "sparse index 1 is outside the tensor"));
	with_sparse("2 3", (const int64_t[]){ -1, 5 }, 2);
	CU_ASSERT(fails_with(1, "sparse index 0 is outside the tensor"));
	with_sparse("2 3", (const int64_t[]){ 4, 4 }, 2);
	CU_ASSERT(fails_with(1, "sparse index 1 is not above the one before it"));
	with_sparse("2 3", (const int64_t[]){ 4 }, 1);
	CU_ASSERT(fails_with(1, "needs int64 indices of shape"));
	with_sparse("100000 100000", (const int64_t[]){ 1, 4 }, 2);
	CU_ASSERT(fails_with(1, "made dense"));
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static struct pb small_model(void)
{
	struct pb g = graph_of("x", "y");
	const float w[6] = { 1, 2, 3, 4, 5, 6 };
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("w", "2 3", w));
	add_node(&g, "Add", "x w", "y", "");
	return model(g);
}

/* Every prefix of a model is refused, or is a model that lacks its last fields. */
static void test_truncated(void)
{
	struct pb m = small_model();
	int refused = 0;
	for (size_t n = 0; n < m.n; n++) {
		import_bytes(m.p, n, NULL);
		refused += got.result == R_INPUT && got.c->n_errors > 0;
	}
	CU_ASSERT_EQUAL(refused, (int)m.n);
	import_bytes(m.p, m.n, NULL);
	CU_ASSERT(imports());
	pb_free(&m);
}

static void test_not_onnx(void)
{
	static const struct { const char *bytes, *message; } files[] = {
		{ "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer" },
		{ "PK\x03\x04zip", "zip archive" }, { "\x89HDF\r\n", "HDF5" },
		{ "<!DOCTYPE html>", "HTML page" }, { "ir_version: 8", "model as text" },
		{ "hello, I am no model", "damaged at byte" }, { "", "is empty" },
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		import_bytes(files[i].bytes, strlen(files[i].bytes), NULL);
		CU_ASSERT(fails_with(1, files[i].message));
	}
	struct pb m = { 0 };
	pb_int(&m, 1, 8);
	import_pb(m);
	CU_ASSERT(fails_with(1, "holds no graph"));
	import_path("/nonexistent/model.onnx", NULL);
	CU_ASSERT(fails_with(1, "cannot read"));
	import_path("/", NULL);
	CU_ASSERT(fails_with(1, "it is a folder"));
}

/* Subgraphs in subgraphs: deep enough to exhaust a stack. */
static void test_deep(void)
{
	struct pb g = { 0 };
	for (int i = 0; i < 2000; i++) {
		struct pb outer = { 0 }, n = onnx_node("If", "c", "y", "");
		pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_graph("then_branch", g));
		pb_sub(&outer, GRAPH_NODE, n);
		g = outer;
	}
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "nested more than 100 messages deep"));
	/* types too */
	struct pb t = { 0 }, v = { 0 };
	for (int i = 0; i < 2000; i++) {
		struct pb seq = { 0 }, outer = { 0 };
		pb_sub(&seq, 1, t);
		pb_sub(&outer, 4, seq);
		t = outer;
	}
	pb_str(&v, 1, "x");
	pb_sub(&v, 2, t);
	g = graph_of("", "");
	pb_sub(&g, GRAPH_INPUT, v);
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "nested more than 100 messages deep"));
}

/* Two bytes a node on the wire, hundreds in memory. */
static void test_bomb(void)
{
	const size_t n = (size_t)12 << 20;
	struct pb g = { 0 };
	for (size_t i = 0; i < n / 2; i++)
		pb_raw(&g, "\x0a", 2);		/* field 1, length 0 */
	import_pb(model(g));
	CU_ASSERT(fails_with(1, "far more than its size explains"));
}

static void test_given_twice(void)
{
	struct pb m = small_model(), g = graph_of("x", "y");
	pb_sub(&m, MODEL_GRAPH, g);
	import_pb(m);
	CU_ASSERT(fails_with(1, "ModelProto.graph is given twice"));
	m = small_model();
	pb_int(&m, MODEL_GRAPH, 3);
	import_pb(m);
	CU_ASSERT(fails_with(1, "ModelProto.graph has the wrong wire type"));
}

/* ---- tensor files --------------------------------------------------------------------------------------------- */

static void test_tensor_files(void)
{
	struct ctx *c = ctx_new();
	CU_ASSERT_PTR_NULL(import_tensor_file(c, "/nonexistent/input_0.pb", NULL));
	CU_ASSERT_EQUAL(c->n_errors, 1);
	/* a SequenceProto: its name comes first, where a tensor has its dimensions */
	struct pb s = { 0 };
	const float v[1] = { 1 };
	pb_str(&s, 1, "sequence");
	pb_int(&s, 2, 1);
	pb_sub(&s, 3, onnx_floats("", "1", v));
	CU_ASSERT_PTR_NULL(import_tensor_bytes(c, s.p, s.n, NULL));
	CU_ASSERT_EQUAL(c->n_errors, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(c->diags[1].text, "a sequence, an optional or a map"));
	pb_free(&s);
	s = onnx_floats("named", "1", v);
	const char *name;
	const struct tensor *t = import_tensor_bytes(c, s.p, s.n, &name);
	CU_ASSERT(t && t->n == 1);
	CU_ASSERT_STRING_EQUAL(name, "named");
	pb_free(&s);
	ctx_free(c);
}

static const struct test_row rows[] = {
	{ "undefined names", test_undefined }, { "unsorted nodes", test_unsorted },
	{ "cycles", test_cycle }, { "names defined twice", test_twice },
	{ "thousands of undefined names", test_many_undefined },
	{ "everything at once", test_unsupported }, { "operands", test_operands },
	{ "attributes", test_attribute_faults }, { "functions", test_functions },
	{ "tensors", test_tensors }, { "sparse tensors", test_sparse },
	{ "truncated files", test_truncated }, { "files that are no models", test_not_onnx },
	{ "deep nesting", test_deep }, { "memory bomb", test_bomb },
	{ "messages given twice", test_given_twice }, { "tensor files", test_tensor_files },
};

int main(void)
{
	return run_tests("import: errors", rows, sizeof rows / sizeof rows[0]);
}
