//! Two ranks, each on its share of every batch, are one rank on the whole batch.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use burn::{
    optim::GradientsParams,
    tensor::{DType, Tensor, TensorData},
};
use secant::{
    AdaHessianConfig, AdamConfig, Batches, Clipping, Collective, MissingGradients, Optimizer,
    Outcome, Rejection, SqnConfig, StepReport, WithProduct, blocks::Blocks, error::StepError,
    method::first_order::adam::Adam, protocol::Method,
};

use crate::{
    support::{Many, Numbers, Tested, assert_close, vector},
    table::{Row, table},
    twins::{Noisy, double},
};

/// One of two ranks in one process, which send each other all they have.
#[derive(Debug)]
struct Rank {
    number: usize,
    to_other: Mutex<Sender<Vec<f64>>>,
    from_other: Mutex<Receiver<Vec<f64>>>,
}

impl Rank {
    fn both() -> [Arc<dyn Collective>; 2] {
        let ((to_second, from_first), (to_first, from_second)) = (channel(), channel());
        let rank = |number, to, from| -> Arc<dyn Collective> {
            Arc::new(Self { number, to_other: Mutex::new(to), from_other: Mutex::new(from) })
        };
        [rank(0, to_second, from_second), rank(1, to_first, from_first)]
    }
}

impl Collective for Rank {
    fn ranks(&self) -> usize {
        2
    }

    fn share<'a>(&self, records: &'a [usize]) -> &'a [usize] {
        let (first, second) = records.split_at(records.len().div_ceil(2));
        if self.number == 0 { first } else { second }
    }

    fn sum(&self, numbers: &mut [f64]) {
        self.to_other.lock().expect("whole").send(numbers.to_vec()).expect("there");
        let theirs = self.from_other.lock().expect("whole").recv().expect("there");
        assert_eq!(numbers.len(), theirs.len(), "both ranks are at the same place");
        for (ours, theirs) in numbers.iter_mut().zip(theirs) {
            // Addition of two numbers has the same bits in both orders.
            *ours += theirs;
        }
    }

    fn mean(&self, gradient: &mut Blocks, weight: f64) {
        let tensors = std::mem::take(gradient).into_data().into_iter().map(|data| {
            let mut numbers: Vec<f64> = data.iter::<f64>().map(|x| weight * x).collect();
            self.sum(&mut numbers);
            TensorData::new(numbers, data.shape().clone()).convert_dtype(data.dtype())
        });
        *gradient = Blocks::new(tensors.collect());
    }
}

/// Runs `of_rank` on two threads; what both return.
fn on_both<T: Send>(of_rank: impl Fn(usize, Arc<dyn Collective>) -> T + Sync) -> [T; 2] {
    let [first, second] = Rank::both();
    thread::scope(|scope| {
        let second = scope.spawn(|| of_rank(1, second));
        let first = of_rank(0, first);
        [first, second.join().expect("the other rank does not panic")]
    })
}

const RECORDS: usize = 7;
const STEPS: usize = 12;

/// The mean loss of some records, each a quadratic with its own linear term.
fn loss(noisy: &Noisy) -> impl FnMut(&Many, &[usize]) -> Tensor<1> {
    |model: &Many, records: &[usize]| {
        assert!(!records.is_empty(), "a mean over no record is not asked for");
        let terms = records.iter().map(|record| noisy.loss(model, *record));
        crate::support::sum(terms).mul_scalar(1.0 / records.len() as f64)
    }
}

/// The parameters after each step, and what the steps reported.
type Path = Vec<(Vec<Vec<f64>>, StepReport)>;

/// 12 steps on batches of 3 records, the last of which the next batch shares: the second rank has one
/// record of a batch, and none of what two batches share, of samples of one, and of the last part of all.
fn run(row: &Row, noisy: &Noisy, dtype: DType, mut optimizer: Box<dyn Tested>) -> Path {
    let mut batches = Batches::shuffled(RECORDS, 3, 5).and_then(|b| b.with_overlap(1)).expect("ok");
    let mut model = Many::new(&noisy.start, dtype);
    (0..STEPS)
        .map(|_| {
            let report = optimizer
                .step_on(row.lr, &mut model, &mut batches, &mut loss(noisy))
                .expect("the contract is kept");
            (model.values(), report)
        })
        .collect()
}

#[test]
fn two_ranks_make_the_steps_of_one_with_every_method_and_the_same_bits_on_both() {
    let noisy = Noisy::new(&[5, 20], RECORDS, 0.3);
    for row in table() {
        let alone = run(&row, &noisy, DType::F64, row.optimizer());
        let [first, second] =
            on_both(|_, rank| run(&row, &noisy, DType::F64, row.optimizer().together(rank)));
        for (step, (ours, theirs)) in first.iter().zip(&second).enumerate() {
            let what = format!("{}, step {step}", row.name);
            // What a report prints distinguishes every two numbers.
            assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{what}");
            // The sum of a batch is taken in another order: a rounding of 1e-16 in every step, which the
            // method passes on as in its comparison with its twin.
            assert_close(&ours.0, &alone[step].0, double(&row), &what);
            assert_eq!(ours.1.outcome, alone[step].1.outcome, "{what}");
            assert_eq!(ours.1.evals, alone[step].1.evals, "{what}");
        }
    }
}

#[test]
fn in_single_precision_both_ranks_have_the_same_bits() {
    let noisy = Noisy::new(&[5, 20], RECORDS, 0.3);
    for row in table() {
        let [first, second] =
            on_both(|_, rank| run(&row, &noisy, DType::F32, row.optimizer().together(rank)));
        assert_eq!(format!("{first:?}"), format!("{second:?}"), "{}", row.name);
    }
}

#[test]
fn with_batches_of_their_own_ranks_step_along_the_mean_of_their_gradients() {
    // Another batch in each step: on one function pairs get shorter and shorter, and rounding larger.
    let noisy = Noisy::new(&[5, 20], 10, 0.3);
    for row in table() {
        let steps = |mut optimizer: Box<dyn Tested>, which: &[usize]| {
            let mut model = Many::f64(&noisy.start);
            for step in 0..5 {
                let records: Vec<usize> = which.iter().map(|which| 2 * step + which).collect();
                let mut of_which = |model: &Many| loss(&noisy)(model, &records);
                let report = optimizer.step(row.lr, &mut model, &mut of_which);
                assert!(report.expect("the contract is kept").is_accepted(), "{}", row.name);
            }
            model
        };
        let alone = steps(row.optimizer(), &[0, 1]);
        let ranks = on_both(|number, rank| steps(row.optimizer().together(rank), &[number]));
        assert_eq!(ranks[0].bits(), ranks[1].bits(), "{}", row.name);
        // As above.
        assert_close(&ranks[0].values(), &alone.values(), double(&row), row.name);
    }
}

#[test]
fn exact_products_are_means_over_the_ranks_also_where_one_has_no_record() {
    let curvature = [vec![1.0, 2.0, 0.5], vec![3.0]];
    // Record r weighs r + 1.
    let weight = |records: &[usize]| {
        records.iter().map(|r| *r as f64 + 1.0).sum::<f64>() / records.len() as f64
    };
    let zero = [vec![0.0; 3], vec![0.0]];
    fn run<K: Method>(
        mut optimizer: Optimizer<K>,
        value: &mut impl FnMut(&Many, &[usize]) -> Tensor<1>,
        product: &mut impl FnMut(&Many, &GradientsParams, &[usize]) -> GradientsParams,
    ) -> (Vec<Vec<f64>>, u64) {
        let mut batches = Batches::shuffled(RECORDS, 3, 5).expect("valid");
        let mut model = Many::f64(&[vec![0.3, -0.2, 0.9], vec![0.4]]);
        let mut products = 0;
        for _ in 0..6 {
            let loss = WithProduct(
                |model: &Many, records: &[usize]| value(model, records),
                |model: &Many, vector: &GradientsParams, records: &[usize]| {
                    product(model, vector, records)
                },
            );
            let report = optimizer.step_on(0.1, &mut model, &mut batches, loss).expect("a step");
            products += report.evals.hessian_vector;
        }
        (model.values(), products)
    }
    let steps = |rank: Option<Arc<dyn Collective>>| {
        let mut value = |model: &Many, records: &[usize]| {
            model.quadratic(&curvature, &zero).mul_scalar(weight(records))
        };
        let mut product = |model: &Many, vector: &GradientsParams, records: &[usize]| {
            let mut products = GradientsParams::new();
            for (param, a) in model.tensors.iter().zip(&curvature) {
                let v = vector.get::<1>(param.id).expect("an entry of each");
                let a = vector_of(a).mul_scalar(weight(records));
                products.register(param.id, v * a);
            }
            products
        };
        let sqn = SqnConfig::new(1).with_curvature_every(2).init().expect("valid");
        let diagonal = AdaHessianConfig::new().init().expect("valid");
        match rank {
            Some(rank) => [
                run(sqn.with_collective(rank.clone()), &mut value, &mut product),
                run(diagonal.with_collective(rank), &mut value, &mut product),
            ],
            None => [run(sqn, &mut value, &mut product), run(diagonal, &mut value, &mut product)],
        }
    };
    let alone = steps(None);
    let [first, second] = on_both(|_, rank| steps(Some(rank)));
    assert_eq!(first, second);
    for (ours, alone) in first.iter().zip(&alone) {
        assert!(ours.1 > 0 && ours.1 == alone.1);
        // A few roundings of 1e-16 in each of 6 steps.
        assert_close(&ours.0, &alone.0, 1e-13, "products");
    }
}

fn vector_of(values: &[f64]) -> Tensor<1> {
    vector(values, DType::F64).inner()
}

fn adam() -> Optimizer<Adam> {
    AdamConfig::new().init().expect("defaults")
}

#[test]
fn what_is_wrong_on_one_rank_is_wrong_on_all_and_changes_nothing() {
    let noisy = Noisy::new(&[5, 20], 2, 0.3);
    let undisturbed = on_both(|number, rank| {
        let (mut optimizer, mut model) = (adam().with_collective(rank), Many::f64(&noisy.start));
        for _ in 0..4 {
            let report = optimizer.step(0.1, &mut model, |m: &Many| noisy.loss(m, number));
            assert!(report.expect("a step").is_accepted());
        }
        model.bits()
    });
    let disturbed = on_both(|number, rank| {
        let (mut optimizer, mut model) = (adam().with_collective(rank), Many::f64(&noisy.start));
        for step in 0..4 {
            // The first step has not fixed a layout yet.
            let pair = |model: &Many| {
                let loss = noisy.loss(model, number);
                if number == 1 { loss.reshape([1]).repeat_dim(0, 2) } else { loss }
            };
            let expected =
                [StepError::OtherRank, StepError::LossShape { elements: 2 }][number].clone();
            assert_eq!(optimizer.step(0.1, &mut model, pair), Err(expected), "step {step}");
            let nan = |model: &Many| {
                let bad = if number == 1 { f64::NAN } else { 0.0 };
                noisy.loss(model, number).add_scalar(bad)
            };
            let report = optimizer.step(0.1, &mut model, nan).expect("a rejection is no error");
            assert_eq!(report.outcome, Outcome::Rejected(Rejection::NonFiniteLoss));
            let report = optimizer.step(0.1, &mut model, |m: &Many| noisy.loss(m, number));
            assert!(report.expect("a step").is_accepted());
        }
        model.bits()
    });
    assert_eq!(disturbed, undisturbed);
    assert_eq!(disturbed[0], disturbed[1]);
}

#[test]
fn a_parameter_without_a_gradient_on_one_rank_has_zeros_there_and_is_missing_on_none_or_all() {
    // Record r uses tensor r alone; all use the last.
    let start = Numbers::new(3).vectors(&[4, 3, 2]);
    let value = |model: &Many, records: &[usize]| {
        let terms = records.iter().flat_map(|record| {
            [*record, 2].map(|tensor| model.tensors[tensor].val().powi_scalar(2).sum())
        });
        crate::support::sum(terms).mul_scalar(1.0 / records.len() as f64)
    };
    for missing in [MissingGradients::Error, MissingGradients::Skip] {
        let steps = |rank: Option<Arc<dyn Collective>>, lists: &[Vec<usize>]| {
            let optimizer = adam().with_missing_gradients(missing).expect("tensor by tensor");
            let optimizer = optimizer.with_clipping(Clipping::GlobalNorm(0.5)).expect("valid");
            let mut optimizer = match rank {
                Some(rank) => optimizer.with_collective(rank),
                None => optimizer,
            };
            let mut batches = Batches::listed(2, lists.to_vec()).expect("valid");
            let mut model = Many::f64(&start);
            let outcomes: Vec<Result<Outcome, StepError>> = (0..6)
                .map(|_| {
                    let report = optimizer.step_on(0.1, &mut model, &mut batches, value);
                    report.map(|report| report.outcome)
                })
                .collect();
            (model.values(), outcomes)
        };
        // A record on each rank; a batch of one record, without the other's tensor.
        for lists in [vec![vec![0, 1]], vec![vec![0, 1], vec![0], vec![1, 0], vec![1]]] {
            let alone = steps(None, &lists);
            let [first, second] = on_both(|_, rank| steps(Some(rank), &lists));
            assert_eq!(first, second, "{missing:?}");
            assert_eq!(first.1, alone.1, "{missing:?}");
            // A few roundings of 1e-16 in each of 6 steps.
            assert_close(&first.0, &alone.0, 1e-13, "parameters");
        }
    }
}

#[test]
fn one_rank_is_as_without_ranks() {
    let noisy = Noisy::new(&[5, 20], RECORDS, 0.3);
    for row in table() {
        let alone: Arc<dyn Collective> = Arc::new(secant::Alone);
        let with = run(&row, &noisy, DType::F32, row.optimizer().together(alone));
        let without = run(&row, &noisy, DType::F32, row.optimizer());
        assert_eq!(format!("{with:?}"), format!("{without:?}"), "{}", row.name);
    }
}
