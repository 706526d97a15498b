//! A reference trace as it is on disk.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::optimizer::OptimizerSpec;

/// A reference trace.
#[derive(Debug, Deserialize)]
pub struct Trace {
    pub(crate) name: String,
    pub(crate) dtype: Precision,
    pub(crate) problem: ProblemSpec,
    pub(crate) batches: Option<Vec<Vec<usize>>>,
    pub(crate) init: Vec<Vec<f64>>,
    pub(crate) optimizer: OptimizerSpec,
    pub(crate) probes: Option<Vec<Vec<Vec<f64>>>>,
    pub(crate) steps: usize,
    pub(crate) tolerance: f64,
    pub(crate) trace: Vec<ReferenceStep>,
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
    Steps(Trace),
    /// A Hessian-vector product: a file of kind `hvp`.
    Product(ProductTrace),
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
    pub step_size: Option<f64>,
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
        "the trace {path} is of kind `{kind}`; this version replays optimizer traces, which have no kind, and Hessian products, of kind `hvp`"
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
    /// The optimizer's settings are out of range.
    #[error(transparent)]
    Config(#[from] secant::error::ConfigError),
    /// A step failed.
    #[error(transparent)]
    Step(#[from] secant::error::StepError),
    /// A Hessian product failed.
    #[error(transparent)]
    Product(#[from] secant::error::ProductError),
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
                Ok(Self::Steps(trace))
            }
            Some("hvp") => {
                let trace: ProductTrace = serde_json::from_str(&text).map_err(format)?;
                trace.check()?;
                Ok(Self::Product(trace))
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
            if step.params.iter().map(Vec::len).ne(lengths.iter().copied()) {
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
        match batches.iter().flatten().find(|row| **row >= rows) {
            Some(row) => fail(format!("a batch names row {row}, the data has {rows}")),
            None => Ok(()),
        }
    }
}
