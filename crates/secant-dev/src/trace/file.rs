//! A reference trace as it is on disk.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::translate::TraceOptimizer;

/// A reference trace.
#[derive(Debug, Deserialize)]
pub struct Trace {
    pub(crate) name: String,
    pub(crate) dtype: Precision,
    pub(crate) problem: ProblemSpec,
    pub(crate) batches: Option<Vec<Vec<usize>>>,
    #[serde(default)]
    pub(crate) check_samples: Vec<CheckSample>,
    pub(crate) init: Vec<Vec<f64>>,
    pub(crate) optimizer: TraceOptimizer,
    pub(crate) probes: Option<Vec<Vec<Vec<f64>>>>,
    pub(crate) steps: usize,
    /// What the rate of each step is multiplied by, from the beginning again after the last.
    pub(crate) lr_factors: Option<Vec<f64>>,
    pub(crate) tolerance: f64,
    pub(crate) trace: Vec<ReferenceStep>,
}

/// The records on which the end of a step is checked; in the order of the steps.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckSample {
    pub rows: Vec<usize>,
}

/// A trust-region subproblem, solved by another implementation.
#[derive(Debug, Deserialize)]
pub struct SubproblemTrace {
    pub(crate) name: String,
    pub(crate) n: usize,
    pub(crate) gamma: f64,
    /// The pairs, oldest first.
    pub(crate) s: Vec<Vec<f64>>,
    pub(crate) y: Vec<Vec<f64>>,
    pub(crate) g: Vec<f64>,
    pub(crate) delta: f64,
    pub(crate) skip_r: f64,
    pub(crate) skip_r2: f64,
    /// The pairs that pass the skipping rule, by their place.
    pub(crate) accepted: Vec<usize>,
    pub(crate) solution: String,
    pub(crate) unique: Unique,
    pub(crate) p: Option<Vec<f64>>,
    pub(crate) p_alt: Option<Vec<f64>>,
    pub(crate) p_hat: Option<Vec<f64>>,
    pub(crate) fixed_basis: Option<Vec<Vec<f64>>>,
    pub(crate) sigma: f64,
    pub(crate) model_value: f64,
    pub(crate) norm_b: f64,
    pub(crate) tolerance: f64,
}

/// Whether a subproblem has one solution.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unique {
    /// One.
    Yes,
    /// Two, `p` and `p_alt`.
    Sign,
    /// Many: `p_hat` is what they share, in the space of `fixed_basis`.
    Subspace,
    /// Many; `p` is the shortest.
    NullSpace,
}

/// A Hessian-vector product of another implementation.
#[derive(Debug, Deserialize)]
pub struct ProductTrace {
    pub(crate) name: String,
    pub(crate) dtype: Precision,
    pub(crate) problem: ProblemSpec,
    pub(crate) batch: Option<Vec<usize>>,
    pub(crate) init: Vec<Vec<f64>>,
    pub(crate) vector: Vec<Vec<f64>>,
    pub(crate) loss: f64,
    pub(crate) grad: Vec<Vec<f64>>,
    pub(crate) hvp: Vec<Vec<f64>>,
    pub(crate) tolerance: f64,
}

/// What a file of a reference holds.
#[derive(Debug)]
pub enum Reference {
    /// The steps of an optimizer.
    Steps(Box<Trace>),
    /// A Hessian-vector product: a file of kind `hvp`.
    Product(ProductTrace),
    /// A trust-region subproblem: a file of kind `trust_region`.
    Subproblem(SubproblemTrace),
}

/// The number type of a trace.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Precision {
    F32,
    F64,
}

/// One step of the reference.
#[derive(Debug, Deserialize)]
pub(crate) struct ReferenceStep {
    pub loss: f64,
    pub params: Vec<Vec<f64>>,
    /// The point to evaluate at, of methods that average.
    pub eval_params: Option<Vec<Vec<f64>>>,
    pub step_size: Option<f64>,
    pub radius: Option<f64>,
    pub rho: Option<f64>,
    pub alpha: Option<f64>,
    pub step_norm: Option<f64>,
    pub check_value: Option<f64>,
    pub doubling: Option<bool>,
    pub accepted_pairs: Option<usize>,
    pub stored_pairs: Option<usize>,
    /// Of values and gradients, since the beginning.
    pub func_evals: Option<u64>,
}

/// The function that a trace minimises.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum ProblemSpec {
    Quadratic {
        a: Vec<Vec<f64>>,
        b: Vec<f64>,
    },
    Rosenbrock {
        dim: usize,
    },
    Logistic {
        x: Vec<Vec<f64>>,
        y: Vec<f64>,
        l2: f64,
    },
    Mlp {
        layers: Vec<usize>,
        activation: Activation,
        loss: LossKind,
        x: Vec<Vec<f64>>,
        y: Targets,
    },
    Conv {
        shape: [usize; 3],
        channels: usize,
        kernel: usize,
        pool: usize,
        classes: usize,
        x: Vec<Vec<f64>>,
        y: Vec<i64>,
    },
}

impl ProblemSpec {
    /// Rows of data; functions without data ignore batches.
    pub fn rows(&self) -> usize {
        match self {
            Self::Quadratic { .. } | Self::Rosenbrock { .. } => usize::MAX,
            Self::Logistic { x, .. } | Self::Mlp { x, .. } | Self::Conv { x, .. } => x.len(),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activation {
    Tanh,
    Relu,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LossKind {
    CrossEntropy,
    Mse,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Targets {
    Classes(Vec<i64>),
    Values(Vec<Vec<f64>>),
}

/// A trace that cannot be replayed.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("the trace {path} cannot be read: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is no trace this version can replay.
    #[error("the trace {path} cannot be replayed: {cause}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What the parser says, with line and column.
        cause: serde_json::Error,
    },
    /// The file is of a kind that another version replays.
    #[error(
        "the trace {path} is of kind `{kind}`; this version replays optimizer traces, which have no kind, Hessian products, of kind `hvp`, and subproblems, of kind `trust_region`"
    )]
    Kind {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: String,
    },
    /// The numbers do not fit together.
    #[error("the trace `{name}` is not consistent: {what}")]
    Inconsistent {
        /// The trace's name.
        name: String,
        /// What does not fit.
        what: String,
    },
    /// The optimizer's settings do not fit our method.
    #[error(transparent)]
    Config(#[from] secant::error::ConfigError),
    /// The optimizer has no such hyper-parameter.
    #[error(transparent)]
    Spec(#[from] secant::spec::SpecError),
    /// A step failed.
    #[error(transparent)]
    Step(#[from] secant::error::StepError),
    /// A Hessian product failed.
    #[error(transparent)]
    Product(#[from] secant::error::ProductError),
    /// A subproblem failed.
    #[error(transparent)]
    Subproblem(#[from] secant::operator::MinimiserError),
}

impl Reference {
    /// Reads and checks a reference.
    ///
    /// # Errors
    /// One sentence that names the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let owned = || path.to_path_buf();
        let text = std::fs::read_to_string(path)
            .map_err(|cause| TraceError::Read { path: owned(), cause })?;
        #[derive(Deserialize)]
        struct Kind {
            kind: Option<String>,
        }
        let format = |cause| TraceError::Format { path: owned(), cause };
        let Kind { kind } = serde_json::from_str(&text).map_err(format)?;
        match kind.as_deref() {
            None => {
                let trace: Trace = serde_json::from_str(&text).map_err(format)?;
                trace.check()?;
                Ok(Self::Steps(Box::new(trace)))
            }
            Some("hvp") => {
                let trace: ProductTrace = serde_json::from_str(&text).map_err(format)?;
                trace.check()?;
                Ok(Self::Product(trace))
            }
            Some("trust_region") => {
                let trace: SubproblemTrace = serde_json::from_str(&text).map_err(format)?;
                trace.check()?;
                Ok(Self::Subproblem(trace))
            }
            Some(kind) => Err(TraceError::Kind { path: owned(), kind: kind.to_string() }),
        }
    }
}

impl ProductTrace {
    fn check(&self) -> Result<(), TraceError> {
        let fail = |what: String| Err(TraceError::Inconsistent { name: self.name.clone(), what });
        for (name, list) in [("vector", &self.vector), ("grad", &self.grad), ("hvp", &self.hvp)] {
            if list.iter().map(Vec::len).ne(self.init.iter().map(Vec::len)) {
                return fail(format!("`{name}` differs in size from `init`"));
            }
        }
        let rows = self.problem.rows();
        match self.batch.iter().flatten().find(|row| **row >= rows) {
            Some(row) => fail(format!("the batch names row {row}, the data has {rows}")),
            None => Ok(()),
        }
    }
}

impl SubproblemTrace {
    fn check(&self) -> Result<(), TraceError> {
        let fail = |what: String| Err(TraceError::Inconsistent { name: self.name.clone(), what });
        let lists = [Some(&self.g), self.p.as_ref(), self.p_alt.as_ref(), self.p_hat.as_ref()];
        let rows = [Some(&self.s), Some(&self.y), self.fixed_basis.as_ref()];
        let all = lists.into_iter().flatten().chain(rows.into_iter().flatten().flatten());
        if let Some(list) = all.into_iter().find(|list| list.len() != self.n) {
            return fail(format!("a vector has {} entries, n is {}", list.len(), self.n));
        }
        if self.s.len() != self.y.len() {
            return fail("`s` and `y` differ in length".to_string());
        }
        let is_there = match self.unique {
            Unique::Yes | Unique::NullSpace => self.p.is_some(),
            Unique::Sign => self.p.is_some() && self.p_alt.is_some(),
            Unique::Subspace => self.p_hat.is_some() && self.fixed_basis.is_some(),
        };
        if is_there { Ok(()) } else { fail("the solution is missing".to_string()) }
    }
}

impl Trace {
    /// The trace's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The largest deviation that passes.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    fn check(&self) -> Result<(), TraceError> {
        let fail = |what: String| Err(TraceError::Inconsistent { name: self.name.clone(), what });
        if self.trace.len() != self.steps {
            return fail(format!("{} steps announced, {} given", self.steps, self.trace.len()));
        }
        let lengths: Vec<usize> = self.init.iter().map(Vec::len).collect();
        for (index, step) in self.trace.iter().enumerate() {
            let mut points = std::iter::once(&step.params).chain(&step.eval_params);
            if points.any(|point| point.iter().map(Vec::len).ne(lengths.iter().copied())) {
                return fail(format!(
                    "the parameters of step {} differ in size from `init`",
                    index + 1
                ));
            }
        }
        let Some(batches) = &self.batches else { return Ok(()) };
        if batches.is_empty() {
            return fail("`batches` is empty".to_string());
        }
        let rows = self.problem.rows();
        let samples = self.check_samples.iter().map(|sample| &sample.rows);
        match batches.iter().chain(samples).flatten().find(|row| **row >= rows) {
            Some(row) => fail(format!("a batch names row {row}, the data has {rows}")),
            None => Ok(()),
        }
    }
}
