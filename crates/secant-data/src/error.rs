//! What can go wrong with data, each told in one sentence.

use std::io;
use std::path::PathBuf;

use super::numbers::Precision;
use super::sets::Counts;

/// A reason why data cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum DataError {
    #[error("cannot read {}: {reason}; check that the file is there and may be read", path.display())]
    Read { path: PathBuf, reason: io::Error },
    #[error("{} is not a whole {packing} file; it is cut off or damaged, so get it again", path.display())]
    Packed { path: PathBuf, packing: &'static str },
    #[error("line {line} of {} is not text; give a text file, best in UTF-8", path.display())]
    NotText { path: PathBuf, line: usize },
    #[error("{} holds no records; give a file with data in it", path.display())]
    Empty { path: PathBuf },
    #[error(
        "{} would need {gibibytes:.1} GiB as {rows} dense rows of {width} inputs, more than the 4 GiB allowed; \
         use fewer rows or columns",
        path.display()
    )]
    TooLarge { path: PathBuf, rows: usize, width: usize, gibibytes: f64 },

    #[error(
        "{} is not an IDX file of {wanted}: it starts with the number {found} instead of {expected}; \
         put the right file there",
        path.display()
    )]
    IdxMagic { path: PathBuf, wanted: &'static str, expected: u32, found: u32 },
    #[error(
        "{} holds {found} where {wanted} are wanted; the image and label files seem to be exchanged, so rename them",
        path.display()
    )]
    IdxExchanged { path: PathBuf, wanted: &'static str, found: &'static str },
    #[error("{} holds images of {rows}x{columns} pixels; only 28x28 can be used", path.display())]
    IdxShape { path: PathBuf, rows: u32, columns: u32 },
    #[error(
        "{} is cut off: it should have {wanted} bytes when unpacked and has {found}; get it again",
        path.display()
    )]
    IdxTruncated { path: PathBuf, wanted: u64, found: u64 },
    #[error("{} goes on for {extra} bytes after its last record; get it again", path.display())]
    IdxTrailing { path: PathBuf, extra: u64 },
    #[error(
        "{} holds {images} images but {} holds {labels} labels; use two files that belong together",
        images_path.display(),
        labels_path.display()
    )]
    IdxCounts { images_path: PathBuf, images: usize, labels_path: PathBuf, labels: usize },
    #[error(
        "record {record} of {} has the label {label}, but there are only the classes 0 to {last}; get the file again",
        path.display()
    )]
    Label { path: PathBuf, record: usize, label: u8, last: usize },

    #[error(
        "line {line} of {} has {found} fields where the {other} line has {wanted}; make all lines alike",
        path.display()
    )]
    CsvRagged { path: PathBuf, line: usize, found: usize, wanted: usize, other: &'static str },
    #[error(
        "{} has only one column; separate its cells by commas, semicolons, tabs, vertical bars or blanks",
        path.display()
    )]
    CsvOneColumn { path: PathBuf },
    #[error("{} has no column '{target}'; its columns are {columns}", path.display())]
    CsvNoTarget { path: PathBuf, target: String, columns: String },
    #[error(
        "{} has no column '{column}', which the model looks at; its columns are {columns}",
        path.display()
    )]
    LacksColumn { path: PathBuf, column: String, columns: String },
    #[error(
        "{} has {found} columns and the model's training table had {wanted}; where columns have no names, all must \
         be there in the same order, the target's too (its cells are not looked at)",
        path.display()
    )]
    OtherWidth { path: PathBuf, found: usize, wanted: usize },
    #[error(
        "{} has no header line and {width} columns, so '{target}' names none of them; give the target column as a \
         number from 1 to {width}",
        path.display()
    )]
    CsvNoHeader { path: PathBuf, target: String, width: usize },
    #[error(
        "the target column {column} of {} has no value to learn in line {line}, where the cell is {found}; fill or \
         remove such rows, {count} in all",
        path.display()
    )]
    CsvTargetMissing { path: PathBuf, column: String, count: usize, line: usize, found: String },
    #[error(
        "the target {column} of {} has {count} different values in {records} records, too many for classes; choose \
         another target, or regression where they are numbers",
        path.display()
    )]
    TargetNotClasses { path: PathBuf, column: String, count: usize, records: usize },
    #[error(
        "the target {column} of {} is to be a number, but {count} of its cells are none, such as '{cell}' in line \
         {line}; correct or remove these rows, or choose classification",
        path.display()
    )]
    TargetNotNumbers { path: PathBuf, column: String, count: usize, cell: String, line: usize },
    #[error(
        "'{cell}' in the target column {column}, line {line} of {}, is beyond the largest number of double precision; \
         correct it, divide the column, or choose classification",
        path.display()
    )]
    TooLargeTarget { path: PathBuf, line: usize, column: String, cell: String },
    #[error(
        "the values of the target {column} of {} are too {size} to be squared in double precision, as measuring errors \
         needs; {remedy} the column by a power of ten",
        path.display()
    )]
    TargetSize { path: PathBuf, column: String, size: &'static str, remedy: &'static str },
    #[error("all records of {} have the target {number}; there is nothing to learn", path.display())]
    OneNumber { path: PathBuf, number: f64 },
    #[error("no target column was given for {}; choose one of its columns {columns}", path.display())]
    NoTarget { path: PathBuf, columns: String },
    #[error(
        "{} has two columns named '{column}', so neither can be told from the other; rename one, or say that there \
         is no header line if the first line is a record",
        path.display()
    )]
    RepeatedName { path: PathBuf, column: String },
    #[error("the quote that opens in line {line} of {} is never closed; close it or take it out", path.display())]
    OpenQuote { path: PathBuf, line: usize },
    #[error(
        "'{cell}' in column '{column}', line {line} of {}, is beyond the largest number of double precision; correct \
         it, or give it as a missing value",
        path.display()
    )]
    TooLargeNumber { path: PathBuf, line: usize, column: String, cell: String },
    #[error(
        "column '{column}' of {} holds a value so far from the others that it overflows {precision} when it is \
         standardised; correct it, or give it as a missing value",
        path.display()
    )]
    Overflow { path: PathBuf, column: String, precision: Precision },
    #[error("there is no {what} '{word}'; use one of {known}")]
    Word { what: &'static str, word: String, known: &'static str },
    #[error("all records of {} belong to the class '{class}'; at least two classes are needed", path.display())]
    OneClass { path: PathBuf, class: String },
    #[error(
        "{} has no usable input column: apart from the target all columns are empty, constant or hold only texts \
         that differ in every training row; add inputs",
        path.display()
    )]
    CsvNoInputs { path: PathBuf },

    #[error("{} has labels of more than two classes; give a file of two", path.display())]
    NotTwoClasses { path: PathBuf },
    #[error("{} has no inputs: all its lines hold a label alone; add inputs", path.display())]
    NoInputs { path: PathBuf },
    #[error(
        "{} stands where the test part of {} is looked for, but is {found}; put the file of the test part there, or \
         take it away",
        path.display(),
        beside.display()
    )]
    TestPart { path: PathBuf, beside: PathBuf, found: &'static str },
    #[error("line {line} of {}: {problem}; each line must be `label index:value ...`", path.display())]
    LibsvmLine { path: PathBuf, line: usize, problem: String },

    #[error(
        "{} has {found} bytes when unpacked, which are no whole records of {record} bytes; get it again",
        path.display()
    )]
    CifarLength { path: PathBuf, found: usize, record: usize },

    #[error("{} ends in the middle of its data; it is cut off, so get it again", path.display())]
    MatTruncated { path: PathBuf },
    #[error("{} is damaged ({problem}); get it again", path.display())]
    MatDamaged { path: PathBuf, problem: &'static str },
    #[error(
        "{} is a MATLAB file of version 7.3 (HDF5), and only those of version 5 can be read; save it in MATLAB with \
         the option -v7",
        path.display()
    )]
    MatVersion { path: PathBuf },
    #[error(
        "{} is not a MATLAB file of version 5 with little-endian numbers; put the right file there",
        path.display()
    )]
    MatOther { path: PathBuf },
    #[error("{} holds no array of numbers called '{name}'; put the right file there", path.display())]
    MatVariable { path: PathBuf, name: &'static str },
    #[error("'{name}' in {} is {found}, not {wanted}; put the right file there", path.display())]
    SvhnShape { path: PathBuf, name: &'static str, wanted: &'static str, found: String },
    #[error("{} holds {images} images but {labels} labels; get it again", path.display())]
    SvhnCounts { path: PathBuf, images: usize, labels: usize },
    #[error(
        "record {record} of {} has the label {label}, but the labels are the numbers 1 to 10; get the file again",
        path.display()
    )]
    SvhnLabel { path: PathBuf, record: usize, label: f64 },

    #[error("images cannot have sides of 0 pixels; give a side of at least 1")]
    ImageSide,
    #[error("{} has no folders of images; put a folder for each class there", path.display())]
    NoImageFolders { path: PathBuf },
    #[error("{} holds no images; put JPEG or PNG files there or remove the folder", path.display())]
    NoImages { path: PathBuf },
    #[error(
        "{} is of the class '{class}', of which there is no training image; remove the folder or put such images into \
         the training part",
        path.display()
    )]
    ImageClass { path: PathBuf, class: String },
    #[error("the name of {} is not text; rename it", path.display())]
    ImageName { path: PathBuf },
    #[error("{} cannot be used as an image: {problem}; replace or remove it", path.display())]
    Image { path: PathBuf, problem: String },

    #[error(
        "{} holds {tokens} tokens, too few to keep 5 % for validation and 5 % for testing; give a longer text",
        path.display()
    )]
    ShortText { path: PathBuf, tokens: usize },

    #[error(
        "{} has {sources} sentences but {} has {targets}; use two files that belong together",
        source_path.display(),
        target_path.display()
    )]
    SentenceCounts { source_path: PathBuf, sources: usize, target_path: PathBuf, targets: usize },
    #[error("line {line} of {} is empty; give a sentence, or take it out of both files", path.display())]
    EmptySentence { path: PathBuf, line: usize },
    #[error(
        "{size} tokens are too few for the {characters} characters of the sentences and the special tokens; allow at \
         least {least}"
    )]
    EncodingSize { size: usize, least: usize, characters: usize },

    #[error(
        "there are {hypotheses} hypotheses but {references} references; give one reference for each hypothesis"
    )]
    BleuCounts { hypotheses: usize, references: usize },

    #[error("line {line} of {}: {problem}; correct the line or get the file again", path.display())]
    SheetLine { path: PathBuf, line: usize, problem: String },
    #[error(
        "{} has {found} records but {} beside it has {wanted}; use two files that belong together",
        path.display(),
        beside.display()
    )]
    SheetCounts { path: PathBuf, found: usize, beside: PathBuf, wanted: usize },
    #[error(
        "the files of the data set {name} hold {found} instead of {wanted}; put the whole files of its publisher there"
    )]
    OtherCounts { name: &'static str, found: Counts, wanted: Counts },
    #[error(
        "the data set {name} has too few records of the class '{class}' to keep {} % of them for validation and \
         {} % for testing; use larger shares",
        validation * 100.0,
        test * 100.0
    )]
    ClassAbsent { name: &'static str, class: String, validation: f64, test: f64 },

    #[error(
        "cannot keep {validation} of the records for validation and {test} for testing; give two fractions of at \
         least 0 whose sum is below 1"
    )]
    Fractions { validation: f64, test: f64 },
    #[error(
        "{records} records in {classes} classes are too few to keep {} % for validation and {} % for testing; \
         use more records",
        validation * 100.0,
        test * 100.0
    )]
    TooFew { records: usize, classes: usize, validation: f64, test: f64 },

    #[error("there is no data set named '{name}'; the names are {known}")]
    UnknownName { name: String, known: String },
    #[error(
        "the data set {name} is not complete: {} lacks {missing} (with or without .gz or .xz); run \
         `secant data fetch {name} --data-dir {}` to download what is lacking",
        data_dir.join(name).display(),
        data_dir.display()
    )]
    NotFetched { name: &'static str, data_dir: PathBuf, missing: String },
    #[error("{url} lacks {missing}; give another address with the same archive")]
    ArchiveLacks { url: String, missing: String },
    #[error(
        "cannot unpack {url}: {reason}; try again, or give another address with the same archive"
    )]
    Archive { url: String, reason: io::Error },
    #[error(
        "the data set {name} is not complete: {} lacks {missing} (with or without .gz or .xz); put what is lacking \
         there, since it cannot be fetched",
        data_dir.display()
    )]
    NotThere { name: &'static str, data_dir: PathBuf, missing: String },

    #[error(
        "cannot download {url}: {reason}; check the network, or give another address with the same files"
    )]
    Download { url: String, reason: String },
    #[error(
        "{url} ended after {found} of {wanted} bytes; try again, or give another address with the same files"
    )]
    DownloadShort { url: String, wanted: u64, found: u64 },
    #[error(
        "{url} is longer than the {wanted} bytes expected; give another address with the same files"
    )]
    DownloadLong { url: String, wanted: u64 },
    #[error(
        "{url} has the SHA-256 {found} instead of {wanted}, so it was not kept; try again, or give another address \
         with the same files"
    )]
    Checksum { url: String, wanted: &'static str, found: String },
    #[error("cannot write {}: {reason}; check that the folder may be written and the disk is not full", path.display())]
    Write { path: PathBuf, reason: io::Error },
}

impl DataError {
    /// The error for a word that is none of the known ones.
    pub(crate) fn word(what: &'static str, word: &str, known: &'static str) -> Self {
        Self::Word { what, word: word.to_owned(), known }
    }
}
