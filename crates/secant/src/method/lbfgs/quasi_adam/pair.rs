//! Steps 3 and 4 of Quasi-Adam: the pair, whether it is accepted, and the coefficients of q.

use secant_core::{
    curvature::CurvatureTest,
    memory_one::Combination,
    report::{PairOutcome, SkipReason},
};

use super::{
    Memory, OnRejection, QuasiAdam, QuasiAdamState, Scope,
    kernels::{AdamRates, Keep, Plan, ProductKernel, Products},
};
use crate::{
    blocks::{Blocks, Layout, for_each_tensor},
    protocol::{StepContext, TensorSettings},
};

impl QuasiAdam {
    /// Steps 3 and 4 for every tensor.
    pub(super) fn plan(
        &self,
        context: &StepContext<'_>,
        gradient: &Blocks,
        state: &mut QuasiAdamState,
        rates: AdamRates,
        memory: Memory,
    ) -> (Vec<Plan>, PairOutcome) {
        let kernel = |_| ProductKernel { rates, memory };
        let QuasiAdamState { s, memory: stored, m, v, .. } = &*state;
        let products = if self.config.max_ratio.is_some() {
            for_each_tensor(kernel, [], [gradient, stored, s, m, v])
        } else {
            for_each_tensor(kernel, [], [gradient, stored, s])
        };
        let verdicts = self.verdicts(context, &products);
        if self.config.on_rejection == OnRejection::KeepPair {
            return self.plan_with_kept_pair(context, gradient, state, rates, memory, &verdicts);
        }
        let plans = self.plans(context, &products, &verdicts, &mut state.gamma);
        (plans, self.outcome(&verdicts))
    }

    /// [`OnRejection::KeepPair`]: accepted pairs replace the kept ones, whose H is then applied.
    fn plan_with_kept_pair(
        &self,
        context: &StepContext<'_>,
        gradient: &Blocks,
        state: &mut QuasiAdamState,
        rates: AdamRates,
        memory: Memory,
        verdicts: &[Verdict],
    ) -> (Vec<Plan>, PairOutcome) {
        let QuasiAdamState { m, v, s, memory: stored, kept_s, kept_y, gamma, .. } = state;
        if kept_s.is_empty() {
            *kept_s = Blocks::zeros(context.layout);
            *kept_y = Blocks::zeros(context.layout);
        }
        let is_global = self.config.scope == Scope::Global;
        let keep = |tensor: usize| {
            let accepted = verdicts[if is_global { 0 } else { tensor }].is_ok();
            Keep { accepted, memory }
        };
        for_each_tensor(keep, [kept_s, kept_y], [gradient, stored, s]);
        let kernel = |_| ProductKernel { rates, memory: Memory::Y };
        let products = for_each_tensor(kernel, [], [gradient, kept_y, kept_s, m, v]);
        // A kept pair passed its test when it was new; zeros are no pair yet.
        let kept = self.verdicts(context, &products);
        (self.plans(context, &products, &kept, gamma), self.outcome(verdicts))
    }

    /// The test of step 3, one for each scope.
    fn verdicts(&self, context: &StepContext<'_>, products: &[Products]) -> Vec<Verdict> {
        let test = self.config.curvature_test.unwrap_or_else(|| default_test(context.layout));
        let bound = self.config.inverse_bound.unwrap_or(f64::INFINITY);
        let verdict = |products: Products| {
            test.check(products.pair())?;
            let norm = products.pair().inverse_norm();
            if norm <= bound { Ok(products.pair().cosine()) } else { Err(SkipReason::TooLarge) }
        };
        match self.config.scope {
            Scope::PerTensor => products.iter().map(|p| verdict(*p)).collect(),
            Scope::Global => vec![verdict(products.iter().copied().sum())],
        }
    }

    fn outcome(&self, verdicts: &[Verdict]) -> PairOutcome {
        match (self.config.scope, verdicts) {
            (Scope::Global, [Ok(cosine)]) => PairOutcome::Stored { cosine: *cosine },
            (Scope::Global, [Err(reason)]) => PairOutcome::Skipped(*reason),
            _ => {
                let stored = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
                PairOutcome::PerTensor { stored, skipped: verdicts.len() - stored }
            }
        }
    }

    /// The coefficients of step 4 and the rate of step 5, one for each tensor.
    fn plans(
        &self,
        context: &StepContext<'_>,
        products: &[Products],
        verdicts: &[Verdict],
        gamma: &mut [f64],
    ) -> Vec<Plan> {
        match self.config.scope {
            Scope::PerTensor => products
                .iter()
                .zip(context.tensors)
                .zip(verdicts.iter().zip(gamma))
                .flat_map(|((p, tensor), (verdict, gamma))| {
                    self.scope_plan(&[*p], &[*tensor], verdict, gamma)
                })
                .collect(),
            Scope::Global => {
                self.scope_plan(products, context.tensors, &verdicts[0], &mut gamma[0])
            }
        }
    }

    /// The plans of the tensors that share one pair.
    fn scope_plan(
        &self,
        products: &[Products],
        tensors: &[TensorSettings],
        verdict: &Verdict,
        gamma: &mut f64,
    ) -> Vec<Plan> {
        let total: Products = products.iter().copied().sum();
        let q = match verdict {
            Ok(_) => Combination::of_pair(total.pair(), total.sg, total.yg),
            Err(_) if self.config.on_rejection == OnRejection::ScaledGradient => {
                Combination::scaled_gradient(*gamma)
            }
            Err(_) => Combination::default(),
        };
        let q = if q.is_finite() { q } else { Combination::default() };
        if verdict.is_ok() {
            *gamma = q.gamma;
        }
        let rate = |tensor: &TensorSettings| self.config.curvature_rate.unwrap_or(tensor.lr);
        let shrink = self.shrink(q, products, tensors, rate);
        tensors.iter().map(|tensor| Plan { q, rate: shrink * rate(tensor) }).collect()
    }

    /// The factor that brings |rate_q q| under its cap.
    fn shrink(
        &self,
        q: Combination,
        products: &[Products],
        tensors: &[TensorSettings],
        rate: impl Fn(&TensorSettings) -> f64,
    ) -> f64 {
        let Some(max_ratio) = self.config.max_ratio else { return 1.0 };
        let (mut newton, mut adam) = (0.0, 0.0);
        for (p, tensor) in products.iter().zip(tensors) {
            newton += rate(tensor).powi(2) * q.norm_squared(p.pair(), p.gg, p.sg, p.yg);
            adam += tensor.lr.powi(2) * p.adam;
        }
        // No division before the test: both are 0 where all gradients are.
        if newton <= max_ratio * max_ratio * adam {
            1.0
        } else {
            max_ratio * (adam / newton).sqrt()
        }
    }
}

/// The cosine of an accepted pair, or why it is left out.
type Verdict = Result<f64, SkipReason>;

/// The relative test at the resolution of the parameters' type.
fn default_test(layout: &Layout) -> CurvatureTest {
    let double = |entry: &crate::blocks::Entry| entry.dtype == burn::tensor::DType::F64;
    CurvatureTest::Relative(if layout.entries().iter().all(double) { 1e-8 } else { 1e-6 })
}
