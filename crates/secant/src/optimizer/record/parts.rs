//! The content of a record, part by part.

use std::{collections::BTreeMap, path::Path};

use burn::tensor::{Bytes, DType, TensorData};
use burn_pack::{Reader, Scalar, Tensor};

use crate::{blocks::Blocks, error::RecordError};

use super::{FORMAT, IN_MEMORY, file_error};

/// The content of a record.
pub(in crate::optimizer) struct Parts {
    metadata: BTreeMap<String, String>,
    scalars: BTreeMap<String, Scalar>,
    tensors: BTreeMap<String, Tensor>,
}

impl Parts {
    /// The content of a file.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Self::checked(Reader::from_file(path), path)
    }

    /// The content of a record that is in no file.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let bytes = Bytes::from_bytes_vec(bytes.to_vec());
        Self::checked(Reader::from_bytes(bytes), Path::new(IN_MEMORY))
    }

    fn checked(reader: Result<Reader, burn_pack::Error>, path: &Path) -> Result<Self, RecordError> {
        let parts = reader.and_then(Self::of).map_err(|cause| file_error(path, &cause))?;
        if parts.text("format")? != FORMAT {
            return Err(unusable("format"));
        }
        Ok(parts)
    }

    fn of(reader: Reader) -> Result<Self, burn_pack::Error> {
        let (metadata, scalars) = (reader.metadata().clone(), reader.scalars().clone());
        let tensors = reader.into_tensors()?;
        let tensors = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        Ok(Self { metadata, scalars, tensors })
    }

    pub fn text(&self, name: &str) -> Result<&str, RecordError> {
        self.metadata.get(name).map(String::as_str).ok_or_else(|| unusable(name))
    }

    /// The parameters' description; none before the first step.
    pub fn layout(&self) -> Option<&str> {
        self.metadata.get("layout").map(String::as_str)
    }

    /// Compares the checksum.
    pub fn verify(&self) -> Result<(), RecordError> {
        let is_content = |name: &str| name == "layout" || name.starts_with("setting/");
        let texts = self.metadata.iter().filter(|(name, _)| is_content(name));
        let found = checksum(texts, self.scalars.iter(), self.tensors.values())?;
        let expected = u32::from_str_radix(self.text("checksum")?, 16);
        let expected = expected.map_err(|_| unusable("checksum"))?;
        if found == expected { Ok(()) } else { Err(RecordError::Checksum { found, expected }) }
    }

    pub fn scalar(&self, name: &str) -> Option<Scalar> {
        self.scalars.get(name).copied()
    }

    pub fn count(&self, name: &str) -> Result<u64, RecordError> {
        match self.scalar(name) {
            Some(Scalar::UInt(count)) => Ok(count),
            _ => Err(unusable(name)),
        }
    }

    pub fn flag(&self, name: &str) -> Result<bool, RecordError> {
        match self.scalar(name) {
            Some(Scalar::Bool(flag)) => Ok(flag),
            _ => Err(unusable(name)),
        }
    }

    pub fn number(&self, name: &str) -> Result<f64, RecordError> {
        match self.scalar(name) {
            Some(Scalar::Float(number)) => Ok(number),
            _ => Err(unusable(name)),
        }
    }

    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, RecordError> {
        let number = |index: u64| self.number(&format!("{name}/{index}"));
        (0..self.count(&format!("{name}/count"))?).map(number).collect()
    }

    /// The whole numbers called `name`, if the record has them.
    pub fn positions(&self, name: &str) -> Result<Option<Vec<u64>>, RecordError> {
        let count = format!("{name}/count");
        if !self.scalars.contains_key(&count) {
            return Ok(None);
        }
        let number = |index: u64| self.count(&format!("{name}/{index}"));
        (0..self.count(&count)?).map(number).collect::<Result<_, _>>().map(Some)
    }

    /// The tensors called `name`, in the shapes and types that the record says.
    pub fn blocks(&self, name: &str) -> Result<Blocks, RecordError> {
        let numbered = (0..).map_while(|index| self.tensors.get(&format!("{name}/{index}")));
        numbered.map(in_memory).collect::<Result<_, _>>().map(Blocks::new)
    }
}

fn unusable(what: &str) -> RecordError {
    RecordError::Part { what: what.to_string() }
}

fn in_memory(tensor: &Tensor) -> Result<TensorData, RecordError> {
    let broken = || unusable(&tensor.name);
    let bytes = tensor.to_bytes().map_err(|_| broken())?;
    let shape = tensor.shape.clone();
    let size = shape.iter().try_fold(tensor.dtype.size(), |size, side| size.checked_mul(*side));
    match tensor.dtype {
        _ if size != Some(bytes.len()) => Err(broken()),
        DType::F64 => Ok(TensorData::new(words(&bytes).map(f64::from_le_bytes).collect(), shape)),
        DType::F32 => Ok(TensorData::new(words(&bytes).map(f32::from_le_bytes).collect(), shape)),
        _ => Err(broken()),
    }
}

/// Groups of `N` bytes.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// CRC-32 of everything a record says.
pub(super) fn checksum<'a>(
    texts: impl Iterator<Item = (&'a String, &'a String)>,
    scalars: impl Iterator<Item = (&'a String, &'a Scalar)>,
    tensors: impl Iterator<Item = &'a Tensor>,
) -> Result<u32, RecordError> {
    let mut hasher = crc32fast::Hasher::new();
    let mut lines: Vec<String> = texts.map(|(name, text)| format!("{name} {text}\n")).collect();
    lines.extend(scalars.map(|(name, value)| format!("{name} {}\n", bits(*value))));
    lines.sort();
    hasher.update(lines.concat().as_bytes());
    let mut tensors: Vec<&Tensor> = tensors.collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    for tensor in tensors {
        let head = format!("{} {:?} {:?}\n", tensor.name, tensor.dtype, tensor.shape);
        hasher.update(head.as_bytes());
        hasher.update(&tensor.to_bytes().map_err(|_| unusable(&tensor.name))?);
    }
    Ok(hasher.finalize())
}

/// The same for every NaN of the same bits, whatever it prints as.
fn bits(value: Scalar) -> String {
    match value {
        Scalar::Float(number) => format!("{:016x}", number.to_bits()),
        other => format!("{other:?}"),
    }
}
