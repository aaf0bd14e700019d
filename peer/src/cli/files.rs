//! Sharing files in a room, and what is shared there.

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use anyhow::Result;
use clap::Args;
use common::{
    RoomName,
    wire::control::{
        Refusal,
        files::{self, AskFiles, FileLine, Here, NamedFile, OfRoom},
    },
};
use indicatif::ProgressBar;
use peer::{control::Client, size::Size};
use serde_json::{Value, json};

use super::{
    file,
    output::{Out, few},
    say,
    table::{Column, text, whole},
    text::inline,
    time,
};

/// Digits of a root in a table: as many as name a file.
const DIGITS: usize = 8;
/// How often the mark turns that says that files are being hashed.
const TURN: Duration = Duration::from_millis(120);

/// Share files or folders in a room. They are served from where they lie, for as long as you are logged in.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer share lobby cat.jpg\n  peer share lobby photos/ notes.pdf\n  peer share @bob cat.jpg"
)]
pub struct Share {
    /// Where.
    room: RoomName,
    /// What: files, and folders, which are kept as trees.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Share files or folders with one person alone.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer send bob cat.jpg\nThe conversation is a room called @bob: peer files @bob, peer get @bob cat.jpg"
)]
pub struct Send {
    /// With whom: somebody who shares a room with you, a contact, or somebody reached by their address.
    #[arg(value_parser = say::person)]
    name: RoomName,
    /// What: files, and folders, which are kept as trees.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Share a file no more. Who has it keeps it.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer unshare lobby cat.jpg\n  peer unshare lobby 9f86d081")]
pub struct Unshare {
    /// Where.
    room: RoomName,
    /// Its name, or the first eight or more digits of its root.
    #[arg(value_name = "NAME|ROOT")]
    file: String,
}

/// The files that are shared in a room, and how many members have each right now.
#[derive(Args)]
#[command(after_help = "Example:\n  peer files lobby\nThen, for example: peer get lobby cat.jpg")]
pub struct Files {
    /// Where.
    room: RoomName,
}

impl Share {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let lines: Vec<FileLine> = {
            let _turning = Turning::begin(self.paths.len());
            client.files(share(self.room, &self.paths)?).await?
        };
        Ok(lines.iter().try_for_each(|line| out.object(line, shared))?)
    }
}

impl Send {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        Share { room: self.name, paths: self.paths }.run(client, out).await
    }
}

impl Unshare {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let Unshare { room, file } = self;
        let _: Value = client.files(AskFiles::Unshare(NamedFile { room: room.clone(), file: file.clone() })).await?;
        Ok(out.object(&json!({"room": room, "file": file}), |_| unshared(&room, &file))?)
    }
}

impl Files {
    /// Runs it.
    pub async fn run(self, client: &mut Client, out: &Out) -> Result<()> {
        let files: Vec<FileLine> = client.files(AskFiles::Files(OfRoom { room: self.room.clone() })).await?;
        if files.is_empty() {
            return Ok(out.remark(&none(&self.room))?);
        }
        Ok(out.table(&files, &FILES, line)?)
    }
}

/// What is asked of the peer for these paths.
pub fn share(room: RoomName, paths: &[PathBuf]) -> Result<AskFiles, Refusal> {
    let paths = paths.iter().map(|path| file::absolute(path)).collect::<Result<_, _>>()?;
    Ok(AskFiles::Share(files::Share { room, paths }))
}

/// What is said to who has shared a file.
pub fn shared(line: &FileLine) -> String {
    let from = line.path.as_ref().map(|path| format!(", from {}", inline(&path.display().to_string())));
    format!("shared {} in {}{}", file::told(&line.file), line.room, from.unwrap_or_default())
}

/// What is said to who shares one no more.
pub fn unshared(room: &RoomName, file: &str) -> String {
    format!("{} is not shared in {room} any more; who has it keeps it", inline(file))
}

/// What is said where nothing is shared.
pub fn none(room: &RoomName) -> String {
    format!("no file is shared in {room}; share one: peer share {room} PATH")
}

/// The columns of [`line`].
pub const FILES: [Column; 9] = [
    text("NAME", 0),
    whole("SIZE", 0),
    text("TYPE", 3),
    text("FROM", 1),
    whole("WHOLE", 2),
    whole("PART", 5),
    whole("HERE", 1),
    whole("ROOT", 4),
    whole("SHARED", 6),
];

/// A file that is shared, in a table.
pub fn line(line: &FileLine) -> [String; 9] {
    let here = match line.here {
        Here::None => "no",
        Here::Part => "part",
        Here::Whole => "yes",
        Here::Changed => "changed",
    };
    [
        file::column(&line.file),
        Size(line.file.size).to_string(),
        file::kind(&line.file),
        few(&line.from),
        line.whole.to_string(),
        line.part.to_string(),
        here.to_string(),
        line.file.root.chars().take(DIGITS).collect(),
        time::date(line.at),
    ]
}

/// Shows that something is done, while files are hashed, where somebody looks.
struct Turning(Option<ProgressBar>);

impl Turning {
    fn begin(paths: usize) -> Turning {
        let what = if paths == 1 { "it is hashed".to_string() } else { format!("{paths} are hashed") };
        Turning(std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_message(what);
            bar.enable_steady_tick(TURN);
            bar
        }))
    }
}

impl Drop for Turning {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
