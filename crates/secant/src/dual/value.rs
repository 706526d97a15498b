//! A tensor with its derivative along a direction, and what is linear in it.

use burn::tensor::{Int, ReshapeArgs, Tensor};

/// A tensor and, where it depends on the direction, its derivative along it.
#[derive(Clone, Debug)]
pub struct Dual<const D: usize> {
    /// The tensor, as Burn computes it.
    pub value: Tensor<D>,
    /// Its derivative along the direction, of the same shape; `None` where it is constant, which
    /// costs nothing.
    pub tangent: Option<Tensor<D>>,
}

impl<const D: usize> From<Tensor<D>> for Dual<D> {
    /// A constant.
    fn from(value: Tensor<D>) -> Self {
        Self { value, tangent: None }
    }
}

impl<const D: usize> Dual<D> {
    /// The sizes of the tensor.
    pub fn dims(&self) -> [usize; D] {
        self.value.dims()
    }

    /// The value as a constant, for reverse differentiation too.
    pub fn detach(self) -> Self {
        self.value.detach().into()
    }

    /// A linear function of the tensor: the tangent is mapped like the value.
    ///
    /// Reshaping, padding by zeros, fixed masks and filters are linear; adding a constant is not.
    pub fn map_linear<const E: usize>(self, map: impl Fn(Tensor<D>) -> Tensor<E>) -> Dual<E> {
        Dual { tangent: self.tangent.map(&map), value: map(self.value) }
    }

    /// Any function of the tensor: `value` computes y from x, and `tangent` the derivative of y from
    /// x, y and the derivative of x. The latter is called only where x is not constant.
    ///
    /// Both are differentiated in reverse, so `tangent` must not detach what depends on x.
    pub fn apply<const E: usize>(
        self,
        value: impl FnOnce(Tensor<D>) -> Tensor<E>,
        tangent: impl FnOnce(Tensor<D>, Tensor<E>, Tensor<D>) -> Tensor<E>,
    ) -> Dual<E> {
        let Some(direction) = self.tangent else { return value(self.value).into() };
        let y = value(self.value.clone());
        let tangent = tangent(self.value, y.clone(), direction);
        Dual { value: y, tangent: Some(tangent) }
    }

    /// The tensor in another shape.
    pub fn reshape<const E: usize>(self, shape: impl ReshapeArgs<E> + Clone) -> Dual<E> {
        self.map_linear(|x| x.reshape(shape.clone()))
    }

    /// Merges the dimensions from `start` to `end`.
    pub fn flatten<const E: usize>(self, start: usize, end: usize) -> Dual<E> {
        self.map_linear(|x| x.flatten(start, end))
    }

    /// Dimensions of size 1 in front, up to rank `E`.
    pub fn unsqueeze<const E: usize>(self) -> Dual<E> {
        self.map_linear(|x| x.unsqueeze())
    }

    /// A dimension of size 1 at `dim`.
    pub fn unsqueeze_dim<const E: usize>(self, dim: usize) -> Dual<E> {
        self.map_linear(|x| x.unsqueeze_dim(dim))
    }

    /// Without the dimension `dim`, which has size 1.
    pub fn squeeze_dim<const E: usize>(self, dim: usize) -> Dual<E> {
        self.map_linear(|x| x.squeeze_dim(dim))
    }

    /// The last two dimensions exchanged.
    pub fn transpose(self) -> Self {
        self.map_linear(Tensor::transpose)
    }

    /// Two dimensions exchanged.
    pub fn swap_dims(self, first: usize, second: usize) -> Self {
        self.map_linear(|x| x.swap_dims(first, second))
    }

    /// The dimensions in another order.
    pub fn permute(self, axes: [usize; D]) -> Self {
        self.map_linear(|x| x.permute(axes))
    }

    /// `length` entries of the dimension `dim`, from `start`.
    pub fn narrow(self, dim: usize, start: usize, length: usize) -> Self {
        self.map_linear(|x| x.narrow(dim, start, length))
    }

    /// The parts along the dimension `dim` that `indices` name, such as rows.
    pub fn select(self, dim: usize, indices: Tensor<1, Int>) -> Self {
        self.map_linear(|x| x.select(dim, indices.clone()))
    }

    /// The entries of the dimension `dim` that `indices` name.
    pub fn gather(self, dim: usize, indices: Tensor<D, Int>) -> Self {
        self.map_linear(|x| x.gather(dim, indices.clone()))
    }

    /// The sum of all entries.
    pub fn sum(self) -> Dual<1> {
        self.map_linear(Tensor::sum)
    }

    /// The mean of all entries.
    pub fn mean(self) -> Dual<1> {
        self.map_linear(Tensor::mean)
    }

    /// The sums over the dimension `dim`, which keeps size 1.
    pub fn sum_dim(self, dim: usize) -> Self {
        self.map_linear(|x| x.sum_dim(dim))
    }

    /// The means over the dimension `dim`, which keeps size 1.
    pub fn mean_dim(self, dim: usize) -> Self {
        self.map_linear(|x| x.mean_dim(dim))
    }

    /// The tensors one after the other along the dimension `dim`.
    pub fn cat(parts: Vec<Self>, dim: usize) -> Self {
        let tangent = parts.iter().any(|part| part.tangent.is_some()).then(|| {
            let tangent = |part: &Self| match &part.tangent {
                Some(tangent) => tangent.clone(),
                None => part.value.zeros_like(),
            };
            Tensor::cat(parts.iter().map(tangent).collect(), dim)
        });
        Self {
            value: Tensor::cat(parts.into_iter().map(|part| part.value).collect(), dim),
            tangent,
        }
    }
}

/// The derivative of a function linear in either argument: ẋ·b + a·ẏ.
pub(super) fn product_rule<const A: usize, const B: usize, const C: usize>(
    a: &Dual<A>,
    b: &Dual<B>,
    op: impl Fn(Tensor<A>, Tensor<B>) -> Tensor<C>,
) -> Option<Tensor<C>> {
    let first = a.tangent.clone().map(|tangent| op(tangent, b.value.clone()));
    let second = b.tangent.clone().map(|tangent| op(a.value.clone(), tangent));
    match (first, second) {
        (Some(first), Some(second)) => Some(first + second),
        (first, second) => first.or(second),
    }
}

/// The derivative of a sum of the shape `dims`, whose terms may be broadcast.
pub(super) fn sum_rule<const D: usize>(
    a: Option<Tensor<D>>,
    b: Option<Tensor<D>>,
    dims: [usize; D],
) -> Option<Tensor<D>> {
    let tangent = match (a, b) {
        (Some(a), Some(b)) => a + b,
        (a, b) => a.or(b)?,
    };
    Some(if tangent.dims() == dims { tangent } else { tangent.expand(dims) })
}
