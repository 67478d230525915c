#!/bin/sh
# Calls the compiled model from Python; the classifier must give the same logits.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../build_model.sh"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/classify.py" "$model/librcmnet.so" "$work/noise.npy" | tee "$work/noise.txt"
program=$(awk '/ logit / { printf " %s", $NF }' "$work/noise.txt")
classifier=$("$model/rcmnet" --raw "$work/noise.npy")
[ "$work/noise.npy:$program" = "$classifier" ] || { echo "the classifier says: $classifier"; exit 1; }
echo "the classifier gives the same logits, digit by digit"
