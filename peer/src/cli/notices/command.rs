//! A command of the user's own, which finds in its environment what calls them.

use std::{io, process::Stdio, time::Duration};

use common::wire::control::MessageEvent;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{process::Command, time::timeout};

use crate::cli::login;

/// A command that runs for longer is killed, with all that it has started.
const LONGEST: Duration = Duration::from_secs(30);

/// Runs it, a program and its arguments, to its end. No shell comes between: what somebody writes cannot become a command.
pub async fn run(command: &[String], message: &MessageEvent, count: u64) -> io::Result<()> {
    let Some((program, arguments)) = command.split_first() else { return Err(io::ErrorKind::NotFound.into()) };
    // An environment cannot have a zero byte.
    let text = message.text.replace('\0', " ");
    let mut child = Command::new(program)
        .args(arguments)
        .env("ROLLCALL_FROM", message.from.as_str())
        .env("ROLLCALL_ROOM", message.room.as_str())
        .env("ROLLCALL_TEXT", text)
        .env("ROLLCALL_COUNT", count.to_string())
        // It is nobody else's.
        .env_remove(login::INVITE)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    match timeout(LONGEST, child.wait()).await {
        // How it ended is its own affair, and so is what it has left to run.
        Ok(ended) => {
            group.leave();
            ended.map(drop)
        }
        Err(_) => {
            drop(group);
            child.wait().await.map(drop)
        }
    }
}

/// The processes of a command. They are killed with it, while it has not ended: then its number may be somebody else's.
struct Group(Option<Pid>);

impl Group {
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // None of them may be left.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::cli::notices::desktop::tests::message;

    /// Whether a process runs; one that is dead and not waited for does not.
    fn runs(id: &str) -> bool {
        let state = fs::read_to_string(Path::new("/proc").join(id).join("stat")).unwrap_or_default();
        state.rsplit(") ").next().is_some_and(|state| !state.is_empty() && !state.starts_with(['Z', 'X']))
    }

    #[tokio::test]
    async fn what_a_command_has_started_is_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = format!("sleep 1000 & echo $! >{0}.new; mv {0}.new {0}; wait", started.display());
        let command = ["sh", "-c", &script].map(String::from);
        let message = message("@bob", "hello");
        let mut running = Box::pin(run(&command, &message, 1));
        let id = loop {
            let polled = timeout(Duration::from_millis(10), &mut running).await;
            assert!(polled.is_err(), "it ended: {polled:?}");
            if let Ok(id) = fs::read_to_string(&started) {
                break id.trim().to_string();
            }
        };
        assert!(runs(&id));
        drop(running);
        while runs(&id) {
            tokio::task::yield_now().await;
        }
    }
}
