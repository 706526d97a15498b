//! A model of matrices, kernels and vectors whose gradients are given, and small dense matrices.

use burn::{
    module::{Module, Param},
    tensor::{DType, Tensor},
};

use crate::support::{Numbers, Vectors, numbers, sum, vector};

/// Matrices, kernels and vectors, in this order.
#[derive(Module, Debug)]
pub(crate) struct Layers {
    pub(crate) matrices: Vec<Param<Tensor<2>>>,
    pub(crate) kernels: Vec<Param<Tensor<4>>>,
    pub(crate) vectors: Vec<Param<Tensor<1>>>,
}

impl Layers {
    pub(crate) fn new(shapes: &[Vec<usize>], values: &[Vec<f64>], dtype: DType) -> Self {
        let mut layers = Self { matrices: Vec::new(), kernels: Vec::new(), vectors: Vec::new() };
        for (shape, values) in shapes.iter().zip(values) {
            let values = vector(values, dtype);
            match shape[..] {
                [rows, columns] => {
                    let matrix = values.reshape([rows, columns]).detach();
                    layers.matrices.push(Param::from_tensor(matrix));
                }
                [o, i, h, w] => {
                    let kernel = values.reshape([o, i, h, w]).detach();
                    layers.kernels.push(Param::from_tensor(kernel));
                }
                _ => layers.vectors.push(Param::from_tensor(values)),
            }
        }
        layers
    }

    pub(crate) fn matrix(rows: usize, columns: usize, values: &[f64]) -> Self {
        Self::new(&[vec![rows, columns]], &[values.to_vec()], DType::F64)
    }

    pub(crate) fn flat(&self) -> Vec<Tensor<1>> {
        let matrices = self.matrices.iter().map(|x| x.val().flatten(0, 1));
        let kernels = self.kernels.iter().map(|x| x.val().flatten(0, 3));
        matrices.chain(kernels).chain(self.vectors.iter().map(Param::val)).collect()
    }

    pub(crate) fn values(&self) -> Vectors {
        self.flat().into_iter().map(numbers).collect()
    }

    /// c.x, whose gradient is exactly c.
    pub(crate) fn linear(&self, c: &[Vec<f64>]) -> Tensor<1> {
        sum(self.flat().into_iter().zip(c).map(|(x, c)| {
            let c = vector(c, x.dtype());
            (x * c).sum()
        }))
    }

    /// |x - c|^2 / 2: its gradient is x - c.
    pub(crate) fn distance(&self, c: &[Vec<f64>]) -> Tensor<1> {
        sum(self.flat().into_iter().zip(c).map(|(x, c)| {
            let c = vector(c, x.dtype());
            (x - c).powi_scalar(2).sum().mul_scalar(0.5)
        }))
    }
}

/// A B, of `inner` columns and rows.
pub(crate) fn product(a: &[f64], b: &[f64], inner: usize) -> Vec<f64> {
    let columns = b.len() / inner;
    let entry = |row: &[f64], column| (0..inner).map(|k| row[k] * b[k * columns + column]).sum();
    a.chunks(inner).flat_map(|row| (0..columns).map(move |column| entry(row, column))).collect()
}

pub(crate) fn transposed(a: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| a.chunks(columns).map(move |row| row[column])).collect()
}

/// `count` orthonormal rows of `length` numbers, by Gram and Schmidt, twice for the last digits.
pub(crate) fn orthonormal(seed: u64, count: usize, length: usize) -> Vec<f64> {
    let mut random = Numbers::new(seed);
    let mut rows: Vec<Vec<f64>> = Vec::new();
    while rows.len() < count {
        let mut new = random.vector(length);
        for other in rows.iter().chain(&rows) {
            let along: f64 = new.iter().zip(other).map(|(a, b)| a * b).sum();
            new.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
        let norm = new.iter().map(|a| a * a).sum::<f64>().sqrt();
        rows.push(new.iter().map(|a| a / norm).collect());
    }
    rows.concat()
}
