//! Dates as tokens carry them, to seconds since 1970 and back to a day for people.

use time::{Date, Month, OffsetDateTime, Time};

pub const DAY: i64 = 24 * 60 * 60;
pub const YEAR: i64 = 366 * DAY;

/// Reads `YYYY-MM-DD`, optionally with `THH:MM[:SS[.fraction]]` and `Z` or `+hh:mm`. A time
/// without a zone counts as UTC.
pub fn parse(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let year = number(date.get(..4)?)?;
    let month = Month::try_from(number(date.get(5..7)?)? as u8).ok()?;
    let day = number(date.get(8..10)?)? as u8;
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let date = Date::from_calendar_date(year as i32, month, day).ok()?;
    let (time, offset) = time_of_day(rest)?;
    let moment = date.with_time(time).assume_utc().unix_timestamp();
    moment.checked_sub(offset)
}

/// The time and its offset from UTC in seconds.
fn time_of_day(text: &[u8]) -> Option<(Time, i64)> {
    let Some((&mark, text)) = text.split_first() else {
        return Some((Time::MIDNIGHT, 0));
    };
    if !matches!(mark, b'T' | b't' | b' ' | b'+') {
        return None;
    }
    let zone = text
        .iter()
        .position(|b| matches!(b, b'Z' | b'z' | b'+' | b'-'))
        .unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone);
    let hour = number(clock.get(..2)?)? as u8;
    let minute = number(clock.get(3..5)?)? as u8;
    let second = match clock.get(6..8) {
        Some(digits) => number(digits)? as u8,
        None => 0,
    };
    let time = Time::from_hms(hour, minute, second).ok()?;
    Some((time, zone_offset(zone)?))
}

fn zone_offset(zone: &[u8]) -> Option<i64> {
    let sign = match zone.first() {
        None | Some(b'Z' | b'z') => return Some(0),
        Some(b'-') => -1,
        Some(_) => 1,
    };
    let hours = number(zone.get(1..3)?)?;
    let minutes = zone.get(4..6).and_then(number).unwrap_or(0);
    Some(sign * (hours * 3600 + minutes * 60))
}

/// A row of digits as a number; nothing else, and not too long to count in.
pub fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0i64, |sum, &b| {
        b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0'))
    })
}

/// The day of a moment in UTC, such as `2023-01-01`.
pub fn day(moment: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(moment) {
        Ok(at) => format!(
            "{:04}-{:02}-{:02}",
            at.year(),
            u8::from(at.month()),
            at.day()
        ),
        Err(_) => "a day beyond the calendar".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_date() {
        let cases: &[(&str, Option<i64>)] = &[
            ("1970-01-02", Some(DAY)),
            ("1970-01-01T00:01Z", Some(60)),
            ("1970-01-01T00:00:07Z", Some(7)),
            ("1970-01-01T00:00:07.1234567Z", Some(7)),
            ("1970-01-01T02:00:00+02:00", Some(0)),
            ("1970-01-01T00:00:00-00:30", Some(1800)),
            ("1970-13-01", None),
            ("1970-02-30", None),
            ("1970/01/01", None),
            ("1970-01-01T25:00Z", None),
            ("19700101", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()), *expected, "{text}");
        }
    }

    #[test]
    fn days_for_people() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(parse(day(1_700_000_000).as_bytes()), Some(1_699_920_000));
        assert!(day(i64::MAX).contains("beyond"));
    }
}
