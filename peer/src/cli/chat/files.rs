//! The chat's commands about files, and what their answers look like.

use std::{
    path::{Path, PathBuf},
    slice,
};

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
    commands::{Command, in_chat},
    talk::Talk,
    words::{self, Bad},
};
use crate::cli::{file, files as shell, get, outbox, table::Table, transfers};

/// How long a chat stands still for a file that is hashed or copied; what takes longer is told when it is done.
const PATIENCE: time::Duration = time::Duration::from_millis(1_500);

/// What can be typed about files.
pub const COMMANDS: &[Command] = &[
    Command::new(
        "share",
        "PATH...",
        "cat.jpg",
        "share files or folders, which are served from where they lie",
        |talk, rest| {
            let paths = words::split(rest)?;
            if paths.is_empty() {
                return Err(Bad::Usage);
            }
            let paths: Vec<PathBuf> = paths.iter().map(|path| in_home(path)).collect();
            let ask = shell::share(talk.room()?, &paths).map_err(|refusal| Bad::Why(refusal.message))?;
            Ok(Action::Files(ask))
        },
    ),
    Command::new("unshare", "[ROOM] NAME", "cat.jpg", "share a file no more", |talk, rest| {
        Ok(Action::Files(AskFiles::Unshare(there(talk, words::split(rest)?)?)))
    }),
    Command::new("files", "[ROOM]", "lobby", "what is shared, and how many have it", |talk, rest| {
        Ok(Action::Files(AskFiles::Files(OfRoom { room: talk.or_room(rest)? })))
    }),
    Command::new(
        "get",
        "[ROOM] NAME [-o PATH] [--overwrite] [--limit RATE]",
        "cat.jpg",
        "fetch a file from everybody who has it",
        |talk, rest| words::as_command::<Get>(rest)?.ask(talk),
    ),
    Command::new("transfers", "", "", "the files under way to you", |_, rest| {
        words::none(rest, Action::Files(AskFiles::Transfers {}))
    }),
    Command::new("pause", "NUMBER", "3", "stop fetching a file for now", |_, rest| number(rest, AskFiles::Pause)),
    Command::new("resume", "NUMBER", "3", "go on", |_, rest| number(rest, AskFiles::Resume)),
    Command::new(
        "cancel",
        "NUMBER|ID",
        "3",
        "fetch a file no more; or send a message no more to those who lack it",
        |_, rest| {
            Ok(match words::one(rest)? {
                transfers::Cancelled::Transfer(id) => Action::Files(AskFiles::CancelTransfer(id)),
                transfers::Cancelled::Message(id) => Action::Cancel(id),
            })
        },
    ),
    Command::new(
        "limit",
        "[--up RATE] [--down RATE]",
        "--up 2M/s",
        "how fast files may move, as 2M/s or off",
        |_, rest| {
            // Without a word it asks how it is.
            if rest.is_empty() {
                return Ok(Action::Files(transfers::Limit::default().ask()));
            }
            if rest.parse::<Rate>().is_ok() {
                let why = format!(
                    "which way? /limit --up {rest} for what goes out, or /limit --down {rest} for what comes in"
                );
                return Err(Bad::Why(why));
            }
            Ok(Action::Files(words::as_command::<transfers::Limit>(rest)?.ask()))
        },
    ),
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
    fn ask(self, talk: &Talk) -> Result<Action, Bad> {
        let NamedFile { room, file } = there(talk, self.file)?;
        let named = self.output.as_deref().map(in_home);
        let to = get::destination(named.as_deref(), false).map_err(|refusal| Bad::Why(refusal.message))?;
        let limit = self.limit.map(|rate| rate.0).filter(|rate| *rate > 0);
        let get = files::Get { room, file, to, overwrite: self.overwrite, limit };
        Ok(if named.is_some() { Action::Put(get) } else { Action::Files(AskFiles::Get(get)) })
    }
}

/// Does it. What takes long goes on by itself, and comes by `later`.
pub async fn act(session: &impl Session, ask: AskFiles, later: &mpsc::Sender<Outcome>) -> Result<Outcome, Refusal> {
    if !matches!(ask, AskFiles::Share(_)) {
        let answer = session.files(ask.clone()).await?;
        return Ok(outcome(&ask, &answer));
    }
    let (session, words) = (session.clone(), words(&ask));
    let sharing = async move {
        let answer = session.files(ask.clone()).await?;
        Ok(outcome(&ask, &answer))
    };
    in_time(sharing, words, later, "it is being hashed; you are told when it is shared").await
}

/// Fetches a file to a place that is named; one that is here already is copied there.
pub async fn put(session: &impl Session, get: files::Get, later: &mpsc::Sender<Outcome>) -> Result<Outcome, Refusal> {
    let (to, overwrite) = (get.to.clone(), get.overwrite);
    let ask = AskFiles::Get(get);
    let words = words(&ask);
    let AnswerFiles::Transfer(transfer) = session.files(ask.clone()).await? else { return Ok(Outcome::Nothing) };
    let copying = async move {
        let placed = get::placed(*transfer, to, overwrite).await?;
        Ok(outcome(&ask, &AnswerFiles::Transfer(Box::new(placed))))
    };
    in_time(copying, words, later, "it is here already, and is being copied; you are told when that is done").await
}

/// What comes of it; what takes long goes on by itself, and `meanwhile` is told.
async fn in_time(
    doing: impl Future<Output = Result<Outcome, Refusal>> + Send + 'static,
    words: Vec<String>,
    later: &mpsc::Sender<Outcome>,
    meanwhile: &str,
) -> Result<Outcome, Refusal> {
    let (mut doing, later) = (tokio::spawn(doing), later.clone());
    let ended =
        |result: Result<_, _>| result.unwrap_or_else(|_| Err(Refusal::new(Exit::Unreachable, "it was broken off")));
    if let Ok(result) = time::timeout(PATIENCE, &mut doing).await {
        return ended(result);
    }
    tokio::spawn(async move {
        let outcome = ended(doing.await).unwrap_or_else(|refusal| Outcome::Refused(refusal, words));
        // A chat that is over needs not be told.
        let _ = later.send(outcome).await;
    });
    Ok(Outcome::Shown(meanwhile.into()))
}

/// What is shown of an answer. Names of files stay as they are, whatever they look like.
fn outcome(ask: &AskFiles, answer: &AnswerFiles) -> Outcome {
    let foreign = match (ask, answer) {
        (AskFiles::Files(_), AnswerFiles::Files(list)) if !list.is_empty() => {
            return Outcome::Table(Table::new(list, &shell::FILES, shell::line));
        }
        (_, AnswerFiles::Transfers(list)) if !list.is_empty() => {
            let table = Table::new(list, &transfers::TRANSFERS, transfers::line);
            let troubles = list.iter().flat_map(|one| {
                transfers::troubles(slice::from_ref(one)).into_iter().map(|told| in_chat(&told, &of(one)))
            });
            return Outcome::Table(table.with(troubles.collect()));
        }
        (AskFiles::Share(_), AnswerFiles::Files(list)) => return Outcome::Shared(list.clone()),
        (_, AnswerFiles::Transfer(transfer)) => of(transfer),
        (ask, _) => words(ask),
    };
    Outcome::Quoted(in_chat(&told(ask, answer), &foreign))
}

/// What of a question is not this program's words.
pub fn words(ask: &AskFiles) -> Vec<String> {
    match ask {
        AskFiles::Share(share) => share.paths.iter().map(|path| path.display().to_string()).collect(),
        AskFiles::Unshare(named) => vec![named.file.clone()],
        AskFiles::Get(get) => vec![get.file.clone(), get.to.display().to_string()],
        _ => Vec::new(),
    }
}

/// The same, of a transfer.
fn of(transfer: &Transfer) -> Vec<String> {
    vec![transfer.file.name.clone(), transfer.path.display().to_string()]
}

fn told(ask: &AskFiles, answer: &AnswerFiles) -> String {
    match (ask, answer) {
        (AskFiles::Files(OfRoom { room }), _) => shell::none(room),
        (_, AnswerFiles::Transfers(_)) => transfers::NONE.into(),
        (_, AnswerFiles::Transfer(transfer)) => transfers::begun(transfer),
        (_, AnswerFiles::Limits(limits)) => transfers::limited(limits),
        (AskFiles::Unshare(NamedFile { room, file }), _) => shell::unshared(room, file),
        (_, AnswerFiles::Files(_) | AnswerFiles::Done {}) => String::new(),
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
    let told = || in_chat(&told(), &of(transfer));
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
    let id = words::one::<String>(rest)?;
    let id = id.parse().map_err(|_| Bad::Why(format!("{id} is no number of a transfer; /transfers shows them")))?;
    Ok(Action::Files(ask(TransferId { id })))
}

/// A path as a shell would take it.
fn in_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(within), Some(home)) => Path::new(&home).join(within),
        _ => path.into(),
    }
}
