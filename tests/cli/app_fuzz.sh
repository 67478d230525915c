#!/bin/sh
# Damaged pictures under the address and undefined-behaviour sanitizers: seeded, at most 15 seconds.
# In: CC, BUILD.
set -eu
O=${BUILD:-build}/app_san
make -s -j2 -f tests/app/Makefile O="$O" CC="${CC:-gcc}" \
	SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" "$O/fuzz" "$O/unit" "$O/fake"
"$O/unit"
"$O/fuzz" 15 1 20000 tests/app/pictures/*
# the whole program under them too
"$O/fake" --time --csv tests/app/pictures > "$O/fake.csv" 2> "$O/fake.err" && exit 1
grep -q 'tests/app/pictures/bad_empty.png,,' "$O/fake.csv"
[ "$(wc -l < "$O/fake.csv")" = "$(($(ls tests/app/pictures | grep -vc '[.]gif$') + 1))" ]
! grep -E 'runtime error|Sanitizer' "$O/fake.err"
