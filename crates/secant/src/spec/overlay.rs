//! Reads a configuration from what is given, and where nothing is given, from a preset.
//!
//! Which values are tables, to be read key by key, and which are one value, to be taken as a whole,
//! is what the type itself asks for while it is read. So no method has code of its own here.

use std::fmt;

use secant_core::nearest::suggestion;
use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer,
        MapAccess, SeqAccess, VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use super::{SpecError, text::value_text};
use crate::hyper_parameter::HyperParameter;

/// Reads a `C` from `given`, and from `base` what is not given there.
pub(super) fn overlay<C: DeserializeOwned>(given: &Value, base: &Value) -> Result<C, Fault> {
    C::deserialize(Overlay { given: Some(given), base: Some(base) })
}

/// What is wrong with a value, and where: keys from the outermost.
#[derive(Debug)]
pub(super) struct Fault {
    path: Vec<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// There is no such key.
    Unknown { suggestion: String },
    /// The value is of another kind.
    Wrong { value: String, wanted: String },
    /// Neither given nor in the base.
    Missing,
}

impl Fault {
    fn wrong(value: &Value, wanted: impl Into<String>) -> Self {
        let what = What::Wrong { value: value_text(value, None), wanted: wanted.into() };
        Self { path: Vec::new(), what }
    }

    fn missing() -> Self {
        Self { path: Vec::new(), what: What::Missing }
    }

    /// As an error of `method`, whose hyper-parameters are `known`.
    pub fn of(self, method: &str, known: &[HyperParameter]) -> SpecError {
        let (method, key) = (method.to_string(), self.path.join("."));
        match self.what {
            What::Unknown { suggestion } => SpecError::UnknownKey { method, key, suggestion },
            What::Missing => {
                SpecError::Missing { method, key, meaning: "it has no default".to_string() }
            }
            What::Wrong { value, wanted } => {
                let declared = known.iter().find(|known| known.name == key);
                let wanted = declared.map_or(wanted, HyperParameter::wanted);
                SpecError::Value { method, key, wanted, value }
            }
        }
    }

    fn within(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_string());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.path.join("."), self.what)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let what = What::Wrong { value: String::new(), wanted: message.to_string() };
        Self { path: Vec::new(), what }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing().within(field)
    }
}

/// A value that may be given, over one that may be there.
#[derive(Clone, Copy)]
struct Overlay<'a> {
    given: Option<&'a Value>,
    base: Option<&'a Value>,
}

impl<'a> Overlay<'a> {
    fn value(self) -> Result<&'a Value, Fault> {
        self.given.or(self.base).ok_or_else(Fault::missing)
    }

    fn whole(self) -> Result<u64, Fault> {
        let value = self.value()?;
        let whole = value.as_u64().or_else(|| {
            // 2^53: up to here every whole number is a double of its own.
            let number = value.as_f64().filter(|x| x.fract() == 0.0 && (0.0..=9e15).contains(x));
            number.map(|number| number as u64)
        });
        whole.ok_or_else(|| Fault::wrong(value, "a whole number"))
    }
}

fn as_table(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

impl<'de> Deserializer<'de> for Overlay<'_> {
    type Error = Fault;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.value()?;
        let switch = value.as_bool().ok_or_else(|| Fault::wrong(value, "true or false"))?;
        visitor.visit_bool(switch)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let whole = u32::try_from(self.whole()?);
        visitor.visit_u32(whole.map_err(|_| match self.value() {
            Ok(value) => Fault::wrong(value, "a whole number below 2^32"),
            Err(fault) => fault,
        })?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(self.whole()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.value()?;
        visitor.visit_f64(value.as_f64().ok_or_else(|| Fault::wrong(value, "a number"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.value()?;
        visitor.visit_str(value.as_str().ok_or_else(|| Fault::wrong(value, "a word"))?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = self.value()?;
        let items = value.as_array().ok_or_else(|| Fault::wrong(value, "a list in brackets"))?;
        visitor.visit_seq(Items(items.iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let value = self.value()?;
        match value.as_array() {
            Some(items) if items.len() == length => visitor.visit_seq(Items(items.iter())),
            _ => Err(Fault::wrong(value, format!("{length} values in brackets"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.given.or(self.base) {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(Value::String(word)) if word == "none" => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Some(given) = self.given {
            let table = given.as_object().ok_or_else(|| {
                Fault::wrong(given, format!("some of ({}), each with a value", fields.join(", ")))
            })?;
            if let Some(key) = table.keys().find(|key| !fields.contains(&key.as_str())) {
                let suggestion = suggestion(key, fields.iter().copied());
                return Err(Fault { path: vec![key.clone()], what: What::Unknown { suggestion } });
            }
        }
        let (given, base) = (as_table(self.given), as_table(self.base));
        visitor.visit_map(Fields { given, base, fields: fields.iter(), next: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let value = self.value()?;
        let (word, content) = match value {
            Value::String(word) => (word.as_str(), None),
            Value::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((word, content)) => (word.as_str(), Some(content)),
                None => return Err(Fault::missing()),
            },
            _ => return Err(Fault::wrong(value, one_of(words))),
        };
        let Some(word) = words.iter().find(|known| **known == word) else {
            return Err(Fault::wrong(value, one_of(words)));
        };
        visitor.visit_enum(Word { word, content, value })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::custom("a value of a hyper-parameter"))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct
        newtype_struct tuple_struct map identifier ignored_any
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [words @ .., last] if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        words => words.join(", "),
    }
}

/// The items of a list, which is taken as a whole.
struct Items<'a>(std::slice::Iter<'a, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let item = |item| seed.deserialize(Overlay { given: Some(item), base: None });
        self.0.next().map(item).transpose()
    }
}

/// The values of a table by name.
struct Fields<'a> {
    given: Option<&'a Map<String, Value>>,
    base: Option<&'a Map<String, Value>>,
    fields: std::slice::Iter<'static, &'static str>,
    next: Option<&'static str>,
}

impl Fields<'_> {
    fn at(&self, field: &str) -> Overlay<'_> {
        Overlay {
            given: self.given.and_then(|given| given.get(field)),
            base: self.base.and_then(|base| base.get(field)),
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        for field in self.fields.by_ref() {
            let has = |table: Option<&Map<String, Value>>| {
                table.is_some_and(|table| table.contains_key(*field))
            };
            if has(self.given) || has(self.base) {
                self.next = Some(field);
                return seed
                    .deserialize(IntoDeserializer::<Fault>::into_deserializer(*field))
                    .map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let field = self.next.unwrap_or_default();
        seed.deserialize(self.at(field)).map_err(|fault| fault.within(field))
    }
}

/// A word with what it takes.
struct Word<'a> {
    word: &'static str,
    content: Option<&'a Value>,
    value: &'a Value,
}

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let deserializer = IntoDeserializer::<Fault>::into_deserializer(self.word);
        Ok((seed.deserialize(deserializer)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(Fault::wrong(self.value, format!("`{}` alone", self.word))),
        }
    }

    /// A word alone is one with a table that sets nothing, where it takes a table.
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        let content = Overlay { given: self.content, base: None };
        seed.deserialize(content).map_err(|fault| fault.within(self.word))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::custom("a word that takes one value"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let content = Overlay { given: self.content, base: None };
        let read = content.deserialize_struct(self.word, fields, visitor);
        read.map_err(|fault| fault.within(self.word))
    }
}
