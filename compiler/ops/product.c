/*
 * product.c - from strides to the gemm kernel's parameters.  Neighbouring batch axes that all
 * operands walk evenly become one; a batch that b does not depend on becomes rows; a tall result
 * with few columns is computed transposed (the same sums in the same order), because the kernel's
 * vector runs over columns.
 */
#include "ops/spatial.h"
#include "ops/product.h"
#define AMP_T 1
#include "kernels/gemm.inc"

#include <string.h>

void product_strides(const struct type *t, int rank, struct product_operand *o)
{
	int64_t stride[IR_MAX_RANK + 2] = { 0 }, at = 1;
	for (int i = 0; i < t->rank; i++) {		/* from the last axis backwards */
		const int64_t size = t->dim[t->rank - 1 - i].value;
		stride[i] = size == 1 ? 0 : at;
		at *= size ? size : 1;
	}
	o->col = stride[0];
	o->row = stride[1];
	for (int d = 0; d < rank; d++)
		o->batch[d] = stride[2 + rank - 1 - d];
}

#define N_OPERANDS 5

static void swap_operand(struct product_operand *a, struct product_operand *b)
{
	const struct product_operand t = *a;
	*a = *b;
	*b = t;
}

static void turn(struct product_operand *o)
{
	const int64_t t = o->row;
	o->row = o->col;
	o->col = t;
}

static void simplify(struct product *p)
{
	struct product_operand *const o[N_OPERANDS] = { &p->a, &p->b, &p->c, &p->z, &p->y };
	/* sizes of 1 vanish, even neighbours join */
	int rank = 0;
	for (int d = 0; d < p->rank; d++) {
		bool joins = rank > 0;
		if (p->batch[d] == 1)
			continue;
		for (int i = 0; i < N_OPERANDS; i++)
			joins = joins && o[i]->batch[rank - 1] == o[i]->batch[d] * p->batch[d];
		const int to = joins ? rank - 1 : rank++;
		p->batch[to] = joins ? p->batch[to] * p->batch[d] : p->batch[d];
		for (int i = 0; i < N_OPERANDS; i++)
			o[i]->batch[to] = o[i]->batch[d];
	}
	p->rank = rank;
	/* the innermost batch axis becomes rows when only b ignores it */
	while (p->rank > 0) {
		const int d = p->rank - 1;
		bool rows = p->b.batch[d] == 0;
		for (int i = 0; i < N_OPERANDS; i++)
			rows = rows && (o[i] == &p->b || p->m == 1 ||
					o[i]->batch[d] == o[i]->row * p->m);
		if (!rows)
			break;
		for (int i = 0; i < N_OPERANDS; i++)
			if (o[i] != &p->b && p->m == 1)
				o[i]->row = o[i]->batch[d];
		p->m *= p->batch[d];
		p->rank--;
	}
	p->turned = p->n < 8 && p->m > p->n;
	if (p->turned) {
		const int64_t m = p->m;
		p->m = p->n;
		p->n = m;
		swap_operand(&p->a, &p->b);
		for (int i = 0; i < N_OPERANDS; i++)
			turn(o[i]);
	}
}

struct tensor *product_pack(struct ctx *c, const struct tensor *b, int64_t k, int64_t n, int64_t row, int64_t col)
{
	const int64_t dims[] = { (n + 15) / 16, k, 16 };
	struct tensor *t = tensor_new(c, DT_FLOAT, 3, dims);
	const float *from = b->data;
	float *to = t->data;
	for (int64_t i = 0; i < k; i++)
		for (int64_t j = 0; j < n; j++)
			to[(j / 16 * k + i) * 16 + j % 16] = from[i * row + j * col];
	return t;
}

/* A constant b without batches, packed; NULL: it cannot be */
static struct value *pack(const struct node *n, const struct product *p, const struct value *b)
{
	struct ctx *c = n->graph->c;
	for (int d = 0; d < p->rank; d++)
		if (p->b.batch[d] != 0)
			return NULL;
	if (!b->data || b->data->dtype != DT_FLOAT || b->layout != LAYOUT_PLAIN || p->n < 4 || p->k < 1 ||
	    p->a.col != 1)
		return NULL;
	return step_const(n, str_printf(c, "%s (packed)", b->name),
			  product_pack(c, b->data, p->k, p->n, p->b.row, p->b.col));
}

bool product_lower(struct node *n, struct step *s, enum dtype t, struct product *p,
		   struct value *a, struct value *b, struct value *c, struct value *z, struct value *y)
{
	if (!c)
		memset(&p->c, 0, sizeof p->c);
	if (!z)
		memset(&p->z, 0, sizeof p->z);
	simplify(p);
	if (p->rank > AMP_MAX_RANK) {
		op_error(n, "more than %d separate batch axes", AMP_MAX_RANK);
		return false;
	}
	struct amp_gemm *g = step_kernel(s, "gemm", t);
	g->rank = p->rank;
	g->m = p->m;
	g->n = p->n;
	g->k = p->k;
	for (int d = 0; d < p->rank; d++) {
		g->batch[d] = p->batch[d];
		g->a_batch[d] = p->a.batch[d];
		g->b_batch[d] = p->b.batch[d];
		g->c_batch[d] = p->c.batch[d];
		g->z_batch[d] = p->z.batch[d];
		g->y_batch[d] = p->y.batch[d];
	}
	g->a_m = p->a.row;
	g->a_k = p->a.col;
	g->b_k = p->b.row;
	g->b_n = p->b.col;
	g->c_m = p->c.row;
	g->c_n = p->c.col;
	g->z_m = p->z.row;
	g->z_n = p->z.col;
	g->y_m = p->y.row;
	g->y_n = p->y.col;
	g->alpha = p->alpha;
	g->beta = p->beta;
	g->act = op_activation(n);
	g->act_alpha = attr_float(n, "act_alpha", 0);
	g->act_beta = attr_float(n, "act_beta", 0);
	if (g->act < 0)
		return false;
	g->plain = amp_gemm_plain(g, c != NULL, z != NULL);
	struct value *right = p->turned ? a : b;
	struct value *packed = t == DT_FLOAT && !(p->turned ? b : a)->data ? pack(n, p, right) : NULL;
	g->b_packed = packed != NULL;
	if (t == DT_FLOAT && p->k > INT32_MAX)	/* the tile counts in 32 bits */
		fatal(n->graph->c, R_INPUT, "%s: more than 2^31 products in a sum", node_where(n));
	if (!mul_i64(packed ? 0 : p->k, t == DT_FLOAT ? 128 : 16 * (dtype_size(t) == 8 ? 8 : 4), &s->scratch))
		fatal(n->graph->c, R_INPUT, "%s: the operands are too large", node_where(n));
	step_in(s, p->turned ? b : a);
	step_in(s, packed ? packed : right);
	step_in(s, c);
	step_in(s, z);
	step_out(s, y);
	return true;
}
