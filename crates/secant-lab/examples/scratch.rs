//! Scratch.
use secant_lab::run::Falling;
use secant_lab::{physics::Physics, report::*, *};
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let a: Vec<String> = std::env::args().collect();
    // problem methods gradients trials seeds schedule store [lr]
    let problem = Physics::named(&a[1])?;
    let n = problem.records(Part::Train) as u64;
    let mut plan = Plan::of(&a[2])?;
    plan.precision = Precision::F64;
    plan.budget = Some(Budget::Evaluations(n * a[3].parse::<u64>()?));
    plan.trials = Trials::Exactly(a[4].parse()?);
    plan.seeds = a[5].parse()?;
    plan.falling = a[6].parse::<Falling>()?;
    plan.lr = a.get(8).map(|lr| lr.parse()).transpose()?;
    plan.shown = Shown::Nothing;
    let store = Store::open(std::path::Path::new(&a[7]))?;
    let start = std::time::Instant::now();
    let finished = Comparison::new(&problem, plan, &store, &false.into())?.run()?;
    for t in &finished.recorded.trials {
        println!("trial {} lr {} {:?} {}", t.method, t.lr, t.validation, t.trained);
    }
    for r in &finished.recorded.runs {
        println!(
            "run {} lr {} seed {} train {:?} test {:?} steps {} {:.1}s",
            r.method,
            r.lr,
            r.seed,
            r.curve.last().and_then(|p| p.train_loss),
            r.test,
            r.curve.last().map_or(0, |p| p.steps),
            r.curve.last().map_or(0.0, |p| p.seconds)
        );
    }
    println!("{}", plain_text(&Summary::new(&finished.recorded), 110));
    println!("{:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
