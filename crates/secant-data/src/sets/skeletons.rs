//! The hand-designed pen strokes of the ten digits, several ways of writing each.
//!
//! Points lie in a box of width and height 1, `y` down. Strokes name points by number, so two
//! strokes that share a point stay joined when the points are moved.

use super::strokes::Point;

/// One movement of the pen through numbered points.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stroke {
    /// Straight from point to point.
    Straight(&'static [usize]),
    /// Round through the points.
    Round(&'static [usize]),
}

/// One way of writing a digit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Skeleton {
    /// The points the strokes go through.
    pub(super) points: &'static [Point],
    /// The strokes.
    pub(super) strokes: &'static [Stroke],
}

use Stroke::{Round, Straight};

/// The ways of writing `digit`, a number from 0 to 9.
pub(super) fn variants(digit: usize) -> &'static [Skeleton] {
    VARIANTS[digit]
}

static VARIANTS: [&[Skeleton]; 10] = [ZERO, ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT, NINE];

#[rustfmt::skip]
static ZERO: &[Skeleton] = &[
    Skeleton {
        points: &[[0.50, 0.00], [0.76, 0.16], [0.84, 0.50], [0.76, 0.84], [0.50, 1.00], [0.24, 0.84], [0.16, 0.50], [0.24, 0.16]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6, 7, 0])],
    },
    // The pen starts inside and overshoots.
    Skeleton {
        points: &[[0.62, 0.05], [0.35, 0.08], [0.20, 0.45], [0.28, 0.85], [0.50, 1.00], [0.75, 0.82], [0.80, 0.45], [0.68, 0.12], [0.44, 0.02]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6, 7, 8])],
    },
];

#[rustfmt::skip]
static ONE: &[Skeleton] = &[
    Skeleton {
        points: &[[0.50, 0.00], [0.50, 0.50], [0.50, 1.00]],
        strokes: &[Round(&[0, 1, 2])],
    },
    Skeleton {
        points: &[[0.28, 0.27], [0.55, 0.00], [0.55, 1.00]],
        strokes: &[Straight(&[0, 1, 2])],
    },
    Skeleton {
        points: &[[0.30, 0.22], [0.52, 0.00], [0.52, 1.00], [0.26, 1.00], [0.78, 1.00]],
        strokes: &[Straight(&[0, 1, 2]), Straight(&[3, 2, 4])],
    },
];

#[rustfmt::skip]
static TWO: &[Skeleton] = &[
    Skeleton {
        points: &[[0.20, 0.24], [0.32, 0.05], [0.55, 0.00], [0.76, 0.12], [0.77, 0.33], [0.58, 0.60], [0.18, 1.00], [0.84, 1.00]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6]), Straight(&[6, 7])],
    },
    // With a loop at the foot.
    Skeleton {
        points: &[[0.22, 0.20], [0.42, 0.01], [0.70, 0.08], [0.74, 0.34], [0.54, 0.68], [0.30, 0.95], [0.14, 0.92], [0.26, 0.78], [0.50, 0.88], [0.88, 0.98]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])],
    },
];

#[rustfmt::skip]
static THREE: &[Skeleton] = &[
    Skeleton {
        points: &[[0.20, 0.12], [0.48, 0.00], [0.76, 0.13], [0.72, 0.36], [0.44, 0.47], [0.74, 0.56], [0.82, 0.77], [0.62, 0.97], [0.38, 1.00], [0.16, 0.87]],
        strokes: &[Round(&[0, 1, 2, 3, 4]), Round(&[4, 5, 6, 7, 8, 9])],
    },
    // With a flat top.
    Skeleton {
        points: &[[0.20, 0.00], [0.78, 0.00], [0.46, 0.40], [0.74, 0.50], [0.82, 0.75], [0.60, 0.98], [0.36, 1.00], [0.16, 0.88]],
        strokes: &[Straight(&[0, 1, 2]), Round(&[2, 3, 4, 5, 6, 7])],
    },
];

#[rustfmt::skip]
static FOUR: &[Skeleton] = &[
    // Open.
    Skeleton {
        points: &[[0.30, 0.00], [0.18, 0.58], [0.88, 0.58], [0.66, 0.22], [0.64, 1.00]],
        strokes: &[Straight(&[0, 1, 2]), Straight(&[3, 4])],
    },
    // Closed.
    Skeleton {
        points: &[[0.64, 0.00], [0.12, 0.66], [0.64, 0.66], [0.88, 0.66], [0.64, 1.00]],
        strokes: &[Straight(&[0, 1, 2, 3]), Straight(&[0, 2, 4])],
    },
    // Open and round.
    Skeleton {
        points: &[[0.20, 0.02], [0.18, 0.36], [0.36, 0.54], [0.74, 0.48], [0.78, 0.00], [0.70, 1.00]],
        strokes: &[Round(&[0, 1, 2, 3]), Straight(&[4, 3, 5])],
    },
];

#[rustfmt::skip]
static FIVE: &[Skeleton] = &[
    Skeleton {
        points: &[[0.80, 0.00], [0.28, 0.00], [0.24, 0.42], [0.50, 0.36], [0.78, 0.50], [0.80, 0.77], [0.58, 0.98], [0.34, 1.00], [0.16, 0.88]],
        strokes: &[Straight(&[0, 1, 2]), Round(&[2, 3, 4, 5, 6, 7, 8])],
    },
    // In one sweep.
    Skeleton {
        points: &[[0.82, 0.00], [0.44, 0.02], [0.28, 0.16], [0.30, 0.38], [0.60, 0.45], [0.80, 0.66], [0.66, 0.94], [0.40, 1.00], [0.16, 0.92]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6, 7, 8])],
    },
];

#[rustfmt::skip]
static SIX: &[Skeleton] = &[
    Skeleton {
        points: &[[0.72, 0.02], [0.42, 0.20], [0.24, 0.50], [0.22, 0.80], [0.45, 1.00], [0.74, 0.92], [0.80, 0.70], [0.60, 0.52], [0.36, 0.58]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 3])],
    },
    // With a straight stem.
    Skeleton {
        points: &[[0.54, 0.00], [0.32, 0.35], [0.20, 0.72], [0.34, 0.97], [0.62, 0.98], [0.78, 0.78], [0.62, 0.58], [0.38, 0.60]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6, 7, 2])],
    },
];

#[rustfmt::skip]
static SEVEN: &[Skeleton] = &[
    Skeleton {
        points: &[[0.16, 0.00], [0.82, 0.00], [0.42, 1.00]],
        strokes: &[Straight(&[0, 1, 2])],
    },
    // With a bar.
    Skeleton {
        points: &[[0.16, 0.00], [0.82, 0.00], [0.60, 0.52], [0.40, 1.00], [0.34, 0.52], [0.84, 0.52]],
        strokes: &[Straight(&[0, 1, 2, 3]), Straight(&[4, 2, 5])],
    },
    // With a serif and a bent stem.
    Skeleton {
        points: &[[0.16, 0.16], [0.16, 0.00], [0.84, 0.00], [0.60, 0.34], [0.48, 0.68], [0.45, 1.00]],
        strokes: &[Straight(&[0, 1, 2]), Round(&[2, 3, 4, 5])],
    },
];

#[rustfmt::skip]
static EIGHT: &[Skeleton] = &[
    // Two rings.
    Skeleton {
        points: &[[0.50, 0.00], [0.74, 0.11], [0.74, 0.33], [0.50, 0.45], [0.26, 0.33], [0.26, 0.11], [0.80, 0.60], [0.80, 0.86], [0.50, 1.00], [0.20, 0.86], [0.20, 0.60]],
        strokes: &[Round(&[3, 4, 5, 0, 1, 2, 3]), Round(&[3, 6, 7, 8, 9, 10, 3])],
    },
    // In one sweep.
    Skeleton {
        points: &[[0.74, 0.12], [0.50, 0.00], [0.25, 0.14], [0.32, 0.36], [0.66, 0.56], [0.82, 0.78], [0.52, 1.00], [0.20, 0.82], [0.36, 0.56], [0.70, 0.34]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0])],
    },
];

#[rustfmt::skip]
static NINE: &[Skeleton] = &[
    // With a straight stem.
    Skeleton {
        points: &[[0.50, 0.00], [0.74, 0.10], [0.78, 0.28], [0.54, 0.48], [0.26, 0.40], [0.24, 0.12], [0.72, 1.00]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 0]), Straight(&[2, 6])],
    },
    // With a bent tail.
    Skeleton {
        points: &[[0.50, 0.00], [0.74, 0.10], [0.79, 0.28], [0.54, 0.48], [0.26, 0.38], [0.26, 0.12], [0.76, 0.62], [0.60, 0.92], [0.28, 0.98]],
        strokes: &[Round(&[0, 1, 2, 3, 4, 5, 0]), Round(&[1, 2, 6, 7, 8])],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stroke_names_points_that_exist_and_every_point_is_used() {
        for digit in 0..10 {
            for skeleton in variants(digit) {
                let mut used = vec![false; skeleton.points.len()];
                for stroke in skeleton.strokes {
                    let (Straight(path) | Round(path)) = stroke;
                    assert!(path.len() >= 2);
                    path.iter().for_each(|&point| used[point] = true);
                }
                assert!(used.iter().all(|&u| u), "digit {digit}");
            }
        }
    }

    #[test]
    fn every_point_lies_in_the_unit_box() {
        let points = (0..10).flat_map(variants).flat_map(|s| s.points).flatten();
        assert!(points.copied().all(|x| (0.0..=1.0).contains(&x)));
    }
}
