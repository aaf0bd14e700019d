use common::{
    Slot,
    content::Kind,
    table::History,
    wire::control::{files, *},
};

use super::*;
use crate::cli::{file::tests::picture, transfers::tests::half};

fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

fn in_lobby() -> Talk {
    let mut talk = Talk::default();
    talk.done(
        Outcome::Joined(Joined { room: room("lobby"), members: 3, slot: Slot(0), history: History::Joined }),
        Instant::now(),
    );
    talk
}

fn status(state: &str) -> Status {
    Status {
        name: "alice".parse().unwrap(),
        domain: Some("lan".parse().unwrap()),
        key: String::new(),
        address: "[::]:1".parse().unwrap(),
        seen: None,
        tracker: Some("10.0.0.1:27655".parse().unwrap()),
        tracker_state: state.into(),
        trouble: None,
        tracker_down_s: None,
        other_version: false,
        clock_ahead_s: None,
        rooms: 0,
        links: 0,
        undelivered: 0,
        uptime_s: 0,
    }
}

fn said(delivered: &[&str], pending: &[&str]) -> Said {
    let names = |list: &[&str]| list.iter().map(|name| name.parse().unwrap()).collect();
    let (delivered, pending) = (names(delivered), names(pending));
    let id = "lobby/abababababababab/1".into();
    let (cancelled, gone) = (Vec::new(), Vec::new());
    Said { id, room: room("lobby"), seq: 1, stamp: "1.3".into(), delivered, pending, cancelled, gone }
}

fn receipt(of: &str, seq: u64) -> Event {
    Event::Receipt(ReceiptEvent { room: room("lobby"), name: of.parse().unwrap(), first: 1, last: seq, at: 0 })
}

fn message(place: &str, text: &str) -> Event {
    Event::Message(MessageEvent {
        cursor: 1,
        id: String::new(),
        room: room(place),
        from: "bob".parse().unwrap(),
        seq: 1,
        stamp: "1.3".into(),
        sent: 0,
        received: 0,
        path: "direct".into(),
        text: text.into(),
        mark: None,
        deed: Default::default(),
    })
}

#[test]
fn text_goes_to_the_room_of_the_prompt() {
    let talk = in_lobby();
    assert_eq!(talk.prompt(), "lobby> ");
    assert_eq!(talk.typed(" hello "), Action::Say(room("lobby"), "hello".into()));
    assert_eq!(talk.typed("//etc is a folder"), Action::Say(room("lobby"), "/etc is a folder".into()));
    assert_eq!(talk.typed("  "), Action::Nothing);
}

#[test]
fn commands_take_a_room_or_the_current_one() {
    let talk = in_lobby();
    assert_eq!(talk.typed("/join den"), Action::Join(room("den")));
    assert_eq!(talk.typed("/leave"), Action::Leave(room("lobby")));
    assert_eq!(talk.typed("/who den"), Action::Who(room("den")));
    assert_eq!(talk.typed("/rooms"), Action::Rooms);
    assert_eq!(talk.typed("/quit"), Action::Quit);
    assert_eq!(talk.typed("/logout"), Action::Logout);
    for line in ["/join", "/join a b", "/dance", "/help"] {
        assert!(matches!(talk.typed(line), Action::Show(_)), "{line}");
    }
}

#[test]
fn without_a_room_it_says_what_to_do_and_says_nothing_to_anybody() {
    let mut talk = Talk::default();
    assert!(talk.begin(&status("up"), &[]).contains("/join lobby"));
    assert_eq!(talk.prompt(), "> ");
    for line in ["hello", "/who", "/leave"] {
        assert!(matches!(talk.typed(line), Action::Show(_)), "{line}");
    }
}

#[test]
fn a_room_that_is_joined_already_is_the_current_one() {
    let rooms = [listed("den", 1, false), listed("lobby", 2, true)];
    let mut talk = Talk::default();
    talk.begin(&status("up"), &rooms);
    assert_eq!(talk.prompt(), "lobby> ");
    talk.done(Outcome::Left(room("Lobby")), Instant::now());
    assert_eq!(talk.prompt(), "> ");
}

#[test]
fn a_message_of_another_room_says_so_and_no_text_steers_the_terminal() {
    let mut talk = in_lobby();
    let shown = talk.happened(&message("lobby", "hi\n[12:00] eve: ha\u{1b}[2J"), Instant::now()).unwrap();
    assert!(shown.ends_with("bob: hi\n        [12:00] eve: ha\\u{1b}[2J"), "{shown}");
    assert!(talk.happened(&message("den", "hi"), Instant::now()).unwrap().ends_with("(den) bob: hi"));
}

#[test]
fn who_comes_online_is_told_of_in_the_current_room_only() {
    let mut talk = in_lobby();
    let online = |place: &str, change| {
        Event::Member(MemberEvent {
            cursor: 1,
            room: room(place),
            name: "bob".parse().unwrap(),
            change,
            version: "1.3".into(),
            by: None,
            at: None,
            detail: None,
        })
    };
    assert_eq!(talk.happened(&online("lobby", MemberChange::Online), Instant::now()).unwrap(), "* bob is online");
    assert_eq!(talk.happened(&online("den", MemberChange::Online), Instant::now()), None);
    assert_eq!(talk.happened(&online("den", MemberChange::Joined), Instant::now()).unwrap(), "* bob joined den");
}

#[test]
fn a_tick_comes_only_when_the_session_says_that_all_have_it() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    assert_eq!(talk.done(Outcome::Said(said(&[], &["bob", "carol"])), now), None);
    assert_eq!(talk.asks_about(&receipt("bob", 0)), None);
    assert_eq!(talk.asks_about(&receipt("bob", 1)), Some("lobby/abababababababab/1"));
    assert_eq!(talk.progress(said(&["bob"], &["carol"])), None);
    assert_eq!(talk.progress(said(&["bob", "carol"], &[])).unwrap(), "  ✓ delivered to bob, carol");
    assert_eq!(talk.asks_about(&receipt("carol", 1)), None);
}

#[test]
fn who_is_waited_for_is_told_once_after_a_while() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.done(Outcome::Said(said(&["bob", "carol"], &["eve"])), now);
    assert_eq!(talk.passed(now), None);
    assert!(talk.is_waiting());
    assert_eq!(talk.passed(now + PATIENCE).unwrap(), "  2 of 3, waiting for eve");
    assert_eq!(talk.passed(now + 2 * PATIENCE), None);
    assert!(!talk.is_waiting());
    assert!(talk.progress(said(&["bob", "carol", "eve"], &[])).is_some());
}

#[test]
fn who_leaves_is_not_waited_for_and_gets_no_tick() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.done(Outcome::Said(said(&[], &["bob", "dave"])), now);
    let left = Said { gone: vec!["dave".parse().unwrap()], ..said(&["bob"], &[]) };
    assert_eq!(talk.progress(left).unwrap(), "  ✓ delivered to bob; dave is a member no more and not waited for");
    talk.done(Outcome::Said(said(&[], &["dave"])), now);
    let left = Said { gone: vec!["dave".parse().unwrap()], ..said(&[], &[]) };
    assert_eq!(talk.progress(left).unwrap(), "  dave is a member no more and not waited for");
}

#[test]
fn alone_in_a_room_there_is_no_tick() {
    let mut talk = in_lobby();
    let note = talk.done(Outcome::Said(said(&[], &[])), Instant::now()).unwrap();
    assert!(note.contains("nobody else"), "{note}");
    assert_eq!(talk.progress(said(&[], &[])), None);
}

#[test]
fn the_tracker_s_going_and_coming_is_told_once_each() {
    let mut talk = in_lobby();
    assert_eq!(talk.tracker(&status("connecting")), None);
    assert!(talk.tracker(&status("down")).unwrap().contains("10.0.0.1:27655 is not reached: "));
    assert_eq!(talk.tracker(&status("down")), None);
    assert_eq!(talk.tracker(&status("connecting")), None);
    assert!(talk.tracker(&status("up")).unwrap().contains("is back"));
    assert_eq!(talk.tracker(&status("up")), None);
}

#[test]
fn what_one_does_oneself_is_told_once() {
    let mut talk = in_lobby();
    talk.begin(&status("up"), &[]);
    let joined = |name: &str| {
        Event::Member(MemberEvent {
            cursor: 1,
            room: room("lobby"),
            name: name.parse().unwrap(),
            change: MemberChange::Joined,
            version: "1.3".into(),
            by: None,
            at: None,
            detail: None,
        })
    };
    assert_eq!(talk.happened(&joined("alice"), Instant::now()), None);
    assert_eq!(talk.happened(&joined("bob"), Instant::now()).unwrap(), "* bob joined lobby");
}

fn deed(kind: MessageKind, about: u64) -> Deed {
    Deed { kind: Some(kind), about: Some(format!("lobby/abababababababab/{about}")), ..Deed::default() }
}

fn said_by(path: &str, number: u64, deed: Deed) -> Event {
    let Event::Message(event) = message("lobby", "x") else { unreachable!() };
    let id = format!("lobby/abababababababab/{number}");
    Event::Message(MessageEvent { path: path.into(), id, deed, ..event })
}

#[test]
fn a_command_that_names_no_message_is_about_the_latest() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    for line in ["/reply yes", "/edit no", "/delete", "/react 👍"] {
        assert!(matches!(talk.typed(line), Action::Show(_)), "{line}: there is none yet");
    }
    let id = |number: u64| format!("lobby/abababababababab/{number}").parse::<common::MessageId>().unwrap();
    talk.happened(&said_by("self", 1, Deed::default()), now);
    talk.happened(&said_by("direct", 2, Deed::default()), now);
    talk.happened(&said_by("direct", 3, deed(MessageKind::Reaction, 1)), now);
    let answer = Content { about: Some((&id(2)).into()), ..Content::from("yes") };
    assert_eq!(talk.typed("/reply yes"), Action::Say(room("lobby"), answer.clone()));
    assert_eq!(talk.typed(&format!("/reply {} yes", id(2))), Action::Say(room("lobby"), answer));
    assert_eq!(talk.typed("/edit no, no"), Action::Do(room("lobby"), Content::edit(&id(1), "no, no".into())));
    assert_eq!(talk.typed("/react 👍"), Action::Do(room("lobby"), Content::reaction(&id(2), "👍".into())));
    assert_eq!(talk.typed("/delete"), Action::TakeBack(room("lobby"), Content::delete(&id(1)), "x".into()));
    assert_eq!(talk.typed(&format!("/delete {}", id(1))), Action::Do(room("lobby"), Content::delete(&id(1))));
    talk.happened(&said_by("self", 4, deed(MessageKind::Delete, 1)), now);
    assert!(matches!(talk.typed("/delete"), Action::Show(_)), "it is taken back already");
    let waves = Content { kind: Kind::Action, ..Content::from("waves") };
    assert_eq!(talk.typed("/me waves"), Action::Say(room("lobby"), waves));
}

/// It would take the place of an earlier one.
#[test]
fn what_looks_like_an_id_and_is_none_is_no_text() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.happened(&said_by("self", 1, Deed::default()), now);
    for line in ["/edit lobby/xyz no", "/edit Lobby/1 no", "/edit den/abababababababab/x no", "/delete lobby/1"] {
        let Action::Show(why) = talk.typed(line) else { panic!("{line} is refused") };
        assert!(why.contains("is no id of a message"), "{line}: {why}");
    }
    let text = Content::edit(&"lobby/abababababababab/1".parse().unwrap(), "and/or so".into());
    assert_eq!(talk.typed("/edit and/or so"), Action::Do(room("lobby"), text));
}

#[test]
fn after_a_message_that_is_taken_back_the_one_before_is_meant() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    let edit = |number: u64| {
        let id = format!("lobby/abababababababab/{number}").parse().unwrap();
        Action::Do(room("lobby"), Content::edit(&id, "no".into()))
    };
    (1..=2).for_each(|number| drop(talk.happened(&said_by("self", number, Deed::default()), now)));
    assert_eq!(talk.typed("/edit no"), edit(2));
    talk.happened(&said_by("self", 3, deed(MessageKind::Delete, 2)), now);
    assert_eq!(talk.typed("/edit no"), edit(1));
    let Event::Message(deleted) = said_by("self", 4, Deed { deleted: true, ..Deed::default() }) else { unreachable!() };
    talk.remember(&deleted);
    assert_eq!(talk.typed("/edit no"), edit(1));
}

#[test]
fn that_somebody_is_typing_is_told_once_until_something_is_said() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    let typing = |place| Event::Typing(TypingEvent { room: room(place), name: "bob".parse().unwrap() });
    assert_eq!(talk.happened(&typing("lobby"), now).unwrap(), "  (bob is typing)");
    assert_eq!(talk.happened(&typing("lobby"), now), None);
    assert_eq!(talk.happened(&typing("den"), now), None);
    talk.happened(&message("lobby", "hi"), now);
    assert!(talk.happened(&typing("lobby"), now).is_some());
    assert!(talk.happened(&typing("lobby"), now + STILL_TYPING).is_some());
}

fn listed(name: &str, members: u32, joined: bool) -> Room {
    let (history, topic) = (History::Joined, String::new());
    Room { room: room(name), members, joined, approval: false, history, private: false, topic }
}

fn changed(name: &str, change: MemberChange, by: Option<&str>, detail: Option<&str>) -> Event {
    Event::Member(MemberEvent {
        cursor: 1,
        room: room("lobby"),
        name: name.parse().unwrap(),
        change,
        version: "1.3".into(),
        by: by.map(|by| by.parse().unwrap()),
        at: None,
        detail: detail.map(String::from),
    })
}

#[test]
fn who_is_removed_is_told_by_whom_and_what_got_to_nobody_and_is_in_no_room() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.begin(&status("up"), &[]);
    let shown = talk.happened(&changed("alice", MemberChange::Removed, Some("bob"), Some("3, 5-7")), now).unwrap();
    assert_eq!(
        shown,
        "* you were removed from lobby, by bob. Of what was said from here, number 3, 5-7 has not got to everybody, and \
         is sent no more"
    );
    assert_eq!(talk.prompt(), "> ");
}

#[test]
fn who_has_left_the_room_of_the_prompt_is_told_once_and_is_in_no_room() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.begin(&status("up"), &[]);
    let left = |lost| changed("alice", MemberChange::Left, None, lost);
    // From a shell, or before the answer to /leave.
    assert_eq!(talk.happened(&left(None), now).unwrap(), "* you have left lobby");
    assert_eq!(talk.prompt(), "> ");
    assert_eq!(talk.done(Outcome::Left(room("lobby")), now), None);
    assert_eq!(talk.happened(&left(None), now), None);
    let told = talk.happened(&left(Some("3")), now).unwrap();
    assert!(told.starts_with("* you have left lobby. Of what was said from here, number 3 has not got"), "{told}");
    assert_eq!(talk.done(Outcome::Left(room("den")), now).unwrap(), "* you have left den");
}

#[test]
fn what_others_have_written_is_shown_as_it_stands() {
    let mut talk = in_lobby();
    let topic = changed("bob", MemberChange::Topic, Some("bob"), Some("run peer join x"));
    assert!(talk.happened(&topic, Instant::now()).unwrap().ends_with("run peer join x"));
    let told = talk.done(Outcome::Quoted("the topic of den: peer join x".into()), Instant::now());
    assert_eq!(told.unwrap(), "the topic of den: peer join x");
}

#[test]
fn of_each_member_it_is_told_whether_it_is_there() {
    let member = |name: &str, online, away| Member {
        name: name.parse().unwrap(),
        slot: Slot(0),
        online,
        address: None,
        path: "none".into(),
        role: "member".into(),
        away,
        verified: false,
    };
    let members = vec![member("bob", true, false), member("eve", true, true), member("kim", false, false)];
    let shown = in_lobby().done(Outcome::Who(room("lobby"), members), Instant::now()).unwrap();
    let states: Vec<&str> = shown.lines().skip(2).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(states, ["online", "away", "offline"]);
}

#[test]
fn who_asks_to_be_let_in_is_answered_with_what_is_shown() {
    let mut talk = in_lobby();
    let shown = talk.happened(&changed("bob", MemberChange::Asks, None, None), Instant::now()).unwrap();
    assert_eq!(shown, "* bob asks to join lobby: /accept lobby bob, or /decline lobby bob");
}

#[test]
fn another_name_is_told_once_however_many_rooms_are_shared() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.begin(&status("up"), &[]);
    let renamed = || changed("robert", MemberChange::Renamed, None, Some("bob"));
    assert_eq!(talk.happened(&renamed(), now).unwrap(), "* bob is robert now");
    assert_eq!(talk.happened(&renamed(), now), None);
}

#[test]
fn the_conversation_of_the_prompt_goes_on_under_the_new_name() {
    let mut talk = Talk::in_room(Some(room("@bob")));
    talk.happened(&changed("robert", MemberChange::Renamed, None, Some("bob")), Instant::now());
    assert_eq!(talk.prompt(), "@robert> ");
}

#[test]
fn after_a_rename_the_chat_knows_its_user_by_the_new_name() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.begin(&status("up"), &[]);
    let told = talk.done(Outcome::Renamed("alicia".parse().unwrap(), "alice is alicia now".into()), now);
    assert_eq!(told.unwrap(), "* alice is alicia now");
    assert_eq!(talk.happened(&changed("alicia", MemberChange::Renamed, None, Some("alice")), now), None);
    let role = changed("alicia", MemberChange::Role, Some("bob"), Some("moderator"));
    assert_eq!(talk.happened(&role, now).unwrap(), "* you are a moderator of lobby now, by bob");
    // One that was done in a shell is known from the event.
    talk.happened(&changed("ali", MemberChange::Renamed, None, Some("alicia")), now);
    assert_eq!(talk.happened(&changed("ali", MemberChange::Joined, None, None), now), None);
}

fn shares(place: &str, name: &str) -> Event {
    let Event::Message(mut event) = message(place, "shares it") else { panic!("it is a message") };
    event.deed.kind = Some(MessageKind::File);
    event.deed.file = Some(picture(name));
    Event::Message(event)
}

#[test]
fn a_shared_file_is_shown_with_what_fetches_it() {
    let mut talk = in_lobby();
    let mut shown = |event: Event| talk.happened(&event, Instant::now()).unwrap();
    let here = shown(shares("lobby", "cat.jpg"));
    assert!(here.ends_with("bob shares cat.jpg (image/jpeg, 1024x768, 320 KiB): /get cat.jpg"), "{here}");
    assert!(shown(shares("den", "my cat.jpg")).ends_with(": /get den 'my cat.jpg'"));
    assert!(shown(shares("lobby", "-x\u{1b}[2J")).ends_with(": /get 0123456789abcdef"));
    let Event::Message(mut own) = shares("lobby", "cat.jpg") else { panic!("it is a message") };
    own.path = "self".into();
    assert!(shown(Event::Message(own)).ends_with("320 KiB)"));
}

#[test]
fn of_a_transfer_it_is_told_when_it_is_done_and_when_it_stands_still() {
    let mut talk = in_lobby();
    let mut shown = |state, trouble: Option<&str>| {
        let transfer = files::Transfer { trouble: trouble.map(String::from), ..half(state) };
        talk.happened(&Event::Transfer(transfer), Instant::now())
    };
    use files::TransferState::{Done, Failed, Fetching, Paused};
    assert_eq!(shown(Fetching, None), None);
    assert_eq!(shown(Paused, None), None);
    assert_eq!(shown(Fetching, Some("nobody has it")).unwrap(), "* cat.jpg: nobody has it");
    let full = shown(Failed, Some("the disk is full; when there is room: peer resume 3"));
    assert_eq!(full.unwrap(), "! cat.jpg: the disk is full; when there is room: /resume 3");
    assert_eq!(shown(Done, None).unwrap(), "* cat.jpg (image/jpeg, 1024x768, 320 KiB) is here: /tmp/cat.jpg");
}

#[test]
fn what_is_taken_back_without_being_named_is_told_as_it_stood() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    talk.happened(&said_by("self", 1, Deed::default()), now);
    let mut edited = said_by("self", 2, deed(MessageKind::Edit, 1));
    if let Event::Message(message) = &mut edited {
        message.text = "lunch at two\u{1b}".into();
    }
    talk.happened(&edited, now);
    let Action::TakeBack(_, _, text) = talk.typed("/delete") else { panic!("it is taken back") };
    let told = talk.done(Outcome::TakenBack(said(&[], &["bob"]), text), now).unwrap();
    assert_eq!(told, "  you took back: lunch at two\\u{1b}");
}

#[test]
fn what_an_answer_tells_no_event_tells_again() {
    let (mut talk, now) = (in_lobby(), Instant::now());
    let contact = Event::Member(MemberEvent {
        cursor: 1,
        room: room("@erin"),
        name: "erin".parse().unwrap(),
        change: MemberChange::Contact,
        version: String::new(),
        by: None,
        at: None,
        detail: None,
    });
    assert_eq!(talk.done(Outcome::Shown("erin is a contact now".into()), now).unwrap(), "erin is a contact now");
    assert_eq!(talk.happened(&contact, now), None);
    assert_eq!(talk.happened(&contact, now).unwrap(), "* erin is a contact now");
}

#[test]
fn a_tracker_that_shuts_down_is_told_once_and_without_contradiction() {
    let mut talk = in_lobby();
    let trouble = Some("the tracker is shutting down; messages go on without it".to_string());
    let down = Status { trouble, ..status("down") };
    let told = talk.tracker(&down).unwrap();
    assert_eq!(
        told,
        "* the tracker at 10.0.0.1:27655 is not reached (the tracker is shutting down): the rooms go on with the members \
         known, and it is tried again"
    );
    assert_eq!(talk.tracker(&down), None);
}
