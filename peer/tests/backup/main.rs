//! Backups, from the outside: a person goes to another machine, and files that are no backup do no harm.

#![cfg(feature = "host")]

mod beside;
mod carries;
mod file;
#[path = "../person/mod.rs"]
mod person;

use std::{
    fs,
    io::{Read, Write},
    iter,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use age::{Decryptor, Encryptor, scrypt, secrecy::SecretString};
use person::{Person, tracker};
use tempfile::TempDir;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const SECRET: &str = "correct horse battery";

/// A folder with a file for backups and one with the passphrase.
struct Stick(TempDir);

impl Stick {
    fn new() -> Stick {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        Stick(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("backup.age")
    }

    fn run(&self, person: &Person, command: &str, more: &[&str]) -> (i32, String, String) {
        let (file, secret) = (self.file(), self.0.path().join("secret"));
        let with = [command, file.to_str().unwrap(), "--passphrase-file", secret.to_str().unwrap()];
        person.run(&[&with[..], more].concat())
    }

    /// Makes a backup.
    fn back_up(&self, person: &Person) {
        let (code, out, err) = self.run(person, "backup", &[]);
        assert!(code == 0 && err.is_empty() && out.contains("alice is in"), "{out}{err}");
    }

    /// Somebody in a home of their own who is in the backup.
    fn restored(&self) -> Person {
        let person = Person::new();
        let (code, out, err) = self.run(&person, "restore", &[]);
        assert!(code == 0 && err.is_empty() && out.contains("peer login alice"), "{out}{err}");
        person
    }

    /// What is refused when it is restored, and that it has left nothing behind.
    fn refused(&self) -> String {
        let person = Person::new();
        let (code, out, err) = self.run(&person, "restore", &[]);
        assert!(code == 1 && out.is_empty(), "{out}{err}");
        assert_eq!(names(person.0.path()), Vec::<String>::new());
        err
    }

    /// The archive in the file, as any program could get at it that knows `age`.
    fn archive(&self) -> Vec<u8> {
        let decryptor = Decryptor::new_buffered(std::io::BufReader::new(fs::File::open(self.file()).unwrap())).unwrap();
        let identity = scrypt::Identity::new(SecretString::from(SECRET.to_string()));
        let mut archive = Vec::new();
        let mut content = decryptor.decrypt(iter::once(&identity as &dyn age::Identity)).unwrap();
        content.read_to_end(&mut archive).unwrap();
        archive
    }

    /// Puts an archive into the file.
    fn seal(&self, archive: &[u8]) {
        let mut recipient = scrypt::Recipient::new(SecretString::from(SECRET.to_string()));
        recipient.set_work_factor(10);
        let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient)).unwrap();
        let mut file = encryptor.wrap_output(fs::File::create(self.file()).unwrap()).unwrap();
        file.write_all(archive).unwrap();
        file.finish().unwrap();
    }

    /// Changes what is in the backup, with programs that every system has.
    fn change(&self, change: impl FnOnce(&Path)) {
        let folder = tempfile::tempdir().unwrap();
        let tar = folder.path().join("archive.tar");
        fs::write(&tar, self.archive()).unwrap();
        run(Command::new("tar").arg("-xf").arg(&tar).current_dir(folder.path()));
        change(&folder.path().join("rollcall"));
        run(Command::new("tar").arg("-cf").arg(&tar).arg("rollcall").current_dir(folder.path()));
        self.seal(&fs::read(&tar).unwrap());
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The texts of a conversation, in order.
fn said(history: &str) -> Vec<&str> {
    history.lines().filter_map(|line| line.rsplit(": ").next()).collect()
}

fn field(json: &str, name: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(json).unwrap();
    object[name].as_str().unwrap().to_string()
}

/// Alice, who has never met anybody: her history is there, and little is in it.
async fn alone() -> (Stick, Person, tracker::Host, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let host = tracker(ANY_PORT, data.path()).await;
    let alice = Person::new();
    assert_eq!(alice.log_in(host.address(), &[]).0, 0);
    alice.does("join lobby");
    alice.does("say lobby hello");
    (Stick::new(), alice, host, data)
}
