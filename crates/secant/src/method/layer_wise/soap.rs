//! SOAP: Adam in the eigenbasis of Shampoo's factors.
//!
//! # Idea
//! Adam divides every entry of the gradient by its own size, which is Newton's step where the Hessian is
//! diagonal. Averages of G G' and G' G say in which basis a layer's curvature is nearly diagonal; that
//! basis turns slowly. So: turn the gradient into it, let Adam work there, turn the step back.
//!
//! # Algorithm
//! A tensor G of order d is multiplied along dimension k by A with G x_k A; U_k is its unfolding, `n_k`
//! rows. For a matrix: G x_1 A x_2 B = A G B', U_1 = G, U_2 = G'. Step of one tensor (decay of kind `L2`
//! already added: G + wd W; Algorithm 3 of Vyas et al., in the order of their code):
//! 0. At the first gradient nothing moves: P_k = (1 - shampoo_beta) U_k U_k', and the columns of Q_k are
//!    P_k's eigenvectors, the largest eigenvalue first.
//! 1. G' = G x_1 Q_1' x_2 Q_2' ..., in the bases of earlier gradients.
//! 2. M' <- beta1 M' + (1 - beta1) G'; V <- beta2 V + (1 - beta2) G' * G'.
//! 3. N' = M' / (sqrt(V) + eps); N = N' x_1 Q_1 x_2 Q_2 ...; with `normalize_grads` N / (1e-30 + rms(N)).
//! 4. W <- (1 - lr wd) (W - lr c s N), c = sqrt(1 - beta2^k) / (1 - beta1^k) with `correct_bias`, else 1;
//!    s = 1, but with `narrow_below`, r, and a fan-in f below it s = min(r / f, 4).
//! 5. P_k <- shampoo_beta P_k + (1 - shampoo_beta) U_k U_k'.
//! 6. Every `precondition_frequency` steps, for every dimension: A = P Q, columns sorted by falling
//!    q.Pq, V's slices with them; Q <- the orthonormal factor of A's QR decomposition; M' is turned into
//!    the new basis.
//!
//! Dimensions longer than `max_precond_dim` have no basis; neither have vectors without
//! `precondition_1d`, and then this is Adam but for where eps stands.
//!
//! A matrix (no kernel) with a side above 256 whose bases cost more than `max_cost` has none, and goes Muon's way in the
//! place of 1. to 3.:
//! 3'. M <- beta1 M + (1 - beta1) G; N = 0.08 sqrt(max(m, n)) times the polar factor of beta1 M + (1 - beta1) G, by five
//!     iterations of Newton and Schulz; with `normalize_grads` as in 3.; c = 1. There is no V.
//!
//! The fan-in of a matrix `[in, out]` (Burn's linear layer) is its rows, of a kernel `[out, in, h, w]` it is in h w. A step
//! of such a method moves every weight by about as much, and so a unit's input by an amount that grows with
//! its fan-in: the one rate that suits wide layers is too small for narrow ones.
//!
//! # Notation
//! M', V, P, Q: `m`, `v`, `factors`, `bases` of [`SoapState`]; k: its `steps`, tensor by tensor.
//!
//! # Cost
//! For an m-by-n matrix 2 mn + 2 (m^2 + n^2) numbers of memory and, in a step, 6 mn (m + n) operations:
//! two rotations and the two factors (half of each is enough, they are symmetric); in every tenth step
//! about 5 (m^3 + n^3) + 4 mn (m + n) more. One gradient. The gradient of a dense layer takes 3 multiplications for each of its numbers
//! and each row of the batch, a basis of side m takes 5/2 m in every step, and 10/3 m^2 / n in each step
//! that turns it: where the layer is much wider than the batch is large, the bases take most of the time, and `max_cost` is for that.
//!
//! # When not to use it
//! Layers of several thousand units (a longer side than `max_precond_dim` has no basis), where a step
//! costs more than the gradient, unless `max_cost` is given. Small batches, whose factors are noise.
//!
//! # Deviations
//! eps is 1e-6 and not 1e-8: in single precision a direction that no gradient has (of the last layer
//! under softmax, say) holds rounding errors of 1e-8, which a smaller eps lets through at full length.
//! Dimensions are never merged. `narrow_below`, after the rates of Adam for wide networks that Yang et al. derive, and
//! `max_cost` are ours. Where a factor has several directions without any gradient, their basis
//! is fixed by a rule, so that machines agree. The first decomposition is in double precision, and so are the turns of sides up to 512. M' is
//! kept in the basis and turned when the basis turns. A factor that cannot be decomposed keeps its last
//! good basis, and the report's `pair` is then `Skipped`.
//!
//! # References
//! Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson, Kakade, *SOAP: improving and stabilizing
//! Shampoo using Adam*, 2024; Yang, Hu, Babuschkin, Sidor, Liu, Farhi, Ryder, Pachocki, Chen, Gao, *Tensor programs
//! V: tuning large neural networks via zero-shot hyperparameter transfer*, 2022; of the polar factor: Jordan et al., *Muon*, 2024.
//!
//! # Example
//! ```
//! # use burn::{nn::LinearConfig, tensor::{Device, Tensor}};
//! use secant::SoapConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! let mut model = LinearConfig::new(3, 2).init(&device);
//! let mut optimizer = SoapConfig::new().init()?;
//! # let points = Tensor::<2>::from_floats([[0.1, 0.9, 0.3], [0.8, 0.3, 0.5]], &device);
//! for _ in 0..5 {
//!     let loss = |model: &burn::nn::Linear| model.forward(points.clone()).powi_scalar(2).mean();
//!     let report = optimizer.step(0.03, &mut model, loss)?;
//!     assert!(report.is_accepted());
//! }
//! # Ok(())
//! # }
//! ```

use faer::Par;
use secant_core::report::{PairOutcome, Rejection};

use super::narrow;
use crate::{
    blocks::{Blocks, Entry, Field, LayerKernel, Layout, for_each_layer, matrix_shape, norm_of},
    burn_optim::burn_optimizer,
    error::ConfigError,
    hyper_parameter::{HyperParameters, hyper_parameters},
    optimizer::Optimizer,
    preconditioner::{Averages, Direction, Directions, RotatedAdam, Sides, decomposed, turn_bases},
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, Traffic, add_l2, record_state,
        step_by_gradient,
    },
};

/// How a convolution's kernel `[out, in, h, w]` is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelShape {
    /// As a tensor: one basis for each of its dimensions.
    Tensor,
    /// As a matrix `[out, in h w]`.
    Matrix,
}

hyper_parameters! {
    /// Configuration of [`Soap`].
    pub struct SoapConfig {
        /// The decay rate of the average of gradients.
        #[config(default = 0.95)]
        #[range(Below1)]
        beta_1: f64,
        /// The decay rate of the average of squares.
        #[config(default = 0.95)]
        #[range(Below1)]
        beta_2: f64,
        /// The decay rate of the factors.
        #[config(default = 0.95)]
        #[range(Below1)]
        shampoo_beta: f64,
        /// Added to the root of the average of squares.
        #[config(default = 1e-6)]
        #[range(NotNegative)]
        epsilon: f64,
        /// Weight decay; of kind decoupled it comes after the step.
        #[config(default = "Decay::None")]
        decay: Decay,
        /// Steps from one power step of the bases to the next.
        #[config(default = 10)]
        #[range(AtLeast1)]
        precondition_frequency: usize,
        /// A longer dimension has no basis.
        #[config(default = 2048)]
        #[range(NotNegative)]
        max_precond_dim: usize,
        /// A matrix with a side above 256 whose bases take more multiplications than this, for each of its numbers and
        /// in the mean over steps, has none and goes along the polar factor of its averaged gradient.
        #[config(default = "None")]
        #[range(NotNegative)]
        max_cost: Option<f64>,
        /// Layers with a smaller fan-in than this move faster, by this divided by their fan-in, at most 4 times.
        #[config(default = "None")]
        #[range(AtLeast1)]
        narrow_below: Option<usize>,
        /// How a convolution's kernel is read.
        #[config(default = "KernelShape::Tensor")]
        kernel: KernelShape,
        /// Whether vectors have a basis.
        #[config(default = false)]
        precondition_1d: bool,
        /// Whether every tensor's direction is scaled to a root mean square of 1.
        #[config(default = false)]
        normalize_grads: bool,
        /// Whether the averages are corrected for their start at 0.
        #[config(default = true)]
        correct_bias: bool,
    }
}

impl SoapConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> Soap {
        Soap { config: self.clone() }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Soap>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// SOAP; see the [module](self).
#[derive(Clone, Debug)]
pub struct Soap {
    config: SoapConfig,
}

/// The state of [`Soap`].
#[derive(Clone, Debug, Default)]
pub struct SoapState {
    /// M', in the basis.
    m: Blocks,
    v: Blocks,
    /// P_k of all dimensions with a basis, one after the other.
    factors: Blocks,
    /// Q_k likewise.
    bases: Blocks,
    /// Gradients seen, tensor by tensor.
    steps: Vec<f64>,
}

record_state!(SoapState { vectors: [m, v, factors, bases], counters: [], numbers: [steps] });

burn_optimizer!(Soap);

impl Method for Soap {
    type State = SoapState;
    const NAME: &'static str = "soap";

    fn traffic(&self) -> Option<Traffic> {
        // Beside the products.
        Some(Traffic { reads: 4, writes: 3 })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let SoapConfig { max_precond_dim, kernel, precondition_1d, .. } = &self.config;
        vec![
            ("max_precond_dim", max_precond_dim.to_string()),
            ("kernel", format!("{kernel:?}")),
            ("precondition_1d", precondition_1d.to_string()),
        ]
    }

    fn is_per_tensor(&self) -> bool {
        true
    }

    fn init(&self, layout: &Layout) -> SoapState {
        let factors = Sides::zeros(layout, |entry| self.direction(entry).sides());
        SoapState {
            m: Blocks::zeros(layout),
            v: Direction::zeros_for_v(layout, |entry| self.direction(entry)),
            bases: factors.clone(),
            factors,
            steps: vec![0.0; layout.entries().len()],
        }
    }

    step_by_gradient!();
}

impl Soap {
    fn direction(&self, entry: &Entry) -> Direction {
        let SoapConfig { kernel, precondition_1d, .. } = self.config;
        let directions = Directions {
            beta_1: self.config.beta_1,
            beta_2: self.config.beta_2,
            shampoo_beta: self.config.shampoo_beta,
            epsilon: self.config.epsilon,
            max_precond_dim: self.config.max_precond_dim,
            max_cost: self.config.max_cost,
            precondition_frequency: self.config.precondition_frequency,
        };
        match (kernel, matrix_shape(&entry.shape)) {
            (KernelShape::Matrix, Some(matrix)) => directions.of(entry, &matrix),
            _ if entry.shape.len() < 2 && !precondition_1d => directions.of(entry, &[]),
            _ => directions.of(entry, &entry.shape),
        }
    }
}

impl GradientMethod for Soap {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut SoapState,
    ) -> Result<PairOutcome, Rejection> {
        add_l2(context, theta, gradient);
        let layer = |(index, entry): (usize, &Entry)| Layer {
            config: &self.config,
            settings: context.tensors[index],
            direction: self.direction(entry),
            narrow: narrow(&entry.shape, self.config.narrow_below),
            step: state.steps[index] as u64,
        };
        let layers: Vec<_> = context.layout.entries().iter().enumerate().map(layer).collect();
        let SoapState { m, v, factors, bases, .. } = &mut *state;
        let is_decomposed = for_each_layer(&layers, [theta, gradient, m, v, factors, bases]);
        // 6. Now and then the bases.
        let due: Vec<_> = layers.iter().map(Layer::due).collect();
        let is_turned = turn_bases(&due, Averages { m, v, factors, bases });
        state.steps.iter_mut().for_each(|step| *step += 1.0);
        Ok(decomposed(is_decomposed && is_turned))
    }
}

/// What a step needs to know of one tensor.
struct Layer<'a> {
    config: &'a SoapConfig,
    settings: TensorSettings,
    direction: Direction,
    /// s of step 4.
    narrow: f64,
    /// k: gradients before this one.
    step: u64,
}

impl LayerKernel<6> for Vec<Layer<'_>> {
    fn work(&self, tensor: usize) -> usize {
        self[tensor].direction.work()
    }

    fn run<T: Field>(&self, tensor: usize, numbers: [&mut [T]; 6], threads: Par) -> bool {
        let [theta, g, m, v, factors, bases] = numbers;
        let layer = &self[tensor];
        match layer.step {
            // Nothing moves.
            0 => layer.direction.begin(g, factors, bases, threads),
            _ => {
                layer.step(theta, g, [m, v], [factors, bases], threads);
                true
            }
        }
    }
}

impl Layer<'_> {
    /// Steps 1 to 5. G's buffer becomes N.
    fn step<T: Field>(
        &self,
        theta: &mut [T],
        g: &mut [T],
        [m, v]: [&mut [T]; 2],
        [factors, bases]: [&mut [T]; 2],
        threads: Par,
    ) {
        let direction = &self.direction;
        // 5. comes first, while there is G: no step before 6. reads the factors.
        let mut spare = direction.spare(g.len());
        direction.learn(g, &mut spare, factors, threads);
        direction.direct(g, &mut spare, [m, v], bases, threads);
        if self.config.normalize_grads {
            let root_mean_square = norm_of(g.iter().copied()) / (g.len() as f64).sqrt();
            let scale = T::of(1.0 / (1e-30 + root_mean_square));
            g.iter_mut().for_each(|n| *n = scale * *n);
        }
        self.walk(theta, g, self.correction());
    }

    /// The direction, where its bases are to be turned after this step.
    fn due(&self) -> Option<&RotatedAdam> {
        let is_due = self.step.is_multiple_of(self.config.precondition_frequency as u64);
        self.direction.with_bases().filter(|_| self.step > 0 && is_due)
    }

    /// 4. The step; decay comes last.
    fn walk<T: Field>(&self, theta: &mut [T], n: &[T], c: f64) {
        let TensorSettings { lr, decay } = self.settings;
        let (rate, shrink) = (T::of(lr * c * self.narrow), T::of(1.0 - lr * decay.decoupled()));
        let step = |(w, n): (&mut T, &T)| *w = (shrink * (*w - rate * *n)).flushed();
        theta.iter_mut().zip(n).for_each(step);
    }

    /// c of step 4.
    fn correction(&self) -> f64 {
        if self.config.correct_bias { self.direction.bias_correction(self.step) } else { 1.0 }
    }
}
