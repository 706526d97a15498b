//! Shampoo: a root of the average of G G' on each side of a layer's gradient.
//!
//! # Idea
//! Adagrad with a full matrix multiplies the gradient by (sum g g')^(-1/2), which a layer of a million
//! weights forbids. Of a matrix G the averages of G G' and of G' G say the most of it: their inverse fourth
//! roots, one from the left and one from the right, are the best such product. The direction is theirs;
//! how long the step is, Adam says ("grafting").
//!
//! # Algorithm
//! Kernels are read as matrices `[out, in h w]`. With `large` = `Block` every dimension is cut into pieces of
//! `max_dim`, and all that follows, norms too, is of one piece; with `OneSided` nothing is cut, and a longer
//! dimension has no factor. G x_k A multiplies dimension k by A, U_k is the unfolding with `n_k` rows (of a
//! matrix: G x_1 A x_2 B = A G B', U_1 = G, U_2 = G'), q is how many dimensions have a factor, p = 1/(2 q).
//! Step t (decay of kind `L2` already added: G + wd W):
//! 1. F_k <- beta2 F_k + (1 - beta2) U_k U_k', with beta2 = 1 F_k + U_k U_k';
//!    A <- graft_beta2 A + (1 - graft_beta2) G * G.
//! 2. At t = `start`, and after it where `precondition_frequency` divides t: R_k = (F_k/c + eps I)^-p with
//!    c = 1 - beta2^t (1 without `bias_correction` or with beta2 = 1). R_k = I before.
//! 3. Gbar = beta3 M + (1 - beta3) G, M <- beta1 M + (1 - beta1) G; with `bias_correction`
//!    Gbar / (1 - beta3 beta1^(t-1)). beta3 = beta1 makes it Adam's average.
//! 4. D_g = Gbar / (sqrt(A / (1 - graft_beta2^t)) + graft_eps).
//! 5. D = Gbar x_1 R_1 x_2 R_2 ...; with grafting D |D_g| / (|D| + 1e-16), and D_g itself before `start` and
//!    where there is no factor.
//! 6. W <- W - lr (D + wd W) with decoupled decay.
//!
//! # Notation
//! F, R, M, A: `factors`, `roots`, `m`, `a` of [`ShampooState`]; t: its `steps`, tensor by tensor.
//!
//! # Cost
//! For an m-by-n matrix of one piece 2 mn + 2 (m^2 + n^2) numbers of memory, for one of many pieces 6 mn, for a
//! vector of n up to `max_dim` 2 n + 2 n^2 (`precondition_1d` off: 2 n). In
//! a step 4 mn (m + n) operations: the factors and two products (half of the former is enough, they
//! are symmetric); every `precondition_frequency` steps about 11 (m^3 + n^3) more. One gradient.
//!
//! # When not to use it
//! A parameter that is one long vector: cut into pieces of `max_dim` its factors take 2 `max_dim` numbers for each of
//! its own (`precondition_1d` off). Small batches, whose factors are noise. Where `start` gradients together have a lower rank than a
//! dimension has entries: a direction that no gradient had yet is multiplied by eps^-p, and the step is made
//! of little else. A later `start` helps, and a larger eps. [SOAP](super::soap) minds old roots less;
//! Shampoo's step is cheaper.
//!
//! # Deviations
//! Roots are renewed every 10 steps and not in every step; `start` can be before
//! `precondition_frequency`. Grafting is the default. p counts the dimensions
//! that have a factor, so that a one-sided matrix has p = 1/2. Dimensions are never merged. In single
//! precision eps is at least 1e-6 of the largest eigenvalue, below which eigenvalues are rounding;
//! dimensions up to 512 are decomposed in double precision. A factor that cannot be decomposed keeps its
//! last good root, and the report's `pair` is then `Skipped`.
//!
//! # References
//! Gupta, Koren, Singer, *Shampoo: preconditioned stochastic tensor optimization*, 2018. Anil, Gupta, Koren,
//! Regan, Singer, *Scalable second order optimization for deep learning*, 2021 (blocks, grafting). Shi, Lee,
//! Iwasaki, Gallego-Posada, Li, Rangadurai, Mudigere, Rabbat, *A distributed data-parallel PyTorch
//! implementation of the distributed Shampoo optimizer for training neural networks at-scale*, 2023 (the
//! order of steps).
//!
//! # Example
//! ```
//! # use burn::{nn::LinearConfig, tensor::{Device, Tensor}};
//! use secant::ShampooConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! let mut model = LinearConfig::new(3, 2).init(&device);
//! let mut optimizer = ShampooConfig::new().init()?;
//! # let points = Tensor::<2>::from_floats([[0.1, 0.9, 0.3], [0.8, 0.3, 0.5]], &device);
//! for _ in 0..20 {
//!     let loss = |model: &burn::nn::Linear| model.forward(points.clone()).powi_scalar(2).mean();
//!     let report = optimizer.step(0.01, &mut model, loss)?;
//!     assert!(report.is_accepted());
//! }
//! # Ok(())
//! # }
//! ```

use std::ops::Range;

use faer::Par;
use secant_core::{
    moving_average::bias_correction,
    report::{PairOutcome, Rejection},
};

use crate::{
    blocks::{Blocks, Entry, Field, LayerKernel, Layout, for_each_layer, matrix_shape, norm_of},
    burn_optim::burn_optimizer,
    error::ConfigError,
    hyper_parameter::{HyperParameters, hyper_parameters},
    optimizer::Optimizer,
    preconditioner::{InverseRoot, Piece, Sides, Turn, Unfolding, decomposed},
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, Traffic, add_l2, record_state,
        step_by_gradient,
    },
};

/// What becomes of a dimension longer than `max_dim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LargeDimensions {
    /// It is cut into pieces; each has factors of its own.
    Block,
    /// It has no factor.
    OneSided,
}

/// Whose length a step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Graft {
    /// Its own.
    None,
    /// That of Adam's step.
    Adam,
}

hyper_parameters! {
    /// Configuration of [`Shampoo`].
    #[derive(Copy)]
    pub struct ShampooConfig {
        /// The decay rate of the average of gradients.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta_1: f64,
        /// The decay rate of the factors; 1 sums them.
        #[config(default = 0.99)]
        #[range(Above0To1)]
        beta_2: f64,
        /// The part of the average in the direction; none for `beta_1`.
        #[config(default = "None")]
        #[range(Below1)]
        beta_3: Option<f64>,
        /// Added to the factors' eigenvalues, which are as large as squared gradients.
        #[config(default = 1e-8)]
        #[range(Positive)]
        epsilon: f64,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
        /// Steps from one root to the next.
        #[config(default = 10)]
        #[range(AtLeast1)]
        precondition_frequency: usize,
        /// The step of the first roots; none for `precondition_frequency`.
        #[config(default = "None")]
        #[range(AtLeast1)]
        start: Option<usize>,
        /// A longer dimension is what `large` says.
        #[config(default = 1024)]
        #[range(AtLeast1)]
        max_dim: usize,
        /// What becomes of longer dimensions.
        #[config(default = "LargeDimensions::Block")]
        large: LargeDimensions,
        /// Whether vectors have a factor.
        #[config(default = true)]
        precondition_1d: bool,
        /// Whether averages are corrected for their start at 0.
        #[config(default = true)]
        bias_correction: bool,
        /// Whose length a step has.
        #[config(default = "Graft::Adam")]
        graft: Graft,
        /// The decay rate of Adam's average of squares.
        #[config(default = 0.99)]
        #[range(Below1)]
        graft_beta_2: f64,
        /// Added to the root of Adam's average of squares.
        #[config(default = 1e-8)]
        #[range(NotNegative)]
        graft_epsilon: f64,
    }
}

impl ShampooConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> Shampoo {
        Shampoo { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Shampoo>, ConfigError> {
        Optimizer::new(self.build())
    }

    /// S
    fn first_roots(&self) -> u64 {
        self.start.unwrap_or(self.precondition_frequency) as u64
    }

    fn is_sum(&self) -> bool {
        self.beta_2 == 1.0
    }
}

/// Shampoo; see the [module](self).
#[derive(Clone, Debug)]
pub struct Shampoo {
    config: ShampooConfig,
}

/// The state of [`Shampoo`].
#[derive(Clone, Debug, Default)]
pub struct ShampooState {
    m: Blocks,
    /// Of no entries without grafting.
    a: Blocks,
    /// F_k of all pieces and dimensions with a factor, one after the other.
    factors: Blocks,
    /// R_k likewise.
    roots: Blocks,
    /// Gradients seen, tensor by tensor.
    steps: Vec<f64>,
}

record_state!(ShampooState { vectors: [m, a, factors, roots], counters: [], numbers: [steps] });

burn_optimizer!(Shampoo);

impl Method for Shampoo {
    type State = ShampooState;
    const NAME: &'static str = "shampoo";

    fn traffic(&self) -> Option<Traffic> {
        // Beside the products.
        Some(match self.config.graft {
            Graft::Adam => Traffic { reads: 4, writes: 3 },
            Graft::None => Traffic { reads: 3, writes: 2 },
        })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let ShampooConfig { max_dim, large, precondition_1d, graft, .. } = self.config;
        let beta_2 = if self.config.is_sum() { "1" } else { "below 1" };
        vec![
            ("beta_2", beta_2.into()),
            ("max_dim", max_dim.to_string()),
            ("large", format!("{large:?}")),
            ("precondition_1d", precondition_1d.to_string()),
            ("graft", format!("{graft:?}")),
        ]
    }

    fn is_per_tensor(&self) -> bool {
        true
    }

    fn init(&self, layout: &Layout) -> ShampooState {
        let zeros = |length: &dyn Fn(&Entry) -> usize| {
            Blocks::zeros_of(layout, |entry| [length(entry)].into())
        };
        let factors = zeros(&|entry| self.parts(entry).last().map_or(0, |part| part.sides.end()));
        let a = match self.config.graft {
            Graft::Adam => Blocks::zeros(layout),
            Graft::None => zeros(&|_| 0),
        };
        let steps = vec![0.0; layout.entries().len()];
        ShampooState { m: Blocks::zeros(layout), a, roots: factors.clone(), factors, steps }
    }

    step_by_gradient!();
}

impl Shampoo {
    /// The pieces of a tensor with their factors, row by row of the grid.
    fn parts(&self, entry: &Entry) -> Vec<Part> {
        let ShampooConfig { max_dim, large, precondition_1d, .. } = self.config;
        let matrix = matrix_shape(&entry.shape);
        // A vector is a row, whose first dimension is none.
        let shape = matrix.unwrap_or([1, entry.shape.num_elements()]);
        let dimensions = match matrix {
            Some(_) => 0..2,
            None if precondition_1d => 1..2,
            None => 0..0,
        };
        let most = match large {
            LargeDimensions::Block => max_dim,
            LargeDimensions::OneSided => usize::MAX,
        };
        let mut start = 0;
        let part = |piece: Piece| {
            let shape = piece.shape();
            let with_factor = dimensions.clone().filter(|k| shape[*k] <= max_dim);
            let sides = with_factor.map(|k| Unfolding::new(&shape, k)).collect();
            let sides = Sides::new(sides, start);
            start = sides.end();
            Part { piece, sides }
        };
        Piece::grid(shape, most).into_iter().map(part).collect()
    }
}

/// A piece of a tensor, by itself a matrix or a vector, and its dimensions with a factor.
struct Part {
    piece: Piece,
    sides: Sides,
}

impl GradientMethod for Shampoo {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut ShampooState,
    ) -> Result<PairOutcome, Rejection> {
        add_l2(context, theta, gradient);
        state.steps.iter_mut().for_each(|step| *step += 1.0);
        let layer = |(index, entry): (usize, &Entry)| Layer {
            config: &self.config,
            settings: context.tensors[index],
            parts: self.parts(entry),
            t: state.steps[index] as u64,
        };
        let layers: Vec<_> = context.layout.entries().iter().enumerate().map(layer).collect();
        let ShampooState { m, a, factors, roots, .. } = &mut *state;
        Ok(decomposed(for_each_layer(&layers, [theta, gradient, m, a, factors, roots])))
    }
}

/// What a step needs to know of one tensor.
struct Layer<'a> {
    config: &'a ShampooConfig,
    settings: TensorSettings,
    parts: Vec<Part>,
    /// This gradient counted.
    t: u64,
}

impl LayerKernel<6> for Vec<Layer<'_>> {
    fn work(&self, tensor: usize) -> usize {
        self[tensor].parts.iter().map(|part| part.sides.work()).sum()
    }

    fn run<T: Field>(&self, tensor: usize, numbers: [&mut [T]; 6], threads: Par) -> bool {
        let [theta, g, m, a, factors, roots] = numbers;
        self[tensor].step(theta, g, &mut Average { m, a, factors, roots }, threads)
    }
}

/// The state of one tensor.
struct Average<'a, T> {
    m: &'a mut [T],
    a: &'a mut [T],
    factors: &'a mut [T],
    roots: &'a mut [T],
}

impl Layer<'_> {
    /// Steps 1 to 6; false where a root could not be taken. G's buffer becomes Gbar and D.
    fn step<T: Field>(
        &self,
        theta: &mut [T],
        g: &mut [T],
        state: &mut Average<'_, T>,
        threads: Par,
    ) -> bool {
        let old = self.config.beta_2;
        let new = if self.config.is_sum() { 1.0 } else { 1.0 - old };
        let mut is_good = true;
        for Part { piece, sides } in &self.parts {
            // 1. and 2. The factors, and now and then their roots.
            // A matrix is read where it is.
            sides.add_squares(state.factors, [old, new], &piece.of(g), &mut [], threads);
            if self.t == 1 {
                sides.make_identity(state.roots);
            }
            if self.is_due() {
                is_good &= self.take_roots(sides, state, threads);
            }
        }
        // 1. and 3. A, Gbar and M
        self.average(g, state);
        // 4. and 5. D
        let longest = self.parts.iter().map(|part| part.piece.len()).max().unwrap_or(0);
        let mut spare = vec![T::of(0.0); longest];
        for part in &self.parts {
            self.turn(part, g, &mut spare, state, threads);
        }
        // 6. The step
        let TensorSettings { lr, decay } = self.settings;
        let (rate, shrink) = (T::of(lr), T::of(1.0 - lr * decay.decoupled()));
        let step = |(w, d): (&mut T, &T)| *w = (shrink * *w - rate * *d).flushed();
        theta.iter_mut().zip(&*g).for_each(step);
        is_good
    }

    fn is_due(&self) -> bool {
        let (start, every) = (self.config.first_roots(), self.config.precondition_frequency as u64);
        self.t == start || self.t > start && self.t.is_multiple_of(every)
    }

    fn take_roots<T: Field>(
        &self,
        sides: &Sides,
        state: &mut Average<'_, T>,
        threads: Par,
    ) -> bool {
        let ShampooConfig { beta_2, epsilon, .. } = *self.config;
        let is_corrected = self.config.bias_correction && !self.config.is_sum();
        let rule = InverseRoot {
            correction: if is_corrected { bias_correction(beta_2, self.t) } else { 1.0 },
            epsilon,
            exponent: 0.5 / sides.len() as f64,
        };
        let take = |(unfolding, place): (Unfolding, Range<usize>)| {
            let (factor, root) = (&state.factors[place.clone()], &mut state.roots[place]);
            rule.take(factor, root, unfolding.side, threads)
        };
        sides.places().map(take).fold(true, |all, is_taken| all & is_taken)
    }

    /// A and M; Gbar in the place of G.
    fn average<T: Field>(&self, g: &mut [T], state: &mut Average<'_, T>) {
        let ShampooConfig { beta_1, graft_beta_2, .. } = *self.config;
        let (of_a, new_a) = (T::of(graft_beta_2), T::of(1.0 - graft_beta_2));
        let square = |(a, g): (&mut T, &T)| *a = (of_a * *a + new_a * *g * *g).flushed();
        state.a.iter_mut().zip(&*g).for_each(square);
        let beta_3 = self.config.beta_3.unwrap_or(beta_1);
        let correction = match self.config.bias_correction {
            true => 1.0 - beta_3 * beta_1.powf((self.t - 1) as f64),
            false => 1.0,
        };
        let (of_m, new_m) = (T::of(beta_1), T::of(1.0 - beta_1));
        let (of_bar, new_bar) = (T::of(beta_3 / correction), T::of((1.0 - beta_3) / correction));
        for (g, m) in g.iter_mut().zip(state.m.iter_mut()) {
            let bar = of_bar * *m + new_bar * *g;
            *m = (of_m * *m + new_m * *g).flushed();
            *g = bar;
        }
    }

    /// An entry of D_g, of those of Gbar and A.
    fn graft<T: Field>(&self) -> impl Fn(T, T) -> T {
        let ShampooConfig { graft_beta_2, graft_epsilon, .. } = *self.config;
        let correction = T::of(bias_correction(graft_beta_2, self.t));
        let epsilon = T::of(graft_epsilon);
        move |bar, a| {
            let size = (a / correction).sqrt() + epsilon;
            if size > T::of(0.0) { bar / size } else { T::of(0.0) }
        }
    }

    /// Steps 4 and 5 of one piece: D in the place of Gbar.
    fn turn<T: Field>(
        &self,
        Part { piece, sides }: &Part,
        bar: &mut [T],
        spare: &mut [T],
        state: &Average<'_, T>,
        threads: Par,
    ) {
        let (is_grafted, graft) = (self.config.graft == Graft::Adam, self.graft());
        if self.t < self.config.first_roots() || sides.is_empty() {
            if is_grafted {
                for run in piece.runs() {
                    let entries = bar[run.clone()].iter_mut().zip(&state.a[run]);
                    entries.for_each(|(d, a)| *d = graft(*d, *a));
                }
            }
            return;
        }
        let length = is_grafted.then(|| {
            let entries = piece.runs().flat_map(|run| bar[run.clone()].iter().zip(&state.a[run]));
            norm_of(entries.map(|(bar, a)| graft(*bar, *a)))
        });
        piece.change(bar, |d| {
            sides.multiply(d, &mut spare[..piece.len()], state.roots, Turn::Back, threads);
            if let Some(length) = length {
                let scale = T::of(length / (norm_of(d.iter().copied()) + 1e-16));
                d.iter_mut().for_each(|d| *d = scale * *d);
            }
        });
    }
}
