//! The first steps: what `peer` alone says, and what the first login says of the key it has made.

use std::io;

use common::AccountName;
use peer::{
    control::socket,
    profile::{Folders, Profile},
};
use serde::Serialize;

use super::{output::Out, text};

/// Accounts that are named in one line, at the most.
const NAMED: usize = 6;

/// Who has an account here, and who of them is logged in.
#[derive(Serialize)]
struct Here {
    accounts: Vec<String>,
    running: Vec<String>,
}

/// Says in four lines what to do next.
pub fn greet(folders: &Folders, out: &Out) -> io::Result<()> {
    let (sessions, _) = socket::find(folders.runtime());
    let running = sessions.into_iter().map(|(name, _)| name).collect();
    out.object(&Here { accounts: folders.accounts(), running }, |here| told(here).join("\n"))
}

fn told(Here { accounts, running }: &Here) -> [String; 4] {
    let line = |what: &str, command: &str| format!("{what:<28}{command}");
    let all = line("Everything else:", "peer --help");
    match (running.as_slice(), accounts.as_slice()) {
        ([], []) => [
            "Nobody has an account here yet; the first login makes one. Take a name, such as alice:".into(),
            line("Log in, and chat:", "peer login alice"),
            line("The first on this network:", "peer login alice --host"),
            all,
        ],
        ([], [first, ..]) => [
            format!("Nobody is logged in. Accounts here: {}.", some(accounts)),
            line("Log in, and chat:", &format!("peer login {}", text::inline(first))),
            line("In the background:", &format!("peer login {} --detach", text::inline(first))),
            all,
        ],
        ([one], _) => [
            format!("{} is logged in.", text::inline(one)),
            line("What there is to read:", "peer attach (the screen), peer chats, peer tail --follow"),
            line("Say something:", "peer join lobby, peer say lobby hello"),
            all,
        ],
        ([first, ..], _) => {
            let first = text::inline(first);
            [
                format!("Logged in are {}. Name one with --as:", some(running)),
                line("What there is to read:", &format!("peer attach --as {first}, peer chats --as {first}")),
                line("Say something:", &format!("peer say lobby hello --as {first}")),
                all,
            ]
        }
    }
}

/// The first few names.
fn some(names: &[String]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|name| text::inline(name)).collect();
    match names.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// What the first login says of its key; `None` at any later one. To be asked before the key is made.
pub fn key_made(name: &AccountName, profile: &Profile) -> Option<String> {
    (!profile.key().exists()).then(|| {
        format!(
            "a key was made for {name}, which is who you are from now on, instead of a password: {}\nKeep a copy in a \
             safe place: peer backup FILE. Whoever has it can log in as {name}, and without it you cannot",
            profile.key().display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_next_depends_on_who_is_there() {
        let told = |accounts: &[&str], running: &[&str]| {
            let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
            told(&Here { accounts: names(accounts), running: names(running) }).join("\n")
        };
        assert!(told(&[], &[]).contains("peer login alice --host"));
        let idle = told(&["bob", "carol"], &[]);
        assert!(idle.contains("bob, carol") && idle.contains("peer login bob --detach"), "{idle}");
        let one = told(&["bob", "carol"], &["bob"]);
        assert!(one.starts_with("bob is logged in.") && !one.contains("--as"), "{one}");
        assert!(told(&["bob", "carol"], &["bob", "carol"]).contains("--as bob"));
        assert!(told(&["x"; 9], &[]).contains("and 3 more"));
    }
}
