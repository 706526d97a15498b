//! The loss as a function of model and windows alone, and what it is measured by.

use burn::tensor::{DType, Device};
use secant_data::text::{Corpus, TINY_SHAKESPEARE, load_words};

use super::*;
use crate::{Precision, network::testing, precision::drawn};

static ENTRY: LanguageEntry = LanguageEntry {
    name: "verses/lstm",
    line: "Verses",
    text: &TINY_SHAKESPEARE,
    window: 4,
    shape: Shape::Recurrent { embedding: 5, hidden: 6, cutoffs: &[3, 7] },
    batch_size: 4,
    epochs: 1.0,
};

/// A text of nine words, 5,120 in all.
fn corpus() -> Corpus {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("verses.txt");
    let verse = "a rose is a rose is a rose\nso it may be and is\n";
    std::fs::write(&path, verse.repeat(320)).expect("a file");
    load_words(&path).expect("a text")
}

fn problem() -> Language {
    Language::new(&ENTRY, corpus())
}

fn device() -> Device {
    Device::default().autodiff()
}

fn batch<'a>(part: Part, records: &'a [usize], device: &'a Device) -> Batch<'a> {
    Batch { part, records, device, dtype: DType::F64 }
}

fn model(problem: &Language) -> LanguageModel {
    drawn(1, Precision::F64, &device(), || problem.model(1, &device()))
}

fn recurrent(model: &LanguageModel) -> &RecurrentModel {
    match model {
        LanguageModel::Recurrent(model) => model,
        LanguageModel::Attentive(_) => panic!("a transformer"),
    }
}

fn loss(problem: &Language, model: &LanguageModel, part: Part, records: &[usize]) -> f64 {
    problem.loss(model, batch(part, records, &device())).into_scalar::<f64>()
}

#[test]
fn a_batch_is_one_function_and_another_order_has_other_masks() {
    let problem = problem();
    let model = model(&problem);
    let of = |part, records: &[usize]| loss(&problem, &model, part, records);
    assert_eq!(of(Part::Train, &[5, 0, 9]), of(Part::Train, &[5, 0, 9]));
    assert_ne!(of(Part::Train, &[5, 0, 9]), of(Part::Train, &[9, 0, 5]));
    // Without masks the order is rounding alone.
    let difference = of(Part::Validation, &[4, 0, 3]) - of(Part::Validation, &[3, 0, 4]);
    assert!(difference.abs() < 1e-14, "{difference}");
}

#[test]
fn the_mean_over_windows_is_that_of_one_pass_where_each_has_its_state() {
    let problem = problem();
    let (model, at) = (model(&problem), Tangents::none());
    let device = device();
    let pair = batch(Part::Validation, &[0, 1], &device);
    // The first two windows in one stretch from zeros.
    let windows = problem.windows(Part::Validation);
    let targets = [windows.targets(&[0]), windows.targets(&[1])].concat();
    let [first, second] = [[0], [1]].map(|record| problem.inputs(pair, &record));
    let inputs = Tensor::cat(vec![first, second], 0);
    let recurrent = recurrent(&model);
    let (outputs, _) = recurrent.forward(&at, inputs, None, None);
    let expected = recurrent.loss(&at, outputs, &targets).value.into_scalar::<f64>();
    let found = loss(&problem, &model, Part::Validation, &[0, 1]);
    assert!((found - expected).abs() < 1e-14, "{found}, {expected}");
    assert_ne!(found, loss(&problem, &model, Part::Validation, &[0, 2]));
}

#[test]
fn masks_keep_the_mean_and_leave_out_a_tenth() {
    let problem = problem();
    let records: Vec<usize> = (0..100).collect();
    let device = device();
    let masks = problem.masks([5, 6, 6], batch(Part::Train, &records, &device));
    let factors: Vec<f64> = masks
        .into_iter()
        .flat_map(|mask| mask.into_data().iter::<f64>().collect::<Vec<_>>())
        .collect();
    assert_eq!(factors.len(), 400 * (5 + 6 + 6));
    let left_out = factors.iter().filter(|&&factor| factor == 0.0).count();
    // 6,800 draws: 680 with a deviation of 25.
    assert!((580..=780).contains(&left_out), "{left_out}");
    let is_one_of_two = |&factor: &f64| factor == 0.0 || (factor - 1.0 / 0.9).abs() < 1e-7;
    assert!(factors.iter().all(is_one_of_two));
}

#[test]
fn gradients_and_products_are_those_of_the_loss_with_the_entering_state_held() {
    let problem = problem();
    let (model, device) = (model(&problem), device());
    // The first window has no state that moves, so differences of gradients are products.
    testing::check(&model, |model, at| {
        problem.loss_on_duals(model, at, batch(Part::Train, &[0, 0], &device)).expect("duals")
    });
    // Of the others, with the state that the model has.
    let some = batch(Part::Train, &[7, 0, 3], &device);
    let states = problem.states_before(recurrent(&model), some);
    let masks = problem.masks(recurrent(&model).widths(), some);
    let targets = problem.windows(Part::Train).targets(some.records);
    testing::check(&model, |model, at| {
        let inputs = problem.inputs(some, some.records);
        let model = recurrent(model);
        let (outputs, _) = model.forward(at, inputs, Some(states.clone()), Some(&masks));
        model.loss(at, outputs, &targets)
    });
    assert!(states[0].hidden.value.clone().into_data().iter::<f64>().any(|h| h != 0.0));
}

#[test]
fn perplexity_is_e_to_the_mean_loss_of_all_windows_without_masks() {
    let problem = problem();
    let model = model(&problem);
    let all: Vec<usize> = (0..problem.records(Part::Validation)).collect();
    let device = Device::default();
    let found = problem.measure(&model.clone().valid(), batch(Part::Validation, &all, &device));
    let one = |record: &usize| loss(&problem, &model, Part::Validation, &[*record]);
    let mean = all.iter().map(one).sum::<f64>() / all.len() as f64;
    assert!((found[0] - mean).abs() < 1e-13, "{found:?}, {mean}");
    assert_eq!(found[PERPLEXITY], found[0].exp());
    assert!(found[PERPLEXITY] > 1.0);
}

#[test]
fn the_baseline_lies_between_certainty_and_ignorance() {
    let problem = problem();
    let baseline = problem.baseline().expect("a baseline");
    let perplexity = baseline.test[PERPLEXITY].expect("finite");
    assert!(perplexity > 1.0 && perplexity < problem.corpus.vocabulary.len() as f64);
}

#[test]
fn another_text_or_another_window_has_another_fingerprint() {
    let one = problem();
    let mut other = problem();
    assert_eq!(one.fingerprint(), other.fingerprint());
    other.corpus.test.reverse();
    assert_ne!(one.fingerprint(), other.fingerprint());
}
