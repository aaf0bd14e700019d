//! A member lacks one message of a room with many, and its author has gone: bytes that find and fetch it from another
//! member. `cargo bench -p tests --bench repair_bytes`.
//!
//! Counted is the UDP payload of a new link, both ways, in its first second. Most of it is the handshake and looking
//! for the largest datagram that fits: so a link that finds nothing missing is set beside it.

use std::{path::Path, time::Duration};

use tests::{
    absence::{Absence, Pace, TEXT, end},
    measure::{self, quantile},
};

const SIZES: [u64; 3] = [10, 1_000, 100_000];
const AUTHORS: usize = 2;
/// New links of each kind; the median counts.
const ROUNDS: usize = 5;
/// When all has been said on a new link.
const QUIET: Duration = Duration::from_secs(1);

fn main() {
    println!("{}", measure::machine());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let rows: Vec<Vec<String>> = SIZES.iter().map(|messages| runtime.block_on(row(*messages))).collect();
    measure::table(
        &format!("Finding and fetching one missing message of {TEXT} bytes:"),
        &["messages in the room", "bytes of a new link that finds nothing missing", "bytes more with one missing"],
        &rows,
    );
}

async fn row(messages: u64) -> Vec<String> {
    let mut absence = Absence::gather(AUTHORS).await;
    absence.say(messages / AUTHORS as u64, Pace::Flood).await;
    absence.goes().await;
    absence.say_one().await;
    absence.authors_go().await;

    let (mut nothing, mut one) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let home = absence.left_behind();
        one.push(bytes(&absence, &home).await);
        nothing.push(bytes(&absence, &home).await);
    }
    let [nothing, one] = [nothing, one].map(|mut values| quantile(&mut values, 0.5));
    vec![messages.to_string(), format!("{nothing:.0}"), format!("{:.0}", one - nothing)]
}

/// What the link carries when the member returns with this history.
async fn bytes(absence: &Absence, home: &Path) -> f64 {
    let away = absence.returns(home).await;
    absence.link().await;
    tokio::time::sleep(QUIET).await;
    let link = absence.link().await;
    end(away).await;
    (link.bytes_out + link.bytes_in) as f64
}
