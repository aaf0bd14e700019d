//! Lists that are always empty.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    Key, RoomName,
    file::{FileInfo, Root},
    wire::control::Refusal,
};

use crate::core::{Core, Now};

pub struct Listed {
    pub file: FileInfo,
    pub by: BTreeSet<Key>,
    pub at: u64,
}

impl Core {
    pub(in crate::core) fn list(&self, _: &RoomName) -> BTreeMap<Root, Listed> {
        BTreeMap::new()
    }

    pub(in crate::core) fn offer(&mut self, _: &RoomName, _: FileInfo, _: Now) -> Result<(), Refusal> {
        Ok(())
    }

    pub(in crate::core) fn withdraw(&mut self, _: &RoomName, _: &Root, _: Now) -> Result<(), Refusal> {
        Ok(())
    }
}
