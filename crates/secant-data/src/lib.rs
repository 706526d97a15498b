//! Data for the comparisons: reading people's files and known data sets, checking, splitting,
//! encoding and fetching them.
//!
//! Start with [`load_table`] for a table in a text file, [`load_libsvm`] for a LIBSVM file,
//! [`inspect`] to see how a table is understood, and [`locate::named`] for the data sets known by
//! name. There are folders of [`images`], [`text`] as token numbers, and sentence [`pairs`] with
//! [`bleu`] for translation. Nothing here depends on a tensor library: every problem ends as plain
//! numbers.

mod arff;
pub mod bleu;
mod bytes;
mod dataset;
mod dense;
mod description;
mod error;
mod fingerprint;
pub mod images;
pub mod libsvm;
mod mat;
mod numbers;
pub mod pairs;
mod sets;
pub mod split;
mod table;
mod target;
mod target_size;
#[cfg(test)]
mod testing;
pub mod text;

pub use dataset::{Dataset, Splits, Standardization, Targets};
pub use description::{ColumnDescription, Description, Kind, Loaded};
pub use error::DataError;
pub use fingerprint::fingerprint;
pub use libsvm::load as load_libsvm;
pub use numbers::{Numbers, Precision};
pub use sets::{Counts, Progress, cifar, digits, fetch, housing, idx, imbalanced, locate, svhn};
pub use split::Fractions;
pub use table::{EncodedRecords, Header, TableEncoding, TableOptions, inspect, load_table};
pub use target::{Task, rare_classes};
