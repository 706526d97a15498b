//! What a network that classifies is judged by.

use super::{ClassWeights, two_classes::area};
use crate::Metric;

/// The classes of a problem, as its training records have them.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    names: Vec<String>,
    /// Training records of each.
    counts: Vec<usize>,
    /// How much a record of each counts in the loss.
    weights: Option<Vec<f64>>,
}

/// Where the largest class has more than this share, accuracy says little.
const LARGEST_SHARE: f64 = 0.8;

impl Classes {
    pub(super) fn new(labels: &[u32], names: &[String], weights: ClassWeights) -> Self {
        let mut counts = vec![0; names.len()];
        for &label in labels {
            counts[label as usize] += 1;
        }
        let balanced = || {
            let present = counts.iter().filter(|&&count| count > 0).count() as f64;
            let share = |&count: &usize| labels.len() as f64 / (present * count.max(1) as f64);
            counts.iter().map(share).collect()
        };
        let weights = (weights == ClassWeights::Balanced).then(balanced);
        Self { names: names.to_vec(), counts, weights }
    }

    pub(super) fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// The weights of records with these labels; none where all count the same.
    pub(super) fn weights_of(&self, labels: &[u32]) -> Option<Vec<f64>> {
        let weights = self.weights.as_ref()?;
        Some(labels.iter().map(|&label| weights[label as usize]).collect())
    }

    fn has_two(&self) -> bool {
        self.names.len() == 2
    }

    /// With two classes, the rarer one: what is to be found.
    pub(super) fn positive(&self) -> usize {
        usize::from(self.counts[0] >= self.counts[1])
    }

    /// The name of the largest class.
    pub(super) fn largest(&self) -> usize {
        (0..self.counts.len())
            .max_by_key(|&class| (self.counts[class], usize::MAX - class))
            .unwrap_or(0)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The logits of a network without weights that has learnt the shares of the classes.
    pub(super) fn prior(&self) -> Vec<f64> {
        let weight = |class: usize| self.weights.as_ref().map_or(1.0, |weights| weights[class]);
        let masses = self.counts.iter().enumerate().map(|(c, &count)| weight(c) * count as f64);
        masses.map(|mass| mass.max(1e-3).ln()).collect()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![
            Metric::loss(),
            Metric::share("accuracy"),
            Metric::share("balanced accuracy"),
            Metric::share("F1"),
        ];
        if self.has_two() {
            metrics.push(Metric::share("AUC"));
        }
        metrics
    }

    /// Accuracy, or balanced accuracy where nearly all records are of one class.
    pub(super) fn ranked_by(&self) -> usize {
        let all: usize = self.counts.iter().sum();
        let largest = self.counts.iter().max().copied().unwrap_or(0) as f64;
        if largest > LARGEST_SHARE * all as f64 { 2 } else { 1 }
    }

    /// The metrics of these logits, record after record.
    pub(super) fn measure(&self, logits: &[f64], labels: &[u32]) -> Vec<f64> {
        let width = self.names.len();
        let rows = || logits.chunks(width).zip(labels);
        let loss: f64 = rows()
            .map(|(row, &label)| {
                let weight = self.weights.as_ref().map_or(1.0, |w| w[label as usize]);
                weight * (log_sum_exp(row) - row[label as usize])
            })
            .sum();
        let mut confusion = Confusion::new(width);
        for (row, &label) in rows() {
            confusion.add(largest_of(row), label as usize);
        }
        let broken = logits.iter().any(|logit| logit.is_nan());
        let mut found = vec![
            loss / labels.len() as f64,
            confusion.accuracy(),
            confusion.balanced_accuracy(),
            if self.has_two() { confusion.f1(self.positive()) } else { confusion.macro_f1() },
        ];
        if self.has_two() {
            let positive = self.positive();
            let scores: Vec<f64> =
                logits.chunks(2).map(|row| row[positive] - row[1 - positive]).collect();
            found.push(area(&scores, labels, positive as u32));
        }
        if broken { vec![f64::NAN; found.len()] } else { found }
    }
}

fn log_sum_exp(row: &[f64]) -> f64 {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + row.iter().map(|x| (x - top).exp()).sum::<f64>().ln()
}

/// The place of the largest; of equal ones the first.
pub(super) fn largest_of(row: &[f64]) -> usize {
    (0..row.len()).reduce(|best, next| if row[next] > row[best] { next } else { best }).unwrap_or(0)
}

/// How many records of each class were taken for each class.
struct Confusion {
    width: usize,
    counts: Vec<f64>,
}

impl Confusion {
    fn new(width: usize) -> Self {
        Self { width, counts: vec![0.0; width * width] }
    }

    fn add(&mut self, predicted: usize, label: usize) {
        self.counts[label * self.width + predicted] += 1.0;
    }

    fn hits(&self, class: usize) -> f64 {
        self.counts[class * self.width + class]
    }

    fn of_class(&self, class: usize) -> f64 {
        self.counts[class * self.width..(class + 1) * self.width].iter().sum()
    }

    fn taken_for(&self, class: usize) -> f64 {
        self.counts.iter().skip(class).step_by(self.width).sum()
    }

    fn accuracy(&self) -> f64 {
        let hits: f64 = (0..self.width).map(|class| self.hits(class)).sum();
        hits / self.counts.iter().sum::<f64>()
    }

    /// The mean, over the classes that there are, of the share that is recognised.
    fn balanced_accuracy(&self) -> f64 {
        let there = (0..self.width).filter(|&class| self.of_class(class) > 0.0);
        mean(there.map(|class| self.hits(class) / self.of_class(class)))
    }

    /// 2 TP / (2 TP + FP + FN) of a class; 0 where none of it is recognised.
    fn f1(&self, class: usize) -> f64 {
        let both = self.of_class(class) + self.taken_for(class);
        if both > 0.0 { 2.0 * self.hits(class) / both } else { 0.0 }
    }

    /// The mean of F1 over the classes that there are, or that records were taken for.
    fn macro_f1(&self) -> f64 {
        let there =
            (0..self.width).filter(|&class| self.of_class(class) + self.taken_for(class) > 0.0);
        mean(there.map(|class| self.f1(class)))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| class.to_string()).collect()
    }

    /// Logits that choose these classes.
    fn choosing(classes: &[usize], width: usize) -> Vec<f64> {
        let row = |&class: &usize| (0..width).map(move |c| if c == class { 1.0 } else { 0.0 });
        classes.iter().flat_map(row).collect()
    }

    #[test]
    fn the_measures_of_two_classes_are_those_worked_out_by_hand() {
        // The rarer class, 0, is the positive one: 2 of 3 found, 1 of 5 others taken for it.
        let labels = [0, 0, 0, 1, 1, 1, 1, 1];
        let classes = Classes::new(&labels, &names(2), ClassWeights::None);
        let found = classes.measure(&choosing(&[0, 0, 1, 0, 1, 1, 1, 1], 2), &labels);
        let e = std::f64::consts::E;
        let (right, wrong) = ((1.0 + e).ln() - 1.0, (1.0 + e).ln());
        assert!((found[0] - (6.0 * right + 2.0 * wrong) / 8.0).abs() < 1e-12);
        assert_eq!(found[1], 0.75);
        assert!((found[2] - (2.0 / 3.0 + 4.0 / 5.0) / 2.0).abs() < 1e-12);
        assert!((found[3] - 4.0 / 6.0).abs() < 1e-12);
        // Of 15 pairs: 2 x 4 in order, 2 + 4 tied, 1 the wrong way round.
        assert!((found[4] - (8.0 + 3.0) / 15.0).abs() < 1e-12);
    }

    #[test]
    fn a_network_that_always_says_the_larger_class_is_no_better_than_a_coin() {
        let labels: Vec<u32> = (0..100).map(|record| u32::from(record > 0)).collect();
        let classes = Classes::new(&labels, &names(2), ClassWeights::None);
        let found = classes.measure(&choosing(&[1; 100], 2), &labels);
        assert_eq!((found[1], found[2], found[3], found[4]), (0.99, 0.5, 0.0, 0.5));
        assert_eq!(classes.ranked_by(), 2);
    }

    #[test]
    fn the_measures_of_three_classes_are_means_over_the_classes_there_are() {
        let labels = [0, 0, 1, 1, 2];
        let classes = Classes::new(&labels, &names(4), ClassWeights::None);
        let found = classes.measure(&choosing(&[0, 1, 1, 1, 2], 4), &labels);
        assert_eq!(found.len(), 4);
        assert!((found[2] - (0.5 + 1.0 + 1.0) / 3.0).abs() < 1e-12);
        assert!((found[3] - (2.0 / 3.0 + 4.0 / 5.0 + 1.0) / 3.0).abs() < 1e-12);
        assert_eq!(classes.ranked_by(), 1);
    }

    #[test]
    fn balanced_weights_give_every_class_the_same_say_and_a_mean_of_one() {
        let labels = [0, 0, 0, 1];
        let classes = Classes::new(&labels, &names(2), ClassWeights::Balanced);
        let weights = classes.weights_of(&labels).expect("weights");
        assert!((weights[..3].iter().sum::<f64>() - weights[3]).abs() < 1e-12);
        assert!((weights.iter().sum::<f64>() - 4.0).abs() < 1e-12);
        assert_eq!(Classes::new(&labels, &names(2), ClassWeights::None).weights_of(&labels), None);
    }

    #[test]
    fn logits_that_are_no_numbers_have_no_measures() {
        let classes = Classes::new(&[0, 1], &names(2), ClassWeights::None);
        let found = classes.measure(&[f64::NAN, 0.0, 0.0, 1.0], &[0, 1]);
        assert!(found.iter().all(|value| value.is_nan()));
    }
}
