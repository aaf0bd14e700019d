//! The terminal while the screen has it: made ready, and always put back as it was.

use std::{
    io::Write,
    panic,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ratatui::{
    Frame,
    backend::CrosstermBackend,
    crossterm::{
        cursor,
        event::{
            self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, KeyEventKind,
            MouseButton, MouseEventKind,
        },
        queue,
        terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
    },
    layout::{Position, Rect, Size},
};
use tokio::sync::mpsc;

use super::{
    frames::{Frames, write_patiently},
    state::Input,
};

/// Keys that wait.
const KEYS: usize = 256;
/// How long the terminal is asked for a key before it is looked whether the screen is closed.
const PATIENCE: Duration = Duration::from_millis(100);

/// Keeps the window's title, and puts back what was kept (xterm's stack of titles).
const KEEP_TITLE: &[u8] = b"\x1b[22;2t";
const RESTORE_TITLE: &[u8] = b"\x1b[23;2t";

/// Something has panicked: from then on nothing is drawn.
static BROKEN: AtomicBool = AtomicBool::new(false);
/// The window's title is to be put back.
static TITLED: AtomicBool = AtomicBool::new(false);

/// The terminal, in the hands of the screen until this is dropped.
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Frames>>,
    frames: Frames,
    /// What the window is called; `None` where it cannot be called anything.
    title: Option<String>,
    /// Whether the bell rings with the next frame.
    rings: bool,
    closed: Arc<AtomicBool>,
}

impl Terminal {
    /// Takes it; with the mouse, which then selects no text as it does elsewhere.
    pub fn open(mouse: bool) -> Result<Terminal> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            // What is said of a panic is to be read, also of one in a task beside the screen: that closes it.
            panic::set_hook(Box::new(move |info| {
                BROKEN.store(true, Ordering::Relaxed);
                restore();
                before(info);
            }));
        });
        let closed = Arc::new(AtomicBool::new(false));
        terminal::enable_raw_mode().context("cannot use this terminal; try it with --plain")?;
        let has_title = has_title(&std::env::var("TERM").unwrap_or_default());
        TITLED.store(has_title, Ordering::Relaxed);
        let mut entering = Vec::new();
        // Where there is no other screen, what stands there would shine through.
        let clear = terminal::Clear(terminal::ClearType::All);
        queue!(entering, EnterAlternateScreen, clear, EnableBracketedPaste)?;
        if mouse {
            queue!(entering, EnableMouseCapture)?;
        }
        if has_title {
            entering.extend(KEEP_TITLE);
        }
        write_patiently(entering);
        let stops = closed.clone();
        let frames = Frames::new(move || stops.load(Ordering::Relaxed) || BROKEN.load(Ordering::Relaxed));
        let inner =
            frames.and_then(|frames| Ok((ratatui::Terminal::new(CrosstermBackend::new(frames.clone()))?, frames)));
        let inner = inner.inspect_err(|_| restore()).context("cannot draw on this terminal; try it with --plain");
        let (inner, frames) = inner?;
        Ok(Terminal { inner, frames, title: has_title.then(String::new), rings: false, closed })
    }

    /// How large it is.
    pub fn size(&self) -> Result<Size> {
        Ok(self.inner.size()?)
    }

    /// Waits until it is time for a frame, and the one before is written. Cancel-safe.
    pub async fn is_ready(&self, at: Instant) {
        tokio::time::sleep_until(at.into()).await;
        self.frames.are_written().await;
    }

    /// Draws a frame: only what is different from the one before is written. The window is called so.
    pub fn draw(&mut self, title: &str, draw: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
        self.inner.draw(draw)?;
        if let Some(before) = self.title.as_mut().filter(|before| *before != title) {
            *before = title.to_string();
            write!(self.frames, "\x1b]2;{title}\x1b\\")?;
        }
        if std::mem::take(&mut self.rings) {
            self.frames.write_all(b"\x07")?;
        }
        self.frames.send();
        Ok(())
    }

    /// Draws everything anew with the next frame.
    pub fn clear(&mut self) -> Result<()> {
        // Not `ratatui::Terminal::clear`, which asks the terminal where its cursor is and waits for an answer that the keys'
        // thread takes.
        let size = self.inner.size()?;
        Ok(self.inner.resize(Rect::from((Position::ORIGIN, size)))?)
    }

    /// Rings the bell with the next frame.
    pub fn bell(&mut self) {
        self.rings = true;
    }

    /// Whether there is more for the next frame than what has changed on the screen.
    pub fn rings(&self) -> bool {
        self.rings
    }

    /// What is typed, clicked and pasted. It ends when the terminal is gone.
    pub fn inputs(&self) -> mpsc::Receiver<Input> {
        let (inputs, taken) = mpsc::channel(KEYS);
        let closed = self.closed.clone();
        thread::spawn(move || {
            while !closed.load(Ordering::Relaxed) && !BROKEN.load(Ordering::Relaxed) {
                let input = match event::poll(PATIENCE) {
                    Ok(true) => event::read(),
                    Ok(false) => continue,
                    Err(_) => break,
                };
                let Ok(input) = input else { break };
                if let Some(input) = read(input)
                    && inputs.blocking_send(input).is_err()
                {
                    break;
                }
            }
        });
        taken
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        restore();
    }
}

fn read(event: event::Event) -> Option<Input> {
    match event {
        event::Event::Key(key) => (key.kind != KeyEventKind::Release).then_some(Input::Key(key)),
        event::Event::Paste(text) => Some(Input::Paste(text)),
        event::Event::Resize(width, height) => Some(Input::Resize(Size { width, height })),
        event::Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Input::Click(Position::new(mouse.column, mouse.row))),
            MouseEventKind::ScrollUp => Some(Input::Wheel(true)),
            MouseEventKind::ScrollDown => Some(Input::Wheel(false)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a terminal has a window with a title. The console of Linux has none, and takes what would set it for text.
fn has_title(term: &str) -> bool {
    !["linux", "vt100", "vt220", "dumb", ""].contains(&term)
}

fn restore() {
    let mut leaving = Vec::new();
    // It is written into memory, where nothing can fail.
    let _ = queue!(leaving, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    if TITLED.load(Ordering::Relaxed) {
        leaving.extend(RESTORE_TITLE);
    }
    write_patiently(leaving);
    // A terminal that is gone needs no restoring.
    let _ = terminal::disable_raw_mode();
}

#[cfg(test)]
#[path = "../../../tests/terminal/mod.rs"]
mod tty;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{tty::Tty, *};

    /// Set where this test runs once more, on a terminal of its own.
    const ON_TERMINAL: &str = "ROLLCALL_TEST_ON_TERMINAL";

    #[test]
    fn a_panic_anywhere_closes_the_screen_and_leaves_the_terminal_as_it_was() {
        if std::env::var_os(ON_TERMINAL).is_some() {
            let mut terminal = Terminal::open(true).unwrap();
            terminal.draw("", |_| {}).unwrap();
            let mut inputs = terminal.inputs();
            assert!(thread::spawn(|| panic!("the reason")).join().is_err());
            assert!(inputs.blocking_recv().is_none());
            return;
        }
        let name = "cli::screen::terminal::tests::a_panic_anywhere_closes_the_screen_and_leaves_the_terminal_as_it_was";
        let variables = [(ON_TERMINAL, "1"), ("TERM", "xterm")];
        let program = std::env::current_exe().unwrap();
        let mut tty = Tty::start(&program, &["--exact", name, "--nocapture"], &variables, Path::new("/"));
        tty.ends();
        tty.shows("the reason");
        tty.shows("1 passed");
        assert!(String::from_utf8_lossy(&tty.raw()).contains("\x1b[?1049h"));
        tty.is_as_before();
    }
}
