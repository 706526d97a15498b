//! Wilcoxon's signed ranks: an interval for the middle of differences that no single seed can spoil.
//!
//! Of n differences, the means of all pairs (each with itself too) are taken and sorted. Their median is Hodges
//! and Lehmann's estimate of the middle; the k-th from either end are an interval, whose confidence follows
//! exactly from the distribution of the signed-rank statistic if the differences lie symmetrically about
//! their middle. (Hollander, Wolfe and Chicken, *Nonparametric Statistical Methods*, 2014, section 3.)

use super::median;

/// A middle with the ends of its interval.
pub(super) type Middle = [f64; 3];

/// More differences than these are as good as normal, and the pairs get many.
const MOST: usize = 100;

/// The middle of the differences and the ends of an interval that leaves out at most `tail` to either side;
/// `None` where they are too few for any, or very many.
pub(super) fn middle(differences: &[f64], tail: f64) -> Option<Middle> {
    if differences.len() > MOST {
        return None;
    }
    let place = place_from_the_end(differences.len(), tail)?;
    let pairs = differences.iter().enumerate();
    let mut means: Vec<f64> =
        pairs.flat_map(|(at, a)| differences[at..].iter().map(move |b| 0.5 * (a + b))).collect();
    means.sort_by(f64::total_cmp);
    Some([median(&means)?, means[place], means[means.len() - 1 - place]])
}

/// The largest place, from 0, with P(statistic <= place) <= `tail`.
fn place_from_the_end(count: usize, tail: f64) -> Option<usize> {
    let all = 2f64.powi(count as i32);
    let mut below = 0.0;
    let places = ways(count).into_iter().take_while(|ways| {
        below += ways / all;
        below <= tail
    });
    places.count().checked_sub(1)
}

/// How many subsets of the ranks 1 to `count` have the sum 0, 1, 2, ...
fn ways(count: usize) -> Vec<f64> {
    let most = count * (count + 1) / 2;
    let mut ways = vec![0.0; most + 1];
    ways[0] = 1.0;
    for rank in 1..=count {
        for sum in (rank..=most).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_tables() {
        // Hollander, Wolfe and Chicken, table A.4: P(T+ >= 47) = 0.024 of 10, so the places 0 to 8 remain.
        assert_eq!(place_from_the_end(10, 0.025), Some(8));
        assert_eq!(place_from_the_end(6, 0.025), Some(0));
        assert_eq!(place_from_the_end(5, 0.025), None);
        // Their example 3.1, depression factors of nine patients: the middle is -0.46.
        let differences = [-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010];
        let [estimate, low, high] = middle(&differences, 0.025).expect("a middle");
        assert!((estimate + 0.46).abs() < 1e-12, "{estimate}");
        // P(T+ <= 5) = 0.0195, so the sixth of the 45 means from either end.
        assert!((low + 0.786).abs() < 1e-12 && (high + 0.010).abs() < 1e-12, "{low}, {high}");
    }

    #[test]
    fn one_seed_that_fails_leaves_a_difference_of_all_others_decided() {
        let mut differences: Vec<f64> = (0..10).map(|k| -0.02 - 0.001 * f64::from(k)).collect();
        differences[3] = -0.8;
        let [_, _, high] = middle(&differences, 0.025 / 11.0).expect("a middle");
        assert!(high < 0.0);
    }

    #[test]
    fn turning_the_signs_turns_the_interval() {
        let differences = [0.3, -0.1, 0.25, 0.7, 0.11, -0.05, 0.4];
        let [estimate, low, high] = middle(&differences, 0.025).expect("a middle");
        let turned = middle(&differences.map(|d| -d), 0.025).expect("a middle");
        assert_eq!(turned, [-estimate, -high, -low]);
    }
}
