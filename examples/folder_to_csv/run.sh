#!/bin/sh
# A folder of pictures to a table, and the table to a count: run.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../build_model.sh"
folder=${1:-$root/examples/pictures}
code=0
"$model/rcmnet" --csv --top 2 --min-probability 0.5 "$folder" > "$work/cells.csv" || code=$?
[ "$code" -le 1 ] || exit "$code"
cat "$work/cells.csv"
echo
# file,answer,...: file names and labels with commas are quoted; the samples have none
awk -F, 'NR > 1 { n[$2 == "" ? "not read" : $2]++; all++ }
	END { for (k in n) printf "%-22s %4d  %5.1f %%\n", k, n[k], 100 * n[k] / all }' "$work/cells.csv" | sort
[ "$code" = 0 ] || echo "some pictures could not be read: see the column \"error\""
exit "$code"
