//! A real peer on a host, driven as a person or a script would.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use common::{
    AccountName, Domain, Identity,
    wire::control::{Event, Member, MessageEvent, Path as Way, Receipt, Room, Said, Status},
};
use peer::Store;
use serde::Deserialize;
use tokio::runtime::Builder;

use super::{
    binaries,
    control::Control,
    host::Host,
    process::{Output, Process, from_line},
};

/// A user on a host, with a profile of their own; logged in or not.
pub struct Peer {
    host: Host,
    name: String,
    home: PathBuf,
    session: Option<Process>,
}

/// What `login --headless` prints once it is logged in.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Ready {
    /// The account's name.
    pub name: AccountName,
    /// The tracker's domain.
    pub domain: Domain,
    /// The UDP address the peer is bound to.
    pub address: SocketAddr,
    /// The tracker's address.
    pub tracker: SocketAddr,
}

const LOGIN: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(15);

impl Host {
    /// A user here, not logged in yet.
    pub fn peer(&self, name: &str) -> Peer {
        Peer { host: self.clone(), name: name.into(), home: self.folder().join(name), session: None }
    }
}

impl Peer {
    /// What the user is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The host it is on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The folder that holds everything of it: `ROLLCALL_HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The running session.
    #[track_caller]
    pub fn session(&self) -> &Process {
        self.session.as_ref().expect("the peer has logged in")
    }

    /// Writes its `peer.toml`.
    pub fn configure(&self, settings: &str) {
        let folder = self.home.join("config");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("peer.toml"), settings).expect("a file");
    }

    /// Runs `peer login NAME --headless` with further options, and waits until it is logged in.
    #[track_caller]
    pub fn login(&mut self, options: &[&str]) -> Ready {
        self.start(options);
        self.session().wait_for_line(LOGIN, "logged in", |line| {
            let is_ready = line.contains(r#""event":"ready""#);
            is_ready.then(|| from_line(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        })
    }

    /// The same without waiting for anything.
    #[track_caller]
    pub fn start(&mut self, options: &[&str]) {
        self.session = Some(self.host.spawn(self.command(&self.login_arguments(options))));
    }

    /// Starts a session by another command than `login`.
    #[track_caller]
    pub fn session_of(&self, arguments: &[&str]) -> Process {
        self.host.spawn(self.command(arguments))
    }

    /// Runs `peer login NAME --headless` where it is meant to be refused, to its end.
    #[track_caller]
    pub fn try_login(&self, options: &[&str]) -> Output {
        self.host.run(self.command(&self.login_arguments(options)), LOGIN)
    }

    /// Runs `peer` with these arguments.
    #[track_caller]
    pub fn cmd(&self, arguments: &[&str]) -> Output {
        self.cmd_within(ANSWER, arguments)
    }

    /// Runs `peer` with these arguments, for at most so long.
    #[track_caller]
    pub fn cmd_within(&self, deadline: Duration, arguments: &[&str]) -> Output {
        self.host.run(self.command(arguments), deadline)
    }

    /// `peer join`.
    #[track_caller]
    pub fn join(&self, room: &str) {
        self.cmd(&["join", room]).expect(0);
    }

    /// `peer leave`.
    #[track_caller]
    pub fn leave(&self, room: &str) {
        self.cmd(&["leave", room]).expect(0);
    }

    /// `peer status`.
    #[track_caller]
    pub fn status(&self) -> Status {
        self.cmd(&["status", "--json"]).expect(0).json().pop().expect("a line")
    }

    /// `peer rooms`.
    #[track_caller]
    pub fn rooms(&self) -> Vec<Room> {
        self.cmd(&["rooms", "--json"]).expect(0).json()
    }

    /// `peer members`.
    #[track_caller]
    pub fn members(&self, room: &str) -> Vec<Member> {
        self.cmd(&["members", room, "--json"]).expect(0).json()
    }

    /// `peer say`, without waiting for receipts.
    #[track_caller]
    pub fn say(&self, room: &str, text: &str) -> Said {
        self.cmd(&["say", room, text, "--json"]).expect(0).json().pop().expect("a line")
    }

    /// `peer say --wait`: done when every member has it.
    #[track_caller]
    pub fn say_to_all(&self, room: &str, text: &str, wait: Duration) -> Said {
        let seconds = wait.as_secs_f64().to_string();
        let arguments = ["say", room, text, "--wait", &seconds, "--json"];
        self.cmd_within(wait + ANSWER, &arguments).expect(0).json().pop().expect("a line")
    }

    /// `peer receipts`.
    #[track_caller]
    pub fn receipts(&self, id: &str) -> Vec<Receipt> {
        self.cmd(&["receipts", id, "--json"]).expect(0).json()
    }

    /// `peer paths`.
    #[track_caller]
    pub fn paths(&self) -> Vec<Way> {
        self.cmd(&["paths", "--json"]).expect(0).json()
    }

    /// `peer tail`: what has happened in a room after a cursor.
    #[track_caller]
    pub fn tail(&self, room: &str, since: u64) -> Vec<Event> {
        let cursor = since.to_string();
        self.cmd_within(4 * ANSWER, &["tail", room, "--since", &cursor, "--json"]).expect(0).json()
    }

    /// Every message of a room that this peer has, its own among them, in the order in which it shows them.
    #[track_caller]
    pub fn messages(&self, room: &str) -> Vec<MessageEvent> {
        messages(self.tail(room, 0))
    }

    /// The same, of a peer that has died: what it has left on its disk.
    pub fn left_messages(&self, room: &str) -> Vec<MessageEvent> {
        let profile = self.home.join(&self.name);
        let identity = Identity::load_or_create(&profile.join("key")).expect("its key");
        let (store, _) = Store::open(&profile.join("history.db"), &identity.key()).expect("its history opens");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let events = runtime.block_on(store.past(Some(room.parse().expect("a name")), Some(0), u32::MAX));
        messages(events.expect("its history reads"))
    }

    /// A connection to the session's control socket, as a bot has.
    #[track_caller]
    pub fn control(&self) -> Control {
        self.try_control().expect("the session takes connections")
    }

    /// The same, if there is a session that takes connections.
    pub fn try_control(&self) -> io::Result<Control> {
        let socket = find_socket(&self.home)?.ok_or(io::ErrorKind::NotFound)?;
        Control::connect(&socket)
    }

    fn login_arguments<'a>(&'a self, options: &[&'a str]) -> Vec<&'a str> {
        [&["login", &self.name, "--headless"], options].concat()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::path("peer"));
        command
            .args(arguments)
            .env("ROLLCALL_HOME", &self.home)
            .env("NO_COLOR", "1")
            .env("ROLLCALL_DESKTOP_NOTICES", "false");
        command
    }
}

fn messages(events: Vec<Event>) -> Vec<MessageEvent> {
    let message = |event| match event {
        Event::Message(message) => Some(message),
        Event::Member(_) | Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => None,
    };
    events.into_iter().filter_map(message).collect()
}

/// The contract says that all of a profile is below its home, and not where. There is one profile in this home.
fn find_socket(folder: &Path) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find_socket(&path)? {
                return Ok(Some(found));
            }
        } else if path.extension().is_some_and(|extension| extension == "sock") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
