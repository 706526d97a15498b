//! Translations of a transformer, all sentences at once.

use burn::tensor::{DType, Device, Int, Tensor, activation::log_softmax};
use secant::dual::{Attended, Dual, Tangents};

use super::{
    beam::Beam,
    sentences::integers,
    transformer::{Encoded, Transformer},
};
use crate::attention::{Dropout, Pass};

impl Transformer {
    /// The translations of `sources` `[sentences, places]`, filled up with padding, of which number `i`
    /// has at most `longest[i]` tokens. The model is one without autodiff.
    pub(super) fn translate(
        &self,
        sources: Tensor<2, Int>,
        longest: &[usize],
        beam: Beam,
    ) -> Vec<Vec<u32>> {
        let device = sources.device();
        let mut encoded = {
            let at = Tangents::none();
            self.encode(&Pass { at: &at, dropout: Dropout::none() }, sources)
        };
        let mut seen: Vec<Attended> = Vec::new();
        let mut place = 0;
        beam.search(longest, |rows, tokens| {
            // The first rows are the sentences.
            if place > 0 {
                keep(&mut encoded, &mut seen, rows, &device);
            }
            let tokens = integers(tokens.iter().copied(), [tokens.len(), 1], &device);
            let states = self.decode_next(&encoded, &mut seen, (place, tokens));
            place += 1;
            let logits = self.logits(&Tangents::none(), states.squeeze_dim(1)).value;
            let chances = log_softmax(logits, 1).into_data().convert_dtype(DType::F32);
            chances.try_into_vec().expect("converted to this type")
        })
    }
}

/// Keeps these rows of what the decoder sees.
fn keep(encoded: &mut Encoded, seen: &mut [Attended], rows: &[usize], device: &Device) {
    if rows.iter().copied().eq(0..encoded.mask.dims()[0]) {
        return;
    }
    let indices = integers(rows.iter().map(|&row| row as u32), [rows.len()], device);
    for Attended { keys, values } in encoded.memories.iter_mut().chain(seen) {
        for part in [keys, values] {
            *part = Dual::from(part.value.clone().select(0, indices.clone()));
        }
    }
    encoded.mask = encoded.mask.clone().select(0, indices);
}
