#!/usr/bin/env bash
# Builds a tree of real code and notebooks to time scanners on: benches/fetch_tree.sh DIR
#
# Everything comes from the package registries through their own clients (pip, cargo, npm), each
# package at one version, so that two machines get the same tree. Nothing of it is run or compiled,
# except that pip asks the build backend of a source package for its metadata. Binary files are
# removed: scanners skip them anyway, each by its own rule, which would blur the comparison.
# Needs python3 with pip, cargo, node with npm, unzip; about 700 MB of room while it works.
set -euo pipefail

source "$(dirname "$0")/fresh_tree.sh"

# Source packages that ship notebooks with their outputs.
notebooks=(
  segregation==2.5.1 giddy==2.3.6 climpred==2.4.0 iminuit==2.30.1 gpytorch==1.11
  yellowbrick==1.5 botorch==0.11.3 momepy==0.8.1
)
# Wheels: one with hundreds of small notebooks, the rest Python code.
wheels=(
  holoviews==1.19.1 azure-identity==1.19.0
  azure-storage-blob==12.23.1 Django==5.1.2 sympy==1.13.3 transformers==4.45.2
)
crates=(
  tokio=1.40.0 syn=2.0.79 clap_builder=4.5.20 regex-automata=0.4.8 serde_json=1.0.128
  libgit2-sys=0.17.0+1.8.1 libsqlite3-sys=0.30.1 zstd-sys=2.0.13+zstd.1.5.6
)
npm=(typescript@5.6.3 lodash@4.17.21 three@0.169.0 @azure/arm-compute@22.1.0)

fetch_python() {
  local name
  for name in "${notebooks[@]}"; do
    python3 -m pip download -q --no-deps --no-binary "${name%%==*}" -d "$work/sdist" "$name"
  done
  python3 -m pip download -q --no-deps --only-binary :all: -d "$work/wheel" "${wheels[@]}"
  mkdir -p "$tree/python"
  for name in "$work"/sdist/*.tar.gz; do tar xzf "$name" -C "$tree/python"; done
  for name in "$work"/wheel/*.whl; do
    unzip -qo "$name" -d "$tree/python/$(basename "$name" | cut -d- -f1,2)"
  done
}

# `cargo vendor` also brings what the crates depend on, at whatever versions are current: dropped.
fetch_crates() {
  local crate
  mkdir -p "$work/crates/src"
  : >"$work/crates/src/lib.rs"
  {
    printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n'
    for crate in "${crates[@]}"; do printf '%s = "=%s"\n' "${crate%%=*}" "${crate#*=}"; done
  } >"$work/crates/Cargo.toml"
  (cd "$work/crates" && cargo vendor -q --versioned-dirs vendor >/dev/null)
  mkdir -p "$tree/crates"
  for crate in "${crates[@]}"; do
    mv "$work/crates/vendor/${crate%%=*}-${crate#*=}" "$tree/crates/"
  done
}

fetch_npm() {
  local file
  mkdir -p "$work/npm" "$tree/npm"
  (cd "$work/npm" && npm pack --silent "${npm[@]}" >/dev/null)
  for file in "$work"/npm/*.tgz; do
    mkdir "$tree/npm/$(basename "$file" .tgz)"
    tar xzf "$file" -C "$tree/npm/$(basename "$file" .tgz)"
  done
}

fetch_python
fetch_crates
fetch_npm
{ grep -rILZ '' "$tree" || true; } | xargs -0 -r rm -f
find "$tree" -type l -delete

# What came out, for the record.
find "$tree" -type f -printf '%s %f\n' | awk '
  { bytes += $1; n++; e = $2; if (!sub(/.*\./, "", e)) e = "(none)"; size[e] += $1; count[e]++ }
  END {
    printf "%d files, %.1f MB; notebooks: %d files, %.1f MB (%.0f %% of the bytes)\n",
      n, bytes / 1e6, count["ipynb"], size["ipynb"] / 1e6, 100 * size["ipynb"] / bytes
    for (e in size) if (size[e] > bytes / 200)
      printf "  %-8s %6d files %8.1f MB\n", e, count[e], size[e] / 1e6 | "sort -k4 -rn"
  }'
