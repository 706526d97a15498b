//! Points that fill a cube evenly however many of them are taken: the additive recurrence with the
//! powers of the generalised golden ratio (Roberts 2018, "R sequence").

/// Point `number`, from 0, of the cube of so many dimensions; each coordinate is in 0..1.
pub(crate) fn point(number: usize, dimensions: usize) -> Vec<f64> {
    // phi is the root above 1 of x^(d + 1) = x + 1.
    let power = 1.0 / (dimensions as f64 + 1.0);
    let phi = (0..64).fold(2.0f64, |phi, _| (1.0 + phi).powf(power));
    (1..=dimensions as i32).map(|k| (0.5 + (number as f64 + 1.0) * phi.powi(-k)).fract()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_one_dimension_the_step_is_the_golden_ratio() {
        let golden = (5f64.sqrt() - 1.0) / 2.0;
        assert!((point(0, 1)[0] - (0.5 + golden).fract()).abs() < 1e-12);
    }

    #[test]
    fn every_cell_of_a_grid_is_hit_by_few_points() {
        let mut hit = [[false; 4]; 4];
        for number in 0..40 {
            let at = point(number, 2);
            hit[(at[0] * 4.0) as usize][(at[1] * 4.0) as usize] = true;
        }
        assert!(hit.as_flattened().iter().all(|hit| *hit), "{hit:?}");
    }
}
