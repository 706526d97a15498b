//! Methods as they are written on a command line: `name(key=value, ...)`.
//!
//! A value is a number, `true` or `false`, a word, or a word with its own values in parentheses:
//! `decay=decoupled(0.01)`, `momentum=torch(momentum=0.9, nesterov=true)`. Without a word, parentheses
//! change some values of a group: `radius_rule=(growth=1.5)`. A list is in brackets: `[head, embedding]`.

use serde_json::{Map, Value};

use super::SpecError;

/// Splits a list of methods at its top-level commas.
pub fn split_list(text: &str) -> Vec<&str> {
    let mut depth = 0i32;
    text.split(|character| {
        depth +=
            i32::from(matches!(character, '(' | '[')) - i32::from(matches!(character, ')' | ']'));
        character == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

/// The name and the keys of one method.
pub(super) fn parse(text: &str) -> Result<(String, Map<String, Value>), SpecError> {
    let mut parser = Parser { text, rest: text.trim() };
    let name = parser.word()?;
    let keys = if parser.take("(") { parser.keys()? } else { Map::new() };
    if parser.rest.is_empty() { Ok((name, keys)) } else { Err(parser.error("there is more")) }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Parser<'_> {
    fn error(&self, reason: &'static str) -> SpecError {
        SpecError::Text { text: self.text.into(), reason, rest: self.rest.into() }
    }

    /// Goes past `token` if it is next.
    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn word(&mut self) -> Result<String, SpecError> {
        let end = self
            .rest
            .find(|c: char| matches!(c, '(' | ')' | '[' | ']' | ',' | '=') || c.is_whitespace());
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if word.is_empty() {
            return Err(self.error("a name or a value is missing"));
        }
        self.rest = rest.trim_start();
        Ok(word.to_string())
    }

    /// `key=value, ...)`.
    fn keys(&mut self) -> Result<Map<String, Value>, SpecError> {
        let mut keys = Map::new();
        while !self.take(")") {
            let before = self.rest;
            let key = self.word()?;
            if !self.take("=") {
                return Err(self.error("a `=` is missing"));
            }
            let value = self.value()?;
            if keys.insert(key, value).is_some() {
                self.rest = before;
                return Err(self.error("a key is there twice"));
            }
            self.end_of_item()?;
        }
        Ok(keys)
    }

    fn end_of_item(&mut self) -> Result<(), SpecError> {
        if self.take(",") || self.rest.starts_with(')') {
            Ok(())
        } else {
            Err(self.error("a `,` or a `)` is missing"))
        }
    }

    /// `value, ...]`.
    fn list(&mut self) -> Result<Value, SpecError> {
        let mut list = Vec::new();
        while !self.take("]") {
            list.push(self.value()?);
            if !self.take(",") && !self.rest.starts_with(']') {
                return Err(self.error("a `,` or a `]` is missing"));
            }
        }
        Ok(list.into())
    }

    fn value(&mut self) -> Result<Value, SpecError> {
        if self.take("(") {
            return Ok(Value::Object(self.keys()?));
        }
        if self.take("[") {
            return self.list();
        }
        let word = self.word()?;
        if !self.take("(") {
            return Ok(scalar(&word));
        }
        // The word's own values: `key=value, ...`, or one value without a key.
        let first_mark = self.rest.trim_start_matches(|c| !matches!(c, ',' | '(' | ')' | '='));
        let inside = if first_mark.starts_with('=') || self.rest.starts_with(')') {
            Value::Object(self.keys()?)
        } else {
            let value = self.value()?;
            if !self.take(")") {
                return Err(self.error("a `)` is missing"));
            }
            value
        };
        Ok(Value::Object(Map::from_iter([(word, inside)])))
    }
}

/// A number, true or false, or the word itself.
fn scalar(word: &str) -> Value {
    if let Ok(whole) = word.parse::<u64>() {
        return whole.into();
    }
    match (word, word.parse::<f64>()) {
        ("true", _) => true.into(),
        ("false", _) => false.into(),
        (_, Ok(number)) if number.is_finite() => number.into(),
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_cut_at_commas_outside_of_parentheses_alone() {
        let list = "adam, mb-lsr1(memory=8, decay=l2(0.1)),sgd";
        assert_eq!(split_list(list), ["adam", "mb-lsr1(memory=8, decay=l2(0.1))", "sgd"]);
    }

    #[test]
    fn values_are_numbers_flags_words_words_with_values_and_groups() {
        let text = "x(a=8, b=1e-3, c=true, d=none, e=l2(0.1), f=torch(momentum=0.9, nesterov=true), \
                    g=(growth=1.5), h=armijo(), i = -2, j=[a, 2])";
        let (name, keys) = parse(text).expect("well-formed");
        assert_eq!(name, "x");
        let expected = json!({
            "a": 8, "b": 1e-3, "c": true, "d": "none", "e": { "l2": 0.1 },
            "f": { "torch": { "momentum": 0.9, "nesterov": true } },
            "g": { "growth": 1.5 }, "h": { "armijo": {} }, "i": -2.0, "j": ["a", 2],
        });
        assert_eq!(Value::Object(keys), expected);
        assert_eq!(parse(" adam "), Ok(("adam".to_string(), Map::new())));
        assert_eq!(parse("adam()"), Ok(("adam".to_string(), Map::new())));
    }

    #[test]
    fn what_is_not_well_formed_is_told_where() {
        let rest = |text: &str| match parse(text) {
            Err(SpecError::Text { rest, .. }) => rest,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(rest("adam(beta_1 0.9)"), "0.9)");
        assert_eq!(rest("adam(beta_1=)"), ")");
        assert_eq!(rest("adam(beta_1=0.9"), "");
        assert_eq!(rest("adam(a=1 b=2)"), "b=2)");
        assert_eq!(rest("adam) x"), ") x");
        assert_eq!(rest(""), "");
        assert_eq!(rest("adam(a=1, a=2)"), "a=2)");
    }
}
