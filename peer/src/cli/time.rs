//! Times as the clock on the wall shows them.

use jiff::{Timestamp, Zoned, civil::DateTime, tz::TimeZone};

/// `12:03`, of milliseconds since 1970.
pub fn clock(ms: u64) -> String {
    zoned(ms).strftime("%H:%M").to_string()
}

/// `2026-05-01 12:03:07`, of milliseconds since 1970.
pub fn date(ms: u64) -> String {
    zoned(ms).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2 h 5 min`, of seconds.
pub fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60 % 60, seconds / 3_600 % 24, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// `2026-05-01`, of milliseconds since 1970.
pub fn day(ms: u64) -> String {
    zoned(ms).strftime("%Y-%m-%d").to_string()
}

/// The moment that somebody names, in milliseconds since 1970: a date, a date and a time of day, either by the clock on
/// the wall here, or an age like `2d`, before `now`.
pub fn moment(text: &str, now: u64) -> Result<u64, String> {
    let text = text.trim();
    if let Some(age) = age(text) {
        return Ok(now.saturating_sub(age));
    }
    let on_the_wall = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok().map(|time| time.timestamp());
    let moment = text.parse::<Timestamp>().ok().or_else(on_the_wall);
    let wrong = || "a date (2026-05-01), a time (2026-05-01 12:30), or an age (30m, 12h, 2d, 1w)".to_string();
    u64::try_from(moment.ok_or_else(wrong)?.as_millisecond()).map_err(|_| wrong())
}

/// `90s`, `30m`, `12h`, `2d`, `1w`, in milliseconds.
fn age(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    count.checked_mul(seconds * 1_000)
}

/// A time that no calendar has, as a hostile clock may send it, is shown as the last one.
fn zoned(ms: u64) -> Zoned {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_all_calendars_is_still_shown() {
        assert!(date(u64::MAX).starts_with("9999-"));
    }

    #[test]
    fn a_moment_is_a_date_a_time_or_an_age() {
        let now = 1_777_636_800_000;
        assert_eq!(moment("90s", now), Ok(now - 90_000));
        assert_eq!(moment("2d", now), Ok(now - 2 * 86_400_000));
        assert_eq!(moment("99999999999999999w", now).ok(), None);
        assert_eq!(moment("2026-05-01T12:00:00Z", now), Ok(1_777_636_800_000));
        let midnight = moment("2026-05-01", now).unwrap();
        assert_eq!(date(midnight), "2026-05-01 00:00:00");
        assert_eq!(date(moment("2026-05-01 12:30", now).unwrap()), "2026-05-01 12:30:00");
        for bad in ["", "d", "yesterday", "2026-13-01", "-2d", "2y"] {
            assert!(moment(bad, now).unwrap_err().contains("2d"), "{bad}");
        }
    }

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        assert_eq!([5, 65, 7_500, 180_000].map(span), ["5 s", "1 min", "2 h 5 min", "2 d 2 h"]);
    }
}
