#!/usr/bin/env bash
# Times `keysweep filter clean` on a large notebook, beside `cat` and a Python that reads and writes
# the JSON; with the peak memory of each. The notebook is made up, half of it pictures.
#
#   benches/filter.sh [MEGABYTES]        # [default: 50]
#
# KEYSWEEP is the path of keysweep [default: target/release/keysweep].
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
keysweep=${KEYSWEEP:-$here/target/release/keysweep}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/make.py" <<'PY'
import base64, json, random, sys

random.seed(5)
words = "alpha beta gamma delta value frame index print 0.123 np.array model loss".split()
# The shape of a Slack token: made up, and found by its shape.
token = "xox" + "b-%d-%d-%s" % (
    random.randrange(10**11, 10**12),
    random.randrange(10**11, 10**12),
    "".join(random.choices("abcdefghkmnpqrstuvwxyzABCDEFGHKMNP23456789", k=24)),
)
cells, size = [], 0
while size < int(sys.argv[2]) * 1_000_000:
    number = len(cells)
    text = [" ".join(random.choices(words, k=12)) + "\n" for _ in range(400)]
    if sys.argv[3] == "leaks" and number % 20 == 3:
        text[77] = f"login with {token} done\n"
    rows = ["<tr><td>%s</td><td>%f</td></tr>\n" % (random.choice(words), random.random()) for _ in range(600)]
    picture = base64.b64encode(random.randbytes(120_000)).decode()
    outputs = [
        {"name": "stdout", "output_type": "stream", "text": text},
        {"data": {"text/html": rows, "image/png": picture}, "metadata": {}, "output_type": "display_data"},
    ]
    cells.append({"cell_type": "code", "execution_count": number, "metadata": {}, "outputs": outputs, "source": ["import x\n"]})
    size += len(json.dumps(cells[-1], indent=1))
json.dump({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, open(sys.argv[1], "w"), indent=1)
PY

timed() { # NAME COMMAND...: reads $notebook
  local name=$1
  shift
  /usr/bin/time -f "$kind: $name %e s, at most %M kB" "$@" <"$notebook" >"$folder/out"
}

for kind in clean leaks; do
  notebook=$folder/$kind.ipynb
  python3 "$folder/make.py" "$notebook" "${1:-50}" "$kind"
  timed cat cat
  timed python python3 -c 'import json, sys; json.dump(json.load(sys.stdin), sys.stdout, indent=1, ensure_ascii=False)'
  timed keysweep "$keysweep" filter clean notebook.ipynb
  # Nothing changes but the lines that held the token.
  changed=$(diff "$notebook" "$folder/out" | grep -c '^<' || true)
  held=$(grep -c 'login with' "$notebook" || true)
  [ "$changed" -eq "$held" ] || { echo "$kind: $changed lines changed, $held held a secret"; exit 1; }
done
