#!/bin/sh
# Emitted code for IBM Z, the big-endian machine, under qemu: weights and tensors in the other byte order, the same
# files.  The wrong byte order is refused.
#
# clang 19 is not asked: it multiplies two floats into a double by MDEBR, which qemu before 8.2 computes wrongly.
set -eu
. tests/targets/lib/target.sh
target s390x
digests "$X"
echo "not run: primitives, s390x, clang (its MDEBR is wrong in qemu before 8.2)"
classifier
libraries
code 0 "$AMPOULE" compile "$W/tiny.onnx" -o "$W/little" --library --target riscv64
make -s -C "$W/little" CC=$X CFLAGS="-O2 -fexcess-precision=fast" > "$W/log" 2>&1 && fail "little-endian weights on s390x"
has "$W/log" "these weights are little-endian"
code 0 "$AMPOULE" compile "$W/tiny.onnx" -o "$W/big" --library --target s390x
$X -std=c11 -O2 -ffreestanding -I"$W/big" -DAMP_VARIANT=x -c -o "$W/x.o" "$W/big/tiny_model.c" > "$W/log" 2>&1 &&
	fail "float computed as double on s390x"
has "$W/log" "fexcess-precision=fast"
echo "ok: the wrong byte order and excess precision are refused"
