//! Residual networks for images.

use std::f64::consts::SQRT_2;

use burn::{
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
        pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig},
    },
    tensor::{Device, Tensor},
};
use secant::dual::{Dual, Tangents};

/// The shape of a residual network (He, Zhang, Ren, Sun 2016).
#[derive(Clone, Debug)]
pub struct ResidualConfig {
    /// Channels, rows and columns of an image.
    pub image: [usize; 3],
    /// The first convolution.
    pub stem: StemConfig,
    /// What all blocks are.
    pub block: BlockConfig,
    /// Output channels and number of blocks of every stage; each stage but the first halves the sides.
    pub stages: Vec<(usize, usize)>,
    /// Classes.
    pub classes: usize,
}

/// The convolution before the blocks.
#[derive(Clone, Debug)]
pub struct StemConfig {
    /// Output channels.
    pub channels: usize,
    /// Rows and columns of its kernel.
    pub kernel: usize,
    /// Its stride.
    pub stride: usize,
    /// Whether max-pooling of 3 x 3 windows with stride 2 follows.
    pub is_pooled: bool,
}

/// The convolutions that a block adds to its input, all with batch norm.
#[derive(Clone, Copy, Debug)]
pub enum BlockConfig {
    /// Two of 3 x 3.
    Basic,
    /// 1 x 1 to half of the output channels, 3 x 3 in groups, and 1 x 1 (Xie, Girshick, Dollar, Tu, He 2017).
    Grouped {
        /// Groups of channels, each convolved by itself.
        groups: usize,
    },
}

impl ResidualConfig {
    /// The network of 6 n + 2 layers for CIFAR, with n blocks in each of three stages.
    pub fn cifar(blocks: usize, classes: usize) -> Self {
        Self {
            image: [3, 32, 32],
            stem: StemConfig { channels: 16, kernel: 3, stride: 1, is_pooled: false },
            block: BlockConfig::Basic,
            stages: vec![(16, blocks), (32, blocks), (64, blocks)],
            classes,
        }
    }

    /// ResNet-34 for 32 x 32 pixels, as the author of Quasi-Adam has it: a small first kernel, and the pooling
    /// of large images all the same.
    pub fn resnet_34(classes: usize) -> Self {
        Self {
            image: [3, 32, 32],
            stem: StemConfig { channels: 64, kernel: 3, stride: 1, is_pooled: true },
            block: BlockConfig::Basic,
            stages: vec![(64, 3), (128, 4), (256, 6), (512, 3)],
            classes,
        }
    }

    /// ResNeXt-50 32x4d for ImageNet.
    pub fn resnext_50(classes: usize) -> Self {
        Self {
            image: [3, 224, 224],
            stem: StemConfig { channels: 64, kernel: 7, stride: 2, is_pooled: true },
            block: BlockConfig::Grouped { groups: 32 },
            stages: vec![(256, 3), (512, 4), (1024, 6), (2048, 3)],
            classes,
        }
    }

    pub(super) fn init(&self, device: &Device) -> Residual {
        let StemConfig { channels, kernel, stride, is_pooled } = self.stem;
        let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(padding(3));
        let mut inputs = channels;
        let mut blocks = Vec::new();
        for (stage, &(outputs, count)) in self.stages.iter().enumerate() {
            for block in 0..count {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                blocks.push(Block::new(self.block, [inputs, outputs], stride, device));
                inputs = outputs;
            }
        }
        Residual {
            stem: Normalized::new([self.image[0], channels], kernel, stride, 1, device),
            pool: is_pooled.then(|| pool.init()),
            blocks,
            mean: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            head: LinearConfig::new(inputs, self.classes).init(device),
            image: self.image,
        }
    }
}

/// A convolution, residual blocks, the mean over all pixels, and a linear layer.
#[derive(Module, Debug)]
pub struct Residual {
    stem: Normalized,
    pool: Option<MaxPool2d>,
    blocks: Vec<Block>,
    mean: AdaptiveAvgPool2d,
    head: Linear,
    image: [usize; 3],
}

impl Residual {
    pub(super) fn forward(&self, at: &Tangents, batch: Tensor<2>) -> Dual<2> {
        let [records, _] = batch.dims();
        let [channels, rows, columns] = self.image;
        let x = self.features(at, batch.reshape([records, channels, rows, columns]));
        at.linear(&self.head, x.adaptive_avg_pool2d(&self.mean).flatten::<2>(1, 3))
    }

    /// The output of the last block.
    fn features(&self, at: &Tangents, images: Tensor<4>) -> Dual<4> {
        let x = self.stem.forward(at, images.into()).relu();
        let x = match &self.pool {
            Some(pool) => x.max_pool2d(pool),
            None => x,
        };
        self.blocks.iter().fold(x, |x, block| block.forward(at, x))
    }
}

/// Convolutions with ReLU between them, added to their input; then ReLU.
#[derive(Module, Debug)]
struct Block {
    branch: Vec<Normalized>,
    /// What brings the input to the shape of the output, where it has another.
    projection: Option<Normalized>,
}

impl Block {
    fn new(
        config: BlockConfig,
        [inputs, outputs]: [usize; 2],
        stride: usize,
        device: &Device,
    ) -> Self {
        let layer = |channels, kernel, stride, groups| {
            Normalized::new(channels, kernel, stride, groups, device)
        };
        let branch = match config {
            BlockConfig::Basic => {
                vec![layer([inputs, outputs], 3, stride, 1), layer([outputs, outputs], 3, 1, 1)]
            }
            BlockConfig::Grouped { groups } => {
                let inner = outputs / 2;
                vec![
                    layer([inputs, inner], 1, 1, 1),
                    layer([inner, inner], 3, stride, groups),
                    layer([inner, outputs], 1, 1, 1),
                ]
            }
        };
        let has_other_shape = stride > 1 || inputs != outputs;
        let projection = has_other_shape.then(|| layer([inputs, outputs], 1, stride, 1));
        Self { branch, projection }
    }

    fn forward(&self, at: &Tangents, x: Dual<4>) -> Dual<4> {
        let shortcut = match &self.projection {
            Some(projection) => projection.forward(at, x.clone()),
            None => x.clone(),
        };
        let branch = self.branch.iter().enumerate().fold(x, |x, (index, layer)| {
            let x = if index == 0 { x } else { x.relu() };
            layer.forward(at, x)
        });
        (branch + shortcut).relu()
    }
}

/// A convolution without bias, then batch norm.
#[derive(Module, Debug)]
struct Normalized {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl Normalized {
    /// With weights of variance 2 / (outputs x kernel area), and zeros around the image so that stride 1 keeps
    /// its size.
    fn new(
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        stride: usize,
        groups: usize,
        device: &Device,
    ) -> Self {
        let std = SQRT_2 / ((outputs * kernel * kernel) as f64).sqrt();
        Self {
            convolution: Conv2dConfig::new([inputs, outputs], [kernel; 2])
                .with_stride([stride; 2])
                .with_padding(padding(kernel))
                .with_groups(groups)
                .with_bias(false)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .init(device),
            norm: BatchNormConfig::new(outputs).init(device),
        }
    }

    fn forward(&self, at: &Tangents, x: Dual<4>) -> Dual<4> {
        let x = at.conv2d(&self.convolution, x);
        at.batch_norm(&self.norm, x)
    }
}

/// As many zeros on each side as the kernel, of odd size, reaches beyond its centre.
fn padding(kernel: usize) -> PaddingConfig2d {
    let zeros = kernel / 2;
    PaddingConfig2d::Explicit(zeros, zeros, zeros, zeros)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Int, activation::relu};

    use super::*;
    use crate::{
        network::testing::{check, device, images, model},
        run::count,
    };

    /// Small networks with everything that the published ones have.
    fn small() -> [ResidualConfig; 2] {
        let stem = StemConfig { channels: 4, kernel: 3, stride: 1, is_pooled: false };
        let basic = ResidualConfig {
            image: [2, 6, 6],
            stem: stem.clone(),
            block: BlockConfig::Basic,
            stages: vec![(4, 1), (6, 2)],
            classes: 3,
        };
        let grouped = ResidualConfig {
            image: [2, 12, 12],
            stem: StemConfig { kernel: 7, stride: 2, is_pooled: true, ..stem },
            block: BlockConfig::Grouped { groups: 2 },
            stages: vec![(8, 2), (12, 1)],
            classes: 3,
        };
        [basic, grouped]
    }

    fn batch(config: &ResidualConfig) -> Tensor<2> {
        images(4, config.image.iter().product()) * 4.0 - 2.0
    }

    /// The network without duals.
    fn plain(network: &Residual, batch: Tensor<2>) -> Tensor<2> {
        let [channels, rows, columns] = network.image;
        let normalized =
            |layer: &Normalized, x: Tensor<4>| layer.norm.forward(layer.convolution.forward(x));
        let x = batch.reshape([-1, channels as i32, rows as i32, columns as i32]);
        let mut x = relu(normalized(&network.stem, x));
        if let Some(pool) = &network.pool {
            x = pool.forward(x);
        }
        for block in &network.blocks {
            let last = block.branch.len() - 1;
            let mut y = x.clone();
            for layer in &block.branch[..last] {
                y = relu(normalized(layer, y));
            }
            let shortcut = match &block.projection {
                Some(projection) => normalized(projection, x),
                None => x,
            };
            x = relu(normalized(&block.branch[last], y) + shortcut);
        }
        network.head.forward(network.mean.forward(x).flatten::<2>(1, 3))
    }

    #[test]
    fn published_networks_have_their_numbers_of_parameters() {
        let parameters = |config: ResidualConfig| count(&config.init(&device()));
        assert_eq!(parameters(ResidualConfig::cifar(3, 10)), 272_474);
        assert_eq!(parameters(ResidualConfig::cifar(18, 10)), 1_730_714);
        assert_eq!(parameters(ResidualConfig::resnet_34(10)), 21_282_122);
        assert_eq!(parameters(ResidualConfig::resnext_50(1000)), 25_028_904);
    }

    #[test]
    fn on_duals_it_is_the_plain_network_and_has_exact_products() {
        for config in small() {
            let network = model(|device| config.init(device));
            let batch = || batch(&config);
            let values = network.forward(&Tangents::none(), batch()).value.into_data();
            assert_eq!(values, plain(&network, batch()).into_data());
            let classes = || Tensor::<1, Int>::from_ints([0, 2, 1, 2], &device());
            check(&network, |network, at| network.forward(at, batch()).cross_entropy(classes()));
        }
    }

    #[test]
    fn images_shrink_to_8_2_and_7_pixels_a_side_before_the_mean() {
        let side = |config: ResidualConfig| {
            // Thin stages of one block each have the same sides.
            let stages = config.stages.iter().map(|_| (32, 1)).collect();
            let network = ResidualConfig { stages, ..config }.init(&device()).valid();
            let shape = [1, network.image[0], network.image[1], network.image[2]];
            let x = Tensor::<4>::zeros(shape, (&Device::default(), DType::F32));
            network.features(&Tangents::none(), x).dims()[2]
        };
        assert_eq!(side(ResidualConfig::cifar(3, 10)), 8);
        assert_eq!(side(ResidualConfig::resnet_34(10)), 2);
        let resnext = ResidualConfig::resnext_50(10);
        assert_eq!(
            side(ResidualConfig { block: BlockConfig::Grouped { groups: 4 }, ..resnext }),
            7
        );
    }

    #[test]
    fn convolutions_begin_with_the_deviation_of_apollo_and_batch_norms_with_one_and_zero() {
        let network = model(|device| ResidualConfig::cifar(1, 10).init(device));
        let last = &network.blocks[2].branch[1];
        let weights: Vec<f64> = last.convolution.weight.val().into_data().iter::<f64>().collect();
        assert_eq!(weights.len(), 64 * 64 * 9);
        let squares = weights.iter().map(|weight| weight * weight).sum::<f64>();
        let variance = squares / weights.len() as f64;
        // Of 36,864 draws the variance is known to sqrt(2 / 36,864) of itself: 0.7 %.
        assert!((variance * 64.0 * 9.0 / 2.0 - 1.0).abs() < 0.04, "{variance}");
        let is_all = |vector: Tensor<1>, value: f64| {
            vector.into_data().iter::<f64>().all(|entry| entry == value)
        };
        assert!(is_all(last.norm.gamma.val(), 1.0) && is_all(last.norm.beta.val(), 0.0));
        assert!(last.convolution.bias.is_none());
    }

    #[test]
    fn in_evaluation_a_record_does_not_depend_on_the_others_of_its_batch() {
        let [config, _] = small();
        let network = model(|device| config.init(device));
        let first = |network: &Residual, batch: Tensor<2>| {
            let outputs = network.forward(&Tangents::none(), batch).value;
            outputs.narrow(0, 0, 1).into_data().iter::<f64>().next().expect("an output")
        };
        let (four, two) = (batch(&config), batch(&config).narrow(0, 0, 2));
        let in_training = first(&network, four.clone()) - first(&network, two.clone());
        assert!(in_training.abs() > 1e-3, "{in_training}");
        let network = network.valid();
        let in_evaluation = first(&network, four.inner()) - first(&network, two.inner());
        // Products of matrices may add in other orders.
        assert!(in_evaluation.abs() < 1e-12, "{in_evaluation}");
    }
}
