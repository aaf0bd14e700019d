//! The full screen, on a real terminal, with real peers.

#![cfg(feature = "host")]

mod person;
mod terminal;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use nix::sys::{signal::Signal, wait::WaitStatus};
use person::{Person, tracker};
use tempfile::TempDir;
use terminal::Tty;
use tracker::Host;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const ESC: &str = "\x1b";
const END: &str = "\x1b[F";
const BACKSPACE: &str = "\x7f";
/// ctrl-Up.
const PICK: &str = "\x1b[1;5A";

/// `ctrl` with a letter.
fn ctrl(letter: char) -> String {
    char::from(letter as u8 & 0x1f).to_string()
}

/// Asks again until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Bob and carol, who are in the lobby, and alice, who is not logged in yet.
struct Town {
    host: Host,
    alice: Person,
    bob: Person,
    carol: Person,
    folder: TempDir,
    _data: TempDir,
}

impl Town {
    async fn new() -> Town {
        let data = tempfile::tempdir().unwrap();
        let host = tracker(ANY_PORT, data.path()).await;
        let (alice, bob, carol) = (Person::new(), Person::new(), Person::new());
        for (name, person) in [("bob", &bob), ("carol", &carol)] {
            assert_eq!(person.log_in_as(name, host.address(), &[]), (0, String::new()));
            person.does("join lobby");
        }
        Town { host, alice, bob, carol, folder: tempfile::tempdir().unwrap(), _data: data }
    }

    /// A command of alice's on a terminal.
    fn runs(&self, line: &str, variables: &[(&str, &str)]) -> Tty {
        let home = self.alice.0.path().to_str().unwrap();
        // Of two with one name, the first counts.
        let all = [variables, &[("ROLLCALL_HOME", home), ("TERM", "xterm-256color")]].concat();
        let arguments: Vec<&str> = line.split(' ').collect();
        Tty::start(Path::new(env!("CARGO_BIN_EXE_peer")), &arguments, &all, self.folder.path())
    }

    /// Alice's screen once she is logged in.
    fn screen(&self) -> Tty {
        let screen = self.runs(&format!("login alice --tracker {}", self.host.address()), &[]);
        screen.shows("Logged in as alice");
        screen
    }

    /// The same, in the lobby.
    fn lobby(&self) -> Tty {
        let screen = self.screen();
        screen.keys("/join lobby\r");
        screen.shows("lobby, 3 members");
        screen
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_shows_and_its_tick_comes_once_the_last_has_it() {
    let town = Town::new().await;
    let screen = town.lobby();
    town.carol.does("logout");
    screen.shows("carol offline");
    screen.keys("hello all\r");
    screen.shows("alice: hello all  1/2");
    assert_eq!(town.carol.log_in_as("carol", town.host.address(), &[]).0, 0);
    screen.shows("alice: hello all  ✓");
    town.bob.does("say lobby one");
    town.carol.does("say lobby two");
    screen.shows("bob: one");
    screen.shows("carol: two");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unread_elsewhere_is_counted_until_its_room_is_gone_to() {
    let town = Town::new().await;
    let screen = town.lobby();
    town.bob.does("join den");
    screen.keys("/join den\r");
    screen.shows("den, 2 members");
    screen.keys("\x1b[1;3A");
    screen.shows("lobby, 3 members");
    town.bob.does("say den psst --wait 20");
    town.bob.does("say den @alice --wait 20");
    screen.shows("@1/2");
    screen.keys(&ctrl('k'));
    screen.shows("go to");
    screen.keys("de\r");
    screen.shows("bob: psst");
    screen.hides("@1/2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_the_members_and_the_keys_are_a_key_away() {
    let town = Town::new().await;
    let screen = town.lobby();
    (0..40).for_each(|n| drop(town.bob.does(&format!("say lobby number-{n}."))));
    screen.shows("number-39.");
    screen.keys(&ctrl('f'));
    screen.keys("number 3\r");
    screen.shows("number-3.");
    screen.keys(ESC);
    screen.hides("search:");
    screen.keys(END);
    screen.shows("number-39.");
    screen.keys(&ctrl('p'));
    screen.shows("● carol");
    screen.keys(&ctrl('p'));
    screen.hides("● carol");
    screen.keys("?");
    screen.shows("who has my last message");
    screen.keys(ESC);
    screen.hides("who has my last message");
    // Drawn anew, it is as it was.
    screen.keys(&ctrl('l'));
    screen.keys("typed");
    screen.shows("lobby> typed");
    screen.shows("number-39.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paste_of_several_lines_is_one_message_that_is_not_said_yet() {
    let town = Town::new().await;
    let screen = town.lobby();
    screen.pastes("one\r\ntwo\x07\nthree");
    screen.shows("three");
    screen.keys(BACKSPACE);
    screen.keys("E\r");
    screen.shows("threE  ✓");
    let history = town.bob.does("history lobby");
    assert!(history.contains("one\n") && history.contains("threE") && !history.contains('\x07'), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_drawn_anew_for_another_size() {
    let town = Town::new().await;
    let screen = town.lobby();
    town.bob.does("say lobby still-here");
    screen.shows("still-here");
    screen.resize(140, 40);
    screen.until("members at the right", |screen| {
        screen.rows(0, 140).any(|row| row.contains("● bob") && row.chars().count() > 130)
    });
    screen.shows("still-here");
    screen.resize(40, 12);
    screen.until("no conversations at the left", |screen| {
        let rows: Vec<String> = screen.rows(0, 40).collect();
        rows.len() == 12
            && rows.iter().any(|row| row.contains("still-here"))
            && !rows.iter().any(|row| row.contains('│'))
    });
    screen.keys("x");
    screen.shows("lobby> x");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_never_steers_the_terminal() {
    let town = Town::new().await;
    let screen = town.lobby();
    let evil = "\x1b]0;owned\x07\x1b[31mred\u{9b}2J\u{202e}\u{2066}\u{200f}end";
    let path = town.folder.path().join("\x1b]0;owned\x07\u{202e}gpj.exe");
    fs::write(&path, "x").unwrap();
    assert_eq!(town.bob.run(&["say", "lobby", evil]).0, 0);
    assert_eq!(town.bob.run(&["share", "lobby", path.to_str().unwrap()]).0, 0);
    screen.shows("end");
    screen.shows("gpj.exe");
    let raw = screen.raw();
    // The window's title is made of letters.
    let mut text = String::from_utf8_lossy(&raw).into_owned();
    for title in ["Rollcall", "Rollcall: lobby"] {
        text = text.replace(&format!("\x1b]2;{title}\x1b\\"), "");
    }
    for bad in ["\x1b]", "\x1b[31mred", "\u{9b}", "\u{202e}", "\u{2066}", "\u{200f}", "\x07"] {
        assert!(!text.contains(bad), "{bad:?} reaches the terminal");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_is_as_it_was_however_it_ends() {
    let town = Town::new().await;
    let mut screen = town.lobby();
    screen.until("the mouse is asked for", |screen| {
        screen.alternate_screen() && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Sgr
    });
    screen.keys("typed");
    screen.shows("lobby> typed");
    // That is for the line, and no interrupt.
    screen.keys(&ctrl('c'));
    screen.hides("typed");
    screen.keys(&ctrl('q'));
    assert!(matches!(screen.ends(), WaitStatus::Exited(_, 0)));
    screen.is_as_before();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut screen = town.screen();
        screen.signal(signal);
        assert!(matches!(screen.ends(), WaitStatus::Exited(_, 0)));
        screen.is_as_before();
    }
    let mut screen = town.screen();
    let status = town.alice.does("status");
    assert!(status.contains("alice"));
    town.alice.does("logout");
    screen.ends();
    screen.is_as_before();
}

/// As that of a connection that hangs.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_takes_nothing_keeps_no_session_from_ending() {
    let town = Town::new().await;
    for ends in ["signal", "logout"] {
        let mut screen = town.screen();
        screen.hangs();
        // There is something to draw.
        screen.keys("typed");
        assert!(town.alice.does("status").contains("alice@"));
        match ends {
            "signal" => screen.signal(Signal::SIGTERM),
            _ => drop(town.alice.does("logout")),
        }
        assert!(matches!(screen.ends(), WaitStatus::Exited(_, 0)), "{ends}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_called_after_the_room_and_then_as_before_where_it_can_be() {
    let town = Town::new().await;
    town.bob.does("join den");
    let mut screen = town.lobby();
    screen.keys("/join den\r");
    screen.shows("den, 2 members");
    let raw = |screen: &Tty| String::from_utf8(screen.raw()).unwrap();
    until("it is called so", || raw(&screen).contains("\x1b]2;Rollcall: den\x1b\\"));
    town.bob.does("say lobby @alice --wait 20");
    until("the mention counts", || raw(&screen).contains("\x1b]2;(1) Rollcall: den\x1b\\"));
    screen.keys(&ctrl('q'));
    screen.ends();
    until("it is called as before", || raw(&screen).ends_with("\x1b[23;2t"));
    assert_eq!(raw(&screen).matches("\x1b[22;2t").count(), 1);
    let console = town.runs(&format!("login alice --tracker {}", town.host.address()), &[("TERM", "linux")]);
    console.shows("Logged in as alice");
    assert!(!raw(&console).contains("\x1b]") && !raw(&console).contains("\x1b[22;2t"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_mouse_the_terminal_selects_text_itself() {
    let town = Town::new().await;
    let screen = town.runs(&format!("login alice --tracker {}", town.host.address()), &[("ROLLCALL_MOUSE", "false")]);
    screen.shows("Logged in as alice");
    screen.until("the mouse is left alone", |screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_screens_and_a_line_chat_are_on_one_session_at_once() {
    let town = Town::new().await;
    assert_eq!(town.alice.log_in_as("alice", town.host.address(), &[]).0, 0);
    town.alice.does("join lobby");
    let (mut one, two) = (town.runs("attach", &[]), town.runs("attach", &[]));
    let plain = town.runs("attach --plain", &[]);
    one.shows("lobby, 3 members");
    two.shows("lobby, 3 members");
    plain.shows("lobby> ");
    one.keys("from the first\r");
    two.shows("alice: from the first  ✓");
    plain.shows("alice: from the first");
    plain.keys("from the line chat\r");
    one.shows("alice: from the line chat  ✓");
    assert!(!plain.text().contains("│") && !String::from_utf8_lossy(&plain.raw()).contains("\x1b[?1049h"));
    one.keys(&ctrl('q'));
    assert!(matches!(one.ends(), WaitStatus::Exited(_, 0)));
    one.is_as_before();
    two.keys("still there\r");
    two.shows("still there  ✓");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_line_that_is_fetched_by_key_and_by_click() {
    let town = Town::new().await;
    let screen = town.lobby();
    let others = tempfile::tempdir().unwrap();
    for name in ["one.txt", "two.txt"] {
        fs::write(others.path().join(name), name).unwrap();
        town.bob.does(&format!("share lobby {}", others.path().join(name).display()));
        screen.shows(&format!("shares {name}"));
    }
    let fetched = |name: &str| fs::read_to_string(town.folder.path().join(name)).is_ok_and(|text| text == name);
    screen.keys(PICK);
    screen.shows("f fetch");
    screen.keys("f");
    until("it is here", || fetched("two.txt"));
    screen.shows("two.txt (7 bytes) is here");
    screen.clicks("shares one.txt");
    screen.shows("f fetch");
    screen.clicks("shares one.txt");
    until("it is here", || fetched("one.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picked_message_is_answered_edited_and_told_who_has_it() {
    let town = Town::new().await;
    let screen = town.lobby();
    town.bob.does("say lobby lunch?");
    screen.shows("bob: lunch?");
    screen.keys(PICK);
    screen.keys("r");
    screen.shows("reply> ");
    screen.keys("at one\r");
    screen.shows("↳ bob: lunch?");
    screen.shows("alice: at one  ✓");
    screen.keys(PICK);
    screen.keys("e");
    screen.shows("edit> at one");
    screen.keys("!\r");
    screen.shows("at one!");
    town.carol.does("logout");
    screen.shows("carol offline");
    screen.keys("anybody?\r");
    screen.clicks("1/2");
    screen.shows("who has it");
    screen.shows("✓ bob");
    screen.shows("· carol");
    screen.keys(ESC);
    screen.hides("who has it");
    screen.keys(PICK);
    screen.keys("dd");
    screen.shows("alice (deleted)");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_read_on_every_screen_and_after_a_restart() {
    let town = Town::new().await;
    assert_eq!(town.alice.log_in_as("alice", town.host.address(), &[]).0, 0);
    town.alice.does("join lobby");
    town.alice.does("join den");
    town.bob.does("join den");
    town.bob.does("say den one --wait 20");
    town.bob.does("say den @alice --wait 20");
    // They begin in the den, the first by name, which is read thereby.
    let (one, two) = (town.runs("attach", &[]), town.runs("attach", &[]));
    one.shows("den, 2 members");
    two.shows("bob (mentions you): @alice");
    // Who came before is folded in the past too.
    one.shows("* bob joined");
    for screen in [&one, &two] {
        screen.keys(&ctrl('n'));
        screen.shows("lobby, 3 members");
    }
    town.bob.does("say den psst --wait 20");
    one.shows("den           1");
    two.shows("den           1");
    drop((one, two));
    town.alice.does("logout");
    assert_eq!(town.alice.log_in_as("alice", town.host.address(), &[]).0, 0);
    let chats = town.alice.does("chats --json");
    assert!(chats.contains(r#""unread":1"#), "{chats}");
    let (one, two) = (town.runs("attach", &[]), town.runs("attach", &[]));
    one.shows("bob: psst");
    two.shows("bob: psst");
    until("it is read", || !town.alice.does("chats --json").contains(r#""unread":1"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_stay_the_session_goes_on_without_its_screen() {
    let town = Town::new().await;
    let login = format!("login alice --tracker {}", town.host.address());
    let stays = [("ROLLCALL_STAY", "true")];
    let mut screen = town.runs(&login, &stays);
    screen.shows("Logged in as alice");
    screen.shows("the session goes on");
    screen.keys("/join lobby\r");
    screen.shows("lobby, 3 members");
    screen.keys(&ctrl('q'));
    assert!(matches!(screen.ends(), WaitStatus::Exited(_, 0)));
    screen.is_as_before();
    screen.shows("alice stays logged in. Come back with: peer attach");
    town.bob.does("say lobby meanwhile --wait 20");
    // The same line comes back.
    let mut screen = town.runs(&login, &stays);
    screen.shows("bob: meanwhile");
    screen.keys("/quit\r");
    screen.ends();
    assert!(town.alice.does("status").contains("alice@"));
    // Without it, the session ends with its screen.
    town.alice.does("logout");
    let mut screen = town.runs(&login, &[]);
    screen.shows("Logged in as alice");
    screen.keys(&ctrl('q'));
    screen.ends();
    assert_eq!(town.alice.run(&["status"]).0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_config_are_those_of_the_screen_and_bad_ones_are_refused_at_once() {
    let town = Town::new().await;
    let config = town.alice.0.path().join("config");
    fs::create_dir_all(&config).unwrap();
    let config = config.join("peer.toml");
    fs::write(&config, "[keys]\nsearch = \"ctrl-t\"\n").unwrap();
    let mut screen = town.lobby();
    screen.keys(&ctrl('t'));
    screen.shows("search:");
    screen.keys(ESC);
    screen.hides("search:");
    screen.keys("?");
    screen.shows("ctrl-T");
    screen.keys(&ctrl('q'));
    screen.ends();
    fs::write(&config, "[keys]\nsaerch = \"ctrl-t\"\n").unwrap();
    let (code, _, err) = town.alice.run(&["login", "alice", "--detach"]);
    assert!(code == 1 && err.contains("saerch") && err.contains("there is search"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_those_that_the_terminal_has() {
    let town = Town::new().await;
    assert_eq!(town.alice.log_in_as("alice", town.host.address(), &[]).0, 0);
    town.alice.does("join lobby");
    town.bob.does("say lobby hello --wait 20");
    let colours = |variables: &[(&str, &str)]| {
        let screen = town.runs("attach", variables);
        screen.shows("bob: hello");
        screen.shows("lobby, 3 members");
        String::from_utf8(screen.raw()).unwrap()
    };
    let all = colours(&[("COLORTERM", "truecolor")]);
    assert!(all.contains("38;2;"));
    let sixteen = colours(&[("TERM", "xterm")]);
    assert!(!sixteen.contains("38;2;") && sixteen.contains("38;5;"), "{sixteen:?}");
    let none = colours(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
    assert!(!none.contains("38;"), "{none:?}");
}
