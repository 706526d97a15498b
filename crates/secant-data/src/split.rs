//! Cutting records into training, validation and test parts, with every class in its share where
//! there are classes.

use super::dataset::{Dataset, Splits, Targets};
use super::error::DataError;
use secant_core::rng::SplitMix64;

/// The shares of the records that are kept out of training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fractions {
    /// The share to choose settings by.
    pub validation: f64,
    /// The share to report on.
    pub test: f64,
}

/// The record numbers of each part, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Records to learn from.
    pub train: Vec<usize>,
    /// Records to choose settings by.
    pub validation: Vec<usize>,
    /// Records to report on.
    pub test: Vec<usize>,
}

impl Parts {
    /// These parts of `all`.
    pub(crate) fn select(&self, all: &Dataset) -> Splits {
        Splits {
            train: all.select(&self.train),
            validation: all.select(&self.validation),
            test: all.select(&self.test),
        }
    }
}

/// Cuts the records with these labels at random, by a generator started from `seed`.
///
/// Every record goes into exactly one part. Each part holds each class in its share, up to one
/// record; the training part always holds at least one record of every class. A part with a share
/// above 0 is never empty: too few records are refused.
pub fn stratified(labels: &[u32], fractions: Fractions, seed: u64) -> Result<Parts, DataError> {
    deal(&records_by_class(labels), fractions, seed)
}

/// Cuts `count` records at random, by a generator started from `seed`.
///
/// Every record goes into exactly one part. A part with a share above 0 is never empty: too few
/// records are refused.
pub fn random(count: usize, fractions: Fractions, seed: u64) -> Result<Parts, DataError> {
    deal(&[(0..count).collect()], fractions, seed)
}

/// Cuts records by [`stratified`] where they have classes, else by [`random`].
pub fn by_targets(targets: &Targets, fractions: Fractions, seed: u64) -> Result<Parts, DataError> {
    match targets {
        Targets::Classes { labels, .. } => stratified(labels, fractions, seed),
        Targets::Numbers(numbers) => random(numbers.len(), fractions, seed),
    }
}

/// Deals each group of records out to the parts.
fn deal(groups: &[Vec<usize>], fractions: Fractions, seed: u64) -> Result<Parts, DataError> {
    let Fractions { validation, test } = fractions;
    if !(validation >= 0.0 && test >= 0.0 && validation + test < 1.0) {
        return Err(DataError::Fractions { validation, test });
    }
    let mut rng = SplitMix64::new(seed);
    let mut parts = Parts { train: Vec::new(), validation: Vec::new(), test: Vec::new() };
    let (mut test_quota, mut validation_quota) = (Quota::new(test), Quota::new(validation));
    for mut records in groups.iter().cloned() {
        rng.shuffle(&mut records);
        let most = records.len().saturating_sub(1);
        let for_test = test_quota.next(records.len()).min(most);
        let for_validation = validation_quota.next(records.len()).min(most - for_test);
        parts.test.extend(records.drain(..for_test));
        parts.validation.extend(records.drain(..for_validation));
        parts.train.append(&mut records);
    }
    let lacks = |part: &[usize], share: f64| share > 0.0 && part.is_empty();
    if parts.train.is_empty() || lacks(&parts.validation, validation) || lacks(&parts.test, test) {
        let records = groups.iter().map(Vec::len).sum();
        let classes = groups.iter().filter(|records| !records.is_empty()).count();
        return Err(DataError::TooFew { records, classes, validation, test });
    }
    for part in [&mut parts.train, &mut parts.validation, &mut parts.test] {
        part.sort_unstable();
    }
    Ok(parts)
}

/// The record numbers of each class.
fn records_by_class(labels: &[u32]) -> Vec<Vec<usize>> {
    let classes = labels.iter().max().map_or(0, |&last| last as usize + 1);
    let mut by_class = vec![Vec::new(); classes];
    for (record, &label) in labels.iter().enumerate() {
        by_class[label as usize].push(record);
    }
    by_class
}

/// Gives out a share of one class after the other so that the rounding does not add up over the
/// classes.
struct Quota {
    share: f64,
    seen: usize,
    given: usize,
}

impl Quota {
    fn new(share: f64) -> Self {
        Self { share, seen: 0, given: 0 }
    }

    /// How many of the next `count` records are due.
    fn next(&mut self, count: usize) -> usize {
        self.seen += count;
        let due = (self.seen as f64 * self.share).round() as usize - self.given;
        self.given += due;
        due
    }
}

/// Cuts one data set into three by [`by_targets`].
pub fn three_ways(all: &Dataset, fractions: Fractions, seed: u64) -> Result<Splits, DataError> {
    Ok(by_targets(&all.targets, fractions, seed)?.select(all))
}

/// Cuts the share `validation` from `train`, for data that come with a test part of their own.
pub fn hold_out(
    train: &Dataset,
    test: Dataset,
    validation: f64,
    seed: u64,
) -> Result<Splits, DataError> {
    let fractions = Fractions { validation, test: 0.0 };
    let parts = by_targets(&train.targets, fractions, seed)?;
    Ok(Splits {
        train: train.select(&parts.train),
        validation: train.select(&parts.validation),
        test,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares() -> impl Strategy<Value = Fractions> {
        (0.0..0.45, 0.0..0.45).prop_map(|(validation, test)| Fractions { validation, test })
    }

    fn count(part: &[usize], labels: &[u32], class: u32) -> f64 {
        part.iter().filter(|&&record| labels[record] == class).count() as f64
    }

    proptest! {
        #[test]
        fn no_record_is_lost_or_used_twice(
            labels in prop::collection::vec(0u32..6, 0..300), shares in shares(), seed: u64,
        ) {
            if let Ok(parts) = stratified(&labels, shares, seed) {
                let mut all = [parts.train, parts.validation, parts.test].concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            }
        }

        #[test]
        fn every_class_has_its_share_of_every_part(
            labels in prop::collection::vec(0u32..4, 200..400), shares in shares(), seed: u64,
        ) {
            // Ten records more of each class, so that no class is too small for its shares.
            let labels: Vec<u32> = labels.into_iter().chain((0..40).map(|i| i % 4)).collect();
            let parts = stratified(&labels, shares, seed);
            prop_assume!(parts.is_ok());
            let parts = parts.unwrap();
            for class in 0..4 {
                let of_class = labels.iter().filter(|&&label| label == class).count() as f64;
                let test = count(&parts.test, &labels, class);
                let validation = count(&parts.validation, &labels, class);
                prop_assert!((test - of_class * shares.test).abs() <= 1.0);
                prop_assert!((validation - of_class * shares.validation).abs() <= 1.0);
            }
        }

        #[test]
        fn every_class_stays_in_training(
            labels in prop::collection::vec(0u32..30, 1..100), shares in shares(), seed: u64,
        ) {
            if let Ok(parts) = stratified(&labels, shares, seed) {
                for class in &labels {
                    prop_assert!(count(&parts.train, &labels, *class) >= 1.0);
                }
            }
        }

        #[test]
        fn the_sizes_of_the_parts_follow_the_shares(
            labels in prop::collection::vec(0u32..10, 500..600), seed: u64,
        ) {
            let shares = Fractions { validation: 0.1, test: 0.2 };
            let parts = stratified(&labels, shares, seed).unwrap();
            let total = labels.len() as f64;
            prop_assert!((parts.test.len() as f64 - 0.2 * total).abs() <= 0.5);
            prop_assert!((parts.validation.len() as f64 - 0.1 * total).abs() <= 0.5);
        }
    }

    #[test]
    fn a_seed_always_gives_the_same_cut_and_another_seed_another() {
        let labels: Vec<u32> = (0..60).map(|i| i % 3).collect();
        let shares = Fractions { validation: 0.2, test: 0.2 };
        let cut = |seed| stratified(&labels, shares, seed).unwrap();
        assert_eq!(cut(7), cut(7));
        assert_ne!(cut(7), cut(8));
        // Pinned, so that recorded runs can be repeated with later versions.
        assert_eq!(cut(7).validation, PINNED);
    }

    const PINNED: [usize; 12] = [5, 6, 7, 8, 15, 32, 39, 41, 45, 52, 55, 58];

    #[test]
    fn records_without_classes_are_cut_in_their_shares_and_always_alike() {
        let parts = random(40, Fractions { validation: 0.1, test: 0.2 }, 7).unwrap();
        assert_eq!([parts.train.len(), parts.validation.len(), parts.test.len()], [28, 4, 8]);
        assert_eq!(parts.validation, PINNED_RANDOM);
    }

    const PINNED_RANDOM: [usize; 4] = [9, 31, 32, 38];

    #[test]
    fn shares_that_leave_no_training_records_are_refused() {
        for (validation, test) in [(0.5, 0.5), (-0.1, 0.2), (f64::NAN, 0.1), (0.0, 1.0)] {
            let error = stratified(&[0, 1], Fractions { validation, test }, 0).unwrap_err();
            assert!(matches!(error, DataError::Fractions { .. }));
        }
    }

    #[test]
    fn too_few_records_for_the_shares_are_refused() {
        let shares = Fractions { validation: 0.1, test: 0.1 };
        let message = stratified(&[0, 1, 0], shares, 0).unwrap_err().to_string();
        assert!(message.starts_with("3 records in 2 classes are too few"), "{message}");
        assert!(stratified(&[], shares, 0).is_err());
    }

    #[test]
    fn hold_out_cuts_only_validation_and_leaves_the_test_part_alone() {
        let dataset = |count: usize| {
            let labels = (0..count).map(|i| (i % 2) as u32).collect();
            Dataset::of_classes((0..count).map(|i| i as f32).collect(), &[1], labels, &["a", "b"])
        };
        let splits = hold_out(&dataset(40), dataset(6), 0.25, 3).unwrap();
        assert_eq!(splits.test, dataset(6));
        assert_eq!(splits.validation.class_counts(), [5, 5]);
        assert_eq!(splits.train.class_counts(), [15, 15]);
        // Labels go with their features.
        let labels = splits.train.targets.labels();
        assert!((0..30).all(|i| splits.train.features.get(i) as u32 % 2 == labels[i]));
    }
}
