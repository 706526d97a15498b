//! What a step costs beyond its evaluations, for every method, on a function of one long vector.

use std::{fmt::Write, time::Instant};

use rayon::prelude::*;
use secant::{
    Function, FunctionOptimizer,
    error::{ConfigError, StepError},
    spec::{Choice, Run, SpecError},
};
use serde_json::json;
use thiserror::Error;

use super::{bandwidth::Bandwidth, measure::median};

/// What to time.
#[derive(Clone, Copy, Debug)]
pub struct FunctionPlan {
    /// Double-precision numbers in the vector.
    pub numbers: usize,
    /// Pairs of methods that keep pairs.
    pub memory: usize,
    /// Whether methods have their settings for batches, and not those for a function that stays the same.
    pub for_batches: bool,
}

/// What was measured of one method.
#[derive(Clone, Debug)]
pub struct FunctionMeasurement {
    /// The method.
    pub method: String,
    /// Evaluations of value and gradient in a step, on average.
    pub evaluations: f64,
    /// Hessian products in a step, on average.
    pub products: f64,
    /// Median seconds of a step.
    pub step_seconds: f64,
    /// Median seconds of a step without its evaluations and products.
    pub beyond_seconds: f64,
    /// The bandwidth measured right before and after every step, in bytes per second.
    pub bandwidth: f64,
    /// How many vectors could be read in that time: the median over the steps.
    pub vectors: f64,
}

/// A method that could not be timed.
#[derive(Debug, Error)]
pub enum FunctionBenchError {
    /// A hyper-parameter.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A hyper-parameter out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A step that failed.
    #[error("{method}: {reason}")]
    Step {
        /// The method.
        method: String,
        /// Why.
        reason: StepError,
    },
}

impl FunctionBenchError {
    /// Whether the vector has more numbers than the method is for.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Step { reason: StepError::TooManyParameters { .. }, .. })
    }
}

/// Timed steps, after those that fill the memory.
const STEPS: usize = 20;

/// Steps in an epoch, for methods that count in epochs.
const EPOCH: usize = 10;

/// Times the steps of one method.
///
/// # Errors
/// A hyper-parameter out of its range, or a step that fails.
pub fn measure_function(
    method: &Choice,
    plan: FunctionPlan,
) -> Result<FunctionMeasurement, FunctionBenchError> {
    let run = Run {
        steps: (plan.memory + STEPS) as u64,
        steps_per_epoch: EPOCH,
        batch_size: 1,
        rows: 1,
        parameters: plan.numbers,
        full_batch: !plan.for_batches,
        double_precision: true,
    };
    let mut optimizer: FunctionOptimizer =
        method.with_pairs(plan.memory).spec(Some(&run))?.init()?;
    let lr = method.preset().usual_rate;
    let mut function = Clocked::new(plan.numbers);
    let mut x = vec![1.0; plan.numbers];
    let bandwidth = Bandwidth::new(plan.numbers.max(10_000_000));
    let [mut whole, mut beyond, mut speeds, mut vectors] = [const { Vec::new() }; 4];
    let bytes = (size_of::<f64>() * plan.numbers) as f64;
    for step in 0..plan.memory + 2 + STEPS {
        if step == plan.memory + 2 {
            function.counts = [0; 2];
        }
        function.seconds = 0.0;
        let before = bandwidth.read_seconds();
        let started = Instant::now();
        let stepped = optimizer.step_function(lr, &mut x, &mut function);
        let seconds = started.elapsed().as_secs_f64();
        // The outcome does not matter here.
        let _ = stepped
            .map_err(|reason| FunctionBenchError::Step { method: method.to_string(), reason })?;
        if step >= plan.memory + 2 {
            let speed = 2.0 * bandwidth.read_bytes() / (before + bandwidth.read_seconds());
            let rest = seconds - function.seconds;
            whole.push(seconds);
            beyond.push(rest);
            speeds.push(speed);
            vectors.push(rest * speed / bytes);
        }
    }
    Ok(FunctionMeasurement {
        method: method.to_string(),
        evaluations: function.counts[0] as f64 / STEPS as f64,
        products: function.counts[1] as f64 / STEPS as f64,
        step_seconds: median(&whole),
        beyond_seconds: median(&beyond),
        bandwidth: median(&speeds),
        vectors: median(&vectors),
    })
}

/// sum h_i x_i^2 / 2 with h from 1 down to 1e-4, and the time spent in it.
struct Clocked {
    curvatures: Vec<f64>,
    seconds: f64,
    /// Evaluations and products.
    counts: [u64; 2],
}

/// Numbers of one task.
const CHUNK: usize = 16 * 1024;

impl Clocked {
    fn new(numbers: usize) -> Self {
        let curvature = |i: usize| 1e-4f64.powf(i as f64 / numbers as f64);
        Self { curvatures: (0..numbers).map(curvature).collect(), seconds: 0.0, counts: [0; 2] }
    }

    /// out <- h v; sum h v^2.
    fn multiply(&self, v: &[f64], out: &mut [f64]) -> f64 {
        let chunks = out.par_chunks_mut(CHUNK).zip(v.par_chunks(CHUNK));
        let parts = chunks.zip(self.curvatures.par_chunks(CHUNK)).map(|((out, v), h)| {
            let mut sum = 0.0;
            for ((out, v), h) in out.iter_mut().zip(v).zip(h) {
                *out = h * v;
                sum += *out * v;
            }
            sum
        });
        parts.sum()
    }
}

impl Function for Clocked {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let started = Instant::now();
        let value = 0.5 * self.multiply(x, gradient);
        self.counts[0] += 1;
        self.seconds += started.elapsed().as_secs_f64();
        value
    }

    fn hessian_vector(&mut self, _: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        let started = Instant::now();
        self.multiply(v, product);
        self.counts[1] += 1;
        self.seconds += started.elapsed().as_secs_f64();
        true
    }
}

/// One line of JSON; keys do not change their meaning.
pub fn function_json(m: &FunctionMeasurement, plan: FunctionPlan, threads: usize) -> String {
    json!({
        "method": m.method,
        "numbers": plan.numbers,
        "memory": plan.memory,
        "for_batches": plan.for_batches,
        "threads": threads,
        "evaluations_per_step": m.evaluations,
        "hessian_products_per_step": m.products,
        "step_seconds": m.step_seconds,
        "beyond_evaluations_seconds": m.beyond_seconds,
        "bandwidth_bytes_per_second": m.bandwidth,
        "beyond_evaluations_vectors": m.vectors,
    })
    .to_string()
}

/// A table for people.
pub fn function_table(
    measurements: &[FunctionMeasurement],
    plan: FunctionPlan,
    threads: usize,
) -> String {
    let mut text = String::new();
    let width = measurements.iter().map(|m| m.method.len()).fold(22, usize::max);
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "a vector of {} numbers in double precision, {} pairs, threads {threads}",
        plan.numbers, plan.memory
    );
    let _ = writeln!(
        text,
        "{:<width$} {:>11} {:>8} {:>8} {:>24} {:>10}",
        "method", "evaluations", "products", "step, ms", "beyond evaluations, ms", "in vectors"
    );
    for m in measurements {
        let _ = writeln!(
            text,
            "{:<width$} {:>11.2} {:>8.2} {:>8.2} {:>24.2} {:>10.1}",
            m.method,
            m.evaluations,
            m.products,
            m.step_seconds * 1e3,
            m.beyond_seconds * 1e3,
            m.vectors
        );
    }
    text
}
