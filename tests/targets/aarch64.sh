#!/bin/sh
# Emitted code for 64-bit Arm under qemu, and one input of RCMNet (a) at full size.
set -eu
PICTURES=12
. tests/targets/lib/target.sh
target aarch64
digests "$X" "clang --target=aarch64-linux-gnu" "clang-19 --target=aarch64-linux-gnu"
classifier
libraries
readelf -h "$W/rcm/rcmnet" | grep -q AArch64 || fail "the classifier is not for aarch64"
readelf -lW "$W/rcm/rcmnet" | grep -q INTERP && fail "the classifier has a dynamic loader"
"$BUILD/tests/tools/make_rcmnet" "$W/full.onnx"
pixels "$W/full.in0.npy" 224
exact full > "$W/full.exact"
compiled full -O2
(cd "$D" && $RUN ./drive run -1 "$W/full.in0.npy") || fail "full-size RCMNet for $T"
same_bytes
