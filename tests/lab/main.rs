//! Scenarios in the lab. One behaviour a file; [`tests::lab`] says what the lab is.

mod bad_input;
mod crowd;
mod doctor;
mod family;
mod files;
mod herd;
mod history;
mod host;
mod long_sleep;
mod network;
mod offloads;
mod one_suffers;
mod outbox;
mod peer_dies;
mod processes;
mod quic;
mod real_channel;
mod repair;
mod storm;
mod strangers;
mod three_hosts;
mod tracker_carries_nothing;
mod tracker_dies;
mod wall;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if !arguments.list
        && let Err(error) = tests::lab::enter()
    {
        // Not as an error of `main`, which would bury the remedy below a backtrace.
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    let mut busy = lab_trials();
    busy.extend(busy_trials());
    let ended = [(busy, 1), (calm_trials(), 4)].map(|(trials, at_once)| {
        let test_threads = arguments.test_threads.or(Some(at_once));
        libtest_mimic::run(&Arguments { test_threads, ..arguments.clone() }, trials)
    });
    ended.into_iter().find(libtest_mimic::Conclusion::has_failed).map_or(ExitCode::SUCCESS, |failed| failed.exit_code())
}

/// Names a trial after its module and function.
macro_rules! trials {
    ($($module:ident::$behaviour:ident),+ $(,)?) => {
        vec![$(trial(concat!(stringify!($module), "::", stringify!($behaviour)), $module::$behaviour)),+]
    };
}

/// What the lab itself is held to.
fn lab_trials() -> Vec<Trial> {
    trials![
        network::a_datagram_arrives_and_is_counted,
        network::loss_is_what_was_asked_for,
        network::a_one_way_cut_is_one_way,
        network::a_rate_limit_holds,
        network::a_delay_is_kept,
        network::multicast_reaches_all,
        network::ipv6_arrives,
        network::many_frames_of_many_hosts_all_arrive,
        offloads::a_burst_is_many_frames,
        offloads::quic_sends_frames_of_the_mtu,
        processes::what_a_program_says_is_heard,
        processes::a_program_that_ends_without_the_line_is_not_waited_for,
        processes::a_program_can_be_held_and_let_go_on,
        processes::a_dropped_program_is_gone,
        processes::each_host_has_its_own_network,
        quic::bytes_arrive_at_five_percent_loss,
    ]
}

/// What Rollcall is held to by scenarios in which two cores have work: one at a time, so that a deadline measures only
/// one of them.
fn busy_trials() -> Vec<Trial> {
    trials![
        real_channel::on_a_good_network,
        real_channel::at_five_percent_loss,
        files::one_to_one_at_one_percent_loss,
        files::three_to_one_each_holder_gives_its_share,
        files::one_to_three_who_fetch_serve_each_other,
        herd::after_it_was_killed,
        herd::after_it_said_goodbye,
        storm::nothing_is_lost_or_doubled_and_no_tick_is_false,
        one_suffers::the_others_talk_on_while_it_is_held_and_it_gets_everything,
        one_suffers::the_others_talk_on_while_its_disk_is_full_and_it_gets_everything_once_there_is_room,
        one_suffers::a_session_whose_disk_is_full_can_be_ended_and_says_what_it_could_not_keep,
        strangers::noise_reaches_nobody,
        strangers::another_protocol_is_refused_in_the_handshake,
        strangers::garbage_ends_the_link_and_nothing_else,
        strangers::another_version_is_told_so,
    ]
}

/// What Rollcall is held to by scenarios of a few peers that mostly wait, for a link to be dead or a grace time to be
/// over: some at a time, the longest first.
fn calm_trials() -> Vec<Trial> {
    trials![
        family::a_day,
        files::a_holder_that_dies_is_done_without,
        files::who_is_killed_while_fetching_goes_on_without_starting_over,
        files::a_file_that_is_damaged_where_it_lies_is_not_passed_on,
        files::a_disk_that_fills_up_is_said_and_it_goes_on_once_there_is_room,
        files::a_folder_arrives_as_a_tree,
        long_sleep::who_stood_still_talks_again_within_seconds,
        peer_dies::it_gets_what_it_missed_and_shows_as_what_it_is,
        wall::it_is_got_around_within_seconds_of_being_noticed,
        tracker_dies::the_room_goes_on_and_nobody_needs_to_do_anything,
        tracker_carries_nothing::its_interface_is_as_quiet_as_when_nobody_speaks,
        tracker_dies::who_restarts_meanwhile_finds_the_others_again,
        history::who_joins_an_open_room_sees_what_those_who_left_have_said_in_it,
        host::who_hosts_the_tracker_is_found_talked_with_and_missed,
        host::one_that_is_not_announced_is_named,
        host::a_port_that_is_taken_is_told_of,
        three_hosts::a_message_reaches_everyone_once_and_directly,
        tracker_dies::whoever_stops_it_is_heard,
        tracker_dies::without_its_tables_it_gets_them_from_the_peers,
        tracker_dies::one_with_another_key_is_not_taken_for_it,
        peer_dies::whoever_logs_out_shows_as_offline_at_once,
        outbox::what_is_cancelled_does_not_reach_who_was_away,
        repair::a_third_member_has_it_and_the_tick_comes_when_the_author_is_back,
        wall::a_message_goes_around_it_and_straight_once_it_has_fallen,
        wall::another_takes_over_from_the_one_in_the_middle_that_dies,
        doctor::nothing_is_wrong_where_all_is_well,
        doctor::without_an_account_it_says_how_to_begin,
        doctor::no_mdns_at_all,
        doctor::mdns_and_no_tracker,
        doctor::no_multicast,
        doctor::several_trackers,
        doctor::no_network,
        doctor::a_tracker_that_cannot_be_looked_up,
        doctor::a_tracker_in_a_network_without_a_way_there,
        doctor::a_tracker_with_another_key,
        doctor::a_tracker_whose_port_is_walled_off,
        doctor::a_port_where_no_tracker_listens,
        doctor::a_session_whose_tracker_is_down,
        doctor::a_tracker_that_has_moved,
        doctor::another_program_at_the_tracker_s_port,
        doctor::a_tracker_of_another_protocol,
        doctor::a_tracker_that_refuses_the_version,
        doctor::a_tracker_that_takes_nobody_just_now,
        doctor::a_clock_that_differs_from_the_tracker_s,
        doctor::a_way_too_narrow_for_quic,
        doctor::a_port_that_another_program_has,
        doctor::an_address_that_the_machine_does_not_have,
        doctor::all_members_out_of_reach,
        doctor::one_member_out_of_reach,
        doctor::a_full_disk,
        doctor::a_session_that_has_no_room_for_what_waits,
        doctor::a_folder_that_cannot_be_written,
        doctor::a_key_that_others_can_read,
        doctor::a_key_that_is_gone_or_damaged,
        doctor::settings_that_cannot_be_used,
        doctor::a_damaged_profile,
        doctor::a_profile_that_is_gone,
        doctor::a_history_that_cannot_be_used,
        doctor::an_address_book_that_cannot_be_read,
        doctor::a_socket_that_a_killed_session_has_left,
        doctor::a_session_that_does_not_answer,
        bad_input::a_port_in_use,
        bad_input::a_port_in_use_by_another_tracker,
        bad_input::a_stale_socket,
        bad_input::an_unknown_room,
        bad_input::a_name_that_is_too_long,
        bad_input::control_characters,
        bad_input::a_text_that_is_too_long,
        bad_input::no_tracker_to_be_found,
        bad_input::a_name_that_somebody_else_has,
        bad_input::a_misspelt_setting,
        bad_input::a_folder_that_cannot_be_written,
    ]
}

fn trial(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}
