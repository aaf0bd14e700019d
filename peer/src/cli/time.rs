//! Times as the clock on the wall shows them.

use jiff::{Timestamp, Zoned, tz::TimeZone};

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
    fn a_span_is_told_in_its_two_largest_units() {
        assert_eq!([5, 65, 7_500, 180_000].map(span), ["5 s", "1 min", "2 h 5 min", "2 d 2 h"]);
    }
}
