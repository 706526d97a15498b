//! The transformer against Burn's layers, its derivatives, and what neighbours in a batch do.

use burn::{
    module::Module,
    nn::transformer::{TransformerDecoderInput, TransformerEncoderInput},
    tensor::{Bool, DType},
};

use secant_data::pairs::{BEGIN, END, PADDING};

use super::*;
use crate::network::testing::{check, device, model};

/// Words and the same words from behind, of different lengths.
fn pairs(count: usize) -> Vec<Pair> {
    let words = ["ab", "c", "da", "bb", "cad"];
    let pair = |number: usize| {
        let at = |place: usize| words[(number * (place + 2) + place) % words.len()];
        let sentence: Vec<&str> = (0..1 + number % 4).map(at).collect();
        let turned: Vec<&str> = sentence.iter().rev().copied().collect();
        Pair { source: sentence.join(" "), target: turned.join(" ") }
    };
    (0..count).map(pair).collect()
}

/// Two layers of two heads, of which the width's root is 2: Burn's quotients by other roots have gradients
/// of single precision.
fn tiny(vocabulary: usize) -> TransformerConfig {
    TransformerConfig { vocabulary, width: 8, heads: 2, hidden: 12, layers: 2, dropout: 0.25 }
}

fn problem() -> Translation {
    let pairs = SentencePairs { train: pairs(9), validation: pairs(250), test: pairs(7) };
    Translation::new("tiny/transformer".to_string(), pairs, 14, tiny).expect("a problem")
}

fn batch<'a>(part: Part, records: &'a [usize], device: &'a Device) -> Batch<'a> {
    Batch { part, records, device, dtype: DType::F64 }
}

fn transformer(problem: &Translation) -> Transformer {
    model(|device| problem.model(1, device))
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        // Some hundred numbers of size 1, summed in another order.
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

#[test]
fn the_pass_is_that_of_burns_encoder_and_decoder() {
    let problem = problem();
    let (model, device) = (transformer(&problem).valid(), device().inner());
    let at = Tangents::none();
    let pass = Pass { at: &at, dropout: Dropout::none() };
    let lesson = problem.train.lesson(&[3, 1, 2], &device);
    let padding = lesson.sources.clone().equal_elem(PADDING);
    let encoded = model.encode(&pass, lesson.sources.clone());
    let states = model.decode(&pass, &encoded, lesson.given.clone()).value;
    let [sources, given] =
        [lesson.sources, lesson.given.clone()].map(|tokens| model.embedded(tokens));
    let memory =
        model.encoder().forward(TransformerEncoderInput::new(sources).mask_pad(padding.clone()));
    let [count, places] = lesson.given.dims();
    let later = Tensor::<2, Bool>::tril_mask([places, places], 0, &device);
    let input = TransformerDecoderInput::new(given, memory)
        .memory_mask_pad(padding)
        .target_mask_attn(later.unsqueeze::<3>().expand([count, places, places]));
    assert_close(&numbers(states), &numbers(model.decoder().forward(input)));
}

#[test]
fn gradient_and_hessian_products_of_the_loss_are_those_of_differences() {
    let (problem, device) = (problem(), device());
    let records = [0, 3, 6];
    check(&transformer(&problem), |model, at| {
        problem.dual_loss(model, at, batch(Part::Train, &records, &device))
    });
}

#[test]
fn a_batch_is_one_function_and_another_order_of_it_another() {
    let (problem, device) = (problem(), device());
    let model = transformer(&problem);
    let of = |records: &[usize]| {
        problem.loss(&model, batch(Part::Train, records, &device)).into_scalar::<f64>()
    };
    assert_eq!(of(&[1, 2, 3]).to_bits(), of(&[1, 2, 3]).to_bits());
    assert!((of(&[1, 2, 3]) - of(&[3, 2, 1])).abs() > 1e-6);
}

#[test]
fn a_sentence_has_the_loss_and_the_translation_that_it_has_alone() {
    let problem = problem();
    let (model, device) = (transformer(&problem).valid(), device().inner());
    let records = [0, 1, 2, 3, 4, 5, 6];
    let of = |records: &[usize]| {
        let likelihood =
            problem.likelihood(&model, &Tangents::none(), batch(Part::Test, records, &device));
        let loss = likelihood.cross_entropy(SMOOTHING).value.into_scalar::<f64>();
        (loss * likelihood.rows as f64, likelihood.rows)
    };
    let (sum, tokens) = of(&records);
    let alone: Vec<(f64, usize)> = records.iter().map(|&record| of(&[record])).collect();
    assert_close(&[sum], &[alone.iter().map(|(loss, _)| loss).sum()]);
    assert_eq!(tokens, alone.iter().map(|(_, tokens)| tokens).sum::<usize>());
    for beam in [GREEDY, TESTED] {
        let of = |records: &[usize]| {
            problem.translations(&model, beam, batch(Part::Test, records, &device))
        };
        let alone: Vec<String> = records.iter().flat_map(|&record| of(&[record])).collect();
        assert_eq!(of(&records), alone);
    }
}

#[test]
fn greedy_translations_are_those_of_whole_passes() {
    let problem = problem();
    let (model, device) = (transformer(&problem).valid(), device().inner());
    let at = Tangents::none();
    let pass = Pass { at: &at, dropout: Dropout::none() };
    for record in 0..7 {
        let sources = || problem.test.sources(&[record], &device);
        let found = model.translate(sources(), &[9], GREEDY).remove(0);
        let encoded = model.encode(&pass, sources());
        let mut tokens = vec![BEGIN];
        while tokens.len() < 10 {
            let given = sentences::integers(tokens.iter().copied(), [1, tokens.len()], &device);
            let states = model.decode(&pass, &encoded, given).flatten::<2>(0, 1);
            let last = states.narrow(0, tokens.len() - 1, 1);
            let logits = numbers(model.logits(&at, last).value);
            let next = (END as usize..logits.len())
                .max_by(|a, b| logits[*a].total_cmp(&logits[*b]))
                .expect("a token") as u32;
            if next == END {
                break;
            }
            tokens.push(next);
        }
        assert_eq!(found, tokens[1..]);
    }
}

#[test]
fn metrics_are_of_all_tokens_and_bleu_of_a_bounded_number_of_validation_records() {
    let problem = problem();
    let (model, device) = (transformer(&problem).valid(), device().inner());
    let records: Vec<usize> = (0..250).collect();
    let found = problem.measure(&model, batch(Part::Validation, &records, &device));
    let likelihood =
        problem.likelihood(&model, &Tangents::none(), batch(Part::Validation, &records, &device));
    let [loss, plain] = [SMOOTHING, 0.0]
        .map(|smoothing| likelihood.cross_entropy(smoothing).value.into_scalar::<f64>());
    // Sums in another order.
    assert!((found[0] - loss).abs() < 1e-12 && (found[1] - plain.exp()).abs() < 1e-9, "{found:?}");
    assert!((0.0..=1.0).contains(&found[2]), "{found:?}");
    let (looked_at, beam) = problem.translated(Part::Validation, &records);
    assert_eq!((looked_at.len(), looked_at[1], beam.size), (84, 3, 1));
    let (tested, beam) = problem.translated(Part::Test, &records);
    assert_eq!((tested, beam.size), (records, 5));
    assert_eq!(problem.metrics()[problem.ranked_by()], Metric::share("BLEU"));
}

#[test]
fn the_baseline_copies_the_source() {
    let same = pairs(7).into_iter().map(|pair| Pair { target: pair.source.clone(), ..pair });
    let parts = SentencePairs { train: pairs(9), validation: pairs(9), test: same.collect() };
    let problem = Translation::new("same".to_string(), parts, 14, tiny).expect("a problem");
    let baseline = problem.baseline().expect("a baseline");
    let [None, None, Some(bleu)] = baseline.test[..] else { panic!("BLEU alone") };
    // Rounding of four logarithms and an exponential.
    assert!((bleu - 1.0).abs() < 1e-12, "{bleu}");
    assert!(baseline.validation[2].expect("a number") < 0.9);
}
