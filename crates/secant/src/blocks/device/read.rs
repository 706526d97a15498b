//! Reading numbers from a device.

use burn::tensor::Tensor;

use super::Value;

/// Numbers, some of which are tensors of one number on a device: these are read together, once.
pub(super) fn read_together(values: Vec<Value>) -> Vec<f64> {
    let on_device = |value: &Value| match value {
        Value::Vector(tensor) => Some(tensor.clone()),
        Value::Number(_) => None,
    };
    let tensors: Vec<Tensor<1>> = values.iter().filter_map(on_device).collect();
    let data = (!tensors.is_empty()).then(|| Tensor::cat(tensors, 0).into_data());
    let mut read = data.iter().flat_map(|data| data.iter::<f64>());
    let number = |value: Value| match value {
        Value::Vector(_) => read.next().expect("one number each"),
        Value::Number(number) => number,
    };
    values.into_iter().map(number).collect()
}
