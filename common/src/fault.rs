//! Deliberate faults, each of which the random histories must catch: so the checker is checked.
//!
//! Without the feature `faults`, which only tests ask for, none is ever on, and their places cost nothing.

macro_rules! faults {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// What can be done wrong on purpose.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Fault {
            $($(#[$doc])+ $name,)+
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Fault] = &[$(Fault::$name,)+];
        }
    };
}

faults! {
    // A peer's shell.
    /// Frames, replies and what is shown leave before the rows that they stand on are synced.
    OutBeforeSync,
    /// A commit that is cut short keeps a part of its rows.
    CommitTorn,
    /// Receipts are not kept.
    ReceiptNotKept,
    /// What the peer itself says is not kept.
    OwnNotKept,
    /// What is held of another's log is not kept.
    HeldNotKept,
    /// It is not kept that a message is cancelled.
    CancelNotKept,
    /// It is not kept which part of another's log is held.
    PieceNotKept,
    /// The end of a link is not noticed.
    LinkEndMissed,
    // A peer's core.
    /// A snapshot's last member is lost.
    SnapshotCut,
    /// It is not believed that the peer is a member no more.
    NotMemberIgnored,
    /// The id of the tracker's tables is forgotten.
    TablesForgotten,
    /// A membership that has ended is not remembered.
    SpanForgotten,
    /// It is not remembered that versions were not seen.
    GapForgotten,
    /// A request that is not answered is forgotten.
    UnansweredForgotten,
    /// A link is kept for whom no room is shared with any more.
    GhostKept,
    /// Numbers of what is shown begin afresh at each start.
    CursorForgotten,
    /// A room is not joined again when the tracker has lost its tables.
    NotRejoined,
    /// Who is removed goes on being sent what is said.
    RemovedSentTo,
    /// Messages are taken from who has been removed.
    TakenFromRemoved,
    /// Who was removed is named as the one who did it.
    RemoverMisnamed,
    /// What members may do is not kept over a restart.
    RoleForgotten,
    // A peer's core: saying and taking.
    /// It is not said what a message answers.
    AnswersNotNamed,
    /// An answer does not wait for what it answers.
    AnswerNotWaited,
    /// What waits for something is never taken without it.
    WaitsForEver,
    /// What is shown without something that it comes after is not marked.
    EarlyUnmarked,
    /// Everything is marked as if something were missing.
    EarlyForNothing,
    /// A batch that is held already is taken again.
    TakenTwice,
    /// What was passed on is shown as if it had come from its author.
    WayHidden,
    // A peer's core: receipts.
    /// A receipt leaves out the holes.
    ReceiptWidened,
    /// A receipt counts for whoever has passed it on.
    ReceiptMisattributed,
    /// Receipts for others are not passed on.
    ReceiptNotPassedOn,
    // A peer's core: the outbox and repair.
    /// A message that is cancelled is sent all the same.
    CancelledSent,
    /// What others have more of is not asked for.
    RepairNotAsked,
    /// Nobody is asked for those who cannot be reached.
    WallNotWalkedAround,
    /// What was not meant for somebody is passed on to them.
    PassedToAnyone,
    // A peer's core: files.
    /// Bytes that are not in a file count as if they were.
    WrongKept,
    /// Whoever sends what is not in a file is asked again.
    OffenderKept,
    /// What is on disk of a file is forgotten at a start.
    ResumeForgets,
    /// A file is served to whoever asks.
    ServedToStranger,
    /// What is missing of a range that broke off is not asked for again.
    RestForgotten,
    /// A range that stands still is waited for.
    StallIgnored,
    // The tracker's shell.
    /// Changes are told before they are stored.
    PushBeforeStore,
    /// Changes are told and not stored.
    ChangeNotStored,
    // The tracker's core.
    /// A room that is made again has the epoch that it had before.
    EpochReused,
    /// A departure is not told.
    DepartureNotTold,
    /// A session that was told of a room is taken for one that knows the changes made meanwhile.
    CursorAhead,
}

#[cfg(feature = "faults")]
mod switch {
    use std::cell::Cell;

    use super::Fault;

    thread_local! {
        static ON: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    /// Whether a fault is on, on this thread.
    pub fn on(fault: Fault) -> bool {
        ON.get() == Some(fault)
    }

    /// Does something with a fault on, on this thread.
    pub fn with<T>(fault: Fault, work: impl FnOnce() -> T) -> T {
        ON.set(Some(fault));
        let _off = Off;
        work()
    }

    struct Off;

    impl Drop for Off {
        fn drop(&mut self) {
            ON.set(None);
        }
    }
}

#[cfg(not(feature = "faults"))]
mod switch {
    use super::Fault;

    /// Whether a fault is on: never.
    pub const fn on(_: Fault) -> bool {
        false
    }

    /// Does something; there are no faults here.
    pub fn with<T>(_: Fault, work: impl FnOnce() -> T) -> T {
        work()
    }
}

pub use switch::{on, with};
