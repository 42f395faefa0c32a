//! Generic secrets through the whole judge: what is found, what is dropped and why, what is said.

use proptest::prelude::*;

use super::features::{Feature, Features, name_of};
use super::model::{Model, THRESHOLDS};
use super::reject;
use crate::decode::Role;
use crate::detect::assign;
use crate::judge::place::{Kind, Kinds, Place};
use crate::judge::{Assessment, Judge, Probe};
use crate::rules::{Level, RuleDef, RuleSet};
use crate::span::ViewSpan;

fn generic(rules: &RuleSet) -> &RuleDef {
    let found = rules.iter().find(|rule| rule.id == "generic-password");
    found.expect("the rule is built in")
}

/// Calls `act` with every value that the grammar reads after `word` in `text`.
fn each(path: &str, text: &str, word: &str, mut act: impl FnMut(&Probe<'_>)) {
    let rules = RuleSet::built_in();
    let lower = text.to_ascii_lowercase();
    for (at, _) in lower.match_indices(word) {
        let stretch = ViewSpan::new(0, text.len());
        let found = assign::read(text.as_bytes(), stretch, ViewSpan::new(at, at + word.len()));
        for assigned in &found.values {
            act(&Probe {
                text: text.as_bytes(),
                stretch,
                matched: ViewSpan::new(found.name.start as usize, assigned.value.end as usize),
                secret: assigned.value,
                rule: generic(&rules),
                name: &text.as_bytes()[found.name.range()],
                quoted: assigned.quoted,
                place: Place::of(path).within(Role::Text),
                thorough: false,
                machine_made: false,
                now: 0,
            });
        }
    }
}

fn verdicts(path: &str, text: &str, word: &str) -> Vec<Assessment> {
    let judge = Judge::new();
    let mut found = Vec::new();
    each(path, text, word, |probe| found.extend(judge.assess(probe)));
    found
}

fn best(path: &str, text: &str, word: &str) -> Option<Level> {
    verdicts(path, text, word)
        .iter()
        .map(|found| found.confidence)
        .max()
}

/// Why the value of an assignment is no secret, if it is none.
fn turned_down(probe: &Probe<'_>) -> Option<&'static str> {
    let name = name_of(probe);
    reject::at_once(probe, &name)
        .or_else(|| reject::of_value(probe.value(), &name))
        .or_else(|| reject::reason(probe))
}

/// Put together here, so that none stands in this file.
fn human() -> Vec<String> {
    let words = ["summer", "Tiger", "kaffee", "Monday", "liverpool"];
    let made = words.iter().enumerate().flat_map(|(nth, word)| {
        let number = 2011 + nth;
        [
            format!("{word}{number}!"),
            format!("{word}#{}", number % 100),
            format!("{word}.{}{}", words[(nth + 2) % words.len()], number % 100),
        ]
    });
    made.collect()
}

/// Every carrier in which a value stands, with a file in which it does.
const CARRIERS: [(&str, &str); 30] = [
    ("a.py", "password = \"{}\""),
    ("a.py", "db_password='{}'"),
    ("a.py", "password: str = '{}'"),
    ("a.py", "connect(host=host, user='app', password='{}')"),
    ("a.py", "os.environ['DB_PASSWORD'] = '{}'"),
    ("a.py", "x = os.getenv('DB_PASSWORD', '{}')"),
    ("a.py", "spark.conf.set('jdbc.password', '{}')"),
    ("a.py", "password = SecretStr('{}')"),
    ("a.js", "const cfg = {{ user: 'app', password: '{}' }};"),
    ("a.js", "const password = process.env.PASSWORD || '{}';"),
    ("A.java", "ds.setPassword(\"{}\");"),
    (
        "A.java",
        "private static final String DB_PASSWORD = \"{}\";",
    ),
    ("a.go", "\tPassword: \"{}\","),
    ("a.go", "dbPassword := \"{}\""),
    ("a.rb", "config.password => '{}'"),
    ("a.php", "'password' => '{}',"),
    ("a.cs", "var password = @\"{}\";"),
    ("a.yml", "user: app\npassword: {}\nhost: db"),
    ("a.yml", "- name: DB_PASSWORD\n  value: {}\n"),
    ("a.json", "{{\"password\": \"{}\"}}"),
    ("a.json", "{{\"name\": \"DB_PASSWORD\", \"value\": \"{}\"}}"),
    ("a.js", "var s = \"{{\\\"password\\\": \\\"{}\\\"}}\";"),
    ("a.properties", "spring.datasource.password={}"),
    (".env", "DB_PASSWORD={}"),
    ("a.ini", "password = {}"),
    ("a.xml", "<password>{}</password>"),
    ("a.config", "<add key=\"Password\" value=\"{}\"/>"),
    ("a.sh", "export DB_PASSWORD='{}'"),
    ("a.sh", "az x create --admin-password '{}' --name y"),
    ("Dockerfile", "ENV DB_PASSWORD={}"),
];

#[test]
fn passwords_that_people_make_are_found_in_every_carrier() {
    for value in human() {
        for (path, carrier) in CARRIERS {
            let text = carrier
                .replace("{{", "{")
                .replace("}}", "}")
                .replace("{}", &value);
            let found = best(path, &text, "password");
            assert!(found >= Some(Level::Medium), "{path}: {text}: {found:?}");
        }
    }
}

#[test]
fn words_that_stand_for_no_password_are_not() {
    for value in [
        "password",
        "changeme",
        "secret",
        "your-password",
        "test",
        "Passw0rd",
        "dummy_password",
    ] {
        for (path, carrier) in CARRIERS {
            let text = carrier
                .replace("{{", "{")
                .replace("}}", "}")
                .replace("{}", value);
            let found = best(path, &text, "password");
            assert!(found < Some(Level::Medium), "{path}: {text}: {found:?}");
        }
    }
}

#[test]
fn what_cannot_be_a_secret_is_dropped_with_its_reason() {
    let mut generator = crate::rules::template::Generator::new(5);
    let mut made = |template| generator.fill(template).expect("a template");
    let fillers = [
        ("<random>", made("{b62:12}")),
        ("<hex>", made("{hex:32}")),
        ("<crypt>", made("Ab{b62:20}")),
        ("<public>", made("{crc16:U}")),
        ("<payload>", made(r#"{b64uof:{{"sub":"a","exp":1}}}"#)),
        ("<mine>", made("{b64of:MyMadeUpString}")),
        ("<none>", made(r#"{b64uof:{{"alg":"none"}}}"#)),
    ];
    let fill = |text: &str| {
        let mut text = text.to_owned();
        for (mark, value) in &fillers {
            text = text.replace(mark, value);
        }
        text
    };
    for (path, text, word, reason) in [
        (
            "a.py",
            "password_field = 'Gx7#kkp2'",
            "password",
            "the name is that of an id, an address or a setting",
        ),
        (
            "a.json",
            "{\"LABEL_PASSWORD\": \"Kennwort2\"}",
            "password",
            "the name is that of a label or an error",
        ),
        (
            "a.json",
            "{\"publicKey\": \"q7Zr2mXpL0aB\"}",
            "key",
            "the name is that of a public key",
        ),
        (
            "a.py",
            "password = 'ab'",
            "password",
            "too short for a secret",
        ),
        (
            "package-lock.json",
            "{\"token\": \"<random>\"}",
            "token",
            "stands in a file that a tool wrote",
        ),
        (
            "i18n/de.json",
            "{\"password\": \"<random>\"}",
            "password",
            "stands among translations",
        ),
        ("a.py", "password = 'a${DB}b'", "password", "a template"),
        ("a.py", "password = '$DB_PASS1'", "password", "a variable"),
        (
            "a.py",
            "password = get('k7Zq2mXp')",
            "password",
            "is looked up elsewhere",
        ),
        (
            "a.py",
            "password = config['k7Zq2mXp']",
            "password",
            "is looked up elsewhere",
        ),
        ("a.py", "password = 'read(file1)'", "password", "a call"),
        (
            "a.py",
            "password = settings.password1",
            "password",
            "an expression",
        ),
        ("a.py", "password = '/etc/pass/word1'", "password", "a path"),
        ("a.py", "token = 'https://h.net/t1'", "token", "an address"),
        ("a.py", "tls_key = 'server.pem'", "key", "a file"),
        (
            "a.py",
            "secret = 'a sentence of several words 1'",
            "secret",
            "prose",
        ),
        ("a.yml", "password: string", "password", "a type"),
        (
            "a.md",
            "the password: whatever word that you like",
            "password",
            "a word of a sentence",
        ),
        ("a.py", "token = '2024-01-31T10:11:12'", "token", "a date"),
        (
            "a.py",
            "key = '000102030405060708090a0b0c0d0e0f'",
            "key",
            "is a sequence",
        ),
        (
            "a.md",
            "badge.svg?token=Z9k2NHfQ7G",
            "token",
            "the token of a badge, which is public",
        ),
        (
            "a.json",
            "{\"src/token.rs\": \"<hex>\"}",
            "token",
            "the name is that of a file",
        ),
        (
            "a.json",
            "{\"shape\": \"Password\", \"documentation\": \"of it\"}",
            "password",
            "is the next key of an object",
        ),
        (
            "a.py",
            "NAMES = [\n    \"username\",\n    \"password\",\n    \"surname\",\n]\n",
            "password",
            "is an element of a list",
        ),
        (
            "a.py",
            "password = unquote(text, errors='strict')",
            "password",
            "is an argument with a name of its own",
        ),
        (
            "a.py",
            "password = self.get_option('become_it')",
            "password",
            "is looked up elsewhere",
        ),
        (
            "a.rs",
            "T {\n  key: h(\"<hex>\"),\n  plaintext: h(\"<hex>\"),\n  ciphertext: h(\"<hex>\"),\n}\n",
            "key",
            "a test vector of a cipher",
        ),
        (
            "a.txt",
            "Sec-WebSocket-Key: <random>==",
            "key",
            "a nonce of a handshake, which opens nothing",
        ),
        ("a.py", "zone(key='Europe/Dublin')", "key", "a path"),
        (
            "a.py",
            "{\"pwd\": \"core.magics.osm:OSMagics\"}",
            "pwd",
            "the name of something in a module",
        ),
        (".env", "PASSWORD={name:16}", "password", "a template"),
        (
            "a.toml",
            "keywords = [\"secret-token:bank_\"]",
            "secret-token",
            "a prefix without its rest",
        ),
        (
            "a.toml",
            "\"near.secret\" = -0.25",
            "near.secret",
            "a number",
        ),
        (
            "a.py",
            "userpass = bytes(f(user, password), 'utf-8')",
            "userpass",
            "the name of an encoding",
        ),
        (
            "a.rs",
            "let pt = \"<hex>\";\nlet mut ct = \"<hex>\";\nlet key = \"<hex>\";\n",
            "key",
            "a test vector of a cipher",
        ),
        (
            "a.py",
            "KNOWN = [\n    (\"password\", \"<crypt>\"),\n    (\"a\", \"<crypt>\"),\n]",
            "password",
            "is a hash beside what it is the hash of",
        ),
        (
            "a.py",
            "KNOWN = [\n    (\"\", \"<crypt>\"),\n    (\"a long password\", \"<crypt>\"),\n]",
            "password",
            "is a hash beside what it is the hash of",
        ),
        (
            "a.yml",
            "password: $6$rounds=5000$<random>$<crypt>",
            "password",
            "is a hash of a password",
        ),
        (
            "a.json",
            "{\"nkey\": \"<public>\"}",
            "nkey",
            "a public key, by its checksum",
        ),
        (
            "a.rs",
            "const TOKEN: &str = \"<payload>\";",
            "token",
            "a token without its signature",
        ),
        (
            "a.rs",
            "let token = \"<none>.<payload>.\";",
            "token",
            "a token without its signature",
        ),
        (
            "a.xml",
            "<tag key=\"\\xe5\\xf6\\xf6&lt;&#229;\" />",
            "key",
            "too short for a secret",
        ),
        (
            "a.md",
            "token: \"<random>...<random>\"",
            "token",
            "an ellipsis stands for the rest",
        ),
        (
            "a.md",
            "--salt <mine>",
            "salt",
            "decodes to words for no secret",
        ),
        (
            "Cargo.toml",
            "cert-key-password = [\"dep:pem\", \"dep:pkcs8\"]",
            "password",
            "the name of a dependency",
        ),
    ] {
        let mut reasons = Vec::new();
        let text = &fill(text);
        each(path, text, word, |probe| {
            reasons.push(turned_down(probe));
        });
        assert!(reasons.contains(&Some(reason)), "{text}: {reasons:?}");
    }
}

/// Forms that resemble those of hashes and vectors, and hold secrets.
#[test]
fn secrets_in_the_company_of_their_like_stay() {
    let mut generator = crate::rules::template::Generator::new(6);
    let mut random = || generator.fill("Ab{b62:20}").expect("a template");
    for (path, text, word) in [
        (
            "a.py",
            "data = [\n    (\"client_id\", \"<1>\"),\n    (\"password\", \"<2>\"),\n]",
            "password",
        ),
        (
            "a.py",
            "data = [\n    (\"username\", \"anna\"),\n    (\"password\", \"<1>\"),\n]",
            "password",
        ),
        ("a.rs", "let key = \"<1>\";\nlet name = \"<2>\";\n", "key"),
        (".env", "<name>=$ab$<1>", "password"),
    ] {
        let text = text
            .replace("<name>", "PASSWORD")
            .replace("<1>", &random())
            .replace("<2>", &random());
        let mut reasons = Vec::new();
        each(path, &text, word, |probe| {
            reasons.push(turned_down(probe));
        });
        assert!(reasons.contains(&None), "{text}: {reasons:?}");
    }
}

#[test]
fn a_verdict_says_why() {
    let value = &human()[0];
    let found = verdicts("a.py", &format!("password = \"{value}\""), "password");
    let [found] = &found[..] else {
        panic!("one value")
    };
    let explanation = found.explanation.as_ref().expect("the model judged");
    let sum: f32 = explanation.parts.iter().map(|(_, added)| added).sum();
    assert!((sum - explanation.score).abs() < 1e-3);
    assert!(
        explanation
            .parts
            .iter()
            .any(|(feature, _)| *feature == Feature::NamePassword)
    );
    assert!(!found.reasons.is_empty());
}

#[test]
fn a_page_token_is_never_likely() {
    let found = best("a.py", "next_token = 'q7Zr2mXpL0aBv9TqYw3K'", "token");
    assert!(found <= Some(Level::Low), "{found:?}");
}

/// The compiled weights are those of the file: a score taken by hand from its text.
#[test]
fn the_model_is_that_of_its_file() {
    let file = include_str!("../../../patterns/generic/model.toml");
    let read: toml::Table = toml::from_str(file).expect("the model is TOML");
    let number = |table: &str, key: &str| read[table][key].as_float().expect("a number") as f32;
    let mut seen = 0;
    for (path, carrier) in CARRIERS {
        let text = carrier
            .replace("{{", "{")
            .replace("}}", "}")
            .replace("{}", &human()[1]);
        each(path, &text, "password", |probe| {
            let features = Model::built_in().read(probe, &name_of(probe));
            let weighed = Feature::ALL
                .iter()
                .map(|f| number("weights", f.name()) * features.get(*f));
            let by_hand: f32 = weighed.sum();
            assert!(
                (Model::built_in().score(&features) - by_hand).abs() < 1e-3,
                "{text}"
            );
            seen += 1;
        });
    }
    assert!(seen >= CARRIERS.len());
    assert_eq!(
        THRESHOLDS,
        ["low", "medium", "high"].map(|key| number("thresholds", key))
    );
}

proptest! {
    #[test]
    fn any_text_is_judged(
        before in "[ -~\n]{0,60}",
        after in "[ -~\n\u{e9}\u{4e2d}]{0,80}",
        word in prop::sample::select(vec!["password", "token", "key", "secret"]),
    ) {
        let text = format!("{before}{word}{after}");
        for found in verdicts("a.py", &text, word) {
            prop_assert!(found.secret.end as usize <= text.len());
        }
    }

    /// No text around makes more of a match than its bound.
    #[test]
    fn what_a_match_says_by_itself_bounds_its_score(
        before in prop_oneof!["[ -~\n]{0,60}", "(user|login|set\\(|get\\(|&|\\?|`| |\"|\n){0,6}"],
        between in "(=|: |\", \"|', '|\\(\"|=\"| = ')",
        value in "[!-~]{4,24}",
        after in prop_oneof!["[ -~\n]{0,60}", "(\"|'|user|\n|`|\\)){0,6}"],
        word in prop::sample::select(vec!["password", "token", "key", "secret"]),
        path in prop::sample::select(vec!["a.py", "a.yml", "a.md", "a.html", ""]),
    ) {
        let model = Model::built_in();
        each(path, &format!("{before}{word}{between}{value}{after}"), word, |probe| {
            let name = name_of(probe);
            let alone = model.most(&Features::of_match(probe, &name));
            let score = model.score(&model.read(probe, &name));
            assert!(score <= alone, "{score} {alone}");
        });
    }

    /// The kinds of path, asked at once, are those under which the match is found one by one.
    #[test]
    fn kinds_asked_at_once_are_those_asked_one_by_one(
        name in "(db_|x-|)(password|api_key|secret)|(csrf_|page_|)token",
        carrier in prop::sample::select(vec![
            "<name>=<>", "# <name> = <>", "<name> = '<>'", "\"<name>\": \"<>\"", "// <name>: <>", "`<name>=<>`",
        ]),
        value in prop_oneof![
            prop::sample::select(human()),
            "[0-9a-f]{32}",
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[a-z]{5}[.][a-z]{2,6}[0-9]?,?",
            "[a-z]{4}JQQJ99[a-zA-Z0-9]{20}",
            "[!-~]{4,24}",
        ],
        before in prop_oneof![
            "[ -~\n]{0,60}\n?",
            "(user|login|`|\"|# |// |\n){0,6}",
            "(f[(]x[)];a=b;){30}",
            "(plaintext|nonce) = '[0-9a-f]{20}'\n(iv|tag) = '[0-9a-f]{20}'\n",
        ],
        after in prop_oneof!["[ -~\n]{0,60}", "(\"|'| and|\n|`|,){0,6}", "(;f[(]x[)]){80}"],
        least in prop::sample::select(vec![Level::Low, Level::Medium, Level::High]),
    ) {
        let text = carrier.replace("<name>", &name).replace("<>", &value);
        let text = format!("{before}{text}{after}");
        let judge = Judge::new();
        for word in ["password", "key", "secret", "token"] {
            each("", &text, word, |probe| {
                let Ok(read) = judge.read(probe) else { return };
                let found = judge.weigh(probe, &read).ok();
                let mut brief = judge.weigh_briefly(probe, &read).ok();
                let told = |found: &Assessment| (found.confidence, found.severity, found.secret, found.value.clone());
                assert_eq!(found.as_ref().map(told), brief.as_ref().map(|brief| told(&brief.found)), "{text}");
                if let Some(brief) = brief.as_mut().filter(|brief| brief.found.confidence >= least) {
                    let one_by_one = kinds_one_by_one(&judge, probe, least);
                    let kinds = judge.kinds(probe, brief, least);
                    assert_eq!(kinds, one_by_one, "{text}");
                    let fits = |path: &str| kinds.fit(&Place::of(path)) || !is_found(&judge, probe, path, least);
                    assert!(PATHS.iter().all(|path| fits(path)), "{text}");
                }
            });
        }
    }

    /// Text farther away than the bounds say changes nothing.
    #[test]
    fn a_verdict_is_local(far in "[ -~\n]{0,200}") {
        let near = "\nx = 1\n".repeat(160);
        let value = ["Gx7", "kkp2", "Vq"].join("-");
        let text = format!("{near}password = \"{value}\"{near}");
        let moved = format!("{far}{text}{far}");
        let plain = |text: &str| -> Vec<_> {
            let found = verdicts("a.py", text, "password");
            let with_span = found.iter().filter(|f| text[f.secret.range()].starts_with("Gx7"));
            with_span.map(|f| (f.confidence, f.explanation.as_ref().map(|e| e.score))).collect()
        };
        prop_assert_eq!(plain(&text), plain(&moved));
    }
}

/// Paths of all kinds.
const PATHS: [&str; 13] = [
    "a.py",
    "a.sh",
    "a.yml",
    "a.md",
    "a.html",
    "a.log",
    "LICENSE",
    "test/a.yml",
    "example/a.yml",
    "test/a.rs",
    ".env.example",
    "i18n/a.json",
    "package-lock.json",
];

fn is_found(judge: &Judge, probe: &Probe<'_>, path: &str, least: Level) -> bool {
    let place = Place::of(path);
    let found = judge.assess(&Probe { place, ..*probe });
    found.is_ok_and(|found| found.confidence >= least)
}

fn kinds_one_by_one(judge: &Judge, probe: &Probe<'_>, least: Level) -> Kinds {
    let is_one = |kind: &Kind| {
        let place = Place::most_telling(*kind);
        let found = judge.assess(&Probe { place, ..*probe });
        found.is_ok_and(|found| found.confidence >= least)
    };
    Kind::ALL.into_iter().filter(is_one).collect()
}

#[test]
fn a_bare_value_is_one_among_settings_and_none_in_code() {
    let judge = Judge::new();
    let mut seen = Vec::new();
    let text = format!("db_password={}\n", human()[0]);
    each("", &text, "password", |probe| {
        let read = judge.read(probe).expect("reads as one");
        let mut brief = judge.weigh_briefly(probe, &read).expect("is one");
        seen.push(judge.kinds(probe, &mut brief, Level::Medium));
    });
    let [kinds] = seen[..] else {
        panic!("one match: {seen:?}")
    };
    assert!(kinds.fit(&Place::of("a.ini")) && !kinds.fit(&Place::of("a.py")));
    assert!(
        !kinds.fit(&Place::of("i18n/a.ini")),
        "nor among translations"
    );
}

/// What is found under some path must be found where only its kind is known, or nothing of it.
#[test]
fn no_path_says_more_than_an_unknown_one() {
    let model = Model::built_in();
    let texts = [
        ("password = <>", "password"),
        ("db_password=<>", "password"),
        ("password: \"<>\",", "password"),
        ("my-token: '<>'", "token"),
        ("key: <>", "key"),
        ("conf.set('secret', '<>')", "secret"),
    ];
    // Under a path, and under the most telling one of its kind.
    let scores = |path: &str, text: &str, word: &str| {
        let mut scores = Vec::new();
        each(path, text, word, |probe| {
            let place = Place::most_telling(probe.place.kind);
            let telling = Probe { place, ..*probe };
            let score = |probe| model.score(&model.read(probe, &name_of(probe)));
            scores.push([score(probe), score(&telling)]);
        });
        assert_eq!(scores.len(), 1, "{text}");
        scores[0]
    };
    for (text, word) in texts {
        for value in human().iter().take(4) {
            let text = text.replace("<>", value);
            let [unknown, _] = scores("", &text, word);
            for path in PATHS {
                let [own, of_kind] = scores(path, &text, word);
                assert!(own <= of_kind && of_kind <= unknown, "{path} {text}");
            }
        }
    }
}
