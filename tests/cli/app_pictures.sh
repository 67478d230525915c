#!/bin/sh
# The decoders against Pillow (tests/app/pillow.txt), and the small parts of the classifier's program.
# In: CC, BUILD.  Needs no compiler of models.
set -eu
O=${BUILD:-build}/app
make -s -j2 -f tests/app/Makefile O="$O" CC="${CC:-gcc}" "$O/pixels" "$O/unit"
"$O/unit"
"$O/pixels" tests/app/pictures/* > "$O/seen.txt"
grep -v '^bad_' "$O/seen.txt" > "$O/good.txt"
diff tests/app/pillow.txt "$O/good.txt" || { echo "pixels differ from Pillow's"; exit 1; }
# every damaged picture is refused with a reason
bad=$(ls tests/app/pictures | grep -c '^bad_')
[ "$(grep -c '^bad_[^ ]* error [a-zA-Z0-9]' "$O/seen.txt")" = "$bad" ] || { grep '^bad_' "$O/seen.txt"; exit 1; }
echo "$(wc -l < "$O/good.txt") pictures as Pillow has them, $bad refused"
