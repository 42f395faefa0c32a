//! Connection strings of SQL Server without a password: the driver signs in with the identity.

use std::ops::Range;

/// Which driver reads a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Microsoft.Data.SqlClient 3.0 and later.
    SqlClient,
    /// mssql-jdbc 12.2 and later.
    Jdbc,
    /// ODBC 17.3.1.1 and later.
    Odbc,
}

/// The driver that a connection string is for; `None` where it cannot be told.
pub fn driver(text: &str, code: &[u8]) -> Option<Driver> {
    let lower = text.to_ascii_lowercase();
    let is_odbc =
        lower.contains("driver={odbc driver 17") || lower.contains("driver={odbc driver 18");
    let is_net = memchr::memmem::find(code, b"Microsoft.Data.SqlClient").is_some();
    if lower.starts_with("jdbc:sqlserver:") {
        Some(Driver::Jdbc)
    } else if is_odbc {
        Some(Driver::Odbc)
    } else if is_net && (lower.contains("server=") || lower.contains("data source=")) {
        Some(Driver::SqlClient)
    } else {
        None
    }
}

/// The string without user and password and with the driver's word for the identity.
pub fn without_password(text: &str, driver: Driver) -> Option<String> {
    const OUT: [&str; 7] = [
        "user id",
        "uid",
        "user",
        "username",
        "password",
        "pwd",
        "authentication",
    ];
    let mut kept: Vec<&str> = Vec::new();
    let mut had = false;
    let mut trailing = false;
    for range in segments(text) {
        let segment = &text[range];
        if segment.trim().is_empty() {
            trailing = true;
            continue;
        }
        trailing = false;
        let key = segment
            .split('=')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if OUT.contains(&&*key) {
            had |= matches!(&*key, "password" | "pwd");
        } else {
            kept.push(segment);
        }
    }
    let word = match driver {
        Driver::SqlClient => "Authentication=Active Directory Default",
        Driver::Jdbc => "authentication=ActiveDirectoryDefault",
        Driver::Odbc => "Authentication=ActiveDirectoryMsi",
    };
    kept.push(word);
    let end = if trailing { ";" } else { "" };
    had.then(|| kept.join(";") + end)
}

/// The stretches between semicolons that are in no braces or quotes.
fn segments(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut until) = (0, None);
    for (at, c) in text.char_indices() {
        match (until, c) {
            (Some(end), c) if c == end => until = None,
            (Some(_), _) => {}
            (None, '{') => until = Some('}'),
            (None, '"') => until = Some('"'),
            (None, ';') => {
                found.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(start..text.len());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_go_and_identities_come() {
        let odbc = "Driver={ODBC Driver 18 for SQL Server};Server=s;Uid=u;Pwd={a;b};Encrypt=yes;";
        assert_eq!(driver(odbc, b""), Some(Driver::Odbc));
        assert_eq!(
            without_password(odbc, Driver::Odbc).as_deref(),
            Some(
                "Driver={ODBC Driver 18 for SQL Server};Server=s;Encrypt=yes;Authentication=ActiveDirectoryMsi;"
            )
        );
        assert_eq!(
            without_password("Server=s;Database=d", Driver::SqlClient),
            None
        );
        assert_eq!(driver("Server=s;Password=p", b""), None);
    }
}
