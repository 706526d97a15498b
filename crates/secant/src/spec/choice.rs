//! A preset and what is changed of it.

use std::{fmt, str::FromStr};

use burn::module::Module;
use secant_core::nearest::suggestion;
use serde_json::{Map, Value};

use super::{
    Auto, MethodSpec, PRESETS, Preset, Run, SpecError, auto::NAME as AUTO, switch::Next, text,
};
use crate::{
    hyper_parameter::HyperParameter,
    optimizer::{AnyOptimizer, SWITCH},
};

/// A preset and what is changed of it: `adam`, `mb-lsr1(memory=8)`; of a switch, both methods.
#[derive(Clone, Debug)]
pub struct Choice {
    text: String,
    preset: &'static Preset,
    keys: Map<String, Value>,
    next: Option<Box<Next>>,
}

impl Choice {
    /// A list of choices, separated by commas.
    ///
    /// # Errors
    /// Says where a description is not well-formed, and which name is unknown.
    pub fn list(list: &str) -> Result<Vec<Self>, SpecError> {
        text::split_list(list).into_iter().map(str::parse).collect()
    }

    /// The preset `name` with the hyper-parameters in `keys` changed; or, called `switch`, the choices
    /// under `first` and `then`.
    ///
    /// # Errors
    /// No preset has this name.
    pub fn new(name: &str, keys: Map<String, Value>) -> Result<Self, SpecError> {
        if name == SWITCH {
            let (first, next) = Next::of(keys)?;
            let text = format!("{SWITCH}(first={first},then={})", next.then);
            return Ok(Self { text, next: Some(Box::new(next)), ..first });
        }
        let unknown = || SpecError::UnknownMethod {
            name: name.to_string(),
            suggestion: suggestion(name, PRESETS.iter().map(|preset| preset.name).chain([SWITCH])),
        };
        let preset = Preset::named(name).ok_or_else(unknown)?;
        if let Some(key) = keys.keys().next().filter(|_| name == AUTO) {
            let suggestion = "it chooses a method; name that one, as in soap(...)".to_string();
            return Err(SpecError::UnknownKey {
                method: AUTO.into(),
                key: key.clone(),
                suggestion,
            });
        }
        Ok(Self { text: name.to_string(), preset, keys, next: None })
    }

    /// The preset; of a switch, that of the first method.
    pub fn preset(&self) -> &'static Preset {
        self.preset
    }

    /// The method's name; of a switch, that of the first one.
    pub fn method(&self) -> &'static str {
        self.preset.spec(&Run::UNKNOWN).method()
    }

    /// Whether the method, of a switch the first one, averages its points: its rate is to stay over a run.
    pub fn averages(&self) -> bool {
        let preset = self.preset.spec(&Run::UNKNOWN);
        preset.with(&self.keys).unwrap_or(preset).averages() == Ok(true)
    }

    /// The same with so many pairs, where the method keeps pairs and their number is not changed already.
    #[must_use]
    pub fn with_pairs(&self, pairs: usize) -> Self {
        let mut changed = self.clone();
        let known = self.preset.spec(&Run::UNKNOWN).hyper_parameters();
        let is_memory =
            |parameter: &&HyperParameter| ["memory", "history_size"].contains(&parameter.name);
        if let Some(memory) = known.iter().find(is_memory) {
            changed.keys.entry(memory.name).or_insert(pairs.into());
        }
        if let Some(next) = &mut changed.next {
            next.then = next.then.with_pairs(pairs);
        }
        changed
    }

    /// Every hyper-parameter with its value, of a switch those of the first method; none where it depends on the run.
    pub fn values(&self) -> Vec<(&'static HyperParameter, Option<Value>)> {
        let preset = self.preset.spec(&Run::UNKNOWN);
        let spec = preset.with(&self.keys).unwrap_or(preset);
        let known = |parameter: &HyperParameter| {
            !parameter.is_required || self.keys.contains_key(parameter.name)
        };
        spec.values().into_iter().map(|(p, value)| (p, Some(value).filter(|_| known(p)))).collect()
    }

    /// All hyper-parameters, for a run if it is known.
    ///
    /// # Errors
    /// An unknown hyper-parameter, a value of the wrong kind or out of its range, or one that depends on
    /// the run where that is not known.
    pub fn spec(&self, run: Option<&Run>) -> Result<MethodSpec, SpecError> {
        let preset = self.preset.spec(run.unwrap_or(&Run::UNKNOWN));
        if run.is_none() {
            if self.preset.chooses() {
                return Err(SpecError::NeedsRun { name: self.preset.name });
            }
            let depends = |parameter: &&HyperParameter| parameter.is_required;
            let given = |key: &str| self.keys.contains_key(key);
            if let Some(missing) =
                preset.hyper_parameters().iter().filter(depends).find(|p| !given(p.name))
            {
                return Err(SpecError::Missing {
                    method: self.preset.name.to_string(),
                    key: missing.name.to_string(),
                    meaning: missing.meaning.concat().trim().to_string(),
                });
            }
        }
        let spec = preset.with(&self.keys)?;
        spec.validate()?;
        match &self.next {
            None => Ok(spec),
            Some(next) => next.spec(spec, run),
        }
    }

    /// The optimizer for a run; that of `auto` says in its reports what it chose.
    ///
    /// # Errors
    /// As [`Choice::spec`], or a setting out of its range.
    pub fn init<M: Module + 'static>(&self, run: &Run) -> Result<AnyOptimizer<M>, SpecError> {
        if self.preset.chooses() && self.next.is_none() {
            return Ok(Auto::of(run).init()?);
        }
        Ok(self.spec(Some(run))?.init()?)
    }
}

impl From<&'static Preset> for Choice {
    /// The preset as it is.
    fn from(preset: &'static Preset) -> Self {
        Self { text: preset.name.to_string(), preset, keys: Map::new(), next: None }
    }
}

impl PartialEq for Choice {
    /// Whether the same preset is changed in the same way.
    fn eq(&self, other: &Self) -> bool {
        self.preset.name == other.preset.name && self.keys == other.keys && self.next == other.next
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Choice {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (name, keys) = text::parse(text)?;
        let choice = Self { text: text.split_whitespace().collect(), ..Self::new(&name, keys)? };
        // Mistakes in keys are found here, whatever the run will be.
        choice.spec(Some(&Run::UNKNOWN))?;
        Ok(choice)
    }
}
