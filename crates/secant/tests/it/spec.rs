//! Descriptions of methods: written and read again, laid over presets, and wrong in every way.

use burn::nn::Linear;
use secant::spec::{Choice, MethodSpec, PRESETS, Run, SpecError};
use serde_json::{Value, json};

const RUN: Run = Run { steps: 1000, steps_per_epoch: 50, batch_size: 32, full_batch: false };

fn read(table: Value) -> Result<MethodSpec, String> {
    serde_json::from_value(table).map_err(|error| error.to_string())
}

fn choice(text: &str) -> Result<MethodSpec, SpecError> {
    text.parse::<Choice>()?.spec(Some(&RUN))
}

#[test]
fn every_preset_is_read_as_it_was_written_and_makes_its_optimizer() {
    for preset in PRESETS {
        for full_batch in [false, true] {
            let spec = preset.spec(&Run { full_batch, ..RUN });
            let written = serde_json::to_value(&spec).expect("numbers, words and tables");
            let again: MethodSpec = serde_json::from_value(written.clone()).expect("as written");
            assert_eq!(
                serde_json::to_value(&again).expect("as before"),
                written,
                "{}",
                preset.name
            );
            let optimizer = again.init::<Linear>().expect("in range");
            assert_eq!(optimizer.method(), spec.method(), "{}", preset.name);
        }
    }
}

#[test]
fn names_of_presets_and_of_hyper_parameters_are_there_once() {
    for (index, preset) in PRESETS.iter().enumerate() {
        assert!(PRESETS[..index].iter().all(|other| other.name != preset.name), "{}", preset.name);
        let all = preset.spec(&RUN).hyper_parameters().iter();
        let names: Vec<&str> = all.map(|parameter| parameter.name).collect();
        let written = serde_json::to_value(preset.spec(&RUN)).expect("a table");
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{}, {name}", preset.name);
            assert!(written.get(name).is_some(), "{}, {name}", preset.name);
        }
        assert_eq!(written.as_object().map(|keys| keys.len()), Some(names.len() + 1));
    }
}

#[test]
fn every_number_has_a_range_and_every_word_that_is_told_is_understood() {
    for preset in PRESETS {
        for parameter in preset.spec(&RUN).hyper_parameters() {
            let what = format!("{}, {}", preset.name, parameter.name);
            assert!(!parameter.meaning.concat().trim().is_empty(), "{what}");
            let Some(words) = parameter.words else { continue };
            if words.starts_with('(') {
                continue;
            }
            for word in words.split(" | ") {
                let value = word.replace("count", "3").replace(", ...", "");
                let value = value.replace("number", "0.5").replace("flag", "false");
                if value == "stable(0.5)" && !preset.name.starts_with("apollo") {
                    continue;
                }
                let text = format!("{}({}={value})", preset.name, parameter.name);
                match choice(&text) {
                    // Some go together with others alone.
                    Ok(_) | Err(SpecError::Config(_)) => {}
                    Err(error) => panic!("{what}: {word}: {error}"),
                }
            }
        }
    }
}

#[test]
fn what_is_given_takes_the_place_of_the_presets_and_nothing_else_does() {
    let mut changed = serde_json::to_value(choice("mb-lsr1").expect("a preset")).expect("a table");
    let spec = choice("mb-lsr1(memory=8, delta0=0.01, radius_rule=(growth=1.5))").expect("right");
    changed["memory"] = json!(8);
    changed["delta0"] = json!(0.01);
    changed["radius_rule"]["growth"] = json!(1.5);
    assert_eq!(serde_json::to_value(spec).expect("a table"), changed);
    let table = json!({ "method": "mb-lsr1", "memory": 8, "delta0": 0.01,
        "radius_rule": { "growth": 1.5 } });
    let spec = read(table).expect("right");
    assert_eq!(serde_json::to_value(spec).expect("a table"), changed);
    let paper = choice("quasi-adam(curvature_rate=none, max_ratio=none)").expect("right");
    let preset = choice("quasi-adam-paper").expect("a preset");
    assert_eq!(
        serde_json::to_value(paper).expect("a table"),
        serde_json::to_value(preset).expect("a table")
    );
}

#[test]
fn what_depends_on_the_run_follows_it_unless_it_is_given_and_must_be_given_without_one() {
    let key = |text: &str, key: &str| {
        serde_json::to_value(choice(text).expect("right")).expect("a table")[key].clone()
    };
    assert_eq!(key("svrg", "snapshot_every"), 50);
    assert_eq!(key("svrg(snapshot_every=7)", "snapshot_every"), 7);
    assert_eq!(key("apollo", "warmup"), 100);
    assert_eq!(key("apollo(warmup=0)", "warmup"), 0);
    assert_eq!(key("sqn", "hessian_batch"), 128);
    let missing = "svrg".parse::<Choice>().expect("known").spec(None);
    assert!(matches!(missing, Err(SpecError::Missing { key, .. }) if key == "snapshot_every"));
    assert!(read(json!({ "method": "svrg" })).is_err());
    assert!(read(json!({ "method": "svrg", "snapshot_every": 7 })).is_ok());
}

#[test]
fn mistakes_are_told_with_the_nearest_name_that_is_known() {
    let error = |text: &str| choice(text).expect_err("wrong").to_string();
    let cases = [
        ("adamm", "there is no method `adamm`; did you mean `adam`?"),
        ("adam(beta1=0.9)", "adam has no hyper-parameter `beta1`; did you mean `beta_1`?"),
        (
            "mb-lsr1(radius_rule=(grow=2))",
            "mb-lsr1 has no hyper-parameter `radius_rule.grow`; did you mean `growth`?",
        ),
        ("adam(beta_1=high)", "adam: `beta_1` must be a number in [0, 1), got \"high\""),
        ("l-bfgs(history_size=2.5)", "l-bfgs: `history_size` must be a whole number at least 1"),
        ("rmsprop(centered=1)", "rmsprop: `centered` must be true or false, got 1"),
        ("apollo(rebound=steady)", "must be one of constant(sigma=number) | belief, got"),
        (
            "sgd(momentum=torch(momentum=0.9, dampning=0))",
            "`momentum` must be one of none | torch(",
        ),
        ("adam(beta_1=1)", "adam: beta_1 must be in [0, 1), got 1"),
        ("l-bfgs(damping=2)", "l-bfgs: damping must be in (0, 1), got 2"),
    ];
    for (text, sentence) in cases {
        assert!(error(text).contains(sentence), "{text}: {}", error(text));
    }
    let unknown = error("xyz(memory=8)");
    assert!(unknown.contains("there is no method `xyz`; there are sgd, adam, "), "{unknown}");
    assert!(read(json!({ "memory": 8 })).is_err_and(|error| error.contains("the key `method`")));
    let wrong = read(json!({ "method": "adam", "lr": 0.1 }));
    assert!(wrong.is_err_and(|error| error.contains("adam has no hyper-parameter `lr`")));
}

#[test]
fn a_choice_keeps_its_text_as_its_label_and_is_compared_by_what_it_means() {
    let choice = |text: &str| text.parse::<Choice>().expect("right");
    assert_eq!(choice(" mb-lsr1( memory = 8 )").to_string(), "mb-lsr1(memory=8)");
    assert_eq!(choice("adam(beta_1=0.8,beta_2=0.9)"), choice("adam(beta_2=0.9, beta_1=0.8)"));
    assert_ne!(choice("adam"), choice("adamw"));
    assert_ne!(choice("adam"), choice("adam(beta_1=0.8)"));
}
