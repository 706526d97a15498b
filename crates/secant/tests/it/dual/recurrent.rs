//! The rules of recurrent layers.

use burn::nn::{Lstm, LstmConfig, LstmState as BurnState};
use secant::dual::LstmState;

use super::*;

const BATCH: usize = 3;
const STEPS: usize = 4;
const FEATURES: usize = 2;
const HIDDEN: usize = 5;
const INPUTS: usize = BATCH * (STEPS * FEATURES + 2 * HIDDEN);

/// Some hundred roundings of 6e-8.
const SINGLE: f64 = 1e-5;

fn layer(bias: bool) -> Lstm {
    LstmConfig::new(FEATURES, HIDDEN, bias).init(&device())
}

/// The layer with its input `[batch, steps, features]` and both parts of its state as parameters.
fn fed(bias: bool) -> Fed<Lstm> {
    Fed::new(layer(bias), INPUTS)
}

/// Input, cell and hidden state from the leaf.
fn parts(input: Dual<1>) -> (Dual<3>, LstmState) {
    let (inputs, size) = (BATCH * STEPS * FEATURES, BATCH * HIDDEN);
    let x = input.clone().narrow(0, 0, inputs).reshape([BATCH, STEPS, FEATURES]);
    let part = |place| input.clone().narrow(0, inputs + place * size, size);
    let [cell, hidden] = [0, 1].map(|place| part(place).reshape([BATCH, HIDDEN]));
    (x, LstmState { cell, hidden })
}

/// The hidden states of all steps and the last cell, `[batch, steps + 1, hidden]`.
fn dual(layer: &Lstm, at: &Tangents, x: &Dual<3>, state: Option<LstmState>) -> Dual<3> {
    let steps = (0..STEPS).map(|step| x.clone().narrow(1, step, 1).squeeze_dim(1));
    let (mut outputs, last) = at.lstm(layer, steps.collect(), state);
    assert_eq!(bits(last.hidden.value), bits(outputs[STEPS - 1].value.clone()));
    outputs.push(last.cell);
    Dual::cat(outputs.into_iter().map(|output| output.unsqueeze_dim(1)).collect(), 1)
}

/// The same by Burn.
fn burn(layer: &Lstm, x: Tensor<3>, state: Option<BurnState<2>>) -> Tensor<3> {
    let (outputs, last) = layer.forward(x, state);
    Tensor::cat(vec![outputs, last.cell.unsqueeze_dim(1)], 1)
}

#[test]
fn an_lstm_has_the_derivatives_of_its_values() {
    for bias in [true, false] {
        let from_a_state = |fed: &Fed<Lstm>, at: &Tangents| {
            let (x, state) = parts(at.param(&fed.input.x));
            dual(&fed.layer, at, &x, Some(state))
        };
        let plain = |fed: &Fed<Lstm>| from_a_state(fed, &Tangents::none()).value;
        check("from a state", &fed(bias), from_a_state, plain);
    }
    let x = || constant([BATCH, STEPS, FEATURES]).into();
    check(
        "constant input from zeros",
        &drawn(layer(true)),
        |layer, at| dual(layer, at, &x(), None),
        |layer| dual(layer, &Tangents::none(), &x(), None).value,
    );
    let frozen = Fed { layer: drawn(layer(true)).no_grad(), ..fed(true) };
    let moving_input = |fed: &Fed<Lstm>, at: &Tangents| {
        let (x, state) = parts(at.param(&fed.input.x));
        dual(&fed.layer, at, &x, Some(state))
    };
    check("frozen", &frozen, moving_input, |fed| moving_input(fed, &Tangents::none()).value);
}

#[test]
fn an_lstm_has_the_values_and_gradients_of_burns() {
    for bias in [true, false] {
        // Burn's layer collects its outputs in a tensor of single precision, whatever they are.
        let input = vector(&Numbers::new(3).vector(INPUTS), DType::F32);
        let fed = Fed { layer: layer(bias), input: Leaf { x: Param::from_tensor(input) } };
        // A graph serves one backward pass.
        let (at, inputs) = (Tangents::none(), || parts(Tangents::none().param(&fed.input.x)));
        let ours = |has_state: bool| {
            let (x, state) = inputs();
            dual(&fed.layer, &at, &x, Some(state).filter(|_| has_state)).value
        };
        let burns = |has_state: bool| {
            let (x, LstmState { cell, hidden }) = inputs();
            let state = BurnState::new(cell.value, hidden.value);
            burn(&fed.layer, x.value, Some(state).filter(|_| has_state))
        };
        for has_state in [true, false] {
            let [found, expected] = [ours(has_state), burns(has_state)];
            let [values, expected_values] = [found.clone(), expected.clone()].map(numbers);
            assert_close(&[values], &[expected_values], SINGLE, "values");
            let [gradients, expected] = [found, expected].map(|y| gradient(&fed, &scalar(y).value));
            assert_close(&gradients, &expected, SINGLE, "gradients");
        }
    }
}

#[test]
fn two_stretches_of_an_lstm_with_the_state_carried_over_are_one() {
    let layer = drawn(layer(true));
    let x: Dual<3> = constant([BATCH, STEPS, FEATURES]).into();
    let steps = |from: usize, to: usize| -> Vec<Dual<2>> {
        (from..to).map(|step| x.clone().narrow(1, step, 1).squeeze_dim(1)).collect()
    };
    let at = Tangents::none();
    let (whole, _) = at.lstm(&layer, steps(0, STEPS), None);
    let (_, state) = at.lstm(&layer, steps(0, 1), None);
    let (rest, _) = at.lstm(&layer, steps(1, STEPS), Some(state));
    for (rest, whole) in rest.into_iter().zip(&whole[1..]) {
        assert_eq!(bits(rest.value), bits(whole.value.clone()));
    }
}
