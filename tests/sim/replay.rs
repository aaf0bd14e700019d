//! One seed is one run.

use std::time::Duration;

use tests::sim::{Conditions, Net, run, seeds};

use crate::hosts::{dial, echo, endpoint, exchange, host};

/// Exchanges frames at this loss, and on a line that has every other fault too if `rough`.
async fn conversation(seed: u64, loss: f64, rough: bool) -> Net {
    let net = Net::new(seed);
    let jitter = Duration::from_millis(20);
    let rough_line = Conditions { jitter, reorder: 0.1, duplicate: 0.1, rate: Some(100_000), ..Conditions::default() };
    let line = if rough { rough_line } else { Conditions::default() };
    net.set_usual(Conditions { loss, ..line });
    let (one, two) = (endpoint(&net, 1), endpoint(&net, 2));
    echo(two);
    let connection = dial(&one).await.unwrap();
    exchange(&connection, 50).await.unwrap();
    connection.close(0u32.into(), b"");
    one.wait_idle().await;
    net
}

#[test]
fn frames_arrive_whole_and_in_order_whatever_is_lost() {
    for loss in [0.0, 0.02, 0.1] {
        seeds("frames over a lossy line", 0..10, |seed| async move {
            let net = conversation(seed, loss, true).await;
            let sent = net.outgoing(host(1));
            assert!(sent.sent > 50 && sent.sent_bytes > 50 * 400, "{sent:?}");
        });
    }
}

#[test]
fn one_seed_replays_to_the_datagram() {
    for (loss, rough) in [(0.0, false), (0.02, false), (0.1, false), (0.1, true)] {
        for seed in 0..10 {
            let trace = || run(async { conversation(seed, loss, rough).await.trace() });
            assert_eq!(trace(), trace(), "seed {seed}, loss {loss}");
        }
    }
}

#[test]
fn another_seed_is_another_run() {
    let trace = |seed| run(async { conversation(seed, 0.1, true).await.trace() });
    assert_ne!(trace(1), trace(2));
}
