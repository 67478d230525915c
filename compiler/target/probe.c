/*
 * probe.c - a target description from a triple alone.
 *
 * In:  LLVM's data layout, where linked, and clang's predefined macros, where installed.
 * Out: struct target, or its text.  What neither says is guessed from the triple's words, and marked as a guess.
 */
#include "target/clang.h"
#include "target/llvm.h"

#include <stdlib.h>
#include <string.h>

struct fact {
	const char *value;
	const char *why;		/* not NULL: a guess */
};

struct probe {
	const char *triple, *arch;
	const struct clang *clang;
	const char *macros;		/* or NULL */
	bool linked;			/* `layout` is known */
	struct llvm_layout layout;
	struct fact endian, bits, incbin, fma, about, run;
	const char *cflags;		/* or NULL */
	const char *base;		/* built-in target whose variants are taken, or NULL: plain C */
	bool small;			/* a microcontroller */
	bool no_os;			/* so no threads */
};

static bool starts(const char *s, const char *const list[])
{
	for (int i = 0; list[i]; i++)
		if (str_starts(s, list[i]))
			return true;
	return false;
}

/* A word between the triple's dashes. */
static bool has_word(const struct probe *p, const char *word)
{
	const size_t n = strlen(word);
	for (const char *s = p->triple; (s = strstr(s, word)) != NULL; s += n)
		if ((s == p->triple || s[-1] == '-') && (s[n] == '-' || s[n] == 0))
			return true;
	return false;
}

static bool big_by_name(const char *arch)
{
	static const char *const big[] = { "s390", "sparc", "m68k", "armeb", "aarch64_be", "thumbeb", NULL };
	if (str_starts(arch, "powerpc") || str_starts(arch, "ppc"))
		return !str_ends(arch, "le");
	if (str_starts(arch, "mips"))
		return !str_ends(arch, "el");
	return starts(arch, big);
}

/* qemu's name for user programs of an architecture, under Linux */
static const char *emulator(struct ctx *c, const struct probe *p)
{
	if (!strstr(p->triple, "linux"))
		return NULL;
	const char *a = p->arch;
	if (str_starts(a, "arm") || str_starts(a, "thumb"))
		a = big_by_name(a) ? "armeb" : "arm";
	else if (str_starts(a, "powerpc"))
		a = str_printf(c, "ppc%s", a + strlen("powerpc"));
	return str_printf(c, "qemu-%s", a);
}

static const char *macro(struct ctx *c, const struct probe *p, const char *name)
{
	return p->macros ? macro_value(c, p->macros, name) : NULL;
}

/* As runtime/simd/guard.h decides it. */
static const char *fma_of(struct ctx *c, const struct probe *p)
{
	static const char *const always[] = { "__FMA__", "__AVX512F__", "__aarch64__", "__s390x__", "__powerpc64__", NULL };
	for (int i = 0; always[i]; i++)
		if (macro(c, p, always[i]))
			return "hardware";
	const char *flen = macro(c, p, "__riscv_flen"), *fp = macro(c, p, "__ARM_FP");
	if (flen)
		return atoi(flen) >= 64 ? "hardware" : "hardware for float, software for double";
	if (fp && macro(c, p, "__ARM_FEATURE_FMA"))
		return strtol(fp, NULL, 0) & 8 ? "hardware" : strtol(fp, NULL, 0) & 4 ?
		       "hardware for float, software for double" : "software";
	return "software";
}

static void take_facts(struct ctx *c, struct probe *p)
{
	const char *size = macro(c, p, "__SIZEOF_POINTER__"), *order = macro(c, p, "__BYTE_ORDER__");
	const bool b64 = strstr(p->arch, "64") || str_starts(p->arch, "s390x");
	if (p->linked)
		p->endian.value = p->layout.big_endian ? "big" : "little";
	else if (order)
		p->endian.value = str_eq(order, "__ORDER_BIG_ENDIAN__") ? "big" : "little";
	else
		p->endian = (struct fact){ big_by_name(p->arch) ? "big" : "little", "by the name of the architecture" };
	if (size)
		p->bits.value = str_printf(c, "%d", atoi(size) * 8);
	else if (p->linked)
		p->bits.value = str_printf(c, "%d", p->layout.bits);
	else
		p->bits = (struct fact){ b64 ? "64" : "32", "by the name of the architecture" };
	if (str_starts(p->arch, "wasm") || macro(c, p, "__ELF__"))
		p->incbin.value = "yes";
	else
		p->incbin = (struct fact){ "yes", "clang's assembler has it for ELF, COFF and Mach-O" };
	if (p->macros)
		p->fma.value = fma_of(c, p);
	else
		p->fma = (struct fact){ "as the compiler's macros say", "no clang was asked" };
	/* NEON of 32-bit Arm flushes subnormals (runtime/simd/guard.h): the unit beside it does not */
	if (macro(c, p, "__ARM_NEON") && str_eq(p->bits.value, "32"))
		p->cflags = macro(c, p, "__ARM_FEATURE_FMA") ? "-mfpu=vfpv4" : "-mfpu=vfpv3";
	const char *emu = emulator(c, p);
	if (emu)
		p->run = (struct fact){ emu, "qemu's name for the architecture; -L FOLDER if its C library lies elsewhere" };

	const char *profile = macro(c, p, "__ARM_ARCH_PROFILE");
	p->no_os = has_word(p, "none") || str_starts(p->arch, "wasm") || (has_word(p, "unknown") && str_ends(p->triple, "elf"));
	p->small = (profile && strchr(profile, 'M')) || str_starts(p->arch, "thumbv6m") || str_starts(p->arch, "thumbv7m") ||
		   str_starts(p->arch, "thumbv7em") || str_starts(p->arch, "thumbv8m") ||
		   (p->no_os && str_eq(p->bits.value, "32") && !str_starts(p->arch, "wasm"));
	if (str_starts(p->arch, "x86_64"))
		p->base = "x86-64";
	else if ((str_starts(p->arch, "aarch64") && !str_starts(p->arch, "aarch64_be")) || str_starts(p->arch, "arm64"))
		p->base = "aarch64";
	if (p->base && p->macros && !macro(c, p, "__SSE2__") && !macro(c, p, "__ARM_NEON"))
		p->base = NULL;
}

static bool ask(struct ctx *c, const char *triple, struct probe *p)
{
	const char *why_llvm = NULL, *why_clang = NULL;
	*p = (struct probe){ .triple = triple, .arch = str_dup_n(c, triple, strcspn(triple, "-")) };
	for (const char *s = triple; *s || s == triple; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
		      (s > triple && strchr("-_.+", *s)))) {
			diag(c, SEV_ERROR, "target", NULL, "\"%s\" is no triple: one is ARCH-VENDOR-SYSTEM, for example "
			     "thumbv7em-none-eabihf", triple);
			return false;
		}
	p->linked = llvm_layout(c, triple, &p->layout, &why_llvm);
	p->clang = clang_find(c);
	if (p->clang)
		p->macros = clang_macros(c, p->clang, triple, &why_clang);
	if (llvm_version(c) && !p->linked) {
		diag(c, SEV_ERROR, "target", NULL, "LLVM %s does not know %s: %s", llvm_version(c), triple, why_llvm);
		return false;
	}
	if (p->clang && !p->macros) {
		diag(c, SEV_ERROR, "target", NULL, "%s does not know %s: %s", p->clang->path, triple, why_clang);
		return false;
	}
	if (!p->clang && !p->linked) {
		diag(c, SEV_ERROR, "target", NULL, "a triple needs clang or LLVM, and there is neither: no clang, clang-30 ... "
		     "clang-11 in $PATH (Debian: apt-get install clang; or set AMPOULE_CLANG), and %s", why_llvm);
		return false;
	}
	take_facts(c, p);
	if (!str_eq(p->bits.value, "32") && !str_eq(p->bits.value, "64")) {
		diag(c, SEV_ERROR, "target", NULL, "%s has pointers of %s bits: emitted models need 32 or 64", triple,
		     p->bits.value);
		return false;
	}
	const char *eval = macro(c, p, "__FLT_EVAL_METHOD__"), *mant = macro(c, p, "__DBL_MANT_DIG__");
	/* clang 19 no longer says how float is computed */
	const bool x87 = p->macros && macro(c, p, "__i386__") && !macro(c, p, "__SSE2__");
	if (x87 || (eval && !str_eq(eval, "0") && str_starts(p->arch, "i")) || (mant && !str_eq(mant, "53"))) {
		diag(c, SEV_ERROR, "target", NULL, "%s cannot carry the numeric contract: float and double are not computed "
		     "as IEEE binary32 and binary64%s", triple, str_starts(p->arch, "i") ?
		     "; 32-bit x86 needs a target file with cflags -msse2 -mfpmath=sse" : "");
		return false;
	}
	return true;
}

static const char *const SMALL = "microcontroller: plain C in the layout of application processors; a layout of its own "
	"does not exist yet";

static void describe(struct ctx *c, const struct probe *p, struct text *t)
{
	static const char *const shown[] = { "__ARM_ARCH", "__ARM_ARCH_PROFILE", "__ARM_FP", "__ARM_NEON", "__ARM_FEATURE_FMA",
		"__SSE2__", "__AVX__", "__AVX2__", "__FMA__", "__AVX512F__", "__riscv_xlen", "__riscv_flen",
		"__riscv_vector", "__wasm_simd128__", "__VEC__", "__ALTIVEC__", "__SOFTFP__", "__ELF__",
		"__FLT_EVAL_METHOD__", NULL };
	const struct { const char *key; const struct fact *f; } keys[] = {
		{ "endian", &p->endian }, { "bits", &p->bits }, { "incbin", &p->incbin }, { "run", &p->run } };
	if (p->clang) {
		text_printf(t, "# %s\n# %s --target=%s -dM -E:\n#  ", p->clang->version, p->clang->name, p->triple);
		for (int i = 0; shown[i]; i++) {
			const char *v = macro(c, p, shown[i]);
			if (v)
				text_printf(t, " %s%s%s", shown[i], *v ? "=" : "", v);
		}
		text_printf(t, "\n");
	} else {
		text_printf(t, "# No clang was found: its macros would say more.\n");
	}
	if (p->linked)
		text_printf(t, "# LLVM %s: %s, data layout %s\n", llvm_version(c), p->layout.triple, p->layout.layout);
	text_printf(t, "# fma: %s%s%s\nname %s\nabout %s\n", p->fma.value, p->fma.why ? "  guess: " : "",
		    p->fma.why ? p->fma.why : "", p->triple, p->about.value);
	if (p->small)
		text_printf(t, "note %s\n", SMALL);
	if (p->no_os)
		text_printf(t, "threads no\n");
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].f->value)
			text_printf(t, "%s %s%s%s\n", keys[i].key, keys[i].f->value, keys[i].f->why ? "  # guess: " : "",
				    keys[i].f->why ? keys[i].f->why : "");
	text_printf(t, "cc %s --target=%s%s\n", p->clang ? p->clang->name : "clang", p->triple, p->clang ? "" :
		    "  # guess: no clang was found");
	if (p->cflags)
		text_printf(t, "cflags %s\n", p->cflags);
	const struct target *base = p->base ? target_find(c, p->base) : NULL;
	for (int i = 0; base && i < vec_len(base->variants); i++)
		text_printf(t, "variant %s %s %s%s\n", base->variants[i].name, base->variants[i].macro,
			    base->variants[i].flags, p->macros ? "" : "  # guess: by the name of the architecture");
	for (int i = 0; base && i < vec_len(base->variants); i++)
		if (base->variants[i].detect)
			text_printf(t, "detect %s %s\n", base->variants[i].name, base->variants[i].detect);
	if (!base)
		text_printf(t, "variant generic AMP_ISA_GENERIC\n");
}

bool target_probe(struct ctx *c, const char *triple, struct text *t)
{
	struct probe p;
	if (!ask(c, triple, &p))
		return false;
	p.about.value = str_printf(c, "%s-bit %s by clang: %s", p.bits.value, p.arch,
				   p.base ? str_printf(c, "the variants of %s", p.base) : "plain C");
	describe(c, &p, t);
	return true;
}

const struct target *target_of_triple(struct ctx *c, const char *triple)
{
	struct text t = { .c = c };
	return target_probe(c, triple, &t) ? target_parse(c, t.s, t.n, triple) : NULL;
}
