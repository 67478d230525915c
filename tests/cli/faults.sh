#!/bin/sh
# Would the tests notice?  One fault at a time is put into a copy of the runtime - a lane swapped, a contraction
# allowed, a combining tree changed, the flushing of subnormals left on, ... - and the checks that guard the numeric
# contract must fail on it: the digest of the primitives (simd_digest.sh), the bytes of a model against `run --exact`,
# and the promises that lib/drive.c checks.  Without a fault all of them pass.
# In: AMPOULE, BUILD, CC.
set -eu
. tests/cli/lib/common.sh
caught=0
level=-O1
missed=0
verdict() {
	if [ "$1" = 0 ]; then
		echo "NOT CAUGHT: $2"
		missed=$((missed + 1))
	else
		echo "ok: caught by $3: $2"
		caught=$((caught + 1))
	fi
}
# plant FILE SED WHAT: the fault must be one
plant() {
	cp "$1" "$W/sound"
	sed -i "$2" "$1"
	! cmp -s "$1" "$W/sound" || fail "no such line any more in $1: $3"
}

# digest FLAGS...: do the primitives in $W/tree have the contract's digest?
digest() {
	$CC -std=c11 $level -w "$@" "$W/tree/tests/kernels/simd/digest.c" -o "$W/digest" > "$W/log" 2>&1 || {
		cat "$W/log"; fail "the digest does not build: $*"; }
	"$W/digest" > "$W/digest.out" 2> /dev/null || return 1
	cmp -s "$W/digest.out" tests/kernels/simd/digest.txt
}
# primitive WHAT FILE SED FLAGS...
primitive() {
	what=$1 file=$2 change=$3
	shift 3
	rm -rf "$W/tree"
	mkdir -p "$W/tree/tests/kernels" "$W/tree/runtime"
	cp -r tests/kernels/simd "$W/tree/tests/kernels/"
	cp -r runtime/simd "$W/tree/runtime/"
	[ -z "$file" ] || plant "$W/tree/runtime/simd/$file" "$change" "$what"
	got=0
	digest "$@" || got=1
	[ -z "$file" ] || verdict $got "$what ($file)" "the digest of the primitives"
}

# broken NAME WHAT FILE SED FLAGS: the emitted code of NAME with a fault in FILE
broken() {
	name=$1 what=$2 file=$3 change=$4 flags=$5
	rm -rf "$W/dir"
	cp -r "$W/$name" "$W/dir"
	[ -z "$file" ] || plant "$W/dir/$file" "$change" "$what"
	(
		cd "$W/dir"
		case $flags in *contract=fast*) sed -i 's/-ffp-contract=off/-ffp-contract=fast/' Makefile ;; esac
		make -s CC="$CC" CFLAGS="$flags -w" "lib$name.a" > make.log 2>&1 &&
			$CC $STRICT -O1 -w -I. "-DMODEL=${name}_model" "$DRIVE" "lib$name.a" -o drive -lm >> make.log 2>&1 || { cat make.log; exit 1; }
	) || fail "$name with a fault does not build: $what"
	got=0 by="the bytes of $name"
	(cd "$W/dir" && ./drive run -1 "$W/$name".in*.npy > out 2>&1) || got=1
	i=0
	for want in $(cat "$W/$name.exact"); do
		[ "$(sha "$W/dir/out$i.bin")" = "$want" ] || got=1
		i=$((i + 1))
	done
	if [ $got = 0 ]; then
		by="the driver's promises"
		(cd "$W/dir" && ./drive check "$W/$name".in*.npy > out 2>&1) || got=1
	fi
	[ -z "$file" ] || verdict $got "$what ($file)" "$by"
}

# ---- primitives
primitive "" "" "" -DAMP_ISA_GENERIC
[ $got = 0 ] || fail "plain C without a fault"
primitive "one combining tree joins neighbours" generic.h '/v_tree_add/,/^}/s/h = 8; h; h >>= 1/h = 1; h < 16; h <<= 1/'
primitive "the tie test of the software fma left out" scalar.h 's/(u \& 0x1fffffffu) == 0x10000000u/0/' -mno-fma
primitive "the subnormal test of the software fma left out" scalar.h 's/|| (m - 1 < 0x3810000000000000u - 1)//' -mno-fma
primitive "Relu without + 0" derived.h 's/s_max(0.0f, x) + 0.0f/s_max(0.0f, x)/; s/v_add(v_max(v_zero(), a), v_zero())/v_max(v_zero(), a)/'
primitive "a maximum with its operands turned round" generic.h '/ v_max(/,/^}/s/s_max(a.f\[i\], b.f\[i\])/s_max(b.f[i], a.f[i])/'
primitive "a conversion that does not saturate" scalar.h '/ s_to_i_trunc/,/^}/s/return INT32_MAX/return INT32_MIN/'
primitive "one coefficient of exp off by one bit" activation.inc 's/0x1\.55548ep-3f/0x1.555490p-3f/'
if [ "$(uname -m)" = x86_64 ]; then
	primitive "" "" "" -DAMP_ISA_SSE2
	[ $got = 0 ] || fail "SSE2 without a fault"
	primitive "two lanes swapped" sse2.h '/ v_add(/,/^}/s/a\.q1, b\.q1/a.q1, b.q2/' -DAMP_ISA_SSE2
	primitive "fma in two roundings" sse2.h '/ v_fma(/,/^}/s/return /return v_add(v_mul(a, b), c); return /' -DAMP_ISA_SSE2
	primitive "a combining tree in another order" sse2.h '/ v_tree_add(/,/^}/s/a\.q0, a\.q2/a.q0, a.q1/; / v_tree_add(/,/^}/s/a\.q1, a\.q3/a.q2, a.q3/' -DAMP_ISA_SSE2
	primitive "subnormals flushed" fpmode.h 's/_mm_setcsr(0x1f80)/_mm_setcsr(0x9fc0)/' -DAMP_ISA_SSE2
	if grep -qw fma /proc/cpuinfo && grep -qw avx2 /proc/cpuinfo; then
		primitive "two halves swapped" avx2.h '/ v_mul(/,/^}/s/a\.l, b\.l/a.l, b.h/' -DAMP_ISA_AVX2 -mavx2 -mfma
		level=-O2			# below, gcc contracts nothing
		primitive "one contraction allowed" avx2.h '/ v_opaque(/,/^}/s/__asm__.*;\|AMP_OPAQUE.*;//' -DAMP_ISA_AVX2 -mavx2 -mfma -ffp-contract=fast
	else
		echo "not run: faults in avx2.h (this CPU has none)"
	fi
else
	echo "not run: faults in the headers of x86-64"
fi

# ---- kernels and emitted code
for name in tiny attention wide; do
	model $name
	exact $name > "$W/$name.exact"
	target=generic
	[ $name != wide ] || target=native
	code 0 "$AMPOULE" compile "$W/$name.onnx" -o "$W/$name" --library --target $target
	broken $name "" "" "" "-O1"
	[ $got = 0 ] || fail "$name without a fault"
done
broken tiny "subnormals flushed, rounding as the caller's" simd/fpmode.h 's/_mm_setcsr(0x1f80)/(void)0/; s/fpcr, xzr/fpcr, %0/' -O1
broken tiny "the caller's mode not restored" simd/fpmode.h 's/_mm_setcsr((unsigned)saved)/(void)saved/; s/"msr fpcr, %0" :: "r"(saved)/"" :: "r"(saved)/' -O1
broken attention "a softmax's combining tree in another order" simd/generic.h '/v_tree_add/,/^}/s/a.f\[i + h\]/a.f[2 * h - 1 - i]/' -O1
if [ "$(uname -m)" != x86_64 ] || grep -qw fma /proc/cpuinfo; then
	fma=$([ "$(uname -m)" != x86_64 ] || echo "-mavx2 -mfma")
	broken tiny "fma in two roundings" simd/scalar.h 's/return __builtin_fmaf(a, b, c)/return a * b + c/' "-O1 $fma"
	broken wide "one contraction allowed" wide_model.c 's/v_opaque(v_mul(\([^()]*\)))/v_mul(\1)/' "-O2 -ffp-contract=fast"
else
	echo "not run: fma in two roundings, a contraction in emitted code (this CPU has no fma)"
fi
echo "$caught faults caught, $missed not"
[ $missed = 0 ]
