//! Derivatives against formulas and differences, residuals of the solutions, and what a batch sees.

use std::f64::consts::PI;

use burn::{
    module::{Module, Param, ParamId},
    nn::Linear,
    optim::GradientsParams,
    tensor::{DType, Device, Tensor, TensorData},
};
use secant::dual::{Dual, Tangents, hessian_vector_product};

use super::{
    PROBLEMS, Physics, TanhNetwork,
    equation::{Equation, Place},
    jet::{Derivatives, Jet, Order},
};
use crate::{Batch, Part, Precision, Problem, precision::drawn};

fn device() -> Device {
    Device::default().autodiff()
}

fn matrix(numbers: &[f64], rows: usize) -> Tensor<2> {
    let data = TensorData::new(numbers.to_vec(), [rows, numbers.len() / rows]);
    Tensor::from_data(data, (&device(), DType::F64))
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn network(widths: &[usize], seed: u64) -> TanhNetwork {
    drawn(seed, Precision::F64, &device(), || TanhNetwork::new(widths, &device()))
}

fn value_at(network: &TanhNetwork, place: &[f64]) -> f64 {
    let inputs = Jet::coordinates(matrix(place, 1), &[]);
    numbers(network.forward(&Tangents::none(), inputs).value.value)[0]
}

#[test]
fn one_tanh_unit_has_the_derivatives_of_the_formula() {
    let [w, b, c] = [0.7, -0.3, 1.9];
    let layer = |weight: f64, bias: f64| Linear {
        weight: Param::from_tensor(matrix(&[weight], 1).detach()),
        bias: Some(Param::from_tensor(matrix(&[bias], 1).detach().reshape([1]))),
    };
    let (hidden, output) = (layer(w, b), layer(c, 0.5));
    let places = [-1.0, 0.0, 0.4, 2.0];
    let at = Tangents::none();
    let inputs = Jet::coordinates(matrix(&places, 4), &[Order::Second]);
    let u = inputs.linear(&hidden, &at).tanh().linear(&output, &at);
    for (index, x) in places.into_iter().enumerate() {
        let t = (w * x + b).tanh();
        let slope = 1.0 - t * t;
        let expected = [c * t + 0.5, c * w * slope, -2.0 * c * w * w * t * slope];
        let computed =
            [&u.value, &u.first(0), &u.second(0)].map(|d| numbers(d.value.clone())[index]);
        for (computed, expected) in computed.into_iter().zip(expected) {
            // A dozen operations on numbers of size 1, each rounded to 1e-16.
            assert!((computed - expected).abs() < 1e-14, "at {x}: {computed} is not {expected}");
        }
    }
}

#[test]
fn derivatives_in_both_inputs_of_a_deep_network_are_those_of_central_differences() {
    let network = network(&[2, 7, 5, 6, 1], 3);
    let places = [[0.3, -0.8], [-1.0, 0.5], [0.0, 0.0]];
    let inputs = Jet::coordinates(matrix(places.as_flattened(), 3), &[Order::Second; 2]);
    let u = network.forward(&Tangents::none(), inputs);
    for (index, place) in places.into_iter().enumerate() {
        for input in 0..2 {
            let at = |h: f64| {
                let mut moved = place;
                moved[input] += h;
                value_at(&network, &moved)
            };
            let found = |dual: Dual<2>| numbers(dual.value)[index];
            // Truncation h²/6 u''' and rounding 1e-16 / h, each about 1e-10 at h = 1e-5.
            let first = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((found(u.first(input)) - first).abs() < 1e-9, "{place:?}, {input}");
            // Truncation h²/12 u'''' and rounding 4e-16 / h², each about 1e-8 at h = 1e-4.
            let second = (at(1e-4) - 2.0 * at(0.0) + at(-1e-4)) / 1e-8;
            assert!((found(u.second(input)) - second).abs() < 3e-7, "{place:?}, {input}");
        }
    }
}

#[test]
fn functions_of_period_two_have_the_derivatives_of_central_differences_and_their_period() {
    let network = network(&[3, 7, 6, 1], 5);
    let u = |x: f64, t: f64, orders: &[Order]| {
        let inputs = Jet::coordinates(matrix(&[x, t], 1), orders).periodic();
        network.forward(&Tangents::none(), inputs)
    };
    let value = |x: f64, t: f64| numbers(u(x, t, &[]).value.value)[0];
    for [x, t] in [[0.3, 0.8], [-1.0, 0.5]] {
        let jet = u(x, t, &[Order::Second, Order::First]);
        let found = [jet.first(0), jet.first(1), jet.second(0)].map(|d| numbers(d.value)[0]);
        // As above, with derivatives pi and more times as large for every order.
        let (h, wide) = (1e-5, 1e-4);
        let first = (value(x + h, t) - value(x - h, t)) / (2.0 * h);
        let in_time = (value(x, t + h) - value(x, t - h)) / (2.0 * h);
        let second = value(x + wide, t) - 2.0 * value(x, t) + value(x - wide, t);
        let expected = [first, in_time, second / (wide * wide)];
        for ((found, expected), most) in found.into_iter().zip(expected).zip([1e-8, 1e-9, 1e-5]) {
            assert!((found - expected).abs() < most, "{found} is not {expected}");
        }
        // sin and cos of an angle that is rounded to 1e-15.
        assert!((value(x, t) - value(x + 2.0, t)).abs() < 1e-13);
    }
}

/// The solution as if it were a network's output: its derivatives are central differences of fourth order.
fn solution_as_jet(equation: &Equation, places: &[Place], h: f64) -> Jet {
    let shifted = |input: usize, steps: f64| {
        let moved = places.iter().map(|place| {
            let mut moved = *place;
            moved[input] += steps * h;
            moved
        });
        (equation.solution)(&moved.collect::<Vec<_>>())
    };
    let column = |numbers: Vec<f64>| Dual::from(matrix(&numbers, numbers.len()));
    let combine = |input: usize, weights: [f64; 5], scale: f64| {
        let mut sum = vec![0.0; places.len()];
        for (weight, steps) in weights.into_iter().zip([-2.0, -1.0, 0.0, 1.0, 2.0]) {
            for (sum, value) in sum.iter_mut().zip(shifted(input, steps)) {
                *sum += weight * value / scale;
            }
        }
        column(sum)
    };
    let along = equation.orders.iter().enumerate().map(|(input, _)| Derivatives {
        first: combine(input, [1.0, -8.0, 0.0, 8.0, -1.0], 12.0 * h),
        second: Some(combine(input, [-1.0, 16.0, -30.0, 16.0, -1.0], 12.0 * h * h)),
    });
    Jet { along: along.collect(), value: column(shifted(0, 0.0)) }
}

#[test]
fn the_solution_of_every_equation_leaves_no_residual_and_has_the_values_of_the_edge() {
    for equation in PROBLEMS {
        let units = [[0.13, 0.21], [0.41, 0.83], [0.5, 0.5], [0.77, 0.64]];
        let places = units.map(|unit| equation.place(unit));
        // Truncation h⁴/90 u^(6), up to 4e6 u: 4e-8 of u; rounding 6e-16 / h² is 6e-10.
        let u = solution_as_jet(equation, &places, 1e-3);
        let source: Vec<f64> = places.iter().map(|place| (equation.source)(*place)).collect();
        let left = numbers((equation.residual)(&u, matrix(&source, 4)).value);
        // The reference of Allen and Cahn is interpolated over steps of 1/500, and its corner at x = 1,
        // where the slope turns from -2 to 2, is rounded off within half of one of 256 cells: 2 / 512 = 4e-3.
        let is_formula = equation.name != "physics/allen-cahn";
        let [most, most_of_edge] = if is_formula { [1e-5, 1e-12] } else { [1e-2, 4e-3] };
        assert!(left.iter().all(|left| left.abs() < most), "{}: {left:?}", equation.name);
        let (places, values): (Vec<Place>, Vec<f64>) = (equation.edge)().into_iter().unzip();
        let solution = (equation.solution)(&places);
        let is_close = |(a, b): (&f64, &f64)| (a - b).abs() < most_of_edge;
        assert!(solution.iter().zip(&values).all(is_close), "{}", equation.name);
    }
}

fn batch<'a>(records: &'a [usize], device: &'a Device) -> Batch<'a> {
    Batch { part: Part::Train, records, device, dtype: DType::F64 }
}

#[test]
fn a_loss_is_the_mean_squared_residual_and_the_weighted_mean_squared_error_of_the_edge() {
    let physics = Physics::named("physics/helmholtz").expect("a known name");
    let network = network(&physics.equation.widths(), 1);
    let device = device();
    let of =
        |records: &[usize]| physics.loss(&network, batch(records, &device)).into_scalar::<f64>();
    let edge: f64 = physics
        .edge
        .iter()
        .map(|(place, value)| (value_at(&network, place) - value).powi(2))
        .sum::<f64>()
        / physics.edge.len() as f64;
    let place = physics.train.places(batch(&[7], &device))[0];
    let h = 1e-4;
    let at = |dx: f64, dy: f64| value_at(&network, &[place[0] + dx, place[1] + dy]);
    let around = at(h, 0.0) + at(-h, 0.0) + at(0.0, h) + at(0.0, -h) - 4.0 * at(0.0, 0.0);
    let [x, y] = [place[0] * PI, place[1] * 4.0 * PI];
    let residual = around / (h * h) + at(0.0, 0.0) - (1.0 - 17.0 * PI * PI) * x.sin() * y.sin();
    let expected = residual * residual + 100.0 * edge;
    // The second difference is right to 1e-7, and the residual's square to 1e-7 of about 100.
    assert!((of(&[7]) - expected).abs() < 1e-4, "{} is not {expected}", of(&[7]));
    // The edge is whole in every batch: residuals alone average.
    let both = 0.5 * (of(&[3]) + of(&[7]));
    assert!((of(&[3, 7]) - both).abs() < 1e-12 * both);
}

#[test]
fn the_gradient_of_a_loss_is_that_of_differences_and_products_are_those_of_gradients() {
    for equation in PROBLEMS {
        let physics = Physics::new(equation);
        let network = network(&equation.widths(), 2);
        let device = device();
        let records: Vec<usize> = (0..5).collect();
        let batch = batch(&records, &device);
        let loss = |network: &TanhNetwork| physics.loss(network, batch);
        let gradient =
            |network: &TanhNetwork| GradientsParams::from_grads(loss(network).backward(), network);
        let first = network.layer(0).weight.id;
        let direction = gradient(&network);
        let slope: f64 = norm_squared(&direction, &network);
        let product = hessian_vector_product(&network, &direction, |network, at| {
            physics.loss_on_duals(network, at, batch).expect("duals")
        });
        let product = product.expect("a smooth loss").hessian_vector;
        let step = 1e-5 / slope.sqrt();
        let [ahead, behind] = [step, -step].map(|step| moved(&network, &direction, step));
        let [f_ahead, f_behind] = [&ahead, &behind].map(|n| loss(n).into_scalar::<f64>());
        let difference = (f_ahead - f_behind) / (2.0 * step);
        // Central differences over 1e-5: truncation 1e-10 of the third derivative, rounding 1e-11.
        assert!(
            (difference - slope).abs() < 1e-6 * slope,
            "{}: {difference}, {slope}",
            equation.name
        );
        let of_first = |gradient: &GradientsParams| {
            numbers(gradient.get::<2>(first).expect("a gradient of the first layer"))
        };
        let [g_ahead, g_behind] = [&ahead, &behind].map(|n| of_first(&gradient(n)));
        let exact = of_first(&product);
        let size = exact.iter().fold(0.0f64, |size, x| size.max(x.abs()));
        for ((ahead, behind), exact) in g_ahead.iter().zip(&g_behind).zip(&exact) {
            let difference = (ahead - behind) / (2.0 * step);
            assert!((difference - exact).abs() < 1e-6 * size, "{}", equation.name);
        }
    }
}

fn norm_squared(gradient: &GradientsParams, network: &TanhNetwork) -> f64 {
    let mut sum = Norm { gradient, sum: 0.0 };
    network.visit(&mut sum);
    sum.sum
}

struct Norm<'a> {
    gradient: &'a GradientsParams,
    sum: f64,
}

impl burn::module::ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradient.get::<D>(param.id).expect("every parameter has a gradient");
        self.sum += numbers(gradient).iter().map(|g| g * g).sum::<f64>();
    }
}

/// The network with every parameter moved along the gradient.
fn moved(network: &TanhNetwork, gradient: &GradientsParams, step: f64) -> TanhNetwork {
    network.clone().map(&mut Along { gradient, step })
}

struct Along<'a> {
    gradient: &'a GradientsParams,
    step: f64,
}

impl burn::module::ModuleMapper for Along<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id: ParamId = param.id;
        let along = self.gradient.get::<D>(id).expect("every parameter has a gradient");
        let along = along.mul_scalar(self.step);
        param.map(|value| Tensor::from_inner(value.inner() + along).require_grad())
    }
}

#[test]
fn the_relative_error_of_zero_is_one_and_every_problem_is_known_by_its_name() {
    for equation in PROBLEMS {
        let physics = Physics::named(equation.name).expect("a known name");
        let device = device().inner();
        let network = network(&equation.widths(), 1).valid();
        let silent = network.map(&mut Silent);
        let records: Vec<usize> = (0..physics.records(Part::Validation)).collect();
        let part = Part::Validation;
        let batch = Batch { part, records: &records, device: &device, dtype: DType::F64 };
        let [_, error] = physics.measure(&silent, batch)[..] else { panic!("two metrics") };
        assert!((error - 1.0).abs() < 1e-12, "{}: {error}", equation.name);
    }
    let error = Physics::named("physics/helmoltz").expect_err("no such name").to_string();
    assert!(error.contains("physics/helmholtz"), "{error}");
}

struct Silent;

impl burn::module::ModuleMapper for Silent {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| value.zeros_like())
    }
}
