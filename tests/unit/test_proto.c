/*
 * compiler/import/onnx.proto against the official schema, the text that Debian's libonnx-dev installs:
 * every field and enumerator there must be ours with the same number and type.  Ours may have more: IR
 * versions after Debian's 8; check-models compares with the newest.
 *
 * A small reader of .proto text: comments dropped, then words; blocks of message, enum and oneof.
 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "onnx.pb-c.h"

#define OFFICIAL "/usr/include/onnx/onnx.proto"

static struct ctx *c;

/* ---- our descriptors, by full name ----------------------------------------------------------------- */

static struct map messages, enums;

static void collect(const ProtobufCMessageDescriptor *d)
{
	if (map_get(&messages, d->name))
		return;
	map_put(c, &messages, d->name, (void *)d);
	for (unsigned i = 0; i < d->n_fields; i++) {
		if (d->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			collect(d->fields[i].descriptor);
		else if (d->fields[i].type == PROTOBUF_C_TYPE_ENUM)
			map_put(c, &enums, ((const ProtobufCEnumDescriptor *)
					    d->fields[i].descriptor)->name,
				(void *)d->fields[i].descriptor);
	}
}

/* ---- words of the official text ------------------------------------------------------------------------ */

static char *text;
static char word[128];

static bool next(void)
{
	for (;;) {
		while (*text == ' ' || *text == '\n' || *text == '\t' || *text == '\r')
			text++;
		if (text[0] != '/' || text[1] != '/')
			break;
		text += strcspn(text, "\n");
	}
	size_t n = strcspn(text, " \n\t\r{};=[]\"");
	if (n == 0 && *text)
		n = 1;
	snprintf(word, sizeof word, "%.*s", (int)n, text);
	text += n;
	return n > 0;
}

static bool is(const char *w)
{
	return strcmp(word, w) == 0;
}

static void skip_statement(void)
{
	while (!is(";") && next())
		;
}

static int n_fields, n_values;

static const char *our_type(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32: return "int32";
	case PROTOBUF_C_TYPE_INT64: return "int64";
	case PROTOBUF_C_TYPE_UINT64: return "uint64";
	case PROTOBUF_C_TYPE_FLOAT: return "float";
	case PROTOBUF_C_TYPE_DOUBLE: return "double";
	case PROTOBUF_C_TYPE_STRING: return "string";
	case PROTOBUF_C_TYPE_BYTES: return "bytes";
	case PROTOBUF_C_TYPE_MESSAGE:
		return ((const ProtobufCMessageDescriptor *)f->descriptor)->short_name;
	case PROTOBUF_C_TYPE_ENUM:
		return ((const ProtobufCEnumDescriptor *)f->descriptor)->short_name;
	default: return "?";
	}
}

static void complain(const char *scope, const char *name, const char *what)
{
	printf("\n    %s.%s: %s", scope, name, what);
	CU_FAIL("the schemas differ");
}

/* `word` is the type; label as in the text. */
static void check_field(const char *scope, const char *label)
{
	const ProtobufCMessageDescriptor *d = map_get(&messages, scope);
	char type[128], name[128];
	const char *dot = strrchr(word, '.');
	snprintf(type, sizeof type, "%s", dot ? dot + 1 : word);
	next();
	snprintf(name, sizeof name, "%s", word);
	next();			/* = */
	next();
	const int number = atoi(word);
	bool packed = false;
	while (!is(";") && next())
		packed |= is("packed");
	n_fields++;
	const ProtobufCFieldDescriptor *f =
		d ? protobuf_c_message_descriptor_get_field_by_name(d, name) : NULL;
	if (!f)
		complain(scope, name, "missing");
	else if ((int)f->id != number)
		complain(scope, name, "another number");
	else if (strcmp(our_type(f), type) != 0)
		complain(scope, name, "another type");
	else if ((f->label == PROTOBUF_C_LABEL_REPEATED) != (strcmp(label, "repeated") == 0))
		complain(scope, name, "another label");
	else if (packed != !!(f->flags & PROTOBUF_C_FIELD_FLAG_PACKED))
		complain(scope, name, "packed or not");
	else if (!!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != (strcmp(label, "oneof") == 0))
		complain(scope, name, "in a oneof or not");
}

static void check_enum(const char *scope)
{
	const ProtobufCEnumDescriptor *e = map_get(&enums, scope);
	char name[128];
	next();			/* { */
	while (next() && !is("}")) {
		snprintf(name, sizeof name, "%s", word);
		next();
		next();
		const int number = (int)strtol(word, NULL, 0);
		skip_statement();
		const ProtobufCEnumValue *v = e ? protobuf_c_enum_descriptor_get_value_by_name(e, name)
						: NULL;
		n_values++;
		if (!v || v->value != number)
			complain(scope, name, "missing, or another number");
	}
}

/* A message's body, or a oneof's inside it. */
static void check_block(const char *scope, bool oneof)
{
	char inner[256];
	next();			/* { */
	while (next() && !is("}")) {
		if (is("message") || is("enum")) {
			const bool message = is("message");
			next();
			snprintf(inner, sizeof inner, "%s.%s", scope, word);
			if (message)
				check_block(inner, false);
			else
				check_enum(inner);
		} else if (is("oneof")) {
			next();
			check_block(scope, true);
		} else if (is("reserved") || is("option")) {
			skip_statement();
		} else if (is("optional") || is("repeated")) {
			char label[sizeof word];
			snprintf(label, sizeof label, "%s", word);
			next();
			check_field(scope, label);
		} else if (!is(";")) {
			if (!oneof)
				complain(scope, word, "a field without a label");
			check_field(scope, "oneof");
		}
	}
}

static void test_official(void)
{
	size_t n;
	text = (char *)file_read(c, OFFICIAL, 1 << 24, &n);
	if (!text)
		printf("\n    %s is missing: install libonnx-dev", OFFICIAL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	collect(&onnx__model_proto__descriptor);
	map_put(c, &enums, "onnx.TensorProto.DataType",
		(void *)&onnx__tensor_proto__data_type__descriptor);
	while (next()) {
		if (is("message")) {
			char scope[160];
			next();
			snprintf(scope, sizeof scope, "onnx.%s", word);
			check_block(scope, false);
		} else if (is("enum")) {	/* Version, OperatorStatus: no field of ours has them */
			while (next() && !is("}"))
				;
		} else if (!is(";")) {
			skip_statement();
		}
	}
	printf("%d fields, %d enumerators ", n_fields, n_values);
	CU_ASSERT(n_fields > 80 && n_values > 30);	/* the text was really read */
}

int main(void)
{
	c = ctx_new();
	if (!c || CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite s = CU_add_suite("onnx.proto", NULL, NULL);
	if (!s || !CU_add_test(s, "against the official schema", test_official))
		return 1;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	const unsigned failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	ctx_free(c);
	return failed != 0;
}
