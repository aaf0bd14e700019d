use std::sync::mpsc as blocking;

use super::*;
use crate::cli::fake::Fake;

/// Types these lines and returns what was shown.
async fn chat(session: Fake, lines: &[&str]) -> Vec<String> {
    let mut lines = lines.iter().map(ToString::to_string).collect::<Vec<_>>().into_iter();
    let (show, shown) = blocking::channel();
    let console = Console::new(move |_| lines.next(), move |line| show.send(line).is_ok());
    run(session, console, mpsc::channel(1).1).await.unwrap();
    shown.iter().map(|line| line.trim_end().to_string()).collect()
}

#[tokio::test]
async fn lines_are_done_one_after_the_other_and_what_they_bring_is_shown() {
    let session = Fake::new("alice");
    session.happen(1);
    let shown = chat(session.clone(), &["hello", "/join den", "//slash", "/leave", "/quit", "never"]).await;
    assert!(shown[0].starts_with("Logged in as alice@lan."), "{shown:?}");
    assert!(shown[1].ends_with("bob: text 1"), "{shown:?}");
    assert_eq!(shown[2..], ["* you are in den, which has 2 members", "! you are not a member of den"]);
    assert_eq!(session.says().0, ["hello", "/slash"]);
}

#[tokio::test]
async fn after_the_last_line_of_a_pipe_its_receipts_are_awaited() {
    let session = Fake::new("alice");
    let receipts = session.clone();
    tokio::spawn(async move {
        while receipts.says().1 == 0 {
            tokio::task::yield_now().await;
        }
        receipts.receipt();
    });
    let shown = chat(session, &["hello"]).await;
    assert_eq!(shown.last().unwrap(), "  ✓ delivered to bob");
}
