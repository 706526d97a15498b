//! `secant optimizers` and `secant problems`.

use std::{io::Write, process::ExitCode};

use clap::Args;
use secant::spec::{Choice, PRESETS, Preset, Run, value_text};

use secant_lab::{Known, supervised::DEFAULT_PROBLEM};

use super::data_dir::DataDirArgs;
use crate::arguments::UsageError;

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
        "\nmemory: vectors of the model's size (n/2 of n parameters: half a matrix); gradients: evaluated in a step\n\
         `secant optimizers NAME` says what an optimizer's hyper-parameters are.\n\
         One can follow another: 'switch(first=adam, then=l-bfgs, at=step(500))', or at=stall."
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Lists the problems that need no file of your own, and says whether their data are at hand.
#[derive(Debug, Args)]
pub(super) struct ProblemsArgs {
    #[command(flatten)]
    data: DataDirArgs,
}

pub(super) fn problems(args: &ProblemsArgs) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for known in Known::all() {
        let state = if known.name() == DEFAULT_PROBLEM { " (the default)" } else { "" };
        let sign = if known.lacks(&args.data.data_dir).is_some() { "-" } else { "+" };
        writeln!(out, "{:<30} {sign} {}{state}", known.name(), known.line())?;
    }
    writeln!(
        out,
        "\n+ the data are at hand, - they are not in {}: `secant data fetch NAME` gets mnist,\n\
         fashion-mnist, cifar-10 and svhn; the others have to be put there.\n\
         Your own data: `secant compare --csv FILE --target COLUMN` or `--libsvm FILE`.",
        args.data.data_dir.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Columns of text.
const WIDTH: usize = 80;

/// What an optimizer is, and all its hyper-parameters: name and value, then what the value must be, then
/// the meaning.
fn describe(choice: &Choice) -> String {
    let preset = choice.preset();
    if preset.chooses() {
        return describe_choosing(preset);
    }
    let spec = choice.spec(Some(&RUN)).ok();
    let traffic = spec.and_then(|spec| spec.traffic().ok().flatten());
    let moved = traffic.map_or_else(String::new, |traffic| {
        format!(", {}R + {}W moved", traffic.reads, traffic.writes)
    });
    let tuning = if preset.is_tuned { "tuning starts at rate" } else { "not tuned, its rate is" };
    let cost = format!(
        "Method {}: {} vectors of memory, {} gradients a step{moved}; {tuning} {}.",
        choice.method(),
        preset.vectors,
        preset.gradients,
        preset.usual_rate,
    );
    let mut text = format!("{}: {}\n{}", preset.name, preset.line, wrapped(&cost, 0));
    for (parameter, value) in choice.values() {
        let value = value.map_or_else(
            || "by the run".to_string(),
            |value| value_text(&value, Some(&parameter.kind())).replace(',', ", "),
        );
        let head = wrapped(&format!("{} = {value}", parameter.name), INDENT);
        text += &format!("\n{}", &head[INDENT..]);
        text += &wrapped(&format!("{}.", parameter.wanted()), INDENT);
        text += &wrapped(&parameter.meaning.concat(), INDENT);
    }
    text + "\nChange them as in NAME(key=value, ...), nested as in decay=l2(0.01).\n"
}

/// What a preset chooses that is no method of its own.
fn describe_choosing(preset: &Preset) -> String {
    let smooth = Run { full_batch: true, double_precision: true, ..RUN };
    let runs = [
        ("Batches", RUN),
        ("One function, up to 10,000 parameters, in double precision", smooth),
        ("One function, else", Run { double_precision: false, ..smooth }),
    ];
    let mut text = format!("{}: {}\n", preset.name, preset.line);
    for (when, run) in runs {
        let chosen = preset.spec(&run).to_string().replace(',', ", ");
        text += &wrapped(&format!("{when}: {chosen}."), 0);
    }
    let rate = format!(
        "Its rate is not tuned: {} in batches of 256 records or more, less by the root of their number in smaller ones, {} on one \
         function. It chooses for a run of {} steps here, in batches of {}; what it chooses has hyper-parameters, and it has none.",
        preset.rate(256, false),
        preset.usual_rate,
        RUN.steps,
        RUN.batch_size
    );
    text + &wrapped(&rate, 0)
}

/// Any run: what it decides is not shown.
const RUN: Run = Run {
    steps: 10_000,
    steps_per_epoch: 100,
    batch_size: 100,
    rows: 1,
    parameters: 10_000,
    full_batch: false,
    double_precision: false,
};

/// Columns before what belongs to a hyper-parameter.
const INDENT: usize = 4;

/// The text in lines, each after `indent` spaces.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{:indent$}{word}", "")),
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_about_an_optimizer_fits_into_80_columns_and_every_hyper_parameter_has_one() {
        for preset in PRESETS {
            let text = describe(&preset.into());
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            let own = (!preset.chooses()).then(|| preset.spec(&RUN).hyper_parameters());
            for parameter in own.into_iter().flatten() {
                let head = format!("{} = ", parameter.name);
                let heads = text.lines().filter(|line| line.starts_with(&head));
                assert_eq!(heads.count(), 1, "{}, {}", preset.name, parameter.name);
            }
        }
    }

    #[test]
    fn a_preset_that_chooses_says_what_and_has_no_hyper_parameters() {
        let text = describe(&"auto".parse().expect("a name"));
        assert!(text.contains("Batches: soap(") && text.contains("then=ss-broyden"), "{text}");
        assert!(text.contains("0.025 in batches") && !text.contains("beta_1 = "), "{text}");
    }
}
