//! The oracle of a plain function: no module, no automatic differentiation.

use burn::tensor::{DType, Shape};
use secant_core::report::{Evals, Rejection};

use super::{BatchSizes, Curved, Evaluation, Oracle, Records};
use crate::{
    blocks::{Blocks, Entry, Layout, add_scaled, norm},
    error::StepError,
    oracle::Screen,
};

/// A function of a vector, with its gradient written by hand: for
/// [`Optimizer::step_function`](crate::Optimizer::step_function).
pub trait Function {
    /// The value at `x`; writes the gradient, which has the length of `x`.
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// Writes the Hessian at `x` times `v`; false where the function does not offer it, and
    /// differences of gradients are taken.
    fn hessian_vector(&mut self, _x: &[f64], _v: &[f64], _product: &mut [f64]) -> bool {
        false
    }
}

/// The layout of one vector.
pub(crate) fn layout_of_vector(length: usize) -> Layout {
    let (id, path) = (burn::module::ParamId::from(0), "x".to_string());
    Layout::new(vec![Entry { id, path, shape: Shape::from(vec![length]), dtype: DType::F64 }])
}

/// The oracle of one step. All records are the function. The vector goes home when it is dropped, also
/// by a panic in the function.
pub(crate) struct FunctionOracle<'a> {
    function: &'a mut dyn Function,
    screen: Screen,
    home: &'a mut Vec<f64>,
    length: usize,
    x: Blocks,
    /// The last point whose value alone was asked for: its gradient is known all the same.
    valued: Option<(Blocks, Evaluation)>,
    evals: Evals,
}

impl<'a> FunctionOracle<'a> {
    pub(crate) fn new(
        function: &'a mut dyn Function,
        screen: Screen,
        home: &'a mut Vec<f64>,
    ) -> Self {
        let length = home.len();
        let x = Blocks::of_vector(std::mem::take(home));
        Self { function, screen, home, length, x, valued: None, evals: Evals::default() }
    }

    /// As the method sees it: clipped, where that is asked for.
    fn screened(&self, mut evaluation: Evaluation) -> Evaluation {
        if self.screen.clipping.is_some() && evaluation.rejection.is_none() {
            evaluation.rejection = self.screen.apply(&mut evaluation.gradient).err();
        }
        evaluation
    }
}

impl Drop for FunctionOracle<'_> {
    fn drop(&mut self) {
        // A method that threw the vector away before it panicked leaves no number of it.
        let x = std::mem::take(&mut self.x).into_vector().filter(|x| x.len() == self.length);
        *self.home = x.unwrap_or_else(|| vec![f64::NAN; self.length]);
    }
}

fn evaluate(function: &mut dyn Function, evals: &mut Evals, x: &Blocks) -> Evaluation {
    let mut gradient = x.zeros_like();
    let loss = function.gradient(x.vector(), gradient.vector_mut());
    evals.gradient += 1;
    let gradient_norm = norm(&gradient);
    let rejection = if !loss.is_finite() {
        Some(Rejection::NonFiniteLoss)
    } else if !gradient_norm.is_finite() {
        Some(Rejection::NonFiniteGradient)
    } else {
        None
    };
    let gradient_norm = Some(gradient_norm).filter(|norm| norm.is_finite());
    Evaluation { loss: Some(loss), gradient, gradient_norm, rejection }
}

impl Oracle for FunctionOracle<'_> {
    fn gradient(&mut self) -> Result<Evaluation, StepError> {
        let evaluation = evaluate(self.function, &mut self.evals, &self.x);
        Ok(self.screened(evaluation))
    }

    fn gradient_of(&mut self, _: Records) -> Result<Evaluation, StepError> {
        self.gradient()
    }

    fn gradient_at(&mut self, _: Records, point: &mut Blocks) -> Result<Evaluation, StepError> {
        if let Some((valued, evaluation)) = self.valued.take()
            && valued.vector() == point.vector()
        {
            return Ok(self.screened(evaluation));
        }
        let evaluation = evaluate(self.function, &mut self.evals, point);
        Ok(self.screened(evaluation))
    }

    fn hessian_vector(
        &mut self,
        _: Records,
        point: &mut Blocks,
        vector: &Blocks,
    ) -> Result<Curved, StepError> {
        let at = evaluate(self.function, &mut self.evals, point);
        let mut product = point.zeros_like();
        if self.function.hessian_vector(point.vector(), vector.vector(), product.vector_mut()) {
            self.evals.hessian_vector += 1;
            return Ok(Curved { at: self.screened(at), product });
        }
        let step = 2e-5 * (1.0 + norm(point)) / norm(vector);
        if step.is_finite() {
            for side in [1.0, -1.0] {
                let mut there = point.clone();
                add_scaled(&mut there, side * step, vector);
                let there = evaluate(self.function, &mut self.evals, &there);
                add_scaled(&mut product, 0.5 * side / step, &there.gradient);
            }
        }
        Ok(Curved { at: self.screened(at), product })
    }

    fn value_at(&mut self, _: Records, point: &mut Blocks) -> Result<f64, StepError> {
        let evaluation = evaluate(self.function, &mut self.evals, point);
        let value = evaluation.loss.unwrap_or(f64::NAN);
        self.valued = Some((point.clone(), evaluation));
        Ok(value)
    }

    fn batch_sizes(&self) -> BatchSizes {
        BatchSizes { batch: 1, records: 1, can_change: false }
    }

    fn is_batch(&self, _: Records) -> bool {
        true
    }

    fn parameters(&mut self) -> Result<Blocks, StepError> {
        Ok(self.x.clone())
    }

    fn write(&mut self, update: &mut dyn FnMut(&mut Blocks)) {
        update(&mut self.x);
    }

    fn evals(&self) -> Evals {
        self.evals
    }
}
