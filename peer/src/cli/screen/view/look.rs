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

/// Colours of names that are seen on a dark ground as well as on a light one.
const NAMES: [Color; 10] = [
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::LightRed,
    Color::LightGreen,
    Color::LightMagenta,
    Color::LightCyan,
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
            Look::True => style.fg(hue(hash % 360)),
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

/// A colour of this hue that is neither very bright nor very dark.
fn hue(degrees: u32) -> Color {
    let rising = |at: u32| 90 + (at % 60) * 120 / 60;
    let (low, high) = (90, 210);
    let [up, down] = [rising(degrees), high + low - rising(degrees)].map(|value| value as u8);
    let (low, high) = (low as u8, high as u8);
    match degrees / 60 {
        0 => Color::Rgb(high, up, low),
        1 => Color::Rgb(down, high, low),
        2 => Color::Rgb(low, high, up),
        3 => Color::Rgb(low, down, high),
        4 => Color::Rgb(up, low, high),
        _ => Color::Rgb(high, low, down),
    }
}
