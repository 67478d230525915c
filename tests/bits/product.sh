#!/bin/sh
# The full product on this machine: threads x compilers x optimisation levels x contraction, for the small RCMNet and for
# models that use every kernel between them (tests/cli/emitted.sh sees to that); in each build, every variant that this CPU
# runs, under callers who flush subnormals, read them as zeros and round in each direction (lib/drive.c); the bytes are
# those of `run --exact`.  Then the digest of all primitives under the same compilers and flags.
#
# Each model is emitted twice: for one thread, without a pool, and for eight; the driver runs the latter with pools of 1 to 8.
# What passed is kept in $BUILD/product.txt under the digest of the emitted files, so that an interrupted run goes on
# where it was (make check-product; 40 minutes of processor time).
# In: AMPOULE, BUILD, CC; OF_MODELS, OF_THREADS, OF_COMPILERS, OF_LEVELS, OF_CONTRACT choose.
set -eu
. tests/cli/lib/common.sh
PASSED=$BUILD/product.txt
touch "$PASSED"
count=0
# one THREADS COMPILER LEVEL CONTRACTION: in the emitted folder $D
one() {
	count=$((count + 1))
	case=$digest/$1/$("$2" -dumpversion)/$2/$3/$4
	grep -qxF "$case" "$PASSED" && return
	pool=
	[ $1 = 1 ] || pool=-DPOOL
	(
		cd "$D"
		rm -f ./*.o ./*.a out*.bin
		sed -i "s/-ffp-contract=[a-z]*/-ffp-contract=$4/" Makefile
		make -s -j2 CC="$2" CFLAGS="$3" "lib$NAME.a" > make.log 2>&1 &&
			$2 $3 $STRICT -I. $pool "-DMODEL=${NAME}_model" "$DRIVE" "lib$NAME.a" -o drive -lm >> make.log 2>&1 || {
			cat make.log; exit 1; }
	) || fail "$NAME does not build: $*"
	(cd "$D" && ./drive run -1 "$W/$NAME".in*.npy && ./drive check "$W/$NAME".in*.npy) > "$W/log" || {
		cat "$W/log"; fail "$NAME: $*"; }
	i=0
	for want in $(cat "$W/$NAME.exact"); do
		[ "$(sha "$D/out$i.bin")" = "$want" ] || fail "$NAME, output $i: not the bytes of run --exact: $*"
		i=$((i + 1))
	done
	echo "$case" >> "$PASSED"
	echo "ok: $NAME, $1 threads, $2 $3 -ffp-contract=$4"
}
MODELS_OF=${OF_MODELS:-small every wide attention functions several tiny}
for NAME in $MODELS_OF; do
	if [ $NAME = small ]; then
		cp models/small/rcmnet_small.onnx "$W/small.onnx"
		pixels "$W/small.in0.npy" 96
	else
		model $NAME
	fi
	exact $NAME > "$W/$NAME.exact"
	[ -s "$W/$NAME.exact" ] || fail "run --exact $NAME"
done
for threads in ${OF_THREADS:-8 1}; do
	for NAME in $MODELS_OF; do
		D=$W/$NAME.$threads
		code 0 "$AMPOULE" compile "$W/$NAME.onnx" -o "$D" --library --threads $threads --weights file
		digest=$(cat "$D/manifest.json" "$DRIVE" | sha256sum | cut -c1-16)
		for contract in ${OF_CONTRACT:-fast off}; do
			for cc in ${OF_COMPILERS:-gcc clang}; do
				for level in ${OF_LEVELS:--O2 -O1 -O3}; do
					one $threads $cc $level $contract
				done
			done
		done
		rm -rf "$D"
	done
done
echo "$count builds of models ($MODELS_OF), all with the contract's bytes"
[ -n "${OF_MODELS:-}" ] || FULL=1 sh tests/cli/simd_digest.sh
