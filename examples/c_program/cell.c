/*
 * cell.c - a model called from a C program of your own.
 *
 * In:  nothing; the program draws a cell: a dark nucleus on pale plasma, as the model saw them in training.
 * Out: the probability of each class on standard output; with an argument, the input tensor as a .npy file,
 *      so that the classifier can be asked about the same numbers.
 *
 * All memory is this program's: the model allocates nothing, prints nothing, keeps nothing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rcmnet.h"

static _Alignas(AMP_ALIGN) unsigned char arena[RCMNET_ARENA_BYTES];
static _Alignas(AMP_ALIGN) unsigned char prepared[RCMNET_PREPARED_BYTES + 1];
static float input[RCMNET_IN0_BYTES / sizeof(float)];
static float logit[RCMNET_OUT0_BYTES / sizeof(float)];

/* A disc of colour b within a disc of colour a, on the background; then as the model wants it. */
static void draw(int size)
{
	static const float background[3] = { 236, 226, 232 }, a[3] = { 190, 200, 230 }, b[3] = { 92, 58, 130 };
	const struct amp_preprocess *p = rcmnet_model.preprocess;
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < size; y++)
			for (int x = 0; x < size; x++) {
				const float dx = ((float)x + 0.5f) / (float)size - 0.5f, dy = ((float)y + 0.5f) / (float)size - 0.5f;
				const float r = dx * dx + dy * dy;
				const float v = r < 0.05f ? b[c] : r < 0.075f ? a[c] : background[c];
				const float scaled = (float)((double)v * p->rescale_factor);
				input[(c * size + y) * size + x] = (scaled - (float)p->mean[c]) / (float)p->std[c];
			}
}

static int write_npy(const char *path, int size)
{
	char head[128];
	memset(head, ' ', sizeof head);
	memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
	const int n = snprintf(head + 10, 118, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, %d, %d), }",
			       size, size);
	head[10 + n] = ' ';
	head[127] = '\n';
	FILE *f = fopen(path, "wb");
	if (!f)
		return -1;
	const size_t ok = fwrite(head, sizeof head, 1, f) + fwrite(input, sizeof input, 1, f);
	return fclose(f) || ok != 2 ? -1 : 0;
}

int main(int argc, char **argv)
{
	const int size = (int)rcmnet_model.in[0].dim[3], classes = rcmnet_model.n_labels;
	struct rcmnet net;
	const void *in[] = { input };
	void *out[] = { logit };
	enum amp_status status = rcmnet_prepare(&net, rcmnet_weights, prepared, NULL, -1);
	if (status != AMP_OK) {
		fprintf(stderr, "the model cannot be prepared: %d\n", status);
		return 1;
	}
	draw(size);
	status = rcmnet_run(&net, arena, in, out);
	if (status != AMP_OK) {
		fprintf(stderr, "the model cannot be run: %d\n", status);
		return 1;
	}
	/* softmax: the header says that the model does not end in one */
	double sum = 0, largest = logit[0];
	for (int i = 1; i < classes; i++)
		largest = logit[i] > largest ? logit[i] : largest;
	for (int i = 0; i < classes; i++)
		sum += exp(logit[i] - largest);
	for (int i = 0; i < classes; i++)
		printf("%-22s %.4f   logit %.9g\n", rcmnet_model.labels[i], exp(logit[i] - largest) / sum, logit[i]);
	if (argc > 1 && write_npy(argv[1], size)) {
		fprintf(stderr, "%s cannot be written\n", argv[1]);
		return 1;
	}
	return 0;
}
