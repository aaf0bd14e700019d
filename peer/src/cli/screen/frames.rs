//! Writes frames in a thread of its own. A terminal that takes nothing, as one whose connection hangs or that is held by
//! ctrl-S, then keeps nobody waiting but who looks at it: the session goes on, and can be ended.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    os::fd::AsFd,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, SyncSender},
    },
    thread,
    time::Duration,
};

use tokio::sync::watch;

/// How long the first and the last word to the terminal may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a terminal that takes nothing just now, and says so, is left alone.
const PAUSE: Duration = Duration::from_millis(10);

/// Whoever writes to the terminal holds it, so that frames are whole.
static WRITING: Mutex<()> = Mutex::new(());

/// What is gathered of a frame, until it is sent. Clones gather the same one.
#[derive(Clone)]
pub struct Frames {
    gathered: Arc<Mutex<Vec<u8>>>,
    frames: SyncSender<Vec<u8>>,
    /// Whether one is being written.
    under_way: watch::Sender<bool>,
}

impl Frames {
    /// Begins the thread, which writes nothing more once it `stops`.
    ///
    /// # Errors
    /// If the process has no more room for what leads to its terminal.
    pub fn new(stops: impl Fn() -> bool + Send + 'static) -> io::Result<Frames> {
        let mut terminal = terminal()?;
        let (frames, to_write) = mpsc::sync_channel::<Vec<u8>>(1);
        let under_way = watch::Sender::new(false);
        let written = under_way.clone();
        thread::spawn(move || {
            for frame in to_write {
                let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
                // One that is gone is noticed where its keys are read.
                if stops() || write(&mut terminal, &frame).is_err() {
                    break;
                }
                written.send_replace(false);
            }
        });
        Ok(Frames { gathered: Arc::default(), frames, under_way })
    }

    /// Has what is gathered written as a frame. To be called only once the one before [is written](Frames::are_written).
    pub fn send(&self) {
        let frame = std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        self.under_way.send_replace(true);
        // Without the thread, there is no terminal that it could be written to.
        let _ = self.frames.try_send(frame);
    }

    /// Waits until nothing is being written. Cancel-safe.
    pub async fn are_written(&self) {
        // It cannot be closed: one end of it is here.
        let _ = self.under_way.subscribe().wait_for(|under_way| !under_way).await;
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    /// Does nothing: a frame is flushed again and again before it is whole.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes that after what is being written, and waits for it, but not for ever.
pub fn write_patiently(bytes: Vec<u8>) {
    let (written, is_written) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        // A terminal that is gone needs nothing.
        let _ = terminal().and_then(|mut terminal| write(&mut terminal, &bytes));
        let _ = written.send(());
    });
    let _ = is_written.recv_timeout(PATIENCE);
}

/// Not the standard library's own way there, which who ends the process would have to wait for.
fn terminal() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

fn write(terminal: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match terminal.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
