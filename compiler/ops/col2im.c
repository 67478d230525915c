/* col2im.c - Col2Im: columns of blocks summed back into an image of any number of dimensions. */
#include "ops/move.h"

#define AMP_T 1
#include "kernels/col2im.inc"

static bool read(const struct node *n, const struct type **x, struct amp_col2im *p)
{
	const int64_t *image, *block, *list;
	int rank, count;
	int64_t taps = 1, columns = 1;
	if (!move_in(n, 0, x) || !op_const_ints(n, 1, true, &image, &rank) ||
	    !op_const_ints(n, 2, true, &block, &count))
		return false;
	bool ok = rank >= 1 && rank <= AMP_MAX_RANK && count == rank && (*x)->rank == 3;
	p->rank = rank;
	for (int d = 0; d < rank && ok; d++) {
		p->image[d] = image[d];
		p->block[d] = block[d];
		p->stride[d] = p->dilation[d] = 1;
		p->pad[d] = 0;
		ok = image[d] > 0 && image[d] < INT32_MAX && block[d] > 0 && block[d] < INT32_MAX;
	}
	if (ok && (list = attr_ints(n, "strides", &count)) != NULL && (ok = count == rank))
		for (int d = 0; d < rank; d++)
			ok = ok && (p->stride[d] = list[d]) > 0 && list[d] < INT32_MAX;
	if (ok && (list = attr_ints(n, "dilations", &count)) != NULL && (ok = count == rank))
		for (int d = 0; d < rank; d++)
			ok = ok && (p->dilation[d] = list[d]) > 0 && list[d] < INT32_MAX;
	list = attr_ints(n, "pads", &count);
	ok = ok && (!list || count == 2 * rank);
	for (int d = 0; d < rank && ok; d++) {
		const int64_t before = list ? list[d] : 0, after = list ? list[rank + d] : 0;
		if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX) {
			ok = false;
			break;
		}
		const int64_t room = p->image[d] + before + after - p->dilation[d] * (p->block[d] - 1) - 1;
		p->pad[d] = before;
		p->count[d] = room < 0 ? 0 : room / p->stride[d] + 1;
		ok = mul_i64(taps, p->block[d], &taps) && mul_i64(columns, p->count[d], &columns);
	}
	ok = ok && (*x)->dim[1].value % taps == 0 && (*x)->dim[2].value == columns;
	if (!ok) {
		op_error(n, "X %s does not fit image, block, strides, dilations and pads",
			 type_text(n->graph->c, *x));
		return false;
	}
	p->outer = (*x)->dim[0].value * ((*x)->dim[1].value / taps);
	return true;
}

static bool infer(struct node *n)
{
	const struct type *x;
	struct amp_col2im p = { 0 };
	int64_t dims[AMP_MAX_RANK + 2];
	if (!read(n, &x, &p))
		return false;
	dims[0] = x->dim[0].value;
	dims[1] = x->dim[1].value / move_product(p.block, 0, p.rank);
	for (int d = 0; d < p.rank; d++)
		dims[2 + d] = p.image[d];
	op_out_type(n, 0, x->dtype, p.rank + 2, dims);
	return true;
}

static bool lower(struct node *n, struct step *s)
{
	const struct type *x = &n->in[0]->type;
	struct amp_col2im *p = step_kernel(s, "col2im", x->dtype);
	if (!read(n, &x, p))
		return false;
	step_in(s, n->in[0]);
	step_out(s, n->out[0]);
	return true;
}

const struct op op_col2im = { .domain = "", .name = "Col2Im", .since = 18, .min_in = 3, .max_in = 3, .min_out = 1,
	.max_out = 1, .infer = infer, .lower = lower };
