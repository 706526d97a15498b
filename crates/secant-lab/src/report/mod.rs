//! The report of a comparison: a table for the terminal, one page with charts, and the data.

mod axis;
mod chart;
mod columns;
mod curves;
mod error;
mod format;
mod html;
mod palette;
mod region;
mod statistics;
mod summary;
mod table;
mod warning;
mod write;

#[cfg(test)]
mod samples;

pub(crate) use axis::{Axis, Scale};
pub use error::ReportError;
pub(crate) use format::{ABSENT, short, time};
pub(crate) use palette::colour;
pub use statistics::Estimate;
pub use summary::{OptimizerSummary, Summary, TargetCost};
pub use table::{markdown, plain_text};
pub use warning::{GridEnd, Warning};
pub(crate) use write::replace_file;

pub use write::{Paths, data_path, read_records, write_data, write_report};
