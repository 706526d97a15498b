//! The functions of reference traces as a Burn module.

use burn::{
    module::{Module, Param},
    tensor::{
        DType, Device, Int, Tensor, TensorData, activation,
        module::{conv2d, max_pool2d},
        ops::{ConvOptions, MaxPoolOptions},
    },
};

use super::file::{Activation, LossKind, Precision, ProblemSpec, Targets, Trace, TraceError};

/// The parameters of a trace, by rank; within a rank in the order of the file.
#[derive(Module, Debug)]
pub(crate) struct TraceModel {
    kernels: Vec<Param<Tensor<4>>>,
    matrices: Vec<Param<Tensor<2>>>,
    vectors: Vec<Param<Tensor<1>>>,
}

/// The function of a trace: its data on a device, and the shapes of its parameters.
pub(crate) struct TraceProblem<'a> {
    spec: &'a ProblemSpec,
    device: Device,
    dtype: DType,
    /// The shapes of the parameters in the order of the file.
    shapes: Vec<Vec<usize>>,
}

impl<'a> TraceProblem<'a> {
    /// The function of `trace`.
    pub(crate) fn new(trace: &'a Trace) -> Result<Self, TraceError> {
        let dtype = match trace.dtype {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        };
        let device = Device::flex().autodiff();
        let problem = Self { spec: &trace.problem, device, dtype, shapes: shapes(&trace.problem) };
        let numbers = problem.shapes.iter().map(|shape| shape.iter().product::<usize>());
        if numbers.eq(trace.init.iter().map(Vec::len)) {
            Ok(problem)
        } else {
            let what = "the sizes in `init` are not those of the problem".to_string();
            Err(TraceError::Inconsistent { name: trace.name.clone(), what })
        }
    }

    /// The module with these values, in the order of the file.
    pub(crate) fn model(&self, values: &[Vec<f64>]) -> TraceModel {
        let mut model =
            TraceModel { kernels: Vec::new(), matrices: Vec::new(), vectors: Vec::new() };
        for (shape, values) in self.shapes.iter().zip(values) {
            match shape.len() {
                4 => model.kernels.push(self.parameter(shape, values)),
                2 => model.matrices.push(self.parameter(shape, values)),
                _ => model.vectors.push(self.parameter(shape, values)),
            }
        }
        model
    }

    /// The values of the module's parameters, in the order of the file.
    pub(crate) fn values(&self, model: &TraceModel) -> Vec<Vec<f64>> {
        let (mut kernels, mut matrices, mut vectors) =
            (model.kernels.iter(), model.matrices.iter(), model.vectors.iter());
        let value = |shape: &Vec<usize>| match shape.len() {
            4 => kernels.next().map(|param| numbers(param.val())),
            2 => matrices.next().map(|param| numbers(param.val())),
            _ => vectors.next().map(|param| numbers(param.val())),
        };
        self.shapes.iter().filter_map(value).collect()
    }

    /// The loss on the rows of a batch, or on all rows.
    pub(crate) fn loss(&self, model: &TraceModel, rows: Option<&[usize]>) -> Tensor<1> {
        match self.spec {
            ProblemSpec::Quadratic { a, b } => {
                let x = model.vectors[0].val();
                let (a, b) = (self.matrix(a, None), self.vector(b));
                let ax: Tensor<1> = a.matmul(x.clone().unsqueeze_dim(1)).squeeze_dim(1);
                (x.clone() * ax).sum().mul_scalar(0.5) - (b * x).sum()
            }
            ProblemSpec::Rosenbrock { dim } => {
                let x = model.vectors[0].val();
                let (head, tail) = (x.clone().narrow(0, 0, dim - 1), x.narrow(0, 1, dim - 1));
                let valley = (tail - head.clone().powi_scalar(2)).powi_scalar(2).mul_scalar(100.0);
                (valley + head.neg().add_scalar(1.0).powi_scalar(2)).sum()
            }
            ProblemSpec::Logistic { x, y, l2 } => self.logistic(model, rows, x, y, *l2),
            ProblemSpec::Mlp { activation, loss, x, y, .. } => {
                let output = perceptron(model, self.matrix(x, rows), *activation);
                self.supervised(output, y, *loss, rows)
            }
            ProblemSpec::Conv { shape, pool, x, y, .. } => {
                let images = self.matrix(x, rows);
                let [count, _] = images.dims();
                let images = images.reshape([count, shape[0], shape[1], shape[2]]);
                let logits = convolutional(model, images, *pool);
                self.cross_entropy(logits, y, rows)
            }
        }
    }

    fn logistic(
        &self,
        model: &TraceModel,
        rows: Option<&[usize]>,
        x: &[Vec<f64>],
        y: &[f64],
        l2: f64,
    ) -> Tensor<1> {
        let w = model.vectors[0].val();
        let logits: Tensor<1> =
            self.matrix(x, rows).matmul(w.clone().unsqueeze_dim(1)).squeeze_dim(1);
        let y = self.vector(&select(y, rows));
        let positive = y.clone() * activation::log_sigmoid(logits.clone());
        let negative = y.neg().add_scalar(1.0) * activation::log_sigmoid(logits.neg());
        (positive + negative).mean().neg() + w.clone().mul(w).sum().mul_scalar(0.5 * l2)
    }

    fn supervised(
        &self,
        output: Tensor<2>,
        targets: &Targets,
        loss: LossKind,
        rows: Option<&[usize]>,
    ) -> Tensor<1> {
        match (loss, targets) {
            (LossKind::CrossEntropy, Targets::Classes(classes)) => {
                self.cross_entropy(output, classes, rows)
            }
            (_, Targets::Values(values)) => {
                (output - self.matrix(values, rows)).powi_scalar(2).mean()
            }
            (LossKind::Mse, Targets::Classes(classes)) => {
                let values: Vec<Vec<f64>> =
                    classes.iter().map(|class| vec![*class as f64]).collect();
                (output - self.matrix(&values, rows)).powi_scalar(2).mean()
            }
        }
    }

    fn cross_entropy(
        &self,
        logits: Tensor<2>,
        classes: &[i64],
        rows: Option<&[usize]>,
    ) -> Tensor<1> {
        let classes = select(classes, rows);
        let count = classes.len();
        let classes =
            Tensor::<2, Int>::from_data(TensorData::new(classes, [count, 1]), &self.device);
        activation::log_softmax(logits, 1).gather(1, classes).mean().neg()
    }

    fn parameter<const D: usize>(&self, shape: &[usize], values: &[f64]) -> Param<Tensor<D>> {
        Param::from_tensor(self.tensor(values.to_vec(), shape))
    }

    fn vector(&self, values: &[f64]) -> Tensor<1> {
        self.tensor(values.to_vec(), &[values.len()])
    }

    fn matrix(&self, values: &[Vec<f64>], rows: Option<&[usize]>) -> Tensor<2> {
        let values = select(values, rows);
        let shape = [values.len(), values.first().map_or(0, Vec::len)];
        self.tensor(values.concat(), &shape)
    }

    fn tensor<const D: usize>(&self, values: Vec<f64>, shape: &[usize]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape.to_vec()), (&self.device, self.dtype))
    }
}

fn select<T: Clone>(all: &[T], rows: Option<&[usize]>) -> Vec<T> {
    rows.map_or_else(|| all.to_vec(), |rows| rows.iter().map(|row| all[*row].clone()).collect())
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn perceptron(model: &TraceModel, x: Tensor<2>, kind: Activation) -> Tensor<2> {
    let last = model.matrices.len() - 1;
    let layers = model.matrices.iter().zip(&model.vectors).enumerate();
    layers.fold(x, |x, (index, (weight, bias))| {
        let x = x.matmul(weight.val()) + bias.val().unsqueeze();
        match kind {
            _ if index == last => x,
            Activation::Tanh => x.tanh(),
            Activation::Relu => activation::relu(x),
        }
    })
}

fn convolutional(model: &TraceModel, images: Tensor<4>, pool: usize) -> Tensor<2> {
    let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
    let x = conv2d(images, model.kernels[0].val(), Some(model.vectors[0].val()), options);
    let windows = MaxPoolOptions::new([pool, pool]).with_stride([pool, pool]);
    let x = max_pool2d(activation::relu(x), windows);
    let x: Tensor<2> = x.flatten(1, 3);
    x.matmul(model.matrices[0].val()) + model.vectors[1].val().unsqueeze()
}

/// The shapes of a problem's parameters in the order of the file.
fn shapes(problem: &ProblemSpec) -> Vec<Vec<usize>> {
    match problem {
        ProblemSpec::Quadratic { b, .. } => vec![vec![b.len()]],
        ProblemSpec::Rosenbrock { dim } => vec![vec![*dim]],
        ProblemSpec::Logistic { x, .. } => vec![vec![x.first().map_or(0, Vec::len)]],
        ProblemSpec::Mlp { layers, .. } => {
            let layer = |w: &[usize]| [vec![w[0], w[1]], vec![w[1]]];
            layers.windows(2).flat_map(layer).collect()
        }
        ProblemSpec::Conv { shape, channels, kernel, pool, classes, .. } => {
            let side = |length: usize| (length + 1).saturating_sub(*kernel) / pool;
            let features = channels * side(shape[1]) * side(shape[2]);
            let kernels = vec![*channels, shape[0], *kernel, *kernel];
            vec![kernels, vec![*channels], vec![features, *classes], vec![*classes]]
        }
    }
}
