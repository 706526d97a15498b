//! What is done layer by layer, with SOAP's pieces, and number by number.

use faer::Par;

use crate::{
    blocks::{Field, LayerKernel, Number, TensorKernel},
    preconditioner::Direction,
};

/// SOAP's step 0 for every layer.
pub(super) struct Begin<'a> {
    pub layers: &'a [Direction],
}

impl LayerKernel<3> for Begin<'_> {
    fn work(&self, tensor: usize) -> usize {
        self.layers[tensor].work()
    }

    fn run<T: Field>(&self, tensor: usize, numbers: [&mut [T]; 3], threads: Par) -> bool {
        let [g, factors, bases] = numbers;
        self.layers[tensor].begin(g, factors, bases, threads)
    }
}

/// Step 1: SOAP's direction takes the gradient's place.
pub(super) struct Direct<'a> {
    pub layers: &'a [Direction],
    /// What it is multiplied by in each.
    pub scales: &'a [f64],
}

impl LayerKernel<4> for Direct<'_> {
    fn work(&self, tensor: usize) -> usize {
        self.layers[tensor].work()
    }

    fn run<T: Field>(&self, tensor: usize, numbers: [&mut [T]; 4], threads: Par) -> bool {
        let [g, m, v, bases] = numbers;
        let layer = &self.layers[tensor];
        layer.direct(g, &mut layer.spare(g.len()), [m, v], bases, threads);
        let scale = T::of(self.scales[tensor]);
        g.iter_mut().for_each(|d| *d = scale * *d);
        true
    }
}

/// Step 8: the factors.
pub(super) struct Learn<'a> {
    pub layers: &'a [Direction],
}

impl LayerKernel<2> for Learn<'_> {
    fn work(&self, tensor: usize) -> usize {
        self.layers[tensor].work()
    }

    fn run<T: Field>(&self, tensor: usize, numbers: [&mut [T]; 2], threads: Par) -> bool {
        let [g, factors] = numbers;
        let layer = &self.layers[tensor];
        layer.learn(g, &mut layer.spare(g.len()), factors, threads);
        true
    }
}

/// x <- x + share (theta - x)
#[derive(Clone, Copy)]
pub(super) struct Mix {
    pub share: f64,
}

impl TensorKernel<1, 1, 0> for Mix {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [x]: [N; 1], [theta]: [N; 1]) -> [N; 1] {
        [x + N::of(self.share) * (theta - x)]
    }
}
