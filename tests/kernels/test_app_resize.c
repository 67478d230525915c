/*
 * test_app_resize.c - the classifier's resize and preprocessing against Pillow and numpy.
 *
 * In:  tests/app/resize.txt and preprocess.txt, made by tests/app/make_resize.py.
 * Out: nonzero if one hash differs, or if fewer cases were seen than there are.
 */
#include "../../runtime/app/os.c"
#include "../../runtime/app/os_posix.c"
#include "../../runtime/app/sha256.c"
#define product resize_product
#include "../../runtime/app/resize.c"
#undef product
#include "../../runtime/app/preprocess.c"

static unsigned char *noise(int w, int h)
{
	const size_t n = (size_t)w * (size_t)h * 3;
	unsigned char *p = malloc(n);
	uint32_t x = ((uint32_t)w * 7919u + (uint32_t)h * 104729u + 1) & 0x7fffffff;
	for (size_t i = 0; p && i < n; i++) {
		x = (x * 1103515245u + 12345u) & 0x7fffffff;
		p[i] = (unsigned char)(i % 97 < 20 ? 255 : i % 89 < 15 ? 0 : x >> 16 & 255);
	}
	return p;
}

static int differs(const void *data, size_t n, const char *want, const char *what)
{
	struct app_sha256 s;
	char hex[65];
	app_sha256_init(&s);
	app_sha256_add(&s, data, n);
	app_sha256_hex(&s, hex);
	if (!strcmp(hex, want))
		return 0;
	fprintf(stderr, "differs from Pillow: %s\n", what);
	return 1;
}

/* The hashes are of little-endian floats, on every machine. */
static void *little_endian(void *data, size_t n, size_t size)
{
	const uint16_t one = 1;
	unsigned char *p = data;
	if (*(const unsigned char *)&one == 0)
		for (size_t i = 0; i + size <= n; i += size)
			for (size_t k = 0; k < size / 2; k++) {
				const unsigned char b = p[i + k];
				p[i + k] = p[i + size - 1 - k];
				p[i + size - 1 - k] = b;
			}
	return data;
}

static int check_resize(int *cases)
{
	FILE *f = fopen("tests/app/resize.txt", "r");
	char line[256], want[80], err[APP_ERR];
	int w, h, nw, nh, filter, bad = 0;
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%d %d %d %d %d %79s", &w, &h, &nw, &nh, &filter, want) != 6)
			return 1;
		unsigned char *from = noise(w, h), *to = malloc((size_t)nw * (size_t)nh * 3);
		if (app_resize(from, w, h, to, nw, nh, filter, err))
			bad++, fprintf(stderr, "%s: %s\n", line, err);
		else
			bad += differs(to, (size_t)nw * (size_t)nh * 3, want, line);
		free(from);
		free(to);
		++*cases;
	}
	if (f)
		fclose(f);
	return bad;
}

static int check_preprocess(int *cases)
{
	FILE *f = fopen("tests/app/preprocess.txt", "r");
	char line[256], want[80], err[APP_ERR];
	int w, h, layout, ow, oh, bad = 0;
	while (f && fgets(line, sizeof line, f)) {
		struct amp_preprocess pre = { .rescale_factor = 1.0 / 255, .mean = { 0.485, 0.456, 0.406 },
					      .std = { 0.229, 0.224, 0.225 } };
		if (sscanf(line, "%d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %79s", &w, &h, &pre.resize,
			   &pre.width, &pre.height, &pre.resample, &pre.crop, &pre.crop_width, &pre.crop_height,
			   &pre.bgr, &pre.rescale, &pre.normalize, &layout, &ow, &oh, want) != 16)
			return 1;
		struct amp_io io = { .dtype = layout == 2 ? AMP_UINT8 : AMP_FLOAT, .rank = 4 };
		const int64_t channels = layout == 3 ? 1 : 3;
		const int64_t first[4] = { 1, channels, oh, ow }, last[4] = { 1, oh, ow, channels };
		struct app_image_input in;
		memcpy(io.dim, layout == 0 || layout == 3 ? first : last, sizeof first);
		struct app_picture p = { .width = w, .height = h, .rgb = noise(w, h) };
		const size_t n = (size_t)ow * (size_t)oh * (size_t)channels * (layout == 2 ? 1 : 4);
		void *to = malloc(n);
		if (app_image_input(&io, &in) || app_preprocess(&p, &pre, &in, to, err))
			bad++, fprintf(stderr, "%s: %s\n", line, err);
		else
			bad += differs(little_endian(to, n, layout == 2 ? 1 : 4), n, want, line);
		free(to);
		free(p.rgb);
		++*cases;
	}
	if (f)
		fclose(f);
	return bad;
}

/* A picture that would need more memory than it is worth is refused, not attempted. */
static int check_limits(void)
{
	struct app_picture p = { .width = 50000000, .height = 1, .rgb = calloc(50000000, 3) };
	const struct app_image_input in = { 1, 3, 224, 224, 0, AMP_FLOAT };
	static float to[3 * 224 * 224];
	char err[APP_ERR] = "";
	int bad = 0;
	for (int mode = 1; mode <= 2; mode++) {
		const struct amp_preprocess pre = { .resize = mode, .width = mode == 1 ? 50000000 : 224, .height = 224, .resample = 2 };
		if (!app_preprocess(&p, &pre, &in, to, err) || !*err)
			bad++, fprintf(stderr, "no refusal of mode %d\n", mode);
	}
	free(p.rgb);
	return bad;
}

int main(void)
{
	int resized = 0, prepared = 0;
	const int bad = check_resize(&resized) + check_preprocess(&prepared) + check_limits();
	printf("%d resizes, %d preprocessings, %d differ\n", resized, prepared, bad);
	return bad || resized != 762 || prepared != 150;
}
