//! Lines that IPython runs itself: `!command`, `%env`, `%sql`. It puts `{expression}` into them.

use std::ops::Range;

use super::edit::{self, Edit};
use super::slot::{Held, Refused};

/// A secret in such a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MagicLine {
    pub held: Held,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// Between these quotes, or bare.
    Argument(Option<u8>),
    /// `%env NAME=value`, the whole of it.
    Environment { line: Range<usize>, name: String },
}

/// Magics that take their lines as they are.
const UNFILLED: [&[u8]; 5] = [b"alias", b"debug", b"prun", b"time", b"timeit"];

/// Reads the line around a secret; `None` when it is not IPython's.
pub fn line(text: &[u8], secret: &Range<usize>) -> Option<Result<MagicLine, Refused>> {
    let start = edit::line_start(text, secret.start);
    let end = memchr::memchr(b'\n', &text[secret.start..]).map_or(text.len(), |n| secret.start + n);
    let line = &text[start..end];
    let lead = line.len() - line.trim_ascii_start().len();
    let sign = *line.get(lead)?;
    let body = &line[lead + 1..];
    if !matches!(sign, b'!' | b'%') || body.starts_with(b"%") {
        return None;
    }
    let word = body.split(|b| !b.is_ascii_alphanumeric()).next();
    if sign == b'%' && word.is_some_and(|word| UNFILLED.contains(&word)) {
        return Some(Err(
            "stands in a line into which IPython puts no value".into()
        ));
    }
    let environment = [&b"env "[..], b"set_env "]
        .iter()
        .find_map(|word| body.strip_prefix(*word).filter(|_| sign == b'%'));
    Some(match environment {
        Some(assignment) => variable(text, start + lead..end, assignment, secret),
        None => argument(text, start + lead + 1..end, secret),
    })
}

fn variable(
    text: &[u8],
    line: Range<usize>,
    assignment: &[u8],
    secret: &Range<usize>,
) -> Result<MagicLine, Refused> {
    let at = assignment
        .iter()
        .position(|b| *b == b'=' || b.is_ascii_whitespace())
        .ok_or("sets no variable")?;
    let name = std::str::from_utf8(&assignment[..at]).map_err(|_| "has no plain name")?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let from = line.end - (assignment.len() - at - 1);
    let value = &text[from..line.end];
    let start = from + (value.len() - value.trim_ascii_start().len());
    let value = start..start + value.trim_ascii().len();
    if !is_name || secret.start < value.start || secret.end > value.end {
        return Err("sets no variable".into());
    }
    let around = [
        &text[value.start..secret.start],
        &text[secret.end..value.end],
    ];
    if around.iter().any(|part| has_values(part)) {
        return Err("stands in a text with values put into it".into());
    }
    Ok(MagicLine {
        held: Held {
            value: text[value.clone()].to_vec(),
            around: value.clone(),
            covers: value,
        },
        form: Form::Environment {
            line,
            name: name.to_owned(),
        },
    })
}

/// Whether IPython may put values into a text: `{expression}`, `$name`.
fn has_values(text: &[u8]) -> bool {
    let is_name = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
    let names = text.windows(2).any(|w| w[0] == b'$' && is_name(&w[1]));
    names || memchr::memchr2(b'{', b'}', text).is_some()
}

/// A secret in an argument of the command, which stands between quotes or blanks. What is around it there
/// stays: IPython puts values anywhere.
fn argument(text: &[u8], line: Range<usize>, secret: &Range<usize>) -> Result<MagicLine, Refused> {
    let mut quote = None;
    for byte in &text[line.start..secret.start] {
        match quote {
            Some(open) if byte == open => quote = None,
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            _ => {}
        }
    }
    let rest = &text[secret.end..line.end];
    if quote.is_some_and(|quote| !rest.contains(quote)) {
        return Err("stands in a quote that goes on".into());
    }
    if !are_filled(&text[line.start..secret.start]) || !are_filled(rest) {
        return Err("stands in a line with braces for which IPython has no value".into());
    }
    Ok(MagicLine {
        held: Held {
            value: text[secret.clone()].to_vec(),
            around: secret.clone(),
            covers: secret.clone(),
        },
        form: Form::Argument(quote.copied()),
    })
}

/// Whether all braces are around variables. Of a line with others, IPython fills in none.
fn are_filled(line: &[u8]) -> bool {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    let mut parts = line.split(|b| *b == b'{');
    let before = parts.next().unwrap_or_default();
    !before.contains(&b'}')
        && parts.all(|part| {
            let mut sides = part.splitn(2, |b| *b == b'}');
            let name = sides.next().unwrap_or_default();
            let after = sides.next();
            !name.is_empty()
                && name.iter().all(is_part)
                && after.is_some_and(|after| !after.contains(&b'}'))
        })
}

impl MagicLine {
    /// The edit that puts the expression in.
    pub fn edit(&self, expression: &str) -> Edit {
        match &self.form {
            Form::Argument(quote) => {
                // The other quotes than those around, so that the shell's quoting stays.
                let inner = if *quote == Some(b'"') { "'" } else { "\"" };
                let expression = expression.replace(['"', '\''], inner);
                Edit::new(self.held.covers.clone(), format!("{{{expression}}}"))
            }
            Form::Environment { line, name } => {
                let text = format!("import os; os.environ[\"{name}\"] = {expression}");
                Edit::new(line.clone(), text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let at = text.find("HERE").expect("the mark");
        let found = line(text.as_bytes(), &(at..at + 4)).expect("a magic line");
        let edit = found.expect("can be done").edit("kv(\"n\")");
        let (after, _) = edit::apply(text.as_bytes(), &[edit]);
        String::from_utf8(after).expect("UTF-8")
    }

    #[test]
    fn lines_that_are_not_filled_in_are_left() {
        for text in [
            "!curl -d '{\"a\": 1}' -H HERE",
            "!a HERE | awk '{print $1}'",
            "!a HERE }",
            "!a 'HERE",
            "%env X={user}:HERE",
            "%set_env X=HERE-$USER",
            "%timeit f('HERE')",
            "%time -q f('HERE')",
        ] {
            let at = text.find("HERE").expect("the mark");
            let found = line(text.as_bytes(), &(at..at + 4)).expect("a magic line");
            assert!(found.is_err(), "{text}");
        }
    }

    #[test]
    fn arguments_and_variables_are_replaced() {
        assert_eq!(
            rewritten("!az x --key HERE -c d"),
            "!az x --key {kv(\"n\")} -c d"
        );
        assert_eq!(rewritten("!a \"u?sig=HERE\" b"), "!a \"u?sig={kv('n')}\" b");
        assert_eq!(
            rewritten("!export X='a=HERE;' && y"),
            "!export X='a={kv(\"n\")};' && y"
        );
        assert_eq!(
            rewritten("%sql pg://u:HERE@h/d"),
            "%sql pg://u:{kv(\"n\")}@h/d"
        );
        assert_eq!(
            rewritten("%env X=HERE\n%load_ext y"),
            "import os; os.environ[\"X\"] = kv(\"n\")\n%load_ext y"
        );
        assert_eq!(
            rewritten("!a {url}/x -H \"k: HERE $b\""),
            "!a {url}/x -H \"k: {kv('n')} $b\""
        );
        assert!(line(b"x = 'HERE'", &(5..9)).is_none());
    }
}
