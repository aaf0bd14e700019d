//! How long a file takes from one member to another, from three to one and from one to three, and what it costs, beside a
//! plain copy of the same file over QUIC and over TCP. `cargo bench -p tests --bench files`.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::Instant,
};

use common::{
    RoomName,
    wire::control::files::{AnswerFiles, AskFiles, Get, OfRoom, Share, TransferId, TransferState},
};
use peer::{Config, Handle};
use tempfile::TempDir;
use tests::{
    copy,
    loopback::{self, until},
    measure::{self, quantile},
};

const MIB: u64 = 1024 * 1024;
const FILE: u64 = 256 * MIB;
/// Each way is measured so often, in turns; the median counts.
const ROUNDS: usize = 5;
const NAME: &str = "film.mkv";

/// What one copy took.
#[derive(Clone, Copy)]
struct Cost {
    time: f64,
    cpu: f64,
}

fn main() {
    println!("{}", measure::machine());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join(NAME);
        let mut file = File::create(&source).expect("a new file");
        io::copy(&mut File::open("/dev/urandom").expect("random bytes").take(FILE), &mut file).expect("space");
        let mut costs: [Vec<Cost>; 7] = Default::default();
        for round in 0..ROUNDS {
            let to = |what: &str| folder.path().join(format!("{what} {round}"));
            costs[0].push(measured(copy::over_quic(&source, &to("quic"))).await);
            costs[1].push(measured(copy::over_tcp(&source, &to("tcp"))).await);
            let room = Room::gather(4).await;
            costs[2].push(measured(room.share(0, &source)).await);
            costs[3].push(measured(room.fetch(&[1])).await);
            room.fetch(&[2]).await;
            costs[4].push(measured(room.fetch(&[3])).await);
            room.end().await;
            let room = Room::gather(4).await;
            room.share(0, &source).await;
            costs[5].push(measured(room.fetch(&[1, 2, 3])).await);
            room.end().await;
            costs[6].push(
                measured(async {
                    std::hint::black_box(hash(&source));
                })
                .await,
            );
            for copy in [to("quic"), to("tcp")] {
                fs::remove_file(copy).expect("it is there");
            }
        }
        let [quic, tcp, sharing, one, three_to_one, one_to_three, hashing] = costs.map(median);
        let row = |what: &str, cost: Cost| {
            vec![
                what.to_string(),
                format!("{:.2}", cost.time / quic.time),
                format!("{:.2}", cost.time / tcp.time),
                format!("{:.2}", cost.cpu * (1024 * MIB) as f64 / FILE as f64),
            ]
        };
        let rows = [
            row("plain copy over QUIC", quic),
            row("plain copy over TCP, not encrypted", tcp),
            row("from one to one", one),
            row("from three to one", three_to_one),
            row("from one to three, until the last has it", one_to_three),
        ];
        let title = format!("{} MiB over loopback, both ends on this machine:", FILE / MIB);
        let head = ["", "time, of QUIC's", "time, of TCP's", "absolute: CPU seconds a GiB, all ends"];
        measure::table(&title, &head, &rows);
        println!("\nSharing takes {:.2} times as long as hashing with BLAKE3 alone.", sharing.time / hashing.time);
    });
}

async fn measured(doing: impl Future<Output = ()>) -> Cost {
    let (began, cpu) = (Instant::now(), measure::cpu());
    doing.await;
    Cost { time: began.elapsed().as_secs_f64(), cpu: (measure::cpu() - cpu).as_secs_f64() }
}

fn median(costs: Vec<Cost>) -> Cost {
    let of = |part: fn(&Cost) -> f64| quantile(&mut costs.iter().map(part).collect::<Vec<_>>(), 0.5);
    Cost { time: of(|cost| cost.time), cpu: of(|cost| cost.cpu) }
}

fn hash(path: &Path) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path).expect("a file"), &mut hasher).expect("the file reads");
    hasher.finalize()
}

/// Members of one room, each with a folder.
struct Room {
    members: Vec<(Handle, PathBuf)>,
    _tracker: tracker::Running,
    _folder: TempDir,
}

fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

impl Room {
    async fn gather(count: usize) -> Room {
        let folder = tempfile::tempdir().expect("a folder");
        let tracker = loopback::start_tracker();
        let mut members = Vec::new();
        for number in 0..count {
            let home = folder.path().join(number.to_string());
            fs::create_dir(&home).expect("a folder");
            let store = home.join("history.db");
            let member = loopback::start_peer(number, Some(&store), tracker.address(), Config::default());
            member.welcomed().await.expect("a welcome");
            member.join(lobby()).await.expect("joined");
            members.push((member, home));
        }
        for (member, _) in &members {
            until("everybody is linked", async || {
                let seen = member.members(lobby()).await.expect("the members");
                seen.len() == count && seen.iter().all(|member| member.path != "none")
            })
            .await;
        }
        Room { members, _tracker: tracker, _folder: folder }
    }

    async fn share(&self, member: usize, path: &Path) {
        let share = Share { room: lobby(), paths: vec![path.to_owned()] };
        self.members[member].0.files(AskFiles::Share(share)).await.expect("it is shared");
    }

    /// Some of them fetch it at once; until the last has it.
    async fn fetch(&self, fetchers: &[usize]) {
        let mut begun = Vec::new();
        for (member, home) in fetchers.iter().map(|fetcher| &self.members[*fetcher]) {
            until("it is on the list", async || {
                let files = member.files(AskFiles::Files(OfRoom { room: lobby() })).await.expect("a list");
                matches!(files, AnswerFiles::Files(files) if files.len() == 1)
            })
            .await;
            let get = Get { room: lobby(), file: NAME.into(), to: home.clone(), overwrite: false, limit: None };
            let AnswerFiles::Transfer(transfer) = member.files(AskFiles::Get(get)).await.expect("it begins") else {
                panic!("no transfer")
            };
            begun.push((member, TransferId { id: transfer.id }));
        }
        for (member, id) in begun {
            until("it is whole", async || match member.files(AskFiles::Transfer(id)).await.expect("a transfer") {
                AnswerFiles::Transfer(transfer) => transfer.state == TransferState::Done,
                other => panic!("{other:?}"),
            })
            .await;
        }
    }

    /// Nothing that its members still do is part of what is measured next.
    async fn end(self) {
        for (member, _) in self.members {
            member.logout().await.expect("logged out");
            member.ended().await;
        }
    }
}
