//! Records as tensors.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use secant_data::Dataset;

/// Records from which batches are made.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The records.
    pub data: &'a Dataset,
    /// Where their tensors go.
    pub device: &'a Device,
    /// Their number type.
    pub dtype: DType,
}

impl Part<'_> {
    /// The inputs `[records, features]` and the class numbers `[records, 1]` of these records.
    pub fn batch(&self, records: &[usize]) -> (Tensor<2>, Tensor<2, Int>) {
        let width = self.data.record_len();
        let mut features = Vec::with_capacity(records.len() * width);
        for &record in records {
            features.extend_from_slice(self.data.record(record));
        }
        let labels: Vec<i64> = records.iter().map(|&r| i64::from(self.data.labels[r])).collect();
        let features = TensorData::new(features, [records.len(), width]).convert_dtype(self.dtype);
        let labels = TensorData::new(labels, [records.len(), 1]);
        (
            Tensor::from_data(features, (self.device, self.dtype)),
            Tensor::from_data(labels, self.device),
        )
    }
}
