#!/bin/sh
# Emitted code for 64-bit Arm under qemu. (make check-bits runs RCMNet (a) at full size there.)
set -eu
PICTURES=12
. tests/targets/lib/target.sh
target aarch64
digests "$X" "clang --target=aarch64-linux-gnu" "clang-19 --target=aarch64-linux-gnu"
classifier
libraries
readelf -h "$W/rcm/rcmnet" | grep -q AArch64 || fail "the classifier is not for aarch64"
readelf -lW "$W/rcm/rcmnet" | grep -q INTERP && fail "the classifier has a dynamic loader"
echo "ok: static, for aarch64"
