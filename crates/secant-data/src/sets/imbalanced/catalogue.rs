//! The data sets: their counts, their files, and which records are positive.

use super::layout::{Format, Layout, Positive};
use super::{ImbalancedSet, Source};
use crate::arff::fields::Separator;
use crate::sets::Counts;

const COMMA: Separator = Separator::Character(',');
const BLANKS: Separator = Separator::Blanks;

/// The sets of Ding (2011) by their names in imbalanced-learn, in its order; protein_homo is
/// not among them, since its file was not to be had.
pub static IMBALANCED: [ImbalancedSet; 26] = [
    ImbalancedSet {
        name: "ecoli",
        line: "E. coli proteins; those of the inner membrane with an uncleavable signal",
        counts: Counts { records: 336, inputs: 7, positives: 35 },
        source: Source::Table(Layout {
            files: &[&["ecoli.data"]],
            format: Format::Plain(BLANKS),
            width: 9,
            inputs: 1..8,
            positive: Positive::Text(8, &["imU"]),
        }),
    },
    ImbalancedSet {
        name: "optical_digits",
        line: "8 x 8 pixels of a written digit; eights",
        counts: Counts { records: 5_620, inputs: 64, positives: 554 },
        source: Source::Table(Layout {
            files: &[&["optdigits.arff"]],
            format: Format::Arff,
            width: 65,
            inputs: 0..64,
            positive: Positive::Text(64, &["8"]),
        }),
    },
    ImbalancedSet {
        name: "satimage",
        line: "Neighbouring pixels of a satellite image; damp grey soil",
        counts: Counts { records: 6_435, inputs: 36, positives: 626 },
        source: Source::Table(Layout {
            files: &[&["sat.trn"], &["sat.tst"]],
            format: Format::Plain(BLANKS),
            width: 37,
            inputs: 0..36,
            positive: Positive::Text(36, &["4"]),
        }),
    },
    ImbalancedSet {
        name: "pen_digits",
        line: "Eight points of the pen that wrote a digit; fives",
        counts: Counts { records: 10_992, inputs: 16, positives: 1_055 },
        source: Source::Table(Layout {
            files: &[&["pendigits.arff"]],
            format: Format::Arff,
            width: 17,
            inputs: 0..16,
            positive: Positive::Text(16, &["5"]),
        }),
    },
    ImbalancedSet {
        name: "abalone",
        line: "Sizes of abalones; those of 7 rings",
        counts: Counts { records: 4_177, inputs: 10, positives: 391 },
        source: Source::Table(Layout {
            files: &[&["abalone.data"]],
            format: Format::Plain(COMMA),
            width: 9,
            inputs: 0..8,
            positive: Positive::Text(8, &["7"]),
        }),
    },
    ImbalancedSet {
        name: "sick_euthyroid",
        line: "Thyroid patients; the sick euthyroid",
        counts: Counts { records: 3_163, inputs: 42, positives: 293 },
        source: Source::Table(Layout {
            files: &[&["sick-euthyroid.data"]],
            format: Format::Plain(COMMA),
            width: 26,
            inputs: 0..25,
            positive: Positive::Text(25, &["sick-euthyroid"]),
        }),
    },
    ImbalancedSet {
        name: "spectrometer",
        line: "Infra-red spectra of stars; class 44 and above",
        counts: Counts { records: 531, inputs: 93, positives: 45 },
        source: Source::Table(Layout {
            files: &[&["spectrometer.arff"]],
            format: Format::Arff,
            width: 103,
            inputs: 10..103,
            positive: Positive::Number(1, |class| class >= 44.0),
        }),
    },
    ImbalancedSet {
        name: "car_eval_34",
        line: "Nominal traits of cars; good and very good buys",
        counts: Counts { records: 1_728, inputs: 21, positives: 134 },
        source: Source::Table(Layout {
            files: &[&["car.arff"]],
            format: Format::Arff,
            width: 7,
            inputs: 0..6,
            positive: Positive::Text(6, &["good", "vgood"]),
        }),
    },
    ImbalancedSet {
        name: "isolet",
        line: "Spoken letters; A and B",
        counts: Counts { records: 7_797, inputs: 617, positives: 600 },
        source: Source::Table(Layout {
            files: &[&["isolet1234.csv"], &["isolet5.csv"]],
            format: Format::Plain(COMMA),
            width: 618,
            inputs: 0..617,
            positive: Positive::Text(617, &["1", "2"]),
        }),
    },
    ImbalancedSet {
        name: "us_crime",
        line: "Communities of the United States; those of much violent crime",
        counts: Counts { records: 1_994, inputs: 100, positives: 150 },
        source: Source::Table(Layout {
            files: &[&["communities.data"]],
            format: Format::Plain(COMMA),
            width: 128,
            inputs: 5..127,
            positive: Positive::Number(127, |crime| crime > 0.65),
        }),
    },
    ImbalancedSet {
        name: "yeast_ml8",
        line: "Yeast genes; those of function 8, counted from 0",
        counts: Counts { records: 2_417, inputs: 103, positives: 178 },
        source: Source::Table(Layout {
            files: &[&["yeast-ml-train.arff"], &["yeast-ml-test.arff"]],
            format: Format::Arff,
            width: 117,
            inputs: 0..103,
            positive: Positive::Number(111, |holds| holds == 1.0),
        }),
    },
    ImbalancedSet {
        name: "scene",
        line: "Colours of pictures; those that show more than one kind of scene",
        counts: Counts { records: 2_407, inputs: 294, positives: 177 },
        source: Source::Table(Layout {
            files: &[&["scene-train.csv"], &["scene-test.csv"]],
            format: Format::Plain(COMMA),
            width: 300,
            inputs: 0..294,
            positive: Positive::Several(294..300),
        }),
    },
    ImbalancedSet {
        name: "libras_move",
        line: "Hand movements of Brazilian sign language; the first of fifteen",
        counts: Counts { records: 360, inputs: 90, positives: 24 },
        source: Source::Table(Layout {
            files: &[&["movement_libras.dat"]],
            format: Format::Arff,
            width: 91,
            inputs: 0..90,
            positive: Positive::Text(90, &["1"]),
        }),
    },
    ImbalancedSet {
        name: "thyroid_sick",
        line: "Thyroid patients; the sick",
        counts: Counts { records: 3_772, inputs: 52, positives: 231 },
        source: Source::Table(Layout {
            files: &[&["sick.arff"]],
            format: Format::Arff,
            width: 30,
            inputs: 0..29,
            positive: Positive::Text(29, &["sick"]),
        }),
    },
    ImbalancedSet {
        name: "coil_2000",
        line: "Customers of an insurer; those who insure a caravan",
        counts: Counts { records: 9_822, inputs: 85, positives: 586 },
        source: Source::Table(Layout {
            files: &[&["ticdata2000.txt"], &["ticeval2000.txt", "tictgts2000.txt"]],
            format: Format::Plain(BLANKS),
            width: 86,
            inputs: 0..85,
            positive: Positive::Text(85, &["1"]),
        }),
    },
    ImbalancedSet {
        name: "arrhythmia",
        line: "Electrocardiograms; a slow sinus rhythm",
        counts: Counts { records: 452, inputs: 278, positives: 25 },
        source: Source::Table(Layout {
            files: &[&["arrhythmia.arff"]],
            format: Format::Arff,
            width: 280,
            inputs: 0..279,
            positive: Positive::Text(279, &["6"]),
        }),
    },
    ImbalancedSet {
        name: "solar_flare_m0",
        line: "Regions of the sun; those that bring an M-class flare",
        counts: Counts { records: 1_389, inputs: 32, positives: 68 },
        source: Source::Table(Layout {
            files: &[&["solar.flare1.arff"], &["solar.flare2.arff"]],
            format: Format::Arff,
            width: 13,
            inputs: 0..10,
            positive: Positive::Number(11, |flares| flares > 0.0),
        }),
    },
    ImbalancedSet {
        name: "oil",
        line: "Dark spots in radar images of the sea; oil spills",
        counts: Counts { records: 937, inputs: 49, positives: 41 },
        source: Source::Table(Layout {
            files: &[&["oil-spill.csv"]],
            format: Format::Plain(COMMA),
            width: 50,
            inputs: 0..49,
            positive: Positive::Text(49, &["1"]),
        }),
    },
    ImbalancedSet {
        name: "car_eval_4",
        line: "Nominal traits of cars; very good buys",
        counts: Counts { records: 1_728, inputs: 21, positives: 65 },
        source: Source::Table(Layout {
            files: &[&["car.arff"]],
            format: Format::Arff,
            width: 7,
            inputs: 0..6,
            positive: Positive::Text(6, &["vgood"]),
        }),
    },
    ImbalancedSet {
        name: "wine_quality",
        line: "Measurements of white wines; quality of at most 4",
        counts: Counts { records: 4_898, inputs: 11, positives: 183 },
        source: Source::Table(Layout {
            files: &[&["winequality-white.csv"]],
            format: Format::Headed(Separator::Character(';')),
            width: 12,
            inputs: 0..11,
            positive: Positive::Number(11, |quality| quality <= 4.0),
        }),
    },
    ImbalancedSet {
        name: "letter_img",
        line: "Measures of printed letters; Z",
        counts: Counts { records: 20_000, inputs: 16, positives: 734 },
        source: Source::Table(Layout {
            files: &[&["letter.arff"]],
            format: Format::Arff,
            width: 17,
            inputs: 0..16,
            positive: Positive::Text(16, &["Z"]),
        }),
    },
    ImbalancedSet {
        name: "yeast_me2",
        line: "Yeast proteins; those of the membrane with an uncleaved signal",
        counts: Counts { records: 1_484, inputs: 8, positives: 51 },
        source: Source::Table(Layout {
            files: &[&["yeast.data"]],
            format: Format::Plain(BLANKS),
            width: 10,
            inputs: 1..9,
            positive: Positive::Text(9, &["ME2"]),
        }),
    },
    ImbalancedSet {
        name: "webpage",
        line: "Words of web pages; one category against all others",
        counts: Counts { records: 34_780, inputs: 300, positives: 981 },
        source: Source::Sparse(&["libsvm/w7a", "libsvm/w7a.t"]),
    },
    ImbalancedSet {
        name: "ozone_level",
        line: "Weather of days in Houston; those of much ozone in an hour",
        counts: Counts { records: 2_536, inputs: 72, positives: 73 },
        source: Source::Table(Layout {
            files: &[&["onehr.data"]],
            format: Format::Headed(COMMA),
            width: 74,
            inputs: 1..73,
            positive: Positive::Number(73, |ozone| ozone == 1.0),
        }),
    },
    ImbalancedSet {
        name: "mammography",
        line: "Spots in mammograms; microcalcifications",
        counts: Counts { records: 11_183, inputs: 6, positives: 260 },
        source: Source::Table(Layout {
            files: &[&["mammography.csv"]],
            format: Format::Plain(COMMA),
            width: 7,
            inputs: 0..6,
            positive: Positive::Text(6, &["1"]),
        }),
    },
    ImbalancedSet {
        name: "abalone_19",
        line: "Sizes of abalones; those of 19 rings",
        counts: Counts { records: 4_177, inputs: 10, positives: 32 },
        source: Source::Table(Layout {
            files: &[&["abalone.data"]],
            format: Format::Plain(COMMA),
            width: 9,
            inputs: 0..8,
            positive: Positive::Text(8, &["19"]),
        }),
    },
];
