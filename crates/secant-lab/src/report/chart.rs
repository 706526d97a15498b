//! Line charts as SVG, without fonts or files of their own.

use plotters::prelude::*;

use super::axis::{Axis, Scale};
use super::curves::Curve;
use super::error::ReportError;
use super::palette::colour;
use super::statistics::median;

/// Twice the size on the page, since the drawing library rounds to whole pixels.
const SIZE: (u32, u32) = (1040, 700);
/// The drawing library divides font sizes by 1.24.
const FONT_SIZE: f64 = 26.0 * 1.24;
/// Lines of the grid; the style sheet recolours this for dark pages.
const GRID: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
/// Losses above this many times the middle of the methods' largest are drawn at the upper edge.
const OUTLIER: f64 = 4.0;
/// Curves with at most this many points show each of them.
const MOST_DOTS: usize = 25;

/// A chart without its curves.
pub struct Frame<'a> {
    /// What it shows, for error messages and screen readers.
    pub name: &'a str,
    /// The name of the horizontal axis.
    pub x_name: &'a str,
    /// How the horizontal axis is spread.
    pub x_scale: Scale,
    /// How the vertical axis is spread.
    pub y_scale: Scale,
    /// A value that a level line marks.
    pub level: Option<f64>,
}

type Canvas<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;
type Failure = DrawingAreaErrorKind<std::io::Error>;

/// Draws the curves; the text is an `<svg>` element for use inside a page.
///
/// # Errors
///
/// When the drawing library fails.
pub fn line_chart(frame: &Frame<'_>, curves: &[Curve]) -> Result<String, ReportError> {
    let mut svg = String::new();
    draw(&mut svg, frame, curves).map_err(|failure| ReportError::Chart {
        chart: frame.name.to_owned(),
        reason: failure.to_string(),
    })?;
    // Inside a page the element needs no namespace.
    Ok(svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1))
}

fn draw(svg: &mut String, frame: &Frame<'_>, curves: &[Curve]) -> Result<(), Failure> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut canvas = ChartBuilder::on(&area)
        .margin_top(20)
        .margin_right(40)
        .margin_bottom(6)
        .x_label_area_size(96)
        .y_label_area_size(124)
        .build_cartesian_2d(horizontal_axis(frame.x_scale, curves), vertical_axis(frame, curves))?;
    draw_grid(&mut canvas, frame.x_name)?;
    draw_level(&canvas, frame.level)?;
    for curve in curves {
        draw_band(&canvas, curve)?;
    }
    for curve in curves {
        draw_line(&canvas, curve)?;
        draw_failures(&canvas, curve, worst_value(frame.y_scale))?;
    }
    area.present()
}

fn horizontal_axis(scale: Scale, curves: &[Curve]) -> Axis {
    let places = curves.iter().flat_map(|curve| {
        let failures = curve.failures.iter().copied();
        curve.points.iter().map(|point| point.x).chain(failures)
    });
    Axis::covering(scale, places)
}

/// The axis of the values; for losses a diverged method does not squash all the others.
fn vertical_axis(frame: &Frame<'_>, curves: &[Curve]) -> Axis {
    let largest = |curve: &Curve| curve.points.iter().map(|p| p.most).reduce(f64::max);
    let tops: Vec<f64> = curves.iter().filter_map(largest).collect();
    let limit = match (frame.y_scale, median(&tops)) {
        (Scale::Logarithmic, Some(middle)) => OUTLIER * middle,
        _ => f64::INFINITY,
    };
    let values = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .flat_map(|point| [point.least, point.most])
        .map(|value| value.min(limit))
        .chain(frame.level);
    Axis::covering(frame.y_scale, values)
}

fn draw_grid(canvas: &mut Canvas<'_>, x_name: &str) -> Result<(), Failure> {
    canvas
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID.stroke_width(2))
        .axis_style(BLACK.stroke_width(2))
        .label_style(("sans-serif", FONT_SIZE))
        .x_desc(x_name)
        .axis_desc_style(("sans-serif", FONT_SIZE))
        .draw()
}

/// A line from the left to the right end.
fn draw_level(canvas: &Canvas<'_>, level: Option<f64>) -> Result<(), Failure> {
    let ends = canvas.x_range();
    let line = |value| vec![(ends.start, value), (ends.end, value)];
    level.map_or(Ok(()), |value| {
        let path = PathElement::new(line(value), BLACK.stroke_width(3));
        canvas.plotting_area().draw(&path)
    })
}

/// The area between the least and the largest seed, where they differ.
fn draw_band(canvas: &Canvas<'_>, curve: &Curve) -> Result<(), Failure> {
    let points = &curve.points;
    if points.iter().all(|point| point.least == point.most) {
        return Ok(());
    }
    let upper = points.iter().map(|point| (point.x, point.most));
    let lower = points.iter().rev().map(|point| (point.x, point.least));
    let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
    let band = Polygon::new(outline, colour(curve.slot).mix(0.16));
    canvas.plotting_area().draw(&band)
}

fn draw_line(canvas: &Canvas<'_>, curve: &Curve) -> Result<(), Failure> {
    let style = colour(curve.slot);
    let area = canvas.plotting_area();
    let path: Vec<(f64, f64)> = curve.points.iter().map(|p| (p.x, p.mean)).collect();
    if path.len() <= MOST_DOTS {
        for &(x, mean) in &path {
            let radius = if curve.marked == Some(x) { 12 } else { 5 };
            area.draw(&Circle::new((x, mean), radius, style.filled()))?;
        }
    }
    if path.len() > 1 {
        area.draw(&PathElement::new(path, style.stroke_width(4)))?;
    }
    Ok(())
}

/// Crosses at the edge of the worst values where there is no finite one.
fn draw_failures(canvas: &Canvas<'_>, curve: &Curve, worst: f64) -> Result<(), Failure> {
    let style = colour(curve.slot).stroke_width(4);
    for &place in &curve.failures {
        let cross = Cross::new((place, worst), 10, style);
        canvas.plotting_area().draw(&cross)?;
    }
    Ok(())
}

/// Beyond the end of the axis where the bad values lie: low accuracies, high losses.
fn worst_value(scale: Scale) -> f64 {
    match scale {
        Scale::Error => f64::NEG_INFINITY,
        Scale::Linear | Scale::Logarithmic => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::curves::CurvePoint;

    const FRAME: Frame<'_> = Frame {
        name: "loss over epochs",
        x_name: "epochs",
        x_scale: Scale::Linear,
        y_scale: Scale::Logarithmic,
        level: None,
    };

    fn curve(slot: usize, values: &[(f64, f64)]) -> Curve {
        let point = |&(x, mean): &(f64, f64)| CurvePoint { x, mean, least: mean, most: mean * 1.1 };
        Curve {
            slot,
            points: values.iter().map(point).collect(),
            failures: Vec::new(),
            marked: None,
        }
    }

    #[test]
    fn a_chart_has_one_line_and_one_band_a_method() {
        let curves = [0, 1].map(|slot| curve(slot, &[(0.0, 2.0), (1.0, 0.5)]));
        let svg = line_chart(&FRAME, &curves).expect("a chart");
        assert_eq!(svg.matches("stroke-width=\"4\" points").count(), 2);
        assert_eq!(svg.matches("<polygon").count(), 2);
    }

    #[test]
    fn a_chart_refers_to_nothing_outside_itself() {
        let svg = line_chart(&FRAME, &[curve(0, &[(0.0, 1.0)])]).expect("a chart");
        assert!(svg.starts_with("<svg") && !svg.contains("http"), "{svg}");
    }

    #[test]
    fn a_chart_without_curves_still_has_axes() {
        let svg = line_chart(&FRAME, &[]).expect("a chart");
        assert!(svg.contains("epochs"), "{svg}");
    }

    #[test]
    fn a_level_is_inside_the_axis_and_adds_one_line() {
        let frame = Frame { level: Some(0.01), ..FRAME };
        let curves = [curve(0, &[(0.0, 2.0), (1.0, 0.5)])];
        let levels = |frame| {
            let svg = line_chart(frame, &curves).expect("a chart");
            svg.matches("stroke-width=\"3\"").count()
        };
        assert_eq!((levels(&frame), levels(&FRAME)), (1, 0));
        assert!(vertical_axis(&frame, &curves).start < -2.0);
    }

    #[test]
    fn failed_trials_are_crosses_at_the_edge() {
        let mut failing = curve(0, &[(0.0, 1.0), (1.0, 2.0)]);
        let before = line_chart(&FRAME, &[failing.clone()]).expect("a chart");
        failing.failures = vec![2.0];
        let after = line_chart(&FRAME, &[failing]).expect("a chart");
        let strokes = |svg: &str| svg.matches("stroke-width=\"4\"").count();
        assert_eq!(strokes(&after), strokes(&before) + 2);
    }

    #[test]
    fn a_diverged_method_does_not_squash_the_others() {
        let mut curves: Vec<Curve> = (0..3).map(|i| curve(i, &[(0.0, 2.0), (1.0, 0.5)])).collect();
        curves.push(curve(3, &[(0.0, 2.0), (1.0, 1e12)]));
        let axis = vertical_axis(&FRAME, &curves);
        assert!(axis.end < 10f64.log10() + 0.1, "{axis:?}");
    }
}
