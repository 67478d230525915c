#!/bin/sh
# Builds cell.c with the compiled model and runs it; the classifier must give the same logits.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../build_model.sh"
"$CC" -std=c11 -O2 -Wall -Wextra -Werror -I"$model" "$here/cell.c" "$model/librcmnet.a" -lm -o "$work/cell"
"$work/cell" "$work/cell.npy" | tee "$work/cell.txt"
program=$(awk '{ printf " %s", $NF }' "$work/cell.txt")
classifier=$("$model/rcmnet" --raw "$work/cell.npy")
[ "$work/cell.npy:$program" = "$classifier" ] || { echo "the classifier says: $classifier"; exit 1; }
echo "the classifier gives the same logits, digit by digit"
