//! Files of models: safetensors, which also name what the model is for, or records of Burn (`.bpk`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn::{module::Module, store::ModuleRecord, tensor::Bytes};
use burn_store::{ModuleSnapshot, SafetensorsStore};
use safetensors::SafeTensors;

use crate::{files::replace_file, training::TrainingError};

/// What a file says of the model besides its weights: names and texts.
pub(crate) type Notes = Vec<(&'static str, String)>;

/// Writes the model. A name that ends in `.bpk` asks for a record of Burn, which has no place for notes.
pub(crate) fn write_model<M: Module>(
    model: &M,
    path: &Path,
    notes: Notes,
) -> Result<(), TrainingError> {
    let bytes = if is_record(path) { record(model) } else { safetensors(model, notes) };
    let fault = |reason| TrainingError::File { path: path.to_owned(), reason };
    replace_file(path, bytes.map_err(fault)?).map_err(|reason| fault(reason.to_string()))
}

/// Whether a file of this name is a record of Burn.
pub(crate) fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "bpk")
}

fn record<M: Module>(model: &M) -> Result<Vec<u8>, String> {
    let bytes = model.clone().into_record().into_bytes();
    bytes.map(|bytes| bytes.to_vec()).map_err(|reason| reason.to_string())
}

fn safetensors<M: Module>(model: &M, notes: Notes) -> Result<Vec<u8>, String> {
    let store = SafetensorsStore::from_bytes(None);
    let mut store = notes.into_iter().fold(store, |store, (name, text)| store.metadata(name, text));
    model.save_into(&mut store).map_err(|reason| reason.to_string())?;
    store.get_bytes().map_err(|reason| reason.to_string())
}

/// What the library says of it names its own types.
const OTHER_NETWORK: &str =
    "its weights do not fit this network; they are those of another one, or damaged";

/// A file that is to be a model's.
pub(crate) struct ModelFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl ModelFile {
    pub(crate) fn read(path: &Path) -> Result<Self, TrainingError> {
        let bytes = fs::read(path).map_err(|reason| TrainingError::File {
            path: path.to_owned(),
            reason: reason.to_string(),
        })?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// The text under `name`; none in a record of Burn, or where the file has none of that name.
    ///
    /// # Errors
    /// The file is no model.
    pub(crate) fn note(&self, name: &str) -> Result<Option<String>, TrainingError> {
        if is_record(&self.path) {
            return Ok(None);
        }
        match SafeTensors::read_metadata(&self.bytes) {
            Ok((_, head)) => {
                Ok(head.metadata().as_ref().and_then(|notes| notes.get(name).cloned()))
            }
            Err(_) => Err(self.fault("it is no model of secant, or damaged".to_string())),
        }
    }

    /// The model with the file's weights.
    ///
    /// # Errors
    /// They are those of another network.
    pub(crate) fn load_into<M: Module>(self, mut model: M) -> Result<M, TrainingError> {
        let path = self.path.clone();
        let fault = |reason: String| TrainingError::File { path, reason };
        if is_record(&self.path) {
            let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(self.bytes));
            let loaded = record.and_then(|record| model.try_load_record(record));
            return loaded.map_err(|_| fault(OTHER_NETWORK.to_string()));
        }
        let mut store = SafetensorsStore::from_bytes(Some(self.bytes));
        model.load_from(&mut store).map_err(|_| fault(OTHER_NETWORK.to_string()))?;
        Ok(model)
    }

    pub(crate) fn fault(&self, reason: String) -> TrainingError {
        TrainingError::File { path: self.path.clone(), reason }
    }
}
