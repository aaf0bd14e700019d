//! Chats without a tracker. Where a session runs, these are commands to it; otherwise they begin one that has none.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use common::{
    AccountName, RoomName,
    wire::control::{
        Exit, Refusal,
        people::{AnswerPeople as AnswerOf, AskPeople, Connect as To, Connected, Listen as For, Listening},
    },
};
use peer::{
    control::{Client, Session, socket},
    discover::unfound,
};
use tokio::{net::lookup_host, time};

use super::{Global, identity, output::Out, text::inline};

/// For how long strangers are let in at a time, and how often that is asked again, in seconds.
const LISTENING: u64 = 90;
const AGAIN: u64 = 30;

/// Wait for anybody who knows where you are, without a tracker; for as long as this runs.
#[derive(Args, Clone)]
#[command(
    after_help = "Examples:\n  peer listen --as alice --port 40123\n  peer listen             # in the session that runs"
)]
pub struct Listen {
    /// The UDP port, kept for later; only where no session runs.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Stay in the foreground without a chat, and print a line of JSON when ready.
    #[arg(long)]
    pub headless: bool,
}

/// Open a chat with whoever listens at an address, or with somebody known where they were last.
#[derive(Args, Clone)]
#[command(after_help = "Examples:\n  peer connect 192.168.1.7:40123 --as bob\n  peer connect alice")]
pub struct Connect {
    /// HOST:PORT, or the name of somebody known.
    to: String,
    /// The UDP port of this peer, kept for later; only where no session runs.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Stay in the foreground without a chat, and print a line of JSON when ready.
    #[arg(long)]
    pub headless: bool,
}

/// What a session without a tracker begins with.
#[derive(Clone)]
pub enum Meet {
    /// To wait.
    Listen,
    /// To call somebody.
    Connect(Connect),
}

/// The account for which a session is to begin, if it is named and none runs.
pub fn begins(global: &Global) -> Result<Option<AccountName>> {
    let Some(name) = &global.session else { return Ok(None) };
    let profile = global.folders()?.profile(name);
    Ok(socket::connect(profile.socket()).is_err().then(|| name.clone()))
}

/// The error of [`super::session::pick`], with the way on for who has no session.
pub fn pick(global: &Global) -> Result<Client> {
    super::session::pick(global).map_err(|error| match error.downcast::<Refusal>() {
        Ok(refusal) if refusal.code == Exit::Unreachable => {
            let why = format!("{refusal}; or begin one without a tracker by saying who you are: --as NAME");
            Refusal::new(Exit::Unreachable, why).into()
        }
        Ok(refusal) => refusal.into(),
        Err(error) => error,
    })
}

impl Listen {
    /// Runs it in a session.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let listening: Listening = client.people(AskPeople::Listen(For { seconds: LISTENING })).await?;
        out.object(&listening, told)?;
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => break,
                () = time::sleep(Duration::from_secs(AGAIN)) => {
                    let _: Listening = client.people(AskPeople::Listen(For { seconds: LISTENING })).await?;
                }
            }
        }
        let _: Listening = client.people(AskPeople::Listen(For { seconds: 0 })).await?;
        Ok(())
    }
}

impl Connect {
    /// Runs it in a session.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let connected: Connected = client.people(AskPeople::Connect(whom(&self.to).await?)).await?;
        Ok(out.object(&connected, |connected| met(connected, true))?)
    }
}

/// Whom HOST:PORT or a name is to reach.
pub async fn whom(to: &str) -> Result<To, Refusal> {
    let Some((host, _)) = to.rsplit_once(':') else {
        if to.parse::<IpAddr>().is_ok() {
            return Err(Refusal::new(Exit::Refused, without_port(to)));
        }
        let name = to.parse::<AccountName>().map_err(|error| {
            let why = format!("{:?} is neither HOST:PORT nor a name: {error}", inline(to));
            Refusal::new(Exit::Refused, why)
        })?;
        return Ok(To { addresses: Vec::new(), name: Some(name) });
    };
    let found = time::timeout(Duration::from_secs(5), lookup_host(to)).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            let (host, why) = (inline(host), unfound(&error));
            let why = format!("{host} cannot be looked up: {why}; give its address: peer connect 192.168.1.7:40123");
            return Err(Refusal::new(Exit::Unreachable, why));
        }
        Err(_) => {
            let why = format!("{} is not found within 5 seconds; give its address", inline(host));
            return Err(Refusal::new(Exit::Unreachable, why));
        }
    };
    Ok(To { addresses, name: None })
}

fn without_port(address: &str) -> String {
    format!("{address} is an address without a port; the other side shows it: peer connect {address}:PORT")
}

/// Lets in who is not known for as long as the session runs, and says what they need to know.
pub async fn listen(session: &impl Session) -> Result<String, Refusal> {
    let ask = || AskPeople::Listen(For { seconds: LISTENING });
    let answer = session.people(ask()).await?;
    let session = session.clone();
    tokio::spawn(async move {
        while session.people(ask()).await.is_ok() {
            time::sleep(Duration::from_secs(AGAIN)).await;
        }
    });
    Ok(match answer {
        AnswerOf::Listening(listening) => told(&listening),
        _ => String::new(),
    })
}

impl Meet {
    /// Does it in a session that has just begun, and tells of it; returns the conversation to begin with.
    pub async fn run(&self, handle: &peer::Handle, tell: impl Fn(String)) -> Result<Option<RoomName>> {
        match self {
            Meet::Listen => {
                tell(listen(handle).await?);
                Ok(None)
            }
            Meet::Connect(connect) => {
                let to = whom(&connect.to).await?;
                let AnswerOf::Connected(connected) = handle.people(AskPeople::Connect(to)).await? else {
                    return Ok(None);
                };
                tell(met(&connected, false));
                Ok(Some(connected.room))
            }
        }
    }
}

fn told(listening: &Listening) -> String {
    let of_others = |address: &&SocketAddr| !address.ip().to_canonical().is_loopback();
    let is_alone = !listening.addresses.iter().any(|address| of_others(&address));
    let given = listening.addresses.iter().filter(|address| is_alone || of_others(address));
    let at: Vec<String> = given.map(|address| format!("  peer connect {address}")).collect();
    let at = if at.is_empty() { format!("  peer connect HOST:{}", listening.port) } else { at.join("\n") };
    format!("{} listens, with the key\n  {}\nOn the other side run one of\n{at}", listening.name, listening.key)
}

/// What is said of somebody who was reached; with how to write to them, where that is not what is typed next.
pub fn met(connected: &Connected, hint: bool) -> String {
    let name = &connected.identity.name;
    let mark =
        if connected.identity.verified { ", verified" } else { ", not verified: compare the number with theirs" };
    let next = if hint { format!("\nWrite with: peer msg {name} TEXT") } else { String::new() };
    format!("a chat with {name} at {}{mark}\n{}{next}", connected.address, identity::told(&connected.identity))
}
