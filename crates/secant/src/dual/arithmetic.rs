//! Sums, products and powers.

use std::ops::{Add, Div, Mul, Neg, Sub};

use burn::tensor::Tensor;

use super::{
    Dual,
    value::{product_rule, sum_rule},
};

impl<const D: usize, R: Into<Dual<D>>> Add<R> for Dual<D> {
    type Output = Self;

    fn add(self, other: R) -> Self {
        let other = other.into();
        let value = self.value + other.value;
        let tangent = sum_rule(self.tangent, other.tangent, value.dims());
        Self { value, tangent }
    }
}

impl<const D: usize, R: Into<Dual<D>>> Sub<R> for Dual<D> {
    type Output = Self;

    fn sub(self, other: R) -> Self {
        let other = other.into();
        let value = self.value - other.value;
        let tangent = sum_rule(self.tangent, other.tangent.map(Tensor::neg), value.dims());
        Self { value, tangent }
    }
}

impl<const D: usize, R: Into<Dual<D>>> Mul<R> for Dual<D> {
    type Output = Self;

    fn mul(self, other: R) -> Self {
        let other = other.into();
        let tangent = product_rule(&self, &other, Tensor::mul);
        Self { value: self.value * other.value, tangent }
    }
}

impl<const D: usize, R: Into<Dual<D>>> Div<R> for Dual<D> {
    type Output = Self;

    /// q = a / b, (ȧ - q ḃ) / b.
    fn div(self, other: R) -> Self {
        let other = other.into();
        if self.tangent.is_none() && other.tangent.is_none() {
            return (self.value / other.value).into();
        }
        let value = self.value / other.value.clone();
        let denominator = other.tangent.map(|tangent| (value.clone() * tangent).neg());
        let numerator = sum_rule(self.tangent, denominator, value.dims());
        Self { value, tangent: numerator.map(|numerator| numerator / other.value) }
    }
}

impl<const D: usize> Neg for Dual<D> {
    type Output = Self;

    fn neg(self) -> Self {
        self.map_linear(Tensor::neg)
    }
}

impl<const D: usize> Add<Dual<D>> for Tensor<D> {
    type Output = Dual<D>;

    fn add(self, other: Dual<D>) -> Dual<D> {
        Dual::from(self) + other
    }
}

impl<const D: usize> Sub<Dual<D>> for Tensor<D> {
    type Output = Dual<D>;

    fn sub(self, other: Dual<D>) -> Dual<D> {
        Dual::from(self) - other
    }
}

impl<const D: usize> Mul<Dual<D>> for Tensor<D> {
    type Output = Dual<D>;

    fn mul(self, other: Dual<D>) -> Dual<D> {
        Dual::from(self) * other
    }
}

impl<const D: usize> Div<Dual<D>> for Tensor<D> {
    type Output = Dual<D>;

    fn div(self, other: Dual<D>) -> Dual<D> {
        Dual::from(self) / other
    }
}

impl<const D: usize> Add<f64> for Dual<D> {
    type Output = Self;

    fn add(self, number: f64) -> Self {
        self.add_scalar(number)
    }
}

impl<const D: usize> Sub<f64> for Dual<D> {
    type Output = Self;

    fn sub(self, number: f64) -> Self {
        Self { value: self.value.sub_scalar(number), tangent: self.tangent }
    }
}

impl<const D: usize> Mul<f64> for Dual<D> {
    type Output = Self;

    fn mul(self, number: f64) -> Self {
        self.mul_scalar(number)
    }
}

impl<const D: usize> Div<f64> for Dual<D> {
    type Output = Self;

    fn div(self, number: f64) -> Self {
        match self.tangent {
            None => self.value.div_scalar(number).into(),
            Some(tangent) => {
                let tangent = Some(divided(tangent, number));
                Self { value: divided(self.value, number), tangent }
            }
        }
    }
}

/// The tensor over a number, of the bits of `div_scalar`, which Burn 0.22 differentiates in single
/// precision.
pub(super) fn divided<const D: usize>(x: Tensor<D>, number: f64) -> Tensor<D> {
    let number = x.full_like(number);
    x / number
}

impl<const D: usize> Dual<D> {
    /// The tensor plus a number.
    pub fn add_scalar(self, number: f64) -> Self {
        Self { value: self.value.add_scalar(number), tangent: self.tangent }
    }

    /// The tensor times a number.
    pub fn mul_scalar(self, number: f64) -> Self {
        self.map_linear(|x| x.mul_scalar(number))
    }

    /// The product of matrices, over all leading dimensions.
    pub fn matmul(self, other: impl Into<Self>) -> Self {
        let other = other.into();
        let tangent = product_rule(&self, &other, Tensor::matmul);
        Self { value: self.value.matmul(other.value), tangent }
    }

    /// e^x.
    pub fn exp(self) -> Self {
        self.apply(Tensor::exp, |_, y, tangent| tangent * y)
    }

    /// The natural logarithm.
    pub fn log(self) -> Self {
        self.apply(Tensor::log, |x, _, tangent| tangent / x)
    }

    /// The square root.
    pub fn sqrt(self) -> Self {
        self.apply(Tensor::sqrt, |_, y, tangent| (tangent / y).mul_scalar(0.5))
    }

    /// x to an integer power n; derivative n x^(n - 1).
    pub fn powi_scalar(self, n: i32) -> Self {
        match n {
            0 => self.value.powi_scalar(0).into(),
            1 => self,
            _ => self.apply(
                |x| x.powi_scalar(n),
                |x, _, tangent| (tangent * x.powi_scalar(n - 1)).mul_scalar(f64::from(n)),
            ),
        }
    }
}
