//! A step that is rejected or fails never happened: parameters and state are bit-identical.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::{
    nn::BatchNormConfig,
    tensor::{DType, Tensor},
};
use secant::{Outcome, Rejection, error::StepError};

use crate::{
    support::{Many, Net, Tested, device, vector},
    table::{Row, table},
    twins::Noisy,
};

const STEPS: usize = 6;

/// What goes wrong in a step whose loss is `loss`.
#[derive(Clone, Copy, Debug)]
enum Fault {
    NanLoss,
    InfiniteLoss,
    /// One entry of the gradient, at a finite loss.
    NanGradient,
    /// All entries of one tensor, at a finite loss.
    InfiniteGradient,
}

impl Fault {
    const ALL: [Self; 4] =
        [Self::NanLoss, Self::InfiniteLoss, Self::NanGradient, Self::InfiniteGradient];

    fn rejection(self) -> Rejection {
        match self {
            Self::NanLoss | Self::InfiniteLoss => Rejection::NonFiniteLoss,
            Self::NanGradient | Self::InfiniteGradient => Rejection::NonFiniteGradient,
        }
    }

    fn spoil(self, model: &Many, loss: Tensor<1>) -> Tensor<1> {
        let x = model.tensors[1].val();
        // 0, whose root has no finite derivative.
        let zero = x.clone() - x.detach();
        match self {
            Self::NanLoss => loss.mul_scalar(f64::NAN),
            Self::InfiniteLoss => loss.add_scalar(f64::NEG_INFINITY),
            Self::NanGradient => loss + zero.narrow(0, 3, 1).abs().sqrt().sum(),
            Self::InfiniteGradient => loss + zero.sqrt().sum(),
        }
    }
}

/// Runs `row`; before step `at`, `interrupt` meets model and optimizer.
fn run(
    row: &Row,
    noisy: &Noisy,
    dtype: DType,
    at: usize,
    interrupt: impl Fn(&mut Many, &mut dyn Tested),
) -> (Vec<Vec<u64>>, u64) {
    let mut model = Many::new(&noisy.start, dtype);
    let mut optimizer = row.optimizer();
    for step in 0..STEPS {
        if step == at {
            let before = model.bits();
            interrupt(&mut model, &mut *optimizer);
            assert_eq!(model.bits(), before, "{}, before step {step}", row.name);
        }
        let report = optimizer
            .step(row.lr, &mut model, &mut |model: &Many| noisy.loss(model, step))
            .expect("the contract is kept");
        assert!(report.is_accepted(), "{}: {report:?}", row.name);
    }
    assert_eq!(optimizer.accepted_steps(), STEPS as u64, "{}", row.name);
    (model.bits(), optimizer.rejected_steps())
}

#[test]
fn a_step_with_nan_or_infinity_is_rejected_and_as_if_it_had_never_been() {
    let noisy = Noisy::new(&[3, 20], STEPS, 0.5);
    for dtype in [DType::F32, DType::F64] {
        for row in table() {
            let (undisturbed, _) = run(&row, &noisy, dtype, usize::MAX, |_, _| {});
            for (fault, at) in Fault::ALL.into_iter().flat_map(|f| [0, 1, 4].map(|at| (f, at))) {
                let (disturbed, rejected) = run(&row, &noisy, dtype, at, |model, optimizer| {
                    let mut loss = |model: &Many| fault.spoil(model, noisy.loss(model, 5));
                    let report =
                        optimizer.step(row.lr, model, &mut loss).expect("a rejection is no error");
                    let expected = Outcome::Rejected(fault.rejection());
                    assert_eq!(report.outcome, expected, "{}, {fault:?} at {at}", row.name);
                });
                assert_eq!(rejected, 1, "{}, {fault:?} at {at}", row.name);
                assert_eq!(disturbed, undisturbed, "{}, {fault:?} at {at}", row.name);
            }
        }
    }
}

#[test]
fn any_number_of_rejected_steps_in_a_row_are_counted_and_change_nothing() {
    let noisy = Noisy::new(&[3, 20], STEPS, 0.5);
    for row in table() {
        let (undisturbed, _) = run(&row, &noisy, DType::F64, usize::MAX, |_, _| {});
        let (disturbed, rejected) = run(&row, &noisy, DType::F64, 3, |model, optimizer| {
            for fault in Fault::ALL {
                let mut loss = |model: &Many| fault.spoil(model, noisy.loss(model, 5));
                let report = optimizer.step(row.lr, model, &mut loss).expect("no error");
                assert!(!report.is_accepted());
            }
        });
        assert_eq!((rejected, disturbed), (4, undisturbed), "{}", row.name);
    }
}

/// The error of a step whose loss is `loss`, at rate `lr`.
fn failing<'a>(
    row: &'a Row,
    lr: f64,
    loss: impl Fn(&Many) -> Tensor<1> + 'a,
    expected: impl Fn(&StepError) -> bool + 'a,
) -> impl Fn(&mut Many, &mut dyn Tested) + 'a {
    move |model, optimizer| match optimizer.step(lr, model, &mut |model: &Many| loss(model)) {
        Err(error) => assert!(expected(&error), "{}: {error}", row.name),
        Ok(report) => panic!("{}: {report:?}", row.name),
    }
}

#[test]
fn an_error_leaves_model_and_state_as_they_were() {
    let noisy = Noisy::new(&[3, 20], STEPS, 0.5);
    let whole = |model: &Many| noisy.loss(model, 2);
    let pair = |model: &Many| noisy.loss(model, 2).reshape([1]).repeat_dim(0, 2);
    let constant = |_: &Many| vector(&[1.0], DType::F64);
    for row in table() {
        let (undisturbed, _) = run(&row, &noisy, DType::F64, usize::MAX, |_, _| {});
        for at in [0, 1, 4] {
            let check = |interrupt: &dyn Fn(&mut Many, &mut dyn Tested)| {
                let (disturbed, rejected) = run(&row, &noisy, DType::F64, at, interrupt);
                assert_eq!((rejected, &disturbed), (0, &undisturbed), "{}, {at}", row.name);
            };
            check(&failing(&row, row.lr, pair, |e| *e == StepError::LossShape { elements: 2 }));
            check(&failing(&row, row.lr, constant, |e| *e == StepError::Untracked));
            for lr in [f64::NAN, f64::INFINITY, -0.1] {
                check(&failing(&row, lr, whole, |e| matches!(e, StepError::LearningRate { .. })));
            }
        }
    }
}

#[test]
fn a_gradient_that_is_missing_is_an_error_that_names_the_parameter() {
    let noisy = Noisy::new(&[3, 20], STEPS, 0.5);
    let first = |model: &Many| model.tensors[0].val().sum();
    for row in table() {
        let (undisturbed, _) = run(&row, &noisy, DType::F64, usize::MAX, |_, _| {});
        for at in [1, 4] {
            let path = "tensors.1".to_string();
            let expected = StepError::MissingGradient { path };
            let interrupt = failing(&row, row.lr, first, |error| *error == expected);
            let (disturbed, _) = run(&row, &noisy, DType::F64, at, interrupt);
            assert_eq!(disturbed, undisturbed, "{}, {at}", row.name);
        }
    }
}

#[test]
fn a_gradient_that_appears_later_is_an_error_and_not_ignored() {
    for row in table() {
        let mut model = Many::f64(&[vec![1.0; 3], vec![2.0; 3]]);
        let mut optimizer = row.optimizer();
        let first = |model: &Many| model.tensors[0].val().sum();
        let both = |model: &Many| first(model) + model.tensors[1].val().sum();
        let report = optimizer.step(row.lr, &mut model, &mut |model: &Many| first(model));
        assert!(report.is_ok_and(|report| report.is_accepted()), "{}", row.name);
        let before = model.bits();
        let error = optimizer.step(row.lr, &mut model, &mut |model: &Many| both(model));
        assert!(matches!(error, Err(StepError::LayoutChanged { .. })), "{}: {error:?}", row.name);
        assert_eq!(model.bits(), before, "{}", row.name);
    }
}

#[test]
fn a_loss_without_any_trained_parameter_is_an_error() {
    for row in table() {
        let mut model = Many::f64(&[vec![1.0; 3]]);
        let mut optimizer = row.optimizer();
        let other = vector(&[2.0], DType::F64).require_grad();
        let error = optimizer.step(row.lr, &mut model, &mut |_: &Many| other.clone().sum());
        assert!(matches!(error, Err(StepError::NoGradient)), "{}: {error:?}", row.name);
        assert_eq!(optimizer.accepted_steps() + optimizer.rejected_steps(), 0, "{}", row.name);
    }
}

#[test]
fn running_statistics_do_not_advance_in_a_step_that_fails() {
    for row in table() {
        let norm = Some(BatchNormConfig::new(8).init(&device()));
        let mut model = Net { norm, ..Net::new(DType::F32) };
        let mut optimizer = row.optimizer();
        for step in 0..3 {
            let before = model.statistics();
            let mut pair = |model: &Net| model.loss(step).repeat_dim(0, 2);
            let error = optimizer.step(row.lr, &mut model, &mut pair);
            assert!(matches!(error, Err(StepError::LossShape { .. })), "{}: {error:?}", row.name);
            assert_eq!(model.statistics(), before, "{}, step {step}", row.name);
            let error = optimizer.step(f64::NAN, &mut model, &mut |model: &Net| model.loss(step));
            assert!(matches!(error, Err(StepError::LearningRate { .. })), "{}", row.name);
            assert_eq!(model.statistics(), before, "{}, step {step}", row.name);
            let report = optimizer.step(row.lr, &mut model, &mut |model: &Net| model.loss(step));
            assert!(report.is_ok_and(|report| report.is_accepted()), "{}", row.name);
        }
    }
}

#[test]
fn a_panic_in_the_closure_leaves_model_and_state_whole() {
    let noisy = Noisy::new(&[3, 20], STEPS, 0.5);
    for row in table() {
        let (undisturbed, _) = run(&row, &noisy, DType::F64, usize::MAX, |_, _| {});
        for at in [0, 3] {
            let (disturbed, _) = run(&row, &noisy, DType::F64, at, |model, optimizer| {
                let mut loss = |_: &Many| -> Tensor<1> { std::panic::resume_unwind(Box::new("")) };
                let step = AssertUnwindSafe(|| optimizer.step(row.lr, model, &mut loss));
                assert!(catch_unwind(step).is_err());
            });
            assert_eq!(disturbed, undisturbed, "{}, {at}", row.name);
        }
    }
}
