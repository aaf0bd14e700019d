//! A file that is here already and is wanted in another place too: it is copied there, and the copy is proven by its root.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use common::{
    file::{FileInfo, Root},
    wire::control::{Exit, Refusal, files::FileShown},
};
use tempfile::{Builder, NamedTempFile};

use super::{place, run::open_to_read};

/// Bytes read at once.
const BUFFER: usize = 1024 * 1024;

/// Copies `file`, which is at `from`, to where the user says: the folder `to`, or under that name. Where it is there already
/// by being at `from`, nothing is done. Returns where it is then, and a word if its name is not what it was. It blocks for as
/// long as the copying takes.
///
/// # Errors
/// If something is there and is not to be replaced; if it is a folder; if what is at `from` is another file by now; if the
/// disk refuses it.
pub fn copy(file: &FileShown, from: &Path, to: &Path, overwrite: bool) -> Result<(PathBuf, Option<String>), Refusal> {
    let file = info(file)?;
    if is_at(&file, from, to) {
        return Ok((from.to_path_buf(), None));
    }
    if file.is_folder() {
        return Err(refused(format!(
            "the folder is here already: {0}. It is not fetched twice; copy it: cp -r {0:?} {1:?}",
            from.display(),
            to.display()
        )));
    }
    let (path, word) = place::prepare(&file, to, overwrite)?;
    let cannot =
        |error: io::Error| refused(format!("{} cannot be copied to {}: {error}", from.display(), path.display()));
    let copied = beside(&file.root, from, &path).map_err(cannot)?;
    // Whoever put something there meanwhile keeps it.
    match overwrite {
        true => copied.persist(&path),
        false => copied.persist_noclobber(&path),
    }
    .map_err(|error| cannot(error.error))?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    }
    Ok((path, word))
}

/// Whether the place that the user means by `to` is `path`.
pub fn is_there(file: &FileShown, path: &Path, to: &Path) -> bool {
    info(file).is_ok_and(|file| is_at(&file, path, to))
}

fn is_at(file: &FileInfo, path: &Path, to: &Path) -> bool {
    let Ok((meant, _)) = place::name(file, to) else { return false };
    // A folder may have several names.
    let folder = |path: &Path| path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    meant == path || meant.file_name() == path.file_name() && folder(&meant) == folder(path)
}

/// A copy beside `path`, all of it on disk, and proven.
fn beside(root: &Root, from: &Path, path: &Path) -> io::Result<NamedTempFile> {
    let mut source = open_to_read(from)?;
    let permissions = source.metadata()?.permissions();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut copied = Builder::new().prefix(".rollcall-").suffix(".part").tempfile_in(folder)?;
    let mut hasher = blake3::Hasher::new();
    let mut writer = BufWriter::with_capacity(BUFFER, copied.as_file_mut());
    let mut reader = BufReader::with_capacity(BUFFER, &mut source);
    let mut part = vec![0; BUFFER];
    loop {
        let bytes = reader.read(&mut part)?;
        if bytes == 0 {
            break;
        }
        hasher.update(&part[..bytes]);
        writer.write_all(&part[..bytes])?;
    }
    writer.flush()?;
    drop(writer);
    if Root(hasher.finalize().into()) != *root {
        return Err(io::Error::other("what is there has been changed since; fetch it again: move it away first"));
    }
    copied.as_file().set_permissions(permissions)?;
    copied.as_file().sync_all()?;
    Ok(copied)
}

fn info(file: &FileShown) -> Result<FileInfo, Refusal> {
    let root = file.root.parse().map_err(|_| refused("the session names no file".into()))?;
    let head = u64::from(file.folder);
    Ok(FileInfo { root, name: file.name.clone(), size: file.size, head, media: String::new(), pixels: None })
}

fn refused(why: String) -> Refusal {
    Refusal::new(Exit::Refused, why)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A file on a disk of its own, as it is shown.
    fn here(text: &str) -> (TempDir, PathBuf, FileShown) {
        let disk = tempfile::tempdir().unwrap();
        let path = disk.path().join("cat.jpg");
        fs::write(&path, text).unwrap();
        let root = Root(blake3::hash(text.as_bytes()).into());
        let info = FileInfo {
            root,
            name: "cat.jpg".into(),
            size: text.len() as u64,
            head: 0,
            media: String::new(),
            pixels: None,
        };
        (disk, path, FileShown::from(&info))
    }

    #[test]
    fn a_file_is_copied_under_another_name_or_into_a_folder() {
        let (disk, from, file) = here("meow");
        let folder = disk.path().join("pictures");
        fs::create_dir(&folder).unwrap();
        for (to, expected) in [(disk.path().join("b.jpg"), "b.jpg"), (folder, "pictures/cat.jpg")] {
            let (path, _) = copy(&file, &from, &to, false).unwrap();
            assert_eq!(path, disk.path().join(expected));
            assert_eq!(fs::read_to_string(path).unwrap(), "meow");
        }
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 3, "nothing else is left");
    }

    #[test]
    fn a_file_that_is_where_it_is_wanted_stays_as_it_is() {
        let (disk, from, file) = here("meow");
        for to in [from.clone(), disk.path().to_path_buf(), disk.path().join(".")] {
            assert_eq!(copy(&file, &from, &to, false).unwrap(), (from.clone(), None));
        }
    }

    #[test]
    fn what_is_there_is_replaced_only_where_that_is_said() {
        let (disk, from, file) = here("meow");
        let to = disk.path().join("other");
        fs::write(&to, "mine").unwrap();
        let why = copy(&file, &from, &to, false).unwrap_err().message;
        assert!(why.contains("--overwrite") && fs::read_to_string(&to).unwrap() == "mine", "{why}");
        copy(&file, &from, &to, true).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "meow");
    }

    #[test]
    fn what_was_changed_meanwhile_is_not_passed_for_the_file() {
        let (disk, from, file) = here("meow");
        fs::write(&from, "woof").unwrap();
        let to = disk.path().join("other");
        let why = copy(&file, &from, &to, false).unwrap_err().message;
        assert!(why.contains("changed") && !to.exists(), "{why}");
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1, "nothing is left of it");
    }

    #[test]
    fn a_folder_is_refused_with_what_to_do() {
        let (disk, from, file) = here("meow");
        let why = copy(&FileShown { folder: true, ..file }, &from, &disk.path().join("x"), false).unwrap_err().message;
        assert!(why.contains("cp -r"), "{why}");
    }
}
