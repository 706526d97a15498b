//! ARFF files of Weka, and the .dat files of KEEL, which are the same but for the ranges after
//! their types.
//!
//! A file is `@attribute` lines, the line `@data`, and a line of comma-separated values for each
//! record. Blank lines and lines that start with `%` mean nothing; `?` is a missing value. Sparse
//! rows in braces are refused.

pub(crate) mod fields;

use fields::Separator;

const COMMA: Separator = Separator::Character(',');

/// What a file says of one of its columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    /// Its cells are numbers.
    Number,
    /// Its cells are some of these texts.
    Nominal(Vec<String>),
    /// Its cells are any texts.
    Text,
}

/// A file as it is written; the cells are not checked.
#[derive(Debug)]
pub(crate) struct Arff<'a> {
    /// The names of the columns.
    pub names: Vec<String>,
    /// The types of the columns.
    pub types: Vec<Type>,
    /// The rows with the numbers of their lines; all as long as there are columns.
    pub rows: Vec<(usize, Vec<&'a str>)>,
}

/// What is wrong, and in which line.
pub(crate) type Wrong = (usize, String);

/// Whether `text` begins like an ARFF file.
pub(crate) fn is_arff(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('%'));
    let keyword = first.and_then(|line| line.split([' ', '\t']).next()).unwrap_or_default();
    ["@relation", "@attribute"].iter().any(|known| keyword.eq_ignore_ascii_case(known))
}

/// Reads `text`.
pub(crate) fn read(text: &str) -> Result<Arff<'_>, Wrong> {
    let mut lines = (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('%'));
    let mut arff = Arff { names: Vec::new(), types: Vec::new(), rows: Vec::new() };
    for (number, line) in lines.by_ref() {
        match Header::parse(line).map_err(|problem| (number, problem))? {
            Header::Attribute(name, kind) => {
                arff.names.push(name);
                arff.types.push(kind);
            }
            Header::Data => break,
            Header::Other => {}
        }
    }
    for (number, line) in lines {
        let cells = cells(line, arff.types.len()).map_err(|problem| (number, problem))?;
        arff.rows.push((number, cells));
    }
    Ok(arff)
}

/// A line before the data.
#[derive(Debug, PartialEq)]
enum Header {
    Attribute(String, Type),
    Data,
    /// The name of the relation, or what KEEL says of inputs and outputs.
    Other,
}

impl Header {
    fn parse(line: &str) -> Result<Self, String> {
        let (keyword, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        match keyword.to_ascii_lowercase().as_str() {
            "@attribute" => attribute(rest.trim()).map(|(name, kind)| Self::Attribute(name, kind)),
            "@data" => Ok(Self::Data),
            "@relation" | "@inputs" | "@input" | "@outputs" | "@output" => Ok(Self::Other),
            _ => Err(format!("'{keyword}' was found where @attribute or @data is wanted")),
        }
    }
}

/// The name and the type of an attribute.
fn attribute(text: &str) -> Result<(String, Type), String> {
    let (name, after_name) = match fields::quoted(text)? {
        Some(parts) => parts,
        None => text.split_at(text.find([' ', '\t', '{']).unwrap_or(text.len())),
    };
    let kind = after_name.trim();
    let name = name.to_owned();
    if let Some(list) = kind.strip_prefix('{') {
        let list = list.strip_suffix('}').ok_or("the list of values is not closed")?;
        let texts = fields::cut(list, COMMA)?.into_iter().map(str::to_owned).collect();
        return Ok((name, Type::Nominal(texts)));
    }
    let word = kind.split(['[', ' ', '\t']).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "numeric" | "real" | "integer" => Ok((name, Type::Number)),
        "string" | "date" => Ok((name, Type::Text)),
        _ => Err(format!("the type '{kind}' is neither a number nor a list of values nor a text")),
    }
}

/// The values of one record, checked to be `wanted` ones.
fn cells(line: &str, wanted: usize) -> Result<Vec<&str>, String> {
    if line.starts_with('{') {
        return Err("the record is in braces, but sparse records cannot be read".to_owned());
    }
    let cells = fields::cut(line, COMMA)?;
    match cells.len() {
        found if found == wanted => Ok(cells),
        found => Err(wrong_width(found, wanted)),
    }
}

/// What is wrong with a row that has `found` cells.
pub(crate) fn wrong_width(found: usize, wanted: usize) -> String {
    format!("{found} values were found, but {wanted} are wanted")
}
