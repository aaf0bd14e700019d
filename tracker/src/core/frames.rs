//! How what a room tells is cut into frames.

use std::collections::BTreeMap;

use common::{
    RoomName, Slot, Version,
    address::Addresses,
    frame::{Encoded, Frame},
    limits,
    table::{Change, Member, Presence, PresenceVersion, Step, Table},
    wire::tracker::{Snapshot, ToPeer, Update},
};

use super::room::Frames;

/// One frame of changes and presence; `None` if it would be larger than a piece of a snapshot.
pub fn update(
    room: &RoomName,
    from: Version,
    changes: Vec<Change>,
    presence: Vec<Presence>,
    presence_version: PresenceVersion,
) -> Option<Frames> {
    let size = changes.iter().map(change_size).sum::<usize>()
        + presence.iter().map(|word| word_size(word.online.as_ref())).sum::<usize>();
    let update = Update { room: room.clone(), from, changes, presence, presence_version };
    (size <= limits::SNAPSHOT_PIECE).then(|| [ToPeer::from(update).encode()].into())
}

/// The whole room, in as many pieces as it needs.
pub fn snapshot(
    room: &RoomName,
    table: &Table,
    online: &BTreeMap<Slot, Addresses>,
    presence_version: PresenceVersion,
) -> Frames {
    let empty = || Snapshot {
        room: room.clone(),
        version: table.version(),
        settings: table.settings().clone(),
        presence_version,
        members: Vec::new(),
        presence: Vec::new(),
        more: false,
    };
    let mut frames: Vec<Encoded> = Vec::new();
    let (mut piece, mut size) = (empty(), 0);
    for member in table.members() {
        let addresses = online.get(&member.slot);
        let entry = member_size(member) + word_size(addresses);
        if size + entry > limits::SNAPSHOT_PIECE {
            piece.more = true;
            frames.push(ToPeer::from(std::mem::replace(&mut piece, empty())).encode());
            size = 0;
        }
        size += entry;
        if let Some(addresses) = addresses {
            piece.presence.push(Presence { slot: member.slot, online: Some(addresses.clone()), away: false });
        }
        piece.members.push(member.clone());
    }
    frames.push(ToPeer::from(piece).encode());
    frames.into()
}

/// No less than what the entry takes on the wire.
fn member_size(member: &Member) -> usize {
    80 + member.name.as_str().len()
}

fn change_size(change: &Change) -> usize {
    match &change.step {
        Step::Put(member) => 24 + member_size(member),
        Step::Gone { .. } => 48,
        Step::Set(settings) => 48 + settings.topic.len(),
    }
}

fn word_size(online: Option<&Addresses>) -> usize {
    16 + online.map_or(0, |addresses| 19 * addresses.as_slice().len())
}
