//! Models, losses and comparisons that the tests share.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use burn::{
    module::{Module, Param},
    nn::{BatchNorm, Dropout, Linear},
    tensor::{DType, Device, Tensor, TensorData},
};
use secant::{
    AnyOptimizer, Batches, Collective, MethodSpec, Optimizer, StepReport,
    error::{ConfigError, RecordError, StepError},
    protocol::{Method, State},
};

use crate::device::InEitherMemory;

/// Held by every test that draws from Burn's generator, of which there is one in a process.
pub(crate) static GENERATOR: Mutex<()> = Mutex::new(());

/// A folder of this process that the test removes.
pub(crate) fn temporary_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("secant-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

pub(crate) fn device() -> Device {
    Device::flex().autodiff()
}

/// Vectors of one value each tensor.
pub(crate) type Vectors = Vec<Vec<f64>>;

/// Numbers in (-1, 1) that are the same on every machine (splitmix64).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = (z ^ (z >> 31)) >> 11;
        (2 * bits + 1) as f64 / (1u64 << 53) as f64 - 1.0
    }

    pub(crate) fn vector(&mut self, length: usize) -> Vec<f64> {
        (0..length).map(|_| self.next()).collect()
    }

    pub(crate) fn vectors(&mut self, sizes: &[usize]) -> Vectors {
        sizes.iter().map(|size| self.vector(*size)).collect()
    }
}

/// Any number of vectors.
#[derive(Module, Debug)]
pub(crate) struct Many {
    pub(crate) tensors: Vec<Param<Tensor<1>>>,
}

impl Many {
    pub(crate) fn new(values: &[Vec<f64>], dtype: DType) -> Self {
        let param = |values: &Vec<f64>| Param::from_tensor(vector(values, dtype));
        Self { tensors: values.iter().map(param).collect() }
    }

    pub(crate) fn f64(values: &[Vec<f64>]) -> Self {
        Self::new(values, DType::F64)
    }

    pub(crate) fn values(&self) -> Vectors {
        self.tensors.iter().map(|param| numbers(param.val())).collect()
    }

    /// The bits of all numbers: unlike the numbers they compare NaN and the two zeros.
    pub(crate) fn bits(&self) -> Vec<Vec<u64>> {
        let bits = |tensor: Vec<f64>| tensor.into_iter().map(f64::to_bits).collect();
        self.values().into_iter().map(bits).collect()
    }

    /// c.x, whose gradient is exactly c.
    pub(crate) fn linear(&self, c: &[Vec<f64>]) -> Tensor<1> {
        let terms = self.tensors.iter().zip(c).map(|(x, c)| {
            let x = x.val();
            let c = vector(c, x.dtype());
            (x * c).sum()
        });
        sum(terms)
    }

    /// x'(a/2 * x + b) with one curvature for each number: its gradient is a * x + b.
    pub(crate) fn quadratic(&self, a: &[Vec<f64>], b: &[Vec<f64>]) -> Tensor<1> {
        sum(self.tensors.iter().zip(a).zip(b).map(|((x, a), b)| {
            let x = x.val();
            let (a, b) = (vector(a, x.dtype()), vector(b, x.dtype()));
            (x.clone() * x.clone() * a).sum().mul_scalar(0.5) + (x * b).sum()
        }))
    }
}

/// A small network on fixed data: 3 inputs, 8 hidden tanh, 2 outputs.
#[derive(Module, Debug)]
pub(crate) struct Net {
    pub(crate) input: Linear,
    pub(crate) norm: Option<BatchNorm>,
    pub(crate) dropout: Option<Dropout>,
    pub(crate) output: Linear,
}

impl Net {
    /// Without batch norm and dropout; draws nothing from Burn's generator.
    pub(crate) fn new(dtype: DType) -> Self {
        let mut numbers = Numbers::new(7);
        let mut linear = |inputs: usize, outputs: usize| {
            let weight = numbers.vector(inputs * outputs);
            let bias = numbers.vector(outputs);
            let weight = vector(&weight, dtype).reshape([inputs, outputs]);
            Linear {
                weight: Param::from_tensor(weight.detach()),
                bias: Some(Param::from_tensor(vector(&bias, dtype))),
            }
        };
        Self { input: linear(3, 8), norm: None, dropout: None, output: linear(8, 2) }
    }

    pub(crate) fn hidden(&self, x: Tensor<2>) -> Tensor<2> {
        let mut x = self.input.forward(x);
        if let Some(norm) = &self.norm {
            x = norm.forward(x);
        }
        let x = x.tanh();
        match &self.dropout {
            Some(dropout) => dropout.forward(x),
            None => x,
        }
    }

    /// The mean squared error on batch number `batch`.
    pub(crate) fn loss(&self, batch: usize) -> Tensor<1> {
        let dtype = self.input.weight.val().dtype();
        let (x, y) = Self::data(batch, dtype);
        (self.output.forward(self.hidden(x)) - y).powi_scalar(2).mean()
    }

    /// 16 records.
    pub(crate) fn data(batch: usize, dtype: DType) -> (Tensor<2>, Tensor<2>) {
        let mut numbers = Numbers::new(1000 + batch as u64);
        let x = numbers.vector(16 * 3);
        let target = |x: &[f64]| [x[0] * x[1], (x[2] - x[0]).abs()];
        let y: Vec<f64> = x.chunks(3).flat_map(target).collect();
        (vector(&x, dtype).reshape([16, 3]), vector(&y, dtype).reshape([16, 2]))
    }

    /// The bits of all trainable numbers.
    pub(crate) fn bits(&self) -> Vec<Vec<u64>> {
        let bits = |tensor: Vec<f64>| tensor.into_iter().map(f64::to_bits).collect();
        let mut all = vec![numbers(self.input.weight.val()), numbers(self.output.weight.val())];
        let biases = [&self.input.bias, &self.output.bias];
        all.extend(biases.into_iter().flatten().map(|bias| numbers(bias.val())));
        if let Some(norm) = &self.norm {
            all.extend([numbers(norm.gamma.val()), numbers(norm.beta.val())]);
        }
        all.into_iter().map(bits).collect()
    }

    /// The running mean and variance of batch norm, after all updates.
    pub(crate) fn statistics(&self) -> [Vec<f64>; 2] {
        // Makes updates that wait visible.
        drop(self.valid());
        let norm = self.norm.as_ref().expect("a network with batch norm");
        [numbers(norm.running_mean.value()), numbers(norm.running_var.value())]
    }
}

pub(crate) fn vector(values: &[f64], dtype: DType) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), (&device(), dtype))
}

pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

pub(crate) fn sum(terms: impl Iterator<Item = Tensor<1>>) -> Tensor<1> {
    terms.reduce(|a, b| a + b).expect("at least one term")
}

/// An optimizer of any method, for a model of type `M`.
pub(crate) trait Steps<M> {
    fn step(
        &mut self,
        lr: f64,
        model: &mut M,
        loss: &mut dyn FnMut(&M) -> Tensor<1>,
    ) -> Result<StepReport, StepError>;

    fn step_on(
        &mut self,
        lr: f64,
        model: &mut M,
        batches: &mut Batches,
        loss: &mut dyn FnMut(&M, &[usize]) -> Tensor<1>,
    ) -> Result<StepReport, StepError>;
}

impl<K: Method, M: Module> Steps<M> for Optimizer<K> {
    fn step(
        &mut self,
        lr: f64,
        model: &mut M,
        loss: &mut dyn FnMut(&M) -> Tensor<1>,
    ) -> Result<StepReport, StepError> {
        Optimizer::step(self, lr, model, loss)
    }

    fn step_on(
        &mut self,
        lr: f64,
        model: &mut M,
        batches: &mut Batches,
        loss: &mut dyn FnMut(&M, &[usize]) -> Tensor<1>,
    ) -> Result<StepReport, StepError> {
        Optimizer::step_on(self, lr, model, batches, loss)
    }
}

/// An optimizer of any method, for the models above.
pub(crate) trait Tested: Steps<Many> + Steps<Net> + InEitherMemory + Send + Sync {
    fn accepted_steps(&self) -> u64;
    fn rejected_steps(&self) -> u64;
    fn state_bytes(&self) -> usize;
    fn evaluates_again(&self) -> bool;
    fn name(&self) -> &'static str;
    fn boxed(&self) -> Box<dyn Tested>;
    fn together(&self, collective: Arc<dyn Collective>) -> Box<dyn Tested>;
    fn save_to(&self, path: &Path);
    fn load_from(&mut self, path: &Path, model: &Many) -> Result<(), RecordError>;
}

impl<K: Method> Tested for Optimizer<K>
where
    K::State: State,
{
    fn accepted_steps(&self) -> u64 {
        Optimizer::accepted_steps(self)
    }

    fn rejected_steps(&self) -> u64 {
        Optimizer::rejected_steps(self)
    }

    fn state_bytes(&self) -> usize {
        Optimizer::state_bytes(self)
    }

    fn evaluates_again(&self) -> bool {
        self.method().evaluates_again()
    }

    fn name(&self) -> &'static str {
        K::NAME
    }

    fn boxed(&self) -> Box<dyn Tested> {
        Box::new(self.clone())
    }

    fn together(&self, collective: Arc<dyn Collective>) -> Box<dyn Tested> {
        Box::new(self.clone().with_collective(collective))
    }

    fn save_to(&self, path: &Path) {
        self.save(path).expect("a record");
    }

    fn load_from(&mut self, path: &Path, model: &Many) -> Result<(), RecordError> {
        self.load(path, model)
    }
}

/// An optimizer that another follows: the same for each of the models above, of which a test has one.
#[derive(Clone)]
pub(crate) struct Switched {
    name: &'static str,
    many: AnyOptimizer<Many>,
    net: AnyOptimizer<Net>,
}

impl Switched {
    /// The optimizer of a description.
    pub(crate) fn new(name: &'static str, spec: &MethodSpec) -> Result<Self, ConfigError> {
        Ok(Self { name, many: spec.init()?, net: spec.init()? })
    }
}

macro_rules! steps_of_switched {
    ($($model:ty => $optimizer:ident),*) => {$(
        impl Steps<$model> for Switched {
            fn step(
                &mut self,
                lr: f64,
                model: &mut $model,
                loss: &mut dyn FnMut(&$model) -> Tensor<1>,
            ) -> Result<StepReport, StepError> {
                self.$optimizer.step(lr, model, loss)
            }

            fn step_on(
                &mut self,
                lr: f64,
                model: &mut $model,
                batches: &mut Batches,
                loss: &mut dyn FnMut(&$model, &[usize]) -> Tensor<1>,
            ) -> Result<StepReport, StepError> {
                self.$optimizer.step_on(lr, model, batches, loss)
            }
        }
    )*};
}
steps_of_switched!(Many => many, Net => net);

impl Tested for Switched {
    fn accepted_steps(&self) -> u64 {
        self.many.accepted_steps() + self.net.accepted_steps()
    }

    fn rejected_steps(&self) -> u64 {
        self.many.rejected_steps() + self.net.rejected_steps()
    }

    fn state_bytes(&self) -> usize {
        self.many.state_bytes() + self.net.state_bytes()
    }

    /// Whether the method at work does.
    fn evaluates_again(&self) -> bool {
        [self.many.method(), self.net.method()].contains(&"l-bfgs")
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn boxed(&self) -> Box<dyn Tested> {
        Box::new(self.clone())
    }

    fn together(&self, collective: Arc<dyn Collective>) -> Box<dyn Tested> {
        let Self { name, many, net } = self.clone();
        let many = many.with_collective(Arc::clone(&collective));
        Box::new(Self { name, many, net: net.with_collective(collective) })
    }

    fn save_to(&self, path: &Path) {
        self.many.save(path).expect("a record");
    }

    fn load_from(&mut self, path: &Path, model: &Many) -> Result<(), RecordError> {
        self.many.load(path, model)
    }
}

/// The largest absolute value; NaN where a number is NaN, unlike [`f64::max`].
pub(crate) fn largest<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    let worse = |most: f64, x: f64| if most.is_nan() || most >= x { most } else { x };
    numbers.into_iter().map(|x| x.abs()).fold(0.0, worse)
}

/// Fails where a number is further from its reference than `tolerance` times the largest number of
/// the reference: a number that passes through zero keeps the rounding of where it came from. NaN
/// fails.
#[track_caller]
pub(crate) fn assert_close(actual: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}: number of tensors");
    let scale = largest(expected.iter().flatten());
    for (tensor, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert_eq!(actual.len(), expected.len(), "{what}: size of tensor {tensor}");
        for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            assert!(
                (actual - expected).abs() <= tolerance * scale,
                "{what}: tensor {tensor} at {index}: {actual} is not {expected} to {tolerance} of \
                 {scale}, but {} off",
                (actual - expected).abs() / scale,
            );
        }
    }
}
