//! The tracker's metrics, in the text format of Prometheus.

use std::fmt;

use common::net::page;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use tokio::net::TcpListener;

use crate::{running::Asker, status::Status};

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, asker: Asker) {
    page::serve(listener, || {
        let asker = asker.clone();
        async move {
            let status = asker.status().await.ok_or("the tracker is shutting down")?;
            page(&status).map_err(|error| format!("there is no page: {error}"))
        }
    })
    .await;
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
