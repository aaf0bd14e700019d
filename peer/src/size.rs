//! Sizes and rates as people write them: `500K`, `1.5G`, `2M/s`. K, M, G and T are powers of 1,024.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The units, the smallest first.
const UNITS: [char; 4] = ['K', 'M', 'G', 'T'];
/// More than any disk holds: what is beyond it is a slip of the finger.
const MOST: u64 = 1 << 60;

/// So many bytes; in a config, a text as `50M`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size(pub u64);

/// At most so many bytes a second, 0 for as many as there can be; in a config, a text as `2M/s`, or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(pub u64);

/// A text that is no size, or no rate.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSize {
    /// No size.
    #[error(
        "{0:?} is no size: give a number of bytes, or one with K, M, G or T, such as 500K or 1.5G (1K is 1024 bytes)"
    )]
    Size(String),
    /// No rate.
    #[error("{0:?} is no rate: give bytes a second, such as 500K/s or 2M/s (1K is 1024 bytes), or off for no limit")]
    Rate(String),
}

impl FromStr for Size {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Size, BadSize> {
        bytes(text).map(Size).ok_or_else(|| BadSize::Size(text.into()))
    }
}

impl FromStr for Rate {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Rate, BadSize> {
        let bare = text.trim();
        if bare.is_empty() || bare.eq_ignore_ascii_case("off") {
            return Ok(Rate(0));
        }
        bytes(bare.strip_suffix("/s").unwrap_or(bare)).map(Rate).ok_or_else(|| BadSize::Rate(text.into()))
    }
}

impl TryFrom<String> for Size {
    type Error = BadSize;

    fn try_from(text: String) -> Result<Size, BadSize> {
        text.parse()
    }
}

impl TryFrom<String> for Rate {
    type Error = BadSize;

    fn try_from(text: String) -> Result<Rate, BadSize> {
        text.parse()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> String {
        size.0.to_string()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        if rate.0 == 0 { String::new() } else { format!("{}/s", rate.0) }
    }
}

impl fmt::Display for Size {
    /// Rounded to what a person wants to know: `17 bytes`, `1.5 GiB`, `320 KiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut value, mut unit) = (self.0 as f64, None);
        for next in UNITS {
            // What would be rounded to 1024 is one of the next.
            if value < 1_023.5 {
                break;
            }
            (value, unit) = (value / 1_024.0, Some(next));
        }
        match unit {
            None if self.0 == 1 => f.write_str("1 byte"),
            None => write!(f, "{} bytes", self.0),
            Some(unit) if value < 9.95 => write!(f, "{value:.1} {unit}iB"),
            Some(unit) => write!(f, "{value:.0} {unit}iB"),
        }
    }
}

impl fmt::Display for Rate {
    /// `2.0 MiB/s`, or `no limit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("no limit") } else { write!(f, "{}/s", Size(self.0)) }
    }
}

/// `500`, `500K`, `1.5G`, also `500 KiB` as sizes are shown.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = ["iB", "bytes", "byte", "B"].iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text);
    let unit = text.chars().next_back()?.to_ascii_uppercase();
    let (number, shift) = match UNITS.iter().position(|known| *known == unit) {
        Some(place) => (&text[..text.len() - 1], 10 * (place as u32 + 1)),
        None => (text, 0),
    };
    let number = number.trim();
    // No sign, no exponent, no infinity, all of which a number may have.
    if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(1 << shift)?,
        Err(_) => {
            let parts = number.parse::<f64>().ok()? * f64::from(shift).exp2();
            // Half a byte is not nothing, and nothing may mean without limit.
            if parts > 0.0 && parts < 1.0 {
                return None;
            }
            parts as u64
        }
    };
    (bytes <= MOST).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_the_units_that_people_use() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("500K", 500 << 10),
            ("500k", 500 << 10),
            ("1.5G", 3 << 29),
            ("320 KiB", 320 << 10),
            ("2MB", 2 << 20),
            ("1T", 1 << 40),
            ("17 bytes", 17),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn rates_are_sizes_a_second_and_may_be_off() {
        for (text, bytes) in
            [("2M/s", 2 << 20), ("2M", 2 << 20), ("500 KiB/s", 500 << 10), ("off", 0), ("", 0), ("0", 0)]
        {
            assert_eq!(text.parse(), Ok(Rate(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_what_would_be_right() {
        for text in ["fast", "-1", "1e9", "inf", "2X", "K", ".", "1.2.3", "0.1", "99999999T", "2M/h", "é"] {
            let size = text.parse::<Size>().unwrap_err().to_string();
            assert!(size.contains(text) && size.contains("1.5G"), "{size}");
            let rate = text.parse::<Rate>().unwrap_err().to_string();
            assert!(rate.contains(text) && rate.contains("2M/s"), "{rate}");
        }
    }

    #[test]
    fn sizes_are_shown_in_the_unit_that_fits() {
        let shown = [0, 1, 17, 1_023, 1_024, 327_680, 1_047_999, 1 << 20, 256 << 20, 3 << 29, 100 << 30, 1 << 60]
            .map(|n| Size(n).to_string());
        let expected = [
            "0 bytes",
            "1 byte",
            "17 bytes",
            "1023 bytes",
            "1.0 KiB",
            "320 KiB",
            "1023 KiB",
            "1.0 MiB",
            "256 MiB",
            "1.5 GiB",
            "100 GiB",
            "1048576 TiB",
        ];
        assert_eq!(shown, expected);
        assert_eq!([Rate(0), Rate(2 << 20)].map(|rate| rate.to_string()), ["no limit", "2.0 MiB/s"]);
    }

    #[test]
    fn what_is_written_for_a_config_is_read_back_to_the_byte() {
        for bytes in [0, 1, 1_000_003] {
            assert_eq!(Rate::try_from(String::from(Rate(bytes))), Ok(Rate(bytes)));
            assert_eq!(Size::try_from(String::from(Size(bytes))), Ok(Size(bytes)));
        }
    }
}
