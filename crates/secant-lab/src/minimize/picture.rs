//! A picture of a function of two numbers: contour lines, and the paths of the methods.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use thiserror::Error;

use super::{Problem, Run, Status, axis::Axis, contour::Grid, palette::colour};
use crate::files::replace_file;

/// The drawing library rounds to whole pixels, so there are many of them.
const SIZE: (u32, u32) = (1800, 1200);
/// The part on the right with the names.
const LEGEND: u32 = 480;
/// The drawing library divides font sizes by 1.24.
const FONT: (&str, f64) = ("sans-serif", 30.0 * 1.24);
const SMALL: (&str, f64) = ("sans-serif", 26.0 * 1.24);
/// Columns and rows of the grid whose squares the contour lines cross.
const SQUARES: [usize; 2] = [300, 260];
/// Contour lines.
const LEVELS: usize = 16;
/// Colours of the lowest and the highest contour line.
const LINES: [RGBColor; 2] = [RGBColor(0x5B, 0x7C, 0x99), RGBColor(0xDA, 0xE2, 0xE9)];
const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Paths of at most this many points show each of them.
const MOST_DOTS: usize = 150;

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// The drawing library failed.
    #[error("cannot draw the picture: {0}")]
    Draw(String),
    /// The file could not be written.
    #[error("cannot write {}: {reason}; choose another file with --picture", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// Checks that there is a folder for a picture at `path`, and that this is no folder itself.
///
/// # Errors
/// What a picture could not be written for.
pub fn check_picture(path: &Path) -> Result<(), PictureError> {
    let folder = path.parent().unwrap_or(path);
    let is_there = match fs::metadata(folder.join(".")) {
        Ok(_) if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        found => found.map(drop),
    };
    is_there.map_err(|reason| PictureError::Write { path: path.to_owned(), reason })
}

/// Draws a problem of dimension 2 and the paths of its runs into an SVG file.
///
/// # Errors
/// The drawing library fails, or the file cannot be written.
pub fn write_picture(path: &Path, problem: &mut Problem, runs: &[Run]) -> Result<(), PictureError> {
    let svg = picture(problem, runs).map_err(|failure| PictureError::Draw(failure.to_string()))?;
    replace_file(path, &svg).map_err(|reason| PictureError::Write { path: path.to_owned(), reason })
}

type Place = (f64, f64);
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Canvas<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;
type Failure = DrawingAreaErrorKind<io::Error>;

fn picture(problem: &mut Problem, runs: &[Run]) -> Result<String, Failure> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (left, right) = area.split_horizontally(SIZE.0 - LEGEND);
        let [xs, ys] = axes(problem, runs);
        let bounds = Bounds { x: (xs.start, xs.end), y: (ys.start, ys.end) };
        let mut canvas = ChartBuilder::on(&left)
            .margin(30)
            .x_label_area_size(60)
            .y_label_area_size(100)
            .build_cartesian_2d(xs, ys)?;
        draw_contours(&canvas, &bounds.grid(problem))?;
        draw_frame(&mut canvas)?;
        for is_reached in [false, true] {
            // The first named is on top.
            for (slot, run) in runs.iter().enumerate().rev() {
                match run.status == Status::Reached {
                    reached if reached != is_reached => {}
                    true => draw_path(&canvas, &bounds, slot, &places(run))?,
                    false => draw_vain_path(&canvas, &bounds, slot, &places(run))?,
                }
            }
        }
        draw_ends(&canvas, problem)?;
        draw_legend(&right, problem, runs)?;
        area.present()?;
    }
    Ok(svg)
}

fn place(x: &[f64]) -> Place {
    (x[0], x[1])
}

fn places(run: &Run) -> Vec<Place> {
    run.path.iter().map(|x| place(x)).collect()
}

/// Axes that show start, minimum and the paths that reached the tolerance; where none did, those
/// that stayed near.
fn axes(problem: &Problem, runs: &[Run]) -> [Axis; 2] {
    let ends = [Some(&problem.start), problem.minimum.as_ref()].into_iter().flatten();
    let is_any_reached = runs.iter().any(|run| run.status == Status::Reached);
    let is_shown = |run: &&Run| match run.status {
        Status::Reached => true,
        Status::NotFinite => false,
        _ => !is_any_reached && stays(problem, run),
    };
    let paths = runs.iter().filter(is_shown);
    let shown: Vec<&Vec<f64>> = ends.chain(paths.flat_map(|run| &run.path)).collect();
    let ranges = [0, 1].map(|i| {
        let values = shown.iter().map(|x| x[i]);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)))
    });
    let widest = ranges.iter().map(|(least, most)| most - least).fold(0.0, f64::max);
    let widest = if widest > 0.0 { widest } else { 1.0 };
    ranges.map(|(least, most)| {
        // Room around, and more where the paths go along the other axis only.
        let room = 0.1 * (most - least) + 0.5 * (0.6 * widest - (most - least)).max(0.0);
        Axis::between(least - room, most + room)
    })
}

/// How many times the way from the start to the minimum a path may go away.
const FAR: f64 = 10.0;

/// Whether all points of a path are near the start.
fn stays(problem: &Problem, run: &Run) -> bool {
    let distance = |to: &[f64]| {
        let squares = problem.start.iter().zip(to).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>().sqrt()
    };
    let way = problem.minimum.as_ref().map_or(1.0, |minimum| distance(minimum).max(1e-3));
    run.path.iter().all(|x| distance(x) <= FAR * way)
}

/// The part of the plane that is shown.
struct Bounds {
    x: (f64, f64),
    y: (f64, f64),
}

impl Bounds {
    fn grid(&self, problem: &mut Problem) -> Grid {
        let even = |(start, end): (f64, f64), count: usize| -> Vec<f64> {
            (0..=count).map(|i| start + (end - start) * i as f64 / count as f64).collect()
        };
        let (xs, ys) = (even(self.x, SQUARES[0]), even(self.y, SQUARES[1]));
        let mut values = Vec::with_capacity(xs.len() * ys.len());
        for &y in &ys {
            values.extend(xs.iter().map(|&x| problem.function.gradient(&[x, y], &mut [0.0; 2])));
        }
        Grid { xs, ys, values }
    }

    /// The part of a line between two places that is inside (Liang, Barsky 1984).
    fn clip(&self, a: Place, b: Place) -> Option<[Place; 2]> {
        let (mut enter, mut leave) = (0.0f64, 1.0f64);
        for (from, to, (low, high)) in [(a.0, b.0, self.x), (a.1, b.1, self.y)] {
            let delta = to - from;
            if delta == 0.0 {
                if from < low || from > high {
                    return None;
                }
                continue;
            }
            let (s, t) = ((low - from) / delta, (high - from) / delta);
            enter = enter.max(s.min(t));
            leave = leave.min(s.max(t));
        }
        let at = |share: f64| (a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1));
        (enter <= leave).then(|| [at(enter), at(leave)])
    }

    fn holds(&self, (x, y): Place) -> bool {
        (self.x.0..=self.x.1).contains(&x) && (self.y.0..=self.y.1).contains(&y)
    }

    /// The parts of a path that are inside.
    fn pieces(&self, path: &[Place]) -> Vec<Vec<Place>> {
        let mut pieces: Vec<Vec<Place>> = Vec::new();
        for ends in path.windows(2) {
            let Some([a, b]) = self.clip(ends[0], ends[1]) else { continue };
            match pieces.last_mut() {
                Some(piece) if piece.last() == Some(&a) => piece.push(b),
                _ => pieces.push(vec![a, b]),
            }
        }
        pieces
    }
}

/// Levels in equal ratios above the least value shown.
fn levels(grid: &Grid) -> Vec<f64> {
    let mut values: Vec<f64> = grid.values.iter().copied().filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let Some(&least) = values.first() else { return Vec::new() };
    let quantile = |share: f64| values[(share * (values.len() - 1) as f64) as usize] - least;
    let (low, high) = (quantile(0.002), quantile(0.97));
    if low <= 0.0 || high <= low {
        return Vec::new();
    }
    let share = |i: usize| i as f64 / (LEVELS - 1) as f64;
    (0..LEVELS).map(|i| least + low * (high / low).powf(share(i))).collect()
}

fn draw_contours(canvas: &Canvas<'_>, grid: &Grid) -> Result<(), Failure> {
    // The highest first, so that the lowest are seen.
    for (i, &level) in levels(grid).iter().enumerate().rev() {
        let share = i as f64 / (LEVELS - 1) as f64;
        let mixed = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))) as u8;
        let [RGBColor(r, g, b), RGBColor(to_r, to_g, to_b)] = LINES;
        let style = RGBColor(mixed(r, to_r), mixed(g, to_g), mixed(b, to_b)).stroke_width(2);
        for line in grid.contours(level) {
            canvas.plotting_area().draw(&PathElement::new(line, style))?;
        }
    }
    Ok(())
}

fn draw_frame(canvas: &mut Canvas<'_>) -> Result<(), Failure> {
    canvas
        .configure_mesh()
        .disable_mesh()
        .axis_style(GREY.stroke_width(2))
        .label_style(SMALL)
        .draw()
}

/// A thin line for a run that did not reach the tolerance, until it leaves the picture: it may be
/// everywhere.
fn draw_vain_path(
    canvas: &Canvas<'_>,
    bounds: &Bounds,
    slot: usize,
    path: &[Place],
) -> Result<(), Failure> {
    let inside = path.iter().take_while(|&&place| bounds.holds(place)).count();
    for piece in bounds.pieces(&path[..path.len().min(inside + 1)]) {
        let style = colour(slot).mix(0.7).stroke_width(2);
        canvas.plotting_area().draw(&PathElement::new(piece, style))?;
    }
    Ok(())
}

/// A line with a white edge, and its points.
fn draw_path(
    canvas: &Canvas<'_>,
    bounds: &Bounds,
    slot: usize,
    path: &[Place],
) -> Result<(), Failure> {
    let area = canvas.plotting_area();
    let pieces = bounds.pieces(path);
    // Later lines are thinner, so that one below another on the same way shows at its sides.
    let width = 10 - 2 * u32::try_from(slot).unwrap_or(3).min(3);
    for style in [WHITE.mix(0.8).stroke_width(width + 4), colour(slot).stroke_width(width)] {
        for piece in &pieces {
            area.draw(&PathElement::new(piece.clone(), style))?;
        }
    }
    let dots = if path.len() <= MOST_DOTS { path } else { &path[path.len() - 1..] };
    for &dot in dots.iter().filter(|&&dot| bounds.holds(dot)) {
        area.draw(&Circle::new(dot, 7, colour(slot).filled()))?;
    }
    Ok(())
}

/// Start and minimum.
fn draw_ends(canvas: &Canvas<'_>, problem: &Problem) -> Result<(), Failure> {
    let area = canvas.plotting_area();
    area.draw(&Circle::new(place(&problem.start), 14, WHITE.filled()))?;
    area.draw(&Circle::new(place(&problem.start), 11, BLACK.stroke_width(5)))?;
    let Some(minimum) = &problem.minimum else { return Ok(()) };
    area.draw(&Cross::new(place(minimum), 17, WHITE.stroke_width(13)))?;
    area.draw(&Cross::new(place(minimum), 15, BLACK.stroke_width(6)))
}

/// Text that begins at its place.
fn style(font: (&'static str, f64), colour: &'static RGBColor) -> TextStyle<'static> {
    TextStyle::from(font).color(colour).pos(Pos::new(HPos::Left, VPos::Center))
}

/// The names at the right: the problem, its ends, and a line for each method.
fn draw_legend(area: &Area<'_>, problem: &Problem, runs: &[Run]) -> Result<(), Failure> {
    let text = |words: String, x: i32, y: i32, style| area.draw(&Text::new(words, (x, y), style));
    text(problem.name.to_owned(), 10, 60, style((FONT.0, 1.3 * FONT.1), &BLACK))?;
    area.draw(&Circle::new((36, 130), 11, BLACK.stroke_width(5)))?;
    text("start".to_owned(), 90, 130, style(FONT, &BLACK))?;
    if problem.minimum.is_some() {
        area.draw(&Cross::new((36, 185), 15, BLACK.stroke_width(6)))?;
        text("minimum".to_owned(), 90, 185, style(FONT, &BLACK))?;
    }
    // Closer where there are many.
    let gap = (880 / runs.len().max(1) as i32).min(92);
    for (slot, run) in runs.iter().enumerate() {
        let y = 275 + gap * slot as i32;
        let line = vec![(10, y), (62, y)];
        area.draw(&PathElement::new(line, colour(slot).stroke_width(6)))?;
        text(run.method.clone(), 90, y, style(FONT, &BLACK))?;
        if gap >= 70 {
            let status = match run.status {
                Status::Reached => String::new(),
                status => format!(", {}", status.name()),
            };
            let words = format!("{} evaluations{status}", run.evaluations);
            text(words, 90, y + 36, style((FONT.0, 0.75 * FONT.1), &GREY))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { x: (0.0, 4.0), y: (0.0, 2.0) };

    fn run(status: Status, path: &[[f64; 2]]) -> Run {
        Run {
            method: "adam".into(),
            lr: 0.1,
            status,
            evaluations: 7,
            hessian_products: 0,
            steps: 7,
            seconds: 0.0,
            value: 0.0,
            gradient_norm: 0.0,
            relative_gradient_norm: 0.0,
            path: path.iter().map(|x| x.to_vec()).collect(),
        }
    }

    #[test]
    fn a_path_is_cut_at_the_edges() {
        let path = [(1.0, 1.0), (1.0, 5.0), (3.0, 5.0), (3.0, 1.0), (3.5, 1.0)];
        let expected = [vec![(1.0, 1.0), (1.0, 2.0)], vec![(3.0, 2.0), (3.0, 1.0), (3.5, 1.0)]];
        assert_eq!(BOUNDS.pieces(&path), expected);
        assert!(BOUNDS.pieces(&[(5.0, 3.0), (6.0, -3.0)]).is_empty());
    }

    #[test]
    fn a_path_to_infinity_does_not_widen_the_picture_and_stays_inside() {
        let mut problem = Problem::rosenbrock(2);
        let far = run(Status::NotFinite, &[[-1.2, 1.0], [30.0, 1e200], [f64::INFINITY, 0.0]]);
        let near = run(Status::Reached, &[[-1.2, 1.0], [1.0, 1.0]]);
        let runs = [near, far];
        let [xs, ys] = axes(&problem, &runs);
        assert!(xs.start > -2.0 && xs.end < 2.0 && ys.end < 3.0, "{xs:?} {ys:?}");
        let svg = picture(&mut problem, &runs).expect("a picture");
        assert!(!svg.contains("inf") && !svg.contains("NaN"), "{svg}");
        assert!(svg.contains("7 evaluations, not finite"), "{svg}");
    }

    #[test]
    fn a_picture_has_all_contours_and_two_lines_a_path() {
        let mut problem = Problem::beale();
        let runs = [run(Status::Reached, &[[1.0, 1.0], [3.0, 0.5]])];
        let [xs, ys] = axes(&problem, &runs);
        let bounds = Bounds { x: (xs.start, xs.end), y: (ys.start, ys.end) };
        let grid = bounds.grid(&mut problem);
        let lines: usize = levels(&grid).iter().map(|&level| grid.contours(level).len()).sum();
        let svg = picture(&mut problem, &runs).expect("a picture");
        assert!(lines >= LEVELS, "{lines}");
        // One more is the line in the legend.
        assert_eq!(svg.matches("<polyline").count(), lines + 2 + 1 + axis_lines(&svg));
    }

    /// Axes and their marks.
    fn axis_lines(svg: &str) -> usize {
        svg.matches("<polyline fill=\"none\" opacity=\"1\" stroke=\"#666666\"").count()
    }
}
