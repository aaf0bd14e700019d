//! What must hold, one behaviour a test.

use common::{
    frame::Frame,
    table::History,
    wire::tracker::{Code, ListRooms, Logout, ToPeer},
};

use super::{
    super::{Input, Output, Tracker},
    world::{World, address, key, room},
};
use crate::config::Config;

fn world_of(peers: u8) -> World {
    let mut world = World::new(Config::default());
    for peer in 1..=peers {
        world.login(peer);
        world.join(peer, "lobby");
    }
    world.pass(100);
    world
}

#[test]
fn a_lost_link_shows_after_the_grace_and_a_return_before_it_shows_as_nothing() {
    let mut world = world_of(2);
    world.lose(2);
    world.pass(4_000);
    assert!(world.is_shown_online(1, "lobby", 2));
    let before = world.tracker.counts();
    world.login(2);
    world.pass(10_000);
    assert!(world.is_shown_online(1, "lobby", 2));
    assert_eq!(world.tracker.counts().changes, before.changes);
    world.lose(2);
    world.pass(5_000);
    assert!(!world.is_shown_online(1, "lobby", 2));
}

#[test]
fn a_logout_shows_at_once_and_leaves_the_membership() {
    let mut world = world_of(2);
    world.say(2, Logout {});
    world.pass(10);
    assert_eq!(world.last_code(2), Some(Code::LoggedOut));
    assert!(!world.is_shown_online(1, "lobby", 2));
    world.assert_mirrored(1);
}

#[test]
fn a_second_login_takes_over_and_the_first_is_told() {
    let mut world = world_of(1);
    world.login_as(9, key(1), "peer1".parse().unwrap());
    world.pass(10);
    assert_eq!(world.last_code(1), Some(Code::TakenOver));
    assert!(world.peers[&1].session.is_none());
    assert!(world.peers[&9].mirror.rooms.contains_key(&room("lobby")));
    assert_eq!(world.tracker.counts().sessions, 1);
}

#[test]
fn the_answer_to_a_join_comes_after_the_room() {
    let mut world = world_of(1);
    world.login(2);
    world.slow(2, true);
    world.join(2, "lobby");
    world.pass(100);
    assert!(world.peers[&2].mirror.rooms.is_empty());
    assert!(!world.peers[&2].heard.iter().any(|frame| matches!(frame, ToPeer::Answer(_))));
    world.slow(2, false);
    assert!(world.peers[&2].heard.iter().any(|frame| matches!(frame, ToPeer::Answer(_))));
    world.assert_mirrored(2);
}

#[test]
fn a_room_made_again_has_a_later_epoch_and_what_was_held_of_the_old_one_is_replaced() {
    let mut world = world_of(2);
    let old = world.peers[&1].mirror.rooms[&room("lobby")].table.version();
    world.lose(1);
    world.leave(2, "lobby");
    // The last member goes by expiry; then the room is made again, by a clock that was put back.
    world.pass(31 * 24 * 3_600_000);
    assert_eq!(world.tracker.counts().rooms, 0);
    world.now = 1;
    world.join(2, "LOBBY");
    world.pass(10);
    let new = world.peers[&2].mirror.rooms[&room("LOBBY")].table.version();
    assert!(new.epoch > old.epoch, "{new} after {old}");
    world.login(1);
    world.pass(100);
    assert!(world.peers[&1].mirror.rooms.is_empty(), "no member any more");
}

#[test]
fn a_tracker_that_was_away_expires_nobody() {
    let mut world = world_of(2);
    world.pass(3_600_000);
    world.now += 365 * 24 * 3_600_000;
    world.restart();
    world.pass(3_600_000);
    assert_eq!(world.tracker.counts().members, 2);
}

#[test]
fn a_restart_shows_as_nothing_for_those_who_come_back_and_as_offline_for_those_who_do_not() {
    let mut world = world_of(3);
    world.restart();
    world.login(1);
    world.pass(1_000);
    assert!(world.is_shown_online(1, "lobby", 2));
    world.login(2);
    world.pass(20_000);
    assert!(world.is_shown_online(1, "lobby", 2));
    assert!(!world.is_shown_online(1, "lobby", 3));
    world.assert_mirrored(1);
    world.assert_mirrored(2);
}

#[test]
fn who_holds_the_table_is_not_told_it_again() {
    let mut world = world_of(2);
    world.lose(2);
    world.pass(1);
    let before = world.tracker.counts().pushes;
    world.login(2);
    world.pass(100);
    assert_eq!(world.tracker.counts().pushes, before);
}

#[test]
fn joins_in_one_gathering_time_travel_in_one_frame() {
    let mut world = world_of(1);
    for peer in 2..=20 {
        world.login(peer);
    }
    world.pass(100);
    let before = world.tracker.counts().pushes;
    for peer in 2..=20 {
        world.join(peer, "lobby");
    }
    world.pass(100);
    // The first join goes out at once, to two; the others together, to all.
    assert_eq!(world.tracker.counts().pushes - before, 2 + 20);
    (1..=20).for_each(|peer| world.assert_mirrored(peer));
}

#[test]
fn a_change_is_encoded_once_for_all() {
    let mut world = world_of(5);
    world.login(6);
    let session = world.peers[&6].session.unwrap();
    let join = common::wire::tracker::Join { id: 1, room: room("lobby"), history: None };
    world.tracker.handle(Input::Frame { session, seen: address(6), frame: join.into() }, world.now + 50);
    let told = world.tracker.poll(world.now + 50).into_iter().filter_map(|output| match output {
        Output::Send { session: to, frames, .. } if to != session => Some(frames[0].as_ptr()),
        _ => None,
    });
    let mut told: Vec<_> = told.collect();
    assert_eq!(told.len(), 5);
    told.dedup();
    assert_eq!(told.len(), 1);
}

#[test]
fn a_notice_costs_less_than_forty_bytes_beyond_what_it_says() {
    let mut world = world_of(1);
    for peer in 2..=200 {
        world.login(peer);
        world.join(peer, "lobby");
    }
    let room_id = world.tracker.rooms.find(&room("lobby")).unwrap();
    let lobby = world.tracker.rooms.get_mut(room_id).unwrap();
    let mut from = lobby.cursor();
    from.number -= 50;
    from.presence = from.presence.map(|number| number - 50);
    let frames = lobby.frames_since(Some(from));
    let content = 50 * (32 + "peer123".len() + 1 + 7);
    let notice = (frames.iter().map(|frame| frame.len()).sum::<usize>() - content) / 50;
    assert!(notice <= 40, "{notice} bytes a notice");
}

#[test]
fn bounds_are_refusals_that_say_what_to_do() {
    let config = Config { sessions: 3, rooms: 2, members_per_room: 2, rooms_per_account: 1, ..Config::default() };
    let mut world = World::new(config);
    for peer in 1..=4 {
        world.login(peer);
    }
    assert_eq!(world.last_code(4), Some(Code::Full));
    world.join(1, "a");
    world.join(1, "b");
    assert_eq!(world.last_code(1), Some(Code::Full));
    world.join(2, "a");
    world.join(3, "a");
    world.pass(10);
    assert_eq!(world.last_code(3), Some(Code::Full));
    world.join(3, "b");
    world.login(3);
    world.leave(1, "a");
    world.join(1, "c");
    world.pass(10);
    assert_eq!(world.last_code(1), Some(Code::Full));
}

#[test]
fn rooms_are_listed_in_order_and_after_one() {
    let mut world = World::new(Config::default());
    world.login(1);
    for name in ["beta", "Alpha", "gamma"] {
        world.join(1, name);
    }
    world.say(1, ListRooms { id: 5, after: Some(room("ALPHA")) });
    world.pass(10);
    let list = world.peers[&1].heard.iter().find_map(|frame| match frame {
        ToPeer::RoomList(list) => Some(list),
        _ => None,
    });
    let names: Vec<_> = list.unwrap().rooms.iter().map(|entry| entry.room.to_string()).collect();
    assert_eq!(names, ["beta", "gamma"]);
}

#[test]
fn a_large_room_comes_in_pieces_that_fit_a_frame() {
    let mut world = World::new(Config::default());
    world.login(1);
    world.join(1, "hall");
    world.pass(10);
    let id = world.tracker.rooms.find(&room("hall")).unwrap();
    let hall = world.tracker.rooms.get_mut(id).unwrap();
    for n in 0..6_000u32 {
        let mut key = [0xee; 32];
        key[..4].copy_from_slice(&n.to_be_bytes());
        let name = format!("somebody-with-a-name-{n}").parse().unwrap();
        hall.join(common::Key(key), name, Default::default(), None, 0).unwrap();
    }
    let frames = hall.frames_since(None);
    assert!(frames.len() > 1 && frames.iter().all(|frame| frame.len() <= ToPeer::LIMIT));
    let mut mirror = super::mirror::Mirror::default();
    frames.iter().for_each(|frame| assert!(mirror.take(frame).is_none()));
    assert_eq!(mirror.rooms[&room("hall")].table.digest(), hall.digest());
}

#[test]
fn what_a_room_shows_to_those_who_join_is_fixed_by_who_makes_it() {
    let mut world = World::new(Config::default());
    let history = |world: &World, id: u8, name: &str| world.peers[&id].mirror.rooms[&room(name)].table.history();
    (1..=3).for_each(|peer| world.login(peer));
    world.join_with(1, "open", Some(History::All));
    world.join_with(2, "open", Some(History::Joined));
    world.join_with(2, "usual", None);
    world.join_with(3, "OPEN", None);
    world.pass(10);
    let refused = world.peers[&2].heard.iter().find_map(|frame| match frame {
        ToPeer::Answer(answer) => answer.refused.clone(),
        _ => None,
    });
    let refused = refused.unwrap();
    assert_eq!(refused.code, Code::OtherHistory);
    assert!(refused.reason.contains("peer join open"), "it says how to join: {}", refused.reason);
    assert_eq!([history(&world, 1, "open"), history(&world, 3, "open")], [History::All; 2]);
    assert_eq!(history(&world, 2, "usual"), History::Joined);
    world.join_with(3, "open", Some(History::Joined));
    world.pass(10);
    assert_eq!(world.last_code(3), Some(Code::OtherHistory), "a member is told so too");
    world.restart();
    world.say(1, ListRooms { id: 5, after: None });
    (1..=3).for_each(|peer| world.login(peer));
    world.pass(100);
    (1..=3).for_each(|peer| world.assert_mirrored(peer));
    world.say(1, ListRooms { id: 5, after: None });
    world.pass(10);
    let Some(ToPeer::RoomList(list)) = world.peers[&1].heard.last() else { panic!("no list") };
    assert_eq!(
        list.rooms.iter().map(|entry| entry.settings.history).collect::<Vec<_>>(),
        [History::All, History::Joined]
    );
}

#[test]
fn what_is_stored_is_what_comes_back() {
    let mut world = world_of(4);
    world.leave(2, "lobby");
    world.join(3, "kitchen");
    let before = world.tracker.counts();
    let digest = |tracker: &mut Tracker, name: &str| {
        let id = tracker.rooms.find(&room(name)).unwrap();
        tracker.rooms.get_mut(id).unwrap().digest()
    };
    let digests = ["lobby", "kitchen"].map(|name| digest(&mut world.tracker, name));
    world.restart();
    let after = world.tracker.counts();
    assert_eq!((after.accounts, after.rooms, after.members), (before.accounts, before.rooms, before.members));
    assert_eq!(["lobby", "kitchen"].map(|name| digest(&mut world.tracker, name)), digests);
    world.login(2);
    world.join(2, "lobby");
    world.pass(10);
    let lobby = &world.peers[&2].mirror.rooms[&room("lobby")].table;
    assert_eq!(lobby.member(&key(2)).unwrap().slot.0, 1, "the freed slot");
}
