//! The names nearest to one that is not there, for messages.

use crate::blocks::{Entry, Layout};

/// The nearest of `known`, as a sentence; all of them where none is near.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = known
        .clone()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The path of the parameter nearest to one of `names`; none without names or parameters.
pub(crate) fn nearest_path(names: &[impl AsRef<str>], layout: &Layout) -> Option<String> {
    let least =
        |entry: &&Entry| names.iter().map(|name| distance(name.as_ref(), &entry.path)).min();
    let nearest = layout.entries().iter().min_by_key(least).filter(|_| !names.is_empty());
    nearest.map(|entry| entry.path.clone())
}

/// How many letters are to be changed in `name` for it to be `path` or one of its parts.
fn distance(name: &str, path: &str) -> usize {
    let whole = strsim::levenshtein(name, path);
    path.split('.').map(|part| strsim::levenshtein(name, part)).fold(whole, usize::min)
}
