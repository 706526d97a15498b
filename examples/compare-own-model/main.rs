//! Compares five optimizers on a module of one's own, by a metric of one's own.
use burn::{module::Module, nn, tensor::*};
use secant_lab::{report::*, store::default_path, *};

/// Tells the amplitude and the phase of a wave from 16 samples of it.
#[derive(Module, Debug)]
struct Net {
    hidden: nn::Linear,
    output: nn::Linear,
}

impl Net {
    fn errors(&self, batch: Batch<'_>) -> Tensor<2> {
        let waves = batch.records.iter().flat_map(|&k| wave(batch.part, k)).collect();
        let data = TensorData::new(waves, [batch.records.len(), 18]).convert_dtype(batch.dtype);
        let waves = Tensor::<2>::from_data(data, (batch.device, batch.dtype));
        let hidden = activation::tanh(self.hidden.forward(waves.clone().narrow(1, 0, 16)));
        self.output.forward(hidden) - waves.narrow(1, 16, 2)
    }
}

/// The samples, the amplitude and the phase of a wave.
fn wave(part: Part, k: usize) -> [f32; 18] {
    let number = (3 * k + part as usize + 1) as f32;
    let (a, phase) = (0.5 + (0.618 * number).fract(), (0.755 * number).fract());
    std::array::from_fn(|i| [a * (phase + 0.4 * i as f32).sin(), a, phase][i.saturating_sub(15)])
}

struct Waves;

impl Problem for Waves {
    type Model = Net;
    fn name(&self) -> String {
        "waves/own-module".to_string()
    }
    fn model(&self, _: u64, device: &Device) -> Net {
        let layer = |from, to| nn::LinearConfig::new(from, to).init(device);
        Net { hidden: layer(16, 24), output: layer(24, 2) }
    }
    fn records(&self, part: Part) -> usize {
        if part == Part::Train { 2000 } else { 500 }
    }
    fn loss(&self, net: &Net, batch: Batch<'_>) -> Tensor<1> {
        net.errors(batch).powi_scalar(2).mean()
    }
    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::loss(), Metric::share("within 0.05")]
    }
    fn measure(&self, net: &Net, batch: Batch<'_>) -> Vec<f64> {
        let within = net.errors(batch).abs().max_dim(1).lower_elem(0.05).float().mean();
        vec![self.loss(net, batch).into_scalar(), within.into_scalar()]
    }
    fn fingerprint(&self) -> String {
        Fingerprint::new().numbers(&wave(Part::Train, 1)).finish()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plan = Plan::of("sgd-momentum, adam, apollo, quasi-adam, mb-lsr1")?;
    let plan = Plan { metric: Some("within 0.05".to_string()), ..plan };
    let store = Store::open(&default_path()?)?;
    let finished = Comparison::new(&Waves, plan, &store, &false.into())?.run()?;
    print!("{}", plain_text(&Summary::new(&finished.recorded), 110));
    let report = write_report("secant-report".as_ref(), &[finished.recorded])?;
    println!("\nreport: {}", report.page.display());
    Ok(())
}
