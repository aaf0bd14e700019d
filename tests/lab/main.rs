//! Scenarios in the lab. One behaviour a file; [`tests::lab`] says what the lab is.

mod network;
mod offloads;
mod quic;

use libtest_mimic::{Arguments, Trial};

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::from_args();
    // The processes of one scenario share two cores with those of the next; a deadline should measure only one.
    arguments.test_threads = arguments.test_threads.or(Some(1));
    if !arguments.list {
        tests::lab::enter()?;
    }
    libtest_mimic::run(&arguments, network_trials()).exit()
}

/// What the lab itself is held to.
fn network_trials() -> Vec<Trial> {
    vec![
        trial("network::a_datagram_arrives_and_is_counted", network::a_datagram_arrives_and_is_counted),
        trial("network::loss_is_what_was_asked_for", network::loss_is_what_was_asked_for),
        trial("network::a_one_way_cut_is_one_way", network::a_one_way_cut_is_one_way),
        trial("network::a_rate_limit_holds", network::a_rate_limit_holds),
        trial("network::a_delay_is_kept", network::a_delay_is_kept),
        trial("network::multicast_reaches_all", network::multicast_reaches_all),
        trial("network::ipv6_arrives", network::ipv6_arrives),
        trial("network::many_frames_of_many_hosts_all_arrive", network::many_frames_of_many_hosts_all_arrive),
        trial("offloads::a_burst_is_many_frames", offloads::a_burst_is_many_frames),
        trial("quic::bytes_arrive_at_five_percent_loss", quic::bytes_arrive_at_five_percent_loss),
    ]
}

fn trial(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}
