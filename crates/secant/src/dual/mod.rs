//! Exact Hessian-vector products for models whose forward pass is written on duals.
//!
//! Burn differentiates once, in reverse. The second derivative comes from carrying the first one
//! along in the forward pass: a [`Dual`] is a tensor y and its derivative ẏ along a direction v of
//! the parameters, both ordinary tensors. For a loss f the pair is (f, g'v), and one backward pass
//! of g'v gives
//!
//! ```text
//! d(g'v)/dw = H v      at the parameters w,
//! d(g'v)/dv = g        at the direction v: the gradient, at no further evaluation.
//! ```
//!
//! Products are exact also on networks with ReLU and max-pooling, where differences of gradients
//! are wrong as soon as one unit crosses its kink. A product costs about two gradients (a small
//! convolutional network, CPU: 2.2).
//!
//! # Writing a model
//!
//! The forward pass takes [`Tangents`] and asks them for every layer that has parameters; all
//! else are methods of [`Dual`] with the names of Burn's tensors. With [`Tangents::none`] the same
//! function is Burn's ordinary forward pass, of the same bits and cost.
//!
//! ```
//! use burn::{
//!     module::Module,
//!     nn::{Linear, LinearConfig},
//!     optim::GradientsParams,
//!     tensor::{Device, Int, Tensor},
//! };
//! use secant::dual::{Dual, Tangents, hessian_vector_product};
//!
//! #[derive(Module, Debug)]
//! struct Net {
//!     hidden: Linear,
//!     output: Linear,
//! }
//!
//! impl Net {
//!     fn forward(&self, at: &Tangents, x: Tensor<2>) -> Dual<2> {
//!         let x = at.linear(&self.hidden, x).tanh();
//!         at.linear(&self.output, x)
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::default().autodiff();
//! let net = Net {
//!     hidden: LinearConfig::new(2, 8).init(&device),
//!     output: LinearConfig::new(8, 3).init(&device),
//! };
//! let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
//! let classes = Tensor::<1, Int>::from_ints([0, 2], &device);
//! let loss = |net: &Net, at: &Tangents| net.forward(at, x.clone()).cross_entropy(classes.clone());
//!
//! // Training and prediction: an ordinary loss.
//! let ordinary: Tensor<1> = loss(&net, &Tangents::none()).value;
//! let gradient = GradientsParams::from_grads(ordinary.backward(), &net);
//!
//! // The Hessian times the gradient.
//! let product = hessian_vector_product(&net, &gradient, loss)?;
//! let hg: Tensor<2> = product.hessian_vector.get(net.hidden.weight.id).ok_or("not used")?;
//! assert_eq!(hg.dims(), [2, 8]);
//! # Ok(())
//! # }
//! ```
//!
//! A loss that also marks what its network gives, `at.output(net.forward(at, x))`, has products with its
//! Gauss-Newton matrix, by forward passes alone: [`gauss_newton_form`]. Elsewhere the mark does nothing.
//!
//! Something that is not here and linear is one call of [`Dual::map_linear`]; anything else is one
//! call of [`Dual::apply`] with its derivative.

mod activation;
mod arithmetic;
mod attention;
mod gauss_newton;
mod layers;
mod loss;
mod norm;
mod pool;
mod product;
mod recurrent;
mod tangents;
mod value;

pub use attention::Attended;
pub(crate) use gauss_newton::output_tangent;
pub use gauss_newton::{OutputTangent, gauss_newton_form};
pub(crate) use product::product;
pub use product::{Product, hessian_vector_product};
pub use recurrent::LstmState;
pub use tangents::Tangents;
pub use value::Dual;
