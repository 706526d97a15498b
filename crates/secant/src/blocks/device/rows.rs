//! Passes over rows on a device.

use burn::tensor::{DType, Tensor};

use super::{Value, read_together};
use crate::blocks::Blocks;

/// The products of some rows with some vectors.
pub(in crate::blocks) fn row_products(rows: &[&Blocks], vectors: &[&Blocks]) -> Vec<Vec<f64>> {
    let product = |row: &Blocks, vector: &Blocks| {
        let both = row.device().iter().zip(vector.device());
        let of_tensors = both.map(|(a, b)| (wide(a.tensor()) * wide(b.tensor())).sum());
        of_tensors.reduce(|sum, part| sum + part).map_or(Value::Number(0.0), Value::Vector)
    };
    let products = vectors.iter().flat_map(|v| rows.iter().map(|row| product(row, v)));
    read_together(products.collect()).chunks(rows.len()).map(<[f64]>::to_vec).collect()
}

/// out <- scale base + the sum of the rows times their coefficients.
pub(in crate::blocks) fn combine_rows(
    out: &mut Blocks,
    scale: f64,
    base: &Blocks,
    rows: &[(&Blocks, f64)],
) -> [f64; 2] {
    let rows: Vec<_> = rows.iter().map(|(row, coefficient)| (row.device(), *coefficient)).collect();
    let mut sums: [Option<Tensor<1>>; 2] = [None, None];
    for (tensor, (out, base)) in out.device_mut().iter_mut().zip(base.device()).enumerate() {
        let base = wide(base.tensor());
        let add = |total, (row, coefficient): &(&[super::DeviceVector], f64)| {
            total + wide(row[tensor].tensor()) * *coefficient
        };
        let total = rows.iter().fold(base.clone() * scale, add).cast(out.dtype());
        out.set(Value::Vector(total.clone()));
        let total = wide(total);
        for (sum, other) in sums.iter_mut().zip([base, total.clone()]) {
            let part = (total.clone() * other).sum();
            *sum = Some(sum.take().map_or(part.clone(), |sum| sum + part));
        }
    }
    let sums = sums.map(|sum| sum.map_or(Value::Number(0.0), Value::Vector));
    let read = read_together(sums.into());
    [read[0], read[1]]
}

fn wide(tensor: Tensor<1>) -> Tensor<1> {
    tensor.cast(DType::F64)
}
