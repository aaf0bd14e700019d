//! Turns: what is done about one file on disk is done in the order in which it was wanted.

use std::collections::HashMap;

use common::file::Root;
use tokio::sync::watch;

/// The last of what is done about each file.
#[derive(Default, Debug)]
pub struct Turns {
    last: HashMap<Root, watch::Receiver<()>>,
}

/// A place in the order. The next one's turn comes when it is dropped.
#[derive(Debug)]
pub struct Turn {
    before: Option<watch::Receiver<()>>,
    _over: Option<watch::Sender<()>>,
}

impl Turns {
    /// A place behind all before. Those behind wait for it.
    pub fn next(&mut self, root: Root) -> Turn {
        self.last.retain(|_, last| last.has_changed().is_ok());
        let (over, last) = watch::channel(());
        Turn { before: self.last.insert(root, last), _over: Some(over) }
    }

    /// A place behind all before. Nobody waits for it.
    pub fn after(&self, root: &Root) -> Turn {
        Turn { before: self.last.get(root).cloned(), _over: None }
    }
}

impl Turn {
    /// Waits until it has come.
    pub async fn come(&mut self) {
        if let Some(mut before) = self.before.take() {
            // Nothing is ever sent: it ends when who was before is done.
            while before.changed().await.is_ok() {}
        }
    }
}
