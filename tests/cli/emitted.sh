#!/bin/sh
# The emitted folder as a user builds it: compilers, optimisation levels, weights modes, targets, sanitizers; the
# bytes are those of `run --exact` each time, whatever the caller's rounding mode, memory and threads are.
# In: AMPOULE, BUILD, CC; FULL=1 crosses every model with every compiler and level.
set -eu
. tests/cli/lib/common.sh
SAN="-fsanitize=address,undefined -fno-sanitize-recover=all"
export ASAN_OPTIONS=detect_leaks=0	# drive.c frees nothing

# What a model's objects may need besides each other: DESIGN's four, and the compilers' support libraries.
cat > "$W/allowed" <<'END'
memcpy
memmove
memset
memcmp
_GLOBAL_OFFSET_TABLE_
__divdi3
__moddi3
__udivdi3
__umoddi3
__divti3
__udivti3
END

# build FOLDER CC CFLAGS: the archive, a check of its symbols, the driver
build() {
	(
		cd "$1"
		# the contract does not rest on the flag (docs/numerics.md, rule 8)
		case $3 in *contract=fast*) sed -i 's/-ffp-contract=off/-ffp-contract=fast/' Makefile ;; esac
		make -s -j2 CC="$2" CFLAGS="$3" "lib$NAME.a" > make.log 2>&1 || { cat make.log; exit 1; }
		ld -r -o all.o "$NAME.o" "$NAME"_model_*.o $(ls "${NAME}_weights.o" 2> /dev/null || true) || exit 1
		# what is public is NAME_something and nothing else
		nm -g --defined-only all.o | awk '{ print $3 }' | grep -v -e "^${NAME}_" -e "^__odr_asan" > strangers && {
			echo "symbols that do not begin with ${NAME}_:"; cat strangers; exit 1; }
		case $3 in
		*fsanitize*) ;;
		*) nm -u all.o | awk '{ print $2 }' | sort -u | grep -vxFf "$W/allowed" > strangers && {
			echo "undefined symbols that are not allowed:"; cat strangers; exit 1; } ;;
		esac
		rm -f all.o
		# its data: nothing that changes
		size -A "lib$NAME.a" | awk '$1 ~ /^\.(data|bss|tdata|tbss)$/ && $2 > 0 { print; bad = 1 } END { exit bad }' || {
			case $3 in *fsanitize*) ;; *) echo "data that can change"; exit 1 ;; esac; }
		$2 $3 $STRICT -I. "-DMODEL=${NAME}_model" "$DRIVE" "lib$NAME.a" -o drive -lm || exit 1
		rm -f ./*.o
	) || fail "$NAME does not build in $1 with $2 $3"
}
# bytes FOLDER: the built code's output is the contract's
bytes() {
	for isa in ${2:--1}; do
		(cd "$1" && ./drive run "$isa" "$W/$NAME".in*.npy) || fail "$1 does not run ($isa)"
		i=0
		for want in $(cat "$W/$NAME.exact"); do
			[ "$(sha "$1/out$i.bin")" = "$want" ] || fail "$1, output $i: not the bytes of run --exact"
			i=$((i + 1))
		done
	done
}
check() {
	(cd "$1" && ./drive check "$W/$NAME".in*.npy) || fail "$1: a promise of the header"
}
count=0
# one OPTIONS CC CFLAGS
one() {
	D=$W/$NAME.$count
	count=$((count + 1))
	code 0 "$AMPOULE" compile "$W/$NAME.onnx" -o "$D" --library $1
	build "$D" "$2" "$3"
	bytes "$D"
	check "$D"
	ls "$D/kernels" >> "$W/kernels"
	echo "ok: $NAME $1 $2 $3"
	rm -rf "$D"
}

for NAME in tiny several attention functions every; do
	model $NAME
	exact $NAME > "$W/$NAME.exact"
	recorded $NAME
	code 0 "$AMPOULE" run "$W/$NAME.onnx" --json $(given $NAME)
	one "" gcc "-O2"
	one "" clang "-O2"
	one "" gcc "-O1 -g $SAN"
	[ "${FULL:-0}" = 1 ] && for cc in gcc clang; do
		for o in -O0 -O1 -O3 -Os "-O3 -ffp-contract=fast"; do
			one "" $cc "$o"
			one "--target generic" $cc "$o"
		done
		one "" $cc "-O1 -g $SAN"
	done
done
for NAME in scalar ends nothing; do
	model $NAME
	exact $NAME > "$W/$NAME.exact"
	one "" gcc -O2
	one "" clang -O3
done
model rank9
code 1 "$AMPOULE" compile "$W/rank9.onnx" -o "$W/x" --library
has "$W/err" '"x"' '"y"' "8 axes"
code 1 "$AMPOULE" verify "$W/rank9.onnx"
NAME=tiny
one "" gcc -O0
one "" gcc -O3
one "" clang -O0
one "" clang -O1
one "" clang -O3
one "--weights array" gcc -O2
one "--weights file" gcc -O2
one "--weights array" clang -O1
one "--target generic" gcc -O2
one "--target generic" clang -O2
one "--target generic --weights file" clang "-O3"
NAME=attention
one "" gcc "-O3 -ffp-contract=fast"
one "" clang "-O2 -ffp-contract=fast"
one "--target generic --weights file" gcc "-O1 -g $SAN"
NAME=every			# with the kernels that make weights
one "--transform start" gcc -O2
# layers by Winograd's algorithm, under every variant that this CPU runs (check)
NAME=small
cp models/small/rcmnet_small.onnx "$W/small.onnx"
pixels "$W/small.in0.npy" 96
"$AMPOULE" inspect "$W/small.onnx" | grep -q '^  winograd' || fail "no layer is computed by Winograd's algorithm"
exact small > "$W/small.exact"
one "" gcc -O2
one "" clang -O2
one "--threads 3" gcc "-O1 -ffp-contract=fast"
one "--transform start" gcc "-O3 -ffp-contract=fast"
one "--target generic" clang -O2
# These models are what "every kernel" means in the tests of targets and in tests/bits/product.sh. Range's has no place in
# emitted code: its size must be known, and then it is folded.
for k in runtime/kernels/*.inc; do
	k=${k##*/}
	grep -qx "$k" "$W/kernels" || [ $k = range.inc ] || fail "no model of this test uses the kernel $k: add to make_models.c, every()"
done
NAME=tiny
# a target of the user's own: a file
cat > "$W/mine.target" <<'END'
# an old PC, tuned for size
name mine
about SSE2 only, small
endian little
bits 64
incbin no
cflags -Os
variant plain AMP_ISA_GENERIC
END
one "--target $W/mine.target" gcc -Os
# caches of its own: other chunks and bands, the same bytes
printf 'name near\ncache 64\nprefetch 0\nincbin yes\nvariant plain AMP_ISA_GENERIC\n' > "$W/near.target"
NAME=small
code 0 "$AMPOULE" compile "$W/small.onnx" -o "$W/far" --library --target generic
code 0 "$AMPOULE" compile "$W/small.onnx" -o "$W/near" --library --target "$W/near.target"
cmp -s "$W/far/small_model.c" "$W/near/small_model.c" && fail "the target's cache decides nothing"
cmp "$W/far/small.weights" "$W/near/small.weights" || fail "the target's cache changes weights"
one "--target $W/near.target" gcc -O2
for line in "cache 8" "cache x" "cache" "prefetch -1" "prefetch 99999999"; do
	printf 'name mine\nvariant plain AMP_ISA_GENERIC\n%s\n' "$line" > "$W/bad.target"
	code 2 "$AMPOULE" compile "$W/tiny.onnx" -o "$W/x" --target "$W/bad.target"
	has "$W/err" "bad.target, line 3" "$line"
done
NAME=tiny
printf 'name mine\nvariant plain AMP_ISA_GENERIC\nspeed fast\n' > "$W/bad.target"
code 2 "$AMPOULE" compile "$W/tiny.onnx" -o "$W/x" --target "$W/bad.target"
has "$W/err" "bad.target, line 3" speed

# names that C and C++ would trip over
NAME=two_rows
"$MODELS" symbolic "$W/two_rows.onnx"
code 0 "$AMPOULE" compile "$W/two_rows.onnx" -o "$W/rows" --library --dim batch=2
"$AMPOULE" run "$W/two_rows.onnx" --dim batch=2 --exact --json --input "$W/two_rows.in0.npy" |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["outputs"][0]["sha256"])' > "$W/two_rows.exact"
build "$W/rows" gcc -O2
bytes "$W/rows"
printf '#include "two_rows.h"\nint main() { two_rows s; return two_rows_prepare(&s, two_rows_weights, nullptr, nullptr, -1); }\n' > "$W/rows/user.cc"
(cd "$W/rows" && g++ -std=c++17 -Wall -Wextra -Werror -I. user.cc libtwo_rows.a -o user && ./user) || fail "C++"
# --name
code 0 "$AMPOULE" compile "$W/tiny.onnx" -o "$W/named" --library --name other_name
[ -s "$W/named/other_name.h" ] && grep -q other_name_run "$W/named/other_name.h" || fail "--name"
# a shared library that python or anything else can open
(cd "$W/rows" && make -s libtwo_rows.so && nm -D libtwo_rows.so | grep -q ' T two_rows_run$') || fail "lib.so"
echo "$count builds, all with the contract's bytes"
