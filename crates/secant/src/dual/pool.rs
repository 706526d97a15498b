//! Pooling: averages are linear, and a maximum moves with the entry that it is.

use burn::{
    nn::{
        PaddingConfig1d, PaddingConfig2d,
        pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d},
    },
    tensor::{
        module::{max_pool1d_with_indices, max_pool2d_with_indices},
        ops::MaxPoolOptions,
    },
};

use super::Dual;

impl Dual<3> {
    /// [`MaxPool1d::forward`].
    pub fn max_pool1d(self, layer: &MaxPool1d) -> Self {
        let Some(tangent) = self.tangent else { return layer.forward(self.value).into() };
        let options = options1d(layer, tangent.dims()[2]);
        let (value, indices) = max_pool1d_with_indices(self.value, options);
        Self { value, tangent: Some(tangent.gather(2, indices)) }
    }

    /// [`AvgPool1d::forward`].
    pub fn avg_pool1d(self, layer: &AvgPool1d) -> Self {
        self.map_linear(|x| layer.forward(x))
    }

    /// [`AdaptiveAvgPool1d::forward`].
    pub fn adaptive_avg_pool1d(self, layer: &AdaptiveAvgPool1d) -> Self {
        self.map_linear(|x| layer.forward(x))
    }
}

impl Dual<4> {
    /// [`MaxPool2d::forward`].
    pub fn max_pool2d(self, layer: &MaxPool2d) -> Self {
        let Some(tangent) = self.tangent else { return layer.forward(self.value).into() };
        let [batch, channels, height, width] = self.value.dims();
        let options = options2d(layer, [height, width]);
        let (value, indices) = max_pool2d_with_indices(self.value, options);
        let dims = value.dims();
        // Indices count the entries of an image row by row.
        let indices = indices.reshape([batch, channels, dims[2] * dims[3]]);
        let images = tangent.reshape([batch, channels, height * width]);
        Self { value, tangent: Some(images.gather(2, indices).reshape(dims)) }
    }

    /// [`AvgPool2d::forward`].
    pub fn avg_pool2d(self, layer: &AvgPool2d) -> Self {
        self.map_linear(|x| layer.forward(x))
    }

    /// [`AdaptiveAvgPool2d::forward`].
    pub fn adaptive_avg_pool2d(self, layer: &AdaptiveAvgPool2d) -> Self {
        self.map_linear(|x| layer.forward(x))
    }
}

fn options1d(layer: &MaxPool1d, length: usize) -> MaxPoolOptions<1> {
    let padding = match layer.padding {
        PaddingConfig1d::Valid => (0, 0),
        PaddingConfig1d::Same => same(layer.kernel_size, layer.stride, length),
        PaddingConfig1d::Explicit(left, right) => (left, right),
    };
    MaxPoolOptions::new([layer.kernel_size])
        .with_stride([layer.stride])
        .with_padding_pairs([padding])
        .with_dilation([layer.dilation])
        .with_ceil_mode(layer.ceil_mode)
}

fn options2d(layer: &MaxPool2d, size: [usize; 2]) -> MaxPoolOptions<2> {
    let same = |dim: usize| same(layer.kernel_size[dim], layer.stride[dim], size[dim]);
    let padding = match layer.padding {
        PaddingConfig2d::Valid => [(0, 0), (0, 0)],
        PaddingConfig2d::Same => [same(0), same(1)],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
    };
    MaxPoolOptions::new(layer.kernel_size)
        .with_stride(layer.stride)
        .with_padding_pairs(padding)
        .with_dilation(layer.dilation)
        .with_ceil_mode(layer.ceil_mode)
}

/// What Burn's `Same` adds before and after: the odd one goes to the end.
fn same(kernel: usize, stride: usize, length: usize) -> (usize, usize) {
    let windows = length.div_ceil(stride);
    let covered = windows.saturating_sub(1) * stride + kernel;
    let total = if windows == 0 { 0 } else { covered.saturating_sub(length) };
    (total / 2, total - total / 2)
}
