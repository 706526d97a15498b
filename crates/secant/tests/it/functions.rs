//! Steps on a function of a vector, without a module.

use burn::tensor::DType;
use secant::{
    AdamConfig, AnyOptimizer, Clipping, Function, FunctionOptimizer, ScheduleFreeSgdConfig,
    SgdConfig, SwitchAt, SwitchConfig, error::StepError,
};

use crate::support::Many;

/// |x|^2 / 2.
struct Bowl;

impl Function for Bowl {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.copy_from_slice(x);
        0.5 * x.iter().map(|x| x * x).sum::<f64>()
    }
}

const START: [f64; 2] = [3.0, -4.0];

/// The same on a module.
fn bowl(model: &Many) -> burn::tensor::Tensor<1> {
    model.quadratic(&[vec![1.0; 2]], &[vec![0.0; 2]])
}

#[test]
fn gradients_of_a_function_are_clipped_as_those_of_a_module() {
    for (clipping, shorter) in [
        (Clipping::GlobalNorm(1.0), [0.6, -0.8]),
        (Clipping::TensorNorm(10.0), START),
        (Clipping::Value(3.5), [3.0, -3.5]),
    ] {
        let mut optimizer =
            SgdConfig::new().init().and_then(|sgd| sgd.with_clipping(clipping)).expect("valid");
        let mut x = START.to_vec();
        let report = optimizer.step_function(0.5, &mut x, &mut Bowl).expect("a step");
        assert_eq!(report.gradient_norm, Some(5.0), "before clipping");
        let expected = [0, 1].map(|i| START[i] - 0.5 * shorter[i]);
        assert!(x.iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-15), "{clipping:?}: {x:?}");
    }
}

#[test]
fn a_first_step_that_fails_fixes_no_length() {
    let mut optimizer = AdamConfig::new().init().expect("defaults");
    let failed = optimizer.step_function(f64::NAN, &mut vec![1.0; 3], &mut Bowl);
    assert!(matches!(failed, Err(StepError::LearningRate { .. })));
    let mut x = vec![1.0; 5];
    assert!(optimizer.step_function(0.1, &mut x, &mut Bowl).expect("a step").is_accepted());
    let other = optimizer.step_function(0.1, &mut vec![1.0; 3], &mut Bowl);
    assert!(matches!(other, Err(StepError::LayoutChanged { .. })));
}

#[test]
fn the_averaged_vector_is_that_of_the_averaged_module() {
    let config = || ScheduleFreeSgdConfig::new().init().expect("defaults");
    let (mut on_function, mut on_module) = (config(), config());
    let (mut x, mut model) = (START.to_vec(), Many::new(&[START.to_vec()], DType::F64));
    assert_eq!(on_function.averaged_vector(&x), Ok(START.to_vec()), "before the first step");
    for step in 0..7 {
        assert!(on_function.step_function(0.3, &mut x, &mut Bowl).expect("a step").is_accepted());
        assert!(on_module.step(0.3, &mut model, bowl).expect("a step").is_accepted());
        let averaged = on_function.averaged_vector(&x).expect("its own length");
        assert_eq!(averaged, on_module.averaged(&model).expect("its own").values().concat());
        // The first step's average is its point.
        assert_eq!(averaged == x, step == 0);
    }
    assert!(matches!(on_function.averaged_vector(&[1.0]), Err(StepError::LayoutChanged { .. })));
}

#[test]
fn at_a_switch_a_vector_goes_to_its_average() {
    let first = || ScheduleFreeSgdConfig::new().init().expect("defaults");
    let second: FunctionOptimizer = SgdConfig::new().init().expect("defaults").into();
    let switch = SwitchConfig::new().with_at(SwitchAt::Step(4));
    let mut switched =
        AnyOptimizer::from(first()).then(second, switch).expect("neither is a switch");
    let (mut x, mut alone, mut optimizer) = (START.to_vec(), START.to_vec(), first());
    for step in 0..4 {
        assert!(switched.step_function(0.3, &mut x, &mut Bowl).is_ok());
        assert!(optimizer.step_function(0.3, &mut alone, &mut Bowl).is_ok());
        let averaged = optimizer.averaged_vector(&alone).expect("its own length");
        assert_eq!(switched.averaged_vector(&x).expect("its own length"), averaged);
        assert_eq!(x == averaged, step == 0 || step == 3, "step {step}");
    }
}
