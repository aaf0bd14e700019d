//! What happened, and what happens.

use anyhow::Result;
use clap::Args;
use common::{
    RoomName,
    wire::control::{self, Event, Exit, MemberChange, MemberEvent},
};
use peer::control::Client;

use super::{output::Out, session, show, text, time, transfers};

/// Messages that are asked for at a time.
const PAGE: u32 = 200;

/// What happened last in one room or in all, and with --follow what happens.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer tail\n  peer tail lobby --follow --json\n  peer tail --since 1042 --follow")]
pub struct Tail {
    /// Only this room.
    room: Option<RoomName>,
    /// Only events after this cursor.
    #[arg(long, value_name = "CURSOR")]
    since: Option<u64>,
    /// Go on with events as they happen.
    #[arg(long, short)]
    follow: bool,
    /// With --follow: also who is typing.
    #[arg(long, requires = "follow")]
    typing: bool,
    /// Show the id of each message, for `say --reply`, `edit`, `delete` and `react`.
    #[arg(long)]
    ids: bool,
}

/// What was said in a room, as it stands now: edited texts, and reactions with what they are to.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer history lobby --limit 100\n  peer history lobby --search 'lunch friday'\n  \
                  peer history lobby --before 1042")]
pub struct History {
    /// Where.
    room: RoomName,
    /// The last so many messages; with --since, the first so many.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Only messages that hold all these words.
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// Only messages before this cursor, which --json shows: so a long history is read page by page.
    #[arg(long, value_name = "CURSOR")]
    before: Option<u64>,
    /// Only messages after this cursor, all of them; by time it is: peer export ROOM --since TIME.
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["search", "before"])]
    since: Option<u64>,
    /// Show the id of each message, for `say --reply`, `edit`, `delete` and `react`.
    #[arg(long)]
    ids: bool,
}

impl Tail {
    /// Runs it.
    pub async fn run(self, client: Client, out: &Out) -> Result<()> {
        let Tail { room, since, follow, typing, ids } = self;
        let tail = control::Tail { room, since, follow, typing, ..control::Tail::default() };
        let mut events = client.tail(tail).await?;
        loop {
            match events.next().await {
                Ok(Some(event)) => show_event(&event, ids, out)?,
                Ok(None) => return Ok(()),
                // There is nothing more to follow, however well that is.
                Err(end) if end.code == Exit::Done => return Err(session::over(&end).into()),
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }
}

impl History {
    /// Runs it.
    pub async fn run(self, mut client: Client, out: &Out) -> Result<()> {
        let History { room, limit, search, before, since, ids } = self;
        let Some(since) = since else {
            let query = control::History { limit, search, before, ..control::History::of(room) };
            let events = pages(&mut client, query).await?;
            return events.iter().try_for_each(|event| show_event(event, ids, out));
        };
        let tail = control::Tail { room: Some(room), since: Some(since), latest: true, ..control::Tail::default() };
        let mut events = client.tail(tail).await?;
        let mut left = limit.unwrap_or(u32::MAX);
        while left > 0
            && let Some(event) = events.next().await?
        {
            if matches!(event, Event::Message(_)) {
                show_event(&event, ids, out)?;
                left -= 1;
            }
        }
        Ok(())
    }
}

/// As many messages as are asked for, the oldest first: one answer has a bound, whatever they say.
async fn pages(client: &mut Client, query: control::History) -> Result<Vec<Event>> {
    let Some(mut left) = query.limit.filter(|limit| *limit > PAGE) else { return Ok(client.history(query).await?) };
    let (mut pages, mut before) = (Vec::new(), query.before);
    while left > 0 {
        let page = client.history(control::History { limit: Some(left.min(PAGE)), before, ..query.clone() }).await?;
        let Some(Event::Message(first)) = page.first() else { break };
        before = Some(first.cursor);
        left = left.saturating_sub(page.len() as u32);
        pages.push(page);
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

/// `joined lobby` and the like: what a member did, as it goes after its name.
pub fn change(event: &MemberEvent) -> String {
    let detail = event.detail.as_deref().map(text::inline).unwrap_or_default();
    let room = &event.room;
    let what = match event.change {
        MemberChange::Joined if event.detail.is_some() => format!("joined {room}, being {detail}"),
        MemberChange::Joined => format!("joined {room}"),
        MemberChange::Left => format!("left {room}"),
        MemberChange::Online => "is online".to_string(),
        MemberChange::Offline => "is offline".to_string(),
        MemberChange::Removed if event.by.is_some() => format!("was removed from {room}"),
        MemberChange::Removed => format!("is no longer a member of {room}"),
        MemberChange::Forked => return forked(event),
        MemberChange::Refuses => format!(
            "takes nothing that you say in {room}: in its table of version {detail} you are no member. If that is so, the \
             tracker tells you by whom you were removed once it is reached: peer status"
        ),
        MemberChange::Banned => format!("is banned from {room}"),
        MemberChange::Asks if !room.is_plain() => {
            format!("asks to be your contact: peer accept {0}, or peer decline {0}", event.name)
        }
        MemberChange::Asks => {
            return format!("asks to join {room}: peer accept {room} {0}, or peer decline {room} {0}", event.name);
        }
        MemberChange::Declined => format!("is not let into {room}"),
        MemberChange::Renamed => format!("is the new name of {detail}"),
        MemberChange::Role => format!("is {} of {room} now", role(&detail)),
        MemberChange::Topic => return topic(event, &detail),
        MemberChange::Away => "is away".to_string(),
        MemberChange::Rekeyed => format!(
            "has a new key{}: whoever runs the tracker has put it in place of the old one. Compare before you trust it: \
             peer verify {}",
            if detail.is_empty() { String::new() } else { format!(", which begins with {detail}") },
            event.name
        ),
        MemberChange::Identity => format!(
            "comes with another key than the one known; it begins with {detail}. Nothing is sent to it or taken from it \
             until you decide. Ask {0} in another way whether it is theirs, and if so: peer trust {0}",
            event.name
        ),
        MemberChange::Split => return split(event),
        MemberChange::Offends => format!("breaks the rules: {detail}. The link to it was closed"),
        MemberChange::Contact => "is a contact now".to_string(),
        MemberChange::Parted => "is no contact any more".to_string(),
    };
    let by = event.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    let lost = match event.change {
        MemberChange::Left | MemberChange::Removed | MemberChange::Banned => lost(event.detail.as_deref()),
        _ => String::new(),
    };
    format!("{what}{by}{lost}")
}

/// What is lost by leaving a room: messages of these numbers, if any.
pub fn lost(numbers: Option<&str>) -> String {
    let told = |numbers: &str| {
        let numbers = text::inline(numbers);
        format!(". Of what was said from here, number {numbers} has not got to everybody, and is sent no more")
    };
    numbers.map(told).unwrap_or_default()
}

/// A role, as it goes behind a name.
pub fn role(role: &str) -> &str {
    match role {
        "owner" => "the owner",
        "moderator" => "a moderator",
        "member" => "just a member",
        other => other,
    }
}

fn topic(event: &MemberEvent, topic: &str) -> String {
    let room = &event.room;
    match (&event.by, topic) {
        (Some(_), "") => format!("took the topic of {room} away"),
        (Some(_), topic) => format!("set the topic of {room}: {topic}"),
        (None, "") => format!("sees that {room} has no topic any more"),
        (None, topic) => format!("sees another topic of {room}: {topic}"),
    }
}

fn show_event(event: &Event, ids: bool, out: &Out) -> Result<()> {
    Ok(out.object(event, |event| match event {
        Event::Message(message) => {
            let place = if ids { message.id.clone() } else { message.room.to_string() };
            let place = out.dim(&format!("{} {}", time::date(message.sent), text::inline(&place)));
            show::message(&format!("{place} "), message, "    ")
        }
        Event::Member(member) => out.dim(&format!("* {} {}", member.name, change(member))),
        Event::Receipt(receipt) => out.dim(&format!("* {} has what was said up to {}", receipt.name, receipt.last)),
        Event::Read(read) => out.dim(&format!("* {} was read up to {}", read.room, read.cursor)),
        Event::Transfer(transfer) => out.dim(&format!("* {}", transfers::told(transfer))),
        Event::Typing(typing) => out.dim(&format!("* {} is typing in {}", typing.name, typing.room)),
    })?)
}

fn split(event: &MemberEvent) -> String {
    let room = &event.room;
    format!(
        "is told another table of {room} than you are: the tracker says different things to different members. Compare \
         `peer members {room}` with each other, and ask whoever runs the tracker"
    )
}

fn forked(event: &MemberEvent) -> String {
    let room = &event.room;
    match &event.by {
        None => format!(
            "has said two different things under one number in {room}: the key is in use twice, or an older copy of the \
             history was put back. What came first is kept; ask what else was said"
        ),
        Some(by) => format!(
            "has a log that {by} knows otherwise in {room}: this history is an older copy, or the key is in use twice. \
             What {by} did not take stays undelivered; say it again. What is said from now on has numbers of its own"
        ),
    }
}
