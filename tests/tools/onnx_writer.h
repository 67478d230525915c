/*
 * onnx_writer.h - writes ONNX files for tests, byte by byte: no protobuf library, so that a fault of
 * the reader cannot hide in a shared one, and so that wrong files can be written too.
 *
 * A message is a growing buffer.  Fields go in in any order; a sub-message is appended to its parent and
 * gone.  Running out of memory ends the program: these are tests.
 */
#ifndef ONNX_WRITER_H
#define ONNX_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pb { unsigned char *p; size_t n, room; };	/* zero is an empty message */

/* ---- protobuf's wire format ---- */
void pb_raw(struct pb *m, const void *bytes, size_t n);
void pb_varint(struct pb *m, uint64_t v);
void pb_int(struct pb *m, int field, int64_t v);
void pb_float(struct pb *m, int field, float v);
void pb_bytes(struct pb *m, int field, const void *p, size_t n);
void pb_str(struct pb *m, int field, const char *s);
void pb_sub(struct pb *m, int field, struct pb sub);	/* frees sub */
void pb_free(struct pb *m);
bool pb_write(const struct pb *m, const char *path);

/* Field numbers that callers of pb_sub() need. */
enum {
	MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_FUNCTION = 25,
	GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12,
	GRAPH_VALUE_INFO = 13, GRAPH_SPARSE = 15,
	NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5, NODE_DOMAIN = 7,
	NODE_OVERLOAD = 8,
	FUNCTION_NAME = 1, FUNCTION_INPUT = 4, FUNCTION_OUTPUT = 5, FUNCTION_ATTRIBUTE = 6,
	FUNCTION_NODE = 7, FUNCTION_OPSET = 9, FUNCTION_DOMAIN = 10, FUNCTION_DEFAULT = 11,
	FUNCTION_OVERLOAD = 13,
	TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_FLOATS = 4, TENSOR_INT32S = 5, TENSOR_STRINGS = 6,
	TENSOR_INT64S = 7, TENSOR_NAME = 8, TENSOR_RAW = 9, TENSOR_DOUBLES = 10, TENSOR_UINT64S = 11,
	TENSOR_EXTERNAL = 13, TENSOR_LOCATION = 14
};

/* ---- ONNX ---- */

/* A tensor without data: dims as "2 3" ("" is a scalar). */
struct pb onnx_tensor(const char *name, int dtype, const char *dims);
/* ... with raw_data. */
struct pb onnx_tensor_raw(const char *name, int dtype, const char *dims, const void *p, size_t n);
struct pb onnx_floats(const char *name, const char *dims, const float *v);
struct pb onnx_ints(const char *name, const int64_t *v, int n);		/* int64 [n] */
/* A graph's input or output: dims as "1 3 N ?"; "?" has no size; NULL: no shape at all. */
struct pb onnx_value(const char *name, int dtype, const char *dims);
/* inputs, outputs: names between spaces, "_" is absent. */
struct pb onnx_node(const char *op, const char *inputs, const char *outputs, const char *name);

/* Attributes of a node (field NODE_ATTRIBUTE) or of a function's defaults (FUNCTION_DEFAULT). */
struct pb onnx_attr_int(const char *name, int64_t v);
struct pb onnx_attr_float(const char *name, float v);
struct pb onnx_attr_str(const char *name, const char *v);
struct pb onnx_attr_ints(const char *name, const char *list);		/* "1 2 3" */
struct pb onnx_attr_tensor(const char *name, struct pb tensor);
struct pb onnx_attr_graph(const char *name, struct pb graph);
struct pb onnx_attr_ref(const char *name, int type, const char *refers_to);
/* Several at once: "strides=[2 2] group=1 alpha=0.5 mode='linear'". */
void onnx_attrs(struct pb *node, const char *text);

struct pb onnx_opset(const char *domain, int64_t version);
/* A model of one graph with the operator set of ONNX's own domain. */
struct pb onnx_model(int ir_version, int opset, struct pb graph);

/* Seeded numbers, the same on every machine: a 64-bit state, a value in (-1, 1), one near normal. */
uint64_t seed_next(uint64_t *state);
float seed_uniform(uint64_t *state);
float seed_normal(uint64_t *state);

#endif
