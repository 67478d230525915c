/*
 * pwdw.c - a 1x1 convolution and the depthwise convolution behind it become one step, ampoule.PointwiseDepthwise, so that
 * the map between them is not written to memory.
 *
 * In: a graph with layouts and algorithms.  The two join where both lie in c16, nobody else reads what is between,
 * neither has a residual and no other algorithm computes the first; and where it pays (worth()).  Exact: each keeps its
 * own order of operations.
 */
#include "ops/spatial.h"
#include "passes/passes.h"

static bool is_conv(const struct node *n)
{
	return (node_is(n, "Conv") || node_is(n, "ampoule.Conv")) && node_out(n, 0) && !node_in(n, 3) && node_in(n, 1)->data &&
	       (!node_in(n, 2) || node_in(n, 2)->data) && n->in[0]->layout == LAYOUT_C16 &&
	       n->out[0]->layout == LAYOUT_C16 && !attr_find(n, "algorithm");
}

static bool is_pointwise(const struct node *n)
{
	struct spatial s;
	return is_conv(n) && attr_int(n, "group", 1) == 1 && spatial_read(n, &n->in[0]->type, &n->in[1]->type, false, &s) &&
	       s.rank == 2 && spatial_pointwise(&s);
}

static bool is_depthwise(const struct node *n)
{
	const int64_t group = attr_int(n, "group", 1);
	return is_conv(n) && group > 1 && group == n->in[0]->type.dim[1].value && group == n->in[1]->type.dim[0].value;
}

#define SHORT_ROW 20			/* pixels: nothing is won with maps that stay in the caches */
#define SMALL (512 << 10)		/* bytes that stay in the L2 cache */
#define FEW_INPUTS 64			/* channels: X is read again for each 32 of the map's, which is less than the map */

/* Bits do not depend on it.  Measured with MobileNetV2 and EfficientNet-B0. */
static bool worth(const struct node *first, const struct node *second)
{
	struct spatial s;
	const struct type *x = &first->in[0]->type;
	if (!spatial_read(second, &first->out[0]->type, &second->in[1]->type, false, &s))
		return false;
	const int64_t tall = (s.kernel[0] - 1) * s.dilation[0] + 1;
	const int64_t wp = (s.out[1] - 1) * s.stride[1] + (s.kernel[1] - 1) * s.dilation[1] + 1;
	const int64_t c = x->dim[1].value, pixels = s.in[0] * s.in[1];
	return s.in[1] >= SHORT_ROW && tall <= SMALL && wp <= SMALL / 128 / tall &&
	       (c <= FEW_INPUTS || pixels <= SMALL / 4 / c);
}

static void join(struct node *first, struct node *second)
{
	struct node *n = node_new(second->graph, second, "ampoule", "PointwiseDepthwise", second->name);
	node_retype(n, "ampoule", "PointwiseDepthwise");
	for (int i = 0; i < 3; i++)
		node_add_in(n, node_in(first, i));
	for (int i = 1; i < 3; i++)
		node_add_in(n, node_in(second, i));
	attr_copy_all(n, second);
	attr_remove(n, "group");
	attr_remove(n, "tried");
	if (attr_str(first, "activation", "")[0])
		attr_set_str(n, "first_activation", attr_str(first, "activation", ""));
	if (attr_find(first, "act_alpha"))
		attr_set_float(n, "first_alpha", attr_float(first, "act_alpha", 0));
	if (attr_find(first, "act_beta"))
		attr_set_float(n, "first_beta", attr_float(first, "act_beta", 0));
	node_take_out(n, 0, second->out[0]);
	node_remove(second);
	node_remove(first);
}

bool pass_pwdw(struct graph *g)
{
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		if (!is_pointwise(n))
			continue;
		struct node *user = value_only_user(n->out[0]);
		if (!user || user->graph != g || user->in[0] != n->out[0] || !is_depthwise(user) || !worth(n, user))
			continue;
		if (next == user)
			next = user->next;
		join(n, user);
	}
	return true;
}
