//! A diagonal metric: the coordinates in which a quasi-Newton method works.
//!
//! A method whose initial matrix is gamma I does not know how the parameters differ in size. In the
//! coordinates d x, in which gradients are g / d, the same method has the initial matrix gamma D with D = d^2;
//! pairs, subproblem and radius are those of these coordinates, and no formula changes. D follows Adam's diagonal:
//!
//! D = sqrt(v) / r + epsilon, v <- `beta_2` v + (1 - `beta_2`) g^2, r^2 = the mean of v over all parameters.
//!
//! It is made anew after steps 1, 2, 4, 8, ... and then every `every` steps, with the pairs in memory turned
//! into its coordinates (s <- c s, y <- y / c: s.y stays). d is rounded to powers of 2, so that the way there and
//! back rounds no parameter, and a run goes on exactly where a record has stopped it.

use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, absolute_sum, for_each_tensor},
    error::ConfigError,
};

/// Adam's diagonal as the initial matrix of a quasi-Newton method: gamma D in the place of gamma I, with
/// D = sqrt(v) / r + epsilon for the average v of squared gradients and its root mean square r over all
/// parameters.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamMetric {
    /// The decay rate of v, at least 0 and below 1.
    pub beta_2: f64,
    /// What every entry of D has at least, above 0: parameters that have had no gradient are not to leap.
    pub epsilon: f64,
    /// Steps from one D to the next, after a start at 1, 2, 4, ...
    pub every: u64,
}

impl Default for AdamMetric {
    fn default() -> Self {
        Self { beta_2: 0.99, epsilon: 0.3, every: 10 }
    }
}

impl AdamMetric {
    /// Whether the numbers of a method's metric, if it has one, are in order.
    pub(crate) fn validate(metric: Option<Self>, method: &'static str) -> Result<(), ConfigError> {
        let Some(Self { beta_2, epsilon, every }) = metric else { return Ok(()) };
        if (0.0..1.0).contains(&beta_2) && epsilon > 0.0 && epsilon.is_finite() && every > 0 {
            return Ok(());
        }
        let reason = "the metric needs 0 <= beta_2 < 1, epsilon > 0 and every >= 1";
        Err(ConfigError::Conflict { method, reason })
    }

    fn is_due(self, steps: u64) -> bool {
        steps.is_multiple_of(self.every) || steps < self.every && steps.is_power_of_two()
    }
}

/// Coordinates d x of points x, in which gradients are g / d; or the way from some coordinates to others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coordinates {
    /// Powers of 2; empty where it is 1.
    pub d: Blocks,
}

impl Coordinates {
    /// x <- d x: a point or a displacement on its way there, a gradient on its way back.
    pub fn multiply(&self, x: &mut Blocks) {
        if !self.d.is_empty() && !x.is_empty() {
            for_each_tensor(|_| Multiply, [x], [&self.d]);
        }
    }

    /// x <- x / d: a point or a displacement on its way back, a gradient on its way there.
    pub fn divide(&self, x: &mut Blocks) {
        if !self.d.is_empty() && !x.is_empty() {
            for_each_tensor(|_| Divide, [x], [&self.d]);
        }
    }
}

/// What a method remembers of its metric.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metric {
    /// v, not corrected for its start at 0, which r has as well.
    pub squares: Blocks,
    /// Those of the parameters themselves at first.
    pub coordinates: Coordinates,
    /// Gradients that v has seen.
    pub steps: u64,
}

impl Metric {
    /// Learns from a gradient in its coordinates, where there is a metric. Where a new D is due, the way
    /// from the old coordinates to the new ones.
    pub fn learn(
        &mut self,
        config: Option<AdamMetric>,
        layout: &Layout,
        g: &Blocks,
    ) -> Option<Coordinates> {
        let config = config?;
        if self.squares.is_empty() {
            self.squares = g.zeros_like();
            self.coordinates.d = Blocks::filled(layout, |_| std::iter::repeat(1.0));
        }
        let Self { squares, coordinates: Coordinates { d }, steps } = self;
        for_each_tensor(|_| AverageOfSquares { beta: config.beta_2 }, [&mut *squares], [g, d]);
        *steps += 1;
        if !config.is_due(*steps) {
            return None;
        }
        let new = scales(squares, config.epsilon, layout)?;
        let mut change = Coordinates { d: new.clone() };
        self.coordinates.divide(&mut change.d);
        self.coordinates.d = new;
        Some(change)
    }
}

/// d, to the nearest power of 2; none before a gradient that is not 0. Reads v from where it is.
fn scales(squares: &Blocks, epsilon: f64, layout: &Layout) -> Option<Blocks> {
    let mean = absolute_sum(squares) / squares.num_elements() as f64;
    let d = |v: f64| (0.5 * ((v / mean).sqrt() + epsilon).log2()).round().exp2();
    let of_tensor = |tensor| squares.tensor(tensor).iter().map(d).collect::<Vec<f64>>();
    (mean > 0.0 && mean.is_finite())
        .then(|| Blocks::filled(layout, |tensor| of_tensor(tensor).into_iter()))
}

/// v <- beta v + (1 - beta) g^2 of the gradient d g.
#[derive(Clone, Copy)]
struct AverageOfSquares {
    beta: f64,
}

impl TensorKernel<1, 2, 0> for AverageOfSquares {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [v]: [N; 1], [g, d]: [N; 2]) -> [N; 1] {
        let g = d * g;
        [N::of(self.beta) * v + N::of(1.0 - self.beta) * g * g]
    }
}

#[derive(Clone, Copy)]
struct Multiply;

impl TensorKernel<1, 1, 0> for Multiply {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [x]: [N; 1], [d]: [N; 1]) -> [N; 1] {
        [x * d]
    }
}

#[derive(Clone, Copy)]
struct Divide;

impl TensorKernel<1, 1, 0> for Divide {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [x]: [N; 1], [d]: [N; 1]) -> [N; 1] {
        [x / d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(numbers: &[f64]) -> Blocks {
        Blocks::of_vector(numbers.to_vec())
    }

    fn layout(length: usize) -> Layout {
        use burn::{module::ParamId, tensor::DType};

        let entry = crate::blocks::Entry {
            id: ParamId::new(),
            path: "x".to_string(),
            shape: [length].into(),
            dtype: DType::F64,
        };
        Layout::new(vec![entry])
    }

    #[test]
    fn d_is_the_power_of_2_nearest_to_the_root_of_adam_s_diagonal() {
        let config = AdamMetric { beta_2: 0.0, epsilon: 0.25, every: 1 };
        let mut metric = Metric::default();
        // r = 4, so that D = 0.25, 1.25 and more.
        let g = [0.0, 4.0, 32.0_f64.sqrt(), 0.0];
        let r = (g.iter().map(|g| g * g).sum::<f64>() / 4.0).sqrt();
        let change = metric.learn(Some(config), &layout(4), &blocks(&g)).expect("due");
        let expected = g.map(|g| ((g / r + 0.25).sqrt().log2()).round().exp2());
        assert_eq!(metric.coordinates.d.vector(), expected);
        assert_eq!(expected[0], 0.5);
        let mut s = blocks(&[1.0, 0.3, -7.0, 1e-3]);
        let mut y = s.clone();
        change.multiply(&mut s);
        change.divide(&mut y);
        // s.y stays, to the last digit.
        let products: Vec<f64> = s.vector().iter().zip(y.vector()).map(|(s, y)| s * y).collect();
        assert_eq!(products, [1.0, 0.3 * 0.3, 49.0, 1e-3 * 1e-3]);
        // Another gradient: the changes follow each other.
        let mut scaled = blocks(&[1.0, 1.0, 1.0, 1.0]);
        metric.coordinates.divide(&mut scaled);
        let old = metric.coordinates.d.clone();
        let change = metric.learn(Some(config), &layout(4), &scaled).expect("due");
        let mut through = old;
        change.multiply(&mut through);
        assert_eq!(through.vector(), metric.coordinates.d.vector());
    }

    #[test]
    fn without_a_gradient_there_is_no_metric() {
        let mut metric = Metric::default();
        let zero = blocks(&[0.0, 0.0]);
        assert!(metric.learn(Some(AdamMetric::default()), &layout(2), &zero).is_none());
        let mut x = blocks(&[1.5, -2.5]);
        metric.coordinates.multiply(&mut x);
        assert_eq!(x.vector(), [1.5, -2.5]);
    }

    #[test]
    fn it_is_made_anew_at_1_2_4_8_and_then_every_tenth_step() {
        let config = AdamMetric::default();
        let due: Vec<u64> = (1..35).filter(|steps| config.is_due(*steps)).collect();
        assert_eq!(due, [1, 2, 4, 8, 10, 20, 30]);
    }
}
