//! A member whose program is not Rollcall's: whatever it sends, the others stay up, show nothing that was not said, go on
//! talking, and know who it is.

use std::time::Duration;

use common::{
    Identity, RoomName, Version,
    frame::{Frame, HEADER},
    message::{Batch, Head, Message},
    net::{
        endpoint::client_config,
        stream::write_frames,
        tls::{Certificate, SERVER_NAME},
    },
    table::Table,
    wire::{
        control::{Event, MemberChange},
        peer::{ALPN, Follow, Followed, Frontier, Hello, PROTOCOL, Part, Passed, PeerFrame},
    },
};
use peer::Config;
use quinn::{Connection, SendStream};
use serde_bytes::{ByteArray, ByteBuf};
use tests::sim::{Net, Person, Town, eventually, seeds};

const ALICE: u16 = 1;
const BOB: u16 = 2;
const MALLORY: u16 = 3;

fn lobby() -> RoomName {
    "lobby".parse().expect("a name")
}

/// Alice, bob and mallory are in the lobby; then mallory's peer makes way for something else with its key.
struct Scene {
    net: Net,
    town: Town,
    alice: Person,
    bob: Person,
    mallory: Identity,
    stamp: Version,
}

impl Scene {
    async fn new(seed: u64) -> Scene {
        let net = Net::new(seed);
        let town = Town::new(&net);
        let (alice, bob) = (town.login(ALICE, "alice").await, town.login(BOB, "bob").await);
        let mallory = town.login(MALLORY, "mallory").await;
        for person in [&alice, &bob, &mallory] {
            person.join(&lobby()).await;
        }
        let said = mallory.handle.say(lobby(), "hello".into()).await.expect("said");
        mallory.delivered().await;
        let stamp = said.stamp.parse().expect("a version");
        town.kill(mallory);
        net.up(Town::peer_host(MALLORY));
        Scene { net, town, alice, bob, mallory: Town::peer_identity(MALLORY), stamp }
    }

    /// A link to alice with mallory's key, on which hello has been said.
    async fn link(&self) -> (Connection, SendStream) {
        let certificate = Certificate::new(&self.mallory).expect("a certificate");
        let limits = Config::default().link_limits();
        let server = common::net::endpoint::server_config(&certificate, ALPN, &limits).expect("a TLS config");
        let client = client_config(&certificate, ALPN, Some(Town::peer_key(ALICE)), &limits).expect("a TLS config");
        let endpoint = self.net.endpoint(Town::peer_host(MALLORY), server);
        let connecting = endpoint.connect_with(client, Town::peer_host(ALICE), SERVER_NAME).expect("an address");
        let connection = connecting.await.expect("a link");
        let (mut send, _recv) = connection.open_bi().await.expect("a stream");
        let hello = Hello { protocol: PROTOCOL, name: "mallory".parse().expect("a name"), life: 99 };
        write_frames(&mut send, &mut [PeerFrame::from(hello).encode()]).await.expect("written");
        (connection, send)
    }

    /// Sends frames over a link of its own, until alice has enough or they end. Returns why she has closed it, if so.
    async fn sends(&self, frames: impl IntoIterator<Item = PeerFrame>) {
        let (connection, mut send) = self.link().await;
        for frame in frames {
            if write_frames(&mut send, &mut [frame.encode()]).await.is_err() {
                return;
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(5), connection.closed()).await;
    }

    /// Alice and bob talk, both ways, and each has what the other says.
    async fn they_talk(&self) {
        for (person, text) in [(&self.alice, "still here"), (&self.bob, "so am I")] {
            person.handle.say(lobby(), text.into()).await.expect("said");
        }
        for (person, text) in [(&self.bob, "still here"), (&self.alice, "so am I")] {
            eventually("it comes", async || person.messages().await.iter().any(|m| m.text == text)).await;
        }
    }

    async fn alice_names_the_offender(&self) {
        eventually("alice is told who it was", async || {
            let past = self.alice.handle.past(None, Some(0), u32::MAX).await.expect("the store reads");
            past.iter().any(|event| match event {
                Event::Member(event) => event.change == MemberChange::Offends && event.name.as_str() == "mallory",
                _ => false,
            })
        })
        .await;
    }

    async fn nothing_new_is_shown(&self) {
        for person in [&self.alice, &self.bob] {
            let texts: Vec<String> = person.messages().await.into_iter().map(|message| message.text).collect();
            assert!(texts.iter().all(|text| ["hello", "still here", "so am I"].contains(&text.as_str())), "{texts:?}");
        }
    }
}

fn lie(author: &Identity, room: &RoomName, stamp: Version, head: Head) -> Batch {
    Batch::sign(author, room, stamp, head, &[Message::new(0, "a lie".into())]).0
}

#[test]
fn a_message_in_somebody_elses_name_is_not_shown_and_its_bringer_is_named() {
    seeds("a forged author", 0..3, |seed| async move {
        let scene = Scene::new(seed).await;
        let bob = Town::peer_key(BOB);
        let forged = PeerFrame::from(lie(&scene.mallory, &lobby(), scene.stamp, Head::empty(&lobby(), &bob))).encode();
        let batch = ByteBuf::from(&forged[HEADER + 1..]);
        scene.sends([Passed { author: bob, name: "bob".parse().expect("a name"), batch }.into()]).await;
        scene.alice_names_the_offender().await;
        scene.they_talk().await;
        scene.nothing_new_is_shown().await;
    });
}

#[test]
fn what_is_said_in_a_room_one_is_not_in_or_under_a_stamp_one_was_not_there_at_is_not_shown() {
    seeds("wrong rooms and stamps", 0..3, |seed| async move {
        let scene = Scene::new(seed).await;
        let (key, den) = (scene.mallory.key(), "den".parse().expect("a name"));
        let before = Version { number: 1, ..scene.stamp };
        let elsewhere = lie(&scene.mallory, &den, scene.stamp, Head::empty(&den, &key));
        let early = lie(&scene.mallory, &lobby(), before, Head::empty(&lobby(), &key));
        scene.sends([elsewhere.into(), early.into()]).await;
        scene.they_talk().await;
        scene.nothing_new_is_shown().await;
    });
}

#[test]
fn numbers_at_the_end_of_their_range_do_no_harm() {
    seeds("huge numbers", 0..3, |seed| async move {
        let scene = Scene::new(seed).await;
        let far = Head { number: u64::MAX - 2, hash: [7; 32] };
        let epoch = Version { epoch: u64::MAX, number: u64::MAX };
        let beyond = lie(&scene.mallory, &lobby(), scene.stamp, far);
        let later = lie(&scene.mallory, &lobby(), epoch, Head::empty(&lobby(), &scene.mallory.key()));
        let follow = Followed { author: Town::peer_key(BOB), after: u64::MAX, until: Some(0) };
        let follow = Follow { room: lobby(), logs: vec![follow; common::limits::FOLLOWED] };
        scene.sends([beyond.into(), later.into(), follow.into()]).await;
        scene.they_talk().await;
    });
}

#[test]
fn a_flood_holds_nobody_up() {
    seeds("a flood", 0..1, |seed| async move {
        let scene = Scene::new(seed).await;
        let digest = ByteArray::new(Table::default().digest());
        let table = common::wire::peer::Told { version: scene.stamp, digest, up: true, answer: true };
        let part = Part { prefix: ByteBuf::new(), digest: ByteArray::new([1; 16]) };
        let ask = Frontier { room: lobby(), table: Some(table), digests: vec![part], heads: Vec::new() };
        let follow = Followed { author: Town::peer_key(BOB), after: 0, until: None };
        let follow = Follow { room: lobby(), logs: vec![follow] };
        let flood = (0..5_000).flat_map(|_| [PeerFrame::from(ask.clone()), PeerFrame::from(follow.clone())]);
        tokio::join!(biased; scene.sends(flood), scene.they_talk());
        scene.nothing_new_is_shown().await;
        assert!(scene.town.tracker_status().await.sessions >= 2);
    });
}
