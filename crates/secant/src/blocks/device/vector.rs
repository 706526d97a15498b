//! A vector on a device.

use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

use super::Value;

/// A vector on a device, and the shape of the parameter that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct DeviceVector {
    tensor: Tensor<1>,
    shape: Shape,
}

impl DeviceVector {
    pub fn zeros(shape: Shape, dtype: DType, device: &Device) -> Self {
        Self { tensor: Tensor::zeros([shape.num_elements()], (device, dtype)), shape }
    }

    pub fn zeros_like(&self) -> Self {
        Self { tensor: self.tensor.zeros_like(), shape: self.shape.clone() }
    }

    /// A copy of `data` on `device`.
    pub fn of_data(data: TensorData, device: &Device) -> Self {
        let (shape, dtype) = (data.shape().clone(), data.dtype());
        let (bytes, ..) = data.into_parts();
        let data = TensorData::from_bytes(bytes, [shape.num_elements()], dtype);
        Self { tensor: Tensor::from_data(data, (device, dtype)), shape }
    }

    pub fn moved_to(self, device: &Device) -> Self {
        Self { tensor: self.tensor.to_device(device), ..self }
    }

    /// The numbers, read, in the parameter's shape.
    pub fn into_data(self) -> TensorData {
        let (bytes, _, dtype) = self.tensor.into_data().into_parts();
        TensorData::from_bytes(bytes, self.shape, dtype)
    }

    pub fn len(&self) -> usize {
        self.shape.num_elements()
    }

    pub fn dtype(&self) -> DType {
        self.tensor.dtype()
    }

    pub fn device(&self) -> Device {
        self.tensor.device()
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The numbers as a tensor: another reference to them, not a copy.
    pub fn tensor(&self) -> Tensor<1> {
        self.tensor.clone()
    }

    /// Writes new numbers.
    pub(super) fn set(&mut self, value: Value) {
        self.tensor = match value {
            Value::Vector(tensor) => tensor,
            Value::Number(number) => self.tensor.full_like(number),
        };
    }

    /// One entry, read.
    pub fn entry(&self, index: usize) -> f64 {
        let entry = self.tensor().slice(index..index + 1).into_data();
        entry.iter::<f64>().next().expect("an entry of the vector")
    }

    /// Adds to one entry, in double precision.
    pub fn add_to_entry(&mut self, index: usize, term: f64) {
        let place = index..index + 1;
        let entry = self.tensor().slice(place.clone()).cast(DType::F64) + term;
        self.tensor = self.tensor().slice_assign(place, entry.cast(self.dtype()));
    }

    /// Puts the mean of every `size` entries, or of their absolute values, in the place of these.
    pub fn average(&mut self, absolute: bool, size: usize) {
        let groups = self.len() / size;
        let entries = self.tensor().cast(DType::F64).reshape([groups, size]);
        let entries = if absolute { entries.abs() } else { entries };
        let means = entries.mean_dim(1).expand([groups, size]);
        self.tensor = means.reshape([self.len()]).cast(self.dtype());
    }
}
