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
}

impl Shapes {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneTensor => "one-tensor",
            Self::Resnet110 => "resnet-110",
        }
    }

    /// The shape of every tensor.
    pub fn list(self) -> Vec<Vec<usize>> {
        match self {
            Self::OneTensor => vec![vec![10_000_000]],
            Self::Resnet110 => resnet_110(),
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
            Self::Resnet110 => 1,
        }
    }

    /// Timed steps unless the user says otherwise.
    pub(super) fn rounds(self) -> usize {
        match self {
            Self::OneTensor => 30,
            Self::Resnet110 => 200,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_are_those_of_the_paper_s_network() {
        assert_eq!(Shapes::Resnet110.list().len(), 327);
        assert_eq!(Shapes::Resnet110.num_elements(), 1_727_930);
        assert_eq!(Shapes::OneTensor.num_elements(), 10_000_000);
    }
}
