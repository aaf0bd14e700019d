//! For tests: two ends over loopback, each with its own disk.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use common::{
    Identity, RoomName,
    net::{
        endpoint::{self, client_config, server_config},
        stream::FrameReader,
        tls::{Certificate, SERVER_NAME},
    },
    wire::peer::{ALPN, RangeAsk},
};
use quinn::{Connection, Endpoint};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{Files, Serving, Shelf};
use crate::{
    Config,
    core::{
        AskId, Input, LinkId,
        files::{FetchEnd, FetchId, FileInput, FileOutput, Found, Hashed, Mark, Place, ServeEnd},
    },
    net::pool::Pool,
};

/// One end.
pub struct End {
    pub files: Files,
    pub link: LinkId,
    pub disk: TempDir,
    inputs: mpsc::Receiver<Input>,
    _connection: Connection,
    _endpoint: Endpoint,
}

/// A holder that serves what it likes.
pub struct Liar {
    connection: Connection,
    _endpoint: Endpoint,
}

/// What came of a range that was fetched.
#[derive(Debug)]
pub struct Fetched {
    pub end: FetchEnd,
    pub served: Option<ServeEnd>,
    pub got: Vec<u32>,
    pub came: u64,
    pub sent: u64,
}

/// Two ends with a link between them.
pub async fn pair() -> (End, End) {
    let ((one, accepted), (other, dialled)) = linked().await;
    (End::new(one, accepted), End::new(other, dialled))
}

/// An end with a link to a holder that does as the test wants.
pub async fn pair_with_liar() -> (Liar, End) {
    let ((endpoint, connection), (other, dialled)) = linked().await;
    (Liar { connection, _endpoint: endpoint }, End::new(other, dialled))
}

async fn linked() -> ((Endpoint, Connection), (Endpoint, Connection)) {
    let limits = Config::default().link_limits();
    let bound = |seed| {
        let certificate = Certificate::new(&Identity::from_seed([seed; 32])).unwrap();
        let socket = endpoint::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let server = server_config(&certificate, ALPN, &limits).unwrap();
        (endpoint::endpoint(socket, server).unwrap(), certificate)
    };
    let ((one, _), (other, certificate)) = (bound(1), bound(2));
    let config = client_config(&certificate, ALPN, None, &limits).unwrap();
    let dialling = other.connect_with(config, one.local_addr().unwrap(), SERVER_NAME).unwrap();
    let accepting = async { one.accept().await.unwrap().await.unwrap() };
    let (accepted, dialled) = tokio::join!(accepting, dialling);
    ((one, accepted), (other, dialled.unwrap()))
}

impl End {
    fn new(endpoint: Endpoint, connection: Connection) -> End {
        let disk = tempfile::tempdir().unwrap();
        let pool = Pool::new(Serving::new(Shelf::new(disk.path().join("shelf"))));
        let (link, _) = pool.add(connection.clone());
        let (inputs_in, inputs) = mpsc::channel(1_024);
        tokio::spawn(pool.serving().clone().accept(link, connection.clone(), inputs_in.clone()));
        End { files: Files::new(pool, inputs_in), link, disk, inputs, _connection: connection, _endpoint: endpoint }
    }

    /// A path on its disk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.disk.path().join(name)
    }

    /// Writes a file on its disk.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub async fn next(&mut self) -> FileInput {
        loop {
            if let Input::File(input) = self.inputs.recv().await.unwrap() {
                return input;
            }
        }
    }

    /// Hashes one file or folder to be shared.
    pub async fn hash(&mut self, path: &Path) -> Result<Hashed, String> {
        self.files.carry_out(FileOutput::Hash(AskId(1), lobby(), vec![path.into()]));
        match self.next().await {
            FileInput::Hashed(_, _, hashed) => hashed.map(|mut all| all.remove(0)).map_err(|refusal| refusal.message),
            other => panic!("{other:?}"),
        }
    }

    pub async fn check(&mut self, place: &Place, mark: Option<Mark>) -> Found {
        self.files.carry_out(FileOutput::Check(place.clone(), mark));
        match self.next().await {
            FileInput::Found(_, found) => found,
            other => panic!("{other:?}"),
        }
    }

    pub async fn finish(&mut self, place: &Place, overwrite: bool) -> Result<(PathBuf, Mark), String> {
        self.files.carry_out(FileOutput::Finish { place: place.clone(), overwrite });
        match self.next().await {
            FileInput::Finished(_, finished) => finished,
            other => panic!("{other:?}"),
        }
    }

    /// Begins to fetch pieces over its link.
    pub fn begin(&mut self, id: u64, place: &Place, pieces: (u32, u32), limit: Option<u64>) {
        let (fetch, link, place) = (FetchId(id), self.link, place.clone());
        self.files.carry_out(FileOutput::Fetch { fetch, link, room: lobby(), place, pieces, limit });
    }

    /// Fetches pieces from `holder`, which serves what lies at `served`.
    pub async fn fetch(&mut self, holder: &mut End, place: &Place, served: &Place, pieces: (u32, u32)) -> Fetched {
        self.begin(1, place, pieces, None);
        let mut fetched = Fetched { end: FetchEnd::Done, served: None, got: Vec::new(), came: 0, sent: 0 };
        let (mut asked, mut ended) = (false, false);
        while !ended || asked && fetched.served.is_none() {
            tokio::select! {
                input = self.next() => match input {
                    FileInput::Came(_, bytes) => fetched.came += bytes,
                    FileInput::Got(_, piece) => fetched.got.push(piece),
                    FileInput::FetchEnded(_, end) => {
                        fetched.end = end;
                        ended = true;
                    }
                    other => panic!("{other:?}"),
                },
                input = holder.next() => match input {
                    FileInput::Asked(id, ..) => {
                        asked = true;
                        holder.files.carry_out(FileOutput::Serve(id, served.clone()));
                    }
                    FileInput::Sent(_, bytes) => fetched.sent += bytes,
                    FileInput::ServeEnded(_, end) => fetched.served = Some(end),
                    other => panic!("{other:?}"),
                },
            }
        }
        fetched
    }
}

impl Liar {
    /// Answers the next ask with these bytes, and then ends the stream.
    pub async fn answer(&self, bytes: &[u8]) {
        let (mut send, recv) = self.connection.accept_bi().await.unwrap();
        let asked = FrameReader::new(recv).next::<RangeAsk>().await.unwrap();
        assert!(asked.is_some());
        // The other side may have had enough of it before the end.
        let _ = send.write_all(bytes).await;
        let _ = send.finish();
        let _ = send.stopped().await;
    }
}

pub fn lobby() -> RoomName {
    "lobby".parse().unwrap()
}

/// What has been shared, where it lies.
pub fn shared(hashed: &Hashed) -> Place {
    Place { file: hashed.file.clone(), path: hashed.path.clone(), whole: true }
}

/// Bytes of which no two groups are the same.
pub fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&length.to_be_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
