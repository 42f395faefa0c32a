//! Values of which a part is left out, or filled in when the program runs.

use crate::judge::Probe;

/// A value of which a part is left out, or comes from elsewhere.
pub fn reason(probe: &Probe<'_>) -> Option<&'static str> {
    let value = probe.value();
    if memchr::memmem::find(value, b"...").is_some() {
        return Some("an ellipsis stands for the rest");
    }
    if is_cut_field(probe) {
        return Some("a template");
    }
    if matches!(value, [head @ .., b'_'] if head.iter().all(u8::is_ascii_alphabetic)) {
        return Some("a prefix without its rest");
    }
    // `prefix_<your key>` without quotes ends at the bracket, or at the space.
    let opened = memchr::memrchr(b'<', value).map(|at| &value[at + 1..]);
    let next = probe.after(2);
    let opened = opened.or_else(|| next.strip_prefix(b"<"));
    if opened.is_some_and(|word| word.iter().all(u8::is_ascii_alphabetic))
        && probe.after(40).contains(&b'>')
    {
        return Some("a placeholder");
    }
    let after = probe.after(8).trim_ascii_start();
    let added = [&b"\" +"[..], b"' +", b"\\\" +"]
        .iter()
        .any(|end| after.starts_with(end));
    let open_end = value.last().is_some_and(|b| b"-_.:/".contains(b));
    (added && open_end).then_some("put together when it runs")
}

/// Whether the value ends inside the field of a template, as a value without quotes does at the
/// bracket: `Password={name:16};`.
fn is_cut_field(probe: &Probe<'_>) -> bool {
    let value = probe.value();
    let Some(open) = memchr::memrchr(b'{', value) else {
        return false;
    };
    let field = &value[open + 1..];
    probe.after(1) == b"}"
        && field.first().is_some_and(u8::is_ascii_alphabetic)
        && field
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.:+|".contains(b))
}

/// Text that is filled in later.
pub fn template(value: &[u8]) -> Option<&'static str> {
    let has = |needle: &[u8]| memchr::memmem::find(value, needle).is_some();
    if has(b"${")
        || has(b"{{")
        || has(b"$(")
        || has(b"#{")
        || has(b"<%")
        || has(b"%>")
        || has(b"[[")
    {
        return Some("a template");
    }
    let wrapped = |open: u8, close: u8| {
        let inner = memchr::memchr(open, value).map(|start| &value[start + 1..]);
        let inner = inner.and_then(|rest| Some(&rest[..memchr::memchr(close, rest)?]));
        inner.is_some_and(|inner| {
            inner
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b" _-.:+[]'\"|$".contains(b))
        })
    };
    if wrapped(b'{', b'}')
        || wrapped(b'<', b'>')
        || has(b"%s")
        || has(b"%d")
        || has(b"%v")
        || has(b"{}")
    {
        return Some("a template");
    }
    let variable = match value {
        [b'$', rest @ ..] => rest
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.:>-[]'\"".contains(b)),
        [b'%', .., b'%'] => true,
        [b'@', rest @ ..] => rest
            .iter()
            .all(|b| b.is_ascii_alphabetic() || *b == b'_' || *b == b'.'),
        [b':', rest @ ..] => rest.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_'),
        _ => false,
    };
    variable.then_some("a variable")
}
