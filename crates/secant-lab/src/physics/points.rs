//! Where equations are to hold, and where solutions are compared.

use super::equation::{Equation, Place};
use crate::{Batch, tuning::point_of_sequence};
use burn::tensor::Tensor;

/// Points inside of the domain, with the equation's right-hand side and its solution there.
#[derive(Clone, Debug)]
pub(super) struct Points {
    places: Vec<Place>,
    source: Vec<f64>,
    solution: Vec<f64>,
}

impl Points {
    /// The fixed points that the residual is lowered at: an even sequence, as the equation spreads it.
    pub fn scattered(equation: &Equation) -> Self {
        let unit = |number| {
            let at = point_of_sequence(number, equation.inputs());
            [at[0], at.get(1).copied().unwrap_or(0.0)]
        };
        let places = (0..equation.points).map(|number| (equation.spread)(number, unit(number)));
        Self::at(equation, places.collect())
    }

    /// The centres of a grid of so many cells along each input.
    pub fn grid(equation: &Equation, cells: [usize; 2]) -> Self {
        let centre = |cell: usize, cells: usize| (cell as f64 + 0.5) / cells as f64;
        let places = (0..cells[0] * cells[1]).map(|number| {
            let cell = [number / cells[1], number % cells[1]];
            equation.place([centre(cell[0], cells[0]), centre(cell[1], cells[1])])
        });
        Self::at(equation, places.collect())
    }

    fn at(equation: &Equation, places: Vec<Place>) -> Self {
        let source = places.iter().map(|place| (equation.source)(*place)).collect();
        Self { source, solution: (equation.solution)(&places), places }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The places of a batch's records.
    pub fn places(&self, batch: Batch<'_>) -> Vec<Place> {
        batch.records.iter().map(|&record| self.places[record]).collect()
    }

    /// The right-hand side at a batch's records, `[records, 1]`.
    pub fn source(&self, batch: Batch<'_>) -> Tensor<2> {
        let source: Vec<f64> = batch.records.iter().map(|&record| self.source[record]).collect();
        batch.tensor(source, [batch.records.len(), 1])
    }

    /// The solution at a batch's records.
    pub fn solution(&self, batch: Batch<'_>) -> impl Iterator<Item = f64> {
        batch.records.iter().map(|&record| self.solution[record])
    }
}

/// So many equal steps from `from` to `to`, both ends among them.
pub(super) fn even_steps(from: f64, to: f64, count: usize) -> impl Iterator<Item = f64> {
    let last = count.saturating_sub(1).max(1) as f64;
    (0..count).map(move |index| from + (to - from) * index as f64 / last)
}
