//! From a trace's words for an optimizer to a [`MethodSpec`]: other names for the same hyper-parameters,
//! and two keys where ours is one.

use secant::spec::{Choice, MethodSpec, SpecError};
use serde_json::{Map, Value, json};

/// The optimizer of a trace: its rate and its method.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct TraceOptimizer {
    pub lr: f64,
    pub method: MethodSpec,
    /// The tensors under Muon, by their place in the file; the others are AdamW's.
    pub muon_tensors: Option<Vec<usize>>,
}

/// Keys that only have another name.
const NAMES: [(&str, &str); 14] = [
    ("beta1", "beta_1"),
    ("beta2", "beta_2"),
    ("beta3", "beta_3"),
    ("graft_beta2", "graft_beta_2"),
    ("graft_eps", "graft_epsilon"),
    ("eps", "epsilon"),
    ("eps_inside", "epsilon_inside"),
    ("n_samples", "samples"),
    ("update_each", "update_every"),
    ("spatial", "averaging"),
    ("skip_r", "skip"),
    ("lr_decay", "rate_decay"),
    ("y", "pairs"),
    ("adjust_lr", "adjust_lr_fn"),
];

/// Words that only have another name.
const WORDS: [(&str, &str); 3] = [
    ("sqrt", "inverse-root"),
    ("previous_batch", "same-batch"),
    ("consecutive", "consecutive-batches"),
];

/// What a trace says that has one value here, and is no hyper-parameter of ours.
fn fixed() -> [(&'static str, Value); 6] {
    [
        ("amsgrad", json!(false)),
        ("rectify", json!(false)),
        ("rho_model", json!("p_star")),
        ("skip_r2", json!(1e-12)),
        // Of no effect where every step is taken.
        ("tau1", json!(0.1)),
        ("variant", json!("sum")),
    ]
}

/// The same of the Quasi-Adam authors' variant.
fn fixed_of_ema() -> [(&'static str, Value); 6] {
    [
        ("curvature_eps", json!(0.0)),
        ("curvature_mode", json!("positive")),
        ("eps_inside", json!(false)),
        ("scope", json!("per_tensor")),
        ("variant", json!("replace_ema")),
        ("y", json!("consecutive")),
    ]
}

impl TryFrom<Map<String, Value>> for TraceOptimizer {
    type Error = SpecError;

    fn try_from(optimizer: Map<String, Value>) -> Result<Self, SpecError> {
        let mut words = Words(optimizer);
        let name = words.text("name").unwrap_or_default();
        // The trust-region methods have no rate.
        let lr = words.number("lr").unwrap_or(1.0);
        let muon_tensors = words.muon(lr);
        let preset = words.preset(&name)?;
        words.decay(&name);
        words.momentum();
        words.rebound();
        words.curvature_test();
        words.safeguard();
        words.restart();
        words.radius_rule(&preset);
        words.line_search(&preset)?;
        words.fixed(fixed())?;
        words.rename();
        let choice = Choice::new(&preset, words.0)?;
        Ok(Self { lr, method: choice.spec(None)?, muon_tensors })
    }
}

/// What is left to translate of an optimizer, and what has been.
struct Words(Map<String, Value>);

impl Words {
    fn text(&mut self, key: &str) -> Option<String> {
        self.0.remove(key).and_then(|value| value.as_str().map(str::to_string))
    }

    fn number(&mut self, key: &str) -> Option<f64> {
        self.0.remove(key).and_then(|value| value.as_f64())
    }

    fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_string(), value);
    }

    /// The preset whose settings are those that the trace leaves out.
    ///
    /// # Errors
    /// Quasi-Adam's variant has other settings than here.
    fn preset(&mut self, name: &str) -> Result<String, SpecError> {
        match name {
            "lbfgs" => return Ok("l-bfgs-torch".into()),
            "sd_lbfgs" => self.set("bounded", false.into()),
            "self_scaled_bfgs" => return self.self_scaled(),
            "mb_lsr1" | "l_ssr1_tr" => self.set("tolerance_gradient", 0.into()),
            "quasi_adam" => return self.quasi_adam(),
            _ => {}
        }
        Ok(name.replace('_', "-"))
    }

    fn quasi_adam(&mut self) -> Result<String, SpecError> {
        if self.0.get("variant") == Some(&json!("replace_ema")) {
            self.fixed(fixed_of_ema())?;
            return Ok("quasi-adam-ema".into());
        }
        self.set("curvature_rate", "none".into());
        self.set("max_ratio", "none".into());
        Ok(match self.text("y").as_deref() {
            Some("same_batch") => "quasi-adam-same-batch".into(),
            _ => "quasi-adam".into(),
        })
    }

    /// Its loss is of all data, in every step.
    fn self_scaled(&mut self) -> Result<String, SpecError> {
        self.fixed([("line_search", json!("more_thuente"))])?;
        let rule = self.0.remove("method").unwrap_or_default();
        self.set("rule", rule);
        self.set("full_batch", true.into());
        Ok("ss-broyden".into())
    }

    /// The AdamW of Muon, whose rate is a part of Muon's.
    fn muon(&mut self, lr: f64) -> Option<Vec<usize>> {
        if let Some(Value::Object(adamw)) = self.0.remove("adamw") {
            let mut adamw = Self(adamw);
            let rate = adamw.number("lr").unwrap_or(lr);
            adamw.decay("adamw");
            adamw.rename();
            self.set("adamw_rate_factor", json!(rate / lr));
            self.set("adamw", Value::Object(adamw.0));
        }
        self.0.remove("muon_tensors").and_then(|tensors| serde_json::from_value(tensors).ok())
    }

    fn decay(&mut self, name: &str) {
        let Some(strength) = self.number("weight_decay") else { return };
        let is_decoupled = self.0.remove("decoupled").and_then(|value| value.as_bool());
        let kind = match (self.text("weight_decay_type"), is_decoupled) {
            (Some(kind), _) => kind.to_lowercase(),
            (None, Some(true)) => "decoupled".into(),
            (None, None)
                if matches!(
                    name,
                    "adamw" | "adahessian" | "muon" | "soap" | "shampoo" | "schedule_free_adamw"
                ) =>
            {
                "decoupled".into()
            }
            (None, _) => "l2".into(),
        };
        self.set("decay", json!({ kind: strength }));
    }

    fn momentum(&mut self) {
        let Some(dampening) = self.0.remove("dampening") else { return };
        let (momentum, nesterov) = (self.0.remove("momentum"), self.0.remove("nesterov"));
        let kind = json!({ "momentum": momentum, "dampening": dampening, "nesterov": nesterov });
        let is_none = momentum.and_then(|momentum| momentum.as_f64()) == Some(0.0);
        self.set("momentum", if is_none { json!("none") } else { json!({ "torch": kind }) });
    }

    fn rebound(&mut self) {
        let Some(sigma) = self.0.remove("sigma") else { return };
        if self.0.get("rebound") == Some(&json!("constant")) {
            self.set("rebound", json!({ "constant": { "sigma": sigma } }));
        }
    }

    fn curvature_test(&mut self) {
        if let (Some(kind), Some(eps)) =
            (self.text("curvature_mode"), self.0.remove("curvature_eps"))
        {
            self.set("curvature_test", json!({ kind: eps }));
        }
    }

    fn safeguard(&mut self) {
        let [least, most, fallback] = ["tau_min", "tau_max", "tau_0"].map(|key| self.0.remove(key));
        if self.0.get("safeguard") == Some(&json!("interval")) {
            let interval = json!({ "least": least, "most": most, "fallback": fallback });
            self.set("safeguard", json!({ "interval": interval }));
        }
    }

    /// mhat: how many pairs a restart leaves.
    fn restart(&mut self) {
        let Some(kept) = self.0.remove("m_hat").and_then(|kept| kept.as_i64()) else { return };
        let memory = self.0.get("memory").and_then(Value::as_i64).unwrap_or_default();
        let restart = match kept {
            ..0 => "never",
            0 => "clear",
            kept if kept < memory => "keep",
            _ => "warm-start",
        };
        self.set("restart", restart.into());
    }

    fn radius_rule(&mut self, preset: &str) {
        let mut rule = Map::new();
        for key in ["tau2", "tau3", "nu1", "nu2", "nu3", "nu4", "delta_min"] {
            rule.extend(self.0.remove(key).map(|value| (key.to_string(), value)));
        }
        if preset == "mb-lsr1" {
            // The paper's.
            for (key, value) in [("shrink_below", 0.1), ("grow_from", 0.5), ("shrink", 1.0)] {
                rule.insert(key.to_string(), value.into());
            }
        }
        if !rule.is_empty() {
            self.set("radius_rule", Value::Object(rule));
        }
    }

    fn line_search(&mut self, preset: &str) -> Result<(), SpecError> {
        let Some(Value::Object(mut search)) = self.0.get("line_search").cloned() else {
            return Ok(());
        };
        let kind = search.remove("kind").unwrap_or_default();
        if search.remove("t0").is_some_and(|first| first != json!(1.0)) {
            return Err(unusable("t0", "1", "another first step"));
        }
        if let Some(most) = search.remove("max_ls") {
            search.insert("max_iterations".into(), most);
            search.insert("low_point".into(), "lowest".into());
        }
        let search = match (kind.as_str(), preset) {
            (Some("armijo"), "mb-lsr1") => Value::Object(search),
            (kind, _) => json!({ kind.unwrap_or_default().replace('_', "-"): search }),
        };
        self.set("line_search", search);
        Ok(())
    }

    /// Takes what can have one value only.
    fn fixed<const N: usize>(&mut self, fixed: [(&str, Value); N]) -> Result<(), SpecError> {
        for (key, wanted) in fixed {
            match self.0.remove(key) {
                Some(value) if value != wanted => {
                    return Err(unusable(key, &wanted.to_string(), &value.to_string()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn rename(&mut self) {
        let keys = std::mem::take(&mut self.0);
        for (key, value) in keys {
            let new = NAMES.iter().find(|(old, _)| *old == key).map_or(&*key, |(_, new)| new);
            let value = match value {
                Value::String(word) => {
                    let known = WORDS.iter().find(|(old, _)| *old == word);
                    known
                        .map_or_else(|| word.replace('_', "-"), |(_, new)| (*new).to_string())
                        .into()
                }
                value => value,
            };
            self.0.insert(new.to_string(), value);
        }
    }
}

fn unusable(key: &str, wanted: &str, value: &str) -> SpecError {
    SpecError::Value {
        method: "the optimizer of the trace".into(),
        key: key.into(),
        wanted: wanted.into(),
        value: value.into(),
    }
}
