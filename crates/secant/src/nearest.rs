//! The parameter nearest to a name that is not there, for messages.

use crate::blocks::{Entry, Layout};

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
