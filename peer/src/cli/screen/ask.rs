//! What the screen asks of the session to know what to show, and the answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use common::{
    AccountName, MessageId, RoomName,
    wire::control::{
        Event, History, Member, MemberChange, Read, Receipt, Refusal, Room, Said, Status, Waiting,
        files::{AnswerFiles, AskFiles, OfRoom, Transfer},
        people::{AnswerPeople, AskPeople, Chat},
    },
};
use peer::control::{Session, follow::cursor};

use super::conversation::PAGE;
use crate::cli::chat::goto::first_since;

/// Paths that are offered, at the most.
const PATHS: usize = 200;

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Ask {
    /// How the session is.
    Status,
    /// All conversations.
    Chats,
    /// The rooms there are.
    Rooms,
    /// Who is in a room.
    Members(RoomName),
    /// What it is about.
    Topic(RoomName),
    /// Its newest messages, or those before a cursor.
    Page(RoomName, Option<u64>),
    /// Its messages after a cursor.
    After(RoomName, u64),
    /// Its messages before and after a cursor, which is among them.
    Around(RoomName, u64),
    /// Its messages with these words, the latest.
    Search(RoomName, String),
    /// How far messages of one's own have got.
    Progress(Vec<String>),
    /// The same of one, member by member.
    Receipts(MessageId),
    /// What of one's own waits for whom.
    Waiting,
    /// The first message of a room that was said at a time, in milliseconds since 1970, or later.
    Goto(RoomName, u64),
    /// To mark a conversation as read up to a cursor.
    MarkRead(RoomName, u64),
    /// The files under way.
    Transfers,
    /// The files of a room, to go on with what is typed.
    Files(RoomName),
    /// The files of this machine that begin so, the same.
    Paths(String),
}

/// What comes back, each for the [`Ask`] of like name.
pub enum Answer {
    /// See [`Ask::Status`].
    Status(Box<Status>),
    /// See [`Ask::Chats`].
    Chats(Vec<Chat>),
    /// See [`Ask::Rooms`].
    Rooms(Vec<Room>),
    /// See [`Ask::Members`].
    Members(Vec<Member>),
    /// See [`Ask::Topic`].
    Topic(String),
    /// The oldest first.
    Messages(Vec<Event>),
    /// See [`Ask::Around`].
    Around(Vec<Event>, Vec<Event>),
    /// See [`Ask::Progress`].
    Progress(Vec<Said>),
    /// See [`Ask::Receipts`].
    Receipts(Vec<Receipt>),
    /// How many messages are on the way to somebody who is online, and how many wait for others.
    Waiting(u64, u64),
    /// Its cursor.
    At(Option<u64>),
    /// See [`Ask::MarkRead`].
    Read(Read),
    /// See [`Ask::Transfers`].
    Transfers(Vec<Transfer>),
    /// What may stand where something is typed.
    Words(Vec<String>),
}

/// Asks the session.
pub async fn answer(session: impl Session, ask: Ask) -> Result<Answer, Refusal> {
    let page = |room, before| History { limit: Some(PAGE), before, changes: true, ..History::of(room) };
    Ok(match ask {
        Ask::Status => Answer::Status(Box::new(session.status().await?)),
        Ask::Chats => match session.people(AskPeople::Chats {}).await? {
            AnswerPeople::Chats(chats) => Answer::Chats(chats),
            _ => Answer::Chats(Vec::new()),
        },
        Ask::Rooms => Answer::Rooms(session.rooms().await?),
        Ask::Members(room) => Answer::Members(session.members(room).await?),
        Ask::Topic(room) => Answer::Topic(session.table(room).await?.settings.topic),
        Ask::Page(room, before) => Answer::Messages(session.history(page(room, before)).await?),
        Ask::After(room, after) => Answer::Messages(onward(&session, room, after).await?),
        Ask::Around(room, at) => {
            let before = session.history(page(room.clone(), Some(at.saturating_add(1)))).await?;
            Answer::Around(before, onward(&session, room, at).await?)
        }
        Ask::Search(room, words) => Answer::Messages(
            session.history(History { limit: Some(PAGE), search: Some(words), ..History::of(room) }).await?,
        ),
        Ask::Progress(ids) => {
            let mut known = Vec::new();
            for id in ids.iter().filter_map(|id| id.parse().ok()) {
                // One that cannot be told stays unknown.
                known.extend(session.said(id).await.ok());
            }
            Answer::Progress(known)
        }
        Ask::Receipts(id) => Answer::Receipts(session.receipts(id).await?),
        Ask::Waiting => waiting(&session).await?,
        Ask::Goto(room, at) => Answer::At(first_since(&session, &room, at).await?),
        Ask::MarkRead(room, cursor) => Answer::Read(session.mark_read(room, Some(cursor)).await?),
        Ask::Transfers => match session.files(AskFiles::Transfers {}).await? {
            AnswerFiles::Transfers(transfers) => Answer::Transfers(transfers),
            _ => Answer::Transfers(Vec::new()),
        },
        Ask::Files(room) => match session.files(AskFiles::Files(OfRoom { room })).await? {
            AnswerFiles::Files(files) => {
                Answer::Words(files.iter().map(|line| crate::cli::file::named(&line.file)).collect())
            }
            _ => Answer::Words(Vec::new()),
        },
        Ask::Paths(begins) => {
            let found = tokio::task::spawn_blocking(move || paths(&begins)).await;
            Answer::Words(found.unwrap_or_default())
        }
    })
}

/// Rooms of which it is looked at who is online, at the most.
const ROOMS: usize = 32;

/// Messages that wait for nobody who is online are told apart from those that will arrive in a moment.
async fn waiting(session: &impl Session) -> Result<Answer, Refusal> {
    let outbox = session.outbox().await?;
    let mut online: BTreeMap<&RoomName, BTreeSet<AccountName>> = BTreeMap::new();
    for line in &outbox.waiting {
        if online.len() < ROOMS && !online.contains_key(&line.room) {
            let members = session.members(line.room.clone()).await.unwrap_or_default();
            let names = members.into_iter().filter(|member| member.online).map(|member| member.name);
            online.insert(&line.room, names.collect());
        }
    }
    let is_moving = |line: &&Waiting| {
        let there = |name: &AccountName| online.get(&line.room).is_some_and(|online| online.contains(name));
        line.pending.iter().any(|name| there(name) && !line.undecided.contains(name))
    };
    let moving = outbox.waiting.iter().filter(is_moving).count() as u64;
    // What is not listed has gathered while nobody was there.
    Ok(Answer::Waiting(moving, outbox.waiting.len() as u64 - moving + outbox.more))
}

/// What was said after a cursor, and who joined and left. Who was online is left out, and however much of that there is,
/// what lies behind it is found: less than a page is all there is.
async fn onward(session: &impl Session, room: RoomName, mut after: u64) -> Result<Vec<Event>, Refusal> {
    let mut found = Vec::new();
    loop {
        let page = session.latest(Some(room.clone()), Some(after), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        after = page.iter().filter_map(cursor).max().unwrap_or(after);
        found.extend(page.into_iter().filter(|event| match event {
            Event::Member(member) => is_coming_or_going(member.change),
            _ => true,
        }));
        if is_last || found.len() >= PAGE as usize {
            return Ok(found);
        }
    }
}

/// As a page of the history has it.
fn is_coming_or_going(change: MemberChange) -> bool {
    matches!(change, MemberChange::Joined | MemberChange::Left | MemberChange::Removed | MemberChange::Banned)
}

/// A path as one word of a command. In a folder it goes on, and its quote stays open.
fn quoted(path: String) -> String {
    if !path.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"')) {
        return path;
    }
    let quote = if path.contains('\'') { '"' } else { '\'' };
    if path.ends_with('/') { format!("{quote}{path}") } else { format!("{quote}{path}{quote}") }
}

/// Paths that begin so, folders with a slash behind them.
fn paths(begins: &str) -> Vec<String> {
    let (folder, name) = begins.rsplit_once('/').map_or(("", begins), |(folder, name)| (folder, name));
    let within = match (folder, folder.strip_prefix('~'), std::env::var_os("HOME")) {
        (_, Some(rest), Some(home)) => PathBuf::from(home).join(rest.trim_start_matches('/')),
        ("", ..) if begins.starts_with('/') => "/".into(),
        ("", ..) => ".".into(),
        (folder, ..) => Path::new(folder).into(),
    };
    let Ok(entries) = std::fs::read_dir(within) else { return Vec::new() };
    let shown = entries.flatten().filter_map(|entry| {
        let found = entry.file_name().into_string().ok()?;
        let hidden = found.starts_with('.') && !name.starts_with('.');
        let slash = if entry.path().is_dir() { "/" } else { "" };
        let before = &begins[..begins.len() - name.len()];
        (found.starts_with(name) && !hidden).then(|| quoted(format!("{before}{found}{slash}")))
    });
    let mut shown: Vec<String> = shown.take(PATHS).collect();
    shown.sort();
    shown
}
