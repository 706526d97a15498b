//! Activation functions, each with its derivative as a differentiable formula.

use std::f64::consts::{PI, SQRT_2};

use burn::tensor::{
    Tensor,
    activation::{
        DEFAULT_SOFTPLUS_THRESHOLD, gelu, leaky_relu, log_sigmoid, log_softmax, relu, sigmoid,
        silu, softmax, softplus,
    },
};

use super::{Dual, arithmetic::divided};

impl<const D: usize> Dual<D> {
    /// max(0, x); derivative 0 at 0, as Burn's.
    pub fn relu(self) -> Self {
        self.apply(relu, |x, _, tangent| tangent.mask_fill(x.lower_equal_elem(0), 0))
    }

    /// x where x is at least 0, `slope` x elsewhere.
    pub fn leaky_relu(self, slope: f64) -> Self {
        self.apply(
            |x| leaky_relu(x, slope),
            |x, _, tangent| {
                let scaled = tangent.clone().mul_scalar(slope);
                tangent.mask_where(x.lower_elem(0), scaled)
            },
        )
    }

    /// tanh; derivative 1 - y².
    pub fn tanh(self) -> Self {
        self.apply(Tensor::tanh, |_, y, tangent| tangent.clone() - tangent * y.clone() * y)
    }

    /// 1 / (1 + e^-x); derivative y (1 - y).
    pub fn sigmoid(self) -> Self {
        self.apply(sigmoid, |_, y, tangent| tangent * (y.clone() - y.clone() * y))
    }

    /// log(sigmoid(x)); derivative sigmoid(-x).
    pub fn log_sigmoid(self) -> Self {
        self.apply(log_sigmoid, |x, _, tangent| tangent * sigmoid(x.neg()))
    }

    /// x sigmoid(x), also called swish; derivative s + y (1 - s) with s = sigmoid(x).
    pub fn silu(self) -> Self {
        self.apply(silu, |x, y, tangent| {
            let s = sigmoid(x);
            tangent * (s.clone() + y.clone() - y * s)
        })
    }

    /// x Φ(x) with the normal distribution's Φ and density φ; derivative Φ(x) + x φ(x).
    ///
    /// Some backends differentiate Burn's GELU as an approximation by tanh. Along a direction the
    /// value is computed from erf therefore: the same function, of which derivatives are exact.
    pub fn gelu(self) -> Self {
        let Some(tangent) = self.tangent else { return gelu(self.value).into() };
        let x = self.value;
        let cdf = divided(x.clone(), SQRT_2).erf().add_scalar(1.0).mul_scalar(0.5);
        let exponent = (x.clone() * x.clone()).mul_scalar(-0.5);
        let density = exponent.exp().mul_scalar(1.0 / (2.0 * PI).sqrt());
        let slope = cdf.clone() + x.clone() * density;
        Self { value: x * cdf, tangent: Some(tangent * slope) }
    }

    /// log(1 + e^(beta x)) / beta; derivative sigmoid(beta x), and 1 where Burn's value is x.
    pub fn softplus(self, beta: f64) -> Self {
        let Some(tangent) = self.tangent else { return softplus(self.value, beta).into() };
        let x = self.value;
        let scaled = x.clone().mul_scalar(beta);
        let saturated = scaled.clone().greater_elem(DEFAULT_SOFTPLUS_THRESHOLD);
        // Burn's own formula, which ends with a division.
        let capped = scaled.mask_fill(saturated.clone(), DEFAULT_SOFTPLUS_THRESHOLD);
        let value = divided(capped.clone().exp().log1p(), beta).mask_where(saturated.clone(), x);
        let curved = tangent.clone() * sigmoid(capped);
        Self { value, tangent: Some(curved.mask_where(saturated, tangent)) }
    }

    /// Softmax over the dimension `dim`; derivative y (ẋ - y'ẋ).
    pub fn softmax(self, dim: usize) -> Self {
        self.apply(
            |x| softmax(x, dim),
            |_, y, tangent| {
                let mean = (y.clone() * tangent.clone()).sum_dim(dim);
                y * (tangent - mean)
            },
        )
    }

    /// The logarithm of softmax over the dimension `dim`; derivative ẋ - softmax(x)'ẋ.
    pub fn log_softmax(self, dim: usize) -> Self {
        self.apply(
            |x| log_softmax(x, dim),
            |_, y, tangent| {
                let mean = (y.exp() * tangent.clone()).sum_dim(dim);
                tangent - mean
            },
        )
    }
}
