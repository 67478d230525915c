/*
 * config.c - reads what Hugging Face's image classifiers carry beside their weights.
 *
 * Source of the keys: the documentation of transformers' image processors (do_resize, size, resample,
 * do_center_crop, crop_size, do_rescale, rescale_factor, do_normalize, image_mean, image_std) and of
 * PretrainedConfig (id2label, problem_type).
 */
#include "import/config.h"

#include "core/json.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CONFIG ((size_t)16 << 20)
#define MAX_LABELS 1000000
#define MAX_SIDE 65535

static const struct json *read_json(struct ctx *c, const char *path)
{
	size_t n;
	const unsigned char *t = file_read(c, path, MAX_CONFIG, &n);
	return t ? json_parse(c, (const char *)t, n, path) : NULL;
}

static const char *const *labels_of_text(struct ctx *c, const char *path, const char *t, size_t size, int *n)
{
	const char **v = NULL;
	if (memchr(t, 0, size)) {
		diag(c, SEV_ERROR, "labels", NULL, "%s is neither config.json nor a text of one label a line", path);
		return NULL;
	}
	while (*t) {
		const char *nl = strchr(t, '\n');
		size_t k = nl ? (size_t)(nl - t) : strlen(t);
		const size_t whole = k + (nl != NULL);
		if (k && t[k - 1] == '\r')
			k--;
		if (vec_len(v) >= MAX_LABELS) {
			diag(c, SEV_ERROR, "labels", NULL, "%s: over %d labels", path, MAX_LABELS);
			return NULL;
		}
		vec_add(c, v, str_dup_n(c, t, k));
		t += whole;
	}
	while (vec_len(v) && !*v[vec_len(v) - 1])	/* empty lines at the end are no labels */
		vec_pop(v);
	if (!vec_len(v)) {
		diag(c, SEV_ERROR, "labels", NULL, "%s holds no label", path);
		return NULL;
	}
	*n = vec_len(v);
	return v;
}

const char *const *config_labels(struct ctx *c, const char *path, int *n,
				 enum amp_activation *activation, bool *activation_given)
{
	size_t size;
	*activation_given = false;
	const char *t = (const char *)file_read(c, path, MAX_CONFIG, &size);
	if (!t)
		return NULL;
	const char *first = t + strspn(t, " \t\r\n");
	if (*first != '{')
		return labels_of_text(c, path, t, size, n);
	const struct json *j = json_parse(c, t, size, path);
	if (!j)
		return NULL;
	const struct json *map = json_get(j, "id2label"), *problem = json_get(j, "problem_type");
	if (problem && problem->kind == JSON_STRING) {
		*activation_given = true;
		if (str_eq(problem->s, "single_label_classification")) {
			*activation = AMP_ACT_SOFTMAX;
		} else if (str_eq(problem->s, "multi_label_classification")) {
			*activation = AMP_ACT_SIGMOID;
		} else if (str_eq(problem->s, "regression")) {
			*activation = AMP_ACT_NONE;
		} else {
			diag(c, SEV_ERROR, "labels", NULL, "%s: problem_type \"%s\" is unknown; expected "
			     "single_label_classification, multi_label_classification or regression", path, problem->s);
			return NULL;
		}
	}
	if (!map || map->kind != JSON_OBJECT || !vec_len(map->keys)) {
		diag(c, SEV_ERROR, "labels", NULL, "%s: id2label is absent or empty", path);
		return NULL;
	}
	const int count = vec_len(map->keys);
	const char **v = NEW_ARRAY(c, count, const char *);
	for (int i = 0; i < count; i++) {
		char *end;
		const long id = strtol(map->keys[i], &end, 10);
		if (end == map->keys[i] || *end || id < 0 || id >= count || v[id] ||
		    map->items[i]->kind != JSON_STRING) {
			diag(c, SEV_ERROR, "labels", NULL, "%s: id2label must map \"0\" to \"%d\", each once, to "
			     "strings; \"%s\" does not fit", path, count - 1, map->keys[i]);
			return NULL;
		}
		v[id] = map->items[i]->s;
	}
	*n = count;
	return v;
}

/* ---- preprocessing ----------------------------------------------------------------------------- */

struct pre {
	struct ctx *c;
	const char *path;
	const struct json *j;
	bool ok;
};

static void bad(struct pre *p, const char *key, const char *expected)
{
	diag(p->c, SEV_ERROR, "preprocess", NULL, "%s: \"%s\": expected %s", p->path, key, expected);
	p->ok = false;
}

static bool flag(struct pre *p, const char *key, bool otherwise)
{
	const struct json *v = json_get(p->j, key);
	if (!v)
		return otherwise;
	if (v->kind != JSON_BOOL)
		bad(p, key, "true or false");
	return v->b;
}

static int side(struct pre *p, const char *key, const struct json *v)
{
	if (v && v->kind == JSON_NUMBER && v->number >= 1 && v->number <= MAX_SIDE &&
	    v->number == (double)(int)v->number)
		return (int)v->number;
	bad(p, key, "whole numbers from 1 to 65535");
	return 1;
}

/* {"height", "width"}, {"shortest_edge"} or a number; gives 1 or 2 as amp_preprocess.resize does */
static int size(struct pre *p, const char *key, bool number_is_edge, int *width, int *height)
{
	const struct json *v = json_get(p->j, key);
	if (v && v->kind == JSON_NUMBER) {
		*width = *height = side(p, key, v);
		return number_is_edge ? 2 : 1;
	}
	if (json_get(v, "height") && json_get(v, "width")) {
		*height = side(p, key, json_get(v, "height"));
		*width = side(p, key, json_get(v, "width"));
		return 1;
	}
	if (json_get(v, "shortest_edge") && !json_get(v, "longest_edge")) {
		*width = *height = side(p, key, json_get(v, "shortest_edge"));
		return 2;
	}
	bad(p, key, "{\"height\": H, \"width\": W}, {\"shortest_edge\": S} or a number");
	return 0;
}

static void triple(struct pre *p, const char *key, double *out, bool divisor)
{
	const struct json *v = json_get(p->j, key);
	const bool list = v && v->kind == JSON_LIST && (vec_len(v->items) == 3 || vec_len(v->items) == 1);
	if (!list && !(v && v->kind == JSON_NUMBER)) {
		bad(p, key, "a list of 3 numbers");
		return;
	}
	for (int i = 0; i < 3; i++) {
		const struct json *x = list ? v->items[vec_len(v->items) == 3 ? i : 0] : v;
		if (x->kind != JSON_NUMBER || (divisor && x->number == 0)) {
			bad(p, key, "a list of 3 numbers, none of them 0 in a divisor");
			return;
		}
		out[i] = x->number;
	}
}

const struct amp_preprocess *config_preprocess(struct ctx *c, const char *path)
{
	struct pre p = { c, path, read_json(c, path), true };
	struct amp_preprocess *a = NEW(c, struct amp_preprocess);
	if (!p.j)
		return NULL;
	if (p.j->kind != JSON_OBJECT) {
		diag(c, SEV_ERROR, "preprocess", NULL, "%s: expected an object", path);
		return NULL;
	}
	const struct json *crop_pct = json_get(p.j, "crop_pct");
	if (crop_pct)
		bad(&p, "crop_pct", "no crop_pct: give size and crop_size instead");
	if (flag(&p, "do_pad", false))
		bad(&p, "do_pad", "false: padding is not supported");
	if (flag(&p, "do_resize", json_get(p.j, "size") != NULL)) {
		const bool square = flag(&p, "do_center_crop", false);
		a->resize = size(&p, "size", square, &a->width, &a->height);
		const struct json *r = json_get(p.j, "resample");
		a->resample = r && r->kind == JSON_NUMBER ? (int)r->number : 2;
		if (a->resample < 0 || a->resample > 3 || (r && r->kind != JSON_NUMBER))
			bad(&p, "resample", "0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)");
	}
	if (flag(&p, "do_center_crop", false)) {
		a->crop = 1;
		const char *key = json_get(p.j, "crop_size") ? "crop_size" : "size";
		if (size(&p, key, false, &a->crop_width, &a->crop_height) == 2)
			bad(&p, key, "{\"height\": H, \"width\": W}");
	}
	a->bgr = flag(&p, "do_flip_channel_order", false);
	a->rescale = flag(&p, "do_rescale", true);
	if (a->rescale) {
		const struct json *f = json_get(p.j, "rescale_factor");
		a->rescale_factor = f && f->kind == JSON_NUMBER ? f->number : 1.0 / 255.0;
		if (f && f->kind != JSON_NUMBER)
			bad(&p, "rescale_factor", "a number");
	}
	a->normalize = flag(&p, "do_normalize", json_get(p.j, "image_mean") != NULL);
	for (int i = 0; i < 4; i++)
		a->std[i] = 1;
	if (a->normalize) {
		triple(&p, "image_mean", a->mean, false);
		triple(&p, "image_std", a->std, true);
	}
	return p.ok ? a : NULL;
}
