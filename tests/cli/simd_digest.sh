#!/bin/sh
# simd_digest.sh - the same bits from every vector header, compiler and optimisation.
#
# In:  CC (gcc unless set); FULL=1 for all combinations, also with clang and under emulators.
# Out: exit status 0 if each build of tests/kernels/simd/digest.c prints tests/kernels/simd/digest.txt
#      (made by the generic header at -O1: the contract itself). What this machine cannot run is said.
set -eu
cd "$(dirname "$0")/../.."
CC=${CC:-gcc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
want=tests/kernels/simd/digest.txt
count=0
bad=0

# build NAME RUNNER COMPILER FLAGS...
build()
{
	name=$1 runner=$2
	shift 2
	"$@" -std=c11 -Wall -Wextra -Werror tests/kernels/simd/digest.c -o "$dir/digest"
	count=$((count + 1))
	if $runner "$dir/digest" > "$dir/out" && cmp -s "$dir/out" $want; then
		echo "same bits: $name"
	else
		echo "DIFFERENT: $name"
		diff $want "$dir/out" | head -6 || true
		bad=1
	fi
}

has() { grep -qw "$1" /proc/cpuinfo 2>/dev/null; }

avx2="-DAMP_ISA_AVX2 -mavx2 -mfma"
avx512="-DAMP_ISA_AVX512 -mavx512f -mfma"
case $(uname -m) in
x86_64) isas="generic sse2"
	has avx && isas="$isas avx" || echo "not run: avx (this CPU has none)"
	has fma && has avx2 && isas="$isas fma avx2" || echo "not run: avx2 (this CPU has none)"
	has avx512f && isas="$isas avx512" || echo "not run: avx512 (this CPU has none)" ;;
aarch64) isas="generic neon" ;;
*) isas=generic ;;
esac

flags()
{
	case $1 in
	generic) ;;
	fma) echo "-mavx2 -mfma" ;;
	sse2) echo "-DAMP_ISA_SSE2" ;;
	avx) echo "-DAMP_ISA_SSE2 -mavx" ;;
	avx2) echo "$avx2" ;;
	avx512) echo "$avx512" ;;
	neon) echo "-DAMP_ISA_NEON" ;;
	esac
}

if [ "${FULL:-0}" = 1 ]; then
	compilers=$CC
	for c in gcc clang-14 clang-19 clang; do
		command -v $c > /dev/null && case " $compilers " in *" $c "*) ;; *) compilers="$compilers $c" ;; esac
	done
	for c in $compilers; do
		for isa in $isas; do
			for o in -O1 -O2 -O3; do
				for contract in off fast; do
					build "$c $isa $o $contract" "" $c $o -ffp-contract=$contract $(flags $isa)
				done
			done
		done
	done
	if command -v aarch64-linux-gnu-gcc > /dev/null && command -v qemu-aarch64 > /dev/null; then
		for c in aarch64-linux-gnu-gcc clang-14 clang-19 clang; do
			command -v $c > /dev/null || continue
			case $c in clang*) cross="$c --target=aarch64-linux-gnu" ;; *) cross=$c ;; esac
			for isa in generic neon; do
				for o in -O1 -O2 -O3; do
					build "aarch64 $c $isa $o" qemu-aarch64 $cross -static $o \
						-ffp-contract=fast $(flags $isa)
				done
			done
		done
	else
		echo "not run: aarch64 (needs gcc-aarch64-linux-gnu and qemu-user)"
	fi
else
	n=0
	for isa in $isas; do # every header, contraction allowed, levels in turn
		n=$((n % 3 + 1))
		[ $isa = generic ] && n=1
		build "$CC $isa -O$n" "" $CC -O$n -ffp-contract=fast $(flags $isa)
	done
fi
echo "$count builds compared"
exit $bad
