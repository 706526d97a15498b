//! Looks at a gradient before a method may use it: is it finite, and is it too long.

use burn::tensor::DType;
use secant_core::report::Rejection;

use crate::{
    blocks::{Blocks, Number, TensorKernel, for_each_tensor, tensor_squares},
    error::{ConfigError, require_positive},
};

/// How long a gradient may be.
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
        let squares = if self.guard || by_norm { Some(tensor_squares(gradient)) } else { None };
        if let Some(squares) = &squares {
            let limit = |index: usize| largest(gradient.dtype(index));
            // Written so that NaN rejects.
            if self.guard && !squares.iter().enumerate().all(|(i, square)| *square <= limit(i)) {
                return Err(Rejection::NonFiniteGradient);
            }
        }
        let norm = squares.as_ref().map(|squares| squares.iter().sum::<f64>().sqrt());
        match (self.clipping, &squares, norm) {
            (Some(Clipping::Value(limit)), _, _) => {
                for_each_tensor(|_| Clamp { limit }, [gradient], []);
            }
            (Some(Clipping::TensorNorm(limit)), Some(squares), _) => {
                let factors: Vec<f64> =
                    squares.iter().map(|square| limit / square.sqrt()).collect();
                scale(gradient, &factors);
            }
            (Some(Clipping::GlobalNorm(limit)), Some(squares), Some(norm)) => {
                scale(gradient, &vec![limit / norm; squares.len()]);
            }
            _ => {}
        }
        Ok(norm)
    }
}

/// The largest squared norm whose entries' squares are sure not to overflow the type.
fn largest(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::MAX } else { f64::from(f32::MAX) }
}

/// Scales down each tensor whose factor is below 1.
fn scale(gradient: &mut Blocks, factors: &[f64]) {
    if factors.iter().any(|factor| *factor < 1.0) {
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
