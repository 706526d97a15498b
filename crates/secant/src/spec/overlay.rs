//! Lays given keys over a preset's hyper-parameters.

use serde_json::{Map, Value};

use super::{HyperParameter, SpecError, error::suggestion};

/// Words for the values of a type without a value, which not every format has.
const NONE: &str = "none";

/// The hyper-parameters of `method` with those that are in `keys` in the place of the preset's. Values
/// of the wrong kind are found by `is_usable`, which is asked of every key by itself.
pub(super) fn overlay(
    method: &str,
    known: &[HyperParameter],
    preset: &Map<String, Value>,
    keys: &Map<String, Value>,
    is_usable: impl Fn(Map<String, Value>) -> Result<(), String>,
) -> Result<Map<String, Value>, SpecError> {
    let mut all = preset.clone();
    for (key, value) in keys {
        let parameter = find(method, known, key)?;
        let new = merged(method, key, preset.get(key), parameter.read(value))?;
        let with_key = Map::from_iter(
            preset.iter().map(|(k, v)| (k.clone(), if k == key { new.clone() } else { v.clone() })),
        );
        if is_usable(with_key).is_err() {
            let (method, key) = (method.to_string(), key.clone());
            let (wanted, value) = (parameter.wanted(), value.to_string());
            return Err(SpecError::Value { method, key, wanted, value });
        }
        all.insert(key.clone(), new);
    }
    Ok(all)
}

fn find<'a>(
    method: &str,
    known: &'a [HyperParameter],
    key: &str,
) -> Result<&'a HyperParameter, SpecError> {
    known.iter().find(|parameter| parameter.name == key).ok_or_else(|| {
        let suggestion = suggestion(key, known.iter().map(|parameter| parameter.name));
        SpecError::UnknownKey { method: method.into(), key: key.into(), suggestion }
    })
}

/// A group keeps what is not given of it.
fn merged(method: &str, key: &str, old: Option<&Value>, new: Value) -> Result<Value, SpecError> {
    let (Some(Value::Object(old)), Value::Object(new)) = (old, &new) else { return Ok(new) };
    // An enum with values is a table of its kind alone: it is replaced as a whole.
    if old.len() == 1 {
        return Ok(Value::Object(new.clone()));
    }
    let mut all = old.clone();
    for (inner, value) in new {
        if !old.contains_key(inner) {
            let suggestion = suggestion(inner, old.keys().map(String::as_str));
            let key = format!("{key}.{inner}");
            return Err(SpecError::UnknownKey { method: method.into(), key, suggestion });
        }
        all.insert(inner.clone(), value.clone());
    }
    Ok(Value::Object(all))
}

impl HyperParameter {
    /// A value as serde wants it.
    fn read(&self, value: &Value) -> Value {
        if self.is_optional() && value == NONE { Value::Null } else { value.clone() }
    }
}

/// Values as every format can hold them: `none` in the place of nothing.
pub(super) fn written(mut keys: Map<String, Value>) -> Map<String, Value> {
    for value in keys.values_mut().filter(|value| value.is_null()) {
        *value = NONE.into();
    }
    keys
}
