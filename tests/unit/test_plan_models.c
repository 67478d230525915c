/*
 * The planner on the shapes of real networks: how near the arena comes to the bounds.
 *
 * Each generator builds the steps of a network as the compiler makes them: float maps in blocks of
 * 16 channels, fused activations and residual adds (in place where a kernel allows it), concatenations
 * whose inputs are written into the result, scratch for the convolutions. The arena must be the bound
 * of the order (at most `allowed` times it), each plan must pass the verifier, and the same problem
 * must give the same plan again.
 */
#include "plan_build.h"

#include <CUnit/Basic.h>
#include <time.h>

static struct builder b;

/* Bytes of a map [1, C/16, H, W, 16] of floats; few channels stay plain. */
static int64_t map(int channels, int height, int width)
{
	if (channels < 16)
		return (int64_t)channels * height * width * 4;
	return (int64_t)((channels + 15) / 16) * height * width * 16 * 4;
}

static int new_map(int channels, int size)
{
	int t = add_buffer(&b, map(channels, size, size));
	b.buffers[t].unpadded_bytes = (int64_t)channels * size * size * 4;
	return t;
}

static int input(int channels, int size)
{
	int t = new_map(channels, size);
	b.buffers[t].pinned_first = true;
	return t;
}

static int conv(int x, int channels, int size, int64_t scratch)
{
	int y = new_map(channels, size);
	add_step(&b, "conv", scratch, 1, 1, x, y);
	return y;
}

/* A convolution that adds a residual: it may overwrite the residual. */
static int conv_add(int x, int residual, int channels, int size, int64_t scratch)
{
	int y = new_map(channels, size);
	add_step(&b, "conv_add", scratch, 2, 1, x, residual, y);
	allow_inplace(&b, 0, 1);
	return y;
}

static int unary(const char *name, int x)
{
	int y = add_buffer(&b, b.buffers[x].bytes);
	b.buffers[y].unpadded_bytes = b.buffers[x].unpadded_bytes;
	add_step(&b, name, 0, 1, 1, x, y);
	allow_inplace(&b, 0, 0);
	return y;
}

static int binary(const char *name, int x, int y)
{
	int z = add_buffer(&b, b.buffers[x].bytes);
	b.buffers[z].unpadded_bytes = b.buffers[x].unpadded_bytes;
	add_step(&b, name, 0, 2, 1, x, y, z);
	allow_inplace(&b, 0, 0);
	if (b.buffers[y].bytes == b.buffers[x].bytes)
		allow_inplace(&b, 0, 1);
	return z;
}

static int tokens(int x, int64_t bytes, const char *name, int64_t scratch)
{
	int y = add_buffer(&b, bytes);
	add_step(&b, name, scratch, 1, 1, x, y);
	return y;
}

static void output(int x)
{
	b.buffers[x].pinned_last = true;
}

/* ResNet18 or 50; cbam: both gates in every block, as RCMNet has them. */
static void resnet(bool bottleneck, bool cbam, int image)
{
	int x = conv(input(3, image), 64, image / 2, 3 * 16 * image * 4), size = image / 4;
	x = conv(x, 64, size, 0);
	int counts[2][4] = {{2, 2, 2, 2}, {3, 4, 6, 3}};
	for (int stage = 0; stage < 4; stage++)
		for (int block = 0; block < counts[bottleneck][stage]; block++) {
			int width = 64 << stage, wide = bottleneck ? 4 * width : width;
			int64_t wino = map(width, 6, 6) * 16;
			if (stage > 0 && block == 0)
				size /= 2;
			int shortcut = x;
			int y = conv(x, width, size, wino);
			if (bottleneck)
				y = conv(y, width, size, wino);
			if (block == 0 && (stage > 0 || bottleneck))
				shortcut = conv(x, wide, size, 0);
			if (!cbam) {
				x = conv_add(y, shortcut, wide, size, wino);
				continue;
			}
			y = conv(y, wide, size, wino);
			int pooled = add_buffer(&b, 2 * wide * 4), gate = add_buffer(&b, wide * 4);
			add_step(&b, "pool", 0, 1, 1, y, pooled);
			add_step(&b, "mlp", 1024, 1, 1, pooled, gate);
			int scaled = binary("mul", y, gate);
			int planes = add_buffer(&b, 2 * size * size * 4), mask = add_buffer(&b, size * size * 4);
			add_step(&b, "planes", 0, 1, 1, scaled, planes);
			add_step(&b, "conv7", 0, 1, 1, planes, mask);
			x = add_buffer(&b, b.buffers[y].bytes);
			b.buffers[x].unpadded_bytes = b.buffers[y].unpadded_bytes;
			add_step(&b, "mul_add", 0, 3, 1, scaled, mask, shortcut, x);
			allow_inplace(&b, 0, 0);
			allow_inplace(&b, 0, 2);
		}
	x = tokens(x, 512 * 4, "gap", 0);
	output(tokens(x, 1000 * 4, "gemm", 0));
}

static void resnet18(void) { resnet(false, false, 224); }
static void resnet50(void) { resnet(true, false, 224); }
static void rcmnet(void) { resnet(false, true, 224); }
static void rcmnet_small(void) { resnet(false, true, 64); }

/* DenseNet121: each block is one parent; layer k reads its first part and writes the next. */
static void densenet(void)
{
	int layers[4] = {6, 12, 24, 16}, size = 56, channels = 64;
	int x = conv(conv(input(3, 224), 64, 112, 0), 64, 56, 0);
	for (int block = 0; block < 4; block++) {
		int parent = new_map(channels + 32 * layers[block], size);
		b.buffers[parent].name = "block";
		add_step(&b, "copy", 0, 1, 1, x, add_view(&b, parent, 0, map(channels, size, size)));
		for (int k = 0; k < layers[block]; k++, channels += 32) {
			int prefix = add_view(&b, parent, 0, map(channels, size, size));
			int y = conv(prefix, 128, size, map(channels, 1, 16));
			int part = add_view(&b, parent, map(channels, size, size), map(32, size, size));
			add_step(&b, "conv", map(128, 6, 6) * 4, 1, 1, y, part);
		}
		x = parent;
		if (block < 3) {
			channels /= 2;
			x = conv(x, channels, size, 0);
			size /= 2;
			x = conv(x, channels, size, 0);
		}
	}
	output(tokens(tokens(x, 1024 * 4, "gap", 0), 4000, "gemm", 0));
}

/* DenseNet whose normalisations stay apart and whose concatenations copy. */
static void densenet_copies(void)
{
	int layers[4] = {6, 12, 24, 16}, size = 56, channels = 64;
	int x = conv(conv(input(3, 224), 64, 112, 0), 64, 56, 0);
	for (int block = 0; block < 4; block++) {
		for (int k = 0; k < layers[block]; k++, channels += 32) {
			int y = new_map(channels, size);
			add_step(&b, "norm", 0, 1, 1, x, y);
			y = conv(conv(y, 128, size, 0), 32, size, 65536);
			int z = new_map(channels + 32, size);
			add_step(&b, "concat", 0, 2, 1, x, y, z);
			x = z;
		}
		if (block < 3) {
			channels /= 2;
			x = conv(unary("norm", x), channels, size, 0);
			size /= 2;
			x = conv(x, channels, size, 0);
		}
	}
	output(x);
}

/* U-Net: the skip is written into the concatenation's result (views), or copied. */
static void unet(bool views)
{
	int size = 256, skip[5], parent[5] = {0}, x = input(3, size);
	for (int level = 0; level < 4; level++, size /= 2) {
		int channels = 64 << level;
		x = conv(x, channels, size, map(channels, 6, 6) * 8);
		if (views) {
			parent[level] = new_map(2 * channels, size);
			skip[level] = add_view(&b, parent[level], 0, map(channels, size, size));
			add_step(&b, "conv", map(channels, 6, 6) * 8, 1, 1, x, skip[level]);
		} else {
			skip[level] = conv(x, channels, size, map(channels, 6, 6) * 8);
		}
		x = conv(skip[level], channels, size / 2, 0);
	}
	x = conv(conv(x, 1024, size, 0), 1024, size, 0);
	for (int level = 3; level >= 0; level--) {
		int channels = 64 << level;
		size *= 2;
		if (views) {
			int part = add_view(&b, parent[level], map(channels, size, size), map(channels, size, size));
			add_step(&b, "up", 0, 1, 1, x, part);
			x = parent[level];
		} else {
			int up = conv(x, channels, size, 0);
			x = new_map(2 * channels, size);
			add_step(&b, "concat", 0, 2, 1, skip[level], up, x);
		}
		x = conv(conv(x, channels, size, map(channels, 6, 6) * 8), channels, size, 0);
	}
	output(conv(x, 2, 256, 0));
}

static void unet_views(void) { unet(true); }
static void unet_copies(void) { unet(false); }

/* Inception: four branches of different lengths, each writes its part of the result. */
static void inception(void)
{
	int size = 35, x = conv(conv(input(3, 299), 32, 149, 0), 192, 35, 0);
	for (int block = 0; block < 11; block++) {
		int width[4] = {64 + 16 * (block % 3), 96, 64 + 32 * (block % 2), 32 + 16 * (block % 4)};
		int sum = 0, parent, at = 0;
		for (int k = 0; k < 4; k++)
			sum += width[k];
		parent = new_map(sum, size);
		for (int k = 0; k < 4; k++) {
			int y = x;
			for (int depth = 0; depth < (k + 2 * (k == 2)) % 5; depth++)
				y = conv(y, 48 + 16 * depth * k, size, map(48, 6, 6));
			int part = add_view(&b, parent, map(at, size, size), map(width[k], size, size));
			add_step(&b, "conv", 0, 1, 1, y, part);
			at += width[k];
		}
		x = parent;
		if (block == 3 || block == 8) {
			size /= 2;
			x = conv(x, 256 + 128 * (block > 3), size, 0);
		}
	}
	output(tokens(x, 4000, "head", 0));
}

/* Inverted residuals; gates: with squeeze and excitation, as EfficientNet has them. */
static void inverted(bool gates)
{
	int channels[7] = {16, 24, 40, 80, 112, 192, 320}, counts[7] = {1, 2, 2, 3, 3, 4, 1};
	int size = 112, x = conv(input(3, 224), 32, 112, 0);
	for (int stage = 0; stage < 7; stage++)
		for (int k = 0; k < counts[stage]; k++) {
			int old = size, in = stage && k == 0 ? channels[stage - 1] : channels[stage];
			if (k == 0 && stage > 0 && stage != 4 && stage != 6)
				size /= 2;
			int y = conv(x, 6 * in, old, 0);
			y = conv(y, 6 * in, size, 0);
			if (gates) {
				y = unary("silu", y);
				int pooled = tokens(y, 6 * in * 4, "gap", 0);
				y = binary("mul", y, tokens(tokens(pooled, in, "fc", 0), 6 * in * 4, "fc", 0));
			}
			x = k > 0 ? conv_add(y, x, channels[stage], size, 0) : conv(y, channels[stage], size, 0);
		}
	x = conv(x, 1280, 7, 0);
	output(tokens(tokens(x, 1280 * 4, "gap", 0), 4000, "gemm", 0));
}

static void mobilenet(void) { inverted(false); }
static void efficientnet(void) { inverted(true); }

/* A transformer: q, k, v in one product (views) or apart; attention fused, or head by head. */
static void transformer(int depth, int n, int width, bool one_product, int heads)
{
	int64_t bytes = (int64_t)n * width * 4;
	int x = tokens(input(3, 224), bytes, "patch", 0);
	for (int layer = 0; layer < depth; layer++) {
		int y = tokens(x, bytes, "norm", 0), q, k, v, a;
		if (one_product) {
			int qkv = tokens(y, 3 * bytes, "gemm", 65536);
			q = add_view(&b, qkv, 0, bytes);
			k = add_view(&b, qkv, bytes, bytes);
			v = add_view(&b, qkv, 2 * bytes, bytes);
		} else {
			q = tokens(y, bytes, "q", 65536);
			k = tokens(y, bytes, "k", 65536);
			v = tokens(y, bytes, "v", 65536);
		}
		if (heads == 0) {
			a = add_buffer(&b, bytes);
			add_step(&b, "attention", (int64_t)n * 64 * 4, 3, 1, q, k, v, a);
		} else {
			a = add_buffer(&b, bytes);
			for (int h = 0; h < heads; h++) {
				int scores = add_buffer(&b, (int64_t)n * n * 4);
				add_step(&b, "scores", 0, 2, 1, q, k, scores);
				scores = unary("softmax", unary("scale", scores));
				int part = add_view(&b, a, bytes / heads * h, bytes / heads);
				add_step(&b, "mix", 0, 2, 1, scores, v, part);
			}
		}
		int z = add_buffer(&b, bytes);
		add_step(&b, "proj_add", 65536, 2, 1, a, x, z);
		allow_inplace(&b, 0, 1);
		y = tokens(z, bytes, "norm", 0);
		y = unary("gelu", tokens(y, 4 * bytes, "mlp", 65536));
		x = add_buffer(&b, bytes);
		add_step(&b, "mlp_add", 65536, 2, 1, y, z, x);
		allow_inplace(&b, 0, 1);
	}
	output(tokens(x, 4000, "head", 0));
}

static void vit(void) { transformer(12, 197, 192, true, 0); }
static void vit_apart(void) { transformer(12, 197, 192, false, 0); }
static void vit_heads(void) { transformer(12, 197, 192, false, 12); }

/* Swin: window partitions and rolls are copies, four stages with merging. */
static void swin(void)
{
	int depth[4] = {2, 2, 6, 2}, n = 56 * 56, width = 96;
	int x = tokens(input(3, 224), (int64_t)n * width * 4, "patch", 0);
	for (int stage = 0; stage < 4; stage++) {
		int64_t bytes = (int64_t)n * width * 4;
		for (int k = 0; k < depth[stage]; k++) {
			int y = tokens(x, bytes, "norm", 0);
			if (k % 2)
				y = tokens(y, bytes, "roll", 0);
			y = tokens(y, bytes, "windows", 0);
			int qkv = tokens(y, 3 * bytes, "qkv", 65536);
			int part[3];
			for (int i = 0; i < 3; i++)
				part[i] = tokens(add_view(&b, qkv, i * bytes, bytes), bytes, "transpose", 0);
			y = add_buffer(&b, bytes);
			add_step(&b, "attention", 49 * 64 * 4, 3, 1, part[0], part[1], part[2], y);
			y = tokens(tokens(y, bytes, "proj", 0), bytes, "merge", 0);
			if (k % 2)
				y = tokens(y, bytes, "roll", 0);
			x = binary("add", y, x);
			y = unary("gelu", tokens(tokens(x, bytes, "norm", 0), 4 * bytes, "mlp", 65536));
			x = binary("add", tokens(y, bytes, "mlp2", 65536), x);
		}
		if (stage < 3) {
			int merged = add_buffer(&b, bytes), quarter[4];
			for (int i = 0; i < 4; i++) {
				quarter[i] = add_view(&b, merged, bytes / 4 * i, bytes / 4);
				add_step(&b, "slice", 0, 1, 1, x, quarter[i]);
			}
			n /= 4;
			width *= 2;
			x = tokens(tokens(merged, bytes, "norm", 0), bytes / 2, "reduce", 0);
		}
	}
	output(tokens(x, 4000, "head", 0));
}

/* Cells as NASNet has them: five sums of two branches over the last two cells' results. */
static void nasnet(void)
{
	uint64_t rng = 5;
	int size = 42, x = conv(input(3, 331), 96, 165, 0), old = x;
	for (int cell = 0; cell < 18; cell++) {
		int width = 44 << (cell / 6);
		if (cell % 6 == 0)
			size /= cell ? 2 : 1;
		int state[8] = {conv(x, width, size, 0), conv(old, width, size, 0)}, n = 2;
		for (int k = 0; k < 5; k++) {
			int l = state[draw(&rng, (uint32_t)n)], r = state[draw(&rng, (uint32_t)n)];
			for (int i = 0; i < 2; i++)
				l = conv(l, width, size, map(width, 4, 4));
			r = draw(&rng, 2) ? conv(conv(r, width, size, 0), width, size, 0) : unary("pool", r);
			state[n++] = binary("add", l, r);
		}
		int parent = new_map(4 * ((width + 15) / 16 * 16), size);
		for (int k = 0; k < 4; k++) {
			int part = add_view(&b, parent, map(width, size, size) * k, map(width, size, size));
			add_step(&b, "copy", 0, 1, 1, state[n - 1 - k], part);
		}
		old = x;
		x = parent;
	}
	output(tokens(x, 4000, "head", 0));
}

/* HRNet: four resolutions side by side that exchange after each module. */
static void hrnet(void)
{
	int x[4], size[4], n = 1;
	x[0] = conv(input(3, 224), 64, 56, 0);
	for (int i = 0; i < 4; i++)
		size[i] = 56 >> i;
	for (int module = 0; module < 8; module++) {
		if (n < 4 && module % 2 == 1) {
			x[n] = conv(x[n - 1], 32 << n, size[n], 0);
			n++;
		}
		for (int i = 0; i < n; i++)
			for (int k = 0; k < 4; k++)
				x[i] = conv_add(conv(x[i], 32 << i, size[i], map(32 << i, 6, 6)), x[i],
					32 << i, size[i], map(32 << i, 6, 6));
		int y[4];
		for (int i = 0; i < n; i++) {
			y[i] = unary("relu", x[i]);
			for (int k = 0; k < n; k++)
				if (k != i)
					y[i] = binary("add", y[i], conv(x[k], 32 << i, size[i], 0));
		}
		memcpy(x, y, sizeof x);
	}
	for (int i = 1; i < 4; i++)
		x[0] = binary("add", x[0], conv(x[i], 32, size[0], 0));
	output(x[0]);
}

/* A thousand steps of residual and dense connections at random distances. */
static void thousand(void)
{
	uint64_t rng = 6;
	int recent[8], x = conv(input(3, 224), 64, 56, 0);
	for (int i = 0; i < 8; i++)
		recent[i] = x;
	for (int i = 0; i < 1000; i++) {
		int from = recent[draw(&rng, 8)];
		if (draw(&rng, 3) == 0 && b.buffers[from].bytes == b.buffers[x].bytes)
			x = binary("add", x, from);
		else
			x = conv(x, 16 * (1 + (int)draw(&rng, 8)), 14 << draw(&rng, 3), draw(&rng, 2) * 4096);
		recent[draw(&rng, 8)] = x;
	}
	output(x);
}

/* A thousand steps with many values live at once, all of odd sizes: no network, a hard case. */
static void tangle(void)
{
	uint64_t rng = 7;
	int pool[40];
	for (int i = 0; i < 40; i++)
		pool[i] = i ? tokens(pool[0], 64 * (1 + (int64_t)draw(&rng, 400)), "f", 0) : input(3, 64);
	for (int i = 0; i < 960; i++) {
		int x = pool[draw(&rng, 40)], y = pool[draw(&rng, 40)];
		int z = add_buffer(&b, 64 * (1 + (int64_t)draw(&rng, 400)));
		add_step(&b, "g", 64 * (int64_t)draw(&rng, 20), 2, 1, x, y, z);
		if (x != y && draw(&rng, 3) == 0)
			allow_inplace(&b, 0, 0);
		pool[draw(&rng, 40)] = z;
	}
	for (int i = 0; i < 40; i++)
		output(pool[i]);
}

/* Thirty-two branches of different lengths that meet at the end. */
static void fan(void)
{
	uint64_t rng = 8;
	int x = input(3, 224), sum = conv(x, 32, 56, 0);
	for (int i = 0; i < 32; i++) {
		int y = conv(x, 16 + 16 * (int)draw(&rng, 6), 56, 4096 * draw(&rng, 9));
		for (int k = (int)draw(&rng, 9); k > 0; k--)
			y = conv(y, 16 + 16 * (int)draw(&rng, 6), 56 >> draw(&rng, 3), 4096 * draw(&rng, 9));
		sum = binary("add", sum, conv(y, 32, 56, 0));
	}
	output(sum);
}

/* An LSTM unrolled: gates by views, a state that goes round, all outputs in one parent. */
static void lstm(void)
{
	int hidden = 256, steps = 100;
	int x = add_buffer(&b, (int64_t)steps * hidden * 4), all = add_buffer(&b, (int64_t)steps * hidden * 4);
	int h = add_buffer(&b, hidden * 4), c = add_buffer(&b, hidden * 4);
	b.buffers[x].pinned_first = b.buffers[h].pinned_first = b.buffers[c].pinned_first = true;
	output(all);
	for (int t = 0; t < steps; t++) {
		int gates = add_buffer(&b, 4 * hidden * 4), view[4];
		int xt = add_view(&b, x, (int64_t)t * hidden * 4, hidden * 4);
		add_step(&b, "gemm", 0, 2, 1, xt, h, gates);
		for (int i = 0; i < 4; i++)
			view[i] = add_view(&b, gates, i * hidden * 4, hidden * 4);
		int next_c = add_buffer(&b, hidden * 4);
		add_step(&b, "cell", 0, 4, 1, view[0], view[1], view[2], c, next_c);
		allow_inplace(&b, 0, 3);
		h = add_view(&b, all, (int64_t)t * hidden * 4, hidden * 4);
		add_step(&b, "out", 0, 2, 1, next_c, view[3], h);
		c = next_c;
	}
}

struct model {
	const char *name;
	void (*build)(void);
	double allowed;	/* arena / bound of the order */
};

static const struct model models[] = {
	{"resnet18", resnet18, 1.0},
	{"resnet50", resnet50, 1.0},
	{"rcmnet", rcmnet, 1.0},
	{"rcmnet_small", rcmnet_small, 1.0},
	{"densenet", densenet, 1.0},
	{"densenet_copies", densenet_copies, 1.0},
	{"unet_views", unet_views, 1.0},
	{"unet_copies", unet_copies, 1.0},
	{"inception", inception, 1.0},
	{"mobilenet", mobilenet, 1.0},
	{"efficientnet", efficientnet, 1.0},
	{"vit", vit, 1.0},
	{"vit_apart", vit_apart, 1.0},
	{"vit_heads", vit_heads, 1.0},
	{"swin", swin, 1.0},
	{"nasnet", nasnet, 1.05},
	{"hrnet", hrnet, 1.05},
	{"thousand", thousand, 1.05},
	{"tangle", tangle, 1.05},
	{"fan", fan, 1.01},
	{"lstm", lstm, 1.0},
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void test_models(void)
{
	printf("\n%-16s %5s %12s %8s %8s %8s %8s\n", "", "steps", "arena", "/order", "/lower", "/unpad",
		"seconds");
	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		models[i].build();
		struct plan_problem p = problem_of(&b);
		struct plan_result r, again;
		char why[200] = "";
		double start = seconds();
		CU_ASSERT_EQUAL_FATAL(plan_solve(&p, &r, why, sizeof why), PLAN_OK);
		double took = seconds() - start;
		bool good = plan_verify(&p, &r, why, sizeof why);
		if (!good)
			fprintf(stderr, "%s: %s\n", models[i].name, why);
		CU_ASSERT_TRUE(good);
		printf("%-16s %5d %12lld %8.4f %8.4f %8.4f %8.3f %s%s\n", models[i].name, p.n_steps,
			(long long)r.arena_bytes, r.cert.over_order, r.cert.over_lower,
			r.cert.over_order_unpadded, took, r.cert.order_proven ? "order " : "",
			r.cert.arena_proven ? "arena" : "");
		CU_ASSERT_TRUE(r.cert.over_order <= models[i].allowed);
		CU_ASSERT_TRUE(r.cert.over_lower >= 1 && r.cert.lower_bound >= r.cert.lower_bound_unpadded);
		CU_ASSERT_EQUAL_FATAL(plan_solve(&p, &again, why, sizeof why), PLAN_OK);
		size_t n = (size_t)p.n_steps, n_buffers = (size_t)p.n_buffers;
		CU_ASSERT_EQUAL(memcmp(r.order, again.order, n * sizeof *r.order), 0);
		CU_ASSERT_EQUAL(memcmp(r.offset, again.offset, n_buffers * sizeof *r.offset), 0);
		CU_ASSERT_EQUAL(memcmp(r.inplace, again.inplace, n_buffers * sizeof *r.inplace), 0);
		/* the same in the order as written */
		struct plan_result kept;
		p.keep_order = true;
		CU_ASSERT_EQUAL_FATAL(plan_solve(&p, &kept, why, sizeof why), PLAN_OK);
		CU_ASSERT_TRUE(plan_verify(&p, &kept, why, sizeof why));
		CU_ASSERT_TRUE(kept.cert.over_order <= 1.05);
		/* both are heuristic, but the freedom of order must not cost much */
		CU_ASSERT_TRUE((double)r.arena_bytes <= 1.01 * (double)kept.arena_bytes);
		if (kept.arena_bytes != r.arena_bytes || kept.cert.over_order > 1)
			printf("%-16s %5s %12lld %8.4f\n", "", "kept", (long long)kept.arena_bytes,
				kept.cert.over_order);
		plan_free(&kept);
		plan_free(&r);
		plan_free(&again);
		drop(&b);
	}
}

int main(void)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite("plan of models", NULL, NULL);
	CU_add_test(s, "arena and bounds", test_models);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed != 0;
}
