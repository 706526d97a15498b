//! Saving and loading an optimizer, so that training goes on as if it had never stopped.
//!
//! A record holds the method's name, the layout by path, every vector and number of the state, the
//! hyper-parameters that the state depends on ([`Method::state_settings`]), and a checksum. It does
//! not hold the other hyper-parameters: load it into an optimizer built alike. Ids of parameters
//! differ between processes; paths do not.

mod parts;
mod write;

use std::path::Path;

use burn::module::Module;
use burn_pack::{Scalar, Writer};

pub(super) use self::parts::Parts;
use self::write::write_session;
use super::{Cohort, MissingGradients, Optimizer, Session, session::check_names};
use crate::{
    blocks::{Entry, Layout},
    error::RecordError,
    oracle::{all_parameters, trainable_layout},
    protocol::{GradientMethod, Method, State, misfit},
};

const FORMAT: &str = "secant optimizer record 2";

impl<K: Method> Optimizer<K> {
    /// Saves the state, whole or not at all: the file is written under a temporary name, synced,
    /// and renamed. Before the first step there is no state, and an empty record is written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        write_file(self.writer(Vec::new())?, path.as_ref())
    }

    /// The record that [`Optimizer::save`] writes, to be kept elsewhere than in a file of its own.
    ///
    /// # Errors
    /// A tensor cannot be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        bytes_of(self.writer(Vec::new())?)
    }

    /// The record, with these scalars besides.
    pub(super) fn writer(&self, more: Vec<(String, Scalar)>) -> Result<Writer, RecordError> {
        let writer = match &self.session {
            Some(session) => write_session(self.method(), session, more)?,
            None => {
                let empty = Writer::new(Vec::new()).with_metadata("method", K::NAME);
                more.into_iter()
                    .fold(empty, |writer, (name, value)| writer.with_scalar(&name, value))
            }
        };
        Ok(writer.with_metadata("format", FORMAT).auto_extension(false))
    }

    /// Loads a state that [`Optimizer::save`] wrote, for `model`. The next steps are those that the
    /// saved optimizer would have made. Of more pairs than this optimizer has room for, the newest
    /// are kept.
    ///
    /// # Errors
    /// The file is damaged, or of another method or model, or was saved with other settings of what
    /// the state holds. The optimizer is then as before.
    pub fn load<M: Module>(
        &mut self,
        path: impl AsRef<Path>,
        model: &M,
    ) -> Result<(), RecordError> {
        self.session = self.read(&Parts::open(path.as_ref())?, model)?;
        Ok(())
    }

    /// Loads a state that [`Optimizer::to_bytes`] gave, as [`Optimizer::load`] does.
    ///
    /// # Errors
    /// As there.
    pub fn load_bytes<M: Module>(&mut self, bytes: &[u8], model: &M) -> Result<(), RecordError> {
        self.session = self.read(&Parts::of_bytes(bytes)?, model)?;
        Ok(())
    }

    /// The session of a record; None where it was saved before the first step.
    pub(super) fn read<M: Module>(
        &self,
        parts: &Parts,
        model: &M,
    ) -> Result<Option<Session<K::State>>, RecordError> {
        if parts.text("method")? != K::NAME {
            let found = parts.text("method")?.to_string();
            return Err(RecordError::Method { found, expected: K::NAME });
        }
        match parts.layout() {
            None => Ok(None),
            Some(layout) => self.read_session(layout, parts, model).map(Some),
        }
    }

    fn read_session<M: Module>(
        &self,
        layouts: &str,
        parts: &Parts,
        model: &M,
    ) -> Result<Session<K::State>, RecordError> {
        let layouts = layouts.split(BETWEEN_COHORTS).map(|layout| find_layout(layout, model));
        let layouts = layouts.collect::<Result<Vec<_>, _>>()?;
        parts.verify()?;
        self.require_settings(parts)?;
        let all = all_parameters(model);
        check_names(&self.method, &self.groups, self.missing, &all, &layouts[0])?;
        let mut cohorts = Vec::with_capacity(layouts.len());
        for (number, layout) in layouts.into_iter().enumerate() {
            cohorts.push(self.read_cohort(number, layout, parts)?);
        }
        if cohorts.len() > 1 && self.missing == MissingGradients::Error {
            return Err(RecordError::MissingGradients);
        }
        let mut session = Session::of(cohorts);
        session.accepted_steps = parts.count("accepted_steps")?;
        session.rejected_steps = parts.count("rejected_steps")?;
        session.random = parts.scalar("random").map(|random| random == Scalar::Bool(true));
        session.batches = parts.positions("batches")?;
        session.is_loaded = true;
        Ok(session)
    }

    fn read_cohort(
        &self,
        number: usize,
        layout: Layout,
        parts: &Parts,
    ) -> Result<Cohort<K::State>, RecordError> {
        let mut cohort = Cohort::new(&self.method, &self.groups, layout)?;
        let mut fresh = cohort.state.clone();
        read_state(&mut cohort.state, &prefix(number), parts)?;
        match misfit(&mut cohort.state, &mut fresh, &cohort.layout) {
            None => Ok(cohort),
            Some(what) => Err(RecordError::Part { what: prefix(number) + &what }),
        }
    }

    fn require_settings(&self, parts: &Parts) -> Result<(), RecordError> {
        for (setting, expected) in self.method().state_settings() {
            let found = parts.text(&format!("setting/{setting}"))?;
            if found != expected {
                let found = found.to_string();
                return Err(RecordError::Setting { setting, found, expected });
            }
        }
        Ok(())
    }
}

impl<K: GradientMethod> Optimizer<K> {
    /// Loads a state of some of `model`'s parameters, and says which others are new, by path: for a
    /// model that has grown, or of which more is trained now. The state of the new ones is that
    /// before the first step. The counter of steps is one for all, so that corrections for a start at
    /// zero, as Adam has, do not begin again for them; where missing gradients are skipped
    /// ([`Optimizer::with_missing_gradients`]) new ones join at their first gradient, with their own.
    ///
    /// All trainable parameters of `model` are in the next step, unless missing gradients are skipped; one of the record that `model`
    /// lacks is an error, as in [`Optimizer::load`].
    ///
    /// # Errors
    /// As [`Optimizer::load`]; the method cannot be extended (SGD-BB). The optimizer is then as before.
    pub fn load_partial<M: Module>(
        &mut self,
        path: impl AsRef<Path>,
        model: &M,
    ) -> Result<Vec<String>, RecordError> {
        if !self.method().can_be_extended() {
            return Err(RecordError::Extension { method: K::NAME });
        }
        let layout = trainable_layout(model)?;
        let loaded = self.read(&Parts::open(path.as_ref())?, model)?;
        let cohorts = loaded.iter().flat_map(|session| &session.cohorts);
        let entries: Vec<&Entry> = cohorts.flat_map(|cohort| cohort.layout.entries()).collect();
        let known = |path: &str| entries.iter().any(|entry| entry.path == path);
        let paths = layout.entries().iter().map(|entry| entry.path.clone());
        let new: Vec<String> = paths.filter(|path| !known(path)).collect();
        self.session = match loaded {
            Some(mut session) if !new.is_empty() && self.missing == MissingGradients::Error => {
                let whole = Cohort::new(&self.method, &self.groups, layout)?;
                session.cohorts = session
                    .cohorts
                    .into_iter()
                    .map(|cohort| cohort.extended_to(whole.clone()))
                    .collect();
                Some(session)
            }
            loaded => loaded,
        };
        Ok(new)
    }
}

/// Between the layouts of two cohorts: an empty line.
const BETWEEN_COHORTS: &str = "\n\n";

/// What the names of a cohort's parts begin with: nothing for the first, which is usually the only one.
fn prefix(cohort: usize) -> String {
    if cohort == 0 { String::new() } else { format!("cohort {cohort}/") }
}

fn read_state<S: State>(state: &mut S, prefix: &str, parts: &Parts) -> Result<(), RecordError> {
    let named = |name: &str| format!("{prefix}{name}");
    for (name, blocks) in state.vectors_mut() {
        *blocks = parts.blocks(&named(name))?;
    }
    for (name, matrix) in state.matrices_mut() {
        let name = named(name);
        let of = |row: &str, pair| parts.blocks(&format!("{name}/{row}{pair}"));
        let pair = |pair: u64| Ok((of("s", pair)?, of("y", pair)?));
        let pairs = (0..parts.count(&format!("{name}/pairs"))?).map(pair);
        let pairs = pairs.collect::<Result<Vec<_>, RecordError>>()?;
        if !matrix.restore(pairs, &parts.numbers(&format!("{name}/gram"))?) {
            return Err(RecordError::Part { what: name });
        }
    }
    for (name, counter) in state.counters_mut() {
        *counter = parts.count(&named(name))?;
    }
    for (name, numbers) in state.numbers_mut() {
        *numbers = parts.numbers(&named(name))?;
    }
    Ok(())
}

/// Writes a record, whole or not at all.
pub(super) fn write_file(writer: Writer, path: &Path) -> Result<(), RecordError> {
    writer.write_to_file(path).map_err(|cause| file_error(path, &cause))
}

/// The record as it would be in a file.
pub(super) fn bytes_of(writer: Writer) -> Result<Vec<u8>, RecordError> {
    let bytes = writer.into_bytes().map_err(|cause| file_error(Path::new(IN_MEMORY), &cause))?;
    Ok(bytes.to_vec())
}

/// Where a record is that is in no file.
const IN_MEMORY: &str = "in memory";

fn file_error(path: &Path, cause: &burn_pack::Error) -> RecordError {
    RecordError::File { path: path.display().to_string(), reason: cause.to_string() }
}

/// One line for each parameter: path, type, shape.
fn describe(layout: &Layout) -> String {
    layout.entries().iter().map(line).collect()
}

fn line(entry: &Entry) -> String {
    let sides: Vec<String> = entry.shape.iter().map(ToString::to_string).collect();
    format!("{} {:?} {}\n", entry.path, entry.dtype, sides.join("x"))
}

/// The model's parameters that the record describes.
fn find_layout<M: Module>(text: &str, model: &M) -> Result<Layout, RecordError> {
    let trainable = trainable_layout(model)?;
    let known: Vec<String> = trainable.entries().iter().map(line).collect();
    let mut entries = Vec::new();
    for line in text.lines() {
        let Some(index) = known.iter().position(|known| known.trim_end() == line) else {
            return Err(RecordError::Layout { parameter: line.to_string() });
        };
        entries.push(trainable.entries()[index].clone());
    }
    Ok(Layout::new(entries))
}
