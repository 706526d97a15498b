//! Runs as TensorBoard event files, one folder a run: scalars over steps.
//!
//! An event file is a row of framed protocol-buffer messages, few enough of their fields to be
//! written by hand. TensorBoard keeps scalars as `f32`.

use std::path::{Path, PathBuf};

use crate::record::{Design, Point, Run};

use super::{
    super::Recorded,
    ExportError,
    file::{Existing, write_files},
};

/// Writes the runs below the folder, each as
/// `PROBLEM-KEY/METHOD/seed-N/events.out.tfevents.TIME.secant`.
///
/// # Errors
///
/// When a file is there, or cannot be written.
pub fn write(
    folder: &Path,
    recorded: &[Recorded],
    existing: Existing,
) -> Result<Vec<PathBuf>, ExportError> {
    let file = |one: &Design, run: &Run| (folder.join(path(one, run)), events(one, run));
    let files: Vec<_> =
        recorded.iter().flat_map(|one| one.runs.iter().map(|run| file(&one.design, run))).collect();
    write_files(&files, existing)?;
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn path(comparison: &Design, run: &Run) -> PathBuf {
    let key: String = comparison.key.chars().take(8).collect();
    let begun = seconds_since_1970(&comparison.created).unwrap_or_default();
    PathBuf::from(format!("{}-{key}", file_name(&comparison.problem)))
        .join(file_name(&run.method))
        .join(format!("seed-{}", run.seed))
        .join(format!("events.out.tfevents.{begun}.secant"))
}

/// A name for a folder, different for different texts, that no system refuses.
fn file_name(text: &str) -> String {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.,=+()".contains(&c);
    let letter = |c: u8| if plain(c) { char::from(c).to_string() } else { format!("%{c:02X}") };
    let name: String = text.bytes().map(letter).collect();
    if name.len() <= 120 {
        return name;
    }
    format!("{}~{:08x}", &name[..110], crc_32c(text.as_bytes()))
}

fn events(comparison: &Design, run: &Run) -> Vec<u8> {
    let begun = seconds_since_1970(&comparison.created).unwrap_or_default() as f64;
    let mut version = number_field(1, begun);
    version.extend(bytes_field(3, b"brain.Event:2"));
    let mut file = frame(&version);
    for (i, point) in run.curve.iter().enumerate() {
        let mut scalars = scalars_of_point(comparison, point);
        if i + 1 == run.curve.len() {
            scalars.extend(metrics("test", comparison, &run.test));
        }
        file.extend(frame(&event(begun + point.seconds, point.steps, &scalars)));
    }
    file
}

fn scalars_of_point(comparison: &Design, point: &Point) -> Vec<(String, f64)> {
    let own = [
        ("train/loss", point.train_loss),
        ("steps/gradient norm", point.gradient_norm),
        ("steps/length", point.step_length),
        ("cost/evaluations", Some(point.evaluations)),
        ("cost/epoch", Some(point.epoch)),
        ("cost/seconds", Some(point.seconds)),
    ];
    let own = own.into_iter().filter_map(|(tag, value)| Some((tag.to_string(), value?)));
    own.chain(metrics("validation", comparison, &point.validation)).collect()
}

fn metrics<'a>(
    part: &'a str,
    comparison: &'a Design,
    values: &'a [Option<f64>],
) -> impl Iterator<Item = (String, f64)> + 'a {
    let named = comparison.metrics.iter().zip(values);
    named.filter_map(move |(metric, value)| Some((format!("{part}/{}", metric.name), (*value)?)))
}

/// `Event { wall_time: 1, step: 2, summary: 5 }` with `Summary { value: 1 }` and
/// `Value { tag: 1, simple_value: 2 }`.
fn event(time: f64, step: u64, scalars: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, scalar) in scalars {
        let mut value = bytes_field(1, tag.as_bytes());
        value.push(2 << 3 | 5);
        value.extend((*scalar as f32).to_le_bytes());
        summary.extend(bytes_field(1, &value));
    }
    let mut event = number_field(1, time);
    event.push(2 << 3);
    event.extend(varint(step));
    event.extend(bytes_field(5, &summary));
    event
}

fn number_field(field: u8, number: f64) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 1];
    bytes.extend(number.to_le_bytes());
    bytes
}

fn bytes_field(field: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2];
    bytes.extend(varint(content.len() as u64));
    bytes.extend(content);
    bytes
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A record of a TFRecord file: length, its checksum, content, its checksum.
fn frame(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut frame = length.to_vec();
    frame.extend(masked(crc_32c(&length)).to_le_bytes());
    frame.extend(content);
    frame.extend(masked(crc_32c(content)).to_le_bytes());
    frame
}

/// So that a checksum over data that hold checksums stays one.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The cyclic redundancy check with Castagnoli's polynomial.
fn crc_32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

/// Of a time such as `2026-11-26T12:34:56Z`.
fn seconds_since_1970(time: &str) -> Option<i64> {
    let (date, time) = time.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    // Years begin in March here, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let numbers: Option<Vec<i64>> = text.split(separator).map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::testing::{comparison, recorded, run},
        *,
    };

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(crc_32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc_32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc_32c(&[0xff; 32]), 0x62a8_ab43);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(crc_32c(&ascending), 0x46dd_794e);
    }

    #[test]
    fn an_event_has_the_bytes_of_the_protocol() {
        let bytes = event(1.5, 300, &[("a".to_string(), 1.0)]);
        let time = [&[0x09][..], &1.5_f64.to_le_bytes()].concat();
        let step = [0x10, 0xac, 0x02];
        let value = [0x0a, 0x01, b'a', 0x15, 0x00, 0x00, 0x80, 0x3f];
        let summary = [&[0x2a, 0x0a, 0x0a, 0x08][..], &value].concat();
        assert_eq!(bytes, [&time[..], &step, &summary].concat());
    }

    #[test]
    fn a_frame_has_the_length_the_content_and_both_checksums() {
        // The first frame of every TensorBoard file of time 0; checksums by its own writer.
        let content = [&[0x09][..], &[0; 8], &[0x1a, 0x0d], b"brain.Event:2"].concat();
        let frame = frame(&content);
        assert_eq!(frame.len(), 8 + 4 + content.len() + 4);
        assert_eq!(frame[..8], 24_u64.to_le_bytes());
        assert_eq!(frame[8..12], [0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(frame[12..36], content);
        assert_eq!(frame[36..], [0xee, 0xdf, 0x28, 0xa3]);
    }

    #[test]
    fn dates_are_counted_from_1970() {
        assert_eq!(seconds_since_1970("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds_since_1970("2000-02-29T00:00:00Z"), Some(951_782_400));
        assert_eq!(seconds_since_1970("2026-11-26T12:34:56Z"), Some(1_795_696_496));
        assert_eq!(seconds_since_1970("yesterday"), None);
    }

    #[test]
    fn different_names_have_different_folders() {
        assert_eq!(file_name("mb-lsr1(memory=8,delta0=0.01)"), "mb-lsr1(memory=8,delta0=0.01)");
        assert_eq!(file_name("fashion-mnist/cnn"), "fashion-mnist%2Fcnn");
        let long = |last: &str| file_name(&("a".repeat(300) + last));
        assert!(long("b").len() <= 120 && long("b") != long("c"));
    }

    #[test]
    fn every_run_has_a_folder_with_its_events() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = write(folder.path(), &[recorded(1)], Existing::Refuse).expect("written");
        let below = paths[2].strip_prefix(folder.path()).expect("below").to_string_lossy();
        let key = &comparison(1).key[..8];
        assert_eq!(
            below,
            format!(
                "spirals%2Fmlp-{key}/adam/seed-18446744073709551615/events.out.tfevents.1793622896.secant"
            )
        );
        let error = write(folder.path(), &[recorded(1)], Existing::Refuse).expect_err("there");
        assert!(matches!(error, ExportError::Exists { .. }), "{error}");
    }

    #[test]
    fn a_file_of_events_is_frames_to_its_end_with_a_point_each() {
        let bytes = events(&comparison(1), &run("adam", 3));
        let mut rest = &bytes[..];
        let mut frames = 0;
        while let Some((length, _)) = rest.split_first_chunk::<8>() {
            let end = 12 + u64::from_le_bytes(*length) as usize + 4;
            assert_eq!(rest[..end], frame(&rest[12..end - 4]));
            rest = &rest[end..];
            frames += 1;
        }
        assert!(rest.is_empty());
        assert_eq!(frames, 1 + 40);
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(has("validation/balanced accuracy") && has("test/loss") && has("train/loss"));
    }
}
