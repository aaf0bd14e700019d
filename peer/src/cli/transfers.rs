//! Files under way to this peer: what there is, stopping and going on, and how fast.

use anyhow::Result;
use clap::Args;
use common::{
    MessageId,
    wire::control::files::{AskFiles, Limits, Transfer, TransferId, TransferState},
};
use peer::{
    control::Client,
    size::{Rate, Size},
};

use super::{
    file, outbox,
    output::{self, Out},
    table::{Column, text, whole},
    text::{exact, inline},
    time,
};

/// Names of those from whom a file comes; more of them are a number.
const NAMED: usize = 2;

/// The files under way to you, and those that have come since you logged in.
#[derive(Args)]
#[command(after_help = "Example:\n  peer transfers")]
pub struct Transfers {}

/// Stop fetching a file for now; what has come stays.
#[derive(Args)]
#[command(after_help = "Example:\n  peer pause 3")]
pub struct Pause {
    /// The transfer's number, as `peer transfers` shows it.
    id: u64,
}

/// Go on fetching a file that was stopped, or could not go on.
#[derive(Args)]
#[command(after_help = "Example:\n  peer resume 3")]
pub struct Resume {
    /// The transfer's number, as `peer transfers` shows it.
    id: u64,
}

/// Stop fetching a file for good, and delete what has come of it; or send a message no more to those who lack it.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer cancel 3\n  peer cancel lobby/9f86d081884c7d65/17")]
pub struct Cancel {
    /// The number of a transfer, or the id of a message.
    #[arg(value_name = "NUMBER|ID")]
    what: Cancelled,
}

/// How fast files may move from now on, until you log out; without a limit named, how fast they may.
#[derive(Args, Default)]
#[command(
    after_help = "Examples:\n  peer limit --up 2M/s --down 500K/s\n  peer limit --up off\n  peer limit\nK, M and G are powers of 1024. For good: upload_limit and download_limit in the config."
)]
pub struct Limit {
    /// How fast files may go out, together.
    #[arg(long, value_name = "RATE")]
    up: Option<Rate>,
    /// How fast files may come in, together.
    #[arg(long, value_name = "RATE")]
    down: Option<Rate>,
}

/// What is not to go on.
#[derive(Clone, PartialEq, Debug)]
pub enum Cancelled {
    /// A file on its way here.
    Transfer(TransferId),
    /// A message on its way to others.
    Message(MessageId),
}

impl std::str::FromStr for Cancelled {
    type Err = String;

    fn from_str(text: &str) -> Result<Cancelled, String> {
        if let Ok(id) = text.parse() {
            return Ok(Cancelled::Transfer(TransferId { id }));
        }
        text.parse().map(Cancelled::Message).map_err(|_| {
            "neither the number of a transfer (peer transfers) nor the id of a message (peer outbox)".to_string()
        })
    }
}

impl Transfers {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let transfers: Vec<Transfer> = client.files(AskFiles::Transfers {}).await?;
        if transfers.is_empty() {
            return Ok(out.remark(NONE)?);
        }
        out.table(&transfers, &TRANSFERS, line)?;
        troubles(&transfers).iter().for_each(|trouble| output::note(trouble));
        Ok(())
    }
}

impl Pause {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        one(AskFiles::Pause(TransferId { id: self.id }), client, out).await
    }
}

impl Resume {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        one(AskFiles::Resume(TransferId { id: self.id }), client, out).await
    }
}

impl Cancel {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        match self.what {
            Cancelled::Transfer(id) => one(AskFiles::CancelTransfer(id), client, out).await,
            Cancelled::Message(id) => Ok(out.object(&client.cancel(id.to_string()).await?, outbox::cancelled)?),
        }
    }
}

impl Limit {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let limits: Limits = client.files(self.ask()).await?;
        Ok(out.object(&limits, limited)?)
    }

    /// What it asks for.
    pub fn ask(&self) -> AskFiles {
        AskFiles::Limit(Limits { up: self.up.map(|rate| rate.0), down: self.down.map(|rate| rate.0) })
    }
}

async fn one(ask: AskFiles, client: &mut Client, out: &Out) -> Result<()> {
    let transfer: Transfer = client.files(ask).await?;
    Ok(out.object(&transfer, begun)?)
}

/// How fast files may move, in words.
pub fn limited(limits: &Limits) -> String {
    let [up, down] = [limits.up, limits.down].map(|limit| Rate(limit.unwrap_or_default()));
    format!("files go out at: {up}\nfiles come in at: {down}")
}

/// What is said where nothing is under way.
pub const NONE: &str = "no file is under way or has come since you logged in; fetch one: peer get ROOM NAME";

/// The columns of [`line`].
pub const TRANSFERS: [Column; 9] = [
    whole("ID", 0),
    text("NAME", 0),
    text("ROOM", 5),
    whole("STATE", 0),
    whole("DONE", 0),
    whole("SIZE", 4),
    whole("RATE", 2),
    whole("LEFT", 1),
    text("FROM", 3),
];

/// A transfer, in a table.
pub fn line(transfer: &Transfer) -> [String; 9] {
    let moves = transfer.state == TransferState::Fetching && transfer.rate > 0;
    let share = (u128::from(transfer.done) * 100).checked_div(u128::from(transfer.total)).unwrap_or(100);
    [
        transfer.id.to_string(),
        file::column(&transfer.file),
        transfer.room.to_string(),
        state(transfer).to_string(),
        format!("{share} %"),
        Size(transfer.file.size).to_string(),
        if moves { Rate(transfer.rate).to_string() } else { "-".into() },
        transfer.left_s.filter(|_| moves).map_or("-".into(), left),
        sources(transfer).unwrap_or_else(|| "-".into()),
    ]
}

/// What there is to know of those that stand still or have failed.
pub fn troubles(transfers: &[Transfer]) -> Vec<String> {
    let trouble = |transfer: &Transfer| Some(format!("{} {}", transfer.id, of(transfer, transfer.trouble.as_deref()?)));
    transfers.iter().filter_map(trouble).collect()
}

/// How a transfer is, in a word.
fn state(transfer: &Transfer) -> &'static str {
    match transfer.state {
        TransferState::Checking => "checking",
        TransferState::Fetching if transfer.trouble.is_some() && transfer.rate == 0 => "waiting",
        TransferState::Fetching => "fetching",
        TransferState::Paused => "paused",
        TransferState::Done => "done",
        TransferState::Failed => "failed",
        TransferState::Cancelled => "cancelled",
    }
}

/// How a transfer is, in a sentence, and what can be done next.
pub fn told(transfer: &Transfer) -> String {
    let Transfer { id, room, .. } = transfer;
    let whole = || file::told(&transfer.file);
    let name = || exact(&transfer.file.name);
    let trouble = transfer.trouble.as_deref();
    match (transfer.state, trouble) {
        (TransferState::Failed | TransferState::Fetching | TransferState::Checking, Some(trouble)) => {
            of(transfer, trouble)
        }
        (TransferState::Failed, None) => format!("{} could not be fetched; try again: peer resume {id}", name()),
        (TransferState::Checking, None) => format!("what is here of {} is checked, as number {id}", name()),
        (TransferState::Fetching, None) => {
            format!("{} is being fetched from {room} to {}, as number {id}: peer transfers", whole(), path(transfer))
        }
        (TransferState::Paused, _) => format!("{} is paused; go on with: peer resume {id}", name()),
        (TransferState::Done, None) => format!("{} is here: {}", whole(), path(transfer)),
        (TransferState::Done, Some(word)) => format!("{} is here: {}\n{}", whole(), path(transfer), inline(word)),
        (TransferState::Cancelled, _) => format!("{} is not fetched any more, and what had come is deleted", name()),
    }
}

/// What is said to who has begun it: where it goes, also while it is looked what is here, and a word about the file.
pub fn begun(transfer: &Transfer) -> String {
    if !matches!(transfer.state, TransferState::Fetching | TransferState::Checking) {
        return told(transfer);
    }
    let plain = told(&Transfer { state: TransferState::Fetching, trouble: None, ..transfer.clone() });
    let word = transfer.trouble.as_ref().map(|word| format!("\n{}", inline(word))).unwrap_or_default();
    plain + &word
}

fn of(transfer: &Transfer, trouble: &str) -> String {
    format!("{}: {}", exact(&transfer.file.name), inline(trouble))
}

/// Where it is, or is to be.
pub fn path(transfer: &Transfer) -> String {
    exact(&transfer.path.display().to_string())
}

/// `bob, carol (+2)`: from whom it comes, those who have sent the most first.
pub fn sources(transfer: &Transfer) -> Option<String> {
    let mut sources: Vec<_> = transfer.sources.iter().collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.bytes));
    let named: Vec<&str> = sources.iter().take(NAMED).map(|source| source.name.as_str()).collect();
    let more = sources.len() - named.len();
    let more = if more > 0 { format!(" (+{more})") } else { String::new() };
    (!named.is_empty()).then(|| named.join(", ") + &more)
}

/// `42 s`, `1 min 5 s`, `2 h 5 min`: so much time is left.
pub fn left(seconds: u64) -> String {
    match seconds {
        60..600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => time::span(seconds),
    }
}

#[cfg(test)]
pub mod tests {
    use common::wire::control::files::Source;

    use super::*;
    use crate::cli::file::tests::picture;

    /// A picture under way, half of which is here.
    pub fn half(state: TransferState) -> Transfer {
        let source = |name: &str, bytes| Source { name: name.parse().unwrap(), bytes };
        Transfer {
            id: 3,
            room: "lobby".parse().unwrap(),
            file: picture("cat.jpg"),
            state,
            path: "/tmp/cat.jpg".into(),
            done: 160 << 10,
            total: 320 << 10,
            rate: 32 << 10,
            left_s: Some(5),
            sources: vec![source("bob", 1), source("carol", 7), source("dave", 0), source("eve", 0)],
            trouble: None,
        }
    }

    #[test]
    fn a_transfer_is_a_line_with_how_far_how_fast_and_from_whom() {
        let shown = line(&half(TransferState::Fetching)).join("|");
        assert_eq!(shown, "3|cat.jpg|lobby|fetching|50 %|320 KiB|32 KiB/s|5 s|carol, bob (+2)");
        let still = Transfer { sources: Vec::new(), ..half(TransferState::Paused) };
        assert_eq!(line(&still).join("|"), "3|cat.jpg|lobby|paused|50 %|320 KiB|-|-|-");
        let trouble = Some("nobody is there\u{1b}[2J".to_string());
        let waits = Transfer { rate: 0, sources: Vec::new(), trouble, ..half(TransferState::Fetching) };
        assert_eq!(line(&waits)[3], "waiting");
        assert_eq!(troubles(&[waits]), ["3 cat.jpg: nobody is there\\u{1b}[2J"]);
    }

    #[test]
    fn what_a_number_or_an_id_cancels_is_told_apart() {
        assert_eq!("3".parse(), Ok(Cancelled::Transfer(TransferId { id: 3 })));
        assert!(matches!("lobby/9f86d081884c7d65/17".parse(), Ok(Cancelled::Message(_))));
        assert!("cat.jpg".parse::<Cancelled>().unwrap_err().contains("peer transfers"));
    }

    #[test]
    fn each_state_says_what_can_be_done_next() {
        assert_eq!(told(&half(TransferState::Done)), "cat.jpg (image/jpeg, 1024x768, 320 KiB) is here: /tmp/cat.jpg");
        assert!(told(&half(TransferState::Paused)).contains("peer resume 3"));
        assert!(told(&half(TransferState::Failed)).contains("peer resume 3"));
        let failed = Transfer { trouble: Some("the disk is full".into()), ..half(TransferState::Failed) };
        assert_eq!(told(&failed), "cat.jpg: the disk is full");
        let named = Transfer { trouble: Some("it is called x here".into()), ..half(TransferState::Fetching) };
        assert!(
            begun(&named).contains("to /tmp/cat.jpg, as number 3") && begun(&named).ends_with("\nit is called x here")
        );
        assert_eq!([5, 65, 7_500].map(left), ["5 s", "1 min 5 s", "2 h 5 min"]);
    }
}
