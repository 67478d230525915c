#!/bin/sh
# The examples that use a compiled model: each builds, runs, and compares with the classifier by itself.
# In: AMPOULE, CC, BUILD.
set -eu
export BUILD="${BUILD:-$(pwd)/build}"
for e in c_program cpp_program python_ctypes folder_to_csv; do
	echo "== $e"
	sh "examples/$e/run.sh"
done
# examples/python_ctypes mirrors two structs of ampoule_rt.h: the fields lie where the C compiler puts them
d=$BUILD/examples/mirror
mkdir -p "$d"
PYTHONPATH=examples/python_ctypes PYTHONDONTWRITEBYTECODE=1 python3 - > "$d/mirror.c" <<'END'
import ctypes
from ampoule_model import Description, Io
print('#include "ampoule_rt.h"\n#include <stddef.h>')
for name, mirror in ("amp_model", Description), ("amp_io", Io):
    print('_Static_assert(sizeof(struct %s) == %d, "size");' % (name, ctypes.sizeof(mirror)))
    for field, _ in mirror._fields_:
        print('_Static_assert(offsetof(struct %s, %s) == %d, "%s");' % (
            name, {"inputs": "in", "outputs": "out"}.get(field, field), getattr(mirror, field).offset, field))
END
${CC:-gcc} -std=c11 -Iinclude -fsyntax-only "$d/mirror.c"
echo "ok: $(grep -c _Static_assert "$d/mirror.c") offsets and sizes of python_ctypes"
# the samples are what their names say, all of them: the committed network knows them
awk -F, 'NR > 1 { split($1, a, "/"); name = a[length(a)]; sub(/^[0-9]*_/, "", name); sub(/[.].*/, "", name);
	gsub(/_/, " ", name); n++; good += name == $3 }
	END { print good " of " n " samples named right"; exit good < n - 1 || n < 12 }' \
	"$BUILD/examples/folder_to_csv/cells.csv"
