//! What a link does when its network fails.

use std::time::Duration;

use quinn::ConnectionError;
use tests::sim::{Host, Net, seeds};
use tokio::time::Instant;

use crate::hosts::{LIMITS, dial, echo, endpoint, exchange, host};

/// What both ends notice by themselves: the last that was heard may be a keep-alive old, and so may be the next.
const DEAF: Duration = LIMITS.dead_after.saturating_add(LIMITS.keep_alive).saturating_add(LIMITS.keep_alive);

/// A link from host 1 to host 2 that has carried a frame is dead for host 1 within `most` once `fault` is there, and
/// another can be dialled once `repair` is done.
async fn breaks_and_heals(seed: u64, most: Duration, fault: impl Fn(&Net), repair: impl Fn(&Net)) {
    let net = Net::new(seed);
    let one = endpoint(&net, 1);
    echo(endpoint(&net, 2));
    let connection = dial(&one).await.unwrap();
    exchange(&connection, 1).await.unwrap();

    fault(&net);
    let since = Instant::now();
    assert_eq!(connection.closed().await, ConnectionError::TimedOut);
    let least = LIMITS.dead_after - Duration::from_secs(1);
    assert!(since.elapsed() >= least && since.elapsed() <= most, "dead after {:?}", since.elapsed());
    assert_eq!(dial(&one).await.unwrap_err(), ConnectionError::TimedOut);

    repair(&net);
    exchange(&dial(&one).await.unwrap(), 1).await.unwrap();
}

#[test]
fn a_partition_ends_the_link_in_time_and_after_it_another_comes_about() {
    let fault = |net: &Net| net.partition(&[host(1)], &[host(2)]);
    seeds("a partition", 0..5, |seed| breaks_and_heals(seed, DEAF, fault, Net::mend_all));
}

/// Host 1 goes on hearing host 2 for as long as that repeats what it gets no acknowledgement for: so it may take twice
/// as long as a cut both ways.
#[test]
fn a_cut_in_one_direction_ends_the_link_too() {
    let most = LIMITS.dead_after + DEAF;
    for (from, to) in [(host(1), host(2)), (host(2), host(1))] {
        let fault = |net: &Net| net.cut(from, to);
        let repair = |net: &Net| net.mend(from, to);
        seeds("a cut one way", 0..5, |seed| breaks_and_heals(seed, most, fault, repair));
    }
}

#[test]
fn a_host_that_is_down_is_dead_to_the_others_until_it_is_up() {
    seeds("a host down", 0..5, |seed| breaks_and_heals(seed, DEAF, |net| net.down(host(2)), |net| net.up(host(2))));
}

#[test]
fn a_link_lives_on_when_the_nat_before_its_dialler_gives_it_another_address() {
    seeds("a rebinding", 0..5, |seed| async move {
        let net = Net::new(seed);
        let (one, two) = (endpoint(&net, 1), endpoint(&net, 2));
        let outward: Host = "192.0.2.1:4000".parse().unwrap();
        let accepted = tokio::spawn({
            let two = two.clone();
            async move { two.accept().await.unwrap().await.unwrap() }
        });
        let connection = dial(&one).await.unwrap();
        let accepted = accepted.await.unwrap();
        assert_eq!(accepted.remote_address(), host(1));

        net.rebind(host(1), outward);
        // Virtual time is under test: the next keep-alive shows the new address.
        tokio::time::sleep(LIMITS.keep_alive * 2).await;
        assert_eq!(accepted.remote_address(), outward);
        tokio::time::sleep(LIMITS.dead_after * 2).await;
        assert_eq!(connection.close_reason(), None);
    });
}

#[test]
fn a_process_that_begins_anew_takes_the_address_of_the_one_killed() {
    seeds("a restart", 0..5, |seed| async move {
        let net = Net::new(seed);
        let one = endpoint(&net, 1);
        echo(endpoint(&net, 2));
        let connection = dial(&one).await.unwrap();
        exchange(&connection, 1).await.unwrap();

        echo(endpoint(&net, 2));
        exchange(&dial(&one).await.unwrap(), 1).await.unwrap();
        assert!(exchange(&connection, 1).await.is_err());
    });
}

#[test]
fn an_idle_hour_costs_keep_alives_and_nothing_else() {
    seeds("an idle hour", 0..1, |seed| async move {
        let net = Net::new(seed);
        let (one, two) = (endpoint(&net, 1), endpoint(&net, 2));
        echo(two);
        let connection = dial(&one).await.unwrap();
        exchange(&connection, 1).await.unwrap();
        let before = net.outgoing(host(1)).sent;
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(connection.close_reason(), None);
        let sent = net.outgoing(host(1)).sent - before;
        assert!((720..=1_500).contains(&sent), "{sent} datagrams");
    });
}
