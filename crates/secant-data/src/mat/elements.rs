//! The elements of a MATLAB file: tags, types, lengths.

use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use crate::error::DataError;

/// Bytes of a tag, and what data are filled up to a multiple of.
const TAG: usize = 8;

/// The type of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(pub(super) u32);

impl Kind {
    pub(crate) const INT8: Self = Self(1);
    pub(crate) const UINT8: Self = Self(2);
    pub(crate) const INT16: Self = Self(3);
    pub(crate) const UINT16: Self = Self(4);
    pub(crate) const INT32: Self = Self(5);
    pub(crate) const UINT32: Self = Self(6);
    pub(crate) const SINGLE: Self = Self(7);
    pub(crate) const DOUBLE: Self = Self(9);
    pub(crate) const INT64: Self = Self(12);
    pub(crate) const UINT64: Self = Self(13);
    /// A variable.
    pub(crate) const MATRIX: Self = Self(14);
    /// A packed variable.
    pub(crate) const COMPRESSED: Self = Self(15);

    /// The bytes of a number of this type.
    pub(super) fn size(self) -> Option<usize> {
        match self {
            Self::INT8 | Self::UINT8 => Some(1),
            Self::INT16 | Self::UINT16 => Some(2),
            Self::INT32 | Self::UINT32 | Self::SINGLE => Some(4),
            Self::DOUBLE | Self::INT64 | Self::UINT64 => Some(8),
            _ => None,
        }
    }

    /// The numbers of this type that `data` holds.
    pub(super) fn numbers(self, data: &[u8]) -> Option<Vec<f64>> {
        /// Reads numbers of `N` bytes.
        fn each<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
            Some(data.as_chunks().0.iter().map(|&bytes| number(bytes)).collect())
        }
        match self {
            Self::INT8 => each(data, |bytes| i8::from_le_bytes(bytes).into()),
            Self::UINT8 => each(data, |bytes| u8::from_le_bytes(bytes).into()),
            Self::INT16 => each(data, |bytes| i16::from_le_bytes(bytes).into()),
            Self::UINT16 => each(data, |bytes| u16::from_le_bytes(bytes).into()),
            Self::INT32 => each(data, |bytes| i32::from_le_bytes(bytes).into()),
            Self::UINT32 => each(data, |bytes| u32::from_le_bytes(bytes).into()),
            Self::SINGLE => each(data, |bytes| f32::from_le_bytes(bytes).into()),
            Self::DOUBLE => each(data, f64::from_le_bytes),
            Self::INT64 => each(data, |bytes| i64::from_le_bytes(bytes) as f64),
            Self::UINT64 => each(data, |bytes| u64::from_le_bytes(bytes) as f64),
            _ => None,
        }
    }
}

/// What is wrong with a file.
#[derive(Debug)]
pub(super) enum Fault {
    /// It ends too early.
    Truncated,
    /// Its parts do not fit together.
    Damaged(&'static str),
}

impl Fault {
    /// The error about the file `path`.
    pub(super) fn of(self, path: &Path) -> DataError {
        let path = path.to_path_buf();
        match self {
            Self::Truncated => DataError::MatTruncated { path },
            Self::Damaged(problem) => DataError::MatDamaged { path, problem },
        }
    }
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub kind: Kind,
    pub data: &'a [u8],
}

impl Element<'_> {
    /// What is packed in this element; nothing where it is not packed.
    pub(super) fn unpack(&self) -> Result<Option<Vec<u8>>, Fault> {
        if self.kind != Kind::COMPRESSED {
            return Ok(None);
        }
        let mut unpacked = Vec::new();
        match ZlibDecoder::new(self.data).read_to_end(&mut unpacked) {
            Ok(_) => Ok(Some(unpacked)),
            Err(_) => Err(Fault::Damaged("a variable cannot be unpacked")),
        }
    }
}

/// All elements that `bytes` consists of.
pub(super) fn all(mut bytes: &[u8]) -> Result<Vec<Element<'_>>, Fault> {
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        let (element, rest) = first(bytes)?;
        elements.push(element);
        bytes = rest;
    }
    Ok(elements)
}

/// The first element of `bytes`, and what follows it.
fn first(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), Fault> {
    let (tag, rest) = bytes.split_at_checked(TAG).ok_or(Fault::Truncated)?;
    let word = |at: usize| u32::from_le_bytes([tag[at], tag[at + 1], tag[at + 2], tag[at + 3]]);
    let (kind, length) = (word(0), word(4) as usize);
    // Where the upper half of the first word is not 0, it is the length of the data, which
    // stand in the second word.
    if kind >> 16 != 0 {
        let length = (kind >> 16) as usize;
        let data = tag[4..].get(..length).ok_or(Fault::Damaged("a short element is too long"))?;
        return Ok((Element { kind: Kind(kind & 0xffff), data }, rest));
    }
    let kind = Kind(kind);
    let data = rest.get(..length).ok_or(Fault::Truncated)?;
    let filled = if kind == Kind::COMPRESSED { length } else { length.next_multiple_of(TAG) };
    Ok((Element { kind, data }, rest.get(filled..).unwrap_or_default()))
}
