#!/bin/sh
# Emitted code for WebAssembly, run by node: 32-bit pointers, SIMD128, fma in software.
set -eu
. tests/targets/lib/target.sh
target wasm32 "node --no-warnings $PWD/tests/targets/lib/wasi.mjs"
digests "$X"
digest "plain C -O2" $X -O2
# Debian's libc for it has no setjmp, so no PNG and JPEG: one picture of another kind, and the bytes
PICTURES=0
classifier
$RUN "$P" --csv --top 1 tests/app/pictures/bmp_rgb.bmp > "$W/rows.csv" || fail "the classifier under node"
"$AMPOULE" compile $M/rcmnet_small.onnx -o "$W/here" --name rcmnet --labels $M/config.json \
	--preprocess $M/preprocessor_config.json --target native > /dev/null
make -s -j2 -C "$W/here" CC="$CC" DECODERS=0 || fail "the native classifier"
"$W/here/rcmnet" --csv --top 1 tests/app/pictures/bmp_rgb.bmp | cmp - "$W/rows.csv" || fail "another answer than the native one"
echo "ok: classifier, wasm32, a picture as natively"
echo "not run: wasm32, PNG, JPEG and TIFF (wasi-libc has no setjmp), threads"
libraries
llvm-objdump-19 -d "$W/rcm/rcmnet_model_simd128.o" > "$W/asm"
grep -q 'f64x2.mul' "$W/asm" || fail "no vectors"
grep -q 'relaxed' "$W/asm" && fail "relaxed instructions"
code 2 "$AMPOULE" compile $M/rcmnet_small.onnx -o "$W/x" --target wasm32 --threads 2
has "$W/err" "wasm32 has no threads"
