//! The commands that ask a running tracker something, and how their answers are shown.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::runtime::Runtime;
use tracker::{
    folders,
    status::{Account, Accounts, Ask, Done, SocketError, Status, Token, request},
};

use super::{Cli, Command};

/// Asks what the command says, and prints the answer.
pub fn run(cli: &Cli, command: &Command) -> Result<()> {
    let tracker = Running::of(cli)?;
    match command {
        Command::Status { json } => print_status(&tracker.ask(&Ask::Status)?, *json)?,
        Command::Invite { uses, days, json } => {
            let Token { token, .. } = tracker.ask(&Ask::Invite { uses: *uses, days: *days })?;
            if *json {
                println!("{}", json!({ "v": 1, "token": token, "uses": uses, "days": days }));
            } else {
                println!("{token}");
                let accounts = if *uses == 1 { "one new account".into() } else { format!("{uses} new accounts") };
                eprintln!("lets in {accounts} within {days} days: peer login NAME --invite {token}");
            }
        }
        Command::Accounts { json } => tracker.each_account(*json)?,
        Command::RemoveAccount { name, json } => {
            let _: Done = tracker.ask(&Ask::RemoveAccount { name: name.clone() })?;
            match json {
                true => println!("{}", json!({ "v": 1, "removed": name })),
                false => println!("removed {name}"),
            }
        }
        // They ask no tracker.
        Command::Completions { .. } | Command::Man { .. } => {}
        Command::ResetKey { name, json } => {
            let Token { token, .. } = tracker.ask(&Ask::ResetKey { name: name.clone() })?;
            if *json {
                println!("{}", json!({ "v": 1, "token": token, "name": name, "hours": 24 }));
            } else {
                println!("{token}");
                eprintln!("gives {name} to a new key within 24 hours: peer login {name} --invite {token}");
            }
        }
    }
    Ok(())
}

/// The tracker that is meant.
struct Running {
    runtime: Runtime,
    data: PathBuf,
    /// Unless a folder was named, one inside a peer is meant too.
    hosted: Option<PathBuf>,
}

impl Running {
    fn of(cli: &Cli) -> Result<Running> {
        let hosted = if cli.data.is_none() { Some(folders::hosted_data(cli.home.as_ref())?) } else { None };
        Ok(Running { runtime: Runtime::new().context("cannot start")?, data: cli.data(&cli.settings()?)?, hosted })
    }

    fn ask<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T> {
        let asked = self.runtime.block_on(async {
            match (request(&self.data, ask).await, &self.hosted) {
                (Err(none @ SocketError::NotRunning { .. }), Some(hosted)) => match request(hosted, ask).await {
                    Err(SocketError::NotRunning { .. }) => Err(none),
                    asked => asked,
                },
                (asked, _) => asked,
            }
        });
        Ok(asked?)
    }

    fn each_account(&self, json: bool) -> Result<()> {
        let mut after = None;
        loop {
            let is_first = after.is_none();
            let Accounts { accounts, more, .. } = self.ask(&Ask::Accounts { after })?;
            if is_first && !json {
                println!("{:<32}  {:<16}  {:<12}  ROOMS", "NAME", "KEY", "LAST SEEN");
            }
            for account in &accounts {
                match json {
                    true => println!("{}", serde_json::to_string(account)?),
                    false => print_account(account),
                }
            }
            after = accounts.last().map(|account| account.name.clone());
            if !more || after.is_none() {
                return Ok(());
            }
        }
    }
}

fn print_account(account: &Account) {
    let key: String = account.key.chars().take(16).collect();
    println!("{:<32}  {key}  {:<12}  {}", account.name, last_seen(account), account.rooms);
}

fn last_seen(account: &Account) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match account.seen.map(|seen| now.saturating_sub(seen)) {
        _ if account.online => "online".into(),
        None => "not known".into(),
        Some(ago @ 0..60) => format!("{ago} s ago"),
        Some(ago @ 60..3_600) => format!("{} min ago", ago / 60),
        Some(ago @ 3_600..86_400) => format!("{} h ago", ago / 3_600),
        Some(ago) => format!("{} days ago", ago / 86_400),
    }
}

fn print_status(status: &Status, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string(status)?);
        return Ok(());
    }
    println!("domain    {}", status.domain);
    println!("accounts  {}, of which {} logged in", status.accounts, status.sessions);
    println!("rooms     {}, with {} members in all", status.rooms, status.members);
    println!("changes   {}, in {} pushes", status.changes, status.pushes);
    println!("carried   {} bytes in, {} bytes out", status.bytes_in, status.bytes_out);
    println!("up for    {} s", status.uptime_s);
    Ok(())
}
