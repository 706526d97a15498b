//! `secant-dev bench`: how long a step takes, beside what the memory of the machine allows.

mod bandwidth;
mod batches;
mod contender;
mod function;
mod measure;
mod method;
mod model;
mod pairs;
mod report;
mod shapes;

pub use batches::{BatchesMeasurement, batches_table, measure_batches};
pub use function::{
    FunctionBenchError, FunctionMeasurement, FunctionPlan, function_json, function_table,
    measure_function,
};
pub use measure::{Measurement, Plan, measure};
pub use method::BenchMethod;
pub use pairs::{PairsMeasurement, measure_pairs, pairs_json, pairs_table};
pub use report::{json_line, table};
pub use shapes::Shapes;
