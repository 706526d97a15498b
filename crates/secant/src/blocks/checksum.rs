//! A checksum of all numbers.

use rayon::prelude::*;

use super::Blocks;

/// Bytes of which one thread makes a checksum.
const AT_ONCE: usize = 256 * 1024;

impl Blocks {
    /// CRC-32 of all numbers' bytes, read from where they are.
    pub(crate) fn checksum(&self) -> u32 {
        let data: Vec<_> = self.data().collect();
        // Pieces side by side; their checksums are added up in order.
        let pieces: Vec<&[u8]> =
            data.iter().flat_map(|data| data.bytes().chunks(AT_ONCE)).collect();
        let checksums: Vec<u32> = pieces.into_par_iter().map(crc32fast::hash).collect();
        let mut hasher = crc32fast::Hasher::new();
        checksums.iter().for_each(|checksum| hasher.update(&checksum.to_le_bytes()));
        hasher.finalize()
    }
}
