//! Minimising functions that are the same at every evaluation: to a tolerance, with any method.

mod axis;
mod beale;
mod contour;
mod exponential;
mod full_batch;
mod logistic;
mod palette;
mod picture;
mod problem;
mod quadratic;
mod rastrigin;
mod rosenbrock;
mod run;
mod table;

#[cfg(test)]
mod testing;

pub use beale::Beale;
pub use full_batch::FullBatch;
pub use logistic::Logistic;
pub use picture::{PictureError, check_picture, write_picture};
pub use problem::{Problem, ProblemKind, UnknownProblem};
pub use quadratic::Quadratic;
pub use rastrigin::Rastrigin;
pub use rosenbrock::Rosenbrock;
pub use run::{Limits, MinimizeError, Run, Status, minimize};
pub use table::{json_line, plain_text};
