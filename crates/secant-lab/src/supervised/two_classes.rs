//! The area under the receiver operating characteristic.

/// How often a record of the class `positive` scores above one of another, where a tie counts half: Mann and
/// Whitney's statistic over the number of pairs, from the ranks of the scores. NaN where there is no pair.
pub(super) fn area(scores: &[f64], labels: &[u32], positive: u32) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut above, mut positives, mut negatives) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let here = tied.iter().filter(|&&record| labels[record] == positive).count() as f64;
        let others = tied.len() as f64 - here;
        above += here * (negatives + 0.5 * others);
        positives += here;
        negatives += others;
    }
    above / (positives * negatives)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_class_alone_has_no_area() {
        assert!(area(&[1.0, -1.0], &[1, 1], 1).is_nan());
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
            prop_assume!(!positives.is_empty() && !negatives.is_empty());
            let mut above = 0.0;
            for p in &positives {
                for n in &negatives {
                    above += if p > n { 1.0 } else if p == n { 0.5 } else { 0.0 };
                }
            }
            let pairs = (positives.len() * negatives.len()) as f64;
            prop_assert!((area(&scores, &labels, 1) - above / pairs).abs() < 1e-12);
            // The other class from the other side.
            let turned: Vec<f64> = scores.iter().map(|score| -score).collect();
            prop_assert!((area(&turned, &labels, 0) - above / pairs).abs() < 1e-12);
        }
    }
}
