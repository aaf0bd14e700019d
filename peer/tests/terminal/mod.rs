//! A program on a pseudo terminal of its own: keys go in as bytes, and what it draws is read as a terminal would.

// Each file of tests uses a part of it.
#![allow(dead_code)]

use std::{
    ffi::CString,
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use nix::{
    fcntl::OFlag,
    pty::{grantpt, posix_openpt, ptsname_r, unlockpt},
    spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn},
    sys::{
        signal::{Signal, kill},
        stat::Mode,
        termios::{Termios, tcgetattr},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// `POSIX_SPAWN_SETSID`, which is not among the flags that `nix` names: a session of its own, whose terminal is the first
/// that it opens.
const SET_SID: i32 = 0x80;

/// A program on its terminal; it ends with this.
pub struct Tty {
    pid: Pid,
    ended: Option<WaitStatus>,
    name: String,
    keys: File,
    /// Open as long as this is, so that what the program leaves behind can be looked at.
    line: File,
    before: Termios,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

struct Seen {
    terminal: vt100::Parser,
    raw: Vec<u8>,
    /// Whether nothing is to be read any more, and whether nothing is.
    hangs: bool,
    is_over: bool,
}

impl Tty {
    /// Starts a program in a folder, with these variables and no others.
    pub fn start(program: &Path, arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> Tty {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname_r(&master).unwrap();
        let open =
            |path: &str| OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(path);
        let line = open(&name).unwrap();
        size(&name, 80, 24);
        let before = tcgetattr(&line).unwrap();

        let mut actions = PosixSpawnFileActions::init().unwrap();
        actions.add_open(0, name.as_str(), OFlag::O_RDWR, Mode::empty()).unwrap();
        actions.add_dup2(0, 1).unwrap();
        actions.add_dup2(0, 2).unwrap();
        let mut attributes = PosixSpawnAttr::init().unwrap();
        attributes.set_flags(PosixSpawnFlags::from_bits_retain(SET_SID)).unwrap();
        let text = |text: &str| CString::new(text).unwrap();
        // What it fetches is put where it runs.
        let begin = ["env", "-C", folder.to_str().unwrap(), program.to_str().unwrap()];
        let arguments: Vec<CString> = begin.iter().chain(arguments).map(|argument| text(argument)).collect();
        let variables: Vec<CString> = variables.iter().map(|(name, value)| text(&format!("{name}={value}"))).collect();
        let pid = posix_spawn("/usr/bin/env", &actions, &attributes, &arguments, &variables).unwrap();

        let keys = File::from(std::os::fd::OwnedFd::from(master));
        let terminal = vt100::Parser::new(24, 80, 0);
        let seen = Seen { terminal, raw: Vec::new(), hangs: false, is_over: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let (output, taken) = (keys.try_clone().unwrap(), seen.clone());
        thread::spawn(move || look(output, &taken));
        Tty { pid, ended: None, name, keys, line, before, seen }
    }

    /// Sends what a terminal sends for keys.
    pub fn keys(&self, keys: &str) {
        (&self.keys).write_all(keys.as_bytes()).unwrap();
    }

    /// Pastes a text, as a terminal does it for who asks to be told.
    pub fn pastes(&self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Clicks on a text that is shown.
    pub fn clicks(&self, text: &str) {
        self.shows(text);
        let (column, row) = self.place(text).unwrap_or_else(|| panic!("{text:?} is gone:\n{}", self.text()));
        self.keys(&format!("\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m"));
    }

    /// Where a text is shown, counted from 1.
    fn place(&self, text: &str) -> Option<(usize, usize)> {
        let seen = self.seen.0.lock().unwrap();
        let screen = seen.terminal.screen();
        let rows: Vec<String> = screen.rows(0, screen.size().1).collect();
        rows.iter().enumerate().find_map(|(at, row)| {
            let before = &row[..row.find(text)?];
            Some((before.chars().count() + 1, at + 1))
        })
    }

    /// What is on it.
    pub fn text(&self) -> String {
        self.seen.0.lock().unwrap().terminal.screen().contents()
    }

    /// Every byte that was written to it.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().raw.clone()
    }

    /// Waits until it is as it should be.
    pub fn until(&self, what: &str, so: impl Fn(&vt100::Screen) -> bool) {
        let (seen, news) = &*self.seen;
        let seen = seen.lock().unwrap();
        let (seen, waited) = news.wait_timeout_while(seen, PATIENCE, |seen| !so(seen.terminal.screen())).unwrap();
        assert!(!waited.timed_out(), "{what}: not in time:\n{}", seen.terminal.screen().contents());
    }

    /// Waits until a text is on it.
    pub fn shows(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Waits until a text is not on it any more.
    pub fn hides(&self, text: &str) {
        self.until(text, |screen| !screen.contents().contains(text));
    }

    /// Has the terminal take nothing any more, as one whose connection hangs, and fills what is before it.
    pub fn hangs(&self) {
        self.seen.0.lock().unwrap().hangs = true;
        let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
        let mut line = OpenOptions::new().write(true).custom_flags(flags.bits()).open(&self.name).unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            match line.write(b"        ") {
                Ok(_) => {}
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => panic!("{error}"),
                // What was being read made room once more.
                Err(_) if !self.seen.0.lock().unwrap().is_over => thread::yield_now(),
                Err(_) => return,
            }
            assert!(Instant::now() < end, "it takes everything");
        }
    }

    /// Gives the terminal another size, as a person does who pulls at its window.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.seen.0.lock().unwrap().terminal.screen_mut().set_size(rows, columns);
        size(&self.name, columns, rows);
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    /// Waits for its end.
    pub fn ends(&mut self) -> WaitStatus {
        let end = Instant::now() + PATIENCE;
        while self.ended.is_none() {
            assert!(Instant::now() < end, "it does not end:\n{}", self.text());
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)).unwrap() {
                WaitStatus::StillAlive => thread::sleep(Duration::from_millis(20)),
                status => self.ended = Some(status),
            }
        }
        self.ended.unwrap()
    }

    /// Checks that the program has left the terminal as it was.
    pub fn is_as_before(&self) {
        self.until("the terminal is as it was", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        let now = tcgetattr(&self.line).unwrap();
        let flags = |termios: &Termios| (termios.input_flags, termios.output_flags, termios.local_flags);
        assert_eq!(flags(&now), flags(&self.before));
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        }
    }
}

/// The kernel tells the program of it.
fn size(terminal: &str, columns: u16, rows: u16) {
    let arguments = ["-F", terminal, "cols", &columns.to_string(), "rows", &rows.to_string()];
    assert!(Command::new("stty").args(arguments).stdin(Stdio::null()).status().unwrap().success());
}

/// Reads what is drawn, and answers where a terminal has to.
fn look(mut output: File, seen: &(Mutex<Seen>, Condvar)) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count) = output.read(&mut bytes)
        && count > 0
    {
        let mut seen_now = seen.0.lock().unwrap();
        seen_now.terminal.process(&bytes[..count]);
        seen_now.raw.extend(&bytes[..count]);
        let (row, column) = seen_now.terminal.screen().cursor_position();
        seen.1.notify_all();
        if seen_now.hangs {
            seen_now.is_over = true;
            return;
        }
        drop(seen_now);
        if bytes[..count].windows(4).any(|asked| asked == b"\x1b[6n") {
            let _ = output.write_all(format!("\x1b[{};{}R", row + 1, column + 1).as_bytes());
        }
    }
}
