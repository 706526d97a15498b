//! Training images at other places and mirrored, as a function of the batch.

use secant_core::rng::SplitMix64;
use secant_data::Numbers;

/// Every training image `[channels, rows, columns]` as a window, of its own size, of the image with a border around it: at a random
/// place, and mirrored or not.
///
/// The draws are those of [`Batch::seed`](crate::Batch::seed).
#[derive(Clone, Debug, PartialEq)]
pub struct Augmentation {
    /// Rows and columns of the border on each side, less than the image has.
    pub padding: usize,
    /// The border's number in each channel.
    pub border: Vec<f32>,
}

impl Augmentation {
    /// The images `[channels, rows, columns]`, with draws from this seed.
    pub(super) fn apply(&self, images: &Numbers, shape: &[usize], seed: u64) -> Numbers {
        match images {
            Numbers::F32(images) => Numbers::F32(self.windows(images, shape, seed)),
            Numbers::F64(images) => Numbers::F64(self.windows(images, shape, seed)),
        }
    }

    fn windows<T: Copy + From<f32>>(&self, images: &[T], shape: &[usize], seed: u64) -> Vec<T> {
        let mut rng = SplitMix64::new(seed);
        let mut windows = Vec::with_capacity(images.len());
        for image in images.chunks_exact(shape.iter().product()) {
            let [top, left] = [0; 2].map(|_| rng.below(2 * self.padding + 1));
            let is_mirrored = rng.below(2) == 1;
            self.window(image, shape, [top, left], is_mirrored, &mut windows);
        }
        windows
    }

    /// Adds the window whose corner is at `[top, left]` of the image with its border.
    fn window<T: Copy + From<f32>>(
        &self,
        image: &[T],
        shape: &[usize],
        [top, left]: [usize; 2],
        is_mirrored: bool,
        windows: &mut Vec<T>,
    ) {
        let (rows, columns) = (shape[1], shape[2]);
        // Columns of the border left of the image, and of the image left of the window.
        let (outside, hidden) =
            (self.padding.saturating_sub(left), left.saturating_sub(self.padding));
        let seen = columns - outside.max(hidden);
        for (channel, border) in image.chunks_exact(rows * columns).zip(&self.border) {
            for row in 0..rows {
                let start = windows.len();
                windows.resize(start + columns, T::from(*border));
                let row = (row + top).checked_sub(self.padding).filter(|row| *row < rows);
                if let Some(row) = row {
                    let from = row * columns + hidden;
                    windows[start + outside..][..seen].copy_from_slice(&channel[from..][..seen]);
                }
                if is_mirrored {
                    windows[start..].reverse();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};
    use secant_data::{Dataset, Splits, Targets};

    use super::*;
    use crate::{
        Batch, Part,
        network::NetworkConfig,
        supervised::{ClassWeights, Supervised},
    };

    const SHAPE: [usize; 3] = [2, 5, 6];

    /// Twelve images of numbers that all differ.
    fn part(first: usize) -> Dataset {
        let size: usize = 12 * SHAPE.iter().product::<usize>();
        Dataset {
            features: Numbers::F32((first..first + size).map(|number| number as f32).collect()),
            record_shape: SHAPE.to_vec(),
            targets: Targets::Classes { labels: vec![0; 12], names: vec!["one".to_string()] },
        }
    }

    fn problem() -> Supervised {
        let splits = Splits { train: part(0), validation: part(10_000), test: part(20_000) };
        let network = NetworkConfig::Perceptron(vec![60, 1]);
        let problem = Supervised::new("windows".to_string(), splits, network, ClassWeights::None);
        Supervised {
            augmentation: Some(Augmentation { padding: 2, border: vec![-1.0, -2.0] }),
            ..problem
        }
    }

    fn inputs(problem: &Supervised, part: Part, records: &[usize]) -> Vec<f32> {
        let batch = Batch { part, records, device: &Device::default(), dtype: DType::F32 };
        problem.inputs(batch).into_data().iter::<f32>().collect()
    }

    #[test]
    fn a_batch_is_one_function_and_another_order_another() {
        let problem = problem();
        let of = |records: &[usize]| inputs(&problem, Part::Train, records);
        let (batch, turned) = ([3, 0, 7, 5, 1, 9], [9, 1, 5, 7, 0, 3]);
        assert_eq!(of(&batch), of(&batch));
        let same =
            of(&batch).chunks(60).zip(of(&turned).chunks(60).rev()).filter(|(a, b)| a == b).count();
        // Two draws of 50 agree in 2 %: of six, three never.
        assert!(same < 3, "{same}");
    }

    #[test]
    fn validation_and_test_records_are_as_they_are() {
        let (problem, records) = (problem(), [4, 2, 11]);
        for (part, data) in
            [(Part::Validation, &problem.splits.validation), (Part::Test, &problem.splits.test)]
        {
            let expected = data.features.select(&records, 60);
            assert_eq!(Numbers::F32(inputs(&problem, part, &records)), expected);
        }
    }

    /// The image with its border, number by number.
    fn bordered(image: &[f32], [channel, row, column]: [usize; 3]) -> f32 {
        let border = [-1.0, -2.0][channel];
        let place = |at: usize, side: usize| at.checked_sub(2).filter(|at| *at < side);
        match (place(row, 5), place(column, 6)) {
            (Some(row), Some(column)) => image[(channel * 5 + row) * 6 + column],
            _ => border,
        }
    }

    #[test]
    fn images_are_windows_of_the_bordered_image_all_of_which_occur_and_half_are_mirrored() {
        let problem = problem();
        let Numbers::F32(train) = &problem.splits.train.features else { panic!("single") };
        let mut counts = [[[0; 2]; 5]; 5];
        for order in 0..200 {
            let records: Vec<usize> = (0..12).map(|record| (record + order) % 12).collect();
            let records = [&records[..], &[order % 7, order / 7 % 12, order / 84]].concat();
            let batch = inputs(&problem, Part::Train, &records);
            for (window, record) in batch.chunks(60).zip(&records) {
                let image = &train[record * 60..][..60];
                let [top, left, mirrored] = found(window, image);
                counts[top][left][mirrored] += 1;
            }
        }
        let counts = counts.as_flattened().as_flattened();
        // 3,000 draws among 50, 60 each with a deviation of 8.
        assert!(counts.iter().all(|&count| (25..=100).contains(&count)), "{counts:?}");
        let mirrored: i32 = counts.iter().skip(1).step_by(2).sum();
        // A deviation of 27.
        assert!((1_350..=1_650).contains(&mirrored), "{mirrored}");
    }

    /// The corner of the window, and 1 where it is mirrored.
    fn found(window: &[f32], image: &[f32]) -> [usize; 3] {
        let all =
            (0..5).flat_map(|top| (0..5).flat_map(move |left| [[top, left, 0], [top, left, 1]]));
        let is_it = |[top, left, mirrored]: &[usize; 3]| {
            (0..60).all(|place| {
                let [channel, row, column] = [place / 30, place / 6 % 5, place % 6];
                let column = if *mirrored == 1 { 5 - column } else { column };
                window[place] == bordered(image, [channel, row + top, column + left])
            })
        };
        let matching: Vec<_> = all.filter(is_it).collect();
        let [only] = matching[..] else { panic!("{matching:?}") };
        only
    }
}
