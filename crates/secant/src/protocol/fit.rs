//! Whether a state that was read fits an optimizer, and how it is extended to more parameters.

use crate::{
    blocks::{Blocks, Entry, Layout},
    protocol::State,
};

/// The largest count that is believed: whole numbers up to here are exact in `f64`.
const LARGEST_COUNT: u64 = 1 << 53;

/// What in `state` an optimizer of `layout` that begins with `fresh` cannot have; None where all fits.
///
/// A vector or a list that `fresh` has is there, in its shapes; one that is empty at first can also be
/// one vector for each parameter, or a list of any length.
pub(crate) fn misfit<S: State>(state: &mut S, fresh: &mut S, layout: &Layout) -> Option<String> {
    for ((name, blocks), (_, first)) in state.vectors().into_iter().zip(fresh.vectors()) {
        let fits = if first.is_empty() {
            blocks.is_empty() || is_like(blocks, layout.entries().iter().map(of_entry))
        } else {
            is_like(blocks, first.kinds())
        };
        if !fits {
            return Some(name.to_string());
        }
    }
    let rows = state.matrices().into_iter().find(|(_, matrix)| {
        let of_parameters = |row: &&Blocks| is_like(row, layout.entries().iter().map(of_entry));
        !matrix.parts().0.rows().iter().all(of_parameters)
    });
    if let Some((name, _)) = rows {
        return Some(name.to_string());
    }
    for ((name, numbers), (_, first)) in state.numbers_mut().into_iter().zip(fresh.numbers_mut()) {
        let fits = first.is_empty() || numbers.len() == first.len();
        if !(fits && numbers.iter().all(|number| number.is_finite())) {
            return Some(name.to_string());
        }
    }
    let mut counters = state.counters_mut().into_iter();
    counters.find(|(_, count)| **count > LARGEST_COUNT).map(|(name, _)| name.to_string())
}

/// A shape and a number type.
type Kind<'a> = (&'a burn::tensor::Shape, burn::tensor::DType);

fn of_entry(entry: &Entry) -> Kind<'_> {
    (&entry.shape, entry.dtype)
}

fn is_like<'a>(blocks: &'a Blocks, kinds: impl Iterator<Item = Kind<'a>>) -> bool {
    blocks.kinds().eq(kinds)
}

/// `state`, which is of the parameters `from`, for the parameters `to`: those that join begin as in
/// `fresh`, and with zeros where a fresh state does not have the vector yet.
///
/// Every vector has one tensor for each parameter; a list of numbers has one for each, or is of all
/// together.
pub(crate) fn extended<S: State>(mut state: S, mut fresh: S, from: &Layout, to: &Layout) -> S {
    let known = |entry: &Entry| from.entries().iter().position(|old| old.path == entry.path);
    let places: Vec<Option<usize>> = to.entries().iter().map(known).collect();
    let known = || places.iter().enumerate().filter_map(|(new, old)| Some((new, (*old)?)));
    for ((_, new), (_, old)) in fresh.vectors_mut().into_iter().zip(state.vectors_mut()) {
        if old.is_empty() {
            continue;
        }
        if new.is_empty() {
            *new = Blocks::zeros(to);
        }
        for (new_place, old_place) in known() {
            new.copy_tensor(new_place, old, old_place);
        }
    }
    for ((_, new), (_, old)) in fresh.numbers_mut().into_iter().zip(state.numbers_mut()) {
        if new.len() == places.len() && old.len() == from.entries().len() {
            known().for_each(|(new_place, old_place)| new[new_place] = old[old_place]);
        } else {
            new.clone_from(old);
        }
    }
    for ((_, new), (_, old)) in fresh.counters_mut().into_iter().zip(state.counters_mut()) {
        *new = *old;
    }
    fresh
}

#[cfg(test)]
mod tests {
    use burn::{module::ParamId, tensor::DType};

    use super::*;
    use crate::{
        QuasiAdamConfig, Scope,
        method::lbfgs::quasi_adam::{QuasiAdam, QuasiAdamState},
        protocol::Method,
    };

    fn layout(sizes: &[usize]) -> Layout {
        let entry = |size: &usize| Entry {
            id: ParamId::from(*size as u64),
            path: format!("of {size}"),
            shape: [*size].into(),
            dtype: DType::F64,
        };
        Layout::new(sizes.iter().map(entry).collect())
    }

    fn method() -> QuasiAdam {
        QuasiAdamConfig::new().with_scope(Scope::PerTensor).build()
    }

    /// What [`misfit`] says once `change` has been made to a state of two parameters.
    fn said(change: impl Fn(&mut QuasiAdamState)) -> Option<String> {
        let layout = layout(&[2, 3]);
        let (mut state, mut fresh) = (method().init(&layout), method().init(&layout));
        change(&mut state);
        misfit(&mut state, &mut fresh, &layout)
    }

    fn vector<'a>(state: &'a mut QuasiAdamState, name: &str) -> &'a mut Blocks {
        let mut vectors = state.vectors_mut().into_iter();
        vectors.find(|(other, _)| *other == name).expect("a vector of Quasi-Adam").1
    }

    #[test]
    fn whatever_an_optimizer_cannot_have_made_is_named() {
        assert_eq!(said(|_| {}), None);
        // The displacement comes with the first step, whole.
        assert_eq!(said(|state| *vector(state, "s") = Blocks::zeros(&layout(&[2, 3]))), None);
        let other = |name: &'static str, sizes: &'static [usize]| {
            said(move |state| *vector(state, name) = Blocks::zeros(&layout(sizes)))
        };
        assert_eq!(other("s", &[2]), Some("s".to_string()));
        assert_eq!(other("m", &[]), Some("m".to_string()));
        assert_eq!(other("v", &[3, 2]), Some("v".to_string()));
        let number = |number| said(move |state| state.numbers_mut()[0].1[0] = number);
        assert_eq!(number(1e300), None);
        assert_eq!(number(f64::NAN), Some("gamma".to_string()));
        assert_eq!(number(f64::INFINITY), Some("gamma".to_string()));
        assert_eq!(said(|state| state.numbers_mut()[0].1.push(1.0)), Some("gamma".to_string()));
        let count = |count| said(move |state| *state.counters_mut()[0].1 = count);
        assert_eq!(count(LARGEST_COUNT), None);
        assert_eq!(count(u64::MAX), Some("t".to_string()));
    }

    #[test]
    fn numbers_of_one_parameter_each_go_where_their_parameter_goes() {
        let (from, to) = (layout(&[2, 3]), layout(&[3, 5, 2]));
        let (mut state, fresh) = (method().init(&from), method().init(&to));
        *state.numbers_mut()[0].1 = vec![0.25, 0.5];
        *vector(&mut state, "s") = Blocks::zeros(&from);
        let mut extended = extended(state, fresh, &from, &to);
        assert_eq!(*extended.numbers_mut()[0].1, [0.5, 0.0, 0.25]);
        let mut fresh = method().init(&to);
        assert_eq!(misfit(&mut extended, &mut fresh, &to), None);
        assert_eq!(vector(&mut extended, "s").kinds().count(), 3);
    }
}
