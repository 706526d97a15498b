//! What the values of a type look like, found out by asking how it is read.

use std::fmt;

use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer,
        SeqAccess, VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};

/// What the values of a hyper-parameter look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Switch,
    /// A whole number from 0.
    Whole,
    /// A number.
    Number,
    /// Text.
    Text,
    /// So many of these, or any number of them.
    List(Option<usize>, Box<Kind>),
    /// None or one of these.
    Optional(Box<Kind>),
    /// One of some words, each with what it takes.
    Word(Vec<(&'static str, Option<Kind>)>),
    /// Several values by name.
    Table(&'static [&'static str]),
}

impl Kind {
    /// The kind of a type.
    pub fn of<T: DeserializeOwned>() -> Self {
        match ask::<T>(None) {
            Answer::Optional(answer) => Self::Optional(Box::new(Self::answered::<T>(*answer))),
            answer => Self::answered::<T>(answer),
        }
    }

    /// The answer with what each word takes.
    fn answered<T: DeserializeOwned>(answer: Answer) -> Self {
        let Answer::Words(words) = answer else { return answer.kind().unwrap_or(Self::Text) };
        let content = |index| match ask::<T>(Some(index)) {
            Answer::Optional(answer) => answer.kind(),
            answer => answer.kind(),
        };
        Self::Word(words.iter().enumerate().map(|(index, word)| (*word, content(index))).collect())
    }

    /// As part of another.
    fn within(&self) -> String {
        match self {
            Self::Switch => "true or false".to_string(),
            Self::Whole => "count".to_string(),
            Self::Number => "number".to_string(),
            Self::Text => "word".to_string(),
            Self::List(Some(length), kind) => {
                format!("[{}]", vec![kind.within(); *length].join(", "))
            }
            Self::List(None, kind) => format!("[{}, ...]", kind.within()),
            Self::Optional(kind) => format!("{}, or none", kind.within()),
            Self::Table(names) => names.join(", "),
            Self::Word(words) => {
                let word = |(word, content): &(&str, Option<Self>)| match content {
                    None => (*word).to_string(),
                    Some(content) => format!("{word}({})", content.within()),
                };
                words.iter().map(word).collect::<Vec<_>>().join(" | ")
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = self.within();
        match self {
            Self::Whole => f.write_str("a whole number"),
            Self::Number | Self::Text => write!(f, "a {within}"),
            Self::Switch | Self::List(..) | Self::Optional(_) => f.write_str(&within),
            Self::Word(_) => write!(f, "one of {within}"),
            Self::Table(_) => write!(f, "a table of some of {within}"),
        }
    }
}

/// What a type says when it is read; the error of the reading that is always broken off.
#[derive(Debug)]
enum Answer {
    Kind(Kind),
    /// The words of an enum.
    Words(&'static [&'static str]),
    Optional(Box<Answer>),
    /// A word that takes nothing, or a type that is no hyper-parameter's.
    Nothing,
}

impl Answer {
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Kind(kind) => Some(kind),
            Self::Words(words) => {
                Some(Kind::Word(words.iter().map(|word| (*word, None)).collect()))
            }
            Self::Optional(answer) => answer.kind().map(|kind| Kind::Optional(Box::new(kind))),
            Self::Nothing => None,
        }
    }

    /// That of a list whose item answered this.
    fn listed(self, length: Option<usize>) -> Self {
        self.kind().map_or(Self::Nothing, |kind| Self::Kind(Kind::List(length, Box::new(kind))))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Answer {}

impl Error for Answer {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Nothing
    }
}

/// What `T` wants to read, or what its word number `word` takes.
fn ask<T: DeserializeOwned>(word: Option<usize>) -> Answer {
    T::deserialize(Question { word }).err().unwrap_or(Answer::Nothing)
}

struct Question {
    word: Option<usize>,
}

macro_rules! answers {
    ($($function:ident => $kind:expr),* $(,)?) => {$(
        fn $function<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Answer> {
            Err(Answer::Kind($kind))
        }
    )*};
}

impl<'de> Deserializer<'de> for Question {
    type Error = Answer;

    answers! {
        deserialize_bool => Kind::Switch,
        deserialize_u32 => Kind::Whole,
        deserialize_u64 => Kind::Whole,
        deserialize_f64 => Kind::Number,
        deserialize_str => Kind::Text,
        deserialize_string => Kind::Text,
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_seq(Item).map_err(|answer| answer.listed(None))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Answer> {
        visitor.visit_seq(Item).map_err(|answer| answer.listed(Some(length)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_some(self).map_err(|answer| Answer::Optional(Box::new(answer)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer::Kind(Kind::Table(fields)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Answer> {
        match self.word.and_then(|index| words.get(index)) {
            Some(word) => visitor.visit_enum(Word(word)),
            None => Err(Answer::Words(words)),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Answer> {
        Err(Answer::Nothing)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct
        newtype_struct tuple_struct map identifier ignored_any
    }
}

/// The first item of a list.
struct Item;

impl<'de> SeqAccess<'de> for Item {
    type Error = Answer;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Answer> {
        seed.deserialize(Question { word: None }).map(Some)
    }
}

struct Word(&'static str);

impl<'de> EnumAccess<'de> for Word {
    type Error = Answer;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Answer> {
        let deserializer = IntoDeserializer::<Answer>::into_deserializer(self.0);
        Ok((seed.deserialize(deserializer)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word {
    type Error = Answer;

    fn unit_variant(self) -> Result<(), Answer> {
        Err(Answer::Nothing)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Answer> {
        seed.deserialize(Question { word: None })
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Answer> {
        Err(Answer::Nothing)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer::Kind(Kind::Table(fields)))
    }
}
