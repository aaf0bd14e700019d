//! A plain copy of a file, as the benchmarks compare with: one connection over QUIC or TCP, and a file that is synced at
//! its end. Nothing is checked but what the connection checks.

use std::{
    fs::File,
    io::{Read, Write},
    net::SocketAddr,
    path::Path,
};

use common::{
    Identity,
    net::{
        endpoint::{self, client_config},
        tls::{Certificate, SERVER_NAME},
    },
};
use quinn::{Endpoint, VarInt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const ALPN: &[u8] = b"copy";
/// What is read and written at once.
const PIECE: usize = 256 * 1024;

/// Copies a file into a new one over one stream of a QUIC connection; returns when the sender knows that it is on the disk.
///
/// # Panics
/// Like everything here, if something does not do what it should.
pub async fn over_quic(from: &Path, to: &Path) {
    let (sender, receiver) = (end(1), end(2));
    let address = receiver.local_addr().expect("an address");
    let (mut source, file) = (File::open(from).expect("a file"), File::create_new(to).expect("a new file"));
    let receiving = tokio::spawn(receive(receiver, file));
    let limits = peer::Config::default().link_limits();
    let certificate = Certificate::new(&Identity::from_seed([1; 32])).expect("a certificate");
    let config = client_config(&certificate, ALPN, None, &limits).expect("a TLS config");
    let connection =
        sender.connect_with(config, address, SERVER_NAME).expect("an address").await.expect("a connection");
    let (mut send, mut recv) = connection.open_bi().await.expect("a stream");
    let mut buffer = vec![0; PIECE];
    loop {
        let length = source.read(&mut buffer).expect("the file reads");
        if length == 0 {
            break;
        }
        send.write_all(&buffer[..length]).await.expect("it is read");
    }
    send.finish().expect("it is open");
    recv.read_to_end(0).await.expect("it is on the disk");
    connection.close(VarInt::from_u32(0), b"");
    receiving.await.expect("the receiver runs");
}

async fn receive(endpoint: Endpoint, mut file: File) {
    let connection = endpoint.accept().await.expect("a connection").await.expect("a connection");
    let (mut send, mut recv) = connection.accept_bi().await.expect("a stream");
    let mut buffer = vec![0; PIECE];
    while let Some(length) = recv.read(&mut buffer).await.expect("the connection stands") {
        file.write_all(&buffer[..length]).expect("space");
    }
    file.sync_all().expect("a disk");
    send.finish().expect("it is open");
    connection.closed().await;
}

fn end(number: u8) -> Endpoint {
    let certificate = Certificate::new(&Identity::from_seed([number; 32])).expect("a certificate");
    let limits = peer::Config::default().link_limits();
    let server = endpoint::server_config(&certificate, ALPN, &limits).expect("a TLS config");
    let socket = endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
    endpoint::endpoint(socket, server).expect("an endpoint")
}

/// The same over TCP, in the clear.
pub async fn over_tcp(from: &Path, to: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let address = listener.local_addr().expect("an address");
    let (mut source, mut file) = (File::open(from).expect("a file"), File::create_new(to).expect("a new file"));
    let receiving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut buffer = vec![0; PIECE];
        loop {
            let length = stream.read(&mut buffer).await.expect("the connection stands");
            if length == 0 {
                break;
            }
            file.write_all(&buffer[..length]).expect("space");
        }
        file.sync_all().expect("a disk");
        stream.write_all(b".").await.expect("the connection stands");
    });
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut buffer = vec![0; PIECE];
    loop {
        let length = source.read(&mut buffer).expect("the file reads");
        if length == 0 {
            break;
        }
        stream.write_all(&buffer[..length]).await.expect("it is read");
    }
    stream.shutdown().await.expect("it is open");
    stream.read_exact(&mut [0]).await.expect("it is on the disk");
    receiving.await.expect("the receiver runs");
}
