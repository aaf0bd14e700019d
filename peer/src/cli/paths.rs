//! Which way each member is reached.

use anyhow::Result;
use clap::Args;
use peer::control::Client;

use super::{
    output::Out,
    table::{Column, text, whole},
    text::inline,
};

/// Which way each member is reached, and how well.
#[derive(Args)]
#[command(after_help = "Example:\n  peer paths")]
pub struct Paths {}

const PATHS: [Column; 7] = [
    text("NAME", 0),
    whole("ADDRESS", 1),
    text("PATH", 0),
    whole("RTT", 0),
    whole("OUT", 4),
    whole("IN", 3),
    whole("LOST", 2),
];

impl Paths {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let paths = client.paths().await?;
        Ok(out.table(&paths, &PATHS, |path| {
            [
                path.name.to_string(),
                path.address.map_or("-".to_string(), |address| address.to_string()),
                inline(&path.path),
                path.rtt_ms.map_or("-".to_string(), |rtt| format!("{rtt:.1} ms")),
                path.bytes_out.to_string(),
                path.bytes_in.to_string(),
                path.packets_lost.to_string(),
            ]
        })?)
    }
}
