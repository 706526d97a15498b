//! Dropout as a function of the batch.

use std::cell::RefCell;

use burn::tensor::{Tensor, TensorData};
use secant::dual::Dual;
use secant_core::rng::SplitMix64;

/// Sets a share of all numbers to 0 and scales the others up, by masks drawn from the batch's seed and from
/// nothing else.
pub(crate) struct Dropout {
    rate: f64,
    rng: RefCell<SplitMix64>,
}

impl Dropout {
    /// The masks of the batch with this [seed](crate::Batch::seed).
    pub fn of(rate: f64, seed: u64) -> Self {
        Self { rate, rng: RefCell::new(SplitMix64::new(seed)) }
    }

    /// No masks.
    pub fn none() -> Self {
        Self::of(0.0, 0)
    }

    /// The numbers after the next mask.
    pub fn apply<const D: usize>(&self, x: Dual<D>) -> Dual<D> {
        if self.rate == 0.0 {
            return x;
        }
        let mask = self.mask(x.dims(), &x.value);
        x.map_linear(|x| x * mask.clone())
    }

    fn mask<const D: usize>(&self, shape: [usize; D], like: &Tensor<D>) -> Tensor<D> {
        let mut rng = self.rng.borrow_mut();
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        // Four numbers of 16 bits in a draw.
        let below = (self.rate * 65_536.0) as u64;
        let mut bits = 0;
        let numbers: Vec<f32> = (0..shape.iter().product::<usize>())
            .map(|place| {
                bits = if place % 4 == 0 { rng.next_u64() } else { bits >> 16 };
                if bits & 0xFFFF < below { 0.0 } else { kept }
            })
            .collect();
        let data = TensorData::new(numbers, shape).convert_dtype(like.dtype());
        Tensor::from_data(data, (&like.device(), like.dtype()))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn after(dropout: &Dropout) -> Vec<f32> {
        let ones = Tensor::<2>::ones([100, 99], &Device::default());
        dropout.apply(ones.into()).value.into_data().iter::<f32>().collect()
    }

    #[test]
    fn masks_are_those_of_the_batch_and_keep_the_mean() {
        let (first, again) = (Dropout::of(0.2, 31), Dropout::of(0.2, 31));
        let masks = [&first, &again].map(|dropout| [after(dropout), after(dropout)]);
        assert_eq!(masks[0], masks[1]);
        let [one, next] = &masks[0];
        assert_ne!(one, next);
        assert_ne!(*one, after(&Dropout::of(0.2, 13)));
        assert!(one.iter().all(|x| *x == 0.0 || *x == 1.25));
        let mean = one.iter().sum::<f32>() / one.len() as f32;
        // The deviation of a mean of 9,900 numbers of deviation 1/2 is 0.005.
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!(after(&Dropout::none()).iter().all(|x| *x == 1.0));
    }
}
