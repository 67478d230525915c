/*
 * window.h - sliding windows over up to 6 spatial dimensions, shared by the pooling kernels.
 *
 * amp_window_first/next walk the positions of one window that lie inside the input, in window order
 * (last dimension fastest); `at` is the position's offset in the plane.
 */
#ifndef AMP_WINDOW_H
#define AMP_WINDOW_H

#define AMP_WINDOW_SPACE 6
#define AMP_WINDOW_FIELDS(I, IA, L, LA, F, D) \
	L(planes) I(rank) LA(in, AMP_WINDOW_SPACE) LA(out, AMP_WINDOW_SPACE) \
	LA(kernel, AMP_WINDOW_SPACE) LA(stride, AMP_WINDOW_SPACE) LA(dilation, AMP_WINDOW_SPACE) \
	LA(pad, AMP_WINDOW_SPACE) LA(pad_end, AMP_WINDOW_SPACE)

struct amp_window {
	int rank;
	const int64_t *in, *dilation;
	int64_t start[AMP_WINDOW_SPACE];	/* input position of tap 0 */
	int64_t lo[AMP_WINDOW_SPACE], hi[AMP_WINDOW_SPACE];	/* taps inside the input */
	int64_t tap[AMP_WINDOW_SPACE];
	int64_t at;
};

AMP_INLINE void amp_window_locate(struct amp_window *w)
{
	w->at = 0;
	for (int d = 0; d < w->rank; d++)
		w->at = w->at * w->in[d] + w->start[d] + w->tap[d] * w->dilation[d];
}

/* The window of output position o; false when no tap of it lies inside. */
AMP_INLINE int amp_window_first(struct amp_window *w, int rank, const int64_t *in, const int64_t *kernel,
				const int64_t *stride, const int64_t *dilation, const int64_t *pad,
				const int64_t *o)
{
	int any = 1;
	w->rank = rank;
	w->in = in;
	w->dilation = dilation;
	for (int d = 0; d < rank; d++) {
		const int64_t s = o[d] * stride[d] - pad[d], step = dilation[d];
		const int64_t lo = s >= 0 ? 0 : (-s + step - 1) / step;
		const int64_t end = s >= in[d] ? 0 : (in[d] - 1 - s) / step + 1;
		w->start[d] = s;
		w->lo[d] = w->tap[d] = lo;
		w->hi[d] = end < kernel[d] ? end : kernel[d];
		any = any && w->lo[d] < w->hi[d];
	}
	if (any)
		amp_window_locate(w);
	return any;
}

AMP_INLINE int amp_window_next(struct amp_window *w)
{
	const int last = w->rank - 1;
	if (++w->tap[last] < w->hi[last]) {
		w->at += w->dilation[last];
		return 1;
	}
	for (int d = last; d >= 0; d--) {
		if (d < last && ++w->tap[d] < w->hi[d]) {
			amp_window_locate(w);
			return 1;
		}
		w->tap[d] = w->lo[d];
	}
	return 0;
}

/* index + 1 in a box, last fastest */
AMP_INLINE void amp_window_step(int64_t *index, const int64_t *dim, int rank)
{
	for (int d = rank - 1; d >= 0; d--) {
		if (++index[d] < dim[d])
			return;
		index[d] = 0;
	}
}
#endif
