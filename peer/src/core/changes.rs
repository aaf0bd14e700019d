//! One change of a room's table, or the difference of two tables: what follows from it here, and what the user is
//! told.

use std::collections::BTreeSet;

use common::{
    AccountName, Key, RoomName, Version,
    fault::{self, Fault},
    table::{Change, Departure, History, Member, Misfit, Settings, Shared, Step, Table},
    wire::control::MemberChange,
};

use super::{
    Core, Now, Output, Row,
    news::News,
    room::{Gap, Room, Span},
};

impl Core {
    /// Applies one change. `next` is the one that came right behind it.
    pub(super) fn apply_change(
        &mut self,
        name: &RoomName,
        change: &Change,
        next: Option<&Change>,
        fresh: &mut BTreeSet<Key>,
        now: Now,
    ) -> Result<(), Misfit> {
        let Some(room) = self.rooms.get_mut(name) else { return Ok(()) };
        // Whoever did it may be gone after it.
        let by = change.by.and_then(|slot| room.table.at(slot)).map(|member| member.name.clone());
        match &change.step {
            Step::Put(member) => {
                let former = room.table.member(&member.key).cloned();
                room.table.apply(change)?;
                let rekeyed = room.is_rekeyed(member);
                self.out.push(Output::Keep(Row::Put(name.clone(), member.clone())));
                self.meet(member.key, &member.name, Some(name));
                match former {
                    Some(former) => self.told_anew(name, &former, member, |news| news.by(by.clone()).at(change.at)),
                    None if member.key != self.me && self.people.shares(member.key, &member.name, name) => {
                        fresh.insert(member.key);
                        if !rekeyed {
                            let news = News::new(member.name.clone(), MemberChange::Joined);
                            self.tell_of(name, news.by(by).at(change.at));
                        }
                        self.newly_shared(member.key, name, now);
                    }
                    None => {}
                }
                self.list_changed(name);
            }
            Step::Gone { slot, why } => {
                let member = room.table.at(*slot).cloned();
                let from = room.table.version();
                room.table.apply(change)?;
                let version = room.table.version();
                let Some(member) = member else { return Ok(()) };
                let by = if fault::on(Fault::RemoverMisnamed) { Some(member.name.clone()) } else { by };
                let span = Span {
                    key: member.key,
                    name: member.name.clone(),
                    from: Version { epoch: from.epoch, number: member.since },
                    until: version,
                    why: Some(*why),
                };
                let span = room.ended(span);
                self.out.push(Output::Keep(Row::Free(name.clone(), *slot)));
                self.out.push(Output::Keep(Row::Span(name.clone(), span)));
                let mut news = News::new(member.name.clone(), word(*why)).by(by).at(change.at).version(version);
                if let (Departure::Rekeyed, Some(key)) = (why, successor(&member, next)) {
                    news = news.detail(key.short().to_string());
                }
                if member.key == self.me {
                    self.drop_room(name, news);
                } else {
                    self.tell_of(name, news);
                    self.no_longer_shared(&member.key, name);
                }
                self.unprove(name, |key, _| *key == member.key);
                self.list_changed(name);
                self.ask_lists_again(Some(name));
            }
            Step::Share(shared @ Shared { slot, offer }) => {
                room.table.apply(change)?;
                let by = room.table.at(*slot).map(|member| member.key);
                // What nobody has said is not kept: the next start finds another table than the tracker has, and asks
                // for it anew.
                let row = match by.is_some_and(|by| self.prove(name, &by, offer)) {
                    true => Row::Listed(name.clone(), shared.clone()),
                    false => Row::Unlisted(name.clone(), *slot, offer.file.root),
                };
                self.out.push(Output::Keep(row));
                self.list_changed(name);
            }
            Step::Unshare { slot, root } => {
                room.table.apply(change)?;
                let by = room.table.at(*slot).map(|member| member.key);
                self.out.push(Output::Keep(Row::Unlisted(name.clone(), *slot, *root)));
                self.unprove(name, |key, file| Some(*key) == by && file == root);
                self.list_changed(name);
                self.ask_lists_again(Some(name));
            }
            Step::Set(settings) => {
                let former = room.table.settings().clone();
                room.table.apply(change)?;
                self.told_settings(name, &former, settings, by, Some(change.at));
            }
        }
        Ok(())
    }

    /// A member has another name or role than before.
    fn told_anew(&mut self, room: &RoomName, former: &Member, member: &Member, how: impl Fn(News) -> News) {
        if former.name != member.name {
            if member.key == self.me {
                self.name = member.name.clone();
            } else {
                self.people.shares(member.key, &member.name, room);
            }
            let news = News::new(member.name.clone(), MemberChange::Renamed).detail(former.name.as_str());
            self.tell_of(room, how(news));
        }
        if former.role != member.role {
            let news = News::new(member.name.clone(), MemberChange::Role).detail(member.role.as_str());
            self.tell_of(room, how(news));
        }
    }

    /// A room has other settings than before. `by` is who made them, if that is known.
    fn told_settings(
        &mut self,
        room: &RoomName,
        former: &Settings,
        settings: &Settings,
        by: Option<AccountName>,
        at: Option<u64>,
    ) {
        if former.topic != settings.topic {
            let name = by.clone().unwrap_or_else(|| self.name.clone());
            let news = News::new(name, MemberChange::Topic).by(by).detail(settings.topic.as_str());
            self.tell_of(room, if let Some(at) = at { news.at(at) } else { news });
        }
    }

    /// Puts a new table in the place of the old one, and tells what is different where the two are of one epoch.
    pub(super) fn replace(&mut self, name: &RoomName, table: Table) {
        let me = self.me;
        let asked_for = self.tracker.requests.will_join(name);
        let room = self.rooms.entry(name.clone()).or_insert_with(|| Room::new(name, &me));
        let old = std::mem::replace(&mut room.table, table);
        let was_joined = std::mem::replace(&mut room.joined, true);
        let (version, settings) = (room.table.version(), room.table.settings().clone());
        if room.table.history() == History::All && room.note_open(version.epoch) {
            self.out.push(Output::Keep(Row::Open(name.clone(), version.epoch)));
        }
        let same_epoch = was_joined && old.version().epoch == version.epoch;
        if was_joined && !same_epoch {
            room.lost = old.members().map(|member| (member.key, member.role)).collect();
        }
        let gone: Vec<Member> = old
            .members()
            .filter(|m| !same_epoch || room.table.member(&m.key).is_none_or(|new| new.since != m.since))
            .cloned()
            .collect();
        let spans: Vec<Span> = gone
            .iter()
            .map(|m| Span {
                key: m.key,
                name: m.name.clone(),
                from: Version { epoch: old.version().epoch, number: m.since },
                // When exactly it left has not been seen: what it said until then is taken for true.
                until: if same_epoch { version } else { Version { number: u64::MAX, ..old.version() } },
                why: None,
            })
            .map(|span| room.ended(span))
            .collect();
        // Who joins is a member before it is told, and what is said meanwhile is for it.
        let joined = room.table.member(&me).map_or(version.number, |member| member.since);
        let after = match was_joined {
            true => old.version(),
            false => Version { number: joined.saturating_sub(1), ..version },
        };
        if after.next() != version {
            let gap = Gap { after, until: version };
            room.skipped(gap);
            self.out.push(Output::Keep(Row::Gap(name.clone(), gap)));
        }
        let members: Vec<Member> = room.table.members().cloned().collect();
        self.out.push(Output::Keep(Row::Clear(name.clone())));
        self.out.extend(members.iter().map(|m| Output::Keep(Row::Put(name.clone(), m.clone()))));
        let files = self.prove_all(name, &old);
        self.out.extend(files.into_iter().map(|shared| Output::Keep(Row::Listed(name.clone(), shared))));
        self.list_changed(name);
        self.ask_lists_again(Some(name));
        self.out.extend(spans.into_iter().map(|span| Output::Keep(Row::Span(name.clone(), span))));
        self.keep_room(name);
        if !was_joined {
            let news = News::new(self.name.clone(), MemberChange::Joined);
            self.tell_of(name, if asked_for { news } else { news.detail("let in") });
        }
        for member in gone.iter().filter(|m| m.key != me) {
            if !members.iter().any(|m| m.key == member.key) {
                if same_epoch {
                    self.event(name, member.name.clone(), MemberChange::Left);
                }
                self.no_longer_shared(&member.key, name);
            }
        }
        if was_joined {
            for member in &members {
                match old.member(&member.key) {
                    Some(former) => self.told_anew(name, former, member, |news| news),
                    None if member.key != me => self.event(name, member.name.clone(), MemberChange::Joined),
                    None => {}
                }
            }
            self.told_settings(name, old.settings(), &settings, None, None);
        }
    }

    /// Keeps where a room's table stands, and what the room is like.
    pub(super) fn keep_room(&mut self, name: &RoomName) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        room.refused = false;
        let (version, settings) = (room.table.version(), room.table.settings().clone());
        self.out.push(Output::Keep(Row::Room { room: name.clone(), version, joined: room.joined, settings }));
    }

    /// This peer is not a member of a room any more, which is told so, with what of its own has not got to everybody.
    /// Its logs stay.
    pub(super) fn drop_room(&mut self, name: &RoomName, news: News) {
        let Some(room) = self.rooms.get_mut(name).filter(|room| room.joined) else { return };
        let undelivered = room.undelivered_numbers(&self.me);
        self.tracker.asked.remove(&name.fold());
        room.joined = false;
        let version = room.table.version();
        let members: Vec<Member> = room.table.members().cloned().collect();
        let spans: Vec<Span> = members
            .iter()
            .map(|m| Span {
                key: m.key,
                name: m.name.clone(),
                from: Version { epoch: version.epoch, number: m.since },
                until: version.next(),
                why: None,
            })
            .map(|span| room.ended(span))
            .collect();
        room.table = Table::default();
        room.lost.clear();
        self.out.extend(spans.into_iter().map(|span| Output::Keep(Row::Span(name.clone(), span))));
        self.out.push(Output::Keep(Row::Clear(name.clone())));
        self.keep_room(name);
        self.tell_of(name, if undelivered.is_empty() { news } else { news.detail(undelivered) });
        let me = self.me;
        for member in members.iter().filter(|m| m.key != me) {
            self.no_longer_shared(&member.key, name);
        }
        self.refuse_unsaid(name);
        self.waiting.remove(name);
        self.unprove(name, |_, _| true);
        self.list_changed(name);
        self.rejoined(name);
    }
}

impl Room {
    /// Whether a member that has just come has the account of one whose key was lost.
    fn is_rekeyed(&self, member: &Member) -> bool {
        self.past.back().is_some_and(|span| {
            let follows = span.until.next() == self.table.version();
            follows && span.why == Some(Departure::Rekeyed) && span.name.fold() == member.name.fold()
        })
    }
}

/// The key that has taken over the account of a member, by the change that came right behind its departure.
fn successor(member: &Member, next: Option<&Change>) -> Option<Key> {
    match &next?.step {
        Step::Put(new) if new.name.fold() == member.name.fold() => Some(new.key),
        _ => None,
    }
}

fn word(why: Departure) -> MemberChange {
    match why {
        Departure::Left => MemberChange::Left,
        Departure::Expired | Departure::Removed => MemberChange::Removed,
        Departure::Banned => MemberChange::Banned,
        Departure::Rekeyed => MemberChange::Rekeyed,
    }
}
