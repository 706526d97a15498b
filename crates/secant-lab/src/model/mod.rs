//! The networks that can be compared.

mod convolutional;
mod perceptron;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{DType, Device, Tensor},
};

use secant::dual::{Dual, Tangents};

use convolutional::Convolutional;
pub use convolutional::ConvolutionalConfig;
use perceptron::Perceptron;

/// What a network looks like; [`NetworkConfig::init`] draws its weights.
#[derive(Clone, Debug)]
pub enum NetworkConfig {
    /// Fully connected: the inputs, the hidden units (none: logistic regression), the classes.
    Perceptron(Vec<usize>),
    /// Fully connected with tanh: the inputs, the hidden units, the classes.
    TanhPerceptron(Vec<usize>),
    /// Two convolutions, each followed by pooling, and fully connected layers.
    Convolutional(ConvolutionalConfig),
}

/// A network for classification.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few networks at a time, and modules are not boxed")]
pub enum Network {
    /// Fully connected.
    Perceptron(Perceptron),
    /// Convolutional.
    Convolutional(Convolutional),
}

impl NetworkConfig {
    /// A network whose weights are drawn from `seed`, in the number type `dtype`.
    ///
    /// Burn has one random generator for the whole process, so networks are drawn one at a time.
    pub fn init(&self, seed: u64, dtype: DType, device: &Device) -> Network {
        static GENERATOR: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _drawing = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        device.seed(seed);
        let network = match self {
            Self::Perceptron(widths) => Network::Perceptron(Perceptron::new(widths, device)),
            Self::TanhPerceptron(widths) => {
                Network::Perceptron(Perceptron::new(widths, device).with_tanh())
            }
            Self::Convolutional(config) => Network::Convolutional(config.init(device)),
        };
        network.visit(&mut Draw);
        if dtype == DType::F64 { network.map(&mut Cast(dtype)) } else { network }
    }
}

impl Network {
    /// The logits of a batch, `[records, classes]`.
    pub fn forward(&self, at: &Tangents, batch: Tensor<2>) -> Dual<2> {
        match self {
            Self::Perceptron(network) => network.forward(at, batch.into()),
            Self::Convolutional(network) => network.forward(at, batch),
        }
    }
}

/// Draws parameters that wait for their first use.
struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        drop(param.val());
    }
}

/// Changes the number type; a plain cast would lose the parameter's place in the graph.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| {
            let require_grad = value.is_require_grad();
            Tensor::from_inner(value.inner().cast(self.0)).set_require_grad(require_grad)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::problem::CatalogueEntry;

    #[test]
    fn a_tanh_perceptron_is_that_formula() {
        let device = Device::default();
        let network = NetworkConfig::TanhPerceptron(vec![3, 50, 2]).init(1, DType::F64, &device);
        let options = (&device, DType::F64);
        let input = Tensor::<2>::from_data(TensorData::from([[0.3f64, -1.0, 2.0]]), options);
        let logits = network.forward(&Tangents::none(), input.clone()).value;
        let Network::Perceptron(perceptron) = network else { panic!("a perceptron") };
        let [first, second] = perceptron.layers() else { panic!("two layers") };
        let expected = second.forward(first.forward(input).tanh());
        assert_eq!(logits.into_data(), expected.into_data());
    }

    #[test]
    fn the_networks_have_the_parameters_that_their_lines_tell() {
        let parameters = |name: &str| {
            let entry = CatalogueEntry::named(name).expect("known");
            entry.network(784, 10).init(0, DType::F32, &Device::default()).num_params()
        };
        assert_eq!(parameters("mnist/net-dnn"), 59_946);
        assert_eq!(parameters("mnist/cnn"), 44_426);
    }
}
