//! What tells data, settings and programs apart: SHA-256 in hexadecimal digits.

use std::{fs::File, io, sync::LazyLock};

use sha2::{Digest, Sha256};

/// The hash of everything that was added to it.
#[derive(Clone, Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds numbers.
    #[must_use]
    pub fn numbers(mut self, numbers: &[f32]) -> Self {
        self.0.update((numbers.len() as u64).to_le_bytes());
        for number in numbers {
            self.0.update(number.to_le_bytes());
        }
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// The 64 digits.
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The hash of this program, so that results of other code are not taken for its own; empty where the
/// program cannot read itself.
pub(crate) static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    let hash = || -> io::Result<String> {
        let mut hasher = Sha256::new();
        io::copy(&mut File::open(std::env::current_exe()?)?, &mut hasher)?;
        Ok(Fingerprint(hasher).finish())
    };
    hash().unwrap_or_default()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_tell_pieces_apart() {
        let one = Fingerprint::new().text("ab").text("c").finish();
        let other = Fingerprint::new().text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
        let numbers = |x: &[f32]| Fingerprint::new().numbers(x).finish();
        assert_ne!(numbers(&[0.0]), numbers(&[-0.0]));
    }

    #[test]
    fn a_program_has_a_hash() {
        assert_eq!(PROGRAM.len(), 64);
    }
}
