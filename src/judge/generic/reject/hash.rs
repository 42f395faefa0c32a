//! Hashes of passwords in the forms that have a name: nobody signs in with a hash.

use crate::judge::structure::text::{is_one_of, starts_with_ci};

/// Why `value` is a hash of a password, if its form says so.
pub fn reason(value: &[u8]) -> Option<&'static str> {
    let known = is_modular(value) || is_scheme(value) || is_named(value);
    known.then_some("is a hash of a password")
}

/// The modular crypt format of crypt(5) and the PHC strings: `$id$salt$hash`.
fn is_modular(value: &[u8]) -> bool {
    /// The id of the longest name, such as `pbkdf2-sha512`, and more.
    const LONGEST_ID: usize = 24;
    /// The shortest hash with its salt.
    const SHORTEST: usize = 16;
    let Some(rest) = value.strip_prefix(b"$") else {
        return false;
    };
    let Some(end) = memchr::memchr(b'$', rest).filter(|end| (1..=LONGEST_ID).contains(end)) else {
        return false;
    };
    let (id, rest) = (&rest[..end], &rest[end + 1..]);
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(b);
    // What follows has parts too, but for phpBB and Drupal, whose ids are a capital.
    let parted = id.iter().all(plain) && memchr::memchr(b'$', rest).is_some();
    (parted || matches!(id, b"P" | b"H" | b"S"))
        && rest.len() >= SHORTEST
        && rest.iter().all(|b| is_crypt(*b) || b"+=$,-_".contains(b))
}

/// What crypt(3) writes a hash with.
pub fn is_crypt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"./".contains(&byte)
}

/// The values of `userPassword` in RFC 2307 and its kin: `{SSHA}` and base64.
fn is_scheme(value: &[u8]) -> bool {
    const SCHEMES: &[&str] = &[
        "sha",
        "ssha",
        "sha256",
        "ssha256",
        "sha384",
        "ssha384",
        "sha512",
        "ssha512",
        "md5",
        "smd5",
        "crypt",
        "pbkdf2",
        "bcrypt",
        "argon2",
        "blf-crypt",
        "md5-crypt",
        "sha256-crypt",
        "sha512-crypt",
        "cram-md5",
        "scram-sha-1",
        "scram-sha-256",
    ];
    let Some(rest) = value.strip_prefix(b"{") else {
        return false;
    };
    let end = memchr::memchr(b'}', rest).filter(|end| rest.len() - end > 12);
    end.is_some_and(|end| is_one_of(&rest[..end], SCHEMES))
}

/// What frameworks and databases write, with the name of the function first:
/// `pbkdf2_sha256$rounds$salt$hash`, `scrypt:32768:8:1$salt$hash`, `SCRAM-SHA-256$rounds:salt$...`.
fn is_named(value: &[u8]) -> bool {
    const NAMES: [&str; 9] = [
        "pbkdf2",
        "scrypt",
        "argon2",
        "bcrypt",
        "sha1$",
        "sha256$",
        "sha512$",
        "md5$",
        "scram-sha-",
    ];
    NAMES
        .iter()
        .any(|name| starts_with_ci(value, name.as_bytes()))
        && memchr::memchr_iter(b'$', value).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_hashes_are_known_and_passwords_with_their_signs_are_not() {
        let (salt, hash) = ("ab".repeat(5), "Zx9./q".repeat(4));
        for form in [
            "$1$<salt>$<hash>",
            "$2b$12$<salt><hash>",
            "$p5k2$1$$<hash>=",
            "$argon2id$v=19$m=65536,t=3,p=4$<salt>$<hash>",
            "$P$B<salt><hash>",
            "{SSHA}<hash>",
            "{BLF-CRYPT}$2y$05$<hash>",
            "pbkdf2_sha256$260000$<salt>$<hash>=",
            "scrypt:32768:8:1$<salt>$<hash>",
            "SCRAM-SHA-256$4096:<salt>$<hash>:<hash>",
        ] {
            let value = form.replace("<salt>", &salt).replace("<hash>", &hash);
            assert!(reason(value.as_bytes()).is_some(), "{form}");
        }
        for password in [
            "$up3r$ecret!",
            "$x$y",
            "{curly}Brace1",
            "md5$once",
            "$a$b!c?d#e&f*g%h@i(j",
        ] {
            assert!(reason(password.as_bytes()).is_none(), "{password}");
        }
    }
}
