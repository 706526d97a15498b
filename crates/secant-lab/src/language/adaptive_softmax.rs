//! A softmax over many words that costs little for frequent ones.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::{Device, Int, Tensor, TensorData},
};
use secant::dual::{Dual, Tangents};

/// The adaptive softmax of Grave, Joulin, Cissé, Grangier and Jégou 2017, without biases.
///
/// Words are numbered by falling frequency. Those before the first cut-off are outputs of the head, which
/// has one output more for each cluster of rarer words between two cut-offs. The probability of a word of a
/// cluster is the cluster's times the word's within it, a softmax of a projection of the inputs to a quarter of
/// their width in the first cluster, to a sixteenth in the second, and so on.
#[derive(Module, Debug)]
pub(super) struct AdaptiveSoftmax {
    head: Linear,
    tails: Vec<Tail>,
    /// Words before the first cluster.
    shortlist: usize,
}

/// How much narrower each cluster's projection is than the one before.
const DIVISION: usize = 4;

impl AdaptiveSoftmax {
    /// For inputs of this width; cut-offs rise, and lie within the vocabulary.
    pub(super) fn new(width: usize, vocabulary: usize, cutoffs: &[usize], device: &Device) -> Self {
        let ends = cutoffs.iter().skip(1).copied().chain([vocabulary]);
        let mut projected = width;
        let tail = |(&first, end): (&usize, usize)| {
            projected = (projected / DIVISION).max(1);
            Tail {
                first,
                words: end - first,
                projection: linear(width, projected, device),
                output: linear(projected, end - first, device),
            }
        };
        let tails: Vec<Tail> = cutoffs.iter().zip(ends).map(tail).collect();
        let shortlist = cutoffs.first().copied().unwrap_or(vocabulary);
        Self { head: linear(width, shortlist + tails.len(), device), tails, shortlist }
    }

    /// The mean cross-entropy of words, one for each row of the inputs `[words, width]`.
    pub(super) fn loss(&self, at: &Tangents, inputs: Dual<2>, words: &[u32]) -> Dual<1> {
        let words: Vec<usize> = words.iter().map(|&word| word as usize).collect();
        let places: Vec<usize> = words.iter().map(|&word| self.place(word)).collect();
        let logits = at.output(at.linear(&self.head, inputs.clone()));
        let mut sum = chosen(logits, &places);
        for tail in &self.tails {
            sum = sum + tail.log_likelihood(at, &inputs, &words);
        }
        sum * (-1.0 / words.len() as f64)
    }

    /// The head's output for a word.
    fn place(&self, word: usize) -> usize {
        let clusters = self.tails.iter().filter(|tail| tail.first <= word).count();
        if clusters == 0 { word } else { self.shortlist + clusters - 1 }
    }
}

/// A cluster of rare words.
#[derive(Module, Debug)]
struct Tail {
    /// The number of its first word.
    first: usize,
    /// How many it has.
    words: usize,
    projection: Linear,
    output: Linear,
}

impl Tail {
    /// The sum of the log-probabilities, within the cluster, of those words that are in it.
    ///
    /// Where there is none, the first row is evaluated and counts 0: the gradient is then zeros, and not
    /// missing.
    fn log_likelihood(&self, at: &Tangents, inputs: &Dual<2>, words: &[usize]) -> Dual<1> {
        let inside = |word: usize| word.checked_sub(self.first).filter(|&word| word < self.words);
        let (mut rows, mut places): (Vec<usize>, Vec<usize>) =
            words.iter().enumerate().filter_map(|(row, &word)| Some((row, inside(word)?))).unzip();
        let weight = if rows.is_empty() { 0.0 } else { 1.0 };
        if rows.is_empty() {
            (rows, places) = (vec![0], vec![0]);
        }
        let inputs = inputs.clone().select(0, indices(&rows, &inputs.value.device()));
        let logits = at.output(at.linear(&self.output, at.linear(&self.projection, inputs)));
        chosen(logits, &places) * weight
    }
}

fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs).with_bias(false).init(device)
}

/// The sum of the log-probabilities at these places, one a row.
fn chosen(logits: Dual<2>, places: &[usize]) -> Dual<1> {
    let places = indices(places, &logits.value.device()).unsqueeze_dim(1);
    logits.log_softmax(1).gather(1, places).sum()
}

fn indices(numbers: &[usize], device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
    let shape = [numbers.len()];
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::testing::{check, images, model};

    const WIDTH: usize = 16;
    const VOCABULARY: usize = 11;
    const CUTOFFS: [usize; 2] = [3, 7];

    fn softmax(cutoffs: &[usize]) -> AdaptiveSoftmax {
        model(|device| AdaptiveSoftmax::new(WIDTH, VOCABULARY, cutoffs, device))
    }

    fn inputs(rows: usize) -> Dual<2> {
        images(rows, WIDTH).into()
    }

    fn loss(softmax: &AdaptiveSoftmax, words: &[u32]) -> f64 {
        let loss = softmax.loss(&Tangents::none(), inputs(words.len()), words);
        loss.value.into_scalar::<f64>()
    }

    /// log p of every word after one row of inputs, from the matrices in plain arithmetic.
    fn dense(softmax: &AdaptiveSoftmax, input: &[f64]) -> Vec<f64> {
        let product = |layer: &Linear, x: &[f64]| -> Vec<f64> {
            let [_, outputs] = layer.weight.dims();
            let weight: Vec<f64> = layer.weight.val().into_data().iter::<f64>().collect();
            (0..outputs)
                .map(|j| x.iter().enumerate().map(|(i, x)| x * weight[i * outputs + j]).sum())
                .collect()
        };
        let log_softmax = |logits: Vec<f64>| -> Vec<f64> {
            let sum = logits.iter().map(|logit| logit.exp()).sum::<f64>().ln();
            logits.iter().map(|logit| logit - sum).collect()
        };
        let head = log_softmax(product(&softmax.head, input));
        let mut all = head[..softmax.shortlist].to_vec();
        for (cluster, tail) in softmax.tails.iter().enumerate() {
            let within = log_softmax(product(&tail.output, &product(&tail.projection, input)));
            all.extend(within.iter().map(|word| head[softmax.shortlist + cluster] + word));
        }
        all
    }

    #[test]
    fn the_loss_is_the_mean_of_the_dense_computation() {
        for cutoffs in [&CUTOFFS[..], &CUTOFFS[..1], &[]] {
            let softmax = softmax(cutoffs);
            // Of every part, in no order, and some twice; then of no cluster.
            for words in [&[10, 0, 7, 3, 6, 2, 3, 8][..], &[0, 2, 1]] {
                let rows: Vec<f64> = inputs(words.len()).value.into_data().iter().collect();
                let expected: f64 = rows
                    .chunks(WIDTH)
                    .zip(words)
                    .map(|(row, &word)| -dense(&softmax, row)[word as usize])
                    .sum();
                let expected = expected / words.len() as f64;
                let found = loss(&softmax, words);
                // Sums of 16 products, twice in a row.
                assert!((found - expected).abs() < 1e-13, "{cutoffs:?}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn the_probabilities_of_all_words_sum_to_one() {
        let softmax = softmax(&CUTOFFS);
        let sum: f64 = (0..VOCABULARY as u32).map(|word| (-loss(&softmax, &[word])).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-14, "{sum}");
    }

    #[test]
    fn without_cut_offs_it_is_the_softmax_cross_entropy() {
        let (softmax, at) = (softmax(&[]), Tangents::none());
        let words = [10, 0, 7, 3];
        let classes = Tensor::from_ints([10, 0, 7, 3], &inputs(4).value.device());
        let plain = at.linear(&softmax.head, inputs(4)).cross_entropy(classes);
        let plain = plain.value.into_scalar::<f64>();
        assert!((loss(&softmax, &words) - plain).abs() < 1e-14);
    }

    #[test]
    fn gradients_and_hessian_products_are_exact_also_where_a_cluster_has_no_word() {
        for words in [&[10u32, 0, 7, 3, 6, 2][..], &[0, 4, 1]] {
            check(&softmax(&CUTOFFS), |softmax, at| softmax.loss(at, inputs(words.len()), words));
        }
    }

    #[test]
    fn projections_narrow_by_four() {
        let softmax = softmax(&CUTOFFS);
        let shapes: Vec<[usize; 2]> = [&softmax.head]
            .into_iter()
            .chain(softmax.tails.iter().flat_map(|tail| [&tail.projection, &tail.output]))
            .map(|layer| layer.weight.dims())
            .collect();
        assert_eq!(shapes, [[16, 5], [16, 4], [4, 4], [16, 1], [1, 4]]);
    }
}
