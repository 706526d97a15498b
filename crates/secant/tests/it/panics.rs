//! A panic anywhere in a step leaves the model with its parameters.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::DType;
use secant::{
    AdamConfig, Decay, Function, Optimizer, PairOutcome, Rejection, SgdConfig, StepReport,
    blocks::{Blocks, Layout, Number, TensorKernel, for_each_tensor},
    error::{ConfigError, StepError},
    method::first_order::adam::{Adam, AdamState},
    oracle::Oracle,
    protocol::{GradientMethod, Method, StepContext, gradient_step},
};

use crate::support::{Many, Numbers};

/// Where the broken method panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// Before it writes anything.
    Begin,
    /// In the middle of a pass, on another thread where the tensors are large.
    Kernel,
    /// After the last number.
    End,
    /// Having thrown the parameters away.
    Emptied,
    /// Not by itself, but it leaves one tensor less.
    Short,
}

/// Adam, that panics at this rate.
const BAD_RATE: f64 = 0.5;

#[derive(Clone, Debug)]
struct Broken {
    adam: Adam,
    at: At,
}

impl Method for Broken {
    type State = AdamState;
    const NAME: &'static str = "broken";

    fn validate(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    fn decay(&self) -> Decay {
        Decay::None
    }

    fn is_per_tensor(&self) -> bool {
        true
    }

    fn init(&self, layout: &Layout) -> AdamState {
        self.adam.init(layout)
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut AdamState,
    ) -> Result<StepReport, StepError> {
        gradient_step(self, context, oracle, state)
    }
}

impl GradientMethod for Broken {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut AdamState,
    ) -> Result<PairOutcome, Rejection> {
        if context.tensors[0].lr == BAD_RATE {
            match self.at {
                At::Begin => std::panic::resume_unwind(Box::new("")),
                At::Kernel => drop(for_each_tensor(|tensor| Halfway { tensor }, [theta], [])),
                At::End => drop(self.adam.update(context, theta, gradient, state)),
                At::Emptied => drop(std::mem::take(theta)),
                At::Short => {
                    let mut tensors = std::mem::take(theta).into_data();
                    tensors.pop();
                    *theta = Blocks::new(tensors);
                    return Ok(PairOutcome::NotTried);
                }
            }
            std::panic::resume_unwind(Box::new(""));
        }
        self.adam.update(context, theta, gradient, state)
    }
}

/// Sets numbers to 7, until it panics at the second tensor.
#[derive(Clone, Copy)]
struct Halfway {
    tensor: usize,
}

impl TensorKernel<1, 0, 0> for Halfway {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    fn apply<N: Number>(self, (): (), _: [N; 1], []: [N; 0]) -> [N; 1] {
        if self.tensor == 1 {
            std::panic::resume_unwind(Box::new(""));
        }
        [N::of(7.0)]
    }
}

fn broken(at: At) -> Optimizer<Broken> {
    Optimizer::new(Broken { adam: AdamConfig::new().build(), at }).expect("valid")
}

fn loss(model: &Many) -> burn::tensor::Tensor<1> {
    let ones: Vec<Vec<f64>> = model.values().iter().map(|x| vec![1.0; x.len()]).collect();
    model.quadratic(&ones, &ones)
}

/// Small tensors stay on one thread; large ones are shared out.
fn models() -> impl Iterator<Item = Many> {
    [[3, 5, 2], [70_000, 40_000, 3]].into_iter().map(|sizes| {
        let mut model = Many::new(&Numbers::new(1).vectors(&sizes), DType::F32);
        // A tied weight, which stands in two places.
        model.tensors.push(model.tensors[0].clone());
        model
    })
}

#[test]
fn a_method_that_panics_in_the_middle_of_a_step_leaves_a_model_that_trains_on() {
    for at in [At::Begin, At::Kernel, At::End, At::Emptied, At::Short] {
        for (mut model, steps_before) in models().flat_map(|model| [(model.clone(), 0), (model, 2)])
        {
            let what = format!("{at:?}, after {steps_before} steps");
            let ids: Vec<_> = model.tensors.iter().map(|param| param.id).collect();
            let mut optimizer = broken(at);
            for _ in 0..steps_before {
                let report = optimizer.step(0.1, &mut model, loss);
                assert!(report.is_ok_and(|report| report.is_accepted()), "{what}");
            }
            let before = model.bits();
            let step = AssertUnwindSafe(|| optimizer.step(BAD_RATE, &mut model, loss));
            assert!(catch_unwind(step).is_err(), "{what}");
            let lengths = |bits: &[Vec<u64>]| bits.iter().map(Vec::len).collect::<Vec<_>>();
            assert_eq!(lengths(&model.bits()), lengths(&before), "{what}");
            assert_eq!(model.tensors.iter().map(|p| p.id).collect::<Vec<_>>(), ids, "{what}");
            for param in &model.tensors {
                assert!(param.val().is_require_grad(), "{what}");
                assert_eq!(param.val().dtype(), DType::F32, "{what}");
            }
            assert_eq!(model.bits()[0], model.bits()[3], "{what}: tied");
            match at {
                At::Begin => assert_eq!(model.bits(), before, "{what}"),
                At::End => assert!(model.bits().iter().zip(&before).all(|(a, b)| a != b), "{what}"),
                At::Kernel => {
                    let seven = 7f64.to_bits();
                    let numbers = model.bits().concat().into_iter().zip(before.concat());
                    let mut as_far = numbers.map(|(now, before)| now == before || now == seven);
                    assert!(as_far.all(|is_whole| is_whole), "{what}");
                }
                At::Emptied => assert!(model.values().iter().flatten().all(|x| x.is_nan())),
                At::Short => {
                    assert_eq!(model.bits()[..2], before[..2], "{what}");
                    assert!(model.values()[2].iter().all(|x| x.is_nan()), "{what}");
                }
            }
            if !matches!(at, At::Emptied | At::Short) {
                let before: f64 = loss(&model).into_scalar();
                let mut fresh = SgdConfig::new().init().expect("valid");
                let report = fresh.step(0.1, &mut model, loss).expect("the model is whole");
                assert!(report.is_accepted() && loss(&model).into_scalar::<f64>() < before);
            }
        }
    }
}

#[test]
fn a_method_that_panics_on_a_function_leaves_its_vector() {
    struct Parabola;
    impl Function for Parabola {
        fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.copy_from_slice(x);
            0.5 * x.iter().map(|x| x * x).sum::<f64>()
        }
    }
    for at in [At::Begin, At::Kernel, At::Emptied] {
        let mut x = vec![1.0, 2.0];
        let mut optimizer = broken(at);
        let step = AssertUnwindSafe(|| {
            let _ = optimizer.step_function(BAD_RATE, &mut x, &mut Parabola);
        });
        // One tensor: its kernel does not panic, but the method does, after it.
        assert!(catch_unwind(step).is_err());
        match at {
            At::Begin => assert_eq!(x, [1.0, 2.0]),
            At::Kernel => assert_eq!(x, [7.0, 7.0]),
            _ => assert!(x.len() == 2 && x.iter().all(|x| x.is_nan())),
        }
    }
}
