//! The report of a comparison: a table for the terminal, one page with charts, and the data.

mod chart;
mod columns;
mod curves;
mod error;
mod format;
mod html;
mod paper;
mod profile;
mod region;
mod summary;
mod table;
mod target;
mod verdict;
mod warning;
mod write;

#[cfg(test)]
mod samples;

pub use error::ReportError;
pub use format::value_text;
pub(crate) use format::{ABSENT, short, time};
pub use paper::Paper;
pub use summary::{MethodSummary, Summary};
pub use table::{markdown, plain_text, summary_json};
pub use target::TargetCost;
pub use verdict::{Standing, Verdict};
pub use warning::Warning;
pub use write::{Paths, check_folder, write_report};
