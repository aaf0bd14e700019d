//! Files within the whole core: who is linked, what is listed, what the user asks.

use std::collections::BTreeSet;

use common::{
    AccountName, Key, RoomName,
    file::{FileInfo, Root},
    frame::Frame,
    wire::{
        control::{
            MemberChange, Refusal,
            files::{AnswerFiles, AskFiles, FileLine, FileShown, Here, NamedFile, Transfer},
        },
        peer::PeerFrame,
    },
};

use super::{FileInput, OnList, Outcome, refused};
use crate::core::{
    AskId, Core, LinkId, Now, Output, Row, Shown, answers::not_in, command::Answer, news::News, offers::Listed,
};

impl Core {
    /// The shell says something about files.
    pub(in crate::core) fn file_input(&mut self, input: FileInput, now: Now) {
        // Whoever is out of a room by now is served nothing of it.
        self.lists_to_files(now);
        self.files.handle(input, now.at);
    }

    /// A link counts from now on.
    pub(in crate::core) fn files_linked(&mut self, link: LinkId, key: Key) {
        let rooms = self.people.get(&key).map(|person| person.rooms.clone()).unwrap_or_default();
        self.files.link_up(link, key, rooms);
    }

    /// A peer says something about files.
    pub(in crate::core) fn files_say(&mut self, link: LinkId, frame: PeerFrame, now: Now) {
        self.lists_to_files(now);
        match frame {
            PeerFrame::Holds(holds) => self.files.holds(link, holds),
            PeerFrame::Watch(watch) => self.files.watch(link, watch),
            PeerFrame::Has(has) => self.files.has(link, has),
            _ => {}
        }
    }

    fn lists_to_files(&mut self, now: Now) {
        while let Some(room) = self.lists_changed.pop_first() {
            if !self.rooms.get(&room).is_some_and(|held| held.joined) {
                self.files.left(&room, now.at);
                continue;
            }
            let entry = |file, by: BTreeSet<Key>| OnList { file, own: by.contains(&self.me) };
            let list = self.list(&room).into_iter().map(|(root, listed)| (root, entry(listed.file, listed.by)));
            let list = list.collect();
            self.files.listed(room, list, now.at);
        }
    }

    /// Carries out what is to be done about files.
    pub(in crate::core) fn files_due(&mut self, now: Now) {
        self.lists_to_files(now);
        for outcome in self.files.flush(now.at) {
            match outcome {
                Outcome::Do(output) => self.out.push(Output::File(output)),
                Outcome::Tell(link, frame) => self.send(link, frame.encode()),
                Outcome::Keep(kept) => self.out.push(Output::Keep(Row::File(kept))),
                Outcome::Unkeep(root) => self.out.push(Output::Keep(Row::Unfile(root))),
                Outcome::Begun(ask, id) => {
                    let reply = self.transfer(id).map(|transfer| AnswerFiles::Transfer(Box::new(transfer)));
                    self.reply(ask, reply.map(Answer::Files));
                }
                Outcome::Refused(ask, refusal) => self.reply(ask, Err(refusal)),
                Outcome::Offer(ask, room, files) => {
                    let reply = self.offer_all(&room, files, now).map(AnswerFiles::Files);
                    self.reply(ask, reply.map(Answer::Files));
                }
                Outcome::Show(id) => {
                    if let Some(transfer) = self.files.transfer(id, now.at, |key| self.trust.shown(key)) {
                        self.out.push(Output::Show(Shown::Transfer(transfer)));
                    }
                }
                Outcome::Accuse(link, room, what) => self.accuse_in(link, &room, &what),
            }
        }
    }

    /// Shares files that have been hashed, all of them or none.
    fn offer_all(&mut self, room: &RoomName, files: Vec<FileInfo>, now: Now) -> Result<Vec<FileLine>, Refusal> {
        // What is shared already stays so, whatever becomes of the others.
        let fresh: Vec<Root> = files.iter().map(|file| file.root).filter(|root| !self.offers_own(room, root)).collect();
        let mut lines = Vec::new();
        for (index, file) in files.iter().enumerate() {
            if let Err(refusal) = self.offer(room, file.clone(), now) {
                for offered in files[..index].iter().filter(|offered| fresh.contains(&offered.root)) {
                    // It is known to be there, since it was offered just now.
                    let _ = self.withdraw(room, &offered.root, now);
                }
                fresh.into_iter().for_each(|root| self.files.drop_own(root, now.at));
                return Err(refusal);
            }
            lines.push(self.file_line(room, file, [self.me], now.wall));
        }
        Ok(lines)
    }

    /// Whether this peer shares a file in a room, or is about to say so.
    fn offers_own(&self, room: &RoomName, root: &Root) -> bool {
        let mut waiting = self.unsaid.get(room).into_iter().flatten().filter_map(|unsaid| unsaid.message.file.as_ref());
        waiting.any(|file| file.root == *root)
            || self.list(room).get(root).is_some_and(|listed| listed.by.contains(&self.me))
    }

    /// Notes that somebody has sent what is not in a file.
    fn accuse_in(&mut self, link: LinkId, room: &RoomName, what: &str) {
        let Some(key) = self.links.get(link).map(|link| link.key) else { return };
        let Some(name) = self.people.get(&key).map(|person| person.name.clone()) else { return };
        self.tell_of(room, News::new(name, MemberChange::Offends).detail(common::wire::printable(what)));
    }

    /// Answers the user.
    pub(in crate::core) fn ask_files(&mut self, id: AskId, ask: AskFiles, now: Now) {
        self.lists_to_files(now);
        let reply = match ask {
            AskFiles::Share(share) => match self.joined(&share.room).map(|(name, _)| name.clone()) {
                None => Err(self.not_in(&share.room)),
                Some(room) => match self.files.share(id, room, share.paths) {
                    Ok(()) => return,
                    Err(refusal) => Err(refusal),
                },
            },
            AskFiles::Get(mut get) => match self.joined(&get.room).map(|(name, _)| name.clone()) {
                None => Err(self.not_in(&get.room)),
                Some(room) => {
                    get.room = room;
                    return self.files.get(id, get);
                }
            },
            AskFiles::Unshare(named) => self.unshare(&named, now).map(|()| AnswerFiles::Done {}),
            AskFiles::Files(of) => self.file_lines(&of.room).map(AnswerFiles::Files),
            AskFiles::Transfers {} => {
                let all = self.files.transfers().into_iter().filter_map(|id| self.transfer(id).ok());
                Ok(AnswerFiles::Transfers(all.collect()))
            }
            AskFiles::Transfer(of) => self.one_transfer(of.id),
            AskFiles::Pause(of) => self.files.pause(of.id, now.at).and_then(|()| self.one_transfer(of.id)),
            AskFiles::Resume(of) => self.files.resume(of.id, now.at).and_then(|()| self.one_transfer(of.id)),
            AskFiles::CancelTransfer(of) => self.files.cancel(of.id, now.at).and_then(|()| self.one_transfer(of.id)),
            AskFiles::Limit(limits) => Ok(AnswerFiles::Limits(self.files.limit(limits))),
        };
        self.reply(id, reply.map(Answer::Files));
    }

    fn one_transfer(&self, id: u64) -> Result<AnswerFiles, Refusal> {
        self.transfer(id).map(|transfer| AnswerFiles::Transfer(Box::new(transfer)))
    }

    /// A transfer as the user sees it.
    fn transfer(&self, id: u64) -> Result<Transfer, Refusal> {
        let transfer = self.files.transfer(id, self.clock.at, |key| self.trust.shown(key));
        let transfer = transfer.ok_or_else(|| refused(format!("there is no transfer {id}; see: peer transfers")))?;
        Ok(Transfer { room: self.title(&transfer.room), ..transfer })
    }

    fn unshare(&mut self, named: &NamedFile, now: Now) -> Result<(), Refusal> {
        let room = self.joined(&named.room).map(|(name, _)| name.clone()).ok_or_else(|| not_in(&named.room))?;
        let root = self.files.find_own(&room, &named.file)?;
        self.withdraw(&room, &root, now)
    }

    fn file_lines(&self, room: &RoomName) -> Result<Vec<FileLine>, Refusal> {
        let (room, _) = self.joined(room).ok_or_else(|| self.not_in(room))?;
        let line = |listed: Listed| self.file_line(room, &listed.file, listed.by, listed.at);
        let mut lines: Vec<FileLine> = self.list(room).into_values().map(line).collect();
        lines.sort_by(|a, b| (a.at, &a.file.name).cmp(&(b.at, &b.file.name)));
        Ok(lines)
    }

    fn file_line(&self, room: &RoomName, file: &FileInfo, by: impl IntoIterator<Item = Key>, at: u64) -> FileLine {
        let name = |key: Key| -> Option<AccountName> {
            if key == self.me {
                return Some(self.name.clone());
            }
            let member = self.rooms.get(room).and_then(|held| held.table.member(&key));
            member.map(|member| member.name.clone()).or_else(|| self.trust.shown(&key))
        };
        let (here, path) = self.files.here(&file.root);
        let (whole, part) = self.files.holders(room, &file.root);
        FileLine {
            room: self.title(room),
            file: FileShown::from(file),
            from: by.into_iter().filter_map(name).collect(),
            at,
            whole: whole + u32::from(here == Here::Whole),
            part,
            here,
            path,
        }
    }
}
