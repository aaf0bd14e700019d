//! What the user is told of changes of a table.

use common::{
    Identity, Slot, Version,
    table::{Change, Departure, Member, PresenceVersion, Role, Settings, Step},
    wire::{
        control::{MemberChange, MemberEvent},
        tracker::Snapshot,
    },
};

use super::{
    alone::{Alone, lobby, told},
    command::Ask,
    *,
};

fn by(slot: u32, step: Step) -> Change {
    Change { by: Some(Slot(slot)), ..step.at(77) }
}

/// The one event that the user is told.
fn only(outputs: Vec<Output>) -> MemberEvent {
    let [event] = told(&outputs).try_into().unwrap();
    event
}

fn words(event: &MemberEvent) -> (&str, MemberChange, Option<&str>, Option<&str>) {
    (event.name.as_str(), event.change, event.by.as_ref().map(|by| by.as_str()), event.detail.as_deref())
}

#[test]
fn who_removed_whom_is_told_with_when_and_the_version() {
    let mut alone = Alone::in_the_lobby(0, 2);
    let event = only(alone.removed(2, 1));
    assert_eq!(words(&event), ("m2", MemberChange::Removed, Some("m1"), None));
    assert_eq!((event.at, event.version.as_str()), (Some(77_000), "1.4"));
}

#[test]
fn a_ban_is_told_as_one() {
    let mut alone = Alone::in_the_lobby(0, 2);
    let event = only(alone.changes(vec![by(1, Step::Gone { slot: Slot(2), why: Departure::Banned })]));
    assert_eq!(words(&event), ("m2", MemberChange::Banned, Some("m1"), None));
}

#[test]
fn who_is_removed_is_told_by_whom_and_what_has_not_got_to_everybody() {
    let mut alone = Alone::in_the_lobby(0, 2);
    for text in ["one", "two"] {
        alone.tell(Input::Ask(AskId(1), Ask::Say { room: lobby(), content: text.into() }));
    }
    let outputs = alone.removed(0, 1);
    assert_eq!(words(&only(outputs.clone())), ("m0", MemberChange::Removed, Some("m1"), Some("1-2")));
    assert!(!alone.core.room(&lobby()).unwrap().joined);
    let kept = outputs.iter().rev().find_map(|output| match output {
        Output::Keep(Row::Room { joined, .. }) => Some(*joined),
        _ => None,
    });
    assert_eq!(kept, Some(false), "and is out after a restart too");
}

#[test]
fn a_member_under_another_name_is_renamed_and_has_not_joined() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let member = Member { name: "zoe".parse().unwrap(), ..alone.at(1) };
    let event = only(alone.changes(vec![Step::Put(member).at(77)]));
    assert_eq!(words(&event), ("zoe", MemberChange::Renamed, None, Some("m1")));
    let key = alone.others[0].key();
    assert_eq!(alone.core.people.get(&key).unwrap().name.as_str(), "zoe");
}

#[test]
fn who_is_renamed_itself_goes_by_the_new_name() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let member = Member { name: "zoe".parse().unwrap(), ..alone.at(0) };
    let event = only(alone.changes(vec![Step::Put(member).at(77)]));
    assert_eq!(words(&event), ("zoe", MemberChange::Renamed, None, Some("m0")));
    assert_eq!(alone.core.name.as_str(), "zoe");
}

#[test]
fn another_role_is_told_with_who_gave_it() {
    let mut alone = Alone::in_the_lobby(0, 2);
    let member = Member { role: Role::Moderator, ..alone.at(2) };
    let event = only(alone.changes(vec![by(1, Step::Put(member))]));
    assert_eq!(words(&event), ("m2", MemberChange::Role, Some("m1"), Some("moderator")));
}

#[test]
fn another_topic_is_told_with_who_set_it() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let settings = Settings { topic: "tea".into(), ..Settings::default() };
    let event = only(alone.changes(vec![by(1, Step::Set(settings))]));
    assert_eq!(words(&event), ("m1", MemberChange::Topic, Some("m1"), Some("tea")));
}

#[test]
fn an_account_with_another_key_is_told_as_that_and_not_as_somebody_who_joins() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let key = Identity::from_seed([77; 32]).key();
    let new = Member { key, since: 4, ..alone.at(1) };
    let gone = Step::Gone { slot: Slot(1), why: Departure::Rekeyed };
    let told = told(&alone.changes(vec![gone.at(77), Step::Put(new).at(77)]));
    let short = key.short().to_string();
    assert_eq!(words(&told[0]), ("m1", MemberChange::Rekeyed, None, Some(short.as_str())));
    // And that the user has to decide whether to believe it.
    assert_eq!(words(&told[1]), ("m1", MemberChange::Identity, None, Some(short.as_str())));
    assert_eq!(told.len(), 2);
}

#[test]
fn what_a_snapshot_shows_to_be_different_is_told() {
    let mut alone = Alone::in_the_lobby(0, 1);
    let renamed = Member { name: "zoe".parse().unwrap(), role: Role::Owner, ..alone.at(1) };
    let outputs = alone.tracker(Snapshot {
        files: Vec::new(),
        room: lobby(),
        version: Version { epoch: 1, number: 9 },
        settings: Settings { topic: "tea".into(), ..Settings::default() },
        presence_version: PresenceVersion { run: 1, number: 3 },
        members: vec![alone.at(0), renamed],
        presence: Vec::new(),
        more: false,
    });
    let told = told(&outputs);
    let changes: Vec<_> = told.iter().map(words).filter(|(_, change, ..)| *change != MemberChange::Offline).collect();
    assert_eq!(
        changes,
        [
            ("zoe", MemberChange::Renamed, None, Some("m1")),
            ("zoe", MemberChange::Role, None, Some("owner")),
            ("m0", MemberChange::Topic, None, Some("tea")),
        ]
    );
}
