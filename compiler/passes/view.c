/* view.c - values as strides over other values' memory: see view.h. */
#include "passes/view.h"
#include "ops/op.h"
#include "passes/passes.h"

#include <string.h>

static int64_t axis_size(const struct axis *a)
{
	int64_t n = 1;
	for (int i = 0; i < a->n; i++)
		n *= a->atom[i].size;
	return n;
}

void view_identity(struct view *w, struct value *v)
{
	int64_t step = 1;
	memset(w, 0, sizeof *w);
	w->base = v;
	w->rank = v->type.rank;
	for (int d = w->rank - 1; d >= 0; d--) {
		const int64_t n = v->type.dim[d].value;
		if (n != 1) {
			w->axis[d].n = 1;
			w->axis[d].atom[0] = (struct atom){ n, step };
		}
		step *= n;
	}
}

bool view_transpose(struct view *w, const int64_t *perm, int n)
{
	struct axis old[IR_MAX_RANK];
	if (n && n != w->rank)
		return false;
	memcpy(old, w->axis, sizeof old);
	for (int d = 0; d < w->rank; d++)
		w->axis[d] = old[n ? perm[d] : w->rank - 1 - d];
	return true;
}

bool view_reshape(struct view *w, int rank, const int64_t *dims)
{
	struct atom flat[IR_MAX_RANK * VIEW_ATOMS];
	int n = 0, at = 0;
	struct axis to[IR_MAX_RANK] = { { 0 } };
	for (int d = 0; d < w->rank; d++)
		for (int i = 0; i < w->axis[d].n; i++)
			flat[n++] = w->axis[d].atom[i];
	for (int d = 0; d < rank; d++) {
		int64_t left = dims[d];
		if (left < 1)
			return false;
		while (left > 1) {
			if (at == n || to[d].n == VIEW_ATOMS)
				return false;
			struct atom *a = &flat[at];
			if (a->size <= left && left % a->size == 0) {
				left /= a->size;
				to[d].atom[to[d].n++] = *a;
				at++;
			} else if (a->size > left && a->size % left == 0) {
				to[d].atom[to[d].n++] = (struct atom){ left, a->stride * (a->size / left) };
				a->size /= left;
				left = 1;
			} else {
				return false;
			}
		}
	}
	if (at != n)
		return false;
	w->rank = rank;
	memcpy(w->axis, to, sizeof to);
	return true;
}

bool view_broadcast(struct view *w, int rank, const int64_t *dims)
{
	const int more = rank - w->rank;
	if (more < 0)
		return false;
	memmove(w->axis + more, w->axis, (size_t)w->rank * sizeof *w->axis);
	memset(w->axis, 0, (size_t)more * sizeof *w->axis);
	w->rank = rank;
	for (int d = 0; d < rank; d++)
		if (w->axis[d].n == 0 && dims[d] != 1) {
			w->axis[d].n = 1;
			w->axis[d].atom[0] = (struct atom){ dims[d], 0 };
		} else if (axis_size(&w->axis[d]) != dims[d]) {
			return false;
		}
	return true;
}

bool axis_join(struct axis *a, int max)
{
	for (int i = 0; i + 1 < a->n;) {
		struct atom *x = &a->atom[i], *y = x + 1;
		if (x->stride != y->stride * y->size) {
			i++;
			continue;
		}
		y->size *= x->size;
		memmove(x, y, (size_t)(a->n - i - 1) * sizeof *x);
		a->n--;
	}
	return a->n <= max;
}

/* [start, start + size) of axis d */
static bool cut(struct view *w, int d, int64_t start, int64_t size)
{
	struct axis *a = &w->axis[d];
	if (size == axis_size(a))
		return start == 0;
	if (a->n != 1 || start < 0 || size < 1 || start + size > a->atom[0].size)
		return false;
	w->offset += start * a->atom[0].stride;
	a->atom[0].size = size;
	if (size == 1)
		a->n = 0;
	return true;
}

bool view_slice(const struct node *n, int64_t *start, int64_t *step)
{
	const struct type *x = &n->in[0]->type;
	const struct tensor *t[5] = { NULL };
	for (int i = 1; i < 5; i++) {
		t[i] = op_const(n, i);
		if (node_in(n, i) && !t[i])
			return false;
	}
	if (!t[1])
		return false;
	for (int d = 0; d < x->rank; d++) {
		start[d] = 0;
		step[d] = 1;
	}
	for (int64_t k = 0; k < t[1]->n; k++) {
		int64_t d = t[3] ? tensor_get_i(t[3], k) : k;
		d += d < 0 ? x->rank : 0;
		if (d < 0 || d >= x->rank)
			return false;
		int64_t at = tensor_get_i(t[1], k);
		at += at < 0 ? x->dim[d].value : 0;
		start[d] = at < 0 ? 0 : at;
		step[d] = t[4] ? tensor_get_i(t[4], k) : 1;
		if (step[d] < 1)
			return false;
	}
	return true;
}

static bool slice(struct view *w, const struct node *n)
{
	int64_t start[IR_MAX_RANK], step[IR_MAX_RANK];
	if (!view_slice(n, start, step))
		return false;
	for (int d = 0; d < w->rank; d++)
		if (step[d] != 1 || !cut(w, d, start[d], n->out[0]->type.dim[d].value))
			return false;
	return true;
}

static bool split(struct view *w, const struct node *n, const struct value *v)
{
	int64_t axis = attr_int(n, "axis", 0), at = 0;
	axis += axis < 0 ? w->rank : 0;
	if (axis < 0 || axis >= w->rank)
		return false;
	for (int i = 0; i < v->def_index; i++) {
		if (!n->out[i])
			return false;
		at += n->out[i]->type.dim[axis].value;
	}
	return cut(w, (int)axis, at, v->type.dim[axis].value);
}

static bool gather(struct view *w, const struct node *n, const struct value *v)
{
	const struct tensor *t = op_const(n, 1);
	int64_t axis = attr_int(n, "axis", 0), dims[IR_MAX_RANK];
	axis += axis < 0 ? w->rank : 0;
	if (!t || t->n != 1 || axis < 0 || axis >= w->rank)
		return false;
	const int64_t at = tensor_get_i(t, 0), size = axis_size(&w->axis[axis]);
	return cut(w, (int)axis, at < 0 ? at + size : at, 1) &&
	       view_reshape(w, type_dims(&v->type, dims), dims);
}

/* v is a movement of its definition's first input. */
static bool is_move(const struct value *v)
{
	static const char *const ops[] = { "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice",
					   "Split", "Gather", "Identity" };
	if (!v->def || !type_known(&v->type) || v->layout != LAYOUT_PLAIN || !node_in(v->def, 0))
		return false;
	const struct value *x = v->def->in[0];
	if (!type_known(&x->type) || x->layout != LAYOUT_PLAIN || type_elements(&v->type) < 1)
		return false;
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (node_is(v->def, ops[i]))
			return true;
	return false;
}

/* Turns a view of x, the first input of v's definition, into one of v. */
static bool apply(struct view *w, const struct value *v)
{
	const struct node *n = v->def;
	int64_t dims[IR_MAX_RANK];
	int count;
	if (node_is(n, "Transpose")) {
		const int64_t *perm = attr_ints(n, "perm", &count);
		return view_transpose(w, perm, count);
	}
	if (node_is(n, "Slice"))
		return slice(w, n);
	if (node_is(n, "Split"))
		return split(w, n, v);
	if (node_is(n, "Gather"))
		return gather(w, n, v);
	return view_reshape(w, type_dims(&v->type, dims), dims);
}

/* x and the scalar k of v = x * k. */
static struct value *scaled(const struct value *v, struct value **k)
{
	const struct node *n = v->def;
	if (!n || !node_is(n, "Mul") || v->layout != LAYOUT_PLAIN)
		return NULL;
	for (int i = 0; i < 2; i++) {
		struct value *x = n->in[i];
		*k = n->in[1 - i];
		if ((*k)->data && (*k)->data->n == 1 && !x->data && type_equal(&x->type, &v->type) &&
		    x->layout == LAYOUT_PLAIN)
			return x;
	}
	return NULL;
}

bool view_of(struct view *w, struct value *v, int depth, bool scales)
{
	struct value *chain[VIEW_DEPTH], *k, *scale = NULL;
	if (depth > VIEW_DEPTH)
		return false;
	for (int i = 0; i < depth; i++) {
		struct value *x = NULL;
		chain[i] = v;
		if (is_move(v)) {
			v = v->def->in[0];
		} else if (scales && !scale && (x = scaled(v, &k)) != NULL) {
			v = x;
			scale = k;
		} else {
			return false;
		}
	}
	view_identity(w, v);
	w->scale = scale;
	for (int i = depth - 1; i >= 0; i--)
		if (is_move(chain[i]) && !apply(w, chain[i]))
			return false;
	return true;
}

bool view_forward(struct view *w, struct value *v, int depth, struct value **last)
{
	struct value *chain[VIEW_DEPTH + 1];
	int64_t dims[IR_MAX_RANK], back[IR_MAX_RANK];
	chain[0] = v;
	if (depth > VIEW_DEPTH)
		return false;
	for (int i = 0; i < depth; i++) {
		struct node *u = value_only_user(chain[i]);
		if (!u || u->graph != v->graph || node_in(u, 0) != chain[i] || !node_out(u, 0) ||
		    vec_len(u->out) != 1 || !is_move(u->out[0]) || node_is(u, "Slice") || node_is(u, "Gather"))
			return false;
		chain[i + 1] = u->out[0];
	}
	*last = chain[depth];
	view_identity(w, chain[depth]);
	for (int i = depth; i > 0; i--) {
		const struct node *n = chain[i]->def;
		int count;
		if (!node_is(n, "Transpose")) {
			if (!view_reshape(w, type_dims(&chain[i - 1]->type, dims), dims))
				return false;
			continue;
		}
		const int64_t *perm = attr_ints(n, "perm", &count);
		for (int d = 0; d < count; d++)
			back[perm[d]] = d;
		if (!view_transpose(w, back, count))
			return false;
	}
	return true;
}
