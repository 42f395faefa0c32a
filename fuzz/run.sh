#!/usr/bin/env bash
# Fuzzes one target with a stable toolchain: fuzz/run.sh TARGET [SECONDS [LIBFUZZER_OPTION]...]
#
# cargo-fuzz wants nightly for the address sanitizer, and this crate forbids unsafe code, so there
# is little for that sanitizer to find. Coverage, which is what guides the fuzzer, comes from flags
# that stable knows. Needs a C++ compiler for libFuzzer. With the sanitizer: `cargo fuzz run TARGET`,
# on nightly, or on stable with RUSTC_BOOTSTRAP=1.
set -euo pipefail
cd "$(dirname "$0")"
target=${1:?usage: fuzz/run.sh TARGET [SECONDS]}
seconds=${2:-60}
host=$(rustc -vV | sed -n 's/^host: //p')

coverage=(
  --cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)
# With a target named, the flags reach the program only and not the build scripts.
RUSTFLAGS="${coverage[*]}" cargo build --release --target "$host" --bin "$target"
mkdir -p "corpus/$target" "artifacts/$target"
[ -d "seeds/$target" ] || ./seeds.sh
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "corpus/$target" "seeds/$target" \
  -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
  -max_len=16384 "${@:3}"
