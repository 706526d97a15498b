//! Forms of the Gauss-Newton matrix, where the loss is on duals.

use burn::module::Module;

use super::{
    ModuleOracle, Records, RunningStatistics,
    curvature::as_gradients,
    module::{seed_device, share},
    probe::Probe,
};
use crate::{
    batches::Batches, blocks::Blocks, collective::meet, dual::OutputTangent, error::StepError,
};

impl<M: Module> ModuleOracle<'_, '_, M> {
    /// v_i'G v_j over `records` at `point`; none where the loss is not on duals.
    pub(super) fn gauss_newton_form(
        &mut self,
        records: Records,
        point: &mut Blocks,
        vectors: &[&Blocks],
    ) -> Result<Option<Vec<Vec<f64>>>, StepError> {
        let part = self.part(records)?;
        let batch = self.batches.as_deref().map_or(&[][..], Batches::batch);
        let records = part.unwrap_or_else(|| batch.to_vec());
        let (share, weight) = share(self.collective, self.batches.is_some(), &records);
        // Without a record of its own a rank cannot tell whether the loss is on duals: it asks of one.
        let asked = share.unwrap_or(&records[..records.len().min(1)]);
        let probe = Probe::new(self.model, self.layout, point, false);
        let mut along = Vec::with_capacity(vectors.len());
        for vector in vectors {
            let Some(tangent) = self.output_tangent(probe.model(), asked, vector)? else {
                return Ok(None);
            };
            self.evals.jacobian_vector += 1;
            self.evals.jacobian_vector_records += records.len() as u64;
            along.push(tangent);
        }
        let local: Result<Vec<OutputTangent>, StepError> = along.into_iter().collect();
        let mut form = vec![0.0; vectors.len() * vectors.len()];
        if let (Ok(along), true) = (&local, share.is_some()) {
            let entries = OutputTangent::form(along).into_iter().flatten();
            form.iter_mut().zip(entries).for_each(|(number, entry)| *number = weight * entry);
        }
        meet(self.collective, local, &mut form)?;
        Ok(Some(form.chunks(vectors.len()).map(<[f64]>::to_vec).collect()))
    }

    /// What the loss says of one vector, without a trace in running statistics; none where it is not on
    /// duals.
    fn output_tangent(
        &mut self,
        model: &M,
        records: &[usize],
        vector: &Blocks,
    ) -> Result<Option<Result<OutputTangent, StepError>>, StepError> {
        let loss = self.loss.as_deref_mut().ok_or(StepError::NeedsLoss { method: self.method })?;
        let vector = as_gradients(model, self.layout, vector);
        let before = RunningStatistics::of(self.model);
        let seeded = self.seed.map_or(Ok(()), |seed| seed_device(self.model, seed));
        let tangent = loss.output_tangent(model, &vector, records);
        before.restore(self.model);
        Ok(tangent.map(|tangent| seeded.and(tangent)))
    }
}
