//! The proof that bytes belong to a root: a range of a file, encoded with the hashes that lead from the root to it.

use std::{io, ops::Range};

use bao_tree::{
    BaoTree, BlockSize, ChunkNum, ChunkRanges,
    iter::{BaoChunk, ResponseIter},
};
use blake3::{
    Hash, Hasher,
    hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root},
};
use bytes::BytesMut;
use common::file::GROUP;

use super::{run::Run, shelf::Hashes};

/// Groups of 16 chunks of 1 KiB: [`GROUP`].
const GROUPS: BlockSize = BlockSize::from_chunk_log(4);
const _: () = assert!(GROUPS.bytes() as u64 == GROUP);

/// The tree over a file of `size` bytes.
pub fn tree(size: u64) -> BaoTree {
    BaoTree::new(size, GROUPS)
}

/// Bytes of a file of `size`, in chunks. They begin with a group, and end with one or with the file.
pub fn chunks(range: Range<u64>, size: u64) -> ChunkRanges {
    let first = ChunkNum::full_chunks(range.start);
    // A range up to the end has none in this form, whatever the size is.
    if range.end >= size { ChunkRanges::from(first..) } else { ChunkRanges::from(first..ChunkNum::chunks(range.end)) }
}

/// Why a range cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// What is on disk is not what the root says.
    #[error("it is not what it was")]
    Wrong,
    /// It cannot be read.
    #[error(transparent)]
    Unread(#[from] io::Error),
}

/// Encodes a range step by step. Nothing that is not proven leaves it.
pub struct Encoder {
    steps: ResponseIter,
    /// The hashes that what comes next must have, the next one last.
    expected: Vec<Hash>,
}

impl Encoder {
    /// Encodes this range.
    pub fn new(hashes: &Hashes, range: Range<u64>) -> Encoder {
        let tree = hashes.tree();
        Encoder { steps: ResponseIter::new(tree, chunks(range, tree.size())), expected: vec![hashes.root()] }
    }

    /// Adds the next pair of hashes or group of bytes to `out`. Returns how many bytes of the file that were, 0 for hashes;
    /// `None` behind the last.
    pub fn step(&mut self, hashes: &Hashes, run: &mut Run, out: &mut BytesMut) -> Result<Option<usize>, Unproven> {
        let (Some(step), Some(expected)) = (self.steps.next(), self.expected.pop()) else { return Ok(None) };
        match step {
            BaoChunk::Parent { node, is_root, left, right, .. } => {
                let (left_hash, right_hash) = hashes.load(node)?;
                if parent(&left_hash, &right_hash, is_root) != expected {
                    return Err(Unproven::Wrong);
                }
                self.expected.extend(right.then_some(right_hash));
                self.expected.extend(left.then_some(left_hash));
                out.extend_from_slice(left_hash.as_bytes());
                out.extend_from_slice(right_hash.as_bytes());
                Ok(Some(0))
            }
            BaoChunk::Leaf { start_chunk, size, is_root, .. } => {
                let before = out.len();
                out.resize(before + size, 0);
                let group = &mut out[before..];
                run.read_at(start_chunk.to_bytes(), group)?;
                if leaf(start_chunk, group, is_root) != expected {
                    out.truncate(before);
                    return Err(Unproven::Wrong);
                }
                Ok(Some(size))
            }
        }
    }
}

fn parent(left: &Hash, right: &Hash, is_root: bool) -> Hash {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if is_root {
        merge_subtrees_root(left, right, Mode::Hash)
    } else {
        Hash::from(merge_subtrees_non_root(left, right, Mode::Hash))
    }
}

fn leaf(first: ChunkNum, bytes: &[u8], is_root: bool) -> Hash {
    if is_root {
        return blake3::hash(bytes);
    }
    let mut hasher = Hasher::new();
    hasher.set_input_offset(first.to_bytes()).update(bytes);
    Hash::from(hasher.finalize_non_root())
}
