//! California housing: the median value of houses in 20,640 districts, to be learned from eight
//! numbers about each (Pace and Barry, 1997).

use std::path::{Path, PathBuf};

use crate::bytes;
use crate::description::Loaded;
use crate::error::DataError;
use crate::numbers::Precision;
use crate::split::Fractions;
use crate::table::{TableOptions, load_table};
use crate::target::Task;

/// The name of the data set.
pub const NAME: &str = "cal_housing";

/// The file below the data folder, without `.gz`.
pub const FILE: &str = "small-tabular/cal_housing.arff";

/// The column to be learned.
pub const TARGET: &str = "medianHouseValue";

/// The file in `data_dir`, packed or not.
fn file(data_dir: &Path) -> Option<PathBuf> {
    bytes::find(&data_dir.join(FILE))
}

/// Whether the file is in `data_dir`.
pub(crate) fn is_complete(data_dir: &Path) -> bool {
    file(data_dir).is_some()
}

/// Loads the data set from `data_dir`, cut at random.
pub fn load(
    data_dir: &Path,
    precision: Precision,
    fractions: Fractions,
    seed: u64,
) -> Result<Loaded, DataError> {
    let Some(path) = file(data_dir) else {
        let (data_dir, missing) = (data_dir.to_path_buf(), FILE.to_owned());
        return Err(DataError::NotThere { name: NAME, data_dir, missing });
    };
    let options = TableOptions {
        target: Some(TARGET.to_owned()),
        task: Task::Regression,
        precision,
        ..TableOptions::default()
    };
    load_table(&path, &options, fractions, seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Targets;
    use crate::testing::{folder, real};

    const SHARES: Fractions = Fractions { validation: 0.1, test: 0.2 };

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let message = load(folder().path(), Precision::F32, SHARES, 0).unwrap_err().to_string();
        assert!(message.contains("lacks small-tabular/cal_housing.arff"), "{message}");
    }

    #[test]
    #[ignore = "needs small-tabular/cal_housing.arff.gz in SECANT_DATA"]
    fn the_real_file_has_its_records_inputs_and_values_and_would_be_known_as_a_regression() {
        let path = real("small-tabular/cal_housing.arff.gz");
        let data_dir = path.parent().and_then(Path::parent).unwrap();
        let splits = load(data_dir, Precision::F32, SHARES, 0).unwrap().splits;
        let parts = splits.parts().map(|(_, part)| part.len());
        assert_eq!(parts.iter().sum::<usize>(), 20_640);
        assert_eq!(splits.train.record_shape, [8]);
        let Targets::Numbers(values) = &splits.train.targets else { panic!("a regression") };
        assert!(values.iter().all(|value| (14_999.0..=500_001.0).contains(value)));
        let options = TableOptions { target: Some(TARGET.to_owned()), ..TableOptions::default() };
        let auto = load_table(&path, &options, SHARES, 0).unwrap();
        assert!(matches!(auto.splits.train.targets, Targets::Numbers(_)));
    }
}
