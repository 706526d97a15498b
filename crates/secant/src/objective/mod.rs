//! The function that a method searches along: the loss of the step's batch with its L2 decay.

mod kept;
mod metric;
mod sampling;

pub(crate) use kept::{Kept, fingerprint};

pub use metric::AdamMetric;
pub(crate) use metric::{Coordinates, Metric};
pub use sampling::Sampling;

use burn::tensor::DType;
use secant_core::{
    line_search::{
        Armijo, ArmijoSettings, MoreThuente, Next, SlopeSearch, Start, StrongWolfe, WolfeSettings,
    },
    report::{LineSearchReport, Rejection, StepReport},
};

use crate::{
    blocks::{
        Blocks, Number, TensorKernel, advance, dot, for_each_tensor, maximum_norm, tensor_squares,
    },
    error::StepError,
    oracle::{Evaluation, Oracle, Records},
    protocol::{StepContext, TensorSettings, add_l2},
};

/// f(theta) = loss(theta) + sum over tensors of wd/2 |theta|^2.
pub(crate) struct Objective<'a> {
    pub context: &'a StepContext<'a>,
    pub oracle: &'a mut dyn Oracle,
    /// Those of points and gradients.
    pub coordinates: Coordinates,
}

/// The function at a point.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// f
    pub value: f64,
    /// The loss alone, without decay.
    pub loss: f64,
    /// The 2-norm of its gradient.
    pub loss_gradient_norm: f64,
    /// The gradient of f.
    pub gradient: Blocks,
}

/// Where a step begins.
pub(crate) struct Beginning {
    pub theta: Blocks,
    pub known: Known,
    /// What is known of the step so far.
    pub report: StepReport,
    /// Whether the last step had evaluated it.
    pub is_kept: bool,
}

/// A line from a point.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub origin: &'a Blocks,
    pub value: f64,
    pub direction: &'a Blocks,
    /// gradient.direction at the origin.
    pub slope: f64,
    /// The step that is tried first.
    pub first_step: f64,
}

impl Line<'_> {
    /// The decrease that the first step promises.
    pub fn promise(&self) -> f64 {
        -self.first_step * self.slope
    }
}

/// A displacement of up to this many units in the last place of the largest parameter is rounding.
const RESOLUTION: f64 = 4.0;

/// Where a search ended.
pub(crate) struct Reached {
    pub step: f64,
    pub point: Blocks,
    pub known: Known,
}

impl<'a> Objective<'a> {
    pub fn new(context: &'a StepContext<'a>, oracle: &'a mut dyn Oracle) -> Self {
        Self { context, oracle, coordinates: Coordinates::default() }
    }

    /// The same in other coordinates.
    pub fn in_coordinates(self, coordinates: Coordinates) -> Self {
        Self { coordinates, ..self }
    }
}

impl Objective<'_> {
    /// The parameters, and the function there; a report where it cannot be used. Asked first in a step.
    pub fn here(&mut self) -> Result<Result<Beginning, StepReport>, StepError> {
        let at = self.oracle.gradient()?;
        let report = at.report(self.oracle.evals());
        if at.rejection.is_some() {
            return Ok(Err(report));
        }
        let mut theta = self.oracle.parameters()?;
        let known = self.with_decay(at, &mut theta);
        self.coordinates.multiply(&mut theta);
        Ok(Ok(Beginning { theta, known, report, is_kept: false }))
    }

    /// Moves the parameters to `point`.
    pub fn move_to(&mut self, point: Blocks) {
        let mut point = point;
        self.coordinates.divide(&mut point);
        self.oracle.write(&mut |theta| std::mem::swap(theta, &mut point));
    }

    /// The function at `point`, or why it cannot be used there.
    pub fn at(&mut self, point: &mut Blocks) -> Result<Result<Known, Rejection>, StepError> {
        self.of(Records::Batch, point)
    }

    /// The function of other records at `point`, or why it cannot be used there.
    pub fn of(
        &mut self,
        records: Records,
        point: &mut Blocks,
    ) -> Result<Result<Known, Rejection>, StepError> {
        self.coordinates.divide(point);
        let at = self.oracle.gradient_at(records, point)?;
        let known = match at.rejection {
            Some(rejection) => Err(rejection),
            None => Ok(self.with_decay(at, point)),
        };
        self.coordinates.multiply(point);
        Ok(known)
    }

    /// The value alone at `point`.
    pub fn value_at(&mut self, point: &mut Blocks) -> Result<f64, StepError> {
        self.value_of(Records::Batch, point)
    }

    /// The value alone of other records at `point`.
    pub fn value_of(&mut self, records: Records, point: &mut Blocks) -> Result<f64, StepError> {
        self.coordinates.divide(point);
        let value = self.oracle.value_at(records, point)? + self.decay_value(point);
        self.coordinates.multiply(point);
        Ok(value)
    }

    /// The product of the Hessian of f at `point` with s.
    pub fn hessian_vector(&mut self, point: &mut Blocks, s: &Blocks) -> Result<Blocks, StepError> {
        let mut s = s.clone();
        self.coordinates.divide(&mut s);
        self.coordinates.divide(point);
        let mut product = self.oracle.hessian_vector(Records::Batch, point, &s)?.product;
        self.coordinates.multiply(point);
        self.add_decay_product(&mut product, &s);
        self.coordinates.divide(&mut product);
        Ok(product)
    }

    /// y <- y + wd s: the decay's part of a Hessian product with s.
    pub fn add_decay_product(&self, y: &mut Blocks, s: &Blocks) {
        add_l2(self.context, s, y);
    }

    /// Tells a point and its decay from others, whatever the coordinates; see [`fingerprint`].
    pub fn fingerprint(&self, point: &mut Blocks) -> u64 {
        self.coordinates.divide(point);
        let found = fingerprint(self.context, point);
        self.coordinates.multiply(point);
        found
    }

    fn with_decay(&self, at: Evaluation, theta: &mut Blocks) -> Known {
        let Evaluation { loss, mut gradient, gradient_norm, .. } = at;
        add_l2(self.context, theta, &mut gradient);
        self.coordinates.divide(&mut gradient);
        let (loss, loss_gradient_norm) =
            (loss.unwrap_or(f64::NAN), gradient_norm.unwrap_or(f64::NAN));
        Known { value: loss + self.decay_value(theta), loss, loss_gradient_norm, gradient }
    }

    fn decay_value(&self, theta: &Blocks) -> f64 {
        let tensors = self.context.tensors;
        if tensors.iter().all(|tensor| tensor.decay.l2() == 0.0) {
            return 0.0;
        }
        let squares = tensor_squares(theta);
        squares.iter().zip(tensors).map(|(square, t)| 0.5 * t.decay.l2() * square).sum()
    }

    /// The size of the rounding error of a value: 8 units in the last place.
    pub fn noise(&self, value: f64) -> f64 {
        8.0 * self.unit() * value.abs()
    }

    /// The unit in the last place of numbers of size 1.
    pub fn unit(&self) -> f64 {
        let single = self.context.layout.entries().iter().any(|entry| entry.dtype != DType::F64);
        if single { f64::from(f32::EPSILON) } else { f64::EPSILON }
    }

    /// Whether the first step of a line would neither change f nor the parameters by more than their
    /// rounding: steps between neighbouring numbers would never end.
    pub fn is_within_rounding(&self, line: Line<'_>) -> bool {
        let length = || line.first_step * maximum_norm(line.direction);
        let least = || RESOLUTION * self.unit() * maximum_norm(line.origin);
        line.promise() <= self.noise(line.value) && length() <= least()
    }

    /// Searches for a step with the strong Wolfe conditions; none where there is no decrease.
    ///
    /// Step 2 of L-BFGS and step 4 of L-SSR1-TR.
    pub fn strong_wolfe(
        &mut self,
        settings: WolfeSettings,
        exact: bool,
        line: Line<'_>,
    ) -> Result<(Option<Reached>, LineSearchReport), StepError> {
        let noise = if exact { 0.0 } else { self.noise(line.value) };
        let start = Start { value: line.value, slope: line.slope, noise };
        let longest = maximum_norm(line.direction);
        self.search(StrongWolfe::new(settings, start, line.first_step, longest), line)
    }

    /// Searches for a step with the strong Wolfe conditions as Moré and Thuente do; none where there is no
    /// decrease.
    ///
    /// Step 2 of self-scaled Broyden.
    pub fn more_thuente(
        &mut self,
        [c1, c2]: [f64; 2],
        line: Line<'_>,
    ) -> Result<(Option<Reached>, LineSearchReport), StepError> {
        let start = Start { value: line.value, slope: line.slope, noise: 0.0 };
        self.search(MoreThuente::new(c1, c2, start, line.first_step), line)
    }

    /// Runs a search, and keeps what is known at the step that it may return.
    fn search(
        &mut self,
        mut search: impl SlopeSearch,
        line: Line<'_>,
    ) -> Result<(Option<Reached>, LineSearchReport), StepError> {
        let mut report = LineSearchReport::default();
        let mut point = Blocks::zeros(self.context.layout);
        let mut kept: Option<(f64, Known)> = None;
        let mut next = search.first();
        while let Next::Try(step) = next {
            advance(&mut point, line.origin, step, line.direction);
            report.trials += 1;
            next = match self.at(&mut point)? {
                Ok(known) => {
                    let slope = dot(&known.gradient, line.direction);
                    let next = search.tell(known.value, slope);
                    report.met_non_finite |= !slope.is_finite();
                    if search.keep_newest() {
                        kept = Some((step, known));
                    }
                    next
                }
                Err(_) => {
                    report.met_non_finite = true;
                    search.tell(f64::NAN, f64::NAN)
                }
            };
            if let (Next::Done(found), Some((kept, _))) = (&next, &kept)
                && found.step == *kept
                && *kept != step
            {
                advance(&mut point, line.origin, *kept, line.direction);
            }
        }
        let Next::Done(found) = next else { return Ok((None, report)) };
        report.step_length = found.step;
        let reached = kept.filter(|(step, _)| found.step > 0.0 && *step == found.step);
        Ok((reached.map(|(step, known)| Reached { step, point, known }), report))
    }

    /// Searches for a step with a sufficient decrease, by values alone; none where there is none, or
    /// where the gradient at that step is not finite.
    ///
    /// Step 2 of L-BFGS where it backtracks.
    pub fn armijo(
        &mut self,
        settings: ArmijoSettings,
        line: Line<'_>,
    ) -> Result<(Option<Reached>, LineSearchReport), StepError> {
        let noise = self.noise(line.value);
        let start = Start { value: line.value, slope: line.slope, noise };
        let mut search = Armijo::new(settings, start, line.first_step);
        let mut report = LineSearchReport::default();
        let mut point = Blocks::zeros(self.context.layout);
        let mut next = search.first();
        while let Next::Try(step) = next {
            advance(&mut point, line.origin, step, line.direction);
            report.trials += 1;
            let value = self.value_at(&mut point)?;
            report.met_non_finite |= !value.is_finite();
            next = search.tell(value);
        }
        let Next::Done(found) = next else { return Ok((None, report)) };
        report.step_length = found.step;
        if found.step == 0.0 {
            return Ok((None, report));
        }
        // The search ends at the newest point.
        let known = self.at(&mut point)?;
        report.met_non_finite |= known.is_err();
        Ok((known.ok().map(|known| Reached { step: found.step, point, known }), report))
    }
}

/// theta + `factor` lr direction, with each tensor's rate, after decoupled decay.
///
/// Step 1 of SQN, 2 of oLBFGS and multi-batch L-BFGS, 3 of SdLBFGS.
pub(crate) fn displaced(
    context: &StepContext<'_>,
    theta: &Blocks,
    factor: f64,
    direction: &Blocks,
) -> Blocks {
    let mut point = theta.zeros_like();
    let kernel = |tensor: usize| {
        let TensorSettings { lr, decay } = context.tensors[tensor];
        let rate = factor * lr;
        Displace { rate, shrink: 1.0 - rate * decay.decoupled() }
    };
    for_each_tensor(kernel, [&mut point], [theta, direction]);
    point
}

/// point <- shrink theta + rate direction.
#[derive(Clone, Copy)]
struct Displace {
    rate: f64,
    shrink: f64,
}

impl TensorKernel<1, 2, 0> for Displace {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), _: [N; 1], [theta, d]: [N; 2]) -> [N; 1] {
        [N::of(self.shrink) * theta + N::of(self.rate) * d]
    }
}
