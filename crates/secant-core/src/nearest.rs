//! The name nearest to one that is not there, for messages.

/// The nearest of `known`, as a sentence; all of them where none is near.
pub fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_told_with_the_nearest_and_a_strange_one_with_all() {
        let known = ["adam", "apollo", "sgd"];
        assert_eq!(suggestion("appolo", known.into_iter()), "did you mean `apollo`?");
        assert_eq!(suggestion("xyz", known.into_iter()), "there are adam, apollo, sgd");
    }
}
