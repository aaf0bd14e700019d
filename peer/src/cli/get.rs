//! Fetching files, and waiting for them.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use common::{
    RoomName,
    wire::control::{
        Exit, Refusal,
        files::{self, AskFiles, Transfer, TransferId, TransferState},
    },
};
use peer::{control::Client, copy, size::Rate};
use std::os::unix::process::CommandExt;
use tokio::{
    signal::unix::{SignalKind, signal},
    time,
};

use super::{bars::Bars, file, output, output::Out, refused, say, text::inline, transfers};

/// How often it is looked how far a file is.
const LOOK: Duration = Duration::from_millis(250);
/// What opens a file with the program that the desktop has for it.
const OPENER: &str = "xdg-open";

/// Fetch files that are shared in a room, from everybody there who has them. It goes on when this command is ended.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer get lobby cat.jpg\n  peer get lobby 9f86d081 -o ~/Pictures\n  peer get lobby a.iso b.iso c.iso --limit 2M/s\n  peer get @bob cat.jpg --open\n  peer get lobby backup.tar --detach\nK, M and G are powers of 1024. See also: peer transfers, peer pause, peer resume, peer cancel"
)]
pub struct Get {
    /// Where they are shared.
    room: RoomName,
    /// Their names, or the first eight or more digits of their roots.
    #[arg(required = true, value_name = "NAME|ROOT")]
    files: Vec<String>,
    /// Where to put it: a folder that is there, or, for one file, another name. Without it: the folder you are in.
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Put it in the place of a file that is there.
    #[arg(long)]
    overwrite: bool,
    /// At most so many bytes a second for each, as 2M/s.
    #[arg(long, value_name = "RATE")]
    limit: Option<Rate>,
    /// Wait no more once nothing has come for so many seconds, and end with code 3; the fetching goes on.
    #[arg(long, value_name = "S", value_parser = say::seconds, conflicts_with = "detach")]
    wait: Option<f64>,
    /// Open it once it is here.
    #[arg(long, conflicts_with = "detach")]
    open: bool,
    /// Do not wait for it.
    #[arg(long)]
    detach: bool,
}

impl Get {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        if self.open && self.files.len() > 1 {
            return Err(refused("only one file at a time is opened; fetch the others without --open").into());
        }
        let to = destination(self.output.as_deref(), self.files.len() > 1)?;
        let mut begun = Vec::new();
        let mut refusal = None;
        for file in &self.files {
            let asked = client.files::<Transfer>(self.ask(file, &to)).await;
            let placed = match asked {
                Ok(transfer) if self.output.is_some() => placed(transfer, to.clone(), self.overwrite).await,
                asked => asked,
            };
            match placed {
                Ok(transfer) => begun.push(transfer),
                Err(why) if self.files.len() == 1 => return Err(why.into()),
                Err(why) => {
                    output::note(&format!("{}: {}", inline(file), why.message));
                    refusal = refusal.or(Some(why));
                }
            }
        }
        if self.detach {
            begun.iter().try_for_each(|transfer| out.object(transfer, transfers::begun))?;
        } else {
            self.wait(client, begun, out).await?;
        }
        match refusal {
            Some(why) => Err(Refusal::new(why.code, "not all of them could be fetched, as told above").into()),
            None => Ok(()),
        }
    }

    fn ask(&self, file: &str, to: &Path) -> AskFiles {
        AskFiles::Get(files::Get {
            room: self.room.clone(),
            file: file.into(),
            to: to.into(),
            overwrite: self.overwrite,
            limit: self.limit.map(|rate| rate.0).filter(|rate| *rate > 0),
        })
    }

    /// Waits until all are over, and shows how they get on.
    async fn wait(&self, client: &mut Client, begun: Vec<Transfer>, out: &Out) -> Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut bars = Bars::new(&begun, out);
        let mut all = begun;
        let (mut moved, mut far) = (Instant::now(), None);
        loop {
            for (place, transfer) in all.iter().enumerate() {
                bars.show(place, transfer, out)?;
            }
            if all.iter().all(|transfer| transfer.state.is_over()) {
                break;
            }
            let now_far: Vec<_> = all.iter().map(|transfer| (transfer.done, transfer.state)).collect();
            if far.replace(now_far.clone()) != Some(now_far) {
                moved = Instant::now();
            }
            if self.wait.is_some_and(|wait| moved.elapsed().as_secs_f64() >= wait) {
                bars.clear();
                return Err(Refusal::new(Exit::Unreachable, waited(&all)).into());
            }
            tokio::select! {
                _ = interrupt.recv() => {
                    bars.clear();
                    return Err(Refusal::new(Exit::Partly, goes_on(&all)).into());
                }
                () = time::sleep(LOOK) => {}
            }
            for transfer in all.iter_mut().filter(|transfer| !transfer.state.is_over()) {
                let asked = client.files(AskFiles::Transfer(TransferId { id: transfer.id })).await;
                *transfer = asked.inspect_err(|_| bars.clear()).map_err(with_what_stays)?;
            }
        }
        let failed = all.iter().filter(|transfer| transfer.state != TransferState::Done).count();
        match (failed, all.as_slice()) {
            (0, [transfer]) if self.open => open(transfer, &bars),
            (0, _) => {}
            // What is not here has been told, but for a program that reads JSON.
            (failed, all) => {
                let why = format!("{failed} of {} could not be fetched; see: peer transfers", all.len());
                return Err(refused(why).into());
            }
        }
        Ok(())
    }
}

/// Where files are to be put: an absolute path.
pub fn destination(named: Option<&Path>, several: bool) -> Result<PathBuf, Refusal> {
    let named = named.unwrap_or(Path::new("."));
    let to = file::absolute(named)?;
    let is_meant_as_folder = several || named.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_meant_as_folder && !to.is_dir() {
        let shown = inline(&named.display().to_string());
        return Err(refused(format!("there is no folder {shown}; make it first: mkdir -p {shown}")));
    }
    Ok(to)
}

/// What has come of fetching a file to a place that the user has named: one that is here already, in another place, is
/// copied to that one.
///
/// # Errors
/// If it cannot be copied, or is just being fetched to another place.
pub async fn placed(transfer: Transfer, to: PathBuf, overwrite: bool) -> Result<Transfer, Refusal> {
    let Transfer { id, state, .. } = transfer;
    if state != TransferState::Done {
        if state.is_over() || copy::is_there(&transfer.file, &transfer.path, &to) {
            return Ok(transfer);
        }
        return Err(refused(format!(
            "it is being fetched to {} already, as number {id}; once it is here, say the same again, and it is copied",
            transfers::path(&transfer)
        )));
    }
    let (file, from) = (transfer.file.clone(), transfer.path.clone());
    let copying = tokio::task::spawn_blocking(move || copy::copy(&file, &from, &to, overwrite));
    let (path, word) = copying.await.map_err(|_| refused("the copying was broken off; say the same again"))??;
    if path == transfer.path {
        return Ok(transfer);
    }
    let was = format!("it was here already, and is copied from {}", transfers::path(&transfer));
    let word = word.map(|word| format!("; {word}")).unwrap_or_default();
    Ok(Transfer { path, trouble: Some(was + &word), ..transfer })
}

fn numbers(all: &[Transfer]) -> String {
    let open = all.iter().filter(|transfer| !transfer.state.is_over());
    open.map(|transfer| transfer.id.to_string()).collect::<Vec<_>>().join(", ")
}

fn goes_on(all: &[Transfer]) -> String {
    let ids = numbers(all);
    format!(
        "the fetching goes on in the peer, as number {ids}: peer transfers; to stop it: peer pause {0}, or peer cancel {0}",
        one(&ids)
    )
}

fn waited(all: &[Transfer]) -> String {
    let ids = numbers(all);
    let why = all.iter().filter_map(|transfer| transfer.trouble.as_deref()).next();
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    format!(
        "nothing has come for as long as --wait says{why}; the fetching goes on in the peer, as number {ids}: peer transfers; to end it: peer cancel {}",
        one(&ids)
    )
}

/// The number to show in a command: the only one, or the word for one.
fn one(ids: &str) -> &str {
    if ids.contains(',') { "NUMBER" } else { ids }
}

fn with_what_stays(refusal: Refusal) -> Refusal {
    match refusal.code {
        Exit::Unreachable => Refusal::new(
            refusal.code,
            format!("{}. What has come stays, and the fetching goes on then", refusal.message),
        ),
        _ => refusal,
    }
}

/// Hands the file to the desktop. That it cannot be opened here is no failure: it is here.
fn open(transfer: &Transfer, bars: &Bars) {
    let mut opener = Command::new(OPENER);
    // In a group of its own, so that what it starts outlives this command and its terminal.
    opener.arg(&transfer.path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    match opener.spawn() {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bars.note(&format!("there is no {OPENER} here to open it with; it is {}", transfers::path(transfer)));
        }
        Err(error) => bars.note(&format!("{OPENER} does not start: {error}; it is {}", transfers::path(transfer))),
    }
}
