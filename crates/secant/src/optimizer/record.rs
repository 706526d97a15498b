//! Saving and loading an optimizer, so that training goes on as if it had never stopped.
//!
//! A record holds the method's name, the layout by path, every vector and number of the state, and
//! a checksum. It does not hold hyper-parameters: load it into an optimizer built alike. Ids of
//! parameters differ between processes; paths do not.

use std::path::Path;

use burn::{
    module::Module,
    tensor::{Bytes, DType, TensorData},
};
use burn_pack::{Reader, Scalar, Tensor as PackTensor, Writer};

use super::{Cohort, MissingGradients, Optimizer, Session};
use crate::{
    blocks::{Blocks, Layout},
    error::RecordError,
    oracle::{named_parameters, trainable_layout},
    protocol::{Method, State},
};

const FORMAT: &str = "secant optimizer record 1";

impl<K: Method> Optimizer<K> {
    /// Saves the state, whole or not at all: the file is written under a temporary name, synced,
    /// and renamed. Before the first step there is no state, and an empty record is written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        let path = path.as_ref();
        let failed = |cause: burn_pack::Error| file_error(path, &cause);
        let writer = match &self.session {
            Some(session) => write_session::<K>(session),
            None => Ok(Writer::new(Vec::new()).with_metadata("method", K::NAME)),
        };
        let writer = writer?.with_metadata("format", FORMAT).auto_extension(false);
        writer.write_to_file(path).map_err(failed)
    }

    /// Loads a state that [`Optimizer::save`] wrote, for `model`. The next steps are those that the
    /// saved optimizer would have made.
    ///
    /// # Errors
    /// The file is damaged, or of another method or model. The optimizer is then as before.
    pub fn load<M: Module>(
        &mut self,
        path: impl AsRef<Path>,
        model: &M,
    ) -> Result<(), RecordError> {
        let path = path.as_ref();
        let failed = |cause: burn_pack::Error| file_error(path, &cause);
        let reader = Reader::from_file(path).map_err(failed)?;
        let part = Parts::of(reader, path)?;
        if part.text("format")? != FORMAT {
            return Err(RecordError::Part { what: "format".to_string() });
        }
        if part.text("method")? != K::NAME {
            let found = part.text("method")?.to_string();
            return Err(RecordError::Method { found, expected: K::NAME });
        }
        self.session = match part.metadata.get("layout") {
            None => None,
            Some(text) => Some(self.read_session(text, &part, model)?),
        };
        Ok(())
    }

    fn read_session<M: Module>(
        &self,
        layout: &str,
        parts: &Parts,
        model: &M,
    ) -> Result<Session<K::State>, RecordError> {
        parts.verify()?;
        let failed =
            |error: crate::error::StepError| RecordError::Layout { what: error.to_string() };
        let known = named_parameters(model);
        self.groups.iter().try_for_each(|group| group.require_any(&known)).map_err(failed)?;
        let mut cohorts = Vec::new();
        for (number, layout) in layout.split(BETWEEN_COHORTS).enumerate() {
            let layout = find_layout(layout, model)?;
            let mut cohort = Cohort::new(&self.method, &self.groups, layout).map_err(failed)?;
            read_state(&mut cohort, &prefix(number), parts)?;
            cohorts.push(cohort);
        }
        if cohorts.len() > 1 && self.missing == MissingGradients::Error {
            let what = "some parameters had no gradient in some steps; load it into an optimizer \
                        that skips missing gradients";
            return Err(RecordError::Layout { what: what.to_string() });
        }
        let mut session = Session::of(cohorts);
        session.accepted_steps = parts.count("accepted_steps")?;
        session.rejected_steps = parts.count("rejected_steps")?;
        session.random = parts.scalars.get("random").map(|random| *random == Scalar::Bool(true));
        session.batches = parts.positions("batches")?;
        session.is_loaded = true;
        Ok(session)
    }
}

/// Between the layouts of two cohorts: an empty line.
const BETWEEN_COHORTS: &str = "\n\n";

/// What the names of a cohort's parts begin with; nothing for the first, which is usually the only one.
fn prefix(cohort: usize) -> String {
    if cohort == 0 { String::new() } else { format!("cohort {cohort}/") }
}

fn read_state<S: State>(
    cohort: &mut Cohort<S>,
    prefix: &str,
    parts: &Parts,
) -> Result<(), RecordError> {
    let Cohort { layout, state, .. } = cohort;
    let named = |name: &str| format!("{prefix}{name}");
    for (name, blocks) in state.vectors_mut() {
        *blocks = parts.blocks(&named(name), layout)?;
    }
    for (name, matrix) in state.matrices_mut() {
        let name = named(name);
        let of = |row: &str, pair| parts.blocks(&format!("{name}/{row}{pair}"), layout);
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

fn file_error(path: &Path, cause: &burn_pack::Error) -> RecordError {
    RecordError::File { path: path.display().to_string(), reason: cause.to_string() }
}

fn write_session<K: Method>(session: &Session<K::State>) -> Result<Writer, RecordError> {
    let mut tensors = Vec::new();
    let mut scalars = vec![
        ("accepted_steps".to_string(), Scalar::UInt(session.accepted_steps)),
        ("rejected_steps".to_string(), Scalar::UInt(session.rejected_steps)),
    ];
    for (number, cohort) in session.cohorts.iter().enumerate() {
        push_state(&mut tensors, &mut scalars, &prefix(number), &cohort.state);
    }
    if let Some(random) = session.random {
        scalars.push(("random".to_string(), Scalar::Bool(random)));
    }
    if let Some(batches) = &session.batches {
        scalars.push(("batches/count".to_string(), Scalar::UInt(batches.len() as u64)));
        for (index, number) in batches.iter().enumerate() {
            scalars.push((format!("batches/{index}"), Scalar::UInt(*number)));
        }
    }
    let layouts: Vec<String> =
        session.cohorts.iter().map(|cohort| describe(&cohort.layout)).collect();
    let layout = layouts.join(&BETWEEN_COHORTS[1..]);
    let checksum = checksum(&layout, &mut tensors, &scalars)?;
    let writer = Writer::new(tensors)
        .with_metadata("method", K::NAME)
        .with_metadata("layout", &layout)
        .with_metadata("checksum", &format!("{checksum:08x}"));
    Ok(scalars.into_iter().fold(writer, |writer, (name, value)| writer.with_scalar(&name, value)))
}

fn push_state<S: State>(
    tensors: &mut Vec<PackTensor>,
    scalars: &mut Vec<(String, Scalar)>,
    prefix: &str,
    state: &S,
) {
    let mut state = state.clone();
    let named = |name: &str| format!("{prefix}{name}");
    for (name, blocks) in state.vectors() {
        push_blocks(tensors, &named(name), blocks);
    }
    for (name, matrix) in state.matrices() {
        let name = named(name);
        let (memory, gram) = matrix.parts();
        let rows = memory.rows();
        let (s, y) = rows.split_at(memory.len());
        for (pair, (s, y)) in s.iter().zip(y).enumerate() {
            push_blocks(tensors, &format!("{name}/s{pair}"), s);
            push_blocks(tensors, &format!("{name}/y{pair}"), y);
        }
        scalars.push((format!("{name}/pairs"), Scalar::UInt(memory.len() as u64)));
        push_numbers(scalars, &format!("{name}/gram"), &gram);
    }
    for (name, counter) in state.counters_mut() {
        scalars.push((named(name), Scalar::UInt(*counter)));
    }
    for (name, numbers) in state.numbers_mut() {
        push_numbers(scalars, &named(name), numbers);
    }
}

fn push_blocks(tensors: &mut Vec<PackTensor>, name: &str, blocks: &Blocks) {
    for (index, data) in blocks.data().enumerate() {
        let bytes = Bytes::from_bytes_vec(little_endian(&data));
        let name = format!("{name}/{index}");
        tensors.push(PackTensor::new(name, data.dtype(), data.shape().clone(), None, bytes));
    }
}

fn push_numbers(scalars: &mut Vec<(String, Scalar)>, name: &str, numbers: &[f64]) {
    scalars.push((format!("{name}/count"), Scalar::UInt(numbers.len() as u64)));
    for (index, number) in numbers.iter().enumerate() {
        scalars.push((format!("{name}/{index}"), Scalar::Float(*number)));
    }
}

/// The content of a record.
struct Parts {
    metadata: std::collections::BTreeMap<String, String>,
    scalars: std::collections::BTreeMap<String, Scalar>,
    tensors: Vec<PackTensor>,
}

impl Parts {
    fn of(reader: Reader, path: &Path) -> Result<Self, RecordError> {
        let (metadata, scalars) = (reader.metadata().clone(), reader.scalars().clone());
        let tensors = reader.into_tensors().map_err(|cause| file_error(path, &cause))?;
        Ok(Self { metadata, scalars, tensors })
    }

    fn text(&self, name: &str) -> Result<&str, RecordError> {
        let missing = || RecordError::Part { what: name.to_string() };
        self.metadata.get(name).map(String::as_str).ok_or_else(missing)
    }

    fn verify(&self) -> Result<(), RecordError> {
        let layout = self.text("layout")?;
        let scalars: Vec<_> = self.scalars.iter().map(|(k, v)| (k.clone(), *v)).collect();
        let found = checksum(layout, &mut self.tensors.clone(), &scalars)?;
        let missing = |_| RecordError::Part { what: "checksum".to_string() };
        let expected = u32::from_str_radix(self.text("checksum")?, 16).map_err(missing)?;
        if found == expected { Ok(()) } else { Err(RecordError::Checksum { found, expected }) }
    }

    fn count(&self, name: &str) -> Result<u64, RecordError> {
        match self.scalars.get(name) {
            Some(Scalar::UInt(count)) => Ok(*count),
            _ => Err(RecordError::Part { what: name.to_string() }),
        }
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>, RecordError> {
        let number = |index: u64| match self.scalars.get(&format!("{name}/{index}")) {
            Some(Scalar::Float(number)) => Ok(*number),
            _ => Err(RecordError::Part { what: name.to_string() }),
        };
        (0..self.count(&format!("{name}/count"))?).map(number).collect()
    }

    /// The whole numbers called `name`, if the record has them.
    fn positions(&self, name: &str) -> Result<Option<Vec<u64>>, RecordError> {
        let count = format!("{name}/count");
        if !self.scalars.contains_key(&count) {
            return Ok(None);
        }
        let number = |index: u64| self.count(&format!("{name}/{index}"));
        (0..self.count(&count)?).map(number).collect::<Result<_, _>>().map(Some)
    }

    /// The vectors called `name`; empty where the record has none.
    fn blocks(&self, name: &str, layout: &Layout) -> Result<Blocks, RecordError> {
        let find = |name: String| self.tensors.iter().find(move |tensor| tensor.name == name);
        if find(format!("{name}/0")).is_none() {
            return Ok(Blocks::empty());
        }
        let mut blocks = Vec::with_capacity(layout.entries().len());
        for (index, entry) in layout.entries().iter().enumerate() {
            let what = || RecordError::Part { what: format!("{name} of {}", entry.path) };
            let tensor = find(format!("{name}/{index}")).ok_or_else(what)?;
            let bytes = tensor.to_bytes().map_err(|_| what())?;
            let fits = tensor.dtype == entry.dtype
                && bytes.len() == entry.shape.num_elements() * entry.dtype.size();
            if !fits {
                return Err(what());
            }
            blocks.push(match entry.dtype {
                DType::F64 => TensorData::new(
                    words(&bytes).map(f64::from_le_bytes).collect(),
                    entry.shape.clone(),
                ),
                _ => TensorData::new(
                    words(&bytes).map(f32::from_le_bytes).collect(),
                    entry.shape.clone(),
                ),
            });
        }
        Ok(Blocks::new(blocks))
    }
}

/// Groups of `N` bytes.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// The numbers' bytes as they are in the file.
fn little_endian(data: &TensorData) -> Vec<u8> {
    match data.dtype() {
        DType::F64 => data.iter::<f64>().flat_map(f64::to_le_bytes).collect(),
        _ => data.iter::<f32>().flat_map(f32::to_le_bytes).collect(),
    }
}

/// One line for each parameter: path, type, shape.
fn describe(layout: &Layout) -> String {
    let line = |entry: &crate::blocks::Entry| {
        let sides: Vec<String> = entry.shape.iter().map(ToString::to_string).collect();
        format!("{} {:?} {}\n", entry.path, entry.dtype, sides.join("x"))
    };
    layout.entries().iter().map(line).collect()
}

/// The model's parameters that the record describes.
fn find_layout<M: Module>(text: &str, model: &M) -> Result<Layout, RecordError> {
    let trainable =
        trainable_layout(model).map_err(|error| RecordError::Layout { what: error.to_string() })?;
    let known: Vec<String> =
        trainable.entries().iter().map(|e| describe(&Layout::new(vec![e.clone()]))).collect();
    let mut entries = Vec::new();
    for line in text.lines() {
        let Some(index) = known.iter().position(|known| known.trim_end() == line) else {
            let what = format!("it has no trainable parameter `{line}`");
            return Err(RecordError::Layout { what });
        };
        entries.push(trainable.entries()[index].clone());
    }
    Ok(Layout::new(entries))
}

/// CRC-32 of everything a record says.
fn checksum(
    layout: &str,
    tensors: &mut [PackTensor],
    scalars: &[(String, Scalar)],
) -> Result<u32, RecordError> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(layout.as_bytes());
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    for tensor in tensors {
        hasher.update(tensor.name.as_bytes());
        let broken = |_| RecordError::Part { what: tensor.name.clone() };
        hasher.update(&tensor.to_bytes().map_err(broken)?);
    }
    let mut scalars: Vec<String> =
        scalars.iter().map(|(name, value)| format!("{name} {}", bits(*value))).collect();
    scalars.sort();
    hasher.update(scalars.join("\n").as_bytes());
    Ok(hasher.finalize())
}

/// The same for every NaN of the same bits, whatever it prints as.
fn bits(value: Scalar) -> String {
    match value {
        Scalar::Float(number) => format!("{:016x}", number.to_bits()),
        other => format!("{other:?}"),
    }
}
