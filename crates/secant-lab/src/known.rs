//! The problems that are known by name, of whatever kind.

use std::path::Path;

use secant_data::DataError;

use crate::{
    Precision, Problem,
    language::{self, Language, LanguageEntry},
    physics::{self, Equation, Physics},
    supervised::{CATALOGUE, CatalogueEntry, ClassWeights, Supervised, UnknownProblem, load},
    translation::{self, Translation, TranslationEntry},
};

/// A problem by its name; its data are not read yet.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// Records with labels.
    Supervised(&'static CatalogueEntry),
    /// A differential equation.
    Physics(&'static Equation),
    /// Sentences with their translations.
    Translation(&'static TranslationEntry),
    /// A text.
    Language(&'static LanguageEntry),
}

/// A problem with its data; [`with_problem!`](crate::with_problem) makes a [`Problem`] of it.
#[derive(Debug)]
pub enum Loaded {
    /// Records with labels.
    Supervised(Box<Supervised>),
    /// A differential equation.
    Physics(Box<Physics>),
    /// Sentences with their translations.
    Translation(Box<Translation>),
    /// A text.
    Language(Box<Language>),
}

/// The expression with the problem of a [`Loaded`] one, as whatever kind it is.
#[macro_export]
macro_rules! with_problem {
    ($loaded:expr, $problem:ident => $body:expr) => {
        match $loaded {
            $crate::Loaded::Supervised($problem) => {
                let $problem = &**$problem;
                $body
            }
            $crate::Loaded::Physics($problem) => {
                let $problem = &**$problem;
                $body
            }
            $crate::Loaded::Translation($problem) => {
                let $problem = &**$problem;
                $body
            }
            $crate::Loaded::Language($problem) => {
                let $problem = &**$problem;
                $body
            }
        }
    };
}

impl Known {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let equations = physics::PROBLEMS.iter().map(|equation| Self::Physics(equation));
        let texts = language::PROBLEMS.iter().map(Self::Language);
        let translations = translation::PROBLEMS.iter().map(Self::Translation);
        CATALOGUE.iter().map(Self::Supervised).chain(texts).chain(translations).chain(equations)
    }

    /// The problem called `name`.
    ///
    /// # Errors
    /// There is none; with the nearest name.
    pub fn named(name: &str) -> Result<Self, UnknownProblem> {
        let known = Self::all().find(|known| known.name() == name);
        known.ok_or_else(|| {
            let names = Self::all().map(Self::name);
            let usual: Vec<&str> = names.filter(|name| !name.starts_with("imbalanced/")).collect();
            UnknownProblem::new(name, usual.into_iter())
        })
    }

    /// Such as `digits/cnn`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supervised(entry) => &entry.name,
            Self::Physics(equation) => equation.name,
            Self::Translation(entry) => entry.name,
            Self::Language(entry) => entry.name,
        }
    }

    /// One line about it.
    pub fn line(self) -> &'static str {
        match self {
            Self::Supervised(entry) => &entry.line,
            Self::Physics(equation) => equation.line,
            Self::Translation(entry) => entry.line,
            Self::Language(entry) => entry.line,
        }
    }

    /// The data set that it needs and that is not in the folder.
    pub fn lacks(self, data_dir: &Path) -> Option<&'static str> {
        match self {
            Self::Supervised(entry) => entry.lacks(data_dir),
            Self::Physics(_) => None,
            Self::Translation(entry) => entry.lacks(data_dir),
            Self::Language(entry) => entry.lacks(data_dir),
        }
    }

    /// The number type that it wants: the losses of equations are badly conditioned.
    pub fn precision(self) -> Precision {
        match self {
            Self::Supervised(_) | Self::Language(_) | Self::Translation(_) => Precision::F32,
            Self::Physics(_) => Precision::F64,
        }
    }

    /// The problem with its data, which are looked for in `data_dir`. The number type of the data and the
    /// weights of classes matter to supervised problems alone.
    ///
    /// # Errors
    /// The files are not there or not right.
    pub fn load(
        self,
        data_dir: &Path,
        precision: Precision,
        weights: ClassWeights,
    ) -> Result<Loaded, DataError> {
        Ok(match self {
            Self::Supervised(entry) => load(entry, data_dir, precision, weights)?.into(),
            Self::Physics(equation) => Loaded::Physics(Box::new(Physics::new(equation))),
            Self::Translation(entry) => Loaded::Translation(Box::new(entry.load(data_dir)?)),
            Self::Language(entry) => Loaded::Language(Box::new(entry.load(data_dir)?)),
        })
    }
}

impl Loaded {
    /// Whether records have classes, which can be weighted.
    pub fn has_classes(&self) -> bool {
        matches!(self, Self::Supervised(problem) if problem.has_classes())
    }

    /// What a reader should know of the data, one sentence each.
    pub fn data_warnings(&self) -> Vec<String> {
        with_problem!(self, problem => problem.data_warnings())
    }

    /// What a model's file must say for `secant predict`; none where the problem is of no table.
    pub fn recipe(&self, precision: Precision) -> Option<String> {
        match self {
            Self::Supervised(problem) => problem.recipe(precision),
            _ => None,
        }
    }
}

impl From<Supervised> for Loaded {
    fn from(problem: Supervised) -> Self {
        Self::Supervised(Box::new(problem))
    }
}
