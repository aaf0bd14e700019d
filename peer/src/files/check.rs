//! Looking what there is of a file: nothing that is on disk is taken for what it was unseen.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::BytesMut;
use common::{file::Pieces, why};

use super::{
    layout::Layout,
    mark,
    place::beside,
    proof::{Encoder, Unproven},
    run::Run,
    shelf::{Hashes, Shelf},
};
use crate::core::files::{Found, Mark, Place};

/// Looks what there is of a file: by `mark` if it is whole, else piece by piece. Ends early once `over` is set.
pub fn check(shelf: &Shelf, place: &Place, mark: Option<Mark>, over: &AtomicBool) -> Found {
    if !place.whole {
        return Found::Pieces(pieces(shelf, place, over));
    }
    let shown = place.path.display();
    let now = match mark_of(shelf, place) {
        Ok(now) => now,
        Err(error) => return Found::Changed(format!("{shown} cannot be read: {}", why(&error))),
    };
    let hashes = shelf.hashes(&place.file.root, place.file.size);
    match (mark, hashes) {
        (Some(mark), Ok(_)) if mark == now => Found::Whole,
        (Some(mark), Ok(_)) if mark != now => Found::Changed(format!("{shown} has been changed since; share it again")),
        (_, Err(error)) => {
            Found::Changed(format!("the hashes of {shown} cannot be read: {}; share it again", why(&error)))
        }
        (_, Ok(hashes)) => {
            let all = proven(&hashes, shelf, place, place.path.clone(), over).len() == place.file.grid().count();
            if all { Found::Whole } else { Found::Changed(format!("{shown} is not what it was; share it again")) }
        }
    }
}

/// The mark of a file or folder that is whole.
pub fn mark_of(shelf: &Shelf, place: &Place) -> std::io::Result<Mark> {
    if place.file.is_folder() {
        mark::mark(Layout::read(shelf, &place.file)?.paths(&place.path))
    } else {
        mark::mark(std::iter::once(place.path.clone()))
    }
}

/// The pieces that are there. A file that was put under its name just before this peer ended is looked for there.
fn pieces(shelf: &Shelf, place: &Place, over: &AtomicBool) -> Pieces {
    let Ok(hashes) = shelf.hashes(&place.file.root, place.file.size) else { return Pieces::none() };
    let beside = beside(place);
    if beside.exists() || !place.path.exists() {
        return proven(&hashes, shelf, place, beside, over);
    }
    let there = proven(&hashes, shelf, place, place.path.clone(), over);
    // Somebody else's file of that name has nothing to do with it, whatever the two have in common.
    if there.len() == place.file.grid().count() { there } else { Pieces::none() }
}

fn proven(hashes: &Hashes, shelf: &Shelf, place: &Place, base: PathBuf, over: &AtomicBool) -> Pieces {
    let grid = place.file.grid();
    let mut run = Run::at(shelf, place, base, Arc::default());
    let mut pieces = Pieces::none();
    let mut out = BytesMut::new();
    for piece in 0..grid.count() {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let mut encoder = Encoder::new(hashes, grid.range(piece));
        let proven = loop {
            out.clear();
            match encoder.step(hashes, &mut run, &mut out) {
                Ok(Some(_)) => {}
                Ok(None) => break true,
                Err(Unproven::Wrong) => break false,
                Err(Unproven::Unread(error)) => {
                    tracing::debug!("{}: piece {piece}: {error}", place.path.display());
                    break false;
                }
            }
        };
        if proven {
            pieces.add(piece);
        }
    }
    pieces
}
