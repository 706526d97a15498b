//! What is known of a hyper-parameter: one declaration makes the configuration's field, its check, and
//! what the command prints.

use std::fmt;

use crate::error::ConfigError;

/// The values a number can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// [0, 1): decay rates of moving averages.
    Below1,
    /// [0, 1].
    Unit,
    /// (0, 1).
    Inside1,
    /// (0, 1].
    Above0To1,
    /// Finite and above 0.
    Positive,
    /// Finite and at least 0.
    NotNegative,
    /// At least 1: counts, and finite factors that never shrink.
    AtLeast1,
    /// Not NaN.
    Number,
    /// Every value of the type.
    Any,
}

impl Range {
    /// Whether `value` is in it; NaN never is, except where every value is.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Self::Below1 => (0.0..1.0).contains(&value),
            Self::Unit => (0.0..=1.0).contains(&value),
            Self::Inside1 => value > 0.0 && value < 1.0,
            Self::Above0To1 => value > 0.0 && value <= 1.0,
            Self::Positive => value > 0.0 && value.is_finite(),
            Self::NotNegative => value >= 0.0 && value.is_finite(),
            Self::AtLeast1 => value >= 1.0 && value.is_finite(),
            Self::Number => !value.is_nan(),
            Self::Any => true,
        }
    }

    /// As in messages: what the value must be.
    pub fn text(self) -> &'static str {
        match self {
            Self::Below1 => "in [0, 1)",
            Self::Unit => "in [0, 1]",
            Self::Inside1 => "in (0, 1)",
            Self::Above0To1 => "in (0, 1]",
            Self::Positive => "finite and above 0",
            Self::NotNegative => "finite and at least 0",
            Self::AtLeast1 => "at least 1",
            Self::Number => "a number",
            Self::Any => "",
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A value that a range can be asked about.
pub trait Ranged: Copy {
    /// The number; none where there is nothing to check.
    fn number(self) -> Option<f64>;
}

impl Ranged for f64 {
    fn number(self) -> Option<f64> {
        Some(self)
    }
}

impl Ranged for usize {
    fn number(self) -> Option<f64> {
        Some(self as f64)
    }
}

impl<T: Ranged> Ranged for Option<T> {
    fn number(self) -> Option<f64> {
        self.and_then(T::number)
    }
}

/// A hyper-parameter of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HyperParameter {
    /// Its name.
    pub name: &'static str,
    /// Its type in Rust.
    pub kind: &'static str,
    /// The lines that say what it means.
    pub meaning: &'static [&'static str],
    /// The numbers it can be.
    pub range: Range,
    /// The words it can be, where it is not a number: `none | l2(number)`.
    pub words: Option<&'static str>,
    /// Whether a value must be given, because it depends on the data.
    pub is_required: bool,
}

impl HyperParameter {
    /// Whether `none` is a value.
    pub fn is_optional(&self) -> bool {
        self.kind.starts_with("Option")
    }

    /// What a value must be.
    pub fn wanted(&self) -> String {
        let or_none = if self.is_optional() { ", or none" } else { "" };
        let wanted = match (self.words, self.kind) {
            (Some(words), _) => format!("one of {words}"),
            (None, "bool") => "true or false".to_string(),
            (None, "u64") => "a whole number from 0".to_string(),
            (None, kind) if kind.contains("usize") => {
                format!("a whole number {}", self.range)
            }
            (None, _) => format!("a number {}", self.range),
        };
        format!("{}{or_none}", wanted.trim_end())
    }
}

/// A configuration that says what its hyper-parameters are.
pub trait HyperParameters {
    /// All of them, in order.
    const ALL: &'static [HyperParameter];

    /// Checks every number against its range.
    ///
    /// # Errors
    /// Names the first hyper-parameter of `method` out of its range.
    fn check_ranges(&self, method: &'static str) -> Result<(), ConfigError>;
}

/// Declares a configuration. Each field has its meaning as documentation, then in this order
/// `#[config(default = ...)]` (as of Burn's `Config`; without it a value must be given),
/// `#[range(...)]` for a number, and `#[words(...)]` for an enum. Gives the struct with Burn's `Config`
/// derived, and [`HyperParameters`].
macro_rules! hyper_parameters {
    (
        $(#[doc = $about:literal])+
        $(#[derive($copy:ident)])?
        pub struct $config:ident {
            $(
                $(#[doc = $meaning:literal])+
                $(#[config(default = $default:tt)])?
                $(#[range($range:ident)])?
                $(#[words($words:expr)])?
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

        impl $crate::spec::HyperParameters for $config {
            const ALL: &'static [$crate::spec::HyperParameter] = &[$(
                $crate::spec::HyperParameter {
                    name: stringify!($field),
                    kind: stringify!($kind),
                    meaning: &[$($meaning),+],
                    range: $crate::spec::hyper_parameters!(@range $($range)?),
                    words: $crate::spec::hyper_parameters!(@words $($words)?),
                    is_required: $crate::spec::hyper_parameters!(@required $($default)?),
                },
            )*];

            fn check_ranges(
                &self,
                method: &'static str,
            ) -> Result<(), $crate::error::ConfigError> {
                $($($crate::error::require_in(
                    method,
                    stringify!($field),
                    $crate::spec::Range::$range,
                    self.$field,
                )?;)?)*
                let _ = method;
                Ok(())
            }
        }
    };
    (@range) => { $crate::spec::Range::Any };
    (@range $range:ident) => { $crate::spec::Range::$range };
    (@words) => { None };
    (@words $words:expr) => { Some($words) };
    (@required) => { true };
    (@required $default:tt) => { false };
}
pub(crate) use hyper_parameters;
