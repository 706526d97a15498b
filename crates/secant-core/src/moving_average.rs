//! Exponential moving averages.

/// 1 - beta^t: what a moving average that started at zero is divided by.
#[must_use]
pub fn bias_correction(beta: f64, t: u64) -> f64 {
    1.0 - beta.powi(i32::try_from(t).unwrap_or(i32::MAX))
}
