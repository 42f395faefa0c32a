#!/usr/bin/env bash
# Times whole processes: keysweep against other scanners on one tree, or on one history.
#
#   benches/peers.sh TREE             # for TREE see benches/fetch_tree.sh
#   benches/peers.sh --history REPO   # for REPO see benches/fetch_history.sh
#
# The floor is reading alone: `cat` of all files, or git printing all objects.
#
# Settings, all from the environment:
#   KEYSWEEP  path of keysweep            (default: target/release/keysweep)
#   PEERS     folder of installed peers   (default: ${TMPDIR:-/tmp}/peers); else PATH is searched
#   RUNS      rounds                      (default: 5)
#   LIMIT     seconds; a slower tool runs in the first round only (default: 60)
#   ONLY      names of the tools to run, separated by spaces (default: all that are found)
#
# The tools take turns (A B C, A B C, ...), so that a slow minute of the machine hits all of them.
# A round before the first warms the file cache and the tools' own caches and is not counted. No
# tool may use the network or git history. Findings are counted from each tool's report, and a tool
# that fails or reports nothing readable shows `?`: a number nobody can trust is not printed.
set -euo pipefail

mode=tree
if [ "${1:-}" = --history ]; then
  mode=history
  shift
fi
tree=${1:?usage: benches/peers.sh TREE, or benches/peers.sh --history REPO}
tree=$(cd "$tree" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
peers=${PEERS:-${TMPDIR:-/tmp}/peers}
runs=${RUNS:-5}
limit=${LIMIT:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the path of a program: under the peers' folder, or on PATH.
locate() { # NAME PATH-UNDER-PEERS
  if [ -x "$peers/$2" ]; then echo "$peers/$2"; else command -v "$1" || true; fi
}

keysweep=${KEYSWEEP:-$here/target/release/keysweep}
[ -x "$keysweep" ] || keysweep=$(command -v keysweep || true)
kingfisher=$(locate kingfisher kf/kingfisher/bin/kingfisher)
gitleaks=$(locate gitleaks deb/usr/bin/gitleaks)
trufflehog=$(locate trufflehog deb/usr/bin/trufflehog)
ripsecrets=$(locate ripsecrets ripsecrets/bin/ripsecrets)
detect_secrets=$(locate detect-secrets py/bin/detect-secrets)
credsweeper=$(locate credsweeper py/bin/credsweeper)

# Runs a tool; its report goes to standard output or to $work/TOOL.report.
run_floor() { find "$tree" -type f -print0 | xargs -0 cat >/dev/null; }
run_keysweep() { "$keysweep" scan --format jsonl "$tree"; }
run_kingfisher() {
  "$kingfisher" scan --no-validate --git-history none --no-update-check --format jsonl "$tree"
}
run_gitleaks() {
  "$gitleaks" dir --no-banner --report-format json --report-path "$work/gitleaks.report" "$tree"
}
run_trufflehog() { "$trufflehog" filesystem --no-verification --no-update --json "$tree"; }
run_ripsecrets() { "$ripsecrets" "$tree"; }
run_detect_secrets() { (cd "$tree" && "$detect_secrets" scan --all-files -n .); }
run_credsweeper() {
  (cd "$work" && "$credsweeper" --path "$tree" --jobs "$(nproc)" --no-color \
    --save-json "$work/credsweeper.report")
}

# Counts findings in what a run left in $work/TOOL.out or $work/TOOL.report.
json_length() { python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))))' "$1"; }
count_floor() { echo 0; }
# A run that finds nothing prints nothing, or a summary alone.
count_keysweep() { count_lines '"rule":' "$work/keysweep.out"; }
count_kingfisher() { count_lines '^{"rule":' "$work/kingfisher.out"; }
count_trufflehog() { count_lines '"DetectorType":' "$work/trufflehog.out"; }
count_ripsecrets() { count_lines . "$work/ripsecrets.out"; }
count_gitleaks() { json_length "$work/gitleaks.report"; }
count_credsweeper() { json_length "$work/credsweeper.report"; }
count_detect_secrets() {
  python3 -c 'import json,sys
print(sum(len(v) for v in json.load(open(sys.argv[1]))["results"].values()))' \
    "$work/detect_secrets.out"
}
count_lines() { grep -c -- "$1" "$2" || [ $? -eq 1 ]; }

version_floor() { cat --version | head -n 1; }
version_keysweep() { "$keysweep" --version; }
version_kingfisher() { "$kingfisher" --version; }
# Distribution builds print no number; their package file names carry it.
version_gitleaks() { package_version gitleaks || "$gitleaks" version; }
version_trufflehog() { package_version trufflehog || "$trufflehog" --version 2>&1; }
version_ripsecrets() { "$ripsecrets" --version; }
version_detect_secrets() { "$detect_secrets" --version; }
version_credsweeper() { "$credsweeper" --version 2>/dev/null | tail -n 1; }
package_version() {
  local file
  file=$(compgen -G "$peers/$1_*.deb" | head -n 1) && basename "$file" | cut -d_ -f2
}

# Exit codes that mean the tool did its work: nothing found, or found.
fine() { # TOOL CODE
  case "$1:$2" in
    *:0 | keysweep:1 | gitleaks:1 | ripsecrets:1 | kingfisher:200 | kingfisher:205) return 0 ;;
    *) return 1 ;;
  esac
}

# The function that runs a tool; empty when the tool has none for this mode.
command_of() { # TOOL
  case $mode in
    tree) echo "run_$1" ;;
    history) declare -F "run_history_$1" || true ;;
  esac
}

# Times one run and appends `wall cpu rss` to $work/TOOL.times. GNU time sees the children of its
# command, so each tool is started through a second bash that knows the functions above.
measure() { # TOOL KEEP
  local tool=$1 code=0 wall user sys rss=- run
  run=$(command_of "$tool")
  if [ -x /usr/bin/time ]; then
    /usr/bin/time -q -o "$work/time" -f '%e %U %S %M' \
      bash -c "$run" >"$work/$tool.out" 2>"$work/$tool.err" || code=$?
    read -r wall user sys rss < <(tail -n 1 "$work/time")
  else
    local TIMEFORMAT='%R %U %S'
    { time bash -c "$run" >"$work/$tool.out" 2>"$work/$tool.err" || code=$?; } \
      2>"$work/time"
    read -r wall user sys < <(tail -n 1 "$work/time")
  fi
  if ! fine "$tool" "$code"; then
    echo "$tool: exit code $code; its last words: $(tail -n 1 "$work/$tool.err")" >&2
    touch "$work/$tool.failed"
  fi
  awk -v w="$wall" -v u="$user" -v s="$sys" -v m="$rss" \
    'BEGIN { print w, u + s, m }' >"$work/$tool.last"
  [ "$2" = keep ] && cat "$work/$tool.last" >>"$work/$tool.times"
  return 0
}

median() { # COLUMN FILE
  awk -v c="$1" '{ print $c }' "$2" | sort -g |
    awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# The median over the rounds of this tool's wall time divided by keysweep's in the same round.
ratio() { # TOOL
  [ -s "$work/keysweep.times" ] || { echo -; return; }
  paste -d' ' "$work/$1.times" "$work/keysweep.times" |
    awk 'NF == 6 && $4 > 0 { printf "%.2f\n", $1 / $4 }' >"$work/ratios"
  if [ -s "$work/ratios" ]; then median 1 "$work/ratios"; else echo -; fi
}

run_history_floor() { git -C "$tree" cat-file --batch-all-objects --batch --unordered >/dev/null; }
run_history_keysweep() { "$keysweep" history --format jsonl "$tree"; }
run_history_kingfisher() {
  "$kingfisher" scan --no-validate --git-history full --no-update-check --format jsonl "$tree"
}
run_history_gitleaks() {
  "$gitleaks" git --no-banner --report-format json --report-path "$work/gitleaks.report" "$tree"
}
run_history_trufflehog() {
  "$trufflehog" git --no-verification --no-update --json "file://$tree"
}

export mode tree work keysweep kingfisher gitleaks trufflehog ripsecrets detect_secrets credsweeper
tools=()
for tool in floor keysweep kingfisher gitleaks trufflehog ripsecrets detect_secrets credsweeper; do
  case " ${ONLY:-$tool} " in *" $tool "*) ;; *) continue ;; esac
  if [ "$tool" != floor ] && [ -z "${!tool}" ]; then
    echo "$tool: not found, left out" >&2
    continue
  fi
  run=$(command_of "$tool")
  [ -n "$run" ] || continue
  export -f "${run?}"
  tools+=("$tool")
done

# The round that is not counted, unless it shows that a tool is too slow to be run again.
declare -A once=()
for tool in "${tools[@]}"; do
  measure "$tool" drop
  read -r wall _ <"$work/$tool.last"
  if awk -v w="$wall" -v l="$limit" 'BEGIN { exit !(w > l) }'; then
    once[$tool]=1
    cp "$work/$tool.last" "$work/$tool.times"
  fi
done
for ((round = 1; round <= runs; round++)); do
  for tool in "${tools[@]}"; do
    [ -n "${once[$tool]:-}" ] || measure "$tool" keep
  done
done

if [ "$mode" = history ]; then
  git -C "$tree" count-objects -v | awk '{ v[$1] = $2 }
    END { printf "%d objects, %.1f MB packed; ", v["in-pack:"] + v["count:"], v["size-pack:"] * 1.024 / 1e3 }'
else
  find "$tree" -type f -printf '%s\n' | awk '{ b += $1 } END { printf "%d files, %.1f MB; ", NR, b / 1e6 }'
fi
echo "$runs rounds, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?') at the end"
row='%-15s %9s %9s %8s %10s %9s %5s  %s\n'
# shellcheck disable=SC2059
printf "$row" tool wall,s cpu,s rss,MB findings x/keysweep runs version
for tool in "${tools[@]}"; do
  findings='?'
  [ -e "$work/$tool.failed" ] || findings=$("count_$tool" 2>/dev/null) || findings='?'
  # shellcheck disable=SC2059
  printf "$row" "$tool" "$(median 1 "$work/$tool.times")" "$(median 2 "$work/$tool.times")" \
    "$(median 3 "$work/$tool.times" | awk '{ print $1 == "-" ? "-" : int($1 / 1024) }')" \
    "$findings" "$(ratio "$tool")" "$(wc -l <"$work/$tool.times")" \
    "$("version_$tool" 2>/dev/null | head -n 1 || true)"
done
