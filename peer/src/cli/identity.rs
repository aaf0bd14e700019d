//! Who somebody really is.

use anyhow::Result;
use clap::Args;
use common::{
    AccountName,
    wire::control::people::{AskPeople, Identity, Named, Verify as Params},
};
use peer::control::Client;
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

use super::output::Out;

/// Groups of a safety number on a line.
const GROUPS: usize = 4;

/// Show the safety number of somebody: read it out to each other, not by Rollcall. If it is the same on both sides, each
/// has the other's key.
#[derive(Args, Clone, PartialEq, Debug)]
#[command(after_help = "Examples:\n  peer verify bob\n  peer verify bob --done    # it was the same")]
pub struct Verify {
    /// Whose.
    name: AccountName,
    /// You have compared it, and it was the same: they are marked as verified from now on.
    #[arg(long)]
    done: bool,
    /// Without the QR code.
    #[arg(long)]
    no_qr: bool,
}

/// Take the key that somebody shows now for theirs, after a known name has come with another key.
#[derive(Args)]
#[command(after_help = "Example:\n  peer trust bob\nAsk bob first, not by Rollcall, whether the key is his.")]
pub struct Trust {
    /// Whose.
    name: AccountName,
}

impl Verify {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let identity: Identity = client.people(AskPeople::Verify(self.params())).await?;
        Ok(out.object(&identity, |identity| self.told(identity))?)
    }

    /// Whom, and whether it is done.
    pub fn params(&self) -> Params {
        Params { name: self.name.clone(), done: self.done }
    }

    /// What it shows.
    pub fn told(&self, identity: &Identity) -> String {
        let name = &identity.name;
        if self.done {
            return format!("{name} is verified");
        }
        let code = if self.no_qr { String::new() } else { qr(identity) };
        let state = if identity.verified { "is verified" } else { "is not verified yet" };
        format!(
            "{}\n{code}{name} {state}. If {name} sees the same number for you, run: peer verify {name} --done",
            told(identity)
        )
    }
}

impl Trust {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let identity: Identity = client.people(AskPeople::Trust(Named { name: self.name })).await?;
        Ok(out.object(&identity, trusted)?)
    }
}

/// What is said of a key that is taken for somebody's from now on.
pub fn trusted(identity: &Identity) -> String {
    let name = &identity.name;
    format!("{}\n{name} has this key from now on, not verified yet: peer verify {name}", told(identity))
}

/// A key and its safety number, for a person.
pub fn told(identity: &Identity) -> String {
    let groups: Vec<&str> = identity.safety_number.split(' ').collect();
    let lines: Vec<String> = groups.chunks(GROUPS).map(|groups| format!("  {}", groups.join(" "))).collect();
    format!("{} has the key {}\nsafety number\n{}", identity.name, identity.key, lines.join("\n"))
}

/// The number as a code for a phone's camera: as it should be on a dark terminal; cameras read it on a light one too.
fn qr(identity: &Identity) -> String {
    let digits: String = identity.safety_number.chars().filter(char::is_ascii_digit).collect();
    let Ok(code) = QrCode::with_error_correction_level(digits, EcLevel::L) else { return String::new() };
    let light_on_dark = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    format!("{light_on_dark}\n")
}
