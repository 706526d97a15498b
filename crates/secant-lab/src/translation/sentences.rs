//! Sentences as tokens, and batches of them.

use burn::tensor::{Device, Int, Tensor, TensorData};
use secant_data::pairs::{BEGIN, BytePairEncoding, END, PADDING, Pair};

/// Pairs of sentences, as they are and as tokens.
#[derive(Clone, Debug)]
pub(super) struct Sentences {
    pub pairs: Vec<Pair>,
    sources: Vec<Vec<u32>>,
    targets: Vec<Vec<u32>>,
}

/// A batch for teaching.
pub(super) struct Lesson {
    /// What is to be translated, `[sentences, places]`.
    pub sources: Tensor<2, Int>,
    /// The translations from their beginning on, without their last token.
    pub given: Tensor<2, Int>,
    /// The places of `given`, row after row, that are no padding, of which there are N.
    pub places: Tensor<1, Int>,
    /// The token to follow at each, `[N, 1]`.
    pub wanted: Tensor<2, Int>,
}

impl Sentences {
    /// The mean length of a translation, in tokens.
    pub fn mean_length(&self) -> usize {
        let tokens: usize = self.targets.iter().map(Vec::len).sum();
        tokens.div_ceil(self.targets.len().max(1))
    }

    /// Each sentence ends with its end.
    pub fn new(pairs: Vec<Pair>, encoding: &BytePairEncoding) -> Self {
        let encoded = |text: &str| [encoding.encode(text), vec![END]].concat();
        Self {
            sources: pairs.iter().map(|pair| encoded(&pair.source)).collect(),
            targets: pairs.iter().map(|pair| encoded(&pair.target)).collect(),
            pairs,
        }
    }

    /// The tokens of a source, its end among them.
    pub fn source_len(&self, record: usize) -> usize {
        self.sources[record].len()
    }

    /// The sources of these records, `[sentences, places]`.
    pub fn sources(&self, records: &[usize], device: &Device) -> Tensor<2, Int> {
        let rows: Vec<&[u32]> = records.iter().map(|&record| &self.sources[record][..]).collect();
        padded(&rows, device)
    }

    /// The batch of these records.
    pub fn lesson(&self, records: &[usize], device: &Device) -> Lesson {
        let targets = || records.iter().map(|&record| &self.targets[record][..]);
        let given = |target: &[u32]| [&[BEGIN], &target[..target.len() - 1]].concat();
        let given: Vec<Vec<u32>> = targets().map(given).collect();
        let width = given.iter().map(Vec::len).max().unwrap_or(0);
        let places: Vec<u32> = targets()
            .enumerate()
            .flat_map(|(row, target)| {
                (0..target.len()).map(move |place| (row * width + place) as u32)
            })
            .collect();
        let count = places.len();
        Lesson {
            sources: self.sources(records, device),
            given: padded(&given.iter().map(Vec::as_slice).collect::<Vec<_>>(), device),
            places: integers(places, [count], device),
            wanted: integers(targets().flatten().copied(), [count, 1], device),
        }
    }
}

/// Rows filled up to one length.
fn padded(rows: &[&[u32]], device: &Device) -> Tensor<2, Int> {
    let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let row = |row: &&[u32]| {
        let fill = std::iter::repeat_n(PADDING, width - row.len());
        row.iter().copied().chain(fill).collect::<Vec<u32>>()
    };
    integers(rows.iter().flat_map(row), [rows.len(), width], device)
}

/// A tensor of whole numbers.
pub(super) fn integers<const D: usize>(
    numbers: impl IntoIterator<Item = u32>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D, Int> {
    let numbers: Vec<i64> = numbers.into_iter().map(i64::from).collect();
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers<const D: usize>(tensor: Tensor<D, Int>) -> Vec<i64> {
        tensor.into_data().iter::<i64>().collect()
    }

    #[test]
    fn a_lesson_gives_each_token_those_before_it_and_leaves_padding_out() {
        let pair =
            |source: &str, target: &str| Pair { source: source.into(), target: target.into() };
        let pairs = vec![pair("b", "a b"), pair("a b", "b"), pair("b a", "a")];
        let texts = ["a b", "b a"];
        // Pieces " a" and " b", of characters " ", "a" and "b" from number 4 on.
        let encoding = BytePairEncoding::train(texts.into_iter(), 9).expect("an encoding");
        let [a, b] = [" a", " b"].map(|text| {
            let is_it = |id: &u32| encoding.token(*id) == text;
            i64::from((0..9).find(is_it).expect("a token"))
        });
        let sentences = Sentences::new(pairs, &encoding);
        let lesson = sentences.lesson(&[1, 0], &Device::default());
        let (begin, end, none) = (i64::from(BEGIN), i64::from(END), i64::from(PADDING));
        assert_eq!(numbers(lesson.sources), [a, b, end, b, end, none]);
        assert_eq!(numbers(lesson.given), [begin, b, none, begin, a, b]);
        assert_eq!(numbers(lesson.places), [0, 1, 3, 4, 5]);
        assert_eq!(numbers(lesson.wanted), [b, end, a, b, end]);
        assert_eq!(sentences.source_len(0), 2);
    }
}
