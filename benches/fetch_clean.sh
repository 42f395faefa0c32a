#!/usr/bin/env bash
# Builds a tree of code in which hardly a secret should be found: benches/fetch_clean.sh DIR
#
# The 200 crates of benches/clean/crates.txt and the 200 packages of benches/clean/pypi.txt (wheels)
# at those versions, through cargo and pip; the library of the python3 that is in the path; and the
# sources of the Rust library, from the toolchain's component rust-src or from Debian's package of
# that name. Nothing of it is run or compiled. Binary files are removed.
# Needs python3 with pip, cargo, unzip; about 4 GB of room while it works.
set -euo pipefail

lists=$(cd "$(dirname "$0")/clean" && pwd)
source "$(dirname "$0")/fresh_tree.sh"
mkdir -p "$tree"/{crates,pypi,python,rust} "$work/crates/src"

: >"$work/crates/src/lib.rs"
{
  printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n'
  sed 's/^\([^=]*\)=\(.*\)$/\1 = "=\2"/' "$lists/crates.txt"
} >"$work/crates/Cargo.toml"
(cd "$work/crates" && cargo vendor -q --versioned-dirs vendor >/dev/null)
while IFS='=' read -r name version; do
  mv "$work/crates/vendor/$name-$version" "$tree/crates/"
done <"$lists/crates.txt"

python3 -m pip download -q --no-deps --only-binary :all: -d "$work/wheel" -r "$lists/pypi.txt"
for wheel in "$work"/wheel/*.whl; do
  unzip -qo "$wheel" -d "$tree/pypi/$(basename "$wheel" | cut -d- -f1,2)"
done

library=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["stdlib"])')
mkdir "$tree/python/lib"
(cd "$library" && tar c --exclude=site-packages --exclude=__pycache__ .) | tar x -C "$tree/python/lib"

sources=$(rustc --print sysroot)/lib/rustlib/src/rust/library
if [ -d "$sources" ]; then
  cp -r "$sources" "$tree/rust/"
else
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download rust-src && dpkg-deb -x rust-src_*.deb rust)
  cp -r "$work"/rust/usr/src/rustc-*/library "$tree/rust/"
fi

{ grep -rILZ '' "$tree" || true; } | xargs -0 -r rm -f
find "$tree" -type l -delete
for part in crates pypi python rust; do
  find "$tree/$part" -type f -print0 | xargs -0 cat | wc -l | sed "s/\$/ lines of $part/"
done
