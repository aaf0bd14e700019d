//! The session itself: which one is meant, how it is, and its end.

use std::{io, path::Path, time::Duration};

use anyhow::Result;
use clap::Args;
use common::{
    AccountName,
    wire::control::{self, Exit, Refusal},
};
use peer::{
    control::{Client, socket},
    profile::ProfileError,
};
use serde_json::json;
use tokio::time;

use super::{Global, output::Out, text, time::span};

/// How long the end of a session is waited for.
const LONGEST_END: Duration = Duration::from_secs(10);

/// End the session; you stay a member of your rooms.
#[derive(Args)]
#[command(after_help = "Example:\n  peer logout --as alice")]
pub struct Logout {}

/// How the session is.
#[derive(Args)]
#[command(after_help = "Example:\n  peer status --json")]
pub struct Status {}

/// Be called something else from now on; you keep your rooms, your key and your history.
#[derive(Args)]
#[command(after_help = "Example:\n  peer rename alicia")]
pub struct Rename {
    /// The new name. The old one is held for a time, so that nobody can step into it.
    name: AccountName,
}

/// The session of `--as`, or the only one.
pub fn pick(global: &Global) -> Result<Client> {
    pick_with(global, Client::connect)
}

/// The same, connected to in another way.
pub fn pick_with<T>(global: &Global, connect: impl Fn(&Path) -> io::Result<T>) -> Result<T> {
    let folders = global.folders()?;
    if let Some(name) = &global.session {
        return connect(folders.profile(name).socket()).map_err(|_| {
            let reason = format!("{name} is not logged in here; run: peer login {name}");
            Refusal::new(Exit::Unreachable, reason).into()
        });
    }
    let (mut sessions, crashed) = socket::find(folders.runtime());
    let none = || {
        let reason = match crashed.as_slice() {
            [(name, _)] => {
                let name = text::inline(name);
                format!("{name} is not logged in any more: the session has crashed; run: peer login {name}")
            }
            _ => "nobody is logged in; run: peer login NAME".into(),
        };
        Refusal::new(Exit::Unreachable, reason)
    };
    if sessions.len() > 1 {
        let names: Vec<String> = sessions.iter().map(|(name, _)| text::inline(name)).collect();
        let reason = format!("several are logged in here: {}; say which: --as {}", names.join(", "), names[0]);
        return Err(Refusal::new(Exit::Refused, reason).into());
    }
    let (_, path) = sessions.pop().ok_or_else(none)?;
    Ok(connect(&path).map_err(|_| none())?)
}

impl Logout {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out, global: &Global) -> Result<()> {
        // One whose disk is full tells nothing more and can be ended all the same.
        let name = client.status().await.ok().map(|status| status.name).or(global.session.clone());
        client.logout().await?;
        if let Some(name) = name {
            let profile = global.folders()?.profile(&name);
            // Not before it has let go of the profile, so that a login may follow at once.
            let _ = time::timeout(LONGEST_END, async {
                while matches!(profile.open(), Err(ProfileError::InUse)) {
                    time::sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
        }
        Ok(out.object(&json!({}), |_| "logged out".to_string())?)
    }
}

impl Rename {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let former = client.status().await?.name;
        client.rename(self.name.clone()).await?;
        Ok(out.object(&json!({"name": self.name, "former": former}), |_| renamed(&former, &self.name))?)
    }
}

/// What is said to who would go on with a session that has ended in good order.
pub fn over(end: &Refusal) -> Refusal {
    Refusal::new(Exit::Unreachable, format!("the session has ended: {}; log in again: peer login NAME", end.message))
}

/// What is said to who has taken another name.
pub fn renamed(former: &AccountName, name: &AccountName) -> String {
    format!("{former} is {name} now; log in as {name} or as {former} from now on")
}

impl Status {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let status = client.status().await?;
        Ok(out.object(&status, told)?)
    }
}

fn told(status: &control::Status) -> String {
    let or_none =
        |address: Option<std::net::SocketAddr>| address.map_or("-".to_string(), |address| address.to_string());
    let domain = status.domain.as_ref().map_or("-", |domain| domain.as_str());
    let trouble = status.trouble.as_ref().map(|trouble| format!(": {}", text::inline(trouble))).unwrap_or_default();
    [
        ("account", format!("{}@{domain}", status.name)),
        ("key", status.key.clone()),
        ("address", format!("{}, seen as {}", status.address, or_none(status.seen))),
        ("tracker", format!("{} {}{trouble}", or_none(status.tracker), status.tracker_state)),
        ("rooms", status.rooms.to_string()),
        ("links", status.links.to_string()),
        ("undelivered", status.undelivered.to_string()),
        ("running", span(status.uptime_s)),
    ]
    .map(|(what, value)| format!("{what:12}{value}"))
    .join("\n")
}
