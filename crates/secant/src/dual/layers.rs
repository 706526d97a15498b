//! Burn's layers with parameters.
//!
//! The derivative of y = x * w + b, with any product that is linear in x and in w, is
//! ẏ = ẋ * w + x * ẇ + ḃ. Either product is the layer itself, with other tensors as its parameters.

use burn::{
    module::{Param, ParamId},
    nn::{
        Dropout, Embedding, Linear,
        conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d},
    },
    tensor::{Int, Tensor},
};

use super::{Dual, Tangents};

impl Tangents {
    /// [`Linear::forward`].
    pub fn linear<const D: usize>(&self, layer: &Linear, x: impl Into<Dual<D>>) -> Dual<D> {
        let parameters = self.affine(&layer.weight, layer.bias.as_ref());
        let product = |x, w, b| Linear { weight: fixed(w), bias: b }.forward(x);
        parameters.forward(x.into(), D - 1, |x| layer.forward(x), product)
    }

    /// [`Conv1d::forward`].
    pub fn conv1d(&self, layer: &Conv1d, x: impl Into<Dual<3>>) -> Dual<3> {
        let parameters = self.affine(&layer.weight, layer.bias.as_ref());
        let product = |x, w, bias| Conv1d { weight: fixed(w), bias, ..layer.clone() }.forward(x);
        parameters.forward(x.into(), 1, |x| layer.forward(x), product)
    }

    /// [`Conv2d::forward`].
    pub fn conv2d(&self, layer: &Conv2d, x: impl Into<Dual<4>>) -> Dual<4> {
        let parameters = self.affine(&layer.weight, layer.bias.as_ref());
        let product = |x, w, bias| Conv2d { weight: fixed(w), bias, ..layer.clone() }.forward(x);
        parameters.forward(x.into(), 1, |x| layer.forward(x), product)
    }

    /// [`ConvTranspose1d::forward`].
    pub fn conv_transpose1d(&self, layer: &ConvTranspose1d, x: impl Into<Dual<3>>) -> Dual<3> {
        let parameters = self.affine(&layer.weight, layer.bias.as_ref());
        let product =
            |x, w, bias| ConvTranspose1d { weight: fixed(w), bias, ..layer.clone() }.forward(x);
        parameters.forward(x.into(), 1, |x| layer.forward(x), product)
    }

    /// [`ConvTranspose2d::forward`].
    pub fn conv_transpose2d(&self, layer: &ConvTranspose2d, x: impl Into<Dual<4>>) -> Dual<4> {
        let parameters = self.affine(&layer.weight, layer.bias.as_ref());
        let product =
            |x, w, bias| ConvTranspose2d { weight: fixed(w), bias, ..layer.clone() }.forward(x);
        parameters.forward(x.into(), 1, |x| layer.forward(x), product)
    }

    /// [`Embedding::forward`].
    pub fn embedding(&self, layer: &Embedding, tokens: Tensor<2, Int>) -> Dual<3> {
        let tangent = self
            .get::<2>(layer.weight.id)
            .map(|tangent| Embedding { weight: fixed(tangent.clone()) }.forward(tokens.clone()));
        Dual { value: layer.forward(tokens), tangent }
    }

    /// [`Dropout::forward`]; the tangent is masked like the value.
    pub fn dropout<const D: usize>(&self, layer: &Dropout, x: impl Into<Dual<D>>) -> Dual<D> {
        let x: Dual<D> = x.into();
        if x.tangent.is_none() || layer.prob == 0.0 {
            return x.map_linear(|x| layer.forward(x));
        }
        // The layer on ones is the mask with its scale, from the same random numbers.
        let mask = layer.forward(x.value.ones_like());
        x.map_linear(|x| x * mask.clone())
    }

    fn affine<const W: usize>(
        &self,
        weight: &Param<Tensor<W>>,
        bias: Option<&Param<Tensor<1>>>,
    ) -> Affine<W> {
        Affine {
            weight: self.param(weight),
            bias_tangent: bias.and_then(|bias| self.get(bias.id).cloned()),
        }
    }
}

/// A layer's parameters.
struct Affine<const W: usize> {
    weight: Dual<W>,
    bias_tangent: Option<Tensor<1>>,
}

impl<const W: usize> Affine<W> {
    /// `value` is the layer, `product` the layer with these tensors instead of its parameters;
    /// `channel` is the dimension that the bias runs along.
    fn forward<const D: usize>(
        self,
        x: Dual<D>,
        channel: usize,
        value: impl FnOnce(Tensor<D>) -> Tensor<D>,
        product: impl Fn(Tensor<D>, Tensor<W>, Option<Param<Tensor<1>>>) -> Tensor<D>,
    ) -> Dual<D> {
        let Self { weight, bias_tangent } = self;
        let bias = bias_tangent.clone().map(fixed);
        match (x.tangent, weight.tangent) {
            (None, None) => {
                let value = value(x.value);
                let tangent = bias_tangent.map(|bias| along(bias, channel, value.dims()));
                Dual { value, tangent }
            }
            (Some(dx), None) => {
                Dual { tangent: Some(product(dx, weight.value, bias)), value: value(x.value) }
            }
            (None, Some(dw)) => {
                let tangent = product(x.value.clone(), dw, bias);
                Dual { value: value(x.value), tangent: Some(tangent) }
            }
            (Some(dx), Some(dw)) => {
                let tangent = product(dx, weight.value, bias) + product(x.value.clone(), dw, None);
                Dual { value: value(x.value), tangent: Some(tangent) }
            }
        }
    }
}

/// A tensor in the place of a parameter, with its graph.
fn fixed<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), tensor)
}

/// A vector along the dimension `channel` of a tensor of the shape `dims`.
fn along<const D: usize>(vector: Tensor<1>, channel: usize, dims: [usize; D]) -> Tensor<D> {
    per_channel::<D>(vector, channel).expand(dims)
}

/// A vector as a tensor with size 1 in all dimensions but `channel`.
pub(super) fn per_channel<const D: usize>(vector: Tensor<1>, channel: usize) -> Tensor<D> {
    let mut shape = [1; D];
    shape[channel] = vector.dims()[0];
    vector.reshape(shape)
}
