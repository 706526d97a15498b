//! How far a run is, as bytes: model, optimizer with its batches, and what was noted on the way.
//!
//! A run that goes on from its checkpoint has the same bits as one that never stopped.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{DType, Tensor, TensorData},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::TrainError;
use crate::Fingerprint;

/// Keeps checkpoints of a run.
pub(crate) struct Checkpoints<'a> {
    /// The one to go on from.
    pub from: Option<Vec<u8>>,
    /// The time between two of them.
    pub every: std::time::Duration,
    /// Keeps one.
    pub keep: &'a dyn Fn(&[u8]) -> Result<(), TrainError>,
}

/// A checkpoint that a run cannot go on from.
#[derive(Debug, Error)]
#[error("the checkpoint cannot be used: {0}")]
pub struct CheckpointError(String);

impl CheckpointError {
    pub(super) fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// The parts of a checkpoint.
pub(super) struct Parts<N> {
    /// What was noted.
    pub notes: N,
    /// The optimizer's record.
    pub optimizer: Vec<u8>,
    /// The tensors of the model.
    pub model: Vec<TensorData>,
}

/// The beginning of a checkpoint; the bytes of the optimizer and of the tensors follow in this order.
#[derive(Serialize, Deserialize)]
struct Head<N> {
    notes: N,
    optimizer: usize,
    model: Vec<(Vec<usize>, DType)>,
}

/// Bytes of a checksum, in hexadecimal digits.
const CHECKSUM: usize = 64;

impl<N: Serialize> Parts<N> {
    /// As bytes: a checksum of what follows, the length of the head, the head, the rest.
    pub fn into_bytes(self) -> Result<Vec<u8>, CheckpointError> {
        let model = self.model.iter().map(|data| (data.shape().to_vec(), data.dtype())).collect();
        let head = Head { notes: self.notes, optimizer: self.optimizer.len(), model };
        let head = serde_json::to_vec(&head).map_err(CheckpointError::new)?;
        let mut bytes = vec![0; CHECKSUM];
        bytes.extend((head.len() as u64).to_le_bytes());
        bytes.extend(head);
        bytes.extend(self.optimizer);
        self.model.iter().for_each(|data| bytes.extend_from_slice(data.as_bytes()));
        let checksum = Fingerprint::new().bytes(&bytes[CHECKSUM..]).finish();
        bytes[..CHECKSUM].copy_from_slice(checksum.as_bytes());
        Ok(bytes)
    }
}

impl<N: for<'de> Deserialize<'de>> Parts<N> {
    /// Reads what [`Parts::into_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let damaged = || CheckpointError::new("it is damaged");
        let (checksum, body) = bytes.split_at_checked(CHECKSUM).ok_or_else(damaged)?;
        if Fingerprint::new().bytes(body).finish().as_bytes() != checksum {
            return Err(damaged());
        }
        let (length, rest) = body.split_first_chunk::<8>().ok_or_else(damaged)?;
        let length = u64::from_le_bytes(*length) as usize;
        let (head, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
        let head: Head<N> = serde_json::from_slice(head).map_err(CheckpointError::new)?;
        let (optimizer, mut rest) = rest.split_at_checked(head.optimizer).ok_or_else(damaged)?;
        let mut model = Vec::new();
        for (shape, dtype) in head.model {
            let size = shape.iter().product::<usize>() * dtype.size();
            let (data, after) = rest.split_at_checked(size).ok_or_else(damaged)?;
            model.push(TensorData::from_bytes_vec(data.to_vec(), shape, dtype));
            rest = after;
        }
        Ok(Self { notes: head.notes, optimizer: optimizer.to_vec(), model })
    }
}

/// The tensors of a model, running statistics included, after all updates that wait.
pub(super) fn tensors<M: Module>(model: &M) -> Vec<TensorData> {
    // Updates of running statistics wait until the model is made ready for validation.
    drop(model.valid());
    let mut found = Found(Vec::new());
    model.visit(&mut found);
    found.0
}

struct Found(Vec<TensorData>);

impl ModuleVisitor for Found {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_data());
    }
}

/// The model with these tensors instead of its own.
pub(super) fn with_tensors<M: Module>(
    model: M,
    tensors: Vec<TensorData>,
) -> Result<M, CheckpointError> {
    let mut put = Put { tensors: tensors.into_iter(), fits: true };
    let model = model.map(&mut put);
    if put.fits && put.tensors.next().is_none() {
        Ok(model)
    } else {
        Err(CheckpointError::new("it is of another model"))
    }
}

struct Put {
    tensors: std::vec::IntoIter<TensorData>,
    fits: bool,
}

impl ModuleMapper for Put {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let data = self.tensors.next();
        param.map(|value| match data {
            Some(data) if *data.shape() == value.shape() && data.dtype() == value.dtype() => {
                let options = (&value.device(), value.dtype());
                let require_grad = value.is_require_grad();
                Tensor::from_data(data, options).set_require_grad(require_grad)
            }
            _ => {
                self.fits = false;
                value
            }
        })
    }
}
