//! Trains with Burn's own `Learner` and Apollo: the optimizer is the only line that changes.
//!
//! `cargo run --release` in this folder. Two interleaved half moons, 1,000 points each.

use burn::{
    data::{
        dataloader::{DataLoaderBuilder, batcher::Batcher},
        dataset::InMemDataset,
    },
    module::Module,
    nn::{Linear, LinearConfig, loss::CrossEntropyLossConfig},
    optim::ModuleOptimizer,
    tensor::{Device, Int, Tensor, TensorData, activation::tanh},
    train::{
        ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
        metric::{AccuracyMetric, LossMetric},
    },
};
use secant::{ApolloConfig, Schedule, Scheduler};

/// A point and its moon.
type Item = ([f32; 2], i64);

#[derive(Module, Debug)]
struct Perceptron {
    hidden: Linear,
    output: Linear,
}

impl Perceptron {
    fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(2, 32).init(device),
            output: LinearConfig::new(32, 2).init(device),
        }
    }

    fn classify(&self, batch: Moons) -> ClassificationOutput {
        let output = self.output.forward(tanh(self.hidden.forward(batch.points)));
        let loss = CrossEntropyLossConfig::new()
            .init(&output.device())
            .forward(output.clone(), batch.moons.clone());
        ClassificationOutput::new(loss, output, batch.moons)
    }
}

impl TrainStep for Perceptron {
    type Input = Moons;
    type Output = ClassificationOutput;

    fn step(&self, batch: Moons) -> TrainOutput<ClassificationOutput> {
        let item = self.classify(batch);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Perceptron {
    type Input = Moons;
    type Output = ClassificationOutput;

    fn step(&self, batch: Moons) -> ClassificationOutput {
        self.classify(batch)
    }
}

#[derive(Clone, Debug)]
struct Moons {
    points: Tensor<2>,
    moons: Tensor<1, Int>,
}

#[derive(Clone)]
struct MoonBatcher;

impl Batcher<Item, Moons> for MoonBatcher {
    fn batch(&self, items: Vec<Item>, device: &Device) -> Moons {
        let count = items.len();
        let points: Vec<f32> = items.iter().flat_map(|(point, _)| *point).collect();
        let moons: Vec<i64> = items.iter().map(|(_, moon)| *moon).collect();
        Moons {
            points: Tensor::from_data(TensorData::new(points, [count, 2]), device),
            moons: Tensor::from_data(TensorData::new(moons, [count]), device),
        }
    }
}

/// Points on two half circles, each displaced a little.
fn moons(count: usize, phase: f32) -> InMemDataset<Item> {
    let item = |index: usize| {
        let angle = (index / 2) as f32 * 0.618_034 % 1.0 * std::f32::consts::PI;
        let noise = 0.1 * ((index as f32 + phase) * 12.9898).sin();
        if index % 2 == 0 {
            ([angle.cos() + noise, angle.sin() - noise], 0)
        } else {
            ([1.0 - angle.cos() + noise, 0.5 - angle.sin() + noise], 1)
        }
    };
    InMemDataset::new((0..count).map(item).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join("secant-burn-learner");
    let device = Device::default().autodiff();
    device.seed(1);
    let loader = |data, device: &Device| {
        DataLoaderBuilder::new(MoonBatcher)
            .batch_size(32)
            .shuffle(1)
            .set_device(device.clone())
            .build(data)
    };
    let training = SupervisedTraining::new(
        &folder,
        loader(moons(2_000, 0.0), &device),
        loader(moons(500, 0.5), &device.clone().inner()),
    )
    .metrics((AccuracyMetric::new(), LossMetric::new()))
    .num_epochs(6)
    .summary();

    // The lines that make it Apollo: `AdamConfig::new().init()` otherwise.
    let optimizer = ModuleOptimizer::from(ApolloConfig::new().with_warmup(40).build());
    let rates = Scheduler::new(Schedule::cosine(0.02, 6 * 63, 1e-4))?;

    let result = training.launch(Learner::new(Perceptron::new(&device), optimizer, rates));
    let held_out = loader(moons(500, 0.25), &device.clone().inner());
    let (mut right, mut all) = (0.0, 0.0);
    for batch in held_out.iter() {
        let batch = batch?;
        let targets = batch.moons.clone();
        let guesses = result.model.classify(batch).output.argmax(1).squeeze_dim::<1>(1);
        right += guesses.equal(targets.clone()).int().sum().into_scalar::<f64>();
        all += targets.dims()[0] as f64;
    }
    println!("accuracy on 500 other points: {:.1} %", 100.0 * right / all);
    if right / all < 0.95 {
        return Err("Apollo should separate the moons".into());
    }
    Ok(())
}
