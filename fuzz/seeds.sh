#!/usr/bin/env bash
# Makes small inputs for the fuzzer to start from, in seeds/TARGET/. None holds a secret: the demo's
# templates have the shapes, with markers where values go.
set -euo pipefail
cd "$(dirname "$0")"
demo=../fixtures/demo
rm -rf seeds
mkdir -p seeds/{sniff,json,notebook,nested,rules,pipeline,custom_rules,delta}

sniff() { iconv -f UTF-8 -t "$1" >"seeds/sniff/$1"; }
for coding in UTF-16LE UTF-16BE UTF-32LE UTF-32BE UTF-8; do
  printf '\357\273\277key = "value \342\202\254"\r\n' | sniff "$coding"
done
printf 'GIF89a\0\1\2' >seeds/sniff/binary

printf 'plain' >seeds/json/plain
printf '\\"\\\\\\/\\b\\f\\n\\r\\t' >seeds/json/escapes
printf '\\u003d\\ud83d\\ude00\\u00e9' >seeds/json/unicode
printf 'caf\303\251' >seeds/json/raw

cp "$demo"/tree/notebooks/*.ipynb seeds/notebook/
printf '{"worksheets":[{"cells":[{"cell_type":"code","input":["a = 1"],"outputs":[{"output_type":"pyout","text":["1"]}]}]}],"nbformat":3}' \
  >seeds/notebook/v3.ipynb
head -c 2000 "$demo/tree/notebooks/train.ipynb" >seeds/notebook/cut.ipynb

# The first byte chooses the name: see NAMES in the targets.
with() { { printf "\\$(printf %o "$2")"; cat; } >"seeds/$1/$3"; }
for file in "$demo"/tree/notebooks/*.ipynb; do
  with nested 0 "$(basename "$file")" <"$file"
  with rules 0 "$(basename "$file")" <"$file"
done
printf 'a = "%%41%%42" "b" + \\\n "c"; x = b64decode("aGVsbG8gd29ybGQsIGhlbGxvIQ==")' |
  with nested 1 escapes
printf '<a href="?a=1&amp;b=2&#x3d;">\\u0026</a>' | with nested 3 html
printf 'x \033[0;31mred\033[0m y' | with nested 8 ansi
for file in "$demo"/tree/src/*.py; do with rules 1 "$(basename "$file")" <"$file"; done
with rules 2 appsettings <"$demo/tree/appsettings.json"
with rules 3 pipelines <"$demo/tree/azure-pipelines.yml"
with rules 4 env <"$demo/tree/.env"
with rules 5 terraform <"$demo/tree/infra/main.tf"

# The name's length, the name, the content.
named() { { printf "\\$(printf %o "${#1}")%s" "$1"; cat; } >"seeds/pipeline/$2"; }
for file in "$demo"/tree/notebooks/*.ipynb; do
  named a.ipynb "$(basename "$file")" <"$file"
  iconv -f UTF-8 -t UTF-16LE "$file" | named a.ipynb "$(basename "$file").utf16"
done
head -c 2000 "$demo/tree/notebooks/train.ipynb" | named a.ipynb cut
named main.tf terraform <"$demo/tree/infra/main.tf"
named .env env <"$demo/tree/.env"

for provider in azure-cosmos generic stripe; do
  cp "../patterns/$provider.toml" "seeds/custom_rules/$provider.toml"
done

# How many bytes of instructions, the instructions, the base: see the target. Both copy all but a
# stretch in the middle, into which one writes.
{ printf '\005\000\220\200\221\201\100'; cat "$demo/tree/.env"; } >seeds/delta/cut
{ printf '\012\000\220\100\004x = \221\100\200'; cat "$demo"/tree/src/*.py; } >seeds/delta/written
