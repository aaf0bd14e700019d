//! The objects and events that come out.

use super::{Field, Shape};

/// Notifications `event`, by the field `event` in their params, and the shape of the rest of those. `message` and `member`
/// are kept, and have a cursor; the others only happen.
pub const EVENTS: &[Field] = &[
    ("message", "Message"),
    ("member", "MemberEvent"),
    ("receipt", "ReceiptEvent"),
    ("read", "Read"),
    ("transfer", "Transfer"),
    ("typing", "Typing"),
];

const fn shape(name: &'static str, fields: &'static [Field]) -> Shape {
    Shape { name, fields, with: None }
}

const fn shape_with(name: &'static str, with: &'static str, fields: &'static [Field]) -> Shape {
    Shape { name, fields, with: Some(with) }
}

/// All objects by name.
pub const SHAPES: &[Shape] = &[
    shape(
        "Status",
        &[
            ("name", "account"),
            ("domain", "text?"),
            ("key", "key"),
            ("address", "address"),
            ("seen", "address?"),
            ("tracker", "address?"),
            ("tracker_state", "up|connecting|down"),
            ("trouble", "text?"),
            ("tracker_down_s", "count?"),
            ("other_version", "bool?"),
            ("clock_ahead_s", "number?"),
            ("rooms", "count"),
            ("links", "count"),
            ("undelivered", "count"),
            ("uptime_s", "count"),
        ],
    ),
    shape(
        "Room",
        &[
            ("room", "room"),
            ("members", "count"),
            ("joined", "bool"),
            ("approval", "bool"),
            ("history", "joined|all"),
            ("private", "bool"),
            ("topic", "text"),
        ],
    ),
    shape("Joined", &[("room", "room"), ("members", "count"), ("slot", "count"), ("history", "joined|all")]),
    shape("Asked", &[("room", "room"), ("asked", "bool")]),
    shape(
        "Member",
        &[
            ("name", "account"),
            ("slot", "count"),
            ("online", "bool"),
            ("address", "address?"),
            ("path", "text"),
            ("role", "member|moderator|owner"),
            ("away", "bool"),
            ("verified", "bool"),
        ],
    ),
    shape("Settings", &[("approval", "bool"), ("private", "bool"), ("history", "joined|all"), ("topic", "text")]),
    shape_with(
        "Table",
        "Settings",
        &[("room", "room"), ("version", "version"), ("members", "count"), ("digest", "text"), ("owner", "account?")],
    ),
    shape(
        "Changes",
        &[("since", "version"), ("version", "version"), ("changes", "[MemberEvent]"), ("unseen", "[[version]]")],
    ),
    shape("Door", &[("waiting", "[Outside]"), ("banned", "[Outside]")]),
    shape("Outside", &[("name", "account"), ("key", "key"), ("at", "ms")]),
    shape(
        "Said",
        &[
            ("id", "message"),
            ("room", "room"),
            ("seq", "count"),
            ("stamp", "version"),
            ("delivered", "[account]"),
            ("pending", "[account]"),
            ("cancelled", "[account]"),
            ("gone", "[account]"),
        ],
    ),
    shape("Receipt", &[("name", "account"), ("delivered", "bool"), ("at", "ms?"), ("path", "text")]),
    shape("Outbox", &[("waiting", "[Waiting]"), ("more", "count")]),
    shape(
        "Waiting",
        &[
            ("id", "message"),
            ("room", "room"),
            ("seq", "count"),
            ("sent", "ms?"),
            ("text", "text?"),
            ("pending", "[account]"),
            ("undecided", "[account]?"),
        ],
    ),
    shape("Cancelled", &[("id", "message"), ("delivered", "[account]"), ("cancelled", "[account]")]),
    shape(
        "Path",
        &[
            ("name", "account"),
            ("address", "address?"),
            ("path", "text"),
            ("rtt_ms", "number?"),
            ("bytes_out", "count"),
            ("bytes_in", "count"),
            ("packets_lost", "count"),
        ],
    ),
    shape_with(
        "Message",
        "Deed",
        &[
            ("cursor", "count"),
            ("id", "message"),
            ("room", "room"),
            ("from", "account"),
            ("seq", "count"),
            ("stamp", "version"),
            ("sent", "ms"),
            ("received", "ms"),
            ("path", "text"),
            ("text", "text"),
            ("mark", "early|late?"),
        ],
    ),
    shape(
        "Deed",
        &[
            ("kind", "action|edit|delete|reaction|file?"),
            ("file", "Shown?"),
            ("about", "message?"),
            ("quote", "Quote?"),
            ("mentions_me", "bool?"),
            ("edited", "bool?"),
            ("deleted", "bool?"),
            ("reactions", "{text:[account]}?"),
        ],
    ),
    shape("Quote", &[("from", "account"), ("text", "text")]),
    shape(
        "MemberEvent",
        &[
            ("cursor", "count"),
            ("room", "room"),
            ("name", "account"),
            (
                "change",
                "joined|left|online|offline|removed|banned|asks|declined|renamed|role|topic|away|rekeyed|identity|split|\
                 offends|contact|parted|refuses|forked",
            ),
            ("version", "version"),
            ("by", "account?"),
            ("at", "ms?"),
            ("detail", "text?"),
        ],
    ),
    shape(
        "ReceiptEvent",
        &[("room", "room"), ("name", "account"), ("first", "count"), ("last", "count"), ("at", "ms")],
    ),
    shape("Read", &[("room", "room"), ("cursor", "count")]),
    shape("Typing", &[("room", "room"), ("name", "account")]),
    shape(
        "Shown",
        &[
            ("name", "text"),
            ("root", "key"),
            ("size", "count"),
            ("folder", "bool?"),
            ("media", "text?"),
            ("width", "count?"),
            ("height", "count?"),
        ],
    ),
    shape_with(
        "File",
        "Shown",
        &[
            ("room", "room"),
            ("from", "[account]"),
            ("at", "ms"),
            ("whole", "count"),
            ("part", "count"),
            ("here", "none|part|whole|changed"),
            ("path", "path?"),
        ],
    ),
    shape_with(
        "Transfer",
        "Shown",
        &[
            ("id", "count"),
            ("room", "room"),
            ("state", "checking|fetching|paused|done|failed|cancelled"),
            ("path", "path"),
            ("done", "count"),
            ("total", "count"),
            ("rate", "count"),
            ("left_s", "count?"),
            ("sources", "[Source]"),
            ("trouble", "text?"),
        ],
    ),
    shape("Source", &[("name", "account"), ("bytes", "count")]),
    shape("Limits", &[("up", "count?"), ("down", "count?")]),
    shape(
        "Contact",
        &[
            ("name", "account"),
            ("state", "contact|asked|asks|blocked"),
            ("online", "bool"),
            ("away", "bool"),
            ("seen", "s?"),
            ("key", "key"),
            ("verified", "bool"),
        ],
    ),
    shape("Identity", &[("name", "account"), ("key", "key"), ("safety_number", "text"), ("verified", "bool")]),
    shape(
        "Entry",
        &[("name", "account"), ("key", "key"), ("addresses", "[address]?"), ("verified", "bool?"), ("note", "text?")],
    ),
    shape("Imported", &[("taken", "[account]"), ("refused", "[account]")]),
    shape_with("Connected", "Identity", &[("room", "room"), ("address", "address")]),
    shape("Listening", &[("name", "account"), ("key", "key"), ("addresses", "[address]"), ("port", "count")]),
    shape(
        "Chat",
        &[
            ("room", "room"),
            ("members", "count"),
            ("undelivered", "count"),
            ("online", "bool"),
            ("last", "Last?"),
            ("read", "count"),
            ("unread", "count"),
            ("mentions", "count"),
            ("counted", "count"),
        ],
    ),
    shape("Last", &[("from", "account"), ("sent", "ms"), ("text", "text")]),
];
