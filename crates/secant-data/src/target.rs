//! Classes or numbers: what a target is.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use super::dataset::{Splits, Targets};
use super::error::DataError;

/// A class with fewer records than this in the test part is measured badly.
const MEASURABLE: usize = 10;

/// What is to be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Task {
    /// As the target looks like.
    #[default]
    Auto,
    /// A class.
    Classification,
    /// A number.
    Regression,
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(match self {
            Self::Auto => "auto",
            Self::Classification => "classification",
            Self::Regression => "regression",
        })
    }
}

impl FromStr for Task {
    type Err = DataError;

    fn from_str(word: &str) -> Result<Self, DataError> {
        match word {
            "auto" => Ok(Self::Auto),
            "classification" => Ok(Self::Classification),
            "regression" => Ok(Self::Regression),
            _ => Err(DataError::word("task", word, "auto, classification, regression")),
        }
    }
}

/// What a target of numbers is, with the reason.
#[derive(Debug, PartialEq)]
pub(crate) struct Decision {
    pub regression: bool,
    pub reason: String,
    pub doubtful: bool,
}

/// From here on, different whole numbers can be the same in double precision.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Decides between classes and measurements, by the numbers and how they are written.
///
/// Numbers with fractions are measurements, unless they are at most ten that occur ten times each.
/// Whole numbers are classes where they are few, or close together and often repeated.
pub(crate) fn decide<'a>(written: impl Iterator<Item = (&'a str, f64)>) -> Decision {
    let is_large = |number: f64| number.abs() >= EXACT;
    let (mut sorted, mut large) = (Vec::new(), BTreeSet::new());
    for (text, number) in written {
        sorted.push(number);
        if is_large(number) {
            large.insert(canonical(text, number));
        }
    }
    let records = sorted.len();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let different = large.len() + sorted.iter().filter(|&&number| !is_large(number)).count();
    let each = records as f64 / different.max(1) as f64;
    let span = sorted.last().copied().unwrap_or(0.0) - sorted.first().copied().unwrap_or(0.0) + 1.0;
    let dense = span < 2.0 * different as f64;
    let whole = sorted.iter().all(|&number| is_large(number) || number.fract() == 0.0);
    let (regression, doubtful) = match (whole, different) {
        (false, ..=10) if each >= 10.0 => (false, true),
        (false, _) => (true, different <= 20 && each >= 5.0),
        (true, ..=2) => (false, false),
        (true, _) if each < 2.0 => (true, different <= 20),
        (true, ..=20) => (false, each < 5.0),
        (true, ..=100) if dense || each >= 10.0 => (false, true),
        (true, ..=100) => (true, true),
        (true, _) if dense && each >= 20.0 => (false, true),
        (true, _) => (true, dense && each >= 5.0),
    };
    let kind = if whole { "whole numbers" } else { "numbers, some with fractions" };
    let reason = format!("{records} records with {different} different {kind}");
    Decision { regression, reason, doubtful }
}

/// The class of each text, and the class names: in the order of their numbers where all are plain
/// numbers, else in alphabetical order.
pub(crate) fn classes<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Targets {
    let mut names: Vec<&str> = texts.clone().collect::<BTreeSet<_>>().into_iter().collect();
    let numbers: Option<Vec<f64>> = names.iter().map(|name| finite(name)).collect();
    if let Some(numbers) = numbers {
        let mut pairs: Vec<(f64, &str)> = numbers.into_iter().zip(names).collect();
        pairs.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(a.1.cmp(b.1)));
        names = pairs.into_iter().map(|(_, name)| name).collect();
    }
    let class: HashMap<&str, u32> = names.iter().copied().zip(0..).collect();
    Targets::Classes {
        labels: texts.map(|text| class[text]).collect(),
        names: names.into_iter().map(str::to_owned).collect(),
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Says which class names are the same number.
pub(crate) fn same_numbers(names: &[String]) -> Option<String> {
    let mut by_number = BTreeMap::<String, &str>::new();
    for name in names {
        let Some(number) = finite(name) else { continue };
        if let Some(other) = by_number.insert(canonical(name, number), name) {
            return Some(format!(
                "the classes '{other}' and '{name}' are the same number written in two ways, and \
                 were kept apart; write them alike if they are one class"
            ));
        }
    }
    None
}

/// One text for all ways to write a number; whole numbers of any size are exact, and others beyond
/// double precision stay as they are written.
pub(crate) fn canonical(text: &str, number: f64) -> String {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = digits.trim_start_matches('0');
        return match (digits, text.starts_with('-')) {
            ("", _) => "0".to_owned(),
            (digits, true) => format!("-{digits}"),
            (digits, false) => digits.to_owned(),
        };
    }
    if number.is_infinite() {
        return text.to_owned();
    }
    // Adding zero makes -0 and 0 one number.
    (number + 0.0).to_string()
}

/// What is to be said of classes that a part holds too few records of; nothing where the targets
/// are numbers.
pub fn rare_classes(splits: &Splits) -> Vec<String> {
    let mut warnings = Vec::new();
    for (part, records) in splits.parts() {
        if records.is_empty() {
            continue;
        }
        let counts = records.class_counts();
        let absent = Few::below(1, &counts);
        let names = records.targets.class_names();
        if let Some(few) = &absent {
            let verb = if few.classes == 1 { "has" } else { "have" };
            let of = few.named(names);
            warnings.push(format!("{of} {verb} no record in the {part} part"));
        }
        if part == "test"
            && let Some(few) = Few::below(MEASURABLE, &counts)
            && absent.is_none_or(|absent| absent.classes < few.classes)
        {
            let verb = if few.classes == 1 { "has" } else { "have" };
            warnings.push(format!(
                "{} {verb} fewer than {MEASURABLE} records in the test part (the fewest: {}), so \
                 what is measured on them is uncertain",
                few.named(names),
                few.least
            ));
        }
    }
    warnings
}

/// Classes with few records.
struct Few {
    classes: usize,
    of: usize,
    first: usize,
    least: usize,
}

impl Few {
    fn below(bound: usize, counts: &[usize]) -> Option<Self> {
        let classes = counts.iter().filter(|&&count| count < bound).count();
        let least = counts.iter().copied().min().filter(|&least| least < bound)?;
        let first = counts.iter().position(|&count| count == least)?;
        Some(Self { classes, of: counts.len(), first, least })
    }

    fn named(&self, names: &[String]) -> String {
        let name = &names[self.first];
        if self.classes == 1 {
            format!("the class '{name}'")
        } else {
            format!("{} of {} classes, such as '{name}',", self.classes, self.of)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    fn repeated(values: impl Iterator<Item = f64>, times: usize) -> Vec<f64> {
        values.flat_map(|value| vec![value; times]).collect()
    }

    fn decided(numbers: &[f64]) -> Decision {
        decide(numbers.iter().map(|&number| ("", number)))
    }

    fn regression(numbers: Vec<f64>) -> bool {
        decided(&numbers).regression
    }

    #[test]
    fn numbers_with_fractions_are_measurements_unless_a_few_are_often_repeated() {
        assert!(regression(repeated((0..16).map(|i| 20.0 + f64::from(i) / 2.0), 2)));
        assert!(!regression(repeated([0.5, 1.0, 1.5].into_iter(), 50)));
        assert!(decided(&repeated([0.5, 1.0, 1.5].into_iter(), 50)).doubtful);
    }

    #[test]
    fn whole_numbers_are_classes_where_they_are_few_or_dense_and_repeated() {
        assert!(!regression(repeated((1..=51).map(f64::from), 6)));
        assert!(!regression(repeated((3..=9).map(f64::from), 700)));
        assert!(!regression(repeated([0.0, 1.0].into_iter(), 1)));
        assert!(regression((0..60).map(f64::from).collect()));
        // Prices in hundreds, each five times.
        assert!(regression(repeated((150..4_000).map(|i| f64::from(i) * 100.0), 5)));
    }

    #[test]
    fn whole_numbers_of_any_size_are_counted_exactly() {
        let long = |last| format!("1{}{last}", "0".repeat(400));
        let texts = [long(1), long(2), "9007199254740992".into(), "9007199254740993".into()];
        let written = texts.iter().flat_map(|text| [(text.as_str(), text.parse().unwrap()); 5]);
        let decision = decide(written);
        assert_eq!(decision.reason, "20 records with 4 different whole numbers");
        assert!(!decision.regression);
    }

    #[test]
    fn classes_are_their_texts_and_numbers_are_sorted_as_such() {
        let texts = ["10", "-1", "2", "01", "1", "9007199254740993", "9007199254740992"];
        let Targets::Classes { labels, names } = classes(texts.into_iter()) else { panic!() };
        assert_eq!(names, ["-1", "01", "1", "2", "10", "9007199254740992", "9007199254740993"]);
        assert_eq!(labels, [4, 0, 3, 1, 2, 6, 5]);
        let Targets::Classes { names, .. } = classes(["10", "9", "b"].into_iter()) else {
            panic!()
        };
        assert_eq!(names, ["10", "9", "b"]);
    }

    #[test]
    fn texts_of_the_same_number_are_told_and_large_neighbours_are_not() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let told = same_numbers(&names(&["1", "1.0", "2"])).unwrap();
        assert!(told.contains("'1' and '1.0'"), "{told}");
        assert!(same_numbers(&names(&["01", "1"])).is_some());
        assert_eq!(same_numbers(&names(&["9007199254740992", "9007199254740993"])), None);
    }

    #[test]
    fn classes_without_or_with_few_records_in_a_part_are_told() {
        let part = |counts: [usize; 2]| {
            let labels: Vec<u32> =
                (0..2).zip(counts).flat_map(|(class, count)| vec![class; count]).collect();
            Dataset::of_classes(vec![0.0; labels.len()], &[1], labels, &["a", "b"])
        };
        let splits = |validation, test| Splits {
            train: part([20, 20]),
            validation: part(validation),
            test: part(test),
        };
        assert_eq!(rare_classes(&splits([1, 1], [10, 10])), Vec::<String>::new());
        let told = rare_classes(&splits([1, 0], [10, 4]));
        assert_eq!(told[0], "the class 'b' has no record in the validation part");
        assert!(told[1].starts_with("the class 'b' has fewer than 10 records"), "{told:?}");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn tasks_are_read_as_they_are_written() {
        for task in [Task::Auto, Task::Classification, Task::Regression] {
            assert_eq!(task.to_string().parse::<Task>().unwrap(), task);
        }
        assert!("rank".parse::<Task>().unwrap_err().to_string().contains("'rank'"));
    }
}
