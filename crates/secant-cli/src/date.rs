//! Dates and times on the command line.

/// A date, as in `2026-11-26`, or a time up to the minute or the second, as in `2026-11-26T12:34:56Z`, as the store
/// writes times: in UTC, up to the second.
///
/// # Errors
/// Anything else, and days that no month has.
pub fn parse_date(text: &str) -> Result<String, String> {
    time(text).ok_or_else(|| {
        "a date as in 2026-11-26, or a time as in 2026-11-26T12:34:56Z, is wanted".to_string()
    })
}

fn time(text: &str) -> Option<String> {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let time = time.strip_suffix('Z').unwrap_or(time);
    let seconds = if time.len() == "12:34".len() { ":00" } else { "" };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(&format!("{time}{seconds}"), ':', [2, 2, 2])?;
    let is_day = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    let is_time = hour < 24 && minute < 60 && second < 60;
    (is_day && is_time)
        .then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// Three numbers of so many digits.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u32; 3]> {
    let parts: [&str; 3] = text.split(separator).collect::<Vec<_>>().try_into().ok()?;
    let is_right = |(part, digits): (&str, usize)| {
        part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !parts.into_iter().zip(digits).all(is_right) {
        return None;
    }
    Some(parts.map(|part| part.parse().unwrap_or_default()))
}

/// The days of a month.
fn days(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_told_as_the_store_has_them() {
        for (text, expected) in [
            ("2026-11-26", "2026-11-26T00:00:00Z"),
            ("2026-11-26T12:34", "2026-11-26T12:34:00Z"),
            ("2026-11-26T12:34Z", "2026-11-26T12:34:00Z"),
            ("2026-11-26T23:59:59", "2026-11-26T23:59:59Z"),
            ("2000-02-29T12:34:56Z", "2000-02-29T12:34:56Z"),
        ] {
            assert_eq!(parse_date(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_no_calendar_has_is_no_date() {
        for wrong in [
            "",
            "foo",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-00-01",
            "2026-11-31",
            "2025-02-29",
            "1900-02-29",
            "2026-11-00",
            "26-11-2026",
            "2026-+1-26",
            "2026-11-26T",
            "2026-11-26Z",
            "2026-11-26T24:00",
            "2026-11-26T12:60:00Z",
            "2026-11-26 12:34:56",
            "2026-11-26T12:34:56+01:00",
        ] {
            assert!(parse_date(wrong).is_err(), "{wrong}");
        }
    }
}
