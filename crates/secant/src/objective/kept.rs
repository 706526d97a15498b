//! The function at the end of a step, for methods that see the same function in the next one.

use secant_core::report::{Outcome, StepReport};

use super::{Beginning, Known, Objective};
use crate::{blocks::Blocks, error::StepError, protocol::StepContext};

/// What the last step found out about the point where it ended. It holds as long as the parameters are
/// there and their decay is the same; a fingerprint of both tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<'a> {
    /// The gradient of f.
    pub gradient: &'a Blocks,
    /// As [`Known::numbers`] has them; empty before the first step.
    pub numbers: &'a [f64],
    /// Of the point, see [`fingerprint`].
    pub fingerprint: u64,
}

impl Known {
    /// f, the loss without decay, and the norm of the loss's gradient.
    pub fn numbers(&self) -> Vec<f64> {
        vec![self.value, self.loss, self.loss_gradient_norm]
    }
}

impl Objective<'_> {
    /// As [`Objective::here`]; without an evaluation where every step sees the same function and `kept` still
    /// holds. The report has the value.
    pub fn begin(
        &mut self,
        full_batch: bool,
        kept: Kept<'_>,
    ) -> Result<Result<Beginning, StepReport>, StepError> {
        let beginning = if full_batch { self.here_or_kept(kept)? } else { self.here()? };
        Ok(beginning.map(|mut beginning| {
            beginning.report.objective = Some(beginning.known.value);
            beginning
        }))
    }

    fn here_or_kept(&mut self, kept: Kept<'_>) -> Result<Result<Beginning, StepReport>, StepError> {
        let Kept { gradient, numbers: &[value, loss, loss_gradient_norm], fingerprint: point } =
            kept
        else {
            return self.here();
        };
        let mut theta = self.oracle.parameters()?;
        if fingerprint(self.context, &theta) != point {
            return self.here();
        }
        self.coordinates.multiply(&mut theta);
        let mut report = StepReport::new(Outcome::Accepted, self.oracle.evals());
        report.loss = Some(loss);
        report.gradient_norm = Some(loss_gradient_norm);
        let known = Known { value, loss, loss_gradient_norm, gradient: gradient.clone() };
        Ok(Ok(Beginning { theta, known, report, is_kept: true }))
    }
}

/// A number that differs, but for one chance in four thousand million, where a parameter or a strength
/// of decay differs. Reads the parameters once.
pub(crate) fn fingerprint(context: &StepContext<'_>, theta: &Blocks) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&theta.checksum().to_le_bytes());
    for tensor in context.tensors {
        hasher.update(&tensor.decay.l2().to_le_bytes());
    }
    u64::from(hasher.finalize())
}
