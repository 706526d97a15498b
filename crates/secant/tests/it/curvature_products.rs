//! Where methods take their curvature products from: differences, exact products, a user's own.

use burn::{
    module::{Module, Param},
    tensor::{DType, Tensor, TensorData},
};
use secant::{
    AdaHessianConfig, Duals as OnDuals, WithProduct,
    dual::{Dual, Tangents},
    error::StepError,
};

use crate::{
    quasi_newton::{Dense, Quadratic},
    support::{Many, Net, Numbers, Vectors, assert_close, device, numbers, vector},
};

/// Two layers with tanh or ReLU between them, on duals.
#[derive(Module, Debug)]
struct Duals {
    hidden: Param<Tensor<2>>,
    output: Param<Tensor<2>>,
    kinked: bool,
}

impl Duals {
    fn new(kinked: bool, dtype: DType) -> Self {
        let mut numbers = Numbers::new(3);
        let mut matrix = |rows: usize, columns: usize| {
            let values = vector(&numbers.vector(rows * columns), dtype);
            Param::from_tensor(values.reshape([rows, columns]).detach())
        };
        Self { hidden: matrix(3, 40), output: matrix(40, 2), kinked }
    }

    fn loss(&self, at: &Tangents) -> Dual<1> {
        let dtype = self.hidden.val().dtype();
        let (x, y) = Net::data(0, dtype);
        let x = Dual::from(x).matmul(at.param(&self.hidden));
        let x = if self.kinked { x.relu() } else { x.tanh() };
        x.matmul(at.param(&self.output)).mse(y)
    }

    fn values(&self) -> Vectors {
        vec![numbers(self.hidden.val()), numbers(self.output.val())]
    }
}

#[test]
fn differences_are_refused_on_a_kinked_network_and_taken_on_a_smooth_one() {
    for dtype in [DType::F32, DType::F64] {
        let plain = |model: &Duals| model.loss(&Tangents::none()).value;
        let mut model = Duals::new(true, dtype);
        let before = model.values();
        // With a large eps a step shows the error of D itself, and not that of its smallest entries.
        let mut optimizer = AdaHessianConfig::new().with_epsilon(1.0).init().expect("valid");
        // Double precision takes so small a step that no unit may cross its kink: then the
        // differences are right, and there is nothing to refuse.
        if dtype == DType::F32 {
            let error = optimizer.step(0.1, &mut model, plain);
            assert!(matches!(error, Err(StepError::Kinks { .. })), "{error:?}");
            assert_eq!(model.values(), before);
            let mut allowed = AdaHessianConfig::new().init().expect("valid").allow_differences();
            assert!(allowed.step(0.1, &mut model, plain).is_ok_and(|r| r.is_accepted()));
        }
        let mut smooth = Duals::new(false, dtype);
        for _ in 0..5 {
            let mut exact = smooth.clone();
            let mut with_duals = optimizer.clone();
            let dual =
                with_duals.step(0.1, &mut exact, OnDuals(|m: &Duals, at: &Tangents| m.loss(at)));
            let report = dual.expect("a step");
            assert!(report.evals.hessian_vector == 1, "{report:?}");
            let report = optimizer
                .step(0.1, &mut smooth, |m: &Duals| m.loss(&Tangents::none()).value)
                .expect("a smooth network");
            assert!(report.is_accepted());
            // The product's error by differences: 2e-4 in single precision, 1e-9 in double.
            let tolerance = if dtype == DType::F32 { 1e-3 } else { 1e-8 };
            assert_close(&smooth.values(), &exact.values(), tolerance, "a step by differences");
        }
    }
}

#[test]
fn a_users_own_product_is_taken_as_it_is() {
    // f = sum a x^2 / 2, whose product with z is a z: the first step is theta - lr g / (a + eps).
    let a = [vec![2.0, 5.0, 0.5]];
    let zero = [vec![0.0; 3]];
    let mut model = Many::f64(&[vec![1.0, -1.0, 3.0]]);
    let mut optimizer = AdaHessianConfig::new().init().expect("valid");
    let mut products = 0;
    let report = optimizer
        .step(
            0.1,
            &mut model,
            WithProduct(
                |m: &Many| m.quadratic(&a, &zero),
                |m: &Many, v: &burn::optim::GradientsParams| {
                    products += 1;
                    let id = m.tensors[0].id;
                    let z = v.get::<1>(id).expect("an entry");
                    let mut product = burn::optim::GradientsParams::new();
                    let curvature = Tensor::from_data(
                        TensorData::new(a[0].clone(), [3]),
                        (&device().inner(), DType::F64),
                    );
                    product.register(id, z * curvature);
                    product
                },
            ),
        )
        .expect("a step");
    assert_eq!((products, report.evals.hessian_vector), (1, 1));
    let expected: Vec<f64> =
        [1.0f64, -1.0, 3.0].iter().zip(&a[0]).map(|(x, a)| x - 0.1 * a * x / (a + 1e-4)).collect();
    assert_close(&model.values(), &[expected], 1e-14, "the first step");
}

#[test]
fn adahessian_with_unit_rate_and_no_averages_is_newtons_method_on_a_diagonal_quadratic() {
    let hessian = Dense { rows: vec![vec![4.0, 0.0], vec![0.0, 0.5]] };
    let mut function = Quadratic(hessian, vec![1.0, 2.0]);
    let config = AdaHessianConfig::new().with_beta_1(0.0).with_beta_2(0.0).with_epsilon(1e-14);
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![7.0, -3.0];
    let report = optimizer.step_function(1.0, &mut x, &mut function).expect("a step");
    assert_eq!(report.evals.hessian_vector, 1);
    assert_close(&[x], &[vec![0.25, 4.0]], 1e-12, "the minimum after one step");
}
