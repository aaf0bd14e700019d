//! Four people and a tracker of their own.

use std::{
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use peer::control::socket;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{runtime::Handle, task::block_in_place};
use tracker::{
    Host,
    core::{
        accounts::{Outcome, Wanted},
        invitations::hash_of,
    },
};

use crate::{
    person::{Person, tracker},
    socket::Line,
};

/// Any port of the loopback interface.
pub const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// A token that resets a key.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Looks again until it is so.
#[track_caller]
pub fn until(what: &str, so: impl FnMut() -> bool) {
    until_or(|| what.to_string(), so);
}

/// The same, and how it is then, if it is not so in time.
#[track_caller]
pub fn until_or(how: impl Fn() -> String, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < end, "not in time: {}", how());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Somebody by name; all that [`Person`] can.
pub struct User {
    /// What they are called.
    pub name: &'static str,
    person: Person,
}

impl Deref for User {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.person
    }
}

impl User {
    /// Somebody with a folder of their own, not logged in.
    pub fn new(name: &'static str) -> User {
        User { name, person: Person::new() }
    }

    /// Everything of theirs.
    pub fn home(&self) -> &Path {
        self.0.path()
    }

    /// Logs in there in the background.
    #[track_caller]
    pub fn logs_in(&self, tracker: SocketAddr, more: &[&str]) {
        assert_eq!(self.log_in_as(self.name, tracker, more), (0, String::new()), "{} logs in", self.name);
    }

    /// `peer` in their folder, on pipes.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut peer = Command::new(env!("CARGO_BIN_EXE_peer"));
        peer.args(arguments).env_clear().env("ROLLCALL_HOME", self.home());
        peer.env("ROLLCALL_DESKTOP_NOTICES", "false").stdin(Stdio::null()).stdout(Stdio::piped());
        peer.stderr(Stdio::piped());
        peer
    }

    /// What a command says that does what it should, word by word.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    }

    /// The objects that a command prints.
    #[track_caller]
    pub fn objects(&self, line: &str) -> Vec<Value> {
        let out = self.does(&format!("{line} --json"));
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The socket of their session.
    fn socket(&self) -> PathBuf {
        self.home().join(self.name).with_extension("sock")
    }

    /// A connection to their session.
    pub fn line(&self) -> Line {
        Line::to(&self.socket())
    }

    /// What their session answers, which does what is asked.
    #[track_caller]
    pub fn ask(&self, method: &str, params: Value) -> Value {
        self.line().ask(method, params).unwrap_or_else(|error| panic!("{} {method}: {error}", self.name))
    }

    /// Says something, which everybody has then; its id.
    #[track_caller]
    pub fn says(&self, room: &str, text: &str) -> String {
        let said = self.ask("say", json!({"room": room, "text": text, "wait": 20}));
        assert_eq!(said["pending"], json!([]), "{text}");
        said["id"].as_str().unwrap().into()
    }

    /// What was said in a room, as they have it now; nothing of one that they do not have yet.
    pub fn history(&self, room: &str) -> Vec<Value> {
        self.list("history", json!({"room": room, "limit": 100}))
    }

    /// The list that a method answers with; an empty one where it is refused.
    fn list(&self, method: &str, params: Value) -> Vec<Value> {
        let answer = self.line().ask(method, params).unwrap_or_default();
        answer.as_array().cloned().unwrap_or_default()
    }

    /// The last of it; nothing if nothing was.
    pub fn last(&self, room: &str) -> Value {
        self.history(room).pop().unwrap_or_default()
    }

    /// The message with that text, as they have it now; nothing if there is none.
    pub fn found(&self, room: &str, text: &str) -> Value {
        self.history(room).into_iter().find(|message| message["text"] == text).unwrap_or_default()
    }

    /// Of the objects that a method answers with, that whose field is this; nothing if there is none.
    #[track_caller]
    pub fn one(&self, method: &str, params: Value, field: &str, is: &str) -> Value {
        let all = self.ask(method, params);
        all.as_array().unwrap().iter().find(|object| object[field] == is).cloned().unwrap_or_default()
    }

    /// Somebody in a room, as they see them; nothing if that is no member, or they are not in it yet.
    pub fn member(&self, room: &str, name: &str) -> Value {
        let members = self.list("members", json!({"room": room}));
        members.into_iter().find(|member| member["name"] == name).unwrap_or_default()
    }

    /// A room in the list that they are shown; nothing if it is not in it.
    pub fn room(&self, room: &str) -> Value {
        self.one("rooms", json!({}), "room", room)
    }

    /// A contact of theirs; nothing if that is none.
    pub fn contact(&self, name: &str) -> Value {
        self.one("contacts", json!({}), "name", name)
    }

    /// A file that is shared in a room; nothing if it is not.
    pub fn file(&self, room: &str, name: &str) -> Value {
        self.one("files", json!({"room": room}), "name", name)
    }

    /// Their UDP port.
    pub fn port(&self) -> u16 {
        let status = self.ask("status", json!({}));
        status["address"].as_str().unwrap().parse::<SocketAddr>().unwrap().port()
    }

    /// Whether their session runs.
    pub fn is_logged_in(&self) -> bool {
        self.socket().exists()
    }
}

/// Who there is. Some are logged in.
pub struct Town {
    pub alice: User,
    pub bob: User,
    pub carol: User,
    pub dave: User,
    /// Somebody who is to have a name that another had.
    again: User,
    host: Host,
    _data: TempDir,
}

impl Town {
    /// With these logged in.
    pub async fn of(names: &[&str]) -> Town {
        let data = tempfile::tempdir().unwrap();
        let host = tracker(ANY_PORT, data.path()).await;
        let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(User::new);
        let town = Town { alice, bob, carol, dave, again: User::new("bob"), host, _data: data };
        town.all(|user| {
            if names.contains(&user.name) {
                user.logs_in(town.tracker(), &[]);
            }
        });
        town
    }

    /// Does something with all four at once.
    fn all(&self, doing: impl Fn(&User) + Sync) {
        thread::scope(|scope| {
            for user in [&self.alice, &self.bob, &self.carol, &self.dave] {
                scope.spawn(|| doing(user));
            }
        });
    }

    /// Where the tracker is.
    pub fn tracker(&self) -> SocketAddr {
        self.host.address()
    }

    /// Makes them members of a room, who all reach each other.
    #[track_caller]
    pub fn gather(&self, room: &str, users: &[&User]) {
        for user in users {
            user.ask("join", json!({"room": room}));
        }
        for user in users {
            until("they reach each other", || {
                let members = user.ask("members", json!({"room": room}));
                let members = members.as_array().unwrap();
                members.len() == users.len()
                    && members.iter().all(|one| one["path"] == "direct" || one["path"] == "self")
            });
        }
    }

    /// Makes two contacts.
    pub fn befriend(&self, one: &User, other: &User) {
        one.ask("add", json!({"name": other.name}));
        until("they are asked", || other.contact(one.name)["state"] == "asks");
        other.ask("accept_contact", json!({"name": one.name}));
        until("they are contacts", || one.contact(other.name)["online"] == true);
    }

    /// Somebody else logs in as bob, with another key, by the word of whoever runs the tracker.
    pub fn bob_comes_with_another_key(&self) {
        let wanted = Wanted::ResetKey { name: "bob".parse().unwrap(), hash: hash_of(TOKEN).unwrap() };
        let asker = self.host.asker();
        let outcome = block_in_place(|| Handle::current().block_on(asker.operate(wanted)));
        assert_eq!(outcome, Some(Outcome::Done));
        self.again.logs_in(self.tracker(), &["--invite", TOKEN]);
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        // Nobody is there to hear the last word, for which a session takes its time.
        for user in [&self.alice, &self.bob, &self.carol, &self.dave, &self.again] {
            if let Some(process) = socket::process(&user.socket()) {
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
        }
    }
}
