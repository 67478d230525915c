/*
 * import.c - the entry points: a model file or a tensor file, from bytes to our own structs.
 *
 * Goes in: a path or bytes.  Comes out: the graph, once every check has passed.  The order: read, unpack
 * (wire.c), operator sets and functions, sizes of symbolic dimensions, the graph itself (build.c), then
 * every node to its newest form (upgrade.c).  Each step reports all that it finds; NULL comes
 * back when there was any error.
 */
#include "import/internal.h"

#include <string.h>

#define MAX_FILE ((size_t)1 << 31)	/* protobuf's own bound on a message */
#define NEWEST_IR 14
#define NEWEST_OPSET 28

/* Files that people take for ONNX, told by their first bytes. */
static const char *not_onnx(const unsigned char *p, size_t n)
{
	static const struct { const char *start, *what; } known[] = {
		{ "version https://git-lfs", "a Git LFS pointer: fetch the real file with `git lfs pull`" },
		{ "PK\x03\x04", "a zip archive (a PyTorch checkpoint?): export it to ONNX first" },
		{ "\x89HDF", "an HDF5 file (Keras?): convert it to ONNX first" },
		{ "\x1f\x8b", "compressed with gzip: uncompress it first" },
		{ "ir_version:", "an ONNX model as text: store it in binary form first" },
		{ "<!DOCTYPE", "an HTML page, not a model: the download failed" },
		{ "<html", "an HTML page, not a model: the download failed" },
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (n >= strlen(known[i].start) &&
		    memcmp(p, known[i].start, strlen(known[i].start)) == 0)
			return known[i].what;
	return n >= 8 && memcmp(p + 4, "TFL3", 4) == 0 ? "a TensorFlow Lite model" : NULL;
}

static const char *producer(struct ctx *c, const Onnx__ModelProto *m)
{
	const char *n = m->producer_name, *v = m->producer_version;
	return str_printf(c, "%s%s%s", n ? n : "", n && v && *v ? " " : "", v ? v : "");
}

static void check_versions(struct importer *im, const Onnx__ModelProto *m)
{
	struct ctx *c = im->c;
	opsets_read(im, &im->opsets, m->opset_import, m->n_opset_import);
	if (m->ir_version > NEWEST_IR)
		diag(c, SEV_WARNING, STAGE, NULL, "IR version %lld is newer than %d, the newest that "
		     "this compiler was written for", (long long)m->ir_version, NEWEST_IR);
	/* before IR version 3 there was one operator set and no way to name it */
	if (m->ir_version < 3 && !m->n_opset_import)
		map_put(c, &im->opsets, "", (void *)(uintptr_t)2);
	const int opset = (int)(uintptr_t)map_get(&im->opsets, "") - 1;
	if (opset > NEWEST_OPSET)
		diag(c, SEV_WARNING, STAGE, NULL, "operator set %d is newer than %d, the newest that this "
		     "compiler was written for", opset, NEWEST_OPSET);
	else if (opset > 0 && opset < 7)
		diag(c, SEV_NOTE, STAGE, NULL, "operator set %d is older than 7: only its common forms are "
		     "upgraded", opset);
}

static struct graph *import_model(struct importer *im, const void *bytes, size_t n)
{
	struct ctx *c = im->c;
	const int errors = c->n_errors;
	const char *foreign = not_onnx(bytes, n);
	if (foreign) {
		diag(c, SEV_ERROR, STAGE, NULL, "the file is %s", foreign);
		return NULL;
	}
	symbols_read_options(im);
	const Onnx__ModelProto *m = (const Onnx__ModelProto *)wire_unpack(c,
		&onnx__model_proto__descriptor, bytes, n, "the model");
	if (!m)
		return NULL;
	if (!m->graph) {
		diag(c, SEV_ERROR, STAGE, NULL, "the file holds no graph: it is no ONNX model");
		return NULL;
	}
	check_versions(im, m);
	functions_read(im, m->functions, m->n_functions);
	symbols_collect(im, m->graph);
	struct graph *g = graph_new(c, m->graph->name);
	g->producer = producer(c, m);
	g->ir_version = m->ir_version;
	g->opset = (int)(uintptr_t)map_get(&im->opsets, "") - 1;
	g->model_sha256 = sha256_hex(c, bytes, n);
	struct scope s = { .im = im, .g = g, .opsets = &im->opsets, .prefix = "" };
	graph_build(&s, m->graph, true);
	if (im->n_undefined > MAX_TOLD)
		diag(c, SEV_ERROR, STAGE, NULL, "%d more undefined names", im->n_undefined - MAX_TOLD);
	symbols_check_unused(im, m->graph);
	graph_upgrade(im, g);
	unsupported_report(im);
	g->data_files = c->n_errors > errors ? NULL : external_files(im);
	if (c->n_errors > errors)
		return NULL;
	graph_verify(g, "import");
	return g;
}

struct graph *import_onnx(struct ctx *c, const char *path, const struct import_options *o)
{
	size_t n;
	if (!c->file)
		c->file = path;
	const char *slash = strrchr(path, '/');
	struct importer im = { .c = c, .o = o, .model_path = path };
	im.folder = o && o->folder ? o->folder : !slash ? "." : slash == path ? "/"
		    : str_dup_n(c, path, (size_t)(slash - path));
	unsigned char *bytes = file_read(c, path, MAX_FILE, &n);
	if (!bytes)
		return NULL;
	struct graph *g = import_model(&im, bytes, n);
	mem_give_back(c, bytes);
	return g;
}

struct graph *import_onnx_bytes(struct ctx *c, const void *bytes, size_t n,
				const struct import_options *o)
{
	struct importer im = { .c = c, .o = o, .folder = o ? o->folder : NULL };
	return import_model(&im, bytes, n);
}

/* ---- tensors ------------------------------------------------------------------------------------ */

/*
 * SequenceProto, OptionalProto and MapProto begin with a name (field 1) or a type (2) and go on with
 * messages (3).  A tensor writes its dimensions number by number in field 1, and never has a field 3.
 */
static bool is_container(const unsigned char *p, size_t n)
{
	return n > 2 && (p[0] == 0x0a || (p[0] == 0x10 && p[2] == 0x1a));
}

struct tensor *import_tensor_bytes(struct ctx *c, const void *bytes, size_t n, const char **name)
{
	static const ProtobufCMessageDescriptor *const d = &onnx__tensor_proto__descriptor;
	struct importer im = { .c = c };
	if (is_container(bytes, n)) {
		diag(c, SEV_ERROR, STAGE, NULL, "the file holds no tensor: a sequence, an optional or a "
		     "map, which are not supported here");
		return NULL;
	}
	const Onnx__TensorProto *p = (const Onnx__TensorProto *)wire_unpack(c, d, bytes, n, "the tensor");
	if (!p)
		return NULL;
	if (name)
		*name = p->name ? p->name : "";
	return tensor_import(&im, p, str_printf(c, "tensor \"%s\"", p->name ? p->name : ""));
}

struct tensor *import_tensor_file(struct ctx *c, const char *path, const char **name)
{
	size_t n;
	const unsigned char *bytes = file_read(c, path, MAX_FILE, &n);
	return bytes ? import_tensor_bytes(c, bytes, n, name) : NULL;
}
