//! Writing what has come of a file, and has been proven.

use std::{
    io::{self, IoSlice},
    sync::Arc,
};

use bao_tree::io::{BaoContentItem, Leaf, Parent};

use super::{
    run::Run,
    shelf::{Hashes, Shelf},
    work::Work,
};
use crate::core::files::Place;

/// Groups and hashes that are written together.
#[derive(Default, Debug)]
pub struct Batch {
    hashes: Vec<Parent>,
    groups: Vec<Leaf>,
    bytes: u64,
}

impl Batch {
    /// Adds one, which has been proven.
    pub fn add(&mut self, item: BaoContentItem) {
        match item {
            BaoContentItem::Parent(parent) => self.hashes.push(parent),
            BaoContentItem::Leaf(leaf) => {
                self.bytes += leaf.data.len() as u64;
                self.groups.push(leaf);
            }
        }
    }

    /// How many bytes of the file are in it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty() && self.groups.is_empty()
    }
}

/// Writes what comes of one range.
#[derive(Debug)]
pub struct Writer {
    work: Arc<Work>,
    hashes: Hashes,
    run: Run,
}

impl Writer {
    /// Writes to the place, and to the shelf.
    pub fn open(shelf: &Shelf, place: &Place, work: Arc<Work>) -> io::Result<Writer> {
        let hashes = shelf.hashes_to_fill(&place.file.root, place.file.size)?;
        Ok(Writer { run: Run::to_write(shelf, place, work.clone()), work, hashes })
    }

    /// Writes a batch. The bytes go first: hashes without them would have them read, and found missing, at the next start.
    pub fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let _leave = self.work.leave()?;
        let follows = |one: &Leaf, next: &Leaf| one.offset + one.data.len() as u64 == next.offset;
        for row in batch.groups.chunk_by(follows) {
            let mut parts: Vec<IoSlice<'_>> = row.iter().map(|group| IoSlice::new(&group.data)).collect();
            self.run.write_at(row[0].offset, &mut parts)?;
        }
        self.hashes.save(&batch.hashes)
    }
}
