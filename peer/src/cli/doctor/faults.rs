//! What can be wrong: the table of all faults, each with its cause and its remedy.

use common::wire::control::Exit;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing fails because of it now.
    Hint,
    /// Something does not work.
    Fault,
}

/// A kind of fault. In `cause` and `remedy` a word in braces stands for what was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What scripts know it by.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What the command ends with because of it; of a hint, [`Exit::Done`].
    pub exit: Exit,
    cause: &'static str,
    remedy: &'static str,
}

/// A fault that is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// Its name in [`FAULTS`].
    pub fault: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// What the command ends with because of it.
    #[serde(skip)]
    pub exit: Exit,
}

impl Fault {
    /// This fault, with a value for each word in braces.
    pub fn found(&self, values: &[(&str, &str)]) -> Finding {
        Finding {
            fault: self.name,
            severity: self.severity,
            cause: filled(self.cause, values),
            remedy: filled(self.remedy, values),
            exit: self.exit,
        }
    }
}

/// The template with its words replaced. What is put in is not looked at again: it may come from anybody.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split('{');
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (word, rest) = part.split_once('}').unwrap_or((part, ""));
        match values.iter().find(|(name, _)| *name == word) {
            Some((_, value)) => text += value,
            // A mistake of whoever wrote the table, which tests look for.
            None => text += &format!("{{{word}}}"),
        }
        text += rest;
    }
    text
}

macro_rules! faults {
    ($($constant:ident $name:literal $severity:ident $exit:ident $cause:literal $remedy:literal)+) => {
        $(
            pub const $constant: Fault = Fault {
                name: $name,
                severity: Severity::$severity,
                exit: Exit::$exit,
                cause: $cause,
                remedy: $remedy,
            };
        )+
        /// All of them, those first that are behind others.
        #[cfg(test)]
        pub const FAULTS: &[Fault] = &[$($constant),+];
    };
}

faults! {
    NO_ACCOUNT "no-account" Hint Done
        "{who} logged in on this machine yet"
        "begin with: peer login {name}    (or with a tracker of your own: peer login {name} --host)"
    CONFIG "config" Fault Refused
        "the settings cannot be used: {reason}"
        "mend that line, or move the file away: the defaults do"
    FOLDER_UNWRITABLE "folder-unwritable" Fault Refused
        "nothing can be written in {folder}: {reason}"
        "make it a folder that is yours (ls -ld {folder}), or name another: --home DIR"
    DISK_FULL "disk-full" Fault Refused
        "the disk of {folder} is full: nothing that you say or get can be kept"
        "make room there; a running session goes on by itself then"
    DISK_NEARLY_FULL "disk-nearly-full" Hint Done
        "the disk of {folder} has only {free} left"
        "make room before it is full"
    KEY_MISSING "key-missing" Fault Identity
        "{name} has a history here, but the key {path} is gone; a login would make another one, and be somebody else"
        "put your copy of it back; without one, ask whoever runs the tracker for: tracker reset-key {name}"
    KEY_EXPOSED "key-exposed" Fault Refused
        "others on this machine can read your key {path} (mode {mode}), and so could be you"
        "if nobody has: chmod 600 {path}    (if somebody may have, ask for: tracker reset-key {name})"
    KEY_UNUSABLE "key-unusable" Fault Identity
        "your key cannot be used: {reason}"
        "put your copy of it back; without one, ask whoever runs the tracker for: tracker reset-key {name}"
    PROFILE_DAMAGED "profile-damaged" Fault Refused
        "what {name} has kept of the tracker cannot be read: {reason}"
        "ask whoever runs the tracker for its key, remove {path}, and: peer login {name} --tracker-key KEY"
    PROFILE_GONE "profile-gone" Fault Identity
        "{name} has a history here, but {path}, which holds the key of the tracker, is gone"
        "put your copy of it back, or ask whoever runs the tracker for its key, and: peer login {name} --tracker HOST --tracker-key KEY"
    HISTORY_NEWER "history-newer" Fault Refused
        "the history {path} was written by a newer Rollcall (format {found}, this one knows {known})"
        "install that version again; which this is says: peer --version"
    HISTORY_FOREIGN "history-foreign" Fault Identity
        "the history {path} belongs to the key {found}, and the key beside it is another"
        "put your copy of that key back; without one, move the history away, and you begin a new one"
    HISTORY_UNUSABLE "history-unusable" Fault Refused
        "the history of {name} cannot be used: {reason}"
        "see what it is, and whose: ls -ld {path}"
    BOOK_DAMAGED "book-damaged" Fault Refused
        "the address book {path} cannot be read: {reason}"
        "put that line right, or move the file away: nobody logs in before"
    SESSION_SILENT "session-silent" Fault Unreachable
        "{process} has the account {name} open and does not answer: it is held up, or still logging in"
        "give it ten seconds; then end it ({kill}) and log in again: peer login {name}"
    SESSION_REFUSES "session-refuses" Fault Refused
        "the session of {name} runs, and cannot do what it is asked for: {reason}"
        "mend what it says there; it goes on by itself then, and nothing that it has is lost"
    STALE_SOCKET "stale-socket" Hint Done
        "the last session of {name} did not end by itself (killed, or the power went); its socket {path} is left over"
        "nothing is lost; log in again, which removes it: peer login {name}"
    PORT_TAKEN "port-taken" Fault Refused
        "another program ({process}) has UDP port {port}, which is that of {name}"
        "end that program, or give this account another port: peer login {name} --port 0"
    CANNOT_LISTEN "cannot-listen" Fault Refused
        "this machine cannot listen on {address}: {reason}"
        "set `listen` in {config} to \"[::]:0\", or to an address that this machine has"
    NO_NETWORK "no-network" Fault Unreachable
        "this machine is in no network: no interface but the loopback is up and has an address"
        "connect it (cable, Wi-Fi), and look at: ip address"
    TRACKER_UNKNOWN "tracker-unknown" Fault Unreachable
        "{reason}"
        "mend `tracker` in {config}, or name it by its address: peer login {name} --tracker ADDRESS"
    NO_MULTICAST "no-multicast" Fault Unreachable
        "no tracker can be found by mDNS: no interface of this machine can send multicast (a VPN, or a container's network)"
        "name the tracker: peer login {name} --tracker HOST"
    MDNS_SILENT "mdns-silent" Fault Unreachable
        "no tracker is known, and nobody on this network answers mDNS: it is blocked (firewall, access point), or nobody else is there"
        "let UDP port 5353 through, or name the tracker: peer login {name} --tracker HOST    (or run one: peer login {name} --host)"
    NO_TRACKER "no-tracker" Fault Unreachable
        "mDNS works here, and no tracker announces itself: none runs in this subnet, or it runs with --no-mdns"
        "name the tracker: peer login {name} --tracker HOST    (or run one: peer login {name} --host)"
    SEVERAL_TRACKERS "several-trackers" Fault Refused
        "several trackers announce themselves, and {name} knows none of them: {trackers}"
        "say which you mean: peer login {name} --tracker {address}"
    TRACKER_KEY "tracker-key" Fault Identity
        "the tracker at {address} has the key {found}, and the one that {name} knows has {known}: another tracker, or somebody posing as it"
        "ask whoever runs it, not by Rollcall; if the key is right: peer login {name} --tracker {address} --tracker-key {whole}"
    TRACKER_MOVED "tracker-moved" Fault Unreachable
        "the tracker is not at {address} any more: it announces itself at {now}"
        "log in again, which finds it: peer logout --as {name}, then peer login {name}"
    TRACKER_REFUSED "tracker-refused" Fault Unreachable
        "nothing listens at {address}: the machine is there, and no tracker runs on that port"
        "start it there (tracker), or name the one that runs: peer login {name} --tracker HOST"
    TRACKER_UNROUTABLE "tracker-unroutable" Fault Unreachable
        "there is no way to {address}: {reason}{subnet}"
        "check the cable, the Wi-Fi, the VPN and the address; a tracker elsewhere: peer login {name} --tracker HOST"
    TRACKER_BLOCKED "tracker-blocked" Fault Unreachable
        "nothing comes back from {address}{seen}{subnet}"
        "let UDP port {port} through on the tracker's machine and between here and there; check that the tracker is not held up"
    NOT_A_TRACKER "not-a-tracker" Fault Unreachable
        "what answers at {address} is no tracker: {what}"
        "name the tracker's own address and port: peer login {name} --tracker HOST:PORT"
    OTHER_VERSION "other-version" Fault Refused
        "the tracker at {address} speaks another version of the protocol{reason}"
        "install the same version on both: compare peer --version here with tracker --version there"
    TRACKER_BUSY "tracker-busy" Fault Unreachable
        "the tracker at {address} is there, and lets nobody in now: it shuts down, or very many log in at once"
        "try again in a minute: peer login {name}    (a running session does so by itself)"
    MTU "mtu" Fault Unreachable
        "the way to {address} carries small datagrams and drops those of 1,200 bytes, which QUIC needs{route}"
        "raise the MTU of the VPN or tunnel on that way to 1,280 or more: ip link set dev NAME mtu 1280"
    TRACKER_DOWN "tracker-down" Fault Unreachable
        "the session of {name} has been without its tracker for {span}: {reason}"
        "rooms go on with the members known; it is tried again by itself{then}"
    CLOCK_OFF "clock-off" Hint Done
        "the clock of this machine is {span} {side} that of the tracker: the times of messages are wrong, here or there"
        "compare them (date), and set the wrong one right: timedatectl set-ntp true"
    MEMBERS_UNREACHABLE "members-unreachable" Fault Unreachable
        "the tracker says that {names} are online, and none of them can be reached from here{seen}"
        "let UDP port {port} in and out on this machine; on Wi-Fi, switch client isolation off; not in a VPN or NAT of your own"
    MEMBER_UNREACHABLE "member-unreachable" Fault Unreachable
        "the tracker says that {names} is online, and there is no direct way to {address}{seen}{via}"
        "let UDP port {port} in and out on this machine, and {names} theirs there (they see it with: peer doctor); no VPN or network of its own"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_and_only_hints_end_well() {
        let names: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), FAULTS.len());
        for fault in FAULTS {
            assert_eq!(fault.severity == Severity::Hint, fault.exit == Exit::Done, "{}", fault.name);
            assert!(!fault.cause.contains('\n') && !fault.remedy.contains('\n'), "{} takes a line each", fault.name);
        }
    }

    #[test]
    fn what_is_put_in_is_not_read_as_a_template() {
        assert_eq!(filled("a {x} c {y}", &[("x", "{y}"), ("y", "d")]), "a {y} c d");
        assert_eq!(filled("{x} b", &[]), "{x} b");
    }

    #[test]
    fn the_readme_tells_of_every_fault() {
        let readme = include_str!("../../../../README.md");
        for fault in FAULTS {
            assert!(readme.contains(&format!("| `{}` |", fault.name)), "{} is not in the README", fault.name);
        }
    }
}
