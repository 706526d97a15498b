//! A picture.
use super::{Problem, Run};
use std::{io, path::Path};
use thiserror::Error;

/// Why a picture could not be made.
#[derive(Debug, Error)]
#[error("x")]
pub struct PictureError;
/// Draws.
pub fn draw(_p: &mut Problem, _r: &[Run]) -> Result<String, PictureError> {
    Err(PictureError)
}
/// Writes.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    crate::report::replace_file(path, text)
}
