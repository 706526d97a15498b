//! MATLAB files of version 5, which MATLAB 5 to 7.2 write: the arrays of numbers in them.
//!
//! After a header of 128 bytes come elements: a tag with a type and a length, then that many bytes,
//! filled up to a multiple of 8; up to four bytes may stand in the tag itself. A variable is an
//! element of the type matrix, mostly packed by zlib into one of the type compressed, which is not
//! filled up. Its parts are elements again: the class of the array, its dimensions, its name, and
//! its numbers, column by column and in the smallest type that holds them all (The MathWorks,
//! *MAT-File Format*).

mod elements;
#[cfg(test)]
pub(crate) mod writer;

use std::path::Path;

use crate::bytes;
use crate::error::DataError;
use elements::{Element, Fault, Kind};

/// Bytes of the header.
const HEADER: usize = 128;

/// What the header ends with: version 1.0 and the mark of little-endian numbers.
const VERSION_5: [u8; 4] = *b"\0\x01IM";

/// How a file of version 7.3 begins, which is an HDF5 file with the same header before it.
const VERSION_7_3: [&[u8]; 2] = [b"MATLAB 7.3 MAT-file", b"\x89HDF\r\n\x1a\n"];

/// The classes of arrays of numbers, from double precision to whole numbers of 64 bits.
const NUMERIC_CLASSES: std::ops::RangeInclusive<u8> = 6..=15;

/// An array of numbers.
#[derive(Debug)]
pub(crate) struct Array {
    /// Its dimensions; the first one runs fastest.
    pub shape: Vec<usize>,
    kind: Kind,
    data: Vec<u8>,
}

impl Array {
    /// The numbers, where they are kept as bytes.
    pub fn bytes(&self) -> Option<&[u8]> {
        (self.kind == Kind::UINT8).then_some(&self.data)
    }

    /// The numbers; those of 64 bits are rounded.
    pub fn numbers(&self) -> Vec<f64> {
        self.kind.numbers(&self.data).unwrap_or_default()
    }
}

/// The arrays called `names` of the file `path`, which may be packed.
pub(crate) fn arrays<const N: usize>(
    path: &Path,
    names: [&'static str; N],
) -> Result<[Array; N], DataError> {
    let bytes = bytes::read(path)?;
    check_header(path, &bytes)?;
    let mut found = read(&bytes[HEADER..], &names).map_err(|fault| fault.of(path))?;
    if let Some(at) = found.iter().position(Option::is_none) {
        return Err(DataError::MatVariable { path: path.to_path_buf(), name: names[at] });
    }
    Ok(std::array::from_fn(|at| found[at].take().unwrap_or_else(|| unreachable!("checked above"))))
}

/// Refuses everything but version 5 with little-endian numbers.
fn check_header(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let path = path.to_path_buf();
    if VERSION_7_3.iter().any(|start| bytes.starts_with(start)) {
        return Err(DataError::MatVersion { path });
    }
    match bytes.get(HEADER - VERSION_5.len()..HEADER) {
        Some(end) if end == VERSION_5 => Ok(()),
        None if bytes.starts_with(b"MATLAB 5.0 MAT-file") => Err(DataError::MatTruncated { path }),
        _ => Err(DataError::MatOther { path }),
    }
}

/// The arrays called `names`, where they are there, of the elements `body`.
fn read(body: &[u8], names: &[&str]) -> Result<Vec<Option<Array>>, Fault> {
    let mut found: Vec<Option<Array>> = names.iter().map(|_| None).collect();
    // All lengths are looked at before anything is unpacked.
    for element in elements::all(body)? {
        let unpacked = element.unpack()?;
        let variable = match &unpacked {
            Some(bytes) => elements::all(bytes)?.into_iter().next(),
            None => Some(element),
        };
        let Some((name, array)) = variable.map_or(Ok(None), named_array)? else { continue };
        if let Some(at) = names.iter().position(|&wanted| wanted == name) {
            found[at] = Some(array);
        }
    }
    Ok(found)
}

/// The name and the numbers of a variable; nothing where it is none, or not of numbers.
fn named_array(variable: Element) -> Result<Option<(String, Array)>, Fault> {
    if variable.kind != Kind::MATRIX {
        return Ok(None);
    }
    let damaged = Fault::Damaged("a variable lacks a part");
    let parts = elements::all(variable.data)?;
    let [class, dimensions, name, rest @ ..] = parts.as_slice() else { return Err(damaged) };
    let [class, flags, ..] = class.data else { return Err(damaged) };
    // A complex array has this flag, and a second part of numbers.
    if !NUMERIC_CLASSES.contains(class) || flags & 8 != 0 {
        return Ok(None);
    }
    let [values, ..] = rest else { return Err(damaged) };
    let array = Array { shape: shape(dimensions)?, kind: values.kind, data: values.data.to_vec() };
    let length = array.shape.iter().try_fold(1_usize, |length, &side| length.checked_mul(side));
    let bytes = length.zip(values.kind.size()).and_then(|(length, size)| length.checked_mul(size));
    if bytes != Some(array.data.len()) {
        return Err(Fault::Damaged("an array has not as many numbers as its dimensions say"));
    }
    Ok(Some((String::from_utf8_lossy(name.data).into_owned(), array)))
}

/// The dimensions of an array.
fn shape(dimensions: &Element) -> Result<Vec<usize>, Fault> {
    let numbers = dimensions.kind.numbers(dimensions.data).unwrap_or_default();
    if numbers.len() < 2 || numbers.iter().any(|&side| side < 0.0) {
        return Err(Fault::Damaged("an array has no dimensions"));
    }
    Ok(numbers.into_iter().map(|side| side as usize).collect())
}

#[cfg(test)]
mod tests {
    use super::writer::{self, Values};
    use super::*;
    use crate::testing::{folder, gzip, write};

    /// A file of two arrays, `a` of bytes and `b` of double precision.
    fn sound(packed: bool) -> Vec<u8> {
        let a = writer::variable("a", &[2, 3], &Values::Bytes(vec![1, 2, 3, 4, 5, 6]));
        let b = writer::variable("b", &[1, 2], &Values::Doubles(vec![-0.5, 1e300]));
        let variables = [a, b];
        let body: Vec<Vec<u8>> = if packed {
            variables.iter().map(|variable| writer::compressed(variable)).collect()
        } else {
            variables.to_vec()
        };
        writer::file(&body.concat())
    }

    fn message(contents: &[u8]) -> String {
        let folder = folder();
        let path = write(&folder, "some.mat", contents);
        let message = arrays(&path, ["a", "b"]).unwrap_err().to_string();
        assert!(message.contains("some.mat"), "{message}");
        message
    }

    #[test]
    fn arrays_are_found_by_name_packed_and_not() {
        let folder = folder();
        for contents in [sound(true), sound(false), gzip(&sound(true))] {
            let path = write(&folder, "some.mat", &contents);
            let [b, a] = arrays(&path, ["b", "a"]).unwrap();
            assert_eq!(
                (a.shape.as_slice(), a.bytes()),
                ([2, 3].as_slice(), Some(&[1, 2, 3, 4, 5, 6][..]))
            );
            assert_eq!((b.shape.as_slice(), b.bytes()), ([1, 2].as_slice(), None));
            assert_eq!(b.numbers(), [-0.5, 1e300]);
        }
    }

    #[test]
    fn numbers_are_read_from_every_type_that_they_may_be_kept_in() {
        let kept: [(Kind, Vec<u8>, f64); 10] = [
            (Kind::INT8, vec![0xfe], -2.0),
            (Kind::UINT8, vec![0xfe], 254.0),
            (Kind::INT16, (-300_i16).to_le_bytes().into(), -300.0),
            (Kind::UINT16, 65_000_u16.to_le_bytes().into(), 65_000.0),
            (Kind::INT32, (-70_000_i32).to_le_bytes().into(), -70_000.0),
            (Kind::UINT32, 4_000_000_000_u32.to_le_bytes().into(), 4e9),
            (Kind::SINGLE, 0.5_f32.to_le_bytes().into(), 0.5),
            (Kind::DOUBLE, (-0.1_f64).to_le_bytes().into(), -0.1),
            (Kind::INT64, (-5_i64).to_le_bytes().into(), -5.0),
            (Kind::UINT64, 5_u64.to_le_bytes().into(), 5.0),
        ];
        let folder = folder();
        for (kind, bytes, number) in kept {
            let values = Values::Other(kind, bytes);
            let path =
                write(&folder, "x.mat", &writer::file(&writer::variable("x", &[1, 1], &values)));
            let [x] = arrays(&path, ["x"]).unwrap();
            assert_eq!(x.numbers(), [number], "{kind:?}");
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        for contents in [sound(true), sound(false)] {
            for length in 0..contents.len() {
                // Cut between two variables, it lacks the second one.
                message(&contents[..length]);
            }
            let cut = message(&contents[..contents.len() - 9]);
            assert!(cut.contains("ends in the middle of its data"), "{cut}");
            assert!(message(&contents[..100]).contains("ends in the middle of its data"));
        }
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let mut packed = sound(true);
        packed[HEADER + 24] ^= 0xff;
        let told = message(&packed);
        assert!(told.contains("is damaged (a variable cannot be unpacked)"), "{told}");
        let wrong = writer::variable("a", &[2, 2], &Values::Bytes(vec![1, 2, 3]));
        let told = message(&writer::file(&wrong));
        assert!(told.contains("not as many numbers as its dimensions say"), "{told}");
        let flat = writer::variable("a", &[3], &Values::Bytes(vec![1, 2, 3]));
        assert!(message(&writer::file(&flat)).contains("has no dimensions"));
        let empty = writer::element(Kind::MATRIX, &[]);
        assert!(message(&writer::file(&empty)).contains("a variable lacks a part"));
    }

    #[test]
    fn files_of_other_versions_are_told_apart() {
        let mut header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".to_vec();
        header.resize(512, b' ');
        for contents in [header, b"\x89HDF\r\n\x1a\n\0\0\0".to_vec()] {
            let told = message(&contents);
            assert!(told.contains("version 7.3 (HDF5)"), "{told}");
        }
        let mut swapped = sound(true);
        swapped[124..128].copy_from_slice(b"\x01\0MI");
        for contents in [swapped, b"PK\x03\x04 is a zip file".to_vec()] {
            let told = message(&contents);
            assert!(told.contains("is not a MATLAB file of version 5"), "{told}");
        }
    }

    #[test]
    fn variables_that_are_not_there_or_no_numbers_are_named() {
        let other = writer::variable("c", &[1, 1], &Values::Bytes(vec![7]));
        let text = writer::variable("a", &[1, 1], &Values::Text(vec![b'x']));
        for body in [other.clone(), [text, other].concat()] {
            let told = message(&writer::file(&body));
            assert!(told.contains("holds no array of numbers called 'a'"), "{told}");
        }
    }
}
