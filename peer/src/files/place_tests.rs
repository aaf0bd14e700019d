use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use common::file::{FileInfo, Root};

use super::place::{beside, prepare};
use crate::core::files::Place;

fn info(name: &str, size: u64) -> FileInfo {
    FileInfo { root: Root([0xab; 32]), name: name.into(), size, head: 0, media: String::new(), pixels: None }
}

fn refusal(file: &FileInfo, to: &Path, overwrite: bool) -> String {
    prepare(file, to, overwrite).unwrap_err().message
}

#[test]
fn a_file_goes_into_a_folder_under_its_own_name() {
    let disk = tempfile::tempdir().unwrap();
    assert_eq!(prepare(&info("cat.jpg", 1), disk.path(), false).unwrap(), (disk.path().join("cat.jpg"), None));
}

#[test]
fn a_name_that_does_harm_is_made_harmless_and_that_is_said() {
    let disk = tempfile::tempdir().unwrap();
    let (path, word) = prepare(&info(".bashrc", 1), disk.path(), false).unwrap();
    assert_eq!(path, disk.path().join("_.bashrc"));
    assert!(word.unwrap().contains("_.bashrc"));
}

#[test]
fn a_name_of_the_users_is_taken_as_it_is() {
    let disk = tempfile::tempdir().unwrap();
    let to = disk.path().join(".hidden");
    assert_eq!(prepare(&info("cat.jpg", 1), &to, false).unwrap(), (to, None));
}

#[test]
fn what_is_there_is_not_replaced_unasked() {
    let disk = tempfile::tempdir().unwrap();
    let there = disk.path().join("cat.jpg");
    fs::write(&there, b"mine").unwrap();
    let why = refusal(&info("cat.jpg", 1), disk.path(), false);
    assert!(why.contains("is there already") && why.contains("--overwrite"), "{why}");
    assert_eq!(prepare(&info("cat.jpg", 1), disk.path(), true).unwrap().0, there);
    let folder = FileInfo { head: 16_384, size: 16_384, ..info("cat.jpg", 1) };
    assert!(refusal(&folder, disk.path(), true).contains("is there already"));
}

#[test]
fn a_link_is_something_that_is_there_wherever_it_leads() {
    let disk = tempfile::tempdir().unwrap();
    symlink("/nowhere/at/all", disk.path().join("cat.jpg")).unwrap();
    assert!(refusal(&info("cat.jpg", 1), disk.path(), false).contains("is there already"));
}

#[test]
fn a_folder_that_is_missing_is_said_to_be() {
    let disk = tempfile::tempdir().unwrap();
    assert!(refusal(&info("cat.jpg", 1), &disk.path().join("no/cat.jpg"), false).contains("there is no folder"));
    let ends_with_slash = PathBuf::from(format!("{}/no/", disk.path().display()));
    assert!(refusal(&info("cat.jpg", 1), &ends_with_slash, false).contains("there is no folder"));
}

#[test]
fn a_file_for_which_there_is_no_room_is_refused_with_both_numbers() {
    let disk = tempfile::tempdir().unwrap();
    let why = refusal(&info("cat.jpg", 1 << 44), disk.path(), false);
    assert!(why.contains(&(1u64 << 44).to_string()) && why.contains("are free"), "{why}");
}

#[test]
fn what_is_not_whole_is_hidden_beside_its_place_under_a_name_that_fits() {
    let place = |name: &str| Place { file: info("x", 1), path: Path::new("/tmp").join(name), whole: false };
    assert_eq!(beside(&place("cat.jpg")), Path::new("/tmp/.cat.jpg.abababab.part"));
    let long = beside(&place(&"ü".repeat(127)));
    assert!(long.file_name().unwrap().len() <= 255);
    assert!(long.to_str().unwrap().ends_with(".abababab.part"));
}
