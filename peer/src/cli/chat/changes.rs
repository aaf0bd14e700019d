//! What changes around the chat: names, memberships, the tracker.

use common::{
    AccountName, RoomName,
    wire::control::{MemberChange, MemberEvent, Status},
};

use super::{Talk, commands};
use crate::cli::{tail, text};

impl Talk {
    /// How the tracker is: told when it goes and when it is back.
    pub fn tracker(&mut self, status: &Status) -> Option<String> {
        let down = status.tracker_state == "down";
        match (down, self.trouble.is_some()) {
            (true, false) => {
                let place = status.tracker.map(|address| format!(" at {address}")).unwrap_or_default();
                // What it says of what goes on is said below.
                let why = status.trouble.as_deref().and_then(|why| why.split(';').next());
                let why = why.map(|why| format!(" ({})", text::inline(why))).unwrap_or_default();
                self.trouble = Some(place.clone());
                Some(format!(
                    "* the tracker{place} is not reached{why}: the rooms go on with the members known, and it is tried again"
                ))
            }
            (false, true) if status.tracker_state == "up" => {
                let place = self.trouble.take().unwrap_or_default();
                Some(format!("* the tracker{place} is back"))
            }
            _ => None,
        }
    }

    /// Somebody has another name, which is told once, however many rooms are shared.
    pub(super) fn renamed(&mut self, name: &AccountName, former: &str) -> Option<String> {
        if self.me.as_ref().is_some_and(|me| me == name || me.as_str() == former) {
            self.me = Some(name.clone());
            return None;
        }
        let was = former.parse().ok().map(|former| RoomName::person(&former));
        if was.is_some_and(|was| self.is_in(&was)) {
            self.room = Some(RoomName::person(name));
        }
        let news = (name.clone(), former.to_string());
        let is_new = self.renamed.as_ref() != Some(&news);
        self.renamed = Some(news);
        is_new.then(|| format!("* {} is {name} now", text::inline(former)))
    }

    /// The user has left a room, here or elsewhere: told where it was that of the prompt, or something is lost by it.
    pub(super) fn has_left(&mut self, room: &RoomName, lost: Option<&str>) -> Option<String> {
        let was_here = self.is_in(room);
        if was_here {
            self.room = None;
            self.left = Some(room.clone());
        }
        (was_here || lost.is_some()).then(|| format!("* you have left {room}{}", tail::lost(lost)))
    }

    /// What is said of a change; who is out of the room of the prompt is in none.
    pub(super) fn changed(&mut self, event: &MemberEvent) -> String {
        let told = tail::change(event);
        // A topic is somebody's own words.
        let told = if event.change == MemberChange::Topic { told } else { commands::in_chat(&told, &[]) };
        if self.me.as_ref() != Some(&event.name) {
            return format!("* {} {told}", event.name);
        }
        if matches!(event.change, MemberChange::Removed | MemberChange::Banned) && self.is_in(&event.room) {
            self.room = None;
        }
        let verbs = [("is ", "are "), ("was ", "were "), ("has ", "have ")];
        let verb = verbs.iter().find_map(|(they, you)| Some((you, told.strip_prefix(they)?)));
        verb.map_or(format!("* you {told}"), |(you, rest)| format!("* you {you}{rest}"))
    }
}
