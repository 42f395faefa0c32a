#!/usr/bin/env bash
# Makes a history of notebooks that are worked on.
#
#   benches/edited_notebooks.sh FROM TO [COMMITS]
#
# FROM is a checked-out repository with notebooks, such as benches/fetch_history.sh builds of
# "pypi:segregation 60" "pypi:giddy 60" "pypi:climpred 60" "pypi:gpytorch 60" "pypi:botorch 60"
# "pypi:momepy 60" "pypi:yellowbrick 60" "pypi:iminuit 60". Each of COMMITS commits (default: 1000)
# changes three of them: a line comes into a cell, its printed output is another, and a fifth of the cells
# that were run have been run again. The same FROM gives the same history. Needs node and git.
set -euo pipefail

from=${1:?usage: benches/edited_notebooks.sh FROM TO [COMMITS]}
to=${2:?usage: benches/edited_notebooks.sh FROM TO [COMMITS]}
commits=${3:-1000}

git init -q --bare -b main "$to"
node -e '
  const fs = require("fs"), path = require("path");
  const [from, commits] = process.argv.slice(1);
  const LARGEST = 3_000_000;
  let seed = 7;
  const below = n => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n;
  const one = list => list[below(list.length)];
  const read = file => {
    try {
      return JSON.parse(fs.readFileSync(file));
    } catch {
      return {};
    }
  };
  const files = fs.readdirSync(from, { recursive: true }).filter(name => name.endsWith(".ipynb")).sort();
  const full = files.map(name => path.join(from, name)).filter(file => fs.statSync(file).size < LARGEST);
  const books = full.map(read).filter(book => Array.isArray(book.cells) && book.cells.length > 0);

  const say = bytes => fs.writeSync(1, bytes);
  const commit = (number, changed) => {
    const words = `edit ${number}\n`;
    const time = 1500000000 + number * 60;
    say(`commit refs/heads/main\ncommitter A <a@example.org> ${time} +0000\n`);
    say(`data ${words.length}\n${words}`);
    for (const at of changed) {
      const bytes = Buffer.from(JSON.stringify(books[at], null, 1) + "\n");
      say(`M 100644 inline n${at}.ipynb\ndata ${bytes.length}\n`);
      for (let sent = 0; sent < bytes.length; ) sent += fs.writeSync(1, bytes, sent);
      say("\n");
    }
  };
  const edit = book => {
    const cell = one(book.cells);
    const source = [].concat(cell.source ?? []);
    source.splice(below(source.length + 1), 0, `column_${below(999)} = frame.merge(${below(9999) / 1e4})\n`);
    cell.source = source;
    const printed = (cell.outputs ?? []).filter(output => output.output_type === "stream");
    for (const output of printed) {
      output.text = Array.from({ length: 20 }, () => `epoch ${below(1e9) / 1e9}\n`);
    }
    const run = book.cells.filter(cell => cell.execution_count);
    for (const cell of run.filter(() => below(5) === 0)) cell.execution_count += 1;
  };
  commit(0, books.keys());
  for (let number = 1; number <= +commits; number++) {
    const changed = new Set([below(books.length), below(books.length), below(books.length)]);
    for (const at of changed) edit(books[at]);
    commit(number, changed);
  }' "$from" "$commits" |
  git -C "$to" fast-import --quiet
git -C "$to" repack -q -a -d -f
git -C "$to" count-objects -v
