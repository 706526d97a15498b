//! Losses.

use burn::{
    nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction},
    tensor::{Int, Tensor, activation::softmax},
};

use super::Dual;

impl Dual<2> {
    /// The mean cross entropy of logits against classes, one a row: Burn's `CrossEntropyLoss`
    /// without options. Derivative: the mean of softmax(x)'ẋ - ẋ at the class.
    pub fn cross_entropy(self, classes: Tensor<1, Int>) -> Dual<1> {
        let loss = CrossEntropyLossConfig::new().init(&self.value.device());
        let rows = classes.clone();
        self.apply(
            |x| loss.forward(x, rows),
            |x, _, tangent| {
                let at_class = tangent.clone().gather(1, classes.unsqueeze_dim(1));
                let expected = (softmax(x, 1) * tangent).sum_dim(1);
                (expected - at_class).mean()
            },
        )
    }
}

impl<const D: usize> Dual<D> {
    /// The mean of the squared differences to `target`: Burn's `MseLoss`.
    pub fn mse(self, target: Tensor<D>) -> Dual<1> {
        let expected = target.clone();
        self.apply(
            |x| MseLoss::new().forward(x, expected, Reduction::Mean),
            |x, _, tangent| ((x - target) * tangent).mean().mul_scalar(2.0),
        )
    }
}
