//! Drawing pen strokes on a small grey canvas, with soft edges.

/// A place on the canvas in pixels, `[x, y]`, from the upper left corner.
pub(super) type Point = [f32; 2];

/// Straight pieces a curve is drawn with between two of its points.
const PIECES: usize = 5;

/// A square grey image; ink is 1, paper 0.
pub(super) struct Canvas {
    side: usize,
    pixels: Vec<f32>,
}

impl Canvas {
    /// An empty canvas of `side` by `side` pixels.
    pub(super) fn new(side: usize) -> Self {
        Self { side, pixels: vec![0.0; side * side] }
    }

    /// Draws the pieces between neighbouring points of `path` with a round pen. Ink does not add up
    /// where strokes cross.
    pub(super) fn draw(&mut self, path: &[Point], radius: f32, ink: f32) {
        for ends in path.windows(2) {
            self.draw_segment(ends[0], ends[1], radius, ink);
        }
    }

    fn draw_segment(&mut self, a: Point, b: Point, radius: f32, ink: f32) {
        let reach = radius + 0.5;
        let (left, right) = self.pixel_range(a[0].min(b[0]) - reach, a[0].max(b[0]) + reach);
        let (top, bottom) = self.pixel_range(a[1].min(b[1]) - reach, a[1].max(b[1]) + reach);
        for row in top..bottom {
            for column in left..right {
                let center = [column as f32 + 0.5, row as f32 + 0.5];
                let cover = (reach - distance(center, a, b)).clamp(0.0, 1.0);
                let pixel = &mut self.pixels[row * self.side + column];
                *pixel = pixel.max(cover * ink);
            }
        }
    }

    /// The pixels touched between two coordinates, as a range cut off at the edges.
    fn pixel_range(&self, low: f32, high: f32) -> (usize, usize) {
        // A float to integer cast in Rust saturates, so negative numbers become 0.
        ((low.floor()) as usize, (high.ceil() as usize).min(self.side))
    }

    /// The pixels, row after row.
    pub(super) fn into_pixels(self) -> Vec<f32> {
        self.pixels
    }
}

/// The distance of `p` from the straight piece between `a` and `b`.
fn distance(p: Point, a: Point, b: Point) -> f32 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let to = [p[0] - a[0], p[1] - a[1]];
    let length_squared = along[0] * along[0] + along[1] * along[1];
    let t = if length_squared > 0.0 {
        ((to[0] * along[0] + to[1] * along[1]) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let off = [to[0] - t * along[0], to[1] - t * along[1]];
    (off[0] * off[0] + off[1] * off[1]).sqrt()
}

/// A smooth path through all `points` (a Catmull-Rom spline); closed where the first point is also
/// the last.
pub(super) fn smooth(points: &[Point]) -> Vec<Point> {
    let count = points.len();
    if count < 3 {
        return points.to_vec();
    }
    let closed = points[0] == points[count - 1];
    let before = if closed { points[count - 2] } else { points[0] };
    let after = if closed { points[1] } else { points[count - 1] };
    let mut path = vec![points[0]];
    for span in 0..count - 1 {
        let p0 = if span == 0 { before } else { points[span - 1] };
        let p3 = if span + 2 < count { points[span + 2] } else { after };
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            path.push([0, 1].map(|axis| {
                spline(p0[axis], points[span][axis], points[span + 1][axis], p3[axis], t)
            }));
        }
    }
    path
}

/// The Catmull-Rom polynomial: `b` at `t = 0`, `c` at `t = 1`.
fn spline(a: f32, b: f32, c: f32, d: f32, t: f32) -> f32 {
    let linear = c - a;
    let square = 2.0 * a - 5.0 * b + 4.0 * c - d;
    let cube = 3.0 * (b - c) + d - a;
    0.5 * (2.0 * b + t * (linear + t * (square + t * cube)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horizontal_stroke_inks_its_row_and_fades_beside_it() {
        let mut canvas = Canvas::new(5);
        canvas.draw(&[[-1.0, 2.5], [6.0, 2.5]], 0.75, 0.8);
        let pixels = canvas.into_pixels();
        assert_eq!(pixels[2 * 5 + 2], 0.8);
        assert!((pixels[5 + 2] - 0.25 * 0.8).abs() < 1e-6, "{}", pixels[5 + 2]);
        assert_eq!(pixels[2], 0.0);
    }

    #[test]
    fn a_stroke_outside_the_canvas_leaves_no_ink() {
        let mut canvas = Canvas::new(4);
        canvas.draw(&[[-9.0, -9.0], [-5.0, -5.0]], 1.0, 1.0);
        canvas.draw(&[[9.0, 9.0], [50.0, 5.0]], 1.0, 1.0);
        assert_eq!(canvas.into_pixels(), vec![0.0; 16]);
    }

    #[test]
    fn a_smooth_path_goes_through_all_its_points() {
        let points = [[0.0, 0.0], [1.0, 3.0], [4.0, 2.0], [5.0, 7.0]];
        let path = smooth(&points);
        for (span, point) in points.iter().enumerate() {
            assert_eq!(path[span * PIECES], *point);
        }
    }

    #[test]
    fn a_closed_path_has_no_corner_where_it_closes() {
        let diamond = [[1.0, 0.0], [2.0, 1.0], [1.0, 2.0], [0.0, 1.0], [1.0, 0.0]];
        let path = smooth(&diamond);
        let (first, last) = (path[1], path[path.len() - 2]);
        // By symmetry the two pieces at the top run level with each other.
        assert!((first[1] - last[1]).abs() < 1e-6);
        assert!((first[0] - 1.0 + (last[0] - 1.0)).abs() < 1e-6);
    }
}
