//! Axes of charts: where a value lies, and which values are named.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::format::{percent, short};

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps for equal differences.
    Linear,
    /// Equal steps for equal ratios.
    Logarithmic,
    /// For shares: equal steps for equal ratios of the error, so that it widens towards 100 %.
    Error,
}

/// Losses, rates and errors below this are drawn as this.
const FLOOR: f64 = 1e-9;
/// Shares closer than this to 100 % are drawn as this far from it.
const ERROR_FLOOR: f64 = 1e-4;
/// The most values that are named along an axis.
const MOST_TICKS: usize = 7;
/// The fewest values that make a good axis.
const FEWEST_TICKS: usize = 3;

impl Scale {
    /// Where a value lies.
    pub fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.max(FLOOR).log10(),
            Self::Error => -(1.0 - value).max(ERROR_FLOOR).log10(),
        }
    }

    /// The value at a position.
    fn value(self, position: f64) -> f64 {
        match self {
            Self::Linear => position,
            Self::Logarithmic => 10f64.powf(position),
            Self::Error => 1.0 - 10f64.powf(-position),
        }
    }
}

/// One axis: its ends as positions, and its named values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// How values are spread.
    pub scale: Scale,
    /// The position of the left or lower end.
    pub start: f64,
    /// The position of the right or upper end.
    pub end: f64,
    /// Values and their names.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis that shows all `values`.
    pub fn covering(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (least, most) = if least <= most { (least, most) } else { (0.1, 1.0) };
        let (start, end) = widened(scale, least, most);
        Self { scale, start, end, ticks: ticks(scale, start, end) }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    /// The pixel of a value; a value beyond an end is drawn at that end.
    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let position = self.scale.position(*value).clamp(self.start, self.end);
        let share = (position - self.start) / (self.end - self.start);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.scale.value(self.start)..self.scale.value(self.end)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let named = self.ticks.iter().find(|(known, _)| known == value);
        named.map(|(_, name)| name.clone()).unwrap_or_default()
    }
}

/// The ends with a little room; a linear axis from zero keeps the zero.
fn widened(scale: Scale, least: f64, most: f64) -> (f64, f64) {
    let (start, end) = (scale.position(least), scale.position(most));
    if scale == Scale::Linear && least >= 0.0 {
        return (0.0, if end > 0.0 { 1.02 * end } else { 1.0 });
    }
    let room = if end > start { 0.04 * (end - start) } else { 0.1 };
    (start - room, end + room)
}

fn ticks(scale: Scale, start: f64, end: f64) -> Vec<(f64, String)> {
    match scale {
        Scale::Linear => named(even_values(start, end), compact),
        Scale::Logarithmic => named(ratio_values(start, end), short),
        Scale::Error => {
            let errors = ratio_values(-end, -start).into_iter().rev();
            named(errors.map(|error| 1.0 - error).collect(), percent)
        }
    }
}

fn named(values: Vec<f64>, name: fn(f64) -> String) -> Vec<(f64, String)> {
    let tick = |value| (value, name(value));
    values.into_iter().map(tick).collect()
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn even_values(start: f64, end: f64) -> Vec<f64> {
    let rough = (end - start) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let step = factors
        .map(|factor| factor * power)
        .into_iter()
        .find(|&step| step >= rough)
        .unwrap_or(rough);
    let first = (start / step).ceil() as i64;
    let last = (end / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Round values between two powers of ten: the densest choice that is still readable.
fn ratio_values(start: f64, end: f64) -> Vec<f64> {
    const CHOICES: [&[u8]; 5] =
        [&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[1, 2, 3, 5, 7], &[1, 2, 5], &[1, 3], &[1]];
    for digits in CHOICES {
        let values = digit_values(start, end, digits);
        if values.len() <= MOST_TICKS {
            if values.len() >= FEWEST_TICKS {
                return values;
            }
            break;
        }
    }
    let decades = digit_values(start, end, &[1]);
    if decades.len() > MOST_TICKS {
        let every = decades.len().div_ceil(MOST_TICKS);
        return decades.into_iter().step_by(every).collect();
    }
    even_values(10f64.powf(start), 10f64.powf(end))
}

/// All values between two powers of ten that begin with one of the digits.
fn digit_values(start: f64, end: f64, digits: &[u8]) -> Vec<f64> {
    let decades = start.floor() as i32..=end.ceil() as i32;
    decades
        .flat_map(|decade| digits.iter().map(move |&digit| f64::from(digit) * 10f64.powi(decade)))
        .filter(|value| (start..=end).contains(&value.log10()))
        .collect()
}

/// A count in few characters: `800`, `20k`, `1.5M`.
fn compact(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", short(v / 1e6)),
        v if v >= 1e4 => format!("{}k", short(v / 1e3)),
        v => short(v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(scale: Scale, values: [f64; 2]) -> Vec<String> {
        let axis = Axis::covering(scale, values.into_iter());
        axis.ticks.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn counts_are_named_at_round_steps_from_zero() {
        let expected = ["0", "10k", "20k", "30k", "40k"];
        assert_eq!(names(Scale::Linear, [0.0, 42_000.0]), expected);
    }

    #[test]
    fn a_narrow_loss_still_has_several_named_values() {
        assert_eq!(names(Scale::Logarithmic, [0.301, 0.334]), ["0.3", "0.31", "0.32", "0.33"]);
    }

    #[test]
    fn a_wide_rate_has_one_named_value_a_decade() {
        let expected = ["1e-5", "1e-4", "0.001", "0.01", "0.1"];
        assert_eq!(names(Scale::Logarithmic, [1e-5, 0.1]), expected);
    }

    #[test]
    fn a_very_wide_axis_skips_decades() {
        let names = names(Scale::Logarithmic, [1e-8, 1e8]);
        assert!((3..=7).contains(&names.len()), "{names:?}");
    }

    #[test]
    fn accuracies_are_named_in_rising_order() {
        assert_eq!(names(Scale::Error, [0.1, 0.97]), ["0 %", "50 %", "80 %", "90 %", "95 %"]);
    }

    #[test]
    fn the_error_scale_widens_towards_one() {
        let step = |from: f64, to: f64| Scale::Error.position(to) - Scale::Error.position(from);
        assert!(step(0.98, 0.99) > step(0.5, 0.51) * 10.0);
        assert!(Scale::Error.position(1.0).is_finite());
    }

    #[test]
    fn a_value_beyond_the_end_is_drawn_at_the_edge() {
        let axis = Axis::covering(Scale::Linear, [0.0, 10.0].into_iter());
        assert_eq!(axis.map(&1e9, (0, 500)), 500);
        assert_eq!(axis.map(&-1e9, (0, 500)), 0);
    }

    #[test]
    fn an_axis_without_or_with_equal_values_has_a_length() {
        for values in [vec![], vec![0.5], vec![0.0, 0.0], vec![f64::NAN]] {
            for scale in [Scale::Linear, Scale::Logarithmic, Scale::Error] {
                let axis = Axis::covering(scale, values.iter().copied());
                assert!(axis.end > axis.start, "{scale:?} {values:?}");
                assert!(!axis.ticks.is_empty(), "{scale:?} {values:?}");
            }
        }
    }
}
