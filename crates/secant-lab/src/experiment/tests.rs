use std::io::Write;

use super::*;

const FILE: &str = r#"
title = "A title"
source = "A paper, Table 1"
notes = ["one note"]

[full]
problem = ["digits/mlp", "digits/logistic"]
batch-size = [64, "1/10"]
rate-factor = [0.5, 2]
epochs = 100
seeds = 7
schedule = "milestones(at=0.5|0.75, factor=0.1)"

[small]
problem = "digits/mlp"
batch-size = 32
budget = "5000evaluations"

[[method]]
optimizer = "adam"
rate = [0.001, 0.01]
small = { rate = 0.003, schedule = "constant" }

[[method]]
optimizer = "mb-lsr1(memory=8)"
search = "delta0=log:1e-4..1"
clip-norm = 1.0
group = [{ paths = "bias$", decay = "none" }]

[[claim]]
text = "MB-LSR1 is better"
better = "mb-lsr1(memory=8)"
than = "adam"

[[reported]]
method = "adam"
metric = "accuracy"
value = 0.9
place = "Table 1"
"#;

fn load(text: &str) -> Result<Experiment, ExperimentError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("paper").join("1-first.toml");
    fs::create_dir(path.parent().expect("a parent")).expect("a folder");
    fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
    Experiment::load(&path)
}

#[test]
fn there_is_a_comparison_for_every_problem_batch_size_and_factor() {
    let experiment = load(FILE).expect("an experiment");
    assert_eq!(experiment.name, "paper/1-first");
    let full = experiment.comparisons(Size::Full).expect("comparisons");
    let variants: Vec<&str> = full.iter().map(|planned| &*planned.variant).collect();
    assert_eq!(variants.len(), 8);
    assert_eq!(variants[0], "digits/mlp, batch 64, rates x 0.5");
    assert_eq!(variants[7], "digits/logistic, batch N/10, rates x 2");
    assert_eq!(full[7].plan(505).batch_size, Some(50));
    let plan = full[0].plan(505);
    assert_eq!((plan.seeds, plan.epochs, plan.batch_size), (Some(7), Some(100.0), Some(64)));
    assert_eq!(plan.particulars[0].rates, [0.0005, 0.005]);
    assert_eq!(plan.searches.len(), 1);
    let own = &plan.particulars[1].treatment;
    assert_eq!(own.schedule.to_string(), "milestones(at=0.5|0.75, factor=0.1)");
    assert_eq!((own.clip_norm, own.groups[0].decay), (Some(1.0), Some(secant::Decay::None)));
}

#[test]
fn the_small_variant_changes_what_it_names_and_no_more() {
    let experiment = load(FILE).expect("an experiment");
    let small = experiment.comparisons(Size::Small).expect("comparisons");
    assert_eq!(small.len(), 2);
    assert_eq!(small[1].variant, "rates x 2");
    let plan = small[1].plan(505);
    assert_eq!((plan.seeds, plan.epochs), (Some(7), None));
    assert_eq!(plan.budget, Some(crate::Budget::Evaluations(5000)));
    assert_eq!(plan.particulars[0].rates, [0.006]);
    assert_eq!(plan.particulars[0].treatment.schedule.to_string(), "constant");
    let origin = plan.origin.expect("an origin");
    assert!(origin.is_small && origin.experiment == "paper/1-first");
}

#[test]
fn a_method_can_be_left_out_of_the_small_variant_alone() {
    let text = FILE.replace("small = {", "small = { left-out = true,");
    let experiment = load(&text).expect("an experiment");
    let methods = |size| {
        let planned = &experiment.comparisons(size).expect("comparisons")[0];
        planned.plan(505).methods.len()
    };
    assert_eq!(methods(Size::Full), methods(Size::Small) + 1);
}

#[test]
fn without_a_small_variant_there_is_none() {
    let (head, tail) = FILE.split_once("[small]").expect("small");
    let (_, tail) = tail.split_once("[[method]]").expect("methods");
    let text = format!("{head}[[method]]{tail}").replace("small = {", "# small = {");
    let experiment = load(&text).expect("an experiment");
    assert!(!experiment.has_small());
    assert!(experiment.comparisons(Size::Small).is_err());
}

#[test]
fn mistakes_name_file_line_and_key() {
    let refused = |from: &str, to: &str| {
        assert!(FILE.contains(from), "{from}");
        let error = load(&FILE.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.contains("1-first.toml, line "), "{error}");
        error
    };
    let error = refused("epochs = 100", "epoch = 100");
    assert!(error.contains("line 10") && error.contains("unknown field `epoch`"), "{error}");
    assert!(refused("seeds = 7", "seeds = \"x\"").contains("line 11"));
    assert!(refused("\"adam\"", "\"adm\"").contains("did you mean `adam`"));
    assert!(refused("[64, \"1/10\"]", "0").contains("`0` is no batch size"));
    assert!(refused("rate = [0.001, 0.01]", "rate = -1.0").contains("a number above 0"));
    assert!(refused("at=0.5|0.75", "at=50|75").contains("no part of a run"));
    assert!(refused("than = \"adam\"", "than = \"sgd\"").contains("`sgd` is none of the methods"));
    assert!(refused("delta0=log", "delta=log").contains("delta0"));
    let problem = "problem = [\"digits/mlp\", \"digits/logistic\"]";
    assert!(refused(problem, "").contains("names no `problem`"));
    assert!(refused("title", "titel").contains("titel"));
    assert!(refused("[small]", "[smal]").contains("smal"));
}

/// What is said of the file with something else in it, after the file's name; all in one line.
fn told(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    let error = load(&FILE.replacen(from, to, 1)).expect_err(to).to_string();
    assert!(!error.contains('\n'), "{error}");
    error.split_once("1-first.toml, ").expect("the file").1.to_string()
}

#[test]
fn counts_of_seeds_and_trials_are_from_1_to_1000() {
    let wanted = "a whole number from 1 to 1000 is wanted";
    for key in ["seeds", "trials", "tuning-seeds"] {
        for wrong in ["0", "-1", "1001", "100000000000", "2.5", "nan", "\"x\""] {
            let said = told("seeds = 7", &format!("{key} = {wrong}"));
            let given = wrong.replace("nan", "NaN");
            assert_eq!(said, format!("line 11: {wanted}, not {given}"));
        }
        for wrong in ["[7]", "true", "99999999999999999999999"] {
            let said = told("seeds = 7", &format!("{key} = {wrong}"));
            assert_eq!(said, format!("line 11: {wanted}"));
        }
        for right in [1, 1000] {
            let text = FILE.replace("seeds = 7", &format!("{key} = {right}"));
            assert!(load(&text).is_ok(), "{key} = {right}");
        }
    }
    let said = told("[small]", "[small]\nseeds = 0");
    assert_eq!(said, format!("line 15: {wanted}, not 0"));
}

#[test]
fn no_seeds_from_the_first_on_begin_at_0_again() {
    let last = u64::MAX - 999;
    assert!(last.checked_add(999).is_some() && last.checked_add(1000).is_none());
    for wrong in ["18446744073709551615", "18446744073709550617", "-1", "1.5"] {
        let said = told("seeds = 7", &format!("seeds = 2\nfirst-seed = {wrong}"));
        let wanted = format!("a whole number from 0 to {last} is wanted");
        assert_eq!(said, format!("line 12: {wanted}, not {wrong}"));
    }
    for right in [0, last] {
        let text = FILE.replace("seeds = 7", &format!("first-seed = {right}"));
        let experiment = load(&text).expect("an experiment");
        let planned = &experiment.comparisons(Size::Full).expect("comparisons")[0];
        assert_eq!(planned.plan(505).first_seed, right);
    }
}

#[test]
fn epochs_are_above_0_and_at_most_a_million() {
    let wanted = "a number above 0 and at most 1000000 is wanted";
    for wrong in ["0", "-1", "-0.5", "1000001", "1e300", "inf", "nan", "\"x\""] {
        let said = told("epochs = 100", &format!("epochs = {wrong}"));
        let given = wrong.replace("nan", "NaN");
        assert_eq!(said, format!("line 10: {wanted}, not {given}"));
    }
    for right in ["0.5", "1", "1000000", "1e6"] {
        let text = FILE.replace("epochs = 100", &format!("epochs = {right}"));
        assert!(load(&text).is_ok(), "{right}");
    }
}

#[test]
fn a_reported_number_is_finite_and_its_spread_not_below_0() {
    for wrong in ["nan", "inf", "-inf", "\"x\""] {
        let given = wrong.replace("nan", "NaN");
        let said = told("value = 0.9", &format!("value = {wrong}"));
        assert_eq!(said, format!("line 38: a finite number is wanted, not {given}"));
        let said = told("value = 0.9", &format!("value = 0.9\nspread = {wrong}"));
        let wanted = "a finite number of at least 0 is wanted";
        assert_eq!(said, format!("line 39: {wanted}, not {given}"));
    }
    let said = told("value = 0.9", "value = 0.9\nspread = -0.1");
    assert!(said.ends_with("at least 0 is wanted, not -0.1"), "{said}");
    let said = told("value = 0.9", "");
    assert!(said.contains("missing field `value`"), "{said}");
    let text = FILE.replace("value = 0.9", "value = -2\nspread = 0\nvariant = \"batch 64\"");
    let reported = &load(&text).expect("an experiment").reported[0];
    assert_eq!((reported.value, reported.spread), (-2.0, Some(0.0)));
    assert_eq!(reported.variant.as_deref(), Some("batch 64"));
}

#[test]
fn a_claim_is_about_two_methods() {
    let same = "[[claim]]\ntext = \"It is better\"\nbetter = \"adam\"\nthan = \"adam\"\n";
    let said = told("[[reported]]", &format!("{same}\n[[reported]]"));
    let reason = "`better` and `than` of a claim are two methods; both are `adam`";
    assert_eq!(said, format!("line 35: {reason}"));
}

#[test]
fn every_experiment_can_be_read_and_has_both_sizes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let mut files = 0;
    for folder in fs::read_dir(root).expect("the folder of experiments") {
        for file in fs::read_dir(folder.expect("a folder").path()).expect("a folder") {
            let path = file.expect("a file").path();
            let experiment = Experiment::load(&path).unwrap_or_else(|error| panic!("{error}"));
            for size in [Size::Full, Size::Small] {
                let comparisons = experiment.comparisons(size).expect("comparisons");
                let plans = comparisons.iter().map(|planned| planned.plan(1000));
                assert!(
                    plans.into_iter().all(|plan| !plan.methods.is_empty()),
                    "{}",
                    path.display()
                );
            }
            files += 1;
        }
    }
    assert_eq!(files, 21);
}
