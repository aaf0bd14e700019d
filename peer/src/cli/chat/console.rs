//! Where lines are typed and shown: a terminal with an editor, or pipes.
//!
//! Both block, so each has a thread to read and one to print. The reader reads one line for each prompt it is given.

use std::{
    collections::VecDeque,
    io::{self, BufRead, IsTerminal, Write},
    sync::mpsc as blocking,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use rustyline::{
    Config, Editor, ExternalPrinter, Helper, completion::Completer, highlight::Highlighter, hint::Hinter,
    history::DefaultHistory, validate::Validator,
};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

use super::talk::NO_ROOM;
use crate::cli::table;

/// Lines on their way to the terminal, at the most; further ones wait with the events they come from.
const PRINTING: usize = 64;

/// How long the last lines may take.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Lines in and out.
pub struct Console {
    /// Lines that are typed.
    pub input: Input,
    /// That a line is being typed.
    pub typing: Typing,
    /// Lines that are shown.
    pub output: Output,
    /// How many columns those have, if they are shown on a terminal.
    pub width: fn() -> Option<usize>,
    _terminal: Option<Terminal>,
}

/// A line that is asked for: what stands before it, and what of it stands there already.
struct Asked {
    prompt: String,
    begun: String,
}

/// Lines that are typed.
pub struct Input {
    prompts: blocking::Sender<Asked>,
    typed: mpsc::Receiver<String>,
}

/// That something to be said is being typed, where that is seen.
pub struct Typing(Option<mpsc::Receiver<()>>);

/// Lines that are shown.
pub struct Output {
    printing: mpsc::Sender<String>,
    printed: oneshot::Receiver<()>,
}

/// Whether this process has a terminal on which a typed line can be edited. Some only print, as that of an editor's shell.
pub fn can_edit() -> bool {
    /// Those that the editor takes for such.
    const PLAIN: [&str; 3] = ["dumb", "cons25", "emacs"];
    let is_plain = std::env::var("TERM").is_ok_and(|term| PLAIN.contains(&term.to_lowercase().as_str()));
    !is_plain && io::stdin().is_terminal() && io::stdout().is_terminal()
}

impl Console {
    /// The terminal, with an editor for the line that is typed; what is printed meanwhile goes above it.
    pub fn terminal() -> Result<Console> {
        let terminal = Terminal::remember();
        let (notices, typing) = mpsc::channel(1);
        let mut editor = Editor::<Noticing, DefaultHistory>::with_config(Config::default())
            .context("cannot use this terminal; try it with --headless")?;
        editor.set_helper(Some(Noticing(notices)));
        let mut printer = editor.create_external_printer().context("cannot print to this terminal")?;
        let mut console = Console::new(
            move |prompt, begun| {
                let line = editor.readline_with_initial(prompt, (begun, "")).ok()?;
                // Without one, the arrow keys would only not bring it back.
                let _ = editor.add_history_entry(&line);
                if prompt != NO_ROOM && is_said(&line) {
                    // It comes back when it is said.
                    wipe(prompt, &line, editor.dimensions().map_or(80, |(columns, _)| usize::from(columns)));
                }
                Some(line)
            },
            move |line| printer.print(line).is_ok(),
        );
        (console.typing, console.width) = (Typing(Some(typing)), table::terminal);
        Ok(Console { _terminal: terminal, ..console })
    }

    /// Pipes: lines from stdin as they are, without a prompt.
    pub fn pipe() -> Result<Console> {
        let read = |_: &str, _: &str| io::stdin().lock().lines().next()?.ok();
        let console = Console::new(read, |line| io::stdout().lock().write_all(line.as_bytes()).is_ok());
        Ok(Console { width: table::terminal, ..console })
    }

    /// Whatever `read` reads after a prompt, with what is begun of the line, and `write` shows; both may block.
    pub fn new(
        mut read: impl FnMut(&str, &str) -> Option<String> + Send + 'static,
        mut write: impl FnMut(String) -> bool + Send + 'static,
    ) -> Console {
        let (prompts, asked) = blocking::channel::<Asked>();
        let (answer, typed) = mpsc::channel(1);
        let (printing, mut lines) = mpsc::channel(PRINTING);
        thread::spawn(move || {
            while let Some(line) = asked.recv().ok().and_then(|asked| read(&asked.prompt, &asked.begun)) {
                if answer.blocking_send(line).is_err() {
                    break;
                }
            }
        });
        // Apart from the chat, because the editor takes lines only while it reads one.
        let (all, printed) = oneshot::channel();
        thread::spawn(move || {
            while lines.blocking_recv().is_some_and(&mut write) {}
            // Nobody waits for it when the session was ended from outside.
            let _ = all.send(());
        });
        Console {
            input: Input { prompts, typed },
            typing: Typing(None),
            output: Output { printing, printed },
            width: || None,
            _terminal: None,
        }
    }
}

impl Input {
    /// Asks for one line, of which this stands there already; pipes have no use for that.
    pub fn ask(&self, prompt: String, begun: String) {
        // Fails when there are no more lines, which `line` tells.
        let _ = self.prompts.send(Asked { prompt, begun });
    }

    /// The line that was asked for; `None` when there are no more. Cancel-safe.
    pub async fn line(&mut self) -> Option<String> {
        self.typed.recv().await
    }
}

impl Typing {
    /// Waits until something to be said is being typed; for ever, where that is not seen. Cancel-safe.
    pub async fn seen(&mut self) {
        if let Some(typing) = &mut self.0
            && typing.recv().await.is_none()
        {
            self.0 = None;
        }
        if self.0.is_none() {
            std::future::pending().await
        }
    }
}

impl Output {
    /// Prints the first of `lines` once there is room; false if nobody reads any more. Cancel-safe.
    pub async fn print(&self, lines: &mut VecDeque<String>) -> bool {
        let Ok(room) = self.printing.reserve().await else { return false };
        if let Some(line) = lines.pop_front() {
            room.send(line + "\n");
        }
        true
    }

    /// Prints the last lines.
    pub async fn finish(self, mut lines: VecDeque<String>) {
        let all = async {
            while !lines.is_empty() && self.print(&mut lines).await {}
            drop(self.printing);
            let _ = self.printed.await;
        };
        // A terminal that takes nothing must not keep the session.
        let _ = time::timeout(LAST_LINES, all).await;
    }
}

/// Notices that a line is being typed. It hints at nothing itself: the editor asks for a hint at every key.
struct Noticing(mpsc::Sender<()>);

impl Hinter for Noticing {
    type Hint = String;

    fn hint(&self, line: &str, _: usize, _: &rustyline::Context<'_>) -> Option<String> {
        if is_said(line) {
            // One notice that waits is enough.
            let _ = self.0.try_send(());
        }
        None
    }
}

impl Completer for Noticing {
    type Candidate = String;
}

impl Highlighter for Noticing {}
impl Validator for Noticing {}
impl Helper for Noticing {}

/// The terminal as it was: the editor changes it while it reads a line, and the session may end just then.
struct Terminal(Termios);

impl Terminal {
    fn remember() -> Option<Terminal> {
        tcgetattr(io::stdin()).ok().map(Terminal)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
        let _ = io::stdout().write_all(b"\r\x1b[K");
        let _ = io::stdout().flush();
    }
}

fn is_said(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && (!line.starts_with('/') || line.starts_with("//"))
}

/// Takes a typed line off the screen. Counts narrow characters, so that it wipes too little rather than too much.
fn wipe(prompt: &str, line: &str, columns: usize) {
    let rows = |text: &str| text.chars().count() / columns.max(1) + 1;
    // What was pasted may have several lines.
    let rows: usize = format!("{prompt}{line}").split('\n').map(rows).sum();
    let _ = io::stdout().write_all(format!("\x1b[{rows}A\r\x1b[J").as_bytes());
    let _ = io::stdout().flush();
}
