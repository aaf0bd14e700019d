//! The shell of files: hashing, disk, streams. It carries out what the core wants done about files, and tells it what
//! came of it.
//!
//! Nothing here waits for a disk on a thread that others need, and no thread of the disk waits for the network.

mod check;
pub mod copy;
#[cfg(test)]
mod disk_tests;
mod fetch;
mod finish;
mod harmless;
#[cfg(test)]
mod harmless_tests;
mod hash;
mod layout;
mod list;
#[cfg(test)]
mod list_tests;
mod mark;
#[cfg(test)]
mod pair;
mod place;
#[cfg(test)]
mod place_tests;
mod proof;
mod rate;
mod reading;
mod run;
mod serve;
mod shelf;
#[cfg(test)]
mod streams_tests;
mod turns;
mod walk;
mod work;
mod writing;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use common::{
    RoomName,
    file::Root,
    wire::control::{Exit, Refusal, files::Limits},
};
use tokio::{
    sync::Semaphore,
    task::{AbortHandle, spawn_blocking},
};

use fetch::Fetching;
use rate::Rate;
pub use serve::Serving;
pub use shelf::Shelf;
use turns::Turns;
use work::Works;

use crate::{
    core::{
        AskId, Input,
        files::{FetchId, FileInput, FileOutput},
    },
    net::{driver::Inputs, pool::Pool},
};

/// Where the streams of files stand behind the stream of what is said.
const BEHIND: i32 = -1;
/// Files that are read from end to end at once: more would be slower for all.
const READ_AT_ONCE: usize = 2;

/// Carries out what is to be done about files.
pub struct Files {
    shelf: Shelf,
    works: Works,
    pool: Pool,
    inputs: Inputs,
    down: Arc<Rate>,
    /// How fast each file may come.
    rates: HashMap<Root, Arc<Rate>>,
    fetches: BTreeMap<FetchId, AbortHandle>,
    turns: Turns,
    readers: Arc<Semaphore>,
    /// Set when the session ends: what reads for long looks at it.
    over: Arc<AtomicBool>,
}

impl Files {
    /// Over the connections of `pool`.
    pub fn new(pool: Pool, inputs: Inputs) -> Files {
        pool.serving().shelf.sweep();
        Files {
            shelf: pool.serving().shelf.clone(),
            works: pool.serving().works.clone(),
            pool,
            inputs,
            down: Arc::new(Rate::new(0)),
            rates: HashMap::new(),
            fetches: BTreeMap::new(),
            turns: Turns::default(),
            readers: Arc::new(Semaphore::new(READ_AT_ONCE)),
            over: Arc::default(),
        }
    }

    /// Does it, or begins to.
    pub fn carry_out(&mut self, output: FileOutput) {
        match output {
            FileOutput::Hash(ask, room, paths) => self.hash(ask, room, paths),
            FileOutput::Prepare { ask, file, to, overwrite } => {
                self.in_turn(file.root, None, move |_| {
                    Some(FileInput::Prepared(ask, place::prepare(&file, &to, overwrite)))
                });
            }
            FileOutput::Check(place, mark) => {
                let (over, readers) = (self.over.clone(), self.readers.clone());
                self.in_turn(place.file.root, Some(readers), move |shelf| {
                    Some(FileInput::Found(place.file.root, check::check(shelf, &place, mark, &over)))
                });
            }
            FileOutput::Fetch { fetch, link, room, place, pieces, limit } => {
                let rates = [self.down.clone(), self.rate(place.file.root, limit)];
                let (shelf, works, inputs) = (self.shelf.clone(), self.works.clone(), self.inputs.clone());
                let mut turn = self.turns.after(&place.file.root);
                let connection = self.pool.connection(link);
                let fetching = Fetching { id: fetch, room, place, pieces, rates, shelf, works, inputs };
                let task = tokio::spawn(async move {
                    turn.come().await;
                    fetching.run(connection).await;
                });
                self.fetches.retain(|_, task| !task.is_finished());
                self.fetches.insert(fetch, task.abort_handle());
            }
            FileOutput::Stop(fetch) => {
                // Its stream ends with it.
                if let Some(task) = self.fetches.remove(&fetch) {
                    task.abort();
                }
            }
            FileOutput::Finish { place, overwrite } => {
                let works = self.works.clone();
                self.in_turn(place.file.root, None, move |shelf| {
                    let root = place.file.root;
                    works.end(&root);
                    let mark = finish::finish(shelf, &place, overwrite);
                    Some(FileInput::Finished(root, mark.map(|mark| (place.path, mark))))
                });
            }
            FileOutput::Discard(place) => {
                let works = self.works.clone();
                self.in_turn(place.file.root, None, move |shelf| {
                    works.end(&place.file.root);
                    finish::discard(shelf, &place);
                    None
                });
            }
            FileOutput::Forget(root) => self.in_turn(root, None, move |shelf| {
                shelf.forget(&root);
                None
            }),
            FileOutput::Serve(id, place) => self.pool.serving().decide(id, Ok(place)),
            FileOutput::Refuse(id, code) => self.pool.serving().decide(id, Err(code)),
            FileOutput::Limit(Limits { up, down }) => {
                if let Some(up) = up {
                    self.pool.serving().up.set(up);
                }
                if let Some(down) = down {
                    self.down.set(down);
                }
            }
        }
    }

    /// Does something on disk, after what was to be done about the file before; of what needs one of `seats`, so many at
    /// once.
    fn in_turn(
        &mut self,
        root: Root,
        seats: Option<Arc<Semaphore>>,
        act: impl FnOnce(&Shelf) -> Option<FileInput> + Send + 'static,
    ) {
        let (shelf, inputs, mut turn) = (self.shelf.clone(), self.inputs.clone(), self.turns.next(root));
        tokio::spawn(async move {
            turn.come().await;
            let _seat = match &seats {
                // Nobody closes it.
                Some(seats) => seats.acquire().await.ok(),
                None => None,
            };
            if let Ok(Some(input)) = spawn_blocking(move || act(&shelf)).await {
                // Without a driver there is nobody left to be told.
                let _ = inputs.send(Input::File(input)).await;
            }
        });
    }

    fn hash(&self, ask: AskId, room: RoomName, paths: Vec<PathBuf>) {
        let (shelf, inputs) = (self.shelf.clone(), self.inputs.clone());
        let (over, readers) = (self.over.clone(), self.readers.clone());
        tokio::spawn(async move {
            // Nobody closes it.
            let _seat = readers.acquire().await.ok();
            let hashing = spawn_blocking(move || paths.iter().map(|path| hash::hash(&shelf, path, &over)).collect());
            let hashed = hashing.await.unwrap_or_else(|_| {
                Err(Refusal::new(Exit::Refused, "the session has ended; log in and share it again"))
            });
            let _ = inputs.send(Input::File(FileInput::Hashed(ask, room, hashed))).await;
        });
    }

    fn rate(&mut self, root: Root, limit: Option<u64>) -> Arc<Rate> {
        self.rates.retain(|_, rate| Arc::strong_count(rate) > 1);
        let rate = self.rates.entry(root).or_insert_with(|| Arc::new(Rate::new(0)));
        rate.set(limit.unwrap_or(0));
        rate.clone()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.fetches.values().for_each(AbortHandle::abort);
    }
}
