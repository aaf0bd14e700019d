//! The command line: one file a command group. Every command but `login` is a thin client of the control socket.

mod attach;
mod backup;
mod bars;
mod beside;
mod book;
mod chat;
mod contacts;
mod deed;
mod detach;
mod doctor;
mod door;
mod export;
mod file;
mod files;
mod first;
mod get;
mod host;
mod identity;
mod install;
mod log;
mod login;
mod meet;
mod notices;
mod outbox;
mod output;
mod passphrase;
mod paths;
mod progress;
mod quiet;
mod remote;
mod rooms;
mod rpc;
mod say;
mod screen;
mod session;
mod show;
mod signals;
mod stay;
mod table;
mod tail;
mod text;
mod time;
mod transcript;
mod transfers;
mod usage;

#[cfg(test)]
#[path = "../control/fake.rs"]
mod fake;

use std::{io, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use common::{
    AccountName, reasons,
    wire::control::{Exit, Refusal},
};
use meet::Meet;
#[cfg(test)]
use peer::control::{Session, follow};
use peer::{Config, profile::Folders};

/// Instant messages on your own network: a tracker says who is there, what you say goes straight to them.
#[derive(Parser)]
#[command(
    name = "peer",
    version,
    after_help = "Begin with:\n  peer login alice\n  peer join lobby\n  peer say lobby hello"
)]
struct Line {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(clap::Args)]
pub struct Global {
    /// Which session, where several run.
    #[arg(long = "as", global = true, env = "ROLLCALL_AS", value_name = "NAME")]
    session: Option<AccountName>,
    /// One JSON object a line.
    #[arg(long, global = true)]
    json: bool,
    /// Keep everything under this folder instead of the XDG folders.
    #[arg(long, global = true, env = "ROLLCALL_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// The config file.
    #[arg(long, global = true, env = "ROLLCALL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What to log: error, warn, info, debug, trace, or a filter like peer=debug.
    #[arg(long, global = true, env = "ROLLCALL_LOG", value_name = "LEVEL", default_value = "warn")]
    log: String,
}

#[derive(Subcommand)]
enum Command {
    Login(login::Login),
    Attach(attach::Attach),
    Logout(session::Logout),
    Status(session::Status),
    Rename(session::Rename),
    Rooms(rooms::Rooms),
    Join(rooms::Join),
    Create(door::Create),
    Leave(rooms::Leave),
    Members(rooms::Members),
    Topic(door::Topic),
    Requests(door::Requests),
    Accept(door::Accept),
    Decline(door::Decline),
    Kick(door::Kick),
    Ban(door::Ban),
    Unban(door::Unban),
    Bans(door::Bans),
    Promote(door::Promote),
    HandOver(door::HandOver),
    Say(say::Say),
    Edit(deed::Edit),
    Delete(deed::Delete),
    React(deed::React),
    Msg(say::Msg),
    Receipts(say::Receipts),
    Outbox(outbox::Outbox),
    Tail(tail::Tail),
    History(tail::History),
    Export(export::Export),
    Paths(paths::Paths),
    Chats(contacts::Chats),
    Contacts(contacts::Contacts),
    Add(contacts::Add),
    Remove(contacts::Remove),
    Block(contacts::Block),
    Unblock(contacts::Unblock),
    Away(contacts::Away),
    Back(contacts::Back),
    Verify(identity::Verify),
    Trust(identity::Trust),
    Share(files::Share),
    Send(files::Send),
    Unshare(files::Unshare),
    Files(files::Files),
    Get(get::Get),
    Transfers(transfers::Transfers),
    Pause(transfers::Pause),
    Resume(transfers::Resume),
    Cancel(transfers::Cancel),
    Limit(transfers::Limit),
    Book(book::Book),
    Save(book::Save),
    Forget(book::Forget),
    Listen(meet::Listen),
    Connect(meet::Connect),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Rpc(rpc::Rpc),
    Completions(install::Completions),
    Man(install::Man),
    Doctor(doctor::Doctor),
}

impl Global {
    fn folders(&self) -> Result<Folders> {
        Ok(Folders::find(self.home.as_deref())?)
    }

    fn config(&self, folders: &Folders) -> Result<Config> {
        let path = self.config.clone().unwrap_or_else(|| folders.config_file());
        Ok(Config::load(&path, self.config.is_some())?)
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let Line { global, command } = match Line::try_parse() {
        Ok(line) => line,
        Err(error) => match usage::in_shell(&error, &Line::command(), std::env::args_os()) {
            Some(wrong) => {
                output::note(&wrong);
                return ExitCode::from(u8::try_from(i32::from(Exit::Usage)).unwrap_or(2));
            }
            // Help, or the version.
            None => error.exit(),
        },
    };
    let done = match command {
        Some(command) => run(command, &global),
        None => begin(&global),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Without a command: what to do next.
fn begin(global: &Global) -> Result<()> {
    Ok(first::greet(&global.folders()?, &output::Out::new(global.json))?)
}

fn run(command: Command, global: &Global) -> Result<()> {
    if let Command::Login(login) = command {
        return if login.detach { detach::run(&login, global) } else { login::main(login, global) };
    }
    let command = match command {
        Command::Attach(attach) => return attach::main(attach, global),
        Command::Doctor(doctor) => return doctor.run(global),
        Command::Rpc(rpc) => return rpc.run(global),
        Command::Backup(backup) => return backup.run(global),
        Command::Restore(restore) => return restore.run(global),
        Command::Completions(completions) => return completions.run(Line::command()),
        Command::Man(man) => return man.run(Line::command()),
        command => command,
    };
    let meeting = matches!(command, Command::Listen(_) | Command::Connect(_));
    if meeting && let Some(name) = meet::begins(global)? {
        return match command {
            Command::Listen(listen) => login::without_tracker(name, listen.port, listen.headless, Meet::Listen, global),
            Command::Connect(to) => login::without_tracker(name, to.port, to.headless, Meet::Connect(to), global),
            _ => Ok(()),
        };
    }
    log::to_stderr(&global.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let out = output::Out::new(global.json);
    runtime.block_on(async {
        let mut client = if meeting { meet::pick(global)? } else { session::pick(global)? };
        match command {
            Command::Login(_) | Command::Attach(_) | Command::Doctor(_) | Command::Rpc(_) => Ok(()),
            Command::Completions(_) | Command::Man(_) | Command::Backup(_) | Command::Restore(_) => Ok(()),
            Command::Logout(logout) => logout.run(&mut client, &out, global).await,
            Command::Status(status) => status.run(&mut client, &out).await,
            Command::Rename(rename) => rename.run(&mut client, &out).await,
            Command::Rooms(rooms) => rooms.run(&mut client, &out).await,
            Command::Join(join) => join.run(&mut client, &out).await,
            Command::Create(create) => create.run(&mut client, &out).await,
            Command::Leave(leave) => leave.run(&mut client, &out).await,
            Command::Members(members) => members.run(&mut client, &out).await,
            Command::Topic(topic) => topic.run(&mut client, &out).await,
            Command::Requests(requests) => requests.run(&mut client, &out).await,
            Command::Accept(accept) => accept.run(&mut client, &out).await,
            Command::Decline(decline) => decline.run(&mut client, &out).await,
            Command::Kick(kick) => kick.run(&mut client, &out).await,
            Command::Ban(ban) => ban.run(&mut client, &out).await,
            Command::Unban(unban) => unban.run(&mut client, &out).await,
            Command::Bans(bans) => bans.run(&mut client, &out).await,
            Command::Promote(promote) => promote.run(&mut client, &out).await,
            Command::HandOver(hand_over) => hand_over.run(&mut client, &out).await,
            Command::Say(say) => say.run(&mut client, &out).await,
            Command::Edit(edit) => edit.run(&mut client, &out).await,
            Command::Delete(delete) => delete.run(&mut client, &out).await,
            Command::React(react) => react.run(&mut client, &out).await,
            Command::Msg(msg) => msg.run(&mut client, &out).await,
            Command::Receipts(receipts) => receipts.run(&mut client, &out).await,
            Command::Outbox(outbox) => outbox.run(&mut client, &out).await,
            Command::Tail(tail) => tail.run(client, &out).await,
            Command::Export(export) => export.run(client, &out).await,
            Command::History(history) => history.run(client, &out).await,
            Command::Paths(paths) => paths.run(&mut client, &out).await,
            Command::Contacts(contacts) => contacts.run(&mut client, &out).await,
            Command::Add(add) => add.run(&mut client, &out).await,
            Command::Remove(remove) => remove.run(&mut client, &out).await,
            Command::Block(block) => block.run(&mut client, &out).await,
            Command::Unblock(unblock) => unblock.run(&mut client, &out).await,
            Command::Away(away) => away.run(&mut client, &out).await,
            Command::Back(back) => back.run(&mut client, &out).await,
            Command::Chats(chats) => chats.run(&mut client, &out).await,
            Command::Verify(verify) => verify.run(&mut client, &out).await,
            Command::Trust(trust) => trust.run(&mut client, &out).await,
            Command::Share(share) => share.run(&mut client, &out).await,
            Command::Send(send) => send.run(&mut client, &out).await,
            Command::Unshare(unshare) => unshare.run(&mut client, &out).await,
            Command::Files(files) => files.run(&mut client, &out).await,
            Command::Get(get) => get.run(&mut client, &out).await,
            Command::Transfers(transfers) => transfers.run(&mut client, &out).await,
            Command::Pause(pause) => pause.run(&mut client, &out).await,
            Command::Resume(resume) => resume.run(&mut client, &out).await,
            Command::Cancel(cancel) => cancel.run(&mut client, &out).await,
            Command::Limit(limit) => limit.run(&mut client, &out).await,
            Command::Book(book) => book.run(&mut client, &out).await,
            Command::Save(save) => save.run(&mut client, &out).await,
            Command::Forget(forget) => forget.run(&mut client, &out).await,
            Command::Listen(listen) => listen.run(&mut client, &out).await,
            Command::Connect(connect) => connect.run(&mut client, &out).await,
        }
    })
}

/// A refusal of what was asked for.
fn refused(why: impl Into<String>) -> Refusal {
    Refusal::new(Exit::Refused, why)
}

/// Tells why, and ends with the code that goes with it.
fn fail(error: &anyhow::Error) -> ExitCode {
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        // Whoever read the output has seen enough.
        return ExitCode::SUCCESS;
    }
    let code = error.downcast_ref::<Refusal>().map_or(Exit::Refused, |refusal| refusal.code);
    output::note(&reasons(error.as_ref()));
    ExitCode::from(u8::try_from(i32::from(code)).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_every_command_has_an_example() {
        Line::command().debug_assert();
        for command in Line::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("peer "), "{} has no example", command.get_name());
        }
    }
}
