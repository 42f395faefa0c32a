//! How fast the engine is, on texts made here and by the same seed each time.
//!
//! Each case first checks that it finds what was put there: a scanner that misses is fast too. Real
//! trees and other scanners are for `benches/peers.sh`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::process::Command;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use keysweep::decode::{Place, ViewBuilder, notebook};
use keysweep::judge::generic::features;
use keysweep::judge::generic::model::Model;
use keysweep::judge::{Probe, place};
use keysweep::pipeline::{Options, Sweep};
use keysweep::rules::RuleSet;
use keysweep::rules::template::Generator;
use keysweep::span::ViewSpan;

const MEBIBYTE: usize = 1 << 20;
/// The time by which expiry is judged.
const NOW: i64 = 1_767_225_600;
/// How many secrets each corpus holds.
const PLANTED: usize = 4;

/// A text to scan under a name.
struct Corpus {
    path: &'static str,
    text: String,
}

/// Numbers that look random and are the same in every run (an LCG's upper bits).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 16] = [
            "order",
            "forecast",
            "key",
            "value",
            "region",
            "store",
            "client",
            "token_count",
            "sample",
            "merge",
            "window",
            "batch",
            "model",
            "column",
            "index",
            "secret_name",
        ];
        WORDS[self.next() as usize % WORDS.len()]
    }
}

/// Secrets with valid checksums, made now: none stands in this file.
fn keys() -> Vec<String> {
    let mut generator = Generator::new(1);
    let made = (0..PLANTED).map(|_| generator.fill("{his:+ASt:Default0}"));
    made.collect::<Result<_, _>>().expect("a known placeholder")
}

/// Adds `line`s until `text` has its size, with the keys spread evenly.
fn grow(text: &mut String, size: usize, mut line: impl FnMut(&mut String, Option<&str>)) {
    for (index, key) in keys().iter().enumerate() {
        while text.len() < size * (index + 1) / (PLANTED + 1) {
            line(text, None);
        }
        line(text, Some(key));
    }
    while text.len() < size {
        line(text, None);
    }
}

fn code() -> Corpus {
    let mut numbers = Numbers(1);
    let mut text = String::new();
    grow(&mut text, MEBIBYTE, |text, key| {
        let (a, b, c) = (numbers.word(), numbers.word(), numbers.next());
        let _ = match key {
            Some(key) => writeln!(text, "ACCOUNT_KEY = \"{key}\""),
            None => writeln!(text, "    {a} = compute_{b}({c}, mode=\"{b}\")  # {a}"),
        };
    });
    Corpus {
        path: "code.py",
        text,
    }
}

/// One line of many short names and values: many places where an assignment could be.
fn dense_json() -> Corpus {
    let mut numbers = Numbers(2);
    let mut text = String::from("{\"rows\":[");
    grow(&mut text, MEBIBYTE, |text, key| {
        let (a, b) = (numbers.word(), numbers.next());
        let _ = match key {
            Some(key) => write!(text, "{{\"accountKey\":\"{key}\"}},"),
            None => write!(text, "{{\"{a}\":\"{b:x}\",\"id\":{b}}},"),
        };
    });
    text.push_str("null]}");
    Corpus {
        path: "dense.json",
        text,
    }
}

/// Images take most of the bytes of real notebooks.
fn image_notebook() -> Corpus {
    let mut generator = Generator::new(3);
    let mut numbers = Numbers(3);
    let image = generator
        .fill("{b64bytes:40000}")
        .expect("a known placeholder");
    let mut text = String::from("{\n \"cells\": [\n");
    grow(&mut text, 4 * MEBIBYTE, |text, key| {
        let (name, value) = (numbers.word(), key.unwrap_or("1"));
        let _ = write!(
            text,
            "  {{\n   \"cell_type\": \"code\",\n   \"execution_count\": 1,\n   \"metadata\": {{}},\n   \
             \"outputs\": [\n    {{\n     \"data\": {{\n      \"image/png\": \"{image}\"\n     }},\n     \
             \"metadata\": {{}},\n     \"output_type\": \"display_data\"\n    }}\n   ],\n   \"source\": [\n    \
             \"{name} = 1\\n\",\n    \"account_key = \\\"{value}\\\"\"\n   ]\n  }},\n"
        );
    });
    text.push_str(
        "  {\n   \"cell_type\": \"markdown\",\n   \"metadata\": {},\n   \"source\": []\n  }\n ],\n \
         \"metadata\": {},\n \"nbformat\": 4,\n \"nbformat_minor\": 4\n}\n",
    );
    Corpus {
        path: "images.ipynb",
        text,
    }
}

fn engine(c: &mut Criterion) {
    let sweep = Sweep::new(Options::new(NOW));
    let mut group = c.benchmark_group("engine");
    for corpus in [code(), dense_json(), image_notebook()] {
        let bytes = corpus.text.as_bytes();
        let found = sweep.scan_bytes(corpus.path, bytes).len();
        assert_eq!(found, PLANTED, "{}", corpus.path);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(corpus.path, |b| {
            b.iter(|| black_box(sweep.scan_bytes(corpus.path, black_box(bytes))));
        });
    }
    group.finish();
}

fn notebook_decode(c: &mut Criterion) {
    let corpus = image_notebook();
    let bytes = corpus.text.as_bytes();
    let decode = || {
        let mut builder = ViewBuilder::default();
        let mut places = vec![Place::default()];
        let read = notebook::decode(black_box(bytes), &[], &mut builder, &mut places).map(drop);
        (read, builder)
    };
    let (read, builder) = decode();
    assert_eq!(read, Ok(()));
    for key in keys() {
        let line = format!("account_key = \"{key}\"");
        let held = memchr::memmem::find(&builder.text, line.as_bytes()).is_some();
        assert!(held, "a cell's source is not in the view");
    }
    let mut group = c.benchmark_group("notebook decode");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(corpus.path, |b| b.iter(|| black_box(decode())));
    group.finish();
}

/// What a commit hook costs: the whole process on one small file.
fn cold_start(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the file");
    let line = format!("ACCOUNT_KEY = \"{}\"\n", keys()[0]);
    std::fs::write(folder.path().join("settings.py"), line).expect("the file can be written");
    let scan = || {
        Command::new(env!("CARGO_BIN_EXE_keysweep"))
            .args(["scan", "--format", "jsonl"])
            .arg(folder.path())
            .output()
            .expect("keysweep starts")
    };
    let output = scan();
    assert_eq!(output.status.code(), Some(1), "one finding, exit code 1");
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(report.matches("\"rule\":").count(), 1, "{report}");
    c.bench_function("cold start", |b| b.iter(|| black_box(scan())));
}

/// One candidate value through the judge of generic secrets: its name, its features, the score.
fn generic_value(c: &mut Criterion) {
    const NAME: &str = "db_password";
    let text = format!(
        "import os\nuser = \"app\"\n{NAME} = \"{}-71!\"\nhost = \"db\"\n",
        WORD
    );
    let start = text.find(NAME).expect("the name stands there");
    let value = text.find(WORD).expect("the value stands there");
    let rules = RuleSet::built_in();
    let rule = rules.iter().find(|rule| rule.id == "generic-password");
    let probe = Probe {
        text: text.as_bytes(),
        stretch: ViewSpan::new(0, text.len()),
        matched: ViewSpan::new(start, value + WORD.len() + 4),
        secret: ViewSpan::new(value, value + WORD.len() + 4),
        rule: rule.expect("the rule is built in"),
        name: NAME.as_bytes(),
        quoted: true,
        place: place::Place::of("app/settings.py"),
        thorough: false,
        machine_made: false,
        now: NOW,
    };
    let model = Model::built_in();
    let score = || {
        let name = features::name_of(black_box(&probe));
        model.score(&model.read(&probe, &name))
    };
    assert!(score() > 0.0, "it is found");
    c.bench_function("generic value", |b| b.iter(|| black_box(score())));
}

/// The letters of a value that reads like a word.
const WORD: &str = "Lighthouse";

criterion_group!(benches, engine, notebook_decode, cold_start, generic_value);
criterion_main!(benches);
