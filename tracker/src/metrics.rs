//! `GET /metrics` in the text format of Prometheus: one page, no more of HTTP than that takes.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::{running::Asker, status::Status};

/// Longest request that is read, in bytes.
const REQUEST: usize = 8 * 1024;
/// Requests at once, at the most; further ones wait.
const AT_ONCE: usize = 8;
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, asker: Asker) {
    let mut requests = JoinSet::new();
    loop {
        if requests.len() >= AT_ONCE {
            requests.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let asker = asker.clone();
                requests.spawn(async move { timeout(WITHIN, answer(stream, asker)).await.is_ok() });
            }
            // Out of file descriptors, most likely: others may give some back.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, asker: Asker) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= REQUEST || !matches!(stream.read_buf(&mut request).await, Ok(read) if read > 0) {
            return;
        }
    }
    let (state, body) = match (request.starts_with(b"GET /metrics "), asker.status().await) {
        (false, _) => ("404 Not Found", "only GET /metrics is here\n".to_string()),
        (true, None) => ("503 Service Unavailable", "the tracker is shutting down\n".to_string()),
        (true, Some(status)) => match page(&status) {
            Ok(page) => ("200 OK", page),
            Err(fmt::Error) => ("500 Internal Server Error", String::new()),
        },
    };
    let answer = format!(
        "HTTP/1.1 {state}\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever asked may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn page(status: &Status) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("rollcall_tracker");
    let gauges = [
        ("accounts", "Registered accounts", status.accounts),
        ("sessions", "Sessions logged in", status.sessions),
        ("rooms", "Rooms", status.rooms),
        ("members", "Members of all rooms", status.members),
    ];
    for (name, help, value) in gauges {
        registry.register(name, help, ConstGauge::new(value as i64));
    }
    let counters = [
        ("changes", "Changes of tables and presence", status.changes),
        ("pushes", "Updates and snapshots pushed", status.pushes),
    ];
    for (name, help, value) in counters {
        registry.register(name, help, ConstCounter::new(value));
    }
    let bytes = [("received", "UDP payload received", status.bytes_in), ("sent", "UDP payload sent", status.bytes_out)];
    for (name, help, value) in bytes {
        registry.register_with_unit(name, help, Unit::Bytes, ConstCounter::new(value));
    }
    registry.register_with_unit("uptime", "Since it started", Unit::Seconds, ConstGauge::new(status.uptime_s as i64));
    let mut page = String::new();
    encode(&mut page, &registry)?;
    Ok(page)
}
