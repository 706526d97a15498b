//! The validation accuracy that counts as "reached the target".

use super::Plan;
use crate::{problem::Problem, run::record::Trial};

/// The user's target, else the problem's, else one that the tuning runs suggest: four fifths of
/// the way from the largest class's share to the best accuracy of a tuning run.
pub fn target_accuracy(problem: &Problem, plan: &Plan, trials: &[Trial]) -> f64 {
    plan.target_accuracy.or(problem.target_accuracy).unwrap_or_else(|| {
        let counts = problem.splits.validation.class_counts();
        let largest = counts.iter().max().copied().unwrap_or(0) as f64;
        let share = largest / problem.splits.validation.len().max(1) as f64;
        let best =
            trials.iter().filter_map(|trial| trial.validation_accuracy).fold(share, f64::max);
        // To the next tenth of a percent below.
        ((share + 0.8 * (best - share)) * 1000.0).floor() / 1000.0
    })
}
