//! Where a token is in its sentence, as sinusoids (Vaswani and others, 2017, section 3.5).

use burn::tensor::{DType, Device, Tensor, TensorData};

/// The places from `first` on, `[1, count, width]`: entry 2i of place p is sin(p / 10000^(2i / width)), and
/// entry 2i + 1 the cosine.
pub(super) fn positions(
    first: usize,
    count: usize,
    width: usize,
    device: &Device,
    dtype: DType,
) -> Tensor<3> {
    let numbers: Vec<f64> = (first..first + count)
        .flat_map(|place| (0..width).map(move |at| entry(place, at, width)))
        .collect();
    let data = TensorData::new(numbers, [1, count, width]).convert_dtype(dtype);
    Tensor::from_data(data, (device, dtype))
}

fn entry(place: usize, at: usize, width: usize) -> f64 {
    let even = at - at % 2;
    let angle = place as f64 / 10_000f64.powf(even as f64 / width as f64);
    if at == even { angle.sin() } else { angle.cos() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_sinusoids_of_wave_lengths_from_2_pi_to_20000_pi() {
        let numbers = positions(2, 2, 4, &Device::default(), DType::F64).into_data();
        let (slow, next) = (0.02f64, 0.03f64);
        let expected = [
            2f64.sin(),
            2f64.cos(),
            slow.sin(),
            slow.cos(),
            3f64.sin(),
            3f64.cos(),
            next.sin(),
            next.cos(),
        ];
        for (found, expected) in numbers.iter::<f64>().zip(expected) {
            // 10000^(1/2) is rounded.
            assert!((found - expected).abs() < 1e-15, "{found}, {expected}");
        }
    }
}
