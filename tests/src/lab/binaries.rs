//! Finds the programs under test.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

/// The path of `tracker` or `peer`, of the profile that the test itself was built with. If one is missing, or older than
/// its sources, both are built first: the packages of a test's dependencies are built without their programs.
pub fn path(program: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = folder();
            if PROGRAMS.iter().any(|program| is_stale(&folder, program)) {
                build(&folder).expect("the programs are built");
            }
            folder
        })
        .join(program)
}

const PROGRAMS: [&str; 2] = ["tracker", "peer"];
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folder that this test's own `deps` folder is in.
fn folder() -> PathBuf {
    let test = env::current_exe().expect("a test knows where it is");
    test.parent().and_then(Path::parent).expect("a test lies in target/PROFILE/deps").to_owned()
}

fn is_stale(folder: &Path, program: &str) -> bool {
    let Ok(built) = fs::metadata(folder.join(program)).and_then(|file| file.modified()) else { return true };
    let packages: &[&str] = if program == "peer" { &["common", "tracker", "peer"] } else { &["common", "tracker"] };
    packages.iter().any(|package| newest(&Path::new(ROOT).join(package)).is_ok_and(|changed| changed > built))
}

/// When anything below a folder was last changed.
fn newest(folder: &Path) -> io::Result<SystemTime> {
    let mut latest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let changed =
            if entry.file_type()?.is_dir() { newest(&entry.path())? } else { entry.metadata()?.modified()? };
        latest = latest.max(changed);
    }
    Ok(latest)
}

/// One builds while other test processes wait for it, and then find the work done.
fn build(folder: &Path) -> io::Result<()> {
    let lock = File::create(folder.join("lab.lock"))?;
    lock.lock()?;
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let target = folder.parent().expect("a profile lies in a target folder");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    // Offline: what there is to fetch was fetched for the test itself, and inside the lab there is no way out. With the
    // test: so that dependencies have the features that they were built with for it, and need not be built again.
    let status = Command::new(cargo)
        .args([
            "build",
            "--offline",
            "--quiet",
            "--bins",
            "--test",
            "lab",
            "-p",
            "tests",
            "-p",
            "tracker",
            "-p",
            "peer",
        ])
        .args(["--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(ROOT)
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("cargo build has failed")) }
}
