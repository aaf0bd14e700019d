//! Random histories of the cores alone, thousands of which run in a minute.
//!
//! `ROLLCALL_SEED=N` replays one; `ROLLCALL_SEEDS=N` runs N of them.

use tests::{sim::seeds, swarm::history};

#[test]
fn whatever_happens_nothing_is_lost_doubled_or_ticked_too_soon() {
    let deliveries = std::cell::Cell::new(0);
    let receipts = std::cell::Cell::new(0);
    seeds("a random history", 0..1_000, |seed| {
        let world = history(seed);
        deliveries.set(deliveries.get() + world.model.deliveries);
        receipts.set(receipts.get() + world.model.receipts);
        async {}
    });
    println!("{} messages delivered, {} receipts checked", deliveries.get(), receipts.get());
    assert!(deliveries.get() > 0 && receipts.get() > 0);
}
