//! One description of a method with all its hyper-parameters, to be written and read.
//!
//! A [`MethodSpec`] is what the command line, files and stores speak. Reading one lays the keys that are
//! given over a named preset, so that `{ method = "mb-lsr1", memory = 8 }` and, on the command line,
//! `mb-lsr1(memory=8)` are whole descriptions; an unknown key is an error that names the nearest one.
//!
//! One method can follow another: `switch(first=adam, then=l-bfgs(history_size=50), at=step(500))`, or
//! `at=stall`, when the loss stalls. The rate of a run is the first's; the second has the rate from which
//! tuning of it starts, or that of `rate=`, throughout.
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
//! let mistake = "adam(beta1=0.8)".parse::<Choice>();
//! assert!(mistake.is_err_and(|error| error.to_string().contains("beta_1")));
//! # Ok(())
//! # }
//! ```

mod auto;
mod choice;
mod error;
mod methods;
mod overlay;
mod preset;
mod switch;
mod text;

pub use auto::Auto;
pub use choice::Choice;
pub use error::SpecError;
pub use methods::{MethodSpec, configs};
pub use preset::{PRESETS, Preset, Run};
pub use switch::SwitchSpec;
pub use text::{split_list, value_text};
