//! Into namespaces of one's own.

use std::{fs, io};

use anyhow::{Context, anyhow};
use nix::{
    sched::{CloneFlags, unshare},
    unistd::{Gid, Uid},
};

use super::interface;

/// Moves this process into a user namespace, a network namespace and a mount namespace of its own, in which it may make
/// interfaces, disks and further namespaces, and touches nothing outside. Needs no privilege; ids stay what they were.
///
/// To be called while the process has one thread: the system refuses it to others.
pub fn enter() -> anyhow::Result<()> {
    let (user, group) = (Uid::current(), Gid::current());
    let namespaces = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    unshare(namespaces).map_err(|error| forbidden(error.into()))?;
    // Without this the kernel takes no group map from an ordinary user.
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("{user} {user} 1"))?;
    write("/proc/self/gid_map", &format!("{group} {group} 1"))?;
    // Some systems give a namespace but no rights in it; this is the first thing that needs them.
    interface::bring_up("lo").map_err(forbidden)
}

fn write(path: &str, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {path}")).map_err(forbidden)
}

/// The reason, and the line that a person types to take it away.
fn forbidden(reason: anyhow::Error) -> anyhow::Error {
    let remedy = match () {
        () if setting("kernel/unprivileged_userns_clone") == Some(0) => {
            "sudo sysctl -w kernel.unprivileged_userns_clone=1"
        }
        () if setting("kernel/apparmor_restrict_unprivileged_userns").is_some_and(|on| on != 0) => {
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        }
        () if setting("user/max_user_namespaces") == Some(0) => "sudo sysctl -w user.max_user_namespaces=10000",
        () => {
            "in a container, start it with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        }
    };
    anyhow!(
        "the lab needs user namespaces, and this system forbids them ({reason:#}). To allow them:\n\n    {remedy}\n"
    )
}

fn setting(name: &str) -> Option<u64> {
    let text: io::Result<String> = fs::read_to_string(format!("/proc/sys/{name}"));
    text.ok()?.trim().parse().ok()
}
