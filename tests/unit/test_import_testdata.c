/*
 * Every model and every tensor of Debian's libonnx-testdata through the import: the operators may be
 * unsupported, but each file must be understood.  Counts are printed; no message may speak of damage,
 * undefined names or absurd sizes, and nothing may end as an internal error.
 */
#include "../tools/importing.h"

#include <glob.h>
#include <stdio.h>

#define DATA "/usr/share/libonnx-testdata/data/*/*/"

/* What an honest model may be refused for. */
static bool allowed(const struct diag *d)
{
	static const char *const texts[] = {
		"is not supported",	/* an operator, a sequence's or an optional's use */
		"is unknown and the model brings no function",
		"has no size: give one",	/* symbolic dimensions */
		"give the shape", "it has no shape: give one",
		"imports no operator set",	/* the models for training import only theirs */
		"holds a zero byte",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strstr(d->text, texts[i]))
			return true;
	return d->severity != SEV_ERROR;
}

static void test_models(void)
{
	glob_t files;
	int good = 0, unsupported = 0, wrong = 0;
	CU_ASSERT_EQUAL_FATAL(glob(DATA "model.onnx", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		import_path(files.gl_pathv[i], NULL);
		bool ok = got.result == R_SUCCESS || got.result == R_INPUT;
		for (int k = 0; k < vec_len(got.c->diags); k++)
			ok &= allowed(&got.c->diags[k]);
		if (!ok) {
			wrong++;
			printf("\n");
			diag_print(got.c, stdout);
		}
		good += got.result == R_SUCCESS;
		unsupported += got.result == R_INPUT;
	}
	printf("%zu models: %d imported, %d refused, %d wrongly ", files.gl_pathc, good, unsupported,
	       wrong);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(files.gl_pathc > 1000);
	globfree(&files);
}

static void test_tensors(void)
{
	glob_t files;
	int read = 0, containers = 0, wrong = 0;
	CU_ASSERT_EQUAL_FATAL(glob(DATA "test_data_set_*/*put_*.pb", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct ctx *c = ctx_new();
		c->file = files.gl_pathv[i];
		const struct tensor *t = import_tensor_file(c, files.gl_pathv[i], NULL);
		const bool container = !t && c->n_errors == 1 && strstr(c->diags[0].text, "a sequence,");
		read += t != NULL;
		containers += container;
		if (!t && !container) {
			wrong++;
			diag_print(c, stdout);
		}
		ctx_free(c);
	}
	printf("%zu tensors: %d read, %d are sequences or optionals, %d wrong ", files.gl_pathc, read,
	       containers, wrong);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(read > 2000);
	globfree(&files);
}

static const struct test_row rows[] = {
	{ "libonnx-testdata: models", test_models }, { "libonnx-testdata: tensors", test_tensors },
};

int main(void)
{
	return run_tests("import: test data", rows, sizeof rows / sizeof rows[0]);
}
