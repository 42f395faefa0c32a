#!/usr/bin/env bash
# How long the pre-receive hook takes: for pushes of one commit into a repository with many objects, and
# for one push of many commits. Needs git, awk and a built keysweep: benches/push.sh [COMMITS]
# 23500 commits make some 210,000 objects; see many_commits.sh.
set -euo pipefail
commits=${1:-23500}
keysweep=${KEYSWEEP:-$(cd "$(dirname "$0")/.." && pwd)/target/release/keysweep}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.invalid
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.invalid

hook() { # REPOSITORY: a pre-receive hook that tells its own time
  printf '[budget]\nmilliseconds = 0\n' >"$folder/policy.toml"
  cat >"$1/hooks/pre-receive" <<END
#!/usr/bin/env bash
TIMEFORMAT='hook: %3R s wall, %3U s user, %3S s system'
time '$keysweep' hook pre-receive --policy '$folder/policy.toml'
END
  chmod +x "$1/hooks/pre-receive"
}

"$(dirname "$0")/many_commits.sh" "$folder/server.git" "$commits"
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
