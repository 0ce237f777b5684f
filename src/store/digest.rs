//! Hashing what is a hash already.

use std::hash::Hasher;

/// Takes the head of a digest for its hash: for maps by the names of records, and by other digests.
///
/// A random seed would buy nothing where what is digested was drawn at random or is a secret; whoever chooses what is
/// digested would have to grind a digest for every collision, in a map that is bounded.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, digest: &[u8]) {
        if let Some(head) = digest.first_chunk() {
            self.0 ^= u64::from_le_bytes(*head);
        }
    }

    // What stands beside a digest, and its length: it tells nothing that the digest does not.
    fn write_i64(&mut self, _moment: i64) {}
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        // Spread and turned: those of one shard may share their lowest bits, by which a map would place them.
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
    }
}
