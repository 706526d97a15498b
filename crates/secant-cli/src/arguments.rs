//! What several commands read from their command lines.

use std::num::NonZeroUsize;

use secant::spec::Choice;

/// A mistake on the command line that only the command can see: one sentence, exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Optimizers as they are listed on the command line.
#[derive(Clone, Debug)]
pub struct Choices(pub Vec<Choice>);

/// Optimizers separated by commas.
///
/// # Errors
/// A name or a hyper-parameter that is none.
pub fn parse_optimizers(list: &str) -> Result<Choices, String> {
    Choice::list(list).map(Choices).map_err(|error| error.to_string())
}

/// One optimizer.
///
/// # Errors
/// A name or a hyper-parameter that is none.
pub fn parse_optimizer(text: &str) -> Result<Choice, String> {
    text.parse().map_err(|error: secant::spec::SpecError| error.to_string())
}

/// The first optimizer that is there twice.
pub fn repeated(optimizers: &[Choice]) -> Option<&Choice> {
    let mut all = optimizers.iter().enumerate();
    all.find_map(|(index, choice)| optimizers[..index].contains(choice).then_some(choice))
}

/// A whole number from 1.
///
/// # Errors
/// Anything else.
pub fn parse_count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "a whole number from 1 is wanted".to_string())
}

/// A seed.
///
/// # Errors
/// Anything else.
pub fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a whole number from 0 to {} is wanted", u64::MAX))
}

/// A learning rate.
///
/// # Errors
/// Anything else.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("a learning rate is a finite number above 0".to_string()),
    }
}
