//! The few numbers that sum up a handful of seeds.

/// The 97.5 % points of Student's t for 1 to 30 degrees of freedom.
const T_QUANTILES: [f64; 30] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004,
    2.262_157, 2.228_139, 2.200_985, 2.178_813, 2.160_369, 2.144_787, 2.131_450, 2.119_905,
    2.109_816, 2.100_922, 2.093_024, 2.085_963, 2.079_614, 2.073_873, 2.068_658, 2.063_899,
    2.059_539, 2.055_529, 2.051_831, 2.048_407, 2.045_230, 2.042_272,
];

/// The 97.5 % point of the normal distribution.
const NORMAL_QUANTILE: f64 = 1.959_964;

/// A mean over runs and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean of the values.
    pub mean: f64,
    /// Half the width of the 95 % t-interval of the mean; `None` for a single value.
    pub half_width: Option<f64>,
    /// How many values went in.
    pub count: usize,
}

impl Estimate {
    /// Sums up `values`; `None` when there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            mean: mean(values)?,
            half_width: interval_half_width(values),
            count: values.len(),
        })
    }

    /// The same estimate in another unit.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            mean: self.mean * factor,
            half_width: self.half_width.map(|width| width * factor.abs()),
            count: self.count,
        }
    }

    /// Whether the two intervals share a point; `None` when one of them has no width.
    pub fn overlaps(self, other: Self) -> Option<bool> {
        let reach = self.half_width? + other.half_width?;
        Some((self.mean - other.mean).abs() <= reach)
    }
}

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

/// The middle value, or the mean of the two middle ones; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted[sorted.len() / 2 - 1] + upper) / 2.0)
}

/// Half the width of the 95 % t-interval of the mean; `None` for fewer than two values.
pub fn interval_half_width(values: &[f64]) -> Option<f64> {
    let deviation = standard_deviation(values)?;
    let quantile = t_quantile(values.len() - 1);
    Some(quantile * deviation / (values.len() as f64).sqrt())
}

/// The 97.5 % point of Student's t; beyond the table the first term of its normal expansion.
fn t_quantile(degrees: usize) -> f64 {
    let in_table = degrees.checked_sub(1).and_then(|i| T_QUANTILES.get(i));
    in_table.copied().unwrap_or_else(|| {
        let z = NORMAL_QUANTILE;
        z + (z.powi(3) + z) / (4.0 * degrees as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(actual: Option<f64>, expected: f64) {
        let actual = actual.expect("a value");
        assert!((actual - expected).abs() < 1e-4, "{actual} is not {expected}");
    }

    #[test]
    fn figures_agree_with_a_worked_example() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_close(mean(&values), 5.0);
        assert_close(standard_deviation(&values), 2.138_09);
        assert_close(median(&values), 4.5);
        assert_close(interval_half_width(&values), 1.787_49);
    }

    #[test]
    fn three_seeds_use_the_quantile_of_two_degrees_of_freedom() {
        assert_close(interval_half_width(&[1.0, 2.0, 3.0]), 4.302_653 / 3.0_f64.sqrt());
    }

    #[test]
    fn a_single_value_has_a_mean_but_no_spread() {
        let estimate = Estimate::of(&[3.0]).expect("one value");
        assert_eq!((estimate.mean, estimate.half_width), (3.0, None));
        assert_eq!(standard_deviation(&[3.0]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
    }

    #[test]
    fn no_values_give_nothing() {
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(median(&[]), None);
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn the_median_does_not_depend_on_the_order() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
    }

    #[test]
    fn the_quantile_falls_smoothly_from_the_table_into_the_expansion() {
        let quantiles: Vec<f64> = (1..200).map(t_quantile).collect();
        assert!(quantiles.windows(2).all(|pair| pair[0] > pair[1]));
        assert!((t_quantile(60) - 2.000_298).abs() < 2e-3);
    }

    #[test]
    fn intervals_overlap_exactly_when_they_share_a_point() {
        let low = Estimate::of(&[1.0, 1.1, 1.2]).expect("values");
        let near = Estimate::of(&[1.2, 1.3, 1.4]).expect("values");
        let far = Estimate::of(&[9.0, 9.1, 9.2]).expect("values");
        assert_eq!(low.overlaps(near), Some(true));
        assert_eq!(low.overlaps(far), Some(false));
        assert_eq!(low.overlaps(Estimate::of(&[1.0]).expect("one value")), None);
    }

    #[test]
    fn scaling_moves_mean_and_spread_together() {
        let estimate = Estimate::of(&[0.1, 0.2, 0.3]).expect("values");
        let percent = estimate.scaled(100.0);
        assert_close(Some(percent.mean), 20.0);
        assert_close(percent.half_width, 100.0 * estimate.half_width.expect("a spread"));
    }
}
