//! What those who work on one file at the same time share.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak},
};

use common::file::{FileInfo, Root};

use super::{layout::Layout, shelf::Shelf};

/// The files that are worked on.
#[derive(Clone, Default, Debug)]
pub struct Works {
    by_root: Arc<Mutex<HashMap<Root, Weak<Work>>>>,
}

/// One file that is worked on.
#[derive(Default, Debug)]
pub struct Work {
    /// Whether it has been put in its place or deleted: nothing is written beside it any more.
    over: RwLock<bool>,
    layout: Mutex<Option<Arc<Layout>>>,
}

impl Works {
    /// The work on a file.
    pub fn on(&self, root: &Root) -> Arc<Work> {
        let mut works = self.by_root.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(work) = works.get(root).and_then(Weak::upgrade) {
            return work;
        }
        works.retain(|_, work| work.strong_count() > 0);
        let work = Arc::new(Work::default());
        works.insert(*root, Arc::downgrade(&work));
        work
    }

    /// Ends the work on a file: waits for what is being written, and lets nothing more be written. What is begun after this
    /// is other work.
    pub fn end(&self, root: &Root) {
        let work = self.by_root.lock().unwrap_or_else(PoisonError::into_inner).remove(root);
        if let Some(work) = work.and_then(|work| work.upgrade()) {
            *work.over.write().unwrap_or_else(PoisonError::into_inner) = true;
        }
    }
}

impl Work {
    /// Leave to write, for as long as the guard is held; an error if the work is over.
    pub fn leave(&self) -> io::Result<RwLockReadGuard<'_, bool>> {
        let over = self.over.read().unwrap_or_else(PoisonError::into_inner);
        if *over { Err(io::Error::other("it is put away already")) } else { Ok(over) }
    }

    /// What is where in the folder, read once for all who need it.
    pub fn layout(&self, shelf: &Shelf, file: &FileInfo) -> io::Result<Arc<Layout>> {
        let mut layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = &*layout {
            return Ok(layout.clone());
        }
        let read = Arc::new(Layout::read(shelf, file)?);
        *layout = Some(read.clone());
        Ok(read)
    }
}
