//! Backups: a person in a file, and out of it again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use common::AccountName;
use peer::{
    backup::{self, Restored, Sealed, Settings},
    profile::Folders,
    size::Size,
};

use super::{Global, output::Out, passphrase, refused, text, time};

/// Write an account to a file under a passphrase: the key, the history, contacts, known keys and settings, but no files of
/// others. It may be logged in meanwhile. The file is one of `age`, with a tar archive inside.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  peer backup alice.age\n  peer backup /media/stick/alice.age --overwrite\n  peer backup alice.age --as alice --passphrase-file secret.txt\n  age -d alice.age | tar -tv    # what is in it, without Rollcall"
)]
pub struct Backup {
    /// Where to.
    file: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    passphrase: passphrase::From,
}

/// Put an account back that was written by `peer backup`, on this machine or another. One that is here already is never
/// touched.
#[derive(Args)]
#[command(after_help = "Examples:\n  peer restore alice.age\n  peer restore alice.age --passphrase-file secret.txt")]
pub struct Restore {
    /// Where from.
    file: PathBuf,
    #[command(flatten)]
    passphrase: passphrase::From,
}

impl Backup {
    /// Runs it.
    pub fn run(self, global: &Global) -> Result<()> {
        let folders = global.folders()?;
        let name = account(&folders, global.session.as_ref())?;
        backup::may_be_written(&self.file, self.overwrite)?;
        let passphrase = self.passphrase.ask(passphrase::Times::Twice)?;
        let config = global.config.clone().unwrap_or_else(|| folders.config_file());
        let made = backup::make(&name, &folders.profile(&name), &config, &self.file, passphrase, self.overwrite)?;
        Ok(Out::new(global.json).object(&made, |made| {
            format!(
                "{} is in {} now, {}. Whoever has this file and its passphrase can be {}; without the passphrase nobody can \
                 open it",
                made.name,
                text::inline(&made.file.display().to_string()),
                Size(made.bytes),
                made.name
            )
        })?)
    }
}

impl Restore {
    /// Runs it.
    pub fn run(self, global: &Global) -> Result<()> {
        let folders = global.folders()?;
        let sealed = Sealed::open(&self.file)?;
        let passphrase = self.passphrase.ask(passphrase::Times::Once)?;
        let config = global.config.clone().unwrap_or_else(|| folders.config_file());
        let restored = sealed.restore(passphrase, &folders, &config)?;
        Ok(Out::new(global.json).object(&restored, told)?)
    }
}

fn told(restored: &Restored) -> String {
    let Restored { name, key, folder, made, messages, settings } = restored;
    let shown = |path: &PathBuf| text::inline(&path.display().to_string());
    let settings = match settings {
        Settings::Same => String::new(),
        Settings::Restored(path) => format!("\nsettings  {}{}", shown(path), runs(path)),
        Settings::Beside(path) => {
            format!("\nsettings  those here stay as they are; those of the backup are in {}", shown(path))
        }
    };
    format!(
        "{name} is here again as of {}, with {}; log in: peer login {name}\nkey       {key}\nfolder    \
         {}{settings}\nWhat was said since then comes back from the others, as far as they have it. Be logged in as {name} on one \
         machine at a time: a login here ends the session there.",
        time::date(*made),
        if *messages == 1 { "1 message".into() } else { format!("{messages} messages") },
        shown(folder)
    )
}

/// What settings that have just come have run on this machine: a backup need not be one's own.
fn runs(config: &Path) -> String {
    let settings = fs::read_to_string(config).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let command = settings.as_ref().and_then(|settings| settings.get("notify_command"));
    match command.and_then(|command| command.as_array()).filter(|command| !command.is_empty()) {
        Some(command) => {
            let words: Vec<&str> = command.iter().filter_map(|word| word.as_str()).collect();
            format!(
                "\n          They have each message run a program here (notify_command): {}",
                text::inline(&words.join(" "))
            )
        }
        None => String::new(),
    }
}

/// The account of `--as`, or the only one, by its latest name.
fn account(folders: &Folders, named: Option<&AccountName>) -> Result<AccountName> {
    let accounts = folders.accounts();
    let names: Vec<AccountName> = accounts.iter().filter_map(|name| name.parse().ok()).collect();
    match (named, names.as_slice()) {
        (Some(named), names) => {
            let profile = folders.profile(named);
            let latest = names.iter().find(|name| folders.profile(name) == profile);
            Ok(latest.unwrap_or(named).clone())
        }
        (None, [name]) => Ok(name.clone()),
        (None, []) => Err(refused("there is no account here; one begins with: peer login NAME").into()),
        (None, names) => {
            let listed: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            let reason = format!("several accounts are here: {}; say which: --as {}", listed.join(", "), listed[0]);
            Err(refused(reason).into())
        }
    }
}
