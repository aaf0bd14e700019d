//! How what a room tells is cut into frames.

use std::collections::BTreeMap;

use common::{
    RoomName, Slot, Version,
    file::Offer,
    frame::{Encoded, Frame},
    limits,
    table::{Change, Member, Presence, PresenceVersion, Shared, Step, Table},
    wire::tracker::{Contact, Contacts, Snapshot, ToPeer, Update},
};

use super::room::{Frames, Online};

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
    online: &BTreeMap<Slot, Online>,
    presence_version: PresenceVersion,
) -> Frames {
    let empty = || Snapshot {
        room: room.clone(),
        version: table.version(),
        settings: table.settings().clone(),
        presence_version,
        members: Vec::new(),
        files: Vec::new(),
        presence: Vec::new(),
        more: false,
    };
    let mut frames: Vec<Encoded> = Vec::new();
    let (mut piece, mut size) = (empty(), 0);
    for member in table.members() {
        let shown = online.get(&member.slot);
        let word = word(member.slot, shown);
        let entry = member_size(member) + word_size(word.online.as_ref());
        if size + entry > limits::SNAPSHOT_PIECE {
            piece.more = true;
            frames.push(ToPeer::from(std::mem::replace(&mut piece, empty())).encode());
            size = 0;
        }
        size += entry;
        if shown.is_some() {
            piece.presence.push(word);
        }
        piece.members.push(member.clone());
    }
    // Behind all members, so that whose they are is known.
    for (member, offer) in table.files() {
        let entry = offer_size(offer);
        if size + entry > limits::SNAPSHOT_PIECE {
            piece.more = true;
            frames.push(ToPeer::from(std::mem::replace(&mut piece, empty())).encode());
            size = 0;
        }
        size += entry;
        piece.files.push(Shared { slot: member.slot, offer: offer.clone() });
    }
    frames.push(ToPeer::from(piece).encode());
    frames.into()
}

/// The word about a slot.
pub fn word(slot: Slot, online: Option<&Online>) -> Presence {
    let addresses = online.map(|online| online.addresses.clone());
    Presence { slot, online: addresses, away: online.is_some_and(|online| online.away) }
}

/// Contacts, in as many pieces as they need; `whole` if those are all.
pub fn contacts(contacts: impl IntoIterator<Item = Contact>, whole: bool) -> Vec<Encoded> {
    let mut frames = Vec::new();
    let (mut piece, mut size) = (Vec::new(), 0);
    for contact in contacts {
        let entry = 64 + contact.name.as_str().len() + word_size(contact.online.as_ref());
        if size + entry > limits::SNAPSHOT_PIECE {
            let contacts = std::mem::take(&mut piece);
            frames.push(ToPeer::from(Contacts { contacts, whole: false, more: whole }).encode());
            size = 0;
        }
        size += entry;
        piece.push(contact);
    }
    frames.push(ToPeer::from(Contacts { contacts: piece, whole, more: false }).encode());
    frames
}

/// No less than what the entry takes on the wire.
fn member_size(member: &Member) -> usize {
    80 + member.name.as_str().len()
}

/// The same of a file on the list.
fn offer_size(offer: &Offer) -> usize {
    224 + offer.file.name.len() + offer.file.media.len()
}

fn change_size(change: &Change) -> usize {
    match &change.step {
        Step::Put(member) => 24 + member_size(member),
        Step::Gone { .. } => 48,
        Step::Set(settings) => 48 + settings.topic.len(),
        Step::Share(shared) => offer_size(&shared.offer),
        Step::Unshare { .. } => 64,
    }
}

fn word_size(online: Option<&common::address::Addresses>) -> usize {
    16 + online.map_or(0, |addresses| 19 * addresses.as_slice().len())
}
