//! Which files are shared in each room, and by whom.
//!
//! A member shares a file by a message of its log, as it says everything else: so it works between two, and while the
//! tracker is away, and reaches who was away itself. In a tracker's room it is put on the list in the room's table too,
//! for those who join later and are not shown the message. The room's list is both together, of those who are members.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, MessageId, RoomName,
    content::{Content, Kind},
    file::{FileInfo, Offer, Root},
    limits,
    message::{Batch, Message},
    table::{Member, Shared, Table},
    wire::control::{Exit, Refusal},
};

use super::{Core, Now, Output, Row, answers::not_in, delivery::Unsaid, requests::What};

/// Requests about lists that wait for the tracker's answer at once.
const UNDER_WAY: usize = 4;

/// A member's word, by a message of its log, that it shares a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offered {
    /// Where.
    pub room: RoomName,
    /// Who.
    pub author: Key,
    /// The number of the message.
    pub number: u64,
    /// What; `None` if it was taken back before it came.
    pub file: Option<FileInfo>,
    /// When it was said, in milliseconds since 1970, by the author's clock.
    pub at: u64,
    /// The message's cursor: what came first has the lower one.
    pub cursor: u64,
}

/// A file on a room's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// What it is.
    pub file: FileInfo,
    /// Who shares it: at least one.
    pub by: BTreeSet<Key>,
    /// When it was shared first, in milliseconds since 1970, by the clock of who did.
    pub at: u64,
}

/// What members have said of files, and what of it the tracker is still to be told.
#[derive(Default)]
pub struct Offers {
    /// By room, author and number. At most [`limits::FILES_PER_MEMBER`] an author and [`limits::FILES`] a room.
    said: BTreeMap<RoomName, BTreeMap<(Key, u64), Offered>>,
    /// What tables list without the word of the member: not on the list.
    unproven: BTreeSet<(RoomName, Key, Root)>,
    /// Rooms in which the table may not list what this peer shares.
    unsettled: BTreeSet<RoomName>,
    /// What the tracker does not do: it is not asked again as long as nothing changes.
    refused: BTreeSet<(RoomName, Root)>,
}

impl Offers {
    /// What was kept.
    pub fn new(offered: Vec<Offered>) -> Offers {
        let mut offers = Offers::default();
        for offered in offered {
            offers.add(offered, |_| true);
        }
        offers
    }

    /// Adds one. Returns the one that makes room for it, if need be: the oldest of whoever has shared the most, of those
    /// who are no members before others.
    fn add(&mut self, offered: Offered, is_member: impl Fn(&Key) -> bool) -> Option<(Key, u64)> {
        let said = self.said.entry(offered.room.clone()).or_default();
        let author = offered.author;
        said.insert((author, offered.number), offered);
        let from = if of(said, &author).count() > limits::FILES_PER_MEMBER {
            author
        } else if said.len() > limits::FILES {
            let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
            said.keys().for_each(|(author, _)| *counts.entry(*author).or_default() += 1);
            counts.into_iter().max_by_key(|(author, count)| (!is_member(author), *count))?.0
        } else {
            return None;
        };
        let gone = (from, of(said, &from).next()?.number);
        said.remove(&gone);
        Some(gone)
    }

    fn of_room(&self, room: &RoomName) -> impl Iterator<Item = &Offered> {
        self.said.get(room).into_iter().flat_map(BTreeMap::values)
    }

    /// Whether a message shares a file that is not taken back.
    pub fn is_offer(&self, room: &RoomName, author: &Key, number: u64) -> bool {
        let said = self.said.get(room).and_then(|said| said.get(&(*author, number)));
        said.is_some_and(|offered| offered.file.is_some())
    }

    /// What one member shares in a room, in the order of its messages.
    fn by(&self, room: &RoomName, author: &Key) -> impl Iterator<Item = (&Offered, &FileInfo)> + use<'_> {
        let author = *author;
        let said = self.said.get(room).into_iter().flat_map(move |said| of(said, &author));
        said.filter_map(|offered| Some((offered, offered.file.as_ref()?)))
    }
}

fn of<'a>(said: &'a BTreeMap<(Key, u64), Offered>, author: &Key) -> impl Iterator<Item = &'a Offered> + use<'a> {
    said.range((*author, 0)..=(*author, u64::MAX)).map(|(_, offered)| offered)
}

impl Core {
    /// The files shared in a room. Where two say different things of the same root, one of which must be wrong, what
    /// this peer has said counts, or else what came first.
    pub fn list(&self, room: &RoomName) -> BTreeMap<Root, Listed> {
        let Some(held) = self.rooms.get(room).filter(|room| room.joined) else { return BTreeMap::new() };
        let mut words: Vec<_> = self
            .offers
            .of_room(room)
            .filter(|offered| held.table.member(&offered.author).is_some())
            .filter_map(|offered| Some((offered, offered.file.as_ref()?)))
            .map(|(said, file)| ((said.author != self.me, said.cursor), said.author, file, said.at))
            .collect();
        words.sort_by_key(|(rank, ..)| *rank);
        let proven = held.table.files().filter(|(member, offer)| self.is_proven(room, member, offer));
        let tabled = proven.map(|(member, offer)| ((true, 0), member.key, &offer.file, offer.at.saturating_mul(1_000)));
        let mut list: BTreeMap<Root, Listed> = BTreeMap::new();
        for (_, key, file, at) in words.into_iter().chain(tabled) {
            let listed =
                list.entry(file.root).or_insert_with(|| Listed { file: file.clone(), by: BTreeSet::new(), at });
            if (listed.file.size, listed.file.head) == (file.size, file.head) && listed.by.insert(key) {
                listed.at = listed.at.min(at);
            }
        }
        list
    }

    /// Shares a file in a room, in the place of what this peer has said of it before. It is on the list once the message
    /// is said.
    pub(super) fn offer(&mut self, room: &RoomName, file: FileInfo, now: Now) -> Result<(), Refusal> {
        let refused = |why| Err(Refusal::new(Exit::Refused, why));
        if self.rooms.get(room).is_none_or(|room| !room.joined) {
            return Err(not_in(room));
        }
        let title = self.title(room);
        if let Err(bad) = file.check() {
            return refused(format!("{} cannot be shared: {bad}", common::wire::printable(&file.name)));
        }
        let own: Vec<(u64, &FileInfo)> =
            self.offers.by(room, &self.me).map(|(said, file)| (said.number, file)).collect();
        let waiting = self.unsaid.get(room).into_iter().flatten().filter_map(|unsaid| unsaid.message.file.as_ref());
        if own.iter().map(|(_, file)| *file).chain(waiting.clone()).any(|said| *said == file) {
            return Ok(());
        }
        let former: Vec<u64> =
            own.iter().filter(|(_, said)| said.root == file.root).map(|(number, _)| *number).collect();
        let (most, all) = (limits::FILES_PER_MEMBER, limits::FILES);
        if former.is_empty() && own.len() + waiting.count() >= most {
            return refused(format!("you share {most} files in {title}, as many as one may; one less: peer unshare"));
        }
        let shared: usize = self.list(room).values().map(|listed| listed.by.len()).sum();
        if former.is_empty() && shared >= all {
            return refused(format!(
                "{all} files are shared in {title}, as many as may be: somebody has to unshare one"
            ));
        }
        self.say_unasked(room, Content::file(file), now);
        former.into_iter().for_each(|number| self.take_offer_back(room, number, now));
        Ok(())
    }

    /// Shares a file in a room no more.
    pub(super) fn withdraw(&mut self, room: &RoomName, root: &Root, now: Now) -> Result<(), Refusal> {
        let waiting = self.unsaid.get_mut(room);
        let unsaid = waiting.is_some_and(|waiting| {
            let before = waiting.len();
            waiting.retain(|unsaid| unsaid.message.file.as_ref().is_none_or(|file| file.root != *root));
            waiting.len() < before
        });
        if unsaid && self.unsaid.get(room).is_some_and(|waiting| waiting.is_empty()) {
            self.unsaid.remove(room);
        }
        let own = self.offers.by(room, &self.me).filter(|(_, file)| file.root == *root);
        let numbers: Vec<u64> = own.map(|(said, _)| said.number).collect();
        if numbers.is_empty() && !unsaid {
            let why =
                format!("you share no such file in {room}; what is shared: peer files {room}", room = self.title(room));
            return Err(Refusal::new(Exit::Refused, why));
        }
        numbers.into_iter().for_each(|number| self.take_offer_back(room, number, now));
        Ok(())
    }

    fn take_offer_back(&mut self, room: &RoomName, number: u64, now: Now) {
        let id = MessageId { room: room.clone(), author: self.me.short(), number };
        self.say_unasked(room, Content::delete(&id), now);
    }

    /// Says something that this peer decides to say by itself.
    fn say_unasked(&mut self, room: &RoomName, content: Content, now: Now) {
        let unsaid = Unsaid { ask: None, message: Message::of(now.wall, content) };
        self.unsaid.entry(room.clone()).or_default().push_back(unsaid);
    }

    /// Looks through a batch that is kept now for what it says of files. `cursor` is that of its first message.
    pub(super) fn heard_of_files(&mut self, author: Key, batch: &Batch, cursor: u64) {
        for (number, message) in batch.of_kind(|kind| matches!(kind, Kind::File | Kind::Delete)) {
            let cursor = cursor + (number - batch.first);
            self.hear_of_file(&batch.room, author, number, message, cursor);
        }
    }

    /// Takes in what a message that is kept now says of files.
    pub(super) fn hear_of_file(&mut self, room: &RoomName, author: Key, number: u64, message: Message, cursor: u64) {
        let at = message.sent;
        let offered = |number, file| Offered { room: room.clone(), author, number, file, at, cursor };
        let said = self.offers.said.get(room);
        match (message.does(&author, number), message.about, message.file) {
            (Kind::File, _, Some(file)) => {
                // Taken back before it came.
                if said.is_some_and(|said| said.contains_key(&(author, number))) {
                    return self.forget_offer(room, author, number);
                }
                self.keep_offer(offered(number, Some(file)));
            }
            (Kind::Delete, Some(about), _) => {
                let is_said = said.is_some_and(|said| said.contains_key(&(author, about.number)));
                let log = self.rooms.get(room).and_then(|room| room.logs.get(&author));
                if is_said {
                    self.forget_offer(room, author, about.number);
                } else if log.is_some_and(|log| !log.settled(about.number)) {
                    self.keep_offer(offered(about.number, None));
                }
            }
            _ => {}
        }
    }

    fn keep_offer(&mut self, offered: Offered) {
        let room = offered.room.clone();
        self.out.push(Output::Keep(Row::Offered(offered.clone())));
        let table = self.rooms.get(&room).map(|room| &room.table);
        let is_member = |key: &Key| table.is_some_and(|table| table.member(key).is_some());
        if let Some((author, number)) = self.offers.add(offered, is_member) {
            self.out.push(Output::Keep(Row::Unoffered(room.clone(), author, number)));
        }
        self.list_changed(&room);
    }

    fn forget_offer(&mut self, room: &RoomName, author: Key, number: u64) {
        if let Some(said) = self.offers.said.get_mut(room) {
            said.remove(&(author, number));
        }
        self.out.push(Output::Keep(Row::Unoffered(room.clone(), author, number)));
        self.list_changed(room);
        if author == self.me {
            self.ask_lists_again(Some(room));
        }
    }

    /// Whether a table's entry is the word of the member.
    fn is_proven(&self, room: &RoomName, member: &Member, offer: &Offer) -> bool {
        self.offers.unproven.is_empty() || !self.offers.unproven.contains(&(room.clone(), member.key, offer.file.root))
    }

    /// Notes whether what a table says of a file is the word of the member. Returns whether it is.
    pub(super) fn prove(&mut self, room: &RoomName, member: &Key, offer: &Offer) -> bool {
        let place = (room.clone(), *member, offer.file.root);
        let proven = offer.verify(member, room);
        match proven {
            true => self.offers.unproven.remove(&place),
            false => self.offers.unproven.insert(place),
        };
        proven
    }

    /// Notes which files of a table that has taken the place of `old` are the words of their members. Returns those
    /// that are.
    pub(super) fn prove_all(&mut self, room: &RoomName, old: &Table) -> Vec<Shared> {
        let Some(held) = self.rooms.get(room) else { return Vec::new() };
        let files: Vec<(Member, Offer)> = held.table.files().map(|(of, offer)| (of.clone(), offer.clone())).collect();
        let was = |member: &Member, offer: &Offer| {
            old.member(&member.key).is_some_and(|was| old.offer(was.slot, &offer.file.root) == Some(offer))
                && self.is_proven(room, member, offer)
        };
        let fresh: Vec<bool> = files.iter().map(|(member, offer)| !was(member, offer)).collect();
        self.unprove(room, |_, _| true);
        let proven = files.into_iter().zip(fresh);
        proven
            .filter(|((member, offer), fresh)| !fresh || self.prove(room, &member.key, offer))
            .map(|((member, offer), _)| Shared { slot: member.slot, offer })
            .collect()
    }

    /// Those that a table does not list any more need no proof.
    pub(super) fn unprove(&mut self, room: &RoomName, gone: impl Fn(&Key, &Root) -> bool) {
        self.offers.unproven.retain(|(of, key, root)| of != room || !gone(key, root));
    }

    /// The list of a room may be another one now.
    pub(super) fn list_changed(&mut self, room: &RoomName) {
        self.lists_changed.insert(room.clone());
        self.offers.unsettled.insert(room.clone());
    }

    /// The tracker is back, or something is gone from a room's list: what was refused before may be done now.
    pub(super) fn ask_lists_again(&mut self, room: Option<&RoomName>) {
        self.offers.refused.retain(|(of, _)| room.is_some_and(|room| room != of));
        let rooms: Vec<RoomName> = match room {
            Some(room) => vec![room.clone()],
            None => self.rooms.iter().filter(|(_, room)| room.joined).map(|(name, _)| name.clone()).collect(),
        };
        self.offers.unsettled.extend(rooms);
    }

    /// The tracker does not do what it was asked for.
    pub(super) fn list_refused(&mut self, room: &RoomName, root: &Root) {
        self.offers.refused.insert((room.clone(), *root));
    }

    /// The tracker has done what it was asked for, and has pushed it: that this be said of a file. There may be more to ask
    /// by now.
    pub(super) fn list_answered(&mut self, room: &RoomName, root: &Root, asked: Option<&Offer>) {
        let table = self.rooms.get(room).map(|room| &room.table);
        let listed = table.and_then(|table| table.offer(table.member(&self.me)?.slot, root));
        if listed.map(|offer| &offer.file) != asked.map(|offer| &offer.file) {
            // It says so, and it is not so.
            self.list_refused(room, root);
        }
        self.offers.unsettled.insert(room.clone());
    }

    /// Sees to it that the tables list what this peer shares, and nothing else as shared by it: a few requests at a time.
    pub(super) fn settle_lists(&mut self, now: Now) {
        if !self.tracker.keeps_lists() {
            // At the next welcome all rooms are looked at.
            return self.offers.unsettled.clear();
        }
        while let Some(room) = self.offers.unsettled.first().cloned() {
            let space = UNDER_WAY.saturating_sub(self.tracker.requests.about_lists());
            let asked = self.unlisted(&room, space);
            let more = asked.len() == space;
            asked.into_iter().for_each(|what| self.request(what, now));
            if more {
                // The next answer brings the rest.
                return;
            }
            self.offers.unsettled.remove(&room);
        }
    }

    /// What is to be asked of the tracker so that the table of a room lists what this peer shares, at most `most` of it.
    fn unlisted(&self, name: &RoomName, most: usize) -> Vec<What> {
        let room =
            self.rooms.get(name).filter(|room| room.joined && name.is_plain() && !self.tracker.is_rejoining(name));
        let Some((room, me)) = room.and_then(|room| Some((room, room.table.member(&self.me)?))) else {
            return Vec::new();
        };
        let shared: BTreeMap<Root, (&FileInfo, u64)> =
            self.offers.by(name, &self.me).map(|(said, file)| (file.root, (file, said.at / 1_000))).collect();
        let asks = |root: &Root| {
            !self.offers.refused.contains(&(name.clone(), *root)) && !self.tracker.requests.is_asked(name, root)
        };
        let gone = room.table.files_of(me.slot).map(|offer| offer.file.root).filter(|root| !shared.contains_key(root));
        let listed = |root: &Root| room.table.offer(me.slot, root).map(|offer| &offer.file);
        let new = shared.iter().filter(|(root, (file, _))| listed(root) != Some(*file));
        let unshare = gone.filter(asks).map(|root| What::Unshare(name.clone(), root));
        let share = new.filter(|(root, _)| asks(root)).map(|(_, (file, at))| {
            let offer = Offer::sign(&self.identity, name, (*file).clone(), *at);
            What::Share(name.clone(), Box::new(offer))
        });
        unshare.chain(share).take(most).collect()
    }
}

#[cfg(test)]
#[path = "offers_tests.rs"]
mod tests;
