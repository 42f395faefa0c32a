#!/usr/bin/env bash
# Builds a repository with a long history out of published packages: a commit a release.
#
#   benches/fetch_history.sh DIR ["NAME RELEASES" ...]
#
# NAME is a package of npm, `pypi:NAME` one of PyPI (its source archives), `crate:NAME` one of crates.io.
# Of each package so many releases are taken, spread evenly over all, oldest first. Each package has
# a folder and a branch's worth of commits of its own, one after the other. Needs node, curl, git, and
# npm for its packages.
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

# The releases of a package as a list of { version, url } in JSON.
listed() { # NAME
  case $1 in
  pypi:*)
    curl -fsSL -H "Accept: application/vnd.pypi.simple.v1+json" "https://pypi.org/simple/${1#pypi:}/" |
      node -e '
        const { files } = JSON.parse(require("fs").readFileSync(0));
        const sources = files.filter(file => /\.tar\.gz$/.test(file.filename));
        const version = name => name.slice(name.lastIndexOf("-") + 1, -".tar.gz".length);
        console.log(JSON.stringify(sources.map(file => ({ version: version(file.filename), url: file.url }))));'
    ;;
  crate:*)
    local name=${1#crate:} folder
    case ${#name} in
    1 | 2) folder=${#name} ;;
    3) folder=3/${name:0:1} ;;
    *) folder=${name:0:2}/${name:2:2} ;;
    esac
    curl -fsSL -H "User-Agent: benches" "https://index.crates.io/$folder/$name" |
      node -e '
        const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").map(line => JSON.parse(line));
        const url = ({ name, vers }) => `https://static.crates.io/crates/${name}/${name}-${vers}.crate`;
        console.log(JSON.stringify(lines.map(line => ({ version: line.vers, url: url(line) }))));'
    ;;
  *)
    npm view "$1@>=0" version dist.tarball --json | node -e '
      const all = JSON.parse(require("fs").readFileSync(0));
      console.log(JSON.stringify(all.map(one => ({ version: one.version, url: one["dist.tarball"] }))));'
    ;;
  esac
}

# Lines `VERSION URL` of so many releases of a package.
releases() { # NAME COUNT
  listed "$1" | node -e '
    const all = JSON.parse(require("fs").readFileSync(0))
      .filter(release => /^[0-9.]+$/.test(release.version));
    const order = (a, b) => a.version.localeCompare(b.version, "en", { numeric: true });
    all.sort(order);
    const n = Math.min(+process.argv[1], all.length);
    for (let i = 0; i < n; i++) {
      const release = all[Math.floor(i * all.length / n)];
      console.log(release.version, release.url);
    }' "$2"
}

for wanted in "$@"; do
  package=${wanted% *} count=${wanted##* }
  releases "$package" "$count" >"$work/releases"
  name=${package#*:}
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
