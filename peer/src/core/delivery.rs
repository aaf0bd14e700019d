//! Saying and sending.
//!
//! What waits to be said is signed as one batch a room and kept; only then it is sent. A member's receipt says what it
//! has of the log, so a link needs no memory of its own: it goes on with whatever has not been receipted.

use common::{
    Key, RoomName, Version,
    content::{About, Content, Kind},
    fault::{self, Fault},
    frame::{self, Encoded, Frame, HEADER},
    limits,
    message::{Batch, Message},
    wire::{
        control::{Exit, MemberChange, Refusal, Said},
        peer::{Bye, PeerFrame, Refuse, RefuseCode, Skip},
    },
};

use super::{
    AskId, Core, LinkId, Now, Output, Row, Segment, Shown, answers::no_message, command::Answer, news::News,
    own_log::Sealed, room::Room,
};

/// Something that waits to be signed.
#[derive(Debug)]
pub struct Unsaid {
    /// Who is to be answered; `None` if nobody has asked.
    pub ask: Option<AskId>,
    /// What is said.
    pub message: Message,
}

/// Whether a message of somebody else is held.
fn holds(room: &Room, about: &About) -> bool {
    let mut from = [0; 32];
    from[..8].copy_from_slice(&*about.author);
    let Some((author, log)) = room.logs.range(Key(from)..).next() else { return false };
    author.short().0 == *about.author && log.has(about.number)
}

impl Core {
    /// Takes something to be said, or says why not.
    pub(super) fn say(&mut self, ask: AskId, room: RoomName, content: Content, now: Now) {
        match self.may_say(&room, &content) {
            Ok(room) => {
                let unsaid = Unsaid { ask: Some(ask), message: Message::of(now.wall, content) };
                self.unsaid.entry(room).or_default().push_back(unsaid);
            }
            Err(why) => self.reply(ask, Err(Refusal::new(Exit::Refused, why))),
        }
    }

    /// What the room is called in which this may be said.
    fn may_say(&self, room: &RoomName, content: &Content) -> Result<RoomName, String> {
        let Some((name, room)) = self.joined(room) else {
            return Err(self.not_in(room).message);
        };
        content.check().map_err(|bad| bad.to_string())?;
        let Some(about) = &content.about else { return Ok(name.clone()) };
        let id = about.id(name);
        let own = id.author == self.me.short();
        match content.kind {
            Kind::Edit if !own => return Err(format!("{id} is not yours, and only its author can edit it")),
            Kind::Edit if self.offers.is_offer(name, &self.me, about.number) => {
                return Err(format!("{id} shares a file, and cannot be edited; take it back, and share it anew"));
            }
            Kind::Delete if !own => return Err(format!("{id} is not yours, and only its author can delete it")),
            _ => {}
        }
        let is_here = if own { room.own.stamp(about.number).is_some() } else { holds(room, about) };
        if !is_here {
            return Err(no_message(&id));
        }
        Ok(name.clone())
    }

    /// When something is to be signed that waits for it.
    pub(super) fn saying_deadline(&self) -> u64 {
        let held_back = |name| self.repair.claims.get(name).map_or(0, |claim| claim.until);
        self.unsaid.keys().map(held_back).min().unwrap_or(u64::MAX)
    }

    /// Signs one batch a room of what waits, has it kept, and sends it.
    pub(super) fn seal(&mut self, now: Now) {
        for (name, mut waiting) in std::mem::take(&mut self.unsaid) {
            if self.claimed(&name, now) {
                self.unsaid.insert(name, waiting);
                continue;
            }
            let Some(room) = self.rooms.get_mut(&name) else { continue };
            // Room is left for what the first of them answers.
            let mut bytes = limits::ANSWERS * Message::ANSWER_COST;
            let fits = waiting
                .iter()
                .take(limits::BATCH_MESSAGES)
                .take_while(|unsaid| {
                    bytes += unsaid.message.cost();
                    bytes <= limits::BATCH_BYTES
                })
                .count();
            let rest = waiting.split_off(fits);
            let (asks, mut messages): (Vec<Option<AskId>>, Vec<Message>) =
                waiting.into_iter().map(|u| (u.ask, u.message)).unzip();
            let stamp = room.table.version();
            if !fault::on(Fault::AnswersNotNamed) {
                messages[0].answers = room.tips.take(stamp);
            }
            let mut head = room.own.head;
            // The numbers up to there may have been used by messages that this store has lost.
            head.number = head.number.max(self.numbers_from.saturating_sub(1));
            let (batch, head) = Batch::sign(&self.identity, &name, stamp, head, &messages);
            let (first, last) = (batch.first, batch.last());
            let frame = PeerFrame::from(batch).encode();
            room.own.push(Sealed { stamp, first, last, frame: frame.clone() }, head);
            let cursor = self.cursors(asks.len() as u64);
            let segment = Segment {
                cursor,
                room: name.clone(),
                author: self.me,
                name: self.name.clone(),
                first,
                last,
                stamp,
                end: head.hash,
                received: now.wall,
                path: "self".into(),
                mark: None,
                frame,
            };
            self.out.push(Output::Keep(Row::Segment(segment.clone())));
            self.out.push(Output::Show(Shown::Batch(segment)));
            // One look at the members is enough for a batch: nobody has any of it yet.
            let said = self.said(&name, first);
            for (ask, number) in asks.into_iter().zip(first..) {
                let Some(ask) = ask else { continue };
                let answer = |said| Answer::Said(Box::new(Said { id: self.id(&name, number), seq: number, ..said }));
                let reply = said.clone().map(answer);
                self.reply(ask, reply);
            }
            for (nth, message) in (0..).zip(messages) {
                self.hear_of_file(&name, self.me, first + nth, message, cursor + nth);
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
            let refusal = Refusal::new(
                Exit::Refused,
                format!("you are not a member of {name} any more, so this was not said; join it: peer join {name}"),
            );
            if let Some(ask) = unsaid.ask {
                self.reply(ask, Err(refusal));
            }
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
                let Some(next) = room.next_for(&key, sent.upto, &sent.told) else { break };
                if let Some(sealed) = room.own.recent(next) {
                    let Some(frame) = room.own.cancelled.frame_for(&key, sealed) else { break };
                    let (first, skips) = (sealed.first, sent.leaves_out(sealed.first));
                    sent.upto = sealed.last;
                    self.send_batch(id, &name, first, frame, skips);
                } else {
                    link.loading = true;
                    self.out.push(Output::Load { link: id, room: name.clone(), from: next });
                }
            }
        }
    }

    /// What was about to leave over a link of what is said in a room does not: whoever is there is out of it by now.
    pub(super) fn unsend(&mut self, id: LinkId, name: &RoomName) {
        let mut bytes = 0;
        self.out.retain(|output| match output {
            Output::Send(link, frame) if *link == id && is_said_in(frame, name) => {
                bytes += frame.len();
                false
            }
            _ => true,
        });
        if let Some(link) = self.links.get_mut(id) {
            link.queued = link.queued.saturating_sub(bytes);
        }
    }

    fn send_batch(&mut self, id: LinkId, name: &RoomName, first: u64, frame: Encoded, skips: bool) {
        if skips {
            let skip = Skip { room: name.clone(), author: None, next: first, hash: None };
            self.send(id, PeerFrame::from(skip).encode());
        }
        self.send(id, frame);
    }

    pub(super) fn link_sent(&mut self, id: LinkId, bytes: usize) {
        if let Some(link) = self.links.get_mut(id) {
            link.queued = link.queued.saturating_sub(bytes);
            self.pump(id);
            self.feed(id);
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
            let Some(sent) = link.sent.get_mut(name).filter(|sent| sent.upto < sealed.last) else { continue };
            if room.is_sent_to(&key, sealed.stamp) {
                let Some(frame) = room.own.cancelled.frame_for(&key, &sealed) else {
                    link.sent.remove(name);
                    break;
                };
                let skips = sent.leaves_out(sealed.first);
                sent.upto = sealed.last;
                self.send_batch(id, name, sealed.first, frame, skips);
            }
        }
        self.pump(id);
    }

    pub(super) fn link_says(&mut self, id: LinkId, frame: PeerFrame, now: Now) {
        if let PeerFrame::Hello(hello) = frame {
            return self.link_hello(id, hello, now);
        }
        let Some(key) = self.links.get(id).map(|link| link.key) else { return };
        if let PeerFrame::Bye(Bye { stranger: true, .. }) = frame {
            return self.taken_for_a_stranger(&key, now);
        }
        if self.people.get(&key).is_none_or(|person| person.link != Some(id)) {
            // A link that gives way to another may still carry frames: they come again on the other.
            return;
        }
        match frame {
            PeerFrame::Hello(_) | PeerFrame::Bye(_) => {}
            PeerFrame::Have(have) => self.receipts_of(id, key, have, now),
            PeerFrame::Batch(batch) => self.take(id, key, batch, now),
            PeerFrame::Skip(skip) => self.skip(id, key, skip),
            PeerFrame::Refuse(refuse) => self.refused_by(id, key, &refuse, now),
            PeerFrame::Frontier(frontier) => self.compared(id, &frontier, now),
            PeerFrame::Follow(follow) => self.followed(id, key, follow),
            PeerFrame::Passed(passed) => self.take_passed(id, key, passed, now),
            PeerFrame::Receipt(receipt) => self.signed_receipt(key, receipt, now),
            PeerFrame::Near(near) => self.near(id, &near, now),
            PeerFrame::Tell(tell) => self.told_to_tell(id, tell),
            PeerFrame::Looks(looks) => self.told_looks(id, looks.looks),
            PeerFrame::Holds(_) | PeerFrame::Watch(_) | PeerFrame::Has(_) => self.files_say(id, frame, now),
        }
    }

    /// Somebody with a link shares a room from now on: sends what it has not receipted, if it has said what it has.
    /// It may take the sharing for old and never say it again, so what it receipted last counts as well.
    pub(super) fn go_on(&mut self, id: LinkId, key: &Key, name: &RoomName, now: Now) {
        let Some(link) = self.links.get_mut(id) else { return };
        let early = link.early.remove(name).unwrap_or_else(|| {
            let receipted = self.rooms.get(name).map(|room| room.own.acked(key).iter().collect());
            receipted.unwrap_or_default()
        });
        self.receipt_in(id, *key, name, &early, now);
    }

    /// A member has not taken a batch. Where both hold the same table the stamp is what it will never take, and what
    /// comes after is sent; otherwise nothing is sent before the tables have met and it says again what it has.
    fn refused_by(&mut self, id: LinkId, key: Key, refuse: &Refuse, now: Now) {
        let Some(room) = self.rooms.get(&refuse.room).filter(|room| room.joined) else { return };
        let version = room.table.version();
        let for_good = refuse.code == RefuseCode::NotMember && refuse.version == version;
        let end = room.own.head.number;
        let newer = refuse.version.epoch == version.epoch && refuse.version > version;
        if refuse.code == RefuseCode::NotMember && newer && !room.refused {
            self.told_out(&refuse.room, &key, refuse.version);
        }
        if refuse.code == RefuseCode::Fork {
            self.own_fork(&refuse.room, &key, now);
        }
        let Some(link) = self.links.get_mut(id) else { return };
        if !for_good && refuse.code != RefuseCode::Fork {
            link.sent.remove(&refuse.room);
        } else if let Some(sent) = link.sent.get_mut(&refuse.room) {
            sent.upto = refuse.last.min(end);
            self.pump(id);
        }
    }

    /// A member goes by a newer table, in which this peer is none: the user is told, since the tracker may not be there
    /// to do so. Once, until the table here changes.
    fn told_out(&mut self, name: &RoomName, by: &Key, version: Version) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        let Some(by) = room.table.member(by).map(|member| member.name.clone()) else { return };
        room.refused = true;
        self.tell_of(name, News::new(by, MemberChange::Refuses).detail(version.to_string()));
    }
}

/// Whether a frame brings messages of a room.
fn is_said_in(sent: &Encoded, name: &RoomName) -> bool {
    match PeerFrame::decode(&sent[HEADER..]) {
        Ok(Some(PeerFrame::Batch(batch))) => batch.room == *name,
        Ok(Some(PeerFrame::Passed(passed))) => {
            frame::unpack::<Batch>(&passed.batch).is_ok_and(|batch| batch.room == *name)
        }
        _ => false,
    }
}
