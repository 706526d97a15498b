//! What holds for every row of the table.

use std::collections::BTreeSet;

use burn::{
    module::{Module, Param, ParamId},
    nn::{BatchNormConfig, DropoutConfig, LinearConfig},
    tensor::{DType, Tensor},
};
use secant::{PairOutcome, QuasiAdamConfig};

use crate::{
    support::{
        GENERATOR, Many, Net, Numbers, Steps, Tested, Vectors, assert_close, device, numbers, sum,
        vector,
    },
    table::table,
    twins::Noisy,
};

const BOTH: [DType; 2] = [DType::F32, DType::F64];

/// Makes an accepted step.
#[track_caller]
fn accept<M>(
    name: &str,
    optimizer: &mut (dyn Tested + 'static),
    lr: f64,
    model: &mut M,
    mut loss: impl FnMut(&M) -> Tensor<1>,
) where
    dyn Tested: Steps<M>,
{
    let report = optimizer.step(lr, model, &mut loss).expect("the contract is kept");
    assert!(report.is_accepted(), "{name}: {report:?}");
}

#[test]
fn every_method_descends_on_a_quadratic() {
    let mut numbers = Numbers::new(1);
    let curvature = vec![numbers.vector(30).iter().map(|x| 1.1 + x).collect()];
    let (zero, start) = (vec![vec![0.0; 30]], numbers.vectors(&[30]));
    for row in table() {
        let mut model = Many::f64(&start);
        let value = |model: &Many| model.quadratic(&curvature, &zero);
        let before: f64 = value(&model).into_scalar();
        let mut optimizer = row.optimizer();
        for _ in 0..600 {
            accept(row.name, &mut *optimizer, row.lr, &mut model, value);
        }
        let after: f64 = value(&model).into_scalar();
        // The slowest, plain RMSprop at 0.01, stalls at about its rate, where f is far below 1 %.
        assert!(after < 0.01 * before, "{}: from {before} to {after}", row.name);
    }
}

#[test]
fn every_method_descends_on_a_small_network() {
    for row in table() {
        let mut model = Net::new(DType::F32);
        let mean = |model: &Net| sum((0..4).map(|batch| model.loss(batch))).into_scalar::<f64>();
        let before = mean(&model);
        let mut optimizer = row.optimizer();
        for step in 0..200 {
            accept(row.name, &mut *optimizer, row.lr, &mut model, |model: &Net| {
                model.loss(step % 4)
            });
        }
        let after = mean(&model);
        // 50 epochs bring every method below a third; a method that climbs or stands still fails.
        assert!(after < before / 3.0, "{}: from {before} to {after}", row.name);
    }
}

#[test]
fn a_gradient_of_zero_moves_no_method_without_decay_and_never_gives_nan() {
    let zero = vec![vec![0.0; 5], vec![0.0; 20]];
    let some = Numbers::new(2).vectors(&[5, 20]);
    for (row, dtype) in rows_and_types() {
        let mut model = Many::new(&some, dtype);
        let before = model.bits();
        let mut optimizer = row.optimizer();
        let mut step = |model: &mut Many, c: &Vectors| {
            accept(row.name, &mut *optimizer, row.lr, model, |model: &Many| model.linear(c));
        };
        (0..3).for_each(|_| step(&mut model, &zero));
        if !has_decay(row.name) {
            assert_eq!(model.bits(), before, "{}", row.name);
        }
        // From zero to a gradient and back: no average, pair or bound may turn into NaN.
        (0..3).for_each(|_| step(&mut model, &some));
        (0..5).for_each(|_| step(&mut model, &zero));
        (0..2).for_each(|_| step(&mut model, &some));
        assert!(model.values().iter().flatten().all(|x| x.is_finite()), "{}", row.name);
    }
}

#[test]
fn a_tensor_without_slope_beside_others_never_gives_nan() {
    // A dead unit: its gradient is zero in every step, the rest of the model moves.
    let start = Numbers::new(4).vectors(&[6, 6]);
    for (row, dtype) in rows_and_types() {
        let mut model = Many::new(&start, dtype);
        let mut optimizer = row.optimizer();
        for step in 0..6 {
            let slopes = vec![Numbers::new(step).vector(6), vec![0.0; 6]];
            accept(row.name, &mut *optimizer, row.lr, &mut model, |m: &Many| m.linear(&slopes));
        }
        assert!(model.values().iter().flatten().all(|x| x.is_finite()), "{}", row.name);
    }
}

#[test]
fn a_learning_rate_of_zero_stands_still_and_never_gives_nan() {
    let noisy = Noisy::new(&[4, 17], 8, 0.3);
    for (row, dtype) in rows_and_types() {
        let mut model = Many::new(&noisy.start, dtype);
        let mut optimizer = row.optimizer();
        for step in 0..8 {
            let before = model.values();
            let lr = if step % 4 == 3 { row.lr } else { 0.0 };
            accept(row.name, &mut *optimizer, lr, &mut model, |m: &Many| noisy.loss(m, step));
            assert!(model.values().iter().flatten().all(|x| x.is_finite()), "{}", row.name);
            assert_eq!(model.values() == before, lr == 0.0, "{}, step {step}", row.name);
        }
    }
}

/// Every row in both number types.
fn rows_and_types() -> impl Iterator<Item = (crate::table::Row, DType)> {
    BOTH.into_iter().flat_map(|dtype| table().into_iter().map(move |row| (row, dtype)))
}

fn has_decay(name: &str) -> bool {
    name == "adamw" || ["l2", "decoupled", "stable"].iter().any(|kind| name.ends_with(kind))
}

#[test]
fn the_type_the_ids_the_device_and_the_tracking_of_every_parameter_are_kept() {
    for (row, dtype) in rows_and_types() {
        let mut model = Net::new(dtype);
        let ids = ids(&model);
        let mut optimizer = row.optimizer();
        for batch in 0..3 {
            accept(row.name, &mut *optimizer, row.lr, &mut model, |model: &Net| model.loss(batch));
        }
        assert_eq!(self::ids(&model), ids, "{}", row.name);
        let linears = [&model.input, &model.output];
        for weight in linears.map(|linear| linear.weight.val()) {
            assert_eq!(weight.dtype(), dtype, "{}", row.name);
            assert!(weight.is_require_grad(), "{}", row.name);
            assert_eq!(weight.device(), device(), "{}", row.name);
        }
        assert!(linears.iter().all(|linear| {
            linear.bias.as_ref().is_some_and(|bias| bias.val().is_require_grad())
        }));
    }
}

fn ids(model: &Net) -> Vec<ParamId> {
    let linears = [&model.input, &model.output];
    linears
        .iter()
        .flat_map(|linear| [Some(linear.weight.id), linear.bias.as_ref().map(|bias| bias.id)])
        .flatten()
        .collect()
}

#[test]
fn parameters_that_are_initialised_at_first_use_are_trained_and_stay_trainable() {
    let _guard = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for row in table() {
        // Burn draws the weights of these layers when they are first looked at.
        let mut model = Net {
            input: LinearConfig::new(3, 8).init(&device()),
            output: LinearConfig::new(8, 2).init(&device()),
            ..Net::new(DType::F32)
        };
        assert!(!model.input.weight.is_initialized());
        let mut optimizer = row.optimizer();
        accept(row.name, &mut *optimizer, row.lr, &mut model, |model: &Net| model.loss(0));
        let after_one = model.bits();
        assert!(model.input.weight.val().is_require_grad(), "{}", row.name);
        accept(row.name, &mut *optimizer, row.lr, &mut model, |model: &Net| model.loss(0));
        assert_ne!(model.bits(), after_one, "{}", row.name);
    }
}

#[test]
fn frozen_and_unused_parameters_are_neither_moved_nor_part_of_any_vector() {
    let noisy = Noisy::new(&[17, 3], 6, 0.3);
    let extra = Numbers::new(9).vectors(&[40, 5]);
    for row in table() {
        // First, third: trained. Second: frozen, although the loss uses it. Fourth: unused.
        let all = [&noisy.start[0], &extra[0], &noisy.start[1], &extra[1]].map(Clone::clone);
        let mut model = Many::f64(&all);
        let frozen = model.tensors[1].clone().no_grad();
        model.tensors[1] = frozen;
        let ids: Vec<ParamId> = model.tensors.iter().map(|param| param.id).collect();
        let before = model.bits();
        let mut alone = Many::f64(&noisy.start);
        let (mut optimizer, mut alone_optimizer) = (row.optimizer(), row.optimizer());
        for step in 0..6 {
            accept(row.name, &mut *optimizer, row.lr, &mut model, |model: &Many| {
                let trained = [0, 2].map(|index| model.tensors[index].clone()).to_vec();
                // Adds 0: values enter line searches with all their digits.
                let frozen = model.tensors[1].val().sum();
                noisy.loss(&Many { tensors: trained }, step) + (frozen.clone() - frozen)
            });
            accept(row.name, &mut *alone_optimizer, row.lr, &mut alone, |m: &Many| {
                noisy.loss(m, step)
            });
        }
        let after = model.bits();
        assert_eq!([&after[1], &after[3]], [&before[1], &before[3]], "{}", row.name);
        assert_eq!(vec![after[0].clone(), after[2].clone()], alone.bits(), "{}", row.name);
        let tracked = model.tensors.iter().map(|param| param.val().is_require_grad());
        assert_eq!(tracked.collect::<Vec<_>>(), [true, false, true, true], "{}", row.name);
        assert_eq!(model.tensors.iter().map(|param| param.id).collect::<Vec<_>>(), ids);
        assert_eq!(optimizer.state_bytes(), alone_optimizer.state_bytes(), "{}", row.name);
    }
}

#[test]
fn tied_weights_stay_tied_and_move_once_along_the_sum_of_their_gradients() {
    let noisy = Noisy::new(&[17, 3], 6, 0.3);
    for row in table() {
        let mut single = Many::f64(&noisy.start);
        let mut tied = Many::f64(&noisy.start);
        tied.tensors.push(tied.tensors[0].clone());
        let (mut single_optimizer, mut tied_optimizer) = (row.optimizer(), row.optimizer());
        for step in 0..6 {
            let loss = |first: &Param<Tensor<1>>, second: &Param<Tensor<1>>, model: &Many| {
                let rest = noisy.loss(&Many { tensors: model.tensors[..2].to_vec() }, step);
                let ones = vector(&[1.0; 17], DType::F64);
                (first.val() * ones.clone()).sum() + (second.val() * ones).sum() + rest
            };
            accept(row.name, &mut *single_optimizer, row.lr, &mut single, |m: &Many| {
                loss(&m.tensors[0], &m.tensors[0], m)
            });
            accept(row.name, &mut *tied_optimizer, row.lr, &mut tied, |m: &Many| {
                loss(&m.tensors[0], &m.tensors[2], m)
            });
        }
        let bits = tied.bits();
        assert_eq!(bits[0], bits[2], "{}", row.name);
        assert_eq!(tied.tensors[0].id, tied.tensors[2].id, "{}", row.name);
        // A sum of three gradients in another order: one rounding, 1e-16, in each of 6 steps,
        // amplified by the condition of a pair.
        assert_close(&tied.values()[..2], &single.values(), 1e-12, row.name);
        assert_eq!(tied_optimizer.state_bytes(), single_optimizer.state_bytes(), "{}", row.name);
    }
}

#[test]
fn the_report_counts_every_call_of_the_closure() {
    let noisy = Noisy::new(&[5], 5, 0.3);
    for row in table() {
        let mut model = Many::f64(&noisy.start);
        let mut optimizer = row.optimizer();
        for step in 0..5 {
            let mut calls = 0;
            let report = optimizer
                .step(row.lr, &mut model, &mut |model: &Many| {
                    calls += 1;
                    // The fourth step is rejected; it is counted like the others.
                    noisy.loss(model, step).add_scalar(if step == 3 { f64::NAN } else { 0.0 })
                })
                .expect("the contract is kept");
            assert_eq!(report.evals.loss + report.evals.gradient, calls, "{}", row.name);
            if !optimizer.evaluates_again() {
                assert_eq!(report.evals.gradient, 1, "{}, step {step}", row.name);
            }
            assert_eq!(report.evals.hessian_vector, 0, "{}: by differences", row.name);
            assert_eq!(report.is_accepted(), step != 3, "{}", row.name);
        }
        assert_eq!((optimizer.accepted_steps(), optimizer.rejected_steps()), (4, 1));
    }
}

#[test]
fn the_report_tells_the_loss_and_the_norm_of_the_gradient_before_the_step() {
    let noisy = Noisy::new(&[5, 20], 3, 0.3);
    for row in table() {
        let mut model = Many::f64(&noisy.start);
        let mut optimizer = row.optimizer();
        for step in 0..3 {
            let loss: f64 = noisy.loss(&model, step).into_scalar();
            let gradient = noisy.gradient(&model.values(), step).concat();
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let report = optimizer
                .step(row.lr, &mut model, &mut |model: &Many| noisy.loss(model, step))
                .expect("the contract is kept");
            assert_eq!(report.loss, Some(loss), "{}", row.name);
            // 25 squares and a root, each rounded to 1e-16.
            let reported = report.gradient_norm.expect("the guard computes it");
            assert!((reported - norm).abs() <= 1e-14 * norm, "{}", row.name);
        }
    }
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    // Tensors below and above what is cut into chunks, together more than stay on one thread.
    let noisy = Noisy::new(&[17, 70_000, 16_385, 100_001], 3, 0.3);
    let is_large = |(row, _): &(crate::table::Row, DType)| !row.is_dense();
    for (row, dtype) in rows_and_types().filter(is_large) {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let mut optimizer = row.optimizer();
            let (name, lr) = (row.name, row.lr);
            pool.expect("a pool of threads").install(|| {
                let mut model = Many::new(&noisy.start, dtype);
                for step in 0..3 {
                    accept(name, &mut *optimizer, lr, &mut model, |m: &Many| noisy.loss(m, step));
                }
                model.bits()
            })
        };
        assert!(run(1) == run(2), "{}", row.name);
    }
}

#[test]
fn running_statistics_advance_once_in_a_step_and_not_in_a_rejected_one() {
    for row in table() {
        let mut model =
            Net { norm: Some(BatchNormConfig::new(8).init(&device())), ..Net::new(DType::F32) };
        let mut optimizer = row.optimizer();
        for step in 0..6 {
            let [mean, variance] = model.statistics();
            let (x, _) = Net::data(step, DType::F32);
            let hidden = numbers(model.input.forward(x).transpose());
            let bad = if step == 0 || step == 3 { f32::NAN } else { 1.0 };
            let report = optimizer
                .step(row.lr, &mut model, &mut |model: &Net| {
                    let (x, y) = Net::data(step, DType::F32);
                    let hidden = model.hidden(x.mul_scalar(bad));
                    (model.output.forward(hidden) - y).powi_scalar(2).mean()
                })
                .expect("the contract is kept");
            assert_eq!(report.is_accepted(), bad == 1.0, "{}, step {step}", row.name);
            let [new_mean, new_variance] = model.statistics();
            if bad.is_nan() {
                assert_eq!([new_mean, new_variance], [mean, variance], "{}", row.name);
                continue;
            }
            let expected = (0..8).map(|unit| {
                let batch = &hidden[unit * 16..(unit + 1) * 16];
                0.9 * mean[unit] + 0.1 * batch.iter().sum::<f64>() / 16.0
            });
            // Single precision: 16 terms of size 1, each rounded to 6e-8. A second update, or
            // none, would be off by a tenth.
            let name = format!("{}, step {step}", row.name);
            assert_close(&[new_mean], &[expected.collect()], 1e-5, &name);
            assert!(new_variance.iter().all(|x| x.is_finite() && *x > 0.0), "{name}");
        }
    }
}

#[test]
fn all_evaluations_of_a_step_see_one_dropout_mask_and_other_steps_see_others() {
    let _guard = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for row in table() {
        let mut model =
            Net { dropout: Some(DropoutConfig::new(0.5).init()), ..Net::new(DType::F32) };
        let mut optimizer = row.optimizer();
        let mut masks = Vec::new();
        for step in 0..5 {
            let mut seen = Vec::new();
            let report = optimizer
                .step(row.lr, &mut model, &mut |model: &Net| {
                    let (x, y) = Net::data(step, DType::F32);
                    let hidden = model.hidden(x);
                    let kept: Vec<bool> =
                        numbers(hidden.clone()).iter().map(|x| *x != 0.0).collect();
                    seen.push(kept);
                    (model.output.forward(hidden) - y).powi_scalar(2).mean()
                })
                .expect("the contract is kept");
            // The first two of the first step look for randomness.
            let of_step = &seen[if step == 0 && optimizer.evaluates_again() { 2 } else { 0 }..];
            let evals = report.evals.loss + report.evals.gradient;
            assert_eq!(seen.len() as u64, evals, "{}", row.name);
            assert!(of_step.iter().all(|mask| *mask == of_step[0]), "{}, {step}", row.name);
            masks.push(of_step[0].clone());
        }
        assert_eq!(masks.iter().collect::<BTreeSet<_>>().len(), 5, "{}", row.name);
    }
}

#[test]
fn a_first_step_without_a_finite_loss_does_not_hide_that_the_loss_is_random() {
    let _guard = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut model = Net { dropout: Some(DropoutConfig::new(0.5).init()), ..Net::new(DType::F32) };
    let mut optimizer = QuasiAdamConfig::new().init_same_batch().expect("defaults");
    for step in 0..3 {
        let mut losses = Vec::new();
        let report = optimizer
            .step(0.0, &mut model, |model: &Net| {
                let loss = model.loss(0).mul_scalar(if step == 0 { f64::NAN } else { 1.0 });
                losses.push(loss.clone().into_scalar::<f64>());
                loss
            })
            .expect("the contract is kept");
        assert_eq!(report.is_accepted(), step > 0);
        if step > 0 {
            // At rate 0 both evaluations are at one point: one mask, one loss.
            let of_step = &losses[report.evals.loss as usize..];
            assert_eq!(of_step[0].to_bits(), of_step[1].to_bits());
        }
    }
}

#[test]
fn a_second_gradient_that_is_not_finite_costs_the_pair_and_nothing_else() {
    let noisy = Noisy::new(&[5], 4, 0.1);
    let run = |bad_step: usize| {
        let mut model = Many::f64(&noisy.start);
        let mut optimizer = QuasiAdamConfig::new().init_same_batch().expect("defaults");
        let mut pairs = Vec::new();
        for step in 0..4 {
            let mut gradients = 0;
            let report = optimizer
                .step(0.02, &mut model, |model: &Many| {
                    gradients += 1;
                    // The first step looks for randomness twice before its gradients.
                    let second = gradients == if step == 0 { 4 } else { 2 };
                    let bad = second && step == bad_step;
                    noisy.loss(model, step).add_scalar(if bad { f64::NAN } else { 0.0 })
                })
                .expect("the contract is kept");
            assert!(report.is_accepted());
            pairs.push(matches!(report.pair, PairOutcome::Stored { .. }));
        }
        assert!(model.values().iter().flatten().all(|x| x.is_finite()));
        pairs
    };
    assert_eq!(run(usize::MAX), [false, true, true, true]);
    assert_eq!(run(1), [false, true, false, true]);
}

#[test]
fn a_model_in_both_number_types_keeps_both_and_every_step_is_accepted() {
    for row in table() {
        let start = Numbers::new(5).vectors(&[20, 33]);
        let mut model = Many::f64(&start);
        model.tensors[1] = Param::from_tensor(vector(&start[1], DType::F32));
        let mut optimizer = row.optimizer();
        for step in 0..4 {
            let c = Numbers::new(step).vectors(&[20, 33]);
            accept(row.name, &mut *optimizer, row.lr, &mut model, |model: &Many| {
                let [a, b] = [0, 1].map(|i| Many { tensors: vec![model.tensors[i].clone()] });
                a.linear(&c[..1]) + b.linear(&c[1..]).cast(DType::F64)
            });
        }
        let types = model.tensors.iter().map(|param| param.val().dtype());
        assert_eq!(types.collect::<Vec<_>>(), [DType::F64, DType::F32], "{}", row.name);
        assert!(model.values().iter().flatten().all(|x| x.is_finite()), "{}", row.name);
    }
}

#[test]
fn a_clone_of_the_model_keeps_its_values_when_the_model_steps() {
    let noisy = Noisy::new(&[17], 2, 0.3);
    for row in table() {
        let mut model = Many::f64(&noisy.start);
        let clone = model.clone();
        let before = clone.bits();
        let mut optimizer: Box<dyn Tested> = row.optimizer();
        // SOAP moves at the second gradient.
        for step in 0..2 {
            accept(row.name, &mut *optimizer, row.lr, &mut model, |m: &Many| noisy.loss(m, step));
        }
        assert_eq!(clone.bits(), before, "{}", row.name);
        assert_ne!(model.bits(), before, "{}", row.name);
        // And a fork for validation has the new values.
        assert_eq!(model.valid().bits(), model.bits(), "{}", row.name);
    }
}
