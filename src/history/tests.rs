//! The sweep through deltas against the naive one, on repositories made at random.
//!
//! `KEYSWEEP_REPOS=1000 cargo test --lib history::tests` compares so many of each style, from
//! `KEYSWEEP_SEED` on.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use fastrand::Rng;
use zlib_rs::Inflate;

use super::changes::{Changes, tests::encode};
use super::secrets::{Secrets, without_twins};
use super::seen::Seen;
use super::texts::{Holder, Texts};
use super::walk::{LazyId, Visit, Walk};
use super::*;
use crate::git::delta::Step;
use crate::git::forest::Base;
use crate::git::pack::Inflater;
use crate::pipeline::Options;
use crate::rules::RuleRef;
use crate::rules::template::Generator;
use crate::sniff::tests::spell;
use crate::sniff::{self, Encoding};
use crate::source::stream::Sizes;

/// Repositories compared in an ordinary test run.
const FEW: u64 = 40;
/// And two with secrets on lines of some ten KiB, far from marks that decide upon them.
const ONCE: [u64; 2] = [400_167, 910_185];
/// And one of a large text with a connection string behind a long row of what looks like its parts.
const ONCE_LARGE: [u64; 1] = [3146];
/// And two of long lines with a mark that takes from another's line the text around it, and one with a mark
/// that opens a new keyword from far off.
const ONCE_LONG: [u64; 3] = [1218, 940_088, 3199];

/// What secrets look like in files, for lines and groups of lines.
const LEAKS: [&str; 16] = [
    "token = \"ghp_{b62:30}{crc-base62}\"",
    "password = \"{password}\"",
    "url: https://user:{b62:14}@example.org/path",
    "AccountKey={his:+ASt:Default0};EndpointSuffix=core.windows.net",
    "{pem:RSA}",
    "jwt = '{jwt}'",
    "id = 'AKIA' # aws_secret_access_key = {b64:40}",
    "aws_access_key_id = {aws-id:AKIA}\naws_secret_access_key = {b64:40}",
    "data: {b64of:password = \"Kz{b62:10}!x\" and more text around it}",
    "s = \"line\\n{{\\\"api_key\\\": \\\"{b62:32}\\\"}}\"",
    "curl -H 'Authorization: Bearer {b64u:60}' https://example.org",
    "url = 'https://acc.blob.core.windows.net/c/b?{sas-account}'",
    "k = (\"ghp_{b62:12}\"\n     \"{b62:18}\")",
    "x-example: %7B%22password%22%3A%22{b62:16}%22%7D",
    "client_secret={entra8}",
    "Server=tcp:db.database.windows.net;User ID=u;Password={b62:16};",
];

/// Lines that say nothing, or change what their neighbours mean.
const PLAIN: [&str; 14] = [
    "def f(x):",
    "    return x + 1",
    "",
    "# an example of a placeholder",
    "import os",
    "aws s3 sync",
    "{{\"cells\": 3}}",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----END RSA PRIVATE KEY-----",
    "eyJ",
    "password =",
    "\"\"\"",
    "The quick brown fox jumps over the lazy dog, again and again.",
    "var a=1;function b(c){{return c}}",
];

fn filled(template: &str, rng: &mut Rng) -> String {
    let mut generator = Generator::new(rng.u64(..));
    generator.fill(template).expect("a valid template")
}

fn line(rng: &mut Rng) -> String {
    match rng.u8(..10) {
        0 => filled(LEAKS[rng.usize(..LEAKS.len())], rng),
        1 => filled("{b62:300}{b62:900}", rng),
        2 => minified(rng),
        _ => filled(PLAIN[rng.usize(..PLAIN.len())], rng),
    }
}

/// Code as tools write it: many names with values on one line.
fn minified(rng: &mut Rng) -> String {
    const PIECES: [&str; 12] = [
        "token:e.token,",
        "password:\"{b62:9}!x\",",
        "apiKey:t(\"{b62:24}\",n),",
        "{{key:\"user\",secret:r.secret||'{password}'}},",
        "function(e,t){{return e+t}}",
        "\"https://user:{b62:14}@example.org/\"",
        "s+=\"a\\nb\\u0041\";",
        "var a=[1,2,3],",
        "client_secret=\"{entra8}\";",
        "password=n?\"none\":o;",
        "new Secret(\"{word}-{word}\"),",
        "user:\"admin\",",
    ];
    let pieces = (0..rng.usize(1..60)).map(|_| filled(PIECES[rng.usize(..PIECES.len())], rng));
    pieces.collect()
}

/// A file's text, as lines.
fn text(rng: &mut Rng) -> Vec<String> {
    let lines = [20, 200, 900][rng.usize(..3)];
    (0..rng.usize(1..lines)).map(|_| line(rng)).collect()
}

fn notebook(rng: &mut Rng) -> Vec<String> {
    let mut lines = vec!["{\"cells\": [".to_owned()];
    let cells = rng.usize(1..12);
    for cell in 0..cells {
        let source = serde_json::to_string(&line(rng)).expect("a string");
        let output = serde_json::to_string(&line(rng)).expect("a string");
        let comma = if cell + 1 < cells { "," } else { "" };
        lines.push(format!(
            "{{\"cell_type\": \"code\", \"metadata\": {{}}, \"source\": [{source}], \"outputs\": \
             [{{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": [{output}]}}]}}{comma}"
        ));
    }
    lines.push("], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 4}".to_owned());
    lines
}

/// A file that says it is no text and hardly shrinks in a pack, with a leak that therefore is none.
fn document(rng: &mut Rng) -> Vec<String> {
    let mut lines = vec!["%PDF-1.7".to_owned()];
    let length = rng.usize(3_000..12_000);
    lines.push((0..length).map(|_| rng.char(' '..='~')).collect());
    lines.push(filled(LEAKS[0], rng));
    lines
}

/// A text of few and long lines, in pieces: what is encoded stands far from what gives it away, from
/// line ends, and from keywords.
fn long_text(rng: &mut Rng) -> Vec<String> {
    (0..rng.usize(1..300)).map(|_| piece(rng)).collect()
}

fn piece(rng: &mut Rng) -> String {
    const TELLING: [&str; 9] = [
        "\\\"",
        "\\n",
        "\\n\\n",
        "\\u0041",
        "&quot;",
        "x=%2Fa%2Fb",
        "\" + \"",
        "\"",
        "\\x1b[0m",
    ];
    match rng.u8(..26) {
        24 => "All work and no play. ".repeat(rng.usize(1..14)) + "\\n",
        25 => filled("All work\\nghp_{b62:30}{crc-base62} and no play", rng),
        0 => "\n".to_owned(),
        1..=4 => TELLING[rng.usize(..TELLING.len())].to_owned(),
        5 => filled(LEAKS[rng.usize(..LEAKS.len())], rng),
        6 => minified(rng),
        7 => payload(rng),
        8 => filled("pass\\u0077ord=\"{b62:12}!x\";", rng),
        9 => filled("{hex:300}", rng),
        _ => "var a=1;function b(c){return c}".repeat(rng.usize(1..40)),
    }
}

/// A text with secrets in base64, on one line or on many.
fn payload(rng: &mut Rng) -> String {
    let lines: String = (0..rng.usize(1..30))
        .map(|_| line(rng).replace(['{', '}'], "_") + "\n")
        .collect();
    let coded = filled(&format!("{{b64of:{lines}}}"), rng);
    if rng.bool() {
        return coded;
    }
    let lines = coded.as_bytes().chunks(76).map(String::from_utf8_lossy);
    lines.collect::<Vec<_>>().join("\n")
}

/// Changes some pieces, or characters in them.
fn edit_pieces(pieces: &mut Vec<String>, rng: &mut Rng) {
    edit_with(piece, pieces, rng);
}

fn edit_with(piece: fn(&mut Rng) -> String, pieces: &mut Vec<String>, rng: &mut Rng) {
    for _ in 0..rng.usize(1..5) {
        let at = rng.usize(..=pieces.len());
        let to = (at + rng.usize(1..4)).min(pieces.len());
        match rng.u8(..8) {
            0..=2 => pieces.insert(at, piece(rng)),
            3 | 4 => drop(pieces.drain(at..to)),
            5 => {
                let block = pieces[at..to].to_vec();
                let place = rng.usize(..=pieces.len());
                pieces.splice(place..place, block);
            }
            _ if at < pieces.len() => rename(&mut pieces[at], rng),
            _ => {}
        }
    }
}

/// Fields of queries and connection strings, which are read together from far apart.
fn fields(rng: &mut Rng) -> Vec<String> {
    (0..rng.usize(1..200)).map(|_| field(rng)).collect()
}

fn field(rng: &mut Rng) -> String {
    const FIELDS: [&str; 22] = [
        "https://acc.blob.core.windows.net/c/b?",
        "?{sas-account}",
        "&{sas-service}",
        "sv=2022-11-02&",
        "&se=2099-01-01T00:00:00Z",
        "&sr=b",
        "&sp=rwdl",
        "&sig={b64:42}A%3D",
        "&sig={b64:42}A=",
        "DefaultEndpointsProtocol=https;",
        "AccountName=acc;",
        "AccountKey={his:+ASt:Default0};",
        "Endpoint=sb://acc.servicebus.windows.net/;",
        "SharedAccessKeyName=root;",
        "SharedAccessKey={his:+ASb:Manage00};",
        "Server=tcp:db.database.windows.net;",
        "User ID=u;",
        "Password={b62:16};",
        "\n",
        "\"",
        "\\u0026",
        "&amp;",
    ];
    match rng.u8(..6) {
        0 => format!("&x={}", "a.".repeat(rng.usize(1..2400))),
        1 => format!("App=\"{}\";", "b ".repeat(rng.usize(1..1200))),
        2 => piece(rng),
        _ => filled(FIELDS[rng.usize(..FIELDS.len())], rng),
    }
}

/// A notebook in pieces: how it begins, its cells, how it ends.
fn cells(rng: &mut Rng) -> Vec<String> {
    let start = match rng.u8(..5) {
        0 => filled(
            "{{\"metadata\": {{\"password\": \"{password}\"}}, \"cells\": [",
            rng,
        ),
        1 => "{\"worksheets\": [{\"cells\": [".to_owned(),
        _ => "{\"cells\": [".to_owned(),
    };
    let foot = foot(rng, start.contains("worksheets"));
    let cells = (0..rng.usize(1..40)).map(|_| cell(rng));
    let mut pieces: Vec<String> = std::iter::once(start).chain(cells).collect();
    pieces.push(foot);
    pieces
}

fn foot(rng: &mut Rng, in_worksheet: bool) -> String {
    let close = if in_worksheet { "]}]" } else { "]" };
    let format = [4, 4, 4, 2][rng.usize(..4)];
    format!(
        "{close}, \"metadata\": {{\"t\": {}}}, \"nbformat\": {format}}}",
        said(rng)
    )
}

/// Some lines as a string of JSON.
fn said(rng: &mut Rng) -> String {
    let lines: Vec<String> = (0..rng.usize(..5)).map(|_| line(rng)).collect();
    serde_json::to_string(&lines.join("\n")).expect("a string")
}

fn cell(rng: &mut Rng) -> String {
    let outputs: Vec<String> = (0..rng.usize(..4)).map(|_| output(rng)).collect();
    let outputs = outputs.join(", ");
    let metadata = match rng.u8(..6) {
        0 => format!("{{\"name\": \"api_token\", \"value\": {}}}", said(rng)),
        1 => format!("{{\"tags\": [{}]}}", said(rng)),
        _ => "{}".to_owned(),
    };
    let source = said(rng);
    match rng.u8(..8) {
        0 => "{\"cell_type\": \"code\", \"source\": [], \"outputs\": []},".to_owned(),
        1 => format!(
            "{{\"source\": {source}, \"metadata\": {metadata}, \"cell_type\": \"markdown\"}},"
        ),
        2 => format!(
            "{{\"cell_type\": \"raw\", \"attachments\": {{\"a\": {{\"text/plain\": {source}}}}}}},"
        ),
        3 => format!("{{\"metadata\": {metadata}, \"source\": []}},"),
        _ => format!(
            "{{\"cell_type\": \"code\", \"execution_count\": {}, \"metadata\": {metadata}, \
             \"outputs\": [{outputs}], \"source\": [{source}, {}]}},",
            rng.u8(..),
            said(rng),
        ),
    }
}

fn output(rng: &mut Rng) -> String {
    let text = said(rng);
    match rng.u8(..6) {
        0 => format!("{{\"output_type\": \"stream\", \"text\": {text}, \"name\": \"stderr\"}}"),
        1 => format!(
            "{{\"output_type\": \"display_data\", \"data\": {{\"text/html\": [{text}], \
             \"image/png\": \"{}\"}}}}",
            filled("{b64:400}", rng)
        ),
        2 => format!(
            "{{\"output_type\": \"execute_result\", \"data\": {{\"application/json\": \
             {{\"key\": \"secret\", \"value\": {text}}}}}}}"
        ),
        3 => format!("{{\"output_type\": \"error\", \"evalue\": {text}, \"traceback\": [{text}]}}"),
        _ => format!("{{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": [{text}]}}"),
    }
}

/// Changes some cells, as people do who work on a notebook.
fn edit_cells(pieces: &mut Vec<String>, rng: &mut Rng) {
    for _ in 0..rng.usize(1..4) {
        let last = pieces.len() - 1;
        let at = rng.usize(1..=last.max(1));
        let to = (at + rng.usize(1..4)).min(last);
        match rng.u8(..12) {
            0..=2 => pieces.insert(at, cell(rng)),
            3 | 4 if at < to => drop(pieces.drain(at..to)),
            5 | 6 if at < to => {
                let block = pieces[at..to].to_vec();
                let place = rng.usize(1..=last);
                pieces.splice(place..place, block);
            }
            7 if at < last => pieces[at] = cell(rng),
            8 if at < last => pieces[at] = pieces[at].replace(": ", ":"),
            9 => pieces[last] = foot(rng, pieces[0].contains("worksheets")),
            10 if at < last => rename(&mut pieces[at], rng),
            11 => pieces[last].push_str("  "),
            _ => {}
        }
    }
}

/// Changes some lines: the edits of people, and some of nobody.
fn edit(lines: &mut Vec<String>, rng: &mut Rng) {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=lines.len());
        let to = (at + rng.usize(1..6)).min(lines.len());
        match rng.u8(..10) {
            9 if at < lines.len() => rename(&mut lines[at], rng),
            0..=2 => lines.insert(at, line(rng)),
            3 => drop(lines.drain(at..to)),
            4 => {
                let block = lines[at..to].to_vec();
                let place = rng.usize(..=lines.len());
                lines.splice(place..place, block);
            }
            5 if at < lines.len() => {
                let mut bytes: Vec<char> = lines[at].chars().collect();
                let place = rng.usize(..=bytes.len());
                bytes.insert(place, rng.alphanumeric());
                lines[at] = bytes.into_iter().collect();
            }
            6 if at < lines.len() => {
                let kept = lines[at].chars().count() / 2;
                lines[at] = lines[at].chars().take(kept).collect();
            }
            7 if at + 1 < lines.len() => {
                let next = lines.remove(at + 1);
                lines[at].push_str(&next);
            }
            8 if at < lines.len() => lines[at].insert_str(0, "        "),
            _ => lines.push(line(rng)),
        }
    }
}

/// Takes out a few characters of a line in several places, or puts others in, as renaming does.
fn rename(line: &mut String, rng: &mut Rng) {
    let mut chars: Vec<char> = line.chars().collect();
    for _ in 0..rng.usize(1..8) {
        let at = rng.usize(..=chars.len());
        let end = (at + rng.usize(..3)).min(chars.len());
        let new = (0..rng.usize(..3)).map(|_| rng.alphanumeric());
        chars.splice(at..end, new.collect::<Vec<char>>());
    }
    *line = chars.into_iter().collect();
}

/// Files in parts, and how they change.
#[derive(Clone, Copy)]
struct Style {
    text: fn(&mut Rng) -> Vec<String>,
    edit: fn(&mut Vec<String>, &mut Rng),
    ends: [&'static str; 2],
    /// How a file of some name spells its text.
    spell: fn(&str, &str, &mut Rng) -> Vec<u8>,
    /// Bytes of a text that is scanned as a whole, if not as many as in a sweep.
    whole: Option<usize>,
}

impl Style {
    fn sizes(self) -> Sizes {
        let sizes = Sizes::default();
        self.whole.map_or(sizes, |whole| Sizes {
            whole,
            core: whole + (128 << 10),
            ..sizes
        })
    }
}

fn as_bytes(_: &str, text: &str, _: &mut Rng) -> Vec<u8> {
    text.into()
}

const LINES: Style = Style {
    text,
    edit,
    ends: ["\n", "\r\n"],
    spell: as_bytes,
    whole: None,
};

const LONG_LINES: Style = Style {
    text: long_text,
    edit: edit_pieces,
    ends: ["", ""],
    spell: as_bytes,
    whole: None,
};

const FIELDS_APART: Style = Style {
    text: fields,
    edit: |pieces, rng| edit_with(field, pieces, rng),
    ends: ["", "\n"],
    spell: as_bytes,
    whole: None,
};

/// Texts of more than a window.
const LARGE: Style = Style {
    text: large_text,
    edit: edit_pieces,
    ends: ["", "\n"],
    spell: as_bytes,
    whole: Some(40 << 10),
};

fn large_text(rng: &mut Rng) -> Vec<String> {
    let pieces = rng.usize(1..500);
    let mut pieces: Vec<String> = (0..pieces).map(|_| piece(rng)).collect();
    if rng.u8(..6) == 0 {
        // On one line, and longer than windows reach around their cores.
        let line =
            filled("text {{b62:24}} token = \\\"{b62:30}\\\", ", rng).replace(['{', '}'], "_");
        pieces.push(filled(&format!("{{b64of:{}}}", line.repeat(2400)), rng));
    }
    pieces
}

const NOTEBOOKS: Style = Style {
    text: cells,
    edit: edit_cells,
    ends: ["\n", ""],
    spell: as_bytes,
    whole: None,
};

const WIDE: Style = Style {
    text: wide_text,
    edit,
    ends: ["\n", "\r\n"],
    spell: as_units,
    whole: None,
};

/// Lines of which some have characters of several units and bytes.
fn wide_text(rng: &mut Rng) -> Vec<String> {
    let mut lines = text(rng);
    for line in &mut lines {
        match rng.u8(..6) {
            0 => line.insert_str(0, "# 漢字 "),
            1 => line.push_str(" # é😀😀"),
            _ => {}
        }
    }
    lines
}

/// Text in wide characters, with a mark or without, and sometimes with bytes that shift or break units.
fn as_units(name: &str, text: &str, rng: &mut Rng) -> Vec<u8> {
    let (mark, encoding) = match name {
        "src/main.py" => ("\u{feff}", Encoding::Utf16Le),
        "notebook.ipynb" => ("\u{feff}", Encoding::Utf16Be),
        "deep/er/config.yml" => ("", Encoding::Utf16Le),
        _ => ("\u{feff}", Encoding::Utf32Le),
    };
    let mut bytes = spell(&format!("{mark}{text}"), encoding);
    match rng.u8(..12) {
        0 => text.into(),
        1 => {
            let at = rng.usize(..=bytes.len());
            let more = (0..rng.usize(1..4)).map(|_| rng.u8(..));
            bytes.splice(at..at, more.collect::<Vec<u8>>());
            bytes
        }
        2 => {
            let at = rng.usize(..=bytes.len());
            bytes.drain(at..(at + rng.usize(1..4)).min(bytes.len()));
            bytes
        }
        3 => {
            let lines = text.split_inclusive('\n');
            let spelled = lines.map(|line| match rng.u8(..3) {
                0 => line.as_bytes().to_vec(),
                _ => spell(line, encoding),
            });
            spelled.collect::<Vec<_>>().concat()
        }
        _ => bytes,
    }
}

/// A stream for `git fast-import`: some files through some commits on two branches, with merges.
fn stream(rng: &mut Rng, style: Style) -> Vec<u8> {
    let Style {
        text,
        edit,
        ends,
        spell,
        ..
    } = style;
    let mut out = Vec::new();
    let mut files: Vec<(String, Vec<String>)> = vec![
        ("src/main.py".into(), text(rng)),
        ("deep/er/config.yml".into(), text(rng)),
        ("notebook.ipynb".into(), notebook(rng)),
    ];
    let commits = rng.usize(3..14);
    for commit in 0..commits {
        for (_, lines) in &mut files {
            if rng.bool() {
                edit(lines, rng);
            }
        }
        if rng.u8(..5) == 0 {
            let name = filled(
                ["note-{word}.txt", "ghp_{b62:30}{crc-base62}.txt"][rng.usize(..2)],
                rng,
            );
            files.push((name, text(rng)));
        }
        if rng.u8(..8) == 0 {
            files.push((format!("paper-{commit}.pdf"), document(rng)));
        }
        let branch = ["main", "other"][usize::from(rng.u8(..4) == 0)];
        let message = line(rng);
        let mut said = format!("commit refs/heads/{branch}\nmark :{}\n", commit + 1);
        let _ = write!(
            said,
            "committer A <a@example.org> {} +0000\ndata {}\n{message}\n",
            1_700_000_000 + commit * 60,
            message.len()
        );
        if commit > 1 && rng.u8(..3) == 0 {
            let _ = writeln!(said, "merge :{}", rng.usize(1..commit));
        }
        out.extend_from_slice(said.as_bytes());
        let end = ends[usize::from(rng.u8(..12) == 0)];
        for (name, lines) in &files {
            let content = spell(name, &lines.join(end), rng);
            out.extend_from_slice(
                format!("M 100644 inline {name}\ndata {}\n", content.len()).as_bytes(),
            );
            out.extend_from_slice(&content);
            out.push(b'\n');
        }
    }
    out
}

fn git(dir: &Path, args: &[&str], input: &[u8]) {
    let mut child = Command::new("git")
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("git runs");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(input)
        .expect("input");
    assert!(child.wait().expect("git ends").success(), "git {args:?}");
}

/// All that both passes see, in a form that does not depend on threads.
fn seen(
    store: &Store,
    sweep: &Sweep,
    secrets: &Secrets,
    sizes: Sizes,
    naive: bool,
) -> BTreeSet<String> {
    let run = Run {
        sweep,
        naive,
        store,
        reader: &store.reader().expect("a reader"),
        secrets,
        progress: &Progress::default(),
        stop: &AtomicBool::new(false),
        unread: Mutex::default(),
    };
    if !naive {
        visit_some(&run);
        read_heads(store);
    }
    let mut all = BTreeSet::new();
    let mut blobs = Vec::new();
    let make = || {
        let mut texts = Texts::new(sweep.scanner(), secrets);
        texts.sizes = sizes;
        texts
    };
    for texts in run.visit(&[Kind::Blob, Kind::Commit, Kind::Tag], make) {
        for Holder {
            id, kind, spots, ..
        } in &texts.found
        {
            blobs.push(*id);
            all.insert(format!("{kind:?} {id} {:?}", without_twins(spots)));
        }
        all.extend(
            texts
                .commits
                .iter()
                .map(|(id, c)| format!("commit {id} {c:?}")),
        );
        all.extend(texts.notebooks.iter().map(|id| format!("notebook {id}")));
    }
    let found = Found {
        blobs: blobs
            .into_iter()
            .map(|id| (id, Holding::default()))
            .collect(),
        ..Found::default()
    };
    let trees = run.read_trees(&found, &HashSet::new());
    let mut edges = trees.leaves;
    for object in 0..store.len() as u32 {
        trees.holders.of(object, &mut edges);
    }
    all.extend(edges.iter().map(|edge| {
        let name = &trees.names[edge.name as usize];
        format!("edge {} {} {name:?}", edge.tree, edge.child)
    }));
    let telling = trees.telling.iter();
    all.extend(telling.map(|(name, secrets)| format!("name {name:?} {secrets:?}")));
    let notebooks = trees.notebooks.iter();
    all.extend(notebooks.map(|id| format!("called notebook {id}")));
    let unread = run.unread.into_inner().expect("no panic");
    assert_eq!(unread, [], "everything can be read");
    all
}

/// What the sweep reports, in words.
fn shown(dir: &Path, sweep: &Sweep, naive: bool) -> Vec<String> {
    let request = Request {
        sweep,
        repo: &Repo::open(dir).expect("a repository"),
        store: Store::open(&[dir.join("objects")]).expect("a store"),
        reachable_only: false,
        naive,
    };
    let outcome = run(&request, &Progress::default(), &AtomicBool::new(false));
    let findings = outcome.expect("a sweep").findings;
    let mut shown: Vec<String> = findings.iter().map(|f| format!("{f:?}")).collect();
    shown.sort();
    shown
}

/// A walk to some objects comes by all of them, as libgit2 reads them.
fn visit_some(run: &Run<'_>) {
    struct Bytes(HashMap<ObjectId, Vec<u8>>);
    impl Visit for Bytes {
        type Seen = ();

        fn whole(&mut self, id: LazyId<'_>, _: Kind, bytes: &[u8]) {
            self.0.insert(id.read(), bytes.into());
        }

        fn delta(&mut self, id: LazyId<'_>, kind: Kind, (): &(), _: &Changes, bytes: &[u8]) {
            self.whole(id, kind, bytes);
        }
    }
    let walk = Walk {
        store: run.store,
        reader: run.reader,
        kinds: &[Kind::Blob, Kind::Tree],
        progress: run.progress,
        stop: run.stop,
        unread: &run.unread,
    };
    let ids = (0..run.store.len() as u32).map(|number| run.store.id(number));
    let is_wanted = |id: &ObjectId| {
        let kind = run.reader.read(*id).expect("an object").kind;
        id.0[19] < 64 && walk.kinds.contains(&kind)
    };
    let ids: Vec<ObjectId> = ids.filter(is_wanted).collect();
    let mut leading: HashSet<ObjectId> = ids.iter().copied().collect();
    for pack in &run.store.packs {
        let forest = pack.forest();
        let id = |place| pack.id(forest.entry(place).number);
        for (place, _) in forest
            .entries()
            .filter(|(place, _)| ids.contains(&id(*place)))
        {
            let mut next = Some(place);
            while let Some(place) = next {
                leading.insert(id(place));
                next = match forest.entry(place).base {
                    Base::Entry(base) => Some(base),
                    _ => None,
                };
            }
        }
    }
    let seen = walk.run_to(&ids, || Bytes(HashMap::new()));
    let seen: HashMap<ObjectId, Vec<u8>> = seen.into_iter().flat_map(|bytes| bytes.0).collect();
    for id in ids {
        let expected = run.reader.read(id).expect("an object");
        assert_eq!(seen[&id], expected.bytes(), "{id}");
    }
    assert!(seen.keys().all(|id| leading.contains(id)), "no others");
}

/// An object begins as its head does.
fn read_heads(store: &Store) {
    let mut whole = Vec::new();
    let (mut inflater, mut peeker) = (Inflater::default(), Inflate::new(true, 15));
    for pack in &store.packs {
        let forest = &*pack.forest();
        for (place, _) in forest.entries() {
            let mut head = [0; sniff::HEAD];
            let head = pack.inflate_head((forest, place), &mut peeker, &mut head);
            pack.inflate((forest, place), &mut inflater, &mut whole)
                .expect("an entry");
            assert_eq!(head, Ok(&whole[..whole.len().min(sniff::HEAD)]));
        }
    }
}

fn compare(seed: u64, style: Style, sweep: &Sweep) -> Result<usize, String> {
    let mut rng = Rng::with_seed(seed);
    let dir = tempfile::tempdir().expect("a folder");
    git(dir.path(), &["init", "--quiet", "--bare", "."], b"");
    // Deltas of all kinds, and in some repositories several packs with the same objects.
    for _ in 0..rng.usize(1..3) {
        let import = [
            "-c",
            "fastimport.unpackLimit=1",
            "fast-import",
            "--quiet",
            "--force",
        ];
        git(dir.path(), &import, &stream(&mut rng, style));
    }
    // In some there are no deltas, and whole objects are compared.
    let window = rng.u8(1..30) * u8::from(seed % 5 != 2);
    let window = format!("--window={window}");
    let depth = format!("--depth={}", rng.u8(1..50));
    let offsets = format!("repack.usedeltabaseoffset={}", !rng.bool());
    let mut repack = vec![
        "-c", &*offsets, "repack", "-q", "-a", "-f", &*window, &*depth,
    ];
    if !seed.is_multiple_of(4) {
        repack.push("-d");
    }
    git(dir.path(), &repack, b"");
    let store = Store::open(&[dir.path().join("objects")]).expect("a store");
    let secrets = Secrets::new(sweep.options().fingerprint_key.clone());
    let naive = seen(&store, sweep, &secrets, style.sizes(), true);
    let quick = seen(&store, sweep, &secrets, style.sizes(), false);
    let missed: Vec<&String> = naive.difference(&quick).take(3).collect();
    let invented: Vec<&String> = quick.difference(&naive).take(3).collect();
    if !missed.is_empty() || !invented.is_empty() {
        let kept = dir.keep();
        let first =
            |lines: &[&String]| lines.iter().map(|l| l[..l.len().min(60)].to_owned()).next();
        return Err(format!(
            "seed {seed}, {}: missed {:?}, invented {:?}",
            kept.display(),
            first(&missed),
            first(&invented)
        ));
    }
    // Reports take as long as all the rest.
    let shown = |naive| shown(dir.path(), sweep, naive);
    if seed.is_multiple_of(3) && shown(true) != shown(false) {
        let kept = dir.keep();
        return Err(format!("seed {seed}, {}: shown otherwise", kept.display()));
    }
    Ok(naive.iter().filter(|line| line.starts_with("Blob")).count())
}

/// Versions of a file in a pack without deltas are looked at as if there were some.
#[test]
fn whole_objects_that_are_alike_are_compared() {
    #[derive(Default)]
    struct Told(BTreeSet<(String, bool)>);
    impl Visit for Told {
        type Seen = ();
        const COMPARES: bool = true;

        fn whole(&mut self, _: LazyId<'_>, _: Kind, bytes: &[u8]) {
            self.0
                .insert((String::from_utf8_lossy(bytes).into(), false));
        }

        fn delta(&mut self, _: LazyId<'_>, _: Kind, (): &(), _: &Changes, bytes: &[u8]) {
            self.0.insert((String::from_utf8_lossy(bytes).into(), true));
        }
    }
    let lines = |first: &str, word: &str| {
        let lines = (0..40).map(|at| format!("{word} {}\n", at * at));
        format!("{first}\n{}", lines.collect::<String>())
    };
    let texts = [
        (lines("a", "one"), false),
        (lines("bb", "one"), true),
        (lines("ccc", "one"), true),
        (lines("a", "another"), false),
        ("short".to_owned(), false),
    ];
    let mut stream = String::new();
    for (mark, (text, _)) in (1..).zip(&texts) {
        writeln!(stream, "blob\nmark :{mark}\ndata {}\n{text}", text.len()).expect("room");
    }
    stream.push_str("commit refs/heads/main\ncommitter A <a> 0 +0000\ndata 0\n");
    for mark in 1..=texts.len() {
        writeln!(stream, "M 100644 :{mark} {mark}").expect("room");
    }
    let dir = tempfile::tempdir().expect("a folder");
    git(dir.path(), &["init", "--quiet", "--bare", "."], b"");
    git(dir.path(), &["fast-import", "--quiet"], stream.as_bytes());
    git(dir.path(), &["repack", "-adfq", "--window=0"], b"");
    let store = Store::open(&[dir.path().join("objects")]).expect("a store");
    let walk = Walk {
        store: &store,
        reader: &store.reader().expect("a reader"),
        kinds: &[Kind::Blob],
        progress: &Progress::default(),
        stop: &AtomicBool::default(),
        unread: &Mutex::default(),
    };
    let told = walk.run(Told::default).into_iter();
    let told: BTreeSet<(String, bool)> = told.flat_map(|told| told.0).collect();
    assert_eq!(told, texts.into());
}

#[test]
fn deltas_tell_what_whole_objects_tell() {
    compare_many(LINES, &ONCE);
}

#[test]
fn deltas_of_notebooks_tell_what_whole_objects_tell() {
    compare_many(NOTEBOOKS, &[]);
}

#[test]
fn deltas_of_large_texts_tell_what_their_windows_tell() {
    compare_many(LARGE, &ONCE_LARGE);
}

/// A payload goes on over lines of some widths only, so what its first line says, far off, decides what
/// the others are.
#[test]
fn a_change_that_parts_the_lines_of_a_payload_is_seen_behind_them() {
    let before = "words ".repeat(1000);
    // A text that changed for the most part is scanned as one.
    let behind = "A line of words.\n".repeat(1000);
    for width in [1600, 4000] {
        // The name stands on the first line, the value on the second.
        let before = &before[..width / 4 * 3 - 7];
        let leak = format!("{{b64of:{before}, password = \"Kz{{b62:10}}!x\" and more}}");
        let coded = filled(&leak, &mut Rng::with_seed(11));
        let joined = format!("{}\n{}\n{behind}", &coded[..width], &coded[width..]);
        for at in [0, 1, 10, width - 1531, width - 1450] {
            let parted = [&joined[..at], &joined[at + 1..]].concat();
            let (joined, parted) = (joined.as_bytes(), parted.as_bytes());
            let first = (at > 0).then_some(Step::Copy { from: 0, len: at });
            let copy = |from, len| Step::Copy { from, len };
            let parting = first.into_iter();
            let parting = parting.chain([copy(at + 1, parted.len() - at)]);
            assert_eq!(spots_of_a_delta(joined, parted, parting), 0, "{width} {at}");
            let joining = first.into_iter();
            let joining =
                joining.chain([Step::Insert(&joined[at..=at]), copy(at, parted.len() - at)]);
            assert_ne!(spots_of_a_delta(parted, joined, joining), 0, "{width} {at}");
        }
    }
}

/// What opens a long line far behind may cut a payload. What is left of that would hang on where it is cut,
/// and so on a change that is near to neither end.
#[test]
fn a_payload_that_an_encoding_cuts_is_not_read_from_there() {
    let leak = "{b64of:password = \"Kz{b62:10}!x\" and more text around it}";
    let coded = filled(leak, &mut Rng::with_seed(11));
    let coded = coded.trim_end_matches('=');
    let line = |coded: &str| {
        // The mark opens the line from behind the first letter on.
        let between = crate::lines::REACH - coded.len();
        format!(
            "x{coded}{}&quot;a{}",
            ".".repeat(between),
            ". ".repeat(3000)
        )
    };
    let whole = line(coded);
    let other = line(&format!("//{}", &coded[2..]));
    let steps = [
        Step::Copy { from: 0, len: 1 },
        Step::Insert(&coded.as_bytes()[..2]),
        Step::Copy {
            from: 3,
            len: whole.len() - 3,
        },
    ];
    let seen = spots_of_a_delta(other.as_bytes(), whole.as_bytes(), steps.into_iter());
    assert_eq!(seen, 0);
}

/// An escape opens its line as far as a keyword that is added there, which says something only when another
/// is undone.
#[test]
fn a_new_keyword_that_a_mark_opens_from_far_off_is_read_there() {
    let leak = filled("token = \"{b62:31}\"", &mut Rng::with_seed(11));
    let between = ". ".repeat(400);
    let base = format!("{}\\\"{between}[en\\n\\n", ". ".repeat(3000));
    let result = format!("{base}{leak}");
    let copy = Step::Copy {
        from: 0,
        len: base.len(),
    };
    let steps = [copy, Step::Insert(leak.as_bytes())];
    let seen = spots_of_a_delta(base.as_bytes(), result.as_bytes(), steps.into_iter());
    assert_ne!(seen, 0);
}

/// The fields of a signature's query may stand farther from it than rules look.
#[test]
fn a_field_far_from_its_signature_is_read_with_it() {
    let leak = filled(
        "u = 'https://acc.blob.core.windows.net/c/b?{sas-account}&sig={b64:42}A%3D'",
        &mut Rng::with_seed(11),
    );
    let (fields, signature) = leak.split_once("&sig=").expect("a signature");
    let between = format!("&x={}", "a.".repeat(1800));
    let lines = "A line of words.\n".repeat(1000);
    let result = format!("{lines}{fields}{between}&sig={signature}\n{lines}");
    let at = lines.len() + fields.find("sv=").expect("a version");
    let base = [&result[..at], "w", &result[at + 1..]].concat();
    let rest = Step::Copy {
        from: at + 1,
        len: base.len() - at - 1,
    };
    let steps = [Step::Copy { from: 0, len: at }, Step::Insert(b"s"), rest];
    let seen = spots_of_a_delta(base.as_bytes(), result.as_bytes(), steps.into_iter());
    assert_ne!(seen, 0);
}

/// How many secrets are seen in what a delta makes, which must be those of the whole.
fn spots_of_a_delta<'s>(
    base: &[u8],
    result: &[u8],
    steps: impl Iterator<Item = Step<'s>>,
) -> usize {
    let sweep = Sweep::new(Options::new(1_790_000_000));
    let secrets = Secrets::new(sweep.options().fingerprint_key.clone());
    let mut texts = Texts::new(sweep.scanner(), &secrets);
    let delta = encode(base.len(), result.len(), &steps.collect::<Vec<_>>());
    let (mut changes, mut made) = (Changes::default(), Vec::new());
    changes.apply(base, &delta, &mut made).expect("a delta");
    assert_eq!(made, result);
    let id = LazyId::Known(ObjectId([0; 20]));
    let seen = texts.whole(id, Kind::Blob, base);
    let seen = texts.delta(id, Kind::Blob, &seen, &changes, result);
    let whole = texts.whole(id, Kind::Blob, result);
    assert_eq!(seen.spots, whole.spots);
    seen.spots.len()
}

/// What is seen in a blob.
fn see(sweep: &Sweep, secrets: &Secrets, sizes: Sizes, bytes: &[u8]) -> Seen {
    let mut texts = Texts::new(sweep.scanner(), secrets);
    texts.sizes = sizes;
    let id = LazyId::Known(ObjectId([0; 20]));
    texts.whole(id, Kind::Blob, bytes)
}

/// How an object is scanned is decided by its bytes: its transcoding may be longer, and begin like a picture.
#[test]
fn what_grows_when_it_is_transcoded_is_one_text() {
    let sweep = Sweep::new(Options::new(1_790_000_000));
    let secrets = Secrets::new(sweep.options().fingerprint_key.clone());
    let leak = filled(LEAKS[0], &mut Rng::with_seed(3));
    let text = format!(
        "\u{feff}%PDF- {}\n{leak}\n",
        "漢字漢字漢字漢字漢字\n".repeat(1600)
    );
    let bytes = spell(&text, Encoding::Utf16Le);
    let sizes = LARGE.sizes();
    assert!(bytes.len() < sizes.whole && sizes.whole < text.len());
    assert!(!see(&sweep, &secrets, sizes, &bytes).spots.is_empty());
}

/// What a delta of a large text goes by is what one of a smaller goes by.
#[test]
fn windows_hand_on_what_the_whole_does() {
    let sweep = Sweep::new(Options::new(1_790_000_000));
    let secrets = Secrets::new(sweep.options().fingerprint_key.clone());
    let mut rng = Rng::with_seed(7);
    for _ in 0..4 {
        let lines: Vec<String> = (0..5).flat_map(|_| text(&mut rng)).collect();
        // Most of a text has no keywords.
        let between = "On this line nothing is said, and nothing on any like it.\n".repeat(9);
        let text = lines.join(&format!("\n{between}"));
        let see = |style: Style| see(&sweep, &secrets, style.sizes(), text.as_bytes());
        let (whole, windows) = (see(LINES), see(LARGE));
        assert!(text.len() > 2 * LARGE.sizes().core, "several windows");
        assert!(whole.plain && windows.plain);
        assert_eq!(whole.hits, windows.hits);
        assert_eq!(whole.coded, windows.coded);
        assert_eq!(whole.live, windows.live);
        assert_eq!(whole.spots, windows.spots);
        assert!(!whole.coded.is_empty() && !whole.live.is_empty() && !whole.spots.is_empty());
    }
}

/// Marks may take more memory than the text: its secrets are known without them.
#[test]
fn of_a_large_text_full_of_keywords_no_marks_are_kept() {
    let sweep = Sweep::new(Options::new(1_790_000_000));
    let secrets = Secrets::new(sweep.options().fingerprint_key.clone());
    let leak = filled(LEAKS[0], &mut Rng::with_seed(5));
    let text = format!("{}\n{leak}\n", "token\n".repeat(60_000));
    let see = |style: Style| see(&sweep, &secrets, style.sizes(), text.as_bytes());
    let (whole, windows) = (see(LINES), see(LARGE));
    assert!(whole.hits.len() > 60_000 && !whole.spots.is_empty());
    assert_eq!(whole.spots, windows.spots);
    assert!(windows.hits.is_empty() && windows.encoding.is_none());
}

#[test]
fn deltas_of_wide_characters_tell_what_whole_objects_tell() {
    compare_many(WIDE, &[]);
}

#[test]
fn deltas_of_fields_apart_tell_what_whole_objects_tell() {
    compare_many(FIELDS_APART, &[]);
}

#[test]
fn deltas_of_long_lines_tell_what_whole_objects_tell() {
    compare_many(LONG_LINES, &ONCE_LONG);
}

fn compare_many(style: Style, once: &[u64]) {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let first: u64 = number("KEYSWEEP_SEED").unwrap_or(0);
    let count = number("KEYSWEEP_REPOS").unwrap_or(FEW);
    let sweep = Sweep::new(Options::new(1_790_000_000));
    let seeds = (first..first + count).chain(once.iter().copied());
    let (seeds, compared) = (Mutex::new(seeds), Mutex::new(Vec::new()));
    let next = || seeds.lock().expect("no panic").next();
    // Not in rayon's threads: a sweep waits until they have done its work.
    std::thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let one = compare(seed, style, &sweep);
                    compared.lock().expect("no panic").push(one);
                }
            });
        }
    });
    let compared: Vec<Result<usize, String>> = compared.into_inner().expect("no panic");
    let wrong: Vec<&String> = compared
        .iter()
        .filter_map(|one| one.as_ref().err())
        .collect();
    assert!(wrong.is_empty(), "{} differ: {wrong:#?}", wrong.len());
    let found: usize = compared.into_iter().flatten().sum();
    assert!(
        found > count as usize,
        "the repositories hold secrets: {found}"
    );
}

/// Under another path the covering finding may be none, and then the other shows.
#[test]
fn what_another_finding_covers_is_possible_too() {
    let sweep = Sweep::new(Options::new(1_790_000_000));
    let value = Generator::new(7).fill("{hex:32}").expect("a template");
    let text = format!("datadog_api_key: {value}\n");
    let rules = |found: &mut dyn Iterator<Item = &RuleRef>| -> BTreeSet<String> {
        found.map(|rule| rule.id.to_string()).collect()
    };
    let found = sweep.scan_bytes("a.yml", text.as_bytes());
    let found = rules(&mut found.iter().map(|finding| &finding.rule));
    let mut scanner = sweep.scanner().tracing();
    scanner.scan(&Unit::whole(Origin::file(""), text.as_bytes()));
    let possible = &scanner.traces().possible;
    let possible = rules(&mut possible.iter().map(|one| &one.rule));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        possible.len() > 1 && possible.is_superset(&found),
        "{possible:?} {found:?}"
    );
}
