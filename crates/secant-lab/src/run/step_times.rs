//! The times of steps, measured alone, the methods in turns.

use std::time::Instant;

use super::{Setting, TrainError, trainee::Trainee};
use crate::{
    Problem,
    record::StepTime,
    statistics::{median, quantile},
};

/// The machine was busy where the middle half of the times is wider than this part of the median.
const BUSY: f64 = 0.25;

/// The times of a whole step (forward, backward and update) of each method, with the names that they go by,
/// from so many steps after a first one.
///
/// # Errors
/// An optimizer cannot be used.
pub(crate) fn step_times<P: Problem>(
    problem: &P,
    settings: &[(String, Setting)],
    rounds: usize,
) -> Result<Vec<StepTime>, TrainError> {
    let mut timed = settings
        .iter()
        .map(|(_, setting)| Ok((Trainee::new(problem, setting)?, Vec::new())))
        .collect::<Result<Vec<_>, TrainError>>()?;
    for round in 0..=rounds {
        for (trainee, seconds) in &mut timed {
            let started = Instant::now();
            // The outcome does not matter here: a rejected step takes its time too.
            let _ = trainee.step(trainee.setting.lr)?;
            // The first step of a method warms up.
            if round > 0 {
                seconds.push(started.elapsed().as_secs_f64());
            }
        }
    }
    let timed = settings.iter().zip(timed);
    Ok(timed.map(|((name, _), (_, seconds))| summary(name, &seconds)).collect())
}

fn summary(method: &str, seconds: &[f64]) -> StepTime {
    let at = |share| quantile(seconds, share).unwrap_or(f64::NAN);
    let (middle, quartiles) = (median(seconds).unwrap_or(f64::NAN), [at(0.25), at(0.75)]);
    let busy = quartiles[1] - quartiles[0] > BUSY * middle;
    StepTime { method: method.to_string(), seconds: middle, quartiles, busy }
}
