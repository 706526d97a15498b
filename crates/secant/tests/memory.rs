//! The memory of a step, counted by the allocator: exactly the state's vectors, and no hidden copy
//! of a parameter or a gradient. And the memory after it: nothing that grows. A binary of its own, because the allocator is the process's.

use std::sync::Mutex;

use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use peak_alloc::PeakAlloc;
use secant::{
    AdaHessianConfig, AdamConfig, ApolloConfig, Duals, Momentum, Optimizer, QuasiAdamConfig,
    ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig, SgdConfig, dual::Tangents,
    protocol::GradientMethod,
};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const NUMBERS: usize = 1_000_000;
const VECTOR: usize = 4 * NUMBERS;

#[derive(Module, Debug)]
struct Vector {
    values: Param<Tensor<1>>,
}

/// Bytes that stay allocated after the first steps beyond the parameters, and the bytes that a step
/// allocates at most at one time beyond what was there before it.
fn memory<K: GradientMethod>(mut optimizer: Optimizer<K>) -> (usize, usize) {
    let device = Device::flex().autodiff();
    let values = Tensor::from_data(TensorData::new(vec![1.0f32; NUMBERS], [NUMBERS]), &device);
    let mut model = Vector { values: Param::from_tensor(values) };
    let gradients = |model: &Vector, step: usize| {
        let id = model.values.id;
        let gradient = vec![0.1 + 0.01 * step as f32; NUMBERS];
        let mut gradients = GradientsParams::new();
        let gradient = TensorData::new(gradient, [NUMBERS]);
        gradients.register(id, Tensor::<1>::from_data(gradient, &Device::flex()));
        gradients
    };
    let start = ALLOCATOR.current_usage();
    let mut peak = 0;
    for step in 0..4 {
        let gradients = gradients(&model, step);
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let report = optimizer.step_with_gradients(1e-3, &mut model, gradients).expect("a step");
        assert!(report.is_accepted());
        // The first steps allocate the state.
        if step >= 2 {
            peak = ALLOCATOR.peak_usage() - before;
        }
    }
    (ALLOCATOR.current_usage() - start, peak)
}

#[test]
fn a_step_holds_the_vectors_of_the_specification_and_copies_none() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Bookkeeping of chunks and of Burn's tensors: a few hundred bytes for each 16 Ki numbers.
    let slack = VECTOR / 20;
    let check = |name: &str, (state, peak): (usize, usize), vectors: usize| {
        let expected = vectors * VECTOR;
        assert!(state.abs_diff(expected) <= slack, "{name} holds {state} bytes, not {expected}");
        assert!(peak <= slack, "{name} allocates {peak} bytes in a step");
    };
    check("sgd", memory(SgdConfig::new().init().expect("defaults")), 0);
    let momentum = SgdConfig::new().with_momentum(Momentum::torch(0.9));
    check("momentum", memory(momentum.init().expect("in range")), 1);
    check("adam", memory(AdamConfig::new().init().expect("defaults")), 2);
    let adamw = ScheduleFreeAdamWConfig::new().init().expect("defaults");
    check("schedule-free-adamw", memory(adamw), 2);
    check("schedule-free-sgd", memory(ScheduleFreeSgdConfig::new().init().expect("defaults")), 1);
    check("apollo", memory(ApolloConfig::new().init().expect("defaults")), 3);
    check("quasi-adam", memory(QuasiAdamConfig::new().init().expect("defaults")), 4);
    check("as printed", memory(QuasiAdamConfig::paper().init().expect("defaults")), 4);
}

#[test]
fn steps_on_hessian_products_leave_the_moments_and_nothing_that_grows() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let device = Device::flex().autodiff();
    let values = Tensor::from_data(TensorData::new(vec![0.5f32; NUMBERS], [NUMBERS]), &device);
    let mut model = Vector { values: Param::from_tensor(values) };
    let mut optimizer = AdaHessianConfig::new().init().expect("defaults");
    let start = ALLOCATOR.current_usage();
    let mut usage = Vec::new();
    for _ in 0..30 {
        let report = optimizer.step(
            1e-3,
            &mut model,
            Duals(|model: &Vector, at: &Tangents| {
                let x = at.param(&model.values).tanh();
                (x.clone() * x).mean()
            }),
        );
        assert!(report.expect("a step").is_accepted());
        usage.push(ALLOCATOR.current_usage() - start);
    }
    // Burn's bookkeeping of parameters, some kilobytes, beside the two moments.
    let slack = VECTOR / 20;
    let extremes = usage.iter().fold((usize::MAX, 0), |(a, b), x| (a.min(*x), b.max(*x)));
    assert!(extremes.0.abs_diff(2 * VECTOR) <= slack, "{extremes:?}");
    assert!(extremes.1 - extremes.0 <= slack, "{extremes:?}");
}
