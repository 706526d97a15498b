//! Parameters that have a gradient in some steps and none in others; groups that select nothing; and what
//! is said where there is nothing to train.

use burn::{
    module::{Module, Param, ParamGroup},
    optim::GradientsParams,
    tensor::{DType, Tensor},
};
use secant::{
    AdaBeliefConfig, AdamConfig, ApolloConfig, Clipping, Decay, Group, MissingGradients, Momentum,
    MuonConfig, OnRejection, Optimizer, PairOutcome, QuasiAdamConfig, RAdamConfig, Rejection,
    RmsPropConfig, ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig, Scope, SgdBbConfig, SgdConfig,
    ShampooConfig, SoapConfig, StepReport, SubspaceNewtonConfig,
    blocks::{Blocks, Layout},
    error::{ConfigError, RecordError, StepError},
    method::{
        first_order::{
            adam::{Adam, AdamState},
            sgd::Sgd,
        },
        lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig,
    },
    oracle::Oracle,
    protocol::{GradientMethod, Method, StepContext},
};

use crate::{
    support::{Many, Numbers, Tested},
    twins::Noisy,
};

fn skipping<K: GradientMethod>(optimizer: Result<Optimizer<K>, ConfigError>) -> Box<dyn Tested> {
    let optimizer = optimizer.and_then(|o| o.with_missing_gradients(MissingGradients::Skip));
    Box::new(optimizer.expect("it works tensor by tensor"))
}

/// Every method that works tensor by tensor.
fn methods() -> Vec<(&'static str, Box<dyn Tested>)> {
    let sgd = |momentum| SgdConfig::new().with_momentum(momentum).init();
    let rmsprop = RmsPropConfig::new().with_momentum(0.9).with_centered(true);
    let shampoo = ShampooConfig::new().with_precondition_frequency(2).with_start(Some(3));
    let schedule_free = ScheduleFreeAdamWConfig::new().with_warmup_steps(3);
    let quasi = QuasiAdamConfig::new().with_scope(Scope::PerTensor);
    let keep = quasi.with_on_rejection(OnRejection::KeepPair);
    let scaled = quasi.with_on_rejection(OnRejection::ScaledGradient);
    vec![
        ("sgd", skipping(sgd(Momentum::None))),
        ("sgd, momentum", skipping(sgd(Momentum::torch(0.9)))),
        ("sgd, ema", skipping(sgd(Momentum::Ema { momentum: 0.9 }))),
        ("adam", skipping(AdamConfig::new().init())),
        ("adamw", skipping(AdamConfig::adamw().init())),
        ("rmsprop", skipping(rmsprop.init())),
        ("radam", skipping(RAdamConfig::new().with_decay(Decay::L2(0.1)).init())),
        ("adabelief", skipping(AdaBeliefConfig::new().init())),
        ("schedule-free-adamw", skipping(schedule_free.init())),
        ("schedule-free-sgd", skipping(ScheduleFreeSgdConfig::new().init())),
        ("apollo", skipping(ApolloConfig::new().with_warmup(3).init())),
        ("muon", skipping(MuonConfig::new().init())),
        ("shampoo", skipping(shampoo.init())),
        ("soap", skipping(SoapConfig::new().init())),
        ("quasi-adam", skipping(quasi.init())),
        ("quasi-adam, keeps pair", skipping(keep.init())),
        ("quasi-adam, scaled gradient", skipping(scaled.init())),
        ("quasi-adam-ema", skipping(QuasiAdamEmaConfig::new().init())),
    ]
}

const SIZES: [usize; 4] = [5, 3, 20, 7];
const STEPS: usize = 14;

/// Which tensors the loss of each step uses: a gate always, and of three experts some.
fn used(step: usize) -> Vec<usize> {
    [vec![0, 1, 2], vec![0, 2], vec![0, 3], vec![0, 1], vec![0, 1, 2, 3]][step % 5].clone()
}

/// One noisy quadratic for each tensor.
fn quadratics() -> Vec<Noisy> {
    SIZES.iter().map(|size| Noisy::new(&[*size], STEPS, 0.5)).collect()
}

fn only(param: &Param<Tensor<1>>) -> Many {
    Many { tensors: vec![param.clone()] }
}

/// The loss of `step`, of the tensors that it uses.
fn loss<'a>(noisy: &'a [Noisy], step: usize) -> impl FnMut(&Many) -> Tensor<1> + 'a {
    move |model: &Many| {
        let term = |tensor: usize| noisy[tensor].loss(&only(&model.tensors[tensor]), step);
        crate::support::sum(used(step).into_iter().map(term))
    }
}

fn start(noisy: &[Noisy]) -> Vec<Vec<f64>> {
    noisy.iter().map(|noisy| noisy.start[0].clone()).collect()
}

fn accept(report: Result<StepReport, StepError>, what: &str) {
    assert!(report.expect("the contract is kept").is_accepted(), "{what}");
}

/// Gradients that a method looks at without moving.
fn waits(name: &str) -> usize {
    usize::from(name == "soap")
}

/// Each tensor by itself, in the steps that use it: its bits at the end.
fn alone(optimizer: &dyn Tested, noisy: &[Noisy], dtype: DType) -> Vec<Vec<u64>> {
    let train = |tensor: usize| {
        let (mut optimizer, noisy) = (optimizer.boxed(), &noisy[tensor]);
        let mut model = Many::new(&noisy.start, dtype);
        for step in (0..STEPS).filter(|step| used(*step).contains(&tensor)) {
            let report = optimizer.step(0.02, &mut model, &mut |m: &Many| noisy.loss(m, step));
            accept(report, "alone");
        }
        model.bits().remove(0)
    };
    (0..SIZES.len()).map(train).collect()
}

#[test]
fn an_expert_that_is_unused_in_some_steps_is_trained_as_if_it_were_alone() {
    let noisy = quadratics();
    for dtype in [DType::F32, DType::F64] {
        for (name, method) in methods() {
            let mut optimizer = method.boxed();
            let mut model = Many::new(&start(&noisy), dtype);
            for step in 0..STEPS {
                let before = model.bits();
                accept(optimizer.step(0.02, &mut model, &mut loss(&noisy, step)), name);
                for (tensor, before) in before.iter().enumerate() {
                    let uses = (0..step).filter(|step| used(*step).contains(&tensor)).count();
                    let moves = used(step).contains(&tensor) && uses >= waits(name);
                    assert_eq!(model.bits()[tensor] != *before, moves, "{name}, step {step}");
                }
            }
            assert_eq!(model.bits(), alone(&*method, &noisy, dtype), "{name}");
        }
    }
}

#[test]
fn a_rejected_step_ages_no_parameter_and_is_a_rejection_for_all() {
    let noisy = quadratics();
    for (name, method) in methods() {
        let mut optimizer = method.boxed();
        let mut model = Many::f64(&start(&noisy));
        for step in 0..STEPS {
            let before = model.bits();
            let mut bad =
                |model: &Many| loss(&noisy, (step + 1) % STEPS)(model).add_scalar(f64::NAN);
            let report = optimizer.step(0.02, &mut model, &mut bad).expect("no error");
            assert!(!report.is_accepted());
            assert_eq!(model.bits(), before, "{name}");
            accept(optimizer.step(0.02, &mut model, &mut loss(&noisy, step)), name);
        }
        assert_eq!(model.bits(), alone(&*method, &noisy, DType::F64), "{name}");
        assert_eq!(optimizer.rejected_steps(), STEPS as u64);
    }
}

#[test]
fn a_frozen_parameter_that_is_released_later_joins_with_a_fresh_state() {
    let noisy = Noisy::new(&[5, 20], STEPS, 0.3);
    for (name, method) in methods() {
        let mut model = Many::f64(&noisy.start);
        let trained = model.tensors[1].clone();
        model.tensors[1] = trained.no_grad();
        let (mut optimizer, mut late) = (method.boxed(), method.boxed());
        for step in 0..STEPS {
            if step == 6 {
                model.tensors[1] = model.tensors[1].clone().map(Tensor::require_grad);
            }
            let values = model.values();
            accept(optimizer.step(0.02, &mut model, &mut |m: &Many| noisy.loss(m, step)), name);
            let moves = step >= 6 + waits(name);
            assert_eq!(model.values()[1] != values[1], moves, "{name}");
        }
        // The quadratic of the second tensor does not see the first.
        let mut released = Many::f64(&noisy.start);
        let mut first = Many::f64(&noisy.start).tensors.remove(0);
        first = first.no_grad();
        released.tensors[0] = first;
        for step in 6..STEPS {
            accept(late.step(0.02, &mut released, &mut |m: &Many| noisy.loss(m, step)), name);
        }
        assert_eq!(model.bits()[1], released.bits()[1], "{name}");
    }
}

#[test]
fn a_record_of_parameters_with_different_pasts_goes_on_as_if_it_had_never_stopped() {
    let noisy = quadratics();
    let path = std::env::temp_dir().join(format!("secant-cohorts-{}", std::process::id()));
    for (name, method) in methods() {
        let mut optimizer = method.boxed();
        let mut model = Many::f64(&start(&noisy));
        for step in 0..STEPS {
            optimizer.save_to(&path);
            let mut other = Many::f64(&model.values());
            let mut resumed = method.boxed();
            resumed.load_from(&path, &other).expect("a record");
            accept(resumed.step(0.02, &mut other, &mut loss(&noisy, step)), name);
            accept(optimizer.step(0.02, &mut model, &mut loss(&noisy, step)), name);
            assert_eq!(other.bits(), model.bits(), "{name}, step {step}");
            assert_eq!(resumed.state_bytes(), optimizer.state_bytes(), "{name}, step {step}");
        }
    }
    let mut strict = AdamConfig::new().init().expect("defaults");
    let mut optimizer = skipping(AdamConfig::new().init());
    let mut model = Many::f64(&start(&noisy));
    for step in 0..3 {
        accept(optimizer.step(0.02, &mut model, &mut loss(&noisy, step)), "adam");
    }
    optimizer.save_to(&path);
    assert!(matches!(strict.load(&path, &model), Err(RecordError::MissingGradients)));
    std::fs::remove_file(&path).expect("written above");
}

#[test]
fn clipping_is_of_the_parameters_that_have_a_gradient() {
    let mut optimizer = SgdConfig::new()
        .init()
        .and_then(|o| o.with_missing_gradients(MissingGradients::Skip))
        .and_then(|o| o.with_clipping(Clipping::GlobalNorm(1.0)))
        .expect("valid");
    let mut model = Many::f64(&[vec![0.0], vec![0.0], vec![0.0]]);
    for used in [[0, 1], [1, 2]] {
        let before = model.values();
        let report = optimizer
            .step(1.0, &mut model, |model: &Many| {
                let [a, b] = used.map(|tensor| model.tensors[tensor].val());
                (a.mul_scalar(3.0) + b.mul_scalar(4.0)).sum()
            })
            .expect("a step");
        assert_eq!(report.gradient_norm, Some(5.0));
        let moved = |tensor: usize| model.values()[tensor][0] - before[tensor][0];
        // A quotient and a product, each rounded to 1e-16.
        assert!((moved(used[0]) + 0.6).abs() < 1e-15 && (moved(used[1]) + 0.8).abs() < 1e-15);
    }
}

#[test]
fn methods_with_one_state_for_all_parameters_refuse_to_leave_some_alone() {
    let skip = MissingGradients::Skip;
    let quasi = QuasiAdamConfig::new().init().and_then(|o| o.with_missing_gradients(skip));
    assert!(matches!(quasi, Err(ConfigError::Conflict { method: "quasi-adam", .. })));
    let sgd_bb = SgdBbConfig::new(4).init().and_then(|o| o.with_missing_gradients(skip));
    assert!(matches!(sgd_bb, Err(ConfigError::Conflict { method: "sgd-bb", .. })));
    let plane = SubspaceNewtonConfig::new().init().and_then(|o| o.with_missing_gradients(skip));
    assert!(matches!(plane, Err(ConfigError::Conflict { method: "subspace-newton", .. })));
    let strict = SgdBbConfig::new(4).init();
    assert!(strict.and_then(|o| o.with_missing_gradients(MissingGradients::Error)).is_ok());
}

fn sgd(group: ParamGroup) -> Optimizer<Sgd> {
    let group = Group::new(group).with_decay(Decay::None);
    SgdConfig::new().init().and_then(|o| o.with_group(group)).expect("valid")
}

#[test]
fn a_group_that_selects_nothing_is_an_error_that_names_it_and_the_nearest_path() {
    let mut model = Many::f64(&[vec![1.0; 2], vec![2.0; 2], vec![3.0; 2]]);
    let frozen = model.tensors[2].clone().no_grad();
    model.tensors[2] = frozen;
    let loss = |model: &Many| model.linear(&[vec![1.0; 2], vec![1.0; 2], vec![1.0; 2]]);
    let before = model.bits();
    let said = |group: ParamGroup, model: &mut Many| {
        let error = sgd(group).step(0.1, model, loss).expect_err("it selects nothing");
        assert_eq!(model.bits(), before);
        error.to_string()
    };
    assert_eq!(
        said(ParamGroup::from_path("tensor.1"), &mut model),
        "the group of `tensor.1` selects no parameter of the model; the nearest path is `tensors.1`"
    );
    let list = ParamGroup::from_paths(vec!["bias", "tensors.l"]);
    assert!(said(list, &mut model).starts_with("the group of `bias`, `tensors.l` selects no"));
    assert_eq!(
        said(ParamGroup::from_ids(Vec::new()), &mut model),
        "the group of ids selects no parameter of the model"
    );
    let regex = ParamGroup::from_regex("^layers").expect("a pattern");
    assert!(said(regex, &mut model).contains("`^layers`"));
    // A group of frozen parameters is not misspelt.
    accept(sgd(ParamGroup::from_path("tensors.2")).step(0.1, &mut model, loss), "frozen");
    let error = sgd(ParamGroup::from_path("y")).step_function(0.1, &mut vec![1.0], &mut Line);
    assert!(error.is_err_and(|error| error.to_string().ends_with("the nearest path is `x`")));
    let gradients = GradientsParams::new();
    let error = sgd(ParamGroup::from_path("b")).step_with_gradients(0.1, &mut model, gradients);
    assert!(error.is_err());
}

struct Line;

impl secant::Function for Line {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(1.0);
        x.iter().sum()
    }
}

/// Evaluates twice.
#[derive(Clone, Debug)]
struct Twice(Adam);

impl Method for Twice {
    type State = AdamState;
    const NAME: &'static str = "twice";

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
        self.0.init(layout)
    }

    fn step(
        &self,
        _: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        _: &mut AdamState,
    ) -> Result<StepReport, StepError> {
        oracle.gradient()?;
        Ok(oracle.gradient()?.report(oracle.evals()))
    }
}

impl GradientMethod for Twice {
    fn update(
        &self,
        _: &StepContext<'_>,
        _: &mut Blocks,
        _: &mut Blocks,
        _: &mut AdamState,
    ) -> Result<PairOutcome, Rejection> {
        Ok(PairOutcome::NotTried)
    }
}

#[test]
fn nothing_to_train_no_gradient_and_no_loss_are_three_errors() {
    let values = Numbers::new(1).vectors(&[3, 2]);
    let mut optimizer = AdamConfig::new().init().expect("defaults");
    let mut frozen = Many::f64(&values).no_grad();
    let error = optimizer.step(0.1, &mut frozen, |model: &Many| model.linear(&values));
    assert_eq!(error, Err(StepError::NoParameters));
    let mut model = Many::f64(&values);
    let error = optimizer.step_with_gradients(0.1, &mut model, GradientsParams::new());
    assert_eq!(error, Err(StepError::NoGradient));
    let mut twice = Optimizer::new(Twice(AdamConfig::new().build())).expect("valid");
    let loss = model.linear(&values);
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    let error = twice.step_with_gradients(0.1, &mut model, gradients);
    assert_eq!(error, Err(StepError::NeedsLoss { method: "twice" }));
    accept(twice.step(0.1, &mut model, |model: &Many| model.linear(&values)), "a loss");
}
