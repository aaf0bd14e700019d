//! Bounds that both ends of a wire hold each other to. What only one side decides is in its config.

/// Longest text of one message, in bytes of UTF-8.
pub const TEXT_BYTES: usize = 16 * 1024;
/// Longest reaction, in bytes of UTF-8.
pub const REACTION_BYTES: usize = 32;
/// Longest account name, in characters.
pub const NAME_CHARS: usize = 32;
/// Longest room name, in characters.
pub const ROOM_CHARS: usize = 64;
/// Longest domain, in characters.
pub const DOMAIN_CHARS: usize = 64;
/// Longest topic of a room, in characters.
pub const TOPIC_CHARS: usize = 200;
/// Contacts of one account, requests and those blocked included.
pub const CONTACTS: usize = 1_000;
/// People who wait at one room's door, and people banned from one room, each.
pub const AT_THE_DOOR: usize = 1_000;
/// Longest invitation, in bytes.
pub const INVITE_BYTES: usize = 64;
/// Rooms one account may be a member of.
pub const ROOMS_PER_ACCOUNT: usize = 1_000;
/// Addresses one session may announce.
pub const ADDRESSES: usize = 8;
/// Longest name of a file, in bytes of UTF-8.
pub const FILE_NAME_BYTES: usize = 255;
/// Longest media type of a file, in bytes.
pub const MEDIA_BYTES: usize = 64;
/// Largest file, in bytes: 16 TiB.
pub const FILE_BYTES: u64 = 1 << 44;
/// Longest list of what is in a folder, in bytes.
pub const FOLDER_LIST: u64 = 16 * 1024 * 1024;
/// Files shared in one room.
pub const FILES: usize = 1_000;
/// Files that one member shares in one room.
pub const FILES_PER_MEMBER: usize = 200;
/// Ranges of files that one side of a link may have asked for at once.
pub const FILE_STREAMS: u32 = 4;
/// Largest frame on a stream that carries a range of a file, in bytes.
pub const FILE_FRAME: usize = 1_024;
/// Largest frame a peer may send its tracker, in bytes.
pub const CONTROL_FRAME: usize = 64 * 1024;
/// A snapshot travels in pieces of about this many bytes.
pub const SNAPSHOT_PIECE: usize = 256 * 1024;
/// Largest frame a tracker may send a peer: a snapshot piece and some room for its envelope.
pub const PUSH_FRAME: usize = SNAPSHOT_PIECE + 64 * 1024;
/// Messages of one batch, in bytes of their encoding. A batch holds at least one message.
pub const BATCH_BYTES: usize = 256 * 1024;
/// Messages of one batch.
pub const BATCH_MESSAGES: usize = 4_096;
/// Largest frame between two peers: a batch and some room for its envelope.
pub const PEER_FRAME: usize = BATCH_BYTES + 64 * 1024;
/// Largest datagram between two peers, in bytes.
pub const HINT: usize = 512;
/// Datagrams of one link that wait in memory, each way, in bytes; older ones make room for newer.
pub const HINTS_WAITING: usize = 4 * 1024;
/// Parts of one frontier frame, and heads of one part.
pub const FRONTIER_PARTS: usize = 4_096;
/// Logs of one room that one peer may follow at another.
pub const FOLLOWED: usize = 4_096;
/// Ranges of one receipt.
pub const RECEIPT_RANGES: usize = 16;
/// Messages that one batch may answer.
pub const ANSWERS: usize = 32;
/// Values inside values of one frame: twice what any frame has, for fields from the future.
pub const DEPTH: usize = 32;
/// Messages that a peer answers with at a time when it is asked for its history.
pub const HISTORY_PAGE: u32 = 1_000;
/// Longest reason that one side gives the other, in characters; the rest is cut.
pub const REASON_CHARS: usize = 400;
