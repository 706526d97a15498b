//! Contour lines by marching squares.

use std::collections::HashMap;

/// Values on a grid of squares.
pub(super) struct Grid {
    /// The places of its columns.
    pub xs: Vec<f64>,
    /// The places of its rows.
    pub ys: Vec<f64>,
    /// `values[row * xs.len() + column]`.
    pub values: Vec<f64>,
}

/// An edge of the grid: its corner to the lower left, and whether it goes up.
type Edge = (usize, usize, bool);
/// The edges in which a contour line crosses a square.
type Segment = [Edge; 2];

impl Grid {
    /// The lines where the values are `level`.
    pub fn contours(&self, level: f64) -> Vec<Vec<(f64, f64)>> {
        let mut segments = Vec::new();
        for row in 0..self.ys.len() - 1 {
            for column in 0..self.xs.len() - 1 {
                self.cross(level, column, row, &mut segments);
            }
        }
        let place =
            |line: Vec<Edge>| line.into_iter().map(|edge| self.place(level, edge)).collect();
        chains(&segments).into_iter().map(place).collect()
    }

    fn value(&self, column: usize, row: usize) -> f64 {
        self.values[row * self.xs.len() + column]
    }

    /// The segments of one square.
    fn cross(&self, level: f64, column: usize, row: usize, segments: &mut Vec<Segment>) {
        let corners = [(0, 0), (1, 0), (1, 1), (0, 1)];
        let values = corners.map(|(right, up)| self.value(column + right, row + up));
        if values.iter().any(|value| !value.is_finite()) {
            return;
        }
        let below = values.map(|value| value < level);
        // Around the square: below, right, above, left.
        let edges = [
            (column, row, false),
            (column + 1, row, true),
            (column, row + 1, false),
            (column, row, true),
        ];
        let crossed: Vec<Edge> =
            (0..4).filter(|&i| below[i] != below[(i + 1) % 4]).map(|i| edges[i]).collect();
        match crossed[..] {
            [a, b] => segments.push([a, b]),
            // A saddle: the corners like the middle are joined.
            [a, b, c, d] => {
                let middle = values.iter().sum::<f64>() / 4.0 < level;
                let pairs = if middle == below[0] { [[a, b], [c, d]] } else { [[d, a], [b, c]] };
                segments.extend(pairs);
            }
            _ => {}
        }
    }

    /// Where a level crosses an edge, if values go evenly from corner to corner.
    fn place(&self, level: f64, (column, row, is_up): Edge) -> (f64, f64) {
        let (right, up) = if is_up { (0, 1) } else { (1, 0) };
        let (a, b) = (self.value(column, row), self.value(column + right, row + up));
        let share = (level - a) / (b - a);
        let between =
            |list: &[f64], i: usize, next: usize| list[i] + share * (list[i + next] - list[i]);
        (between(&self.xs, column, right), between(&self.ys, row, up))
    }
}

/// Joins segments with a common edge.
fn chains(segments: &[Segment]) -> Vec<Vec<Edge>> {
    let mut at: HashMap<Edge, Vec<usize>> = HashMap::new();
    for (number, segment) in segments.iter().enumerate() {
        segment.iter().for_each(|&edge| at.entry(edge).or_default().push(number));
    }
    let mut used = vec![false; segments.len()];
    let mut walk = |from: Edge, line: &mut Vec<Edge>| {
        let mut edge = from;
        while let Some(&next) = at[&edge].iter().find(|&&number| !used[number]) {
            used[next] = true;
            let [a, b] = segments[next];
            edge = if a == edge { b } else { a };
            line.push(edge);
        }
    };
    let mut lines = Vec::new();
    for &[first, _] in segments {
        let mut line = vec![first];
        walk(first, &mut line);
        // The other way, for a line that does not close.
        line.reverse();
        walk(first, &mut line);
        if line.len() > 1 {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(count: usize, f: impl Fn(f64, f64) -> f64) -> Grid {
        let places: Vec<f64> =
            (0..count).map(|i| 2.0 * i as f64 / (count - 1) as f64 - 1.0).collect();
        let values =
            places.iter().flat_map(|&y| places.iter().map(|&x| f(x, y)).collect::<Vec<_>>());
        Grid { values: values.collect(), xs: places.clone(), ys: places }
    }

    #[test]
    fn the_contour_of_a_cone_is_one_closed_circle() {
        let lines = grid(81, |x, y| x.hypot(y)).contours(0.5);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        // Squares of width 1/40 cut corners by less than (1/40)^2.
        assert!(lines[0].iter().all(|(x, y)| (x.hypot(*y) - 0.5).abs() < 1e-3), "{lines:?}");
    }

    #[test]
    fn a_line_that_leaves_the_grid_is_one_line() {
        let lines = grid(11, |x, y| x - 0.5 * y).contours(0.03);
        assert_eq!(lines.len(), 1);
        // Linear functions are met exactly, up to rounding.
        assert!(lines[0].iter().all(|(x, y)| (x - 0.5 * y - 0.03).abs() < 1e-15), "{lines:?}");
        assert_eq!(lines[0].len(), 11 + 5);
    }

    #[test]
    fn two_valleys_have_two_contours_and_a_saddle_is_not_crossed_twice() {
        let valleys = grid(41, |x, y| (x * x - 0.3).powi(2) + y * y);
        assert_eq!(valleys.contours(0.08).len(), 2);
        assert_eq!(valleys.contours(0.1).len(), 1);
        assert_eq!(grid(2, |x, y| x * y).contours(0.1).len(), 2);
    }

    #[test]
    fn squares_without_a_finite_value_are_left_out() {
        assert!(grid(3, |x, y| (x + y) / 0.0).contours(0.5).is_empty());
    }
}
