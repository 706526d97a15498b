//! The rules of attention.

use burn::{
    nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig},
    tensor::Bool,
};

use super::{layers::check_layer, *};

const RECORDS: usize = 2;
const QUERIES: usize = 3;
const MEMORY: usize = 5;
/// Of three heads, whose root 2 Burn divides by: other gradients of quotients have the precision of f32.
const WIDTH: usize = 12;

/// Three heads of width 4, without dropout.
fn attention(is_quiet: bool) -> MultiHeadAttention {
    MultiHeadAttentionConfig::new(WIDTH, 3)
        .with_dropout(0.0)
        .with_quiet_softmax(is_quiet)
        .init(&device())
}

/// The last places of the second record are padding.
fn padding() -> Tensor<2, Bool> {
    let tokens = Tensor::<2, Int>::from_ints([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], &device());
    tokens.equal_elem(0)
}

/// No place sees a later one.
fn causal(positions: usize) -> Tensor<2, Bool> {
    Tensor::tril_mask([positions, positions], 0, &device())
}

#[test]
fn attention_to_itself_follows_its_masks_in_values_and_products() {
    for is_quiet in [false, true] {
        check_layer(
            &format!("all places, quiet {is_quiet}"),
            attention(is_quiet),
            [RECORDS, MEMORY, WIDTH],
            |layer: &MultiHeadAttention, at, x: Dual<3>| {
                at.multi_head_attention(layer, x.clone(), x, None)
            },
            |layer, x| layer.forward(MhaInput::self_attn(x)).context,
        );
    }
    let both = || {
        let causal = causal(MEMORY).reshape([1, 1, MEMORY, MEMORY]);
        let padding = padding().reshape([RECORDS, 1, 1, MEMORY]);
        let shape = [RECORDS, 1, MEMORY, MEMORY];
        causal.expand(shape).bool_or(padding.expand(shape))
    };
    check_layer(
        "padding and later places",
        attention(false),
        [RECORDS, MEMORY, WIDTH],
        |layer: &MultiHeadAttention, at, x: Dual<3>| {
            at.multi_head_attention(layer, x.clone(), x, Some(both()))
        },
        |layer, x| {
            let causal = causal(MEMORY).unsqueeze::<3>().expand([RECORDS, MEMORY, MEMORY]);
            let input = MhaInput::self_attn(x).mask_pad(padding()).mask_attn(causal);
            layer.forward(input).context
        },
    );
}

#[test]
fn attention_to_a_memory_moves_with_queries_memory_and_layer() {
    let fed = Fed::new(attention(false), RECORDS * (QUERIES + MEMORY) * WIDTH);
    let parts = |x: Dual<1>| {
        let x = x.reshape([RECORDS, QUERIES + MEMORY, WIDTH]);
        [x.clone().narrow(1, 0, QUERIES), x.narrow(1, QUERIES, MEMORY)]
    };
    let mask = || padding().reshape([RECORDS, 1, 1, MEMORY]);
    check(
        "memory",
        &fed,
        |fed: &Fed<MultiHeadAttention>, at| {
            let [query, memory] = parts(at.param(&fed.input.x));
            at.multi_head_attention(&fed.layer, query, memory, Some(mask()))
        },
        |fed| {
            let [query, memory] = parts(fed.input.x.val().into()).map(|part| part.value);
            let input = MhaInput::new(query, memory.clone(), memory).mask_pad(padding());
            fed.layer.forward(input).context
        },
    );
}

#[test]
fn keys_and_values_can_be_put_together_place_by_place() {
    let (layer, at) = (drawn(attention(false)), Tangents::none());
    let x = constant([RECORDS, MEMORY, WIDTH]);
    let mask = causal(MEMORY).reshape([1, 1, MEMORY, MEMORY]);
    let whole = at.multi_head_attention(&layer, x.clone(), x.clone(), Some(mask)).value;
    let mut so_far: Option<Attended> = None;
    for place in 0..MEMORY {
        let x = x.clone().narrow(1, place, 1);
        let next = at.attended(&layer, x.clone());
        let attended = match so_far {
            None => next,
            Some(before) => Attended {
                keys: Dual::cat(vec![before.keys, next.keys], 2),
                values: Dual::cat(vec![before.values, next.values], 2),
            },
        };
        let context = at.attend(&layer, x, &attended, None).value;
        let expected = whole.clone().narrow(1, place, 1);
        // The same sums, of which the masked places have terms 0.
        assert_close(&[numbers(context)], &[numbers(expected)], ROUNDING, "a place");
        so_far = Some(attended);
    }
}
