//! Compares five optimizers on a module of one's own, by a metric of one's own.
use burn::{module::Module, nn, tensor::*};
use secant_lab::{report::*, store::default_path, *};

/// Tells the amplitude and the phase of a wave from 16 samples of it.
#[derive(Module, Debug)]
struct Net {
    layers: [nn::Linear; 2],
}
impl Net {
    fn errors(&self, batch: Batch<'_>) -> Tensor<2> {
        let waves: Vec<f32> = batch.records.iter().flat_map(|&k| wave(batch.part, k)).collect();
        let waves = batch.tensor(waves, [batch.records.len(), 18]);
        let hidden = activation::tanh(self.layers[0].forward(waves.clone().narrow(1, 0, 16)));
        self.layers[1].forward(hidden) - waves.narrow(1, 16, 2)
    }
}

fn wave(part: Part, k: usize) -> [f32; 18] {
    let [a, phase] = [0.618, 0.755].map(|x| 0.5 + (x * (3 * k + part as usize) as f32).fract());
    std::array::from_fn(|i| [a * (phase + 0.4 * i as f32).sin(), a, phase][i.saturating_sub(15)])
}

struct Waves;
impl Problem for Waves {
    type Model = Net;
    fn name(&self) -> String {
        "waves/own-module".to_string()
    }
    fn model(&self, _: u64, device: &Device) -> Net {
        Net { layers: [(16, 24), (24, 2)].map(|(m, n)| nn::LinearConfig::new(m, n).init(device)) }
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
    let mut plan = Plan::of("sgd-momentum, adam, apollo, quasi-adam, mb-lsr1")?;
    plan.metric = Some("within 0.05".to_string());
    let store = Store::open(&default_path()?)?;
    let finished = Comparison::new(&Waves, plan, &store, &false.into())?.run()?;
    println!("{}\nin secant-report", plain_text(&Summary::new(&finished.recorded), 110));
    write_report("secant-report".as_ref(), &[finished.recorded])?;
    Ok(())
}
