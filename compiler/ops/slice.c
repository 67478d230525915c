/* slice.c - Slice: a range of each axis, with any step.  One strided copy; a view where the range is one run. */
#include "ops/move.h"

/* Before opset 10 starts, ends and axes were attributes. */
static void upgrade(struct node *n)
{
	if (n->version < 10) {
		op_attr_ints_to_input(n, "starts", 1);
		op_attr_ints_to_input(n, "ends", 2);
		op_attr_ints_to_input(n, "axes", 3);
	}
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* Start, step and count on every axis. */
static bool ranges(const struct node *n, const struct type **x, int64_t *start, int64_t *step,
		   int64_t *count)
{
	const int64_t *starts, *ends, *axes = NULL, *steps = NULL;
	int n_starts, n_ends, n_axes = 0, n_steps = 0;
	bool seen[IR_MAX_RANK] = { false };
	if (!move_in(n, 0, x) || !op_const_ints(n, 1, true, &starts, &n_starts) ||
	    !op_const_ints(n, 2, true, &ends, &n_ends))
		return false;
	if ((node_in(n, 3) && !op_const_ints(n, 3, true, &axes, &n_axes)) ||
	    (node_in(n, 4) && !op_const_ints(n, 4, true, &steps, &n_steps)))
		return false;
	if (n_starts != n_ends || (axes && n_axes != n_starts) || (steps && n_steps != n_starts)) {
		op_error(n, "starts, ends, axes and steps have %d, %d, %d and %d elements", n_starts,
			 n_ends, n_axes, n_steps);
		return false;
	}
	for (int d = 0; d < (*x)->rank; d++) {
		start[d] = 0;
		step[d] = 1;
		count[d] = (*x)->dim[d].value;
	}
	for (int k = 0; k < n_starts; k++) {
		int d;
		if (!op_axis(n, axes ? axes[k] : k, (*x)->rank, &d))
			return false;
		const int64_t size = (*x)->dim[d].value, by = steps ? steps[k] : 1;
		if (by == 0 || by == INT64_MIN || seen[d]) {
			op_error(n, by ? "an axis stands twice" : "a step is 0");
			return false;
		}
		seen[d] = true;
		int64_t a = starts[k] < 0 ? starts[k] + size : starts[k];
		int64_t b = ends[k] < 0 ? ends[k] + size : ends[k];
		if (by > 0) {
			a = clamp(a, 0, size);
			b = clamp(b, 0, size);
		} else {
			a = clamp(a, -1, size - 1);
			b = clamp(b, -1, size - 1);
		}
		start[d] = a;
		step[d] = by;
		if (by > 0)
			count[d] = b > a ? (b - a - 1) / by + 1 : 0;
		else
			count[d] = a > b ? (a - b - 1) / -by + 1 : 0;
		if (count[d] <= 1)
			step[d] = 1;	/* never used: a huge one could overflow */
	}
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x;
	int64_t start[IR_MAX_RANK], step[IR_MAX_RANK], count[IR_MAX_RANK];
	if (!ranges(n, &x, start, step, count))
		return false;
	op_out_type(n, 0, x->dtype, x->rank, count);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t start[IR_MAX_RANK], step[IR_MAX_RANK], count[IR_MAX_RANK];
	int64_t dims[IR_MAX_RANK], stride[IR_MAX_RANK];
	struct move m = { 0 };
	if (!ranges(n, &x, start, step, count))
		return false;
	m.rank = type_dims(x, dims);
	move_strides(m.rank, dims, stride);
	for (int d = 0; d < m.rank; d++) {
		m.dim[d] = count[d];
		m.in_stride[d] = step[d] * stride[d];
		m.in_offset += count[d] ? start[d] * stride[d] : 0;
	}
	return move_lower(n, s, &m);
}

const struct op op_slice = { .domain = "", .name = "Slice", .since = 13, .min_in = 3, .max_in = 5,
	.min_out = 1, .max_out = 1, .upgrade = upgrade, .infer = infer, .lower = lower };
