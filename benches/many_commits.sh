#!/usr/bin/env bash
# Makes a bare repository of many small commits out of nothing: benches/many_commits.sh DIR [COMMITS]
# Each brings two files, their folders and a tree: 23500 commits make some 210,000 objects. Every run
# makes the same ones. Needs git and awk.
set -euo pipefail
dir=${1:?usage: benches/many_commits.sh DIR [COMMITS]}
commits=${2:-23500}
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

stream() { # a history as `git fast-import` reads it
  awk -v commits="$commits" 'BEGIN {
    srand(1)
    print "feature done"
    for (c = 1; c <= commits; c++) {
      message = "commit " c
      change = ""
      for (k = 0; k < 2; k++) {
        file = int(rand() * 4000)
        body = "value_" c " = " int(rand() * 1000000000)
        for (line = 0; line < 20; line++) body = body "\ndef f" file "(x): return x * " c
        printf "blob\nmark :%d\ndata %d\n%s\n", ++mark, length(body), body
        change = change sprintf("M 100644 :%d src/d%d/s%d/f%d.py\n", mark, file / 100, file % 10, file)
      }
      printf "commit refs/heads/main\nmark :%d\ncommitter a <a@example.invalid> %d +0000\n", ++mark, 1600000000 + c * 60
      printf "data %d\n%s\n", length(message), message
      if (parent) printf "from :%d\n", parent
      parent = mark
      printf "%s\n", change
    }
    print "done"
  }'
}

git init --quiet --bare --initial-branch=main "$dir"
stream | git -C "$dir" fast-import --quiet
git -C "$dir" repack -q -a -d -f
