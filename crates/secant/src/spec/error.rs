//! What can be wrong with the description of a method.

use thiserror::Error;

use crate::error::ConfigError;

/// A description that is none of a method.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum SpecError {
    /// No preset has this name.
    #[error("there is no method `{name}`; {suggestion}")]
    UnknownMethod {
        /// The name.
        name: String,
        /// The nearest name, or all of them.
        suggestion: String,
    },
    /// The method has no such hyper-parameter.
    #[error("{method} has no hyper-parameter `{key}`; {suggestion}")]
    UnknownKey {
        /// The method.
        method: String,
        /// The key.
        key: String,
        /// The nearest key, or all of them.
        suggestion: String,
    },
    /// A value of the wrong kind.
    #[error("{method}: `{key}` must be {wanted}, got `{value}`")]
    Value {
        /// The method.
        method: String,
        /// The key.
        key: String,
        /// What it must be.
        wanted: String,
        /// What it is.
        value: String,
    },
    /// A value that depends on the data, and was not given.
    #[error("{method}: `{key}` must be given: {meaning}")]
    Missing {
        /// The method.
        method: String,
        /// The key.
        key: String,
        /// What it is.
        meaning: String,
    },
    /// A choice among the methods, made by the run, where that is not known.
    #[error(
        "{name} chooses a method by the run; give it one (`Auto::of`), or name a method, as in soap(...)"
    )]
    NeedsRun {
        /// Its name.
        name: &'static str,
    },
    /// A text that cannot be taken apart.
    #[error(
        "`{text}` is no description of a method: {reason}, at `{rest}`; write `name(key=value, ...)`"
    )]
    Text {
        /// The text.
        text: String,
        /// What is wrong.
        reason: &'static str,
        /// From there on.
        rest: String,
    },
    /// A table without the method's name, or one that is no table.
    #[error(
        "the description of a method is a table with the key `method`, such as {{ method = \"adam\" }}"
    )]
    NoMethod,
    /// A hyper-parameter out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
