//! Subspace Newton's average of points.

use burn::tensor::DType;
use secant::{Duals, SubspaceNewtonConfig};

use super::{Between, Net, accept, on_duals, optimizer};
use crate::support::assert_close;

#[test]
fn the_average_is_the_mean_of_all_points_by_their_numbers_to_the_power() {
    for power in [0.0, 1.0, 3.0] {
        let mut net = Net::new(Between::Tanh, DType::F64);
        let config = SubspaceNewtonConfig::new().with_average(Some(power));
        let mut optimizer = optimizer(config);
        let (mut sum, mut weights) = (vec![0.0; 60], 0.0);
        accept(optimizer.step(1.0, &mut net, Duals(on_duals)));
        // Nothing has moved.
        assert_eq!(optimizer.averaged(&net).expect("the same model").values(), net.values());
        for k in 1..12 {
            accept(optimizer.step(1.0, &mut net, Duals(on_duals)));
            // k (k + 1) ... (k + power - 1)
            let weight: f64 = (0..power as u32).map(|i| f64::from(k + i)).product();
            let point = net.values().concat();
            sum.iter_mut().zip(&point).for_each(|(sum, x)| *sum += weight * x);
            weights += weight;
            let mean: Vec<f64> = sum.iter().map(|x| x / weights).collect();
            let averaged = optimizer.averaged(&net).expect("the same model").values().concat();
            assert_close(&[averaged], &[mean], 1e-12, "the average");
            assert_eq!(net.values().concat(), point);
        }
    }
}

#[test]
fn without_an_average_the_model_is_the_one_to_evaluate() {
    let mut net = Net::new(Between::Tanh, DType::F64);
    let mut optimizer = optimizer(SubspaceNewtonConfig::new().with_average(None));
    for _ in 0..5 {
        accept(optimizer.step(1.0, &mut net, Duals(on_duals)));
        assert_eq!(optimizer.averaged(&net).expect("any model").values(), net.values());
    }
    assert!(!optimizer.averages());
}
