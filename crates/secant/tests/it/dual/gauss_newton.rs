//! Products with the Gauss-Newton matrix against the dense matrix J'H J, its J from Burn's gradients and its
//! H from the formulas of the losses.

use secant::dual::gauss_newton_form;

use super::*;

const RECORDS: usize = 5;
const OUTPUTS: usize = 3;

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    output: Linear,
    has_kinks: bool,
}

impl Net {
    fn new(has_kinks: bool) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(&device());
        drawn(Self { hidden: linear(2, 4), output: linear(4, OUTPUTS), has_kinks })
    }

    fn forward(&self, at: &Tangents) -> Dual<2> {
        let hidden = at.linear(&self.hidden, constant([RECORDS, 2]));
        let hidden = if self.has_kinks { hidden.relu() } else { hidden.tanh() };
        at.linear(&self.output, hidden)
    }

    /// The derivatives of every output, one after the other.
    fn jacobian(&self) -> Vec<Vec<f64>> {
        let gradient = |output| {
            let outputs = self.forward(&Tangents::none()).value;
            gradient(self, &outputs.reshape([RECORDS * OUTPUTS]).narrow(0, output, 1)).concat()
        };
        (0..RECORDS * OUTPUTS).map(gradient).collect()
    }

    /// v_i'J'H J v_j.
    fn dense(&self, vectors: &[Vec<f64>], hessian: &Hessian) -> Vec<Vec<f64>> {
        let (jacobian, outputs) = (self.jacobian(), numbers(self.forward(&Tangents::none()).value));
        let along =
            |v: &Vec<f64>| -> Vec<f64> { jacobian.iter().map(|row| inner(row, v)).collect() };
        let us: Vec<Vec<f64>> = vectors.iter().map(along).collect();
        let entry = |u: &[f64], w: &[f64]| -> f64 {
            let places = (0..u.len()).flat_map(|a| (0..w.len()).map(move |b| (a, b)));
            places.map(|(a, b)| u[a] * hessian(&outputs, a, b) * w[b]).sum()
        };
        us.iter().map(|u| us.iter().map(|w| entry(u, w)).collect()).collect()
    }
}

/// An entry of a loss's Hessian in its outputs.
type Hessian = dyn Fn(&[f64], usize, usize) -> f64;

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn classes() -> Tensor<1, Int> {
    Tensor::from_ints([0, 2, 1, 1, 2], &device())
}

/// The softmax of the row that output `place` is in.
fn chances(outputs: &[f64], place: usize) -> Vec<f64> {
    let first = place / OUTPUTS * OUTPUTS;
    let row: Vec<f64> = outputs[first..first + OUTPUTS].iter().map(|y| y.exp()).collect();
    row.iter().map(|y| y / row.iter().sum::<f64>()).collect()
}

/// (diag(p) - p p') / n in each record, which may have a weight.
fn of_softmax(outputs: &[f64], a: usize, b: usize, weights: [f64; RECORDS]) -> f64 {
    if a / OUTPUTS != b / OUTPUTS {
        return 0.0;
    }
    let p = chances(outputs, a);
    let diagonal = if a == b { p[a % OUTPUTS] } else { 0.0 };
    let record = weights[a / OUTPUTS] / RECORDS as f64;
    record * (diagonal - p[a % OUTPUTS] * p[b % OUTPUTS])
}

#[track_caller]
fn check_form(what: &str, hessian: &Hessian, loss: impl Fn(Dual<2>) -> Dual<1>) {
    for has_kinks in [false, true] {
        let net = Net::new(has_kinks);
        let directions = [1, 2, 3].map(|seed| random(&net, seed));
        let vectors = directions.each_ref().map(|direction| entries(&net, direction).concat());
        let of_net = |net: &Net, at: &Tangents| loss(at.output(net.forward(at)));
        let form = gauss_newton_form(&net, &directions.each_ref(), of_net).expect(what);
        assert_close(&form, &net.dense(&vectors, hessian), ROUNDING, what);
    }
}

#[test]
fn forms_are_those_of_the_dense_matrix_for_every_loss() {
    let ones = [1.0; RECORDS];
    check_form("cross-entropy", &move |y, a, b| of_softmax(y, a, b, ones), |logits| {
        logits.cross_entropy(classes())
    });
    let weights = [0.5, 2.0, 1.0, 1.0, 3.0];
    check_form("weighted", &move |y, a, b| of_softmax(y, a, b, weights), |logits| {
        let chosen = logits.log_softmax(1).gather(1, classes().unsqueeze_dim(1));
        let weights = vector(&weights, DType::F64).detach().reshape([RECORDS, 1]);
        -(chosen * weights).mean()
    });
    let count = (RECORDS * OUTPUTS) as f64;
    let identity = move |_: &[f64], a: usize, b: usize| if a == b { 2.0 / count } else { 0.0 };
    check_form("squares", &identity, |y| y.mse(constant([RECORDS, OUTPUTS])));
    let sigmoid = move |y: &[f64], a: usize, b: usize| {
        let p = 1.0 / (1.0 + (-y[a]).exp());
        if a == b { p * (1.0 - p) / count } else { 0.0 }
    };
    check_form("binary cross-entropy", &sigmoid, |y| {
        let truth = constant([RECORDS, OUTPUTS]).greater_elem(0.0).float().cast(FloatDType::F64);
        let (yes, no) = (y.clone().log_sigmoid(), (-y).log_sigmoid());
        let other = truth.ones_like() - truth.clone();
        -(yes * truth + no * other).mean()
    });
    // Linear in its outputs.
    check_form("their mean", &|_, _, _| 0.0, Dual::mean);
}

#[test]
fn outputs_marked_in_several_places_count_together_and_the_rest_of_the_loss_does_not() {
    let net = Net::new(false);
    let direction = random(&net, 1);
    let form = |loss: &dyn Fn(&Net, &Tangents) -> Dual<1>| {
        gauss_newton_form(&net, &[&direction], loss).expect("a form")[0][0]
    };
    let target = || constant([RECORDS, OUTPUTS]);
    let whole = form(&|net, at| at.output(net.forward(at)).mse(target()));
    // Columns, each with its third of the mean.
    let parts = form(&|net, at| {
        let y = net.forward(at);
        let column = |i| at.output(y.clone().narrow(1, i, 1)).mse(target().narrow(1, i, 1));
        (column(0) + column(1) + column(2)).mul_scalar(1.0 / 3.0)
    });
    assert!((parts - whole).abs() < ROUNDING * whole, "{parts}, {whole}");
    let with_penalty = form(&|net, at| {
        let weight = at.param(&net.hidden.weight);
        at.output(net.forward(at)).mse(target()) + (weight.clone() * weight).sum()
    });
    assert_eq!(with_penalty, whole);
}

#[test]
fn the_mark_changes_neither_the_loss_nor_its_products() {
    let net = Net::new(false);
    let direction = random(&net, 1);
    let product = |is_marked: bool| {
        hessian_vector_product(&net, &direction, |net: &Net, at: &Tangents| {
            let y = net.forward(at);
            let y = if is_marked { at.output(y) } else { y };
            y.cross_entropy(classes())
        })
        .expect("a product")
    };
    let [with, without] = [true, false].map(product);
    assert_eq!(bits(with.loss), bits(without.loss));
    assert_eq!(entries(&net, &with.hessian_vector), entries(&net, &without.hessian_vector));
}

#[test]
fn a_loss_without_a_mark_or_of_several_numbers_is_refused() {
    let net = Net::new(false);
    let direction = random(&net, 1);
    let of = |loss: &dyn Fn(&Net, &Tangents) -> Dual<1>| {
        gauss_newton_form(&net, &[&direction], loss).expect_err("refused")
    };
    let unmarked = of(&|net, at| net.forward(at).cross_entropy(classes()));
    assert_eq!(unmarked, ProductError::NoOutput);
    let several = of(&|net, at| at.output(net.forward(at)).sum_dim(1).squeeze_dim(1));
    assert_eq!(several, ProductError::LossShape { elements: RECORDS });
}

#[test]
fn what_does_not_depend_on_the_direction_has_no_curvature_and_statistics_stay() {
    #[derive(Module, Debug)]
    struct Normed {
        layer: Linear,
        norm: BatchNorm,
    }
    let layer = LinearConfig::new(2, 3).init(&device());
    let normed = drawn(Normed { layer, norm: BatchNormConfig::new(3).init(&device()) });
    let before = (normed.norm.running_mean.value(), normed.norm.running_var.value());
    let loss = |normed: &Normed, at: &Tangents| {
        let y = at.batch_norm(&normed.norm, at.linear(&normed.layer, constant([4, 2])));
        at.output(y).mse(constant([4, 3]))
    };
    let (none, some) = (GradientsParams::new(), random(&normed, 1));
    let form = gauss_newton_form(&normed, &[&none, &some], loss).expect("a form");
    assert!(form[0] == [0.0, 0.0] && form[1][0] == 0.0 && form[1][1] > 0.0, "{form:?}");
    drop(normed.valid());
    assert_eq!(bits(before.0), bits(normed.norm.running_mean.value()));
    assert_eq!(bits(before.1), bits(normed.norm.running_var.value()));
}
