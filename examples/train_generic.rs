//! Trains the model of generic secrets and measures it.
//!
//! ```text
//! tar --zstd -xf ../shared/creddata-dev/creddata-dev.tar.zst -C obf
//! cargo run --release --example train_generic -- obf/creddata-dev nat/creddata-dev [--write]
//! ```
//!
//! Besides, it learns from passwords as people make them, put together here: the obfuscation turned
//! those in the data into noise, and a model that has seen noise only would find no other. And from
//! keys in what programs print, of which the data has too few.
//!
//! Each folder is in the form of `creddata-dev` (`data/`, `meta/`): one with the obfuscated values,
//! one with natural ones laid over it. The program runs the real detector and judge over both,
//! fits the weights by ridge-regularised logistic regression, and cross-validates by repository: a
//! repository is never judged by weights that saw it, in either form. With `--write` it writes
//! `patterns/generic/model.toml`, which the build compiles in.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use keysweep::judge::generic::features::{COUNT, Feature};
use keysweep::pipeline::{Options, Sweep};
use keysweep::rules::Level;
use keysweep::rules::template::Generator;

/// The time by which expiry is judged: 2026-01-01.
const NOW: i64 = 1_767_225_600;
const FOLDS: usize = 10;
/// How strongly weights are drawn to zero.
const RIDGE: f64 = 2.0;
/// What a value on a line that nobody labelled counts as a counter-example.
const UNLABELLED_WEIGHT: f64 = 0.7;

/// One labelled value.
struct Row {
    first: u32,
    last: u32,
    /// Characters in the line, where the label says.
    value: Option<(u32, u32)>,
    real: bool,
    category: String,
}

/// One finding, as far as scores need it.
struct Found {
    repo: String,
    path: String,
    first: u32,
    last: u32,
    columns: (u32, u32),
    rule: String,
    /// The features, where the model decides.
    features: Option<Vec<f64>>,
    /// Without the model.
    confidence: Level,
}

struct Archive {
    rows: BTreeMap<String, Vec<Row>>,
    found: Vec<Found>,
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let folders: Vec<&String> = args.iter().filter(|a| !a.starts_with("--")).collect();
    let value_of = |flag: &str| {
        args.iter()
            .find_map(|a| a.strip_prefix(flag).map(str::to_owned))
    };
    if folders.is_empty() {
        eprintln!("name the folders with the labelled data, obfuscated and natural");
        process::exit(2);
    }
    let archives: Vec<Archive> = folders
        .iter()
        .map(|folder| load(Path::new(folder)))
        .collect();
    if let Some(file) = value_of("--dump=") {
        dump(&archives, &file);
    }
    let mut samples = samples(&archives);
    samples.extend(human());
    samples.extend(printed());
    println!(
        "{} values to learn from, {} of them secrets",
        samples.len(),
        samples.iter().filter(|s| s.real).count()
    );
    let weights = fit(&samples, |_| true);
    let held_out = cross_validate(&samples);
    let thresholds = thresholds(&archives, &held_out);
    println!("thresholds {thresholds:?}\n");
    for (nth, archive) in archives.iter().enumerate() {
        let name = folders[nth];
        let within: Vec<f64> = scores(archive, |_| &weights);
        let across: Vec<f64> = scores(archive, |repo| &held_out[repo]);
        for (label, scores) in [("in-sample", &within), ("cross-validated", &across)] {
            for (at, floor) in [("default", thresholds[1]), ("low too", thresholds[0])] {
                table(
                    archive,
                    scores,
                    floor,
                    at == "low too",
                    &format!("{name} {label}, {at}"),
                );
            }
        }
        if let Some(prefix) = value_of("--list=") {
            list(archive, &across, thresholds[1], &format!("{prefix}{nth}"));
        }
    }
    if args.iter().any(|a| a == "--weights") {
        let mut named: Vec<(f64, &str)> = Feature::ALL
            .iter()
            .map(|f| (weights[*f as usize], f.name()))
            .collect();
        named.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (weight, name) in named {
            println!("{weight:8.3} {name}");
        }
    }
    if args.iter().any(|a| a == "--write") {
        write(&weights, thresholds, &samples);
    }
}

fn load(folder: &Path) -> Archive {
    let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let meta = fs::read_dir(folder.join("meta")).unwrap_or_else(|e| fail(folder, &e.to_string()));
    let mut files: Vec<PathBuf> = meta.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_else(|e| fail(&file, &e.to_string()));
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let number = |at: usize| cells[at].parse::<u32>().ok();
            let value = number(8).zip(number(9)).filter(|(a, b)| a < b);
            let row = Row {
                first: number(5).unwrap_or(0),
                last: number(6).unwrap_or(0),
                value,
                real: cells[7] == "T",
                category: cells[12..].join(","),
            };
            rows.entry(cells[4].to_owned()).or_default().push(row);
        }
    }
    let sweep = sweep();
    let mut found = Vec::new();
    for path in rows.keys() {
        let bytes = fs::read(folder.join(path))
            .unwrap_or_else(|e| fail(&folder.join(path), &e.to_string()));
        for finding in sweep.scan_bytes(path, &bytes) {
            found.push(Found {
                repo: path.split('/').nth(1).unwrap_or_default().to_owned(),
                path: path.clone(),
                first: finding.start.line,
                last: finding.end.line,
                columns: (finding.start.column - 1, finding.end.column - 1),
                rule: finding.rule.id.to_string(),
                features: finding
                    .explanation
                    .filter(|e| !e.capped)
                    .and_then(|e| e.features)
                    .map(|features| features.0.iter().map(|v| f64::from(*v)).collect()),
                confidence: finding.confidence,
            });
        }
    }
    Archive { rows, found }
}

/// The real thing, but for keeping what the model would drop.
fn sweep() -> Sweep {
    Sweep::new(Options {
        min_confidence: Level::Low,
        thorough: true,
        ..Options::new(NOW)
    })
}

fn fail(path: &Path, fault: &str) -> ! {
    eprintln!("{}: {fault}", path.display());
    process::exit(2);
}

/// A value with its features and what it is.
struct Sample {
    repo: String,
    features: Vec<f64>,
    real: bool,
    weight: f64,
}

fn shares_line(found: &Found, row: &Row) -> bool {
    found.first <= row.last && row.first <= found.last
}

/// Whether a finding's secret and a row's value overlap, as far as the row says where it stands.
fn shares_value(found: &Found, row: &Row) -> bool {
    let Some((start, end)) = row.value.filter(|_| row.first == row.last) else {
        return true;
    };
    let (from, to) = (
        if found.first < row.first {
            0
        } else {
            found.columns.0
        },
        if found.last > row.last {
            u32::MAX
        } else {
            found.columns.1
        },
    );
    from < end && start < to
}

fn samples(archives: &[Archive]) -> Vec<Sample> {
    let mut samples = Vec::new();
    for archive in archives {
        for found in &archive.found {
            let Some(features) = &found.features else {
                continue;
            };
            let rows: Vec<&Row> = archive.rows[&found.path]
                .iter()
                .filter(|row| shares_line(found, row))
                .collect();
            let here: Vec<&&Row> = rows.iter().filter(|row| shares_value(found, row)).collect();
            let real = here.iter().any(|row| row.real);
            // A neighbour of a true value is neither an example nor a counter-example.
            if !real && rows.iter().any(|row| row.real) {
                continue;
            }
            let weight = if rows.is_empty() {
                UNLABELLED_WEIGHT
            } else {
                1.0
            };
            samples.push(Sample {
                repo: found.repo.clone(),
                features: features.clone(),
                real,
                weight,
            });
        }
    }
    // A few repositories hold hundreds of near-equal values; each further one teaches less.
    let mut sizes: HashMap<String, f64> = HashMap::new();
    for sample in &samples {
        *sizes.entry(sample.repo.clone()).or_default() += 1.0;
    }
    for sample in &mut samples {
        sample.weight *= (sizes[&sample.repo] / 40.0).max(1.0).powf(-0.35);
    }
    samples
}

/// The repository of samples that are made here: in no fold, so always learnt from.
const MADE: &str = "";

/// Passwords as people make them, and words that stand for none, by names that promise a password.
fn human() -> Vec<Sample> {
    const CARRIERS: [(&str, &str); 20] = [
        ("app.py", "password = \"{}\"\n"),
        (
            "app.py",
            "conn = connect(host=host, user=\"app\", password='{}')\n",
        ),
        ("app.js", "  dbPassword: '{}',\n"),
        ("App.java", "String password = \"{}\";\n"),
        ("config.yml", "  user: app\n  password: {}\n"),
        (".env", "DB_PASSWORD={}\n"),
        ("app.json", "  \"password\": \"{}\",\n"),
        ("app.properties", "spring.datasource.password={}\n"),
        ("deploy.sh", "export ADMIN_PASSWORD='{}'\n"),
        ("a.ipynb.py", "spark.conf.set('jdbc.password', '{}')\n"),
        ("web.config", "<add key=\"Password\" value=\"{}\"/>\n"),
        ("notes.md", "Password: {}\n"),
        ("app.py", "x = os.getenv('DB_PASSWORD', '{}')\n"),
        ("App.java", "ds.setPassword(\"{}\");\n"),
        (
            "app.json",
            "{\"name\": \"DB_PASSWORD\", \"value\": \"{}\"}\n",
        ),
        ("app.yml", "  - name: DB_PASSWORD\n    value: {}\n"),
        ("app.xml", "<password>{}</password>\n"),
        ("run.log", "spark.conf.set('jdbc.password', '{}')\n"),
        ("run.log", "adminPassword: '{}'\n"),
        ("deploy.sh", "tool login --admin-password '{}' --name app\n"),
    ];
    const WORDS: [&str; 12] = [
        "summer", "tiger", "dragon", "coffee", "berlin", "monday", "football", "sunshine",
        "winter", "pepper", "rocket", "london",
    ];
    const NONE: [&str; 10] = [
        "password",
        "Passw0rd",
        "changeme123",
        "test1234",
        "mysecret",
        "secret123",
        "foobar",
        "admin123",
        "hello",
        "dummy_password",
    ];
    let sweep = sweep();
    let mut samples = Vec::new();
    for (nth, word) in WORDS.iter().enumerate() {
        let mut title = (*word).to_owned();
        title[..1].make_ascii_uppercase();
        let (number, other) = (17 + 7 * nth, WORDS[(nth + 5) % WORDS.len()]);
        let made = [
            format!("{title}{}!", 1990 + number % 36),
            format!("{word}{number}"),
            format!("{title}#{number}"),
            format!("{word}.{other}{number}"),
            format!("{word}-{other}-{number}"),
        ];
        for value in made {
            samples.extend(learn(&sweep, &CARRIERS, &value, true));
        }
    }
    for value in NONE {
        samples.extend(learn(&sweep, &CARRIERS, value, false));
    }
    samples
}

/// Keys as machines make them, in what a program or a cell prints: the labelled files of that kind
/// are recorded traffic, in which few of the many values are secrets.
fn printed() -> Vec<Sample> {
    const CARRIERS: [(&str, &str); 5] = [
        ("run.log", "storageKey: '{}'\n"),
        ("run.log", "encryption_key = \"{}\"\n"),
        ("run.log", "secret_key: '{}'\n"),
        ("run.log", "api_key = \"{}\"\n"),
        ("run.log", "salt = \"{}\"\n"),
    ];
    const SHAPES: [&str; 3] = ["{b64:40}", "{b62:40}", "{hex:32}"];
    const EACH: usize = 3;
    let sweep = sweep();
    let mut generator = Generator::new(1);
    let mut samples = Vec::new();
    for shape in SHAPES.iter().cycle().take(EACH * SHAPES.len()) {
        let value = generator.fill(shape).expect("a template");
        samples.extend(learn(&sweep, &CARRIERS, &value, true));
    }
    samples
}

/// The samples that a value gives in every carrier.
fn learn(sweep: &Sweep, carriers: &[(&str, &str)], value: &str, real: bool) -> Vec<Sample> {
    /// Many alike are as one.
    const WEIGHT: f64 = 0.6;
    let found = carriers
        .iter()
        .flat_map(|(path, text)| sweep.scan_bytes(path, text.replace("{}", value).as_bytes()));
    let features = found.filter_map(|finding| finding.explanation?.features);
    features
        .map(|features| Sample {
            repo: MADE.to_owned(),
            features: features.0.iter().map(|v| f64::from(*v)).collect(),
            real,
            weight: WEIGHT,
        })
        .collect()
}

/// Fits weights to the samples that `take` takes, by Newton's method.
fn fit(samples: &[Sample], take: impl Fn(&Sample) -> bool) -> Vec<f64> {
    const ROUNDS: usize = 12;
    let taken: Vec<&Sample> = samples.iter().filter(|s| take(s)).collect();
    let mut weights = vec![0.0; COUNT];
    for _ in 0..ROUNDS {
        let mut gradient = vec![0.0; COUNT];
        let mut hessian = vec![vec![0.0; COUNT]; COUNT];
        for sample in &taken {
            let active: Vec<usize> = (0..COUNT)
                .filter(|at| sample.features[*at] != 0.0)
                .collect();
            let score: f64 = active
                .iter()
                .map(|at| weights[*at] * sample.features[*at])
                .sum();
            let chance = 1.0 / (1.0 + (-score).exp());
            let slope = sample.weight * (f64::from(u8::from(sample.real)) - chance);
            let bend = sample.weight * (chance * (1.0 - chance)).max(1e-6);
            for &a in &active {
                gradient[a] += slope * sample.features[a];
                for &b in &active {
                    hessian[a][b] += bend * sample.features[a] * sample.features[b];
                }
            }
        }
        for at in 0..COUNT {
            let ridge = if at == Feature::Bias as usize {
                1e-3
            } else {
                RIDGE
            };
            gradient[at] -= ridge * weights[at];
            hessian[at][at] += ridge;
        }
        for (weight, step) in weights.iter_mut().zip(solve(hessian, gradient)) {
            *weight += step;
        }
    }
    weights
}

/// Solves a symmetric positive definite system by Gaussian elimination.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for at in 0..size {
        let (above, below) = matrix.split_at_mut(at + 1);
        let pivot = &above[at];
        for (offset, row) in below.iter_mut().enumerate() {
            let factor = row[at] / pivot[at];
            if factor != 0.0 {
                for (cell, from) in row.iter_mut().zip(pivot).skip(at) {
                    *cell -= factor * from;
                }
                right[at + 1 + offset] -= factor * right[at];
            }
        }
    }
    for at in (0..size).rev() {
        let known: f64 = (at + 1..size)
            .map(|next| matrix[at][next] * right[next])
            .sum();
        right[at] = (right[at] - known) / matrix[at][at];
    }
    right
}

/// For each repository the weights fitted without its fold.
fn cross_validate(samples: &[Sample]) -> HashMap<String, Vec<f64>> {
    let repos: BTreeSet<&String> = samples
        .iter()
        .map(|s| &s.repo)
        .filter(|r| *r != MADE)
        .collect();
    let fold: HashMap<&String, usize> = repos
        .iter()
        .enumerate()
        .map(|(nth, repo)| (*repo, nth % FOLDS))
        .collect();
    let mut weights = HashMap::new();
    for nth in 0..FOLDS {
        let fitted = fit(samples, |sample| fold.get(&sample.repo) != Some(&nth));
        for (repo, _) in fold.iter().filter(|(_, f)| **f == nth) {
            weights.insert((*repo).clone(), fitted.clone());
        }
    }
    weights
}

/// The score of each finding; those the model does not judge get an extreme one by confidence.
fn scores<'w>(archive: &Archive, weights: impl Fn(&str) -> &'w Vec<f64>) -> Vec<f64> {
    let of = |found: &Found| match &found.features {
        Some(features) => weights(&found.repo)
            .iter()
            .zip(features)
            .map(|(w, f)| w * f)
            .sum(),
        None if found.confidence >= Level::Medium => f64::MAX,
        None => f64::NAN,
    };
    archive.found.iter().map(of).collect()
}

/// Counts for one class.
#[derive(Clone, Copy, Default)]
struct Count {
    hit: usize,
    missed: usize,
    wrong: usize,
    unlabelled: usize,
}

impl Count {
    fn f1(&self) -> f64 {
        2.0 * self.hit as f64 / (2 * self.hit + self.wrong + self.missed).max(1) as f64
    }
}

const GENERIC: [&str; 10] = [
    "Password",
    "Secret",
    "Token",
    "Key",
    "Credential",
    "Auth",
    "API",
    "Salt",
    "Nonce",
    "Other",
];
const STRUCTURED: [&str; 17] = [
    "UUID",
    "URL Credentials",
    "Basic Authorization",
    "Bearer Authorization",
    "JSON Web Token",
    "JWK",
    "PEM Private Key",
    "BASE64 Private Key",
    "BASE64 encoded PEM Private Key",
    "CMD Password",
    "CMD Secret",
    "CMD Token",
    "CMD ConvertTo-SecureString",
    "SQL Password",
    "CURL User Password",
    "OTP / 2FA Secret",
    "NTLM Token",
];
const CLASSES: [&str; 4] = ["nouuid", "provider", "structured", "generic"];

fn in_class(category: &str, class: &str) -> bool {
    let mut names = category.split(':');
    let provider = category
        .split(':')
        .any(|n| !GENERIC.contains(&n) && !STRUCTURED.contains(&n));
    let structured = !provider && category.split(':').any(|n| STRUCTURED.contains(&n));
    match class {
        "nouuid" => !names.all(|n| n == "UUID"),
        "provider" => provider,
        "structured" => structured,
        _ => !provider && !structured,
    }
}

/// The scorer's `line` rule: which findings count, by path and line.
fn count(archive: &Archive, reported: &dyn Fn(usize) -> bool, class: &str) -> Count {
    let mut by_path: HashMap<&str, Vec<&Found>> = HashMap::new();
    for (at, found) in archive
        .found
        .iter()
        .enumerate()
        .filter(|(at, _)| reported(*at))
    {
        let _ = at;
        by_path.entry(&found.path).or_default().push(found);
    }
    let mut count = Count::default();
    for (path, rows) in &archive.rows {
        let none = Vec::new();
        let found = by_path.get(path.as_str()).unwrap_or(&none);
        for row in rows
            .iter()
            .filter(|row| row.real && in_class(&row.category, class))
        {
            if found.iter().any(|f| shares_line(f, row)) {
                count.hit += 1;
            } else {
                count.missed += 1;
            }
        }
        let mut lines: BTreeMap<u32, (bool, Vec<&Row>)> = BTreeMap::new();
        for f in found {
            let touched: Vec<&Row> = rows.iter().filter(|row| shares_line(f, row)).collect();
            let entry = lines.entry(f.first).or_default();
            entry.0 |= touched.iter().any(|row| row.real);
            entry.1.extend(touched);
        }
        for (good, touched) in lines.values().filter(|(good, _)| !good) {
            let _ = good;
            if touched.is_empty() {
                count.unlabelled += 1;
            } else if touched.iter().any(|row| in_class(&row.category, class)) {
                count.wrong += 1;
            }
        }
    }
    count
}

fn reported(archive: &Archive, scores: &[f64], floor: f64, low: bool) -> impl Fn(usize) -> bool {
    let kept: HashSet<usize> = (0..archive.found.len())
        .filter(|at| scores[*at] >= floor || low && scores[*at].is_nan())
        .collect();
    move |at| kept.contains(&at)
}

fn table(archive: &Archive, scores: &[f64], floor: f64, low: bool, title: &str) {
    println!(
        "{title}\n{:12}{:>6}{:>6}{:>6}{:>8}{:>8}{:>8}{:>7}",
        "class", "TP", "FN", "FP", "P", "R", "F1", "unlab"
    );
    let reported = reported(archive, scores, floor, low);
    for class in CLASSES {
        let c = count(archive, &reported, class);
        let precision = c.hit as f64 / (c.hit + c.wrong).max(1) as f64;
        let recall = c.hit as f64 / (c.hit + c.missed).max(1) as f64;
        let unlabelled = if class == "nouuid" {
            c.unlabelled.to_string()
        } else {
            String::new()
        };
        println!(
            "{class:12}{:6}{:6}{:6}{precision:8.3}{recall:8.3}{:8.3}{unlabelled:>7}",
            c.hit,
            c.missed,
            c.wrong,
            c.f1()
        );
    }
    println!();
}

/// Medium: where the mean F1 of the archives, each judged by weights that did not see it, is best; of
/// those as good within [`TIE`], the highest, as files in the wild hold more traps than these. Low
/// and high: one in five and nineteen in twenty.
fn thresholds(archives: &[Archive], weights: &HashMap<String, Vec<f64>>) -> [f64; 3] {
    let scored: Vec<Vec<f64>> = archives
        .iter()
        .map(|a| scores(a, |repo| &weights[repo]))
        .collect();
    let mean = |floor: f64| -> f64 {
        let f1 = archives
            .iter()
            .zip(&scored)
            .map(|(a, s)| count(a, &reported(a, s, floor, false), "nouuid").f1());
        f1.sum::<f64>() / archives.len() as f64
    };
    const TIE: f64 = 0.001;
    let floors: Vec<(f64, f64)> = (-15..=15)
        .map(|step| f64::from(step) / 10.0)
        .map(|floor| (floor, mean(floor)))
        .collect();
    let most = floors.iter().map(|(_, f1)| *f1).fold(0.0, f64::max);
    let tied = floors.iter().filter(|(_, f1)| *f1 >= most - TIE);
    let best = tied.map(|(floor, _)| *floor).fold(-1.5, f64::max);
    [best - 1.4, best, best + 2.5]
}

/// Writes what was missed and what was wrong.
fn list(archive: &Archive, scores: &[f64], floor: f64, prefix: &str) {
    let reported = reported(archive, scores, floor, false);
    let (mut missed, mut wrong) = (String::new(), String::new());
    for (path, rows) in &archive.rows {
        let found: Vec<(usize, &Found)> = archive
            .found
            .iter()
            .enumerate()
            .filter(|(_, f)| f.path == *path)
            .collect();
        for row in rows.iter().filter(|row| row.real) {
            if !found
                .iter()
                .any(|(at, f)| reported(*at) && shares_line(f, row))
            {
                let best = found
                    .iter()
                    .filter(|(_, f)| shares_line(f, row))
                    .map(|(at, f)| (scores[*at], &f.rule))
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let best = best.map_or("none".to_owned(), |(score, rule)| {
                    format!("{score:.1}={rule}")
                });
                writeln!(missed, "{path}:{} {}@{best}", row.first, row.category)
                    .expect("writing to a string");
            }
        }
        for (at, f) in found.iter().filter(|(at, _)| reported(*at)) {
            let touched: Vec<&Row> = rows.iter().filter(|row| shares_line(f, row)).collect();
            if !touched.iter().any(|row| row.real) {
                let category = touched.first().map_or("unlabelled", |row| &row.category);
                writeln!(
                    wrong,
                    "{path}:{} {category}@{:.1}={}",
                    f.first, scores[*at], f.rule
                )
                .expect("writing to a string");
            }
        }
    }
    fs::write(format!("{prefix}.missed"), missed).expect("the list can be written");
    fs::write(format!("{prefix}.false"), wrong).expect("the list can be written");
}

/// Writes features and labels for other programs.
fn dump(archives: &[Archive], file: &str) {
    let mut text = String::from("archive\trepo\tpath\tline\tlabel");
    for feature in Feature::ALL {
        write!(text, "\t{}", feature.name()).expect("writing to a string");
    }
    for (nth, archive) in archives.iter().enumerate() {
        for found in archive.found.iter() {
            let Some(features) = &found.features else {
                continue;
            };
            let rows: Vec<&Row> = archive.rows[&found.path]
                .iter()
                .filter(|row| shares_line(found, row))
                .collect();
            let real = rows.iter().any(|row| row.real && shares_value(found, row));
            let label = match (real, rows.iter().any(|row| row.real), rows.is_empty()) {
                (true, ..) => "T",
                (_, true, _) => "N",
                (.., true) => "U",
                _ => "F",
            };
            write!(
                text,
                "\n{nth}\t{}\t{}\t{}\t{label}",
                found.repo, found.path, found.first
            )
            .expect("writing to a string");
            for value in features {
                write!(text, "\t{value}").expect("writing to a string");
            }
        }
    }
    fs::write(file, text).expect("the dump can be written");
}

fn write(weights: &[f64], [low, medium, high]: [f64; 3], samples: &[Sample]) {
    let mut text = String::from(
        "# Written by examples/train_generic.rs; see there. Weights are log-odds that a feature of the\n\
         # name in src/judge/generic/features.rs adds. Do not edit by hand.\n\n[made]\n",
    );
    let date = time::OffsetDateTime::now_utc().date();
    let real = samples.iter().filter(|s| s.real).count();
    write!(
        text,
        "date = \"{date}\"\n\
         data = \"creddata-dev, obfuscated and natural: {} candidates, {real} of them secrets\"\n\
         command = \"cargo run --release --example train_generic -- obf/creddata-dev nat/creddata-dev --write\"\n\n\
         [thresholds]\nlow = {low:.2}\nmedium = {medium:.2}\nhigh = {high:.2}\n\n[weights]\n",
        samples.len(),
    )
    .expect("writing to a string");
    for feature in Feature::ALL {
        writeln!(
            text,
            "{:?} = {:.4}",
            feature.name(),
            weights[*feature as usize]
        )
        .expect("writing to a string");
    }
    fs::write("patterns/generic/model.toml", text)
        .unwrap_or_else(|e| fail(Path::new("patterns/generic/model.toml"), &e.to_string()));
}
