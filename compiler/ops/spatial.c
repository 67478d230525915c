/*
 * spatial.c - reads the window attributes of convolutions and poolings and computes output sizes.
 * In: the node and its operands' types.  Out: struct spatial, every number checked to be below
 * 2^31, so that products of two of them fit int64.
 */
#include "ops/spatial.h"
#include "kernels/epilogue.h"

#include <string.h>

#define LIMIT ((int64_t)1 << 31)

/* a list attribute of `count` numbers >= low, or `otherwise` when it is absent */
static bool read_list(const struct node *n, const char *name, int count, int64_t low,
		      int64_t otherwise, int64_t *to)
{
	int have;
	const int64_t *v = attr_ints(n, name, &have);
	for (int i = 0; i < count; i++)
		to[i] = otherwise;
	if (!v || have == 0)
		return true;
	if (have != count) {
		op_error(n, "%s has %d numbers, but %d are needed", name, have, count);
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (v[i] < low || v[i] >= LIMIT) {
			op_error(n, "%s[%d] = %lld is out of range", name, i, (long long)v[i]);
			return false;
		}
		to[i] = v[i];
	}
	return true;
}

static bool read_common(const struct node *n, const struct type *x, const struct type *w,
			struct spatial *s)
{
	int64_t pads[2 * SPATIAL_MAX], shape[SPATIAL_MAX];
	memset(s, 0, sizeof *s);
	s->rank = x->rank - 2;
	if (s->rank < 1 || s->rank > SPATIAL_MAX) {
		op_error(n, "the input has rank %d; it must be [N, C, and 1 to %d spatial axes]", x->rank,
			 SPATIAL_MAX);
		return false;
	}
	if (w && w->rank != x->rank) {
		op_error(n, "the weights have rank %d, but the input has %d", w->rank, x->rank);
		return false;
	}
	if (!read_list(n, "strides", s->rank, 1, 1, s->stride) ||
	    !read_list(n, "dilations", s->rank, 1, 1, s->dilation) ||
	    !read_list(n, "pads", 2 * s->rank, 0, 0, pads) ||
	    !read_list(n, "kernel_shape", s->rank, 1, 0, shape))
		return false;
	for (int i = 0; i < s->rank; i++) {
		s->in[i] = x->dim[i + 2].value;
		s->kernel[i] = w ? w->dim[i + 2].value : shape[i];
		s->pad[i] = pads[i];
		s->pad_end[i] = pads[s->rank + i];
		if (s->kernel[i] == 0) {
			op_error(n, w ? "the weights have an empty kernel" : "kernel_shape is required");
			return false;
		}
		if (w && shape[i] != 0 && shape[i] != s->kernel[i]) {
			op_error(n, "kernel_shape[%d] is %lld, but the weights have %lld", i,
				 (long long)shape[i], (long long)s->kernel[i]);
			return false;
		}
		if (s->in[i] >= LIMIT || s->kernel[i] >= LIMIT ||
		    (s->kernel[i] - 1) * s->dilation[i] >= LIMIT) {
			op_error(n, "spatial axis %d is too large", i);
			return false;
		}
	}
	return true;
}

enum auto_pad { PAD_NOTSET, PAD_VALID, PAD_UPPER, PAD_LOWER, PAD_UNKNOWN };

static enum auto_pad read_auto_pad(const struct node *n)
{
	const char *a = attr_str(n, "auto_pad", "NOTSET");
	if (str_eq(a, "NOTSET") || str_eq(a, ""))
		return PAD_NOTSET;
	if (str_eq(a, "VALID"))
		return PAD_VALID;
	if (str_eq(a, "SAME_UPPER"))
		return PAD_UPPER;
	if (str_eq(a, "SAME_LOWER"))
		return PAD_LOWER;
	op_error(n, "auto_pad \"%s\" is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER", a);
	return PAD_UNKNOWN;
}

static void split_pad(enum auto_pad a, int64_t total, int64_t *begin, int64_t *end)
{
	if (total < 0)
		total = 0;
	*begin = a == PAD_UPPER ? total / 2 : total - total / 2;
	*end = total - *begin;
}

bool spatial_read(const struct node *n, const struct type *x, const struct type *w, bool ceil_mode,
		  struct spatial *s)
{
	const enum auto_pad a = read_auto_pad(n);
	if (a == PAD_UNKNOWN || !read_common(n, x, w, s))
		return false;
	for (int i = 0; i < s->rank; i++) {
		const int64_t reach = (s->kernel[i] - 1) * s->dilation[i] + 1, step = s->stride[i];
		if (a == PAD_UPPER || a == PAD_LOWER) {
			s->out[i] = (s->in[i] + step - 1) / step;
			split_pad(a, (s->out[i] - 1) * step + reach - s->in[i], &s->pad[i], &s->pad_end[i]);
			continue;
		}
		if (a == PAD_VALID)
			s->pad[i] = s->pad_end[i] = 0;
		const int64_t room = s->in[i] + s->pad[i] + s->pad_end[i] - reach;
		if (room < 0 && x->dim[0].value != 0 && x->dim[1].value != 0) {
			op_error(n, "spatial axis %d: the kernel reaches over %lld positions, but the padded "
				    "input has %lld", i, (long long)reach, (long long)(room + reach));
			return false;
		}
		if (room < 0) {		/* nothing to compute: no batch or no channels */
			s->out[i] = 0;
			continue;
		}
		s->out[i] = room / step + 1;
		/* one more, partial, window, if it begins inside the input or the padding before it */
		if (ceil_mode && a == PAD_NOTSET && room % step != 0 &&
		    s->out[i] * step < s->in[i] + s->pad[i])
			s->out[i]++;
	}
	return true;
}

bool spatial_read_transposed(const struct node *n, const struct type *x, const struct type *w,
			     struct spatial *s)
{
	const enum auto_pad a = read_auto_pad(n);
	int64_t shape[SPATIAL_MAX];
	if (a == PAD_UNKNOWN || !read_common(n, x, w, s) ||
	    !read_list(n, "output_padding", s->rank, 0, 0, s->output_padding))
		return false;
	int count;
	const int64_t *given = attr_ints(n, "output_shape", &count);
	/* the standard says spatial sizes only; some exporters write N and C too */
	if (given && count == s->rank + 2)
		given += 2, count -= 2;
	if (given && count && count != s->rank) {
		op_error(n, "output_shape has %d numbers, but there are %d spatial axes", count, s->rank);
		return false;
	}
	const bool fixed = given && count;
	for (int i = 0; i < s->rank; i++) {
		const int64_t reach = (s->kernel[i] - 1) * s->dilation[i] + 1;
		const int64_t full = s->stride[i] * (s->in[i] - 1) + s->output_padding[i] + reach;
		shape[i] = 0;
		if (s->in[i] > 0 && s->stride[i] * (s->in[i] - 1) >= LIMIT) {
			op_error(n, "spatial axis %d of the output is too large", i);
			return false;
		}
		if (fixed || a == PAD_UPPER || a == PAD_LOWER) {
			shape[i] = fixed ? given[i] : s->in[i] * s->stride[i];
			split_pad(a, full - shape[i], &s->pad[i], &s->pad_end[i]);
		} else {
			if (a == PAD_VALID)
				s->pad[i] = s->pad_end[i] = 0;
			shape[i] = full - s->pad[i] - s->pad_end[i];
		}
		if (shape[i] < 0 || shape[i] >= LIMIT) {
			op_error(n, "spatial axis %d of the output would have the size %lld", i,
				 (long long)shape[i]);
			return false;
		}
		s->out[i] = shape[i];
	}
	return true;
}

#define LARGE_MAP 28		/* rows: with fewer, rows that parts have in common cost more than what they read */

bool spatial_by_rows(const struct node *n, const struct spatial *s)
{
	const struct value *y = n->out[0];
	for (int i = 0; i < value_n_uses(y); i++)
		if (!y->uses[i].node || !str_eq(y->uses[i].node->op->name, "Conv"))
			return false;
	return s->out[0] >= LARGE_MAP;
}

bool spatial_finite(const struct value *v)
{
	if (!v || !v->data || v->data->dtype != DT_FLOAT)
		return false;
	const uint32_t *p = v->data->data;
	for (int64_t i = 0; i < v->data->n; i++)
		if ((p[i] & 0x7f800000u) == 0x7f800000u)
			return false;
	return true;
}

bool spatial_pointwise(const struct spatial *s)
{
	for (int i = 0; i < s->rank; i++)
		if (s->kernel[i] != 1 || s->stride[i] != 1 || s->pad[i] != 0 || s->in[i] != s->out[i])
			return false;
	return true;
}

struct value *spatial_pad_c16(const struct node *n, int i)
{
	const struct value *b = node_in(n, i);
	if (!b)
		return NULL;
	const int64_t dims[] = { (b->data->n + 15) / 16, 16 };
	struct tensor *t = tensor_new(n->graph->c, DT_FLOAT, 2, dims);
	memcpy(t->data, b->data->data, (size_t)b->data->n * sizeof(float));
	return step_const(n, str_printf(n->graph->c, "%s (c16)", b->name), t);
}

struct value *spatial_bias_c16(const struct node *n)
{
	return spatial_pad_c16(n, 2);
}

void spatial_step_end(struct node *n, struct step *s)
{
	step_in(s, spatial_bias_c16(n));
	step_in(s, node_in(n, 3));
	step_out(s, node_out(n, 0));
	/* each output is written after the residual at its place has been read */
	if (node_in(n, 3) && !node_in(n, 3)->data)
		step_inplace(s, 0, 3);
}

struct tensor *spatial_pack_c16(struct ctx *c, const struct tensor *w, int64_t cs)
{
	const int64_t m = w->dim[0], cg = w->dim[1], taps = w->dim[2] * w->dim[3];
	const int64_t blocks = (cg + cs - 1) / cs;
	const int64_t dims[] = { (m + 15) / 16, blocks, taps, cs, 16 };
	struct tensor *t = tensor_new(c, DT_FLOAT, 5, dims);
	const float *from = w->data;
	float *to = t->data;
	for (int64_t o = 0; o < m; o++)
		for (int64_t i = 0; i < cg; i++)
			for (int64_t k = 0; k < taps; k++)
				to[((((o / 16) * blocks + i / cs) * taps + k) * cs + i % cs) * 16 + o % 16] =
					from[(o * cg + i) * taps + k];
	return t;
}

int op_activation_named(const struct node *n, const char *attribute)
{
	static const struct { const char *name; enum amp_epilogue number; } names[] = {
		{ "", AMP_EPI_NONE }, { "relu", AMP_EPI_RELU }, { "clip", AMP_EPI_CLIP },
		{ "silu", AMP_EPI_SILU }, { "gelu", AMP_EPI_GELU }, { "gelu_tanh", AMP_EPI_GELU_TANH },
		{ "sigmoid", AMP_EPI_SIGMOID }, { "tanh", AMP_EPI_TANH },
		{ "hardswish", AMP_EPI_HARDSWISH }, { "hardsigmoid", AMP_EPI_HARDSIGMOID },
		{ "leakyrelu", AMP_EPI_LEAKYRELU },
	};
	const char *a = attr_str(n, attribute, "");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (str_eq(a, names[i].name))
			return names[i].number;
	op_error(n, "activation \"%s\" is unknown", a);
	return -1;
}

int op_activation(const struct node *n)
{
	return op_activation_named(n, "activation");
}
