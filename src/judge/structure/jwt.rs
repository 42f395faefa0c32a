//! JSON web tokens: what the header and the payload say in the open.

use serde_json::{Map, Value};

use super::date;
use super::text::{base64, contains_any_ci, shown};
use crate::judge::Dropped;
use crate::rules::Severity;

/// A token's claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwt {
    /// `None` when the header is not JSON with an algorithm.
    pub algorithm: Option<String>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub expires: Option<i64>,
    pub role: Option<String>,
    sample: bool,
    kubernetes: bool,
}

/// Reads the parts of `header.payload.signature`.
///
/// # Errors
/// When the payload is not JSON.
pub fn parse(token: &[u8]) -> Result<Jwt, Dropped> {
    let mut parts = token.split(|&b| b == b'.');
    let header = parts.next().and_then(object);
    let payload = parts
        .next()
        .and_then(object)
        .ok_or(Dropped("the payload of the token is not JSON"))?;
    let text = |name: &str| payload.get(name).and_then(first_text);
    Ok(Jwt {
        algorithm: header
            .as_ref()
            .and_then(|h| h.get("alg").and_then(first_text)),
        issuer: text("iss"),
        audience: text("aud"),
        expires: payload.get("exp").and_then(moment),
        role: text("role"),
        sample: is_sample(&payload),
        kubernetes: payload.keys().any(|key| key.starts_with("kubernetes.io")),
    })
}

/// Whether `text` is a payload alone: JSON with claims and nothing that signs in.
pub fn is_payload(text: &[u8]) -> bool {
    const CLAIMS: [&str; 8] = ["sub", "aud", "iat", "exp", "nbf", "jti", "oid", "azp"];
    object(text).is_some_and(|claims| {
        CLAIMS.iter().any(|claim| claims.contains_key(*claim))
            && !claims
                .keys()
                .any(|name| contains_any_ci(name.as_bytes(), &["secret", "token", "key", "passw"]))
    })
}

/// Whether `token` has the head of a signed token and no signature: the head says that there is none,
/// or what follows is cut off or too short.
pub fn is_unsigned(token: &[u8]) -> bool {
    /// 16 bytes in base64; no algorithm signs with fewer.
    const SHORTEST: usize = 22;
    let mut parts = token.split(|b| *b == b'.');
    let Some(header) = parts.next().and_then(object) else {
        return false;
    };
    let signature = parts.nth(1).map_or(0, <[u8]>::len);
    let algorithm = header.get("alg").and_then(Value::as_str);
    // An encrypted token says with what, and has a seal instead.
    !header.contains_key("enc")
        && algorithm.is_some_and(|name| is_none(name) || signature < SHORTEST)
}

fn object(part: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&base64(part)?) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

fn is_none(algorithm: &str) -> bool {
    algorithm.eq_ignore_ascii_case("none")
}

fn first_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(shown(text.as_bytes())).filter(|t| !t.is_empty()),
        Value::Array(list) => list.first().and_then(first_text),
        _ => None,
    }
}

fn moment(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))
}

/// Whether this is the token that manuals show.
fn is_sample(payload: &Map<String, Value>) -> bool {
    let is = |name: &str, text: &str| payload.get(name).and_then(Value::as_str) == Some(text);
    is("sub", "1234567890") || is("name", "John Doe")
}

impl Jwt {
    /// Why nobody can use this token, if so.
    pub fn harmless(&self) -> Option<&'static str> {
        self.sample.then_some("is the token that manuals show")
    }

    pub fn expired(&self, now: i64) -> Option<i64> {
        self.expires.filter(|&at| at <= now)
    }

    fn issued_by(&self, parts: &[&str]) -> bool {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        parts.iter().any(|part| issuer.contains(part))
    }

    fn is_supabase(&self) -> bool {
        self.issued_by(&["supabase"])
    }

    pub fn title(&self) -> Option<&'static str> {
        Some(match self.role.as_deref() {
            Some("service_role") if self.is_supabase() => "Supabase service role key",
            Some("anon") if self.is_supabase() => "Supabase anonymous key",
            _ if self.issued_by(&[
                "sts.windows.net",
                "login.microsoftonline",
                "login.windows.net",
            ]) =>
            {
                "Microsoft Entra ID token"
            }
            _ if self.kubernetes || self.issued_by(&["kubernetes"]) => {
                "Kubernetes service account token"
            }
            _ if self.issued_by(&["accounts.google.com"]) => "Google identity token",
            _ if self.issued_by(&["azuremachinelearning", "azureml"]) => "Azure ML token",
            _ => return None,
        })
    }

    /// How bad it is at the moment `now`, starting from the rule's word, and why.
    pub fn rate(&self, usual: Severity, now: i64) -> (Severity, Vec<String>) {
        let mut reasons = Vec::new();
        if let Some(issuer) = &self.issuer {
            reasons.push(format!("issued by {issuer}"));
        }
        if let Some(audience) = &self.audience {
            reasons.push(format!("for {audience}"));
        }
        let severity = match self.role.as_deref() {
            Some("anon") if self.is_supabase() => {
                reasons.push("the anonymous role is meant to be public".into());
                Severity::Info
            }
            Some("service_role") if self.is_supabase() => {
                reasons.push("the service role passes every row's access rules".into());
                Severity::Critical
            }
            _ => usual,
        };
        if self.algorithm.as_deref().is_some_and(is_none) {
            reasons.push("is not signed".into());
            return (Severity::Info, reasons);
        }
        let severity = match self.expires {
            Some(at) if at <= now => {
                reasons.push(format!("expired on {}", date::day(at)));
                severity.min(Severity::Low)
            }
            Some(at) => {
                reasons.push(format!("valid until {}", date::day(at)));
                severity
            }
            None => {
                reasons.push("never expires".into());
                severity
            }
        };
        (severity, reasons)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn part(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn token(header: &str, payload: &str) -> Vec<u8> {
        format!("{}.{}.{}", part(header), part(payload), part("signature")).into_bytes()
    }

    const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;
    const NOW: i64 = 1_700_000_000;

    #[test]
    fn claims_set_severity_and_title() {
        let cases: &[(&str, Severity, Option<&str>, &str)] = &[
            (
                r#"{"iss":"https://sts.windows.net/t/","exp":1600000000}"#,
                Severity::Low,
                Some("Microsoft Entra ID token"),
                "expired on 2020-09-13",
            ),
            (
                r#"{"iss":"x","aud":["api","b"],"exp":1800000000}"#,
                Severity::Medium,
                None,
                "for api",
            ),
            (
                r#"{"iss":"supabase","role":"anon","exp":1800000000}"#,
                Severity::Info,
                Some("Supabase anonymous key"),
                "public",
            ),
            (
                r#"{"iss":"supabase","role":"service_role","exp":1800000000}"#,
                Severity::Critical,
                Some("Supabase service role key"),
                "valid until 2027-01-15",
            ),
            (
                r#"{"iss":"kubernetes/serviceaccount","sub":"x"}"#,
                Severity::Medium,
                Some("Kubernetes service account token"),
                "never expires",
            ),
        ];
        for (payload, severity, title, reason) in cases {
            let jwt = parse(&token(HEADER, payload)).expect("a token");
            let (rated, reasons) = jwt.rate(Severity::Medium, NOW);
            assert_eq!((rated, jwt.title()), (*severity, *title), "{payload}");
            assert!(reasons.iter().any(|r| r.contains(reason)), "{reasons:?}");
        }
    }

    #[test]
    fn unsigned_and_sample_tokens() {
        let unsigned = parse(&token(r#"{"alg":"none"}"#, r#"{"iss":"x"}"#)).expect("a token");
        assert_eq!(unsigned.rate(Severity::Medium, NOW).0, Severity::Info);
        assert!(is_unsigned(&token(r#"{"alg":"none"}"#, r#"{"iss":"x"}"#)));
        let whole = format!("{}.{}.{}", part(HEADER), part("{}"), part(&"s".repeat(32)));
        assert!(!is_unsigned(whole.as_bytes()));
        let cut = whole.rfind('.').expect("three parts");
        assert!(is_unsigned(&whole.as_bytes()[..cut + 8]));
        let encrypted = format!("{}..a.b.c", part(r#"{"alg":"dir","enc":"A"}"#));
        assert!(!is_unsigned(encrypted.as_bytes()));
        let sample = parse(&token(HEADER, r#"{"sub":"1234567890","name":"John Doe"}"#));
        assert!(sample.expect("a token").harmless().is_some());
    }

    #[test]
    fn a_payload_is_told_from_credentials_in_json() {
        assert!(is_payload(part(r#"{"oid":"x","iat":1}"#).as_bytes()));
        for other in [
            r#"{"exp":1,"accessToken":"x"}"#,
            r#"{"k":"x","n":"y"}"#,
            "text",
        ] {
            assert!(!is_payload(part(other).as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_payload_must_be_json_and_the_header_should() {
        assert!(parse(&token(HEADER, "plain text")).is_err());
        assert!(parse(b"eyJhb.@@.x").is_err());
        let odd = parse(&token("no json", r#"{"iss":"x"}"#)).expect("a token");
        assert_eq!(odd.algorithm, None);
    }
}
