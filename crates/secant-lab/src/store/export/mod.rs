//! Copies of comparisons for other programs.

pub mod csv;
mod error;
mod file;
pub mod json_lines;
pub mod tensor_board;

pub use self::{error::ExportError, file::Existing};
