//! What identifies a run and a comparison: everything that can change its numbers.

use secant::spec::Run as RunLength;

use super::{CompareError, Particulars, Plan, Trials, machine::arithmetic};
use crate::{Fingerprint, record::Design, run::Setting};

/// What all runs of a comparison have in common.
pub(super) struct Keys {
    common: String,
}

impl Keys {
    /// Of the design, whose key is not read.
    pub(super) fn new(design: &Design) -> Self {
        let metrics: Vec<&str> = design.metrics.iter().map(|metric| metric.name.as_str()).collect();
        let sizes = [
            design.parameters,
            design.train_records,
            design.validation_records,
            design.test_records,
            design.batch_size,
        ];
        let common = [
            format!("{} {}", design.version, design.code),
            arithmetic(),
            design.problem.clone(),
            design.description.clone(),
            design.fingerprint.clone(),
            format!("{sizes:?} {:?} {metrics:?}", design.budget),
            [&*design.precision, &design.hessian_products].join("; "),
        ];
        let common = common.iter().fold(Fingerprint::new(), |hash, text| hash.text(text));
        Self { common: common.finish() }
    }

    /// Of a trial or a run.
    ///
    /// # Errors
    /// A hyper-parameter out of its range.
    pub(super) fn run(&self, kind: &str, setting: &Setting) -> Result<String, CompareError> {
        // Any run shows every hyper-parameter; what depends on the run follows from the rest of the key.
        let run = RunLength {
            steps: 1000,
            steps_per_epoch: 10,
            batch_size: 10,
            rows: 1,
            parameters: 1000,
            full_batch: false,
            double_precision: false,
        };
        let spec =
            setting.method.spec(Some(&run)).map_err(|e| CompareError::of_run(setting, e.into()))?;
        let texts = [
            self.common.clone(),
            kind.to_string(),
            setting.method.preset().name.to_string(),
            format!("{:?}", spec.values().into_iter().map(|(_, value)| value).collect::<Vec<_>>()),
            format!("{:x} {} {:?}", setting.lr.to_bits(), setting.seed, setting.treatment),
        ];
        Ok(texts.iter().fold(Fingerprint::new(), |hash, text| hash.text(text)).finish())
    }

    /// Of the whole comparison.
    pub(super) fn comparison(&self, design: &Design, plan: &Plan) -> String {
        let searches: Vec<String> = plan.searches.iter().map(ToString::to_string).collect();
        let own =
            |own: &Particulars| (own.method.to_string(), own.rates.clone(), own.treatment.clone());
        let own: Vec<_> = plan.particulars.iter().map(own).collect();
        let is_open = matches!(plan.trials, Trials::Bracketed(_));
        let texts = [
            self.common.clone(),
            format!("{:?} {searches:?} {:?}", design.methods, design.seeds),
            format!(
                "{} {is_open} {} {:?}",
                design.trials,
                design.tuning_seeds,
                plan.lr.map(f64::to_bits)
            ),
            format!("{:?} {own:?} {:?}", plan.schedule, plan.origin),
            format!("{} {} {:?}", design.ranked_by, design.tuned_by, design.target),
        ];
        texts.iter().fold(Fingerprint::new(), |hash, text| hash.text(text)).finish()
    }
}
