//! Files between real peers on the simulated network: how much several holders are worth, and what many who fetch at
//! once cost the one who shares.

use std::{fs, path::PathBuf, time::Duration};

use common::{
    RoomName,
    wire::control::files::{AnswerFiles, AskFiles, Get, Share, Transfer, TransferId, TransferState},
};
use tests::sim::{Net, Person, Random, Town, eventually, run};
use tokio::time::Instant;

const NAME: &str = "film.mkv";
/// What a host of these scenarios sends a second, in bytes.
const UPLINK: u64 = 1_000_000;
/// What may wait before it.
const QUEUE: usize = 64 * 1024;

fn lobby() -> RoomName {
    "lobby".parse().unwrap()
}

async fn people(town: &Town, count: u16) -> Vec<Person> {
    let mut people = Vec::new();
    for number in 1..=count {
        let person = town.login(number, &format!("p{number}")).await;
        person.join(&lobby()).await;
        people.push(person);
    }
    for person in &people {
        eventually("everybody is linked", async || {
            let members = person.handle.members(lobby()).await.unwrap();
            members.len() == people.len() && members.iter().all(|member| member.path != "none")
        })
        .await;
    }
    people
}

/// A file of so many bytes by chance in somebody's folder, shared in the lobby.
async fn share(person: &Person, bytes: usize) -> PathBuf {
    let path = person.folder.join(NAME);
    let mut random = Random::new(bytes as u64);
    let contents: Vec<u8> = (0..bytes.div_ceil(8)).flat_map(|_| random.number().to_le_bytes()).take(bytes).collect();
    fs::write(&path, contents).unwrap();
    let share = Share { room: lobby(), paths: vec![path.clone()] };
    person.handle.files(AskFiles::Share(share)).await.unwrap();
    path
}

async fn begin(person: &Person) -> TransferId {
    let to = person.folder.clone();
    let get = Get { room: lobby(), file: NAME.into(), to, overwrite: false, limit: None };
    match person.handle.files(AskFiles::Get(get)).await.unwrap() {
        AnswerFiles::Transfer(transfer) => TransferId { id: transfer.id },
        other => panic!("{other:?}"),
    }
}

async fn transfer(person: &Person, id: TransferId) -> Transfer {
    match person.handle.files(AskFiles::Transfer(id)).await.unwrap() {
        AnswerFiles::Transfer(transfer) => *transfer,
        other => panic!("{other:?}"),
    }
}

/// Waits until it is whole, and looks whether it is the same file.
async fn whole(person: &Person, id: TransferId, source: &PathBuf) {
    eventually("the file is whole", async || {
        let now = transfer(person, id).await;
        assert!(!now.state.is_over() || now.state == TransferState::Done, "{now:?}");
        now.state == TransferState::Done
    })
    .await;
    assert!(
        fs::read(person.folder.join(NAME)).unwrap() == fs::read(source).unwrap(),
        "{} has another file",
        person.name
    );
}

async fn listed(person: &Person) {
    eventually("the file is on the list", async || {
        let files = person.handle.files(AskFiles::Files(common::wire::control::files::OfRoom { room: lobby() }));
        matches!(files.await.unwrap(), AnswerFiles::Files(files) if files.len() == 1)
    })
    .await;
}

/// How long the last of the people takes to fetch what `holders` hold, each of whom has a narrow uplink.
async fn from_holders(holders: u16) -> Duration {
    let net = Net::new(7);
    let town = Town::new(&net);
    let people = people(&town, holders + 1).await;
    let source = share(&people[0], 8 * 1024 * 1024).await;
    for holder in &people[1..usize::from(holders)] {
        listed(holder).await;
        let id = begin(holder).await;
        whole(holder, id, &source).await;
    }
    for holder in &people[..usize::from(holders)] {
        net.set_uplink(holder.host, UPLINK, QUEUE);
    }
    let last = people.last().unwrap();
    listed(last).await;
    let start = Instant::now();
    let id = begin(last).await;
    whole(last, id, &source).await;
    start.elapsed()
}

#[test]
fn four_holders_with_narrow_uplinks_are_worth_nearly_four_times_one() {
    let [one, four] = [1, 4].map(|holders| run(from_holders(holders)));
    let times = one.as_secs_f64() / four.as_secs_f64();
    assert!(times >= 3.6, "{times:.2} times: {one:?} from one, {four:?} from four");
}

/// Kumar and Ross, "Peer-assisted file distribution: the minimum distribution time" (2006): nobody is faster than the
/// uplink of who has it first, and all together than all uplinks. Downlinks are wide here.
#[test]
fn many_who_fetch_at_once_share_the_load_and_are_done_near_the_least_time_there_is() {
    const FETCHERS: u16 = 20;
    const BYTES: usize = 32 * 1024 * 1024;
    run(async {
        let net = Net::new(3);
        let town = Town::new(&net);
        let people = people(&town, FETCHERS + 1).await;
        let source = share(&people[0], BYTES).await;
        for person in &people {
            listed(person).await;
            net.set_uplink(person.host, UPLINK, QUEUE);
        }
        // What its uplink has carried: what is dropped before it was never sent.
        let before = net.outgoing(people[0].host).arrived_bytes;
        let start = Instant::now();
        let mut begun = Vec::new();
        for fetcher in &people[1..] {
            begun.push((fetcher, begin(fetcher).await));
        }
        for (fetcher, id) in begun {
            whole(fetcher, id, &source).await;
        }
        let took = start.elapsed().as_secs_f64();
        let uploaded = (net.outgoing(people[0].host).arrived_bytes - before) as f64 / BYTES as f64;
        let (file, uplink, fetchers) = (BYTES as f64, UPLINK as f64, f64::from(FETCHERS));
        let least = (file / uplink).max(fetchers * file / ((fetchers + 1.0) * uplink));
        assert!(uploaded <= 1.15, "who shares it has sent {uploaded:.2} times the file");
        assert!(took <= 1.2 * least, "{took:.1} s, {:.2} times the least", took / least);
    });
}
