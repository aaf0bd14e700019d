//! What waits to be delivered, and taking it back.

use std::collections::BTreeSet;

use anyhow::Result;
use clap::Args;
use common::wire::control::Cancelled;
use peer::control::Client;

use super::{
    output::{self, Out, few, names},
    table::{Column, text, whole},
    text::inline,
    time,
};

/// Characters of a text that a line shows.
const SHOWN: usize = 40;

/// What you said that not everybody has yet, and for whom it waits.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer outbox\n  peer outbox --cancel lobby/9f86d081884c7d65/17")]
pub struct Outbox {
    /// Do not send this message to those who lack it; whoever has it keeps it.
    #[arg(long, value_name = "ID")]
    cancel: Option<String>,
}

const WAITING: [Column; 4] = [whole("ID", 0), whole("SAID", 2), text("WAITS FOR", 0), text("TEXT", 1)];

impl Outbox {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        if let Some(id) = self.cancel {
            return Ok(out.object(&client.cancel(id).await?, cancelled)?);
        }
        let outbox = client.outbox().await?;
        out.table(&outbox.waiting, &WAITING, |waiting| {
            [
                inline(&waiting.id),
                waiting.sent.map_or("-".to_string(), time::date),
                few(&waiting.pending),
                inline(&beginning(waiting.text.as_deref().unwrap_or_default())),
            ]
        })?;
        let undecided: BTreeSet<_> = outbox.waiting.iter().flat_map(|waiting| &waiting.undecided).collect();
        for name in undecided {
            output::note(&format!(
                "{name} has come with another key: what is for {name} waits for your decision: peer trust {name}"
            ));
        }
        if outbox.more > 0 {
            output::note(&format!("{} more wait; they are listed once some of these are delivered", outbox.more));
        }
        Ok(())
    }
}

pub fn cancelled(result: &Cancelled) -> String {
    let to = format!(
        "{} is not sent to {} any more, unless it is on its way already.",
        inline(&result.id),
        names(&result.cancelled)
    );
    match result.delivered.as_slice() {
        [] => format!("{to} Nobody is known to have it."),
        have => format!("{to} {} already had it, keep it, and may pass it on.", names(have)),
    }
}

/// As much of a text as a line shows.
pub fn beginning(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
