//! How many times a loss is as large as another.

use secant_lab::{record::Run, statistics::Difference};

/// The geometric mean of ratios paired by seed, with its 95 % interval; without one for a single seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The mean.
    pub mean: f64,
    /// The ends of the interval.
    pub ends: Option<(f64, f64)>,
}

impl Ratio {
    /// The losses of these runs by those of others with the same seeds; `None` where one is missing, not
    /// finite, or not above 0.
    pub fn of(runs: &[Run], others: &[Run], loss: fn(&Run) -> Option<f64>) -> Option<Self> {
        let pair = |run: &Run| {
            let same = others.iter().find(|other| other.seed == run.seed)?;
            let pair = [loss(run)?, loss(same)?];
            pair.iter().all(|loss| *loss > 0.0 && loss.is_finite()).then_some(pair)
        };
        let pairs = runs.iter().map(pair).collect::<Option<Vec<_>>>()?;
        let found = Difference::of_logarithms(&pairs, 1)?;
        let ends = found.low.zip(found.high).map(|(low, high)| (low.exp(), high.exp()));
        Some(Self { mean: found.estimate.exp(), ends })
    }

    /// Whether the whole interval lies above 1.
    pub fn is_above_one(&self) -> bool {
        self.ends.is_some_and(|(low, _)| low > 1.0)
    }

    /// Whether the whole interval lies below 1.
    pub fn is_below_one(&self) -> bool {
        self.ends.is_some_and(|(_, high)| high < 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64, loss: Option<f64>) -> Run {
        Run {
            method: String::new(),
            settings: String::new(),
            lr: 1.0,
            seed,
            validation: vec![loss],
            test: Vec::new(),
            curve: Vec::new(),
            trained: true,
            rejected_steps: 0,
            chosen: None,
            trust_region: Vec::new(),
        }
    }

    fn first(run: &Run) -> Option<f64> {
        run.validation[0]
    }

    #[test]
    fn ratios_are_paired_by_seed_and_averaged_as_logarithms() {
        let ours = [run(1, Some(2.0)), run(2, Some(8.0))];
        let theirs = [run(2, Some(1.0)), run(1, Some(1.0))];
        let ratio = Ratio::of(&ours, &theirs, first).expect("a ratio");
        assert!((ratio.mean - 4.0).abs() < 1e-12, "{ratio:?}");
        // Logarithms 1 and 3 (base 2) have the standard error 1, and Student's factor is 12.706.
        let (low, high) = ratio.ends.expect("an interval");
        assert!((high.log2() - 14.7062).abs() < 1e-3 && (low.log2() + 10.7062).abs() < 1e-3);
        assert!(!ratio.is_above_one() && !ratio.is_below_one());
        // Whatever the order, the ratio of equal losses is 1 without doubt.
        assert_eq!(
            Ratio::of(&ours, &ours, first),
            Some(Ratio { mean: 1.0, ends: Some((1.0, 1.0)) })
        );
    }

    #[test]
    fn a_missing_seed_or_a_loss_that_is_not_finite_gives_no_ratio() {
        let theirs = [run(1, Some(1.0)), run(2, Some(1.0))];
        assert_eq!(Ratio::of(&[run(3, Some(1.0))], &theirs, first), None);
        assert_eq!(Ratio::of(&[run(1, Some(1.0)), run(2, None)], &theirs, first), None);
        assert_eq!(Ratio::of(&[run(1, Some(0.0))], &theirs, first), None);
        let one = Ratio::of(&[run(1, Some(0.5))], &theirs, first).expect("a ratio");
        assert_eq!((one.mean, one.ends), (0.5, None));
    }
}
