/*
 * functions.c - model-local functions, inlined where they are called.
 *
 * Goes in: the model's FunctionProtos and a node that names one by (domain, op_type, overload).
 * Comes out: the body's nodes in the caller's graph.  The body is a scope of its own: it sees its
 * parameters and nothing else; its outputs take the names that the caller gives them.  A function
 * that reaches itself, or calls more than MAX_CALLS deep, is refused.
 */
#include "import/internal.h"

#include <string.h>

#define MAX_CALLS 100

static const char *function_key(struct ctx *c, const char *domain, const char *name,
				const char *overload)
{
	return str_printf(c, "%s\n%s\n%s", domain_of(domain), name ? name : "",
			  overload ? overload : "");
}

static const char *function_text(struct ctx *c, const Onnx__FunctionProto *f)
{
	const char *d = domain_of(f->domain);
	return str_printf(c, "function %s%s%s%s%s", d, *d ? "." : "", f->name ? f->name : "",
			  f->overload && *f->overload ? ":" : "",
			  f->overload ? f->overload : "");
}

void functions_read(struct importer *im, Onnx__FunctionProto **f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *key = function_key(im->c, f[i]->domain, f[i]->name, f[i]->overload);
		if (!f[i]->name || !*f[i]->name)
			diag(im->c, SEV_ERROR, STAGE, NULL, "function %zu has no name", i);
		else if (map_get(&im->functions, key))
			diag(im->c, SEV_ERROR, STAGE, function_text(im->c, f[i]), "it is defined twice");
		else
			map_put(im->c, &im->functions, key, f[i]);
	}
}

const Onnx__FunctionProto *function_find(const struct importer *im, const Onnx__NodeProto *p)
{
	if (!vec_len(im->functions.entries))
		return NULL;
	return map_get(&im->functions, function_key(im->c, p->domain, p->op_type, p->overload));
}

/* A prefix for the body's names that no other call has. */
static const char *call_prefix(struct scope *s, const Onnx__NodeProto *p)
{
	struct importer *im = s->im;
	const char *name = p->name && *p->name ? p->name : p->op_type;
	const char *prefix = str_printf(im->c, "%s%s", s->prefix, name);
	const uintptr_t used = (uintptr_t)map_get(&im->prefixes, prefix);
	map_put(im->c, &im->prefixes, prefix, (void *)(used + 1));
	return used ? str_printf(im->c, "%s.%llu/", prefix, (unsigned long long)used)
		    : str_printf(im->c, "%s/", prefix);
}

static void bind_inputs(struct scope *body, struct scope *s, const Onnx__NodeProto *p,
			const Onnx__FunctionProto *f, const char *where)
{
	if (p->n_input > f->n_input)
		diag(s->im->c, SEV_ERROR, STAGE, where, "it passes %zu inputs to a function of %zu",
		     p->n_input, f->n_input);
	for (size_t i = 0; i < f->n_input; i++) {
		const char *actual = i < p->n_input ? p->input[i] : "";
		struct value *v = absent;
		if (*actual)
			v = scope_find(s, actual);	/* node_build() has seen to that */
		if (map_get(&body->names, f->input[i]))
			diag(s->im->c, SEV_ERROR, STAGE, where, "two parameters of the function are "
			     "named \"%s\"", f->input[i]);
		map_put(s->im->c, &body->names, f->input[i], v);
	}
}

static void bind_outputs(struct scope *body, struct scope *s, const Onnx__NodeProto *p,
			 const Onnx__FunctionProto *f, const char *where)
{
	for (size_t i = 0; i < p->n_output; i++) {
		if (!*p->output[i])
			continue;
		struct value *v = i < f->n_output ? scope_find(body, f->output[i]) : NULL;
		if (i >= f->n_output)
			diag(s->im->c, SEV_ERROR, STAGE, where, "it wants %zu outputs of a function "
			     "with %zu", p->n_output, f->n_output);
		else if (!v || v == absent)
			diag(s->im->c, SEV_ERROR, STAGE, where, "the function's output \"%s\" is not "
			     "defined in its body", f->output[i]);
		scope_define(s, p->output[i], v && v != absent ? v : value_new(s->g, p->output[i]),
			     where);
	}
}

void function_inline(struct scope *s, const Onnx__NodeProto *p, const Onnx__FunctionProto *f,
		     const char *where)
{
	struct ctx *c = s->im->c;
	struct call call = { .function = f, .site = p, .site_scope = s, .outer = s->call,
			     .depth = s->call ? s->call->depth + 1 : 1 };
	for (const struct call *k = s->call; k; k = k->outer)
		if (k->function == f)
			fatal(c, R_INPUT, "%s: %s calls itself: ONNX does not allow recursion", where,
			      function_text(c, f));
	if (call.depth > MAX_CALLS)
		fatal(c, R_INPUT, "%s: functions call each other more than %d deep", where, MAX_CALLS);
	struct map opsets = { 0 };
	opsets_read(s->im, &opsets, f->opset_import, f->n_opset_import);
	struct scope body = { .im = s->im, .g = s->g, .call = &call, .prefix = call_prefix(s, p),
			      .opsets = f->n_opset_import ? &opsets : s->opsets };
	bind_inputs(&body, s, p, f, where);
	for (size_t i = 0; i < f->n_output && i < p->n_output; i++)
		if (*p->output[i])
			map_put(c, &body.renamed, f->output[i],
				(void *)scope_value_name(s, p->output[i]));
	nodes_build(&body, f->node, f->n_node);
	bind_outputs(&body, s, p, f, where);
}
