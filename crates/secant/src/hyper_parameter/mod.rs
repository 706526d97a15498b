//! What is known of a hyper-parameter: one declaration makes the configuration's field, its check, and
//! what the command prints.

mod kind;
mod range;

pub use kind::Kind;
pub use range::{Range, Ranged};

use serde::{Serialize, de::DeserializeOwned};

use crate::error::ConfigError;

/// A hyper-parameter of a method.
#[derive(Clone, Copy, Debug)]
pub struct HyperParameter {
    /// Its name.
    pub name: &'static str,
    /// The lines that say what it means.
    pub meaning: &'static [&'static str],
    /// The numbers it can be.
    pub range: Range,
    /// Whether a value must be given, because it depends on the data.
    pub is_required: bool,
    /// Asks its type for [`HyperParameter::kind`].
    pub kind_of_type: fn() -> Kind,
}

impl HyperParameter {
    /// What its values look like.
    pub fn kind(&self) -> Kind {
        (self.kind_of_type)()
    }

    /// What a value must be.
    pub fn wanted(&self) -> String {
        let (kind, or_none) = match self.kind() {
            Kind::Optional(kind) => (*kind, ", or none"),
            kind => (kind, ""),
        };
        match self.range {
            Range::Any | Range::Number => format!("{kind}{or_none}"),
            range => format!("{kind} {range}{or_none}"),
        }
    }
}

/// A configuration that says what its hyper-parameters are.
pub trait HyperParameters: Serialize + DeserializeOwned {
    /// All of them, in order.
    const ALL: &'static [HyperParameter];

    /// Checks every number against its range.
    ///
    /// # Errors
    /// Names the first hyper-parameter of `method` out of its range.
    fn check_ranges(&self, method: &'static str) -> Result<(), ConfigError>;
}

/// Declares a configuration. Each field has its meaning as documentation, then in this order
/// `#[config(default = ...)]` (as of Burn's `Config`; without it a value must be given) and
/// `#[range(...)]` for a number. Gives the struct with Burn's `Config` derived, and
/// [`HyperParameters`].
macro_rules! hyper_parameters {
    (
        $(#[doc = $about:literal])+
        $(#[derive($copy:ident)])?
        pub struct $config:ident {
            $(
                $(#[doc = $meaning:literal])+
                $(#[config(default = $default:tt)])?
                $(#[range($range:ident)])?
                $field:ident: $kind:ty,
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(burn::config::Config, Debug, PartialEq)]
        $(#[derive($copy)])?
        pub struct $config {
            $(
                $(#[doc = $meaning])+
                $(#[config(default = $default)])?
                $field: $kind,
            )*
        }

        impl $crate::hyper_parameter::HyperParameters for $config {
            const ALL: &'static [$crate::hyper_parameter::HyperParameter] = &[$(
                $crate::hyper_parameter::HyperParameter {
                    name: stringify!($field),
                    meaning: &[$($meaning),+],
                    range: $crate::hyper_parameter::hyper_parameters!(@range $($range)?),
                    is_required: $crate::hyper_parameter::hyper_parameters!(@required $($default)?),
                    kind_of_type: $crate::hyper_parameter::Kind::of::<$kind>,
                },
            )*];

            fn check_ranges(
                &self,
                method: &'static str,
            ) -> Result<(), $crate::error::ConfigError> {
                $($($crate::error::require_in(
                    method,
                    stringify!($field),
                    $crate::hyper_parameter::Range::$range,
                    self.$field,
                )?;)?)*
                let _ = method;
                Ok(())
            }
        }
    };
    (@range) => { $crate::hyper_parameter::Range::Any };
    (@range $range:ident) => { $crate::hyper_parameter::Range::$range };
    (@required) => { true };
    (@required $default:tt) => { false };
}
pub(crate) use hyper_parameters;
