//! What a handful of seeds says: intervals that stay in a metric's range, and paired differences.

mod difference;
mod interval;
mod signed_rank;

pub use difference::{Difference, Scale, seeds_to_decide};
pub use interval::{Interval, interval};

/// The arithmetic mean; `None` without values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The sample standard deviation (divisor n - 1); `None` for fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The value below which the share `share` of the values lies, between two values in proportion; `None`
/// without values.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * (sorted.len().checked_sub(1)?) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

/// The middle value, or the mean of the two middle ones; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_agree_with_a_worked_example() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), Some(5.0));
        assert!((standard_deviation(&values).expect("a spread") - 2.138_09).abs() < 1e-5);
        assert_eq!(median(&values), Some(4.5));
        assert_eq!(quantile(&values, 0.25), Some(4.0));
        assert_eq!(quantile(&values, 0.75), Some(5.5));
    }

    #[test]
    fn no_values_give_nothing_and_one_has_no_spread() {
        assert_eq!((mean(&[]), median(&[]), standard_deviation(&[3.0])), (None, None, None));
        assert_eq!(median(&[3.0]), Some(3.0));
    }

    #[test]
    fn quantiles_do_not_depend_on_the_order() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
    }
}
