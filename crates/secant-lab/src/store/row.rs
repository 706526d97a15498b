//! Records as the tables hold them.

use std::io::{Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::record::{Point, RegionStep, Run};

use super::error::Fault;

/// The time now, as SQL.
pub(super) const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";

/// The JSON of a record, which reads back as the same.
pub(super) fn text<T: Serialize + DeserializeOwned + PartialEq>(
    record: &T,
    what: &'static str,
) -> Result<String, Fault> {
    let text = serde_json::to_string(record).map_err(|reason| unreadable(what, &reason))?;
    // JSON has no NaN and no infinity; they would turn into what cannot be read.
    match serde_json::from_str::<T>(&text) {
        Ok(back) if back == *record => Ok(text),
        _ => Err(Fault::NotFinite { what }),
    }
}

/// The record of a JSON text.
pub(super) fn record<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|reason| unreadable(what, &reason))
}

/// What is long in a run.
#[derive(PartialEq, Serialize, Deserialize)]
struct Details {
    curve: Vec<Point>,
    trust_region: Vec<RegionStep>,
}

/// The outline of a run as JSON and its details as gzipped JSON.
pub(super) fn split(run: &Run) -> Result<(String, Vec<u8>), Fault> {
    let mut outline = run.clone();
    let details = Details {
        curve: std::mem::take(&mut outline.curve),
        trust_region: std::mem::take(&mut outline.trust_region),
    };
    let compressed = compress(&text(&details, "a run")?);
    Ok((text(&outline, "a run")?, compressed.map_err(|reason| unreadable("a run", &reason))?))
}

/// The run that was split.
pub(super) fn join(outline: &str, details: &[u8], what: &str) -> Result<Run, Fault> {
    let run: Run = record(outline, what)?;
    let text = expand(details).map_err(|reason| unreadable(what, &reason))?;
    let Details { curve, trust_region } = record(&text, what)?;
    Ok(Run { curve, trust_region, ..run })
}

fn compress(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

fn expand(compressed: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text)?;
    Ok(text)
}

fn unreadable(what: &str, reason: &impl ToString) -> Fault {
    Fault::Unreadable { what: what.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::testing::{region_step, run},
        *,
    };

    #[test]
    fn a_long_run_takes_far_less_room_than_its_text() {
        let long = Run { trust_region: (0..1000).map(region_step).collect(), ..run("adam", 1) };
        let (outline, details) = split(&long).expect("split");
        assert!(outline.len() < 500 && !outline.contains("trust_region"), "{outline}");
        assert!(details.len() * 5 < text(&long, "a run").expect("text").len());
    }

    proptest! {
        #[test]
        fn every_finite_number_comes_back_bit_by_bit(bits in prop::collection::vec(any::<u64>(), 8)) {
            let numbers: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
            prop_assume!(numbers.iter().all(|number| number.is_finite()));
            let mut before = run("adam", 1);
            before.lr = numbers[0];
            before.test = numbers.iter().copied().map(Some).collect();
            before.curve[3].seconds = numbers[1];
            let (outline, details) = split(&before).expect("split");
            let after = join(&outline, &details, "a run").expect("joined");
            let bits = |run: &Run| {
                let test = run.test.iter().flatten().map(|number| number.to_bits());
                let more = [run.lr, run.curve[3].seconds].map(f64::to_bits);
                test.chain(more).collect::<Vec<_>>()
            };
            prop_assert_eq!(bits(&after), bits(&before));
            prop_assert_eq!(after, before);
        }
    }
}
