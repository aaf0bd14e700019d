//! `GET /metrics` and `GET /healthz`, for whoever watches over programs: two pages, no more of HTTP than they take.

use std::{future::Future, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// Longest request that is read, in bytes.
const REQUEST: usize = 8 * 1024;
/// Requests at once, at the most; further ones wait.
const AT_ONCE: usize = 8;
/// How long one may take.
const WITHIN: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves until it is dropped. `metrics` makes the page of metrics; where it says why there is none, the program is not
/// healthy.
pub async fn serve<F>(listener: TcpListener, metrics: impl Fn() -> F)
where
    F: Future<Output = Result<String, String>> + Send + 'static,
{
    let mut requests = JoinSet::new();
    loop {
        if requests.len() >= AT_ONCE {
            requests.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let metrics = metrics();
                requests.spawn(async move { timeout(WITHIN, answer(stream, metrics)).await.is_ok() });
            }
            // Out of file descriptors, most likely: others may give some back.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, metrics: impl Future<Output = Result<String, String>>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= REQUEST || !matches!(stream.read_buf(&mut request).await, Ok(read) if read > 0) {
            return;
        }
    }
    let is_metrics = request.starts_with(b"GET /metrics ");
    let (state, kind, body) = if is_metrics || request.starts_with(b"GET /healthz ") {
        match metrics.await {
            Ok(page) if is_metrics => ("200 OK", METRICS, page),
            Ok(_) => ("200 OK", TEXT, "ok\n".to_string()),
            Err(why) => ("503 Service Unavailable", TEXT, format!("{why}\n")),
        }
    } else {
        ("404 Not Found", TEXT, "only GET /metrics and GET /healthz are here\n".to_string())
    };
    let answer = format!(
        "HTTP/1.1 {state}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever asked may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
