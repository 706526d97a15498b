//! The records of a comparison, on disk after each of them, so that a stopped one can go on.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::CompareError;
use crate::{
    report::{data_path, read_records, write_data},
    run::record::{Comparison, Record, Trial},
};

pub(super) struct Journal {
    folder: PathBuf,
    records: Mutex<Vec<Record>>,
}

impl Journal {
    /// Starts a journal with `comparison`, or takes up the one in `folder`. Writes at once, so that
    /// a folder that cannot be written is found before the work.
    pub(super) fn open(
        folder: &Path,
        comparison: Comparison,
        resume: bool,
    ) -> Result<Self, CompareError> {
        let mut records = vec![Record::Comparison(Box::new(comparison.clone()))];
        if resume && data_path(folder).exists() {
            let found = read_records(&data_path(folder))?;
            if !found.first().is_some_and(|first| is_same(first, &comparison)) {
                return Err(CompareError::OtherComparison { folder: folder.to_path_buf() });
            }
            // Step times are measured again.
            let kept = |record: &Record| matches!(record, Record::Trial(_) | Record::Run(_));
            records.extend(found.into_iter().filter(kept));
        }
        write_data(folder, &records)?;
        Ok(Self { folder: folder.to_path_buf(), records: Mutex::new(records) })
    }

    pub(super) fn add(&self, record: Record) -> Result<(), CompareError> {
        let mut records = self.lock();
        records.push(record);
        Ok(write_data(&self.folder, &records)?)
    }

    pub(super) fn set_target(&self, target: f64) -> Result<(), CompareError> {
        let mut records = self.lock();
        if let Some(Record::Comparison(comparison)) = records.first_mut() {
            comparison.target_accuracy = target;
        }
        Ok(write_data(&self.folder, &records)?)
    }

    pub(super) fn trials(&self) -> Vec<Trial> {
        let trial = |record: &Record| match record {
            Record::Trial(trial) => Some(trial.clone()),
            _ => None,
        };
        self.lock().iter().filter_map(trial).collect()
    }

    pub(super) fn find_trial(&self, optimizer: &str, lr: f64) -> Option<Trial> {
        self.trials().into_iter().find(|trial| trial.optimizer == optimizer && trial.lr == lr)
    }

    pub(super) fn has_run(&self, optimizer: &str, lr: f64, seed: u64) -> bool {
        self.lock().iter().any(|record| match record {
            Record::Run(run) => run.optimizer == optimizer && run.lr == lr && run.seed == seed,
            _ => false,
        })
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether finished runs of `found` are runs of `wanted` too: all but the command line, the number
/// of seeds, trials and optimizers, and the threads must agree; a given rate is no trial.
fn is_same(found: &Record, wanted: &Comparison) -> bool {
    let Record::Comparison(found) = found else { return false };
    let key = |c: &Comparison| {
        (
            (c.version.clone(), c.problem.clone(), c.description.clone(), c.precision.clone()),
            (c.train_records, c.validation_records, c.test_records),
            (c.batch_size, c.epochs, c.trials == 0),
            (c.schedule.clone(), c.hessian_products.clone()),
        )
    };
    key(found) == key(wanted)
}
