//! What the optimizer adds to a method: groups and clipping, against numbers made by hand.

use burn::{
    module::{ParamGroup, ParamId},
    optim::GradientsParams,
    tensor::DType,
};
use secant::{
    AdamConfig, ApolloConfig, Clipping, Decay, Group, Momentum, Optimizer, SgdConfig,
    error::{ConfigError, StepError},
    method::first_order::sgd::Sgd,
};

use crate::support::{Many, Numbers, Vectors, assert_close, vector};

/// One operation or two on numbers of size 1.
const ROUNDING: f64 = 4e-16;

fn sgd() -> Optimizer<Sgd> {
    SgdConfig::new().init().expect("defaults")
}

fn group(path: &str) -> Group {
    Group::new(ParamGroup::from_path(path))
}

/// One step of `optimizer` from `theta` along `gradients`.
fn step(
    optimizer: Result<Optimizer<Sgd>, ConfigError>,
    lr: f64,
    theta: &Vectors,
    gradients: &Vectors,
) -> Vectors {
    let mut model = Many::f64(theta);
    let mut optimizer = optimizer.expect("settings in their ranges");
    let report = optimizer
        .step(lr, &mut model, |model: &Many| model.linear(gradients))
        .expect("the contract is kept");
    assert!(report.is_accepted());
    model.values()
}

#[test]
fn clipping_by_value_cuts_every_entry() {
    let optimizer = sgd().with_clipping(Clipping::Value(0.5));
    let gradients = vec![vec![0.25, -0.75, 3.0], vec![-0.5]];
    let theta = step(optimizer, 1.0, &vec![vec![0.0; 3], vec![0.0]], &gradients);
    // Exact: 0 - 1 g.
    assert_eq!(theta, [vec![-0.25, 0.5, -0.5], vec![0.5]]);
}

#[test]
fn clipping_by_norm_of_a_tensor_leaves_the_short_ones_alone() {
    let optimizer = sgd().with_clipping(Clipping::TensorNorm(1.0));
    // Norms 5 and 0.5.
    let gradients = vec![vec![3.0, 4.0], vec![0.3, 0.4]];
    let theta = step(optimizer, 1.0, &vec![vec![0.0; 2]; 2], &gradients);
    assert_close(&theta, &[vec![-0.6, -0.8], vec![-0.3, -0.4]], ROUNDING, "per tensor");
    assert_eq!(theta[1], [-0.3, -0.4], "a short gradient is not touched");
}

#[test]
fn clipping_by_global_norm_keeps_the_direction_of_the_whole_gradient() {
    // The norm of the whole is 13.
    let gradients = vec![vec![3.0, 4.0], vec![12.0]];
    let start = vec![vec![0.0; 2], vec![0.0]];
    let clipped = step(sgd().with_clipping(Clipping::GlobalNorm(6.5)), 1.0, &start, &gradients);
    assert_close(&clipped, &[vec![-1.5, -2.0], vec![-6.0]], ROUNDING, "global");
    let loose = step(sgd().with_clipping(Clipping::GlobalNorm(13.5)), 1.0, &start, &gradients);
    assert_eq!(loose, [vec![-3.0, -4.0], vec![-12.0]]);
}

#[test]
fn the_reported_norm_is_the_one_before_clipping() {
    let mut optimizer = sgd().with_clipping(Clipping::GlobalNorm(1.0)).expect("a positive limit");
    let mut model = Many::f64(&[vec![0.0; 2], vec![0.0]]);
    let report = optimizer
        .step(1.0, &mut model, |model: &Many| model.linear(&[vec![3.0, 4.0], vec![12.0]]))
        .expect("the contract is kept");
    // 9 + 16 + 144 and its root are exact.
    assert_eq!(report.gradient_norm, Some(13.0));
}

#[test]
fn clipping_leaves_a_gradient_of_zero_at_zero() {
    for clipping in [Clipping::Value(1.0), Clipping::TensorNorm(1.0), Clipping::GlobalNorm(1.0)] {
        let start = vec![vec![1.0, -2.0]];
        let theta = step(sgd().with_clipping(clipping), 1.0, &start, &vec![vec![0.0; 2]]);
        assert_eq!(theta, start);
    }
}

#[test]
fn clipping_large_tensors_by_norm_is_exact_over_all_chunks() {
    let gradients = Numbers::new(6).vectors(&[70_001, 20]);
    let start = vec![vec![0.0; 70_001], vec![0.0; 20]];
    let theta = step(sgd().with_clipping(Clipping::GlobalNorm(1.0)), 1.0, &start, &gradients);
    let norm = theta.iter().flatten().map(|x| x * x).sum::<f64>().sqrt();
    // A sum of 70,000 squares in f64 on both sides.
    assert!((norm - 1.0).abs() < 1e-12, "{norm}");
}

#[test]
fn a_finite_gradient_whose_square_overflows_single_precision_is_clipped_by_norm() {
    // |g|^2 = 1e60 and, beside it, a number of usual size; norms of 3e38 sqrt(200) and more.
    let steep = vec![vec![6e29, -8e29], vec![3.0]];
    let steepest = vec![vec![3e38; 200], vec![-3e38; 30]];
    let step = |clipping: Option<Clipping>, gradients: &Vectors, start: f64| {
        let start: Vectors = gradients.iter().map(|g| vec![start; g.len()]).collect();
        let mut model = Many::new(&start, DType::F32);
        let optimizer =
            clipping.map_or_else(|| Ok(sgd()), |clipping| sgd().with_clipping(clipping));
        let report = optimizer
            .expect("a positive limit")
            .step(1.0, &mut model, |model: &Many| model.linear(gradients).cast(DType::F64))
            .expect("the contract is kept");
        (report, model.values())
    };
    // Each number is rounded to 6e-8 where the gradient is read, twice where it is scaled.
    let close = |actual: &Vectors, expected: &Vectors| assert_close(actual, expected, 4e-7, "");
    let (report, theta) = step(Some(Clipping::TensorNorm(2.0)), &steep, 0.0);
    assert!(report.is_accepted());
    assert!((report.gradient_norm.expect("computed") / 1e30 - 1.0).abs() < 1e-7);
    close(&theta, &vec![vec![-1.2, 1.6], vec![-2.0]]);
    let (report, theta) = step(Some(Clipping::GlobalNorm(2.0)), &steep, 0.0);
    assert!(report.is_accepted());
    close(&theta, &vec![vec![-1.2, 1.6], vec![-6e-30]]);
    // A factor of 2e-40, which single precision has with 17 bits.
    let (report, theta) = step(Some(Clipping::GlobalNorm(1.0)), &steepest, 0.0);
    assert!(report.is_accepted());
    let each = 1.0 / 230f64.sqrt();
    close(&theta, &vec![vec![-each; 200], vec![each; 30]]);
    // What is still too long after clipping, is not clipped by norm, or is not finite is rejected.
    let infinite = vec![vec![f64::INFINITY, 1.0], vec![1.0]];
    for (clipping, gradients) in [
        (None, &steep),
        (Some(Clipping::Value(1.0)), &steep),
        (Some(Clipping::TensorNorm(1e25)), &steep),
        (Some(Clipping::GlobalNorm(1e25)), &steep),
        (Some(Clipping::TensorNorm(1.0)), &infinite),
        (Some(Clipping::GlobalNorm(1.0)), &infinite),
    ] {
        let (report, theta) = step(clipping, gradients, 0.5);
        assert!(!report.is_accepted(), "{clipping:?}");
        assert!(theta.iter().flatten().all(|x| *x == 0.5), "{clipping:?}");
    }
}

#[test]
fn a_group_multiplies_the_rate_of_its_parameters() {
    let optimizer = sgd().with_group(group("tensors.1").with_rate_factor(0.25));
    let start = vec![vec![1.0], vec![1.0]];
    let theta = step(optimizer, 0.5, &start, &vec![vec![1.0], vec![1.0]]);
    // Powers of two: exact.
    assert_eq!(theta, [[0.5], [0.875]]);
}

#[test]
fn a_rate_factor_of_zero_holds_the_group_still() {
    let optimizer = sgd().with_group(group("tensors.0").with_rate_factor(0.0));
    let theta = step(optimizer, 0.5, &vec![vec![1.0], vec![1.0]], &vec![vec![1.0], vec![1.0]]);
    assert_eq!(theta, [[1.0], [0.5]]);
}

#[test]
fn a_group_replaces_kind_and_strength_of_the_decay() {
    let with_decay = SgdConfig::new().with_decay(Decay::L2(0.5)).init();
    let optimizer = with_decay
        .and_then(|o| o.with_group(group("tensors.1").with_decay(Decay::Decoupled(0.25))))
        .and_then(|o| o.with_group(group("tensors.2").with_decay(Decay::None)));
    let theta = step(optimizer, 0.5, &vec![vec![4.0]; 3], &vec![vec![1.0]; 3]);
    // L2: 4 - 0.5 (1 + 0.5 * 4); decoupled: (1 - 0.5 * 0.25) 4 - 0.5; none: 4 - 0.5. Exact.
    assert_eq!(theta, [[2.5], [3.0], [3.5]]);
}

#[test]
fn the_last_of_several_groups_wins_whole() {
    let optimizer = SgdConfig::new()
        .with_decay(Decay::L2(0.5))
        .init()
        .and_then(|o| o.with_group(Group::new(ParamGroup::all()).with_rate_factor(0.5)))
        .and_then(|o| o.with_group(group("tensors.1").with_decay(Decay::None)));
    let theta = step(optimizer, 0.5, &vec![vec![4.0]; 2], &vec![vec![1.0]; 2]);
    // First: half the rate and the method's decay. Second: the rate of no group, no decay.
    assert_eq!(theta, [[4.0 - 0.25 * 3.0], [3.5]]);
}

#[test]
fn groups_select_by_pattern_and_by_id() {
    let mut model = Many::f64(&[vec![1.0], vec![1.0]]);
    let ids: Vec<ParamId> = vec![model.tensors[1].id];
    let mut optimizer = sgd()
        .with_group(Group::new(ParamGroup::from_predicate("tensors")).with_rate_factor(0.5))
        .and_then(|o| o.with_group(Group::new(ParamGroup::from_ids(ids)).with_rate_factor(0.0)))
        .expect("factors at least 0");
    let report = optimizer
        .step(1.0, &mut model, |model: &Many| model.linear(&[vec![1.0], vec![1.0]]))
        .expect("the contract is kept");
    assert!(report.is_accepted());
    assert_eq!(model.values(), [[0.5], [1.0]]);
}

#[test]
fn adamw_with_a_no_decay_list_shrinks_all_other_parameters() {
    let no_decay = Group::new(ParamGroup::from_path("tensors.0")).with_decay(Decay::None);
    let mut optimizer =
        AdamConfig::adamw().init().and_then(|o| o.with_group(no_decay)).expect("in range");
    let mut model = Many::f64(&[vec![2.0], vec![2.0]]);
    let report = optimizer
        .step(0.5, &mut model, |model: &Many| model.linear(&[vec![0.0], vec![0.0]]))
        .expect("the contract is kept");
    assert!(report.is_accepted());
    // Without a gradient only the decay moves: (1 - 0.5 * 0.01) 2.
    assert_eq!(model.values(), [[2.0], [(1.0 - 0.5 * 0.01) * 2.0]]);
}

#[test]
fn stable_decay_in_a_group_is_refused_where_the_method_cannot_apply_it() {
    let stable = || group("tensors.0").with_decay(Decay::Stable(0.1));
    let mut model = Many::f64(&[vec![1.0]]);
    let before = model.bits();
    let mut optimizer = sgd().with_group(stable()).expect("the group by itself is fine");
    let error = optimizer.step(0.1, &mut model, |model: &Many| model.linear(&[vec![1.0]]));
    assert_eq!(error, Err(StepError::Decay { method: "sgd" }));
    assert_eq!(model.bits(), before);
    let apollo = ApolloConfig::new().init().and_then(|o| o.with_group(stable()));
    let mut apollo = apollo.expect("the group by itself is fine");
    let report = apollo.step(0.1, &mut model, |model: &Many| model.linear(&[vec![1.0]]));
    assert!(report.is_ok_and(|report| report.is_accepted()));
}

#[test]
fn settings_out_of_their_range_are_refused_and_nan_is_out_of_every_range() {
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        for clipping in [Clipping::Value(bad), Clipping::TensorNorm(bad), Clipping::GlobalNorm(bad)]
        {
            assert!(sgd().with_clipping(clipping).is_err(), "{clipping:?}");
        }
        assert!(sgd().with_group(group("a").with_rate_factor(bad)).is_err());
        for decay in [Decay::L2(bad), Decay::Decoupled(bad), Decay::Stable(bad)] {
            assert!(sgd().with_group(group("a").with_decay(decay)).is_err(), "{decay:?}");
            assert!(SgdConfig::new().with_decay(decay).init().is_err(), "{decay:?}");
        }
        assert!(SgdConfig::new().with_momentum(Momentum::torch(bad)).init().is_err());
        assert!(AdamConfig::new().with_beta_1(bad).init().is_err());
        assert!(AdamConfig::new().with_beta_2(bad).init().is_err());
        assert!(AdamConfig::new().with_epsilon(bad).init().is_err());
    }
    assert!(sgd().with_clipping(Clipping::GlobalNorm(0.0)).is_err());
}

#[test]
fn gradients_of_an_existing_loop_give_the_step_of_the_closure() {
    let gradients = Numbers::new(8).vectors(&[3, 20]);
    let start = Numbers::new(9).vectors(&[3, 20]);
    let mut by_closure = Many::f64(&start);
    let mut by_gradients = Many::f64(&start);
    let mut optimizers = [0; 2].map(|_| AdamConfig::new().init().expect("defaults"));
    for _ in 0..3 {
        let loss = |model: &Many| model.linear(&gradients);
        let report = optimizers[0].step(0.1, &mut by_closure, loss).expect("the contract is kept");
        assert!(report.is_accepted());
        let mut given = GradientsParams::new();
        for (param, gradient) in by_gradients.tensors.iter().zip(&gradients) {
            given.register(param.id, vector(gradient, DType::F64).inner());
        }
        let report = optimizers[1]
            .step_with_gradients(0.1, &mut by_gradients, given)
            .expect("the contract is kept");
        assert!(report.is_accepted());
        // The caller evaluated, not the optimizer.
        assert_eq!((report.loss, report.evals.gradient), (None, 0));
        assert_eq!(by_gradients.bits(), by_closure.bits());
    }
}
