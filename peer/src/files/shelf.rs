//! The folder in which an account keeps what proves files: their hashes, and the lists of folders.
//!
//! ```text
//! ROOT.bao    the hashes of a file, in post order: 64 bytes for each pair, 0.4 % of the file
//! ROOT.head   the head of a folder
//! ROOT.own    there if the folder's names are those on this disk, as they are, and not made harmless first
//! ```

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use bao_tree::{BaoTree, TreeNode, io::Parent};
use blake3::Hash;
use common::file::Root;

use super::proof::tree;

/// Bytes of a pair of hashes.
const PAIR: usize = 64;
/// How the names of what is being hashed begin.
const BEGUN: &str = "hashing-";

/// The folder, which is made when something is first put into it.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The folder at this path.
    pub fn new(folder: PathBuf) -> Shelf {
        Shelf { folder }
    }

    /// Where the head of a folder is kept.
    pub fn head(&self, root: &Root) -> PathBuf {
        self.path(root, "head")
    }

    /// Marks that a folder's names are those on this disk.
    pub fn own(&self, root: &Root) -> PathBuf {
        self.path(root, "own")
    }

    /// Begins a file of the shelf, which has no name yet but a number.
    pub fn begin(&self, number: u64) -> io::Result<(File, PathBuf)> {
        self.make()?;
        let path = self.folder.join(format!("{BEGUN}{number}"));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok((file, path))
    }

    /// Deletes what was begun when the peer last ended, and never got its name.
    pub fn sweep(&self) {
        // There is no folder before something is put into it.
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(BEGUN.as_bytes()) {
                // It takes room, and does no other harm.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Puts a file of the shelf in its place as the hashes of a file.
    pub fn put(&self, made: &Path, root: &Root) -> io::Result<()> {
        fs::rename(made, self.path(root, "bao"))
    }

    /// Opens or begins a file of the shelf to be written piece by piece.
    pub fn open_to_write(&self, path: &Path) -> io::Result<File> {
        self.make()?;
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
    }

    /// The hashes of a file, to be read.
    pub fn hashes(&self, root: &Root, size: u64) -> io::Result<Hashes> {
        Ok(Hashes { file: File::open(self.path(root, "bao"))?, tree: tree(size), root: Hash::from(root.0) })
    }

    /// The hashes of a file, to be filled as they come.
    pub fn hashes_to_fill(&self, root: &Root, size: u64) -> io::Result<Hashes> {
        let file = self.open_to_write(&self.path(root, "bao"))?;
        Ok(Hashes { file, tree: tree(size), root: Hash::from(root.0) })
    }

    /// Deletes what is kept of a file.
    pub fn forget(&self, root: &Root) {
        for what in ["bao", "head", "own"] {
            let path = self.path(root, what);
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!("{} stays: {error}", path.display());
            }
        }
    }

    fn path(&self, root: &Root, what: &str) -> PathBuf {
        self.folder.join(format!("{root}.{what}"))
    }

    fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }
}

/// The hashes of one file, on disk. Those that are not there yet read as zeros, which prove nothing.
#[derive(Debug)]
pub struct Hashes {
    file: File,
    tree: BaoTree,
    root: Hash,
}

impl Hashes {
    /// How the tree is built.
    pub fn tree(&self) -> BaoTree {
        self.tree
    }

    /// Its root.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The two hashes below a node.
    pub fn load(&self, node: TreeNode) -> io::Result<(Hash, Hash)> {
        let mut pair = [0; PAIR];
        if let Some(at) = self.offset(node) {
            match self.file.read_exact_at(&mut pair, at) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => pair = [0; PAIR],
                result => result?,
            }
        }
        let (mut left, mut right) = ([0; 32], [0; 32]);
        left.copy_from_slice(&pair[..32]);
        right.copy_from_slice(&pair[32..]);
        Ok((Hash::from(left), Hash::from(right)))
    }

    /// Keeps the two hashes below each of these nodes. Those that lie beside each other are written together.
    pub fn save(&self, parents: &[Parent]) -> io::Result<()> {
        let mut pairs: Vec<_> =
            parents.iter().filter_map(|Parent { node, pair }| Some((self.offset(*node)?, pair))).collect();
        pairs.sort_unstable_by_key(|(at, _)| *at);
        for row in pairs.chunk_by(|(one, _), (next, _)| one + PAIR as u64 == *next) {
            let bytes: Vec<u8> =
                row.iter().flat_map(|(_, (left, right))| [*left.as_bytes(), *right.as_bytes()]).flatten().collect();
            self.file.write_all_at(&bytes, row[0].0)?;
        }
        Ok(())
    }

    fn offset(&self, node: TreeNode) -> Option<u64> {
        self.tree.post_order_offset(node).map(|offset| offset.value() * PAIR as u64)
    }
}
