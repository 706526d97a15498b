//! The entries of the catalogue, each with its data, its network and its usual settings.

use std::{borrow::Cow, sync::LazyLock};

use secant_data::{
    Standardization, cifar, digits, images,
    imbalanced::{IMBALANCED, ImbalancedSet},
};

use super::{
    super::{Augmentation, table::steps_in_epochs},
    CatalogueEntry, Data, Scaling,
};
use crate::network::{ConvolutionalConfig, NetworkConfig, ResidualConfig};

/// All problems known by name.
pub static CATALOGUE: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
    let mut entries = Vec::from(pictures());
    entries.push(autoencoder("mnist", "mnist/autoencoder", "MNIST"));
    entries.push(autoencoder("fashion-mnist", "fashion-mnist/autoencoder", "Fashion-MNIST"));
    entries.extend([resnet_20(), resnet_110(), resnet_34()]);
    entries.extend([resnext_50_small(), resnext_50(), cal_housing()]);
    entries.extend(IMBALANCED.iter().map(imbalanced));
    entries
});

fn pictures() -> [CatalogueEntry; 9] {
    [
        CatalogueEntry {
            name: Cow::Borrowed("digits/cnn"),
            line: Cow::Borrowed(
                "Drawn digits, 16 x 16, embedded; convolutional network, 18,346 parameters",
            ),
            data: Data::Digits,
            network: digits_cnn,
            batch_size: 64,
            epochs: 1.0,
            augmentation: None,
            target: Some(0.95),
        },
        CatalogueEntry {
            name: Cow::Borrowed("digits/mlp"),
            line: Cow::Borrowed("Drawn digits, 16 x 16, embedded; perceptron 256-64-64-10"),
            data: Data::Digits,
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 64,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.9),
        },
        CatalogueEntry {
            name: Cow::Borrowed("digits/logistic"),
            line: Cow::Borrowed("Drawn digits, 16 x 16, embedded; logistic regression"),
            data: Data::Digits,
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, classes]),
            batch_size: 64,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.8),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/cnn"),
            line: Cow::Borrowed("MNIST; the classifier of the Quasi-Adam paper, 44,426 parameters"),
            data: Data::Named("mnist", Scaling::Standardized),
            network: paper_cnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.98),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/mlp"),
            line: Cow::Borrowed("MNIST; perceptron 784-64-64-10"),
            data: Data::Named("mnist", Scaling::Standardized),
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 256,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.96),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/net-dnn"),
            line: Cow::Borrowed(
                "MNIST; NetDNN as the MB-LSR1 paper may mean it, 59,946 parameters",
            ),
            data: Data::Named("mnist", Scaling::Standardized),
            network: net_dnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.98),
        },
        CatalogueEntry {
            name: Cow::Borrowed("fashion-mnist/cnn"),
            line: Cow::Borrowed(
                "Fashion-MNIST; the classifier of the Quasi-Adam paper, 44,426 parameters",
            ),
            data: Data::Named("fashion-mnist", Scaling::Standardized),
            network: paper_cnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.87),
        },
        CatalogueEntry {
            name: Cow::Borrowed("fashion-mnist/mlp"),
            line: Cow::Borrowed("Fashion-MNIST; perceptron 784-64-64-10"),
            data: Data::Named("fashion-mnist", Scaling::Standardized),
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 256,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.86),
        },
        CatalogueEntry {
            name: Cow::Borrowed("cifar-10/study"),
            line: Cow::Borrowed(
                "CIFAR-10; the network and the split of the EPFL study, 413,882 parameters",
            ),
            data: Data::StudyCifar,
            network: study_cnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.5),
        },
    ]
}

/// The images of a set, to be given back by the autoencoder of the Quasi-Adam paper.
fn autoencoder(set: &'static str, name: &'static str, title: &str) -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed(name),
        line: Cow::Owned(format!(
            "{title}; the autoencoder of the Quasi-Adam paper, 87,125 parameters"
        )),
        data: Data::Named(set, Scaling::Unit),
        network: |_, _| NetworkConfig::Autoencoder,
        batch_size: 256,
        epochs: 5.0,
        augmentation: None,
        target: None,
    }
}

fn resnet_20() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("cifar-10/resnet-20"),
        line: Cow::Borrowed("CIFAR-10; the ResNet-20 of the MB-LSR1 paper, 272,474 parameters"),
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::cifar(3, classes)),
        ..resnet_110()
    }
}

/// The images as in the CIFAR-10 experiments of the Apollo paper.
fn resnet_110() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("cifar-10/resnet-110"),
        line: Cow::Borrowed("CIFAR-10; the ResNet-110 of the Apollo paper, 1,730,714 parameters"),
        data: Data::Named("cifar-10", Scaling::Channels(&cifar::APOLLO)),
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::cifar(18, classes)),
        batch_size: 128,
        epochs: 5.0,
        augmentation: Some(border_of(&cifar::APOLLO)),
        target: None,
    }
}

/// The network of the Quasi-Adam author's script.
fn resnet_34() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("svhn/resnet-34"),
        line: Cow::Borrowed("SVHN; the ResNet-34 of the Quasi-Adam author, 21,282,122 parameters"),
        data: Data::Named("svhn", Scaling::Unit),
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::resnet_34(classes)),
        augmentation: None,
        ..resnet_110()
    }
}

/// The network of the Apollo paper's ImageNet experiments on images that are at hand.
fn resnext_50_small() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("cifar-10/resnext-50"),
        line: Cow::Borrowed("CIFAR-10; the ResNeXt-50 of the Apollo paper, 23,000,394 parameters"),
        network: |_, classes| {
            let image = [3, 32, 32];
            NetworkConfig::Residual(ResidualConfig { image, ..ResidualConfig::resnext_50(classes) })
        },
        batch_size: 32,
        ..resnet_110()
    }
}

fn resnext_50() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("imagenet/resnext-50"),
        line: Cow::Borrowed(
            "Images in folders, of 224 x 224 pixels, up to 4 GiB; the ResNeXt-50 of the Apollo paper",
        ),
        data: Data::ImageNet,
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::resnext_50(classes)),
        batch_size: 32,
        augmentation: Some(Augmentation { padding: 28, ..border_of(&images::IMAGENET) }),
        ..resnet_110()
    }
}

/// An augmentation whose border is what black has become.
fn border_of(channels: &[Standardization]) -> Augmentation {
    let black = |channel: &Standardization| -channel.mean / channel.deviation;
    Augmentation { padding: 4, border: channels.iter().map(black).collect() }
}

/// The median price of houses in the districts of California.
fn cal_housing() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("small-tabular/cal_housing"),
        line: Cow::Borrowed("House prices in California, a regression; perceptron 8-64-64-1"),
        data: Data::Housing,
        network: |inputs, outputs| NetworkConfig::Perceptron(vec![inputs, 64, 64, outputs]),
        batch_size: 64,
        epochs: 10.0,
        augmentation: None,
        target: None,
    }
}

/// A set of the imbalanced collection with the network of the MB-LSR1 paper.
fn imbalanced(set: &'static ImbalancedSet) -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Owned(format!("imbalanced/{}", set.name)),
        line: Cow::Owned(format!("{}; perceptron with 50 tanh units", set.line)),
        data: Data::Imbalanced(set),
        network: |inputs, classes| NetworkConfig::TanhPerceptron(vec![inputs, 50, classes]),
        batch_size: 32,
        // About 2,000 steps, however many records there are.
        epochs: steps_in_epochs(2_000, 32, set.counts.records),
        augmentation: None,
        target: None,
    }
}

fn digits_cnn(_: usize, classes: usize) -> NetworkConfig {
    NetworkConfig::Convolutional(ConvolutionalConfig {
        image: [1, digits::SIDE, digits::SIDE],
        channels: [8, 16],
        kernel: 3,
        padding: 1,
        hidden: vec![64],
        classes,
    })
}

/// Two convolutions of 5 x 5 without padding, each followed by pooling and ReLU, and fully connected
/// layers.
fn cnn(image: [usize; 3], channels: [usize; 2], hidden: &[usize], classes: usize) -> NetworkConfig {
    let (kernel, padding, hidden) = (5, 0, hidden.to_vec());
    let config = ConvolutionalConfig { image, channels, kernel, padding, hidden, classes };
    NetworkConfig::Convolutional(config)
}

/// The classifier of the Quasi-Adam paper.
fn paper_cnn(_: usize, classes: usize) -> NetworkConfig {
    cnn([1, 28, 28], [6, 16], &[120, 84], classes)
}

/// The network of the EPFL study.
fn study_cnn(_: usize, classes: usize) -> NetworkConfig {
    cnn([3, 32, 32], [6, 16], &[1000], classes)
}

/// NetDNN; its paper names 4 layers and 59.9 thousand parameters and no more.
fn net_dnn(_: usize, classes: usize) -> NetworkConfig {
    cnn([1, 28, 28], [32, 32], &[64], classes)
}
