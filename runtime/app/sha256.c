/*
 * sha256.c - SHA-256 (FIPS 180-4).
 *
 * In:  bytes, in pieces.  Out: the digest in hexadecimal.
 * On x86-64 CPUs that have the instructions for it, by these: five times as fast, and weights are long.
 */
#include "app.h"

#include <string.h>

static const uint32_t round_constant[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* One round; the caller renames the eight words instead of moving them. */
static inline void turn(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
			uint32_t g, uint32_t *h, uint32_t kw)
{
	const uint32_t t = *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + kw;
	*d += t;
	*h = t + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
}

static void plain_block(uint32_t sum[8], const unsigned char *p)
{
	uint32_t w[64];
	uint32_t a = sum[0], b = sum[1], c = sum[2], d = sum[3];
	uint32_t e = sum[4], f = sum[5], g = sum[6], h = sum[7];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
		       (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		const uint32_t x = w[i - 15], y = w[i - 2];
		w[i] = w[i - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[i - 7] +
		       (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
	}
	for (int i = 0; i < 64; i += 8) {
		turn(a, b, c, &d, e, f, g, &h, round_constant[i] + w[i]);
		turn(h, a, b, &c, d, e, f, &g, round_constant[i + 1] + w[i + 1]);
		turn(g, h, a, &b, c, d, e, &f, round_constant[i + 2] + w[i + 2]);
		turn(f, g, h, &a, b, c, d, &e, round_constant[i + 3] + w[i + 3]);
		turn(e, f, g, &h, a, b, c, &d, round_constant[i + 4] + w[i + 4]);
		turn(d, e, f, &g, h, a, b, &c, round_constant[i + 5] + w[i + 5]);
		turn(c, d, e, &f, g, h, a, &b, round_constant[i + 6] + w[i + 6]);
		turn(b, c, d, &e, f, g, h, &a, round_constant[i + 7] + w[i + 7]);
	}
	const uint32_t last[8] = { a, b, c, d, e, f, g, h };
	for (int i = 0; i < 8; i++)
		sum[i] += last[i];
}

static void plain_blocks(uint32_t sum[8], const unsigned char *p, size_t n)
{
	for (; n; n--, p += 64)
		plain_block(sum, p);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

/* The instructions keep the eight words as (a, b, e, f) and (c, d, g, h), highest first, and do two rounds each. */
__attribute__((target("sha,sse4.1,ssse3"))) static void fast_blocks(uint32_t sum[8], const unsigned char *p, size_t n)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)sum);
	const __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(sum + 4));
	const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
	for (; n; n--, p += 64) {
		const __m128i abef0 = abef, cdgh0 = cdgh;
		__m128i w[16];
#ifdef __clang__			/* as a loop it takes a fifth longer */
#pragma unroll
#else
#pragma GCC unroll 16
#endif
		for (int i = 0; i < 16; i++) {
			if (i < 4)
				w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
			else
				w[i] = _mm_sha256msg2_epu32(
					_mm_add_epi32(_mm_sha256msg1_epu32(w[i - 4], w[i - 3]), _mm_alignr_epi8(w[i - 1], w[i - 2], 4)),
					w[i - 1]);
			const __m128i k = _mm_load_si128((const __m128i *)(const void *)(round_constant + 4 * i));
			const __m128i wk = _mm_add_epi32(w[i], k);
			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));
		}
		abef = _mm_add_epi32(abef, abef0);
		cdgh = _mm_add_epi32(cdgh, cdgh0);
	}
	const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)(void *)sum, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(sum + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* SSSE3, SSE4.1, SHA */
static int has_fast(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 9)) || !(c & (1u << 19)))
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29));
}
#else
#define has_fast() 0
#define fast_blocks plain_blocks
#endif

static void blocks(uint32_t sum[8], const unsigned char *p, size_t n)
{
	if (n > 4 && has_fast())	/* asking the CPU takes as long as a few blocks */
		fast_blocks(sum, p, n);
	else
		plain_blocks(sum, p, n);
}

void app_sha256_init(struct app_sha256 *s)
{
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
	};
	memcpy(s->h, start, sizeof start);
	s->bytes = 0;
}

void app_sha256_add(struct app_sha256 *s, const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t have = (size_t)(s->bytes % 64);
	s->bytes += n;
	if (have) {
		const size_t part = n < 64 - have ? n : 64 - have;
		memcpy(s->block + have, p, part);
		p += part;
		n -= part;
		if (have + part < 64)
			return;
		plain_blocks(s->h, s->block, 1);
	}
	blocks(s->h, p, n / 64);
	p += n / 64 * 64;
	n %= 64;
	if (n)
		memcpy(s->block, p, n);
}

void app_sha256_hex(struct app_sha256 *s, char hex[65])
{
	static const char digit[] = "0123456789abcdef";
	const uint64_t bits = s->bytes * 8;
	const size_t have = (size_t)(s->bytes % 64);
	unsigned char tail[128] = { 0 };
	const size_t n = have < 56 ? 64 : 128;
	memcpy(tail, s->block, have);
	tail[have] = 0x80;
	for (int i = 0; i < 8; i++)
		tail[n - 1 - (size_t)i] = (unsigned char)(bits >> (8 * i));
	plain_blocks(s->h, tail, n / 64);
	for (int i = 0; i < 64; i++)
		hex[i] = digit[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
	hex[64] = 0;
}
