//! Methods as data: what is written is read as the same, lies over presets key by key, and mistakes are
//! told by name.

use burn::{nn::Linear, optim::GradientsParams};
use proptest::prelude::*;
use secant::{
    AnyOptimizer, AveragedRule, Chosen, Function, FunctionOptimizer, LBfgsConfig, MbLsr1Config,
    MethodSpec, Momentum, SgdConfig,
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameter, Kind, Range},
    spec::{Auto, Choice, PRESETS, Preset, Run, SpecError},
};
use serde_json::{Value, json};

use crate::support::{Many, Numbers};

const RUN: Run = Run {
    steps: 1000,
    steps_per_epoch: 50,
    batch_size: 32,
    rows: 1,
    parameters: 10,
    full_batch: false,
    double_precision: true,
};

fn read(table: Value) -> Result<MethodSpec, String> {
    serde_json::from_value(table).map_err(|error| error.to_string())
}

/// The text's method for [`RUN`].
fn choice(text: &str) -> Result<MethodSpec, SpecError> {
    text.parse::<Choice>()?.spec(Some(&RUN))
}

/// Writes and reads in both forms.
#[track_caller]
fn assert_is_read_back(spec: &MethodSpec) {
    let written = serde_json::to_string(spec).expect("numbers, words, lists and tables");
    assert_eq!(&serde_json::from_str::<MethodSpec>(&written).expect(&written), spec, "{written}");
    let text = spec.to_string();
    assert_eq!(&text.parse::<MethodSpec>().expect(&text), spec, "{text}");
}

/// `auto` chooses a method, whose keys are its own.
fn takes_keys(preset: &&Preset) -> bool {
    preset.name != "auto"
}

#[test]
fn auto_is_soap_for_batches_and_goes_on_with_a_quasi_newton_method_on_one_function() {
    let chosen = |run: Run| {
        "auto".parse::<Choice>().expect("a name").spec(Some(&run)).expect("in range").to_string()
    };
    // An epoch has 1,600 records: ten for each of 160 parameters.
    let rest = "precondition_frequency=5,max_cost=384,narrow_below=64)";
    let few = Run { parameters: 160, ..RUN };
    assert_eq!(chosen(few), format!("soap(beta_1=0.85,{rest}"));
    let more = Run { parameters: 161, ..RUN };
    assert_eq!(chosen(more), format!("soap(beta_1=0.85,decay=decoupled(0.05),{rest}"));
    let smooth = Run { full_batch: true, parameters: 10_000, ..RUN };
    let first = "switch(first=soap(precondition_frequency=5),then=";
    assert_eq!(chosen(smooth), format!("{first}ss-broyden(full_batch=true),at=step(166),rate=1)"));
    let l_bfgs = format!(
        "{first}l-bfgs(history_size=50,self_scaling=true,full_batch=true),at=step(166),rate=1)"
    );
    assert_eq!(chosen(Run { parameters: 10_001, ..smooth }), l_bfgs);
    assert_eq!(chosen(Run { double_precision: false, ..smooth }), l_bfgs);
    assert!(chosen(Run { steps: 3, ..smooth }).contains("at=step(1)"));
}

#[test]
fn the_rate_of_auto_falls_with_the_root_of_small_batches_and_no_other_ones_do() {
    let preset = |name: &str| Preset::named(name).expect("a preset");
    let rate = |batch_size: usize| preset("auto").rate(batch_size, false);
    assert_eq!([rate(256), rate(1000)], [0.025, 0.025]);
    // A quarter of the records has half of the rate; four digits.
    assert_eq!([rate(64), rate(32), rate(4), rate(1)], [0.0125, 0.0088, 0.0031, 0.0016]);
    assert_eq!(preset("auto").rate(16, true), 0.03);
    for other in PRESETS.iter().filter(|preset| !preset.chooses()) {
        assert_eq!(other.rate(1, false), other.usual_rate);
    }
}

#[test]
fn what_auto_chooses_is_not_changed_and_has_no_place_in_a_switch() {
    let mistake = |text: &str| text.parse::<Choice>().expect_err(text).to_string();
    assert_eq!(
        mistake("auto(epsilon=1e-6)"),
        "auto has no hyper-parameter `epsilon`; it chooses a method; name that one, as in soap(...)"
    );
    // Without a run there is nothing to choose by.
    let without = "auto".parse::<MethodSpec>().expect_err("no run").to_string();
    assert!(without.contains("give it one (`Auto::of`)"), "{without}");
    let within = mistake("switch(first=auto,then=l-bfgs)");
    assert!(within.contains("no switch or auto"), "{within}");
}

#[test]
fn every_preset_is_read_as_it_was_written_and_makes_its_optimizer() {
    for preset in PRESETS {
        for full_batch in [false, true] {
            let spec = preset.spec(&Run { full_batch, ..RUN });
            assert_is_read_back(&spec);
            let optimizer = spec.init::<Linear>().expect("in range");
            let at_work = match &spec {
                MethodSpec::Switch(switch) => switch.first.method(),
                spec => spec.method(),
            };
            assert_eq!(optimizer.method(), at_work, "{}", preset.name);
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

/// A value that the hyper-parameter can have; the ends of its range are among them.
fn random(parameter: &HyperParameter, kind: &Kind, numbers: &mut Numbers) -> Value {
    let unit = 0.5 * (numbers.next() + 1.0);
    let wide = 10f64.powf(12.0 * numbers.next());
    match kind {
        Kind::Switch => json!(unit < 0.5),
        Kind::Whole => json!(1 + (1e6 * unit) as u64),
        Kind::Number => match parameter.range {
            Range::Below1 | Range::Unit | Range::NotNegative if unit < 0.1 => json!(0.0),
            Range::Unit | Range::Above0To1 if unit > 0.9 => json!(1.0),
            Range::Below1 | Range::Unit | Range::Inside1 | Range::Above0To1 => json!(unit),
            Range::Power => json!(20.0 * unit),
            Range::AtLeast1 => json!(1.0 + wide),
            Range::Number => json!(-wide),
            Range::Positive | Range::NotNegative | Range::Any => json!(wide),
        },
        Kind::Text => json!("head.weight"),
        Kind::List(length, kind) => {
            let length = length.unwrap_or((3.0 * unit) as usize);
            (0..length).map(|_| random(parameter, kind, numbers)).collect()
        }
        Kind::Optional(_) if unit < 0.3 => json!("none"),
        Kind::Optional(kind) => random(parameter, kind, numbers),
        Kind::Word(words) => {
            let (word, content) = &words[(unit * words.len() as f64) as usize];
            match content {
                None => json!(word),
                Some(Kind::Number) => json!({ *word: unit }),
                Some(_) => json!({ *word: table_of(word) }),
            }
        }
        Kind::Table(names) if names.contains(&"beta_1") => json!({ "decay": { "l2": wide } }),
        Kind::Table(names) if names.contains(&"max_trials") => json!({ "max_trials": 7 }),
        Kind::Table(names) if names.contains(&"every") => json!({ "epsilon": wide }),
        Kind::Table(_) => json!({ "delta_min": wide }),
    }
}

/// A table that the word takes.
fn table_of(word: &str) -> Value {
    match word {
        "torch" => json!({ "momentum": 0.75, "nesterov": true }),
        "ema" => json!({ "momentum": 0.25 }),
        "constant" => json!({ "sigma": 0.125 }),
        "interval" => json!({ "least": 0.25, "most": 3.0, "fallback": 2 }),
        "armijo" => json!({ "c1": 1e-3 }),
        "strong-wolfe" => json!({ "low_point": "lowest", "c2": 0.5 }),
        "gradient-differences" => json!({ "radius": 0.01 }),
        other => panic!("no table is known of {other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_hyper_parameters_are_read_as_they_were_written(seed in any::<u64>()) {
        let mut numbers = Numbers::new(seed);
        for preset in PRESETS.iter().filter(takes_keys) {
            let mut table = json!({ "method": preset.name });
            for parameter in preset.spec(&RUN).hyper_parameters() {
                if parameter.is_required || numbers.next() > 0.0 {
                    table[parameter.name] = random(parameter, &parameter.kind(), &mut numbers);
                }
            }
            match read(table.clone()) {
                Ok(spec) => assert_is_read_back(&spec),
                // What a draw cannot know: values that do not go together.
                Err(error) => prop_assert!(
                    [
                        "PyTorch's rules have no damping",
                        "PyTorch's rules have neither self-scaling nor a metric",
                        "damping and self-scaling both mend a pair",
                        "apollo: epsilon must be finite and above 0",
                        "muon:",
                        "its search needs c1 < c2",
                        "decay of kind `Stable` is for Apollo alone",
                        "its decay must be part of the loss",
                    ]
                    .iter()
                    .any(|known| error.contains(known)),
                    "{table}: {error}"
                ),
            }
        }
    }
}

#[test]
fn what_is_given_takes_the_place_of_the_presets_and_nothing_else_does() {
    let rule = AveragedRule { growth: 1.5, ..Default::default() };
    let config = MbLsr1Config::new().with_memory(8).with_delta0(0.01).with_radius_rule(rule);
    let text = "mb-lsr1(memory=8, delta0=0.01, radius_rule=(growth=1.5))";
    assert_eq!(choice(text), Ok(MethodSpec::MbLsr1(config)));
    let table = json!({ "method": "mb-lsr1", "memory": 8, "delta0": 0.01,
        "radius_rule": { "growth": 1.5 } });
    assert_eq!(read(table), Ok(MethodSpec::MbLsr1(config)));
    let paper = choice("quasi-adam(curvature_rate=none, max_ratio=none)");
    assert_eq!(paper, choice("quasi-adam-paper"));
}

#[test]
fn a_word_with_its_values_is_taken_as_a_whole_with_its_own_defaults() {
    // Over a preset that looks ahead: what is not given is the word's default.
    let torch = choice("sgd-nesterov(momentum=torch(momentum=0.5))");
    let config = SgdConfig::new().with_momentum(Momentum::torch(0.5));
    assert_eq!(torch, Ok(MethodSpec::Sgd(config)));
    assert_eq!(
        choice("l-ssr1-tr(line_search=armijo(c1=1e-3))"),
        choice("l-ssr1-tr(line_search=armijo(c1=1e-3, shrink=0.5, max_trials=15))")
    );
}

#[test]
fn no_value_is_a_word_since_not_every_format_has_a_null() {
    let written = serde_json::to_value(MethodSpec::LBfgs(LBfgsConfig::new())).expect("a table");
    assert_eq!(written["damping"], json!("none"));
    assert!(written.as_object().expect("a table").values().all(|value| !value.is_null()));
    let null = read(json!({ "method": "quasi-adam", "max_ratio": null }));
    assert_eq!(null, Ok(choice("quasi-adam(max_ratio=none)").expect("right")));
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
fn mistakes_are_told_with_the_place_and_the_nearest_name_that_is_known() {
    let error = |text: &str| choice(text).expect_err("wrong").to_string();
    let decay = "one of none | l2(number) | decoupled(number) | stable(number)";
    let cases = [
        ("adamm", "there is no method `adamm`; did you mean `adam`?".to_string()),
        ("adam(beta1=0.9)", "adam has no hyper-parameter `beta1`; did you mean `beta_1`?".into()),
        (
            "mb-lsr1(radius_rule=(grow=2))",
            "mb-lsr1 has no hyper-parameter `radius_rule.grow`; did you mean `growth`?".into(),
        ),
        (
            "sgd(momentum=torch(momentum=0.9, dampning=0))",
            "sgd has no hyper-parameter `momentum.torch.dampning`; did you mean `dampening`?"
                .into(),
        ),
        ("adam(beta_1=high)", "adam: `beta_1` must be a number in [0, 1), got `high`".into()),
        (
            "l-bfgs(history_size=2.5)",
            "l-bfgs: `history_size` must be a whole number at least 1, got `2.5`".into(),
        ),
        ("mb-lsr1(tau=low)", "mb-lsr1: `tau` must be a number, got `low`".into()),
        ("rmsprop(centered=1)", "rmsprop: `centered` must be true or false, got `1`".into()),
        ("adam(decay=coupled(0.1))", format!("adam: `decay` must be {decay}, got `coupled(0.1)`")),
        ("adam(decay=none(1))", format!("adam: `decay` must be {decay}, got `none(1)`")),
        ("adam(decay=l2(low))", "adam: `decay.l2` must be a number, got `low`".into()),
        ("adam(decay=l2)", "adam: `decay.l2` must be given: it has no default".into()),
        ("muon(adamw=(beta_1=high))", "muon: `adamw.beta_1` must be a number, got `high`".into()),
        (
            "muon(ns_coefficients=[1,2])",
            "muon: `ns_coefficients` must be [number, number, number], got `[1,2]`".into(),
        ),
        ("adam(beta_1=1)", "adam: beta_1 must be in [0, 1), got 1".into()),
        ("l-bfgs(damping=2)", "l-bfgs: damping must be in (0, 1), got 2".into()),
    ];
    for (text, sentence) in cases {
        assert_eq!(error(text), sentence, "{text}");
    }
    let unknown = error("xyz(memory=8)");
    assert!(unknown.contains("there is no method `xyz`; there are auto, sgd, "), "{unknown}");
    assert!(read(json!({ "memory": 8 })).is_err_and(|error| error.contains("the key `method`")));
    let wrong = read(json!({ "method": "adam", "lr": 0.1 }));
    assert!(wrong.is_err_and(|error| error.contains("adam has no hyper-parameter `lr`")));
}

#[test]
fn every_declared_range_is_checked_at_both_ends() {
    // Just outside, and the end itself where it belongs to the range.
    let ends = |range: Range| -> (&[f64], &[f64]) {
        match range {
            Range::Below1 => (&[-1e-300, 1.0], &[0.0]),
            Range::Unit => (&[-1e-300, 1.001], &[0.0, 1.0]),
            Range::Inside1 => (&[0.0, 1.0], &[1e-300, 0.999]),
            Range::Above0To1 => (&[0.0, 1.001], &[1.0]),
            Range::Positive => (&[0.0, -1.0], &[1e-300, f64::MAX]),
            Range::NotNegative => (&[-1e-300], &[0.0, f64::MAX]),
            Range::Power => (&[-1e-300, 20.001], &[0.0, 20.0]),
            Range::AtLeast1 => (&[0.0], &[1.0]),
            Range::Number | Range::Any => (&[], &[]),
        }
    };
    let mut checked = 0;
    for preset in PRESETS.iter().filter(takes_keys) {
        for parameter in preset.spec(&RUN).hyper_parameters() {
            let is_whole = [Kind::Whole, Kind::Optional(Box::new(Kind::Whole))];
            let takes =
                |value: &&f64| !is_whole.contains(&parameter.kind()) || (0.0..1e6).contains(*value);
            let (outside, inside) = ends(parameter.range);
            let with =
                |value: f64| choice(&format!("{}({}={value:e})", preset.name, parameter.name));
            for &value in outside.iter().filter(takes) {
                let error = with(value).expect_err(parameter.name);
                let expected = |error: &ConfigError| {
                    matches!(error, ConfigError::OutOfRange { parameter: name, range, value: got, .. }
                        if (*name, *range, *got) == (parameter.name, parameter.range.text(), value))
                };
                assert!(matches!(&error, SpecError::Config(cause) if expected(cause)), "{error}");
                checked += 1;
            }
            for &value in inside.iter().filter(takes) {
                let fits = match with(value) {
                    // PyTorch's rules have no damping, whatever its value.
                    Err(SpecError::Config(ConfigError::Conflict { .. })) => true,
                    spec => spec.is_ok(),
                };
                assert!(fits, "{}, {} = {value}", preset.name, parameter.name);
            }
        }
    }
    assert!(checked > 150, "{checked}");
}

#[test]
fn a_choice_keeps_its_text_as_its_label_and_is_compared_by_what_it_means() {
    let choice = |text: &str| text.parse::<Choice>().expect("right");
    assert_eq!(choice(" mb-lsr1( memory = 8 )").to_string(), "mb-lsr1(memory=8)");
    assert_eq!(choice("adam(beta_1=0.8,beta_2=0.9)"), choice("adam(beta_2=0.9, beta_1=0.8)"));
    assert_ne!(choice("adam"), choice("adamw"));
    assert_ne!(choice("adam"), choice("adam(beta_1=0.8)"));
}

#[test]
fn along_ready_gradients_methods_of_one_gradient_step_and_the_others_ask_for_the_loss() {
    let start = Numbers::new(1).vectors(&[3, 4]);
    let slopes = Numbers::new(2).vectors(&[3, 4]);
    for preset in PRESETS {
        let spec = preset.spec(&RUN);
        let lr = 0.1 * preset.usual_rate;
        let optimizer = || -> AnyOptimizer<Many> { spec.init().expect("in range") };
        let (mut along, mut by_loss) = (Many::f64(&start), Many::f64(&start));
        let gradients = GradientsParams::from_grads(along.linear(&slopes).backward(), &along);
        let report = optimizer().step_with_gradients(lr, &mut along, gradients);
        if spec.needs_loss().expect("in range") {
            assert_eq!(report, Err(StepError::NeedsLoss { method: spec.method() }));
            assert_eq!(along.bits(), Many::f64(&start).bits(), "{}", preset.name);
            continue;
        }
        assert!(report.expect("a step").is_accepted(), "{}", preset.name);
        let report = optimizer().step(lr, &mut by_loss, |model: &Many| model.linear(&slopes));
        assert!(report.expect("a step").is_accepted(), "{}", preset.name);
        assert_eq!(along.bits(), by_loss.bits(), "{}", preset.name);
        assert!(spec.traffic().expect("in range").is_some(), "{}", preset.name);
    }
}

/// x.x/2
struct Bowl;

impl Function for Bowl {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.copy_from_slice(x);
        0.5 * x.iter().map(|x| x * x).sum::<f64>()
    }
}

#[test]
fn auto_says_in_every_report_what_it_chose_and_why() {
    let full_batch =
        Run { full_batch: true, double_precision: true, parameters: 2, steps: 6, ..RUN };
    let many = Run { parameters: 10_001, ..full_batch };
    let single = Run { double_precision: false, ..full_batch };
    let cases = [
        (RUN, Chosen::SoapForBatches, "soap"),
        (full_batch, Chosen::DenseMatrix, "switch"),
        (many, Chosen::PairsForMany, "switch"),
        (single, Chosen::PairsForSingle, "switch"),
    ];
    for (run, chosen, method) in cases {
        let auto = Auto::of(&run);
        assert_eq!((auto.chosen, auto.method.method()), (chosen, method));
        let by_name: Choice = "auto".parse().expect("a preset");
        assert_eq!(by_name.spec(Some(&run)), Ok(auto.method.clone()));
        assert_eq!(by_name.preset().rate(run.batch_size, run.full_batch), auto.rate);
    }
    let mut optimizer: FunctionOptimizer = Auto::of(&full_batch).init().expect("in range");
    let mut function = Bowl;
    let mut x = vec![1.0, -2.0];
    for step in 0..3 {
        let report = optimizer.step_function(0.03, &mut x, &mut function).expect("a step");
        assert_eq!(report.chosen, Some(Chosen::DenseMatrix));
        assert_eq!(optimizer.method(), if step == 0 { "soap" } else { "ss-broyden" });
    }
    // A method that somebody chose says nothing of the kind.
    let adam: Choice = "adam".parse().expect("a preset");
    let mut adam: FunctionOptimizer = adam.init(&full_batch).expect("in range");
    assert_eq!(adam.step_function(0.1, &mut x, &mut function).expect("a step").chosen, None);
}
