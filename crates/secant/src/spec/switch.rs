//! A method that another one follows: `switch(first=adam, then=l-bfgs, at=step(500))`.

use std::fmt;

use burn::module::Module;
use serde_json::{Map, Value};

use super::{
    Choice, MethodSpec, Run, SpecError,
    auto::NAME as AUTO,
    methods::keys_of,
    overlay::{Fault, overlay},
    text::value_text,
};
use crate::{
    error::ConfigError,
    hyper_parameter::{HyperParameter, HyperParameters, Kind, Range},
    optimizer::{AnyOptimizer, SWITCH, SwitchConfig},
};

/// A method, and the one that follows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SwitchSpec {
    /// The method that begins; the rate of a step is its rate.
    pub first: MethodSpec,
    /// The method that follows.
    pub then: MethodSpec,
    /// When it does, and its rate.
    pub config: SwitchConfig,
}

/// A hyper-parameter that is a method.
const fn method(name: &'static str, meaning: &'static [&'static str]) -> HyperParameter {
    let kind_of_type = || Kind::Text;
    HyperParameter { name, meaning, range: Range::Any, is_required: true, kind_of_type }
}

impl SwitchSpec {
    pub(super) const HYPER_PARAMETERS: &'static [HyperParameter] = &{
        let &[at, rate] = SwitchConfig::ALL else { panic!("when and at which rate") };
        [
            method(FIRST, &[" The method that begins."]),
            method(THEN, &[" The method that follows."]),
            at,
            rate,
        ]
    };

    pub(super) fn init<M: Module + 'static>(&self) -> Result<AnyOptimizer<M>, ConfigError> {
        self.first.init()?.then(self.then.init()?, self.config)
    }

    pub(super) fn to_keys(&self) -> Map<String, Value> {
        let mut keys = keys_of(&self.config);
        for (name, spec) in [(FIRST, &self.first), (THEN, &self.then)] {
            // A method is a table of numbers, words and lists.
            keys.insert(name.to_string(), serde_json::to_value(spec).unwrap_or_default());
        }
        keys
    }

    /// The same with another moment or rate.
    pub(super) fn with(&self, keys: &Map<String, Value>) -> Result<Self, Fault> {
        let config = overlay(&Value::Object(keys.clone()), &Value::Object(keys_of(&self.config)))?;
        Ok(Self { config, ..self.clone() })
    }
}

impl fmt::Display for SwitchSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, then, config } = self;
        write!(f, "{SWITCH}({FIRST}={first},{THEN}={then}")?;
        let keys = keys_of(config);
        for known in SwitchConfig::ALL {
            if let Some(value) = keys.get(known.name) {
                write!(f, ",{}={}", known.name, value_text(value, Some(&known.kind())))?;
            }
        }
        f.write_str(")")
    }
}

/// The choice that follows another, and what is said of the switch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Next {
    pub then: Choice,
    pub keys: Map<String, Value>,
}

const FIRST: &str = "first";
const THEN: &str = "then";

impl Next {
    /// The choices of a switch with these keys.
    pub fn of(mut keys: Map<String, Value>) -> Result<(Choice, Self), SpecError> {
        let [first, then] = [FIRST, THEN].map(|key| chosen(key, keys.remove(key)));
        Ok((first?, Self { then: then?, keys }))
    }

    /// The switch from `first` to this.
    pub fn spec(&self, first: MethodSpec, run: Option<&Run>) -> Result<MethodSpec, SpecError> {
        let then = self.then.spec(run)?;
        let rate = Some(self.then.preset().usual_rate);
        let config = SwitchConfig::new().with_rate(rate);
        let preset = MethodSpec::Switch(Box::new(SwitchSpec { first, then, config }));
        let spec = preset.with(&self.keys)?;
        spec.validate()?;
        Ok(spec)
    }
}

/// The method that a switch has under `key`: a name, a name with hyper-parameters, or a table with the
/// name under `method`.
fn chosen(key: &str, value: Option<Value>) -> Result<Choice, SpecError> {
    let wrong = |value: &Value| SpecError::Value {
        method: SWITCH.to_string(),
        key: key.to_string(),
        wanted: "a method, as in adam or l-bfgs(history_size=50), and no switch or auto"
            .to_string(),
        value: value_text(value, None),
    };
    let (name, keys) = match value {
        None => {
            return Err(SpecError::Missing {
                method: SWITCH.to_string(),
                key: key.to_string(),
                meaning: "a method, as in switch(first=adam, then=l-bfgs)".to_string(),
            });
        }
        Some(Value::String(name)) => (name, Map::new()),
        Some(Value::Object(mut table)) => match table.remove("method") {
            Some(Value::String(name)) => (name, table),
            _ => match table.clone().into_iter().next() {
                Some((name, Value::Object(keys))) if table.len() == 1 => (name, keys),
                _ => return Err(wrong(&Value::Object(table))),
            },
        },
        Some(value) => return Err(wrong(&value)),
    };
    // Each can be a switch itself.
    match name == SWITCH || name == AUTO {
        true => Err(wrong(&name.into())),
        false => Choice::new(&name, keys),
    }
}
