#!/usr/bin/env bash
# How long the pre-receive hook takes: for pushes of one commit into a repository with many objects, and
# for one push of many commits. Needs git, awk and a built keysweep: benches/push.sh [COMMITS]
# Each commit brings two files, their folders and a tree: 23500 commits make some 210,000 objects.
set -euo pipefail
commits=${1:-23500}
keysweep=${KEYSWEEP:-$(cd "$(dirname "$0")/.." && pwd)/target/release/keysweep}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.invalid
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.invalid

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

hook() { # REPOSITORY: a pre-receive hook that tells its own time
  printf '[budget]\nmilliseconds = 0\n' >"$folder/policy.toml"
  cat >"$1/hooks/pre-receive" <<END
#!/usr/bin/env bash
TIMEFORMAT='hook: %3R s wall, %3U s user, %3S s system'
time '$keysweep' hook pre-receive --policy '$folder/policy.toml'
END
  chmod +x "$1/hooks/pre-receive"
}

git init --quiet --bare --initial-branch=main "$folder/server.git"
stream | git -C "$folder/server.git" fast-import --quiet
git clone --quiet "$folder/server.git" "$folder/copy"
echo "objects of the server: $(git -C "$folder/server.git" count-objects -v | sed -n 's/in-pack: //p')"
hook "$folder/server.git"
cd "$folder/copy"
file=$(git ls-files | sed -n 1p)
for n in 1 2 3 4 5; do
  echo "x = $n" >>"$file"
  git commit --quiet --all --message "one more"
  git push origin HEAD:main 2>&1 | sed -n 's/^remote: hook/one commit, hook/p'
done

many=$((commits < 10000 ? commits : 10000))
git init --quiet --bare --initial-branch=main "$folder/empty.git"
hook "$folder/empty.git"
tip=$(git rev-list --reverse HEAD | sed -n "${many}p")
git push "$folder/empty.git" "$tip:refs/heads/main" 2>&1 | sed -n "s/^remote: hook/$many commits, hook/p"
