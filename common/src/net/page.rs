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
const AT_ONCE: usize = 32;
/// How long a request may take to come in: whoever connects and is silent takes a place for so long.
const HEAD: Duration = Duration::from_secs(1);
/// How long one may take in all.
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
    let Ok(Some(request)) = timeout(HEAD, head(&mut stream)).await else { return };
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

/// A request up to its empty line; `None` of one that has none, or is too long.
async fn head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= REQUEST || !matches!(stream.read_buf(&mut request).await, Ok(read) if read > 0) {
            return None;
        }
    }
    Some(request)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    async fn start() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, || async { Ok("page\n".to_string()) }));
        address
    }

    /// What comes back for these bytes, all of it.
    async fn answer_to(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // One that is too long may be refused before it is all written.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn only_the_two_pages_are_there() {
        let address = start().await;
        let answer = answer_to(address, b"GET /metrics HTTP/1.1\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\npage\n"), "{answer}");
        assert!(answer_to(address, b"GET /healthz HTTP/1.1\r\n\r\n").await.ends_with("\r\n\r\nok\n"));
        for request in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"POST /metrics HTTP/1.1\r\n\r\n", b"\r\n\r\n"] {
            let answer = answer_to(address, request).await;
            assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_request_that_is_too_long_gets_no_answer() {
        let address = start().await;
        let request = [b"GET /metrics HTTP/1.1\r\nx: ".as_slice(), &[b'x'; 4 * REQUEST]].concat();
        assert_eq!(answer_to(address, &request).await, "");
    }

    #[tokio::test]
    async fn whoever_is_silent_loses_the_place_to_who_waits_for_one() {
        let address = start().await;
        let mut silent = Vec::new();
        for _ in 0..AT_ONCE {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /met").await.unwrap();
            silent.push(stream);
        }
        assert!(answer_to(address, b"GET /metrics HTTP/1.1\r\n\r\n").await.contains("200 OK"));
        let mut told = Vec::new();
        let read = silent[0].read_to_end(&mut told).await;
        assert!(told.is_empty(), "{read:?}");
    }
}
