//! What an equation is.

use burn::tensor::Tensor;
use secant::dual::Dual;

use super::jet::{Jet, Order};
use crate::Batch;

/// A place of the domain; an equation of one variable has 0 in the second.
pub(super) type Place = [f64; 2];

/// A differential equation with its domain, the network for it, and its solution.
#[derive(Debug)]
pub struct Equation {
    /// The name, such as `physics/helmholtz`.
    pub name: &'static str,
    /// One line about it.
    pub line: &'static str,
    /// From and to, for each variable.
    pub(super) domain: &'static [[f64; 2]],
    /// The derivatives that the residual needs, for each variable.
    pub(super) orders: &'static [Order],
    /// What the network is given for a place.
    pub(super) features: Features,
    /// Units of the hidden layers.
    pub(super) hidden: &'static [usize],
    /// The residual `[points, 1]` of u with the right-hand side `[points, 1]`.
    pub(super) residual: fn(u: &Jet, source: Tensor<2>) -> Dual<2>,
    /// The right-hand side.
    pub(super) source: fn(Place) -> f64,
    /// The solution at these places.
    pub(super) solution: fn(&[Place]) -> Vec<f64>,
    /// Places on the boundary and at the beginning, with the values there.
    pub(super) edge: fn() -> Vec<(Place, f64)>,
    /// How much the mean squared error there counts in the loss.
    pub(super) edge_weight: f64,
    /// Points that the residual is lowered at.
    pub(super) points: usize,
    /// Where point `number` is, from its place in the unit square.
    pub(super) spread: fn(number: usize, unit: [f64; 2]) -> Place,
    /// Cells of the grid of validation points along each variable, and of test points.
    pub(super) cells: [[usize; 2]; 2],
}

/// What a network is given for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Features {
    /// Its coordinates.
    Coordinates,
    /// cos(pi x), sin(pi x) and t, for functions of x and t with period 2 in x.
    Periodic,
}

/// Equations are known by their names.
impl PartialEq for Equation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Equation {}

impl Equation {
    /// How many variables it has.
    pub(super) fn inputs(&self) -> usize {
        self.domain.len()
    }

    /// The widths of the network's layers.
    pub(super) fn widths(&self) -> Vec<usize> {
        let features = match self.features {
            Features::Coordinates => self.inputs(),
            Features::Periodic => 3,
        };
        [&[features], self.hidden, &[1]].concat()
    }

    /// A place from its place in the unit square.
    pub(super) fn place(&self, unit: [f64; 2]) -> Place {
        let mut place = [0.0; 2];
        for ((place, unit), [from, to]) in place.iter_mut().zip(unit).zip(self.domain) {
            *place = from + (to - from) * unit;
        }
        place
    }

    /// The network's inputs at places, with the derivatives of these orders, or of none.
    pub(super) fn inputs_at(&self, places: &[Place], batch: Batch<'_>, orders: &[Order]) -> Jet {
        let inputs = self.inputs();
        let numbers = places.iter().flat_map(|place| place[..inputs].to_vec()).collect::<Vec<_>>();
        let coordinates = batch.tensor(numbers, [places.len(), inputs]);
        match self.features {
            Features::Coordinates => Jet::coordinates(coordinates, orders),
            Features::Periodic => Jet::coordinates(coordinates, orders).periodic(),
        }
    }
}
