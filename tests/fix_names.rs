//! The names that `keysweep fix` gives, from run to run, and the files it has to find again.

#![cfg(unix)]

mod util;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use util::{Dir, Run, made_with};

fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

fn password(seed: u64) -> String {
    made_with("{b62:9}Zx9{b62:4}", seed)
}

fn fix(dir: &Dir, path: &str) -> Run {
    dir.run(&["fix", path, "--vault", "kv-app", "--write"])
}

/// The name by which a file gets its secret, once that was replaced.
fn name(dir: &Dir, path: &str) -> String {
    let text = fs::read_to_string(dir.path().join(path)).expect("readable");
    let call = text.split("= kv(\"").nth(1);
    let name = call.and_then(|rest| rest.split('"').next());
    name.expect("a call").to_owned()
}

/// Fixes two files, at once and one after the other, and asserts that their secrets have names of their own.
fn assert_own_names(files: &[(String, String)]) {
    for runs in [&["."][..], &[&files[0].0, &files[1].0]] {
        let dir = Dir::new();
        for (path, text) in files {
            dir.write(path, text);
        }
        for path in runs {
            let run = fix(&dir, path);
            assert!(run.code <= Some(1), "{}", run.stderr);
        }
        let [first, second] = [0, 1].map(|at: usize| name(&dir, &files[at].0));
        assert_ne!(first, second, "{runs:?}");
        // What is remembered tells no secret, and looks like none.
        dir.run(&["scan", "--min-confidence", "low", ".keysweep-names.json"])
            .expect(0);
    }
}

#[test]
fn a_later_run_gives_no_name_again() {
    let text = |seed| format!("GITHUB_TOKEN = \"{}\"\n", token(seed));
    assert_own_names(&[("a/s.py".into(), text(1)), ("b/s.py".into(), text(2))]);
}

#[test]
fn paths_whose_masks_are_alike_are_told_apart() {
    let file = |seed| {
        let text = format!("GITHUB_TOKEN = \"{}\"\n", token(seed + 10));
        (format!("{}/s.py", token(seed)), text)
    };
    assert_own_names(&[file(1), file(2)]);
    let file = |seed| {
        let text = format!("DB_PASSWORD = \"{}\"\n", password(seed));
        (format!("backup-{}.py", password(seed)), text)
    };
    assert_own_names(&[file(1), file(2)]);
}

#[test]
fn a_place_in_a_path_with_a_secret_keeps_its_name() {
    let dir = Dir::new();
    let path = |seed| format!("{}/s.py", token(seed));
    let text = |seed| format!("GITHUB_TOKEN = \"{}\"\n", token(seed));
    for seed in [1, 2] {
        dir.write(&path(seed), text(seed + 10));
        fix(&dir, &path(seed));
    }
    let names = [1, 2].map(|seed| name(&dir, &path(seed)));
    for seed in [2, 1] {
        dir.write(&path(seed), text(seed + 20));
        fix(&dir, &path(seed));
    }
    assert_eq!(names, [1, 2].map(|seed| name(&dir, &path(seed))));
}

#[test]
fn names_that_are_not_utf_8_are_fixed_like_others() {
    let dir = Dir::new();
    let files = [&b"caf\xe9.py"[..], b"caf<E9>.py", b"d\xff/a.py", b"z.py"];
    let files = files.map(|name| dir.path().join(OsStr::from_bytes(name)));
    for (path, seed) in files.iter().zip(1..) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let text = format!("GITHUB_TOKEN = \"{}\"\n", token(seed));
        fs::write(path, text).expect("written");
    }
    let scan = dir.run(&["scan", "--format", "jsonl"]).expect(1);
    let findings = scan.json_lines();
    let paths: Vec<_> = findings.iter().map(|f| f["path"].as_str()).collect();
    let shown = ["caf<3C>E9>.py", "caf<E9>.py", "d<FF>/a.py", "z.py"];
    assert_eq!(paths, shown.map(Some));
    let plan = dir.run(&["plan", "--vault", "kv-app"]).expect(1).stdout;
    for path in shown {
        assert!(plan.contains(&format!("{path} line 1")), "{plan}");
    }
    fix(&dir, ".").expect(0);
    for path in &files {
        let text = fs::read_to_string(path).expect("readable");
        assert!(text.contains("kv(\""), "{}", path.display());
    }
}

/// What cannot be read once more is told, and the rest goes on.
#[test]
fn a_file_that_cannot_be_read_again_stops_no_other() {
    let dir = Dir::new();
    let text = |seed| format!("GITHUB_TOKEN = \"{}\"\n", token(seed));
    dir.write("a.py", text(1));
    let run = |args: &[&str]| dir.run_with(args, &[], text(2).as_bytes()).expect(2);
    for command in ["plan", "migrate"] {
        let run = run(&[command, "/dev/stdin", "a.py"]);
        assert!(run.stdout.contains("a.py line 1"), "{}", run.stdout);
    }
    let run = run(&["fix", "/dev/stdin", "a.py", "--vault", "kv-app", "--write"]);
    let told = "/dev/stdin: is no regular file";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    name(&dir, "a.py");
}

/// Values that `fix` leaves have names of their own too, and those that it replaces the ones it writes.
#[test]
fn a_plan_names_what_is_left_as_well() {
    let dir = Dir::new();
    let text = |seed| format!("GITHUB_TOKEN = \"{}\"\n", token(seed));
    dir.write("app.py", text(1));
    for (path, seed) in [("a.md", 1), ("b.md", 2), ("c.md", 3)] {
        dir.write(path, text(seed));
    }
    let script = dir.run(&["migrate", "--vault", "kv-app"]).expect(0).stdout;
    let names: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("take "))
        .filter_map(|line| line.strip_suffix(" || failed=1"))
        .collect();
    fix(&dir, "app.py").expect(0);
    let written = name(&dir, "app.py");
    assert_eq!(names.len(), 3, "{script}");
    assert!(names.contains(&&*written), "{script}");
    let shared = format!("# {written}: ");
    let places = script.split(&shared).nth(1).expect("its places");
    let places: Vec<&str> = places.lines().skip(1).take(2).collect();
    assert_eq!(places, ["#   a.md line 1", "#   app.py line 1"]);
}

/// The lines of a script that say what it stores by a name.
fn told<'s>(script: &'s str, name: &str) -> Vec<&'s str> {
    let lines = script.lines();
    let from = lines.skip_while(|line| !line.starts_with(&format!("# {name}: ")));
    from.skip(1)
        .map_while(|line| line.strip_prefix("#   "))
        .collect()
}

#[test]
fn what_is_more_than_a_secret_is_told_without_it() {
    let dir = Dir::new();
    let [bearer, plain, password] = [token(1), token(2), password(3)];
    let connection = format!("Server=acme;Database=app;User ID=app;Password={password};");
    dir.write(
        "app.py",
        format!(
            "HEADERS = {{\"Authorization\": \"Bearer {bearer}\"}}\nGITHUB_TOKEN = \"{plain}\"\n"
        ),
    );
    dir.write(
        "Web.config",
        format!(
            "<configuration><connectionStrings><add name=\"Default\" connectionString=\"{connection}\" />\
             </connectionStrings></configuration>\n"
        ),
    );
    let args = ["--vault", "kv-app", "."];
    let script = dir
        .run(&[&["migrate"], &args[..]].concat())
        .expect(0)
        .stdout;
    let run = dir.run(&[&["fix"], &args[..]].concat()).expect(1);
    // The builder looks the string up by its name in the file.
    let whole = "Server=acme;Database=app;User ID=app;Password=********;";
    let stored = format!("stored whole: {whole}");
    assert_eq!(told(&script, "Default"), ["Web.config line 1", &stored]);
    assert!(
        script.contains("stored whole: Bearer ghp_********\n"),
        "{script}"
    );
    assert_eq!(script.matches("stored whole").count(), 2, "{script}");
    let more = run
        .stdout
        .split("More than the secret goes")
        .nth(1)
        .expect("told");
    assert!(more.contains(&format!("  - Default: {whole}\n")), "{more}");
    assert!(more.contains(": Bearer ghp_********\n"), "{more}");
    for secret in [bearer, plain, password] {
        for text in [&script, &run.stdout, &run.stderr] {
            assert!(!text.contains(&secret[4..]), "it is printed");
        }
    }
}

/// A rule ends a value at the `;` of an entity, and what stands behind that is a part of it.
#[test]
fn a_value_with_an_entity_is_not_shown_in_part() {
    let dir = Dir::new();
    let password = format!("{}&amp;w8", password(1));
    dir.write(
        "Web.config",
        format!(
            "<configuration><connectionStrings><add name=\"Default\" connectionString=\"Server=acme;Database=app;\
             User ID=app;Password={password};Encrypt=True\" /></connectionStrings></configuration>\n"
        ),
    );
    for command in ["fix", "migrate"] {
        let said = dir.run(&[command, "--vault", "kv-app", "."]).stdout;
        assert!(said.contains(";Encrypt=True"), "{said}");
        assert!(!said.contains("w8"), "{said}");
    }
}

/// Each key of a Kubernetes Secret has a name of its own, also where another document has the same key.
#[test]
fn keys_of_a_document_have_names_of_their_own() {
    let dir = Dir::new();
    let document = |name: &str, seed| {
        let (password, token) = (password(seed), token(seed));
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  db-password: {password}\n  \
             github-token: {token}\n"
        )
    };
    let text = [document("one", 1), document("two", 2)].join("---\n");
    dir.write("app.yaml", &text);
    let args = ["--vault", "kv-app", "--pair", "--write", "."];
    let args = [&["fix"], &args[..]].concat();
    // One that is to stay is not taken out with its document.
    let asked = [&args[..], &["--interactive"]].concat();
    let run = dir.run_with(&asked, &[], b"y\nn\ny\ny\n").expect(1);
    assert!(
        run.stderr.contains("beside a secret that stays"),
        "{}",
        run.stderr
    );
    let half = fs::read_to_string(dir.path().join("app.yaml")).expect("readable");
    assert!(
        half.contains(&document("one", 1)) && !half.contains(&token(2)),
        "{}",
        run.stdout
    );
    fs::remove_file(dir.path().join(".keysweep-names.json")).expect("removed");
    dir.write("app.yaml", &text);
    dir.run(&args).expect(0);
    let after = fs::read_to_string(dir.path().join("app.yaml")).expect("readable");
    let names = after
        .lines()
        .filter_map(|line| line.trim().strip_prefix("key: "));
    let names: std::collections::BTreeSet<&str> = names.collect();
    assert_eq!(names.len(), 4, "{names:?}");
}

/// Words of a format or of an address name no secret, and a look-up that a name gets is none.
#[test]
fn names_say_what_a_secret_is() {
    let dir = Dir::new();
    let (token, password) = (token(1), password(1));
    dir.write(".github/workflows/ci.yml", format!("jobs:\n  b:\n    steps:\n      - run: curl -H \"Authorization: token {token}\" https://api.github.com\n"));
    dir.write(
        "a.py",
        format!("url = f\"https://user:{password}@db.corp.net/{{x}}\"\n"),
    );
    let found = dir.findings(&["."]);
    let names: Vec<_> = found
        .iter()
        .map(|f| f["advice"]["vault_name"].as_str())
        .collect();
    assert_eq!(names, [Some("github-token"), Some("service-password")]);
    dir.write(
        "P.cs",
        format!("class P {{ string Password = \"{password}\"; string Other = \"x\"; }}\n"),
    );
    fix(&dir, "P.cs").expect(0);
    dir.write("p.ps1", format!("$env:DB_PASSWORD = '{password}'\n"));
    fix(&dir, "p.ps1").expect(0);
    let text = fs::read_to_string(dir.path().join("p.ps1")).expect("readable");
    assert!(text.contains("(Get-AzKeyVaultSecret "), "{text}");
}

/// What only commits have any more goes by the name that `fix` wrote in its stead.
#[test]
fn a_plan_goes_by_the_names_that_were_written() {
    let repo = util::git::Repo::new();
    for (path, seed) in [("a/s.py", 1), ("b/s.py", 2)] {
        repo.save(path, format!("GITHUB_TOKEN = \"{}\"\n", token(seed)));
    }
    fix(&repo.dir, ".").expect(0);
    let plan = repo
        .dir
        .run(&["plan", "--vault", "kv-app"])
        .expect(1)
        .stdout;
    for path in ["a/s.py", "b/s.py"] {
        let row = format!("| {} | {path} line 1 ", name(&repo.dir, path));
        assert!(plan.contains(&row), "{row}: {plan}");
    }
}

/// What stands beside secrets in a document that is written anew has to get into the vault as well.
#[test]
fn what_a_document_has_beside_secrets_is_told() {
    let dir = Dir::new();
    let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\nstringData:\n  user: \
                admin\n  github-token: @\n";
    dir.write("app.yaml", text.replace('@', &token(1)));
    let args = ["--vault", "kv-app", "."];
    let script = dir
        .run(&[&["migrate"], &args[..]].concat())
        .expect(0)
        .stdout;
    assert_eq!(told(&script, "prod-db-user"), ["app.yaml key user"]);
    assert!(
        script.contains("take prod-db-user || failed=1\n"),
        "{script}"
    );
    let plan = dir.run(&[&["plan"], &args[..]].concat()).expect(1).stdout;
    assert!(
        plan.contains("| prod-db-user | app.yaml key user |"),
        "{plan}"
    );
    assert!(!plan.contains("- prod-db-user:"), "{plan}");
    let fixed = dir
        .run(&[&["fix", "--pair"], &args[..]].concat())
        .expect(1)
        .stdout;
    assert!(
        fixed.contains("- prod-db-user: the value of user\n"),
        "{fixed}"
    );
}

/// What came into a file after its neighbour of the same name was replaced is another value.
#[test]
fn a_later_value_of_a_replaced_place_has_a_name_of_its_own() {
    let dir = Dir::new();
    let line = |seed| format!("DB_PASSWORD = \"{}\"\n", password(seed));
    dir.write("app.py", line(1));
    fix(&dir, "app.py").expect(0);
    let path = dir.path().join("app.py");
    let fixed = fs::read_to_string(&path).expect("readable");
    let first = name(&dir, "app.py");
    dir.write("app.py", format!("{}{fixed}", line(2)));
    fix(&dir, "app.py").expect(0);
    let text = fs::read_to_string(&path).expect("readable");
    assert_eq!(
        text.matches(&format!("kv(\"{first}\")")).count(),
        1,
        "{text}"
    );
    assert_eq!(text.matches("DB_PASSWORD = kv(\"").count(), 2, "{text}");
    // One that is put back gets its own again.
    dir.write("app.py", line(1));
    fix(&dir, "app.py").expect(0);
    assert_eq!(name(&dir, "app.py"), first);
}

#[test]
fn what_is_left_shares_no_name_with_what_is_replaced() {
    let dir = Dir::new();
    let [first, second] = [1, 2].map(password);
    let text =
        format!("password = \"{first}\"\n\n\ndef f(password=\"{second}\"):\n    return password\n");
    dir.write("app.py", text);
    let takes = || {
        let script = dir.run(&["migrate", "."]).expect(0).stdout;
        script.matches("\ntake ").count()
    };
    assert_eq!(takes(), 2);
    fix(&dir, "app.py").expect(1);
    assert_eq!(takes(), 2);
}

/// A document that looks up `keys`, each on a line of its own.
fn secret_document(name: &str, keys: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n{keys}")
}

/// The names that a document looks up, by key.
fn looked_up(dir: &Dir, path: &str) -> std::collections::BTreeMap<String, String> {
    let text = fs::read_to_string(dir.path().join(path)).expect("readable");
    let keys = text.split("- secretKey: ").skip(1).map(|part| {
        let mut lines = part.lines();
        let key = lines.next().expect("a key");
        let name = lines.find_map(|line| line.trim().strip_prefix("key: "));
        (key.to_owned(), name.expect("a name").to_owned())
    });
    keys.collect()
}

/// What stands beside secrets has names of its own, which are remembered, and its key tells no secret.
#[test]
fn values_beside_secrets_share_no_names() {
    let dir = Dir::new();
    for (path, user, seed) in [("a.yaml", "ann", 1), ("b.yaml", "bob", 2)] {
        let keys = format!(
            "stringData:\n  user: {user}\n  password: {}\n",
            password(seed)
        );
        dir.write(path, secret_document("db", &keys));
    }
    dir.write("c.py", format!("DB_USER_PASSWORD = \"{}\"\n", password(3)));
    let run = dir
        .run(&["fix", "--pair", "--write", "--vault", "kv-app"])
        .expect(0);
    let [a, b] = ["a.yaml", "b.yaml"].map(|path| looked_up(&dir, path));
    assert_ne!(a["user"], b["user"]);
    let script = dir.run(&["migrate", "."]).expect(0).stdout;
    for name in a.values().chain(b.values()) {
        assert!(script.contains(&format!("take {name} given ")), "{script}");
    }
    assert!(
        run.stdout
            .contains(&format!("- {}: the value of user", b["user"]))
    );
    let keys = format!(
        "stringData:\n  {}: ann\n  password: {}\n",
        token(4),
        password(4)
    );
    dir.write("d.yaml", secret_document("db", &keys));
    dir.run(&["fix", "--pair", "--write", "--vault", "kv-app"])
        .expect(1);
    let said = dir.run(&["migrate", "."]).expect(0).stdout;
    let names = fs::read_to_string(dir.path().join(".keysweep-names.json")).expect("readable");
    for text in [said, names] {
        let secret = token(4).to_lowercase();
        assert!(!text.to_lowercase().contains(&secret[4..]), "it is told");
    }
}

/// The operator puts nothing into a text: of a key, the vault has to get all of the value, decoded.
#[test]
fn a_key_of_a_document_is_stored_whole() {
    use base64::Engine as _;
    let dir = Dir::new();
    let [token, password] = [token(1), password(2)];
    let header = base64::engine::general_purpose::STANDARD.encode(format!("Bearer {token} xy"));
    let keys = format!(
        "type: example.com/kind\nstringData:\n  db: \"Server=acme;Database=app;User ID=app;Password={password};\"\ndata:\n  \
         header: {header}\n"
    );
    dir.write("a.yaml", secret_document("app", &keys));
    dir.write("b.py", format!("GITHUB_TOKEN = \"{token}\"\n"));
    let script = dir.run(&["migrate", "."]).expect(0).stdout;
    dir.run(&["fix", "--pair", "--write", "--vault", "kv-app"])
        .expect(0);
    let names = looked_up(&dir, "a.yaml");
    let whole = "stored whole: Server=acme;Database=app;User ID=app;Password=********;";
    assert_eq!(told(&script, &names["db"]), ["a.yaml line 7", whole]);
    let whole = "stored whole: Bearer ghp_******** xy";
    assert_eq!(told(&script, &names["header"]), ["a.yaml line 9", whole]);
    assert_ne!(name(&dir, "b.py"), names["header"]);
    let text = fs::read_to_string(dir.path().join("a.yaml")).expect("readable");
    assert!(
        text.contains("    template:\n      type: example.com/kind\n"),
        "{text}"
    );
}

#[test]
fn a_document_whose_values_stand_elsewhere_stays() {
    let dir = Dir::new();
    let password = password(1);
    for keys in [
        format!("stringData:\n  <<: {{user: ann}}\n  password: {password}\n"),
        format!("x: &x ann\nstringData:\n  user: *x\n  password: {password}\n"),
        format!("x: &x\n  user: YW5u\ndata: *x\nstringData:\n  password: {password}\n"),
    ] {
        let text = secret_document("db", &keys);
        dir.write("a.yaml", &text);
        let run = dir
            .run(&["fix", "--pair", "--write", "--vault", "kv-app"])
            .expect(1);
        assert!(
            run.stderr.contains("has values that stand elsewhere"),
            "{}",
            run.stderr
        );
        let left = fs::read_to_string(dir.path().join("a.yaml")).expect("readable");
        assert_eq!(left, text);
    }
}
