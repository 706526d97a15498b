//! What tests of networks share.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{DType, Device, Tensor, TensorData},
};
use secant::dual::{Dual, Tangents, hessian_vector_product};
use secant_core::rng::SplitMix64;

use crate::{Precision, precision::drawn};

pub(crate) fn device() -> Device {
    Device::default().autodiff()
}

/// A model in f64 that can be trained.
pub(crate) fn model<M: Module>(init: impl FnOnce(&Device) -> M) -> M {
    let device = device();
    drawn(1, Precision::F64, &device, || init(&device))
}

/// Records of numbers from 0 to 1.
pub(crate) fn images(records: usize, width: usize) -> Tensor<2> {
    tensor(&mut SplitMix64::new(2), [records, width], 0.0, 1.0)
}

fn tensor<const D: usize>(
    rng: &mut SplitMix64,
    shape: [usize; D],
    low: f32,
    high: f32,
) -> Tensor<D> {
    let size = shape.iter().product();
    let numbers: Vec<f64> = (0..size).map(|_| f64::from(rng.range(low, high))).collect();
    Tensor::from_data(TensorData::new(numbers, shape), (&device(), DType::F64))
}

/// Checks gradient and Hessian product of a loss along a random direction, by Burn's gradient and by a
/// central difference of it. The loss may have kinks, as long as no unit crosses one on the way.
pub(crate) fn check<M: Module>(model: &M, loss: impl Fn(&M, &Tangents) -> Dual<1>) {
    let direction = direction(model);
    let product = hessian_vector_product(model, &direction, &loss).expect("a product");
    let gradient = |model: &M| {
        let value = loss(model, &Tangents::none()).value;
        entries(model, &GradientsParams::from_grads(value.backward(), model))
    };
    // The same sums in another order.
    assert_close(&entries(model, &product.gradient), &gradient(model), 1e-10, "gradient");
    let [plus, minus] = [STEP, -STEP].map(|step| gradient(&moved(model, &direction, step)));
    let difference: Vec<f64> =
        plus.iter().zip(&minus).map(|(plus, minus)| (plus - minus) / (2.0 * STEP)).collect();
    assert_close(&entries(model, &product.hessian_vector), &difference, 1e-6, "product");
}

/// Half the length of a difference. Its own error is 1e-12 times third derivatives, which are large in deep
/// networks, and that of rounding 1e-16 / 1e-6.
const STEP: f64 = 1e-6;

/// Their distance is small relative to their size.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let size = norm(&mut expected.iter().copied());
    let distance = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    assert!(size > 0.0 && distance <= tolerance * size, "{what}: {distance:e} of {size:e}");
}

/// A random entry for every trained parameter, of the length that weights have.
fn direction<M: Module>(model: &M) -> GradientsParams {
    struct Random(SplitMix64, GradientsParams);
    impl ModuleVisitor for Random {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                let entry: Tensor<D> = tensor(&mut self.0, param.dims(), -0.1, 0.1);
                self.1.register(param.id, entry.inner());
            }
        }
    }
    let mut random = Random(SplitMix64::new(3), GradientsParams::new());
    model.visit(&mut random);
    random.1
}

/// The model at `step` along `direction`.
fn moved<M: Module>(model: &M, direction: &GradientsParams, step: f64) -> M {
    struct Move<'a>(&'a GradientsParams, f64);
    impl ModuleMapper for Move<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(entry) = self.0.get::<D>(param.id) else { return param };
            param.map(|value| {
                Tensor::from_inner(value.inner() + entry.mul_scalar(self.1)).require_grad()
            })
        }
    }
    model.clone().map(&mut Move(direction, step))
}

/// All entries, in the order of the model.
fn entries<M: Module>(model: &M, container: &GradientsParams) -> Vec<f64> {
    struct Entries<'a>(&'a GradientsParams, Vec<f64>);
    impl ModuleVisitor for Entries<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(entry) = self.0.get::<D>(param.id) {
                self.1.extend(entry.into_data().iter::<f64>());
            }
        }
    }
    let mut entries = Entries(container, Vec::new());
    model.visit(&mut entries);
    entries.1
}
