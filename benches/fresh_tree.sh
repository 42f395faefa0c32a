# Sourced by the scripts that build a tree: takes the one argument of theirs as the empty folder to
# fill, `$tree`, and makes a folder to work in, `$work`, that is gone at their end.
if [ $# -ne 1 ]; then
  echo "usage: $0 DIR" >&2
  exit 2
fi
mkdir -p "$1"
tree=$(cd "$1" && pwd)
if [ -n "$(ls -A "$tree")" ]; then
  echo "$0: $tree is not empty" >&2
  exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
