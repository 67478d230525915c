#!/bin/sh
# --transform start: Winograd's weights are made by NAME_prepare() instead of stored: a smaller blob, the bytes of
# `run --exact` on every variant and with threads, and a caller who forgets their memory is told so.
# In: AMPOULE, BUILD, CC.
set -eu
. tests/cli/lib/common.sh

NAME=small
cp models/small/rcmnet_small.onnx "$W/small.onnx"
pixels "$W/small.in0.npy" 96
exact $NAME > "$W/want"
[ -s "$W/want" ] || fail "run --exact $NAME"
code 0 "$AMPOULE" compile "$W/small.onnx" -o "$W/ahead" --library
[ -e "$W/ahead/kernels/winograd_c16.inc" ] || fail "no step of the small RCMNet is by Winograd's algorithm: this test tests nothing"
[ ! -e "$W/ahead/kernels/winograd_weights.inc" ] || fail "weights that lie ready are transformed again"
number() { sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" "$1"; }

for threads in 1 3; do
	D=$W/start.$threads
	code 0 "$AMPOULE" compile "$W/small.onnx" -o "$D" --library --transform start --threads $threads
	grep -q '"transform": "start"' "$D/manifest.json" || fail "the manifest does not say it"
	[ "$(number "$D/manifest.json" prepared_bytes)" -gt 0 ] || fail "the manifest's prepared_bytes"
	[ "$(number "$D/manifest.json" weights_bytes)" -lt "$(number "$W/ahead/manifest.json" weights_bytes)" ] ||
		fail "the weights are not smaller"
	(
		cd "$D"
		make -s -j2 "lib$NAME.a" > make.log 2>&1 || { cat make.log; exit 1; }
		[ $threads = 1 ] || POOL=-DPOOL
		gcc -O2 $STRICT -I. ${POOL:-} "-DMODEL=${NAME}_model" "$DRIVE" "lib$NAME.a" -o drive -lm || exit 1
		cat > forgot.c <<-C
			#include "small.h"
			int main(void)
			{
				struct small m;
				return small_prepare(&m, small_weights, NULL, NULL, -1) != AMP_ERR_ARGUMENT;
			}
		C
		gcc -O2 $STRICT -I. forgot.c "lib$NAME.a" -o forgot -lm || exit 1
	) || fail "it does not build for $threads threads"
	"$D/forgot" || fail "no memory for the weights, and no error"
	(cd "$D" && ./drive check "$W/$NAME".in*.npy) > "$W/log" || { cat "$W/log"; fail "$threads threads: a promise of the header"; }
	for isa in -1 0 1 2 3; do
		(cd "$D" && ./drive run $isa "$W/$NAME".in*.npy) || continue	# not on this CPU
		[ "$(sha "$D/out0.bin")" = "$(cat "$W/want")" ] || fail "$threads threads, variant $isa: not the bytes of run --exact"
		echo "ok: $threads threads, variant $isa"
	done
done

# the classifier finds the memory itself, and says how much
code 0 "$AMPOULE" compile "$W/small.onnx" -o "$W/app" --transform start
make -s -j2 -C "$W/app" > "$W/log" 2>&1 || { cat "$W/log"; fail "the classifier"; }
"$W/app/small" --version | grep -q ' [1-9][0-9]* prepared' || fail "--version does not say what is prepared"
code 0 "$W/app/small" "$W/small.in0.npy"
code 2 "$AMPOULE" compile "$W/small.onnx" -o "$W/x" --transform never
