//! Receipts: one's own, told once the store has what they say, and those of others for what was said here.
//!
//! Over a link a receipt needs no signature. For what a third member has passed on it is signed, and goes back
//! through that member, who keeps it for an author that is away.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, RoomName,
    fault::{self, Fault},
    frame::Frame,
    limits,
    receipt::Receipt,
    wire::{
        control::ReceiptEvent,
        peer::{Have, PeerFrame, Reach, Tell},
    },
};

use super::{Core, LinkId, Now, Output, Row, Shown};

/// Entries of one [`Have`]: the longest names fit.
const REACHES_PER_FRAME: usize = 500;
/// Receipts kept for authors that are away.
const KEPT: usize = 4_096;

/// Receipts to be told, and those kept for others.
#[derive(Default, Debug)]
pub struct Receipts {
    /// Links that are to be told what this peer has of their logs of these rooms, once it is synced.
    owed: BTreeMap<LinkId, BTreeSet<RoomName>>,
    /// Links that are to be given receipts for logs that they have passed on.
    signed: BTreeMap<LinkId, BTreeSet<(RoomName, Key)>>,
    /// By room, author and member.
    kept: BTreeMap<(RoomName, Key, Key), Receipt>,
}

impl Receipts {
    /// A link is owed a receipt.
    pub fn owe(&mut self, link: LinkId, room: RoomName) {
        self.owed.entry(link).or_default().insert(room);
    }

    /// A link is owed a receipt for what it has passed on.
    pub fn owe_signed(&mut self, link: LinkId, room: RoomName, author: Key) {
        self.signed.entry(link).or_default().insert((room, author));
    }

    /// Nothing of a room is owed any more.
    pub fn forget_room(&mut self, link: LinkId, room: &RoomName) {
        self.owed.entry(link).or_default().remove(room);
        self.signed.entry(link).or_default().retain(|(name, _)| name != room);
    }

    /// A link is gone.
    pub fn forget_link(&mut self, link: LinkId) {
        self.owed.remove(&link);
        self.signed.remove(&link);
    }
}

impl Core {
    /// Tells each link that is owed it what this peer has. It stands behind the rows that make it true.
    pub(super) fn pay_owed(&mut self) {
        for (id, rooms) in std::mem::take(&mut self.receipts.owed) {
            let Some(key) = self.links.get(id).map(|link| link.key) else { continue };
            let joined = rooms.into_iter().filter_map(|name| {
                let room = self.rooms.get(&name).filter(|room| room.has(&key))?;
                Some((room.held(&key), name))
            });
            let logs: Vec<Reach> = joined
                .flat_map(|(held, room)| {
                    held.into_iter().map(move |(first, last)| Reach { room: room.clone(), first, last })
                })
                .collect();
            for logs in logs.chunks(REACHES_PER_FRAME) {
                self.send(id, PeerFrame::from(Have { logs: logs.to_vec() }).encode());
            }
        }
        for (id, logs) in std::mem::take(&mut self.receipts.signed) {
            let Some(key) = self.links.get(id).map(|link| link.key) else { continue };
            for (name, author) in logs {
                let Some(room) = self.rooms.get(&name).filter(|room| room.has(&key)) else { continue };
                let receipt = Receipt::sign(&self.identity, &name, author, room.held(&author));
                self.send(id, PeerFrame::from(receipt).encode());
            }
        }
    }

    /// A member says what it has of this peer's logs.
    pub(super) fn receipts_of(&mut self, id: LinkId, key: Key, have: Have, now: Now) {
        let mut rooms: BTreeMap<RoomName, Vec<(u64, u64)>> = BTreeMap::new();
        for reach in have.logs {
            rooms.entry(reach.room).or_default().push((reach.first, reach.last));
        }
        for (name, held) in rooms {
            self.direct_from(&name, &key, now);
            if self.rooms.get(&name).is_some_and(|room| room.joined && room.table.member(&key).is_some()) {
                self.receipt_in(id, key, &name, &held, now);
            } else if let Some(link) = self.links.get_mut(id) {
                // The other side was told of the change first: it counts once the change has come here too.
                if link.early.len() < limits::ROOMS_PER_ACCOUNT {
                    link.early.insert(name, held);
                }
            }
        }
    }

    /// A member with a link says what it has of this peer's log, and is sent the rest.
    pub(super) fn receipt_in(&mut self, id: LinkId, key: Key, name: &RoomName, held: &[(u64, u64)], now: Now) {
        self.receipted(key, name, held, "direct", now);
        self.claim(id, name, held.iter().map(|(_, last)| *last).max().unwrap_or(0), now);
        if let Some(link) = self.links.get_mut(id) {
            let sending = link.sent.entry(name.clone()).or_default();
            for (first, last) in held.iter().copied() {
                sending.told.add(first.max(1), last);
            }
            self.pump(id);
        }
    }

    /// Takes a receipt, which came this way.
    fn receipted(&mut self, key: Key, name: &RoomName, held: &[(u64, u64)], path: &str, now: Now) {
        let Some(room) = self.rooms.get_mut(name).filter(|room| room.joined) else { return };
        let Some(member) = room.table.member(&key).map(|member| member.name.clone()) else { return };
        for (first, last) in held.iter().copied() {
            let Some(last) = room.own.receipt(&key, first, last) else { continue };
            let (room, at) = (name.clone(), now.wall);
            let row = Row::Receipt { room: room.clone(), member: key, first, last, at, path: path.into() };
            self.out.push(Output::Keep(row));
            let event = ReceiptEvent { room, name: member.clone(), first, last, at };
            self.out.push(Output::Show(Shown::Receipt(event)));
        }
    }

    /// A receipt has come that its member has signed: for this peer, or to be passed on.
    pub(super) fn signed_receipt(&mut self, from: Key, receipt: Receipt, now: Now) {
        if receipt.author == self.me {
            // One that is not signed by its member is nobody's word, and who passes it on need not have known.
            if receipt.verify() && !self.trust.doubts(&receipt.member) {
                let path = if from == receipt.member { "direct".into() } else { self.way(&from) };
                let member = if fault::on(Fault::ReceiptMisattributed) { from } else { receipt.member };
                self.receipted(member, &receipt.room, &receipt.ranges, &path, now);
            }
        } else if receipt.member == from
            && !fault::on(Fault::ReceiptNotPassedOn)
            && self.rooms.get(&receipt.room).is_some_and(|room| room.has(&from) && room.has(&receipt.author))
        {
            let link = self.people.get(&receipt.author).and_then(|person| person.link);
            match link {
                Some(link) => self.send(link, PeerFrame::from(receipt).encode()),
                None => self.keep_receipt(receipt),
            }
        }
    }

    fn keep_receipt(&mut self, receipt: Receipt) {
        let kept = &mut self.receipts.kept;
        let place = (receipt.room.clone(), receipt.author, receipt.member);
        if kept.len() < KEPT || kept.contains_key(&place) {
            kept.insert(place, receipt);
        }
    }

    /// An author is back: it is given the receipts kept for it.
    pub(super) fn give_receipts(&mut self, id: LinkId, author: &Key) {
        let places: Vec<_> = self.receipts.kept.keys().filter(|(_, of, _)| of == author).cloned().collect();
        for place in places {
            if let Some(receipt) = self.receipts.kept.remove(&place) {
                self.send(id, PeerFrame::from(receipt).encode());
            }
        }
    }

    /// An author that this peer has no link to asks for its receipt, through the link.
    pub(super) fn told_to_tell(&mut self, id: LinkId, tell: Tell) {
        let Some(key) = self.links.get(id).map(|link| link.key) else { return };
        let held = self.rooms.get(&tell.room).filter(|room| room.has(&key)).map(|room| room.held(&tell.author));
        if held.is_some_and(|held| held.iter().any(|(_, last)| *last > 0)) {
            self.receipts.owe_signed(id, tell.room, tell.author);
        }
    }

    /// The word for what has come through somebody.
    pub(super) fn way(&self, via: &Key) -> String {
        self.people.get(via).map_or_else(|| "none".into(), |person| format!("via {}", person.name))
    }
}
