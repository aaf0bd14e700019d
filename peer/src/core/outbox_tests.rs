use common::{
    Identity, RoomName, Slot, Version,
    message::{Batch, Message},
    table::{Member, Role, Table},
    wire::peer::{Have, Hello, PROTOCOL, Reach},
};

use super::*;
use crate::{
    Config,
    core::{AskId, Input, LinkId, Now, Saved, Start, command::Ask},
};

const LINK: LinkId = LinkId(7);

fn lobby() -> RoomName {
    "lobby".parse().unwrap()
}

fn identity(n: u8) -> Identity {
    Identity::from_seed([n; 32])
}

/// Alice, in the lobby with bob and carol.
fn alice() -> Core {
    let member = |n: u8, name: &str| Member {
        slot: Slot(u32::from(n)),
        key: identity(n).key(),
        name: name.parse().unwrap(),
        role: Role::Member,
        since: u64::from(n),
    };
    let mut room = Room::new(&lobby(), &identity(1).key());
    room.joined = true;
    let members = [member(1, "alice"), member(2, "bob"), member(3, "carol")];
    room.table = Table::from_snapshot(Version { epoch: 1, number: 3 }, members).unwrap();
    let address = ([127, 0, 0, 1], 1).into();
    Core::new(Start {
        name: "alice".parse().unwrap(),
        identity: identity(1),
        config: Config::default(),
        tracker_key: None,
        invite: None,
        tracker: Some(address),
        address,
        saved: Saved { rooms: [(lobby(), room)].into(), ..Saved::default() },
        seed: 1,
    })
}

fn take(core: &mut Core, input: Input) -> Vec<Output> {
    core.handle(input, Now::default());
    core.flush(Now::default())
}

fn say(core: &mut Core, texts: &[&str]) {
    for text in texts {
        core.handle(Input::Ask(AskId(1), Ask::Say { room: lobby(), content: (*text).into() }), Now::default());
    }
    core.flush(Now::default());
}

/// A member links up and says what it has.
fn link(core: &mut Core, n: u8, last: u64) -> Vec<Batch> {
    let id = LinkId(LINK.0 + u64::from(n));
    let (key, address) = (identity(n).key(), ([127, 0, 0, 1], 2).into());
    take(core, Input::LinkUp { link: id, key, dialled: true, address });
    take(core, Input::LinkSays(id, Hello { protocol: PROTOCOL, name: "m".parse().unwrap(), life: 1 }.into()));
    let outputs = has(core, n, last);
    let batch = |output| match output {
        Output::Send(_, frame) => match PeerFrame::decode(&frame[HEADER..]).unwrap() {
            Some(PeerFrame::Batch(batch)) => Some(batch),
            _ => None,
        },
        _ => None,
    };
    outputs.into_iter().filter_map(batch).collect()
}

fn has(core: &mut Core, n: u8, last: u64) -> Vec<Output> {
    let have = Have { logs: vec![Reach { room: lobby(), first: 1, last }] };
    take(core, Input::LinkSays(LinkId(LINK.0 + u64::from(n)), have.into()))
}

fn asked(core: &mut Core, ask: Ask) -> Result<Answer, String> {
    let outputs = take(core, Input::Ask(AskId(2), ask));
    let reply = outputs.into_iter().find_map(|output| match output {
        Output::Reply(_, reply) => Some(reply),
        _ => None,
    });
    reply.unwrap().map_err(|refusal| refusal.message)
}

fn id(number: u64) -> MessageId {
    MessageId { room: lobby(), author: identity(1).key().short(), number }
}

fn cancel(core: &mut Core, number: u64) -> Result<(usize, usize), String> {
    match asked(core, Ask::Cancel(id(number)))? {
        Answer::Cancelled(cancelled) => Ok((cancelled.delivered.len(), cancelled.cancelled.len())),
        other => panic!("{other:?}"),
    }
}

fn waiting(core: &mut Core) -> Vec<(u64, String)> {
    let Ok(Answer::Outbox { waiting, more: 0, .. }) = asked(core, Ask::Outbox) else { panic!("no outbox") };
    let names = |pending: &[AccountName]| pending.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    waiting.iter().map(|w| (w.id.number, names(&w.pending))).collect()
}

fn paths(core: &mut Core, number: u64) -> Vec<(bool, String)> {
    let Ok(Answer::Receipts { lines, .. }) = asked(core, Ask::Receipts(id(number))) else { panic!("no receipts") };
    lines.into_iter().map(|receipt| (receipt.line.delivered, receipt.line.path)).collect()
}

fn texts(batch: &Batch) -> Vec<Option<String>> {
    batch.messages().map(|message| message.unwrap().map(|Message { text, .. }| text)).collect()
}

#[test]
fn the_outbox_has_what_waits_and_for_whom() {
    let mut core = alice();
    say(&mut core, &["one", "two", "three"]);
    link(&mut core, 2, 2);
    link(&mut core, 3, 1);
    assert_eq!(waiting(&mut core), [(2, "carol".into()), (3, "bob carol".into())]);
    has(&mut core, 3, 3);
    assert_eq!(waiting(&mut core), [(3, "bob".into())]);
    has(&mut core, 2, 3);
    assert_eq!(waiting(&mut core), []);
}

#[test]
fn a_long_outbox_says_how_much_more_there_is() {
    let mut core = alice();
    for _ in 0..3 {
        say(&mut core, &["x"; 700]);
    }
    let Ok(Answer::Outbox { waiting, more, .. }) = asked(&mut core, Ask::Outbox) else { panic!("no outbox") };
    assert_eq!((waiting.len(), waiting[999].id.number, more), (1_000, 1_000, 1_100));
}

#[test]
fn what_is_cancelled_is_withheld_from_those_who_lack_it_and_waits_for_nobody() {
    let mut core = alice();
    say(&mut core, &["one", "two", "three"]);
    link(&mut core, 2, 3);
    assert_eq!(cancel(&mut core, 2), Ok((1, 1)));
    assert_eq!(waiting(&mut core), [(1, "carol".into()), (3, "carol".into())]);
    assert_eq!(paths(&mut core, 2), [(true, "none".into()), (false, "cancelled".into())]);

    let sent = link(&mut core, 3, 0);
    let [batch] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(texts(batch), [Some("one".into()), None, Some("three".into())]);
    assert!(batch.verify(&identity(1).key()).is_ok());
    // Its receipt is for a log without that message.
    has(&mut core, 3, 3);
    assert_eq!(waiting(&mut core), []);
    assert_eq!(core.rooms[&lobby()].undelivered(&core.me), 0);
    assert_eq!(paths(&mut core, 2), [(true, "none".into()), (false, "cancelled".into())]);
    assert_eq!(paths(&mut core, 3), [(true, "none".into()), (true, "none".into())]);
}

#[test]
fn a_message_read_back_from_the_store_is_withheld_too() {
    let mut core = alice();
    let messages = [Message::new(1, "one".into())];
    let stamp = Version { epoch: 1, number: 3 };
    let empty = common::message::Head::empty(&lobby(), &identity(1).key());
    let (batch, _) = Batch::sign(&identity(1), &lobby(), stamp, empty, &messages);
    say(&mut core, &["one"]);
    cancel(&mut core, 1).unwrap();
    let sealed = Sealed { stamp, first: 1, last: 1, frame: PeerFrame::from(batch).encode() };
    let frame = core.rooms[&lobby()].own.cancelled.frame_for(&identity(2).key(), &sealed).unwrap();
    assert!(!frame.windows(3).any(|bytes| bytes == b"one"));
}

#[test]
fn what_everybody_has_and_what_is_not_one_s_own_cannot_be_cancelled() {
    let mut core = alice();
    say(&mut core, &["one"]);
    link(&mut core, 2, 1);
    link(&mut core, 3, 1);
    assert!(cancel(&mut core, 1).unwrap_err().contains("everybody has it already"));
    assert!(cancel(&mut core, 2).unwrap_err().contains("there is no message"));
    let other = MessageId { author: identity(2).key().short(), ..id(1) };
    assert!(asked(&mut core, Ask::Cancel(other)).unwrap_err().contains("not a message of yours"));
}

#[test]
fn to_cancel_twice_changes_nothing() {
    let mut core = alice();
    say(&mut core, &["one"]);
    assert_eq!(cancel(&mut core, 1), Ok((0, 2)));
    assert_eq!(cancel(&mut core, 1), Ok((0, 2)));
    let outputs = take(&mut core, Input::Ask(AskId(2), Ask::Cancel(id(1))));
    assert!(!outputs.iter().any(|output| matches!(output, Output::Keep(_))));
}
