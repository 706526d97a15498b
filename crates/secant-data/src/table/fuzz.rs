//! Many generated tables, and bytes of any kind: no column is lost without a word, plain numbers
//! are read exactly, and nothing panics.

use std::fmt::Write as _;

use proptest::prelude::*;
use secant_core::rng::SplitMix64;

use super::*;
use crate::target::Task;

/// Tables that are generated.
const TABLES: u64 = 10_000;

const SEPARATORS: [&str; 5] = [",", ";", "\t", "|", "  "];
const LINE_ENDS: [&str; 3] = ["\n", "\r\n", "\r"];
const TOKENS: [&str; 8] = ["NA", "?", "null", "NaN", "n/a", "#N/A", "-inf", "<NA>"];
const WORDS: [&str; 7] = ["red", "blue", "dark green", "caf\u{e9}", "a;b", "x,y|z", "say \"so\""];

/// What a generated column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    /// Numbers as programs write them.
    Plain,
    /// `1,234.5`
    Grouped,
    /// `1.234,5`
    European,
    /// `$12.5`
    Money,
    /// `12.5%`
    Percent,
    /// Plain numbers and a few other texts.
    NearlyPlain,
    /// A few texts that repeat.
    Words,
    /// Texts that all differ.
    Names,
    /// One text.
    Constant,
    /// Nothing.
    Empty,
}

const STYLES: [Style; 10] = [
    Style::Plain,
    Style::Grouped,
    Style::European,
    Style::Money,
    Style::Percent,
    Style::NearlyPlain,
    Style::Words,
    Style::Names,
    Style::Constant,
    Style::Empty,
];

impl Style {
    fn is_numeric(self) -> bool {
        !matches!(self, Self::Words | Self::Names | Self::Constant | Self::Empty)
    }
}

/// A generated column: what is written, and what it stands for.
#[derive(Debug)]
struct Made {
    name: String,
    style: Style,
    written: Vec<String>,
    numbers: Vec<Option<f64>>,
}

impl Made {
    fn new(name: String, rows: usize, rng: &mut SplitMix64) -> Self {
        let style = STYLES[rng.below(STYLES.len())];
        let (mut written, mut numbers) = (Vec::new(), Vec::new());
        let missing = rng.below(3) * 4;
        // In the first row it could be the name of the column.
        let odd = 1 + rng.below(rows - 1);
        let decimals = rng.below(5);
        for row in 0..rows {
            if rng.below(100) < missing {
                written.push(TOKENS[rng.below(TOKENS.len())].to_owned());
                numbers.push(None);
                continue;
            }
            let number = number(decimals, rng);
            let is_odd = style == Style::NearlyPlain && row == odd;
            written.push(if is_odd { "broken".to_owned() } else { style.write(number, row, rng) });
            numbers.push((style.is_numeric() && !is_odd).then_some(number));
        }
        Self { name, style, written, numbers }
    }

    /// Whether the cells differ.
    fn informs(&self) -> bool {
        self.written.iter().any(|cell| *cell != self.written[0])
    }
}

/// A random number with at most this many decimals.
fn number(decimals: usize, rng: &mut SplitMix64) -> f64 {
    let size = [100, 10_000, 10_000_000][rng.below(3)];
    let whole = rng.below(size) as i64 - (size / 4) as i64;
    let scale = 10i64.pow(decimals as u32);
    let text = format!("{whole}.{:0width$}", rng.below(scale as usize), width = decimals.max(1));
    text.parse().unwrap_or_default()
}

impl Style {
    fn write(self, number: f64, row: usize, rng: &mut SplitMix64) -> String {
        match self {
            Self::Plain if rng.below(20) == 0 => format!("{number:e}"),
            Self::Plain | Self::NearlyPlain => number.to_string(),
            Self::Grouped => grouped(number, ',', '.'),
            Self::European => grouped(number, '.', ','),
            Self::Money if number < 0.0 => format!("-${}", -number),
            Self::Money => format!("${number}"),
            Self::Percent => format!("{number}%"),
            Self::Words => WORDS[rng.below(WORDS.len())].to_owned(),
            Self::Names => format!("name {row}"),
            Self::Constant => "same".to_owned(),
            Self::Empty => "NA".to_owned(),
        }
    }
}

/// A number with its whole part in groups of three digits.
fn grouped(number: f64, divider: char, mark: char) -> String {
    let text = number.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = if number < 0.0 { "-".to_owned() } else { String::new() };
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(divider);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(mark);
        out += fraction;
    }
    out
}

/// A generated file.
#[derive(Debug)]
struct File {
    columns: Vec<Made>,
    rows: usize,
    named: bool,
    header: Header,
    bytes: Vec<u8>,
    text: String,
}

impl File {
    fn new(seed: u64) -> Self {
        let mut rng = SplitMix64::new(seed);
        let rows = 10 + rng.below(51);
        let width = 2 + rng.below(5);
        let named = rng.below(3) > 0;
        let name = |column: usize| {
            if named { format!("field_{column}") } else { format!("column {}", column + 1) }
        };
        let columns: Vec<Made> =
            (0..width).map(|column| Made::new(name(column), rows, &mut rng)).collect();
        let said = if named { Header::Yes } else { Header::No };
        let header = if rng.below(2) == 0 { Header::Auto } else { said };
        let text = text(&columns, rows, named, &mut rng);
        let bytes = encode(&text, &mut rng);
        Self { columns, rows, named, header, bytes, text }
    }
}

fn text(columns: &[Made], rows: usize, named: bool, rng: &mut SplitMix64) -> String {
    let separator = SEPARATORS[rng.below(SEPARATORS.len())];
    let end = LINE_ENDS[rng.below(LINE_ENDS.len())];
    let quote_all = rng.below(4) == 0;
    // Of the records alone.
    let last = if named && rng.below(8) == 0 { separator } else { "" };
    let mut text = String::new();
    if rng.below(5) == 0 {
        let _ = write!(text, "# made for a test{end}");
    }
    if named {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let _ = write!(text, "{}{end}", names.join(separator));
    }
    let quoted = |cell: &str| {
        let needed = cell.contains(['"', ' ', ',', ';', '|']) && cell.parse::<f64>().is_err();
        // Decimal commas stand without quotes where the separator is another.
        let number = cell.bytes().all(|byte| byte.is_ascii_digit() || b".,-".contains(&byte));
        if quote_all || needed && !(number && separator != ",") {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    };
    for row in 0..rows {
        let cells: Vec<String> =
            columns.iter().map(|column| quoted(&column.written[row])).collect();
        let _ = write!(text, "{}{last}{end}", cells.join(separator));
    }
    text
}

fn encode(text: &str, rng: &mut SplitMix64) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    match rng.below(5) {
        0 => text.as_bytes().to_vec(),
        1 => marked.into_bytes(),
        2 => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        3 => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
    }
}

/// What is wrong with how `file` was understood.
fn fault(file: &File) -> Option<String> {
    let options = TableOptions { header: file.header, ..TableOptions::default() };
    let grid = match Grid::of("fuzz".into(), file.bytes.clone(), None, &options, None) {
        Ok(grid) => grid,
        Err(error) => return Some(error.to_string()),
    };
    let understood = match understand_grid(grid, &options) {
        Ok(understood) => understood,
        Err(error) => return Some(error.to_string()),
    };
    let Understood { grid, columns, mut warnings, .. } = understood;
    if grid.width() != file.columns.len() {
        return Some(format!("{} columns were found", grid.width()));
    }
    let doubt = ["which is not sure", "taken from the comment"];
    let doubted = warnings.iter().any(|line| doubt.iter().any(|doubt| line.contains(doubt)));
    if grid.len() != file.rows || grid.named != file.named {
        let said = format!("{} records were found, named: {}", grid.len(), grid.named);
        return (!doubted).then_some(said);
    }
    let rows: Vec<usize> = (0..grid.len()).collect();
    let encoding = Encoding::fit(&columns, &rows, Policy::Informative);
    describe::columns(&grid, &columns, &encoding, None, &rows, &mut warnings);
    let mut pairs = file.columns.iter().zip(&columns).zip(encoding.encoders());
    pairs.find_map(|((made, column), encoder)| {
        let told = warnings.iter().any(|line| line.contains(&column::titled(&made.name)));
        fault_of(made, column, encoder.width(), told)
    })
}

fn fault_of(made: &Made, column: &Column, width: usize, told: bool) -> Option<String> {
    let Made { name, style, .. } = made;
    if column.name != *name {
        return Some(format!("'{name}' is called '{}'", column.name));
    }
    if made.informs() && width == 0 && !told {
        return Some(format!("'{name}' is lost"));
    }
    let exact = match (&column.cells, style.is_numeric()) {
        (Cells::Numbers(numbers), true) => *numbers == made.numbers,
        (Cells::Texts(texts), false) => {
            let read = |cell: &Option<u32>| cell.map(|text| texts.texts[text as usize].as_str());
            let written = made
                .written
                .iter()
                .map(|cell| (!TOKENS.contains(&cell.as_str())).then_some(cell.as_str()));
            texts.cells.iter().map(read).eq(written)
        }
        // All cells may be missing.
        _ => made.numbers.iter().all(Option::is_none),
    };
    let must = matches!(style, Style::Plain | Style::Words | Style::Names);
    // Groups of three digits after a point look like fractions where no cell has a comma.
    let hidden = *style == Style::European && made.written.iter().all(|cell| !cell.contains(','));
    if exact || told && !must || hidden {
        return None;
    }
    Some(format!("'{name}' was read as {:?}", column.cells))
}

#[test]
fn no_column_of_ten_thousand_tables_is_lost_and_plain_numbers_are_exact() {
    let mut faults = Vec::new();
    for seed in 0..TABLES {
        let file = File::new(seed);
        if let Some(fault) = fault(&file) {
            let styles: Vec<Style> = file.columns.iter().map(|column| column.style).collect();
            let start: String = file.text.chars().take(300).collect();
            faults.push(format!("{seed}: {fault}\n{styles:?} {:?}\n{start}", file.header));
        }
    }
    let shown = faults.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(faults.is_empty(), "{} faults:\n{shown}", faults.len());
}

/// Reads any bytes in all ways.
fn read_all_ways(bytes: &[u8]) {
    for header in [Header::Auto, Header::Yes, Header::No] {
        for target in [None, Some("1".to_owned()), Some("2".to_owned())] {
            for task in [Task::Auto, Task::Regression, Task::Classification] {
                let missing = vec!["x".to_owned()];
                let target = target.clone();
                let options =
                    TableOptions { target, header, missing, task, precision: Precision::F32 };
                let folder = std::path::PathBuf::from("bytes");
                let grid = Grid::of(folder, bytes.to_vec(), None, &options, None);
                let Ok(understood) = grid.and_then(|grid| understand_grid(grid, &options)) else {
                    continue;
                };
                let fractions = Fractions { validation: 0.2, test: 0.2 };
                if let Ok(description) = describe_understood(understood, &options, fractions) {
                    assert!(!description.to_string().is_empty());
                }
            }
        }
    }
}

fn describe_understood(
    understood: Understood,
    options: &TableOptions,
    fractions: Fractions,
) -> Result<Description, DataError> {
    if options.target.is_none() {
        return Ok(describe_whole(understood));
    }
    load_understood(understood, options, fractions, 0).map(|loaded| loaded.description)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_of_any_kind_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all_ways(&bytes);
    }

    #[test]
    fn texts_that_look_like_tables_do_not_panic(
        text in "([-+0-9.,;eE%$€ ]{0,6}[,;|\t \"\r\n#@x?é]){0,60}",
    ) {
        read_all_ways(text.as_bytes());
    }

    #[test]
    fn texts_that_look_like_arff_do_not_panic(
        text in "@relation r\n(@attribute [ab'] (real|\\{1,x\\}|string)\n){1,3}@data\n([1x?,' ]{0,6}\n){0,20}",
    ) {
        read_all_ways(text.as_bytes());
    }
}
