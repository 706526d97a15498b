//! Cross-entropy with smoothed labels (Szegedy and others, 2016; Vaswani and others, 2017, section 5.4).

use secant::dual::Dual;

/// The logits of some rows.
pub(super) struct Scores {
    /// All of them, `[rows, classes]`.
    pub all: Dual<2>,
    /// That of each row's class, `[rows, 1]`.
    pub right: Dual<2>,
    /// The mean of each row, `[rows, 1]`.
    pub mean: Dual<2>,
}

/// How likely the right classes are.
pub(super) struct Likelihood {
    /// The rows.
    pub rows: usize,
    /// The mean logarithm of the chance of a row's class.
    right: Dual<1>,
    /// The mean logarithm of the chance of any class.
    any: Dual<1>,
}

impl Likelihood {
    pub fn new(scores: Scores) -> Self {
        let all = log_sum_exp(scores.all);
        Self {
            rows: all.dims()[0],
            right: (scores.right - all.clone()).mean(),
            any: (scores.mean - all).mean(),
        }
    }

    /// The mean cross-entropy to a distribution that gives `smoothing` to all classes alike, and the
    /// rest to the row's class.
    pub fn cross_entropy(&self, smoothing: f64) -> Dual<1> {
        let right = self.right.clone();
        if smoothing == 0.0 {
            return -right;
        }
        -(right.mul_scalar(1.0 - smoothing) + self.any.clone().mul_scalar(smoothing))
    }
}

/// The logarithm of the sum of e^x over each row, `[rows, 1]`.
fn log_sum_exp(x: Dual<2>) -> Dual<2> {
    let largest = x.value.clone().detach().max_dim(1);
    (x - largest.clone()).exp().sum_dim(1).log() + largest
}

#[cfg(test)]
mod tests {
    use burn::{
        nn::loss::CrossEntropyLossConfig,
        tensor::{DType, Device, Int, Tensor, TensorData},
    };

    use super::*;

    const CLASSES: [i64; 2] = [2, 0];

    fn logits() -> Tensor<2> {
        let rows = [[0.0, 2f64.ln(), 5f64.ln()], [3f64.ln(), 0.0, 0.0]];
        Tensor::from_data(TensorData::from(rows), (&Device::default(), DType::F64))
    }

    fn of(smoothing: f64) -> f64 {
        let classes = Tensor::<1, Int>::from_ints(CLASSES, &Device::default()).unsqueeze_dim(1);
        let all = Dual::from(logits());
        let (right, mean) = (all.clone().gather(1, classes), all.clone().mean_dim(1));
        Likelihood::new(Scores { all, right, mean }).cross_entropy(smoothing).value.into_scalar()
    }

    #[test]
    fn smoothed_labels_give_the_loss_worked_out_by_hand() {
        // Chances 1/8, 2/8, 5/8 and 3/5, 1/5, 1/5.
        let plain = -((5f64 / 8.0).ln() + (3f64 / 5.0).ln()) / 2.0;
        assert!((of(0.0) - plain).abs() < 1e-15);
        let all = [1.0 / 8.0, 2.0 / 8.0, 5.0 / 8.0, 3.0 / 5.0, 1.0 / 5.0, 1.0 / 5.0];
        let uniform = -all.iter().map(|chance: &f64| chance.ln()).sum::<f64>() / 6.0;
        assert!((of(0.1) - (0.9 * plain + 0.1 * uniform)).abs() < 1e-15);
    }

    #[test]
    fn it_is_burns_loss() {
        let device = Device::default();
        let classes = Tensor::<1, Int>::from_ints(CLASSES, &device);
        for smoothing in [0.1, 0.5] {
            let burn = CrossEntropyLossConfig::new().with_smoothing(Some(smoothing as f32));
            let logits = Tensor::<2>::from_data(
                logits().into_data().convert_dtype(DType::F32),
                (&device, DType::F32),
            );
            let expected: f64 = burn.init(&device).forward(logits, classes.clone()).into_scalar();
            // Burn's is in single precision.
            assert!((of(smoothing) - expected).abs() < 1e-6, "{expected}");
        }
    }
}
