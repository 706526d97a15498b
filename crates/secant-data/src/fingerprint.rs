//! A number that says whether two comparisons saw the same records.

use sha2::{Digest, Sha256};

use super::dataset::{Dataset, Splits, Targets};
use super::numbers::Numbers;

/// Changes when what is hashed changes.
const VERSION: &str = "secant data 1";

/// The SHA-256, in hexadecimal digits, of all that determines the records of `splits`: shapes,
/// features, targets, class names, and which record is in which part at which place.
pub fn fingerprint(splits: &Splits) -> String {
    let mut hash = Hash::new();
    for (name, part) in splits.parts() {
        hash.text(name);
        hash.dataset(part);
    }
    hash.finish()
}

/// A hash in which no two sequences of items look alike.
pub(crate) struct Hash(Sha256);

impl Hash {
    pub(crate) fn new() -> Self {
        let mut hash = Self(Sha256::new());
        hash.text(VERSION);
        hash
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.update(text);
    }

    pub(crate) fn length(&mut self, length: usize) {
        self.0.update((length as u64).to_le_bytes());
    }

    pub(crate) fn number(&mut self, number: f64) {
        self.0.update(number.to_bits().to_le_bytes());
    }

    fn dataset(&mut self, part: &Dataset) {
        self.length(part.record_shape.len());
        part.record_shape.iter().for_each(|&side| self.length(side));
        self.text(&part.features.precision().to_string());
        self.length(part.features.len());
        match &part.features {
            Numbers::F32(numbers) => numbers.iter().for_each(|x| self.0.update(x.to_le_bytes())),
            Numbers::F64(numbers) => numbers.iter().for_each(|x| self.0.update(x.to_le_bytes())),
        }
        self.targets(&part.targets);
    }

    pub(crate) fn targets(&mut self, targets: &Targets) {
        self.length(targets.len());
        match targets {
            Targets::Classes { labels, names } => {
                self.text("classes");
                labels.iter().for_each(|label| self.0.update(label.to_le_bytes()));
                self.length(names.len());
                names.iter().for_each(|name| self.text(name));
            }
            Targets::Numbers(numbers) => {
                self.text("numbers");
                numbers.iter().for_each(|&number| self.number(number));
            }
        }
    }

    /// The digest in lower-case hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        hex(self.0)
    }
}

/// The digest in lower-case hexadecimal digits.
pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splits() -> Splits {
        let part = |x: f32, label| {
            Dataset::of_classes(vec![x, 1.0], &[2], vec![label], &["a".to_owned(), "b".to_owned()])
        };
        Splits { train: part(0.0, 0), validation: part(1.0, 1), test: part(2.0, 0) }
    }

    #[test]
    fn equal_records_have_the_same_fingerprint() {
        assert_eq!(fingerprint(&splits()), fingerprint(&splits()));
        assert_eq!(fingerprint(&splits()).len(), 64);
    }

    #[test]
    fn every_change_of_what_the_records_are_changes_the_fingerprint() {
        let changes: [fn(&mut Splits); 6] = [
            |s| s.train.features = Numbers::F32(vec![0.5, 1.0]),
            |s| s.train.features = Numbers::F64(vec![0.0, 1.0]),
            |s| s.test.record_shape = vec![1, 2],
            |s| s.test.targets = Targets::Numbers(vec![0.0]),
            |s| std::mem::swap(&mut s.validation, &mut s.test),
            |s| {
                for part in [&mut s.train, &mut s.validation, &mut s.test] {
                    let labels = part.targets.labels().to_vec();
                    let names = vec!["a".to_owned(), "c".to_owned()];
                    part.targets = Targets::Classes { labels, names };
                }
            },
        ];
        let mut found = vec![fingerprint(&splits())];
        for change in changes {
            let mut changed = splits();
            change(&mut changed);
            found.push(fingerprint(&changed));
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 7);
    }
}
