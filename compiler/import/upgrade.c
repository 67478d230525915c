/*
 * upgrade.c - one form of every operator: the newest.
 *
 * Goes in: the graph as the file has it, each node in the form of its operator set (n->version).  Comes
 * out: the same graph in newest forms.  What an operator's own history changed, its file in ops/ knows
 * (op->upgrade); here is what has no file any more: operators that were renamed, and the forms of before
 * operator set 7 that many operators shared (broadcast and axis, consumed_inputs).  Then each
 * node is held against its row: known at all, number of operands, kind of attributes.
 */
#include "import/internal.h"
#include "ops/op.h"

#include <string.h>

/* ---- operators that are gone -------------------------------------------------------------------- */

/* Upsample (7: scales as attribute; 9: as input) is Resize with the old rule for coordinates. */
static void upsample(struct node *n)
{
	struct ctx *c = n->graph->c;
	struct value *scales = node_in(n, 1);
	int count;
	const double *f = attr_floats(n, "scales", &count);
	if (f) {
		struct tensor *t = tensor_new(c, DT_FLOAT, 1, &(int64_t){ count });
		for (int i = 0; i < count; i++)
			((float *)t->data)[i] = (float)f[i];
		scales = value_const(n->graph, "", t);
		attr_remove(n, "scales");
	} else if (attr_find(n, "height_scale") && attr_find(n, "width_scale")) {
		/* operator set 1: NCHW was understood */
		struct tensor *t = tensor_new(c, DT_FLOAT, 1, &(int64_t){ 4 });
		float *s = t->data;
		s[0] = s[1] = 1;
		s[2] = (float)attr_float(n, "height_scale", 1);
		s[3] = (float)attr_float(n, "width_scale", 1);
		scales = value_const(n->graph, "", t);
		attr_remove(n, "height_scale");
		attr_remove(n, "width_scale");
	}
	if (str_eq(attr_str(n, "mode", "nearest"), "bilinear"))
		attr_set_str(n, "mode", "linear");
	attr_set_str(n, "coordinate_transformation_mode", "asymmetric");
	attr_set_str(n, "nearest_mode", "floor");
	node_set_in(n, 1, NULL);
	node_set_in(n, 2, scales);
	n->op_type = "Resize";
}

static void scatter(struct node *n)
{
	n->op_type = "ScatterElements";
}

static const struct { const char *name; int until; void (*rewrite)(struct node *n); } gone[] = {
	{ "Upsample", 10, upsample },
	{ "Scatter", 11, scatter },
};

/* ---- shared forms of operator sets 1 to 6 ---------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (str_eq(name, *list))
			return true;
	return false;
}

/* B was aligned at `axis` of A: ones behind it make that numpy's rule. */
static void align_operand(struct node *n, int64_t axis)
{
	const struct value *a = node_in(n, 0);
	struct value *b = node_in(n, 1);
	if (!a || !b || a->type.rank < 0 || b->type.rank < 0) {
		node_error(n, STAGE, "axis=%lld of operator set %d needs operands of known rank: convert "
			   "the model to operator set 7 or later", (long long)axis, n->version);
		return;
	}
	if (axis < 0)
		axis += a->type.rank;
	int64_t behind[IR_MAX_RANK];
	int count = 0;
	for (int64_t i = axis + b->type.rank; i < a->type.rank && count < IR_MAX_RANK; i++)
		behind[count] = b->type.rank + count, count++;
	if (axis < 0 || axis + b->type.rank > a->type.rank) {
		node_error(n, STAGE, "axis %lld puts operand 1 outside operand 0", (long long)axis);
		return;
	}
	if (!count)
		return;
	struct node *u = node_new(n->graph, n, "", "Unsqueeze", n->name);
	u->version = 13;
	node_add_in(u, b);
	node_add_in(u, value_const(n->graph, "", tensor_ints(n->graph->c, behind, count)));
	node_set_in(n, 1, node_add_out(u, b->name));
}

static void before_7(struct node *n)
{
	static const char *const broadcasting[] = { "Add", "Sub", "Mul", "Div", "Pow", "And", "Or",
		"Xor", "Equal", "Greater", "Less", NULL };
	attr_remove(n, "consumed_inputs");
	if (is_one_of(n->op_type, broadcasting)) {
		const struct attr *axis = attr_find(n, "axis");
		if (axis && axis->kind == ATTR_INT && attr_int(n, "broadcast", 0))
			align_operand(n, axis->i);
		attr_remove(n, "axis");
		attr_remove(n, "broadcast");
	} else if (str_eq(n->op_type, "PRelu")) {
		const struct value *slope = node_in(n, 1);	/* one for each channel, axis 1 */
		if (slope && slope->type.rank == 1 && slope->type.dim[0].value != 1)
			align_operand(n, 1);
	} else if (str_eq(n->op_type, "Gemm")) {
		attr_remove(n, "broadcast");
	} else if (str_eq(n->op_type, "BatchNormalization")) {
		attr_remove(n, "is_test");
	} else if (str_eq(n->op_type, "Dropout")) {
		attr_remove(n, "is_test");
	} else if (str_eq(n->op_type, "Reshape") && n->version < 5) {
		op_attr_ints_to_input(n, "shape", 1);
	} else if (str_eq(n->op_type, "Concat") && n->version < 4 && !attr_find(n, "axis")) {
		attr_set_int(n, "axis", 1);
	} else if (str_eq(n->op_type, "Cast")) {
		const char *to = attr_str(n, "to", NULL);	/* a word, in operator sets 1 to 5 */
		char word[16] = "";
		for (int i = 0; to && to[i] && i < 15; i++)
			word[i] = (char)(to[i] >= 'A' && to[i] <= 'Z' ? to[i] + 32 : to[i]);
		if (to)
			attr_set_int(n, "to", dtype_by_name(word));
	}
}

/* ---- checks against the row ---------------------------------------------------------------------- */

/*
 * Kinds of ONNX's attributes by name, where all operators agree.  A lookup of the wrong kind gives the
 * default, so a wrong kind must not pass.
 */
static const struct { enum attr_kind kind; const char *names; } kinds[] = {
	{ ATTR_INT, " axis keepdims group ceil_mode count_include_pad storage_order transA transB "
		    "allowzero select_last_index blocksize exclusive reverse largest sorted to "
		    "batch_dims noop_with_empty_axes training_mode num_outputs hidden_size "
		    "align_corners k sampling_ratio p inclusive num_heads is_causal stash_type " },
	{ ATTR_INTS, " axes kernel_shape strides dilations pads perm output_padding split starts ends "
		     "repeats " },
	{ ATTR_FLOAT, " alpha beta epsilon momentum gamma bias lambd clip spatial_scale softcap "
		      "cubic_coeff_a extrapolation_value " },
	{ ATTR_STRING, " auto_pad mode coordinate_transformation_mode nearest_mode "
		       "keep_aspect_ratio_policy equation direction reduction padding_mode approximate "
		       "rounding_mode " },
	{ ATTR_GRAPH, " then_branch else_branch body " },
};

static enum attr_kind kind_wanted(const char *name)
{
	const size_t n = strlen(name);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		for (const char *p = kinds[i].names; (p = strstr(p, name)); p += n)
			if (p[-1] == ' ' && p[n] == ' ')
				return kinds[i].kind;
	return 0;
}

static const char *kind_name(enum attr_kind k)
{
	static const char *const names[] = { "?", "a float", "an integer", "a string", "a tensor",
		"a graph", "a list of floats", "a list of integers", "a list of strings",
		"a list of tensors", "a list of graphs" };
	return k >= ATTR_FLOAT && k <= ATTR_GRAPHS ? names[k] : k == ATTR_TYPE ? "a type" : names[0];
}

static void check_kinds(const struct node *n)
{
	for (int i = 0; i < vec_len(n->attrs); i++) {
		const struct attr *a = &n->attrs[i];
		const enum attr_kind want = *n->domain ? 0 : kind_wanted(a->name);
		if (want && want != a->kind)
			node_error(n, STAGE, "attribute \"%s\" must be %s, not %s", a->name,
				   kind_name(want), kind_name(a->kind));
	}
}

static void check_operands(struct node *n)
{
	const struct op *op = n->op;
	while (vec_len(n->in) && !n->in[vec_len(n->in) - 1])
		vec_pop(n->in);
	while (vec_len(n->out) && !n->out[vec_len(n->out) - 1])
		vec_pop(n->out);
	const int in = vec_len(n->in), out = vec_len(n->out);
	if (in < op->min_in)
		node_error(n, STAGE, "it has %d inputs; %s needs at least %d", in, op->name, op->min_in);
	else if (op->max_in >= 0 && in > op->max_in)
		node_error(n, STAGE, "it has %d inputs; %s takes at most %d", in, op->name, op->max_in);
	for (int i = 0; i < op->min_in && i < in; i++)
		if (!n->in[i])
			node_error(n, STAGE, "input %d is absent; %s needs it", i, op->name);
	if (op->max_out >= 0 && out > op->max_out)
		node_error(n, STAGE, "it has %d outputs; %s gives at most %d", out, op->name,
			   op->max_out);
}

/* ---- what is not supported ------------------------------------------------------------------------- */

struct missing_op { const char *domain, *name, *first; int count, version; };

static void note_missing(struct importer *im, const struct node *n)
{
	const char *key = str_printf(im->c, "%s %s", n->domain, n->op_type);
	struct missing_op *m = map_get(&im->unsupported, key);
	if (!m) {
		m = NEW(im->c, struct missing_op);
		m->domain = n->domain;
		m->name = n->op_type;
		m->first = node_where(n);
		m->version = n->version;
		map_put(im->c, &im->unsupported, key, m);
	}
	m->count++;
}

static bool known_domain(const char *d)
{
	static const char *const known[] = { "", "ai.onnx.ml", "ai.onnx.training",
		"ai.onnx.preview.training", "ai.onnx.preview", "com.microsoft",
		"com.microsoft.nchwc", NULL };
	return is_one_of(d, known);
}

void unsupported_report(struct importer *im)
{
	for (int i = 0; i < vec_len(im->unsupported.entries); i++) {
		const struct missing_op *m = im->unsupported.entries[i].value;
		const char *name = str_printf(im->c, "%s%s%s", m->domain, *m->domain ? "." : "", m->name);
		if (known_domain(m->domain))
			diag(im->c, SEV_ERROR, STAGE, NULL, "operator %s (operator set %d) is not "
			     "supported: %d node%s, first %s", name, m->version, m->count,
			     m->count == 1 ? "" : "s", m->first);
		else
			diag(im->c, SEV_ERROR, STAGE, NULL, "operator %s: the domain \"%s\" is unknown and "
			     "the model brings no function of that name: %d node%s, first %s", name,
			     m->domain, m->count, m->count == 1 ? "" : "s", m->first);
	}
}

/* ---- all nodes -------------------------------------------------------------------------------------- */

static void node_upgrade(struct importer *im, struct node *n)
{
	if (!*n->domain) {
		for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
			if (str_eq(n->op_type, gone[i].name) && n->version < gone[i].until) {
				gone[i].rewrite(n);
				n->op = op_find(n->domain, n->op_type);
				n->version = n->op ? n->op->since : n->version;
			}
		if (n->version < 7)
			before_7(n);
	}
	/* upgrade() may name another operator, which has an upgrade() of its own */
	for (int i = 0; n->op && n->op->upgrade && i < 4; i++) {
		const struct op *was = n->op;
		n->op->upgrade(n);
		n->op = op_find(n->domain, n->op_type);
		if (n->op == was)
			break;
	}
	if (!n->op) {
		note_missing(im, n);
		return;
	}
	if (n->version < n->op->since)
		n->version = n->op->since;
	check_kinds(n);
	check_operands(n);
}

void graph_upgrade(struct importer *im, struct graph *g)
{
	for (struct node *n = g->first, *next; n; n = next) {
		next = n->next;
		for (int i = 0; i < vec_len(n->attrs); i++)
			if (n->attrs[i].kind == ATTR_GRAPH && n->attrs[i].g)
				graph_upgrade(im, n->attrs[i].g);
		node_upgrade(im, n);
	}
}
