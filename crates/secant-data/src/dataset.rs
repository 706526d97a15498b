//! Records with their targets and the three parts a comparison needs.

use super::numbers::Numbers;

/// What is to be told from the inputs of each record.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A class of each record.
    Classes {
        /// The class number of each record, an index into `names`.
        labels: Vec<u32>,
        /// The class names.
        names: Vec<String>,
    },
    /// A number of each record, as it is written in the file.
    Numbers(Vec<f64>),
}

impl Targets {
    /// The number of records.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class number of each record; none where the targets are numbers.
    pub fn labels(&self) -> &[u32] {
        match self {
            Self::Classes { labels, .. } => labels,
            Self::Numbers(_) => &[],
        }
    }

    /// The class names; none where the targets are numbers.
    pub fn class_names(&self) -> &[String] {
        match self {
            Self::Classes { names, .. } => names,
            Self::Numbers(_) => &[],
        }
    }

    /// The targets of the records at `indices`, in that order.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        match self {
            Self::Classes { labels, names } => Self::Classes {
                labels: indices.iter().map(|&index| labels[index]).collect(),
                names: names.clone(),
            },
            Self::Numbers(numbers) => {
                Self::Numbers(indices.iter().map(|&index| numbers[index]).collect())
            }
        }
    }
}

/// Records with targets; features are row-major, one record after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// All inputs, record after record.
    pub features: Numbers,
    /// The shape of one record, such as `[1, 28, 28]` for a grey image or `[d]` for a table row.
    pub record_shape: Vec<usize>,
    /// The target of each record.
    pub targets: Targets,
}

impl Dataset {
    /// Records in single precision with a class each.
    pub(crate) fn of_classes(
        features: Vec<f32>,
        record_shape: &[usize],
        labels: Vec<u32>,
        names: &[impl ToString],
    ) -> Self {
        Self {
            features: Numbers::F32(features),
            record_shape: record_shape.to_vec(),
            targets: Targets::Classes {
                labels,
                names: names.iter().map(ToString::to_string).collect(),
            },
        }
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The number of inputs of one record.
    pub fn record_len(&self) -> usize {
        self.record_shape.iter().product()
    }

    /// The records at `indices`, in that order. Panics where an index has no record.
    pub fn select(&self, indices: &[usize]) -> Dataset {
        Dataset {
            features: self.features.select(indices, self.record_len()),
            record_shape: self.record_shape.clone(),
            targets: self.targets.select(indices),
        }
    }

    /// The number of records of each class; none where the targets are numbers.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.targets.class_names().len()];
        for &label in self.targets.labels() {
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
    /// The parts with their names.
    pub fn parts(&self) -> [(&'static str, &Dataset); 3] {
        [("training", &self.train), ("validation", &self.validation), ("test", &self.test)]
    }

    /// Shifts and scales all inputs of all parts by ONE mean and deviation, those of the training
    /// inputs; a deviation of 0 counts as 1.
    ///
    /// This is the usual treatment of images. Table columns are standardised one by one when a
    /// table is encoded, so tables need no call to this.
    pub fn standardize(&mut self) -> Standardization {
        let (mean, deviation) = mean_and_deviation(self.train.features.iter());
        self.shift_and_scale(mean, deviation);
        Standardization { mean: mean as f32, deviation: deviation as f32 }
    }

    /// Shifts and scales all inputs of all parts by numbers fixed beforehand.
    pub fn standardize_by(&mut self, fixed: Standardization) {
        self.shift_and_scale(f64::from(fixed.mean), f64::from(fixed.deviation));
    }

    fn shift_and_scale(&mut self, mean: f64, deviation: f64) {
        for part in [&mut self.train, &mut self.validation, &mut self.test] {
            part.features.map(|_, x| (x - mean) / deviation);
        }
    }

    /// Shifts and scales the inputs of all parts by numbers fixed beforehand for each channel, the first
    /// dimension of a record. Panics where there are other than so many channels.
    pub fn standardize_channels(&mut self, fixed: &[Standardization]) {
        for part in [&mut self.train, &mut self.validation, &mut self.test] {
            assert_eq!(part.record_shape.first(), Some(&fixed.len()), "one for each channel");
            let area: usize = part.record_shape[1..].iter().product();
            part.features.map(|at, x| {
                let Standardization { mean, deviation } = fixed[at / area % fixed.len()];
                (x - f64::from(mean)) / f64::from(deviation)
            });
        }
    }
}

/// The mean and standard deviation of `values`; a zero or undefined deviation comes back as 1, the
/// mean of nothing as 0.
fn mean_and_deviation(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let Some((mean, deviation)) = moments(values) else {
        return (0.0, 1.0);
    };
    // Rounding leaves a tiny deviation in a column of equal values.
    let constant = deviation <= 1e-12 * mean.abs() || !deviation.is_finite();
    (mean, if constant { 1.0 } else { deviation })
}

/// The mean and standard deviation of `values`, where there are any.
pub(crate) fn moments(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let (count, sum) = values.clone().fold((0.0, 0.0), |(n, s), x| (n + 1.0, s + x));
    let mean = sum / count;
    let squares = values.map(|x| (x - mean) * (x - mean)).sum::<f64>();
    (count > 0.0).then(|| (mean, (squares / count).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(features: &[f32], labels: &[u32]) -> Dataset {
        Dataset::of_classes(features.to_vec(), &[1, 2], labels.to_vec(), &["no", "yes"])
    }

    fn single(features: &[f32]) -> Numbers {
        Numbers::F32(features.to_vec())
    }

    #[test]
    fn select_takes_the_records_in_the_order_asked() {
        let all = dataset(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[0, 1, 1]);
        let some = all.select(&[2, 0]);
        assert_eq!(some.features, single(&[4.0, 5.0, 0.0, 1.0]));
        assert_eq!(some.targets.labels(), [1, 0]);
        assert_eq!(some.record_shape, [1, 2]);
        assert_eq!(some.class_counts(), [1, 1]);
    }

    #[test]
    fn numbers_as_targets_are_selected_too_and_have_no_classes() {
        let all = Dataset { targets: Targets::Numbers(vec![0.5, 2.5]), ..dataset(&[0.0; 4], &[]) };
        assert_eq!(all.len(), 2);
        let some = all.select(&[1]);
        assert_eq!(some.targets, Targets::Numbers(vec![2.5]));
        assert_eq!(some.class_counts(), Vec::<usize>::new());
    }

    #[test]
    fn standardize_uses_only_the_training_part() {
        let train = dataset(&[1.0, 3.0, 1.0, 3.0], &[0, 1]);
        let other = dataset(&[100.0, 2.0], &[0]);
        let mut splits = Splits { train, validation: other.clone(), test: other };
        let done = splits.standardize();
        assert_eq!((done.mean, done.deviation), (2.0, 1.0));
        assert_eq!(splits.train.features, single(&[-1.0, 1.0, -1.0, 1.0]));
        assert_eq!(splits.test.features, single(&[98.0, 0.0]));
        assert_eq!(splits.validation.features, single(&[98.0, 0.0]));
    }

    #[test]
    fn standardize_by_takes_the_numbers_given_to_all_parts() {
        let part = dataset(&[0.0, 0.5, 0.75, 1.0], &[0, 1]);
        let mut splits =
            Splits { train: part.clone(), validation: part.clone(), test: part.clone() };
        splits.standardize_by(Standardization { mean: 0.5, deviation: 0.5 });
        for (_, part) in splits.parts() {
            assert_eq!(part.features, single(&[-1.0, 0.0, 0.5, 1.0]));
        }
    }

    #[test]
    fn standardize_channels_takes_the_numbers_of_each_channel_in_all_records() {
        let records = Dataset {
            record_shape: vec![2, 1, 2],
            ..dataset(&[1.0, 2.0, 1.0, 2.0, 5.0, 6.0, 5.0, 6.0], &[0, 1])
        };
        let mut splits =
            Splits { train: records.clone(), validation: records.clone(), test: records };
        let fixed = [(1.0, 1.0), (0.0, 0.5)];
        splits.standardize_channels(
            &fixed.map(|(mean, deviation)| Standardization { mean, deviation }),
        );
        for (_, part) in splits.parts() {
            assert_eq!(part.features, single(&[0.0, 1.0, 2.0, 4.0, 4.0, 5.0, 10.0, 12.0]));
        }
    }

    #[test]
    fn equal_values_have_deviation_one() {
        let (mean, deviation) = mean_and_deviation([0.1; 7].into_iter());
        assert!((mean - 0.1).abs() < 1e-12);
        assert_eq!(deviation, 1.0);
        assert_eq!(mean_and_deviation(std::iter::empty()), (0.0, 1.0));
    }
}
