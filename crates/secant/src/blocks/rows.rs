//! Passes over many vectors at once: the rows of a quasi-Newton memory.
//!
//! Both passes read every row once, whatever the number of rows: the inner products of all rows with a
//! few vectors, and a combination of all rows. Sums and combinations are in `f64`; a combination is
//! rounded to the vectors' type once, at the end.

use super::{Blocks, Buffers, device, host};

/// `products[v][r]` = `rows[r]`.`vectors[v]`, each row read once.
///
/// All blocks have the same layout.
///
/// # Panics
/// Where they are not in the same memory.
pub fn row_products(rows: &[&Blocks], vectors: &[&Blocks]) -> Vec<Vec<f64>> {
    let (Some(first), false) = (vectors.first(), rows.is_empty()) else {
        return vec![Vec::new(); vectors.len()];
    };
    match first.buffers {
        Buffers::Host(_) => host::row_products(rows, vectors),
        Buffers::Device(_) => device::row_products(rows, vectors),
    }
}

/// out <- scale base + sum `coefficients[r]` `rows[r]`, each row read once; returns out.base and
/// out.out.
///
/// All blocks have the same layout; rows with a coefficient of 0 are not read.
///
/// # Panics
/// Where the blocks are not in the same memory.
pub fn combine_rows(
    out: &mut Blocks,
    scale: f64,
    base: &Blocks,
    rows: &[&Blocks],
    coefficients: &[f64],
) -> [f64; 2] {
    let rows = rows.iter().copied().zip(coefficients.iter().copied());
    let used: Vec<(&Blocks, f64)> = rows.filter(|(_, coefficient)| *coefficient != 0.0).collect();
    match base.buffers {
        Buffers::Host(_) => host::combine_rows(out, scale, base, &used),
        Buffers::Device(_) => device::combine_rows(out, scale, base, &used),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::blocks::Real;

    /// Two tensors, the second longer than a chunk of the host; small integers, whose sums are exact.
    fn blocks<T: Real>(seed: usize) -> Blocks {
        let tensor = |length: usize| {
            let numbers = (0..length).map(|i| T::of(((i * 7 + seed * 5) % 11) as f64 - 5.0));
            TensorData::new(numbers.collect::<Vec<T>>(), [length])
        };
        Blocks::new(vec![tensor(5), tensor(20_000)])
    }

    fn numbers(blocks: &Blocks) -> Vec<f64> {
        blocks.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect()
    }

    fn check<T: Real>() {
        let vectors = [blocks::<T>(100), blocks::<T>(101)];
        for count in [0, 1, 3, 4, 9] {
            let rows: Vec<Blocks> = (0..count).map(blocks::<T>).collect();
            let rows: Vec<&Blocks> = rows.iter().collect();
            let products = row_products(&rows, &[&vectors[0], &vectors[1]]);
            let plain = |a: &Blocks, b: &Blocks| -> f64 {
                numbers(a).iter().zip(numbers(b)).map(|(a, b)| a * b).sum()
            };
            for (products, vector) in products.iter().zip(&vectors) {
                let expected: Vec<f64> = rows.iter().map(|row| plain(row, vector)).collect();
                assert_eq!(*products, expected);
            }
            let coefficients: Vec<f64> = (0..count).map(|r| r as f64 - 1.0).collect();
            let mut out = blocks::<T>(7);
            let sums = combine_rows(&mut out, 0.5, &vectors[0], &rows, &coefficients);
            let mut expected: Vec<f64> = numbers(&vectors[0]).iter().map(|x| 0.5 * x).collect();
            for (row, coefficient) in rows.iter().zip(&coefficients) {
                expected.iter_mut().zip(numbers(row)).for_each(|(e, x)| *e += coefficient * x);
            }
            assert_eq!(numbers(&out), expected);
            assert_eq!(sums, [plain(&out, &vectors[0]), plain(&out, &out)]);
        }
    }

    #[test]
    fn products_and_combinations_are_those_of_plain_loops() {
        check::<f32>();
        check::<f64>();
    }
}
