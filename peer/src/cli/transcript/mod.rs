//! `peer login --transcript DIR`: each conversation as a text file, as it happens.

mod files;

use std::{path::PathBuf, time::Duration};

use common::wire::control::{Event, Exit, MemberChange, Refusal};
use peer::control::{Follow, Lasting, Session, follow};
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{self, sleep},
};

use super::{show, tail, time as clock};
use files::{Files, OpenError};

/// The pause before a folder that cannot be written is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How often it is kept how far the texts are written.
const KEEP: Duration = Duration::from_secs(1);

/// Writes until the session ends. Trouble with the folder is told once by `notes`; meanwhile nothing is lost, since
/// what has not been written yet is in the history.
pub async fn run(session: impl Session, folder: PathBuf, notes: mpsc::Sender<String>) {
    if let Err(refusal) = write_all(session, folder, &notes, RETRY).await
        && refusal.code != Exit::Unreachable
    {
        // Without a listener the session is over.
        let _ = notes.send(refusal.message).await;
    }
}

async fn write_all(
    session: impl Session,
    folder: PathBuf,
    notes: &mpsc::Sender<String>,
    retry: Duration,
) -> Result<(), Refusal> {
    // What happens from now on, if the folder is new.
    let begin = session.past(None, None, 1).await?.last().and_then(follow::cursor).unwrap_or(0);
    let mut writer =
        Writer { files: None, account: session.status().await?.key, folder, begin, notes, retry, told: false };
    writer.until_done(|_| Ok(())).await?;
    let cursor = writer.files.as_ref().map_or(begin, Files::cursor);
    let mut events = Lasting::new(session.clone(), Follow::new(session, None, Some(cursor)));
    let mut keep = time::interval(KEEP);
    let mut kept = true;
    loop {
        tokio::select! {
            biased;
            event = events.next() => {
                // The end of the session is told by itself.
                let Ok(event) = event else { return Ok(()) };
                kept = false;
                writer.until_done(move |files| put(files, &event)).await?;
            }
            _ = keep.tick(), if !kept => {
                writer.until_done(Files::keep).await?;
                kept = true;
            }
        }
    }
}

/// The folder, and the trouble with it.
struct Writer<'a> {
    /// The files; `None` before they could be opened, and while they are in use.
    files: Option<Files>,
    account: String,
    folder: PathBuf,
    begin: u64,
    notes: &'a mpsc::Sender<String>,
    /// The pause before the folder is tried again.
    retry: Duration,
    told: bool,
}

impl Writer<'_> {
    /// Does something with the files, again and again until it works. Refused only where that is of no use.
    async fn until_done(
        &mut self,
        work: impl Fn(&mut Files) -> std::io::Result<()> + Clone + Send + 'static,
    ) -> Result<(), Refusal> {
        loop {
            let (work, files) = (work.clone(), self.files.take());
            let (folder, account, begin) = (self.folder.clone(), self.account.clone(), self.begin);
            let done = spawn_blocking(move || {
                let mut files = match files {
                    Some(files) => files,
                    None => match Files::open(&folder, &account, begin) {
                        Ok(files) => files,
                        Err(error) => return (None, Err(error)),
                    },
                };
                let result = work(&mut files).map_err(OpenError::from);
                (Some(files), result)
            });
            let (files, result) = done.await.map_err(|_| Refusal::new(Exit::Unreachable, "the session is ending"))?;
            self.files = files;
            let folder = self.folder.display();
            match result {
                Ok(()) => {
                    if std::mem::take(&mut self.told) {
                        let _ =
                            self.notes.send(format!("the transcript in {folder} goes on; nothing is missing")).await;
                    }
                    return Ok(());
                }
                Err(OpenError::Io(error)) => {
                    if !std::mem::replace(&mut self.told, true) {
                        let note = format!(
                            "the transcript in {folder} cannot be written: {error}. Make room, or check the folder; the \
                             chat goes on, and what is missing is written then"
                        );
                        let _ = self.notes.send(note).await;
                    }
                    sleep(self.retry).await;
                }
                Err(error) => {
                    return Err(Refusal::new(Exit::Refused, format!("there will be no transcript: {error}")));
                }
            }
        }
    }
}

fn put(files: &mut Files, event: &Event) -> std::io::Result<()> {
    match event {
        Event::Message(message) => {
            let lines = show::message(&format!("[{}] ", clock::clock(message.sent)), message, "        ");
            files.write(&message.room, message.cursor, &clock::day(message.sent), &lines)?;
        }
        // Who comes and goes online is no part of a conversation.
        Event::Member(member)
            if matches!(member.change, MemberChange::Online | MemberChange::Offline | MemberChange::Away) =>
        {
            files.passed(member.cursor);
        }
        Event::Member(member) => {
            let at = member.at.unwrap_or_default();
            let line = format!("[{}] * {} {}", clock::clock(at), member.name, tail::change(member));
            files.write(&member.room, member.cursor, &clock::day(at), &line)?;
        }
        Event::Receipt(_) | Event::Read(_) | Event::Typing(_) | Event::Transfer(_) => {}
    }
    if files.is_far() { files.keep() } else { Ok(()) }
}

#[cfg(test)]
#[path = "transcript_tests.rs"]
mod tests;
