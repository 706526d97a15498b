//! Labelled records and the three parts a comparison needs.

/// Labelled records; features are row-major, one record after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// All inputs, record after record.
    pub features: Vec<f32>,
    /// The shape of one record, such as `[1, 28, 28]` for a grey image or `[d]` for a table row.
    pub record_shape: Vec<usize>,
    /// The class number of each record, an index into `classes`.
    pub labels: Vec<u32>,
    /// The class names.
    pub classes: Vec<String>,
}

impl Dataset {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of inputs of one record.
    pub fn record_len(&self) -> usize {
        self.record_shape.iter().product()
    }

    /// The inputs of record `index`. Panics where there is no such record.
    pub fn record(&self, index: usize) -> &[f32] {
        let width = self.record_len();
        &self.features[index * width..(index + 1) * width]
    }

    /// The records at `indices`, in that order. Panics where an index has no record.
    pub fn select(&self, indices: &[usize]) -> Dataset {
        let mut features = Vec::with_capacity(indices.len() * self.record_len());
        for &index in indices {
            features.extend_from_slice(self.record(index));
        }
        Dataset {
            features,
            record_shape: self.record_shape.clone(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            classes: self.classes.clone(),
        }
    }

    /// The number of records of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }
}

/// The training, validation and test parts of one problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    /// Records to learn from.
    pub train: Dataset,
    /// Records to choose settings by.
    pub validation: Dataset,
    /// Records to report on.
    pub test: Dataset,
}

/// A shift and scale of every input: `(input - mean) / deviation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standardization {
    /// What is subtracted, such as the mean of all training inputs.
    pub mean: f32,
    /// What is divided by, such as the standard deviation of all training inputs.
    pub deviation: f32,
}

impl Splits {
    /// Shifts and scales all inputs of all parts by ONE mean and deviation, those of the training
    /// inputs; a deviation of 0 counts as 1.
    ///
    /// This is the usual treatment of images. Table columns are standardised one by one when a
    /// table is encoded, so tables need no call to this.
    pub fn standardize(&mut self) -> Standardization {
        let (mean, deviation) =
            mean_and_deviation(self.train.features.iter().map(|&x| f64::from(x)));
        self.shift_and_scale(mean, deviation);
        Standardization { mean: mean as f32, deviation: deviation as f32 }
    }

    /// Shifts and scales all inputs of all parts by numbers fixed beforehand.
    pub fn standardize_by(&mut self, fixed: Standardization) {
        self.shift_and_scale(f64::from(fixed.mean), f64::from(fixed.deviation));
    }

    fn shift_and_scale(&mut self, mean: f64, deviation: f64) {
        for part in [&mut self.train, &mut self.validation, &mut self.test] {
            for x in &mut part.features {
                *x = ((f64::from(*x) - mean) / deviation) as f32;
            }
        }
    }
}

/// The mean and standard deviation of `values`; a zero or undefined deviation comes back as 1, the
/// mean of nothing as 0.
pub(super) fn mean_and_deviation(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (count, sum) = values.clone().fold((0.0, 0.0), |(n, s), x| (n + 1.0, s + x));
    if count == 0.0 {
        return (0.0, 1.0);
    }
    let mean = sum / count;
    let deviation = (values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / count).sqrt();
    // Rounding leaves a tiny deviation in a column of equal values.
    let constant = deviation <= 1e-12 * mean.abs() || !deviation.is_finite();
    (mean, if constant { 1.0 } else { deviation })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(features: &[f32], labels: &[u32]) -> Dataset {
        Dataset {
            features: features.to_vec(),
            record_shape: vec![1, 2],
            labels: labels.to_vec(),
            classes: vec!["no".into(), "yes".into()],
        }
    }

    #[test]
    fn select_takes_the_records_in_the_order_asked() {
        let all = dataset(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[0, 1, 1]);
        let some = all.select(&[2, 0]);
        assert_eq!(some.features, [4.0, 5.0, 0.0, 1.0]);
        assert_eq!(some.labels, [1, 0]);
        assert_eq!(some.record_shape, [1, 2]);
        assert_eq!(some.class_counts(), [1, 1]);
    }

    #[test]
    fn standardize_uses_only_the_training_part() {
        let train = dataset(&[1.0, 3.0, 1.0, 3.0], &[0, 1]);
        let other = dataset(&[100.0, 2.0], &[0]);
        let mut splits = Splits { train, validation: other.clone(), test: other };
        let done = splits.standardize();
        assert_eq!((done.mean, done.deviation), (2.0, 1.0));
        assert_eq!(splits.train.features, [-1.0, 1.0, -1.0, 1.0]);
        assert_eq!(splits.test.features, [98.0, 0.0]);
        assert_eq!(splits.validation.features, [98.0, 0.0]);
    }

    #[test]
    fn standardize_by_takes_the_numbers_given_to_all_parts() {
        let part = dataset(&[0.0, 0.5, 0.75, 1.0], &[0, 1]);
        let mut splits =
            Splits { train: part.clone(), validation: part.clone(), test: part.clone() };
        splits.standardize_by(Standardization { mean: 0.5, deviation: 0.5 });
        for part in [splits.train, splits.validation, splits.test] {
            assert_eq!(part.features, [-1.0, 0.0, 0.5, 1.0]);
        }
    }

    #[test]
    fn equal_inputs_are_shifted_but_not_scaled() {
        let values = [0.1; 7];
        let (mean, deviation) = mean_and_deviation(values.iter().copied());
        assert!((mean - 0.1).abs() < 1e-12);
        assert_eq!(deviation, 1.0);
        assert_eq!(mean_and_deviation(std::iter::empty()), (0.0, 1.0));
    }
}
