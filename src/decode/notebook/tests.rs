use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The segments of a notebook: where they are and what they say.
fn segments(notebook: &Value) -> Vec<(Place, String)> {
    let text = notebook.to_string();
    let (builder, places, fault) = open(text.as_bytes());
    assert_eq!(fault, None);
    split(&builder, &places)
}

fn open(text: &[u8]) -> (ViewBuilder, Vec<Place>, Option<Fault>) {
    let mut builder = ViewBuilder::default();
    let mut places = vec![Place::default()];
    let fault = decode(text, &mut builder, &mut places).err();
    assert_eq!(builder.text.len(), builder.map.len());
    (builder, places, fault)
}

fn split(builder: &ViewBuilder, places: &[Place]) -> Vec<(Place, String)> {
    let starts: Vec<usize> = builder.segments.iter().map(|s| s.start as usize).collect();
    let ends = starts.iter().skip(1).copied().chain([builder.text.len()]);
    let ranges = starts.iter().copied().zip(ends);
    let text = |range| {
        String::from_utf8_lossy(&builder.text[range])
            .trim_end()
            .to_owned()
    };
    builder
        .segments
        .iter()
        .zip(ranges)
        .map(|(s, (from, to))| (places[s.place as usize].clone(), text(from..to)))
        .collect()
}

/// A notebook with one code cell with these outputs.
fn with_outputs(outputs: Value) -> Value {
    json!({ "cells": [
        { "cell_type": "markdown", "metadata": {}, "source": [] },
        { "cell_type": "code", "metadata": {}, "source": ["a\n", "b"], "outputs": outputs },
    ], "metadata": {}, "nbformat": 4, "nbformat_minor": 5 })
}

fn find<'s>(segments: &'s [(Place, String)], text: &str) -> &'s Place {
    let found = segments.iter().find(|(_, said)| said.contains(text));
    &found
        .unwrap_or_else(|| panic!("{text:?} not in {segments:?}"))
        .0
}

#[test]
fn sources_are_joined_whatever_their_form() {
    for source in [json!("a\nb"), json!(["a\n", "b"]), json!(["a", "\nb"])] {
        let found = segments(&json!({ "cells": [
            { "source": source, "cell_type": "code", "outputs": [] } ], "nbformat": 4 }));
        let place = find(&found, "a\nb");
        assert_eq!((place.role, place.cell), (Role::Code, Some(0)));
    }
}

#[test]
fn older_formats_are_read() {
    let found = segments(&json!({ "worksheets": [{ "cells": [
        { "cell_type": "markdown", "source": ["x"] },
        { "cell_type": "code", "input": ["in"], "outputs": [
            { "output_type": "pyout", "text": ["plain"], "html": "<b>", "png": "AAAA" },
            { "output_type": "pyerr", "evalue": "wrong", "traceback": ["t1", "t2"] },
        ] },
    ] }], "nbformat": 3 }));
    assert_eq!(find(&found, "in").cell, Some(1));
    let plain = find(&found, "plain");
    assert_eq!(
        (plain.output, plain.mime.as_deref()),
        (Some(0), Some("text/plain"))
    );
    assert_eq!(find(&found, "t1\nt2").output, Some(1));
    assert!(!found.iter().any(|(_, text)| text.contains("AAAA")));
}

#[test]
fn streams_of_one_name_are_joined() {
    let found = segments(&with_outputs(json!([
        { "output_type": "stream", "name": "stdout", "text": ["one to"] },
        { "output_type": "stream", "name": "stdout", "text": "ken\n" },
        { "output_type": "stream", "name": "stderr", "text": "other" },
    ])));
    assert_eq!(find(&found, "one token").output, Some(0));
    assert_eq!(find(&found, "other").output, Some(2));
}

#[test]
fn rich_outputs_give_each_form_but_pictures() {
    let found = segments(&with_outputs(json!([
        { "output_type": "display_data", "metadata": { "secret": "m" }, "data": {
            "text/html": ["<a ", "href>"], "image/png": "iVBOR", "image/svg+xml": "<svg/>",
            "application/vnd.x+json": { "rows": [{ "user": "u", "pass": "p\"q" }] },
        } },
    ])));
    assert_eq!(find(&found, "<a href>").mime.as_deref(), Some("text/html"));
    assert_eq!(find(&found, "pass = \"p\"q\"").cell, Some(1));
    assert_eq!(find(&found, "<svg/>").output, Some(0));
    assert_eq!(find(&found, "secret = \"m\"").role, Role::Metadata);
    assert!(!found.iter().any(|(_, text)| text.contains("iVBOR")));
}

#[test]
fn values_take_the_name_that_a_sibling_gives() {
    let found = segments(&json!({ "cells": [], "metadata": {
        "papermill": { "parameters": { "conn": "c1" } },
        "widgets": [{ "name": "db_password", "currentValue": "v1" }],
        "keys": [{ "keyName": "key1", "permissions": "FULL", "value": "v2" }],
        "list": ["l1", "l2"],
    }, "nbformat": 4 }));
    for line in [
        "conn = \"c1\"",
        "db_password = \"v1\"",
        "key1 = \"v2\"",
        "list = \"l2\"",
    ] {
        assert_eq!(find(&found, line).role, Role::Metadata);
    }
}

#[test]
fn attachments_are_text_unless_pictures() {
    let found = segments(
        &json!({ "cells": [ { "cell_type": "markdown", "source": "s",
        "attachments": { "a.txt": { "text/plain": "dGV4dA==" }, "b.png": { "image/png": "iVBOR" } } } ],
        "nbformat": 4 }),
    );
    assert_eq!(find(&found, "dGV4dA==").role, Role::Attachment);
    assert!(!found.iter().any(|(_, text)| text.contains("iVBOR")));
}

#[test]
fn broken_notebooks_give_their_strings_and_a_fault() {
    let whole = serde_json::to_string_pretty(&with_outputs(json!([
        { "output_type": "stream", "name": "stdout", "text": ["tok", "en\n"] } ])))
    .expect("serialises");
    let cut = whole.len() - 30;
    let conflict = format!("<<<<<<< HEAD\n{whole}\n>>>>>>> other");
    for text in [&whole[..cut], &conflict] {
        let (builder, places, fault) = open(text.as_bytes());
        assert!(fault.is_some());
        let found = split(&builder, &places);
        let place = find(&found, "a\nb");
        assert_eq!((place.cell, place.role), (Some(1), Role::Code), "{text}");
        find(&found, "token");
    }
}

#[test]
fn library_code_is_marked() {
    let library = "x".repeat(LIBRARY_LINE + 1);
    let found = segments(&with_outputs(json!([
        { "output_type": "display_data", "data": { "text/html": library, "text/plain": "short" } },
    ])));
    assert!(find(&found, "xxxx").machine_made);
    assert!(!find(&found, "short").machine_made);
}

#[test]
fn recognised_without_a_name() {
    assert!(looks_like_one(b" {\"cells\": [], \"nbformat\": 4}"));
    assert!(!looks_like_one(b"{\"name\": \"x\"}"));
    assert!(!looks_like_one(b"import json"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(text in "[\\[\\]{}\",:\\\\un0a1<> \n]{0,80}") {
        open(text.as_bytes());
    }

    #[test]
    fn any_mutation_is_read_without_panic(at in 0usize..400, byte: u8) {
        let mut text = with_outputs(json!([
            { "output_type": "stream", "name": "stdout", "text": ["tok", "en\\n"] } ])).to_string().into_bytes();
        let at = at % text.len();
        text[at] = byte;
        open(&text);
    }
}
