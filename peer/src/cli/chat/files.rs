//! The chat's commands about files, and what their answers look like.

use std::path::{Path, PathBuf};

use clap::Args;
use common::{
    RoomName,
    wire::control::{
        Exit, MessageEvent, MessageKind, Refusal,
        files::{self, AnswerFiles, AskFiles, NamedFile, OfRoom, Transfer, TransferId, TransferState},
    },
};
use peer::{control::Session, size::Rate};
use tokio::{sync::mpsc, time};

use super::{
    action::{Action, Outcome},
    commands::Command,
    people::table,
    talk::Talk,
    words::{self, Bad},
};
use crate::cli::{file, files as shell, get, outbox, output, transfers};

/// How long a chat stands still for a file that is hashed; what takes longer is told when it is done.
const HASHING: time::Duration = time::Duration::from_millis(1_500);

/// What can be typed about files.
pub const COMMANDS: &[Command] = &[
    Command::new("share", "PATH...", "share files or folders, which are served from where they lie", |talk, rest| {
        let paths = words::split(rest)?;
        if paths.is_empty() {
            return Err(Bad::Usage);
        }
        let paths: Vec<PathBuf> = paths.iter().map(|path| in_home(path)).collect();
        let ask = shell::share(talk.room()?, &paths).map_err(|refusal| Bad::Why(refusal.message))?;
        Ok(Action::Files(ask))
    }),
    Command::new("unshare", "[ROOM] NAME", "share a file no more", |talk, rest| {
        Ok(Action::Files(AskFiles::Unshare(there(talk, words::split(rest)?)?)))
    }),
    Command::new("files", "[ROOM]", "what is shared, and how many have it", |talk, rest| {
        Ok(Action::Files(AskFiles::Files(OfRoom { room: talk.or_room(rest)? })))
    }),
    Command::new(
        "get",
        "[ROOM] NAME [-o PATH] [--overwrite] [--limit RATE]",
        "fetch a file from everybody who has it",
        |talk, rest| Ok(Action::Files(words::as_command::<Get>(rest)?.ask(talk)?)),
    ),
    Command::new("transfers", "", "the files under way to you", |_, rest| {
        words::none(rest, Action::Files(AskFiles::Transfers {}))
    }),
    Command::new("pause", "NUMBER", "stop fetching a file for now", |_, rest| number(rest, AskFiles::Pause)),
    Command::new("resume", "NUMBER", "go on", |_, rest| number(rest, AskFiles::Resume)),
    Command::new(
        "cancel",
        "NUMBER|ID",
        "fetch a file no more; or send a message no more to those who lack it",
        |_, rest| {
            Ok(match words::one(rest)? {
                transfers::Cancelled::Transfer(id) => Action::Files(AskFiles::CancelTransfer(id)),
                transfers::Cancelled::Message(id) => Action::Cancel(id),
            })
        },
    ),
    Command::new("limit", "[--up RATE] [--down RATE]", "how fast files may move, as 2M/s or off", |_, rest| {
        // Without a word it asks how it is.
        let limit = if rest.is_empty() { Default::default() } else { words::as_command::<transfers::Limit>(rest)? };
        Ok(Action::Files(limit.ask()))
    }),
];

/// What `/get` takes.
#[derive(Args)]
struct Get {
    #[arg(required = true, num_args = 1..=2)]
    file: Vec<String>,
    #[arg(long, short)]
    output: Option<String>,
    #[arg(long)]
    overwrite: bool,
    #[arg(long)]
    limit: Option<Rate>,
}

impl Get {
    fn ask(self, talk: &Talk) -> Result<AskFiles, Bad> {
        let NamedFile { room, file } = there(talk, self.file)?;
        let to = self.output.as_deref().map(in_home);
        let to = get::destination(to.as_deref(), false).map_err(|refusal| Bad::Why(refusal.message))?;
        let limit = self.limit.map(|rate| rate.0).filter(|rate| *rate > 0);
        Ok(AskFiles::Get(files::Get { room, file, to, overwrite: self.overwrite, limit }))
    }
}

/// Does it. What takes long goes on by itself, and comes by `later`.
pub async fn act(session: &impl Session, ask: AskFiles, later: &mpsc::Sender<Outcome>) -> Result<Outcome, Refusal> {
    if !matches!(ask, AskFiles::Share(_)) {
        let answer = session.files(ask.clone()).await?;
        return Ok(Outcome::Shown(told(&ask, &answer)));
    }
    let (session, later) = (session.clone(), later.clone());
    let mut sharing = tokio::spawn(async move {
        let answer = session.files(ask.clone()).await?;
        Ok(Outcome::Shown(told(&ask, &answer)))
    });
    let ended =
        |result: Result<_, _>| result.unwrap_or_else(|_| Err(Refusal::new(Exit::Unreachable, "it was broken off")));
    if let Ok(result) = time::timeout(HASHING, &mut sharing).await {
        return ended(result);
    }
    tokio::spawn(async move {
        let outcome = ended(sharing.await).unwrap_or_else(Outcome::Refused);
        // A chat that is over needs not be told.
        let _ = later.send(outcome).await;
    });
    Ok(Outcome::Shown("it is being hashed; you are told when it is shared".into()))
}

/// What is shown of an answer.
fn told(ask: &AskFiles, answer: &AnswerFiles) -> String {
    match (ask, answer) {
        (AskFiles::Files(OfRoom { room }), AnswerFiles::Files(list)) if list.is_empty() => shell::none(room),
        (AskFiles::Files(_), AnswerFiles::Files(list)) => table(&output::table(list, shell::FILES, shell::line)),
        (_, AnswerFiles::Files(list)) => list.iter().map(shell::shared).collect::<Vec<_>>().join("\n"),
        (_, AnswerFiles::Transfers(list)) if list.is_empty() => transfers::NONE.into(),
        (_, AnswerFiles::Transfers(list)) => {
            let mut lines = output::table(list, transfers::TRANSFERS, transfers::line);
            lines.extend(transfers::troubles(list));
            table(&lines)
        }
        (_, AnswerFiles::Transfer(transfer)) => transfers::begun(transfer),
        (_, AnswerFiles::Limits(limits)) => transfers::limited(limits),
        (AskFiles::Unshare(NamedFile { room, file }), _) => shell::unshared(room, file),
        (_, AnswerFiles::Done {}) => String::new(),
    }
}

/// What is said of a message that was taken back before it got to all.
pub async fn cancel(session: &impl Session, id: common::MessageId) -> Result<Outcome, Refusal> {
    Ok(Outcome::Shown(outbox::cancelled(&session.cancel(id).await?)))
}

/// What comes behind a message that shares a file of somebody else's: how to fetch it.
pub fn hint(message: &MessageEvent, is_here: bool) -> Option<String> {
    let shared = message.deed.file.as_ref().filter(|_| message.deed.kind == Some(MessageKind::File))?;
    if message.deed.deleted || message.path == "self" {
        return None;
    }
    let room = if is_here { String::new() } else { format!("{} ", message.room) };
    Some(format!(": /get {room}{}", file::named(shared)))
}

/// What is shown of a transfer that has come to an end or to a halt, unless the user did it.
pub fn happened(transfer: &Transfer) -> Option<String> {
    let told = || transfers::told(transfer);
    match transfer.state {
        TransferState::Done => Some(format!("* {}", told())),
        TransferState::Failed => Some(format!("! {}", told())),
        TransferState::Fetching if transfer.trouble.is_some() => Some(format!("* {}", told())),
        _ => None,
    }
}

/// `[ROOM] NAME`.
fn there(talk: &Talk, words: Vec<String>) -> Result<NamedFile, Bad> {
    match <[String; 1]>::try_from(words) {
        Ok([file]) => Ok(NamedFile { room: talk.room()?, file }),
        Err(words) => match <[String; 2]>::try_from(words) {
            Ok([room, file]) => Ok(NamedFile { room: room.parse::<RoomName>()?, file }),
            Err(_) => Err(Bad::Usage),
        },
    }
}

fn number(rest: &str, ask: fn(TransferId) -> AskFiles) -> Result<Action, Bad> {
    let id =
        words::one::<String>(rest)?.parse().map_err(|_| Bad::Why("which? peer transfers shows the numbers".into()))?;
    Ok(Action::Files(ask(TransferId { id })))
}

/// A path as a shell would take it.
fn in_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(within), Some(home)) => Path::new(&home).join(within),
        _ => path.into(),
    }
}
