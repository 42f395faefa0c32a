//! The judge as a whole: gates, drops, and what it says.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;
use crate::checksum::{aws, devops, entra, his, key84};
use crate::rules::Matcher;
use crate::rules::check::Check;
use crate::rules::def::ByteSet;

/// 2026-01-01.
const NOW: i64 = 1_767_225_600;

fn rule(kind: Kind, checks: &[Check]) -> RuleDef {
    RuleDef {
        id: "test".into(),
        title: "Test".into(),
        provider: "Test".into(),
        severity: Severity::High,
        kind,
        confidence: kind.usual_confidence(),
        keywords: Cow::Borrowed(&[]),
        matcher: match kind {
            Kind::Generic => Matcher::Assignment,
            _ => Matcher::AssignedValue { regex: ".".into() },
        },
        not_before: ByteSet::default(),
        not_after: ByteSet::default(),
        min_entropy: 0.0,
        checks: checks.to_vec().into(),
        near: Cow::Borrowed(&[]),
        near_bytes: 40,
        above: Cow::Borrowed(&[]),
        grants: "something".into(),
        rotate: Cow::Borrowed(&[]),
        vault_name: "test".into(),
        references: Cow::Borrowed(&[]),
        examples: Cow::Borrowed(&[]),
        counters: Cow::Borrowed(&[]),
    }
}

/// Judges `secret` where the template has `{s}`.
fn judge(rule: &RuleDef, template: &str, secret: &str) -> Result<Assessment, Dropped> {
    let at = template
        .find("{s}")
        .expect("the template has a place for the secret");
    let text = template.replace("{s}", secret);
    let span = ViewSpan::new(at, at + secret.len());
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name_end = text[..at].rfind(is_part).map_or(0, |end| end + 1);
    let name_start = text[..name_end]
        .rfind(|c| !is_part(c))
        .map_or(0, |start| start + 1);
    let probe = Probe {
        text: text.as_bytes(),
        stretch: ViewSpan::new(0, text.len()),
        matched: match rule.matcher {
            Matcher::Assignment => ViewSpan::new(name_start, span.end as usize),
            _ => span,
        },
        secret: span,
        rule,
        quoted: text[..at].ends_with(['\'', '"']),
        name: match rule.matcher {
            Matcher::Assignment => &text.as_bytes()[name_start..name_end],
            _ => b"",
        },
        place: Place::default(),
        thorough: false,
        machine_made: false,
        now: NOW,
    };
    Judge::new().assess(&probe)
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

fn key(bytes: usize) -> String {
    STANDARD.encode(noise(bytes))
}

fn hex(digits: usize) -> String {
    let text: String = noise(digits).iter().map(|b| format!("{b:02x}")).collect();
    text[..digits].to_owned()
}

fn his_key(signature: &str, seed: &str) -> String {
    let (family, role) = his::find(signature, seed).expect("a known family");
    let mut random = [0; 64];
    random.copy_from_slice(&noise(64));
    his::make(&random, family, role)
}

/// The same key with one character of its random part changed.
fn broken(key: &str) -> String {
    let first = if key.starts_with('Q') { 'R' } else { 'Q' };
    format!("{first}{}", &key[1..])
}

#[test]
fn verified_keys_are_proven_and_named() {
    let rule = rule(Kind::Anchored, &[Check::HisKey]);
    for (signature, seed, title, severity) in [
        (
            "+ASt",
            "Default0",
            "Azure Storage account key",
            Severity::Critical,
        ),
        (
            "ACDb",
            "MastRO00",
            "Azure Cosmos DB read-only key",
            Severity::High,
        ),
        (
            "AzFu",
            "Functi00",
            "Azure Functions function key",
            Severity::Medium,
        ),
    ] {
        let key = his_key(signature, seed);
        let found = judge(&rule, "{s}", &key).unwrap_or_else(|d| panic!("{title}: {}", d.0));
        assert_eq!(found.title.as_deref(), Some(title));
        assert_eq!((found.severity, found.confidence), (severity, Level::High));
        assert_eq!(found.proof.map(|p| p.kind), Some(ProofKind::Checksum));
        assert!(found.reasons.contains(&"the checksum holds".into()));
    }
}

#[test]
fn a_wrong_sum_is_forgiven_in_a_slot_only() {
    let rule = rule(Kind::Anchored, &[Check::HisKey]);
    let key = broken(&his_key("+ASb", "Send0000"));
    assert_eq!(
        judge(&rule, "see {s} there", &key).err(),
        Some(Dropped("the checksum does not hold"))
    );
    for template in [
        "SharedAccessKey={s}",
        "\"key\": \"{s}\"",
        "KeyCredential('{s}')",
        "h['x-key', '{s}']",
    ] {
        let found = judge(&rule, template, &key).unwrap_or_else(|d| panic!("{template}: {}", d.0));
        assert_eq!((found.confidence, found.proof), (Level::Medium, None));
    }
    let redis = broken(&his_key("AzCa", "Access00"));
    let found = judge(&rule, "see {s} there", &redis).expect("never dropped on the sum");
    assert_eq!((found.confidence, found.proof), (Level::High, None));
}

#[test]
fn percent_encoded_keys_are_decoded() {
    let rule = rule(Kind::Anchored, &[Check::HisKey]);
    let key = his_key("+ASt", "Default0");
    let encoded = key
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let found = judge(&rule, "k={s}", &encoded).expect("a key");
    assert_eq!(found.value.as_deref(), Some(key.as_bytes()));
}

#[test]
fn keys_of_84_characters_tell_service_and_month() {
    let rule = rule(Kind::Anchored, &[Check::Key84]);
    let random: String = key(64)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(52)
        .collect();
    let made = key84::make(&random, "CA", "ACOGAAAAXJ3w", "AAAB", "ACOG").expect("a key");
    let found = judge(&rule, "{s}", &made).expect("a key");
    assert_eq!(found.title.as_deref(), Some("Azure OpenAI key"));
    assert!(
        found.reasons.contains(&"issued January 2026".into()),
        "{:?}",
        found.reasons
    );
    assert!(judge(&rule, "{s}", &broken(&made)).is_err());
    assert!(judge(&rule, "key = '{s}'", &broken(&made)).is_ok());
}

#[test]
fn other_sums() {
    let entra8 = rule(Kind::Anchored, &[Check::Entra8]);
    let random: String = key(64)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let made = entra::make(&random[..3], &random[3..34]).expect("a secret");
    assert!(
        judge(&entra8, "{s}", &made)
            .expect("a secret")
            .proof
            .is_some()
    );
    let unsure = judge(&entra8, "{s}", &broken(&made)).expect("the mark alone is reported");
    assert_eq!((unsure.confidence, unsure.proof), (Level::Medium, None));
    assert_eq!(
        judge(&entra8, "secret={s}", &broken(&made))
            .expect("kept")
            .confidence,
        Level::Medium
    );

    let pat = rule(Kind::Anchored, &[Check::DevopsCrc]);
    let mut random = [0; 32];
    random.copy_from_slice(&noise(32));
    let made = devops::make(&random, devops::Holder::App);
    assert!(judge(&pat, "{s}", &made).expect("a token").proof.is_some());
    assert!(judge(&pat, "t={s}", &format!("b{}", &made[1..])).is_err() || made.starts_with('b'));

    let github = rule(Kind::Anchored, &[Check::CrcBase62]);
    let token = format!("ghp_{}", &key(40).replace(['+', '/', '='], "7")[..36]);
    let found = judge(&github, "{s}", &token).expect("kept");
    assert_eq!((found.confidence, found.proof), (Level::Low, None));

    let amazon = rule(Kind::Anchored, &[Check::AwsKeyId]);
    let id = aws::make("AKIA", 123_456_789_012, 0x5a5a_1234_9876_c3c3_1357);
    let found = judge(&amazon, "{s}", &id).expect("an id");
    assert!(
        found
            .reasons
            .contains(&"belongs to AWS account 123456789012".into())
    );
    assert!(judge(&amazon, "{s}", &format!("AKIA{}EXAMPLE", &id[4..13])).is_err());
}

#[test]
fn gates() {
    let mut gated = rule(Kind::Anchored, &[]);
    gated.not_before = ByteSet::parse("A-Za-z0-9").expect("a class");
    gated.not_after = gated.not_before;
    gated.near = vec!["widget".into()].into();
    gated.min_entropy = 3.0;
    let token = hex(32);
    assert!(judge(&gated, "WIDGET {s}.", &token).is_ok());
    assert!(judge(&gated, "WIDGET x{s}.", &token).is_err());
    assert!(judge(&gated, "WIDGET {s}x", &token).is_err());
    assert!(judge(&gated, "gadget {s}.", &token).is_err());
    assert!(judge(&gated, &format!("widget {} {{s}}", ".".repeat(60)), &token).is_err());
    assert!(judge(&gated, "widget {s}", "abababacabacab").is_err());
}

#[test]
fn pieces_of_encoded_data_are_dropped() {
    let rule = rule(Kind::Anchored, &[]);
    let id = aws::make("AKIA", 123_456_789_012, 0x5a5a_1234_9876_c3c3_1357);
    let blob = key(300).replace('=', "A");
    assert!(
        judge(
            &rule,
            &format!("{}/{{s}}+{}", &blob[..90], &blob[90..200]),
            &id
        )
        .is_err()
    );
    assert!(
        judge(
            &rule,
            &format!(
                "{}\n{{s}}{}\n{}",
                &blob[..76],
                &blob[76..132],
                &blob[132..208]
            ),
            &id
        )
        .is_err()
    );
    assert!(
        judge(
            &rule,
            "AKIAAAAAAAAAAAAAAAAA\n{s}\nAKIAAAAAAAAAAAAAAAAA",
            &id
        )
        .is_ok()
    );
}

/// What must stay silent although a name near it promises a secret.
#[test]
fn what_is_not_a_secret() {
    let generic = rule(Kind::Generic, &[]);
    let guid = format!(
        "{}-{}-4{}-a{}-{}",
        hex(8),
        &hex(20)[10..14],
        &hex(3),
        &hex(3),
        hex(12)
    );
    let signalr: String = ('A'..='Z').chain('0'..='9').chain('A'..='H').collect();
    let (long, short, half) = (key(64), hex(32), key(32));
    for (template, secret) in [
        ("https://v.vault.azure.net/secrets/name/{s}", &*short),
        ("https://v.vault.usgovcloudapi.net/secrets/name/{s}", &short),
        ("https://h.managedhsm.azure.net/keys/name/{s}", &short),
        (
            "key: {s}",
            "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/n)",
        ),
        ("key: {s}", "@Microsoft.KeyVault(VaultName=v;SecretName=n)"),
        ("objectVersion: {s}", &short),
        ("password = {s}", "dbutils.secrets.get(scope='s', key='k')"),
        (
            "password = {s}",
            "mssparkutils.credentials.getSecret('v','n')",
        ),
        ("password = {s}", "client.get_secret('n').value"),
        (
            "password = {s}",
            "[listKeys(resourceId('x'), '2019').keys[0].value]",
        ),
        ("secret_id = '{s}'", &guid),
        ("tenant_id = '{s}'", &short),
        ("InstrumentationKey={s}", &guid),
        ("password: {s}", "$(dbPassword)"),
        ("password: {s}", "${{ secrets.DB_PASSWORD }}"),
        ("password: {s}", "${DB_PASSWORD}"),
        ("password: {s}", "%DB_PASSWORD%"),
        ("password: {s}", "{{ password }}"),
        ("password: {s}", "<your password>"),
        ("password: {s}", "your-password-here"),
        ("password: {s}", "xxxxxxxxxxxx"),
        ("password: {s}", "aaaaaaaaaaaa"),
        ("password: {s}", "1234567890abcdef"),
        ("password: {s}", "abcdefghij"),
        ("password: {s}", "********"),
        ("password: {s}", "REDACTED"),
        ("password: {s}", "[masked]"),
        ("password: {s}", "(sensitive value)"),
        ("\"contentHash\": \"{s}\"", &long),
        ("\"integrity\": \"sha512-{s}\"", &long),
        ("\"sha512\": \"{s}\"", &long),
        ("golang.org/x/y v1.0.0 h1:{s}", &half),
        ("\"h1:{s}\",", &half),
        ("\"model_id\": \"{s}\"", &short),
        ("\"layout\": \"IPY_MODEL_{s}\"", &short),
        ("\"image/png\": \"{s}\"", &long),
        ("src=\"data:image/png;base64,{s}\"", &long),
        ("\"nuid\": \"{s}\"", &guid),
        ("PublicKey={s}", "00240000048000009400000006020000"),
        ("thumbprint: {s}", &hex(40)),
        ("AccessKey={s}", &signalr),
    ] {
        assert!(
            judge(&generic, template, secret).is_err(),
            "{template} is reported"
        );
    }
    assert!(judge(&generic, "secret = '{s}'", &short).is_ok());
    assert!(judge(&generic, "client_secret={s}", &half).is_ok());
}

#[test]
fn connection_strings_are_told_apart() {
    let rule = rule(Kind::Structured, &[Check::ConnectionString]);
    let plain = key(32);
    let bus = his_key("+ASb", "Send0000");
    let head = "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=";
    let found = judge(&rule, &format!("{head}Send;SharedAccessKey={{s}}"), &bus).expect("a key");
    assert_eq!(
        found.title.as_deref(),
        Some("Azure Service Bus connection string")
    );
    assert_eq!(
        found.proof.as_ref().map(|p| p.kind),
        Some(ProofKind::Checksum)
    );
    assert!(
        found
            .reasons
            .contains(&"for n.servicebus.windows.net".into())
    );
    let root = format!("{head}RootManageSharedAccessKey;SharedAccessKey={{s}}");
    let found = judge(&rule, &root, &plain).expect("a key");
    assert_eq!(
        (found.severity, found.confidence),
        (Severity::Critical, Level::High)
    );
    assert!(
        found.reasons.iter().any(|r| r.contains("all rights")),
        "{:?}",
        found.reasons
    );
    let found = judge(&rule, &root, "notakeyatall").expect("kept with doubt");
    assert_eq!((found.confidence, found.proof), (Level::Medium, None));
    for (template, secret) in [
        (
            "Server=s.database.windows.net;User ID=u;Password={s}",
            "{your_password}",
        ),
        (
            "Server=s.database.windows.net;User ID=u;Password={s}",
            "<password>",
        ),
        (
            "Server=s.database.windows.net;User ID=u;Password={s}",
            "$(pw)",
        ),
        (
            "Server=s.database.windows.net;User ID=u;Password={s}",
            "***",
        ),
        ("AccountName=devstoreaccount1;AccountKey={s}", &key(64)),
    ] {
        assert!(
            judge(&rule, template, secret).is_err(),
            "{template} {secret}"
        );
    }
    let local = judge(&rule, "Server=localhost;User ID=u;Password={s}", "Vq7#pp2").expect("kept");
    assert_eq!(
        (local.severity, local.confidence),
        (Severity::Low, Level::Low)
    );
}

#[test]
fn urls_and_pairs() {
    let url = rule(Kind::Structured, &[Check::UrlPassword]);
    let found = judge(&url, "postgres://app:{s}@db.corp.net/x", "t%21ger77").expect("a URL");
    assert_eq!(found.value.as_deref(), Some(&b"t!ger77"[..]));
    assert_eq!(found.title.as_deref(), Some("PostgreSQL URL with password"));
    let weak = judge(&url, "postgres://app:{s}@localhost/x", "tiger77").expect("a URL");
    assert_eq!(
        (weak.severity, weak.confidence),
        (Severity::Low, Level::Medium)
    );
    let usual = judge(&url, "postgres://app:{s}@db.corp.net/x", "secret1").expect("a URL");
    assert_eq!(
        (usual.severity, usual.confidence),
        (Severity::Low, Level::Low)
    );
    for password in [
        "$PASS",
        "{password}",
        "%s",
        "***",
        "${PW}",
        "<pw>",
        "[^@]+",
        "{pw}",
    ] {
        assert!(
            judge(&url, "postgres://app:{s}@db.corp.net/x", password).is_err(),
            "{password}"
        );
    }
    assert!(judge(&url, "postgres://user:{s}@host/db", "password").is_err());

    let basic = rule(Kind::Context, &[Check::BasicAuth]);
    let header = |pair: &str| judge(&basic, "Authorization: Basic {s}", &STANDARD.encode(pair));
    assert!(header("app:tiger77!x").expect("a pair").proof.is_some());
    for pair in [
        "user:password",
        "username:password",
        "app:",
        "app:${PW}",
        "no colon",
    ] {
        assert!(header(pair).is_err(), "{pair}");
    }
    assert_eq!(header("admin:admin").expect("kept").confidence, Level::Low);
}

#[test]
fn tokens_and_blocks() {
    let jwt = rule(Kind::Structured, &[Check::Jwt]);
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let token = |header: &str, payload: &str| {
        format!(
            "{}.{}.{}",
            part(header),
            part(payload),
            URL_SAFE_NO_PAD.encode(noise(32))
        )
    };
    let live = token(
        r#"{"alg":"RS256"}"#,
        r#"{"iss":"https://sts.windows.net/t/","exp":1600000000}"#,
    );
    let found = judge(&jwt, "{s}", &live).expect("a token");
    assert_eq!(found.severity, Severity::Low);
    assert!(found.reasons.contains(&"expired on 2020-09-13".into()));
    let sample = token(
        r#"{"alg":"HS256"}"#,
        r#"{"sub":"1234567890","name":"John Doe"}"#,
    );
    assert!(judge(&jwt, "{s}", &sample).is_err());
    let odd = judge(&jwt, "{s}", &token("header", r#"{"iss":"x"}"#)).expect("kept with doubt");
    assert_eq!((odd.confidence, odd.proof), (Level::Medium, None));

    let pem = rule(Kind::Structured, &[Check::Pem]);
    let mut der = vec![0x30, 0x82, 1, 44];
    der.extend(noise(300));
    let block = |label: &str, body: &str| {
        let (begin, end) = (
            format!("-----BEGIN {label}-----"),
            format!("-----END {label}-----"),
        );
        judge(&pem, "{s}", &[&*begin, body, &end].join("\\n"))
    };
    let body = STANDARD.encode(der);
    assert_eq!(
        block("RSA PRIVATE KEY", &body).expect("a key").severity,
        Severity::High
    );
    assert_eq!(
        block("ENCRYPTED PRIVATE KEY", &body)
            .expect("a key")
            .severity,
        Severity::Medium
    );
    assert!(block("CERTIFICATE", &body).is_err());
    assert!(block("PRIVATE KEY", "...").is_err());
}

#[test]
fn signatures_are_rated_and_decoded() {
    let rule = rule(Kind::Structured, &[Check::Sas]);
    let plain = key(32);
    let raw = plain
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let template =
        "https://a.blob.core.windows.net/c?sv=2022-11-02&sr=c&sp=rl&se=2099-01-01&sig={s}";
    let found = judge(&rule, template, &raw).expect("a signature");
    assert_eq!(found.value.as_deref(), Some(plain.as_bytes()));
    assert_eq!(found.severity, Severity::Critical);
    assert!(
        found.reasons[0].ends_with("until 2099-01-01"),
        "{:?}",
        found.reasons
    );
    assert!(judge(&rule, template, "your-signature").is_err());
}

#[test]
fn plain_keys_must_have_the_length_of_one() {
    let rule = rule(Kind::Context, &[Check::Base64Key]);
    assert!(judge(&rule, "key={s}", &key(32)).is_ok());
    assert!(judge(&rule, "key={s}", &key(33)).is_err());
    assert!(
        judge(
            &rule,
            "key={s}",
            &STANDARD.encode(&b"just some text of 32 bytes, oh my!"[..32])
        )
        .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No check panics, whatever bytes it is given, and spans stay inside the text.
    #[test]
    fn any_bytes_are_fine(
        text in proptest::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"-=:@/;&.%\"\nBEGINsigeyJ".to_vec())], 1..160),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 4),
        check in prop::sample::select(ALL),
    ) {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        at.sort_unstable();
        let rule = rule(Kind::Context, &[check]);
        let probe = Probe {
            text: &text,
            stretch: ViewSpan::new(at[0], text.len()),
            matched: ViewSpan::new(at[1], at[3]),
            secret: ViewSpan::new(at[2], at[3]),
            rule: &rule,
            quoted: true, name: b"",
            place: Place::default(), thorough: false, machine_made: false,
            now: NOW,
        };
        if let Ok(found) = Judge::new().assess(&probe) {
            prop_assert!(found.secret.start <= found.secret.end);
            prop_assert!(found.secret.end as usize <= text.len());
        }
    }
}

const ALL: &[Check] = &[
    Check::HisKey,
    Check::Key84,
    Check::Entra8,
    Check::DevopsCrc,
    Check::CrcBase62,
    Check::CrcBase64,
    Check::CrcHex,
    Check::Base64Key,
    Check::ConnectionString,
    Check::Sas,
    Check::UrlPassword,
    Check::Jwt,
    Check::Pem,
    Check::AwsKeyId,
    Check::BasicAuth,
    Check::MixedCase,
    Check::MixedLetters,
    Check::LettersAndDigits,
];

#[test]
fn names_for_values_are_no_values() {
    for name in [
        "password",
        "DB_PASSWORD",
        "sasl.password",
        "admin-password",
        "administratorLoginPassword",
        "MLFLOW_TRACKING_TOKEN",
    ] {
        assert!(is_name_word(name.as_bytes()), "{name}");
    }
    for value in [
        "hunter2",
        "keyring",
        "correcthorse",
        "tr0ub4dor-key",
        "MyPassword",
    ] {
        assert!(!is_name_word(value.as_bytes()), "{value}");
    }
}
