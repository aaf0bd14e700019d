//! Random histories of the cores alone, thousands of which run in a minute.
//!
//! `ROLLCALL_SEED=N` replays one; `ROLLCALL_SEEDS=N` plays N of them, `ROLLCALL_MINUTES=N` as many as fit.

mod faults;
mod files;

use tests::swarm::search;

#[test]
fn whatever_happens_nothing_is_lost_doubled_or_ticked_too_soon() {
    let tally = search(1_000);
    assert!(tally.deliveries > 0 && tally.receipts > 0);
}
