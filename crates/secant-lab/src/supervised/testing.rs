//! What tests of problems share.

use secant_core::rng::SplitMix64;
use secant_data::{Dataset, Numbers, Splits, Targets};

use super::{ClassWeights, Supervised};
use crate::network::NetworkConfig;

/// A few images of noise, to be given back.
pub(crate) fn autoencoder_of_noise() -> Supervised {
    let splits = Splits { train: noise(8, 1), validation: noise(5, 2), test: noise(3, 3) };
    let network = NetworkConfig::Autoencoder;
    Supervised::new("noise/autoencoder".to_string(), splits, network, ClassWeights::None)
}

/// Records of 28 x 28 numbers from 0 to 1, all of one class.
fn noise(records: usize, seed: u64) -> Dataset {
    let mut rng = SplitMix64::new(seed);
    Dataset {
        features: Numbers::F32((0..records * 784).map(|_| rng.range(0.0, 1.0)).collect()),
        record_shape: vec![1, 28, 28],
        targets: Targets::Classes { labels: vec![0; records], names: vec!["one".to_string()] },
    }
}
