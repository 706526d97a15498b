//! A network's values with their derivatives in its inputs, carried forward through the layers.
//!
//! Along one input, with v' and v'' for the first two derivatives, a layer gives (forward mode, Taylor's
//! series cut after its third term)
//!
//! ```text
//! y = v W + b:   y' = v' W,            y'' = v'' W,
//! y = tanh(v):   y' = (1 - y²) v',     y'' = (1 - y²) (v'' - 2 y v'²).
//! ```
//!
//! All of it is ordinary tensors, so a loss of these derivatives is differentiated in the weights by one
//! backward pass, and on duals it has exact Hessian products.

use std::f64::consts::PI;

use burn::{nn::Linear, tensor::Tensor};
use secant::dual::{Dual, Tangents};

/// Values `[points, units]` with derivatives along some inputs.
#[derive(Clone, Debug)]
pub(super) struct Jet {
    pub value: Dual<2>,
    /// The derivatives along each input that is differentiated in.
    pub along: Vec<Derivatives>,
}

/// Derivatives along one input, of the shape of the values or of one row for all points.
#[derive(Clone, Debug)]
pub(super) struct Derivatives {
    pub first: Dual<2>,
    /// Where it is asked for.
    pub second: Option<Dual<2>>,
}

/// The highest derivative along an input that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    First,
    Second,
}

impl Jet {
    /// Points `[points, inputs]` as functions of their coordinates, with the derivatives up to these orders:
    /// the first along input i is the i-th unit vector, the second is zero.
    pub fn coordinates(points: Tensor<2>, orders: &[Order]) -> Self {
        let inputs = points.dims()[1];
        let unit = Tensor::<2>::eye(inputs, &points.device()).cast(points.dtype());
        let along = orders.iter().enumerate().map(|(input, order)| {
            let first = unit.clone().narrow(0, input, 1);
            let second = (*order == Order::Second).then(|| first.zeros_like().into());
            Derivatives { first: first.into(), second }
        });
        Self { along: along.collect(), value: points.into() }
    }

    /// Points (x, t) as functions (cos(pi x), sin(pi x), t).
    pub fn periodic(self) -> Self {
        let [angle, t] = [0, 1].map(|input| self.value.clone().narrow(1, input, 1));
        let angle = angle.mul_scalar(PI);
        let [cos, sin] = [angle.value.clone().cos(), angle.value.sin()].map(Dual::from);
        let none = cos.value.zeros_like();
        let row = |a: Dual<2>, b: Dual<2>, c: Dual<2>| Dual::cat(vec![a, b, c], 1);
        let along = self.along.into_iter().enumerate().map(|(input, derivatives)| match input {
            0 => {
                let slope = row(-sin.clone(), cos.clone(), none.clone().into()).mul_scalar(PI);
                let bend = row(cos.clone(), sin.clone(), none.clone().into()).mul_scalar(-PI * PI);
                Derivatives { first: slope, second: derivatives.second.map(|_| bend) }
            }
            _ => {
                let none = Dual::from(none.clone().narrow(0, 0, 1));
                let of_time =
                    |along: Dual<2>| row(none.clone(), none.clone(), along.narrow(1, 1, 1));
                let second = derivatives.second.map(of_time);
                Derivatives { first: of_time(derivatives.first), second }
            }
        });
        Self { along: along.collect(), value: row(cos.clone(), sin.clone(), t) }
    }

    /// After a layer.
    pub fn linear(self, layer: &Linear, at: &Tangents) -> Self {
        let weight = at.param(&layer.weight);
        let times_weight = |v: Dual<2>| v.matmul(weight.clone());
        let along = self.along.into_iter().map(|Derivatives { first, second }| Derivatives {
            first: times_weight(first),
            second: second.map(times_weight),
        });
        Self { along: along.collect(), value: at.linear(layer, self.value) }
    }

    /// After tanh.
    pub fn tanh(self) -> Self {
        let value = self.value.tanh();
        if self.along.is_empty() {
            return Self { value, along: self.along };
        }
        let slope = (-(value.clone() * value.clone())).add_scalar(1.0);
        let along = self.along.into_iter().map(|Derivatives { first, second }| {
            let second = second.map(|second| {
                let squared = first.clone() * first.clone();
                slope.clone() * (second - (value.clone() * squared).mul_scalar(2.0))
            });
            Derivatives { first: slope.clone() * first, second }
        });
        Self { along: along.collect(), value }
    }

    /// The first derivative along input `input`.
    pub fn first(&self, input: usize) -> Dual<2> {
        self.along[input].first.clone()
    }

    /// The second derivative along input `input`.
    ///
    /// # Panics
    /// It was not asked for.
    pub fn second(&self, input: usize) -> Dual<2> {
        self.along[input].second.clone().expect("the equation asks for its own derivatives")
    }
}
