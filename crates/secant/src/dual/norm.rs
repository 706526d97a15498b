//! Batch norm and layer norm.
//!
//! With c = x - mean(x), r = (mean(c²) + ε)^(-1/2) and z = r c, the derivative of z is
//! ż = r (ċ - z mean(z ċ)), ċ = ẋ - mean(ẋ). The layer is y = γ z + β.

use burn::{
    module::{Content, DisplaySettings, ModuleDisplay},
    nn::{BatchNorm, LayerNorm},
    tensor::Tensor,
};

use super::{
    Dual, Tangents,
    layers::per_channel,
    value::{product_rule, sum_rule},
};

impl Tangents {
    /// [`BatchNorm::forward`], in training and in evaluation, whichever Burn's layer would do.
    /// Running statistics advance as its do.
    pub fn batch_norm<const D: usize>(&self, layer: &BatchNorm, x: impl Into<Dual<D>>) -> Dual<D> {
        let x: Dual<D> = x.into();
        let (gamma, beta) = (self.param(&layer.gamma), self.param(&layer.beta));
        if x.tangent.is_none() && gamma.tangent.is_none() && beta.tangent.is_none() {
            return layer.forward(x.value).into();
        }
        let z = if x.value.device().is_autodiff() && layer.training.is_enabled() {
            normalized(x.clone(), layer.epsilon, |x| {
                (0..D).filter(|dim| *dim != 1).fold(x, |x, dim| x.mean_dim(dim))
            })
        } else {
            let mean: Tensor<D> = per_channel(layer.running_mean.value(), 1);
            let variance: Tensor<D> = per_channel(layer.running_var.value(), 1);
            let scale = variance.add_scalar(layer.epsilon).sqrt().recip();
            (x.clone() - mean) * scale
        };
        let value = layer.forward(x.value);
        let place = |parameter: Dual<1>| parameter.map_linear(|vector| per_channel(vector, 1));
        with_tangent(value, z, place(gamma), Some(place(beta)))
    }

    /// [`LayerNorm::forward`].
    pub fn layer_norm<const D: usize>(&self, layer: &LayerNorm, x: impl Into<Dual<D>>) -> Dual<D> {
        let x: Dual<D> = x.into();
        let gamma = self.param(&layer.gamma);
        let beta = layer.beta.as_ref().map(|beta| self.param(beta));
        let beta_moves = beta.as_ref().is_some_and(|beta| beta.tangent.is_some());
        if x.tangent.is_none() && gamma.tangent.is_none() && !beta_moves {
            return layer.forward(x.value).into();
        }
        let z = normalized(x.clone(), epsilon(layer), |x| x.mean_dim(D - 1));
        let value = layer.forward(x.value);
        let place = |parameter: Dual<1>| parameter.map_linear(|vector| per_channel(vector, D - 1));
        with_tangent(value, z, place(gamma), beta.map(place))
    }
}

fn normalized<const D: usize>(
    x: Dual<D>,
    epsilon: f64,
    mean: impl Fn(Tensor<D>) -> Tensor<D>,
) -> Dual<D> {
    let centered = x.map_linear(|x| x.clone() - mean(x));
    let c = centered.value;
    let r = mean(c.clone() * c.clone()).add_scalar(epsilon).sqrt().recip();
    let z = c * r.clone();
    let tangent = centered.tangent.map(|c| {
        let along = mean(z.clone() * c.clone());
        (c - z.clone() * along) * r
    });
    Dual { value: z, tangent }
}

/// The layer's own value, with the derivative of γ z + β.
fn with_tangent<const D: usize>(
    value: Tensor<D>,
    z: Dual<D>,
    gamma: Dual<D>,
    beta: Option<Dual<D>>,
) -> Dual<D> {
    let scaled = product_rule(&z, &gamma, Tensor::mul);
    let tangent = sum_rule(scaled, beta.and_then(|beta| beta.tangent), value.dims());
    Dual { value, tangent }
}

/// The layer's ε, which Burn 0.22 keeps private but shows.
fn epsilon(layer: &LayerNorm) -> f64 {
    let content = layer.custom_content(Content::new(DisplaySettings::new()));
    let shown = content.and_then(|content| {
        content.attributes.into_iter().find(|attribute| attribute.name == "epsilon")
    });
    let number = shown.and_then(|attribute| attribute.value.parse().ok());
    number.expect("Burn's LayerNorm shows its epsilon in full")
}
