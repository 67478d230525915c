/*
 * build.c - GraphProto into struct graph: names become pointers here.
 *
 * Goes in: a graph whose nodes, in topological order, refer to values by name.  Comes out: nodes with
 * operands, constants for initializers and Constant nodes, subgraphs that share their outer graph's
 * values, calls of functions inlined.  A name that is defined twice, nowhere, or only later is
 * reported, with the cycle where there is one, and building goes on with a placeholder, so that one
 * run shows every fault.
 */
#include "import/internal.h"

#include <string.h>

#define MAX_INLINED (1 << 18)	/* nodes out of functions, which can multiply without bound */

static struct value absent_value;
struct value *const absent = &absent_value;

const char *domain_of(const char *domain)
{
	return !domain || str_eq(domain, "ai.onnx") ? "" : domain;
}

const char *proto_where(struct ctx *c, const Onnx__NodeProto *p, const char *prefix)
{
	const char *name = p->name && *p->name ? p->name : NULL;
	if (!name && p->n_output)	/* nameless nodes are known by what they compute */
		name = p->output[0];
	return str_printf(c, "node \"%s%s\" (%s)", prefix, name ? name : "",
			  p->op_type ? p->op_type : "?");
}

/* ---- scopes ---------------------------------------------------------------------------------- */

struct value *scope_find(const struct scope *s, const char *name)
{
	for (; s; s = s->outer) {
		struct value *v = map_get(&s->names, name);
		if (!v)
			v = map_get(&s->missing, name);
		if (v)
			return v;
	}
	return NULL;
}

void scope_define(struct scope *s, const char *name, struct value *v, const char *where)
{
	if (map_get(&s->names, name))
		diag(s->im->c, SEV_ERROR, STAGE, where, "\"%s\" is defined a second time", name);
	else
		map_put(s->im->c, &s->names, name, v);
}

const char *scope_value_name(const struct scope *s, const char *name)
{
	const char *outer = map_get(&s->renamed, name);
	return outer ? outer : *s->prefix ? str_printf(s->im->c, "%s%s", s->prefix, name) : name;
}

void opsets_read(struct importer *im, struct map *m, Onnx__OperatorSetIdProto **p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *d = domain_of(p[i]->domain);
		if (p[i]->version < 1 || p[i]->version > INT32_MAX / 2)
			diag(im->c, SEV_ERROR, STAGE, NULL, "operator set \"%s\" has version %lld", d,
			     (long long)p[i]->version);
		else
			map_put(im->c, m, d, (void *)(uintptr_t)(p[i]->version + 1));
	}
}

int opset_of(struct scope *s, const char *domain, const char *where)
{
	const uintptr_t v = (uintptr_t)map_get(s->opsets, domain);
	if (v)
		return (int)(v - 1);
	if (!map_get(&s->im->warned, domain)) {
		map_put(s->im->c, &s->im->warned, domain, absent);
		diag(s->im->c, *domain ? SEV_WARNING : SEV_ERROR, STAGE, where, "the model imports no "
		     "operator set \"%s\"", *domain ? domain : "ai.onnx");
	}
	return 1;
}

/* ---- order ------------------------------------------------------------------------------------- */

/* Which node makes a name: index + 1, as a pointer. */
static void index_producers(struct scope *s, Onnx__NodeProto **nodes, size_t n)
{
	if (vec_len(s->made_by.entries))
		return;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < nodes[i]->n_output; k++)
			if (*nodes[i]->output[k])
				map_put(s->im->c, &s->made_by, nodes[i]->output[k],
					(void *)(uintptr_t)(i + 1));
}

/* Does node `from` need a value that node `target` makes?  Depth first over the node list. */
static bool needs(struct scope *s, Onnx__NodeProto **nodes, size_t n, size_t from, size_t target)
{
	unsigned char *seen = mem_array(s->im->c, (int64_t)n, 1);
	size_t *stack = NEW_ARRAY(s->im->c, (int64_t)n, size_t), top = 0;
	stack[top++] = from;
	seen[from] = 1;
	while (top) {
		const size_t at = stack[--top];
		if (at == target)
			return true;
		for (size_t k = 0; k < nodes[at]->n_input; k++) {
			const uintptr_t m = (uintptr_t)map_get(&s->made_by, nodes[at]->input[k]);
			if (m && !seen[m - 1]) {
				seen[m - 1] = 1;
				stack[top++] = m - 1;
			}
		}
	}
	return false;
}

/* `name` is needed by node `at` but not defined before it: later, in a cycle, or nowhere? */
static void report_undefined(struct scope *s, Onnx__NodeProto **nodes, size_t n, size_t at,
			     const char *name, const char *where)
{
	struct ctx *c = s->im->c;
	if (++s->im->n_undefined > MAX_TOLD)
		return;		/* counted; import.c says so */
	index_producers(s, nodes, n);
	const uintptr_t later = (uintptr_t)map_get(&s->made_by, name);
	if (!later)
		diag(c, SEV_ERROR, STAGE, where, "input \"%s\" is defined nowhere", name);
	else if (needs(s, nodes, n, later - 1, at))
		diag(c, SEV_ERROR, STAGE, where, "input \"%s\" depends on this node's own output: the "
		     "graph has a cycle", name);
	else
		diag(c, SEV_ERROR, STAGE, where, "input \"%s\" is made by a later node, %s: ONNX wants "
		     "nodes in topological order", name, proto_where(c, nodes[later - 1], s->prefix));
}

/* ---- nodes --------------------------------------------------------------------------------------- */

static void constant_build(struct scope *s, const Onnx__NodeProto *p, const char *where)
{
	const struct tensor *t = constant_import(s, p, where);
	if (p->n_output != 1 || !*p->output[0])
		diag(s->im->c, SEV_ERROR, STAGE, where, "a Constant has one output");
	else if (t)
		scope_define(s, p->output[0],
			     value_const(s->g, scope_value_name(s, p->output[0]), t), where);
	else
		scope_define(s, p->output[0], value_new(s->g, p->output[0]), where);
}

static void node_build(struct scope *s, Onnx__NodeProto **nodes, size_t n_all, size_t at)
{
	struct ctx *c = s->im->c;
	const Onnx__NodeProto *p = nodes[at];
	const char *where = proto_where(c, p, s->prefix), *domain = domain_of(p->domain);
	if (s->call && s->im->n_inlined++ > MAX_INLINED)
		fatal(c, R_INPUT, "the functions, inlined, give more than %d nodes", MAX_INLINED);
	if (!p->op_type || !*p->op_type) {
		diag(c, SEV_ERROR, STAGE, where, "a node without an operator (op_type)");
		return;
	}
	for (size_t i = 0; i < p->n_input; i++)
		if (*p->input[i] && !scope_find(s, p->input[i])) {
			report_undefined(s, nodes, n_all, at, p->input[i], where);
			map_put(c, &s->missing, p->input[i], value_new(s->g, p->input[i]));
		}
	const Onnx__FunctionProto *f = function_find(s->im, p);
	if (f) {
		function_inline(s, p, f, where);
		return;
	}
	if (!*domain && str_eq(p->op_type, "Constant")) {
		constant_build(s, p, where);
		return;
	}
	struct node *n = node_new(s->g, NULL, domain, p->op_type,
				  str_printf(c, "%s%s", s->prefix, p->name ? p->name : ""));
	n->version = opset_of(s, domain, where);
	for (size_t i = 0; i < p->n_input; i++) {
		struct value *v = *p->input[i] ? scope_find(s, p->input[i]) : NULL;
		node_add_in(n, v == absent ? NULL : v);
	}
	attributes_import(s, n, p, where);
	for (size_t i = 0; i < p->n_output; i++) {
		if (!*p->output[i]) {
			node_adopt_out(n, NULL);
			continue;
		}
		struct value *v = node_add_out(n, scope_value_name(s, p->output[i]));
		scope_define(s, p->output[i], v, where);
	}
}

void nodes_build(struct scope *s, Onnx__NodeProto **nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		node_build(s, nodes, n, i);
}

/* ---- graphs ---------------------------------------------------------------------------------------- */

static void initializer(struct scope *s, const char *name, struct tensor *t, const char *where)
{
	if (!name || !*name)
		diag(s->im->c, SEV_ERROR, STAGE, where, "it has no name");
	else
		scope_define(s, name, t ? value_const(s->g, scope_value_name(s, name), t)
					: value_new(s->g, name), where);
}

static void initializers_build(struct scope *s, const Onnx__GraphProto *p)
{
	struct ctx *c = s->im->c;
	for (size_t i = 0; i < p->n_initializer; i++) {
		const Onnx__TensorProto *t = p->initializer[i];
		const char *where = str_printf(c, "initializer \"%s\"", t->name ? t->name : "");
		initializer(s, t->name, tensor_import(s->im, t, where), where);
	}
	for (size_t i = 0; i < p->n_sparse_initializer; i++) {
		const Onnx__SparseTensorProto *t = p->sparse_initializer[i];
		const char *name = t->values ? t->values->name : NULL;
		const char *where = str_printf(c, "sparse initializer \"%s\"", name ? name : "");
		initializer(s, name, sparse_import(s->im, t, where), where);
	}
}

/* A value that the caller gives for an input must be of the type that the model declares. */
static void check_fixed(struct scope *s, const struct type *t, const struct tensor *v,
			const char *where)
{
	struct ctx *c = s->im->c;
	const struct type have = type_tensor(v->dtype, v->rank, v->dim);
	bool same = t->kind == KIND_TENSOR && (!t->dtype || t->dtype == v->dtype) &&
		    (t->rank < 0 || t->rank == v->rank);
	for (int i = 0; same && i < t->rank; i++)
		same = t->dim[i].value < 0 || t->dim[i].value == v->dim[i];
	if (!same)
		diag(c, SEV_ERROR, STAGE, where, "the value given for it is %s, the model declares %s",
		     type_text(c, &have), type_text(c, t));
}

static void inputs_build(struct scope *s, const Onnx__GraphProto *p, bool main_graph)
{
	struct ctx *c = s->im->c;
	for (size_t i = 0; i < p->n_input; i++) {
		const Onnx__ValueInfoProto *v = p->input[i];
		struct type t;
		if (!v->name || !*v->name) {
			diag(c, SEV_ERROR, STAGE, NULL, "input %zu has no name", i);
			continue;
		}
		const struct value *k = map_get(&s->names, v->name);
		if (k && k->data) {
			diag(c, SEV_NOTE, STAGE, NULL, "input \"%s\" has an initializer: it is taken as "
			     "constant", v->name);
			continue;
		}
		const char *where = str_printf(c, "input \"%s\"", v->name);
		if (main_graph)
			input_type(s->im, v, &t);
		else
			type_import(s->im, v->type, where, &t);
		const struct tensor *fixed = main_graph ? input_fixed(s->im, v->name) : NULL;
		if (fixed) {
			check_fixed(s, &t, fixed, where);
			scope_define(s, v->name, value_const(s->g, v->name, fixed), where);
			continue;
		}
		scope_define(s, v->name,
			     graph_add_input(s->g, scope_value_name(s, v->name), &t), where);
	}
}

static void outputs_build(struct scope *s, const Onnx__GraphProto *p)
{
	struct ctx *c = s->im->c;
	for (size_t i = 0; i < p->n_output; i++) {
		const char *name = p->output[i]->name;
		struct value *v = name && *name ? scope_find(s, name) : NULL;
		if (!v || v == absent) {
			diag(c, SEV_ERROR, STAGE, NULL, "output \"%s\" of the graph is defined nowhere",
			     name ? name : "");
			continue;
		}
		const char *want = scope_value_name(s, name);
		if (v->graph == s->g && !str_eq(v->name, want)) {
			/* a function gave its parameter or one value twice: the interface keeps its name */
			struct node *n = node_new(s->g, NULL, "", "Identity", want);
			node_add_in(n, v);
			v = node_add_out(n, want);
		}
		graph_add_output(s->g, v);
	}
	if (!p->n_output)
		diag(c, SEV_ERROR, STAGE, NULL, "graph \"%s\" has no output", p->name ? p->name : "");
}

void graph_build(struct scope *s, const Onnx__GraphProto *p, bool main_graph)
{
	initializers_build(s, p);
	inputs_build(s, p, main_graph);
	nodes_build(s, p->node, p->n_node);
	outputs_build(s, p);
}
