//! Signatures of every kind, their rating, and what is none.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

/// 2026-01-01.
const NOW: i64 = 1_767_225_600;

fn bytes() -> Vec<u8> {
    (0..32u8)
        .map(|n| n.wrapping_mul(73).wrapping_add(200))
        .collect()
}

/// Percent-encoded, as in addresses.
fn sig() -> String {
    let raw = STANDARD.encode(bytes());
    raw.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

/// Reads the signature that stands where the template has `{s}`.
fn read(template: &str, sig: &str) -> Result<Sas, Dropped> {
    let at = template
        .find("{s}")
        .expect("the template has a place for the signature");
    let text = template.replace("{s}", sig);
    let inside = ViewSpan::new(at, at + sig.len().min(40));
    let sas = parse(text.as_bytes(), inside, ViewSpan::new(0, text.len()))?;
    assert_eq!(&text[sas.signature.range()], sig);
    Ok(sas)
}

fn rated(template: &str) -> Rating {
    read(template, &sig())
        .unwrap_or_else(|d| panic!("{template}: {}", d.0))
        .rate(NOW)
}

#[test]
fn severity_by_scope_permissions_and_life() {
    use Severity::{Critical, High, Low, Medium};
    let at = "https://acc.blob.core.windows.net/box/dir/f.csv";
    for (query, severity, reason) in [
        (
            "sv=2022-11-02&ss=b&srt=sco&sp=rwdl&se=2026-06-01T00:00:00Z&sig={s}",
            Critical,
            "read, write, delete, list on the whole storage account",
        ),
        (
            "sv=2022-11-02&ss=b&srt=o&sp=r&se=2026-06-01&sig={s}",
            High,
            "acc.blob.core.windows.net",
        ),
        (
            "sv=2022-11-02&sr=c&sp=rl&se=2026-06-01&sig={s}",
            High,
            "read, list on the whole container box",
        ),
        (
            "sv=2022-11-02&sr=c&sp=r&se=2026-06-01&sig={s}",
            Medium,
            "until 2026-06-01",
        ),
        (
            "sv=2022-11-02&sr=c&sp=w&se=2026-06-01&sig={s}",
            High,
            "write on the whole container",
        ),
        (
            "sv=2022-11-02&sr=b&sp=r&se=2026-06-01&sig={s}",
            Medium,
            "one blob of container box",
        ),
        (
            "sv=2022-11-02&sr=b&sp=r&st=2025-06-01&se=2099-01-01&sig={s}",
            High,
            "longer than a year",
        ),
        (
            "sv=2022-11-02&sr=b&sp=r&se=2026-01-01T12:00:00Z&sig={s}",
            Low,
            "less than a day",
        ),
        (
            "sv=2022-11-02&sr=c&sp=rl&sip=1.2.3.4&se=2026-06-01&sig={s}",
            Medium,
            "one address",
        ),
        (
            "sv=2022-11-02&sr=c&sp=rl&sip=1.2.3.4-1.2.3.9&se=2026-06-01&sig={s}",
            High,
            "until",
        ),
        (
            "sv=2022-11-02&sr=c&sp=rwdl&se=2023-01-01T00%3A00%3A00Z&sig={s}",
            Low,
            "expired on 2023-01-01",
        ),
        ("sv=2022-11-02&sr=c&si=pol&sig={s}", High, "stored policy"),
        ("sv=2022-11-02&sr=b&sp=r&sig={s}", High, "never expires"),
        (
            "sp=rl&se=2026-06-01&skoid=a&sktid=b&skt=2026-01-01T00:00:00Z&ske=2025-12-30T00:00:00Z&sv=2022-11-02&sr=c&sig={s}",
            Low,
            "expired on 2025-12-30",
        ),
        (
            "sv=2019-02-02&tn=people&sp=r&se=2026-06-01&sig={s}",
            High,
            "the table people",
        ),
    ] {
        let rating = rated(&format!("url = \"{at}?{query}\""));
        assert_eq!(rating.severity, severity, "{query}: {:?}", rating.reasons);
        assert!(
            rating.reasons.iter().any(|r| r.contains(reason)),
            "{query}: {:?}",
            rating.reasons
        );
    }
}

#[test]
fn separators_and_order_do_not_matter() {
    for template in [
        "T = '?sv=2022-11-02&sr=c&sp=rl&se=2026-06-01&sig={s}'",
        "sig={s}&se=2026-06-01&sp=rl&sr=c&sv=2022-11-02",
        "<a href=\"https://a.blob.core.windows.net/c?sv=2022-11-02&amp;sr=c&amp;sp=rl&amp;se=2026-06-01&amp;sig={s}\">",
        "\"sv=2022-11-02\\u0026sr=c\\u0026sp=rl\\u0026se=2026-06-01\\u0026sig={s}\\\"",
        "BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=2022-11-02&sr=c&sp=rl&se=2026-06-01&sig={s};",
        "export SAS=sv=2022-11-02\\&sr=c\\&sp=rl\\&se=2026-06-01\\&sig={s}\nsv=no",
    ] {
        let sas = read(template, &sig()).unwrap_or_else(|d| panic!("{template}: {}", d.0));
        assert_eq!(sas.scope, Scope::Container, "{template}");
        assert_eq!(sas.expires, Expiry::At(1_780_272_000), "{template}");
        assert_eq!(
            sas.value,
            STANDARD.encode(bytes()).into_bytes(),
            "{template}"
        );
    }
}

#[test]
fn a_signature_inside_another_query_is_decoded_twice() {
    let twice = sig().replace('%', "%25");
    let template = "x?u=https%3A%2F%2Fa.blob.core.windows.net%2Fc%3Fsv%3D2022-11-02%26sr%3Dc%26sp%3Drl%26se%3D2026-06-01%26sig%3D{s}";
    let sas = read(template, &twice).expect("a signature");
    assert_eq!(sas.value, STANDARD.encode(bytes()).into_bytes());
    assert_eq!(sas.host.as_deref(), Some("a.blob.core.windows.net"));
}

#[test]
fn messaging_tokens_and_workflow_addresses() {
    let token = "SharedAccessSignature sr=sb%3A%2F%2Fn.servicebus.windows.net%2Fq&sig={s}&se=1600000000&skn=RootManageSharedAccessKey";
    let rating = rated(token);
    assert_eq!(rating.severity, Severity::Low);
    assert!(
        rating
            .reasons
            .iter()
            .any(|r| r.contains("expired on 2020-09-13"))
    );
    let lasting = rated(&token.replace("1600000000", "1780272000"));
    assert_eq!(lasting.severity, Severity::High);
    let iot = "SharedAccessSignature sr=h.azure-devices.net%2Fdevices%2Fd&sig={s}&se=1780272000";
    let rating = rated(iot);
    assert_eq!(
        (rating.severity, rating.title),
        (Severity::Medium, "Azure IoT Hub SAS token")
    );
    let flow = "https://prod-01.westeurope.logic.azure.com:443/workflows/0/triggers/manual/paths/invoke?api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={s}";
    let sas = read(flow, &URL_SAFE_NO_PAD.encode(bytes())).expect("a callback");
    assert_eq!(sas.kind, Kind::Workflow);
    let rating = sas.rate(NOW);
    assert_eq!(
        (rating.severity, rating.title),
        (Severity::High, "Azure Logic App callback URL")
    );
}

#[test]
fn what_is_no_signature() {
    let short = STANDARD.encode(&bytes()[..30]);
    assert!(read("?sv=2022-11-02&sr=c&se=2026-06-01&sig={s}", &short).is_err());
    for template in [
        "sig={s}",
        "?sr=c&sp=rl&sig={s}",
        "?sv=2022-11-02&sig={s}",
        "?sv=latest&sr=c&se=2026-06-01&sig={s}",
        "?type=master&ver=1.0&sig={s}",
        "?sv=2022-11-02&se=2026-06-01\n&sig={s}",
    ] {
        assert!(read(template, &sig()).is_err(), "{template}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_fine(
        text in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'&'), Just(b'='), Just(b'%'), Just(b's')], 1..200),
        a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(),
        c in any::<prop::sample::Index>(),
    ) {
        let (a, b) = (a.index(text.len()), b.index(text.len()));
        let stretch = ViewSpan::new(c.index(a.min(b) + 1), text.len());
        let _ = parse(&text, ViewSpan::new(a.min(b), a.max(b)), stretch);
    }
}
