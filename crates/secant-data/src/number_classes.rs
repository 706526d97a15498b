//! Classes whose names are numbers.

/// More different numbers than this are taken for measurements, not classes.
const MOST: usize = 50;

/// The class of each value, and the class names in ascending order of their numbers; the count of
/// different values where there are more than 50.
pub(super) fn number_classes(values: &[f64]) -> Result<(Vec<u32>, Vec<String>), usize> {
    // Adding zero makes -0 and 0 one class.
    let mut distinct: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() > MOST {
        return Err(distinct.len());
    }
    let class = |value: &f64| distinct.partition_point(|other| other < value) as u32;
    let labels = values.iter().map(class).collect();
    Ok((labels, distinct.iter().map(f64::to_string).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_sorted_by_number_and_not_by_text() {
        let (labels, classes) = number_classes(&[10.0, -1.0, 2.0, -1.0, 2.5]).unwrap();
        assert_eq!(classes, ["-1", "2", "2.5", "10"]);
        assert_eq!(labels, [3, 0, 1, 0, 2]);
    }

    #[test]
    fn the_two_zeros_are_one_class() {
        assert_eq!(number_classes(&[-0.0, 0.0]).unwrap(), (vec![0, 0], vec!["0".to_owned()]));
    }

    #[test]
    fn fifty_values_are_classes_and_fifty_one_are_not() {
        let values: Vec<f64> = (0..51).map(f64::from).collect();
        assert!(number_classes(&values[..50]).is_ok());
        assert_eq!(number_classes(&values), Err(51));
    }
}
