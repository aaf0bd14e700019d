use std::sync::mpsc as blocking;

use common::wire::control::Exit;

use super::*;
use crate::cli::fake::Fake;

/// Types these lines and returns what was shown.
async fn chat(session: Fake, lines: &[&str]) -> Vec<String> {
    let mut lines = lines.iter().map(ToString::to_string).collect::<Vec<_>>().into_iter();
    let (shown, end) = chat_with(session, move || lines.next()).await;
    assert_eq!(end, None);
    shown
}

/// The same with lines that are made when they are asked for; and how the session has ended, if it has.
async fn chat_with(
    session: Fake,
    mut line: impl FnMut() -> Option<String> + Send + 'static,
) -> (Vec<String>, Option<Refusal>) {
    let (show, shown) = blocking::channel();
    let console = Console::new(move |_, _| line(), move |line| show.send(line).is_ok());
    let end = run(session, console, Begin::default(), mpsc::channel(1).1).await.unwrap();
    (shown.iter().map(|line| line.trim_end().to_string()).collect(), end)
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

#[tokio::test]
async fn rooms_are_run_and_people_answered_from_the_chat() {
    let lines = ["/kick bob", "/topic", "/rename alicia", "/requests", "/accept bob", "/add bob", "/quit"];
    let shown = chat(Fake::new("alice"), &lines).await;
    let expected = [
        "bob is no longer a member of lobby; to keep them out: /ban lobby bob",
        "! you are not a member of lobby",
        "* alice is alicia now; log in as alicia or as alice from now on",
        "nobody asks to be let into lobby",
        "! bob asks neither to be your contact nor to join the room of the prompt; for another room: /accept ROOM bob",
        "asked bob; you are told when bob says yes. See: /contacts",
    ];
    assert_eq!(shown[1..], expected);
}

#[tokio::test]
async fn files_are_shared_fetched_and_stopped_from_the_chat() {
    let lines = [
        "/join lobby",
        "/files",
        "/share /tmp/cat.jpg",
        "/get cat.jpg",
        "/pause 1",
        "/cancel 1",
        "/transfers",
        "/resume 7",
        "/unshare cat.jpg",
        "/limit --up 2M/s",
        "/get",
        "/quit",
    ];
    let shown = chat(Fake::new("alice"), &lines).await;
    let expected = [
        "no file is shared in lobby; share one: /share lobby PATH",
        "shared cat.jpg (1.0 KiB) in lobby, from /tmp/cat.jpg",
        "cat.jpg (1.0 KiB) is being fetched from lobby to /downloads, as number 1: /transfers",
        "cat.jpg is paused; go on with: /resume 1",
        "cat.jpg is not fetched any more, and what had come is deleted",
        "  ID  NAME     ROOM   STATE      DONE  SIZE     RATE  LEFT  FROM\n  \
         1   cat.jpg  lobby  cancelled  0 %   1.0 KiB  -     -     -",
        "! there is no transfer 7",
        "cat.jpg is not shared in lobby any more; who has it keeps it",
        "files go out at: 2.0 MiB/s\nfiles come in at: no limit",
        "! it is /get [ROOM] NAME [-o PATH] [--overwrite] [--limit RATE]: fetch a file from everybody who has it, for example: /get cat.jpg",
    ];
    assert_eq!(shown[2..], expected);
}

#[tokio::test]
async fn a_session_that_cannot_answer_for_a_while_ends_no_chat() {
    let session = Fake::new("alice");
    let (looked, mut line) = (session.clone(), 0);
    let (shown, end) = chat_with(session.clone(), move || {
        line += 1;
        if line > 1 {
            return None;
        }
        looked.refuse(Some(Refusal::new(Exit::Unreachable, "the disk is full")));
        while looked.refusals() == 0 {
            std::thread::yield_now();
        }
        looked.refuse(None);
        Some("/rooms".into())
    })
    .await;
    assert_eq!(
        (end, shown.last().unwrap().trim()),
        (None, "ROOM   MEMBERS  JOINED  DOOR  TOPIC\n  lobby  2        yes     no")
    );
}

#[tokio::test]
async fn it_ends_with_a_logout_and_tells_how_the_session_has_ended() {
    let mut lines = vec!["/logout".to_string()].into_iter();
    // After that nothing is typed any more, and the input does not end either.
    let line = move || {
        lines.next().or_else(|| {
            loop {
                std::thread::park();
            }
        })
    };
    let (_, end) = chat_with(Fake::new("alice"), line).await;
    assert_eq!(end, Some(Refusal::new(Exit::Done, "logged out")));
}

#[tokio::test]
async fn a_text_that_cannot_be_said_is_given_back_with_the_limit() {
    let long = "x".repeat(20_000);
    let mut lines = vec![long.clone()].into_iter();
    let (begun, given) = blocking::channel();
    let line = move |_: &str, back: &str| {
        begun.send(back.to_string()).unwrap();
        lines.next()
    };
    let (show, shown) = blocking::channel();
    let console = Console::new(line, move |line| show.send(line).is_ok());
    run(Fake::new("alice"), console, Begin::default(), mpsc::channel(1).1).await.unwrap();
    let shown: Vec<String> = shown.iter().collect();
    assert!(shown.iter().any(|line| line.contains("20000 bytes; the limit is 16384")), "{shown:?}");
    assert_eq!(given.iter().collect::<Vec<_>>(), ["".to_string(), long]);
}
