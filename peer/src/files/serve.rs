//! Serving ranges of files to others.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use common::{
    file::{FileInfo, GROUP},
    frame::Frame,
    net::stream::{FrameReader, write_frames},
    why,
    wire::peer::{Fetch, RangeAnswer, RangeAsk, Serve, ServeCode},
};
use dashmap::DashMap;
use quinn::{Connection, RecvStream, SendStream, VarInt};
use tokio::{sync::oneshot, task::spawn_blocking, time::timeout};

use super::{
    BEHIND,
    proof::Encoder,
    rate::Rate,
    run::Run,
    shelf::{Hashes, Shelf},
    work::{Work, Works},
};
use crate::{
    core::{
        Input, LinkId,
        files::{FileInput, Place, ServeEnd, ServeId},
    },
    net::driver::Inputs,
};

/// How long who opens a stream may take to say what for.
const ASKING: Duration = Duration::from_secs(5);
/// How long the other side may take nothing before a range is served no further.
const STALLED: Duration = Duration::from_secs(60);
/// Bytes that are read from disk at once; as many again wait to be sent.
const AHEAD: usize = 256 * 1024;
/// With this code a stream ends whose range is not to be served any more.
const NO_LONGER: VarInt = VarInt::from_u32(3);
/// With this code a stream ends that has not been asked anything of.
const NOT_ASKED: VarInt = VarInt::from_u32(1);

type Decision = Result<Place, ServeCode>;

/// The ranges that others ask for.
#[derive(Clone, Debug)]
pub struct Serving {
    /// Where the hashes are.
    pub shelf: Shelf,
    /// Who works on which file.
    pub works: Works,
    /// How fast files may go out.
    pub up: Arc<Rate>,
    waiting: Arc<DashMap<ServeId, oneshot::Sender<Decision>>>,
    /// Ranges that are being sent, and whether they are not to be any more.
    stopped: Arc<DashMap<ServeId, Arc<AtomicBool>>>,
    last: Arc<AtomicU64>,
}

impl Serving {
    /// With hashes on this shelf.
    pub fn new(shelf: Shelf) -> Serving {
        Serving {
            shelf,
            works: Works::default(),
            up: Arc::new(Rate::new(0)),
            waiting: Arc::default(),
            stopped: Arc::default(),
            last: Arc::default(),
        }
    }

    /// What is to be done about one that was asked for; nothing if who asked has gone. One that is being sent can still be
    /// refused: no more of it leaves.
    pub fn decide(&self, id: ServeId, decision: Decision) {
        if let Some((_, waiting)) = self.waiting.remove(&id) {
            // Who asked may be going just now.
            let _ = waiting.send(decision);
        } else if let (Err(_), Some(stopped)) = (decision, self.stopped.get(&id)) {
            stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Takes what is asked for on a link, until it is gone. How much that can be at once is bounded by the streams of a link.
    pub async fn accept(self, link: LinkId, connection: Connection, inputs: Inputs) {
        while let Ok((send, recv)) = connection.accept_bi().await {
            tokio::spawn(self.clone().answer(link, send, recv, inputs.clone()));
        }
    }

    async fn answer(self, link: LinkId, mut send: SendStream, recv: RecvStream, inputs: Inputs) {
        let mut reader = FrameReader::new(recv);
        let Ok(Ok(Some(RangeAsk::Fetch(ask)))) = timeout(ASKING, reader.next()).await else {
            let _ = send.reset(NOT_ASKED);
            return;
        };
        let id = ServeId(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let _ = send.set_priority(behind(id));
        let (decide, decision) = oneshot::channel();
        self.waiting.insert(id, decide);
        let tell = |input| async { inputs.send(Input::File(input)).await.is_ok() };
        if !tell(FileInput::Asked(id, link, ask.clone())).await {
            return;
        }
        let decision = tokio::select! {
            biased;
            decision = decision => decision.unwrap_or(Err(ServeCode::NotHere)),
            _ = send.stopped() => {
                self.waiting.remove(&id);
                tell(FileInput::ServeEnded(id, ServeEnd::Broken)).await;
                return;
            }
        };
        match decision {
            Err(code) => refuse(&mut send, code).await,
            Ok(place) => {
                let stopped = Arc::new(AtomicBool::new(false));
                self.stopped.insert(id, stopped.clone());
                let end = self.serve(id, &ask, place, &mut Sending { send, stopped }, &inputs).await;
                self.stopped.remove(&id);
                tell(FileInput::ServeEnded(id, end)).await;
            }
        }
    }

    async fn serve(&self, id: ServeId, ask: &Fetch, place: Place, sending: &mut Sending, inputs: &Inputs) -> ServeEnd {
        let Some(range) = range(ask, &place.file) else {
            refuse(&mut sending.send, ServeCode::NotHere).await;
            return ServeEnd::Done;
        };
        let (shelf, work) = (self.shelf.clone(), self.works.on(&place.file.root));
        let mut ahead = spawn_blocking(move || Source::open(&shelf, &place, work, range).and_then(Source::read));
        let mut begun = false;
        loop {
            let (source, read) = match ahead.await {
                Ok(Ok(read)) => read,
                Ok(Err(why)) => {
                    if begun {
                        // What was good before still arrives; that it is not all shows by the end.
                        let _ = sending.send.finish();
                    } else {
                        refuse(&mut sending.send, ServeCode::NotHere).await;
                    }
                    return ServeEnd::Changed(why);
                }
                Err(_) => return ServeEnd::Broken,
            };
            if !begun && !answer(&mut sending.send, None).await {
                return ServeEnd::Broken;
            }
            begun = true;
            if read.encoded.is_empty() {
                break;
            }
            // The next is read while this is sent.
            ahead = spawn_blocking(move || source.read());
            if self.send(sending, read.encoded).await.is_none() {
                return ServeEnd::Broken;
            }
            let sent = FileInput::Sent(id, read.bytes);
            if inputs.send(Input::File(sent)).await.is_err() {
                return ServeEnd::Broken;
            }
        }
        let _ = sending.send.finish();
        match timeout(STALLED, sending.send.stopped()).await {
            Ok(Ok(None)) => ServeEnd::Done,
            _ => ServeEnd::Broken,
        }
    }

    /// Sends bytes as fast as they may go. `None` if the other side takes no more, or is to get no more.
    async fn send(&self, sending: &mut Sending, mut bytes: Bytes) -> Option<()> {
        while !bytes.is_empty() {
            if sending.stopped.load(Ordering::Relaxed) {
                let _ = sending.send.reset(NO_LONGER);
                return None;
            }
            let now = bytes.split_to(self.up.portion(bytes.len()));
            self.up.pass(now.len()).await;
            timeout(STALLED, sending.send.write_chunk(now)).await.ok()?.ok()?;
        }
        Some(())
    }
}

/// A range that is being sent.
struct Sending {
    send: SendStream,
    stopped: Arc<AtomicBool>,
}

/// Files come behind what is said, and ranges one after the other, so that each is whole sooner.
fn behind(id: ServeId) -> i32 {
    BEHIND - (id.0 % (1 << 30)) as i32
}

/// The range that is asked for, if it is one of the file.
fn range(ask: &Fetch, file: &FileInfo) -> Option<Range<u64>> {
    let end = ask.offset.checked_add(ask.length)?;
    let fits = ask.root == file.root
        && ask.length > 0
        && ask.offset.is_multiple_of(GROUP)
        && (end == file.size || end < file.size && end.is_multiple_of(GROUP));
    fits.then_some(ask.offset..end)
}

async fn refuse(send: &mut SendStream, code: ServeCode) {
    if answer(send, Some(code)).await {
        let _ = send.finish();
        // Dropped before, it would be reset.
        let _ = timeout(ASKING, send.stopped()).await;
    }
}

async fn answer(send: &mut SendStream, refused: Option<ServeCode>) -> bool {
    write_frames(send, &mut [RangeAnswer::from(Serve { refused }).encode()]).await.is_ok()
}

/// What is read of a range, and goes on being read.
struct Source {
    hashes: Hashes,
    run: Run,
    encoder: Encoder,
}

/// A part of a range.
struct Read {
    /// As it is sent; empty behind the last.
    encoded: Bytes,
    /// How many bytes of the file are in it.
    bytes: u64,
}

impl Source {
    fn open(shelf: &Shelf, place: &Place, work: Arc<Work>, range: Range<u64>) -> Result<Source, String> {
        let hashes = shelf
            .hashes(&place.file.root, place.file.size)
            .map_err(|error| format!("the hashes of {} cannot be read: {}", place.path.display(), why(&error)))?;
        Ok(Source { encoder: Encoder::new(&hashes, range), hashes, run: Run::to_read(shelf, place, work) })
    }

    fn read(mut self) -> Result<(Source, Read), String> {
        let mut out = BytesMut::with_capacity(AHEAD + 2 * GROUP as usize);
        let mut bytes = 0;
        while out.len() < AHEAD {
            match self.encoder.step(&self.hashes, &mut self.run, &mut out) {
                Ok(Some(of_file)) => bytes += of_file as u64,
                Ok(None) => break,
                Err(unproven) => return Err(format!("{}: {unproven}", self.run.base().display())),
            }
        }
        Ok((self, Read { encoded: out.freeze(), bytes }))
    }
}
