//! What keeps a login from beginning.

use std::{fs, net::UdpSocket};

use super::{home, run, session};

#[test]
fn a_second_login_on_a_living_session_is_refused_with_its_process() {
    let home = home();
    let _alice = session(home.path(), "alice", |_, _| Vec::new());
    let (code, _, err) = run(home.path(), &["login", "alice", "--headless", "--tracker", "127.0.0.1:9"]);
    assert_eq!(code, 1);
    assert!(err.contains(&format!("already logged in here (process {})", std::process::id())), "{err}");
    assert!(err.contains("peer logout --as alice"), "{err}");
    let (code, _, err) = run(home.path(), &["login", "alice", "--detach", "--tracker", "127.0.0.1:9"]);
    assert_eq!((code, err.contains("peer: alice is already logged in")), (1, true), "{err}");
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let home = home();
    let taken = UdpSocket::bind("[::]:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let login = ["login", "alice", "--headless", "--tracker", "127.0.0.1:9"];
    let (code, _, err) = run(home.path(), &[&login[..], &["--port", &port]].concat());
    assert_eq!(code, 1);
    assert!(err.contains(&port) && err.contains("--port"), "{err}");
    fs::write(home.path().join("alice/profile.toml"), format!("port = {port}\n")).unwrap();
    let (code, _, err) = run(home.path(), &login);
    assert_eq!(code, 1);
    assert!(err.contains("peer login alice --port 0"), "{err}");
}

#[test]
fn a_config_with_an_unknown_setting_is_refused_with_the_nearest() {
    let home = home();
    fs::create_dir(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/peer.toml"), "traker = 'x'\n").unwrap();
    let (code, _, err) = run(home.path(), &["login", "alice", "--headless"]);
    assert_eq!(code, 1);
    assert!(err.contains("did you mean \"tracker\"?"), "{err}");
}

#[test]
fn a_tracker_that_is_no_address_is_refused_before_anything_is_sent() {
    let home = home();
    let (code, _, err) = run(home.path(), &["login", "alice", "--headless", "--tracker", "box:nine"]);
    assert_eq!(code, 1);
    assert!(err.contains("box:nine") && err.contains("HOST:PORT"), "{err}");
    assert!(!home.path().join("alice.sock").exists());
}
