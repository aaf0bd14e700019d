//! A member was away for 10,000 messages, and their authors have gone: how long it takes to get them from the one member
//! that has them, beside a plain copy of the same texts over QUIC into a synced file.
//! `cargo bench -p tests --bench catchup`.

use std::time::Instant;

use tests::{
    absence::{Absence, Pace, TEXT, end},
    copy,
    measure::{self, quantile},
};

const MESSAGES: u64 = 10_000;
const AUTHORS: usize = 4;
/// Returns and copies; they take turns, and the median counts.
const ROUNDS: usize = 5;

fn main() {
    println!("{}", measure::machine());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let rows = [row("each a batch", Pace::OneByOne).await, row("in full batches", Pace::Flood).await];
        measure::table(
            &format!("Catching up with {MESSAGES} messages of {TEXT} bytes by {AUTHORS} authors, from one member:"),
            &["", "time, of a plain copy's", "bytes on the wire, of the texts'", "absolute, ms", "absolute, copy, ms"],
            &rows,
        );
    });
}

async fn row(what: &str, pace: Pace) -> Vec<String> {
    let mut absence = Absence::gather(AUTHORS).await;
    absence.goes().await;
    absence.say(MESSAGES / AUTHORS as u64, pace).await;
    absence.authors_go().await;

    let (mut returns, mut copies, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let home = absence.left_behind();
        let began = Instant::now();
        let away = absence.returns(&home).await;
        returns.push(began.elapsed().as_secs_f64() * 1e3);
        let link = absence.link().await;
        bytes.push((link.bytes_out + link.bytes_in) as f64);
        end(away).await;

        let texts = home.join("texts");
        std::fs::write(&texts, vec![b'x'; MESSAGES as usize * TEXT]).expect("space");
        let began = Instant::now();
        copy::over_quic(&texts, &home.join("copy")).await;
        copies.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let [returned, copied, bytes] = [returns, copies, bytes].map(|mut values| quantile(&mut values, 0.5));
    vec![
        what.into(),
        format!("{:.1}", returned / copied),
        format!("{:.2}", bytes / (MESSAGES as f64 * TEXT as f64)),
        format!("{returned:.0}"),
        format!("{copied:.0}"),
    ]
}
