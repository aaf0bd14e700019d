use common::{
    table::History,
    wire::control::{files::AskFiles, people::AskPeople},
};

use super::*;
use crate::cli::usage::tests as usage;

fn in_den() -> Talk {
    Talk::in_room(Some("den".parse().unwrap()))
}

fn name(name: &str) -> AccountName {
    name.parse().unwrap()
}

fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

fn shown(line: &str) -> String {
    match typed(&in_den(), line) {
        Action::Show(text) => text,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn who_is_named_alone_is_meant_in_the_room_of_the_prompt() {
    let kick = |place: &str| Action::Order(room(place), Order::Remove { name: name("bob"), ban: false });
    assert_eq!(typed(&in_den(), "kick bob"), kick("den"));
    assert_eq!(typed(&in_den(), "kick attic bob"), kick("attic"));
    assert_eq!(typed(&Talk::default(), "kick attic bob"), kick("attic"));
    assert!(matches!(typed(&Talk::default(), "kick bob"), Action::Show(why) if why.contains("/join lobby")));
    let demoted = Order::Role { name: name("bob"), role: Role::Member };
    assert_eq!(typed(&in_den(), "promote bob --demote"), Action::Order(room("den"), demoted));
}

#[test]
fn who_asks_is_let_in_where_a_room_is_named_and_else_it_is_looked_up_what_they_ask_for() {
    let decide = Order::Decide { name: name("bob"), accept: true };
    assert_eq!(typed(&in_den(), "accept attic bob"), Action::Order(room("attic"), decide));
    let look = Action::Decide { room: Some(room("den")), name: name("bob"), accept: false };
    assert_eq!(typed(&in_den(), "decline bob"), look);
}

#[test]
fn a_room_is_made_with_the_flags_of_the_command_line() {
    let Action::Create(made) = typed(&in_den(), "create attic --approval --history all --topic \"under the roof\"")
    else {
        panic!("it makes a room");
    };
    assert_eq!((made.room.as_str(), made.topic.as_str()), ("attic", "under the roof"));
    assert_eq!((made.approval, made.private, made.history), (true, false, History::All));
    assert!(
        shown("create attic --aproval").contains("--aproval, but there is --approval"),
        "{}",
        shown("create attic --aproval")
    );
}

#[test]
fn a_topic_is_all_that_stands_behind_it() {
    let topic = |text: &str| Action::Order(room("den"), Order::Topic { topic: text.into() });
    assert_eq!(typed(&in_den(), "topic mum's \"best\" room"), topic("mum's \"best\" room"));
    assert_eq!(typed(&in_den(), "topic \"\""), topic(""));
    assert_eq!(typed(&in_den(), "topic"), Action::Topic(room("den")));
}

#[test]
fn a_file_is_fetched_from_the_room_of_the_prompt_or_from_the_one_named() {
    let get = |line: &str| match typed(&in_den(), line) {
        Action::Files(AskFiles::Get(get)) | Action::Put(get) => (get.room, get.file, get.to, get.limit),
        other => panic!("{line}: {other:?}"),
    };
    let here = std::env::current_dir().unwrap();
    assert_eq!(get("get 'my cat.jpg'"), (room("den"), "my cat.jpg".into(), here.clone(), None));
    assert_eq!(get("get attic x --limit 2M/s"), (room("attic"), "x".into(), here, Some(2 << 20)));
    assert_eq!(get("get x -o /tmp/y").2, std::path::Path::new("/tmp/y"));
    assert!(shown("get x -o /nonexistent/").contains("no folder"), "{}", shown("get x -o /nonexistent/"));
    assert!(shown("get a b c").starts_with("! "), "{}", shown("get a b c"));
    assert!(shown("pause x").contains("/transfers"), "{}", shown("pause x"));
}

#[test]
fn what_is_cancelled_is_a_transfer_by_its_number_and_a_message_by_its_id() {
    assert!(matches!(typed(&in_den(), "cancel 3"), Action::Files(AskFiles::CancelTransfer(id)) if id.id == 3));
    assert!(matches!(typed(&in_den(), "cancel den/9f86d081884c7d65/17"), Action::Cancel(_)));
}

#[test]
fn people_may_be_named_as_their_conversations_are() {
    let add = |who: &str| typed(&in_den(), &format!("add {who}"));
    assert_eq!(add("@bob"), add("bob"));
    assert!(matches!(add("bob"), Action::People(AskPeople::Add(_))));
}

#[test]
fn what_is_missing_or_too_much_is_told_with_what_it_takes() {
    let kick = "it is /kick [ROOM] NAME: remove somebody, who may join again or ask to, for example: /kick bob";
    assert_eq!(shown("kick"), format!("! {kick}"));
    assert_eq!(shown("kick a b c"), format!("! {kick}"));
    assert_eq!(shown("rooms x"), "! nothing goes behind it, and there is: x; it is /rooms: the rooms there are");
    assert!(shown("join bad name!").starts_with("! name! is one word too many; it is /join ROOM"));
    assert!(
        shown("join name!").starts_with("! a room name holds only letters")
            && shown("join name!").contains("/join lobby")
    );
    assert!(shown("limit 10M").contains("/limit --up 10M"), "{}", shown("limit 10M"));
    assert!(shown("limit ten").starts_with("! ten is one word too many; it is /limit"), "{}", shown("limit ten"));
    let create = shown("create club --topic secret things");
    assert!(create.contains("between quotes") && create.contains("--topic \"the cellar\""), "{create}");
}

#[test]
fn nothing_too_much_and_nonsense_are_answered_by_every_command_in_words_of_the_chat() {
    let mut refused = 0;
    for command in all() {
        for rest in ["", "a b c d e", "bad name!", "--nonsense", "--limit", "-o", "\"open", "\u{1b}[2J", "0 --up x"] {
            let Action::Show(told) = typed(&in_den(), &format!("{} {rest}", command.name)) else { continue };
            if command.name == "help" && !told.starts_with('!') {
                continue;
            }
            refused += 1;
            let lower = told.to_lowercase();
            let is_plain = !usage::JARGON.iter().any(|word| lower.contains(word)) && in_chat(&told, &[]) == told;
            assert!(told.starts_with("! ") && is_plain, "/{} {rest}: {told}", command.name);
            let needs_none = rest == "\"open" || told.contains("is known here");
            assert!(told.contains('/') || needs_none, "/{} {rest} has no example: {told}", command.name);
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn words_that_people_know_from_elsewhere_are_understood_in_any_case() {
    assert_eq!(typed(&in_den(), "PART"), typed(&in_den(), "leave"));
    assert_eq!(typed(&in_den(), "nick foo"), typed(&in_den(), "rename foo"));
    assert_eq!(typed(&in_den(), "query bob"), Action::Turn("@bob".parse().unwrap()));
}

#[test]
fn an_unknown_command_names_the_nearest() {
    assert!(shown("acept bob").starts_with("! there is no /acept, but there is /accept;"), "{}", shown("acept bob"));
    assert!(shown("xylophone").starts_with("! there is no /xylophone; /help"), "{}", shown("xylophone"));
}

#[test]
fn help_is_a_screenful_and_has_every_command_in_it() {
    let lines = |text: &str| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
    let first = shown("help");
    assert!(lines(&first).len() <= 20 && lines(&first).iter().all(|width| *width <= 120), "{first}");
    for group in &GROUPS {
        assert!(first.contains(group.name));
        let group = shown(&format!("help {}", group.name));
        assert!(lines(&group).len() <= 20, "{group}");
    }
    for command in all() {
        assert!(first.contains(&format!("/{}", command.name)), "/{}", command.name);
        assert!(!shown(&format!("help {}", command.name)).starts_with('!'), "/{}", command.name);
    }
}

#[test]
fn what_a_shell_would_be_told_is_told_as_it_is_typed_here() {
    let in_chat = |text: &str| in_chat(text, &[]);
    let told = in_chat("asks to join den: peer accept den bob, or peer decline den bob");
    assert_eq!(told, "asks to join den: /accept den bob, or /decline den bob");
    assert_eq!(in_chat("lift that with `peer unblock bob` first"), "lift that with `/unblock bob` first");
    let others = "log in again: peer login NAME; see peer history lobby; a peer rooms";
    assert_eq!(in_chat(others), "log in again: peer login NAME; see peer history lobby; a /rooms");
}

#[test]
fn names_of_files_stay_as_they_are_whatever_they_look_like() {
    let foreign = ["peer join".to_string(), "/tmp/peer join".to_string()];
    let told = in_chat("peer join (1 KiB) is here: /tmp/peer join; peer join is fetched: peer transfers", &foreign);
    assert_eq!(told, "peer join (1 KiB) is here: /tmp/peer join; peer join is fetched: /transfers");
}
