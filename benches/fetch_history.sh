#!/usr/bin/env bash
# Builds a repository with a long history out of published npm packages: a commit a release.
#
#   benches/fetch_history.sh DIR ["NAME RELEASES" ...]
#
# Of each package so many releases are taken, spread evenly over all, oldest first. Each package has
# a folder and a branch's worth of commits of its own, one after the other. Needs npm, node, git.
set -euo pipefail

dir=${1:?usage: benches/fetch_history.sh DIR [\"NAME RELEASES\" ...]}
shift
[ $# -gt 0 ] || set -- "aws-sdk 160" "three 110" "antd 120" "firebase 80" "typescript 70" "date-fns 60" "eslint 120"

git init -q -b main "$dir"
cd "$dir"
git config gc.auto 0
git config user.name bench
git config user.email bench@example.com
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for wanted in "$@"; do
  name=${wanted% *} count=${wanted##* }
  npm view "$name" versions --json |
    node -e '
      const all = JSON.parse(require("fs").readFileSync(0)).filter(v => /^[0-9.]+$/.test(v));
      const n = Math.min(+process.argv[1], all.length);
      for (let i = 0; i < n; i++) console.log(all[Math.floor(i * all.length / n)]);' "$count" \
      >"$work/versions"
  mkdir -p "$name"
  while read -r version; do
    (cd "$work" && npm pack --silent "$name@$version" >/dev/null 2>&1) || continue
    rm -rf "$name" && mkdir -p "$name"
    tar -xzf "$work"/*.tgz -C "$name" --strip-components=1 2>/dev/null || true
    rm -f "$work"/*.tgz
    git add -A . && git commit -qm "$name $version" --allow-empty
    git tag "$name-$version"
  done <"$work/versions"
  git repack -q -d
done
git repack -q -a -d -f --threads=1
git count-objects -v
