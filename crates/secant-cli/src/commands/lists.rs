//! `secant optimizers` and `secant problems`.

use std::{io::Write, process::ExitCode};

use clap::Args;
use secant::spec::{Choice, PRESETS};

use super::UsageError;
use crate::problem::{CATALOGUE, DEFAULT_PROBLEM};

/// Lists the optimizers, or says everything about one.
#[derive(Debug, Args)]
pub(super) struct OptimizersArgs {
    /// An optimizer, to see its hyper-parameters: mb-lsr1, or 'mb-lsr1(memory=8)'
    #[arg(value_name = "NAME")]
    optimizer: Option<String>,
}

pub(super) fn optimizers(args: &OptimizersArgs) -> anyhow::Result<ExitCode> {
    if let Some(optimizer) = &args.optimizer {
        let choice = optimizer.parse::<Choice>().map_err(|e| UsageError(e.to_string()))?;
        write!(std::io::stdout().lock(), "{}", describe(&choice))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<22} {:>6} {:>9}  what it is (* = in `secant compare` unless told otherwise)",
        "name", "memory", "gradients"
    )?;
    for entry in PRESETS {
        let star = if entry.by_default { "*" } else { " " };
        writeln!(
            out,
            "{:<22} {:>6} {:>9} {star} {}",
            entry.name, entry.vectors, entry.gradients, entry.line
        )?;
    }
    writeln!(
        out,
        "\nmemory: vectors of the model's size; gradients: evaluated in a step\n\
         `secant optimizers NAME` says what an optimizer's hyper-parameters are."
    )?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn problems() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for entry in CATALOGUE.iter() {
        let default = if entry.name == DEFAULT_PROBLEM { " (the default)" } else { "" };
        writeln!(out, "{:<30} {}{default}", entry.name, entry.line)?;
    }
    writeln!(
        out,
        "\nYour own data: `secant compare --csv FILE --target COLUMN` or `--libsvm FILE`."
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Columns of text.
const WIDTH: usize = 80;

/// What an optimizer is, and all its hyper-parameters: name and value, then what the value must be, then
/// the meaning.
fn describe(choice: &Choice) -> String {
    let preset = choice.preset();
    let mut text = format!(
        "{}: {}\nmethod {}, {} vectors of memory, {} gradients a step, tuning starts at rate {}\n",
        preset.name,
        preset.line,
        choice.method(),
        preset.vectors,
        preset.gradients,
        preset.usual_rate,
    );
    for (parameter, value) in choice.values() {
        let value = value.map_or_else(|| "by the run".to_string(), |value| written(&value));
        text += &format!("\n{} = {value}\n", parameter.name);
        for line in wrapped(&format!("{}.", parameter.wanted())) {
            text += &format!("    {line}\n");
        }
        for line in wrapped(&parameter.meaning.concat()) {
            text += &format!("    {line}\n");
        }
    }
    text + "\nChange them as in NAME(key=value, ...), nested as in decay=l2(0.01).\n"
}

/// A value as it is written in a description.
fn written(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::String(word) => word.clone(),
        Value::Object(keys) => {
            let pair = |(key, value): (&String, &Value)| match value {
                Value::Object(_) => format!("{key}{}", written(value)),
                _ if keys.len() == 1 => format!("{key}({})", written(value)),
                _ => format!("{key}={}", written(value)),
            };
            let pairs: Vec<String> = keys.iter().map(pair).collect();
            if keys.len() == 1 { pairs.concat() } else { format!("({})", pairs.join(", ")) }
        }
        value => value.to_string(),
    }
}

/// Lines of words that fit the width beside an indent.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is one");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > WIDTH - 4 {
            lines.push(word.to_string());
        } else {
            *last += if last.is_empty() { "" } else { " " };
            *last += word;
        }
    }
    lines
}
