#!/bin/sh
# kernel_rows.sh NAME FILE: C that instantiates a kernel file for each type on its line " * kernel NAME: types"
# and describes the instances (compiler/ir/schedule.h, struct kernel).  NAME may stand on several lines.
# A line " * parts: of what" says that several threads can share a call of the kernel.
set -eu
name=$1 file=$2
types=$(sed -n "s/^ \* kernel $name: //p" "$file" | tr '\n' ' ')
[ -n "$types" ] || { echo "$file: no line ' * kernel $name: types'" >&2; exit 1; }
splits=false
grep -q '^ \* parts: ' "$file" && splits=true
upper=$(echo "$name" | tr a-z A-Z)
num() {
	case $1 in
	f32) echo 1;; u8) echo 2;; i8) echo 3;; u16) echo 4;; i16) echo 5;; i32) echo 6;; i64) echo 7;;
	b8) echo 9;; f16) echo 10;; f64) echo 11;; u32) echo 12;; u64) echo 13;; bf16) echo 16;;
	*) echo "$file: unknown type $1" >&2; exit 1;;
	esac
}
echo "/* generated from $file */"
echo '#define AMP_KERNEL_TABLE'
for t in $types; do
	printf '#define AMP_T %s\n#include "kernels/%s.inc"\n#undef AMP_T\n' "$(num "$t")" "$name"
done
cat <<END
#define AMP_THIS struct amp_$name
static const struct field fields[] = {
	AMP_${upper}_FIELDS(AMP_D_I, AMP_D_IA, AMP_D_L, AMP_D_LA, AMP_D_F, AMP_D_D)
	{ NULL, 0, 0, 0 }
};
#define N_FIELDS (int)(sizeof fields / sizeof fields[0] - 1)
#define ROWS AMP_CAT3(kernels_${name}_, KERNEL_VARIANT, )
extern const struct kernel ROWS[];
const struct kernel ROWS[] = {
END
for t in $types; do
	printf '\t{ "%s", "%s", %s, fields, N_FIELDS, sizeof(struct amp_%s), amp_%s_%s, %s },\n' \
		"$name" "$t" "$(num "$t")" "$name" "$name" "$t" "$splits"
done
printf '\t{ NULL, NULL, 0, NULL, 0, 0, NULL, false }\n};\n'
