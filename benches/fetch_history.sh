#!/usr/bin/env bash
# Builds a repository with a long history out of published npm packages: a commit a release.
#
#   benches/fetch_history.sh DIR ["NAME RELEASES" ...]
#
# Of each package so many releases are taken, spread evenly over all, oldest first. Each package has
# a folder and a branch's worth of commits of its own, one after the other. Needs npm, node, curl, git.
set -euo pipefail

dir=${1:?usage: benches/fetch_history.sh DIR [\"NAME RELEASES\" ...]}
shift
[ $# -gt 0 ] || set -- "aws-sdk 160" "three 110" "antd 120" "firebase 80" "typescript 70" "date-fns 60" "eslint 120"

git init -q -b main "$dir"
cd "$dir"
git config gc.auto 0
git config core.fsync none
git config core.safecrlf false
git config user.name bench
git config user.email bench@example.com
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Lines `VERSION TARBALL` of so many releases of a package.
releases() { # NAME COUNT
  npm view "$1@>=0" version dist.tarball --json | node -e '
    const all = JSON.parse(require("fs").readFileSync(0))
      .filter(release => /^[0-9.]+$/.test(release.version));
    const order = (a, b) => a.version.localeCompare(b.version, "en", { numeric: true });
    all.sort(order);
    const n = Math.min(+process.argv[1], all.length);
    for (let i = 0; i < n; i++) {
      const release = all[Math.floor(i * all.length / n)];
      console.log(release.version, release["dist.tarball"]);
    }' "$2"
}

for wanted in "$@"; do
  name=${wanted% *} count=${wanted##* }
  releases "$name" "$count" >"$work/releases"
  # A release that cannot be had is left out; the counts at the end say what there is.
  awk -v to="$work" '{ print "url = \"" $2 "\"\noutput = \"" to "/" $1 ".tgz\"" }' "$work/releases" |
    curl -fsSL --no-progress-meter --retry 3 --parallel --parallel-max 8 -K - || true
  mkdir -p "$name"
  while read -r version _; do
    [ -s "$work/$version.tgz" ] || continue
    rm -rf "$name" && mkdir -p "$name"
    tar -xzf "$work/$version.tgz" -C "$name" --strip-components=1 2>/dev/null || true
    git add -A . && git commit -qm "$name $version" --allow-empty
    git tag "$name-$version"
  done <"$work/releases"
  rm -f "$work"/*.tgz
  git repack -q -d
done
git repack -q -a -d
git count-objects -v
