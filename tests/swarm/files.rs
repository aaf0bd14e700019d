//! Files fetched by many from many.
//!
//! `ROLLCALL_SEED=N` replays one random swarm; `ROLLCALL_SEEDS=N` plays N of them.

use tests::files::{Nature, Rates, Town, search};

/// 1 MB/s up, four times that down.
const LINE: Rates = Rates { up: 1_000_000, down: 4_000_000 };
const MIB: u64 = 1024 * 1024;

#[test]
fn whatever_happens_a_file_comes_whole_and_hardly_anything_twice() {
    search(300);
}

/// How long one fetcher takes with so many holders, in microseconds.
fn with_holders(holders: usize) -> u64 {
    let mut town = Town::new(16 * MIB, 10, 1);
    (0..holders).for_each(|_| {
        town.add(Nature::Honest, LINE, true);
    });
    let fetcher = town.add(Nature::Honest, Rates { up: 1_000_000, down: 0 }, false);
    town.link_all();
    town.get(fetcher);
    town.run_until_done(100_000_000)
}

#[test]
fn four_holders_give_nearly_four_times_as_much_as_one() {
    let (one, four) = (with_holders(1), with_holders(4));
    let times = one as f64 / four as f64;
    println!("one: {one} us, four: {four} us, {times:.2} times");
    assert!(times >= 3.6);
}

#[test]
fn twenty_who_fetch_from_one_give_each_other_what_they_have() {
    let (size, count) = (16 * MIB, 20);
    let mut town = Town::new(size, 10, 1);
    let seed = town.add(Nature::Honest, LINE, true);
    (0..count).for_each(|_| {
        town.add(Nature::Honest, LINE, false);
    });
    town.link_all();
    (1..=count).for_each(|host| town.get(host));
    let last = town.run_until_done(400_000_000);
    // The seed sends all of it once: the others have uplinks enough for all the rest.
    let bound = size as f64 / LINE.up as f64;
    let (share, late) = (town.hosts[seed].ledger.sent as f64 / size as f64, last as f64 / 1e6 / bound);
    let needless: u64 = town.hosts.iter().map(|host| host.ledger.needless).sum();
    let needless = needless as f64 / (count as u64 * size) as f64;
    println!(
        "the seed sends {share:.3} of it, the last is done after {late:.3} of the bound; for nothing: {needless:.4}"
    );
    assert!(share <= 1.15 && late <= 1.2);
}
