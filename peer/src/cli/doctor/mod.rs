//! `peer doctor`: what is wrong, and what to do about it.
//!
//! [`observe`] looks at everything and changes nothing, [`diagnose`] makes findings of what was seen, and
//! [`faults`] is the table of what can be found.

mod diagnose;
mod faults;
mod machine;
mod mdns;
mod observe;
mod observed;
mod probe;

#[cfg(test)]
mod diagnose_tests;

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use anyhow::Result;
use clap::Args;
use common::{
    AccountName, reasons,
    wire::control::{Exit, Refusal},
};
use peer::{control::socket, profile::Folders};

use self::faults::{Finding, Severity};
use super::{Global, log, output, text};

/// Look for what is wrong, and say what to do about it; takes up to ten seconds.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer doctor\n  peer doctor --as alice --json\nEnds with 0 if nothing is wrong, 1 if something is, 3 if something cannot be reached, 4 if a key is not the known one."
)]
pub struct Doctor {}

impl Doctor {
    /// Runs it.
    pub fn run(self, global: &Global) -> Result<()> {
        log::to_stderr(&global.log)?;
        let folders = global.folders()?;
        let name = pick(global, &folders)?;
        let config = global.config(&folders).map_err(|error| reasons(error.as_ref()));
        let watched = io::stderr().is_terminal() && !global.json;
        let tell = |what: &str| {
            if watched {
                output::note(what);
            }
        };
        let runtime = tokio::runtime::Runtime::new()?;
        let seen = runtime.block_on(observe::observe(name.as_ref(), &folders, config, &tell))?;
        // A look-up may still hang.
        runtime.shutdown_background();
        tell_all(&diagnose::diagnose(&seen), &output::Out::new(global.json))
    }
}

/// Whether there is no room on the disk of a folder.
pub fn is_full(folder: &Path) -> bool {
    machine::write(&machine::nearest(folder)) == observed::Write::Full
}

/// The account of `--as`, or the only one that is logged in, or the only one there is.
fn pick(global: &Global, folders: &Folders) -> Result<Option<AccountName>, Refusal> {
    if let Some(name) = &global.session {
        return Ok(Some(name.clone()));
    }
    let (running, _) = socket::find(folders.runtime());
    let running: Vec<String> = running.into_iter().map(|(name, _)| name).collect();
    let names = if running.is_empty() { folders.accounts() } else { running };
    let mut names: Vec<AccountName> = names.into_iter().filter_map(|name| name.parse().ok()).collect();
    match names.len() {
        0 | 1 => Ok(names.pop()),
        _ => {
            let reason =
                format!("there are several accounts here: {}; say which: --as {}", output::names(&names), names[0]);
            Err(Refusal::new(Exit::Refused, reason))
        }
    }
}

/// Two lines a finding, or one of JSON, and the exit code of the worst.
fn tell_all(findings: &[Finding], out: &output::Out) -> Result<()> {
    for finding in findings {
        out.object(finding, told)?;
    }
    let faults = findings.iter().filter(|finding| finding.severity == Severity::Fault);
    let Some(worst) = faults.clone().map(|fault| fault.exit).max_by_key(|exit| i32::from(*exit)) else {
        return Ok(out.remark(if findings.is_empty() { "nothing is wrong" } else { "nothing else is wrong" })?);
    };
    let reason = match faults.count() {
        1 => "one thing is wrong".to_string(),
        several => format!("{several} things are wrong; begin with the first"),
    };
    Err(Refusal::new(worst, reason).into())
}

fn told(finding: &Finding) -> String {
    let hint = if finding.severity == Severity::Hint { " (a hint)" } else { "" };
    format!("{}{hint}: {}\n  {}", finding.fault, text::inline(&finding.cause), text::inline(&finding.remedy))
}
