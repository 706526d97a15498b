//! Subspace Newton: where its steps go, what they cost, and where its curvature comes from. Its plane's algebra is
//! tested in `secant-core`, its trajectory on vectors against the plain twin.

mod average;

use burn::{
    module::{Module, Param, ParamGroup},
    optim::GradientsParams,
    tensor::{DType, Tensor},
};
use secant::{
    Batches, Decay, Duals, Function, Group, Optimizer, Outcome, Rejection, SoapConfig, StepReport,
    SubspaceNewtonConfig, WithProduct,
    dual::{Dual, Tangents, gauss_newton_form},
    error::{ConfigError, StepError},
    method::layer_wise::subspace_newton::SubspaceNewton,
};

use crate::{
    layers::Layers,
    quasi_newton::{Dense, Quadratic, dot},
    support::{Many, Numbers, Vectors, assert_close, numbers, temporary_folder, vector},
};

const RECORDS: usize = 8;

/// Two layers of matrices with a function between them, on fixed records.
#[derive(Module, Debug)]
struct Net {
    hidden: Param<Tensor<2>>,
    output: Param<Tensor<2>>,
    has_tanh: bool,
    has_kinks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Between {
    Nothing,
    Tanh,
    Relu,
}

impl Net {
    fn new(between: Between, dtype: DType) -> Self {
        Self::with(&Numbers::new(3).vectors(&[36, 24]), between, dtype)
    }

    fn with(values: &[Vec<f64>], between: Between, dtype: DType) -> Self {
        let matrix = |values: &[f64], columns: usize| {
            let rows = values.len() / columns;
            Param::from_tensor(vector(values, dtype).reshape([rows, columns]).detach())
        };
        Self {
            hidden: matrix(&values[0], 12),
            output: matrix(&values[1], 2),
            has_tanh: between == Between::Tanh,
            has_kinks: between == Between::Relu,
        }
    }

    /// The loss of some of the records.
    fn loss(&self, at: &Tangents, records: &[usize]) -> Dual<1> {
        let dtype = self.hidden.val().dtype();
        let rows: Vec<Vec<f64>> =
            records.iter().map(|r| Numbers::new(40 + *r as u64).vector(5)).collect();
        let columns = |columns: std::ops::Range<usize>| {
            let width = columns.len();
            let values: Vec<f64> =
                rows.iter().flat_map(|row| row[columns.clone()].to_vec()).collect();
            vector(&values, dtype).detach().reshape([records.len(), width])
        };
        let x = Dual::from(columns(0..3)).matmul(at.param(&self.hidden));
        let x = if self.has_tanh { x.tanh() } else { x };
        let x = if self.has_kinks { x.relu() } else { x };
        at.output(x.matmul(at.param(&self.output))).mse(columns(3..5))
    }

    fn values(&self) -> Vectors {
        vec![numbers(self.hidden.val()), numbers(self.output.val())]
    }

    /// The gradient at the parameters.
    fn gradient(&self) -> GradientsParams {
        let all: Vec<usize> = (0..RECORDS).collect();
        GradientsParams::from_grads(self.loss(&Tangents::none(), &all).value.backward(), self)
    }
}

fn all() -> Vec<usize> {
    (0..RECORDS).collect()
}

fn on_duals(net: &Net, at: &Tangents) -> Dual<1> {
    net.loss(at, &all())
}

fn plain(net: &Net) -> Tensor<1> {
    net.loss(&Tangents::none(), &all()).value
}

/// Nearly undamped, not capped, with the curvature of the step alone, all layers alike.
fn exact() -> SubspaceNewtonConfig {
    let config = SubspaceNewtonConfig::new().with_lambda(1e-12).with_cap(1e6);
    config.with_curvature_average(0.0).with_narrow_below(None)
}

fn optimizer(config: SubspaceNewtonConfig) -> Optimizer<SubspaceNewton> {
    config.init().expect("valid")
}

#[track_caller]
fn accept(report: Result<StepReport, StepError>) {
    let _ = accepted(report);
}

#[track_caller]
fn accepted(report: Result<StepReport, StepError>) -> StepReport {
    let report = report.expect("the contract is kept");
    assert!(report.is_accepted(), "{report:?}");
    report
}

#[test]
fn the_first_gradient_moves_nothing_and_the_second_step_ends_at_the_minimum_of_its_line() {
    let hessian =
        || Dense { rows: vec![vec![4.0, 1.0, 0.5], vec![1.0, 2.0, 0.0], vec![0.5, 0.0, 9.0]] };
    let mut function = Quadratic(hessian(), vec![1.0, 2.0, -3.0]);
    let start = vec![7.0, -3.0, 1.0];
    let (mut optimizer, mut x) = (optimizer(exact()), start.clone());
    accept(optimizer.step_function(1.0, &mut x, &mut function));
    assert_eq!(x, start);
    accept(optimizer.step_function(1.0, &mut x, &mut function));
    let (mut slope, s) = (vec![0.0; 3], [x[0] - start[0], x[1] - start[1], x[2] - start[2]]);
    let before = function.gradient(&start, &mut slope);
    assert!(dot(&slope, &s) < 0.0);
    let after = function.gradient(&x, &mut slope);
    // A damping of 1e-12 leaves so much of the slope.
    assert!(after < before && dot(&slope, &s).abs() < 1e-10 * (before - after));
}

#[test]
fn where_the_plane_is_all_of_space_a_step_is_newtons() {
    let mut function =
        Quadratic(Dense { rows: vec![vec![4.0, 1.0], vec![1.0, 0.5]] }, vec![1.0, 2.0]);
    let (mut optimizer, mut x) = (optimizer(exact()), vec![7.0, -3.0]);
    for _ in 0..3 {
        accept(optimizer.step_function(1.0, &mut x, &mut function));
    }
    // A x = b: the determinant is 1. The directions are 1e-1 from parallel, the damping is 1e-12.
    assert_close(&[x], &[vec![-1.5, 7.0]], 1e-8, "the minimum");
}

#[test]
fn two_steps_of_the_plane_bring_as_much_as_two_of_conjugate_gradients() {
    // In the eigenbasis: the gradient's signs are far better directions than its sizes.
    let rows = |i: usize| (0..6).map(|j| if i == j { 4f64.powi(i as i32) } else { 0.0 }).collect();
    let hessian = || Dense { rows: (0..6).map(rows).collect() };
    let mut function = Quadratic(hessian(), vec![0.0; 6]);
    let start = vec![1.0, -1.5, 0.7, 1.0, 2.0, -1.0];
    let mut gradient = vec![0.0; 6];
    let mut conjugate = start.clone();
    function.gradient(&conjugate, &mut gradient);
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    for _ in 0..2 {
        let mut product = vec![0.0; 6];
        assert!(function.hessian_vector(&conjugate, &direction, &mut product));
        let (square, bend) = (dot(&gradient, &gradient), dot(&direction, &product));
        conjugate.iter_mut().zip(&direction).for_each(|(x, d)| *x += square / bend * d);
        function.gradient(&conjugate, &mut gradient);
        let beta = dot(&gradient, &gradient) / square;
        direction = gradient.iter().zip(&direction).map(|(g, d)| beta * d - g).collect();
    }
    let (mut optimizer, mut x) = (optimizer(exact()), start);
    for _ in 0..3 {
        accept(optimizer.step_function(1.0, &mut x, &mut function));
    }
    let value = |x: &[f64], function: &mut Quadratic| function.gradient(x, &mut [0.0; 6]);
    assert!(value(&x, &mut function) < value(&conjugate, &mut function));
}

#[test]
fn the_coefficient_is_the_slope_over_the_dense_gauss_newton_curvature() {
    // Without bases and with eps = 0 the first direction is the sign of the gradient.
    let config = exact().with_max_precond_dim(0).with_epsilon(0.0);
    for between in [Between::Tanh, Between::Relu] {
        let mut net = Net::new(between, DType::F64);
        let mut optimizer = optimizer(config);
        for _ in 0..2 {
            let gradient = net.gradient();
            let mut sign = GradientsParams::new();
            for id in [net.hidden.id, net.output.id] {
                sign.register(id, gradient.get::<2>(id).expect("an entry").sign());
            }
            let slope: f64 = [net.hidden.id, net.output.id]
                .map(|id| gradient.get::<2>(id).expect("an entry").abs().sum().into_scalar::<f64>())
                .iter()
                .sum();
            let form = gauss_newton_form(&net, &[&sign], on_duals).expect("marked")[0][0];
            let report = accepted(optimizer.step(1.0, &mut net, Duals(on_duals)));
            if let Some(step) = report.step_size {
                assert!((step - slope / form).abs() < 1e-10 * step, "{between:?}");
            }
        }
    }
}

#[test]
fn a_layer_of_a_quarter_of_the_fan_in_has_four_times_the_share_of_the_direction() {
    // Fan-ins of 3 and 12.
    let moved = |narrow_below| {
        let mut net = Net::new(Between::Tanh, DType::F64);
        let (before, config) = (net.values(), exact().with_narrow_below(narrow_below));
        let mut optimizer = optimizer(config);
        (0..2).for_each(|_| accept(optimizer.step(1.0, &mut net, Duals(on_duals))));
        let length = |(a, b): (&Vec<f64>, &Vec<f64>)| {
            a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        net.values().iter().zip(&before).map(length).collect::<Vec<_>>()
    };
    let (alike, narrow) = (moved(None), moved(Some(12)));
    let ratio = (narrow[0] / narrow[1]) / (alike[0] / alike[1]);
    assert!((ratio - 4.0).abs() < 1e-10, "{ratio}");
}

#[test]
fn a_matrix_whose_bases_cost_too_much_goes_along_its_polar_factor_to_the_minimum_of_that_line() {
    let (start, target) = (Numbers::new(30).vector(774), Numbers::new(31).vector(774));
    let config = exact().with_max_cost(Some(0.0));
    let mut newton = optimizer(config);
    let soap = SoapConfig::new().with_beta_1(0.85).with_max_cost(Some(0.0));
    let mut soap = soap.init().expect("valid");
    let loss = |model: &Layers| model.distance(std::slice::from_ref(&target));
    let [mut one, mut two] =
        [0; 2].map(|_| Layers::new(&[vec![258, 3]], std::slice::from_ref(&start), DType::F64));
    for _ in 0..2 {
        accept(newton.step(1.0, &mut one, loss));
        accept(soap.step(0.1, &mut two, loss));
    }
    let from_start = |to: &[f64]| to.iter().zip(&start).map(|(a, b)| a - b).collect::<Vec<f64>>();
    let (along, rest) = (from_start(&two.values()[0]), from_start(&target));
    let part = dot(&along, &rest) / dot(&along, &along);
    let expected = along.iter().map(|along| part * along).collect();
    // By differences of gradients.
    assert_close(&[from_start(&one.values()[0])], &[expected], 1e-9, "along the polar factor");
    // M', p and x: neither V nor bases.
    assert_eq!(newton.state_bytes(), 3 * 8 * 774);
}

#[test]
fn on_a_linear_model_products_on_duals_by_hand_and_by_differences_are_one() {
    // Curvature by hand, of a squared distance: the Hessian is 1.
    let shapes = [vec![4, 3], vec![5]];
    let target = Numbers::new(8).vectors(&[12, 5]);
    let start = Numbers::new(9).vectors(&[12, 5]);
    let run = |by_hand: bool| {
        let mut model = Layers::new(&shapes, &start, DType::F64);
        let mut optimizer = optimizer(SubspaceNewtonConfig::new());
        for _ in 0..12 {
            let loss = |model: &Layers| model.distance(&target);
            let report = if by_hand {
                let product = |model: &Layers, v: &GradientsParams| {
                    let mut product = GradientsParams::new();
                    let (matrix, bias) = (model.matrices[0].id, model.vectors[0].id);
                    product.register(matrix, v.get::<2>(matrix).expect("an entry"));
                    product.register(bias, v.get::<1>(bias).expect("an entry"));
                    product
                };
                optimizer.step(1.0, &mut model, WithProduct(loss, product))
            } else {
                optimizer.step(1.0, &mut model, loss)
            };
            accept(report);
        }
        model.values()
    };
    // Differences lose five digits of 1e-16.
    assert_close(&run(true), &run(false), 1e-9, "by hand");
    // One layer that is linear: its Gauss-Newton matrix is its Hessian.
    let [mut dual, mut differences] = [0; 2].map(|_| Net::new(Between::Nothing, DType::F64));
    for net in [&mut dual, &mut differences] {
        net.output = net.output.clone().no_grad();
    }
    let [mut one, mut two] = [0; 2].map(|_| optimizer(SubspaceNewtonConfig::new()));
    for _ in 0..12 {
        accept(one.step(1.0, &mut dual, Duals(on_duals)));
        accept(two.step(1.0, &mut differences, plain));
    }
    assert_close(&differences.values(), &dual.values(), 1e-8, "on duals");
}

#[test]
fn a_part_of_the_batch_is_measured_and_evaluations_are_counted_as_they_are() {
    let mut net = Net::new(Between::Relu, DType::F32);
    let config = SubspaceNewtonConfig::new().with_curvature_share(0.2);
    let mut optimizer = optimizer(config);
    let mut batches = Batches::listed(RECORDS, vec![all()]).expect("valid");
    for k in 0..24u64 {
        let mut seen = Vec::new();
        let loss = Duals(|net: &Net, at: &Tangents, records: &[usize]| {
            seen.push(records.to_vec());
            net.loss(at, records)
        });
        let evals = accepted(optimizer.step_on(1.0, &mut net, &mut batches, loss)).evals;
        let is_measured = (1..=10).contains(&k) || k > 0 && (k % 3 == 0 || k % 10 == 0);
        // The first measurement knows no last step. Two of eight records.
        let products = if is_measured { 1 + u64::from(k > 1) } else { 0 };
        assert_eq!((evals.gradient, evals.gradient_records), (1, 8), "{k}");
        assert_eq!(
            (evals.jacobian_vector, evals.jacobian_vector_records),
            (products, 2 * products)
        );
        assert_eq!(evals.hessian_vector, 0);
        let checks = u64::from(k > 0 && k % 10 == 0);
        // The first step looks for randomness.
        let losses = checks + if k == 0 { 2 } else { 0 };
        assert_eq!((evals.loss, evals.loss_records), (losses, 8 * checks), "{k}");
        let parts = seen.iter().filter(|records| records.len() == 2);
        assert!(
            parts.clone().count() as u64 == products && parts.into_iter().all(|p| *p == [0, 1])
        );
        assert_eq!(seen.len() as u64, 1 + products + losses);
    }
}

#[test]
fn scaling_the_loss_changes_nothing_where_epsilon_is_zero() {
    let config = SubspaceNewtonConfig::new().with_epsilon(0.0);
    let run = |scale: f64| {
        let mut net = Net::new(Between::Tanh, DType::F64);
        let mut optimizer = optimizer(config);
        for _ in 0..25 {
            let loss = Duals(|net: &Net, at: &Tangents| on_duals(net, at).mul_scalar(scale));
            accept(optimizer.step(1.0, &mut net, loss));
        }
        net.values()
    };
    // Eigenvectors are computed anew, from numbers that are scaled.
    assert_close(&run(1024.0), &run(1.0), 1e-9, "scaled");
}

#[test]
fn differences_are_refused_on_a_kinked_network_and_duals_are_asked_for_their_outputs() {
    let mut net = Net::new(Between::Relu, DType::F32);
    let mut by_differences = optimizer(SubspaceNewtonConfig::new());
    accept(by_differences.step(1.0, &mut net, plain));
    // Before long a unit crosses its kink within a difference.
    let is_refused = (0..8).any(|_| {
        let before = net.values();
        let error = by_differences.step(1.0, &mut net, plain).err();
        matches!(error, Some(StepError::Kinks { .. })) && net.values() == before
    });
    assert!(is_refused);
    let mut unmarked = optimizer(SubspaceNewtonConfig::new());
    let mut model = Net::new(Between::Tanh, DType::F32);
    let loss = || {
        Duals(|net: &Net, at: &Tangents| {
            at.param(&net.hidden).sum() + at.param(&net.output).tanh().sum()
        })
    };
    accept(unmarked.step(1.0, &mut model, loss()));
    let error = unmarked.step(1.0, &mut model, loss()).expect_err("no output is marked");
    assert!(error.to_string().contains("at.output(y)"), "{error}");
}

/// The values after 14 steps; before step `at` there is one whose evaluation number `bad` is not finite.
fn disturbed(at: usize, bad: usize, rejection: Rejection) -> Vectors {
    let mut net = Net::new(Between::Tanh, DType::F32);
    let mut optimizer = optimizer(SubspaceNewtonConfig::new());
    for step in 0..14 {
        if step == at {
            let before = net.values();
            let mut evaluations = 0;
            let loss = Duals(|net: &Net, at: &Tangents| {
                evaluations += 1;
                let factor = if evaluations == bad { f64::NAN } else { 1.0 };
                // NaN in the outputs is NaN in the curvature and in the value.
                on_duals(net, at).mul_scalar(factor)
            });
            let report = optimizer.step(1.0, &mut net, loss).expect("a rejection is no error");
            assert_eq!(report.outcome, Outcome::Rejected(rejection));
            assert_eq!(net.values(), before);
        }
        accept(optimizer.step(1.0, &mut net, Duals(on_duals)));
    }
    net.values()
}

#[test]
fn a_step_whose_curvature_or_check_is_not_finite_never_happened() {
    let undisturbed = disturbed(usize::MAX, 0, Rejection::NonFiniteLoss);
    // The tenth gradient after the first is followed by two products and a check.
    for (bad, rejection) in [
        (1, Rejection::NonFiniteLoss),
        (2, Rejection::NonFiniteReduction),
        (3, Rejection::NonFiniteReduction),
        (4, Rejection::NonFiniteLoss),
    ] {
        assert_eq!(disturbed(10, bad, rejection), undisturbed, "{bad}");
    }
}

#[test]
fn a_record_goes_on_bit_for_bit() {
    let folder = temporary_folder("subspace-newton");
    let path = folder.join("state.bpk");
    for dtype in [DType::F32, DType::F64] {
        let mut net = Net::new(Between::Tanh, dtype);
        let mut whole = optimizer(SubspaceNewtonConfig::new());
        for _ in 0..9 {
            accept(whole.step(1.0, &mut net, Duals(on_duals)));
        }
        whole.save(&path).expect("saved");
        let mut other = Net::with(&net.values(), Between::Tanh, dtype);
        let mut resumed = optimizer(SubspaceNewtonConfig::new());
        resumed.load(&path, &other).expect("its own record");
        for _ in 0..16 {
            accept(whole.step(1.0, &mut net, Duals(on_duals)));
            accept(resumed.step(1.0, &mut other, Duals(on_duals)));
        }
        assert_eq!(net.values(), other.values());
        let [one, two] = [(&whole, &net), (&resumed, &other)]
            .map(|(optimizer, net)| optimizer.averaged(net).expect("its model").values());
        assert!(one == two && one != net.values());
        let mut without = optimizer(SubspaceNewtonConfig::new().with_average(None));
        assert!(without.load(&path, &other).is_err());
    }
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn a_group_has_its_own_decay_and_no_rate_of_its_own() {
    let start = [vec![1.0, -2.0], vec![3.0]];
    let run = |group: Group| {
        let config = SubspaceNewtonConfig::new().with_decay(Decay::L2(0.5));
        let mut optimizer = config.init().and_then(|o| o.with_group(group)).expect("valid");
        let mut model = Many::f64(&start);
        // Flat but for the decay.
        let flat = |model: &Many| model.linear(&[vec![0.0; 2], vec![0.0]]);
        let reports: Result<Vec<StepReport>, StepError> =
            (0..4).map(|_| optimizer.step(1.0, &mut model, flat)).collect();
        reports.map(|_| model.values())
    };
    let of = |path: &str| Group::new(ParamGroup::from_path(path));
    let values = run(of("tensors.1").with_decay(Decay::None)).expect("a group with another decay");
    assert!(values[0][0].abs() < 1.0 && values[1] == start[1], "{values:?}");
    let rate = run(of("tensors.1").with_rate_factor(0.1));
    assert!(matches!(rate, Err(StepError::SeveralRates { .. })), "{rate:?}");
    let stable = run(of("tensors.1").with_decay(Decay::Stable(0.1)));
    assert!(stable.is_err(), "{stable:?}");
    assert!(matches!(
        SubspaceNewtonConfig::new().with_cap(0.0).init(),
        Err(ConfigError::OutOfRange { parameter: "cap", .. })
    ));
}

#[test]
fn decoupled_decay_shrinks_by_the_length_of_the_step_in_times_of_the_direction() {
    // Where the cap binds that length is the cap.
    let (cap, wd) = (1e-3, 7.0);
    let config = exact().with_cap(cap).with_cap_growth(1.0);
    let moved = |decay: Decay| {
        let mut net = Net::new(Between::Tanh, DType::F64);
        let mut optimizer = optimizer(config.with_decay(decay));
        (0..2).for_each(|_| accept(optimizer.step(0.5, &mut net, Duals(on_duals))));
        net.values()
    };
    let shrunk = |values: Vectors| -> Vectors {
        let factor = 1.0 - 0.5 * cap * wd;
        values.iter().map(|tensor| tensor.iter().map(|x| factor * x).collect()).collect()
    };
    let (plain, decayed) = (moved(Decay::None), moved(Decay::Decoupled(wd)));
    assert_close(&[decayed.concat()], &[shrunk(plain).concat()], 1e-13, "decay");
}

#[test]
fn one_and_three_threads_give_the_same_bits() {
    let mut shapes = vec![vec![330, 260]];
    shapes.extend((0..10).map(|k| vec![30 + k, 50]));
    let sizes: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
    let target = Numbers::new(18).vectors(&sizes);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let mut model = Layers::new(&shapes, &Numbers::new(17).vectors(&sizes), DType::F32);
            let config = SubspaceNewtonConfig::new().with_precondition_frequency(2);
            let mut optimizer = optimizer(config);
            for _ in 0..4 {
                accept(optimizer.step(1.0, &mut model, |m: &Layers| m.distance(&target)));
            }
            model.values()
        })
    };
    assert!(run(1) == run(3), "threads change the result");
}
