//! Who is in a room, and which rooms there are, as the chat lists them.

use common::{
    RoomName,
    wire::control::{Member, Room},
};

use crate::cli::{
    output,
    table::{Column, Table, text as shortened, whole},
    text,
};

const WHO: [Column; 3] = [shortened("NAME", 0), whole("STATE", 0), shortened("PATH", 1)];
const ROOMS: [Column; 5] =
    [shortened("ROOM", 0), whole("MEMBERS", 0), whole("JOINED", 1), whole("DOOR", 2), shortened("TOPIC", 3)];

/// Who is in a room, under how many they are.
pub fn who(room: &RoomName, members: &[Member], width: Option<usize>) -> String {
    let online = members.iter().filter(|member| member.online).count();
    let table = Table::new(members, &WHO, |member| {
        let state = match (member.online, member.away) {
            (false, _) => "offline",
            (true, true) => "away",
            (true, false) => "online",
        };
        [member.name.to_string(), state.to_string(), text::inline(&member.path)]
    });
    format!("{room}: {}, {online} online\n{}", output::count(members.len() as u64), table.shown(width))
}

/// The rooms there are.
pub fn rooms(rooms: &[Room]) -> Table {
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_string();
    Table::new(rooms, &ROOMS, |room| {
        [
            room.room.to_string(),
            room.members.to_string(),
            yes(room.joined),
            yes(room.approval),
            text::inline(&room.topic),
        ]
    })
}
