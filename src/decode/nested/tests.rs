use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{BASE_BUDGET, CODINGS, payload_cut_by};
use crate::decode::{self, Document, Layer, Limits};
use crate::lines;
use crate::sniff;
use crate::span::ViewSpan;
use crate::unit::{Origin, Unit};

fn open(text: &[u8]) -> Document<'_> {
    let unit = Unit::whole(Origin::file("some.txt"), text);
    decode::open(&unit, Limits::default()).expect("it is text")
}

/// The texts of all views of a layer, without the line end that ends each.
fn texts(document: &Document<'_>, layer: Layer) -> Vec<String> {
    let views = document.searchable().filter(|(_, v)| v.layer == layer);
    let texts = views.map(|(_, v)| v.text.strip_suffix(b"\n").expect("a line end"));
    texts
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

/// The source pieces of every place at which `token` can be read, with the layers above it.
fn found(document: &Document<'_>, source: &[u8], token: &str) -> Vec<(Vec<Layer>, Vec<String>)> {
    let mut all = Vec::new();
    for (index, view) in document.searchable() {
        for at in memchr::memmem::find_iter(&view.text, token) {
            let located = document.locate(index, ViewSpan::new(at, at + token.len()));
            let pieces = located.source.iter().map(|s| &source[s.range()]);
            let pieces = pieces.map(|p| String::from_utf8_lossy(p).into_owned());
            all.push((chain(document, index), pieces.collect()));
        }
    }
    all
}

fn chain(document: &Document<'_>, mut index: usize) -> Vec<Layer> {
    let mut layers = Vec::new();
    while let Some(parent) = document.view(index).parent {
        layers.push(document.view(index).layer);
        index = parent;
    }
    layers.reverse();
    layers
}

/// Checks rows of: input, what the view of the layer reads, a token in it, its source.
fn check(layer: Layer, rows: &[(&str, &str, &str, &str)]) {
    for (input, reads, token, source) in rows {
        let document = open(input.as_bytes());
        let texts = texts(&document, layer);
        assert_eq!(texts.first().map(String::as_str), Some(*reads), "{input}");
        let found = found(&document, input.as_bytes(), token);
        let exact = |(chain, pieces): &(Vec<Layer>, Vec<String>)| {
            chain[..] == [layer] && pieces.concat() == *source
        };
        assert!(found.iter().any(exact), "{input}: {found:?}");
    }
}

/// Checks that no coding is seen in the rows.
fn opens_nothing(rows: &[&str]) {
    for input in rows {
        let document = open(input.as_bytes());
        let layers: Vec<_> = document.searchable().map(|(_, v)| v.layer).collect();
        assert_eq!(layers, [Layer::Text], "{input}");
    }
}

#[test]
fn escapes() {
    check(
        Layer::Escapes,
        &[
            (
                r#"{\"key\": \"v\"}"#,
                r#"{"key": "v"}"#,
                "key\"",
                r#"key\""#,
            ),
            ("a\nx\\u003dy\\u0026z\nb", "x=y&z", "=y&", r"\u003dy\u0026"),
            (
                r"\x41\x42\x3D \u{3d} \U0000003d \q",
                r"AB= = = \q",
                "AB=",
                r"\x41\x42\x3D",
            ),
            (r"https:\/\/host\/p", "https://host/p", "//", r"\/\/"),
            (
                r"don\'t \ud83d\ude00\t\\!",
                "don't 😀\t\\!",
                "😀",
                r"\ud83d\ude00",
            ),
            (
                r"\/ \ud83d. \uDE00",
                "/ \u{fffd}. \u{fffd}",
                "\u{fffd}.",
                r"\ud83d.",
            ),
            (
                r#"'{\\"name\\": 1}'"#,
                r#"'{\"name\": 1}'"#,
                r#"{\""#,
                r#"{\\""#,
            ),
            (
                r"\/ \u12 \x4 \u{} \u{110000} \",
                r"/ \u12 \x4 \u{} \u{110000} \",
                "/",
                r"\/",
            ),
        ],
    );
    opens_nothing(&[
        r#"print("a\n\tb\\c\r\n")"#,
        r#"path.replace("\\", "x")"#,
        r#"re.compile(r"\d+\s*\w\.\(\b\u00e9\x00")"#,
        r"\",
        "",
    ]);
}

#[test]
fn percent() {
    check(
        Layer::Percent,
        &[
            (
                "u = odbc?PWD%3Dabc%3B",
                "u = odbc?PWD=abc;",
                "=abc;",
                "%3Dabc%3B",
            ),
            (
                "a%20b+c and b%2Bc",
                "a b+c and b+c",
                "b+c and b+c",
                "b+c and b%2Bc",
            ),
            ("k=%2541x", "k=%41x", "%41", "%2541"),
            ("k=\"ab%2bcd%3d\"", "k=\"ab+cd=", "+cd=", "%2bcd%3d"),
        ],
    );
    opens_nothing(&[
        "'%5d of %3d%%' % (i, n%20)",
        "printf(\"%02d:%02x %-20s\\n\", a%60, b % 24)",
        "width: 100%; x%1 %zz %4",
    ]);
}

#[test]
fn html() {
    check(
        Layer::Html,
        &[
            (
                "<a b=\"?x=1&amp;y=2\">",
                "<a b=\"?x=1&y=2\">",
                "1&y",
                "1&amp;y",
            ),
            (
                "&lt;&gt;&quot;&apos;&nbsp;&#43;&#x2B;&#0061;",
                "<>\"' ++=",
                "++=",
                "&#43;&#x2B;&#0061;",
            ),
            (
                "&amp; &copy; &#; &#x; &#55555555555; &",
                "& &copy; &#; &#x; &#55555555555; &",
                "& &",
                "&amp; &",
            ),
        ],
    );
    opens_nothing(&["a && b & c &= d; &amp &x;", "&", "&#xD800;"]);
}

#[test]
fn base64() {
    let text = "user: the-name and the=word";
    let (standard, bare) = (STANDARD.encode(text), STANDARD_NO_PAD.encode(text));
    let url = URL_SAFE_NO_PAD.encode("??>>~~ ü is kept, what?");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = STANDARD.encode(wide);
    let at = |from: usize, to: usize| standard[from..to].to_owned();
    check(
        Layer::Base64,
        &[
            (
                &format!("  k: {standard}"),
                &format!("  k: {text}"),
                "the-name",
                &at(8, 20),
            ),
            (
                &format!("k='{bare}'"),
                &format!("k='{text}"),
                "r: ",
                &at(4, 8),
            ),
            (&url, "??>>~~ ü is kept, what?", "??>", &url[..4]),
            (
                &format!("x\n-e {wide}\n"),
                &format!("-e {text}"),
                "e-n",
                &wide[16..32],
            ),
        ],
    );
    let found = found(&open(standard.as_bytes()), standard.as_bytes(), "word");
    assert_eq!(found[0].1.concat(), standard[standard.len() - 8..]);
    opens_nothing(&[
        "someVeryLongCamelCaseIdentifier usr/share/lib/python/site-packages",
        "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAA",
        "0123456789012345678901234567890123456789",
        "SCREAMING_SNAKE_CASE_OF_CONSTANTS and-the-kebab-case-of-style-sheets",
    ]);
}

#[test]
fn base64_may_begin_with_any_character_of_text() {
    for first in "\t\n\r ~\u{80}ä\u{7FF}\u{800}€\u{FFFF}\u{10000}\u{10FFFF}".chars() {
        let text = format!("{first}and so it goes on");
        let code = STANDARD.encode(&text);
        let document = open(code.as_bytes());
        assert_eq!(texts(&document, Layer::Base64), [text], "{first:?}");
    }
    opens_nothing(&[
        &STANDARD.encode(b"\xC1and so it goes on"),
        &STANDARD.encode(b"\0and so it goes on"),
    ]);
}

#[test]
fn base64_over_lines() {
    let text = "first: line of it\nsecond: line of it, and more to come\nthird=end of it all";
    let code = STANDARD.encode(text);
    let lines: Vec<&str> = [&code[..40], &code[40..80], &code[80..]].to_vec();
    let input = format!("data: |\n  {}\nnext: value\n", lines.join("\n  "));
    let document = open(input.as_bytes());
    assert_eq!(texts(&document, Layer::Base64), [format!("  {text}")]);
    let found = found(&document, input.as_bytes(), text);
    assert_eq!(found[0].1, lines);
}

#[test]
fn base64_is_cut_where_it_is_no_text() {
    let mut bytes = b"this much is text".to_vec();
    bytes.extend([0, 1, 2, 0xFF, 0xFE]);
    let document_text = STANDARD.encode(bytes);
    let document = open(document_text.as_bytes());
    assert_eq!(texts(&document, Layer::Base64), ["this much is text"]);
}

#[test]
fn hardly_any_name_is_base64() {
    let words = [
        "get",
        "Default",
        "Application",
        "user",
        "Token",
        "Provider",
        "with",
        "Handler",
        "Config",
        "Manager",
        "Abstract",
        "Factory",
        "path",
        "Azure",
        "Resource",
        "Test",
    ];
    let mut names = String::new();
    for first in words {
        for second in words {
            for third in words {
                names.push_str(&[first, second, third, "Implementation\n"].concat());
                names.push_str(&[first, second, third, "base/lib\n"].join("/"));
                names.push_str(&[first, second, third, "of_it_all\n"].join("_"));
            }
        }
    }
    opens_nothing(&[&names]);
}

#[test]
fn hex() {
    let text = "password=some value of it";
    let code: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    let input = format!("k: 0x{code};");
    let reads = format!("k: 0x{text}");
    check(Layer::Hex, &[(&input, &reads, "word", "776f7264")]);
    let letters: String = "just-letters".bytes().map(|b| format!("{b:02x}")).collect();
    let digest = "d6a770ba38583ed4bb4525bd96e50461655d2758";
    opens_nothing(&[&letters, digest, &"41".repeat(30), &format!("{code}7")]);
}

#[test]
fn ansi() {
    check(
        Layer::Ansi,
        &[
            ("a\nto\x1b[38;5;9mke\x1b[0mn\nb", "token", "token", "token"),
            (r"to\x1b[1mk\u001b[0me\033[mn", "token", "ke", "ke"),
            (r"to\\u001b[1mk\\\x1b[1men", r"tok\\en", "k", "k"),
            (
                "\x1b]8;;http://x\x1b\\link\x1b]8;;\x07 end",
                "link end",
                "link",
                "link",
            ),
        ],
    );
    opens_nothing(&[
        "'\\033[' + code + 'm'; \\x1bx; \x1b[\x1b]8;; and no end",
        "\x1b",
    ]);
}

#[test]
fn wide() {
    for encoding in sniff::WIDE {
        let wide = sniff::tests::spell("token=abc1\r\n", encoding);
        let text = [b"a=1\nb: 2\n", &*wide, b"c=3\n"].concat();
        let unit = Unit::words(Origin::file("some.txt"), &text);
        let document = decode::open(&unit, Limits::default()).expect("it is text");
        let read = texts(&document, Layer::Wide).concat();
        assert!(read.contains("token=abc1\r\n"), "{encoding:?}: {read:?}");
        let found = found(&document, &text, "abc1");
        assert_eq!(
            found,
            [(
                vec![Layer::Wide],
                ["a", "b", "c", "1"].map(String::from).into()
            )]
        );
    }
    opens_nothing(&[
        "KEY=value\0HOME=/home\0A=\0b\0c\0d\0e\0f\0g",
        "several \0 alone",
    ]);
}

#[test]
fn literals() {
    check(
        Layer::Literals,
        &[
            (
                r#"k = "abcdefgh" "ij""#,
                r#"k = "abcdefghij""#,
                "ghij",
                "ghij",
            ),
            (
                "k = ('abcdefgh'\n     'ij')\nx",
                "k = ('abcdefghij')",
                "ghij",
                "ghij",
            ),
            (
                "k = 'abcdefgh' + \\\n f'ij'",
                "k = 'abcdefghij'",
                "ghij",
                "ghij",
            ),
            (
                "$k = 'ab' . 'cdefghij';",
                "$k = 'abcdefghij';",
                "bcde",
                "bcde",
            ),
            (
                "k = \"abcdefgh\" & _\r\n  \"ij\"",
                "k = \"abcdefghij\"",
                "ghij",
                "ghij",
            ),
            (
                "\"abcdefgh\" +\n\"ijklmnop\" +\n\"qr\"",
                "\"abcdefghijklmnopqr\"",
                "hijklmnopq",
                "hijklmnopq",
            ),
            (
                "curl -H abcdefgh\\\nij x",
                "curl -H abcdefghij x",
                "ghij",
                "ghij",
            ),
        ],
    );
    opens_nothing(&[
        "_('This is a message '\n  'that goes on.')",
        "\"abcdefgh\"\n\"ijklmnop\"\n",
        "{\"abcdefgh\": \"ijklmnop\", \"abcdefgh\" : 'x'}",
        "if (abcdefgh) \\\n    ijklmnop;",
        "k[\"abcdefgh\"] + m[\"ijklmnop\"]",
        "'abcdefgh' + ijklmnop",
        "a.attr('k').split(\" \").map(b),c=d?\"+\":\"&\",e",
        "# such as 'abcdefgh'\n \"ijklmnop\": 1",
        "s = 'abcdefgh'\n    \"\"\"ijklmnop\"\"\"",
    ]);
}

#[test]
fn chains_are_followed() {
    use Layer::{Base64, Escapes, Html, Literals, Percent};
    let word = "sig=Long+Enough/ToBe%Seen";
    let script = format!("x = \"{{\\\"k\\\": \\\"{}\\\"}}\"", STANDARD.encode(word));
    let page = script
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    let json = |s: &str| format!("\"{}\"", s.replace('\\', "\\\\").replace('"', "\\\""));
    let percent = |s: &str| {
        s.replace('%', "%25")
            .replace('+', "%2B")
            .replace('=', "%3D")
    };
    let rows = [
        (
            json(&format!("<a title=\"{page}\">")),
            vec![Escapes, Html, Escapes, Base64],
        ),
        (
            format!("<a href=&quot;?{}&quot;>", percent(word)),
            vec![Html, Percent],
        ),
        (
            STANDARD.encode(format!("auth: {}", STANDARD.encode(word))),
            vec![Base64, Base64],
        ),
        (STANDARD.encode(json(&json(word))), vec![Base64, Escapes]),
        (json(&json(&json(word))), vec![Escapes, Escapes]),
        (percent(&percent(word)), vec![Percent, Percent]),
        (
            r#"k = "\"sig=Long+En" + "ough/ToBe%Seen""#.to_owned(),
            vec![Literals, Escapes],
        ),
        (
            r#"k = "sig%3DLong%2" "BEnough/ToBe%25Seen""#.to_owned(),
            vec![Literals, Percent],
        ),
        (
            STANDARD.encode(word).replacen('b', "b\"\n  \"", 1),
            vec![Literals, Base64],
        ),
    ];
    for (input, layers) in rows {
        let input = format!("k = \"{input}\"");
        let found = found(&open(input.as_bytes()), input.as_bytes(), word);
        assert!(
            found.iter().any(|(chain, _)| *chain == layers),
            "{input}: {found:?}"
        );
    }
}

#[test]
fn codings_on_one_line_are_undone_in_one_order() {
    let input = r#"x = "<a title=\"?a=1&amp;b%3D2\">""#;
    let document = open(input.as_bytes());
    let chains: Vec<_> = document
        .searchable()
        .map(|(i, _)| chain(&document, i))
        .collect();
    let order = [Layer::Escapes, Layer::Html, Layer::Percent];
    let expected: Vec<_> = (0..=3).map(|depth| order[..depth].to_vec()).collect();
    assert_eq!(chains, expected);
}

#[test]
fn every_coding_is_opened_at_the_last_depth() {
    let unit = Unit::whole(Origin::file("x"), br#"x = "\"?a=1&amp;b%3D2\"""#);
    let limits = Limits {
        depth: 1,
        growth: 3,
    };
    let document = decode::open(&unit, limits).expect("it is text");
    assert_eq!(texts(&document, Layer::Html), [r#"x = "\"?a=1&b%3D2\"""#]);
    assert_eq!(
        texts(&document, Layer::Escapes),
        [r#"x = ""?a=1&amp;b%3D2"""#]
    );
    let none = decode::open(
        &unit,
        Limits {
            depth: 0,
            growth: 3,
        },
    )
    .expect("it is text");
    assert_eq!(none.searchable().count(), 1);
}

#[test]
fn a_region_cut_within_a_long_line_loses_nothing() {
    let line = format!("{}\\u0041{}", "x".repeat(20_000), "y".repeat(2030));
    for extra in 0..20 {
        let input = format!("{line}{}\\u0042{}", "y".repeat(extra), "z".repeat(20_000));
        let document = open(input.as_bytes());
        let views = texts(&document, Layer::Escapes);
        assert!(
            views[0].contains("xA") && views[0].contains("yBz"),
            "{extra}"
        );
        assert_eq!(
            found(&document, input.as_bytes(), "yBz")[0].1,
            ["y\\u0042z"]
        );
    }
}

#[test]
fn the_budget_is_kept() {
    let line = "\\u005cu0025%2541 &amp;amp; \\\"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=\\\"\n";
    let input = line.repeat(60_000);
    for growth in [0, 1, 3] {
        let unit = Unit::whole(Origin::file("x"), input.as_bytes());
        let document = decode::open(&unit, Limits { depth: 9, growth }).expect("it is text");
        let decoded: usize = document
            .searchable()
            .skip(1)
            .map(|(_, v)| v.text.len())
            .sum();
        assert!(decoded > BASE_BUDGET / 2, "{growth}: {decoded}");
        assert!(
            decoded <= growth * input.len() + BASE_BUDGET,
            "{growth}: {decoded}"
        );
    }
}

/// Checks what holds for every document: maps cover their views, and lead into the parent.
fn is_sound(document: &Document<'_>) {
    for (_, view) in document.searchable() {
        assert_eq!(view.map.len(), view.text.len());
        let parent = view.parent.map(|at| document.view(at).text.len());
        for piece in view.map.to_parent(ViewSpan::new(0, view.text.len())) {
            assert!(parent.is_none_or(|len| piece.end as usize <= len));
        }
        for (stretch, _) in view.stretches() {
            assert!(stretch.start <= stretch.end && stretch.end as usize <= view.text.len());
        }
    }
}

/// Spells `text` in one coding, with something around it that gives the coding away. `None` when
/// the coding cannot spell it so that it would be seen.
fn spell(layer: Layer, text: &str) -> Option<String> {
    let printable = !text.contains('\x1b');
    let middle = text.len() / 2;
    let (left, right) = text.split_at_checked(middle)?;
    Some(match layer {
        Layer::Escapes => {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!("s = \"\\\"{}\\u0022\"", text.replace('\x1b', "\\u001b"))
        }
        Layer::Percent => {
            let spelled = |b: u8| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
                _ => format!("%{b:02X}"),
            };
            format!("s=k%3D{} ", text.bytes().map(spelled).collect::<String>())
        }
        Layer::Html => {
            let text = text.replace('&', "&amp;").replace('"', "&quot;");
            format!(
                "&lt;s&#x3E;{}&lt;/s>",
                text.replace('\'', "&#39;").replace('<', "&lt;")
            )
        }
        Layer::Base64 if printable => format!("s: {} ", STANDARD.encode(text)),
        Layer::Hex if printable => {
            let digits = format!("key={text}")
                .bytes()
                .map(|b| format!("{b:02x}"))
                .collect::<String>();
            format!("s: {digits} ")
        }
        Layer::Ansi if printable => format!("s \x1b[31m{left}\x1b[0;1m{right}\x1b[0m"),
        Layer::Literals if !text.contains(['"', '\'', '\\', ' ']) => {
            format!("s = \"{left}\" + \"{right}\"")
        }
        _ => return None,
    })
}

/// Of each coding that opens lines, what does so; the first by itself.
const MARKS: [&[&str]; 5] = [
    &["a\0b\0c\0d\0e\0f\0g\0h", "a\0\0\0b", "\0"],
    &["\\\"", "\\nb\\nc\\nd", "\\u0041", "\\n"],
    &[
        "\u{1b}[0m",
        concat!(
            "\u{1b}]0;",
            "------------------------------------------------------------------------------",
            "------------------------------------------------------------------------------",
            "------------------------------------------------------------------------------",
            "\u{7}"
        ),
        "\\x1b[1;31m",
    ],
    &["&amp;", "&#x000022;"],
    &["\"aaaabbbbcc\" + \"ddddeeee\"", "'aaaabbbb'  .  'cc'", "\""],
];

/// Which bytes of a text are opened.
fn opened(text: &[u8]) -> Vec<bool> {
    let document = open(text);
    let mut opened = vec![false; text.len()];
    for (index, view) in document.searchable().skip(1) {
        for (at, byte) in (0..).zip(&*view.text) {
            let origin = document.origin(index, at) as usize;
            // Between two parts stands a line end of the decoder's own.
            if let Some(of) = text.get(origin) {
                opened[origin] |= *byte != b'\n' || *of == b'\n';
            }
        }
    }
    opened
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn a_token_under_any_codings_is_found_and_located(
        token in "[A-Za-z0-9]{12}[+/=&%][A-Za-z0-9]{14,20}",
        before in "[ -~\n]{0,80}",
        after in "[ -~\n]{0,80}",
        picks in prop::collection::vec(0..CODINGS.len(), 1..=3),
    ) {
        let mut spelled = token.clone();
        for pick in picks {
            spelled = spell(CODINGS[pick].layer, &spelled).unwrap_or(spelled);
        }
        let input = format!("{before}\n\n{spelled}\n\n{after}");
        let (start, end) = (before.len() + 2, before.len() + 2 + spelled.len());
        let document = open(input.as_bytes());
        is_sound(&document);
        let mut seen = false;
        for (index, view) in document.searchable() {
            for at in memchr::memmem::find_iter(&view.text, &token) {
                seen = true;
                let located = document.locate(index, ViewSpan::new(at, at + token.len()));
                let mut rest = input.clone().into_bytes();
                for span in located.source.iter().rev() {
                    prop_assert!(start <= span.start as usize && span.end as usize <= end);
                    rest[span.range()].fill(b' ');
                }
                // With the located bytes gone, no part of the token is left to be decoded.
                let rest = String::from_utf8(rest).expect("only ASCII is blanked");
                prop_assert!(found(&open(rest.as_bytes()), rest.as_bytes(), &token).is_empty());
            }
        }
        prop_assert!(seen, "{input:?}");
    }

    #[test]
    fn no_bytes_do_harm(
        text in "(\\\\|\"|'|%|&|;|#|x|u|[0-9a-f]{1,4}|\\{|\\}|\\[|\x1b|\n|\r|=|[+]|[.]| |amp;|lt;|%25|[A-Za-z]{20}|é){0,120}",
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        is_sound(&open(text.as_bytes()));
        let unit = Unit::whole(Origin::file("x"), &noise);
        if let Ok(document) = decode::open(&unit, Limits::default()) {
            is_sound(&document);
        }
        let code = STANDARD.encode(&text);
        is_sound(&open(code.as_bytes()));
    }

    /// Of a word without end a code opens what is near to it.
    #[test]
    fn codes_open_what_is_near_to_them(gaps in prop::collection::vec(0..3 * lines::REACH, 1..9)) {
        let mut text = Vec::new();
        let mut opened = vec![false; gaps.iter().sum::<usize>() + 3 * gaps.len() + 2 * lines::REACH];
        for gap in gaps {
            text.resize(text.len() + gap, b'x');
            let (code, last) = (text.len(), opened.len());
            let near = code.saturating_sub(lines::REACH)..last.min(code + lines::REACH - super::CONTEXT);
            opened[near].fill(true);
            text.extend_from_slice(b"%3D");
        }
        text.resize(opened.len(), b'x');
        let document = open(&text);
        let (_, view) = document.searchable().nth(1).expect("a view of codes");
        prop_assert_eq!(view.layer, Layer::Percent);
        let mut read = vec![false; text.len()];
        let bytes = (0..view.text.len()).filter(|&at| view.text[at] != b'\n');
        for at in bytes.map(|at| document.origin(1, at as u32) as usize) {
            let code = if text[at] == b'%' { 3 } else { 1 };
            read[at..at + code].fill(true);
        }
        // A byte between two regions belongs to both.
        let between = (1..text.len() - 1).filter(|&at| opened[at - 1] && opened[at + 1]);
        for at in between.collect::<Vec<_>>() {
            opened[at] = true;
        }
        prop_assert!(read == opened);
    }

    /// Whether a byte is opened does not depend on what is farther off.
    #[test]
    fn what_is_opened_is_what_is_near_to_marks(
        coding in 0..MARKS.len(),
        gaps in prop::collection::vec(
            (prop_oneof![0..2 * lines::REACH, 0..400_usize], prop::bool::weighted(0.2), 0..4_usize),
            1..9,
        ),
        inward in prop::collection::vec(0..600_usize, 8),
    ) {
        let mut text = Vec::new();
        let (mut at, mut telling) = (Vec::new(), Vec::new());
        for (gap, ends, mark) in gaps {
            text.resize(text.len() + gap, b'z');
            if ends {
                text.push(b'\n');
            }
            at.push(text.len());
            let mark = mark % MARKS[coding].len();
            if mark == 0 {
                telling.push(text.len());
            }
            text.extend_from_slice(MARKS[coding][mark].as_bytes());
        }
        text.extend_from_slice(&[b'z'; 2 * lines::REACH]);
        // At the edges of what marks open.
        let edges = inward.iter().flat_map(|by| {
            let edge = lines::REACH - by;
            at.iter().flat_map(move |mark| [mark.checked_sub(edge), Some(mark + edge)])
        });
        let whole = opened(&text);
        for mark in telling {
            // As far on its line as every coding opens.
            let [first, last] = [mark.saturating_sub(870), mark + 870];
            let line = memchr::memrchr(b'\n', &text[first..mark]).map_or(first, |end| first + end + 1);
            let end = memchr::memchr(b'\n', &text[mark..last]).map_or(last, |end| mark + end);
            prop_assert!((line..end).all(|at| text[at] != b'z' || whole[at]), "{}", mark);
        }
        for probe in edges.flatten().filter(|&probe| probe < text.len()) {
            let near = probe.saturating_sub(lines::REACH)..text.len().min(probe + lines::REACH + 1);
            let mut alone = vec![b'z'; text.len()];
            alone[near.clone()].copy_from_slice(&text[near]);
            prop_assert_eq!(whole[probe], opened(&alone)[probe], "{}", probe);
        }
    }

    #[test]
    fn a_cut_through_a_payload_gives_all_of_it(
        name in prop_oneof![Just(""), Just("data: "), Just("a\n"), Just("a b c\n    ")],
        lines in 1..7_usize,
        quads in 10..40_usize,
        last in 1..80_usize,
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\n    "), Just("\r\n\t")],
        behind in prop_oneof![Just(""), Just("; b"), Just("==\nb c"), Just("\n\nb"), Just("\n}")],
        cut in any::<prop::sample::Index>(),
    ) {
        let mut rows = vec!["A".repeat(4 * quads); lines];
        rows.push("A".repeat(last.min(4 * quads)));
        let payload = rows.join(end);
        let text = format!("{name}{payload}{behind}");
        let within = name.len()..name.len() + payload.len();
        let at = cut.index(text.len() + 1);
        let found = payload_cut_by(text.as_bytes(), at);
        // Places end behind a line end, or in a line.
        prop_assume!(!matches!(text.as_bytes().get(at), Some(b'\r' | b'\n')));
        if within.contains(&at) && at > within.start {
            prop_assert_eq!(found, within);
        } else if !within.contains(&at) {
            prop_assert!(found.end <= within.start || found.start >= within.end);
        }
    }
}
