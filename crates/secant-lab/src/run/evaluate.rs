//! Loss and accuracy on a whole part of the data.

use burn::tensor::{Int, Tensor};
use secant::dual::{Dual, Tangents};

use super::{Part, TwoClasses};
use crate::model::Network;

/// Loss and accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean cross-entropy; may be NaN or infinite.
    pub loss: f64,
    /// The part of the records whose largest logit is their class.
    pub accuracy: f64,
    /// With two classes, how well the second is told from the first.
    pub two_classes: Option<TwoClasses>,
}

impl Quality {
    /// The loss, where it is finite.
    pub fn finite_loss(&self) -> Option<f64> {
        self.loss.is_finite().then_some(self.loss)
    }
}

/// Records that are evaluated at once.
const AT_ONCE: usize = 500;

/// The mean cross-entropy of a batch.
pub(super) fn cross_entropy(logits: impl Into<Dual<2>>, labels: Tensor<2, Int>) -> Dual<1> {
    -logits.into().log_softmax(1).gather(1, labels).mean()
}

/// The quality of `network` on all records of `part`, whose device has no graph.
pub(super) fn evaluate(network: &Network, part: Part<'_>) -> Quality {
    let records: Vec<usize> = (0..part.data.len()).collect();
    let (mut loss, mut correct, mut scores) = (0.0, 0.0, Vec::new());
    let has_two_classes = part.data.classes.len() == 2;
    for records in records.chunks(AT_ONCE) {
        let (inputs, labels) = part.batch(records);
        let logits = network.forward(&Tangents::none(), inputs).value;
        let hits = logits.clone().argmax(1).equal(labels.clone()).int().sum();
        correct += hits.into_scalar::<f64>();
        if has_two_classes {
            let [first, second] = [0, 1].map(|class| logits.clone().narrow(1, class, 1));
            scores.extend((second - first).into_data().iter::<f64>());
        }
        loss += cross_entropy(logits, labels).value.into_scalar::<f64>() * records.len() as f64;
    }
    let count = part.data.len() as f64;
    let two_classes = has_two_classes.then(|| TwoClasses::of(&scores, &part.data.labels)).flatten();
    Quality { loss: loss / count, accuracy: correct / count, two_classes }
}
