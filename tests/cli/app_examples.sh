#!/bin/sh
# The examples that use a compiled model: each builds, runs, and compares with the classifier by itself.
# In: AMPOULE, CC, BUILD.
set -eu
export BUILD="${BUILD:-$(pwd)/build}"
for e in c_program cpp_program python_ctypes folder_to_csv; do
	echo "== $e"
	sh "examples/$e/run.sh"
done
# the samples are what their names say, all of them: the committed network knows them
awk -F, 'NR > 1 { split($1, a, "/"); name = a[length(a)]; sub(/^[0-9]*_/, "", name); sub(/[.].*/, "", name);
	gsub(/_/, " ", name); n++; good += name == $3 }
	END { print good " of " n " samples named right"; exit good < n - 1 || n < 12 }' \
	"$BUILD/examples/folder_to_csv/cells.csv"
