//! Axes of pictures: where a value lies, and which values are named.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::report::short;

/// One axis: its ends, and its named values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub start: f64,
    pub end: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From the one end to the other, with names at multiples of 1, 2 or 5 times a power of ten.
    pub fn between(start: f64, end: f64) -> Self {
        let rough = (end - start) / 5.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = step.into_iter().find(|&step| step >= rough).unwrap_or(rough);
        let (first, last) = ((start / step).ceil() as i64, (end / step).floor() as i64);
        let values = (first..=last).map(|i| i as f64 * step);
        Self { start, end, ticks: values.map(|value| (value, short(value))).collect() }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    /// The pixel of a value; a value beyond an end is drawn at that end.
    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value.clamp(self.start, self.end) - self.start) / (self.end - self.start);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.start..self.end
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let named = self.ticks.iter().find(|(known, _)| known == value);
        named.map(|(_, name)| name.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_named_at_round_steps() {
        let names: Vec<String> =
            Axis::between(-1.1, 4.2).ticks.into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["0", "2", "4"]);
    }

    #[test]
    fn a_value_beyond_the_end_is_drawn_at_the_edge() {
        let axis = Axis::between(0.0, 10.0);
        assert_eq!((axis.map(&1e9, (0, 500)), axis.map(&-1e9, (0, 500))), (500, 0));
        assert_eq!(axis.map(&5.0, (0, 500)), 250);
    }
}
