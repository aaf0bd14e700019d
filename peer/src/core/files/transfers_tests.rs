//! What the user asks for, by itself: one core, its shell played by the test.

use std::path::PathBuf;

use common::{
    Key, RoomName,
    file::{FileInfo, GROUP, Pieces, Root, SMALLEST_PIECE},
    wire::{
        control::files::{Get, TransferState},
        peer::{Fetch, Held, Holds, Much, ServeCode},
    },
};

use super::*;

fn room() -> RoomName {
    "lobby".parse().unwrap()
}

fn file(number: u8, name: &str, pieces: u64) -> FileInfo {
    let (root, size) = (Root([number; 32]), pieces * SMALLEST_PIECE);
    FileInfo { root, name: name.into(), size, head: 0, media: String::new(), pixels: None }
}

fn listed(files: &mut Files, all: &[FileInfo], own: bool) {
    let list = all.iter().map(|file| (file.root, OnList { file: file.clone(), own }));
    files.listed(room(), list.collect(), 0);
}

fn with(kept: Vec<Kept>, all: &[FileInfo]) -> Files {
    let mut files = Files::new(kept, Unasked::default(), 1);
    listed(&mut files, all, false);
    files
}

fn path() -> PathBuf {
    "/files/big".into()
}

fn whole(file: &FileInfo) -> Kept {
    let place = Place { file: file.clone(), path: path(), whole: true };
    Kept { place, mark: Some(Mark(1)), stage: Stage::Own }
}

fn get(file: &str) -> Get {
    Get { room: room(), file: file.into(), to: path(), overwrite: false, limit: None }
}

fn done(files: &mut Files, now: u64) -> Vec<FileOutput> {
    let done = |outcome| if let Outcome::Do(output) = outcome { Some(output) } else { None };
    files.flush(now).into_iter().filter_map(done).collect()
}

fn refusals(files: &mut Files) -> Vec<String> {
    let refused = |outcome| if let Outcome::Refused(_, refusal) = outcome { Some(refusal.message) } else { None };
    files.flush(0).into_iter().filter_map(refused).collect()
}

fn state(files: &Files, id: u64) -> TransferState {
    files.transfer(id, 0, |_| None).unwrap().state
}

/// Somebody is linked who has all of these.
fn holder(files: &mut Files, link: u64, all: &[FileInfo]) {
    let held = all.iter().map(|file| Held { root: file.root, much: Much::All });
    files.link_up(LinkId(link), Key([link as u8; 32]), [room()]);
    files.holds(LinkId(link), Holds { room: room(), files: held.collect() });
}

/// The file is asked for, and there is a place for it, with nothing there yet.
fn begin(files: &mut Files, file: &FileInfo) {
    files.get(AskId(1), get(&file.name));
    files.handle(FileInput::Prepared(AskId(1), Ok((path(), None))), 0);
    files.handle(FileInput::Found(file.root, Found::Pieces(Pieces::none())), 0);
}

fn fetches(outputs: &[FileOutput]) -> Vec<(FetchId, (u32, u32))> {
    let fetch = |output: &FileOutput| match output {
        FileOutput::Fetch { fetch, pieces, .. } => Some((*fetch, *pieces)),
        _ => None,
    };
    outputs.iter().filter_map(fetch).collect()
}

#[test]
fn a_file_that_is_here_is_looked_at_before_that_is_said() {
    let cat = file(1, "cat", 4);
    let mut files = with(vec![whole(&cat)], std::slice::from_ref(&cat));
    files.handle(FileInput::Found(cat.root, Found::Whole), 0);
    files.flush(0);
    files.get(AskId(1), get("cat"));
    let outcomes = files.flush(1);
    assert!(matches!(outcomes.as_slice(), [Outcome::Do(FileOutput::Check(..))]), "{outcomes:?}");
    files.handle(FileInput::Found(cat.root, Found::Whole), 2);
    assert!(files.flush(2).iter().any(|outcome| matches!(outcome, Outcome::Begun(AskId(1), 1))));
    assert_eq!(state(&files, 1), TransferState::Done);
}

#[test]
fn a_file_that_was_deleted_is_fetched_again() {
    let cat = file(1, "cat", 4);
    let mut files = with(vec![whole(&cat)], std::slice::from_ref(&cat));
    files.handle(FileInput::Found(cat.root, Found::Whole), 0);
    files.flush(0);
    files.get(AskId(1), get("cat"));
    files.flush(1);
    files.handle(FileInput::Found(cat.root, Found::Changed("it is gone".into())), 2);
    let outputs = done(&mut files, 2);
    assert!(outputs.iter().any(|output| matches!(output, FileOutput::Prepare { ask: AskId(1), .. })), "{outputs:?}");
}

#[test]
fn who_asks_for_a_file_while_it_is_unshared_is_not_left_waiting() {
    let cat = file(1, "cat", 4);
    let mut files = with(vec![whole(&cat)], &[]);
    listed(&mut files, std::slice::from_ref(&cat), true);
    files.handle(FileInput::Found(cat.root, Found::Whole), 0);
    files.get(AskId(1), get("cat"));
    listed(&mut files, std::slice::from_ref(&cat), false);
    files.handle(FileInput::Found(cat.root, Found::Whole), 1);
    let outputs = done(&mut files, 1);
    assert!(outputs.iter().any(|output| matches!(output, FileOutput::Prepare { ask: AskId(1), .. })), "{outputs:?}");
}

#[test]
fn a_name_that_two_files_have_is_refused_with_their_roots() {
    let (one, other) = (file(1, "cat", 4), file(2, "cat", 5));
    let mut files = with(vec![], &[one.clone(), other.clone()]);
    files.get(AskId(1), get("cat"));
    let said = refusals(&mut files).join(" ");
    assert!(said.contains(&one.root.to_string()) && said.contains(&other.root.to_string()), "{said}");
    let digits = other.root.to_string()[..8].to_string();
    assert_eq!(files.find(&room(), &digits).unwrap(), other.root);
}

#[test]
fn a_paused_transfer_asks_nobody_until_it_goes_on() {
    let cat = file(1, "cat", 8);
    let mut files = with(vec![], std::slice::from_ref(&cat));
    holder(&mut files, 1, std::slice::from_ref(&cat));
    begin(&mut files, &cat);
    let asked = fetches(&done(&mut files, 0));
    assert!(!asked.is_empty());
    files.pause(1, 1).unwrap();
    let outputs = done(&mut files, 1);
    assert!(asked.iter().all(|(id, _)| outputs.contains(&FileOutput::Stop(*id))), "{outputs:?}");
    assert_eq!((fetches(&done(&mut files, 60_000)), state(&files, 1)), (vec![], TransferState::Paused));
    files.resume(1, 60_001).unwrap();
    assert!(!fetches(&done(&mut files, 60_001)).is_empty());
}

#[test]
fn a_cancelled_transfer_is_discarded_and_not_kept() {
    let cat = file(1, "cat", 8);
    let mut files = with(vec![], std::slice::from_ref(&cat));
    begin(&mut files, &cat);
    files.flush(0);
    files.cancel(1, 1).unwrap();
    let outcomes = files.flush(1);
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unkeep(root) if *root == cat.root)));
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Do(FileOutput::Discard(_)))));
    assert_eq!(state(&files, 1), TransferState::Cancelled);
}

#[test]
fn of_a_folder_nothing_is_asked_for_before_its_head() {
    let folder = FileInfo { head: GROUP, ..file(1, "pictures", 9) };
    let mut files = with(vec![], std::slice::from_ref(&folder));
    (1..=3).for_each(|link| holder(&mut files, link, std::slice::from_ref(&folder)));
    begin(&mut files, &folder);
    let asked = fetches(&done(&mut files, 0));
    assert!(asked.iter().all(|(_, pieces)| *pieces == (0, 0)) && !asked.is_empty(), "{asked:?}");
    files.handle(FileInput::Came(asked[0].0, GROUP), 10);
    files.handle(FileInput::Got(asked[0].0, 0), 10);
    assert!(fetches(&done(&mut files, 10)).iter().any(|(_, pieces)| pieces.0 > 0));
}

#[test]
fn a_transfer_goes_on_after_a_restart_with_what_is_on_disk() {
    let cat = file(1, "cat", 8);
    let mut files = with(vec![], std::slice::from_ref(&cat));
    begin(&mut files, &cat);
    let kept = files.flush(0).into_iter().filter_map(|outcome| match outcome {
        Outcome::Keep(kept) => Some(kept),
        _ => None,
    });
    let mut files = with(kept.last().into_iter().collect(), std::slice::from_ref(&cat));
    assert_eq!(state(&files, 1), TransferState::Checking);
    holder(&mut files, 1, std::slice::from_ref(&cat));
    assert!(fetches(&done(&mut files, 0)).is_empty(), "before it is checked nothing is asked for");
    files.handle(FileInput::Found(cat.root, Found::Pieces(Pieces::of_runs(&[(0, 5)], 8))), 0);
    let asked = fetches(&done(&mut files, 0));
    assert!(asked.iter().all(|(_, pieces)| pieces.0 >= 6) && !asked.is_empty(), "{asked:?}");
}

#[test]
fn what_is_fetched_unasked_stays_within_its_bound() {
    let bound = Unasked { bytes: 10 * SMALLEST_PIECE, downloads: Some("/downloads".into()) };
    let prepared = |unasked: Unasked| {
        let mut files = Files::new(vec![], unasked, 1);
        listed(&mut files, &[], false);
        let all = [file(1, "a", 6), file(2, "b", 5), file(3, "c", 4), file(4, "d", 1)];
        listed(&mut files, &all, false);
        let outputs = done(&mut files, 0).into_iter();
        let size = |output| if let FileOutput::Prepare { file, .. } = output { Some(file.size) } else { None };
        outputs.filter_map(size).collect::<Vec<_>>()
    };
    assert_eq!(prepared(bound), [6 * SMALLEST_PIECE, 4 * SMALLEST_PIECE]);
    assert!(prepared(Unasked { bytes: 0, downloads: Some("/downloads".into()) }).is_empty());
}

/// What becomes of ranges that are asked for on these links, one each: those served, and those refused.
fn serve(files: &mut Files, cat: &FileInfo, links: &[u64]) -> (Vec<u64>, Vec<(u64, ServeCode)>) {
    for (id, link) in links.iter().enumerate() {
        let fetch = Fetch { room: room(), root: cat.root, offset: 0, length: GROUP };
        files.handle(FileInput::Asked(ServeId(id as u64), LinkId(*link), fetch), 0);
    }
    let (mut served, mut refused) = (Vec::new(), Vec::new());
    for output in done(files, 0) {
        match output {
            FileOutput::Serve(id, _) => served.push(links[id.0 as usize]),
            FileOutput::Refuse(id, code) => refused.push((links[id.0 as usize], code)),
            _ => {}
        }
    }
    (served, refused)
}

fn seed(cat: &FileInfo, links: u64) -> Files {
    let mut files = with(vec![whole(cat)], std::slice::from_ref(cat));
    files.handle(FileInput::Found(cat.root, Found::Whole), 0);
    (1..=links).for_each(|link| files.link_up(LinkId(link), Key([link as u8; 32]), [room()]));
    files.flush(0);
    files
}

#[test]
fn a_link_is_served_four_at_once_has_sixteen_in_line_and_is_told_busy_then() {
    let cat = file(1, "cat", 8);
    let (served, refused) = serve(&mut seed(&cat, 1), &cat, &[1; 21]);
    assert_eq!((served.len(), refused), (4, vec![(1, ServeCode::Busy)]));
}

#[test]
fn who_asks_for_little_is_not_behind_all_that_another_asks_for() {
    let cat = file(1, "cat", 8);
    let mut files = seed(&cat, 3);
    let links = [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3];
    assert_eq!(serve(&mut files, &cat, &links).0, [1, 1, 1, 1, 2, 2, 2, 2]);
    // Each of the three has its turn.
    (0..3).for_each(|id| files.handle(FileInput::ServeEnded(ServeId(id), ServeEnd::Done), 1));
    let next = done(&mut files, 1);
    assert!(next.iter().any(|output| matches!(output, FileOutput::Serve(ServeId(14), _))), "{next:?}");
}

#[test]
fn a_range_that_stands_still_holds_up_no_other() {
    let cat = file(1, "cat", 8);
    let mut files = seed(&cat, 3);
    serve(&mut files, &cat, &[1, 1, 1, 1, 2, 2, 2, 2, 3]);
    assert!(done(&mut files, 1_999).is_empty());
    let next = done(&mut files, 2_000);
    assert!(matches!(next.as_slice(), [FileOutput::Serve(ServeId(8), _)]), "{next:?}");
}

#[test]
fn who_shares_no_room_is_served_nothing() {
    let cat = file(1, "cat", 8);
    let mut files = seed(&cat, 0);
    files.link_up(LinkId(9), Key([9; 32]), []);
    assert_eq!(serve(&mut files, &cat, &[9]), (vec![], vec![(9, ServeCode::NotShared)]));
}
