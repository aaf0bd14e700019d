//! Doing something to what was said: another text, taking it back, a reaction.

use anyhow::Result;
use clap::Args;
use common::wire::control::{self, Said};
use peer::control::Client;

use super::{output::Out, progress::Progress, say};

/// Give a message of yours another text; everybody sees that it was edited.
#[derive(Args)]
#[command(after_help = "Example:\n  peer edit lobby/9f86d081884c7d65/17 'lunch at two'")]
pub struct Edit {
    /// The message, as `say` named it.
    id: String,
    /// Its new text; - reads it from stdin.
    text: String,
}

/// Take a message of yours back. Nobody is shown it any more, but who has it has it: it may have been read, and copied.
#[derive(Args)]
#[command(after_help = "Example:\n  peer delete lobby/9f86d081884c7d65/17")]
pub struct Delete {
    /// The message, as `say` named it.
    id: String,
}

/// React to a message with an emoji or a short word, in place of your last reaction to it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer react lobby/9f86d081884c7d65/17 👍\n  peer react lobby/9f86d081884c7d65/17 --undo"
)]
pub struct React {
    /// The message, as `history --ids` names it.
    id: String,
    /// With what.
    #[arg(required_unless_present = "undo")]
    emoji: Option<String>,
    /// Take your reaction back.
    #[arg(long)]
    undo: bool,
}

impl Edit {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let text = say::given(self.text)?;
        done("edited", &client.edit(control::Edit { id: self.id, text }).await?, out)
    }
}

impl Delete {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        done("deleted", &client.delete(self.id).await?, out)
    }
}

impl React {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let text = self.emoji.filter(|_| !self.undo).unwrap_or_default();
        let what = if self.undo { "took the reaction back" } else { "reacted" };
        done(what, &client.react(control::React { id: self.id, text }).await?, out)
    }
}

/// What was done is a message too, with receipts of its own.
fn done(what: &str, said: &Said, out: &Out) -> Result<()> {
    Ok(out.object(said, |said| format!("{what}, as {}\n{}", said.id, Progress::from(said).text()))?)
}
