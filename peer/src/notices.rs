//! What calls the user: direct messages, those with their name in them, and whatever they have said of a conversation.

use std::collections::BTreeMap;

use common::{
    RoomName,
    wire::control::{Event, MessageEvent, MessageKind},
};
use serde::{Deserialize, Serialize};

/// Which messages of a conversation call the user.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Notice {
    /// Every one.
    All,
    /// Those with the user's name in them.
    Mentions,
    /// None.
    None,
}

/// What is said of each conversation, as `lobby = "all"`. Of a direct one that is not named every message calls, and of a
/// room those with the user's name in them.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Notices(BTreeMap<RoomName, Notice>);

impl Notices {
    /// Which messages of a conversation call.
    pub fn of(&self, room: &RoomName) -> Notice {
        let unnamed = if room.as_person().is_some() { Notice::All } else { Notice::Mentions };
        let same = |named: &RoomName| named.fold() == room.fold();
        self.0.iter().find(|(named, _)| same(named)).map_or(unnamed, |(_, notice)| *notice)
    }

    /// The message with which something that happened calls the user.
    pub fn called<'a>(&self, event: &'a Event) -> Option<&'a MessageEvent> {
        let Event::Message(message) = event else { return None };
        let calls = match self.of(&message.room) {
            Notice::All => true,
            Notice::Mentions => message.deed.mentions_me,
            Notice::None => false,
        };
        (says(message) && calls).then_some(message)
    }
}

/// Whether somebody else says something to the user: directly, or by name.
pub fn is_to_me(message: &MessageEvent) -> bool {
    says(message) && (message.deed.mentions_me || message.room.as_person().is_some())
}

/// Whether it is something that somebody else has said, and not done to what was said.
fn says(message: &MessageEvent) -> bool {
    let says = matches!(message.deed.kind, None | Some(MessageKind::Action | MessageKind::File));
    says && message.path != "self"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(room: &str, path: &str, mentions: bool) -> Event {
        let value = serde_json::json!({
            "event": "message", "cursor": 1, "id": "x/abababababababab/1", "room": room, "from": "bob", "seq": 1,
            "stamp": "1.2", "sent": 0, "received": 0, "path": path, "text": "hello", "mentions_me": mentions,
        });
        serde_json::from_value(value).unwrap()
    }

    fn calls(notices: &str, event: &Event) -> bool {
        toml::from_str::<Notices>(notices).unwrap().called(event).is_some()
    }

    #[test]
    fn direct_messages_and_mentions_call_and_what_one_says_does_not() {
        assert!(calls("", &message("@bob", "direct", false)));
        assert!(calls("", &message("lobby", "via carol", true)));
        assert!(!calls("", &message("lobby", "direct", false)));
        assert!(!calls("", &message("@bob", "self", false)));
    }

    #[test]
    fn of_a_conversation_that_is_named_what_is_said_of_it_calls() {
        let notices = "Lobby = 'all'\nden = 'none'\n'@bob' = 'mentions'";
        assert!(calls(notices, &message("lobby", "direct", false)));
        assert!(!calls(notices, &message("den", "direct", true)));
        assert!(!calls(notices, &message("@bob", "direct", false)));
        assert!(calls(notices, &message("@bob", "direct", true)));
        assert!(calls(notices, &message("@carol", "direct", false)));
    }
}
