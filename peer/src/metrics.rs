//! A peer's metrics, in the text format of Prometheus: how many, and how it is, and never who or what.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use common::{
    net::page,
    wire::control::{
        Event, Refusal, Status,
        files::{AnswerFiles, AskFiles, Transfer, TransferState},
    },
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use tokio::net::TcpListener;

use crate::{
    Handle,
    control::{Follow, Lasting},
};

/// Messages since the session began.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
}

/// Serves `GET /metrics` and `GET /healthz` until the session ends. While the history cannot be written, the peer is not
/// healthy.
pub async fn serve(listener: TcpListener, handle: Handle) {
    let counts = Arc::new(Counts::default());
    let pages = page::serve(listener, || {
        let (handle, counts) = (handle.clone(), counts.clone());
        async move { look(&handle, &counts).await.map_err(|refusal| refusal.message) }
    });
    tokio::select! {
        () = pages => {}
        // It ends with the session.
        _ = count(handle.clone(), &counts) => {}
    }
}

async fn count(handle: Handle, counts: &Counts) -> Result<(), Refusal> {
    let mut past = Follow::new(handle.clone(), None, None);
    while past.next_past().await?.is_some() {}
    let mut events = Lasting::new(handle, past);
    loop {
        if let Event::Message(message) = events.next().await?
            && message.deed.says()
        {
            let counter = if message.path == "self" { &counts.sent } else { &counts.received };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn look(handle: &Handle, counts: &Counts) -> Result<String, Refusal> {
    let status = handle.status().await?;
    let transfers = match handle.files(AskFiles::Transfers {}).await? {
        AnswerFiles::Transfers(transfers) => transfers,
        _ => Vec::new(),
    };
    page(&status, &transfers, counts, handle.store_errors())
        .map_err(|error| Refusal::new(common::wire::control::Exit::Refused, format!("there is no page: {error}")))
}

fn page(status: &Status, transfers: &[Transfer], counts: &Counts, store_errors: u64) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("rollcall_peer");
    let in_state = |of: fn(TransferState) -> bool| transfers.iter().filter(|t| of(t.state)).count() as i64;
    let gauges = [
        ("tracker_up", "Whether the tracker answers", i64::from(status.tracker_state == "up")),
        ("rooms", "Rooms joined", status.rooms as i64),
        ("links", "Links to other peers", status.links as i64),
        ("undelivered", "Own messages that some member lacks", status.undelivered as i64),
        ("transfers", "Files on their way here, paused ones too", in_state(|state| !state.is_over())),
        ("transfers_failed", "Files that cannot go on", in_state(|state| state == TransferState::Failed)),
    ];
    for (name, help, value) in gauges {
        registry.register(name, help, ConstGauge::new(value));
    }
    let counters = [
        ("messages_sent", "Messages said from here", counts.sent.load(Ordering::Relaxed)),
        ("messages_received", "Messages of others that were stored", counts.received.load(Ordering::Relaxed)),
        ("store_errors", "Times the history could not be read or written", store_errors),
    ];
    for (name, help, value) in counters {
        registry.register(name, help, ConstCounter::new(value));
    }
    registry.register_with_unit("uptime", "Since it started", Unit::Seconds, ConstGauge::new(status.uptime_s as i64));
    let mut page = String::new();
    encode(&mut page, &registry)?;
    Ok(page)
}
