use proptest::prelude::*;

use crate::decode::{Document, Limits, open};
use crate::unit::{Origin, Unit};

fn document(text: &[u8]) -> Document<'_> {
    open(&Unit::whole(Origin::file("a.txt"), text), Limits::default()).expect("text")
}

/// Asserts that `token` can be read in some view of `text`, and gives the source bytes behind it.
fn source_of<'t>(text: &'t str, token: &str) -> Vec<&'t str> {
    let document = document(text.as_bytes());
    for (index, view) in document.searchable() {
        if let Some(at) = memchr::memmem::find(&view.text, token.as_bytes()) {
            let located = document.locate(index, crate::span::ViewSpan::new(at, at + token.len()));
            return located.source.iter().map(|s| &text[s.range()]).collect();
        }
    }
    let views: Vec<_> = document
        .searchable()
        .map(|(_, view)| String::from_utf8_lossy(&view.text).into_owned())
        .collect();
    panic!("{token:?} is in none of {views:?}");
}

#[test]
fn codings_are_undone_and_mapped_back() {
    for (text, token, source) in [
        (
            r#"{"a": "{\"k\": \"v1\"}"}"#,
            r#""k": "v1""#,
            &[r#"\"k\": \"v1\""#][..],
        ),
        (
            r"url = 'x\u0026sig\u003dab'",
            "x&sig=ab",
            &[r"x\u0026sig\u003dab"],
        ),
        (r"s = '\x41\x42=1'", "AB=1", &[r"\x41\x42=1"]),
        ("a?odbc=PWD%3Dpa%24s%3B", "PWD=pa$s;", &["PWD%3Dpa%24s%3B"]),
        (
            "<a href=\"x?a=1&amp;sig=2\">",
            "a=1&sig=2",
            &["a=1&amp;sig=2"],
        ),
        ("x = &#39;ab&#x3d;&#39;", "'ab='", &["&#39;ab&#x3d;&#39;"]),
        ("tok\u{1b}[1;31men\u{1b}[0m1", "token1", &["tok", "en", "1"]),
        (
            "k = \"AccountKey=abc\"\n    \"defghi\"",
            "abcdefghi",
            &["abc", "defghi"],
        ),
        (
            "k = \"AccountKey=abc\" + \\\n  \"defghi\"",
            "abcdefghi",
            &["abc", "defghi"],
        ),
        (
            "k = 'AccountKey=abc' + 'defghi'",
            "abcdefghi",
            &["abc", "defghi"],
        ),
        (
            "export K=abcdefgh\\\nijkl",
            "abcdefghijkl",
            &["abcdefgh", "ijkl"],
        ),
    ] {
        assert_eq!(source_of(text, token), source, "{text}");
    }
}

#[test]
fn base64_of_text_is_opened_with_the_name_before_it() {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
    let inner = "AccountKey=abcdefgh;EndpointSuffix=x";
    for encoded in [
        BASE64_STANDARD.encode(inner),
        BASE64_URL_SAFE_NO_PAD.encode(inner),
    ] {
        let text = format!("a: 1\n  conn: {encoded}\n");
        source_of(&text, "  conn: AccountKey=abcdefgh");
        source_of(&text, "EndpointSuffix=x");
        let again = format!("conn: {}", BASE64_STANDARD.encode(&text));
        source_of(&again, "AccountKey=abcdefgh");
    }
}

#[test]
fn codings_are_undone_inside_each_other() {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let json = r#"{"c": "https://x/?a=1\u0026sig=Zz"}"#;
    source_of(
        &format!("v: {}", BASE64_STANDARD.encode(json)),
        "a=1&sig=Zz",
    );
    source_of(r#""<a href=\"x?a=1&amp;sig%3DZz\">""#, "a=1&sig=Zz");
    source_of(r#"'{"a": "{\\\"k\\\": \\\"v\\\"}"}'"#, r#""k": "v""#);
    source_of("u=a%253Db", "u=a=b");
}

#[test]
fn plain_code_opens_nothing() {
    let code = "def f(x):\n    print('a\\n')\n    return usr/share/lib/python/site\n\
                someVeryLongCamelCaseIdentifierForTesting = [1, 2]\n\
                sha = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'\n";
    assert_eq!(document(code.as_bytes()).searchable().count(), 1);
}

proptest! {
    #[test]
    fn any_bytes_open_within_the_budget(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(document) = open(&Unit::whole(Origin::file("a"), &bytes), Limits::default()) {
            let total: usize = document.searchable().skip(1).map(|(_, view)| view.text.len()).sum();
            prop_assert!(total <= 3 * bytes.len() + (1 << 20));
        }
    }

    #[test]
    fn marks_in_any_order_never_panic(text in "(\\\\|\"|'|%3D|&amp;|\\+|\n| |\\\\u00|\u{1b}\\[|YWJjZGVmZ2hpamtsbW5vcHFy|ab){0,40}") {
        document(text.as_bytes());
    }

    #[test]
    fn a_hidden_token_is_found_and_mapped(token in "[A-Za-z0-9]{8,20}", chain in prop::collection::vec(0usize..4, 1..4)) {
        let mut text = format!("k=\"{token}\"&z=1");
        for step in chain {
            text = match step {
                0 => text.replace('\\', "\\\\").replace('"', "\\\""),
                1 => text.replace('&', "&amp;").replace('"', "&quot;"),
                2 => text.replace('%', "%25").replace('"', "%22").replace('&', "%26"),
                _ => { use base64::prelude::{BASE64_STANDARD, Engine}; BASE64_STANDARD.encode(&text) }
            };
        }
        let sources = source_of(&text, &token);
        prop_assert_eq!(sources.len(), 1);
        prop_assert!(!sources[0].is_empty());
    }
}
