//! When the batch grows, and what its checks see.

use super::*;

/// The mean over `records` of (x.a_r - b_r)^2 with fixed random a_r and b_r.
pub(super) fn regression(model: &Many, records: &[usize]) -> Tensor<1> {
    let x = model.tensors[0].val();
    let dtype = x.dtype();
    let rows: Vec<f64> = records.iter().flat_map(|r| Numbers::new(*r as u64).vector(5)).collect();
    let rows = vector(&rows, dtype).reshape([records.len(), 5]);
    let target: Vec<f64> = records.iter().map(|r| Numbers::new(*r as u64 + 999).next()).collect();
    let target = vector(&target, dtype).reshape([records.len(), 1]);
    (rows.matmul(x.reshape([5, 1])) - target).powi_scalar(2).mean()
}

/// A batch that is checked often and too small at every check.
pub(super) fn growing() -> MbLsr1Config {
    MbLsr1Config::new().with_delta0(0.05).with_check_every(Some(3)).with_gamma1(1e3)
}

#[test]
fn the_batch_grows_to_all_records_and_the_average_then_ends() {
    let mut batches = Batches::shuffled(50, 4, 9).expect("valid");
    let mut optimizer = growing().init().expect("valid");
    let mut model = Many::f64(&[vec![0.5; 5]]);
    let mut sizes = Vec::new();
    for step in 0..18 {
        let mut largest = 0;
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                largest = largest.max(records.len());
                regression(model, records)
            });
        let report = report.expect("a step");
        if report.outcome == Outcome::Converged {
            break;
        }
        let region = region(&report);
        assert_eq!(region.check.is_some(), step % 3 == 0);
        assert!(largest >= region.batch_size);
        sizes.push(region.batch_size);
        if region.batch_size == 50 {
            assert_eq!(region.averaged_ratio, region.ratio);
        }
    }
    // The first check has nothing to compare with; then every third step doubles.
    assert_eq!(sizes[..16], [4, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 50, 50, 50]);
}

#[test]
fn checks_are_k_steps_apart_also_where_k_falls_as_the_batch_grows() {
    let mut batches = Batches::shuffled(100, 4, 9).expect("valid");
    let config = MbLsr1Config::new().with_delta0(0.05).with_gamma1(1e3);
    let mut optimizer = config.init().expect("valid");
    let mut model = Many::f64(&[vec![0.5; 5]]);
    let mut checks = Vec::new();
    for step in 0..80 {
        let mut last = 0;
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                last = records.len();
                regression(model, records)
            });
        let region = region(&report.expect("a step"));
        if region.check.is_some() {
            // The sample, evaluated last, has 1.1 times the batch.
            checks.push((step, region.batch_size, last));
        }
    }
    // K is 100 / 4 at first, and from the first doubling on 20.
    assert_eq!(checks, [(0, 4, 4), (25, 4, 4), (45, 8, 8), (65, 16, 17)]);
}

#[test]
fn the_sample_of_a_check_is_bounded() {
    let sizes = |config: MbLsr1Config| {
        let mut batches = Batches::shuffled(100, 40, 9).expect("valid");
        let mut optimizer = config.init().expect("valid");
        let mut model = Many::f64(&[vec![0.5; 5]]);
        let mut sizes = Vec::new();
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                sizes.push(records.len());
                regression(model, records)
            });
        assert!(region(&report.expect("a step")).check.is_some());
        sizes.pop().expect("the check")
    };
    let config = MbLsr1Config::new();
    assert_eq!(sizes(config), 44);
    assert_eq!(sizes(config.with_check_growth(9.0)), 100);
    assert_eq!(sizes(config.with_check_growth(2.0).with_check_most(50)), 50);
    // All records in parts of a batch: 40, 40, 20.
    assert_eq!(sizes(config.with_check_all(true)), 20);
}

#[test]
fn a_step_ends_as_converged_only_where_the_gradient_of_all_records_is_short_too() {
    // Record 0 has no loss.
    let step = |start: f64| {
        let mut batches = Batches::listed(4, vec![vec![0]]).expect("valid");
        let mut optimizer = MbLsr1Config::new().init().expect("valid");
        let mut model = Many::f64(&[vec![start]]);
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                let counted = records.iter().filter(|record| **record > 0).count() as f64;
                (model.tensors[0].val() - 1.0).powi_scalar(2).mean()
                    * (counted / records.len() as f64)
            });
        assert_eq!(model.values(), [[start]]);
        report.expect("a step")
    };
    assert_eq!(step(1.0).outcome, Outcome::Converged);
    assert_eq!(step(3.0).outcome, Outcome::Rejected(Rejection::NoDecrease));
}

/// How step 4, the second that checks, judges the batch: samples of the first check are of records with a
/// small loss, those of the second with a large one, which falls as fast.
fn second_check(config: MbLsr1Config) -> BatchCheck {
    let weight = |record: &usize| if *record < 5 { 1.0 } else { 100.0 };
    let mut batches = Batches::listed(10, vec![(0..10).collect()])
        .and_then(|batches| batches.with_samples(vec![(0..5).collect(), (5..10).collect()]))
        .expect("valid");
    let mut optimizer = config.with_delta0(0.05).with_check_every(Some(3)).init().expect("valid");
    let mut model = Many::f64(&[vec![0.0]]);
    let mut check = None;
    for _ in 0..4 {
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                let mean = records.iter().map(weight).sum::<f64>() / records.len() as f64;
                (model.tensors[0].val() - 1.0).powi_scalar(2).mean() * mean
            });
        check = region(&report.expect("a step")).check;
    }
    check.expect("every third step")
}

#[test]
fn a_check_can_compare_both_points_on_one_sample() {
    // On two samples the loss seems to rise a hundredfold.
    assert!(second_check(MbLsr1Config::new()).is_too_small);
    let snapshot = MbLsr1Config::new().with_check_snapshot(true);
    assert!(!second_check(snapshot).is_too_small);
    assert!(second_check(snapshot.with_gamma1(1e3)).is_too_small);
}
