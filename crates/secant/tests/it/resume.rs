//! Saved after step k and loaded into a fresh optimizer, the next steps are bit-identical to never
//! having stopped: for every row of [`crate::table`], at every k, and in a new process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use burn::tensor::DType;
use secant::{AdamConfig, QuasiAdamConfig, SgdConfig, error::RecordError};

use crate::{
    support::{Many, Numbers, Tested, Vectors, temporary_folder as folder},
    table::{decayed, table},
};

const SIZES: [usize; 3] = [1, 17, 40];
const STEPS: usize = 8;

/// The gradient of step `step`: every pair of consecutive ones is another pair (s, y).
fn gradient(step: usize) -> Vectors {
    Numbers::new(500 + step as u64).vectors(&SIZES)
}

fn start(dtype: DType) -> Many {
    Many::new(&Numbers::new(3).vectors(&SIZES), dtype)
}

fn steps(optimizer: &mut dyn Tested, model: &mut Many, lr: f64, steps: std::ops::Range<usize>) {
    let curvature: Vectors = SIZES.iter().map(|size| vec![0.5; *size]).collect();
    for step in steps {
        let b = gradient(step);
        let report = optimizer.step(lr, model, &mut |model: &Many| model.quadratic(&curvature, &b));
        assert!(report.expect("a step").is_accepted());
    }
}

#[test]
fn a_loaded_optimizer_goes_on_bit_for_bit_after_every_step() {
    let folder = folder("resume");
    for dtype in [DType::F64, DType::F32] {
        for row in table().into_iter().chain(decayed()) {
            let (mut whole, mut model) = (row.optimizer(), start(dtype));
            for k in 0..STEPS {
                let path = folder.join("state.bpk");
                whole.save_to(&path);
                // Another module with other ids: only the paths agree.
                let mut other = Many::new(&model.values(), dtype);
                let mut resumed = row.optimizer();
                resumed.load_from(&path, &other).expect("a record");
                assert_eq!(resumed.accepted_steps(), k as u64);
                steps(&mut *resumed, &mut other, row.lr, k..STEPS.min(k + 3));
                let (mut same, mut reference) = (whole.boxed(), model.clone());
                steps(&mut *same, &mut reference, row.lr, k..STEPS.min(k + 3));
                assert_eq!(other.bits(), reference.bits(), "{} after step {k}", row.name);
                steps(&mut *whole, &mut model, row.lr, k..k + 1);
            }
        }
    }
    fs::remove_dir_all(folder).expect("the folder is ours");
}

/// The folder that the new process is to go on from; set in that process alone.
const RESUME_FOLDER: &str = "SECANT_RESUME_FOLDER";

#[test]
fn a_new_process_goes_on_bit_for_bit() {
    if let Ok(folder) = std::env::var(RESUME_FOLDER) {
        go_on(Path::new(&folder));
        return;
    }
    let folder = folder("process");
    let mut expected = String::new();
    for (index, row) in table().into_iter().enumerate() {
        let (mut optimizer, mut model) = (row.optimizer(), start(DType::F32));
        steps(&mut *optimizer, &mut model, row.lr, 0..4);
        optimizer.save_to(&folder.join(format!("{index}.bpk")));
        let values: Vec<String> = model.bits().concat().iter().map(u64::to_string).collect();
        fs::write(folder.join(format!("{index}.txt")), values.join(" ")).expect("written");
        steps(&mut *optimizer, &mut model, row.lr, 4..STEPS);
        expected += &format!("{} {:?}\n", row.name, model.bits());
    }
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "resume::a_new_process_goes_on_bit_for_bit"])
        .env(RESUME_FOLDER, &folder)
        .output()
        .expect("a new process");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let actual = fs::read_to_string(folder.join("result")).expect("the child's result");
    assert!(actual == expected, "the new process went another way");
    fs::remove_dir_all(folder).expect("the folder is ours");
}

/// What the new process does: loads the records of all methods and takes the steps that are left.
fn go_on(folder: &Path) {
    let mut result = String::new();
    for (index, row) in table().into_iter().enumerate() {
        let text = fs::read_to_string(folder.join(format!("{index}.txt"))).expect("values");
        let bits = text.split(' ').map(|bits| bits.parse().expect("a number"));
        let mut numbers = bits.map(f64::from_bits);
        let values: Vectors =
            SIZES.iter().map(|size| numbers.by_ref().take(*size).collect()).collect();
        let mut model = Many::new(&values, DType::F32);
        let mut optimizer = row.optimizer();
        optimizer.load_from(&folder.join(format!("{index}.bpk")), &model).expect("a record");
        steps(&mut *optimizer, &mut model, row.lr, 4..STEPS);
        result += &format!("{} {:?}\n", row.name, model.bits());
    }
    fs::write(folder.join("result"), result).expect("written");
}

/// A record of Adam after two steps, and its model.
fn adam_record(folder: &Path) -> (PathBuf, Many) {
    let mut model = start(DType::F32);
    let mut adam = AdamConfig::new().init().expect("valid");
    steps(&mut adam, &mut model, 0.1, 0..2);
    let path = folder.join("adam.bpk");
    adam.save(&path).expect("saved");
    (path, model)
}

#[test]
fn a_record_of_another_method_or_model_is_refused_with_a_sentence() {
    let folder = folder("refuse");
    let (path, model) = adam_record(&folder);
    let mut sgd = SgdConfig::new().init().expect("valid");
    let error = sgd.load(&path, &model).expect_err("another method");
    assert_eq!(error.to_string(), "the record is of the method `adam`, this optimizer is `sgd`");

    let mut adam = AdamConfig::new().init().expect("valid");
    let other = Many::new(&[vec![0.0], vec![0.0; 18], vec![0.0; 40]], DType::F32);
    let error = adam.load(&path, &other).expect_err("another model").to_string();
    assert!(error.contains("the model has no trainable parameter `tensors.1 F32 17`"), "{error}");
    let double = start(DType::F64);
    assert!(matches!(adam.load(&path, &double), Err(RecordError::Layout { .. })));
    assert_eq!(adam.accepted_steps(), 0, "a refused record leaves the optimizer as it was");
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn a_damaged_record_is_refused_and_the_optimizer_stays_as_it_was() {
    let folder = folder("damage");
    let (path, model) = adam_record(&folder);
    let whole = fs::read(&path).expect("the record");
    let mut adam = AdamConfig::new().init().expect("valid");
    let mut stepped = model.clone();
    steps(&mut adam, &mut stepped, 0.1, 0..1);
    // Bytes of the moments, which no check of the container covers; zeros may be padding.
    let moments = whole.len() - 400..whole.len();
    for position in moments.filter(|position| whole[*position] != 0).step_by(8) {
        let mut flipped = whole.clone();
        flipped[position] ^= 0x10;
        fs::write(&path, flipped).expect("written");
        let loaded = adam.load(&path, &model);
        assert!(loaded.is_err(), "byte {position} of {}", whole.len());
    }
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).expect("written");
        assert!(adam.load(&path, &model).is_err(), "the first {length} bytes");
    }
    assert!(adam.load(folder.join("absent.bpk"), &model).is_err());
    assert_eq!(adam.accepted_steps(), 1);
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn an_optimizer_before_its_first_step_can_be_saved() {
    let folder = folder("fresh");
    let path = folder.join("fresh.bpk");
    let fresh = QuasiAdamConfig::new().init().expect("valid");
    fresh.save(&path).expect("saved");
    let mut loaded = QuasiAdamConfig::new().init().expect("valid");
    let mut model = start(DType::F32);
    steps(&mut loaded, &mut model, 0.1, 0..1);
    loaded.load(&path, &model).expect("loaded");
    assert_eq!(loaded.accepted_steps(), 0);
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn a_record_that_cannot_be_written_leaves_nothing_behind() {
    let folder = folder("unwritable");
    let blocked = folder.join("file");
    fs::write(&blocked, "in the way").expect("written");
    let adam = AdamConfig::new().init().expect("valid");
    assert!(adam.save(blocked.join("state.bpk")).is_err());
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
    fs::remove_dir_all(folder).expect("the folder is ours");
}
