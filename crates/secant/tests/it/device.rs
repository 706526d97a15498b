//! Every method with its vectors on a device against the same method with its vectors in host memory.

use burn::{
    module::ParamId,
    tensor::{DType, Device, Shape, TensorData},
};
use secant::{
    Evals, Optimizer,
    blocks::{Blocks, Entry, Layout, Memory},
    error::StepError,
    oracle::{BatchSizes, Curved, Evaluation, Oracle, Records},
    protocol::{Method, State, StepContext, TensorSettings},
};
use secant_core::rng::SplitMix64;

use crate::{
    support::{Switched, Vectors, largest},
    table::{Row, decayed, table},
    twins::Noisy,
};

const STEPS: usize = 6;

/// Tensors of odd sides.
fn draw_shapes(rng: &mut SplitMix64, tensors: usize) -> Vec<Vec<usize>> {
    let side = |rng: &mut SplitMix64, most: usize| 1 + 2 * rng.below(most.div_ceil(2));
    let shape = |rng: &mut SplitMix64| match rng.below(4) {
        0 => vec![side(rng, 301)],
        1 => vec![side(rng, 17), side(rng, 17)],
        2 => vec![side(rng, 9), side(rng, 5), side(rng, 7)],
        _ => vec![side(rng, 7), side(rng, 5), side(rng, 3), side(rng, 5)],
    };
    (0..tensors).map(|_| shape(rng)).collect()
}

/// The function of [`Noisy`] in one step, at vectors that stay in their memory.
struct VectorOracle<'a> {
    noisy: &'a Noisy,
    step: usize,
    layout: &'a Layout,
    theta: Blocks,
    evals: Evals,
}

impl VectorOracle<'_> {
    fn at(&mut self, point: &Blocks) -> Evaluation {
        self.evals.gradient += 1;
        let point = numbers(point);
        let gradient = blocks(self.layout, &self.noisy.gradient(&point, self.step));
        let loss = Some(self.noisy.value(&point, self.step));
        Evaluation { loss, gradient, gradient_norm: None, rejection: None }
    }
}

impl Oracle for VectorOracle<'_> {
    fn gradient(&mut self) -> Result<Evaluation, StepError> {
        let theta = self.theta.clone();
        Ok(self.at(&theta))
    }

    fn gradient_of(&mut self, _: Records) -> Result<Evaluation, StepError> {
        self.gradient()
    }

    fn gradient_at(&mut self, _: Records, point: &mut Blocks) -> Result<Evaluation, StepError> {
        Ok(self.at(point))
    }

    fn hessian_vector(
        &mut self,
        _: Records,
        point: &mut Blocks,
        vector: &Blocks,
    ) -> Result<Curved, StepError> {
        let product = blocks(self.layout, &self.noisy.product(&numbers(vector)));
        Ok(Curved { at: self.at(point), product })
    }

    fn value_at(&mut self, _: Records, point: &mut Blocks) -> Result<f64, StepError> {
        Ok(self.noisy.value(&numbers(point), self.step))
    }

    fn batch_sizes(&self) -> BatchSizes {
        BatchSizes { batch: 1, records: 1, can_change: false }
    }

    fn is_batch(&self, _: Records) -> bool {
        true
    }

    fn parameters(&mut self) -> Result<Blocks, StepError> {
        Ok(self.theta.clone())
    }

    fn write(&mut self, update: &mut dyn FnMut(&mut Blocks)) {
        update(&mut self.theta);
    }

    fn evals(&self) -> Evals {
        self.evals
    }
}

fn numbers(blocks: &Blocks) -> Vectors {
    blocks.data().map(|data| data.iter::<f64>().collect()).collect()
}

fn blocks(layout: &Layout, vectors: &Vectors) -> Blocks {
    let data = vectors.iter().zip(layout.entries()).map(|(numbers, entry)| {
        TensorData::new(numbers.clone(), entry.shape.clone()).convert_dtype(entry.dtype)
    });
    Blocks::new(data.collect()).in_memory(layout.memory())
}

/// A copy of a state whose vectors are all in `memory`.
fn in_memory<S: State>(state: &S, memory: &Memory) -> S {
    let mut state = state.clone();
    let moved = |blocks: &Blocks| blocks.clone().in_memory(memory);
    for (_, vectors) in state.vectors_mut() {
        *vectors = moved(vectors);
    }
    for (_, matrix) in state.matrices_mut() {
        let (pairs, gram) = matrix.parts();
        let rows = pairs.rows();
        let (s, y) = rows.split_at(pairs.len());
        let pairs = s.iter().zip(y).map(|(s, y)| (moved(s), moved(y))).collect();
        assert!(matrix.restore(pairs, &gram), "a matrix takes its own parts");
    }
    state
}

/// Everything that a state holds, list by list.
fn parts<S: State>(state: &S) -> Vec<(String, Vec<f64>)> {
    let mut parts = Vec::new();
    for (name, vectors) in state.vectors() {
        parts.push((name.to_string(), numbers(vectors).concat()));
    }
    for (name, matrix) in state.matrices() {
        for (row, vectors) in matrix.parts().0.rows().into_iter().enumerate() {
            parts.push((format!("{name}, row {row}"), numbers(vectors).concat()));
        }
    }
    for (name, list) in state.clone().numbers_mut() {
        parts.push((name.to_string(), list.clone()));
    }
    for (name, counter) in state.clone().counters_mut() {
        parts.push((name.to_string(), vec![*counter as f64]));
    }
    parts
}

/// Steps of a method in either memory.
pub(crate) trait InEitherMemory {
    /// Makes every step from the same point and state in both memories, and compares what they leave.
    fn compare_memories(&self, row: &Row, shapes: &[Vec<usize>], dtype: DType);
}

impl<K: Method> InEitherMemory for Optimizer<K> {
    fn compare_memories(&self, row: &Row, shapes: &[Vec<usize>], dtype: DType) {
        let method = self.method();
        let entry = |(index, shape): (usize, &Vec<usize>)| Entry {
            id: ParamId::from(index as u64),
            path: format!("p{index}"),
            shape: Shape::from(shape.clone()),
            dtype,
        };
        let host = Layout::new(shapes.iter().enumerate().map(entry).collect());
        let device = host.clone().in_memory(Memory::Device(Device::flex()));
        let sizes: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
        let noisy = Noisy::new(&sizes, STEPS, 0.5);
        let tensors = vec![TensorSettings { lr: row.lr, decay: method.decay() }; sizes.len()];
        let (mut theta, mut state) = (blocks(&host, &noisy.start), method.init(&host));
        for step in 0..STEPS {
            let run = |layout: &Layout, theta: &Blocks, state: &K::State| {
                let theta = theta.clone().in_memory(layout.memory());
                let mut state = in_memory(state, layout.memory());
                let evals = Evals::default();
                let mut oracle = VectorOracle { noisy: &noisy, step, layout, theta, evals };
                let context = StepContext { layout, tensors: &tensors };
                let report = method.step(&context, &mut oracle, &mut state).expect("a step");
                (oracle.theta, state, report.outcome)
            };
            let there = run(&device, &theta, &state);
            let here = run(&host, &theta, &state);
            assert_eq!(there.2, here.2, "{} in {dtype:?}, step {step}", row.name);
            let mut both = vec![(
                ("theta".to_string(), numbers(&here.0).concat()),
                ("theta".to_string(), numbers(&there.0).concat()),
            )];
            both.extend(parts(&here.1).into_iter().zip(parts(&there.1)));
            for ((name, here), (_, there)) in both {
                let what = format!("{} in {dtype:?}, step {step}: {name}", row.name);
                assert_eq!(here.len(), there.len(), "{what}");
                let scale = largest(&here);
                let off: Vec<f64> = here.iter().zip(&there).map(|(a, b)| a - b).collect();
                let off = largest(&off);
                assert!(off <= tolerance(dtype) * scale, "{what}: {off:e} off, of {scale:e}");
            }
            (theta, state) = (here.0, here.1);
        }
    }
}

impl InEitherMemory for Switched {
    /// It has no vectors of its own, and its methods are other rows.
    fn compare_memories(&self, _: &Row, _: &[Vec<usize>], _: DType) {}
}

/// Both start every step from the same numbers and compute the same expressions, so elements differ by
/// where they are rounded, by some units in the last place. Sums are in double precision in another
/// order, 1e-15 of them, which the minimiser of an indefinite model magnifies by up to 100.
fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F64 { 2e-13 } else { 8.0 * f64::from(f32::EPSILON) }
}

#[test]
fn every_method_steps_on_a_device_as_in_host_memory() {
    let mut rng = SplitMix64::new(11);
    let mut compared = 0;
    for row in table().iter().chain(&decayed()) {
        for dtype in [DType::F32, DType::F64] {
            let shapes = draw_shapes(&mut rng, 5);
            row.optimizer().compare_memories(row, &shapes, dtype);
            compared += shapes.len();
        }
    }
    assert!(compared >= 1000, "{compared} tensors");
}
