#!/bin/sh
# The full product on this machine: threads x compilers x optimisation levels x contraction, for the small RCMNet and
# small models of other kernels; in each, every variant that this CPU runs, under callers who flush subnormals, read them
# as zeros and round in each direction (lib/drive.c); the bytes are those of `run --exact`.  Then the digest of all
# primitives under the same compilers and flags.  Takes an hour: `make check-product`.
# In: AMPOULE, BUILD, CC; OF_THREADS, OF_COMPILERS, OF_LEVELS, OF_CONTRACT, OF_MODELS choose.
set -eu
. tests/cli/lib/common.sh
count=0
one() {
	D=$W/$NAME
	rm -rf "$D"
	code 0 "$AMPOULE" compile "$W/$NAME.onnx" -o "$D" --library --threads $1 --weights file
	pool=
	[ $1 = 1 ] || pool=-DPOOL
	(
		cd "$D"
		sed -i "s/-ffp-contract=off/-ffp-contract=$4/" Makefile
		make -s -j2 CC="$2" CFLAGS="$3" "lib$NAME.a" > make.log 2>&1 &&
			$2 $3 $STRICT -I. $pool "-DMODEL=${NAME}_model" "$DRIVE" "lib$NAME.a" -o drive -lm >> make.log 2>&1 || {
			cat make.log; exit 1; }
	) || fail "$NAME does not build: $*"
	(cd "$D" && ./drive run -1 "$W/$NAME".in*.npy && ./drive check "$W/$NAME".in*.npy) || fail "$NAME: $*"
	i=0
	for want in $(cat "$W/$NAME.exact"); do
		[ "$(sha "$D/out$i.bin")" = "$want" ] || fail "$NAME, output $i: not the bytes of run --exact: $*"
		i=$((i + 1))
	done
	count=$((count + 1))
	echo "ok: $NAME, $1 threads, $2 $3 -ffp-contract=$4"
}
for NAME in ${OF_MODELS:-small tiny several wide attention functions every}; do
	if [ $NAME = small ]; then
		cp models/small/rcmnet_small.onnx "$W/small.onnx"
		pixels "$W/small.in0.npy" 96
	else
		model $NAME
	fi
	exact $NAME > "$W/$NAME.exact"
	[ -s "$W/$NAME.exact" ] || fail "run --exact $NAME"
	for threads in ${OF_THREADS:-1 2 3 8}; do
		for cc in ${OF_COMPILERS:-gcc clang}; do
			for level in ${OF_LEVELS:--O1 -O2 -O3}; do
				for contract in ${OF_CONTRACT:-off fast}; do
					one $threads $cc $level $contract
				done
			done
		done
	done
done
echo "$count builds of models, all with the contract's bytes"
[ -n "${OF_MODELS:-}" ] || FULL=1 sh tests/cli/simd_digest.sh
