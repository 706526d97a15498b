//! From a session to the content of a record.

use burn::tensor::{Bytes, DType, TensorData};
use burn_pack::{Scalar, Tensor, Writer};

use super::{describe, parts::checksum, prefix};
use crate::{
    blocks::Blocks,
    error::RecordError,
    optimizer::Session,
    protocol::{Method, State},
};

pub(super) fn write_session<K: Method>(
    method: &K,
    session: &Session<K::State>,
    more: Vec<(String, Scalar)>,
) -> Result<Writer, RecordError> {
    let mut tensors = Vec::new();
    let mut scalars = more;
    scalars.extend([
        ("accepted_steps".to_string(), Scalar::UInt(session.accepted_steps)),
        ("rejected_steps".to_string(), Scalar::UInt(session.rejected_steps)),
    ]);
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
    let mut texts = vec![("layout".to_string(), layouts.join("\n"))];
    for (setting, value) in method.state_settings() {
        texts.push((format!("setting/{setting}"), value));
    }
    let checksum = checksum(
        texts.iter().map(|(name, text)| (name, text)),
        scalars.iter().map(|(name, value)| (name, value)),
        tensors.iter(),
    )?;
    texts.extend([
        ("method".to_string(), K::NAME.to_string()),
        ("checksum".to_string(), format!("{checksum:08x}")),
    ]);
    let writer = texts
        .iter()
        .fold(Writer::new(tensors), |writer, (name, text)| writer.with_metadata(name, text));
    Ok(scalars.into_iter().fold(writer, |writer, (name, value)| writer.with_scalar(&name, value)))
}

fn push_state<S: State>(
    tensors: &mut Vec<Tensor>,
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

fn push_blocks(tensors: &mut Vec<Tensor>, name: &str, blocks: &Blocks) {
    for (index, data) in blocks.data().enumerate() {
        let bytes = Bytes::from_bytes_vec(little_endian(&data));
        let name = format!("{name}/{index}");
        tensors.push(Tensor::new(name, data.dtype(), data.shape().clone(), None, bytes));
    }
}

fn push_numbers(scalars: &mut Vec<(String, Scalar)>, name: &str, numbers: &[f64]) {
    scalars.push((format!("{name}/count"), Scalar::UInt(numbers.len() as u64)));
    for (index, number) in numbers.iter().enumerate() {
        scalars.push((format!("{name}/{index}"), Scalar::Float(*number)));
    }
}

/// The numbers' bytes as they are in the file.
fn little_endian(data: &TensorData) -> Vec<u8> {
    match data.dtype() {
        DType::F64 => data.iter::<f64>().flat_map(f64::to_le_bytes).collect(),
        _ => data.iter::<f32>().flat_map(f32::to_le_bytes).collect(),
    }
}
