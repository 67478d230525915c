#!/bin/sh
# One classifier for all PCs: which variant it picks on which CPU, from the first 64-bit ones on, and that its bytes
# are the same there. qemu 7.2 knows AVX, AVX2, FMA, F16C and SSE4 only if its CPU has them, so a wrong choice dies of
# SIGILL; SSE3 it takes on every CPU: for that the code of the first variant is searched.
set -eu
. tests/targets/lib/target.sh
[ "$(uname -m)" = x86_64 ] || { echo "not run: x86-64 (this machine is $(uname -m))"; exit 0; }
target x86-64 qemu-x86_64
X=${X:-gcc}
PICTURES=0
QEMU=$RUN
RUN="$QEMU -cpu max"
classifier
# on CPU VARIANT: the variant is picked, by itself, and the bytes are right
on() {
	$QEMU -cpu "$1" "$P" --version > "$W/version" 2> "$W/err" || { cat "$W/err"; fail "--version on $1"; }
	has "$W/version" " $2 (used here)"
	rm -rf "$W/npy"
	$QEMU -cpu "$1" "$P" --out "$W/npy" "$W/x.npy" > "$W/row" 2> "$W/err" || { cat "$W/err"; fail "the classifier on $1"; }
	cmp "$W/exact/logits.npy" "$W/npy"/*.npy || fail "$1: not the file of run --exact"
	$QEMU -cpu "$1" "$P" --csv tests/app/pictures/jpeg_rgb.jpg > "$W/row" 2> "$W/err" || fail "a picture on $1"
	echo "ok: $1 runs $2"
}
cat > "$W/newer.c" <<'END'
#include <immintrin.h>
int main(int argc, char **argv)
{
	(void)argv;
	return _mm256_movemask_ps(_mm256_set1_ps((float)argc)) ? 1 : 0;
}
END
$X -O2 -mavx -static "$W/newer.c" -o "$W/newer"
$QEMU -cpu Nehalem "$W/newer" 2> "$W/err" && fail "qemu runs AVX on a CPU without it: what follows would prove nothing"
SSE3='haddp[sd]|hsubp[sd]|addsubp[sd]|movddup|movs[hl]dup|lddqu|fisttp[a-z]*|pshufb|palignr|pabs[bwd]|phadd[a-z]*'
printf '#include <pmmintrin.h>\n__m128 f(__m128 a);\n__m128 f(__m128 a) { return _mm_hadd_ps(a, a); }\n' > "$W/three.c"
$X -O2 -msse3 -c "$W/three.c" -o "$W/three.o"
objdump -d "$W/three.o" | grep -qwE "$SSE3" || fail "the search finds no SSE3 where there is"
n=0
for o in "${P%/*}"/*_model_sse2.o "${P%/*}"/rcmnet.o "${P%/*}"/*_app.o "${P%/*}"/obj/app/*.o; do
	case $o in */sha256.o) continue ;; esac	# SHA's own instructions, behind their bit of CPUID
	objdump -d "$o" | grep -wE "$SSE3" && fail "an instruction newer than SSE2 in $o"
	n=$((n + 1))
done
[ $n -gt 5 ] || fail "only $n objects were searched"
echo "ok: no SSE3 in $n objects"
on Opteron_G1,-sse3 sse2		# 2003
on Opteron_G1 sse2
on core2duo sse2
on Nehalem sse2
on SandyBridge avx
on Haswell avx2
on EPYC avx2
on max avx2				# no AVX-512 in qemu
on max,-fma avx
on max,-f16c avx
on max,-avx2 avx
on max,-avx sse2
on max,-xsave sse2			# the system does not save AVX's registers
on Skylake-Server avx2
# the choice of the user: the environment, and the option before it
AMPOULE_ISA=sse2 $QEMU -cpu max "$P" --version > "$W/version"
has "$W/version" "sse2 (used here)"
AMPOULE_ISA=sse2 $QEMU -cpu max "$P" --isa avx2 --version > "$W/version"
has "$W/version" "avx2 (used here)"
for isa in avx avx2 avx512; do
	AMPOULE_ISA=$isa code 0 $QEMU -cpu Nehalem "$P" --version
	has "$W/out" "asked for $isa: this CPU lacks the instructions"
	grep -q "used here" "$W/out" && fail "--version names a variant that is refused"
	AMPOULE_ISA=$isa code 1 $QEMU -cpu Nehalem "$P" "$W/x.npy"
	has "$W/err" "lacks the instructions"
done
AMPOULE_ISA=mmx code 0 "$P" --version
has "$W/out" "asked for mmx: there is no such variant"
AMPOULE_ISA=mmx code 2 "$P" "$W/x.npy"
has "$W/err" "AMPOULE_ISA" mmx
echo "ok: AMPOULE_ISA and --isa"
# here, with what this CPU has
for isa in sse2 avx avx2 avx512; do
	rm -rf "$W/npy"
	if AMPOULE_ISA=$isa "$P" --out "$W/npy" "$W/x.npy" > "$W/row" 2> "$W/err"; then
		cmp "$W/exact/logits.npy" "$W/npy"/*.npy || fail "$isa: not the file of run --exact"
		echo "ok: natively, $isa"
	else
		has "$W/err" "lacks the instructions"
		echo "not run: $isa (this CPU has none)"
	fi
done
