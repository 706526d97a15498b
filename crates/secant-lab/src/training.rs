//! Training one model and keeping it, and measuring one that was kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use burn::tensor::Device;
use secant_data::DataError;
use thiserror::Error;

use crate::{
    Metric, Part, Plan, Problem,
    comparison::{CompareError, alone, one_run},
    files::{remove_leftovers, replace_file},
    model_file::{ModelFile, is_record, write_model},
    precision::{Precision, drawn, precision_of},
    run::{Checkpoints, TrainError, Watch, measure, train},
    supervised::RECIPE,
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

/// How a model was trained that was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// What it comes to.
    pub figures: Figures,
    /// Whether every validation loss was finite, and that or the training loss fell.
    pub has_learnt: bool,
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
    /// The model was not trained on a table.
    #[error(
        "{} does not say how a table becomes its inputs; predictions want a model that `secant train --csv` wrote \
         as safetensors",
        path.display()
    )]
    NoTable {
        /// The file.
        path: PathBuf,
    },
    /// A table cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model has another number type than the data.
    #[error("{} holds {found} numbers; say --precision {found}", path.display())]
    Precision {
        /// The file.
        path: PathBuf,
        /// Its number type.
        found: Precision,
    },
    /// The model was trained on other records.
    #[error(
        "{} was trained on other records than these, and is measured on those that its own table left for validation \
         and test; `secant predict` says what it foretells for another table",
        path.display()
    )]
    Records {
        /// The file.
        path: PathBuf,
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

/// What the file says of its problem, and of its records.
const PROBLEM: &str = "problem";
const DATA: &str = "data";

/// Trains the plan's first method with its first seed at the plan's rate, or at its usual one, and writes the
/// model to `path`: as a record of Burn where that ends in `.bpk`, else as safetensors with the recipe in them
/// (of [`Supervised::recipe`](crate::supervised::Supervised::recipe)). A checkpoint beside it lets a run that was
/// stopped go on.
///
/// # Errors
/// A plan that the problem does not allow, a file that cannot be written, or the user stopped it.
pub fn train_to_file<P: Problem>(
    problem: &P,
    plan: &Plan,
    path: &Path,
    recipe: Option<String>,
    stop: &AtomicBool,
    after_step: &(dyn Fn(f64) + Sync),
) -> Result<Trained, TrainingError>
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
    let mut notes = vec![
        (PROBLEM, problem.name()),
        (DATA, problem.fingerprint()),
        ("optimizer", setting.method.to_string()),
        ("learning rate", setting.lr.to_string()),
    ];
    notes.extend(recipe.map(|recipe| (RECIPE, recipe)));
    write_model(&model, path, notes)?;
    [path, &*checkpoint].into_iter().for_each(remove_leftovers);
    match fs::remove_file(&checkpoint) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(&checkpoint, error)),
        _ => Ok(Trained {
            figures: Figures {
                metrics: problem.metrics(),
                validation: outcome.validation,
                test: outcome.test,
            },
            has_learnt: outcome.trained,
        }),
    }
}

/// What tells the records that a file's model of this problem was trained on, where it says. A table can have been
/// renamed; a record of Burn says nothing.
fn records_of<P: Problem>(
    file: &ModelFile,
    problem: &P,
    path: &Path,
) -> Result<Option<String>, TrainingError> {
    if is_record(path) {
        return Ok(None);
    }
    let no_name = || file.fault("it is no model of secant, or damaged".to_string());
    let (found, wanted) = (file.note(PROBLEM)?.ok_or_else(no_name)?, problem.name());
    let data = file.note(DATA)?;
    let network = |name: &str| name.rsplit('/').next().map(str::to_owned);
    let is_renamed_table =
        data.is_some() && file.note(RECIPE)?.is_some() && network(&found) == network(&wanted);
    if found == wanted || is_renamed_table {
        return Ok(data);
    }
    Err(TrainingError::Problem { path: path.to_owned(), found, wanted })
}

/// Measures the model in `path`, which [`train_to_file`] wrote.
///
/// # Errors
/// The file cannot be read, or is of another problem, number type or network, or was trained on other records.
pub fn measure_file<P: Problem>(
    problem: &P,
    plan: &Plan,
    path: &Path,
) -> Result<Figures, TrainingError> {
    let file = ModelFile::read(path)?;
    let trained_on = records_of(&file, problem, path)?;
    let device = Device::default();
    let model = drawn(0, plan.precision, &device, || problem.model(0, &device));
    let model = file.load_into(model)?;
    match precision_of(&model) {
        Some(found) if found != plan.precision => {
            return Err(TrainingError::Precision { path: path.to_owned(), found });
        }
        _ => {}
    }
    // Which depends on the number type.
    if trained_on.is_some_and(|data| data != problem.fingerprint()) {
        return Err(TrainingError::Records { path: path.to_owned() });
    }
    let of = |part| {
        let records: Vec<usize> = (0..problem.records(part)).collect();
        measure(problem, &model, plan.precision, &device, part, &records)
    };
    let fault = |reason| TrainingError::File { path: path.to_owned(), reason };
    let measured = |part| of(part).map_err(|error| fault(error.to_string()));
    Ok(Figures {
        metrics: problem.metrics(),
        validation: measured(Part::Validation)?,
        test: measured(Part::Test)?,
    })
}
