//! `peer login --detach`: the same command again without a terminal, waited for until it is logged in.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use common::wire::control::{Exit, Refusal};
use serde_json::Value;

use super::{
    Global, doctor, first,
    login::{self, Login},
    output,
};

/// How the command's own errors begin on stderr, which is the log here.
const ERROR: &str = "peer: ";

/// A session in the background.
pub struct Started {
    /// Its process.
    pub process: u32,
    /// What it says when it is logged in: an object of JSON.
    ready: String,
    /// What is said of its key, if that was made just now.
    pub key_made: Option<String>,
}

/// Starts the login of this command line in the background, tells of it, and returns when it is ready, or with its error.
pub fn run(login: &Login, global: &Global) -> Result<()> {
    let Started { process, ready, key_made } = start(login, global)?;
    let name = &login.name;
    if global.json {
        key_made.iter().for_each(|key_made| output::note(key_made));
        return Ok(output::line(ready.trim_end())?);
    }
    let told: Value = serde_json::from_str(&ready).unwrap_or_default();
    let domain = told["domain"].as_str().unwrap_or("-");
    let how = format!("{name}@{domain} is logged in (process {process}); end it with: peer logout --as {name}");
    output::line(&how)?;
    told["notes"].as_array().into_iter().flatten().filter_map(Value::as_str).for_each(output::note);
    Ok(key_made.map_or(Ok(()), |key_made| output::line(&key_made))?)
}

/// The same without a word.
pub fn start(login: &Login, global: &Global) -> Result<Started> {
    let name = &login.name;
    let invitation = login.invitation()?;
    let profile = global.folders()?.profile(name);
    let key_made = first::key_made(name, &profile);
    let log = profile.open_log()?;
    let before = log.metadata().map(|log| log.len()).unwrap_or(0);
    let mut command = Command::new(std::env::current_exe().context("cannot find this program's own file")?);
    if let Some(invitation) = invitation {
        // Everybody on this machine can see the arguments, for as long as the session lasts.
        command.env(login::INVITE, invitation);
    }
    let mut child = command
        .args(passed_on(std::env::args_os().skip(1)))
        .arg("--headless")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        // A group of its own: an interrupt from the terminal is not for it.
        .process_group(0)
        .spawn()
        .context("cannot start the peer in the background")?;
    let process = child.id();
    let mut ready = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut ready).context("cannot hear from the peer in the background")?;
    }
    // The log has it too, where nobody looks.
    let key_made = key_made.filter(|_| profile.key().exists());
    if serde_json::from_str::<Value>(&ready).is_ok() {
        return Ok(Started { process, ready, key_made });
    }
    key_made.iter().for_each(|key_made| output::note(key_made));
    let status = child.wait().context("cannot hear from the peer in the background")?;
    let log = fs::read(profile.log()).unwrap_or_default();
    let told = String::from_utf8_lossy(log.get(before as usize..).unwrap_or_default()).into_owned();
    let reason = match told.rfind(&format!("\n{ERROR}")).map(|at| at + 1).or(told.starts_with(ERROR).then_some(0)) {
        Some(at) => told[at + ERROR.len()..].trim_end().to_string(),
        None if doctor::is_full(profile.folder()) => format!(
            "the disk of {} is full, so that nothing can be kept; make room there, and log in again",
            profile.folder().display()
        ),
        None => format!(
            "the peer in the background ended ({status}); see why: {}, or run: peer doctor --as {name}",
            profile.log().display()
        ),
    };
    let code = status.code().map_or(Exit::Refused, Exit::from);
    Err(Refusal::new(if code == Exit::Done { Exit::Refused } else { code }, reason).into())
}

/// The arguments for the process in the background: those of this command line, but for what is not for it.
fn passed_on(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let (mut passed, mut is_token) = (Vec::new(), false);
    for argument in arguments {
        if std::mem::take(&mut is_token) {
            continue;
        }
        is_token = argument == "--invite";
        let is_invite = is_token || argument.as_encoded_bytes().starts_with(b"--invite=");
        if !is_invite && argument != "--detach" {
            passed.push(argument);
        }
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_invitation_is_among_the_arguments_of_the_process_in_the_background() {
        let passed = |line: &str| passed_on(line.split(' ').map(OsString::from)).join(" ".as_ref());
        assert_eq!(passed("login alice --invite secret --detach --port 0"), "login alice --port 0");
        assert_eq!(passed("--home /h login --invite=secret alice --detach"), "--home /h login alice");
        assert_eq!(passed("login alice --detach --invite -"), "login alice");
    }
}
