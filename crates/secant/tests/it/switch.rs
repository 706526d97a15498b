//! One method after another: when the second begins, what it begins with, how it is written, and how it is
//! saved.

use std::fs;

use burn::{module::ParamGroup, tensor::DType};
use secant::{
    AdamConfig, AnyOptimizer, Batches, Clipping, Group, LBfgsConfig, MethodSpec,
    ScheduleFreeSgdConfig, Stall, SwitchAt, SwitchConfig,
    error::{ConfigError, StepError},
    spec::{Choice, Run},
};

use crate::{
    support::{Many, temporary_folder, vector},
    twins::Noisy,
};

fn adam() -> AnyOptimizer<Many> {
    AdamConfig::new().init().expect("defaults").into()
}

fn l_bfgs() -> AnyOptimizer<Many> {
    LBfgsConfig::new().with_full_batch(true).init().expect("in range").into()
}

fn switched(at: SwitchAt) -> AnyOptimizer<Many> {
    adam().then(l_bfgs(), SwitchConfig::new().with_at(at)).expect("in range")
}

/// Accepted steps on one and the same function.
fn steps(optimizer: &mut AnyOptimizer<Many>, model: &mut Many, noisy: &Noisy, count: usize) {
    for _ in 0..count {
        let report = optimizer.step(0.02, model, |model: &Many| noisy.loss(model, 0));
        assert!(report.expect("the contract is kept").is_accepted());
    }
}

#[test]
fn a_switch_is_the_first_optimizer_and_then_a_fresh_second_one_at_its_own_rate() {
    let noisy = Noisy::new(&[5, 20], 1, 0.3);
    let (mut model, mut reference) = (Many::f64(&noisy.start), Many::f64(&noisy.start));
    let mut optimizer = switched(SwitchAt::Step(4));
    let (mut first, mut second) = (adam(), l_bfgs());
    for step in 0..9 {
        steps(&mut optimizer, &mut model, &noisy, 1);
        let loss = |model: &Many| noisy.loss(model, 0);
        let report = match step {
            0..4 => first.step(0.02, &mut reference, loss),
            _ => second.step(1.0, &mut reference, loss),
        };
        assert!(report.expect("the contract is kept").is_accepted());
        assert_eq!(model.bits(), reference.bits(), "step {step}");
        let at_work = if step < 4 { &first } else { &second };
        assert_eq!(optimizer.method(), at_work.method(), "step {step}");
        assert_eq!(optimizer.state_bytes(), at_work.state_bytes(), "step {step}");
        assert_eq!(optimizer.accepted_steps(), step + 1);
    }
}

#[test]
fn a_stalled_loss_switches_and_a_falling_one_does_not() {
    let noisy = Noisy::new(&[10], 1, 0.0);
    let run = |lr: f64| {
        let mut model = Many::f64(&noisy.start);
        let stall = SwitchAt::Stall(Stall { window: 5, decrease: 1e-3 });
        let mut optimizer = switched(stall);
        let mut methods = Vec::new();
        for _ in 0..12 {
            let report = optimizer.step(lr, &mut model, |model: &Many| noisy.loss(model, 0));
            assert!(report.expect("the contract is kept").is_accepted());
            methods.push(optimizer.method());
        }
        methods.iter().filter(|method| **method == "adam").count()
    };
    // Two windows at a rate that moves the loss by less than a thousandth; the third begins elsewhere.
    assert_eq!(run(1e-9), 10);
    assert_eq!(run(0.05), 12);
}

#[test]
fn a_step_that_fails_or_is_rejected_at_the_switch_leaves_the_parameters_alone() {
    let noisy = Noisy::new(&[5], 1, 0.3);
    let mut model = Many::f64(&noisy.start);
    let mut optimizer = switched(SwitchAt::Step(2));
    steps(&mut optimizer, &mut model, &noisy, 2);
    let before = model.bits();
    // The loss must be one number.
    let failed = optimizer.step(0.02, &mut model, |model: &Many| model.tensors[0].val());
    assert!(failed.is_err());
    assert_eq!((optimizer.method(), model.bits()), ("adam", before.clone()));
    let rejected = optimizer
        .step(0.02, &mut model, |m: &Many| noisy.loss(m, 0).mul_scalar(f64::NAN))
        .expect("the contract is kept");
    assert!(!rejected.is_accepted());
    assert_eq!((optimizer.method(), model.bits()), ("l-bfgs", before.clone()));
    assert_eq!((optimizer.accepted_steps(), optimizer.rejected_steps()), (2, 1));
    steps(&mut optimizer, &mut model, &noisy, 1);
    assert_ne!(model.bits(), before);
}

#[test]
fn at_a_rate_of_zero_the_second_stands_still_too() {
    let noisy = Noisy::new(&[5], 1, 0.3);
    let mut model = Many::f64(&noisy.start);
    let mut optimizer = switched(SwitchAt::Step(1));
    steps(&mut optimizer, &mut model, &noisy, 3);
    let before = model.bits();
    let report = optimizer.step(0.0, &mut model, |model: &Many| noisy.loss(model, 0));
    assert!(report.expect("the contract is kept").is_accepted());
    assert_eq!(model.bits(), before);
}

#[test]
fn a_rate_that_is_none_is_told_after_the_switch_too() {
    let noisy = Noisy::new(&[5], 1, 0.3);
    let mut model = Many::f64(&noisy.start);
    let mut optimizer = switched(SwitchAt::Step(1));
    for _ in 0..3 {
        for lr in [f64::NAN, -0.1, f64::INFINITY] {
            let error = optimizer.step(lr, &mut model, |model: &Many| noisy.loss(model, 0));
            assert!(matches!(error, Err(StepError::LearningRate { .. })), "{error:?}");
        }
        steps(&mut optimizer, &mut model, &noisy, 1);
    }
    assert_eq!(optimizer.method(), "l-bfgs");
}

#[test]
fn what_the_second_could_not_do_is_told_at_the_second_step() {
    let noisy = Noisy::new(&[5, 20], 1, 0.3);
    let mut model = Many::f64(&noisy.start);
    let slower = Group::new(ParamGroup::from_predicate("tensors.1")).with_rate_factor(0.5);
    let mut optimizer = switched(SwitchAt::Step(100)).with_group(slower).expect("in range");
    steps(&mut optimizer, &mut model, &noisy, 1);
    let before = model.bits();
    let error = optimizer.step(0.02, &mut model, |model: &Many| noisy.loss(model, 0));
    assert!(matches!(error, Err(StepError::SeveralRates { method: "l-bfgs", .. })), "{error:?}");
    assert_eq!((optimizer.accepted_steps(), model.bits()), (1, before));
}

#[test]
fn ready_gradients_are_refused_at_once_where_the_second_needs_the_loss() {
    let noisy = Noisy::new(&[5], 1, 0.3);
    let model = Many::f64(&noisy.start);
    let gradients = || {
        let loss = noisy.loss(&model, 0);
        burn::optim::GradientsParams::from_grads(loss.backward(), &model)
    };
    let mut moved = model.clone();
    let error = switched(SwitchAt::Step(100)).step_with_gradients(0.1, &mut moved, gradients());
    assert!(matches!(error, Err(StepError::NeedsLoss { method: "l-bfgs" })), "{error:?}");
    let sgd: AnyOptimizer<Many> = secant::SgdConfig::new().init().expect("defaults").into();
    let mut both = adam().then(sgd, SwitchConfig::new().with_at(SwitchAt::Step(1))).expect("valid");
    for _ in 0..3 {
        assert!(both.step_with_gradients(0.1, &mut moved, gradients()).is_ok());
    }
    assert_eq!(both.method(), "sgd");
}

#[test]
fn an_average_is_neither_missed_nor_taken_twice_where_the_switch_is_elsewhere() {
    let folder = temporary_folder("switch-average");
    let path = folder.join("state.bpk");
    let noisy = Noisy::new(&[5], 1, 0.3);
    let free =
        || -> AnyOptimizer<Many> { ScheduleFreeSgdConfig::new().init().expect("defaults").into() };
    let at = |step| SwitchConfig::new().with_at(SwitchAt::Step(step));
    let then = |first: AnyOptimizer<Many>, step| first.then(l_bfgs(), at(step));
    let (mut alone, mut model) = (free(), Many::f64(&noisy.start));
    steps(&mut alone, &mut model, &noisy, 3);
    let late = then(alone.clone(), 3).err().expect("its last step did not end at the average");
    assert!(late.to_string().contains("switch at a later step"), "{late}");
    assert!(then(alone, 4).is_ok());

    for saved_after in [2, 3] {
        let mut optimizer = then(free(), 3).expect("valid");
        let mut model = Many::f64(&noisy.start);
        steps(&mut optimizer, &mut model, &noisy, saved_after);
        optimizer.save(&path).expect("a record");
        let load = |step| then(free(), step).expect("valid").load(&path, &model);
        load(3).expect("the same switch");
        let other = if saved_after == 3 { 5 } else { 2 };
        let error = load(other).expect_err("the average was taken, or is not").to_string();
        assert!(error.contains("`at` "), "{error}");
    }
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn batches_and_the_watch_for_a_stall_go_on_from_a_record_across_the_switch() {
    let folder = temporary_folder("switch");
    let path = folder.join("state.bpk");
    let stall = SwitchAt::Stall(Stall { window: 2, decrease: 0.5 });
    for at in [SwitchAt::Step(3), stall] {
        let start = Many::f64(&[vec![1.0, -2.0]]);
        let loss = |model: &Many, records: &[usize]| {
            let centre: f64 = records.iter().map(|&record| record as f64).sum();
            let x = model.tensors[0].val() - vector(&[centre, -centre], DType::F64);
            (x.clone() * x).sum()
        };
        let batches = || Batches::shuffled(10, 3, 7).expect("a size that is there");
        let (mut whole, mut model, mut drawn) = (switched(at), start, batches());
        let mut seen = Vec::new();
        for _ in 0..8 {
            whole.save(&path).expect("a record");
            let (mut resumed, mut other) = (switched(at), Many::f64(&model.values()));
            resumed.load(&path, &other).expect("a record");
            let mut fresh = batches();
            let again = resumed.step_on(0.1, &mut other, &mut fresh, loss).expect("a step");
            let report = whole.step_on(0.1, &mut model, &mut drawn, loss).expect("a step");
            assert_eq!(report, again);
            assert_eq!(other.bits(), model.bits());
            assert_eq!(resumed.method(), whole.method());
            seen.push(whole.method());
        }
        assert_eq!([seen[0], seen[7]], ["adam", "l-bfgs"], "{at:?}");
    }
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn a_record_of_the_first_is_loaded_into_an_optimizer_that_is_at_the_second() {
    let folder = temporary_folder("switch-back");
    let path = folder.join("state.bpk");
    let noisy = Noisy::new(&[5], 1, 0.3);
    let mut model = Many::f64(&noisy.start);
    let mut optimizer = switched(SwitchAt::Step(3));
    steps(&mut optimizer, &mut model, &noisy, 2);
    optimizer.save(&path).expect("a record");
    let then = model.values();
    steps(&mut optimizer, &mut model, &noisy, 3);
    assert_eq!(optimizer.method(), "l-bfgs");
    let mut again = Many::f64(&then);
    optimizer.load(&path, &again).expect("a record");
    assert_eq!((optimizer.method(), optimizer.accepted_steps()), ("adam", 2));
    steps(&mut optimizer, &mut again, &noisy, 3);
    assert_eq!(again.bits(), model.bits());
    let mut alone = adam();
    alone.save(&path).expect("a record");
    let error = optimizer.load(&path, &again).expect_err("it does not say which one is at work");
    assert!(error.to_string().contains("of the method `adam`, this optimizer is `switch`"));
    assert_eq!(optimizer.method(), "l-bfgs");
    alone.load(&path, &again).expect("its own record");
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn what_cannot_be_switched_is_told() {
    let with = |at| adam().then(l_bfgs(), SwitchConfig::new().with_at(at)).err();
    assert!(matches!(with(SwitchAt::Step(0)), Some(ConfigError::OutOfRange { .. })));
    let stall = |window, decrease| with(SwitchAt::Stall(Stall { window, decrease }));
    assert!(stall(0, 0.1).is_some());
    assert!([-0.1, f64::NAN, 1.0].iter().all(|decrease| stall(5, *decrease).is_some()));
    assert!(adam().then(l_bfgs(), SwitchConfig::new().with_rate(Some(0.0))).is_err());
    let twice = switched(SwitchAt::Step(1)).then(adam(), SwitchConfig::new());
    assert!(matches!(twice.err(), Some(ConfigError::Conflict { .. })));
    let mut used = l_bfgs();
    let noisy = Noisy::new(&[5, 20], 1, 0.3);
    steps(&mut used, &mut Many::f64(&noisy.start), &noisy, 1);
    let after_steps = adam().then(used, SwitchConfig::new());
    assert!(matches!(after_steps.err(), Some(ConfigError::Conflict { .. })));
    // L-BFGS searches along the loss, so the whole refuses clipping.
    let clipping = Clipping::GlobalNorm(1.0);
    assert!(switched(SwitchAt::Step(1)).with_clipping(clipping).is_err());
}

const RUN: Run = Run {
    steps: 1000,
    steps_per_epoch: 50,
    batch_size: 32,
    rows: 1,
    parameters: 10,
    full_batch: true,
    double_precision: true,
};

#[test]
fn a_switch_is_one_description_in_text_and_in_files() {
    let text = "switch(first=adam(beta_1=0.8), then=l-bfgs(history_size=50), at=stall(window=20))";
    let choice: Choice = text.parse().expect(text);
    assert_eq!(choice.to_string(), text.replace(' ', ""));
    assert_eq!(choice.preset().name, "adam");
    let MethodSpec::Switch(switch) = choice.spec(Some(&RUN)).expect(text) else { panic!("{text}") };
    assert_eq!(switch.first, MethodSpec::Adam(AdamConfig::new().with_beta_1(0.8)));
    // What a preset takes from the run, it takes here too.
    let then = LBfgsConfig::new().with_history_size(50).with_full_batch(true);
    assert_eq!(switch.then, MethodSpec::LBfgs(then));
    // The rate is that from which tuning of L-BFGS starts.
    let stall = SwitchAt::Stall(Stall { window: 20, ..Stall::default() });
    assert_eq!(switch.config, SwitchConfig::new().with_at(stall).with_rate(Some(1.0)));

    let spec = MethodSpec::Switch(switch);
    let written = serde_json::to_string(&spec).expect("a table");
    assert_eq!(serde_json::from_str::<MethodSpec>(&written).expect(&written), spec, "{written}");
    assert_eq!(spec.to_string().parse::<MethodSpec>().as_ref(), Ok(&spec), "{spec}");
    let table = r#"{ "method": "switch", "first": "sgd", "then": { "method": "adam", "beta_2": 0.9 },
                     "at": { "step": 7 }, "rate": 0.5 }"#;
    let read: MethodSpec = serde_json::from_str(table).expect(table);
    let expected = "switch(first=sgd,then=adam(beta_2=0.9),at=step(7),rate=0.5)";
    assert_eq!(read.to_string(), expected);
    assert_eq!(read.init::<Many>().expect("in range").method(), "sgd");
    assert_ne!(choice, expected.parse().expect(expected));
}

#[test]
fn mistakes_in_a_switch_are_told_by_name() {
    let said = |text: &str| text.parse::<Choice>().expect_err(text).to_string();
    assert!(said("switch").contains("`first` must be given"), "{}", said("switch"));
    assert!(said("switch(first=adam)").contains("`then` must be given"));
    assert!(said("switch(first=adm,then=sgd)").contains("adam"));
    assert!(said("switch(first=adam(beta1=0.5),then=sgd)").contains("beta_1"));
    assert!(said("switch(first=adam(beta_1=2),then=sgd)").contains("beta_1"));
    assert!(said("switch(first=adam,then=sgd,att=step(2))").contains("`at`"));
    assert!(said("switch(first=adam,then=sgd,at=step(0))").contains("at.step"));
    assert!(said("switch(first=adam,then=sgd,at=now)").contains("step"));
    assert!(said("switch(first=adam,then=sgd,rate=-1)").contains("rate"));
    assert!(said("switch(first=3,then=sgd)").contains("a method"));
    let nested = "switch(first=adam,then=switch(first=sgd,then=adam))";
    assert!(said(nested).contains("no switch"), "{}", said(nested));
    assert!(said("swich(first=adam,then=sgd)").contains("switch"));
}

#[test]
fn needs_of_either_are_needs_of_the_switch() {
    let spec = |text: &str| text.parse::<MethodSpec>().expect(text);
    assert_eq!(spec("switch(first=adam,then=l-bfgs)").needs_loss(), Ok(true));
    assert_eq!(spec("switch(first=adam,then=sgd)").needs_loss(), Ok(false));
}
