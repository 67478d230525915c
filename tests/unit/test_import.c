/* Tests of compiler/import: what a good model brings, feature by feature. */
#include "../tools/importing.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import/internal.h"
#include "ops/op.h"

/* ---- plain ---------------------------------------------------------------------------------------- */

static void test_plain(void)
{
	struct pb g = graph_of("x", "y");
	const float w[3] = { 1, 2, 3 };
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("w", "3", w));
	add_node(&g, "Add", "x w", "s", "");
	add_node(&g, "Relu", "s", "y", "");
	import_pb(onnx_model(8, 17, g));
	CU_ASSERT_FATAL(imports());
	CU_ASSERT_EQUAL(node_count(), 2);
	CU_ASSERT_EQUAL(got.g->opset, 17);
	CU_ASSERT_EQUAL(got.g->ir_version, 8);
	CU_ASSERT_STRING_EQUAL(got.g->producer, "onnx_writer");
	CU_ASSERT_EQUAL(vec_len(got.g->inputs), 1);
	CU_ASSERT_EQUAL(vec_len(got.g->outputs), 1);
	CU_ASSERT_STRING_EQUAL(got.g->outputs[0]->name, "y");
	CU_ASSERT_EQUAL(strlen(got.g->model_sha256), 64);
	const struct node *add = node_of("Add", 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(add->op);
	CU_ASSERT_PTR_EQUAL(add->in[0], got.g->inputs[0]);
	const struct tensor *t = add->in[1]->data;
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	CU_ASSERT(t->n == 3 && t->rank == 1 && t->dtype == DT_FLOAT);
	CU_ASSERT(memcmp(t->data, w, sizeof w) == 0);
	CU_ASSERT_EQUAL((uintptr_t)t->data % 16, 0);
}

/* An initializer that is also an input is a constant; the input's place is gone. */
static void test_input_with_initializer(void)
{
	struct pb g = graph_of("x w", "y");
	const float w[6] = { 1, 2, 3, 4, 5, 6 };
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("w", "2 3", w));
	add_node(&g, "Add", "x w", "y", "");
	import_pb(onnx_model(3, 8, g));
	CU_ASSERT_FATAL(imports());
	CU_ASSERT_EQUAL(vec_len(got.g->inputs), 1);
	CU_ASSERT_PTR_NOT_NULL(node_of("Add", 0)->in[1]->data);
}

/* An input that the caller fixes: a constant of the declared type and shape. */
static void test_fixed_input(void)
{
	struct ctx *c = ctx_new();
	struct import_options o = { 0 };
	static const int64_t dims[2] = { 2, 3 };
	for (int form = 0; form < 4; form++) {
		struct pb g = graph_of("", "y");
		struct tensor *t = tensor_new(c, form == 1 ? DT_DOUBLE : DT_FLOAT, 2, dims);
		pb_sub(&g, GRAPH_INPUT, onnx_value("x", 1, "2 3"));
		pb_sub(&g, GRAPH_INPUT, onnx_value("w", 1, form == 2 ? "2 4" : "n 3"));
		add_node(&g, "Add", "x w", "y", "");
		o.fixed = (struct map){ 0 };
		map_put(c, &o.fixed, form == 3 ? "z" : "w", t);
		struct pb m = onnx_model(8, 17, g);
		import_bytes(m.p, m.n, &o);
		pb_free(&m);
		if (form == 0) {
			CU_ASSERT_FATAL(imports());
			CU_ASSERT_EQUAL(vec_len(got.g->inputs), 1);
			CU_ASSERT_PTR_EQUAL(node_of("Add", 0)->in[1]->data, t);
		} else {
			CU_ASSERT_PTR_NULL(got.g);
			CU_ASSERT_EQUAL(told(form == 3 ? "no input \"z\"" : "the value given for it is"), 1);
		}
	}
	ctx_free(c);
}

static void test_optional_input(void)
{
	struct pb g = graph_of("x", "y");
	const float max = 1;
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("max", "", &max));
	add_node(&g, "Clip", "x _ max", "y", "");
	import_pb(onnx_model(8, 13, g));
	CU_ASSERT_FATAL(imports());
	CU_ASSERT_PTR_NULL(node_of("Clip", 0)->in[1]);
	CU_ASSERT_EQUAL(node_of("Clip", 0)->in[2]->data->rank, 0);
	/* trailing absences go */
	g = graph_of("x", "y");
	add_node(&g, "Clip", "x _ _", "y", "");
	import_pb(onnx_model(8, 13, g));
	CU_ASSERT_FATAL(imports());
	CU_ASSERT_EQUAL(vec_len(node_of("Clip", 0)->in), 1);
}

static void test_attributes(void)
{
	struct pb g = graph_of("", "y"), n;
	pb_sub(&g, GRAPH_INPUT, onnx_value("x", 1, "1 2 8 8"));
	const float w[18] = { 0 };
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("w", "1 2 3 3", w));
	n = onnx_node("Conv", "x w", "c", "conv");
	onnx_attrs(&n, "pads=[1 1 1 1] strides=[2 2] group=1 auto_pad='NOTSET'");
	pb_sub(&g, GRAPH_NODE, n);
	add_node(&g, "LeakyRelu", "c", "y", "alpha=0.25");
	import_pb(onnx_model(8, 17, g));
	CU_ASSERT_FATAL(imports());
	int count;
	const int64_t *pads = attr_ints(node_of("Conv", 0), "pads", &count);
	CU_ASSERT_EQUAL_FATAL(count, 4);
	CU_ASSERT_EQUAL(pads[3], 1);
	CU_ASSERT_EQUAL(attr_int(node_of("Conv", 0), "group", 7), 1);
	CU_ASSERT_STRING_EQUAL(attr_str(node_of("Conv", 0), "auto_pad", ""), "NOTSET");
	CU_ASSERT_EQUAL(attr_float(node_of("LeakyRelu", 0), "alpha", 0), 0.25);
}

/* ---- constants ----------------------------------------------------------------------------------------- */

static const struct tensor *constant(struct pb attribute)
{
	struct pb g = graph_of("", ""), n = onnx_node("Constant", "", "y", "k");
	pb_sub(&g, GRAPH_OUTPUT, onnx_value("y", 1, NULL));
	pb_sub(&n, NODE_ATTRIBUTE, attribute);
	pb_sub(&g, GRAPH_NODE, n);
	import_pb(onnx_model(8, 17, g));
	return imports() && vec_len(got.g->outputs) ? got.g->outputs[0]->data : NULL;
}

static void test_constant_nodes(void)
{
	const struct tensor *t = constant(onnx_attr_float("value_float", 1.5f));
	CU_ASSERT_FATAL(t && t->rank == 0 && *(float *)t->data == 1.5f);
	t = constant(onnx_attr_ints("value_ints", "4 -5 6"));
	CU_ASSERT_FATAL(t && t->n == 3 && t->dtype == DT_INT64 && ((int64_t *)t->data)[1] == -5);
	t = constant(onnx_attr_int("value_int", -3));
	CU_ASSERT_FATAL(t && t->rank == 0 && ((int64_t *)t->data)[0] == -3);
	t = constant(onnx_attr_str("value_string", "abc"));
	CU_ASSERT_FATAL(t && t->dtype == DT_STRING);
	CU_ASSERT_STRING_EQUAL(((const char **)t->data)[0], "abc");
	const float f[2] = { 3, 4 };
	t = constant(onnx_attr_tensor("value", onnx_floats("", "2", f)));
	CU_ASSERT_FATAL(t && t->n == 2 && ((float *)t->data)[1] == 4);
}

/* Indices as positions, and as coordinates. */
static void test_sparse(void)
{
	const float v[2] = { 5, 7 };
	const int64_t at[2] = { 1, 5 }, where[4] = { 0, 1, 1, 2 };
	for (int form = 0; form < 2; form++) {
		struct pb g = graph_of("x", "y"), s = { 0 };
		pb_sub(&s, 1, onnx_floats("w", "2", v));
		pb_sub(&s, 2, form ? onnx_tensor_raw("", 7, "2 2", where, sizeof where)
				   : onnx_ints("", at, 2));
		pb_int(&s, 3, 2);
		pb_int(&s, 3, 3);
		pb_sub(&g, GRAPH_SPARSE, s);
		add_node(&g, "Add", "x w", "y", "");
		import_pb(onnx_model(8, 17, g));
		CU_ASSERT_FATAL(imports());
		const struct tensor *t = node_of("Add", 0)->in[1]->data;
		const float want[6] = { 0, 5, 0, 0, 0, 7 };
		CU_ASSERT(t->n == 6 && t->rank == 2 && memcmp(t->data, want, sizeof want) == 0);
	}
}

/* ---- dtypes ---------------------------------------------------------------------------------------------- */

static struct tensor *tensor_of(struct pb t)
{
	ctx_free(got.c);
	got = (struct imported){ .c = ctx_new() };
	struct tensor *r = import_tensor_bytes(got.c, t.p, t.n, NULL);
	pb_free(&t);
	return r;
}

/* n elements of each dtype, raw; 4-bit and 2-bit types packed. */
static void test_raw_dtypes(void)
{
	unsigned char raw[64];
	for (int i = 0; i < 64; i++)
		raw[i] = (unsigned char)(i * 37 + 11);
	for (int d = DT_FLOAT; d < DT_COUNT; d++) {
		if (d == DT_STRING)
			continue;
		const bool four = d == DT_UINT4 || d == DT_INT4 || d == DT_FLOAT4E2M1;
		const bool two = d == DT_UINT2 || d == DT_INT2;
		const size_t bytes = four ? 2 : two ? 1 : 3 * (size_t)dtype_size((enum dtype)d);
		const struct tensor *t = tensor_of(onnx_tensor_raw("t", d, "3", raw, bytes));
		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		CU_ASSERT(t->n == 3 && (int)t->dtype == d);
		const unsigned char *b = t->data;
		if (four || two) {
			/* 0x0b 0x30 (11, 48): low nibble first; 11 is 0b00001011 */
			const int v4[3] = { 11, 0, 0 }, v2[3] = { 3, 2, 0 };
			const int bits = four ? 4 : 2;
			for (int i = 0; i < 3; i++) {
				int want = four ? v4[i] : v2[i];
				if ((d == DT_INT4 || d == DT_INT2) && want >> (bits - 1))
					want -= 1 << bits;
				CU_ASSERT_EQUAL((int)(signed char)b[i], want);
			}
		} else if (d == DT_BOOL) {
			CU_ASSERT(b[0] == 1 && b[1] == 1 && b[2] == 1);
		} else {
			CU_ASSERT(memcmp(b, raw, bytes) == 0);
		}
	}
}

static void test_typed_data(void)
{
	struct pb t = onnx_tensor("t", DT_FLOAT16, "2");
	pb_int(&t, TENSOR_INT32S, 0x3c00);	/* not packed: readers take both */
	pb_int(&t, TENSOR_INT32S, 0x4000);
	const struct tensor *r = tensor_of(t);
	CU_ASSERT_FATAL(r && ((uint16_t *)r->data)[1] == 0x4000);

	static const struct { int dtype; int64_t in, out; } ints[] = {
		{ DT_INT8, -5, -5 }, { DT_UINT8, 250, 250 }, { DT_INT16, -300, -300 },
		{ DT_UINT16, 65000, 65000 }, { DT_INT32, -70000, -70000 }, { DT_BOOL, 2, 1 } };
	for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
		t = onnx_tensor("t", ints[i].dtype, "");
		pb_int(&t, TENSOR_INT32S, ints[i].in);
		r = tensor_of(t);
		CU_ASSERT_FATAL(r && tensor_get_i(r, 0) == ints[i].out);
	}
	t = onnx_tensor("t", DT_INT4, "3");
	struct pb packed = { 0 };
	pb_varint(&packed, 0x9f);	/* 15 = -1, 9 = -7 */
	pb_varint(&packed, 0x07);
	pb_sub(&t, TENSOR_INT32S, packed);
	r = tensor_of(t);
	CU_ASSERT_FATAL(r && ((int8_t *)r->data)[0] == -1 && ((int8_t *)r->data)[1] == -7 &&
			((int8_t *)r->data)[2] == 7);
	t = onnx_tensor("t", DT_UINT32, "1");
	pb_int(&t, TENSOR_UINT64S, 4000000000);
	r = tensor_of(t);
	CU_ASSERT_FATAL(r && *(uint32_t *)r->data == 4000000000u);
	t = onnx_tensor("t", DT_INT64, "1");
	pb_int(&t, TENSOR_INT64S, -9);
	r = tensor_of(t);
	CU_ASSERT_FATAL(r && *(int64_t *)r->data == -9);
	t = onnx_tensor("t", DT_COMPLEX64, "1");
	pb_float(&t, TENSOR_FLOATS, 1);
	pb_float(&t, TENSOR_FLOATS, 2);
	r = tensor_of(t);
	CU_ASSERT_FATAL(r && ((float *)r->data)[1] == 2);
	t = onnx_tensor("t", DT_DOUBLE, "2");
	const double d[2] = { 0.1, -0.2 };
	pb_bytes(&t, TENSOR_DOUBLES, d, sizeof d);
	r = tensor_of(t);
	CU_ASSERT_FATAL(r && memcmp(r->data, d, sizeof d) == 0);
	t = onnx_tensor("t", DT_STRING, "2");
	pb_str(&t, TENSOR_STRINGS, "a");
	pb_str(&t, TENSOR_STRINGS, "");
	r = tensor_of(t);
	CU_ASSERT_FATAL(r && str_eq(((const char **)r->data)[0], "a") &&
			str_eq(((const char **)r->data)[1], ""));
	r = tensor_of(onnx_tensor("t", DT_FLOAT, "2 0 3"));
	CU_ASSERT_FATAL(r && r->n == 0 && r->data);
}

/* ---- external data ------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/ampoule-import-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[4][512];
	static int turn;
	char *p = path[turn++ % 4];
	snprintf(p, 512, "%s/%s", folder, name);
	return p;
}

static void write_file(const char *name, const void *p, size_t n)
{
	struct pb f = { 0 };
	pb_raw(&f, p, n);
	CU_ASSERT_FATAL(pb_write(&f, in_folder(name)));
	pb_free(&f);
}

static struct pb external(const char *location, const char *offset, const char *length)
{
	struct pb t = onnx_tensor("w", 1, "2 3");
	const char *const keys[] = { "location", "offset", "length" };
	const char *const values[] = { location, offset, length };
	for (int i = 0; i < 3; i++) {
		struct pb e = { 0 };
		if (!values[i])
			continue;
		pb_str(&e, 1, keys[i]);
		pb_str(&e, 2, values[i]);
		pb_sub(&t, TENSOR_EXTERNAL, e);
	}
	pb_int(&t, TENSOR_LOCATION, 1);
	return t;
}

static void import_external(const char *location, const char *offset, const char *length)
{
	struct pb g = graph_of("x", "y");
	pb_sub(&g, GRAPH_INITIALIZER, external(location, offset, length));
	add_node(&g, "Add", "x w", "y", "");
	struct pb m = onnx_model(8, 17, g);
	CU_ASSERT_FATAL(pb_write(&m, in_folder("m.onnx")));
	pb_free(&m);
	import_path(in_folder("m.onnx"), NULL);
}

/* of the eight floats below, by sha256sum */
#define V_SHA256 "a92be926754cc30e855f06b631806de78e7507d4a8240cbda62f58bf723d9da7"

static void test_external(void)
{
	const float v[8] = { 9, 9, 1, 2, 3, 4, 5, 6 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	CU_ASSERT_EQUAL(mkdir(in_folder("sub"), 0700), 0);
	write_file("w.bin", v, sizeof v);
	write_file("sub/w.bin", v, sizeof v);
	CU_ASSERT_EQUAL(symlink("w.bin", in_folder("inside")), 0);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", in_folder("outside")), 0);
	CU_ASSERT_EQUAL(symlink("/etc", in_folder("etc")), 0);

	const char *const good[] = { "w.bin", "./w.bin", "sub/w.bin", "inside" };
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		import_external(good[i], "8", i ? "24" : NULL);
		CU_ASSERT_FATAL(imports());
		CU_ASSERT(memcmp(node_of("Add", 0)->in[1]->data->data, v + 2, 24) == 0);
		CU_ASSERT_EQUAL_FATAL(vec_len(got.g->data_files), 1);
		CU_ASSERT_STRING_EQUAL(got.g->data_files[0].name, good[i]);
		CU_ASSERT_EQUAL(got.g->data_files[0].bytes, 32);
		CU_ASSERT_STRING_EQUAL(got.g->data_files[0].sha256, V_SHA256);
	}
	static const struct { const char *location, *offset, *length, *message; } bad[] = {
		{ "/etc/passwd", NULL, NULL, "outside the model's folder" },
		{ "../w.bin", NULL, NULL, "outside the model's folder" },
		{ "sub/../../x", NULL, NULL, "outside the model's folder" },
		{ "sub/..", NULL, NULL, "outside the model's folder" },
		{ "", NULL, NULL, "outside the model's folder" },
		{ "outside", NULL, NULL, "symbolic link that leaves" },
		{ "etc/passwd", NULL, NULL, "symbolic link that leaves" },
		{ "none.bin", NULL, NULL, "cannot be read" },
		{ "sub", NULL, NULL, "not a regular file" },
		{ "w.bin", "12", NULL, "which has only 32" },
		{ "w.bin", "99999999999999999999", NULL, "not a number" },
		{ "w.bin", "9223372036854775807", NULL, "which has only 32" },
		{ "w.bin", "-4", NULL, "not a number" },
		{ "w.bin", NULL, "20", "need 24 bytes" },
		{ NULL, NULL, NULL, "names no file" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		import_external(bad[i].location, bad[i].offset, bad[i].length);
		CU_ASSERT(fails_with(1, bad[i].message));
	}
	/* a model that is itself a link: its data lie beside its true place */
	CU_ASSERT_EQUAL(mkdir(in_folder("links"), 0700), 0);
	import_external("w.bin", "8", NULL);
	CU_ASSERT_EQUAL(symlink("../m.onnx", in_folder("links/m.onnx")), 0);
	CU_ASSERT_EQUAL(symlink("../w.bin", in_folder("links/w.bin")), 0);
	import_path(in_folder("links/m.onnx"), NULL);
	CU_ASSERT(imports());
	const char *const made[] = { "links/m.onnx", "links/w.bin", "links", "etc", "outside", "inside",
		"sub/w.bin", "sub", "w.bin", "m.onnx", "" };
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
		CU_ASSERT_EQUAL(remove(in_folder(made[i])), 0);
}

/* ---- dimensions ----------------------------------------------------------------------------------------- */

static struct pb symbolic(void)
{
	struct pb g = { 0 };
	pb_sub(&g, GRAPH_INPUT, onnx_value("x", 1, "batch 3 h"));
	pb_sub(&g, GRAPH_INPUT, onnx_value("z", 1, "batch 1 h"));
	pb_sub(&g, GRAPH_OUTPUT, onnx_value("y", 1, "batch 3 h"));
	add_node(&g, "Add", "x z", "y", "");
	return onnx_model(8, 17, g);
}

static void test_dims(void)
{
	/* one fault a symbol, however often it occurs */
	import_pb(symbolic());
	CU_ASSERT(fails_with(2, "--dim batch=1"));
	CU_ASSERT_EQUAL(told("--dim h=1"), 1);
	import_with(symbolic(), "batch=4", NULL);
	CU_ASSERT(fails_with(1, "--dim h=1"));
	/* --shape binds the symbols for the other input too */
	import_with(symbolic(), NULL, "x=4x3x9");
	CU_ASSERT_FATAL(imports());
	const struct type *t = &got.g->inputs[1]->type;
	CU_ASSERT(t->dim[0].value == 4 && t->dim[1].value == 1 && t->dim[2].value == 9);
	CU_ASSERT_STRING_EQUAL(t->dim[2].symbol, "h");
	import_with(symbolic(), "batch=2", "x=4x3x9");
	CU_ASSERT(fails_with(1, "is 2 by --dim batch=2"));
	import_with(symbolic(), NULL, "x=4x5x9");
	CU_ASSERT(fails_with(1, "dimension 1 is fixed to 3"));
	import_with(symbolic(), NULL, "x=4x3");
	CU_ASSERT_PTR_NULL(got.g);
	CU_ASSERT_EQUAL(told("gives 2 dimensions, the model has 3"), 1);
	import_with(symbolic(), "bath=2", "x=4x3x9");
	CU_ASSERT(fails_with(1, "no dimension of that name; it has \"batch\", \"h\""));
	import_with(symbolic(), NULL, "w=4x3x9");
	CU_ASSERT_PTR_NULL(got.g);
	CU_ASSERT_EQUAL(told("the model has no input \"w\""), 1);
	/* wrong usage */
	static const char *const wrong[] = { "batch", "batch=", "=3", "batch=x", "batch=0", "batch=-1",
		"batch=99999999999999999999" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		import_with(symbolic(), wrong[i], NULL);
		CU_ASSERT_EQUAL(got.result, R_USAGE);
	}
	static const char *const wrong_shape[] = { "x=1x", "x=x1", "x=1,2", "x=1xx2",
		"x=1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1" };
	for (size_t i = 0; i < sizeof wrong_shape / sizeof wrong_shape[0]; i++) {
		import_with(symbolic(), NULL, wrong_shape[i]);
		CU_ASSERT_EQUAL(got.result, R_USAGE);
	}
}

static void test_open_dims(void)
{
	for (int form = 0; form < 2; form++) {
		for (int given = 0; given < 2; given++) {
			struct pb g = graph_of("", "y");
			pb_sub(&g, GRAPH_INPUT, onnx_value("x", 1, form ? NULL : "? 3"));
			add_node(&g, "Relu", "x", "y", "");
			import_with(onnx_model(8, 17, g), NULL, given ? "x=5x3" : NULL);
			if (given) {
				CU_ASSERT_FATAL(imports());
				CU_ASSERT_EQUAL(got.g->inputs[0]->type.dim[0].value, 5);
				CU_ASSERT_EQUAL(got.g->inputs[0]->type.rank, 2);
			} else {
				CU_ASSERT(fails_with(1, form ? "it has no shape" : "--shape x=1x3"));
			}
		}
	}
}

/* ---- functions -------------------------------------------------------------------------------------------- */

static struct pb function(const char *name, const char *in, const char *out)
{
	struct pb f = { 0 };
	char w[64];
	int used;
	pb_str(&f, FUNCTION_NAME, name);
	pb_str(&f, FUNCTION_DOMAIN, "my");
	for (; sscanf(in, " %63s%n", w, &used) == 1; in += used)
		pb_str(&f, FUNCTION_INPUT, w);
	for (; sscanf(out, " %63s%n", w, &used) == 1; out += used)
		pb_str(&f, FUNCTION_OUTPUT, w);
	pb_sub(&f, FUNCTION_OPSET, onnx_opset("", 18));
	pb_sub(&f, FUNCTION_OPSET, onnx_opset("my", 1));
	return f;
}

static struct pb call(const char *name, const char *in, const char *out, const char *node)
{
	struct pb n = onnx_node(name, in, out, node);
	pb_str(&n, NODE_DOMAIN, "my");
	return n;
}

static void body(struct pb *f, struct pb n)
{
	pb_sub(f, FUNCTION_NODE, n);
}

static struct pb with_function(struct pb g, struct pb f)
{
	struct pb m = onnx_model(10, 17, g);
	pb_sub(&m, MODEL_OPSET, onnx_opset("my", 1));
	pb_sub(&m, MODEL_FUNCTION, f);
	return m;
}

static void test_function(void)
{
	/* twice(a) = leaky(a) + a; leaky's alpha is the caller's, or 0.5 */
	struct pb f = function("twice", "a", "r"), n = onnx_node("LeakyRelu", "a", "t", "leaky");
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_ref("alpha", 1, "slope"));
	body(&f, n);
	body(&f, onnx_node("Add", "t a", "r", "sum"));
	pb_sub(&f, FUNCTION_DEFAULT, onnx_attr_float("slope", 0.5f));
	struct pb g = graph_of("x", "y");
	n = call("twice", "x", "t", "first");
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_float("slope", 0.125f));
	pb_sub(&g, GRAPH_NODE, n);
	pb_sub(&g, GRAPH_NODE, call("twice", "t", "y", "second"));
	import_pb(with_function(g, f));
	CU_ASSERT_FATAL(imports());
	CU_ASSERT_EQUAL(node_count(), 4);
	CU_ASSERT_EQUAL(attr_float(node_of("LeakyRelu", 0), "alpha", 0), 0.125);
	CU_ASSERT_EQUAL(attr_float(node_of("LeakyRelu", 1), "alpha", 0), 0.5);
	CU_ASSERT_STRING_EQUAL(node_of("LeakyRelu", 0)->name, "first/leaky");
	CU_ASSERT_STRING_EQUAL(node_of("LeakyRelu", 0)->out[0]->name, "first/t");
	CU_ASSERT_STRING_EQUAL(node_of("Add", 0)->out[0]->name, "t");
	CU_ASSERT_PTR_EQUAL(node_of("LeakyRelu", 1)->in[0], node_of("Add", 0)->out[0]);
	CU_ASSERT_STRING_EQUAL(got.g->outputs[0]->name, "y");
}

/* Bodies chosen by overload; a body that calls another; optional parameters; a body without nodes. */
static void test_function_forms(void)
{
	struct pb f[4], g = graph_of("x", "y"), n;
	f[0] = function("act", "a b", "r");
	pb_str(&f[0], FUNCTION_OVERLOAD, "relu");
	body(&f[0], onnx_node("Relu", "a", "r", ""));
	f[1] = function("act", "a b", "r");
	pb_str(&f[1], FUNCTION_OVERLOAD, "sum");
	body(&f[1], onnx_node("Add", "a b", "r", ""));
	f[2] = function("outer", "a b", "r");		/* b is left out by the caller */
	n = call("act", "a b", "t", "inner");
	pb_str(&n, NODE_OVERLOAD, "relu");
	body(&f[2], n);
	n = call("act", "a t", "r", "inner");
	pb_str(&n, NODE_OVERLOAD, "sum");
	body(&f[2], n);
	f[3] = function("same", "a", "a");
	pb_sub(&g, GRAPH_NODE, call("outer", "x", "t", "o"));
	pb_sub(&g, GRAPH_NODE, call("same", "t", "y", "s"));
	struct pb m = with_function(g, f[0]);
	for (int i = 1; i < 4; i++)
		pb_sub(&m, MODEL_FUNCTION, f[i]);
	import_pb(m);
	CU_ASSERT_FATAL(imports());
	CU_ASSERT_EQUAL(node_count(), 3);		/* Relu, Add, and Identity for the name y */
	CU_ASSERT_STRING_EQUAL(node_of("Relu", 0)->out[0]->name, "o/t");
	CU_ASSERT_STRING_EQUAL(got.g->outputs[0]->name, "y");
	CU_ASSERT_PTR_EQUAL(node_of("Add", 0)->in[1], node_of("Relu", 0)->out[0]);
}

/* ---- subgraphs ---------------------------------------------------------------------------------------------- */

static struct pb branch(const char *op, const char *in)
{
	struct pb g = { 0 };
	pb_str(&g, GRAPH_NAME, "branch");
	pb_sub(&g, GRAPH_NODE, onnx_node(op, in, "inner", ""));
	pb_sub(&g, GRAPH_OUTPUT, onnx_value("inner", 1, "2 3"));
	return g;
}

/* The graph is built as the import does, so that the test does not need operator If to be supported. */
static void test_subgraph(void)
{
	struct pb g = graph_of("x", "y"), n = onnx_node("If", "c", "y", "if");
	pb_sub(&g, GRAPH_INPUT, onnx_value("c", 9, ""));
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_graph("then_branch", branch("Relu", "s")));
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_graph("else_branch", branch("Neg", "x")));
	add_node(&g, "Add", "x x", "s", "");
	pb_sub(&g, GRAPH_NODE, n);
	ctx_free(got.c);
	got = (struct imported){ .c = ctx_new() };
	struct importer im = { .c = got.c };
	struct graph *to = graph_new(got.c, "test");
	map_put(got.c, &im.opsets, "", (void *)(uintptr_t)18);
	struct scope s = { .im = &im, .g = to, .opsets = &im.opsets, .prefix = "" };
	const Onnx__GraphProto *p = (const Onnx__GraphProto *)wire_unpack(got.c,
		&onnx__graph_proto__descriptor, g.p, g.n, "graph");
	pb_free(&g);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	graph_build(&s, p, true);
	CU_ASSERT_EQUAL_FATAL(got.c->n_errors, 0);
	got.g = to;
	graph_verify(to, "import");
	const struct node *i = node_of("If", 0);
	const struct graph *then = attr_graph(i, "then_branch"), *other = attr_graph(i, "else_branch");
	CU_ASSERT_FATAL(then && other);
	CU_ASSERT(then->parent == to && then->owner == i);
	CU_ASSERT_PTR_EQUAL(then->first->in[0], node_of("Add", 0)->out[0]);
	CU_ASSERT_PTR_EQUAL(other->first->in[0], to->inputs[0]);
}

/* ---- upgrades ------------------------------------------------------------------------------------------------ */

/* Operator set 6: B aligned at an axis of A becomes B with ones behind. */
static void test_old_broadcast(void)
{
	struct pb g = graph_of("", "y");
	pb_sub(&g, GRAPH_INPUT, onnx_value("a", 1, "2 3 4 5"));
	pb_sub(&g, GRAPH_INPUT, onnx_value("b", 1, "3"));
	add_node(&g, "Add", "a b", "y", "broadcast=1 axis=1");
	import_pb(onnx_model(3, 6, g));
	CU_ASSERT_FATAL(imports());
	const struct node *u = node_of("Unsqueeze", 0), *add = node_of("Add", 0);
	CU_ASSERT_FATAL(u && add && u->next == add);
	CU_ASSERT_PTR_NULL(attr_find(add, "axis"));
	CU_ASSERT_PTR_NULL(attr_find(add, "broadcast"));
	const struct tensor *axes = u->in[1]->data;
	CU_ASSERT(axes->n == 2 && tensor_get_i(axes, 0) == 1 && tensor_get_i(axes, 1) == 2);
	CU_ASSERT_PTR_EQUAL(add->in[1], u->out[0]);
}

/* Operator set 6: one slope for each channel; one slope for all stays as it is. */
static void test_old_prelu(void)
{
	for (int per_channel = 0; per_channel < 2; per_channel++) {
		struct pb g = graph_of("", "y");
		pb_sub(&g, GRAPH_INPUT, onnx_value("a", 1, "2 3 4 5"));
		pb_sub(&g, GRAPH_INPUT, onnx_value("s", 1, per_channel ? "3" : "1"));
		add_node(&g, "PRelu", "a s", "y", "");
		import_pb(onnx_model(3, 6, g));
		CU_ASSERT_FATAL(imports());
		CU_ASSERT_EQUAL(!!node_of("Unsqueeze", 0), per_channel);
	}
}

/* Upsample 9 is Resize with the coordinates that it always had. */
static void test_upsample(void)
{
	struct pb g = graph_of("", "y");
	const float scales[4] = { 1, 1, 2, 2 };
	pb_sub(&g, GRAPH_INPUT, onnx_value("x", 1, "1 3 4 5"));
	pb_sub(&g, GRAPH_INITIALIZER, onnx_floats("s", "4", scales));
	add_node(&g, "Upsample", "x s", "y", "mode='nearest'");
	import_pb(onnx_model(4, 9, g));
	CU_ASSERT_FATAL(imports());
	const struct node *r = node_of("Resize", 0);
	CU_ASSERT_FATAL(r && r->op && vec_len(r->in) == 3);
	CU_ASSERT_PTR_NULL(r->in[1]);
	CU_ASSERT(memcmp(r->in[2]->data->data, scales, sizeof scales) == 0);
	CU_ASSERT_STRING_EQUAL(attr_str(r, "coordinate_transformation_mode", ""), "asymmetric");
	CU_ASSERT_STRING_EQUAL(attr_str(r, "nearest_mode", ""), "floor");
	CU_ASSERT_EQUAL(r->version, r->op->since);
}

static const struct test_row rows[] = {
	{ "a plain model", test_plain }, { "input with initializer", test_input_with_initializer },
	{ "inputs fixed by the caller", test_fixed_input }, { "absent inputs", test_optional_input }, { "attributes", test_attributes },
	{ "Constant nodes", test_constant_nodes }, { "sparse initializers", test_sparse },
	{ "raw data of every dtype", test_raw_dtypes }, { "typed data", test_typed_data },
	{ "external data", test_external }, { "symbolic dimensions", test_dims },
	{ "open dimensions", test_open_dims }, { "functions", test_function },
	{ "functions: overloads, nesting, absence", test_function_forms },
	{ "subgraphs", test_subgraph }, { "broadcasting before operator set 7", test_old_broadcast },
	{ "PRelu before operator set 7", test_old_prelu }, { "Upsample is Resize", test_upsample },
};

int main(void)
{
	return run_tests("import", rows, sizeof rows / sizeof rows[0]);
}
