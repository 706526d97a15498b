//! Where gradients have become zero, no method's state ends at subnormal numbers.

use burn::tensor::{Bytes, DType};
use burn_pack::Reader;
use secant::{AnyOptimizer, MethodSpec};

use crate::{layers::Layers, support::Numbers};

/// As many steps take averages that decay by 0.95 below the smallest normal number, and those by 0.9 to the last bits.
const STEPS: usize = 2000;

/// The numbers of an optimizer's state.
fn state(optimizer: &AnyOptimizer<Layers>) -> Vec<f32> {
    let record = Bytes::from_bytes_vec(optimizer.to_bytes().expect("in memory"));
    let tensors = Reader::from_bytes(record).and_then(Reader::into_tensors).expect("a record");
    let mut numbers = Vec::new();
    for tensor in tensors {
        assert_eq!(tensor.dtype, DType::F32);
        let bytes = tensor.to_bytes().expect("in memory");
        numbers.extend(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    }
    numbers
}

#[test]
fn averages_of_gradients_that_became_zero_are_zero() {
    let shapes = [vec![6, 4], vec![258, 2], vec![5]];
    let sizes = [24, 516, 5];
    for text in [
        "adam(beta_2=0.9)",
        "soap(max_cost=0)",
        "soap",
        "shampoo(graft_beta_2=0.9)",
        "muon",
        "sgd(momentum=ema(momentum=0.9))",
    ] {
        let spec: MethodSpec = text.parse().expect(text);
        let mut optimizer = spec.init::<Layers>().expect(text);
        let mut model = Layers::new(&shapes, &Numbers::new(50).vectors(&sizes), DType::F32);
        for step in 0..STEPS {
            let size = if step < 3 { 1.0 } else { 0.0 };
            // Half of every tensor has no gradient from then on.
            let mut g = Numbers::new(51 + step as u64).vectors(&sizes);
            g.iter_mut().for_each(|g| {
                let half = g.len() / 2;
                g[..half].iter_mut().for_each(|g| *g *= size);
            });
            let report = optimizer.step(1e-3, &mut model, |model: &Layers| model.linear(&g));
            assert!(report.expect("the contract is kept").is_accepted());
        }
        let numbers = state(&optimizer);
        assert!(numbers.len() > 500, "{text}");
        let subnormal = numbers.iter().filter(|number| number.is_subnormal()).count();
        assert_eq!(subnormal, 0, "{text}: of {}", numbers.len());
    }
}

#[test]
fn weights_that_decay_away_are_zero() {
    for text in
        ["adam(decay=decoupled(1))", "soap(decay=decoupled(1))", "shampoo(decay=decoupled(1))"]
    {
        let spec: MethodSpec = text.parse().expect(text);
        let mut optimizer = spec.init::<Layers>().expect(text);
        let start = [vec![1e-36; 4]];
        let mut model = Layers::new(&[vec![2, 2]], &start, DType::F32);
        for _ in 0..60 {
            let g = [vec![0.0; 4]];
            let report = optimizer.step(0.1, &mut model, |model: &Layers| model.linear(&g));
            assert!(report.expect("the contract is kept").is_accepted());
        }
        assert_eq!(model.values(), [vec![0.0; 4]], "{text}");
    }
}
