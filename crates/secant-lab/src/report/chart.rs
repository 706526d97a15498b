//! What the page draws: its sections of charts, as one JSON document.

use serde::Serialize;

/// All that is drawn.
#[derive(Debug, Serialize)]
pub struct Charts {
    /// The methods, in the order of their colours.
    pub methods: Vec<Named>,
    /// The sections, in their order.
    pub sections: Vec<Section>,
}

/// A method and its colour.
#[derive(Debug, Serialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// The number of its colour.
    pub slot: usize,
}

/// Charts that share their horizontal axes, or bars.
#[derive(Debug, Serialize)]
pub struct Section {
    /// For links.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What to know of it.
    pub note: String,
    /// The names of the horizontal axes to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<&'static str>,
    /// Whether the horizontal axis is logarithmic.
    pub x_log: bool,
    /// Whether lines go from point to point in steps.
    pub steps: bool,
    /// The charts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<Chart>,
    /// The bars.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bars: Vec<Bars>,
}

impl Section {
    /// A section of charts over the first of these axes and the others to choose.
    pub fn new(id: &'static str, title: &'static str, axes: &[&'static str]) -> Self {
        Self {
            id,
            title,
            note: String::new(),
            axes: axes.to_vec(),
            x_log: false,
            steps: false,
            charts: Vec::new(),
            bars: Vec::new(),
        }
    }
}

/// One chart.
#[derive(Debug, Serialize)]
pub struct Chart {
    /// For links.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The unit of its values; those in % are shares from 0 to 1.
    pub unit: &'static str,
    /// How its vertical axis is spread.
    pub y: Spread,
    /// A value that a line marks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// One line a method.
    pub series: Vec<Series>,
}

/// How an axis is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Evenly.
    Linear,
    /// By logarithms.
    Log,
    /// By logarithms of what is missing to 1.
    Error,
}

/// One line of a chart.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Series {
    /// The method's colour.
    pub method: usize,
    /// For each axis, the places of the points.
    pub x: Vec<Vec<f64>>,
    /// The means; nothing where there is none.
    pub y: Vec<Option<f64>>,
    /// The least values.
    pub low: Vec<Option<f64>>,
    /// The largest values.
    pub high: Vec<Option<f64>>,
    /// Points that are marked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marked: Vec<usize>,
    /// Places on the first axis without a finite value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<f64>,
}

impl Series {
    /// Adds a point that lies at `x` on the axes: the mean of the values and the range of them.
    pub fn push(&mut self, x: &[f64], values: &[f64]) {
        self.x.resize(x.len(), Vec::new());
        for (axis, x) in self.x.iter_mut().zip(x) {
            axis.push(*x);
        }
        let sum: f64 = values.iter().sum();
        let some = |value: f64| (!values.is_empty()).then_some(value);
        self.y.push(some(sum / values.len() as f64));
        self.low.push(some(values.iter().copied().fold(f64::INFINITY, f64::min)));
        self.high.push(some(values.iter().copied().fold(f64::NEG_INFINITY, f64::max)));
    }
}

/// Bars of one cost.
#[derive(Debug, Serialize)]
pub struct Bars {
    /// What they show.
    pub title: String,
    /// The unit.
    pub unit: &'static str,
    /// One bar a method.
    pub rows: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Serialize)]
pub struct Bar {
    /// The method's colour.
    pub method: usize,
    /// Its length; nothing where there is no value.
    pub value: Option<f64>,
    /// The least value.
    pub low: Option<f64>,
    /// The largest value.
    pub high: Option<f64>,
    /// What to know of it.
    pub note: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_the_mean_and_the_range_of_its_values_and_a_gap_has_none() {
        let mut series = Series::default();
        series.push(&[1.0, 10.0], &[0.2, 0.4, 0.9]);
        series.push(&[2.0, 20.0], &[]);
        assert_eq!(series.x, [[1.0, 2.0], [10.0, 20.0]]);
        assert_eq!(series.y, [Some(0.5), None]);
        assert_eq!((series.low[0], series.high[0], series.low[1]), (Some(0.2), Some(0.9), None));
    }
}
