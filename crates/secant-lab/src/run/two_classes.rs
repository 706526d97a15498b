//! How well a rare class is told from the rest.

/// Measures of a classification into two classes, of which the second is the positive one.
///
/// Unlike accuracy, none of them is high for a network that never says "positive".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoClasses {
    /// The mean of the shares of both classes that are recognised.
    pub balanced_accuracy: f64,
    /// 2 TP / (2 TP + FP + FN); 0 where no positive is recognised.
    pub f1: f64,
    /// The area under the receiver operating characteristic: how often a positive scores above a
    /// negative, where a tie counts half. NaN where a score is NaN.
    pub auc: f64,
}

impl TwoClasses {
    /// The measures of records with these scores (positive where above 0) and labels (1 for the
    /// positive class); none where a class has no record.
    pub fn of(scores: &[f64], labels: &[u32]) -> Option<Self> {
        let count = |predicted: bool, label: u32| {
            let pairs = scores.iter().zip(labels);
            pairs.filter(|(score, truth)| (**score > 0.0) == predicted && **truth == label).count()
                as f64
        };
        let (true_positives, false_negatives) = (count(true, 1), count(false, 1));
        let (true_negatives, false_positives) = (count(false, 0), count(true, 0));
        let positives = true_positives + false_negatives;
        let negatives = true_negatives + false_positives;
        (positives > 0.0 && negatives > 0.0).then(|| Self {
            balanced_accuracy: 0.5 * (true_positives / positives + true_negatives / negatives),
            f1: 2.0 * true_positives / (2.0 * true_positives + false_positives + false_negatives),
            auc: auc(scores, labels, positives * negatives),
        })
    }
}

/// Mann and Whitney's statistic over the number of pairs, from the ranks of the scores.
fn auc(scores: &[f64], labels: &[u32], pairs: f64) -> f64 {
    if scores.iter().any(|score| score.is_nan()) {
        return f64::NAN;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut above, mut negatives) = (0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positives = tied.iter().filter(|&&record| labels[record] == 1).count() as f64;
        let others = tied.len() as f64 - positives;
        above += positives * (negatives + 0.5 * others);
        negatives += others;
    }
    above / pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_network_that_never_says_positive_is_no_better_than_a_coin() {
        let always = TwoClasses::of(&[-1.0; 100], &[[0; 99].as_slice(), &[1]].concat());
        let always = always.expect("both classes");
        assert_eq!((always.balanced_accuracy, always.f1, always.auc), (0.5, 0.0, 0.5));
    }

    #[test]
    fn the_measures_of_a_small_case_are_those_worked_out_by_hand() {
        // Positives score 2, 1, -1; negatives 1, -2, -3: TP 2, FN 1, FP 1, TN 2.
        let found = TwoClasses::of(&[2.0, 1.0, -1.0, 1.0, -2.0, -3.0], &[1, 1, 1, 0, 0, 0]);
        let found = found.expect("both classes");
        assert!((found.balanced_accuracy - 2.0 / 3.0).abs() < 1e-15);
        assert!((found.f1 - 2.0 / 3.0).abs() < 1e-15);
        // Of 9 pairs: 3 + 2.5 + 2.
        assert!((found.auc - 7.5 / 9.0).abs() < 1e-15);
    }

    #[test]
    fn one_class_alone_has_no_measures_and_a_nan_no_area() {
        assert_eq!(TwoClasses::of(&[1.0, -1.0], &[1, 1]), None);
        assert!(TwoClasses::of(&[f64::NAN, 1.0], &[1, 0]).expect("both").auc.is_nan());
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs_in_order(
            records in prop::collection::vec((-4i32..4, 0u32..2), 2..60),
        ) {
            let scores: Vec<f64> = records.iter().map(|record| f64::from(record.0)).collect();
            let labels: Vec<u32> = records.iter().map(|record| record.1).collect();
            let of = |class: u32| {
                let with = scores.iter().zip(&labels).filter(move |(_, label)| **label == class);
                with.map(|(score, _)| *score).collect::<Vec<f64>>()
            };
            let (positives, negatives) = (of(1), of(0));
            let found = TwoClasses::of(&scores, &labels);
            prop_assert_eq!(found.is_some(), !positives.is_empty() && !negatives.is_empty());
            if let Some(found) = found {
                let mut above = 0.0;
                for p in &positives {
                    for n in &negatives {
                        above += if p > n { 1.0 } else if p == n { 0.5 } else { 0.0 };
                    }
                }
                let pairs = (positives.len() * negatives.len()) as f64;
                prop_assert!((found.auc - above / pairs).abs() < 1e-12);
            }
        }
    }
}
