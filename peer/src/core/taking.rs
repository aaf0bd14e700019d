//! Taking what others have said, from themselves or from a third member.
//!
//! A batch proves by its signature that its author said it. It is taken if the author was a member at its stamp, if it
//! fits the log, and, when it is passed on, if it was meant for this peer.

use common::{
    Key, RoomName, Version,
    fault::{self, Fault},
    frame,
    frame::Frame,
    message::{Batch, Head},
    wire::{
        control::{Mark, MemberChange},
        peer::{Passed, PeerFrame, Refuse, RefuseCode, Skip},
    },
};

use super::{
    Core, LinkId, Now, Output, Row, Segment, Shown,
    causal::Arrived,
    log::{Fit, Log},
    news::News,
    own_log::Sealed,
};

impl Core {
    /// Takes messages of the member at the other end, or says why not.
    pub(super) fn take(&mut self, id: LinkId, author: Key, batch: Batch, now: Now) {
        let name = batch.room.clone();
        self.direct_from(&name, &author, now);
        let Some(room) = self.rooms.get(&name).filter(|room| room.joined) else {
            if name.is_direct() && self.trust.blocks(&author) {
                // Whoever is blocked learns nothing: to it, it waits.
                return;
            }
            return self.refuse(id, &batch, RefuseCode::NotHere, Version::NONE);
        };
        let version = room.table.version();
        let is_in = room.table.member(&author).is_some() || fault::on(Fault::TakenFromRemoved);
        let vouched = is_in && room.is_vouched(&author, batch.stamp, &self.me);
        let Some(called) = room.name_of(&author).filter(|_| vouched) else {
            return self.refuse(id, &batch, RefuseCode::NotMember, version);
        };
        let arrived =
            Arrived { link: id, author, via: None, name: called.clone(), skips: self.skips(id, author, &batch), batch };
        self.take_arrived(arrived, now);
    }

    /// Takes messages that a third member passes on. What is not taken is not refused: it does not depend on who
    /// passes it on.
    pub(super) fn take_passed(&mut self, id: LinkId, via: Key, passed: Passed, now: Now) {
        let Passed { author, name: called, batch } = passed;
        let Ok(batch) = frame::unpack::<Batch>(&batch) else {
            return self.breach(id, "a batch that cannot be read");
        };
        let Some(room) = self.rooms.get(&batch.room).filter(|room| room.joined && !self.trust.doubts(&author)) else {
            return;
        };
        if room.table.member(&via).is_none() || !room.may_have(&self.me, batch.stamp) {
            return;
        }
        if !batch.is_whole() && via != author {
            // Only the author may leave something out: a receipt would stand for what is not here.
            return;
        }
        let taken = room.takes_log(&author) && room.is_vouched(&author, batch.stamp, &self.me);
        if !taken && author != self.me {
            return;
        }
        let name = room.name_for(&author, &called);
        let skips = self.skips(id, author, &batch);
        let arrived = Arrived { link: id, author, via: Some(via), name, skips, batch };
        if author == self.me { self.take_back(arrived, now) } else { self.take_arrived(arrived, now) }
    }

    /// What the other side leaves out of a log is not meant for this peer.
    pub(super) fn skip(&mut self, id: LinkId, key: Key, skip: Skip) {
        let author = skip.author.unwrap_or(key);
        let Some(room) = self.rooms.get_mut(&skip.room).filter(|room| room.joined) else { return };
        if let Some(hash) = skip.hash
            && room.takes_log(&author)
            && let Some(number) = skip.next.checked_sub(1)
        {
            let log = room.logs.entry(author).or_insert_with(|| Log::new(&skip.room, &author));
            return log.reaches(Head { number, hash: *hash });
        }
        if let Some(link) = self.links.get_mut(id) {
            link.skip(skip.room, author, skip.next);
        }
    }

    fn skips(&self, id: LinkId, author: Key, batch: &Batch) -> bool {
        self.links.get(id).is_some_and(|link| link.skipped(&batch.room, &author) == Some(batch.first))
    }

    fn take_arrived(&mut self, arrived: Arrived, now: Now) {
        let (batch, author) = (&arrived.batch, arrived.author);
        let Some(room) = self.rooms.get(&batch.room) else { return };
        let empty = Log::new(&batch.room, &author);
        let log = room.logs.get(&author).unwrap_or(&empty);
        let waits = |number| self.waiting.get(&batch.room).is_some_and(|waiting| waiting.has(&author, number));
        if waits(batch.first) {
            return;
        }
        let follows = log.adjoins(batch.first) || arrived.skips || waits(batch.first.saturating_sub(1));
        if !follows && !log.has(batch.first) {
            // It was sent before the other side knew that what it follows was not taken: it will come again.
            return;
        }
        let end = if log.has(batch.first) {
            batch.end()
        } else {
            match batch.verify(&author) {
                Ok(end) => end,
                Err(why) => return self.breach(arrived.link, &format!("a batch that proves nothing: {why}")),
            }
        };
        match log.fit(batch.start(), end) {
            Fit::Held if fault::on(Fault::TakenTwice) => self.accept(arrived, false, now),
            Fit::Held => self.owe(&arrived),
            Fit::Fork => self.forked(&arrived, now),
            Fit::Full => {}
            Fit::Fills => {
                let (name, author) = (batch.room.clone(), author);
                self.accept(arrived, false, now);
                self.release(&name, author, now);
            }
            Fit::Next | Fit::Beyond => self.take_in_order(arrived, now),
        }
    }

    /// Keeps and shows a batch that has been verified. `early` if something that it comes after is not here.
    pub(super) fn accept(&mut self, arrived: Arrived, early: bool, now: Now) {
        let (batch, author) = (&arrived.batch, arrived.author);
        let (name, start, end) = (batch.room.clone(), batch.start(), batch.end());
        let Some(room) = self.rooms.get_mut(&name).filter(|room| room.joined) else { return };
        let log = room.logs.entry(author).or_insert_with(|| Log::new(&name, &author));
        let fit = log.fit(start, end);
        let early = early && !fault::on(Fault::EarlyUnmarked) || fault::on(Fault::EarlyForNothing);
        let mark = match fit {
            Fit::Fills => Some(Mark::Late),
            Fit::Next | Fit::Beyond => early.then_some(Mark::Early),
            Fit::Held if fault::on(Fault::TakenTwice) => None,
            // It has changed while this waited.
            Fit::Held => return self.owe(&arrived),
            Fit::Fork => return self.forked(&arrived, now),
            Fit::Full => return,
        };
        // The author knows whom a message was meant for; a third member may only not have it.
        let open = arrived.via.is_some();
        let (piece, swallowed) = log.add(start, end, open);
        self.out.push(Output::Keep(Row::Piece { room: name.clone(), author, piece, swallowed }));
        let segment = self.segment(&arrived, end, mark, now);
        if let Some(room) = self.rooms.get_mut(&name) {
            room.tips.shown(author, batch, segment.cursor);
        }
        let cursor = segment.cursor;
        self.out.push(Output::Keep(Row::Segment(segment.clone())));
        self.out.push(Output::Show(Shown::Batch(segment)));
        self.heard_of_files(author, &arrived.batch, cursor);
        self.owe(&arrived);
        self.feeders_of(&name, &author);
        self.progress(&name, &author, now);
    }

    /// Takes a message of one's own that this store has lost.
    fn take_back(&mut self, arrived: Arrived, now: Now) {
        let batch = &arrived.batch;
        let name = batch.room.clone();
        let Some(room) = self.rooms.get_mut(&name) else { return };
        let follows = batch.start() == room.own.head || (batch.first > room.own.head.number + 1 && arrived.skips);
        if !follows {
            return;
        }
        let Ok(end) = batch.verify(&self.me) else {
            return self.breach(arrived.link, "a batch that proves nothing");
        };
        // Whoever has brought it: it is one's own.
        let segment = Segment { path: "self".into(), ..self.segment(&arrived, end, None, now) };
        let Segment { first, last, stamp, cursor, .. } = segment;
        if let Some(room) = self.rooms.get_mut(&name) {
            room.own.push(Sealed { stamp, first, last, frame: segment.frame.clone() }, end);
        }
        self.out.push(Output::Keep(Row::Segment(segment.clone())));
        self.out.push(Output::Show(Shown::Batch(segment)));
        self.heard_of_files(self.me, &arrived.batch, cursor);
        self.progress(&name, &self.me.clone(), now);
    }

    fn segment(&mut self, arrived: &Arrived, end: Head, mark: Option<Mark>, now: Now) -> Segment {
        let batch = &arrived.batch;
        let via = arrived.via.filter(|_| !fault::on(Fault::WayHidden));
        Segment {
            cursor: self.cursors(end.number + 1 - batch.first),
            room: batch.room.clone(),
            author: arrived.author,
            name: arrived.name.clone(),
            first: batch.first,
            last: end.number,
            stamp: batch.stamp,
            end: end.hash,
            received: now.wall,
            path: via.map_or_else(|| "direct".into(), |via| self.way(&via)),
            mark,
            frame: PeerFrame::from(batch.clone()).encode(),
        }
    }

    /// The author gets a receipt over its link, which may be another by now than the one that brought the batch; if it
    /// has none, whoever has passed the batch on gets it for the author.
    fn owe(&mut self, arrived: &Arrived) {
        let name = arrived.batch.room.clone();
        match self.people.get(&arrived.author).and_then(|person| person.link) {
            Some(link) => self.receipts.owe(link, name),
            // Nobody waits for receipts of who was no member then.
            None if self.rooms.get(&name).is_some_and(|room| room.is_for(&self.me, arrived.batch.stamp)) => {
                self.receipts.owe_signed(arrived.link, name, arrived.author);
            }
            None => {}
        }
    }

    /// An author's log has two different messages with one number. The one that came first stays, and it is said.
    fn forked(&mut self, arrived: &Arrived, now: Now) {
        let (batch, author) = (&arrived.batch, arrived.author);
        let name = batch.room.clone();
        let Ok(_) = batch.verify(&author) else {
            return self.breach(arrived.link, "a batch that proves nothing");
        };
        let Some(room) = self.rooms.get_mut(&name) else { return };
        let version = room.table.version();
        if room.forked.insert(author) {
            let frame = PeerFrame::from(batch.clone()).encode();
            self.out.push(Output::Keep(Row::Fork { room: name.clone(), author, first: batch.first, frame }));
            self.event(&name, arrived.name.clone(), MemberChange::Forked);
        }
        if arrived.via.is_none() {
            self.refuse(arrived.link, &arrived.batch, RefuseCode::Fork, version);
        }
        self.progress(&name, &author, now);
    }

    /// A member has other messages of this peer's with numbers that it has used: an older state of its store has been
    /// put back, or a copy of its key is in use. It goes on with numbers that nobody can have used.
    pub(super) fn own_fork(&mut self, name: &RoomName, by: &Key, now: Now) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        let head = room.own.head.number;
        let Some(by) = room.table.member(by).map(|member| member.name.clone()) else { return };
        if self.numbers_from <= head {
            self.numbers_from = unused(now);
        }
        if room.forked.insert(self.me) {
            self.tell_of(name, News::new(self.name.clone(), MemberChange::Forked).by(Some(by)));
        }
    }

    /// Has a member take back what it has sent in a room: it is sent again once this peer says what it has.
    pub(super) fn send_anew(&mut self, id: LinkId, name: &RoomName) {
        let version = self.rooms.get(name).map_or(Version::NONE, |room| room.table.version());
        let refuse = Refuse { room: name.clone(), last: 0, code: RefuseCode::Anew, version };
        self.send(id, PeerFrame::from(refuse).encode());
    }

    fn refuse(&mut self, id: LinkId, batch: &Batch, code: RefuseCode, version: Version) {
        let refuse = Refuse { room: batch.room.clone(), last: batch.last(), code, version };
        self.send(id, PeerFrame::from(refuse).encode());
    }
}

/// A number that no message can have: they would have had to be said a thousand a millisecond since 1970.
pub fn unused(now: Now) -> u64 {
    now.wall.saturating_mul(1_000).max(1)
}
