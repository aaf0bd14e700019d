//! Saying something, and who has got it.

use std::io::Read;

use anyhow::{Context, Result};
use clap::Args;
use common::{
    RoomName, limits,
    name::BadName,
    wire::control::{self, Exit, Refusal},
};
use peer::control::Client;

use super::{
    output::Out,
    progress::Progress,
    table::{Column, text, whole},
    text::inline,
    time,
};

/// Say something in a room.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer say lobby hello\n  peer say lobby --wait 5 'is anybody there?'\n  uptime | peer say lobby -\n  peer say lobby --reply lobby/9f86d081884c7d65/17 'so do I'\n  peer say lobby --me waves"
)]
pub struct Say {
    /// Where.
    room: RoomName,
    /// What; - reads it from stdin.
    text: String,
    #[command(flatten)]
    how: How,
}

/// Say something to one person alone.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer msg bob 'lunch at one?'\n  peer msg bob --wait 5 'are you there?'\n  uptime | peer msg bob -\nThe conversation is a room called @bob: peer history @bob, peer tail @bob --follow"
)]
pub struct Msg {
    /// To whom: somebody who shares a room with you, a contact, or somebody reached by their address.
    #[arg(value_parser = person)]
    name: RoomName,
    /// What; - reads it from stdin.
    text: String,
    #[command(flatten)]
    how: How,
}

/// How something is said.
#[derive(Args)]
struct How {
    /// Wait so many seconds for everybody to have it; if somebody does not by then, end with code 5.
    #[arg(long, value_name = "S", value_parser = seconds)]
    wait: Option<f64>,
    /// The message that it answers, as `history --ids` names it.
    #[arg(long, value_name = "ID")]
    reply: Option<String>,
    /// Tell what you do: `--me waves` is shown as `* alice waves`.
    #[arg(long)]
    me: bool,
}

/// Who has got a message of yours.
#[derive(Args)]
#[command(after_help = "Example:\n  peer receipts lobby/9f86d081884c7d65/17")]
pub struct Receipts {
    /// The message, as `say` named it.
    id: String,
}

impl Say {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Say { room, text, how: How { wait, reply, me } } = self;
        let text = given(text)?;
        let said = client.say(control::Say { room, text, wait, reply, me }).await?;
        out.object(&said, |said| format!("said {}\n{}", said.id, Progress::from(said).text()))?;
        if wait.is_some() && !said.pending.is_empty() {
            let reason = format!(
                "not everybody has it yet: {}. It goes on being delivered; see: peer receipts {}",
                Progress::from(&said).text(),
                said.id
            );
            return Err(Refusal::new(Exit::Partly, reason).into());
        }
        Ok(())
    }
}

impl Msg {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Msg { name, text, how } = self;
        Say { room: name, text, how }.run(client, out).await
    }
}

/// The conversation with somebody, with or without the `@`.
pub fn person(text: &str) -> Result<RoomName, BadName> {
    format!("@{}", text.strip_prefix('@').unwrap_or(text)).parse()
}

const RECEIPTS: [Column; 4] = [text("NAME", 0), whole("DELIVERED", 0), whole("AT", 2), text("PATH", 1)];

impl Receipts {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let receipts = client.receipts(self.id).await?;
        out.table(&receipts, &RECEIPTS, |receipt| {
            [
                receipt.name.to_string(),
                if receipt.delivered { "yes" } else { "no" }.to_string(),
                receipt.at.map_or("-".to_string(), time::date),
                inline(&receipt.path),
            ]
        })?;
        Ok(out.remark(&Progress::from(receipts.as_slice()).text())?)
    }
}

/// The text as it is given; - stands for what stdin holds.
pub fn given(text: String) -> Result<String> {
    let text = if text == "-" { from_stdin()? } else { text };
    check(&text)?;
    Ok(text)
}

/// What stdin holds, without the line end that `echo` and editors put last.
fn from_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    // Not read to its end: what is too long is refused anyway.
    let most = limits::TEXT_BYTES as u64 + 3;
    std::io::stdin().lock().take(most).read_to_end(&mut bytes).context("cannot read stdin")?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.len() > limits::TEXT_BYTES {
        return Err(too_long().into());
    }
    String::from_utf8(bytes).map_err(|_| Refusal::new(Exit::Refused, "what stdin holds is not text in UTF-8").into())
}

fn check(text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(Exit::Refused, "there is nothing to say: the text is empty"));
    }
    if text.len() > limits::TEXT_BYTES {
        return Err(too_long());
    }
    Ok(())
}

fn too_long() -> Refusal {
    let limit = limits::TEXT_BYTES;
    let reason = format!("the text is longer than the limit of {limit} bytes; say it in several messages");
    Refusal::new(Exit::Refused, reason)
}

pub fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds, such as 5 or 0.5".to_string())?;
    let whole = std::time::Duration::try_from_secs_f64(seconds);
    whole.map(|_| seconds).map_err(|_| "a number of seconds, 0 or more".to_string())
}
