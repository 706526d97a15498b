//! Schedule-Free: where the model is to be evaluated, and what must be so of the three points. Its steps are held
//! against plain twins by `twins`, and against another implementation by the reference traces.

use burn::{
    module::{Module, ParamGroup},
    nn::BatchNormConfig,
    tensor::{DType, Tensor},
};
use secant::{
    AdamConfig, AnyOptimizer, Decay, Function, Group, MethodSpec, MissingGradients, Optimizer,
    ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig, SgdConfig, StepReport, SwitchAt, SwitchConfig,
    error::{ConfigError, StepError},
    protocol::Method,
};

use crate::{
    support::{Many, Net, Numbers, Vectors, assert_close, device, temporary_folder},
    twin::{self, Rule as _},
    twins::Noisy,
};

fn accept(report: Result<StepReport, StepError>) {
    assert!(report.expect("the contract is kept").is_accepted());
}

fn sgd() -> ScheduleFreeSgdConfig {
    ScheduleFreeSgdConfig::new()
}

fn adamw() -> ScheduleFreeAdamWConfig {
    ScheduleFreeAdamWConfig::new()
}

/// Where the model is to be evaluated.
fn x<K: Method>(optimizer: &Optimizer<K>, model: &Many) -> Vectors {
    optimizer.averaged(model).expect("its own model").values()
}

const SIZES: [usize; 2] = [3, 20];

fn gradient(step: u64) -> Vectors {
    Numbers::new(40 + step).vectors(&SIZES)
}

/// The start, and the points of gradient descent at the rate 0.5 along given gradients.
fn descent(steps: u64) -> (Vectors, Vec<Vectors>) {
    let start = Numbers::new(1).vectors(&SIZES);
    let mut z = start.clone();
    let points = (0..steps).map(|step| {
        let moved = z.iter_mut().flatten().zip(gradient(step).concat());
        moved.for_each(|(z, g)| *z -= 0.5 * g);
        z.clone()
    });
    let points = points.collect();
    (start, points)
}

/// The mean of points with weights.
fn mean(points: &[Vectors], weight: impl Fn(usize) -> f64) -> Vectors {
    let sum: f64 = (0..points.len()).map(&weight).sum();
    let mut mean: Vectors = SIZES.iter().map(|size| vec![0.0; *size]).collect();
    for (index, point) in points.iter().enumerate() {
        let share = weight(index) / sum;
        mean.iter_mut().flatten().zip(point.concat()).for_each(|(m, z)| *m += share * z);
    }
    mean
}

#[test]
fn the_model_to_evaluate_is_the_weighted_mean_of_the_plain_steps() {
    let (start, z) = descent(12);
    for r in [0, 2] {
        let mut model = Many::f64(&start);
        let mut optimizer = sgd().with_r(f64::from(r)).init().expect("in range");
        assert_eq!(x(&optimizer, &model), start, "before the first step");
        for step in 0..12 {
            let g = gradient(step as u64);
            accept(optimizer.step(0.5, &mut model, |model: &Many| model.linear(&g)));
            let expected = mean(&z[..=step], |index| ((index + 1) as f64).powi(r));
            // Some ten roundings of 1e-16 a step.
            assert_close(&x(&optimizer, &model), &expected, 1e-14, &format!("r = {r}, {step}"));
        }
    }
}

#[test]
fn the_two_points_that_are_kept_give_the_three_of_the_formulas() {
    let noisy = Noisy::new(&[17], 30, 0.5);
    let decays = [Decay::None, Decay::L2(0.1), Decay::Decoupled(0.1)];
    for decay in decays {
        let twins = [
            twin::ScheduleFree::sgd(decay).warmup(4.0).powers(0.5, 1.0),
            twin::ScheduleFree::adamw(decay).warmup(4.0).powers(0.5, 1.0),
        ];
        let sgd = sgd().with_decay(decay).with_warmup_steps(4).with_r(0.5);
        let adamw = adamw().with_decay(decay).with_warmup_steps(4).with_r(0.5);
        let optimizers: [AnyOptimizer<Many>; 2] = [
            sgd.with_weight_lr_power(1.0).init().expect("in range").into(),
            adamw.with_weight_lr_power(1.0).init().expect("in range").into(),
        ];
        for (mut optimizer, mut twin) in optimizers.into_iter().zip(twins) {
            let (mut model, mut y) = (Many::f64(&noisy.start), noisy.start[0].clone());
            for step in 0..30 {
                let g = noisy.gradient(&[y.clone()], step).concat();
                twin.update(0.05, &mut y, &g);
                accept(optimizer.step(0.05, &mut model, |m: &Many| noisy.loss(m, step)));
                let at_x = optimizer.averaged(&model).expect("its own model");
                let what = format!("{}, step {step}", optimizer.method());
                // 30 steps of some ten roundings, as for every twin.
                assert_close(&model.values(), &[y.clone()], 1e-12, &what);
                assert_close(&at_x.values(), &[twin.x().to_vec()], 1e-12, &what);
            }
        }
    }
}

#[test]
fn at_the_end_of_the_interpolation_gradients_are_taken_at_the_average_itself() {
    let noisy = Noisy::new(&[17], 8, 0.5);
    let mut model = Many::f64(&noisy.start);
    let mut optimizer = sgd().with_momentum(1.0).init().expect("in range");
    for step in 0..8 {
        accept(optimizer.step(0.3, &mut model, |m: &Many| noisy.loss(m, step)));
        assert_eq!(optimizer.averaged(&model).expect("its own model").bits(), model.bits());
    }
    // At the other end y = z, and nothing is kept of x.
    let out_of_range = |error| matches!(error, Some(ConfigError::OutOfRange { .. }));
    assert!(out_of_range(sgd().with_momentum(0.0).init().err()));
    assert!(out_of_range(adamw().with_beta_1(0.0).init().err()));
}

#[test]
fn a_gradient_or_a_rate_of_zero_moves_neither_point() {
    let start = Numbers::new(2).vectors(&SIZES);
    let zero: Vectors = SIZES.iter().map(|size| vec![0.0; *size]).collect();
    for (first, second) in [(zero.clone(), 0.5), (gradient(0), 0.0)] {
        let mut model = Many::f64(&start);
        let mut optimizer = adamw().init().expect("in range");
        for _ in 0..5 {
            accept(optimizer.step(second, &mut model, |m: &Many| m.linear(&first)));
            assert_eq!((model.values(), x(&optimizer, &model)), (start.clone(), start.clone()));
        }
        // A rate of 0 among others stands still as well, where z and y are apart.
        (0..3).for_each(|step| {
            let g = gradient(step);
            accept(optimizer.step(0.5, &mut model, |m: &Many| m.linear(&g)));
        });
        let before = (model.values(), x(&optimizer, &model));
        accept(optimizer.step(0.0, &mut model, |m: &Many| m.linear(&gradient(9))));
        assert_eq!((model.values(), x(&optimizer, &model)), before);
    }
}

#[test]
fn a_later_smaller_rate_does_not_lower_the_weight_of_its_steps() {
    let start = Numbers::new(3).vectors(&SIZES);
    let (mut model, mut z) = (Many::f64(&start), start);
    let mut optimizer = sgd().init().expect("in range");
    let mut points = Vec::new();
    for (step, lr) in [0.25, 0.5, 0.25, 0.125].into_iter().enumerate() {
        let g = gradient(step as u64);
        accept(optimizer.step(lr, &mut model, |model: &Many| model.linear(&g)));
        z.iter_mut().flatten().zip(g.concat()).for_each(|(z, g)| *z -= lr * g);
        points.push(z.clone());
    }
    // The squares of the largest rate so far.
    let expected = mean(&points, |step| [0.0625, 0.25, 0.25, 0.25][step]);
    assert_close(&x(&optimizer, &model), &expected, 1e-14, "four rates");
}

#[test]
fn every_tensor_has_weights_by_its_own_rate_and_its_own_steps() {
    let (start, z) = descent(6);
    let slow = Group::new(ParamGroup::from_path("tensors.1")).with_rate_factor(0.0);
    let mut model = Many::f64(&start);
    let mut optimizer = sgd().init().and_then(|o| o.with_group(slow)).expect("in range");
    let mut late_model = Many::f64(&start);
    let late = sgd().init().and_then(|o| o.with_missing_gradients(MissingGradients::Skip));
    let mut late = late.expect("it works tensor by tensor");
    for step in 0..6 {
        let g = gradient(step);
        accept(optimizer.step(0.5, &mut model, |model: &Many| model.linear(&g)));
        // The second tensor joins at the fourth step.
        accept(late.step(0.5, &mut late_model, |model: &Many| {
            let used = if step < 3 { 1 } else { 2 };
            Many { tensors: model.tensors[..used].to_vec() }.linear(&g[..used])
        }));
    }
    let all = mean(&z, |_| 1.0);
    let values = x(&optimizer, &model);
    assert_close(&values[..1], &all[..1], 1e-14, "the first tensor");
    assert_eq!(values[1], start[1], "at rate 0");
    // From its start, the mean of the points that follow gradients 3, 4 and 5.
    let moved = |point: &Vectors| {
        let from_start = point[1].iter().zip(&z[2][1]).zip(&start[1]);
        from_start.map(|((z, before), start)| start + z - before).collect::<Vec<f64>>()
    };
    let points: Vec<Vectors> = z[3..].iter().map(|z| vec![z[0].clone(), moved(z)]).collect();
    let values = x(&late, &late_model);
    assert_close(&values[..1], &all[..1], 1e-14, "the first tensor");
    assert_close(&values[1..], &mean(&points, |_| 1.0)[1..], 1e-14, "the late one");
}

#[test]
fn looking_at_the_average_leaves_the_model_and_its_running_statistics_alone() {
    let mut model =
        Net { norm: Some(BatchNormConfig::new(8).init(&device())), ..Net::new(DType::F32) };
    let mut optimizer = adamw().init().expect("in range");
    for batch in 0..5 {
        accept(optimizer.step(0.05, &mut model, |net: &Net| net.loss(batch)));
    }
    let (bits, statistics) = (model.bits(), model.statistics());
    let evaluated = optimizer.averaged(&model).expect("its own model");
    assert_ne!(evaluated.bits(), bits, "x is not y");
    assert_eq!(evaluated.statistics(), statistics, "they are those of y");
    assert!(!evaluated.input.weight.val().device().is_autodiff());
    // Taken at x, by passes in training, they are the copy's.
    let retaken = evaluated.train();
    (0..5).for_each(|batch| drop(retaken.loss(batch)));
    assert_ne!(retaken.statistics(), statistics);
    assert_eq!((model.bits(), model.statistics()), (bits.clone(), statistics));
    assert!(model.input.weight.val().is_require_grad());
    // And the steps go on as if nobody had looked.
    let mut other = model.clone().valid().train();
    let mut unseen = optimizer.clone();
    for batch in 5..8 {
        accept(unseen.step(0.05, &mut other, |net: &Net| net.loss(batch)));
        let _ = optimizer.averaged(&model).expect("its own model");
        accept(optimizer.step(0.05, &mut model, |net: &Net| net.loss(batch)));
    }
    assert_eq!(other.bits(), model.bits());
    assert_eq!(other.statistics(), model.statistics());
}

#[test]
fn a_model_that_is_not_the_optimizers_is_told() {
    let noisy = Noisy::new(&[4, 5], 1, 0.3);
    let mut model = Many::f64(&noisy.start);
    let mut optimizer = adamw().init().expect("in range");
    accept(optimizer.step(0.1, &mut model, |m: &Many| noisy.loss(m, 0)));
    let part = Many { tensors: model.tensors[..1].to_vec() };
    for other in [part, Many::f64(&noisy.start)] {
        let error = optimizer.averaged(&other).expect_err("another model").to_string();
        assert!(error.contains("is not there"), "{error}");
    }
    // In evaluation it is still the same model.
    let valid = optimizer.averaged(&model.valid()).expect("the same parameters");
    assert_eq!(valid.values(), x(&optimizer, &model));
}

#[test]
fn methods_that_do_not_average_are_evaluated_where_they_are() {
    let noisy = Noisy::new(&[5], 3, 0.3);
    let mut model = Many::f64(&noisy.start);
    let mut optimizer: AnyOptimizer<Many> = AdamConfig::new().init().expect("in range").into();
    for step in 0..3 {
        accept(optimizer.step(0.1, &mut model, |m: &Many| noisy.loss(m, step)));
        let evaluated = optimizer.averaged(&model).expect("any model");
        assert_eq!(evaluated.bits(), model.bits());
        assert!(!evaluated.tensors[0].val().device().is_autodiff());
    }
    let averages = |text: &str| text.parse::<MethodSpec>().expect(text).averages();
    assert_eq!(averages("adam"), Ok(false));
    assert_eq!(averages("schedule-free-sgd"), Ok(true));
    assert_eq!(averages("switch(first=schedule-free-adamw,then=sgd)"), Ok(true));
    assert_eq!(averages("switch(first=sgd,then=schedule-free-adamw)"), Ok(false));
}

#[test]
fn a_loaded_optimizer_evaluates_at_the_same_point() {
    let folder = temporary_folder("schedule-free");
    let path = folder.join("state.bpk");
    let noisy = Noisy::new(&SIZES, 6, 0.3);
    for dtype in [DType::F32, DType::F64] {
        let mut model = Many::new(&noisy.start, dtype);
        let mut optimizer = adamw().init().expect("in range");
        for step in 0..6 {
            accept(optimizer.step(0.05, &mut model, |m: &Many| noisy.loss(m, step)));
        }
        optimizer.save(&path).expect("saved");
        let other = Many::new(&model.values(), dtype);
        let mut loaded = adamw().init().expect("in range");
        loaded.load(&path, &other).expect("its own record");
        assert_eq!(x(&loaded, &other), x(&optimizer, &model));
    }
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}

fn switched() -> AnyOptimizer<Many> {
    let first: AnyOptimizer<Many> = sgd().init().expect("in range").into();
    let second = SgdConfig::new().init().expect("in range").into();
    let config = SwitchConfig::new().with_at(SwitchAt::Step(4)).with_rate(Some(0.25));
    first.then(second, config).expect("in range")
}

#[test]
fn a_method_that_follows_begins_at_the_average() {
    let noisy = Noisy::new(&SIZES, 8, 0.3);
    let (mut model, mut alone) = (Many::f64(&noisy.start), Many::f64(&noisy.start));
    let (mut optimizer, mut first) = (switched(), sgd().init().expect("in range"));
    let loss = |step| {
        let noisy = &noisy;
        move |model: &Many| noisy.loss(model, step)
    };
    for step in 0..3 {
        accept(optimizer.step(0.2, &mut model, loss(step)));
        accept(first.step(0.2, &mut alone, loss(step)));
        assert_eq!(model.bits(), alone.bits());
        let evaluated = optimizer.averaged(&model).expect("its own model");
        assert_eq!(evaluated.values(), x(&first, &alone));
    }
    // The last step of the first ends at the average, where the model is to be evaluated too.
    accept(optimizer.step(0.2, &mut model, loss(3)));
    accept(first.step(0.2, &mut alone, loss(3)));
    assert_eq!(model.values(), x(&first, &alone));
    assert_eq!(optimizer.averaged(&model).expect("its own model").bits(), model.bits());
    assert!(model.tensors.iter().all(|param| param.val().is_require_grad()));
    // A step that fails, or is rejected, moves nothing.
    let before = model.bits();
    let failed = optimizer.step(0.2, &mut model, |m: &Many| m.tensors[1].val());
    assert!(failed.is_err());
    let nan = |m: &Many| noisy.loss(m, 4).mul_scalar(f64::NAN);
    assert!(!optimizer.step(0.2, &mut model, nan).expect("no error").is_accepted());
    assert_eq!(model.bits(), before);
    // The second goes on from there.
    let mut other = Many::f64(&model.values());
    let mut second = SgdConfig::new().init().expect("in range");
    accept(optimizer.step(0.2, &mut model, loss(5)));
    accept(second.step(0.25, &mut other, loss(5)));
    assert_eq!(model.bits(), other.bits());
    assert_eq!(optimizer.averaged(&model).expect("its own model").bits(), model.bits());
}

/// x.x / 2 + x.1, whose gradient is x + 1.
struct Bowl;

impl Function for Bowl {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = x + 1.0);
        x.iter().map(|x| 0.5 * x * x + x).sum()
    }
}

#[test]
fn of_a_function_the_method_that_follows_begins_at_the_average_as_well() {
    let start = vec![3.0, -2.0, 0.5];
    let (mut vector, mut optimizer) = (start.clone(), switched());
    let mut model = Many::f64(&[start]);
    let mut of_model = switched();
    let loss = |model: &Many| -> Tensor<1> {
        let x = model.tensors[0].val();
        (x.clone() * x.clone()).sum() * 0.5 + x.sum()
    };
    for step in 0..6 {
        accept(optimizer.step_function(0.2, &mut vector, &mut Bowl));
        accept(of_model.step(0.2, &mut model, loss));
        // Burn's gradients and those of the function differ by a rounding or two a step.
        assert_close(&[vector.clone()], &model.values(), 1e-14, &format!("step {step}"));
    }
}
