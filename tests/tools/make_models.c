/*
 * make_models.c - writes the small models that tests/cli uses, and an input for each.
 *
 *   make_models NAME OUT.onnx	also writes OUT.in0.npy, OUT.in1.npy, ...
 *   make_models --list		the names
 *
 * Goes in: a name.  Comes out: a model with seeded weights, and seeded inputs of its shapes.  The good ones
 * cover what an emitted folder can meet: one and several inputs and outputs, several dtypes, channels that do not
 * fill a block of 16, no weights at all, every kernel there is (tests/cli/emitted.sh sees to it).  The others are at fault in a
 * known way.
 */
#include "onnx_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out { struct pb graph; const char *path; uint64_t seed; int n_in; };

static void node(struct out *o, const char *op, const char *in, const char *out, const char *attrs)
{
	char name[96];
	snprintf(name, sizeof name, "/%.60s/%s", out, op);
	struct pb n = onnx_node(op, in, out, name);
	onnx_attrs(&n, attrs);
	pb_sub(&o->graph, GRAPH_NODE, n);
}

static size_t elements(const char *dims)
{
	size_t n = 1;
	char *end;
	for (const char *s = dims; *s; s = *end ? end + 1 : end)
		n *= strtoull(s, &end, 10);
	return n;
}

static void weights(struct out *o, const char *name, const char *dims, float mean, float scale)
{
	const size_t n = elements(dims);
	float *v = malloc(n * sizeof *v);
	if (!v)
		exit(1);
	for (size_t i = 0; i < n; i++)
		v[i] = mean + scale * seed_uniform(&o->seed);
	pb_sub(&o->graph, GRAPH_INITIALIZER, onnx_floats(name, dims, v));
	free(v);
}

static void ints(struct out *o, const char *name, int64_t a, int64_t b, int n)
{
	const int64_t v[2] = { a, b };
	pb_sub(&o->graph, GRAPH_INITIALIZER, onnx_ints(name, v, n));
}

/* A .npy file of version 1.0: seeded floats, or ints below `below`. */
static void npy(struct out *o, const char *dims, int dtype, int below)
{
	char path[4096], shape[128] = "", head[256];
	snprintf(path, sizeof path, "%.*s.in%d.npy", (int)(strlen(o->path) - 5), o->path, o->n_in);
	for (const char *s = dims; *s; s++)
		snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%c", *s == ' ' ? ',' : *s);
	int n = snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }",
			 dtype == 7 ? "<i8" : "<f4", shape, *dims ? "," : "");
	for (; (n + 11) % 64; n++)
		head[n] = ' ';
	head[n++] = '\n';
	FILE *f = fopen(path, "wb");
	bool ok = f && fwrite("\x93NUMPY\1\0", 1, 8, f) == 8 && fputc(n & 255, f) >= 0 &&
		  fputc(n >> 8, f) >= 0 && fwrite(head, 1, (size_t)n, f) == (size_t)n;
	for (size_t i = 0; ok && i < elements(dims); i++) {
		const float x = seed_uniform(&o->seed);
		const int64_t k = (int64_t)(seed_next(&o->seed) % (uint64_t)below);
		ok = dtype == 7 ? fwrite(&k, 8, 1, f) == 1 : fwrite(&x, 4, 1, f) == 1;
	}
	if (!ok || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void input(struct out *o, const char *name, int dtype, const char *dims, int below)
{
	pb_sub(&o->graph, GRAPH_INPUT, onnx_value(name, dtype, dims));
	npy(o, dims, dtype, below);
	o->n_in++;
}

static void output(struct out *o, const char *name, int dtype, const char *dims)
{
	pb_sub(&o->graph, GRAPH_OUTPUT, onnx_value(name, dtype, dims));
}

/* ---- good ones ------------------------------------------------------------------------------------- */

/* A classifier of 12 x 12 pictures into three classes; it ends in Softmax. */
static void tiny(struct out *o)
{
	input(o, "image", 1, "1 3 12 12", 1);
	weights(o, "w1", "20 3 3 3", 0, 0.4f);
	weights(o, "b1", "20", 0, 0.1f);
	node(o, "Conv", "image w1 b1", "c1", "pads=[1 1 1 1] strides=[2 2]");
	node(o, "Relu", "c1", "r1", "");
	weights(o, "w2", "20 20 3 3", 0, 0.15f);
	node(o, "Conv", "r1 w2", "c2", "pads=[1 1 1 1]");
	weights(o, "scale", "20", 1, 0.2f);
	weights(o, "shift", "20", 0, 0.2f);
	weights(o, "mean", "20", 0, 0.2f);
	weights(o, "var", "20", 1, 0.2f);
	node(o, "BatchNormalization", "c2 scale shift mean var", "n2", "epsilon=1e-5");
	node(o, "Add", "n2 r1", "s2", "");
	node(o, "Relu", "s2", "r2", "");
	node(o, "MaxPool", "r2", "p2", "kernel_shape=[2 2] strides=[2 2]");
	node(o, "GlobalAveragePool", "p2", "gap", "");
	node(o, "Flatten", "gap", "flat", "axis=1");
	weights(o, "w3", "3 20", 0, 0.5f);
	weights(o, "b3", "3", 0, 0.1f);
	node(o, "Gemm", "flat w3 b3", "logits", "transB=1");
	node(o, "Softmax", "logits", "probabilities", "axis=1");
	output(o, "probabilities", 1, "1 3");
}

/* Two inputs of two types, outputs of four. */
static void several(struct out *o)
{
	input(o, "x", 1, "10 7", 1);
	input(o, "rows", 7, "4", 10);
	node(o, "Gather", "x rows", "picked", "axis=0");
	node(o, "ArgMax", "picked", "best", "axis=1 keepdims=0");
	node(o, "ReduceMax", "picked", "top", "axes=[1] keepdims=1");
	node(o, "GreaterOrEqual", "picked top", "where", "");
	node(o, "Cast", "picked", "wide", "to=11");
	output(o, "picked", 1, "4 7");
	output(o, "best", 7, "4");
	output(o, "where", 9, "4 7");
	output(o, "wide", 11, "4 7");
}

/* Steps large enough for several threads: loops of every form, reductions, moves, products, and a bad index. */
static void wide(struct out *o)
{
	input(o, "x", 1, "3 37 611", 1);
	input(o, "rows", 7, "50", 37);
	node(o, "Tanh", "x", "t", "");
	node(o, "Mul", "t x", "tx", "");			/* a chain over one long axis, with a rest */
	weights(o, "row", "611", 0, 1);
	weights(o, "column", "37 1", 0, 1);
	node(o, "Add", "tx row", "a", "");
	node(o, "Mul", "a column", "b", "");			/* over three axes */
	node(o, "Cast", "b", "d", "to=11");
	node(o, "Exp", "d", "e", "");				/* one element at a time */
	node(o, "Gather", "b rows", "g", "axis=1");
	node(o, "Transpose", "g", "gt", "perm=[2 0 1]");
	node(o, "ReduceMean", "gt", "mean", "axes=[0] keepdims=1");
	node(o, "ReduceMax", "b", "most", "axes=[2] keepdims=0");
	weights(o, "w", "611 40", 0, 0.1f);
	node(o, "MatMul", "b w", "m", "");
	node(o, "Softmax", "m", "s", "axis=-1");
	weights(o, "gamma", "40", 1, 0.1f);
	weights(o, "beta", "40", 0, 0.1f);
	node(o, "LayerNormalization", "s gamma beta", "ln", "axis=-1");
	node(o, "Concat", "ln s", "both", "axis=1");
	output(o, "e", 11, "3 37 611");
	output(o, "mean", 1, "1 3 50");
	output(o, "most", 1, "3 37");
	output(o, "both", 1, "3 74 40");
}

/* softmax(q k^T) v over 9 tokens of 24, then a layer normalisation spelt out. */
static void attention(struct out *o)
{
	input(o, "tokens", 1, "1 9 24", 1);
	static const char *const name[] = { "wq", "wk", "wv" }, *const to[] = { "q", "k", "v" };
	for (int i = 0; i < 3; i++) {
		char in[32];
		snprintf(in, sizeof in, "tokens %s", name[i]);
		weights(o, name[i], "24 24", 0, 0.3f);
		node(o, "MatMul", in, to[i], "");
	}
	node(o, "Transpose", "k", "kt", "perm=[0 2 1]");
	node(o, "MatMul", "q kt", "scores", "");
	const float factor = 0.204124145f;
	pb_sub(&o->graph, GRAPH_INITIALIZER, onnx_floats("factor", "", &factor));
	node(o, "Mul", "scores factor", "scaled", "");
	node(o, "Softmax", "scaled", "soft", "axis=-1");
	node(o, "MatMul", "soft v", "mixed", "");
	node(o, "Add", "mixed tokens", "sum", "");
	node(o, "ReduceMean", "sum", "mu", "axes=[2] keepdims=1");
	node(o, "Sub", "sum mu", "centred", "");
	node(o, "Mul", "centred centred", "squares", "");
	node(o, "ReduceMean", "squares", "variance", "axes=[2] keepdims=1");
	const float eps = 1e-5f;
	pb_sub(&o->graph, GRAPH_INITIALIZER, onnx_floats("eps", "", &eps));
	node(o, "Add", "variance eps", "shifted", "");
	node(o, "Sqrt", "shifted", "deviation", "");
	node(o, "Div", "centred deviation", "y", "");
	output(o, "y", 1, "1 9 24");
}

/* Elementary functions one after the other; no weights. */
static void functions(struct out *o)
{
	input(o, "x", 1, "3 5 11", 1);
	node(o, "Exp", "x", "a", "");
	node(o, "Tanh", "a", "b", "");
	node(o, "Erf", "b", "c", "");
	node(o, "Sigmoid", "c", "d", "");
	node(o, "Log", "d", "e", "");
	node(o, "Add", "e x", "y", "");
	node(o, "ReduceSum", "y axes", "sums", "keepdims=1");
	ints(o, "axes", 2, 0, 1);
	output(o, "y", 1, "3 5 11");
	output(o, "sums", 1, "3 5 1");
}

/* A node whose value is an output of the graph, its shape inferred. */
static void out(struct out *o, const char *op, const char *in, const char *name, const char *attrs)
{
	node(o, op, in, name, attrs);
	pb_sub(&o->graph, GRAPH_OUTPUT, onnx_value(name, 1, NULL));
}

static void out_of(struct out *o, int dtype, const char *op, const char *in, const char *name, const char *attrs)
{
	node(o, op, in, name, attrs);
	pb_sub(&o->graph, GRAPH_OUTPUT, onnx_value(name, dtype, NULL));
}

static void ints_of(struct out *o, const char *name, const char *dims, const char *list)
{
	int64_t v[32];
	int n = 0;
	char *end;
	for (const char *s = list; *s && n < 32; s = *end ? end + 1 : end)
		v[n++] = strtoll(s, &end, 10);
	pb_sub(&o->graph, GRAPH_INITIALIZER, onnx_tensor_raw(name, 7, dims, v, (size_t)n * sizeof *v));
}

/* The kernels that the others leave out, each by an operator of its own, and the other number types. */
static void every(struct out *o)
{
	input(o, "x", 1, "1 6 10 12", 1);
	input(o, "k", 7, "1 6 10 12", 6);
	weights(o, "w32", "32 6 1 1", 0, 0.5f);
	weights(o, "dw", "32 1 3 3", 0, 0.4f);
	node(o, "Conv", "x w32", "x32", "");
	out(o, "Conv", "x32 dw", "o_dwconv", "group=32 pads=[1 1 1 1]");
	/* the same behind a 1x1 convolution, on rows long enough to make one step of both */
	ints_of(o, "wide", "4", "1 32 6 20");
	node(o, "Reshape", "x32 wide", "x_wide", "");
	weights(o, "w40", "40 32 1 1", 0, 0.3f);
	weights(o, "dw40", "40 1 3 3", 0, 0.4f);
	node(o, "Conv", "x_wide w40", "x40", "");
	node(o, "Relu", "x40", "r40", "");
	out(o, "Conv", "r40 dw40", "o_pwdw", "group=40 strides=[2 1] pads=[1 1 1 1]");
	ints_of(o, "s5", "5", "1 2 3 10 12");
	node(o, "Reshape", "x s5", "x5", "");
	out(o, "AveragePool", "x5", "o_avgpool", "kernel_shape=[2 3 3] pads=[0 1 1 0 1 1]");
	out(o, "MaxPool", "x5", "o_maxpool", "kernel_shape=[2 2 3]");
	weights(o, "bs", "6", 1, 0.2f);
	weights(o, "bb", "6", 0, 0.2f);
	weights(o, "bv", "6", 1, 0.2f);
	ints_of(o, "rest", "3", "0 2 3");
	node(o, "ReduceMean", "x rest", "mean", "keepdims=0");
	out(o, "BatchNormalization", "x bs bb mean bv", "o_batchnorm", "epsilon=1e-3");
	out(o, "InstanceNormalization", "x bs bb", "o_norm", "epsilon=1e-3");
	out(o, "LRN", "x", "o_lrn", "size=3 alpha=0.5");
	ints_of(o, "s3", "3", "1 12 60");
	ints_of(o, "image", "2", "7 11");
	ints_of(o, "block", "2", "2 2");
	node(o, "Reshape", "x s3", "x3", "");
	out(o, "Col2Im", "x3 image block", "o_col2im", "");
	weights(o, "wt", "6 4 3 3", 0, 0.4f);
	out(o, "ConvTranspose", "x wt", "o_convtranspose", "strides=[2 2] pads=[1 0 0 1]");
	weights(o, "w5", "3 2 2 2 2", 0, 0.4f);
	out(o, "Conv", "x5 w5", "o_conv", "");
	ints_of(o, "three", "", "3");
	out(o, "CumSum", "x three", "o_cumsum", "exclusive=1 reverse=1");
	out(o, "Einsum", "x x mean", "o_einsum", "equation='bchw,bdhw,c->bcd'");
	out(o, "GatherElements", "x k", "o_gather_elements", "axis=3");
	ints_of(o, "s2", "2", "240 3");
	node(o, "Reshape", "k s2", "k2", "");
	node(o, "Squeeze", "x zero", "xs", "");
	ints_of(o, "zero", "1", "0");
	out(o, "GatherND", "xs k2", "o_gather_nd", "");
	out(o, "ScatterElements", "x k x", "o_scatter_elements", "axis=3 reduction='add'");
	node(o, "GatherND", "xs k2", "updates", "");
	out(o, "ScatterND", "xs k2 updates", "o_scatter_nd", "reduction='max'");
	ints_of(o, "sg", "4", "1 18 20 2");
	node(o, "Reshape", "x sg", "grid", "");
	out(o, "GridSample", "x grid", "o_grid_sample", "mode='bicubic' padding_mode='reflection'");
	ints_of(o, "depth", "", "6");
	weights(o, "off_on", "2", 0.5f, 0.5f);
	out(o, "OneHot", "k depth off_on", "o_one_hot", "axis=1");
	ints_of(o, "pads", "8", "0 0 2 3 0 1 1 2");
	out(o, "Pad", "x pads", "o_pad", "mode='reflect'");
	ints_of(o, "big", "4", "1 6 17 19");
	out(o, "Resize", "x _ _ big", "o_resize", "mode='cubic' cubic_coeff_a=-0.5");
	out(o, "Resize", "x _ _ big", "o_resize_nearest", "mode='nearest' coordinate_transformation_mode='asymmetric'");
	weights(o, "wt32", "32 20 4 3", 0, 0.2f);
	out(o, "ConvTranspose", "x32 wt32", "o_convtranspose_c16", "strides=[2 2] pads=[1 1 0 1] output_padding=[1 0]");
	ints_of(o, "big32", "4", "1 32 23 17");
	out(o, "Resize", "x32 _ _ big32", "o_resize_c16", "mode='linear'");
	weights(o, "w304", "304 6 1 1", 0, 0.3f);
	weights(o, "w159", "159 304 1 1", 0, 0.1f);
	node(o, "Conv", "x w304", "x304", "");
	node(o, "Conv", "x304 w159", "x159", "");
	out(o, "Relu", "x159", "o_strassen_conv", "");
	ints_of(o, "rows", "3", "3 40 304");
	weights(o, "wm", "304 160", 0, 0.1f);
	weights(o, "bm", "160", 0, 0.1f);
	node(o, "Reshape", "x304 rows", "xr", "");
	node(o, "MatMul", "xr wm", "xm", "");
	out(o, "Add", "xm bm", "o_strassen", "");
	node(o, "Neg", "x", "neg", "");
	out(o, "Concat", "x neg x", "o_concat", "axis=3");
	/* two axes that stay, whose product is more than all sizes together */
	ints_of(o, "s4", "4", "24 30 1 1");
	ints_of(o, "big4", "4", "24 30 2 3");
	node(o, "Reshape", "x s4", "x4", "");
	out(o, "Resize", "x4 _ _ big4", "o_resize_stay", "mode='nearest'");
	ints_of(o, "ends", "6", "1 10 3 7 2 5");
	out(o, "ReverseSequence", "xs ends", "o_reverse_sequence", "batch_axis=0 time_axis=1");
	ints_of(o, "parts", "2", "5 7");
	node(o, "Split", "x parts", "o_split o_split2", "axis=3");
	output(o, "o_split", 1, "1 6 10 5");
	output(o, "o_split2", 1, "1 6 10 7");
	ints_of(o, "times", "4", "1 2 1 3");
	out(o, "Tile", "x times", "o_tile", "");
	ints_of(o, "k4", "1", "4");
	node(o, "TopK", "x k4", "o_topk o_topk_at", "axis=3");
	output(o, "o_topk", 1, "1 6 10 4");
	output(o, "o_topk_at", 7, "1 6 10 4");
	out(o, "Trilu", "x", "o_trilu", "upper=0");
	out_of(o, 7, "ArgMax", "x", "o_argreduce", "axis=2");
	out_of(o, 7, "ReduceProd", "k", "o_reduce_int", "");
	/* other number types */
	node(o, "Transpose", "x", "xt", "perm=[0 1 3 2]");
	node(o, "Cast", "x", "d", "to=11");
	node(o, "Cast", "xt", "dt", "to=11");
	out_of(o, 11, "MatMul", "d dt", "o_double", "");
	out_of(o, 11, "Softmax", "d", "o_double_softmax", "axis=2");
	node(o, "Cast", "x", "h", "to=10");
	node(o, "Cast", "xt", "ht", "to=10");
	out_of(o, 10, "MatMul", "h ht", "o_half", "");
	out_of(o, 10, "Tanh", "h", "o_half_tanh", "");
	node(o, "Cast", "x", "bf", "to=16");
	out_of(o, 16, "Exp", "bf", "o_bfloat", "");
	node(o, "DynamicQuantizeLinear", "x", "q qs qz", "");
	node(o, "DynamicQuantizeLinear", "xt", "qt qts qtz", "");
	out_of(o, 6, "MatMulInteger", "q qt qz qtz", "o_int", "");
	out_of(o, 2, "QLinearMatMul", "q qs qz qt qts qtz qs qz", "o_quantised", "");
	out(o, "DequantizeLinear", "q qs qz", "o_dequantised", "");
	weights(o, "ng", "4", 1, 0.2f);		/* before opset 21 a number a group */
	weights(o, "nh", "4", 0, 0.2f);
	weights(o, "ns", "32", 1, 0.2f);
	weights(o, "nb", "32", 0, 0.2f);
	out(o, "GroupNormalization", "x32 ng nh", "o_norm_c16", "num_groups=4");
	out(o, "InstanceNormalization", "x32 ns nb", "o_norm_c16_each", "");
	/* Winograd's late weights: both forms, more inputs than are made at once, blocks that are not full */
	weights(o, "w76", "76 6 1 1", 0, 0.3f);
	weights(o, "w40f5", "40 76 3 3", 0, 0.1f);
	weights(o, "w40f4", "40 190 3 3", 0, 0.1f);
	ints_of(o, "small190", "4", "1 190 6 8");
	node(o, "Conv", "x w76", "x76", "");
	out(o, "Conv", "x76 w40f5", "o_winograd5late", "pads=[1 1 1 1]");
	node(o, "Reshape", "x76 small190", "x190", "");
	out(o, "Conv", "x190 w40f4", "o_winograd4late", "pads=[1 1 1 1]");
	/* of stride 2: four tiles and three, with the model's own weights, several images; and thirty */
	weights(o, "w80", "80 6 1 1", 0, 0.3f);
	weights(o, "w40s2", "40 80 3 3", 0, 0.1f);
	weights(o, "w48s2", "48 80 3 3", 0, 0.1f);
	weights(o, "w176s2", "176 80 3 3", 0, 0.1f);
	ints_of(o, "tiles80", "4", "1 1 4 4");
	ints_of(o, "square80", "4", "10 80 12 16");
	ints_of(o, "low80", "4", "10 80 8 24");
	node(o, "Conv", "x w80", "x80", "");
	node(o, "Tile", "x80 tiles80", "x80t", "");
	node(o, "Reshape", "x80t square80", "x80s", "");
	node(o, "Reshape", "x80t low80", "x80l", "");
	out(o, "Conv", "x80s w176s2", "o_winograd4s2", "strides=[2 2] pads=[1 1 1 1]");
	out(o, "Conv", "x80l w48s2", "o_winograd4s2_few", "strides=[2 2] pads=[1 1 1 1]");
	out(o, "Conv", "x80t w40s2", "o_winograd4s2_many", "strides=[2 2] pads=[1 1 1 1]");
	/* the first convolution of a network, alone and with MaxPool behind it */
	weights(o, "w7", "40 3 7 7", 0, 0.1f);
	ints_of(o, "picture", "4", "1 3 15 16");
	node(o, "Reshape", "x picture", "x_picture", "");
	out(o, "Conv", "x_picture w7", "o_stem", "strides=[2 2] pads=[3 3 3 3]");
	node(o, "Mul", "x_picture x_picture", "x_squares", "");
	node(o, "Conv", "x_squares w7", "squares7", "strides=[2 2] pads=[3 3 3 3]");
	node(o, "Relu", "squares7", "squares7r", "");
	out(o, "MaxPool", "squares7r", "o_stem_pooled", "kernel_shape=[3 3] strides=[2 2] pads=[1 1 1 1]");
}

/* As tiny's head, but the batch has a name; the file's name and the values' are unpleasant ones. */
static void symbolic(struct out *o)
{
	pb_sub(&o->graph, GRAPH_INPUT, onnx_value("in */ put", 1, "batch 6"));
	npy(o, "2 6", 1, 1);
	weights(o, "w", "4 6", 0, 0.5f);
	weights(o, "b", "4", 0, 0.5f);
	struct pb n = { 0 };
	pb_str(&n, NODE_INPUT, "in */ put");
	pb_str(&n, NODE_INPUT, "w");
	pb_str(&n, NODE_INPUT, "b");
	pb_str(&n, NODE_OUTPUT, "out\"\\\n?\?/");
	pb_str(&n, NODE_NAME, "node /* \"\\\n */");
	pb_str(&n, NODE_OP, "Gemm");
	pb_sub(&n, NODE_ATTRIBUTE, onnx_attr_int("transB", 1));
	pb_sub(&o->graph, GRAPH_NODE, n);
	output(o, "out\"\\\n?\?/", 1, "batch 4");
}

/* ---- edges: what a folder must do with next to nothing ------------------------------------------------- */

/* One step, one number. */
static void scalar(struct out *o)
{
	input(o, "x", 1, "", 1);
	node(o, "Exp", "x", "y", "");
	output(o, "y", 1, "");
}

/* An output that is an input, one that is a constant, one that stands twice. */
static void ends(struct out *o)
{
	input(o, "x", 1, "2 3", 1);
	weights(o, "k", "5", 1, 1);
	node(o, "Relu", "x", "y", "");
	output(o, "x", 1, "2 3");
	output(o, "k", 1, "5");
	output(o, "y", 1, "2 3");
	output(o, "y", 1, "2 3");
}

/* Tensors of no elements. */
static void nothing(struct out *o)
{
	input(o, "x", 1, "0 3", 1);
	node(o, "Relu", "x", "y", "");
	output(o, "y", 1, "0 3");
}

/* More axes than an emitted interface has. */
static void rank9(struct out *o)
{
	input(o, "x", 1, "1 1 1 1 1 1 1 1 2", 1);
	node(o, "Relu", "x", "y", "");
	output(o, "y", 1, "1 1 1 1 1 1 1 1 2");
}

/* ---- at fault -------------------------------------------------------------------------------------- */

/* Two unknown operators, one of them twice, and one of another domain. */
static void unknown(struct out *o)
{
	input(o, "x", 1, "1 4", 1);
	node(o, "Frobnicate", "x", "a", "");
	node(o, "Relu", "a", "b", "");
	node(o, "Transmogrify", "b", "c", "");
	struct pb n = onnx_node("Special", "c", "d", "special_node");
	pb_str(&n, NODE_DOMAIN, "com.example");
	pb_sub(&o->graph, GRAPH_NODE, n);
	output(o, "d", 1, "1 4");
}

/* Inputs of three unknown sizes. */
static void unbound(struct out *o)
{
	pb_sub(&o->graph, GRAPH_INPUT, onnx_value("image", 1, "batch 3 height 8"));
	pb_sub(&o->graph, GRAPH_INPUT, onnx_value("other", 1, "? 3"));
	node(o, "Relu", "image", "y", "");
	node(o, "Relu", "other", "z", "");
	output(o, "y", 1, "batch 3 height 8");
	output(o, "z", 1, "? 3");
}

/* Two convolutions whose weights do not fit. */
static void mismatch(struct out *o)
{
	input(o, "x", 1, "1 3 8 8", 1);
	weights(o, "w1", "4 5 3 3", 0, 1);
	weights(o, "w2", "4 6 3 3", 0, 1);
	node(o, "Conv", "x w1", "y", "");
	node(o, "Conv", "x w2", "z", "");
	output(o, "y", 1, "1 4 6 6");
	output(o, "z", 1, "1 4 6 6");
}

static const struct { const char *name; void (*write)(struct out *); } models[] = {
	{ "tiny", tiny }, { "several", several }, { "wide", wide }, { "attention", attention }, { "functions", functions },
	{ "every", every },
	{ "symbolic", symbolic }, { "unknown", unknown }, { "unbound", unbound },
	{ "scalar", scalar }, { "ends", ends }, { "nothing", nothing }, { "rank9", rank9 }, { "mismatch", mismatch },
};
#define N_MODELS (int)(sizeof models / sizeof models[0])

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (int i = 0; i < N_MODELS; i++)
			puts(models[i].name);
		return 0;
	}
	const size_t n = argc == 3 ? strlen(argv[2]) : 0;
	for (int i = 0; n > 5 && strcmp(argv[2] + n - 5, ".onnx") == 0 && i < N_MODELS; i++) {
		if (strcmp(argv[1], models[i].name) != 0)
			continue;
		struct out o = { .path = argv[2], .seed = 7 };
		pb_str(&o.graph, GRAPH_NAME, argv[1]);
		models[i].write(&o);
		struct pb m = onnx_model(8, models[i].write == every ? 18 : 17, o.graph);
		const bool ok = pb_write(&m, argv[2]);
		if (!ok)
			perror(argv[2]);
		pb_free(&m);
		return !ok;
	}
	fputs("usage: make_models NAME OUT.onnx | --list\n", stderr);
	return 2;
}
