/*
 * make_rcmnet.c - writes RCMNet (a) at full size without Python: for `make check` on a bare Debian.
 *
 *   make_rcmnet OUT.onnx [--symbolic-batch] [--seed N]
 *
 * The network: ResNet18's stem and four stages of two basic blocks; CBAM (channel gate, then spatial
 * gate) closes each block; in stage 4 the second 3x3 convolution of each block is multi-head
 * self-attention with learned relative height and width.  Input [1, 3, 224, 224], eight logits.
 *
 * Weights are seeded, with variance 1 / fan-in; batch-norm statistics are near those that such weights
 * give, so activations stay of order 1 as in a trained network.  Operator set 17; batch norm, the relative
 * positions' sum and the reshapes stay explicit, as exporters leave them when they fold nothing.
 */
#include "onnx_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADS = 4, REDUCTION = 16, CLASSES = 8, SIZE = 224 };

struct net {
	struct pb graph;
	uint64_t seed;
	bool symbolic;
};

/* Root of x > 0 by Newton's method: no libm, the same bits everywhere. */
static float root(float x)
{
	float r = x > 1 ? x : 1;
	for (int i = 0; i < 40; i++)
		r = 0.5f * (r + x / r);
	return r;
}

static const char *dims4(char s[64], int a, int b, int c, int d)
{
	snprintf(s, 64, "%d %d %d %d", a, b, c, d);
	return s;
}

/* A tensor of n values: mean + scale * normal. */
static void weights(struct net *t, const char *name, const char *dims, size_t n, float mean,
		    float scale)
{
	float *v = malloc(n * sizeof *v);
	if (!v)
		exit(1);
	for (size_t i = 0; i < n; i++)
		v[i] = mean + scale * seed_normal(&t->seed);
	pb_sub(&t->graph, GRAPH_INITIALIZER, onnx_floats(name, dims, v));
	free(v);
}

static void node(struct net *t, const char *op, const char *in, const char *out, const char *attrs)
{
	char name[128];
	snprintf(name, sizeof name, "/%s/%s", out, op);
	struct pb n = onnx_node(op, in, out, name);
	onnx_attrs(&n, attrs);
	pb_sub(&t->graph, GRAPH_NODE, n);
}

/* out = Conv(in) with weights out.weight; a bias only where asked. */
static void conv(struct net *t, const char *in, const char *out, int ci, int co, int k, int stride,
		 bool bias)
{
	char w[96], b[96], ins[320], dims[64], attrs[160];
	snprintf(w, sizeof w, "%s.weight", out);
	snprintf(b, sizeof b, "%s.bias", out);
	weights(t, w, dims4(dims, co, ci, k, k), (size_t)co * (size_t)ci * (size_t)(k * k), 0,
		1 / root((float)(ci * k * k)));
	if (bias) {
		snprintf(dims, sizeof dims, "%d", co);
		weights(t, b, dims, (size_t)co, 0, 0.02f);
	}
	snprintf(ins, sizeof ins, "%s %s %s", in, w, bias ? b : "");
	snprintf(attrs, sizeof attrs, "dilations=[1 1] group=1 kernel_shape=[%d %d] pads=[%d %d %d %d] "
		 "strides=[%d %d]", k, k, k / 2, k / 2, k / 2, k / 2, stride, stride);
	node(t, "Conv", ins, out, attrs);
}

static void batch_norm(struct net *t, const char *in, const char *out, int channels)
{
	static const struct { const char *name; float mean, scale; } part[] = {
		{ "weight", 1, 0.1f }, { "bias", 0, 0.1f }, { "mean", 0, 0.1f }, { "var", 1, 0.1f } };
	char ins[512], dims[16];
	size_t n = (size_t)snprintf(ins, sizeof ins, "%s", in);
	snprintf(dims, sizeof dims, "%d", channels);
	for (int i = 0; i < 4; i++) {
		char name[96];
		snprintf(name, sizeof name, "%s.%s", out, part[i].name);
		weights(t, name, dims, (size_t)channels, part[i].mean, part[i].scale);
		n += (size_t)snprintf(ins + n, sizeof ins - n, " %s", name);
	}
	node(t, "BatchNormalization", ins, out, "epsilon=1e-5 momentum=0.9");
}

/* Names of a block's values: "layer1.0.conv1". */
#define NAME(var, suffix) char var[96]; snprintf(var, sizeof var, "%s.%s", block, suffix)
#define TWO(a, b) (snprintf(two, sizeof two, "%s %s", a, b), two)

/* CBAM: a gate for each channel from its mean and maximum, then one for each place. */
static void cbam(struct net *t, const char *block, const char *in, const char *out, int ch, int size)
{
	char two[256], attrs[160];
	NAME(avg, "cbam.avg"); NAME(max, "cbam.max"); NAME(d1, "cbam.down_avg"); NAME(d2, "cbam.down_max");
	NAME(r1, "cbam.relu_avg"); NAME(r2, "cbam.relu_max"); NAME(u1, "cbam.up_avg");
	NAME(u2, "cbam.up_max"); NAME(sum, "cbam.sum"); NAME(gate, "cbam.channel_gate");
	NAME(gated, "cbam.gated"); NAME(wd, "cbam.down.weight"); NAME(wu, "cbam.up.weight");
	NAME(mean, "cbam.mean"); NAME(peak, "cbam.peak"); NAME(both, "cbam.both");
	NAME(map, "cbam.map"); NAME(place, "cbam.spatial_gate");
	const int hidden = ch / REDUCTION;
	char dims[64];
	weights(t, wd, dims4(dims, hidden, ch, 1, 1), (size_t)(hidden * ch), 0, 1 / root((float)ch));
	weights(t, wu, dims4(dims, ch, hidden, 1, 1), (size_t)(hidden * ch), 0,
		1 / root((float)hidden));
	node(t, "GlobalAveragePool", in, avg, "");
	snprintf(attrs, sizeof attrs, "kernel_shape=[%d %d] pads=[0 0 0 0] strides=[%d %d]", size, size,
		 size, size);
	node(t, "MaxPool", in, max, attrs);
	node(t, "Conv", TWO(avg, wd), d1, "kernel_shape=[1 1]");
	node(t, "Relu", d1, r1, "");
	node(t, "Conv", TWO(r1, wu), u1, "kernel_shape=[1 1]");
	node(t, "Conv", TWO(max, wd), d2, "kernel_shape=[1 1]");
	node(t, "Relu", d2, r2, "");
	node(t, "Conv", TWO(r2, wu), u2, "kernel_shape=[1 1]");
	node(t, "Add", TWO(u1, u2), sum, "");
	node(t, "Sigmoid", sum, gate, "");
	node(t, "Mul", TWO(in, gate), gated, "");
	node(t, "ReduceMean", gated, mean, "axes=[1] keepdims=1");
	node(t, "ReduceMax", gated, peak, "axes=[1] keepdims=1");
	node(t, "Concat", TWO(mean, peak), both, "axis=1");
	conv(t, both, map, 2, 1, 7, 1, false);
	node(t, "Sigmoid", map, place, "");
	node(t, "Mul", TWO(gated, place), out, "");
}

static void reshape(struct net *t, const char *in, const char *out, const int64_t *shape, int rank)
{
	char name[128], two[320];
	snprintf(name, sizeof name, "%s.shape", out);
	pb_sub(&t->graph, GRAPH_INITIALIZER, onnx_ints(name, shape, rank));
	node(t, "Reshape", TWO(in, name), out, "");
}

/* softmax((q^T k + position q) / sqrt(d)) over the places, times v. */
static void attention(struct net *t, const char *block, const char *in, const char *out, int ch,
		      int size)
{
	char two[256], dims[64];
	NAME(q, "mhsa.query"); NAME(k, "mhsa.key"); NAME(v, "mhsa.value"); NAME(qh, "mhsa.q");
	NAME(kh, "mhsa.k"); NAME(vh, "mhsa.v"); NAME(qt, "mhsa.q_t"); NAME(qk, "mhsa.qk");
	NAME(rh, "mhsa.rel_h"); NAME(rw, "mhsa.rel_w"); NAME(rel, "mhsa.rel"); NAME(pos, "mhsa.pos");
	NAME(pq, "mhsa.pos_q"); NAME(sum, "mhsa.sum"); NAME(scale, "mhsa.scale");
	NAME(scaled, "mhsa.scaled"); NAME(soft, "mhsa.softmax"); NAME(st, "mhsa.softmax_t");
	NAME(o, "mhsa.heads");
	const int d = ch / HEADS, places = size * size;
	const int64_t n = t->symbolic ? -1 : 1;
	const int64_t split[] = { n, HEADS, d, places }, join[] = { n, ch, size, size };
	const int64_t flat[] = { 1, HEADS, places, d };
	conv(t, in, q, ch, ch, 1, 1, true);
	conv(t, in, k, ch, ch, 1, 1, true);
	conv(t, in, v, ch, ch, 1, 1, true);
	reshape(t, q, qh, split, 4);
	reshape(t, k, kh, split, 4);
	reshape(t, v, vh, split, 4);
	node(t, "Transpose", qh, qt, "perm=[0 1 3 2]");
	node(t, "MatMul", TWO(qt, kh), qk, "");
	snprintf(dims, sizeof dims, "1 %d %d 1 %d", HEADS, size, d);
	weights(t, rh, dims, (size_t)(HEADS * size * d), 0, 1);
	snprintf(dims, sizeof dims, "1 %d 1 %d %d", HEADS, size, d);
	weights(t, rw, dims, (size_t)(HEADS * size * d), 0, 1);
	node(t, "Add", TWO(rh, rw), rel, "");
	reshape(t, rel, pos, flat, 4);
	node(t, "MatMul", TWO(pos, qh), pq, "");
	node(t, "Add", TWO(qk, pq), sum, "");
	const float factor = 1 / root((float)d);
	pb_sub(&t->graph, GRAPH_INITIALIZER, onnx_floats(scale, "", &factor));
	node(t, "Mul", TWO(sum, scale), scaled, "");
	node(t, "Softmax", scaled, soft, "axis=-1");
	node(t, "Transpose", soft, st, "perm=[0 1 3 2]");
	node(t, "MatMul", TWO(vh, st), o, "");
	reshape(t, o, out, join, 4);
}

/* One basic block; `size` is that of its output.  Gives the name of its result through last[]. */
static void basic_block(struct net *t, const char *block, char last[96], int ci, int co, int stride,
			int size, bool mhsa)
{
	char two[256];
	const char *skip = last;
	NAME(c1, "conv1"); NAME(b1, "bn1"); NAME(r1, "relu1"); NAME(c2, "conv2"); NAME(m, "mhsa");
	NAME(pool, "pool"); NAME(b2, "bn2"); NAME(gated, "cbam"); NAME(sc, "skip"); NAME(sb, "skip_bn");
	NAME(sum, "add"); NAME(y, "out");
	conv(t, last, c1, ci, co, 3, mhsa ? 1 : stride, false);
	batch_norm(t, c1, b1, co);
	node(t, "Relu", b1, r1, "");
	if (!mhsa) {
		conv(t, r1, c2, co, co, 3, 1, false);
		batch_norm(t, c2, b2, co);
	} else {
		attention(t, block, r1, m, co, size * stride);
		if (stride > 1)
			node(t, "AveragePool", m, pool, "kernel_shape=[2 2] strides=[2 2]");
		batch_norm(t, stride > 1 ? pool : m, b2, co);
	}
	cbam(t, block, b2, gated, co, size);
	if (ci != co || stride > 1) {
		conv(t, last, sc, ci, co, 1, stride, false);
		batch_norm(t, sc, sb, co);
		skip = sb;
	}
	node(t, "Add", TWO(gated, skip), sum, "");
	node(t, "Relu", sum, y, "");
	snprintf(last, 96, "%s", y);
}

static struct pb rcmnet(uint64_t seed, bool symbolic)
{
	static const int width[] = { 64, 128, 256, 512 };
	struct net t = { .seed = seed, .symbolic = symbolic };
	char last[96] = "maxpool";
	pb_str(&t.graph, GRAPH_NAME, "rcmnet_a");
	conv(&t, "image", "conv1", 3, 64, 7, 2, false);
	batch_norm(&t, "conv1", "bn1", 64);
	node(&t, "Relu", "bn1", "relu1", "");
	node(&t, "MaxPool", "relu1", "maxpool", "kernel_shape=[3 3] pads=[1 1 1 1] strides=[2 2]");
	for (int stage = 0, ci = 64, size = SIZE / 4; stage < 4; stage++) {
		const int stride = stage ? 2 : 1;
		size /= stride;
		for (int i = 0; i < 2; i++) {
			char block[32];
			snprintf(block, sizeof block, "layer%d.%d", stage + 1, i);
			basic_block(&t, block, last, ci, width[stage], i ? 1 : stride, size, stage == 3);
			ci = width[stage];
		}
	}
	node(&t, "GlobalAveragePool", last, "gap", "");
	node(&t, "Flatten", "gap", "features", "axis=1");
	weights(&t, "fc.weight", "8 512", CLASSES * 512, 0, 2 / root(512));
	weights(&t, "fc.bias", "8", CLASSES, 0, 0.1f);
	node(&t, "Gemm", "features fc.weight fc.bias", "logits", "transB=1");
	pb_sub(&t.graph, GRAPH_INPUT, onnx_value("image", 1, symbolic ? "batch 3 224 224" : "1 3 224 224"));
	pb_sub(&t.graph, GRAPH_OUTPUT, onnx_value("logits", 1, symbolic ? "batch 8" : "1 8"));
	return onnx_model(8, 17, t.graph);
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	uint64_t seed = 1;
	bool symbolic = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--symbolic-batch") == 0)
			symbolic = true;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else if (argv[i][0] != '-' && !path)
			path = argv[i];
		else
			path = NULL, argc = 0;
	}
	if (!path) {
		fputs("usage: make_rcmnet OUT.onnx [--symbolic-batch] [--seed N]\n", stderr);
		return 2;
	}
	struct pb m = rcmnet(seed, symbolic);
	const bool ok = pb_write(&m, path);
	if (!ok)
		perror(path);
	pb_free(&m);
	return !ok;
}
