//! Whether what a paper says came back.

use crate::{
    record::{Claim, Reported},
    report::Summary,
    statistics::{Difference, Interval},
};

/// What became of a claim in one comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The difference has the claimed sign, beyond its interval.
    CameBack(Difference),
    /// It has the other sign, beyond its interval.
    Contradicted(Difference),
    /// The interval holds 0.
    Undecided(Difference),
    /// A method has no finished runs of the same seeds, or the metric is not measured here.
    Unknown,
}

/// What became of a claim; the interval is of this difference alone, with 95 % confidence.
pub fn found(claim: &Claim, summary: &Summary) -> Finding {
    let metric = claim.by.as_deref().unwrap_or(&summary.metric().name);
    let Some(difference) = summary.difference(&claim.better, &claim.than, metric) else {
        return Finding::Unknown;
    };
    if difference.is_undecided() {
        Finding::Undecided(difference)
    } else if difference.estimate > 0.0 {
        Finding::CameBack(difference)
    } else {
        Finding::Contradicted(difference)
    }
}

/// What a number of the paper came to here; none where it was not measured, or is of another variant.
pub fn reported(reported: &Reported, summary: &Summary) -> Option<Interval> {
    let variant = &summary.design.origin.as_ref()?.variant;
    if reported.variant.as_ref().is_some_and(|wanted| wanted != variant) {
        return None;
    }
    let place = summary.design.metrics.iter().position(|metric| metric.name == reported.metric)?;
    let method = summary.methods.iter().find(|method| method.name == reported.method)?;
    method.metrics.get(place).copied().flatten()
}
