//! Saying, sending, taking and receipting.
//!
//! What waits to be said is signed as one batch a room and kept; only then it is sent. A member's receipt says how
//! far it has the log, so a link needs no memory of its own: it goes on after whatever was last receipted.

use std::collections::VecDeque;

use common::{
    Key, RoomName, Version,
    frame::{Encoded, Frame},
    limits,
    message::{Batch, Message},
    wire::{
        control::{Exit, ReceiptEvent, Refusal, Said},
        peer::{Have, PeerFrame, Reach, Refuse, RefuseCode, Skip},
    },
};

use super::{
    AskId, Core, LinkId, Now, Output, Row, Segment, Shown,
    command::Answer,
    room::{Held, Sealed},
};

/// Entries of one [`Have`]: the longest names fit.
const REACHES_PER_FRAME: usize = 500;

/// Something that waits to be signed.
#[derive(Debug)]
pub struct Unsaid {
    ask: AskId,
    message: Message,
}

impl Core {
    /// Takes a text to be said, or says why not.
    pub(super) fn say(&mut self, ask: AskId, room: RoomName, text: String, now: Now) {
        let refuse = |message: String| Err(Refusal::new(Exit::Refused, message));
        let Some(room) = self.joined(&room).map(|(name, _)| name.clone()) else {
            let reply = refuse(format!("you are not in {room}; join it first: peer join {room}"));
            return self.reply(ask, reply);
        };
        if text.is_empty() {
            return self.reply(ask, refuse("there is nothing to say: the text is empty".into()));
        }
        if text.len() > limits::TEXT_BYTES {
            let reply = refuse(format!(
                "the text has {} bytes; the limit is {} (16 KiB): say it in parts",
                text.len(),
                limits::TEXT_BYTES
            ));
            return self.reply(ask, reply);
        }
        let unsaid = Unsaid { ask, message: Message { sent: now.wall, text } };
        self.unsaid.entry(room).or_default().push_back(unsaid);
    }

    /// Whether something waits to be signed.
    pub(super) fn saying(&self) -> bool {
        !self.unsaid.is_empty()
    }

    /// Signs one batch a room of what waits, has it kept, and sends it.
    pub(super) fn seal(&mut self, now: Now) {
        for (name, mut waiting) in std::mem::take(&mut self.unsaid) {
            let Some(room) = self.rooms.get_mut(&name) else { continue };
            let mut bytes = 0;
            let fits = waiting
                .iter()
                .take(limits::BATCH_MESSAGES)
                .take_while(|unsaid| {
                    bytes += unsaid.message.cost();
                    bytes <= limits::BATCH_BYTES
                })
                .count();
            let rest = waiting.split_off(fits);
            let (asks, messages): (Vec<AskId>, Vec<Message>) = waiting.into_iter().map(|u| (u.ask, u.message)).unzip();
            let stamp = room.table.version();
            let (batch, head) = Batch::sign(&self.identity, &name, stamp, room.own.head, &messages);
            let (first, last) = (batch.first, batch.last());
            let frame = PeerFrame::from(batch).encode();
            room.own.push(Sealed { stamp, first, last, frame: frame.clone() }, head);
            let segment = Segment {
                cursor: self.cursors(asks.len() as u64),
                room: name.clone(),
                author: self.me,
                name: self.name.clone(),
                first,
                last,
                since: 1,
                stamp,
                end: head.hash,
                received: now.wall,
                path: "self".into(),
                frame,
            };
            self.out.push(Output::Keep(Row::Segment(segment.clone())));
            self.out.push(Output::Show(Shown::Batch(segment)));
            // One look at the members is enough for a batch: nobody has any of it yet.
            let said = self.said(&name, first);
            for (ask, number) in asks.into_iter().zip(first..) {
                let answer = |said| Answer::Said(Box::new(Said { id: self.id(&name, number), seq: number, ..said }));
                let reply = said.clone().map(answer);
                self.reply(ask, reply);
            }
            self.send_to_all(&name, now);
            if !rest.is_empty() {
                self.unsaid.insert(name, rest);
            }
        }
    }

    /// What waited to be said in a room that is left meanwhile is not said.
    pub(super) fn refuse_unsaid(&mut self, name: &RoomName) {
        for unsaid in self.unsaid.remove(name).unwrap_or_default() {
            let refusal = Refusal::new(Exit::Refused, format!("you are no longer in {name}: this was not said"));
            self.reply(unsaid.ask, Err(refusal));
        }
    }

    fn send_to_all(&mut self, name: &RoomName, now: Now) {
        let Some(room) = self.rooms.get(name) else { return };
        let members: Vec<Key> = room.table.members().map(|m| m.key).filter(|key| *key != self.me).collect();
        for key in members {
            match self.people.get(&key).and_then(|person| person.link) {
                Some(link) => self.pump(link),
                None => self.schedule_first(key, now),
            }
        }
    }

    /// Sends on a link what its member lacks, as much as may wait in memory.
    pub(super) fn pump(&mut self, id: LinkId) {
        let buffer = self.config.link_buffer_bytes;
        let Some(link) = self.links.get(id) else { return };
        let key = link.key;
        let rooms: Vec<RoomName> = link.sent.keys().cloned().collect();
        for name in rooms {
            loop {
                let (Some(link), Some(room)) = (self.links.get_mut(id), self.rooms.get(&name)) else { return };
                if link.queued >= buffer || link.loading {
                    return;
                }
                let Some(sent) = link.sent.get_mut(&name) else { break };
                let Some(next) = room.next_for(&key, *sent) else { break };
                if let Some(sealed) = room.own.recent(next) {
                    let Some(frame) = room.own.cancelled.frame_for(&key, sealed) else { break };
                    let (first, skips) = (sealed.first, sealed.first > *sent + 1);
                    *sent = sealed.last;
                    self.send_batch(id, &name, first, frame, skips);
                } else {
                    link.loading = true;
                    self.out.push(Output::Load { link: id, room: name.clone(), from: next });
                }
            }
        }
    }

    fn send_batch(&mut self, id: LinkId, name: &RoomName, first: u64, frame: Encoded, skips: bool) {
        if skips {
            self.send(id, PeerFrame::from(Skip { room: name.clone(), next: first }).encode());
        }
        self.send(id, frame);
    }

    pub(super) fn link_sent(&mut self, id: LinkId, bytes: usize) {
        if let Some(link) = self.links.get_mut(id) {
            link.queued = link.queued.saturating_sub(bytes);
            self.pump(id);
        }
    }

    pub(super) fn loaded(&mut self, id: LinkId, name: &RoomName, batches: Vec<Sealed>) {
        let Some(link) = self.links.get_mut(id) else { return };
        let key = link.key;
        link.loading = false;
        if batches.is_empty() {
            // The store has lost what it held. Going on would ask for it forever.
            link.sent.remove(name);
        }
        for sealed in batches {
            let (Some(link), Some(room)) = (self.links.get_mut(id), self.rooms.get(name)) else { return };
            let Some(sent) = link.sent.get_mut(name).filter(|sent| **sent < sealed.last) else { continue };
            if room.was_member(&key, sealed.stamp) {
                let Some(frame) = room.own.cancelled.frame_for(&key, &sealed) else {
                    link.sent.remove(name);
                    break;
                };
                let skips = sealed.first > *sent + 1;
                *sent = sealed.last;
                self.send_batch(id, name, sealed.first, frame, skips);
            }
        }
        self.pump(id);
    }

    pub(super) fn link_says(&mut self, id: LinkId, frame: PeerFrame, now: Now) {
        if let PeerFrame::Hello(hello) = frame {
            return self.link_hello(id, hello);
        }
        let Some(key) = self.links.get(id).map(|link| link.key) else { return };
        if self.people.get(&key).is_none_or(|person| person.link != Some(id)) {
            // A link that gives way to another may still carry frames: they come again on the other.
            return;
        }
        match frame {
            PeerFrame::Hello(_) => {}
            PeerFrame::Have(have) => {
                have.logs
                    .into_iter()
                    .for_each(|reach| self.receipt(id, key, reach.room, (reach.first, reach.last), now));
            }
            PeerFrame::Batch(batch) => self.take(id, key, batch, now),
            PeerFrame::Skip(skip) => self.skip(id, skip),
            PeerFrame::Refuse(refuse) => self.refused_by(id, &refuse),
            PeerFrame::Bye(_) => {}
        }
    }

    /// A member says how far it has this peer's log.
    pub(super) fn receipt(&mut self, id: LinkId, key: Key, name: RoomName, held: (u64, u64), now: Now) {
        let room = self.rooms.get_mut(&name).filter(|room| room.joined);
        let Some((room, member)) = room.and_then(|r| r.table.member(&key).map(|m| m.name.clone()).map(|m| (r, m)))
        else {
            // The other side was told of the change first: it counts once the change has come here too.
            if let Some(link) = self.links.get_mut(id).filter(|link| link.early.len() < limits::ROOMS_PER_ACCOUNT) {
                link.early.insert(name, held);
            }
            return;
        };
        let end = room.own.head.number;
        let (first, last) = held;
        if let Some(last) = room.own.receipt(&key, first, last) {
            self.out.push(Output::Keep(Row::Receipt {
                room: name.clone(),
                member: key,
                first,
                last,
                at: now.wall,
                path: "direct".into(),
            }));
            let event = ReceiptEvent { room: name.clone(), name: member, first, last, at: now.wall };
            self.out.push(Output::Show(Shown::Receipt(event)));
        }
        if let Some(link) = self.links.get_mut(id) {
            link.sent.entry(name).or_insert(last.min(end));
            self.pump(id);
        }
    }

    /// Somebody with a link shares a room from now on: sends from where the other side said it is, or, if it has not
    /// said so since, from its last receipt. It may take the sharing for old and never say it again.
    pub(super) fn go_on(&mut self, id: LinkId, key: &Key, name: &RoomName, now: Now) {
        let Some(link) = self.links.get_mut(id) else { return };
        match link.early.remove(name) {
            Some(held) => self.receipt(id, *key, name.clone(), held, now),
            None => {
                let receipted = self.rooms.get(name).map_or(0, |room| room.own.acked(key).last());
                link.sent.entry(name.clone()).or_insert(receipted);
                self.pump(id);
            }
        }
    }

    /// A member has not taken a batch. Where both hold the same table the stamp is what it will never take, and what
    /// comes after is sent; otherwise nothing is sent before the tables have met and it says again how far it is.
    fn refused_by(&mut self, id: LinkId, refuse: &Refuse) {
        let Some(room) = self.rooms.get(&refuse.room).filter(|room| room.joined) else { return };
        let for_good = refuse.code == RefuseCode::NotMember && refuse.version == room.table.version();
        let end = room.own.head.number;
        let Some(link) = self.links.get_mut(id) else { return };
        if !for_good {
            link.sent.remove(&refuse.room);
        } else if let Some(sent) = link.sent.get_mut(&refuse.room) {
            *sent = refuse.last.min(end);
            self.pump(id);
        }
    }

    fn skip(&mut self, id: LinkId, skip: Skip) {
        if self.rooms.get(&skip.room).is_some_and(|room| room.joined)
            && let Some(link) = self.links.get_mut(id)
        {
            link.skipped.insert(skip.room, skip.next);
        }
    }

    /// Takes messages of the member at the other end, or says why not.
    fn take(&mut self, id: LinkId, key: Key, batch: Batch, now: Now) {
        let name = batch.room.clone();
        let refuse = |core: &mut Core, code, version| {
            let refuse = Refuse { room: batch.room.clone(), last: batch.last(), code, version };
            core.send(id, PeerFrame::from(refuse).encode());
        };
        let Some(room) = self.rooms.get(&name).filter(|room| room.joined) else {
            return refuse(self, RefuseCode::NotHere, Version::NONE);
        };
        let version = room.table.version();
        let Some(member) = room.table.member(&key).filter(|_| room.was_member(&key, batch.stamp)) else {
            return refuse(self, RefuseCode::NotMember, version);
        };
        let (held, author) = (room.held(&name, &key), member.name.clone());
        if batch.last() <= held.head.number {
            self.owed.entry(id).or_default().insert(name);
            return;
        }
        if batch.first > held.head.number + 1 {
            let skipped = self.links.get(id).and_then(|link| link.skipped.get(&name));
            if skipped != Some(&batch.first) {
                // It was sent before the other side knew that what it follows was refused: it will come again.
                return;
            }
        } else if batch.start() != held.head {
            return refuse(self, RefuseCode::Fork, version);
        }
        let end = match batch.verify(&key) {
            Ok(end) => end,
            Err(why) => return self.close(id, &format!("a batch that proves nothing: {why}")),
        };
        let since = if batch.first == held.head.number + 1 { held.since } else { batch.first };
        let segment = Segment {
            cursor: self.cursors(end.number + 1 - batch.first),
            room: name.clone(),
            author: key,
            name: author,
            first: batch.first,
            last: end.number,
            since,
            stamp: batch.stamp,
            end: end.hash,
            received: now.wall,
            path: "direct".into(),
            frame: PeerFrame::from(batch).encode(),
        };
        if let Some(room) = self.rooms.get_mut(&name) {
            room.heads.insert(key, Held { head: end, since });
        }
        self.out.push(Output::Keep(Row::Segment(segment.clone())));
        self.out.push(Output::Show(Shown::Batch(segment)));
        self.owed.entry(id).or_default().insert(name);
    }

    /// Tells each link that is owed it how far this peer has its logs. It stands behind the rows that make it true.
    pub(super) fn pay_owed(&mut self) {
        for (id, rooms) in std::mem::take(&mut self.owed) {
            let Some(key) = self.links.get(id).map(|link| link.key) else { continue };
            let logs: VecDeque<Reach> = rooms
                .into_iter()
                .filter_map(|name| {
                    let room = self.rooms.get(&name).filter(|room| room.joined)?;
                    let held = room.held(&name, &key);
                    Some(Reach { first: held.since, last: held.head.number, room: name })
                })
                .collect();
            for logs in Vec::from(logs).chunks(REACHES_PER_FRAME) {
                self.send(id, PeerFrame::from(Have { logs: logs.to_vec() }).encode());
            }
        }
    }
}
