//! The tensors that a benchmark steps through.

use clap::ValueEnum;

/// The parameters of a model, as shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shapes {
    /// One tensor of 10,000,000 numbers: the memory's speed and nothing else
    OneTensor,
    /// The 327 tensors of CIFAR-10's ResNet-110, 1,727,930 numbers: what a tensor costs as such
    #[value(name = "resnet-110")]
    Resnet110,
    /// The 48 tensors of four transformer blocks of width 256, 3,159,040 numbers: matrices for layer-wise methods
    Transformer,
}

impl Shapes {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneTensor => "one-tensor",
            Self::Resnet110 => "resnet-110",
            Self::Transformer => "transformer",
        }
    }

    /// The shape of every tensor.
    pub fn list(self) -> Vec<Vec<usize>> {
        match self {
            Self::OneTensor => vec![vec![10_000_000]],
            Self::Resnet110 => resnet_110(),
            Self::Transformer => (0..4).flat_map(|_| transformer_block(256)).collect(),
        }
    }

    /// Numbers in all tensors together.
    pub fn num_elements(self) -> usize {
        self.list().iter().map(|shape| shape.iter().product::<usize>()).sum()
    }

    /// How many steps ahead of its use a gradient is written. Vectors larger than the cache are to
    /// come from memory, as they do after the backward pass of a large model; the tensors of a
    /// small model are to be as warm as that pass leaves them.
    pub(super) fn prepared_ahead(self) -> usize {
        match self {
            Self::OneTensor => 2,
            Self::Resnet110 | Self::Transformer => 1,
        }
    }

    /// Timed steps unless the user says otherwise.
    pub(super) fn rounds(self) -> usize {
        match self {
            Self::OneTensor => 30,
            Self::Resnet110 => 200,
            Self::Transformer => 40,
        }
    }
}

/// CIFAR's ResNet-110 with shortcuts that hold no parameter, and no batch norm after the stem.
fn resnet_110() -> Vec<Vec<usize>> {
    let mut shapes = vec![vec![16, 3, 3, 3]];
    let mut inputs = 16;
    for width in [16, 32, 64] {
        for _convolution in 0..2 * 18 {
            shapes.extend([vec![width, inputs, 3, 3], vec![width], vec![width]]);
            inputs = width;
        }
    }
    shapes.extend([vec![10, 64], vec![10]]);
    shapes
}

/// Attention with queries, keys and values in one matrix, then two layers with four times the width
/// between them, each after a layer norm.
fn transformer_block(width: usize) -> Vec<Vec<usize>> {
    let layer = |inputs, outputs| [vec![inputs, outputs], vec![outputs]];
    let norm = || [vec![width], vec![width]];
    let attention = [norm(), layer(width, 3 * width), layer(width, width)];
    let layers = [norm(), layer(width, 4 * width), layer(4 * width, width)];
    attention.into_iter().chain(layers).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_are_those_of_the_paper_s_network() {
        assert_eq!(Shapes::Resnet110.list().len(), 327);
        assert_eq!(Shapes::Resnet110.num_elements(), 1_727_930);
        assert_eq!(Shapes::Transformer.list().len(), 48);
        assert_eq!(Shapes::Transformer.num_elements(), 3_159_040);
        assert_eq!(Shapes::OneTensor.num_elements(), 10_000_000);
    }
}
