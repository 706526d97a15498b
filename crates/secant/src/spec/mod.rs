//! One description of a method with all its hyper-parameters, to be written and read.
//!
//! A [`MethodSpec`] is what the command line, files and stores speak. Reading one lays the keys that are
//! given over a named preset, so that `{ method = "mb-lsr1", memory = 8 }` and, on the command line,
//! `mb-lsr1(memory=8)` are whole descriptions; an unknown key is an error that names the nearest one.
//!
//! ```
//! use burn::nn::Linear;
//! use secant::spec::{Choice, MethodSpec};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec: MethodSpec = "mb-lsr1(memory=8, restart=keep)".parse::<Choice>()?.spec(None)?;
//! assert_eq!(spec.method(), "mb-lsr1");
//! let mut optimizer = spec.init::<Linear>()?;
//! assert_eq!(optimizer.accepted_steps(), 0);
//!
//! let mistake = "adam(beta1=0.8)".parse::<Choice>()?.spec(None);
//! assert!(mistake.is_err_and(|error| error.to_string().contains("beta_1")));
//! # Ok(())
//! # }
//! ```

mod choice;
mod error;
mod hyper_parameter;
mod methods;
mod overlay;
mod preset;
mod text;

pub use choice::Choice;
pub use error::SpecError;
pub(crate) use hyper_parameter::hyper_parameters;
pub use hyper_parameter::{HyperParameter, HyperParameters, Range, Ranged};
pub use methods::{MethodSpec, configs};
pub use preset::{PRESETS, Preset, Run, Traffic};
pub use text::split_list;
