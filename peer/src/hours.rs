//! Hours of the day, as `22:00-07:00`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// From one minute of the day to another, over midnight where the second is the earlier one; or none at all, which is
/// written as an empty text.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Hours(Option<(u16, u16)>);

/// Minutes of a day.
const DAY: u16 = 24 * 60;

impl Hours {
    /// Whether a minute of the day, from 0 to 1,439, is in them. The last one is not.
    pub fn cover(&self, minute: u16) -> bool {
        let Some((from, to)) = self.0 else { return false };
        if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Hours, String> {
        if text.trim().is_empty() {
            return Ok(Hours(None));
        }
        let hours = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        match hours {
            Some((from, to)) if from != to => Ok(Hours(Some((from, to)))),
            _ => Err(format!("{text:?} is no time of the day; write it as 22:00-07:00")),
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((from, to)) = self.0 else { return Ok(()) };
        let of = |minute: u16| (minute % DAY / 60, minute % 60);
        let ((h, m), (h2, m2)) = (of(from), of(to));
        write!(f, "{h:02}:{m:02}-{h2:02}:{m2:02}")
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hours, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_go_over_midnight_and_end_before_their_last_minute() {
        let night: Hours = "22:00-07:00".parse().unwrap();
        assert_eq!(night.to_string(), "22:00-07:00");
        for (minute, is) in [(21 * 60 + 59, false), (22 * 60, true), (0, true), (7 * 60 - 1, true), (7 * 60, false)] {
            assert_eq!(night.cover(minute), is, "{minute}");
        }
        let noon: Hours = "12:00-13:30".parse().unwrap();
        assert!(noon.cover(13 * 60) && !noon.cover(0) && !noon.cover(14 * 60));
        assert!(!Hours::default().cover(0) && "".parse() == Ok(Hours::default()));
    }

    #[test]
    fn what_is_no_time_of_the_day_is_refused_with_an_example() {
        for text in ["22-7", "24:00-07:00", "07:60-08:00", "07:00-07:00", "night"] {
            assert!(text.parse::<Hours>().unwrap_err().contains("22:00-07:00"), "{text}");
        }
    }
}
