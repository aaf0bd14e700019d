//! How files that are under way are shown while somebody waits for them: bars on a terminal, lines elsewhere, or JSON.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use common::wire::control::{
    Event,
    files::{Transfer, TransferState},
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use peer::size::{Rate, Size};

use super::{
    output::{self, Out},
    quiet::Quiet,
    text::inline,
    transfers,
};

/// How often a transfer on which nothing has changed is told as JSON.
const TOLD: Duration = Duration::from_secs(1);
/// Characters of a name before a bar.
const NAME: usize = 20;
/// What a bar shows: the name, how far it is, and how it goes, as much as fits on the line.
const STYLE: &str = "{prefix} [{bar:16}] {wide_msg}";

/// The files that are waited for, as they are shown.
pub struct Bars {
    all: Vec<Bar>,
    look: Look,
    /// Of the longest name, so that the bars begin below each other.
    width: usize,
    _quiet: Option<Quiet>,
}

enum Look {
    Bars(MultiProgress),
    Lines,
    Json,
}

struct Bar {
    bar: ProgressBar,
    last: Option<Transfer>,
    told: Instant,
}

impl Bars {
    /// Shows these transfers: as JSON if `out` is, with bars if stderr is a terminal.
    pub fn new(begun: &[Transfer], out: &Out) -> Bars {
        let drawn = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let look = match out.is_json() {
            true => Look::Json,
            false if io::stderr().is_terminal() && !drawn.is_hidden() => Look::Bars(drawn),
            false => Look::Lines,
        };
        let all = begun.iter().map(|_| Bar {
            bar: match &look {
                Look::Bars(drawn) => drawn.add(ProgressBar::new(1).with_style(style())),
                _ => ProgressBar::hidden(),
            },
            last: None,
            told: Instant::now(),
        });
        let all = all.collect();
        let width = begun.iter().map(|transfer| name(transfer).chars().count()).max().unwrap_or_default();
        let quiet = if matches!(look, Look::Bars(_)) { Quiet::begin() } else { None };
        Bars { all, look, width, _quiet: quiet }
    }

    /// The one at `place` is so now.
    pub fn show(&mut self, place: usize, transfer: &Transfer, out: &Out) -> io::Result<()> {
        let Some(bar) = self.all.get_mut(place) else { return Ok(()) };
        let last = bar.last.replace(transfer.clone());
        let begins = last.is_none();
        let changed = last.is_none_or(|last| (last.state, last.trouble) != (transfer.state, transfer.trouble.clone()));
        let over = transfer.state.is_over();
        match &self.look {
            Look::Json if changed || bar.told.elapsed() >= TOLD => {
                bar.told = Instant::now();
                return output::json(&Event::Transfer(transfer.clone()));
            }
            Look::Json => return Ok(()),
            Look::Bars(drawn) if over && changed => {
                drawn.remove(&bar.bar);
                return drawn.suspend(|| ended(transfer, out));
            }
            Look::Bars(_) if over => {}
            Look::Bars(_) => {
                bar.bar.set_length(transfer.total);
                bar.bar.set_prefix(format!("{:1$}", name(transfer), self.width));
                bar.bar.set_message(message(transfer));
                bar.bar.set_position(transfer.done);
            }
            Look::Lines if over && changed => return ended(transfer, out),
            Look::Lines if begins => output::note(&transfers::begun(transfer)),
            // That it goes on after it stood still is seen when it ends.
            Look::Lines if changed && (transfer.state != TransferState::Fetching || transfer.trouble.is_some()) => {
                output::note(&transfers::told(transfer));
            }
            Look::Lines => {}
        }
        Ok(())
    }

    /// Says something above the bars.
    pub fn note(&self, text: &str) {
        match &self.look {
            Look::Bars(drawn) => drawn.suspend(|| output::note(text)),
            _ => output::note(text),
        }
    }

    /// Takes the bars off the screen.
    pub fn clear(&self) {
        if let Look::Bars(drawn) = &self.look {
            // Else each that is dropped would draw those that are left.
            self.all.iter().for_each(|bar| drawn.remove(&bar.bar));
            // A terminal that is gone needs no clearing.
            let _ = drawn.clear();
        }
    }
}

fn name(transfer: &Transfer) -> String {
    let name = inline(&transfer.file.name);
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

/// What is here is data; what is not is told.
fn ended(transfer: &Transfer, out: &Out) -> io::Result<()> {
    match transfer.state {
        TransferState::Done => out.object(transfer, transfers::told),
        _ => {
            output::note(&transfers::told(transfer));
            Ok(())
        }
    }
}

/// `12 MiB/256 MiB, 31 MiB/s, 8 s left, from bob, carol (+2)`.
fn message(transfer: &Transfer) -> String {
    let far = format!("{}/{}", Size(transfer.done), Size(transfer.total));
    match transfer.state {
        TransferState::Checking => "what is here is being checked".into(),
        TransferState::Paused => format!("{far}, paused; go on with: peer resume {}", transfer.id),
        _ => match (&transfer.trouble, transfers::sources(transfer)) {
            (Some(trouble), None) => format!("{far}, {}", inline(trouble)),
            (_, None) => format!("{far}, waiting"),
            (_, Some(from)) => {
                let left =
                    transfer.left_s.map(|left| format!(", {} left", transfers::left(left.max(1)))).unwrap_or_default();
                format!("{far}, {}{left}, from {from}", Rate(transfer.rate.max(1)))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::transfers::tests::half;

    #[test]
    fn a_bar_tells_how_far_how_fast_how_long_and_from_whom() {
        let shown = message(&half(TransferState::Fetching));
        assert_eq!(shown, "160 KiB/320 KiB, 32 KiB/s, 5 s left, from carol, bob (+2)");
        let still = Transfer {
            sources: Vec::new(),
            trouble: Some("nobody\u{1b} is there".into()),
            ..half(TransferState::Fetching)
        };
        assert_eq!(message(&still), "160 KiB/320 KiB, nobody\\u{1b} is there");
        assert!(message(&half(TransferState::Paused)).contains("peer resume 3"));
    }

    #[test]
    fn the_line_of_a_bar_is_well_formed() {
        assert!(ProgressStyle::with_template(STYLE).is_ok());
    }
}
