//! A chat line by line, on pipes.

use std::{
    cell::{Cell, RefCell},
    io::{BufReader, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use crate::town::{User, until};

/// One that runs; it is killed with this.
pub struct Chat {
    child: RefCell<Child>,
    stdin: RefCell<Option<ChildStdin>>,
    shown: Arc<Mutex<Vec<u8>>>,
    /// Where in that the answers to the last line begin.
    from: Cell<usize>,
    lines: Cell<u32>,
}

impl Chat {
    /// On somebody's session, once it has begun.
    pub fn on(user: &User) -> Chat {
        Chat::begin(user.command(&["attach", "--plain"]))
    }

    /// By a command.
    pub fn begin(mut command: Command) -> Chat {
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let shown = Arc::new(Mutex::new(Vec::new()));
        let taken = shown.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                taken.lock().unwrap().extend(&bytes[..count]);
            }
        });
        let chat = Chat { child: child.into(), stdin: stdin.into(), shown, from: 0.into(), lines: 0.into() };
        until("the chat begins", || !chat.all().is_empty() || chat.has_ended());
        chat
    }

    /// Types a line.
    pub fn types(&self, line: &str) {
        self.from.set(self.all().len());
        writeln!(self.stdin.borrow().as_ref().unwrap(), "{line}").unwrap();
    }

    /// Waits until what was typed before is done and shown: lines are dealt with one after the other.
    pub fn is_over_with_the_last(&self) {
        self.lines.set(self.lines.get() + 1);
        let line = format!("no-command-{}", self.lines.get());
        self.types(&format!("/{line}"));
        until("the line before is done", || self.shown().contains(&line));
    }

    /// What it has shown since the last line was typed.
    pub fn shown(&self) -> String {
        self.all()[self.from.get()..].to_string()
    }

    /// All that it has shown.
    pub fn all(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// The code with which it has ended, if it has.
    pub fn code(&self) -> Option<i32> {
        self.child.borrow_mut().try_wait().unwrap()?.code()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.code().is_some()
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}
