#!/usr/bin/env bash
# Makes of a history of releases one of many small commits, as people make them.
#
#   benches/small_commits.sh FROM TO [FILES]
#
# FROM is a repository, such as benches/fetch_history.sh builds. In TO the first of its commits is
# committed as it is; what each later one changes comes in commits of FILES files (default: 3), in the
# order of their paths. Needs node and git.
set -euo pipefail

from=${1:?usage: benches/small_commits.sh FROM TO [FILES]}
to=${2:?usage: benches/small_commits.sh FROM TO [FILES]}
files=${3:-3}

git init -q --bare -b main "$to"
objects=$(cd "$from" && realpath "$(git rev-parse --git-path objects)")
echo "$objects" >"$to/objects/info/alternates"
node -e '
  const { execFileSync } = require("child_process");
  const [from, files] = process.argv.slice(1);
  const git = (...args) =>
    execFileSync("git", ["-C", from, ...args], { encoding: "latin1", maxBuffer: 1 << 30 });
  const say = text => require("fs").writeSync(1, Buffer.from(text, "latin1"));
  const quoted = path => `"${path.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
  // The tree of nothing.
  let before = git("hash-object", "-t", "tree", "/dev/null").trim();
  let commits = 0;
  for (const commit of git("rev-list", "--reverse", "--topo-order", "main").trim().split("\n")) {
    const fields = git("diff-tree", "-r", "-z", "--no-renames", before, commit).split("\0");
    before = commit;
    const changes = [];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [, mode, , id, kind] = fields[at].split(" ");
      const path = quoted(fields[at + 1]);
      changes.push(kind === "D" ? `D ${path}\n` : `M ${mode} ${id} ${path}\n`);
    }
    const each = commits === 0 ? changes.length : +files;
    for (let at = 0; at < changes.length; at += each) {
      commits += 1;
      const head = `commit refs/heads/main\ncommitter A <a@example.org> ${1500000000 + commits * 60} +0000\n`;
      const words = `change ${commits}\n`;
      say(`${head}data ${words.length}\n${words}${changes.slice(at, at + each).join("")}`);
    }
  }' "$from" "$files" |
  git -C "$to" fast-import --quiet
git -C "$to" repack -q -a -d -f
rm "$to/objects/info/alternates"
git -C "$to" count-objects -v
