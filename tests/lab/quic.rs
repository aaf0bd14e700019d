//! QUIC works across the switch, on a bad network too.

use std::{net::SocketAddr, net::UdpSocket, time::Duration};

use common::{
    Identity,
    net::{
        endpoint::{LinkLimits, client_config, endpoint, server_config},
        tls::Certificate,
    },
};
use quinn::{Endpoint, VarInt};
use tests::lab::{Host, Lab, Wire};

const ALPN: &[u8] = b"lab/1";
const PORT: u16 = 4_433;
const LIMITS: LinkLimits = LinkLimits {
    keep_alive: Duration::from_secs(5),
    dead_after: Duration::from_secs(15),
    stream_window: 1024 * 1024,
    send_window: 1024 * 1024,
    handshakes: 16,
};

pub fn bytes_arrive_at_five_percent_loss() {
    let lab = Lab::new();
    let (alice, bob) = (lab.host("alice"), lab.host("bob"));
    lab.set_usual(Wire { reorder: 0.02, ..Wire::losing(0.05) });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _runs = runtime.enter();
    let (client, server) = endpoints(&alice, &bob);
    let bytes: Vec<u8> = (0..512 * 1024u32).map(|n| (n % 251) as u8).collect();
    let received = runtime.block_on(async { tokio::join!(transfer(&client, &server, &bytes), receive(&server)).1 });
    assert!(received == bytes, "{} bytes of {} arrived", received.len(), bytes.len());
    let (sent, arrived) = (lab.counters(&alice).sent.frames, lab.counters(&bob).received.frames);
    assert!(arrived < sent, "nothing was lost: {sent} frames were sent and {arrived} handed on");
}

/// One that dials and one that is dialled, each on its host. To be called within a runtime.
pub fn endpoints(client: &Host, server: &Host) -> (Endpoint, Endpoint) {
    let [client, server] = [client, server].map(|host| {
        let address = SocketAddr::new(host.ip(), PORT);
        let socket = host.enter(move || UdpSocket::bind(address)).expect("a socket");
        let certificate = Certificate::new(&Identity::generate().expect("an identity key")).expect("a certificate");
        let accepts = server_config(&certificate, ALPN, &LIMITS).expect("a server config");
        let mut endpoint = endpoint(socket, accepts).expect("an endpoint");
        endpoint.set_default_client_config(client_config(&certificate, ALPN, None, &LIMITS).expect("a client config"));
        endpoint
    });
    (client, server)
}

/// Sends bytes on a stream of their own, and waits until the other side has them.
pub async fn transfer(client: &Endpoint, server: &Endpoint, bytes: &[u8]) {
    let address = server.local_addr().expect("a bound socket");
    let link = client.connect(address, "lab").expect("a valid address").await.expect("a link");
    let (mut stream, _) = link.open_bi().await.expect("a stream");
    stream.write_all(bytes).await.expect("the bytes are taken");
    stream.finish().expect("the stream is open");
    link.closed().await;
}

/// Takes one link, reads its stream to the end, and closes it.
pub async fn receive(server: &Endpoint) -> Vec<u8> {
    let link = server.accept().await.expect("somebody dials").await.expect("a link");
    let (_, mut stream) = link.accept_bi().await.expect("a stream");
    let bytes = stream.read_to_end(16 * 1024 * 1024).await.expect("the bytes arrive");
    link.close(VarInt::from_u32(0), b"read");
    bytes
}
