/*
 * type.c - TypeProto into struct type, and the sizes of symbolic dimensions.
 *
 * Goes in: the types of a graph's inputs, and the user's --dim NAME=SIZE and --shape INPUT=AxBxC.
 * Comes out: types whose dimensions keep their symbol and have a value where one is known.  A --shape
 * that meets a symbol binds it everywhere.  The main graph's inputs must have no open dimension
 * left: each one that has is reported with the option that closes it.
 */
#include "import/internal.h"

#include <string.h>

struct shape { const char *text; int rank; int64_t dim[IR_MAX_RANK]; bool used; };

/* ---- options ------------------------------------------------------------------------------- */

/* A positive decimal number from *s on; false when there is none. */
static bool size_read(const char **s, int64_t *v)
{
	const char *p = *s;
	*v = 0;
	while (*p >= '0' && *p <= '9')
		if (!mul_i64(*v, 10, v) || !add_i64(*v, *p++ - '0', v))
			return false;
	const bool ok = p > *s && *v > 0 && *v <= INT32_MAX;
	*s = p;
	return ok;
}

/* "name=value": the name, and *value behind the last '='. */
static const char *option_split(struct ctx *c, const char *o, const char *flag, const char **value)
{
	const char *eq = strrchr(o, '=');
	if (!eq || eq == o)
		fatal(c, R_USAGE, "%s %s: a name, =, and a size are wanted", flag, o);
	*value = eq + 1;
	return str_dup_n(c, o, (size_t)(eq - o));
}

static struct symbol *symbol_get(struct importer *im, const char *name)
{
	struct symbol *y = map_get(&im->symbols, name);
	if (!y) {
		y = NEW(im->c, struct symbol);
		y->name = name;
		map_put(im->c, &im->symbols, name, y);
	}
	return y;
}

void symbols_read_options(struct importer *im)
{
	struct ctx *c = im->c;
	for (int i = 0; im->o && i < vec_len(im->o->dims); i++) {
		const char *v, *o = im->o->dims[i];
		struct symbol *y = symbol_get(im, option_split(c, o, "--dim", &v));
		int64_t size;
		if (!size_read(&v, &size) || *v)
			fatal(c, R_USAGE, "--dim %s: the size must be a number from 1 on", o);
		if (y->value && y->value != size)
			fatal(c, R_USAGE, "--dim %s: it was already given as %lld", o,
			      (long long)y->value);
		y->value = size;
		y->origin = str_printf(c, "--dim %s", o);
		y->by_dim = true;
	}
	for (int i = 0; im->o && i < vec_len(im->o->shapes); i++) {
		const char *v, *o = im->o->shapes[i];
		const char *name = option_split(c, o, "--shape", &v);
		struct shape *s = NEW(c, struct shape);
		s->text = o;
		while (*v) {
			if (s->rank == IR_MAX_RANK || !size_read(&v, &s->dim[s->rank++]) ||
			    (*v && (*v++ != 'x' || !*v)))
				fatal(c, R_USAGE, "--shape %s: sizes from 1 on, as in 1x3x224x224, are "
				      "wanted", o);
		}
		if (map_get(&im->shapes, name))
			fatal(c, R_USAGE, "--shape %s: that input's shape was already given", o);
		map_put(c, &im->shapes, name, s);
	}
}

/* ---- types ------------------------------------------------------------------------------------ */

static void shape_import(struct importer *im, const Onnx__TensorShapeProto *p, const char *where,
			 struct type *t)
{
	t->rank = -1;
	if (!p)
		return;
	if (p->n_dim > IR_MAX_RANK) {
		diag(im->c, SEV_ERROR, STAGE, where, "it has %zu dimensions; at most %d are supported",
		     p->n_dim, IR_MAX_RANK);
		return;
	}
	t->rank = (int)p->n_dim;
	for (int i = 0; i < t->rank; i++) {
		const Onnx__TensorShapeProto__Dimension *d = p->dim[i];
		struct dim *to = &t->dim[i];
		to->value = -1;
		if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) {
			to->value = d->dim_value < 0 ? -1 : d->dim_value;
		} else if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
			   d->dim_param && *d->dim_param) {
			struct symbol *y = symbol_get(im, d->dim_param);
			y->in_model = true;
			to->symbol = y->name;
			if (y->value)
				to->value = y->value;
		}
	}
}

static enum dtype element_type(struct importer *im, int data_type, const char *where)
{
	enum dtype t = DT_NONE;
	if (data_type && !dtype_import(data_type, &t))
		diag(im->c, SEV_ERROR, STAGE, where, "element type %d is not supported", data_type);
	return t;
}

void type_import(struct importer *im, const Onnx__TypeProto *p, const char *where, struct type *t)
{
	memset(t, 0, sizeof *t);
	t->rank = -1;
	const Onnx__TypeProto *inner = NULL;
	switch (p ? p->value_case : ONNX__TYPE_PROTO__VALUE__NOT_SET) {
	case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
		t->dtype = element_type(im, p->tensor_type->elem_type, where);
		shape_import(im, p->tensor_type->shape, where, t);
		return;
	case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
		t->kind = KIND_SEQUENCE;
		inner = p->sequence_type->elem_type;
		break;
	case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
		t->kind = KIND_OPTIONAL;
		inner = p->optional_type->elem_type;
		break;
	case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
		t->kind = KIND_MAP;
		t->key = element_type(im, p->map_type->key_type, where);
		inner = p->map_type->value_type;
		break;
	case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
		diag(im->c, SEV_ERROR, STAGE, where, "a sparse tensor as an input is not supported: "
		     "give it dense");
		return;
	case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE:
		diag(im->c, SEV_ERROR, STAGE, where, "an opaque type is not supported");
		return;
	default:
		return;		/* unknown: inference finds it */
	}
	struct type *e = NEW(im->c, struct type);
	type_import(im, inner, where, e);
	t->elem = e;
	if (t->kind == KIND_MAP)
		t->dtype = e->dtype;
}

/* ---- the main graph's inputs --------------------------------------------------------------------- */

static const Onnx__TensorShapeProto *shape_of(const Onnx__ValueInfoProto *v)
{
	const Onnx__TypeProto *t = v->type;
	return t && t->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? t->tensor_type->shape : NULL;
}

/* --shape for one input: symbols get its sizes, what is fixed must agree. */
static void shape_bind(struct importer *im, const Onnx__ValueInfoProto *v, struct shape *s)
{
	const Onnx__TensorShapeProto *p = shape_of(v);
	const char *where = str_printf(im->c, "input \"%s\"", v->name);
	if (!p)
		return;
	if (p->n_dim != (size_t)s->rank) {
		diag(im->c, SEV_ERROR, STAGE, where, "--shape %s gives %d dimensions, the model has %zu",
		     s->text, s->rank, p->n_dim);
		return;
	}
	for (int i = 0; i < s->rank; i++) {
		const Onnx__TensorShapeProto__Dimension *d = p->dim[i];
		if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) {
			if (d->dim_value >= 0 && d->dim_value != s->dim[i])
				diag(im->c, SEV_ERROR, STAGE, where, "--shape %s: dimension %d is fixed "
				     "to %lld in the model", s->text, i, (long long)d->dim_value);
		} else if (d->dim_param && *d->dim_param &&
			   d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM) {
			struct symbol *y = symbol_get(im, d->dim_param);
			if (y->value && y->value != s->dim[i])
				diag(im->c, SEV_ERROR, STAGE, where, "--shape %s: dimension %d (\"%s\") "
				     "is %lld by %s", s->text, i, y->name, (long long)y->value,
				     y->origin);
			else if (!y->value)
				y->origin = str_printf(im->c, "--shape %s", s->text);
			y->value = s->dim[i];
		}
	}
}

/* The shape as --shape would give it, 1 where it is open. */
static const char *example(struct importer *im, const char *name, const struct type *t)
{
	struct text x = { .c = im->c };
	text_printf(&x, "--shape %s=", name);
	for (int i = 0; i < t->rank; i++)
		text_printf(&x, "%s%lld", i ? "x" : "",
			    t->dim[i].value >= 0 ? (long long)t->dim[i].value : 1);
	return x.s;
}

static void report_open(struct importer *im, const char *name, const struct type *t)
{
	const char *where = str_printf(im->c, "input \"%s\"", name);
	if (t->kind != KIND_TENSOR)
		return;
	if (t->dtype == DT_NONE)
		diag(im->c, SEV_ERROR, STAGE, where, "it has no element type");
	if (t->rank < 0) {
		diag(im->c, SEV_ERROR, STAGE, where, "it has no shape: give one, as in "
		     "--shape %s=1x3x224x224", name);
		return;
	}
	for (int i = 0; i < t->rank; i++) {
		if (t->dim[i].value >= 0)
			continue;
		if (!t->dim[i].symbol) {
			diag(im->c, SEV_ERROR, STAGE, where, "dimension %d has neither a size nor a "
			     "name: give the shape, as in %s", i, example(im, name, t));
			continue;
		}
		struct symbol *y = map_get(&im->symbols, t->dim[i].symbol);
		if (!y->told)
			diag(im->c, SEV_ERROR, STAGE, where, "dimension %d is \"%s\", which has no "
			     "size: give one, as in --dim %s=1", i, y->name, y->name);
		y->told = true;
	}
}

void symbols_collect(struct importer *im, const Onnx__GraphProto *p)
{
	struct map fixed = { 0 };
	for (size_t i = 0; i < p->n_initializer; i++)
		if (p->initializer[i]->name)
			map_put(im->c, &fixed, p->initializer[i]->name, (void *)p->initializer[i]);
	for (size_t i = 0; i < p->n_input; i++) {
		const Onnx__ValueInfoProto *v = p->input[i];
		struct shape *s = v->name ? map_get(&im->shapes, v->name) : NULL;
		if (!s || map_get(&fixed, v->name))
			continue;
		s->used = true;
		shape_bind(im, v, s);
	}
	for (size_t i = 0; i < p->n_input; i++) {
		const Onnx__ValueInfoProto *v = p->input[i];
		struct type t;
		if (!v->name || map_get(&fixed, v->name) || input_fixed(im, v->name))
			continue;
		input_type(im, v, &t);
		report_open(im, v->name, &t);
	}
}

const struct tensor *input_fixed(const struct importer *im, const char *name)
{
	return im->o ? map_get(&im->o->fixed, name) : NULL;
}

/* The type of one of the main graph's inputs, --shape heeded. */
void input_type(struct importer *im, const Onnx__ValueInfoProto *v, struct type *t)
{
	const struct shape *s = map_get(&im->shapes, v->name);
	type_import(im, v->type, str_printf(im->c, "input \"%s\"", v->name), t);
	if (!s || t->kind != KIND_TENSOR || (t->rank >= 0 && t->rank != s->rank))
		return;
	for (int i = t->rank < 0 ? 0 : t->rank; i < s->rank; i++)
		t->dim[i].value = -1;
	t->rank = s->rank;
	for (int i = 0; i < s->rank; i++)
		if (t->dim[i].value < 0)
			t->dim[i].value = s->dim[i];
}

/* Options that name nothing of this model: a typing mistake that must not pass in silence. */
void symbols_check_unused(struct importer *im, const Onnx__GraphProto *p)
{
	struct text known = { .c = im->c };
	for (size_t i = 0; i < p->n_output; i++) {	/* a symbol may stand in outputs only */
		const Onnx__TensorShapeProto *s = shape_of(p->output[i]);
		for (size_t k = 0; s && k < s->n_dim; k++)
			if (s->dim[k]->value_case ==
			    ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
				symbol_get(im, s->dim[k]->dim_param)->in_model = true;
	}
	for (int i = 0; i < vec_len(im->symbols.entries); i++) {
		const struct symbol *y = im->symbols.entries[i].value;
		if (y->in_model)
			text_printf(&known, "%s\"%s\"", known.n ? ", " : "", y->name);
	}
	for (int i = 0; i < vec_len(im->symbols.entries); i++) {
		const struct symbol *y = im->symbols.entries[i].value;
		if (!y->in_model && y->by_dim)
			diag(im->c, SEV_ERROR, STAGE, NULL, "%s: the model has no dimension of that "
			     "name; it has %s", y->origin, known.n ? known.s : "none");
	}
	for (int i = 0; im->o && i < vec_len(im->o->fixed.entries); i++) {
		bool found = false;
		for (size_t k = 0; k < p->n_input && !found; k++)
			found = str_eq(p->input[k]->name, im->o->fixed.entries[i].key);
		if (!found)
			diag(im->c, SEV_ERROR, STAGE, NULL, "a value is given for the input \"%s\", but the "
			     "model has no input \"%s\"", im->o->fixed.entries[i].key,
			     im->o->fixed.entries[i].key);
	}
	for (int i = 0; i < vec_len(im->shapes.entries); i++) {
		const struct shape *s = im->shapes.entries[i].value;
		if (!s->used)
			diag(im->c, SEV_ERROR, STAGE, NULL, "--shape %s: the model has no input \"%s\"",
			     s->text, im->shapes.entries[i].key);
	}
}
