//! The methods.

use super::Method;

const ROOM: super::Field = ("room", "room");
const ID: super::Field = ("id", "message");
const NAME: super::Field = ("name", "account");

/// Every method that is served, and no other.
pub const METHODS: &[Method] = &[
    Method { name: "status", about: "How the session is.", params: &[], result: "Status" },
    Method { name: "logout", about: "End the session; one stays a member.", params: &[], result: "{}" },
    Method { name: "rename", about: "Be called something else.", params: &[NAME], result: "{}" },
    Method { name: "rooms", about: "The rooms there are.", params: &[], result: "[Room]" },
    Method {
        name: "join",
        about: "Become a member of a room, or ask to be let in; with `history`, only if it has that setting.",
        params: &[ROOM, ("history", "joined|all?")],
        result: "Joined|Asked",
    },
    Method {
        name: "create",
        about: "Make a room that is one's own.",
        params: &[ROOM, ("history", "joined|all?"), ("approval", "bool?"), ("private", "bool?"), ("topic", "text?")],
        result: "Joined",
    },
    Method { name: "leave", about: "Be a member no more.", params: &[ROOM], result: "{}" },
    Method { name: "members", about: "Who is in a room.", params: &[ROOM], result: "[Member]" },
    Method { name: "table", about: "What a room is like, and its table's digest.", params: &[ROOM], result: "Table" },
    Method {
        name: "changes",
        about: "What has changed in a room's table since a version.",
        params: &[ROOM, ("since", "version")],
        result: "Changes",
    },
    Method {
        name: "door",
        about: "Who asks to be let into a room, and who is banned.",
        params: &[ROOM],
        result: "Door",
    },
    Method {
        name: "order",
        about: "Do to a room what only some may: `decide` takes name and accept, `remove` name and ban, `unban` name, \
                `role` name and role, `topic` topic.",
        params: &[
            ROOM,
            ("order", "decide|remove|unban|role|topic"),
            ("name", "account?"),
            ("accept", "bool?"),
            ("ban", "bool?"),
            ("role", "member|moderator|owner?"),
            ("topic", "text?"),
        ],
        result: "{}",
    },
    Method {
        name: "say",
        about: "Say something; with `wait`, answered once everybody has it or so many seconds are over. With `reply` it \
                answers a message; with `me` it tells what one does.",
        params: &[ROOM, ("text", "text"), ("wait", "number?"), ("reply", "message?"), ("me", "bool?")],
        result: "Said",
    },
    Method {
        name: "edit",
        about: "Give a message of one's own another text.",
        params: &[ID, ("text", "text")],
        result: "Said",
    },
    Method { name: "delete", about: "Take a message of one's own back.", params: &[ID], result: "Said" },
    Method {
        name: "react",
        about: "React with one emoji or short word; without a text, take that back.",
        params: &[ID, ("text", "text?")],
        result: "Said",
    },
    Method { name: "typing", about: "Let members know that one is typing.", params: &[ROOM], result: "{}" },
    Method { name: "receipts", about: "Who has a message of one's own.", params: &[ID], result: "[Receipt]" },
    Method { name: "outbox", about: "What of one's own waits for whom.", params: &[], result: "Outbox" },
    Method {
        name: "cancel",
        about: "Send a message no more to those who lack it.",
        params: &[ID],
        result: "Cancelled",
    },
    Method {
        name: "history",
        about: "What was said in a room, as it stands now, at most 1,000 at a time; `search` takes words. With `changes`, events `member` of those who \
                joined and left are among it, which do not count for `limit`.",
        params: &[ROOM, ("limit", "count?"), ("search", "text?"), ("before", "count?"), ("changes", "bool?")],
        result: "[Message]",
    },
    Method {
        name: "mark_read",
        about: "Mark a conversation as read, up to a cursor or all of it; what was read stays read.",
        params: &[ROOM, ("cursor", "count?")],
        result: "Read",
    },
    Method {
        name: "tail",
        about: "Events after a cursor, or the last few; each is a notification `event`. Answered after those of the past; \
                with `follow`, more come as they happen, with `typing`, also who is typing, and with `receipts`, who has \
                got one's own messages and what was marked as read. With `latest`, messages of the past come as they stand now.",
        params: &[
            ("room", "room?"),
            ("since", "count?"),
            ("follow", "bool?"),
            ("latest", "bool?"),
            ("typing", "bool?"),
            ("receipts", "bool?"),
        ],
        result: "{}",
    },
    Method { name: "paths", about: "Which way everybody is reached, and how well.", params: &[], result: "[Path]" },
    Method {
        name: "share",
        about: "Share files and folders in a room; answered once all is hashed.",
        params: &[ROOM, ("paths", "[path]")],
        result: "[File]",
    },
    Method {
        name: "unshare",
        about: "Share a file no more; it is named as it is called, or by 8 or more digits of its root.",
        params: &[ROOM, ("file", "text")],
        result: "{}",
    },
    Method { name: "files", about: "What is shared in a room.", params: &[ROOM], result: "[File]" },
    Method {
        name: "get",
        about: "Fetch a file; answered as it begins. How it goes on is told by events and `transfer`.",
        params: &[ROOM, ("file", "text"), ("to", "path"), ("overwrite", "bool?"), ("limit", "count?")],
        result: "Transfer",
    },
    Method {
        name: "transfers",
        about: "What is on its way here, or has ended since the session began.",
        params: &[],
        result: "[Transfer]",
    },
    Method { name: "transfer", about: "One of them.", params: &[("id", "count")], result: "Transfer" },
    Method { name: "pause", about: "Stop one for now.", params: &[("id", "count")], result: "Transfer" },
    Method { name: "resume", about: "Go on with one.", params: &[("id", "count")], result: "Transfer" },
    Method {
        name: "cancel_transfer",
        about: "Give one up; what has come is deleted.",
        params: &[("id", "count")],
        result: "Transfer",
    },
    Method {
        name: "limit",
        about: "How fast files may move, in bytes a second; 0 for as fast as they can. What is left out stays.",
        params: &[("up", "count?"), ("down", "count?")],
        result: "Limits",
    },
    Method { name: "chats", about: "All conversations.", params: &[], result: "[Chat]" },
    Method { name: "contacts", about: "Who is a contact, or may become one.", params: &[], result: "[Contact]" },
    Method { name: "add", about: "Ask somebody to be a contact.", params: &[NAME], result: "{}" },
    Method { name: "accept_contact", about: "Say yes to who asks to be one.", params: &[NAME], result: "{}" },
    Method { name: "decline_contact", about: "Say no.", params: &[NAME], result: "{}" },
    Method { name: "remove", about: "End a contact.", params: &[NAME], result: "{}" },
    Method { name: "block", about: "Hear nothing more from somebody.", params: &[NAME], result: "{}" },
    Method { name: "unblock", about: "Lift that.", params: &[NAME], result: "{}" },
    Method { name: "away", about: "Be shown as away, or not.", params: &[("away", "bool")], result: "{}" },
    Method {
        name: "verify",
        about: "The number that two people compare; with `done`, it was the same.",
        params: &[NAME, ("done", "bool?")],
        result: "Identity",
    },
    Method {
        name: "trust",
        about: "Take the key that somebody shows now for theirs.",
        params: &[NAME],
        result: "Identity",
    },
    Method { name: "book", about: "The address book.", params: &[], result: "[Entry]" },
    Method { name: "save", about: "Put somebody known into it.", params: &[NAME, ("note", "text?")], result: "Entry" },
    Method { name: "forget", about: "Take somebody out of it.", params: &[NAME], result: "{}" },
    Method { name: "import", about: "Put entries into it.", params: &[("entries", "[Entry]")], result: "Imported" },
    Method {
        name: "connect",
        about: "Begin a chat without a tracker, with somebody known or with who listens at one of these addresses.",
        params: &[("addresses", "[address]?"), ("name", "account?")],
        result: "Connected",
    },
    Method {
        name: "listen",
        about: "Let those in who are not known, for so many seconds; 0 ends it.",
        params: &[("seconds", "count")],
        result: "Listening",
    },
];
