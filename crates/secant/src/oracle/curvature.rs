//! Hessian-vector products: exact where the loss offers them, else by differences of gradients.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{DType, Tensor},
};

use super::{
    Curved, ModuleOracle, Records, RunningStatistics,
    module::{Local, read, seed_device, share},
    parameters::take_gradients,
    probe::Probe,
};
use crate::{
    batches::Batches,
    blocks::{Blocks, Layout, add_scaled, norm},
    dual::Product,
    error::StepError,
};

/// Where differences to both sides disagree by more than this part of their sum, the loss has kinks:
/// on smooth networks it is some hundredths, on networks with ReLU or max-pooling half and more.
const KINK: f64 = 0.3;

impl<M: Module> ModuleOracle<'_, '_, M> {
    pub(super) fn curved(
        &mut self,
        records: Records,
        point: &mut Blocks,
        vector: &Blocks,
    ) -> Result<Curved, StepError> {
        let part = self.part(records)?;
        let probe = Probe::new(self.model, self.layout, point, true);
        let exact = self.exact(probe.model(), part.as_deref(), vector)?;
        drop(probe);
        match exact {
            Some((loss, gradient, product)) => {
                Ok(Curved { at: self.screened(loss, gradient), product })
            }
            None => self.differences(part.as_deref(), point, vector),
        }
    }

    /// The records, evaluated at once; none is the batch.
    pub(super) fn part(&mut self, records: Records) -> Result<Option<Vec<usize>>, StepError> {
        match self.parts(records) {
            None => Ok(None),
            Some(mut parts) if parts.len() == 1 => Ok(parts.pop()),
            Some(_) => Err(StepError::ProductOfAll),
        }
    }

    /// Loss, gradient and product, where the loss offers exact products.
    fn exact(
        &mut self,
        model: &M,
        records: Option<&[usize]>,
        vector: &Blocks,
    ) -> Result<Option<(f64, Blocks, Blocks)>, StepError> {
        let loss = self.loss.as_deref_mut().ok_or(StepError::NeedsLoss { method: self.method })?;
        let batch = self.batches.as_deref().map_or(&[][..], Batches::batch);
        let vector = as_gradients(model, self.layout, vector);
        let before = self.answered.then(|| RunningStatistics::of(self.model));
        let seeded = self.seed.map_or(Ok(()), |seed| seed_device(self.model, seed));
        let records = records.unwrap_or(batch);
        let (share, weight) = share(self.collective, self.batches.is_some(), records);
        let evaluated = records.len() as u64;
        // Without a record of its own a rank cannot tell whether the loss offers products: it asks of one.
        let product =
            loss.product(model, &vector, share.unwrap_or(&records[..records.len().min(1)]));
        if let Some(before) = before {
            before.restore(model);
        }
        let Some(product) = product else { return Ok(None) };
        self.answered = true;
        self.evals.hessian_vector += 1;
        self.evals.hessian_vector_records += evaluated;
        let local = seeded.and(product).and_then(|Product { loss, gradient, hessian_vector }| {
            let taken = take_gradients(model, self.layout, gradient)?;
            let product = take_gradients(model, self.layout, hessian_vector)?;
            Ok((Local { loss: read(&loss), taken }, Local { loss: 0.0, taken: product }))
        });
        let of_this_rank = |local| Some(local).filter(|_| share.is_some());
        let (at, product) = match local {
            Ok((at, product)) => (Ok(of_this_rank(at)), of_this_rank(product)),
            Err(error) => (Err(error), None),
        };
        let (loss, gradient) = self.meet(at, weight)?;
        let (_, product) = self.meet(Ok(product), weight)?;
        Ok(Some((loss, gradient, product)))
    }

    /// (g(w + h v) - g(w - h v)) / 2h. The step h balances the gradients' rounding against their
    /// third derivative: 4 u^(1/3) (1 + |w|) / |v|, with the unit roundoff u.
    fn differences(
        &mut self,
        records: Option<&[usize]>,
        point: &mut Blocks,
        vector: &Blocks,
    ) -> Result<Curved, StepError> {
        let (loss, here) = self.gradient_on(records, point)?;
        let double = self.layout.entries().iter().all(|entry| entry.dtype == DType::F64);
        let scale = if double { 2e-5 } else { 1.6e-2 };
        let step = scale * (1.0 + norm(point)) / norm(vector);
        let mut product = here.zeros_like();
        if !step.is_finite() {
            return Ok(Curved { at: self.screened(loss, here), product });
        }
        let mut bend = here.zeros_like();
        add_scaled(&mut bend, -2.0, &here);
        for side in [1.0, -1.0] {
            let mut there = point.clone();
            add_scaled(&mut there, side * step, vector);
            let (_, gradient) = self.gradient_on(records, &mut there)?;
            add_scaled(&mut bend, 1.0, &gradient);
            add_scaled(&mut product, 0.5 * side / step, &gradient);
        }
        // |g+ - 2 g + g-| / |g+ - g-|; NaN is left to the method.
        let asymmetry = norm(&bend) / (2.0 * step * norm(&product));
        if asymmetry > KINK && !self.allow_differences {
            return Err(StepError::Kinks { asymmetry });
        }
        Ok(Curved { at: self.screened(loss, here), product })
    }

    fn gradient_on(
        &mut self,
        records: Option<&[usize]>,
        point: &mut Blocks,
    ) -> Result<(f64, Blocks), StepError> {
        let probe = Probe::new(self.model, self.layout, point, true);
        self.loss_and_gradient(Some(probe.model()), records)
    }
}

/// A vector in Burn's container of gradients.
pub(super) fn as_gradients<M: Module>(
    model: &M,
    layout: &Layout,
    vector: &Blocks,
) -> GradientsParams {
    let mut visitor = Register { layout, vector, gradients: GradientsParams::new() };
    model.visit(&mut visitor);
    visitor.gradients
}

struct Register<'a> {
    layout: &'a Layout,
    vector: &'a Blocks,
    gradients: GradientsParams,
}

impl ModuleVisitor for Register<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(index) = self.layout.index_of(param.id) else { return };
        let data = self.vector.tensor(index).into_owned();
        let (device, dtype) = (param.val().device().inner(), data.dtype());
        self.gradients.register::<D>(param.id, Tensor::from_data(data, (&device, dtype)));
    }
}
