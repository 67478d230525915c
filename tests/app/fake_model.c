/*
 * fake_model.c - a model that a test can calculate: the mean of each colour decides.
 *
 * In:  image float32 [FAKE_BATCH, 3, 8, 8] after rescaling to 0..1; with FAKE_MULTI also bias float32 [4].
 * Out: logits float32 [FAKE_BATCH, 4]: 8 * mean of red, green, blue, and 4 for "grey"; NaN for pure white;
 *      with FAKE_MULTI also means float32 [FAKE_BATCH, 3].
 * FAKE_FILE: the weights (the factor 8 as a float) are in the file fake.weights beside the program.
 */
#include "ampoule_rt.h"

#include <string.h>

#ifndef FAKE_BATCH
#define FAKE_BATCH 1
#endif

#ifndef FAKE_FILE
static const _Alignas(AMP_ALIGN) unsigned char blob[4] = { 0, 0, 0, 0x41 };	/* 8.0f, little-endian */
#endif

struct state {
	float factor;
};

static enum amp_status prepare(void *state, const void *weights, void *prepared, struct amp_pool *pool, int isa)
{
	const unsigned char *b = weights;
	const uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	(void)prepared, (void)pool;
	if (isa == 1)
		return AMP_ERR_ISA;
	memcpy(&((struct state *)state)->factor, &bits, 4);
	return AMP_OK;
}

static enum amp_status run(const void *state, void *arena, const void *const in[], void *const out[])
{
	const float factor = ((const struct state *)state)->factor;
	(void)arena;
	for (int n = 0; n < FAKE_BATCH; n++) {
		float *logit = (float *)out[0] + 4 * n, mean[3], zero = 0;
		for (int c = 0; c < 3; c++) {
			double sum = 0;
			for (int i = 0; i < 64; i++)
				sum += (double)((const float *)in[0])[(n * 3 + c) * 64 + i];
			mean[c] = (float)(sum / 64);
			logit[c] = factor * mean[c];
		}
		logit[3] = factor / 2;
		if (mean[0] + mean[1] + mean[2] > 2.9999f)
			logit[1] = zero / zero;
#ifdef FAKE_MULTI
		for (int c = 0; c < 4; c++)
			logit[c] += ((const float *)in[1])[c];
		memcpy((float *)out[1] + 3 * n, mean, sizeof mean);
#endif
	}
	return AMP_OK;
}

static int best(void)
{
	return 0;
}

static const struct amp_io inputs[] = {
	{ "image", AMP_FLOAT, 4, { FAKE_BATCH, 3, 8, 8 }, FAKE_BATCH * 3 * 64 * 4 },
	{ "bias", AMP_FLOAT, 1, { 4 }, 16 }
};
static const struct amp_io outputs[] = {
	{ "logits", AMP_FLOAT, 2, { FAKE_BATCH, 4 }, FAKE_BATCH * 16 },
	{ "means", AMP_FLOAT, 2, { FAKE_BATCH, 3 }, FAKE_BATCH * 12 }
};
static const char *const isas[] = { "generic", "future" };
static const char *const labels[] = { "red", "green", "blue", "grey, \"or\" so" };
static const struct amp_preprocess preprocess = {
	.resize = 1, .width = 8, .height = 8, .resample = 2, .rescale = 1, .rescale_factor = 1.0 / 255
};

static void watch(void *state, amp_watch *f, void *arg)
{
	(void)state, (void)f, (void)arg;
}

static const struct amp_model model = {
	.threads = 1, .watch = watch,
	.name = "fake", .version = "0", .model_sha256 = "none",
	.weights_sha256 = "03e3c2420f5066a5fa6e36735ed8cc4f6a251046263e1a6024f009deeee3b952",
#ifdef FAKE_MULTI
	.n_in = 2, .n_out = 2,
#else
	.n_in = 1, .n_out = 1,
#endif
	.in = inputs, .out = outputs, .arena_bytes = 64, .weights_bytes = 4, .state_bytes = sizeof(struct state),
#ifdef FAKE_FILE
	.weights_file = "fake.weights",
#else
	.weights = blob,
#endif
	.n_isa = 2, .isa_names = isas, .best_isa = best, .prepare = prepare, .run = run, .labels = labels, .n_labels = 4,
	.preprocess = &preprocess, .activation = AMP_ACT_SOFTMAX
};

const struct amp_model *const amp_app_model = &model;

extern enum amp_status (*const amp_app_pool)(int threads, struct amp_pool **pool);
enum amp_status (*const amp_app_pool)(int threads, struct amp_pool **pool) = NULL;
