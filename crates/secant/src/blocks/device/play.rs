//! A formula played on tensors.

use burn::tensor::{DType, Tensor};

use super::DeviceVector;
use crate::blocks::tape::{Binary, Expression, Formula, Unary};

/// What an expression is for all elements.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there are a few of them, for a moment")]
pub(super) enum Value {
    /// The same number everywhere.
    Number(f64),
    /// A number for each element.
    Vector(Tensor<1>),
}

/// The results of `formula` for all elements of the vectors that `vector` gives by number.
pub(super) fn play<'a, const O: usize>(
    formula: &Formula<O>,
    vector: impl Fn(usize) -> &'a DeviceVector,
) -> [Value; O] {
    formula.evaluate(|expression, value| match expression {
        Expression::Element(number) => Value::Vector(vector(number).tensor()),
        Expression::Constant(number) => Value::Number(number),
        Expression::Wide(a) => map(value(a), |a| a.cast(DType::F64)),
        Expression::Unary(Unary::Negative, a) => map(value(a), Tensor::neg),
        Expression::Unary(Unary::Root, a) => map(value(a), Tensor::sqrt),
        Expression::Unary(Unary::Absolute, a) => map(value(a), Tensor::abs),
        Expression::Power(a, exponent) => map(value(a), |a| a.powf_scalar(exponent)),
        Expression::Binary(binary, a, b) => Value::Vector(combine(binary, value(a), value(b))),
    })
}

fn map(value: Value, f: impl FnOnce(Tensor<1>) -> Tensor<1>) -> Value {
    match value {
        Value::Vector(tensor) => Value::Vector(f(tensor)),
        Value::Number(_) => unreachable!("functions of constants are folded"),
    }
}

fn combine(binary: Binary, a: Value, b: Value) -> Tensor<1> {
    use Value::{Number, Vector};
    match (binary, a, b) {
        (Binary::Sum, Vector(a), Vector(b)) => a + b,
        (Binary::Sum, Vector(a), Number(b)) | (Binary::Sum, Number(b), Vector(a)) => a + b,
        (Binary::Difference, Vector(a), Vector(b)) => a - b,
        (Binary::Difference, Vector(a), Number(b)) => a - b,
        (Binary::Difference, Number(a), Vector(b)) => b.neg() + a,
        (Binary::Product, Vector(a), Vector(b)) => a * b,
        (Binary::Product, Vector(a), Number(b)) | (Binary::Product, Number(b), Vector(a)) => a * b,
        (Binary::Quotient, Vector(a), Vector(b)) => a / b,
        (Binary::Quotient, Vector(a), Number(b)) => a / b,
        (Binary::Quotient, Number(a), Vector(b)) => b.recip() * a,
        (Binary::Larger, Vector(a), Vector(b)) => a.max_pair(b),
        (Binary::Larger, Vector(a), Number(b)) | (Binary::Larger, Number(b), Vector(a)) => {
            a.clamp_min(b)
        }
        (Binary::Smaller, Vector(a), Vector(b)) => a.min_pair(b),
        (Binary::Smaller, Vector(a), Number(b)) | (Binary::Smaller, Number(b), Vector(a)) => {
            a.clamp_max(b)
        }
        (_, Number(_), Number(_)) => unreachable!("functions of constants are folded"),
    }
}
