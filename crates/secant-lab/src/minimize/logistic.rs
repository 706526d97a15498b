//! Logistic regression on sparse records.

use std::ops::Range;

use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;
use secant::Function;

use super::exponential::exp_of_negative;
use secant_data::libsvm::SparseRows;

/// The mean of log(1 + exp(-y x'w)) over records x of class y = -1 or 1, plus l2/2 |w|^2.
///
/// An evaluation is one pass over the records, which are cut into parts by their number alone; the
/// parts' sums are added in order. So the results do not depend on the number of threads.
#[derive(Clone, Debug)]
pub struct Logistic {
    rows: SparseRows,
    /// Whether all entries are 1, so that nothing need be multiplied.
    is_binary: bool,
    l2: f64,
    parts: Vec<Part>,
}

/// Some rows, and their share of the sums.
#[derive(Clone, Debug)]
struct Part {
    rows: Range<usize>,
    loss: f64,
    gradient: Vec<f64>,
}

/// Rows that are treated at once: their margins stay in the nearest cache.
const TILE: usize = 128;
/// Rows side by side in a vector.
const LANES: usize = 8;
/// Entries worth a part of their own.
const PART: usize = 16 * 1024;
/// The most parts.
const MOST_PARTS: usize = 64;
/// Numbers of a gradient that one task adds up.
const COLUMNS: usize = 8 * 1024;

impl Logistic {
    /// The function of some records.
    pub fn new(rows: SparseRows, l2: f64) -> Self {
        let is_binary = rows.values.iter().all(|&value| value == 1.0);
        let rows = by_length(&rows);
        let parts = parts(&rows);
        Self { rows, is_binary, l2, parts }
    }

    /// The number of parameters.
    pub fn dimension(&self) -> usize {
        self.rows.width
    }

    /// Runs one pass of every part; then `out` is the mean of the parts' gradients plus l2 `decayed`. The
    /// mean of the losses.
    fn pass(
        &mut self,
        decayed: &[f64],
        out: &mut [f64],
        run: impl Fn(&mut Part, Matrix<'_>) + Sync,
    ) -> f64 {
        let Self { rows, is_binary, l2, parts } = self;
        let count = rows.signs.len() as f64;
        let values = (!*is_binary).then_some(rows.values.as_slice());
        let matrix = Matrix { rows, values };
        parts.par_iter_mut().for_each(|part| {
            part.gradient.fill(0.0);
            run(part, matrix);
        });
        out.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, out)| {
            let columns = chunk * COLUMNS..chunk * COLUMNS + out.len();
            out.fill(0.0);
            for part in &*parts {
                out.iter_mut().zip(&part.gradient[columns.clone()]).for_each(|(o, g)| *o += g);
            }
            out.iter_mut().zip(&decayed[columns]).for_each(|(o, w)| *o = *o / count + *l2 * w);
        });
        parts.iter().map(|part| part.loss).sum::<f64>() / count
    }
}

impl Function for Logistic {
    fn gradient(&mut self, w: &[f64], gradient: &mut [f64]) -> f64 {
        let loss = self.pass(w, gradient, |part, matrix| {
            Arch::new().dispatch(Evaluate { part, matrix, w });
        });
        loss + 0.5 * self.l2 * w.iter().map(|w| w * w).sum::<f64>()
    }

    fn hessian_vector(&mut self, w: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        self.pass(v, product, |part, matrix| {
            Arch::new().dispatch(Multiply { part, matrix, w, v });
        });
        true
    }
}

/// The rows with the shortest first: loops over neighbours then end alike, which the processor foresees.
fn by_length(rows: &SparseRows) -> SparseRows {
    let entries = |row: usize| rows.starts[row]..rows.starts[row + 1];
    let mut order: Vec<usize> = (0..rows.signs.len()).collect();
    order.sort_by_key(|&row| entries(row).len());
    let mut starts = vec![0];
    starts.extend(order.iter().scan(0, |end, &row| {
        *end += entries(row).len();
        Some(*end)
    }));
    SparseRows {
        signs: order.iter().map(|&row| rows.signs[row]).collect(),
        starts,
        columns: order.iter().flat_map(|&row| &rows.columns[entries(row)]).copied().collect(),
        values: order.iter().flat_map(|&row| &rows.values[entries(row)]).copied().collect(),
        width: rows.width,
    }
}

/// Rows of about equally many entries. A part costs as much as the gradient is long, so there are
/// few where that is long.
fn parts(rows: &SparseRows) -> Vec<Part> {
    let count = rows.signs.len();
    let work = |row: usize| rows.starts[row] + row;
    let most = work(count);
    let wanted = (most / PART.max(rows.width)).clamp(1, MOST_PARTS);
    let mut parts = Vec::with_capacity(wanted);
    let mut begin = 0;
    for number in 1..=wanted {
        let mut end = begin;
        while end < count && work(end) * wanted < most * number {
            end += 1;
        }
        parts.push(Part { rows: begin..end, loss: 0.0, gradient: vec![0.0; rows.width] });
        begin = end;
    }
    parts
}

/// The records as a matrix; without values all entries are 1.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    rows: &'a SparseRows,
    values: Option<&'a [f64]>,
}

impl Matrix<'_> {
    /// x'w of every row x.
    #[inline(always)]
    fn dots(&self, rows: Range<usize>, w: &[f64], out: &mut [f64; TILE]) {
        for (row, out) in rows.zip(out) {
            let entries = self.rows.starts[row]..self.rows.starts[row + 1];
            let columns = &self.rows.columns[entries.clone()];
            *out = match self.values {
                None => columns.iter().map(|&column| w[column as usize]).sum(),
                Some(values) => {
                    let products = columns.iter().zip(&values[entries]);
                    products.map(|(&column, value)| value * w[column as usize]).sum()
                }
            };
        }
    }

    /// out <- out + the sum of the rows times their factors.
    #[inline(always)]
    fn add_rows(&self, rows: Range<usize>, factors: &[f64; TILE], out: &mut [f64]) {
        for (row, &factor) in rows.zip(factors) {
            let entries = self.rows.starts[row]..self.rows.starts[row + 1];
            let columns = &self.rows.columns[entries.clone()];
            match self.values {
                None => columns.iter().for_each(|&column| out[column as usize] += factor),
                Some(values) => {
                    let entries = columns.iter().zip(&values[entries]);
                    entries.for_each(|(&column, value)| out[column as usize] += factor * value);
                }
            }
        }
    }

    /// Multiplies by the classes.
    #[inline(always)]
    fn sign(&self, rows: Range<usize>, numbers: &mut [f64; TILE]) {
        numbers.iter_mut().zip(&self.rows.signs[rows]).for_each(|(number, sign)| *number *= sign);
    }
}

/// The rows of a part, tile by tile.
fn tiles(rows: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let end = rows.end;
    rows.clone().step_by(TILE).map(move |begin| begin..end.min(begin + TILE))
}

/// The losses of a part and their gradient. A struct, so that dispatch compiles all of it for the
/// vector instructions at hand.
struct Evaluate<'a> {
    part: &'a mut Part,
    matrix: Matrix<'a>,
    w: &'a [f64],
}

impl NullaryFnOnce for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { part, matrix, w } = self;
        part.loss = 0.0;
        for rows in tiles(&part.rows) {
            // Beyond the last row: a loss of 0.
            let mut margins = [f64::INFINITY; TILE];
            matrix.dots(rows.clone(), w, &mut margins);
            matrix.sign(rows.clone(), &mut margins);
            part.loss += losses(&mut margins);
            matrix.sign(rows.clone(), &mut margins);
            matrix.add_rows(rows, &margins, &mut part.gradient);
        }
    }
}

/// The sum of log(1 + exp(-m)) over margins m, which become its derivatives.
///
/// With e = exp(-|m|) a loss is max(-m, 0) + log(1 + e). The logarithms are taken at once, of the
/// product of all 1 + e, which is at most 2^128; what 1 + e loses to rounding is added again.
#[inline(always)]
fn losses(margins: &mut [f64; TILE]) -> f64 {
    let (mut sums, mut factors) = ([0.0; LANES], [1.0; LANES]);
    let (lanes, _) = margins.as_chunks_mut::<LANES>();
    for lane in lanes {
        for ((m, sum), factor) in lane.iter_mut().zip(&mut sums).zip(&mut factors) {
            let e = exp_of_negative(-m.abs());
            let one_and_e = 1.0 + e;
            let inverse = 1.0 / one_and_e;
            // Not `max`, which would lose a NaN.
            *sum += if *m > 0.0 { 0.0 } else { -*m };
            *sum += (e - (one_and_e - 1.0)) * inverse;
            *factor *= one_and_e;
            *m = if *m > 0.0 { -e * inverse } else { -inverse };
        }
    }
    factors.iter().product::<f64>().ln() + sums.iter().sum::<f64>()
}

/// The Hessian of a part's losses times a vector.
struct Multiply<'a> {
    part: &'a mut Part,
    matrix: Matrix<'a>,
    w: &'a [f64],
    v: &'a [f64],
}

impl NullaryFnOnce for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { part, matrix, w, v } = self;
        for rows in tiles(&part.rows) {
            let (mut margins, mut along) = ([0.0; TILE], [0.0; TILE]);
            matrix.dots(rows.clone(), w, &mut margins);
            matrix.dots(rows.clone(), v, &mut along);
            // The second derivative is e / (1 + e)^2 for either class.
            for (along, m) in along.iter_mut().zip(&margins) {
                let e = exp_of_negative(-m.abs());
                *along *= e / ((1.0 + e) * (1.0 + e));
            }
            matrix.add_rows(rows, &along, &mut part.gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use secant_core::rng::SplitMix64;

    use super::*;
    use crate::minimize::testing::{assert_derivatives, gradient_of};

    /// Random rows of which some are empty.
    fn rows(count: usize, width: usize, is_binary: bool) -> SparseRows {
        let mut random = SplitMix64::new(5);
        let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for _ in 0..count {
            let chosen: Vec<usize> = (0..width).filter(|_| random.below(4) == 0).collect();
            for column in chosen {
                columns.push(column as u32);
                values.push(if is_binary { 1.0 } else { f64::from(random.bell()) });
            }
            starts.push(columns.len());
        }
        let signs = (0..count).map(|_| if random.below(3) == 0 { 1.0 } else { -1.0 }).collect();
        SparseRows { signs, starts, columns, values, width }
    }

    fn point(width: usize) -> Vec<f64> {
        let mut random = SplitMix64::new(6);
        (0..width).map(|_| 0.7 * f64::from(random.bell())).collect()
    }

    /// Value and gradient from the definition, with dense rows.
    fn plain(rows: &SparseRows, l2: f64, w: &[f64]) -> (f64, Vec<f64>) {
        let count = rows.signs.len() as f64;
        let mut value = 0.5 * l2 * w.iter().map(|w| w * w).sum::<f64>();
        let mut gradient: Vec<f64> = w.iter().map(|w| l2 * w).collect();
        for (row, y) in rows.signs.iter().enumerate() {
            let mut x = vec![0.0; rows.width];
            for entry in rows.starts[row]..rows.starts[row + 1] {
                x[rows.columns[entry] as usize] = rows.values[entry];
            }
            let margin = y * x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
            value += (-margin).exp().ln_1p() / count;
            let slope = -y / (1.0 + margin.exp()) / count;
            gradient.iter_mut().zip(&x).for_each(|(g, x)| *g += slope * x);
        }
        (value, gradient)
    }

    #[test]
    fn its_derivatives_are_those_of_its_value() {
        for is_binary in [false, true] {
            let mut logistic = Logistic::new(rows(300, 7, is_binary), 0.1);
            assert_derivatives(&mut logistic, &point(7));
        }
    }

    #[test]
    fn it_is_what_dense_rows_give() {
        // Enough entries for several parts, with a last tile that is not full.
        for (count, is_binary) in [(1, true), (129, false), (9001, false), (9001, true)] {
            let rows = rows(count, 40, is_binary);
            let w = point(40);
            let (value, gradient) = plain(&rows, 0.01, &w);
            let (found, found_gradient) = gradient_of(&mut Logistic::new(rows, 0.01), &w);
            // Sums of up to 9001 terms, in another order.
            assert!((found / value - 1.0).abs() < 1e-13, "{found} is not {value}");
            for (a, b) in found_gradient.iter().zip(&gradient) {
                assert!((a - b).abs() < 1e-14, "{a} is not {b}");
            }
        }
    }

    #[test]
    fn every_row_is_in_one_part() {
        for (count, width) in [(1, 1), (9001, 40), (20_000, 3)] {
            let logistic = Logistic::new(rows(count, width, true), 0.0);
            let mut end = 0;
            for part in &logistic.parts {
                assert_eq!(part.rows.start, end);
                end = part.rows.end;
            }
            assert_eq!(end, count);
            assert!(count < 9001 || logistic.parts.len() > 1, "{}", logistic.parts.len());
        }
    }

    #[test]
    fn one_thread_and_two_give_the_same_bits() {
        let w = point(40);
        let bits = |threads: usize| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let mut logistic = Logistic::new(rows(9001, 40, false), 0.01);
            pool.install(|| {
                let (value, gradient) = gradient_of(&mut logistic, &w);
                let mut product = vec![0.0; 40];
                assert!(logistic.hessian_vector(&w, &w, &mut product));
                (
                    value.to_bits(),
                    [gradient, product].concat().iter().map(|x| x.to_bits()).collect(),
                )
            })
        };
        let (one, two): ((u64, Vec<u64>), _) = (bits(1), bits(2));
        assert_eq!(one, two);
    }

    #[test]
    fn far_margins_have_exact_losses_and_a_nan_is_not_lost() {
        let mut margins = [f64::INFINITY; TILE];
        margins[..3].copy_from_slice(&[-1000.0, 1000.0, 40.0]);
        // log(1 + e) is e there, to a relative 1e-17.
        let expected = 1000.0 + (-40.0f64).exp();
        assert_eq!(losses(&mut margins), expected);
        assert_eq!(margins[0], -1.0);
        let mut margins = [f64::INFINITY; TILE];
        margins[5] = 40.0;
        let loss = losses(&mut margins);
        assert!((loss / (-40.0f64).exp() - 1.0).abs() < 1e-14, "{loss}");
        margins[77] = f64::NAN;
        assert!(losses(&mut margins).is_nan() && margins[77].is_nan());
    }
}
