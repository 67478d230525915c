#!/bin/sh
# embed.sh OUT FILE...: OUT.c and OUT.S hold the files' bytes (assembler .incbin) and a table of their names.
set -eu
out=$1; shift
: > "$out.inc.tmp"
{
	echo '#include "core/runtime_text.h"'
	i=0
	for f in "$@"; do
		printf '__asm__(".section .rodata\\n\\t.balign 16\\nruntime_text_%d:\\n\\t.incbin \\"%s\\"\\nruntime_text_%d_end:\\n\\t.byte 0\\n\\t.previous\\n");\n' $i "$f" $i
		printf 'extern const char runtime_text_%d[], runtime_text_%d_end[];\n' $i $i
		i=$((i + 1))
	done
	echo 'const struct runtime_file runtime_files[] = {'
	i=0
	for f in "$@"; do
		printf '\t{ "%s", runtime_text_%d, runtime_text_%d_end },\n' "$f" $i $i
		i=$((i + 1))
	done
	printf '\t{ 0, 0, 0 }\n};\n'
} > "$out.c.tmp"
rm -f "$out.inc.tmp"
mv "$out.c.tmp" "$out.c"
