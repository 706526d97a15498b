//! Looks at a gradient before a method may use it: is it finite, and is it too long.

use burn::tensor::DType;
use secant_core::report::Rejection;

use crate::{
    blocks::{Blocks, Number, TensorKernel, for_each_tensor, tensor_squares},
    error::{ConfigError, require_positive},
};

/// How long a gradient may be.
///
/// Norms are summed in double precision: a gradient in single precision whose square overflows that type
/// is shortened by the two norms like any other, while without clipping by norm its step is rejected.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Clipping {
    /// Every entry is cut to [-c, c].
    Value(f64),
    /// Every tensor's gradient is scaled down to this 2-norm, as Burn does.
    TensorNorm(f64),
    /// The whole gradient is scaled down to this 2-norm.
    GlobalNorm(f64),
}

impl Clipping {
    /// Checks the threshold.
    ///
    /// # Errors
    /// The threshold is not a positive finite number.
    pub(crate) fn validate(self) -> Result<(), ConfigError> {
        let (Self::Value(c) | Self::TensorNorm(c) | Self::GlobalNorm(c)) = self;
        require_positive("clipping", "the threshold", c)
    }
}

/// What is checked and done before a method sees a gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Reject what is not finite. Reads the gradient once more.
    pub guard: bool,
    pub clipping: Option<Clipping>,
}

impl Screen {
    /// The 2-norm before clipping, where it was computed; clips `gradient` in place.
    pub(crate) fn apply(&self, gradient: &mut Blocks) -> Result<Option<f64>, Rejection> {
        let by_norm =
            matches!(self.clipping, Some(Clipping::TensorNorm(_) | Clipping::GlobalNorm(_)));
        if !self.guard && !by_norm {
            self.clamp(gradient);
            return Ok(None);
        }
        let squares = tensor_squares(gradient);
        let norm = squares.iter().sum::<f64>().sqrt();
        let factors: Vec<f64> = match self.clipping {
            Some(Clipping::TensorNorm(limit)) => {
                squares.iter().map(|square| limit / square.sqrt()).collect()
            }
            Some(Clipping::GlobalNorm(limit)) => vec![limit / norm; squares.len()],
            Some(Clipping::Value(_)) | None => Vec::new(),
        };
        if self.guard {
            let fits = |(index, square): (usize, &f64)| {
                let factor = factors.get(index).map_or(1.0, |factor| factor.min(1.0));
                // Written so that NaN rejects.
                *square <= f64::MAX && square * factor * factor <= largest(gradient.dtype(index))
            };
            if !squares.iter().enumerate().all(fits) {
                return Err(Rejection::NonFiniteGradient);
            }
        }
        scale(gradient, &factors);
        self.clamp(gradient);
        Ok(Some(norm))
    }

    fn clamp(&self, gradient: &mut Blocks) {
        if let Some(Clipping::Value(limit)) = self.clipping {
            for_each_tensor(|_| Clamp { limit }, [gradient], []);
        }
    }
}

/// The largest squared norm whose entries' squares are sure not to overflow the type.
fn largest(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::MAX } else { f64::from(f32::MAX) }
}

/// Scales down each tensor whose factor is below 1.
fn scale(gradient: &mut Blocks, factors: &[f64]) {
    if factors.iter().any(|factor| *factor < f64::from(f32::MIN_POSITIVE)) {
        // In single precision such a factor has lost digits. Its root, twice, has not.
        let roots: Vec<f64> = factors.iter().map(|factor| factor.sqrt()).collect();
        scale(gradient, &roots);
        scale(gradient, &roots);
    } else if factors.iter().any(|factor| *factor < 1.0) {
        for_each_tensor(|tensor| Shorten { factor: factors[tensor] }, [gradient], []);
    }
}

#[derive(Clone, Copy)]
struct Shorten {
    factor: f64,
}

impl TensorKernel<1, 0, 0> for Shorten {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    fn is_applied(self, (): ()) -> bool {
        self.factor < 1.0
    }

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [g]: [N; 1], []: [N; 0]) -> [N; 1] {
        [g * N::of(self.factor)]
    }
}

#[derive(Clone, Copy)]
struct Clamp {
    limit: f64,
}

impl TensorKernel<1, 0, 0> for Clamp {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [g]: [N; 1], []: [N; 0]) -> [N; 1] {
        let limit = N::of(self.limit);
        [g.max(-limit).min(limit)]
    }
}
