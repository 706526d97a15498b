//! The two-layer LSTM language model.

use burn::{
    module::Module,
    nn::{Embedding, GateController, Initializer, Linear, Lstm, LstmConfig},
    tensor::{Device, Int, Tensor},
};
use secant::dual::{Dual, LstmState, Tangents};

use super::adaptive_softmax::AdaptiveSoftmax;

/// The shape of a language model.
#[derive(Clone, Debug)]
pub(super) struct RecurrentConfig {
    /// Words, or characters.
    pub vocabulary: usize,
    /// The width of a word's vector.
    pub embedding: usize,
    /// Units of each layer.
    pub hidden: usize,
    /// Where the clusters of the adaptive softmax begin; without any it is a plain one.
    pub cutoffs: Vec<usize>,
}

/// Embedding, two layers of LSTM, adaptive softmax.
#[derive(Module, Debug)]
pub struct RecurrentModel {
    embedding: Embedding,
    first: Lstm,
    second: Lstm,
    softmax: AdaptiveSoftmax,
}

/// What both layers carry from step to step.
pub(super) type States = [LstmState; 2];

/// Factors for the entries of the embedding `[steps, batch, embedding]`, of the first and of the second
/// layer's outputs, `[steps, batch, hidden]`.
pub(super) type Masks = [Tensor<3>; 3];

impl RecurrentConfig {
    /// A model with weights as the authors of Apollo draw them: of words uniform up to sqrt(6 / width), of
    /// LSTMs as Glorot and Bengio 2010 for all four gates together, biases 0 but 1 in both biases of the
    /// forget gate.
    pub(super) fn init(&self, device: &Device) -> RecurrentModel {
        let width = self.embedding;
        RecurrentModel {
            embedding: Embedding {
                weight: uniform((6.0 / width as f64).sqrt()).init([self.vocabulary, width], device),
            },
            first: lstm(width, self.hidden, device),
            second: lstm(self.hidden, self.hidden, device),
            softmax: AdaptiveSoftmax::new(self.hidden, self.vocabulary, &self.cutoffs, device),
        }
    }
}

fn uniform(most: f64) -> Initializer {
    Initializer::Uniform { min: -most, max: most }
}

fn lstm(inputs: usize, hidden: usize, device: &Device) -> Lstm {
    let linear = |inputs: usize, bias: f64| Linear {
        weight: uniform((6.0 / (inputs + 4 * hidden) as f64).sqrt()).init([inputs, hidden], device),
        bias: Some(Initializer::Constant { value: bias }.init([hidden], device)),
    };
    let gate = |bias: f64| GateController {
        input_transform: linear(inputs, bias),
        hidden_transform: linear(hidden, bias),
    };
    Lstm {
        input_gate: gate(0.0),
        forget_gate: Some(gate(1.0)),
        output_gate: gate(0.0),
        cell_gate: gate(0.0),
        ..LstmConfig::new(inputs, hidden, true).init(device)
    }
}

impl RecurrentModel {
    /// The width of a word's vector and of each layer's outputs.
    pub(super) fn widths(&self) -> [usize; 3] {
        let [_, embedding] = self.embedding.weight.lazy_shape().dims::<2>();
        [embedding, self.first.d_hidden, self.second.d_hidden]
    }

    /// The outputs of the second layer after each of the tokens `[steps, batch]`, `[steps * batch, hidden]`
    /// with the steps in order, and the states after the last; from `states`, or from zeros.
    pub(super) fn forward(
        &self,
        at: &Tangents,
        tokens: Tensor<2, Int>,
        states: Option<States>,
        masks: Option<&Masks>,
    ) -> (Dual<2>, States) {
        let [steps, _] = tokens.dims();
        let (first, second) = states.map_or((None, None), |[a, b]| (Some(a), Some(b)));
        let words = at.embedding(&self.embedding, tokens);
        let step = |step: usize| words.clone().narrow(0, step, 1).squeeze_dim(0);
        let inputs = masked((0..steps).map(step).collect(), masks.map(|masks| &masks[0]));
        let (between, first) = at.lstm(&self.first, inputs, first);
        let between = masked(between, masks.map(|masks| &masks[1]));
        let (outputs, second) = at.lstm(&self.second, between, second);
        let outputs = masked(outputs, masks.map(|masks| &masks[2]));
        (Dual::cat(outputs, 0), [first, second])
    }

    /// The mean cross-entropy of the words that follow the outputs of [`RecurrentModel::forward`].
    pub(super) fn loss(&self, at: &Tangents, outputs: Dual<2>, words: &[u32]) -> Dual<1> {
        self.softmax.loss(at, outputs, words)
    }
}

/// Each step times its factors.
fn masked(steps: Vec<Dual<2>>, mask: Option<&Tensor<3>>) -> Vec<Dual<2>> {
    let Some(mask) = mask else { return steps };
    let factors = |step: usize| mask.clone().narrow(0, step, 1).squeeze_dim::<2>(0);
    steps.into_iter().enumerate().map(|(step, x)| x * factors(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::testing::{check, images, model};

    const STEPS: usize = 3;
    const BATCH: usize = 2;
    const WORDS: [u32; STEPS * BATCH] = [1, 8, 4, 0, 2, 8];

    fn config() -> RecurrentConfig {
        RecurrentConfig { vocabulary: 9, embedding: 5, hidden: 4, cutoffs: vec![3, 6] }
    }

    fn tokens() -> Tensor<2, Int> {
        Tensor::from_ints([[0, 8], [3, 3], [5, 1]], &Device::default().autodiff())
    }

    #[test]
    fn gradients_and_hessian_products_are_exact() {
        let states = || {
            [1, 2].map(|layer| {
                let [cell, hidden] = [1.0, -0.5].map(|scale| images(BATCH, 4) * scale / layer);
                LstmState { cell: cell.into(), hidden: hidden.into() }
            })
        };
        let mask = |width: usize| images(STEPS * BATCH, width).reshape([STEPS, BATCH, width]);
        let masks = [mask(5), mask(4), mask(4)];
        check(&model(|device| config().init(device)), |model, at| {
            let (outputs, _) = model.forward(at, tokens(), Some(states()), Some(&masks));
            model.loss(at, outputs, &WORDS)
        });
    }

    #[test]
    fn two_stretches_with_the_states_carried_over_are_one() {
        let (model, at) = (model(|device| config().init(device)), Tangents::none());
        let numbers = |dual: Dual<2>| dual.value.into_data().iter::<f64>().collect::<Vec<_>>();
        let (whole, _) = model.forward(&at, tokens(), None, None);
        let (_, states) = model.forward(&at, tokens().narrow(0, 0, 2), None, None);
        let (last, _) = model.forward(&at, tokens().narrow(0, 2, 1), Some(states), None);
        assert_eq!(numbers(last), numbers(whole)[2 * BATCH * 4..]);
    }

    /// Weights of words, of both layers (two matrices and two biases for each of four gates), of the head,
    /// and of each cluster.
    fn formula(vocabulary: usize, embedding: usize, hidden: usize, cutoffs: [usize; 3]) -> usize {
        let lstm = |inputs: usize| 4 * (hidden * (inputs + hidden) + 2 * hidden);
        let [first, second, third] = cutoffs;
        let tail = |narrow: usize, words: usize| hidden * narrow + narrow * words;
        vocabulary * embedding
            + lstm(embedding)
            + lstm(hidden)
            + hidden * (first + 3)
            + tail(hidden / 4, second - first)
            + tail(hidden / 16, third - second)
            + tail(hidden / 64, vocabulary - third)
    }

    #[test]
    fn the_number_of_parameters_is_that_of_the_formula_also_at_the_scale_of_the_paper() {
        let device = Device::default().autodiff();
        // Parameters wait for their first use, so that nothing of it is allocated.
        let count = |vocabulary, embedding, hidden, cutoffs: [usize; 3]| {
            let cutoffs = cutoffs.to_vec();
            let config = RecurrentConfig { vocabulary, embedding, hidden, cutoffs };
            config.init(&device).num_params()
        };
        let small = (100, 7, 64, [10, 20, 50]);
        let paper = (793_471, 300, 2048, [60_000, 100_000, 640_000]);
        for (vocabulary, embedding, hidden, cutoffs) in [small, paper] {
            let expected = formula(vocabulary, embedding, hidden, cutoffs);
            assert_eq!(count(vocabulary, embedding, hidden, cutoffs), expected);
        }
        assert_eq!(formula(793_471, 300, 2048, [60_000, 100_000, 640_000]), 509_636_788);
    }

    #[test]
    fn the_forget_gate_begins_with_a_bias_of_one_in_both_places() {
        let model = model(|device| config().init(device));
        for layer in [&model.first, &model.second] {
            let forget = layer.forget_gate.as_ref().expect("a forget gate");
            for (gate, expected) in
                [(&layer.input_gate, 0.0), (forget, 1.0), (&layer.cell_gate, 0.0)]
            {
                for linear in [&gate.input_transform, &gate.hidden_transform] {
                    let bias = linear.bias.as_ref().expect("a bias").val().into_data();
                    assert!(bias.iter::<f64>().all(|bias| bias == expected));
                }
            }
        }
    }
}
