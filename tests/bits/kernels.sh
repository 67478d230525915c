#!/bin/sh
# The SHA-256 of each output of the models that use every kernel between them (tests/tools/make_models.c), as
# `run --exact` gives it: what tests/bits/kernels.txt holds.  make bits-record writes that file; `recorded` of
# tests/cli/lib/common.sh compares with it.
# In: AMPOULE, BUILD.  Out: NAME OUTPUT SHA-256, a line each.
set -eu
. tests/cli/lib/common.sh
echo "# model, output, SHA-256 of the output; by \`ampoule run --exact\` only (make bits-record)"
for NAME in tiny several attention functions every wide; do
	model $NAME
	exact $NAME > "$W/$NAME.exact"
	awk -v name=$NAME '{ print name, NR - 1, $1 }' "$W/$NAME.exact"
done
