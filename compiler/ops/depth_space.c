/*
 * depth_space.c - DepthToSpace and SpaceToDepth on [N, C, H, W]: blocks of pixels to channels and back.  One
 * strided copy each.
 */
#include "ops/move.h"

static bool read(const struct node *n, const struct type **x, int64_t *block, bool *depth_first)
{
	const char *mode = attr_str(n, "mode", "DCR");
	if (!move_in(n, 0, x))
		return false;
	*block = attr_int(n, "blocksize", 0);
	*depth_first = str_eq(mode, "DCR");
	if ((*x)->rank != 4 || *block < 1 || *block > 65536 || (!*depth_first && !str_eq(mode, "CRD"))) {
		op_error(n, "blocksize %lld, mode %s do not fit %s", (long long)*block, mode,
			 type_text(n->graph->c, *x));
		return false;
	}
	return true;
}

static bool depth_infer(struct node *n)
{
	const struct type *x;
	int64_t b, d[IR_MAX_RANK];
	bool dcr;
	if (!read(n, &x, &b, &dcr))
		return false;
	type_dims(x, d);
	if (d[1] % (b * b)) {
		op_error(n, "%lld channels are not a multiple of %lld", (long long)d[1], (long long)(b * b));
		return false;
	}
	const int64_t dims[] = { d[0], d[1] / (b * b), d[2] * b, d[3] * b };
	op_out_type(n, 0, x->dtype, 4, dims);
	return true;
}

static bool depth_lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t b, d[IR_MAX_RANK];
	bool dcr;
	if (!read(n, &x, &b, &dcr))
		return false;
	type_dims(x, d);
	const int64_t hw = d[2] * d[3], c = d[1] / (b * b);
	/* y [N, c, H, b, W, b] */
	struct move m = { .rank = 6, .dim = { d[0], c, d[2], b, d[3], b },
			  .in_stride = { d[1] * hw, dcr ? hw : b * b * hw, d[3], dcr ? b * c * hw : b * hw, 1,
					 dcr ? c * hw : hw } };
	return move_lower(n, s, &m);
}

const struct op op_depth_to_space = { .domain = "", .name = "DepthToSpace", .since = 28, .min_in = 1,
	.max_in = 1, .min_out = 1, .max_out = 1, .infer = depth_infer, .lower = depth_lower };

static bool space_infer(struct node *n)
{
	const struct type *x;
	int64_t b, d[IR_MAX_RANK];
	bool dcr;
	if (!read(n, &x, &b, &dcr))
		return false;
	type_dims(x, d);
	if (d[2] % b || d[3] % b) {
		op_error(n, "%lldx%lld is not a multiple of blocksize %lld", (long long)d[2], (long long)d[3],
			 (long long)b);
		return false;
	}
	const int64_t dims[] = { d[0], d[1] * b * b, d[2] / b, d[3] / b };
	op_out_type(n, 0, x->dtype, 4, dims);
	return true;
}

static bool space_lower(struct node *n, struct step *s)
{
	const struct type *x;
	int64_t b, d[IR_MAX_RANK];
	bool dcr;
	if (!read(n, &x, &b, &dcr))
		return false;
	type_dims(x, d);
	const int64_t hw = d[2] * d[3], w = d[3];
	/* y [N, b, b, C, H/b, W/b], or [N, C, b, b, ...] */
	struct move m = { .rank = 6, .dim = { d[0], b, b, d[1], d[2] / b, w / b },
			  .in_stride = { d[1] * hw, w, 1, hw, b * w, b } };
	struct move crd = { .rank = 6, .dim = { d[0], d[1], b, b, d[2] / b, w / b },
			    .in_stride = { d[1] * hw, hw, w, 1, b * w, b } };
	return move_lower(n, s, dcr ? &m : &crd);
}

const struct op op_space_to_depth = { .domain = "", .name = "SpaceToDepth", .since = 28, .min_in = 1,
	.max_in = 1, .min_out = 1, .max_out = 1, .infer = space_infer, .lower = space_lower };
