//! Training one model and keeping it, and measuring one that was kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use burn::tensor::Device;
use burn_store::{ModuleSnapshot, SafetensorsStore};
use safetensors::SafeTensors;
use thiserror::Error;

use crate::{
    Metric, Part, Plan, Problem,
    comparison::{CompareError, alone, one_run},
    files::replace_file,
    precision::drawn,
    run::{Checkpoints, TrainError, Watch, measure, train},
};

/// What a model comes to on the records of a part, metric by metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The metrics, the loss first.
    pub metrics: Vec<Metric>,
    /// On the validation records; `None` where one is not finite.
    pub validation: Vec<Option<f64>>,
    /// On the test records.
    pub test: Vec<Option<f64>>,
}

/// A model that was not trained, kept or read.
#[derive(Debug, Error)]
pub enum TrainingError {
    /// The plan does not fit the problem, or the user stopped the run.
    #[error(transparent)]
    Plan(#[from] CompareError),
    /// A file cannot be read or written.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The checkpoint beside the model is no good.
    #[error("cannot go on from {}: {reason}; delete it to begin anew", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The model is of another problem.
    #[error("{} is a model for {found}, not for {wanted}; name that problem", path.display())]
    Problem {
        /// The file.
        path: PathBuf,
        /// Whose model it is.
        found: String,
        /// The problem asked for.
        wanted: String,
    },
}

/// What the file says of its problem.
const PROBLEM: &str = "problem";

/// Trains the plan's first method with its first seed at the plan's rate, or at its usual one, and writes the
/// model to `path` as safetensors. A checkpoint beside it lets a run that was stopped go on.
///
/// # Errors
/// A plan that the problem does not allow, a file that cannot be written, or the user stopped it.
pub fn train_to_file<P: Problem>(
    problem: &P,
    plan: &Plan,
    path: &Path,
    stop: &AtomicBool,
    after_step: &(dyn Fn(f64) + Sync),
) -> Result<Figures, TrainingError>
where
    P::Model: Send,
{
    let (setting, key) = one_run(plan, problem)?;
    let checkpoint = path.with_extension(format!("{}.checkpoint", &key[..12]));
    let fault = |path: &Path, reason: io::Error| TrainingError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let from = match fs::read(&checkpoint) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        read => Some(read.map_err(|reason| fault(&checkpoint, reason))?),
    };
    let keep = |state: &[u8]| {
        replace_file(&checkpoint, state).map_err(|reason| TrainError::File {
            path: checkpoint.display().to_string(),
            reason: reason.to_string(),
        })
    };
    let (outcome, model) = alone(|| {
        let checkpoints = Checkpoints { from, every: plan.checkpoint_every, keep: &keep };
        train(problem, &setting, Watch::Whole, stop, &|progress| after_step(progress), &checkpoints)
    })
    .map_err(|cause| match cause {
        TrainError::Checkpoint(reason) => {
            TrainingError::Checkpoint { path: checkpoint.clone(), reason: reason.to_string() }
        }
        cause => CompareError::of_run(&setting, cause).into(),
    })?;
    let mut store = SafetensorsStore::from_bytes(None)
        .metadata(PROBLEM, problem.name())
        .metadata("optimizer", setting.method.to_string())
        .metadata("learning rate", setting.lr.to_string());
    let written = model.save_into(&mut store).map_err(|reason| reason.to_string());
    let bytes = written.and_then(|()| store.get_bytes().map_err(|reason| reason.to_string()));
    let bytes = bytes.map_err(|reason| TrainingError::File { path: path.to_owned(), reason })?;
    replace_file(path, &bytes).map_err(|reason| fault(path, reason))?;
    match fs::remove_file(&checkpoint) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(&checkpoint, error)),
        _ => Ok(Figures {
            metrics: problem.metrics(),
            validation: outcome.validation,
            test: outcome.test,
        }),
    }
}

/// Measures the model in `path`, which [`train_to_file`] wrote.
///
/// # Errors
/// The file cannot be read, or is of another problem or network.
pub fn measure_file<P: Problem>(
    problem: &P,
    plan: &Plan,
    path: &Path,
) -> Result<Figures, TrainingError> {
    let fault = |reason: String| TrainingError::File { path: path.to_owned(), reason };
    let bytes = fs::read(path).map_err(|reason| fault(reason.to_string()))?;
    let found = problem_of(&bytes).map_err(fault)?;
    if found != problem.name() {
        let (path, wanted) = (path.to_owned(), problem.name());
        return Err(TrainingError::Problem { path, found, wanted });
    }
    let device = Device::default();
    let mut model = drawn(0, plan.precision, &device, || problem.model(0, &device));
    let mut store = SafetensorsStore::from_bytes(Some(bytes));
    model.load_from(&mut store).map_err(|reason| fault(reason.to_string()))?;
    let of = |part| {
        let records: Vec<usize> = (0..problem.records(part)).collect();
        measure(problem, &model, plan.precision, &device, part, &records)
    };
    let measured = |part| of(part).map_err(|error| fault(error.to_string()));
    Ok(Figures {
        metrics: problem.metrics(),
        validation: measured(Part::Validation)?,
        test: measured(Part::Test)?,
    })
}

/// The problem that a file in safetensors names.
fn problem_of(bytes: &[u8]) -> Result<String, String> {
    let head = SafeTensors::read_metadata(bytes).ok();
    let named = head.and_then(|(_, head)| head.metadata().as_ref()?.get(PROBLEM).cloned());
    named.ok_or_else(|| "it is no model of secant, or damaged".to_string())
}
