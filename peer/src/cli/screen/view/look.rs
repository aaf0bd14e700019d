//! Colours: as many as the terminal has, or none.

use ratatui::style::{Color, Modifier, Style};

/// Which colours there are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Look {
    /// None: what matters is bold, underlined or reversed.
    Plain,
    /// Those of every terminal.
    Sixteen,
    /// All.
    True,
}

/// Colours of names on terminals that have no more: each has made those darker ones fit its own ground.
const NAMES: [Color; 6] = [Color::Red, Color::Green, Color::Yellow, Color::Blue, Color::Magenta, Color::Cyan];

/// Colours of names on all others: few enough to be told from each other, and all as bright as what lies in the middle
/// between black and white, so that they can be read on either.
const HUES: [(u8, u8, u8); 9] = [
    (232, 3, 99),
    (217, 60, 1),
    (152, 111, 1),
    (94, 129, 2),
    (2, 136, 78),
    (7, 131, 139),
    (8, 124, 186),
    (82, 100, 255),
    (213, 16, 187),
];

impl Look {
    /// That of this terminal.
    pub fn of_terminal() -> Look {
        let variable = |name| std::env::var(name).unwrap_or_default();
        if !variable("NO_COLOR").is_empty() {
            Look::Plain
        } else if matches!(variable("COLORTERM").as_str(), "truecolor" | "24bit") {
            Look::True
        } else {
            Look::Sixteen
        }
    }

    /// Of somebody's name: the same wherever their key is.
    pub fn name(self, key: &str) -> Style {
        let hash = key.bytes().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let style = Style::new().add_modifier(Modifier::BOLD);
        match self {
            Look::Plain => style,
            Look::Sixteen => style.fg(NAMES[hash as usize % NAMES.len()]),
            Look::True => {
                let (red, green, blue) = HUES[hash as usize % HUES.len()];
                style.fg(Color::Rgb(red, green, blue))
            }
        }
    }

    /// Of what is less important.
    pub fn dim(self) -> Style {
        match self {
            Look::Plain => Style::new().add_modifier(Modifier::DIM),
            _ => Style::new().fg(Color::DarkGray),
        }
    }

    /// Of what this program says.
    pub fn notice(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// Of what is wrong.
    pub fn trouble(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Of what is as it should be.
    pub fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    /// Of what names the user.
    pub fn mention(self) -> Style {
        self.coloured(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Of bars, and of what is picked.
    pub fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn coloured(self, colour: Color) -> Style {
        if self == Look::Plain { Style::new() } else { Style::new().fg(colour) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As WCAG defines it, of 0 to 1.
    fn brightness((red, green, blue): (u8, u8, u8)) -> f64 {
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    #[test]
    fn names_can_be_read_on_black_and_on_white_and_told_from_each_other() {
        for (at, hue) in HUES.iter().enumerate() {
            let bright = brightness(*hue);
            let (on_white, on_black) = (1.05 / (bright + 0.05), (bright + 0.05) / 0.05);
            assert!(on_white > 4.4 && on_black > 4.4, "{hue:?}: {on_white}, {on_black}");
            for other in &HUES[..at] {
                let parts = [(hue.0, other.0), (hue.1, other.1), (hue.2, other.2)];
                let apart: u32 = parts.iter().map(|(one, two)| u32::from(one.abs_diff(*two))).sum();
                assert!(apart >= 50, "{hue:?}, {other:?}");
            }
        }
    }

    #[test]
    fn a_key_has_one_colour_and_keys_have_many() {
        let key = |n: u32| format!("{:016x}", n.wrapping_mul(0x9e37_79b9));
        for look in [Look::True, Look::Sixteen] {
            assert_eq!(look.name(&key(7)), look.name(&key(7)));
            let mut seen: Vec<Style> = (0..200).map(|n| look.name(&key(n))).collect();
            seen.dedup();
            let mut kinds: Vec<Style> = Vec::new();
            seen.into_iter().for_each(|style| {
                if !kinds.contains(&style) {
                    kinds.push(style)
                }
            });
            assert_eq!(kinds.len(), if look == Look::True { HUES.len() } else { NAMES.len() });
        }
    }
}
