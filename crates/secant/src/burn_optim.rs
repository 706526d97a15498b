//! The methods that work tensor by tensor as Burn's own optimizers: for `ModuleOptimizer`, its
//! groups, and the `Learner`.
//!
//! ```
//! use burn::optim::ModuleOptimizer;
//! use secant::ApolloConfig;
//!
//! let optimizer = ModuleOptimizer::from(ApolloConfig::new().build());
//! ```
//!
//! Burn's interface cannot report or fail. So a gradient that is not finite leaves the parameter
//! and its state as they are, silently, and a record that does not fit the settings leaves the
//! parameter's state at its start; with [`Optimizer`](crate::Optimizer) the step and the load say so.
//! Settings out of their range, or a decay that the method cannot apply, panic at the first step.
//! It takes the model by value, so that a panic loses it, as with Burn's own optimizers.
//! [`QuasiAdam`](crate::method::lbfgs::quasi_adam::QuasiAdam) has a pair for each parameter here, whatever
//! its scope; [`Muon`](crate::method::layer_wise::muon::Muon) is told no paths, so that its
//! `adamw_params` select nothing: use Burn's groups. With
//! [Schedule-Free](crate::method::first_order::schedule_free) the model is y throughout: there is no way to the
//! average that it is to be evaluated at.

use burn::{
    optim::{RecordState, StateSink, StateSource},
    tensor::{DType, Device, Tensor, TensorData},
};
use burn_pack::Scalar;

use crate::{
    blocks::{Blocks, Entry, Layout, Real},
    oracle::Screen,
    protocol::{GradientMethod, State, StepContext, TensorSettings, misfit, validate},
};

/// The state of one parameter.
#[derive(Clone, Debug)]
pub struct ParameterState<S> {
    state: S,
    /// Whether it comes from a record, which can have been saved with other settings.
    is_loaded: bool,
}

/// One step of one parameter.
pub(crate) fn step<G: GradientMethod, const D: usize>(
    method: &G,
    lr: f64,
    tensor: Tensor<D>,
    gradient: Tensor<D>,
    state: Option<ParameterState<G::State>>,
) -> (Tensor<D>, Option<ParameterState<G::State>>) {
    let (device, dtype) = (tensor.device(), tensor.dtype());
    if !matches!(dtype, DType::F32 | DType::F64) {
        // Half precision steps in single precision.
        let (tensor, gradient) = (tensor.cast(DType::F32), gradient.cast(DType::F32));
        let (tensor, state) = step(method, lr, tensor, gradient, state);
        return (tensor.cast(dtype), state);
    }
    let layout = Layout::new(vec![Entry {
        id: burn::module::ParamId::from(0),
        path: String::new(),
        shape: tensor.shape(),
        dtype,
    }]);
    let mut gradient = Blocks::new(vec![gradient.into_data()]);
    if (Screen { guard: true, clipping: None }).apply(&mut gradient).is_err() {
        return (tensor, state);
    }
    let mut state = match state {
        None => first_state(method, &layout),
        Some(ParameterState { state, is_loaded: false }) => state,
        Some(ParameterState { mut state, is_loaded: true }) => {
            let mut fresh = first_state(method, &layout);
            if misfit(&mut state, &mut fresh, &layout).is_none() { state } else { fresh }
        }
    };
    let settings = [TensorSettings { lr, decay: method.decay_of(&layout.entries()[0]) }];
    let context = StepContext { layout: &layout, tensors: &settings };
    let mut theta = Blocks::new(vec![tensor.into_data()]);
    // A rejected update wrote nothing.
    let _ = method.update(&context, &mut theta, &mut gradient, &mut state);
    let data = theta.into_data().swap_remove(0);
    (Tensor::from_data(data, (&device, dtype)), Some(ParameterState { state, is_loaded: false }))
}

/// The state before the first step.
///
/// # Panics
/// Where a setting is out of its range: here is no other way to say so.
fn first_state<G: GradientMethod>(method: &G, layout: &Layout) -> G::State {
    if let Err(error) = validate(method) {
        panic!("{error}");
    }
    method.init(layout)
}

/// Implements Burn's `Optimizer` for a method that works tensor by tensor.
macro_rules! burn_optimizer {
    ($method:ty) => {
        impl burn::optim::Optimizer for $method {
            type State<const D: usize> =
                $crate::burn_optim::ParameterState<<$method as $crate::protocol::Method>::State>;

            fn step<const D: usize>(
                &self,
                lr: f64,
                tensor: burn::tensor::Tensor<D>,
                grad: burn::tensor::Tensor<D>,
                state: Option<Self::State<D>>,
            ) -> (burn::tensor::Tensor<D>, Option<Self::State<D>>) {
                $crate::burn_optim::step(self, lr, tensor, grad, state)
            }

            /// The state is in host memory, whatever the parameter's device.
            fn to_device<const D: usize>(
                state: Self::State<D>,
                _: &burn::tensor::Device,
            ) -> Self::State<D> {
                state
            }
        }
    };
}
pub(crate) use burn_optimizer;

impl<S: State> RecordState for ParameterState<S> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        for (name, blocks) in self.state.vectors() {
            for data in blocks.data() {
                out.push_tensor(prefix, name, data.into_owned());
            }
        }
        let mut state = self.state.clone();
        for (name, counter) in state.counters_mut() {
            out.push_scalar(prefix, name, Scalar::UInt(*counter));
        }
        for (name, numbers) in state.numbers_mut() {
            for (index, number) in numbers.iter().enumerate() {
                out.push_scalar(prefix, &format!("{name}_{index}"), Scalar::Float(*number));
            }
        }
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, _: &Device) -> Option<Self> {
        let mut state = S::default();
        for (name, blocks) in state.vectors_mut() {
            if let Some(data) = source.take_tensor(prefix, name) {
                *blocks = Blocks::new(vec![in_memory(&data)?]);
            }
        }
        for (name, counter) in state.counters_mut() {
            *counter = source.take_scalar(prefix, name)?.try_into().ok()?;
        }
        for (name, numbers) in state.numbers_mut() {
            while let Some(Scalar::Float(number)) =
                source.take_scalar(prefix, &format!("{name}_{}", numbers.len()))
            {
                numbers.push(number);
            }
        }
        Some(Self { state, is_loaded: true })
    }
}

/// A copy in memory of its own: a record's tensors may be windows of a file.
fn in_memory(data: &TensorData) -> Option<TensorData> {
    match data.dtype() {
        DType::F64 => copy::<f64>(data),
        DType::F32 => copy::<f32>(data),
        _ => None,
    }
}

fn copy<T: Real>(data: &TensorData) -> Option<TensorData> {
    Some(TensorData::new(data.clone().try_into_vec::<T>().ok()?, data.shape().clone()))
}
