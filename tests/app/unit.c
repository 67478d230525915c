/*
 * unit.c - the small parts: SHA-256, exp and softmax, .npy, EXIF, UTF-8 and CSV quoting.
 *
 * Out: nonzero and a line for each thing that is wrong.
 */
#include "app.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* main.c is not linked; os.c does not need it either */
const struct amp_model *const amp_app_model = NULL;

static int bad;

static void check(int ok, const char *what)
{
	if (!ok) {
		printf("wrong: %s\n", what);
		bad++;
	}
}

static void test_sha256(void)
{
	struct app_sha256 s;
	char hex[65];
	app_sha256_init(&s);
	app_sha256_add(&s, "abc", 3);
	app_sha256_hex(&s, hex);
	check(!strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "sha256 of abc");
	/* a million letters in uneven pieces */
	static const char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				"aaaaaaaaaaaaaaaaaaaaa";
	app_sha256_init(&s);
	for (size_t left = 1000000, n = 1; left; left -= n, n = n % 97 + 1)
		app_sha256_add(&s, a, n = n < left ? n : left);
	app_sha256_hex(&s, hex);
	check(!strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"), "sha256 of 1e6 a");
	/* block by block in plain C, many at once by the CPU's instructions where it has them */
	static unsigned char data[100000];
	char other[65];
	for (unsigned i = 0, x = 1; i < sizeof data; i++, x = x * 1103515245 + 12345)
		data[i] = (unsigned char)(x >> 16);
	for (size_t n = 0; n < 1000; n += n < 400 ? 1 : 61) {
		const size_t bytes = n < 400 ? n : n * 99;
		app_sha256_init(&s);
		app_sha256_add(&s, data, bytes);
		app_sha256_hex(&s, hex);
		app_sha256_init(&s);
		for (size_t i = 0; i < bytes; i += 64)
			app_sha256_add(&s, data + i, bytes - i < 64 ? bytes - i : 64);
		app_sha256_hex(&s, other);
		check(!strcmp(hex, other), "sha256 in one piece and in blocks");
	}
}

/* libm is the oracle; nothing in the program uses it. */
static void test_exp(void)
{
	double worst = 0;
	for (int i = -200000; i <= 200000; i++) {
		const double x = i * 0.003537, want = exp(x), got = app_exp(x);
		if (want < 2.3e-308 || want > 1.7e308)
			continue;
		const double e = fabs(got - want) / (want * 2.220446049250313e-16);
		worst = e > worst ? e : worst;
	}
	check(worst < 1.6, "exp is within 1.6 units");
	check(app_exp(0) == 1 && app_exp(-800) == 0 && app_exp(710) > 1e308 && !app_is_finite(app_exp(720)),
	      "exp at its ends");
	check(app_exp(-740) > 0 && fabs(app_exp(-740) / exp(-740) - 1) < 0.02, "exp of subnormal results");
	check(app_half(0x3c00) == 1 && app_half(0xc000) == -2 && app_half(1) == 1.0f / 16777216 &&
	      app_half(0x7bff) == 65504 && !app_is_finite((double)app_half(0x7c00)), "half");
}

static void test_probabilities(void)
{
	const double logits[4] = { 1000, 1001, -5000, 1001 };
	double p[4];
	int order[4];
	char err[APP_ERR];
	check(!app_probabilities(p, logits, 4, AMP_ACT_SOFTMAX, err), "softmax");
	check(fabs(p[0] - 0.155362) < 1e-6 && p[1] == p[3] && p[2] == 0 && fabs(p[0] + p[1] + p[3] - 1) < 1e-15,
	      "softmax of large values");
	check(!app_order(order, p, 4, err) && order[0] == 1 && order[1] == 3 && order[2] == 0, "order, ties by index");
	check(!app_probabilities(p, logits, 4, AMP_ACT_SIGMOID, err) && p[0] == 1 && p[2] == 0, "sigmoid");
	const double broken[2] = { 0, NAN }, infinite[2] = { INFINITY, 0 };
	check(app_probabilities(p, broken, 2, AMP_ACT_NONE, err) && app_probabilities(p, infinite, 2, AMP_ACT_SOFTMAX,
	      err), "not finite");
}

static size_t npy(unsigned char *to, int version, const char *header, const void *data, size_t n)
{
	const size_t h = strlen(header), start = version == 1 ? 10 : 12;
	memcpy(to, "\x93NUMPY", 6);
	to[6] = (unsigned char)version;
	to[7] = 0;
	to[8] = (unsigned char)h;
	to[9] = to[10] = to[11] = 0;
	memcpy(to + start, header, h);
	memcpy(to + start + h, data, n);
	return start + h + n;
}

static void test_npy(void)
{
	static const unsigned char six[6] = { 0, 1, 2, 3, 4, 5 }, wide[4] = { 1, 2, 3, 4 };
	unsigned char file[1024], got[8];
	char err[APP_ERR];
	struct app_npy a;
	size_t n = npy(file, 1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", six, 6);
	check(!app_npy_parse(file, n, &a, err) && a.rank == 2 && a.dim[1] == 3 && a.fortran, "npy of Fortran order");
	app_npy_copy(&a, got);
	check(!memcmp(got, "\0\2\4\1\3\5", 6), "npy turned to C order");
	n = npy(file, 2, "{'shape': (2,), 'fortran_order': False, 'descr': '>u2'}\n", wide, 4);
	check(!app_npy_parse(file, n, &a, err), "npy version 2");
	app_npy_copy(&a, got);
	uint16_t v[2];
	memcpy(v, got, 4);
	check(v[0] == 0x102 && v[1] == 0x304, "npy of big-endian elements");
	n = npy(file, 3, "{'descr': '<f8', 'fortran_order': False, 'shape': ()}\n", "\0\0\0\0\0\0\0\x40", 8);
	check(!app_npy_parse(file, n, &a, err) && a.rank == 0 && a.count == 1 && a.dtype == AMP_DOUBLE, "npy scalar");
	for (size_t cut = 0; cut < n; cut++)
		check(app_npy_parse(file, cut, &a, err), "npy cut short is an error");
	static const char *const wrong[] = {
		"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}\n",
		"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}\n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}\n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}\n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}\n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}\n",
		"{'descr': '<f4', 'fortran_order': False, 'shape': 3}\n", "{}\n"
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		n = npy(file, 1, wrong[i], six, 6);
		check(app_npy_parse(file, n, &a, err), wrong[i]);
	}
	const struct amp_io io = { "x", AMP_FLOAT, 1, { 1 }, 4 };
	char head[512];
	n = app_npy_header(head, &io);
	memcpy(file, head, n);
	memcpy(file + n, "\0\0\0\0", 4);
	check(n % 64 == 0 && !app_npy_parse(file, n + 4, &a, err) && a.rank == 1 && a.dim[0] == 1 && a.dtype == AMP_FLOAT,
	      "npy written is read");
}

static void test_orientation(void)
{
	static const char xmp1[] = "<a tiff:Orientation=\"7\"/>", xmp2[] = "x<tiff:Orientation>2</";
	unsigned char exif[26] = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0";
	check(app_exif_orientation(exif, 26) == 6, "exif");
	for (size_t n = 0; n < 22; n++)
		check(app_exif_orientation(exif, n) == 0, "exif cut short");
	exif[4] = 255;
	check(app_exif_orientation(exif, 26) == 0, "exif with an offset out of it");
	check(app_xmp_orientation((const unsigned char *)xmp1, sizeof xmp1 - 1) == 7, "xmp attribute");
	check(app_xmp_orientation((const unsigned char *)xmp2, sizeof xmp2 - 1) == 2, "xmp element");
	check(app_xmp_orientation((const unsigned char *)xmp1, 18) == -1, "xmp cut short");
}

static void test_output(void)
{
	static const char *const labels[2] = { "a \"b\", c", "\xff\xc3\xa9" };
	static const double p[2] = { 0.25, 0.75 };
	static const int order[2] = { 1, 0 };
	struct app_answer a = { "tab\there.png", NULL, NULL, p, order, 2, 1 };
	char text[512];
	for (int format = 0; format < 3; format++) {
		struct app_output o = { tmpfile(), format == 0 ? APP_TEXT : format == 1 ? APP_JSON : APP_CSV, 2, 0, 0.9, 2,
					labels, 0 };
		if (!o.f) {
			check(0, "no temporary file");
			return;
		}
		app_output_begin(&o);
		app_output_row(&o, &a);
		app_output_end(&o);
		rewind(o.f);
		text[fread(text, 1, sizeof text - 1, o.f)] = 0;
		fclose(o.f);
		const char *want = format == 0 ? "tab?here.png: uncertain  \xff\xc3\xa9 0.750  a \"b\", c 0.250\n" :
			format == 1 ? "[\n{\"file\": \"tab\\u0009here.png\", \"answer\": \"uncertain\", \"classes\": ["
			"{\"index\": 1, \"label\": \"\\ufffd\xc3\xa9\", \"probability\": 0.75}, "
			"{\"index\": 0, \"label\": \"a \\\"b\\\", c\", \"probability\": 0.25}]}\n]\n" :
			"file,answer,class_1,probability_1,class_2,probability_2,note,error\n"
			"tab\there.png,uncertain,\xff\xc3\xa9,0.75,\"a \"\"b\"\", c\",0.25,,\n";
		check(!strcmp(text, want), text);
	}
}

int main(void)
{
	test_sha256();
	test_exp();
	test_probabilities();
	test_npy();
	test_orientation();
	test_output();
	printf("%d wrong\n", bad);
	return bad != 0;
}
