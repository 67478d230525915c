/*
 * Fuzzing of compiler/import: models with seeded damage go in; a graph, or an error that says something,
 * must come out, never an internal error, a crash or a sanitizer's finding.
 *
 * Two kinds of damage: to the bytes (flipped, cut out, repeated, moved between models), and to the sense
 * (models whose well-formed nodes, names, types and attributes are drawn at random).  The seeds are fixed;
 * the rounds stop at a bound of time, so that a slow machine does less of the same.
 */
#include "../tools/importing.h"

#include <stdio.h>
#include <time.h>

#define ROUNDS 100000
#define SECONDS 5.0		/* of each kind */

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t below(uint64_t *seed, uint64_t n)
{
	return n ? seed_next(seed) % n : 0;
}

/* ---- the models that are damaged -------------------------------------------------------------------- */

static struct pb function_model(void)
{
	struct pb f = { 0 }, n = onnx_node("LeakyRelu", "a", "t", "leaky");
	pb_str(&f, FUNCTION_NAME, "f");
	pb_str(&f, FUNCTION_DOMAIN, "my");
	pb_str(&f, FUNCTION_INPUT, "a");
	pb_str(&f, FUNCTION_OUTPUT, "r");
	pb_sub(&f, FUNCTION_OPSET, onnx_opset("", 18));
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_ref("alpha", 1, "slope"));
	pb_sub(&f, FUNCTION_NODE, n);
	pb_sub(&f, FUNCTION_NODE, onnx_node("Add", "t a", "r", "sum"));
	pb_sub(&f, FUNCTION_DEFAULT, onnx_attr_float("slope", 0.5f));
	struct pb g = graph_of("x", "y");
	n = onnx_node("f", "x", "y", "call");
	pb_str(&n, NODE_DOMAIN, "my");
	pb_sub(&g, GRAPH_NODE, n);
	struct pb m = onnx_model(10, 17, g);
	pb_sub(&m, MODEL_OPSET, onnx_opset("my", 1));
	pb_sub(&m, MODEL_FUNCTION, f);
	return m;
}

static struct pb conv_model(void)
{
	static const float w[18] = { 0.5f, 1 };
	struct pb g = { 0 };
	pb_sub(&g, GRAPH_INPUT, onnx_value("x", 1, "batch 2 8 8"));
	pb_sub(&g, GRAPH_OUTPUT, onnx_value("y", 1, "batch 8"));
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("w", "1 2 3 3", w));
	pb_sub(&g, GRAPH_INITIALIZER, onnx_ints("s", (const int64_t[]){ -1, 64 }, 2));
	add_node(&g, "Conv", "x w", "c", "pads=[1 1 1 1] strides=[1 1] group=1 auto_pad='NOTSET'");
	add_node(&g, "Clip", "c _ _", "d", "");
	add_node(&g, "Reshape", "d s", "y", "allowzero=0");
	return onnx_model(8, 17, g);
}

static struct pb subgraph_model(void)
{
	struct pb g = graph_of("x", "y"), then = { 0 }, n = onnx_node("If", "c", "y", "if");
	static const float v[2] = { 5, 7 };
	struct pb s = { 0 };
	pb_sub(&s, 1, onnx_floats("k", "2", v));
	pb_sub(&s, 2, onnx_ints("", (const int64_t[]){ 1, 5 }, 2));
	pb_int(&s, 3, 2);
	pb_int(&s, 3, 3);
	pb_sub(&g, GRAPH_SPARSE, s);
	pb_sub(&g, GRAPH_INPUT, onnx_value("c", 9, ""));
	add_node(&then, "Add", "x k", "r", "");
	pb_sub(&then, GRAPH_OUTPUT, onnx_value("r", 1, "2 3"));
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_graph("then_branch", then));
	pb_sub(&g, GRAPH_NODE, n);
	struct pb c = onnx_node("Constant", "", "z", "const"), t = onnx_tensor("", 6, "2");
	pb_int(&t, TENSOR_INT32S, 1);
	pb_int(&t, TENSOR_INT32S, 2);
	pb_sub(&c, NODE_ATTRIBUTE, onnx_attr_tensor("value", t));
	pb_sub(&g, GRAPH_NODE, c);
	return onnx_model(9, 18, g);
}

static struct pb old_model(void)
{
	struct pb g = graph_of("", "y");
	static const float scales[4] = { 1, 1, 2, 2 };
	pb_sub(&g, GRAPH_INPUT, onnx_value("a", 1, "2 3 4 5"));
	pb_sub(&g, GRAPH_INPUT, onnx_value("b", 1, "3"));
	pb_sub(&g, GRAPH_INPUT, onnx_value("s", 1, "4"));
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("s", "4", scales));
	add_node(&g, "Add", "a b", "t", "broadcast=1 axis=1");
	add_node(&g, "Upsample", "t s", "y", "mode='nearest'");
	return onnx_model(3, 6, g);
}

/* ---- what must hold ------------------------------------------------------------------------------------- */

static int n_good, n_bad;

static bool sound(void)
{
	if (got.result == R_SUCCESS) {
		n_good++;
		return got.g != NULL;
	}
	n_bad++;
	bool said = false;
	for (int i = 0; i < vec_len(got.c->diags); i++)
		said |= got.c->diags[i].severity == SEV_ERROR && strlen(got.c->diags[i].text) > 5;
	if (got.result != R_INPUT || !said)
		diag_print(got.c, stdout);
	return got.result == R_INPUT && said;
}

static void damage(struct pb *m, const struct pb *other, uint64_t *seed)
{
	const int times = 1 + (int)below(seed, 4);
	for (int i = 0; i < times && m->n > 4; i++) {
		const size_t at = (size_t)below(seed, m->n), len = 1 + (size_t)below(seed, 12);
		const size_t end = at + len < m->n ? at + len : m->n;
		switch (below(seed, 7)) {
		case 0:
			m->p[at] ^= (unsigned char)(1 << below(seed, 8));
			break;
		case 1:
			m->p[at] = (unsigned char)below(seed, 256);
			break;
		case 2:		/* numbers at their limits */
			m->p[at] = (unsigned char[]){ 0, 1, 0x7f, 0x80, 0xff }[below(seed, 5)];
			break;
		case 3:		/* cut out */
			memmove(m->p + at, m->p + end, m->n - end);
			m->n -= end - at;
			break;
		case 4:		/* the end is lost */
			m->n = at;
			break;
		case 5: {	/* a piece is repeated: what follows moves on */
			struct pb piece = { 0 };
			pb_raw(&piece, m->p + at, m->n - at);
			m->n = end;
			pb_raw(m, piece.p, piece.n);
			pb_free(&piece);
			break;
		}
		default: {	/* a piece of another model in place */
			const size_t from = (size_t)below(seed, other->n);
			const size_t n = end - at < other->n - from ? end - at : other->n - from;
			memcpy(m->p + at, other->p + from, n);
		}
		}
	}
}

static void test_damaged_bytes(void)
{
	struct pb models[] = { function_model(), conv_model(), subgraph_model(), old_model() };
	enum { N = sizeof models / sizeof models[0] };
	const double start = seconds();
	int round = 0;
	for (; round < ROUNDS && seconds() - start < SECONDS; round++) {
		uint64_t seed = (uint64_t)round;
		struct pb m = { 0 };
		const struct pb *from = &models[round % N];
		pb_raw(&m, from->p, from->n);
		damage(&m, &models[below(&seed, N)], &seed);
		import_bytes(m.p, m.n, NULL);
		pb_free(&m);
		if (!sound()) {
			printf("round %d\n", round);
			CU_FAIL("an import without a sound result");
			break;
		}
	}
	printf("%d rounds, %d imported, %d refused ", round, n_good, n_bad);
	CU_ASSERT(n_bad > 0 && round > 100);
	for (int i = 0; i < N; i++)
		pb_free(&models[i]);
}

/* ---- models of random sense --------------------------------------------------------------------------------- */

static const char *const words[] = { "x", "y", "a", "b", "c", "d", "w", "k", "_", "f" };
static const char *const ops[] = { "Add", "Relu", "Conv", "Clip", "If", "Constant", "Reshape", "f",
	"Upsample", "Scatter", "BatchNormalization", "Cast", "Softmax", "Concat", "Gemm", "Identity" };
static const char *const names[] = { "axis", "alpha", "value", "then_branch", "body", "to", "pads",
	"broadcast", "mode", "scales", "value_ints", "shape" };

#define PICK(seed, list) (list)[below((seed), sizeof (list) / sizeof (list)[0])]

static struct pb random_tensor(uint64_t *seed)
{
	static const char *const dims[] = { "", "2", "2 3", "0", "-1", "1 2 3 4", "4294967296 4294967296" };
	struct pb t = onnx_tensor(PICK(seed, words), (int)below(seed, 29), PICK(seed, dims));
	const float raw[8] = { 1, 2, 3 };
	if (below(seed, 2))
		pb_bytes(&t, TENSOR_RAW, raw, (size_t)below(seed, 33));
	for (uint64_t k = below(seed, 4); k; k--)
		pb_int(&t, below(seed, 2) ? TENSOR_INT32S : TENSOR_INT64S, (int64_t)seed_next(seed));
	if (below(seed, 8) == 0)
		pb_int(&t, TENSOR_LOCATION, 1);
	return t;
}

static struct pb random_graph(uint64_t *seed, int depth);

static struct pb random_node(uint64_t *seed, int depth)
{
	char in[64] = "", out[16];
	for (uint64_t k = below(seed, 4); k; k--)
		snprintf(in + strlen(in), sizeof in - strlen(in), " %s", PICK(seed, words));
	snprintf(out, sizeof out, "%s", PICK(seed, words));
	struct pb n = onnx_node(PICK(seed, ops), in, out, PICK(seed, words));
	if (below(seed, 6) == 0)
		pb_str(&n, NODE_DOMAIN, below(seed, 2) ? "my" : "ai.onnx.ml");
	for (uint64_t k = below(seed, 3); k; k--) {
		const char *name = PICK(seed, names);
		struct pb a;
		switch (below(seed, 7)) {
		case 0: a = onnx_attr_int(name, (int64_t)seed_next(seed) >> below(seed, 64)); break;
		case 1: a = onnx_attr_float(name, seed_uniform(seed)); break;
		case 2: a = onnx_attr_str(name, PICK(seed, words)); break;
		case 3: a = onnx_attr_ints(name, "1 -1 9223372036854775807"); break;
		case 4: a = onnx_attr_tensor(name, random_tensor(seed)); break;
		case 5: a = onnx_attr_ref(name, (int)below(seed, 15), "alpha"); break;
		default:
			a = depth < 3 ? onnx_attr_graph(name, random_graph(seed, depth + 1))
				      : onnx_attr_int(name, 0);
		}
		pb_sub(&n, NODE_ATTRIBUTE, a);
	}
	return n;
}

static struct pb random_graph(uint64_t *seed, int depth)
{
	static const char *const dims[] = { "", "2 3", "n", "? 2", "n n n", "-5 2" };
	struct pb g = { 0 };
	for (uint64_t k = below(seed, 3); k; k--)
		pb_sub(&g, GRAPH_INPUT, onnx_value(PICK(seed, words), (int)below(seed, 29),
						   below(seed, 5) ? PICK(seed, dims) : NULL));
	for (uint64_t k = below(seed, 3); k; k--)
		pb_sub(&g, GRAPH_INITIALIZER, random_tensor(seed));
	for (uint64_t k = below(seed, 6); k; k--)
		pb_sub(&g, GRAPH_NODE, random_node(seed, depth));
	for (uint64_t k = below(seed, 3); k; k--)
		pb_sub(&g, GRAPH_OUTPUT, onnx_value(PICK(seed, words), 1, NULL));
	return g;
}

static struct pb random_model(uint64_t *seed)
{
	struct pb g = random_graph(seed, 0);
	/* some of them can succeed: operands that exist, in order */
	if (below(seed, 2)) {
		pb_free(&g);
		g = graph_of("x", "y");
		add_node(&g, "Relu", "x", "a", "");
		for (uint64_t k = below(seed, 2); k; k--)
			pb_sub(&g, GRAPH_INITIALIZER, random_tensor(seed));
		for (uint64_t k = below(seed, 2); k; k--)
			pb_sub(&g, GRAPH_NODE, random_node(seed, 0));
		add_node(&g, "Add", "a x", "y", "");
	}
	struct pb m = onnx_model((int)below(seed, 15), 1 + (int)below(seed, 28), g);
	if (below(seed, 2)) {
		struct pb f = { 0 };
		pb_str(&f, FUNCTION_NAME, "f");
		pb_str(&f, FUNCTION_DOMAIN, below(seed, 2) ? "" : "my");
		for (uint64_t k = below(seed, 3); k; k--)
			pb_str(&f, FUNCTION_INPUT, PICK(seed, words));
		for (uint64_t k = below(seed, 3); k; k--)
			pb_str(&f, FUNCTION_OUTPUT, PICK(seed, words));
		for (uint64_t k = below(seed, 4); k; k--)
			pb_sub(&f, FUNCTION_NODE, random_node(seed, 1));
		pb_sub(&m, MODEL_FUNCTION, f);
	}
	return m;
}

static void test_random_sense(void)
{
	const double start = seconds();
	int round = 0;
	n_good = n_bad = 0;
	for (; round < ROUNDS && seconds() - start < SECONDS; round++) {
		uint64_t seed = (uint64_t)round + 1000000;
		struct pb m = random_model(&seed);
		import_bytes(m.p, m.n, NULL);
		pb_free(&m);
		if (!sound()) {
			printf("round %d\n", round);
			CU_FAIL("an import without a sound result");
			break;
		}
	}
	printf("%d rounds, %d imported, %d refused ", round, n_good, n_bad);
	CU_ASSERT(n_bad > 0 && n_good > 0);
}

static void test_damaged_tensors(void)
{
	const double start = seconds();
	int round = 0, read = 0;
	for (; round < ROUNDS / 4 && seconds() - start < SECONDS / 3; round++) {
		uint64_t seed = (uint64_t)round + 2000000;
		struct pb t = random_tensor(&seed), other = random_tensor(&seed);
		if (below(&seed, 2))
			damage(&t, &other, &seed);
		ctx_free(got.c);
		got = (struct imported){ .c = ctx_new() };
		const struct tensor *r = import_tensor_bytes(got.c, t.p, t.n, NULL);
		read += r != NULL;
		pb_free(&t);
		pb_free(&other);
		if (!r && !got.c->n_errors) {
			CU_FAIL("a tensor refused without a word");
			break;
		}
	}
	printf("%d rounds, %d read ", round, read);
	CU_ASSERT(read > 0 && read < round);
}

static const struct test_row rows[] = {
	{ "damaged bytes", test_damaged_bytes }, { "random sense", test_random_sense },
	{ "damaged tensors", test_damaged_tensors },
};

int main(void)
{
	return run_tests("import: fuzzing", rows, sizeof rows / sizeof rows[0]);
}
