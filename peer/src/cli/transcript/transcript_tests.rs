use std::fs;

use super::*;
use crate::cli::fake::Fake;

/// Waits until the transcript of the lobby has that many lines of messages, and returns it.
async fn until_lines(folder: &std::path::Path, lines: usize) -> String {
    loop {
        let text = fs::read_to_string(folder.join("lobby.txt")).unwrap_or_default();
        if text.lines().filter(|line| line.contains("bob: text")).count() >= lines {
            return text;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_happens_is_written_from_the_first_login_on_and_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let session = Fake::new("alice");
    session.happen(1);
    let (notes, _told) = mpsc::channel(8);
    let writing = tokio::spawn(run(session.clone(), folder.path().into(), notes.clone()));
    while !folder.path().join(".transcript.toml").exists() || session.listeners() == 0 {
        tokio::task::yield_now().await;
    }
    session.happen(2);
    session.happen(3);
    let text = until_lines(folder.path(), 2).await;
    assert!(text.starts_with("== 1970-01-0") && !text.contains("text 1") && text.contains("bob: text 2\n"), "{text}");
    writing.abort();
    session.happen(4);
    let writing = tokio::spawn(run(session.clone(), folder.path().into(), notes));
    let text = until_lines(folder.path(), 3).await;
    assert_eq!(text.matches("text 2").count() + text.matches("text 3").count() + text.matches("text 4").count(), 3);
    writing.abort();
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_written_is_told_of_once_and_made_up_for() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("chats");
    fs::write(&folder, "a file where the folder should be").unwrap();
    let session = Fake::new("alice");
    let (notes, mut told) = mpsc::channel(8);
    let writing = tokio::spawn(run(session.clone(), folder.clone(), notes));
    assert!(told.recv().await.unwrap().contains("cannot be written"));
    session.happen(1);
    sleep(4 * RETRY).await;
    assert!(told.try_recv().is_err(), "it is told once");
    fs::remove_file(&folder).unwrap();
    assert!(told.recv().await.unwrap().contains("goes on"));
    until_lines(&folder, 1).await;
    writing.abort();
}
