//! Records meet other settings, other memories, and models with more parameters.

use std::path::PathBuf;

use burn::{
    module::{Module, Param},
    tensor::{DType, Tensor, TensorData},
};
use secant::{
    AdaHessianConfig, AdamConfig, CurvatureTest, LBfgsConfig, LSsr1TrConfig, MbLsr1Config,
    Momentum, MultiBatchLBfgsConfig, OnRejection, OnlineLBfgsConfig, Optimizer, QuasiAdamConfig,
    RmsPropConfig, Rules, ScheduleFreeAdamWConfig, Scope, SdLBfgsConfig, SgdBbConfig, SgdConfig,
    SqnConfig, SvrgConfig, Tolerances,
    blocks::Blocks,
    error::{ConfigError, RecordError},
    operator::{InverseLBfgs, LSr1, PairMatrix, Scaling},
    protocol::{GradientMethod, Method},
};
use secant_core::curvature::PairProducts;

use crate::{
    support::{Many, Numbers, Tested, Vectors, sum, temporary_folder, vector},
    table::{decayed, table},
    twins::Noisy,
};

const SIZES: [usize; 3] = [1, 7, 12];

/// An optimizer and the settings that it has beyond the table's.
type Variant = (String, f64, Box<dyn Tested>);

fn variant<K: Method>(
    settings: &str,
    lr: f64,
    optimizer: Result<Optimizer<K>, ConfigError>,
) -> Variant {
    (settings.to_string(), lr, Box::new(optimizer.expect("valid settings")))
}

/// The table, and what it does not vary: sizes of memories, full batches, rules, periods.
fn variants() -> Vec<Variant> {
    let rows = table().into_iter().chain(decayed());
    let mut all: Vec<Variant> =
        rows.map(|row| (row.name.to_string(), row.lr, row.optimizer())).collect();
    let full = LBfgsConfig::new().with_full_batch(true);
    let torch = LBfgsConfig::torch().with_max_iter(2);
    for memory in [1, 2, 9] {
        let bfgs = LBfgsConfig::new().with_history_size(memory);
        all.extend([
            variant("memory", 1.0, bfgs.init()),
            variant("memory", 0.1, SdLBfgsConfig::new().with_memory(memory).init()),
            variant("memory", 0.1, OnlineLBfgsConfig::new().with_memory(memory).init()),
            variant("memory", 0.1, MultiBatchLBfgsConfig::new().with_memory(memory).init()),
            variant("memory", 0.1, SqnConfig::new(1).with_memory(memory).init()),
            variant("memory", 1.0, MbLsr1Config::new().with_memory(memory).init()),
            variant("memory", 1.0, LSsr1TrConfig::new().with_memory(memory).init()),
        ]);
    }
    all.extend([
        variant("full batch", 1.0, full.init()),
        variant("torch", 0.1, torch.init()),
        variant("torch, two pairs", 0.1, torch.with_history_size(2).init()),
        variant("every third", 0.05, AdaHessianConfig::new().with_update_every(3).init()),
        variant("pairs every third", 0.1, SqnConfig::new(1).with_curvature_every(3).init()),
        variant("period 3", 0.1, SgdBbConfig::new(3).init()),
        variant("every 3", 0.1, SvrgConfig::new(3).init()),
        variant("bb, every 3", 0.1, SvrgConfig::new(3).with_barzilai_borwein(true).init()),
        variant("full batch", 1.0, MbLsr1Config::full_batch().init()),
        variant("full batch", 1.0, LSsr1TrConfig::full_batch().init()),
        variant("snapshot", 1.0, MbLsr1Config::new().with_check_snapshot(true).init()),
    ]);
    all
}

fn advance(optimizer: &mut dyn Tested, model: &mut Many, lr: f64, noisy: &Noisy, steps: usize) {
    for step in 0..steps {
        let report = optimizer.step(lr, model, &mut |model: &Many| noisy.loss(model, step));
        let _ = report.expect("the contract is kept");
    }
}

#[test]
fn a_record_is_refused_by_the_name_of_a_setting_or_its_next_steps_are_sound() {
    let folder = temporary_folder("pairs-of-settings");
    let path = folder.join("state.bpk");
    let noisy = Noisy::new(&SIZES, 8, 0.3);
    let all = variants();
    let (mut refused, mut loaded) = (0, 0);
    for (saved, lr, optimizer) in &all {
        for steps in [0, 1, 2, 5, 8] {
            let (mut writer, mut model) = (optimizer.boxed(), Many::f64(&noisy.start));
            advance(&mut *writer, &mut model, *lr, &noisy, steps);
            writer.save_to(&path);
            for (other, lr, reader) in all.iter().filter(|(.., o)| o.name() == writer.name()) {
                let mut reader = reader.boxed();
                let what = format!("{}: {saved} after {steps} steps, into {other}", writer.name());
                match reader.load_from(&path, &model) {
                    Err(RecordError::Setting { .. }) => refused += 1,
                    Err(error) => panic!("{what}: {error}"),
                    Ok(()) => {
                        let mut model = model.clone();
                        advance(&mut *reader, &mut model, *lr, &noisy, 6);
                        let is_finite = model.values().iter().flatten().all(|x| x.is_finite());
                        assert!(is_finite, "{what}");
                        loaded += 1;
                    }
                }
            }
        }
    }
    // Most methods have rows that differ in what may change, and some in what may not.
    assert!(refused > 100 && loaded > 100, "{refused} refused, {loaded} loaded");
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}

/// What `reader` says to a record that `writer` saved after four steps.
fn refusal<K: Method>(
    writer: Result<Optimizer<K>, ConfigError>,
    reader: Result<Optimizer<K>, ConfigError>,
) -> String {
    let folder = temporary_folder("refusal");
    let path = folder.join("state.bpk");
    let noisy = Noisy::new(&SIZES, 4, 0.3);
    let mut model = Many::f64(&noisy.start);
    let mut writer = writer.expect("valid");
    advance(&mut writer, &mut model, 0.05, &noisy, 4);
    writer.save(&path).expect("saved");
    let mut reader = reader.expect("valid");
    let error = reader.load(&path, &model).expect_err("other settings");
    assert_eq!(reader.accepted_steps(), 0, "a refused record leaves the optimizer as it was");
    std::fs::remove_dir_all(folder).expect("the folder is ours");
    error.to_string()
}

#[test]
fn the_sentence_of_a_refusal_names_the_setting_and_both_values() {
    let ends = "; build it with the record's setting, or start a new one";
    let new = QuasiAdamConfig::new;
    assert_eq!(
        refusal(new().init(), new().with_scope(Scope::PerTensor).init()),
        format!("the record was saved with `scope` Global, this optimizer has PerTensor{ends}")
    );
    let keeps = new().with_on_rejection(OnRejection::KeepPair);
    assert!(refusal(keeps.init(), new().init()).contains("`on_rejection` KeepPair"));
    let momentum = SgdConfig::new().with_momentum(Momentum::torch(0.9));
    assert!(refusal(SgdConfig::new().init(), momentum.init()).contains("`momentum` None"));
    let centred = RmsPropConfig::new().with_centered(true);
    assert!(refusal(RmsPropConfig::new().init(), centred.init()).contains("`centered` false"));
    let torch = LBfgsConfig::new().with_rules(Rules::Torch);
    assert!(refusal(torch.init(), LBfgsConfig::new().init()).contains("`rules` Torch"));
    let third = AdaHessianConfig::new().with_update_every(3);
    let said = refusal(AdaHessianConfig::new().init(), third.init());
    assert!(said.contains("`update_every` 1, this optimizer has above 1"), "{said}");
    let (near, far) =
        (ScheduleFreeAdamWConfig::new(), ScheduleFreeAdamWConfig::new().with_beta_1(0.95));
    assert!(refusal(near.init(), far.init()).contains("`beta_1` 0.9, this optimizer has 0.95"));
    let sqn = SqnConfig::new(1);
    let said = refusal(sqn.init(), sqn.with_curvature_every(3).init());
    assert!(said.contains("`curvature_every` "), "{said}");
}

#[test]
fn more_room_for_pairs_changes_nothing_until_it_is_needed() {
    let folder = temporary_folder("room");
    let path = folder.join("state.bpk");
    let noisy = Noisy::new(&SIZES, 8, 0.3);
    for full in [false, true] {
        let config = |memory| LBfgsConfig::new().with_history_size(memory).with_full_batch(full);
        let (mut small, mut model) = (config(4).init().expect("valid"), Many::f64(&noisy.start));
        advance(&mut small, &mut model, 1.0, &noisy, 3);
        small.save(&path).expect("saved");
        let mut large = config(9).init().expect("valid");
        large.load(&path, &model).expect("more room");
        let mut other = model.clone();
        advance(&mut small, &mut model, 1.0, &noisy, 1);
        advance(&mut large, &mut other, 1.0, &noisy, 1);
        assert_eq!(model.bits(), other.bits());
    }
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}

/// Five pairs of positive curvature.
fn pairs() -> Vec<(Blocks, Blocks)> {
    let mut numbers = Numbers::new(11);
    let block = |numbers: Vec<f64>| Blocks::new(vec![TensorData::new(numbers, [9])]);
    let mut pair = || {
        let s = numbers.vector(9);
        let y = s.iter().zip(numbers.vector(9)).map(|(s, x)| s * (1.5 + x)).collect();
        (block(s), block(y))
    };
    (0..5).map(|_| pair()).collect()
}

fn entries(blocks: &Blocks) -> Vec<f64> {
    blocks.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect()
}

#[test]
fn of_too_many_pairs_the_newest_make_the_matrix() {
    let g = pairs().swap_remove(2).0;
    let bfgs = |capacity: usize, pairs: &[(Blocks, Blocks)]| {
        let mut matrix = InverseLBfgs::new(capacity);
        for (s, y) in pairs {
            let products = |a: &Blocks, b: &Blocks| {
                entries(a).iter().zip(entries(b)).map(|(a, b)| a * b).sum::<f64>()
            };
            let products =
                PairProducts { ss: products(s, s), sy: products(s, y), yy: products(y, y) };
            let _ = matrix.push(CurvatureTest::Absolute(0.0), products, s.clone(), y.clone());
        }
        matrix
    };
    let h_g = |matrix: &InverseLBfgs| {
        let mut out = g.zeros_like();
        matrix.apply(1.0, Scaling::Newest, &g, &mut out).expect("finite");
        entries(&out)
    };
    let mut cut = InverseLBfgs::new(3);
    assert!(cut.restore(pairs(), &bfgs(5, &pairs()).parts().1));
    // The same inner products of the same vectors.
    assert_eq!(h_g(&cut), h_g(&bfgs(3, &pairs()[2..])));

    let sr1 = |capacity: usize, pairs: &[(Blocks, Blocks)]| {
        let mut matrix = LSr1::new(capacity);
        pairs.iter().for_each(|(s, y)| assert!(matrix.push(s.clone(), y.clone())));
        matrix
    };
    let b_g = |matrix: &LSr1| {
        entries(&matrix.apply(&g, 0.5, Tolerances::F64).expect("pairs of one size"))
    };
    let mut cut = LSr1::new(3);
    assert!(cut.restore(pairs(), &sr1(5, &pairs()).parts().1));
    assert_eq!(b_g(&cut), b_g(&sr1(3, &pairs()[2..])));
    // Not the pairs' products.
    assert!(!cut.restore(pairs(), &[1.0; 7]) && !cut.restore(pairs(), &[f64::NAN; 75]));
}

/// A model before and after it has grown by a head and a scale.
#[derive(Module, Debug)]
struct Grown {
    scale: Option<Param<Tensor<1>>>,
    body: Many,
    head: Option<Param<Tensor<1>>>,
}

impl Grown {
    fn new(body: &[Vec<f64>], has_more: bool) -> Self {
        let part = |seed| Param::from_tensor(vector(&Numbers::new(seed).vector(5), DType::F64));
        let [scale, head] = [1, 2].map(|seed| has_more.then(|| part(seed)));
        Self { scale, body: Many::f64(body), head }
    }

    /// A sum over the parts: the body's gradient does not depend on whether there is more.
    fn loss(&self, noisy: &Noisy, step: usize) -> Tensor<1> {
        let more = [&self.scale, &self.head].into_iter().flatten();
        let square = |part: &Param<Tensor<1>>| part.val().powi_scalar(2).sum();
        sum(more.map(square).chain([noisy.loss(&self.body, step)]))
    }
}

/// Bits of the body and values of the rest.
fn state_of(model: &Grown) -> (Vec<Vec<u64>>, Vectors) {
    let more = [&model.scale, &model.head].into_iter().flatten();
    (model.body.bits(), more.map(|part| crate::support::numbers(part.val())).collect())
}

fn path_of(folder: &std::path::Path) -> PathBuf {
    folder.join("state.bpk")
}

/// Saves after three steps of the small model, loads for the grown one and makes one more step with
/// both; the new parameters after it.
fn grow<K: GradientMethod>(config: impl Fn() -> Result<Optimizer<K>, ConfigError>) -> Vectors {
    let folder = temporary_folder("grow");
    let noisy = Noisy::new(&SIZES, 4, 0.3);
    let mut small = Grown::new(&noisy.start, false);
    let mut writer = config().expect("valid");
    let step = |optimizer: &mut Optimizer<K>, model: &mut Grown, step| {
        let report = optimizer.step(0.1, model, |model: &Grown| model.loss(&noisy, step));
        assert!(report.expect("the contract is kept").is_accepted());
    };
    (0..3).for_each(|k| step(&mut writer, &mut small, k));
    writer.save(path_of(&folder)).expect("saved");
    let mut large = Grown::new(&small.body.values(), true);
    let mut reader = config().expect("valid");
    let new = reader.load_partial(path_of(&folder), &large).expect("a record of fewer parameters");
    assert_eq!(new, ["scale", "head"]);
    assert_eq!(reader.accepted_steps(), 3);
    step(&mut writer, &mut small, 3);
    step(&mut reader, &mut large, 3);
    let ((body, more), (expected, _)) = (state_of(&large), state_of(&small));
    assert_eq!(body, expected, "the known parameters go on as if nothing had joined");
    std::fs::remove_dir_all(folder).expect("the folder is ours");
    more
}

/// The new parameters after one step of a new optimizer.
fn fresh<K: GradientMethod>(optimizer: Result<Optimizer<K>, ConfigError>) -> Vectors {
    let noisy = Noisy::new(&SIZES, 1, 0.3);
    let mut model = Grown::new(&noisy.start, true);
    let report = optimizer
        .expect("valid")
        .step(0.1, &mut model, |model: &Grown| model.loss(&noisy, 0))
        .expect("the contract is kept");
    assert!(report.is_accepted());
    state_of(&model).1
}

#[test]
fn parameters_join_a_record_with_fresh_state_and_the_others_go_on_bit_for_bit() {
    // Without a count of steps in the update, joining is starting.
    let rmsprop = || RmsPropConfig::new().with_centered(true).with_momentum(0.5).init();
    assert_eq!(grow(rmsprop), fresh(rmsprop()));
    let ema = || SgdConfig::new().with_momentum(Momentum::Ema { momentum: 0.9 }).init();
    assert_eq!(grow(ema), fresh(ema()));
    // With a count for each tensor it is as well.
    let schedule_free = || ScheduleFreeAdamWConfig::new().with_warmup_steps(5).init();
    assert_eq!(grow(schedule_free), fresh(schedule_free()));
    grow(|| AdamConfig::new().init());
    // A pair of zeros is no pair yet.
    grow(|| QuasiAdamConfig::new().with_scope(Scope::PerTensor).init());
}

#[test]
fn a_record_that_knows_all_or_nothing_is_loaded_partially_as_well() {
    let folder = temporary_folder("all-or-nothing");
    let path = path_of(&folder);
    let adam = || AdamConfig::new().init().expect("valid");
    let noisy = Noisy::new(&SIZES, 2, 0.3);
    let mut model = Many::f64(&noisy.start);
    adam().save(&path).expect("saved");
    let new = adam().load_partial(&path, &model).expect("a record before the first step");
    assert_eq!(new, ["tensors.0", "tensors.1", "tensors.2"]);
    let mut writer = adam();
    advance(&mut writer, &mut model, 0.1, &noisy, 2);
    writer.save(&path).expect("saved");
    let new = adam().load_partial(&path, &model).expect("a record of the same parameters");
    assert!(new.is_empty(), "{new:?}");
    let fewer = Many::f64(&noisy.start[..2]);
    let error = adam().load_partial(&path, &fewer).expect_err("a parameter is missing");
    assert!(error.to_string().contains("no trainable parameter `tensors.2"), "{error}");
    let mut bb = SgdBbConfig::new(3).init().expect("valid");
    let error = bb.load_partial(&path, &model).expect_err("points cannot be extended");
    assert!(error.to_string().starts_with("sgd-bb remembers points of all parameters"), "{error}");
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}
