//! What a method remembers, in a form that records can write and read.

use crate::{blocks::Blocks, operator::PairMatrix};

/// What a method remembers from step to step: named vectors and named numbers.
pub trait State: Default + Clone + Send + Sync + 'static {
    /// The vectors by name; an empty one holds nothing yet.
    fn vectors(&self) -> Vec<(&'static str, &Blocks)>;

    /// The vectors, to be written, in the same order.
    fn vectors_mut(&mut self) -> Vec<(&'static str, &mut Blocks)>;

    /// The counters by name.
    fn counters_mut(&mut self) -> Vec<(&'static str, &mut u64)>;

    /// Lists of numbers by name.
    fn numbers_mut(&mut self) -> Vec<(&'static str, &mut Vec<f64>)>;

    /// The matrices of pairs by name.
    fn matrices(&self) -> Vec<(&'static str, &dyn PairMatrix)> {
        Vec::new()
    }

    /// The matrices of pairs, to be written, in the same order.
    fn matrices_mut(&mut self) -> Vec<(&'static str, &mut dyn PairMatrix)> {
        Vec::new()
    }
}

/// Implements [`State`] for a struct: its vectors, its counters, its lists of numbers, and its
/// matrices of pairs if it has some.
macro_rules! record_state {
    ($state:ty { vectors: [$($($vector:ident).+),*], counters: [$($($counter:ident).+),*], numbers: [$($number:ident),*] $(, matrices: [$($matrix:ident),*])? }) => {
        impl $crate::protocol::State for $state {
            fn vectors(&self) -> Vec<(&'static str, &$crate::blocks::Blocks)> {
                vec![$((stringify!($($vector).+), &self.$($vector).+)),*]
            }

            fn vectors_mut(&mut self) -> Vec<(&'static str, &mut $crate::blocks::Blocks)> {
                vec![$((stringify!($($vector).+), &mut self.$($vector).+)),*]
            }

            fn counters_mut(&mut self) -> Vec<(&'static str, &mut u64)> {
                vec![$((stringify!($($counter).+), &mut self.$($counter).+)),*]
            }

            fn numbers_mut(&mut self) -> Vec<(&'static str, &mut Vec<f64>)> {
                vec![$((stringify!($number), &mut self.$number)),*]
            }

            $(
                fn matrices(&self) -> Vec<(&'static str, &dyn $crate::operator::PairMatrix)> {
                    vec![$((stringify!($matrix), &self.$matrix)),*]
                }

                fn matrices_mut(
                    &mut self,
                ) -> Vec<(&'static str, &mut dyn $crate::operator::PairMatrix)> {
                    vec![$((stringify!($matrix), &mut self.$matrix)),*]
                }
            )?
        }
    };
}
pub(crate) use record_state;
