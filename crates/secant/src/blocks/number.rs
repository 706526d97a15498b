//! What kernels compute with: a number of the host, or a symbol that stands for a device's tensor.

use std::ops::{Add, Div, Mul, Neg, Sub};

use burn::tensor::Element;

/// A number, as far as kernels need one.
pub trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The same in double precision: what sums are taken of.
    type Wide: Number;

    /// The number nearest to `x`.
    fn of(x: f64) -> Self;

    /// The same number in double precision.
    fn wide(self) -> Self::Wide;

    /// The square root.
    fn sqrt(self) -> Self;

    /// The absolute value.
    fn abs(self) -> Self;

    /// The larger of two numbers; either of them where one is NaN.
    fn max(self, other: Self) -> Self;

    /// The smaller of two numbers; either of them where one is NaN.
    fn min(self, other: Self) -> Self;

    /// The power with a fixed exponent.
    fn powf(self, exponent: f64) -> Self;
}

/// The number types of parameters in host memory: `f32` and `f64`.
pub trait Real: Number<Wide = f64> + Element + Default {}

impl Real for f32 {}
impl Real for f64 {}

macro_rules! number {
    ($real:ty) => {
        impl Number for $real {
            type Wide = f64;

            #[inline(always)]
            fn of(x: f64) -> Self {
                x as Self
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                <$real>::sqrt(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                <$real>::abs(self)
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                <$real>::max(self, other)
            }

            #[inline(always)]
            fn min(self, other: Self) -> Self {
                <$real>::min(self, other)
            }

            #[inline(always)]
            fn powf(self, exponent: f64) -> Self {
                <$real>::powf(self, exponent as Self)
            }
        }
    };
}

number!(f32);
number!(f64);
