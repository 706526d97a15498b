//! The functions of reference traces as a Burn module.

use burn::{
    module::{Module, Param},
    nn::{PaddingConfig2d, conv::Conv2d, pool::MaxPool2dConfig},
    optim::GradientsParams,
    tensor::{DType, Device, Int, Tensor, TensorData},
};
use secant::dual::{Dual, Tangents};

use super::file::{Activation, LossKind, Precision, ProblemSpec, Targets, TraceError};

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
    /// The function `spec` of the trace `name`, whose parameters start as `init`.
    pub(crate) fn new(
        name: &str,
        precision: Precision,
        spec: &'a ProblemSpec,
        init: &[Vec<f64>],
    ) -> Result<Self, TraceError> {
        let dtype = match precision {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        };
        let device = Device::flex().autodiff();
        let problem = Self { spec, device, dtype, shapes: shapes(spec) };
        let numbers = problem.shapes.iter().map(|shape| shape.iter().product::<usize>());
        if numbers.eq(init.iter().map(Vec::len)) {
            Ok(problem)
        } else {
            let what = "the sizes in `init` are not those of the problem".to_string();
            Err(TraceError::Inconsistent { name: name.to_string(), what })
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

    /// The paths of the module's parameters, in the order of the file.
    pub(crate) fn paths(&self) -> Vec<String> {
        let paths = |rank: &'static str| (0..).map(move |place: usize| format!("{rank}.{place}"));
        let [kernels, matrices, vectors] = ["kernels", "matrices", "vectors"].map(paths);
        self.in_order(kernels, matrices, vectors)
    }

    /// Lists in the order of the file, in the order of the module.
    pub(crate) fn in_module_order(&self, lists: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut ordered: Vec<_> = self.shapes.iter().zip(lists).collect();
        // The module is ordered by rank, and by the file within a rank.
        ordered.sort_by_key(|(shape, _)| std::cmp::Reverse(shape.len()));
        ordered.into_iter().map(|(_, list)| list.clone()).collect()
    }

    /// The values of the module's parameters, in the order of the file.
    pub(crate) fn values(&self, model: &TraceModel) -> Vec<Vec<f64>> {
        self.in_order(
            model.kernels.iter().map(|param| numbers(param.val())),
            model.matrices.iter().map(|param| numbers(param.val())),
            model.vectors.iter().map(|param| numbers(param.val())),
        )
    }

    /// The entries of the module's parameters, in the order of the file; NaN where there is none.
    pub(crate) fn entries(&self, model: &TraceModel, container: &GradientsParams) -> Vec<Vec<f64>> {
        self.in_order(
            model.kernels.iter().map(|param| entry(param, container)),
            model.matrices.iter().map(|param| entry(param, container)),
            model.vectors.iter().map(|param| entry(param, container)),
        )
    }

    /// What there is by rank, in the order of the file.
    fn in_order<T>(
        &self,
        mut kernels: impl Iterator<Item = T>,
        mut matrices: impl Iterator<Item = T>,
        mut vectors: impl Iterator<Item = T>,
    ) -> Vec<T> {
        let next = |shape: &Vec<usize>| match shape.len() {
            4 => kernels.next(),
            2 => matrices.next(),
            _ => vectors.next(),
        };
        self.shapes.iter().filter_map(next).collect()
    }

    /// A vector with these entries for the module's parameters, in the order of the file.
    pub(crate) fn vector_at(&self, model: &TraceModel, values: &[Vec<f64>]) -> GradientsParams {
        let entries = self.model(values);
        let mut vector = GradientsParams::new();
        for (param, entry) in model.kernels.iter().zip(entries.kernels) {
            vector.register(param.id, entry.val().inner());
        }
        for (param, entry) in model.matrices.iter().zip(entries.matrices) {
            vector.register(param.id, entry.val().inner());
        }
        for (param, entry) in model.vectors.iter().zip(entries.vectors) {
            vector.register(param.id, entry.val().inner());
        }
        vector
    }

    /// The loss on the rows of a batch, or on all rows.
    pub(crate) fn loss(
        &self,
        model: &TraceModel,
        at: &Tangents,
        rows: Option<&[usize]>,
    ) -> Dual<1> {
        match self.spec {
            ProblemSpec::Quadratic { a, b } => {
                let x = at.param(&model.vectors[0]);
                let (a, b) = (Dual::from(self.matrix(a, None)), self.vector(b));
                let ax: Dual<1> = a.matmul(x.clone().unsqueeze_dim(1)).squeeze_dim(1);
                (x.clone() * ax).sum().mul_scalar(0.5) - (b * x).sum()
            }
            ProblemSpec::Rosenbrock { dim } => {
                let x = at.param(&model.vectors[0]);
                let (head, tail) = (x.clone().narrow(0, 0, dim - 1), x.narrow(0, 1, dim - 1));
                let valley = (tail - head.clone().powi_scalar(2)).powi_scalar(2).mul_scalar(100.0);
                (valley + (-head).add_scalar(1.0).powi_scalar(2)).sum()
            }
            ProblemSpec::Logistic { x, y, l2 } => {
                let w = at.param(&model.vectors[0]);
                let penalty = (w.clone() * w.clone()).sum().mul_scalar(0.5 * l2);
                self.logistic(w, rows, x, y) + penalty
            }
            ProblemSpec::Mlp { activation, loss, x, y, .. } => {
                let output = perceptron(model, at, self.matrix(x, rows), *activation);
                self.supervised(output, y, *loss, rows)
            }
            ProblemSpec::Conv { shape, kernel, pool, x, y, .. } => {
                let images = self.matrix(x, rows);
                let [count, _] = images.dims();
                let images = images.reshape([count, shape[0], shape[1], shape[2]]);
                let logits = convolutional(model, at, images, *kernel, *pool);
                self.cross_entropy(logits, y, rows)
            }
        }
    }

    fn logistic(&self, w: Dual<1>, rows: Option<&[usize]>, x: &[Vec<f64>], y: &[f64]) -> Dual<1> {
        let x = Dual::from(self.matrix(x, rows));
        let logits: Dual<1> = x.matmul(w.unsqueeze_dim(1)).squeeze_dim(1);
        let y = self.vector(&select(y, rows));
        let positive = y.clone() * logits.clone().log_sigmoid();
        let negative = y.neg().add_scalar(1.0) * (-logits).log_sigmoid();
        -(positive + negative).mean()
    }

    fn supervised(
        &self,
        output: Dual<2>,
        targets: &Targets,
        loss: LossKind,
        rows: Option<&[usize]>,
    ) -> Dual<1> {
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

    fn cross_entropy(&self, logits: Dual<2>, classes: &[i64], rows: Option<&[usize]>) -> Dual<1> {
        let classes = select(classes, rows);
        let count = classes.len();
        let classes = TensorData::new(classes, [count]);
        logits.cross_entropy(Tensor::<1, Int>::from_data(classes, &self.device))
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

fn entry<const D: usize>(param: &Param<Tensor<D>>, container: &GradientsParams) -> Vec<f64> {
    container.get::<D>(param.id).map_or_else(|| vec![f64::NAN], numbers)
}

fn perceptron(model: &TraceModel, at: &Tangents, x: Tensor<2>, kind: Activation) -> Dual<2> {
    let last = model.matrices.len() - 1;
    let layers = model.matrices.iter().zip(&model.vectors).enumerate();
    layers.fold(x.into(), |x: Dual<2>, (index, (weight, bias))| {
        let x = x.matmul(at.param(weight)) + at.param(bias).unsqueeze();
        match kind {
            _ if index == last => x,
            Activation::Tanh => x.tanh(),
            Activation::Relu => x.relu(),
        }
    })
}

fn convolutional(
    model: &TraceModel,
    at: &Tangents,
    images: Tensor<4>,
    kernel: usize,
    pool: usize,
) -> Dual<2> {
    let convolution = Conv2d {
        weight: model.kernels[0].clone(),
        bias: Some(model.vectors[0].clone()),
        stride: [1, 1],
        kernel_size: [kernel, kernel],
        dilation: [1, 1],
        groups: 1,
        padding: PaddingConfig2d::Valid,
    };
    let pool = MaxPool2dConfig::new([pool, pool]).init();
    let x = at.conv2d(&convolution, images).relu().max_pool2d(&pool);
    let x: Dual<2> = x.flatten(1, 3);
    x.matmul(at.param(&model.matrices[0])) + at.param(&model.vectors[1]).unsqueeze()
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
