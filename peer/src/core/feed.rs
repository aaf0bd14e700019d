//! Passing on other people's messages to those who follow them, in the order in which they were shown here: what is
//! in the store first, and then whatever comes.

use std::collections::BTreeMap;

use common::{
    Key, RoomName,
    fault::{self, Fault},
    frame::{self, Frame, HEADER},
    limits,
    message::Batch,
    wire::peer::{Follow, Near, Passed, PeerFrame, Skip, Tell},
};
use serde_bytes::{ByteArray, ByteBuf};

use super::{Core, LinkId, Output, Segment, own_log::Sealed, room::Room};

/// What one link follows in one room.
#[derive(Default, Debug)]
pub struct Feed {
    logs: BTreeMap<Key, Wish>,
    /// Up to which cursor the store has been looked through; 0 to begin again.
    position: u64,
    /// Whether there may be something behind it.
    more: bool,
    /// Whether the store is being read for it.
    loading: bool,
    /// Whether it is to begin again after that.
    again: bool,
}

#[derive(Clone, Copy, Debug)]
struct Wish {
    /// What the other side has, and has been sent.
    after: u64,
    /// Only up to here, and only what is there.
    until: Option<u64>,
    /// Whether the other side knows that there is nothing more for it.
    told: u64,
    /// Whether something was left out that may be for the other side.
    unsure: bool,
}

impl Core {
    /// The other side wants to be passed on some logs, or no longer.
    pub(super) fn followed(&mut self, id: LinkId, key: Key, follow: Follow) {
        let Follow { room: name, logs } = follow;
        let Some(room) = self.rooms.get(&name).filter(|room| room.joined && room.table.member(&key).is_some()) else {
            return;
        };
        let known = |author: &Key| room.name_of(author).is_some() || room.logs.contains_key(author);
        let known: Vec<_> = logs.into_iter().filter(|log| log.author == self.me || known(&log.author)).collect();
        let Some(link) = self.links.get_mut(id) else { return };
        let feed = link.feeds.entry(name.clone()).or_default();
        let mut begun = Vec::new();
        for log in known {
            if log.until == Some(0) {
                feed.logs.remove(&log.author);
            } else if feed.logs.len() < limits::FOLLOWED || feed.logs.contains_key(&log.author) {
                feed.logs.insert(log.author, Wish { after: log.after, until: log.until, told: 0, unsure: false });
                begun.push(log.author);
            }
        }
        feed.again |= feed.loading;
        (feed.position, feed.more) = (0, true);
        for author in begun {
            self.tell_near(id, &name, author);
            self.ask_receipt(&name, &author, key);
        }
        self.feed(id);
    }

    /// Reads from the store what a link is to be passed on, if it can take more.
    pub(super) fn feed(&mut self, id: LinkId) {
        let buffer = self.config.link_buffer_bytes;
        let Some(link) = self.links.get_mut(id).filter(|link| link.queued < buffer) else { return };
        for (name, feed) in link.feeds.iter_mut().filter(|(_, feed)| feed.more && !feed.loading) {
            (feed.loading, feed.more) = (true, false);
            let logs = feed.logs.iter().map(|(author, wish)| (*author, wish.after)).collect();
            self.out.push(Output::Feed { link: id, room: name.clone(), logs, position: feed.position });
        }
    }

    /// Passes on what the store had.
    pub(super) fn fed(&mut self, id: LinkId, name: &RoomName, segments: Vec<Segment>, position: u64, more: bool) {
        let Some(key) = self.links.get(id).map(|link| link.key) else { return };
        let mut judged = true;
        for segment in segments {
            // Who was a member at a stamp newer than the table held here is not known: it waits for the table.
            let judges = |room: &Room| room.judges(segment.stamp) || room.is_open(segment.stamp);
            judged &= self.rooms.get(name).is_some_and(judges);
            if judged {
                self.pass(id, &key, name, segment);
            }
        }
        let Some(feed) = self.links.get_mut(id).and_then(|link| link.feeds.get_mut(name)) else { return };
        feed.loading = false;
        feed.more |= more;
        if !judged {
            (feed.position, feed.more) = (0, false);
        }
        if std::mem::take(&mut feed.again) {
            (feed.position, feed.more) = (0, true);
        } else if judged {
            feed.position = position;
        }
        if !feed.more && judged {
            feed.logs.retain(|_, wish| wish.until.is_none());
            self.tell_ends(id, name);
        }
        self.feed(id);
    }

    fn pass(&mut self, id: LinkId, key: &Key, name: &RoomName, segment: Segment) {
        let Some(room) = self.rooms.get(name).filter(|room| room.joined && room.table.member(key).is_some()) else {
            return;
        };
        let may_have = room.may_be_passed(key, segment.stamp) || fault::on(Fault::PassedToAnyone);
        let Some(link) = self.links.get_mut(id) else { return };
        let Some(wish) = link.feeds.get_mut(name).and_then(|feed| feed.logs.get_mut(&segment.author)) else { return };
        let wanted = segment.last > wish.after && wish.until.is_none_or(|until| segment.first <= until);
        if !wanted || !may_have {
            wish.unsure |= wanted && room.is_for(key, segment.stamp);
            return;
        }
        let author = segment.author;
        let sealed =
            Sealed { stamp: segment.stamp, first: segment.first, last: segment.last, frame: segment.frame.clone() };
        let frame = if author == self.me { room.own.cancelled.frame_for(key, &sealed) } else { Some(sealed.frame) };
        let Some(frame) = frame else { return };
        // The frame without its length and its kind.
        let batch = ByteBuf::from(&frame[HEADER + 1..]);
        if author != self.me && !frame::unpack::<Batch>(&batch).is_ok_and(|batch| batch.is_whole()) {
            // What its author has withheld from this peer is for the author alone to give.
            wish.unsure = true;
            return;
        }
        let leaves_out = segment.first > wish.after + 1;
        wish.after = segment.last;
        if leaves_out {
            let skip = Skip { room: name.clone(), author: Some(author), next: segment.first, hash: None };
            self.send(id, PeerFrame::from(skip).encode());
        }
        self.send(id, PeerFrame::from(Passed { author, name: segment.name, batch }).encode());
    }

    /// Where nothing more of a log is for the other side, it is told where the log ends, so that the two compare
    /// alike from then on. Where that is not sure it goes on looking, for somebody who knows.
    fn tell_ends(&mut self, id: LinkId, name: &RoomName) {
        let Some(room) = self.rooms.get(name) else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        let Some(feed) = link.feeds.get_mut(name) else { return };
        let mut ends = Vec::new();
        for (author, wish) in feed.logs.iter_mut().filter(|(_, wish)| !wish.unsure) {
            // What is not held here may be for the other side.
            let held = room.logs.get(author).and_then(|log| log.held_after(wish.after));
            let head = if *author == self.me { Some(room.own.head) } else { held };
            if let Some(head) = head.filter(|head| head.number > wish.after && head.number != wish.told) {
                wish.told = head.number;
                let (next, hash) = (head.number.saturating_add(1), Some(ByteArray::new(head.hash)));
                ends.push(Skip { room: name.clone(), author: Some(*author), next, hash });
            }
        }
        for skip in ends {
            self.send(id, PeerFrame::from(skip).encode());
        }
    }

    /// Something of a log has been kept: who follows it is passed it on.
    pub(super) fn feeders_of(&mut self, name: &RoomName, author: &Key) {
        for id in self.links.feeding() {
            let Some(link) = self.links.get_mut(id) else { continue };
            let Some(feed) = link.feeds.get_mut(name).filter(|feed| feed.logs.contains_key(author)) else { continue };
            feed.more = true;
            self.feed(id);
        }
    }

    /// A room's table is another: what waited for it is passed on.
    pub(super) fn feed_again(&mut self, name: &RoomName) {
        for id in self.links.feeding() {
            if let Some(feed) = self.links.get_mut(id).and_then(|link| link.feeds.get_mut(name)) {
                feed.more = true;
                self.feed(id);
            }
        }
    }

    /// A link to somebody has come or gone: who follows their logs here is told.
    pub(super) fn tell_all_near(&mut self, author: &Key) {
        for id in self.links.feeding() {
            let Some(link) = self.links.get(id) else { continue };
            let key = link.key;
            let follows = link.feeds.iter().filter(|(_, feed)| feed.logs.contains_key(author));
            let rooms: Vec<RoomName> = follows.map(|(name, _)| name.clone()).collect();
            for name in rooms {
                self.tell_near(id, &name, *author);
                self.ask_receipt(&name, author, key);
            }
        }
    }

    /// Asks somebody with a link for its receipt for the log of another, who follows its own: the two cannot reach each
    /// other.
    fn ask_receipt(&mut self, name: &RoomName, author: &Key, of: Key) {
        if let Some(link) = self.people.get(author).and_then(|person| person.link) {
            self.send(link, PeerFrame::from(Tell { room: name.clone(), author: of }).encode());
        }
    }

    fn tell_near(&mut self, id: LinkId, name: &RoomName, author: Key) {
        let linked = author == self.me || self.people.get(&author).is_some_and(|person| person.link.is_some());
        self.send(id, PeerFrame::from(Near { room: name.clone(), author, linked }).encode());
    }
}
