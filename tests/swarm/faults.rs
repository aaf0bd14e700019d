//! The checker is checked: each deliberate fault must make a history fail.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use common::fault::Fault;
use tests::{files, swarm::caught};

/// Histories within which a fault must be caught.
const MOST: u64 = 3_000;

#[test]
fn every_deliberate_fault_is_caught() {
    let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(fault) = Fault::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = if files::FAULTS.contains(fault) { files::caught } else { caught };
                    match caught(*fault, MOST) {
                        Some(count) => println!("{fault:?}: caught after {count} histories"),
                        None => missed.lock().expect("no thread fails with it").push(fault),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().expect("no thread fails with it");
    assert!(missed.is_empty(), "not caught within {MOST} histories: {missed:?}");
}
