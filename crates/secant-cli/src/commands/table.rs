//! How a table of the user's is to be read.

use clap::Args;
use secant_data::{Header, Precision, TableOptions, Task};

/// How a table of the user's is to be read.
#[derive(Debug, Args)]
pub(super) struct TableArgs {
    /// The table's column to predict, by name or by number from 1
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Whether the table's first line names the columns: auto, yes or no
    #[arg(long, default_value = "auto")]
    header: Header,
    /// Texts that stand for a missing value besides the usual ones (NA, null, ? and so on), separated by
    /// commas
    #[arg(long, value_name = "TOKENS", value_delimiter = ',')]
    missing: Vec<String>,
    /// What the target is: auto, classification or regression
    #[arg(long, default_value = "auto")]
    task: Task,
}

impl TableArgs {
    /// The first option that is given and speaks of columns.
    pub(super) fn of_columns(&self) -> Option<&'static str> {
        [
            ("--target", self.target.is_some()),
            ("--header", self.header != Header::Auto),
            ("--missing", !self.missing.is_empty()),
        ]
        .into_iter()
        .find_map(|(option, is_given)| is_given.then_some(option))
    }

    /// The same for the reader of tables.
    pub(super) fn options(&self, precision: Precision) -> TableOptions {
        let Self { target, header, missing, task } = self;
        TableOptions {
            target: target.clone(),
            header: *header,
            missing: missing.clone(),
            task: *task,
            precision,
        }
    }
}
