//! Fetching a range of a file from one holder.

use std::{io, ops::Range, sync::Arc, time::Duration};

use bao_tree::io::{
    DecodeError,
    fsm::{ResponseDecoder, ResponseDecoderNext},
};
use common::{
    RoomName,
    frame::Frame,
    net::stream::{FrameReader, write_frames},
    why,
    wire::peer::{Fetch, RangeAnswer, RangeAsk, Serve},
};
use quinn::{Connection, RecvStream};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout},
};

use super::{
    BEHIND,
    proof::{chunks, tree},
    rate::Rate,
    reading::{Reading, SILENCE},
    shelf::Shelf,
    work::Works,
    writing::{Batch, Writer},
};
use crate::{
    core::{
        Input,
        files::{FetchEnd, FetchId, FileInput, Place},
    },
    net::driver::Inputs,
};

/// Bytes that are written to disk together.
const TOGETHER: u64 = 256 * 1024;
/// How long bytes that came wait for more before they are written, so that progress is seen on a slow link too.
const LATEST: Duration = Duration::from_millis(500);

/// One range to be fetched.
pub struct Fetching {
    /// For what comes of it.
    pub id: FetchId,
    /// In which room the file is shared.
    pub room: RoomName,
    /// Where it goes.
    pub place: Place,
    /// The first and the last piece.
    pub pieces: (u32, u32),
    /// How fast it may come: everything, and this file.
    pub rates: [Arc<Rate>; 2],
    /// Where its hashes go.
    pub shelf: Shelf,
    /// Who else works on the file.
    pub works: Works,
    /// Where is told what comes of it.
    pub inputs: Inputs,
}

/// An end before all of it came, or after.
type Ended = Result<(), FetchEnd>;

impl Fetching {
    /// Fetches it over this connection, and tells what comes of it. To be stopped, this is dropped.
    pub async fn run(self, connection: Option<Connection>) {
        let ended = match connection {
            Some(connection) => self.fetch(connection).await,
            None => Err(FetchEnd::Broken("the link is gone".into())),
        };
        self.tell(FileInput::FetchEnded(self.id, ended.err().unwrap_or(FetchEnd::Done))).await;
    }

    async fn tell(&self, input: FileInput) {
        // Without a driver there is nobody left to be told.
        let _ = self.inputs.send(Input::File(input)).await;
    }

    async fn fetch(&self, connection: Connection) -> Ended {
        let grid = self.place.file.grid();
        let range = grid.range(self.pieces.0).start..grid.range(self.pieces.1).end;
        let writer = self.writer().await?;
        let silent = || FetchEnd::Broken(format!("nothing came for {} seconds", SILENCE.as_secs()));
        let stream = timeout(SILENCE, self.ask(&connection, &range)).await.map_err(|_| silent())??;
        self.decode(stream, range, writer).await
    }

    /// Opens what is to be written. Of a folder nothing can be written before its list is here.
    async fn writer(&self) -> Result<Writer, FetchEnd> {
        let (shelf, place, works) = (self.shelf.clone(), self.place.clone(), self.works.clone());
        let needs_list = place.file.is_folder() && self.pieces.0 > 0;
        let opened = spawn_blocking(move || {
            let work = works.on(&place.file.root);
            if needs_list && let Err(error) = work.layout(&shelf, &place.file) {
                return Err(match error.kind() {
                    io::ErrorKind::NotFound => FetchEnd::Broken(why(&error)),
                    _ => FetchEnd::Disk(why(&error)),
                });
            }
            Writer::open(&shelf, &place, work).map_err(|error| disk(&place, &error))
        });
        opened.await.unwrap_or_else(|_| Err(FetchEnd::Broken("this peer ends".into())))
    }

    /// Asks for the range. What is in it follows on the stream.
    async fn ask(&self, connection: &Connection, range: &Range<u64>) -> Result<RecvStream, FetchEnd> {
        let broken = |why: String| FetchEnd::Broken(why);
        let (mut send, recv) = connection.open_bi().await.map_err(|error| broken(error.to_string()))?;
        // Files come behind what is said.
        let _ = send.set_priority(BEHIND);
        let ask = Fetch {
            room: self.room.clone(),
            root: self.place.file.root,
            offset: range.start,
            length: range.end - range.start,
        };
        write_frames(&mut send, &mut [RangeAsk::from(ask).encode()])
            .await
            .map_err(|error| broken(error.to_string()))?;
        let _ = send.finish();
        let mut reader = FrameReader::new(recv);
        match reader.next().await {
            Ok(Some(RangeAnswer::Serve(Serve { refused: None }))) => Ok(reader.into_inner()),
            Ok(Some(RangeAnswer::Serve(Serve { refused: Some(code) }))) => Err(FetchEnd::Refused(code)),
            Ok(None) => Err(broken("it has ended the stream without an answer".into())),
            Err(common::net::stream::ReadError::Frame(bad)) => Err(FetchEnd::Wrong(bad.to_string())),
            Err(error) => Err(broken(error.to_string())),
        }
    }

    /// Takes the range in, group by group. Nothing is handed on to be written that is not proven.
    async fn decode(&self, stream: RecvStream, range: Range<u64>, writer: Writer) -> Ended {
        let file = &self.place.file;
        let reading = Reading::new(stream, self.rates.clone());
        let root = file.root.0.into();
        let mut decoder = ResponseDecoder::new(root, chunks(range.clone(), file.size), tree(file.size), reading);
        let mut writes =
            Writes { fetching: self, at: range.start, next: self.pieces.0, idle: Some(writer), busy: None };
        let mut batch = Batch::default();
        let mut began = Instant::now();
        let end = loop {
            match decoder.next().await {
                ResponseDecoderNext::Done(reading) => break Ok(reading),
                ResponseDecoderNext::More((_, Err(error))) => break Err(unproven(error)),
                ResponseDecoderNext::More((next, Ok(item))) => {
                    decoder = next;
                    if batch.is_empty() {
                        began = Instant::now();
                    }
                    batch.add(item);
                }
            }
            if batch.bytes() >= TOGETHER || began.elapsed() >= LATEST {
                writes.begin(std::mem::take(&mut batch)).await?;
            }
        };
        // What has been proven is kept, however it ended.
        writes.begin(batch).await?;
        writes.settle().await?;
        match end?.ends().await {
            true => Ok(()),
            false => Err(FetchEnd::Wrong("it has sent more than was asked for".into())),
        }
    }
}

/// What is written of a range, while more of it comes.
struct Writes<'a> {
    fetching: &'a Fetching,
    /// Up to where it is on disk.
    at: u64,
    /// The first piece that is not.
    next: u32,
    /// What writes, while it does not.
    idle: Option<Writer>,
    /// What writes, while it does.
    busy: Option<JoinHandle<(Writer, u64, io::Result<()>)>>,
}

impl Writes<'_> {
    /// Begins to write a batch, once the one before is written.
    async fn begin(&mut self, batch: Batch) -> Ended {
        self.settle().await?;
        if let Some(mut writer) = self.idle.take() {
            self.busy = Some(spawn_blocking(move || {
                let written = writer.write(&batch);
                (writer, batch.bytes(), written)
            }));
        }
        Ok(())
    }

    /// Waits for the batch that is being written, and tells of it.
    async fn settle(&mut self) -> Ended {
        let Some(busy) = self.busy.take() else { return Ok(()) };
        let (writer, bytes, written) = busy.await.map_err(|_| FetchEnd::Broken("this peer ends".into()))?;
        let Fetching { id, place, pieces, .. } = self.fetching;
        written.map_err(|error| disk(place, &error))?;
        self.idle = Some(writer);
        self.at += bytes;
        if bytes > 0 {
            self.fetching.tell(FileInput::Came(*id, bytes)).await;
        }
        while self.next <= pieces.1 && place.file.grid().range(self.next).end <= self.at {
            self.fetching.tell(FileInput::Got(*id, self.next)).await;
            self.next += 1;
        }
        Ok(())
    }
}

fn unproven(error: DecodeError) -> FetchEnd {
    match error {
        DecodeError::ParentHashMismatch(_) => FetchEnd::Wrong("it has sent hashes that are not the file's".into()),
        DecodeError::LeafHashMismatch(chunk) => {
            FetchEnd::Wrong(format!("it has sent bytes that are not the file's, from byte {} on", chunk.to_bytes()))
        }
        DecodeError::ParentNotFound(_) | DecodeError::LeafNotFound(_) => {
            FetchEnd::Broken("it has ended the stream before all of it came".into())
        }
        DecodeError::Io(error) => FetchEnd::Broken(why(&error)),
    }
}

/// Why something cannot be written, and what to do about it.
fn disk(place: &Place, error: &io::Error) -> FetchEnd {
    let shown = place.path.display();
    FetchEnd::Disk(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk is full, and {shown} cannot be written: make room")
        }
        io::ErrorKind::FileTooLarge => format!(
            "{shown} cannot be written, since no file may be that large there: cancel it and name another place, or mend that"
        ),
        io::ErrorKind::InvalidData => format!("{error}: see to it"),
        _ => format!("{shown} cannot be written ({}): see to it", why(error)),
    })
}
