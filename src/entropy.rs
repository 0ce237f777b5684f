//! Randomness as an argument: the one place that may ask the machine for it.

use std::cell::RefCell;

use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng as _};

/// Where identifiers, tokens and secrets come from.
///
/// # Contract
///
/// Every byte is unpredictable to anyone outside the process (RFC 6749 §10.10 asks that a guess succeed with
/// probability at most 2^-128). An implementation that cannot promise that answers [`EntropyError`].
pub trait Entropy: Send + Sync + 'static {
    /// Fills `buffer`, whole, or fails; on failure nothing in `buffer` may be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The machine could give no randomness. The request that needed it answers `server_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct EntropyError;

/// `ChaCha12`, one generator a thread, seeded and reseeded from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

/// How much one seed serves, in bytes: with tokens of 32 bytes, a new seed every 2,048 tokens.
const BYTES_PER_SEED: usize = 64 * 1024;

struct Generator {
    rng: StdRng,
    left: usize,
}

thread_local! {
    static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        GENERATOR.with_borrow_mut(|slot| {
            let spent = slot.as_ref().is_none_or(|generator| generator.left < buffer.len());
            if spent {
                // An exhausted generator is dropped first: if the machine now has no randomness, we fail rather than go
                // on with the old seed.
                *slot = None;
                let rng = StdRng::try_from_rng(&mut SysRng).map_err(|_| EntropyError)?;
                *slot = Some(Generator { rng, left: BYTES_PER_SEED.max(buffer.len()) });
            }
            let generator = slot.as_mut().ok_or(EntropyError)?;
            generator.left = generator.left.saturating_sub(buffer.len());
            generator.rng.fill_bytes(buffer);
            Ok(())
        })
    }
}

/// `N` bytes from `entropy`.
pub(crate) fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_larger_than_a_seed_serves_is_filled() {
        let mut large = vec![0_u8; BYTES_PER_SEED * 2];
        SystemEntropy.fill(&mut large).unwrap();
        assert!(large.iter().any(|byte| *byte != 0));
    }
}
