//! How a table is to be read.

use std::fmt;
use std::str::FromStr;

use crate::error::DataError;
use crate::numbers::Precision;
use crate::target::Task;

/// Whether the first line names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// As the file looks like.
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It is a record.
    No,
}

impl fmt::Display for Header {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(match self {
            Self::Auto => "auto",
            Self::Yes => "yes",
            Self::No => "no",
        })
    }
}

impl FromStr for Header {
    type Err = DataError;

    fn from_str(word: &str) -> Result<Self, DataError> {
        match word {
            "auto" => Ok(Self::Auto),
            "yes" => Ok(Self::Yes),
            "no" => Ok(Self::No),
            _ => Err(DataError::word("header", word, "auto, yes, no")),
        }
    }
}

/// How a table is to be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableOptions {
    /// The target column, by name or by its number counted from 1.
    pub target: Option<String>,
    /// Whether the first line names the columns.
    pub header: Header,
    /// What stands for a missing value in addition to the usual texts.
    pub missing: Vec<String>,
    /// What is to be learned.
    pub task: Task,
    /// The precision of the inputs.
    pub precision: Precision,
}
