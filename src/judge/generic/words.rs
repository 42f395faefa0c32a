//! Words in a value: how much of it is made of them, and how surprising its letters are.
//!
//! The tables are made from `patterns/generic/*.txt` at build time.

include!(concat!(env!("OUT_DIR"), "/lexicon.rs"));

const COMMON: u32 = 1;
const DUMMY: u32 = 2;
/// Longer values are judged by their head.
const LONGEST: usize = 96;

/// What the letters of a value say. Shares are of all its letters and digits, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wording {
    /// Share of the letters that belong to words of the lists.
    pub words: f32,
    /// Share of the letters that belong to words by which people say that this is no secret.
    pub dummy: f32,
    /// Mean surprise of a letter after another, in bits, at most [`Wording::MOST_SURPRISE`].
    pub surprise: f32,
    /// How many words were found.
    pub count: usize,
}

impl Wording {
    /// From here on letters look random, and more says nothing: random letters must not outweigh
    /// everything else that is known.
    pub const MOST_SURPRISE: f32 = 5.5;

    pub fn of(value: &[u8]) -> Self {
        let value = &value[..value.len().min(LONGEST)];
        let mut letters = [0u8; LONGEST];
        for (to, from) in letters.iter_mut().zip(value) {
            *to = plain(*from);
        }
        let letters = &letters[..value.len()];
        let total = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
        if total == 0 {
            return Self::default();
        }
        let (words, count, dummy) = covered(letters, value);
        Self {
            words: (words as f32 / total as f32).min(1.0),
            dummy: (dummy as f32 / total as f32).min(1.0),
            surprise: surprise(value),
            count,
        }
    }
}

/// A letter in lower case, with digits and signs that stand for letters read as those.
fn plain(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => byte.to_ascii_lowercase(),
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

/// The most letters that words cover without overlapping, in how many words, and the most that words
/// for no secret cover. A word must have a true letter for each but one of its own, so that a row of
/// digits is none, and a short word must not start or end inside a run of letters of the same case.
///
/// Both covers are found in one walk, as walking the tree of words is what costs.
fn covered(letters: &[u8], value: &[u8]) -> (usize, usize, usize) {
    let mut best = [(0u8, 0u8); LONGEST + 1];
    let mut dummy = [0u8; LONGEST + 1];
    for start in 0..letters.len() {
        let (skipped, skipped_dummy) = (best[start], dummy[start]);
        best[start + 1] = best[start + 1].max(skipped);
        dummy[start + 1] = dummy[start + 1].max(skipped_dummy);
        let mut node = 0usize;
        let mut digits = 0;
        for end in start..letters.len() {
            digits += usize::from(!value[end].is_ascii_alphabetic());
            let Some(next) = child(node, letters[end]) else {
                break;
            };
            node = next;
            let len = end + 1 - start;
            let class = TRIE[node].1;
            if class & (COMMON | DUMMY) == 0
                || digits > 0 && (len < 4 || digits * 3 > len)
                || len < 4 && !stands_free(value, start, end + 1)
            {
                continue;
            }
            let here = (skipped.0 + len as u8, skipped.1 + 1);
            if here.0 > best[end + 1].0 {
                best[end + 1] = here;
            }
            if class & DUMMY != 0 {
                dummy[end + 1] = dummy[end + 1].max(skipped_dummy + len as u8);
            }
        }
    }
    let (words, count) = best[letters.len()];
    (words.into(), count.into(), dummy[letters.len()].into())
}

/// Whether no letter of the same word is on either side.
fn stands_free(value: &[u8], start: usize, end: usize) -> bool {
    let lower = |at: usize| value.get(at).is_some_and(u8::is_ascii_lowercase);
    let letter = |at: usize| value.get(at).is_some_and(u8::is_ascii_alphabetic);
    let starts = start == 0 || !letter(start - 1) || lower(start - 1) && !lower(start);
    let ends = !letter(end) || lower(end - 1) && !lower(end);
    starts && ends
}

fn child(node: usize, letter: u8) -> Option<usize> {
    let bit = 1u32 << letter.checked_sub(b'a').filter(|l| *l < 26)?;
    let (mask, first) = TRIE[node];
    (mask & bit != 0).then(|| (first >> 2) as usize + (mask & (bit - 1)).count_ones() as usize)
}

/// Mean surprise over the pairs of neighbouring letters of one case.
fn surprise(value: &[u8]) -> f32 {
    let (mut sum, mut pairs) = (0u32, 0u32);
    for pair in value.windows(2) {
        if pair.iter().all(u8::is_ascii_alphabetic) {
            let [a, b] = [pair[0], pair[1]].map(|b| usize::from(b.to_ascii_lowercase() - b'a'));
            sum += u32::from(SURPRISE[a][b]);
            pairs += 1;
        }
    }
    if pairs < 3 {
        return 0.0;
    }
    (sum as f32 / pairs as f32 / 4.0).min(Wording::MOST_SURPRISE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_spelling() {
        for value in [
            "password",
            "Passw0rd",
            "test_user",
            "helloWorld",
            "P@ssword",
            "changeme",
        ] {
            let wording = Wording::of(value.as_bytes());
            assert!(wording.dummy > 0.99, "{value}: {wording:?}");
        }
        let wording = Wording::of(b"connectionFactory");
        assert!(
            wording.words > 0.99 && wording.dummy < 0.01 && wording.count == 2,
            "{wording:?}"
        );
    }

    #[test]
    fn noise_has_few_words() {
        for value in ["xkqzvjwp", "q7Zr2mXp", "8f14e45fceea167a", "qwzkxjvb"] {
            assert!(Wording::of(value.as_bytes()).words < 0.5, "{value}");
        }
        assert!(Wording::of(b"xkqzvjwp").surprise > Wording::of(b"connection").surprise);
    }
}
