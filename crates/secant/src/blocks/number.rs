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
pub trait Real: Number<Wide = f64> + Element + Default {
    /// Zero, of the same sign, in the place of a subnormal number, as processors do that flush them: a product with one
    /// takes about a hundred times as long, and a decaying average of zeros ends at one and stays there.
    fn flushed(self) -> Self;

    /// Zero in the place of what is nothing beside numbers of about 1 and would make products subnormal.
    fn flushed_beside_1(self) -> Self;
}

/// About the root of the smallest number of the type that is not subnormal.
const LEAST_BESIDE_1: (f32, f64) = (1.1e-19, 1.5e-154);

macro_rules! real {
    ($real:ty, $least:expr) => {
        impl Real for $real {
            #[inline(always)]
            fn flushed(self) -> Self {
                // By its bits, which takes fewer instructions than comparing its size.
                let (bits, sign) = (self.to_bits(), (-0.0 as $real).to_bits());
                let exponent = <$real>::INFINITY.to_bits();
                if bits & exponent == 0 { <$real>::from_bits(bits & sign) } else { self }
            }

            #[inline(always)]
            fn flushed_beside_1(self) -> Self {
                // Written so that NaN stays.
                if <$real>::abs(self) < $least { 0.0 } else { self }
            }
        }
    };
}

real!(f32, LEAST_BESIDE_1.0);
real!(f64, LEAST_BESIDE_1.1);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnormal_numbers_are_flushed_and_all_others_stay() {
        let least = f32::MIN_POSITIVE;
        for stays in [0.0, -0.0, least, -least, 1.0, f32::MAX, f32::INFINITY] {
            assert_eq!(stays.flushed().to_bits(), stays.to_bits());
        }
        assert!(f32::NAN.flushed().is_nan());
        assert_eq!((0.99 * least).flushed().to_bits(), 0.0f32.to_bits());
        assert_eq!((-f32::from_bits(1)).flushed().to_bits(), (-0.0f32).to_bits());
        assert_eq!((0.99 * f64::MIN_POSITIVE).flushed(), 0.0);
    }

    #[test]
    fn products_of_what_is_left_beside_1_are_no_subnormal_numbers() {
        let (single, double) = LEAST_BESIDE_1;
        assert!((single * single).is_normal() && (double * double).is_normal());
        assert_eq!((single.flushed_beside_1(), double.flushed_beside_1()), LEAST_BESIDE_1);
        assert_eq!((-0.99 * single).flushed_beside_1(), 0.0);
        assert_eq!((0.99 * double).flushed_beside_1(), 0.0);
        assert!(f32::NAN.flushed_beside_1().is_nan());
    }
}
