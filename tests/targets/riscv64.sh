#!/bin/sh
# Emitted code for 64-bit RISC-V, plain C with hardware fma, under qemu.
set -eu
. tests/targets/lib/target.sh
target riscv64
digests "$X" "clang --target=riscv64-linux-gnu -march=rv64gc" "clang-19 --target=riscv64-linux-gnu -march=rv64gc"
classifier
libraries
