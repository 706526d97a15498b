//! Writes small MATLAB files for tests.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

pub(crate) use super::elements::Kind;

/// What an array holds.
pub(crate) enum Values {
    Bytes(Vec<u8>),
    Doubles(Vec<f64>),
    /// Letters of 8 bits, which are no numbers.
    Text(Vec<u8>),
    /// Numbers of double precision, kept in this type.
    Other(Kind, Vec<u8>),
}

impl Values {
    /// The class of the array, the type of its numbers, and their bytes.
    fn parts(&self) -> (u8, Kind, Vec<u8>) {
        match self {
            Self::Bytes(bytes) => (9, Kind::UINT8, bytes.clone()),
            Self::Doubles(numbers) => {
                (6, Kind::DOUBLE, numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
            }
            Self::Text(letters) => (4, Kind::UINT8, letters.clone()),
            Self::Other(kind, bytes) => (6, *kind, bytes.clone()),
        }
    }
}

/// A whole file with these elements.
pub(crate) fn file(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file, written by a test".to_vec();
    bytes.resize(124, b' ');
    bytes.extend(b"\0\x01IM");
    bytes.extend(body);
    bytes
}

/// A variable, not packed.
pub(crate) fn variable(name: &str, shape: &[usize], values: &Values) -> Vec<u8> {
    let (class, kind, numbers) = values.parts();
    let sides: Vec<u8> = shape.iter().flat_map(|&side| (side as i32).to_le_bytes()).collect();
    let parts = [
        element(Kind::UINT32, &[class, 0, 0, 0, 0, 0, 0, 0]),
        element(Kind::INT32, &sides),
        element(Kind::INT8, name.as_bytes()),
        element(kind, &numbers),
    ];
    element(Kind::MATRIX, &parts.concat())
}

/// A variable packed.
pub(crate) fn compressed(variable: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(variable).unwrap();
    let packed = encoder.finish().unwrap();
    let tag = [Kind::COMPRESSED.0, packed.len() as u32];
    tag.iter().flat_map(|word| word.to_le_bytes()).chain(packed).collect()
}

/// An element; up to four bytes stand in its tag, as in MATLAB's own files.
pub(crate) fn element(kind: Kind, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if (1..=4).contains(&data.len()) {
        bytes.extend((kind.0 | (data.len() as u32) << 16).to_le_bytes());
    } else {
        bytes.extend(kind.0.to_le_bytes());
        bytes.extend((data.len() as u32).to_le_bytes());
    }
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}
