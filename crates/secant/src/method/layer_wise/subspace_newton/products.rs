//! The inner products that the plane needs.

use secant_core::plane::{Plane, Symmetric};

use crate::{
    blocks::{Blocks, Number, TensorKernel, for_each_tensor},
    protocol::StepContext,
};

/// The inner products of D = [-d, p] and g.
pub(super) struct Products {
    gram: Symmetric,
    /// D'WD with the strengths W of decay.
    pub decay: Symmetric,
    descent: [f64; 2],
}

impl Products {
    pub fn of(context: &StepContext<'_>, [downhill, p]: [&Blocks; 2], gradient: &Blocks) -> Self {
        let none = Symmetric::default();
        let mut all = Self { gram: none, decay: none, descent: [0.0; 2] };
        let of_tensors = for_each_tensor(|_| Sums, [], [downhill, p, gradient]);
        for ([dd, dp, pp, dg, pg], tensor) in of_tensors.into_iter().zip(context.tensors) {
            let gram = Symmetric([dd, dp, pp]);
            all.gram = all.gram.plus(1.0, gram);
            all.decay = all.decay.plus(tensor.decay.l2(), gram);
            all.descent = [all.descent[0] - dg, all.descent[1] - pg];
        }
        all
    }

    /// Whether p is not zero.
    pub fn has_second(&self) -> bool {
        self.gram.0[2] > 0.0
    }

    pub fn plane(&self, curvature: Symmetric) -> Plane {
        Plane { curvature, gram: self.gram, descent: self.descent }
    }
}

/// Of a, p and g: a.a, a.p, p.p, a.g, p.g.
#[derive(Clone, Copy)]
struct Sums;

impl TensorKernel<0, 3, 5> for Sums {
    type Decision = [f64; 5];

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [a, p, g]: [N; 3]) -> [N::Wide; 5] {
        let (a, p, g) = (a.wide(), p.wide(), g.wide());
        [a * a, a * p, p * p, a * g, p * g]
    }

    fn decide(self, sums: [f64; 5]) -> [f64; 5] {
        sums
    }
}
