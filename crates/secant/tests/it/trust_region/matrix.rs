//! The L-SR1 matrix against the dense recursion, and its minimiser.

use super::*;

/// B as columns, by the SR1 formula on the pairs that are `accepted`.
fn recursion(gamma: f64, pairs: &[(Vec<f64>, Vec<f64>)], accepted: &[usize]) -> Vec<Vec<f64>> {
    let n = pairs[0].0.len();
    let unit = |i: usize| (0..n).map(|j| if i == j { gamma } else { 0.0 }).collect();
    let mut b: Vec<Vec<f64>> = (0..n).map(unit).collect();
    for &j in accepted {
        let (s, y) = &pairs[j];
        let bs: Vec<f64> = b.iter().map(|row| dot(row, s)).collect();
        let r = minus(y, &bs);
        let sr = dot(s, &r);
        for (row, ri) in b.iter_mut().zip(&r) {
            row.iter_mut().zip(&r).for_each(|(entry, rj)| *entry += ri * rj / sr);
        }
    }
    b
}

/// Compares B v with the recursion for every unit vector v; the pairs that B is built from.
fn compare<T: Real>(
    matrix: &LSr1,
    pairs: &[(Vec<f64>, Vec<f64>)],
    gamma: f64,
    tolerance: f64,
) -> Vec<usize> {
    let tolerances = if T::dtype() == DType::F64 { Tolerances::F64 } else { Tolerances::F32 };
    let n = pairs[0].0.len();
    let accepted = matrix.build(&blocks::<T>(&vec![0.0; n]), gamma, tolerances).expect("built");
    let accepted = accepted.accepted().to_vec();
    let dense = recursion(gamma, pairs, &accepted);
    let scale = largest(dense.iter().flatten());
    for (i, column) in dense.iter().enumerate() {
        let mut unit = vec![0.0; n];
        unit[i] = 1.0;
        let ours = matrix.apply(&blocks::<T>(&unit), gamma, tolerances).expect("applied");
        let error = largest(&minus(&numbers(&ours), column));
        assert!(error <= tolerance * scale, "{error:e} of {scale:e}, {} pairs", pairs.len());
    }
    accepted
}

/// Pairs of an indefinite quadratic with some noise, all in `T`.
fn pair<T: Real>(draws: &mut Numbers, n: usize) -> (Vec<f64>, Vec<f64>) {
    let round = |x: f64| T::of(x).wide();
    let s: Vec<f64> = draws.vector(n).into_iter().map(round).collect();
    let bend = |i: usize| if i.is_multiple_of(2) { 2.0 + i as f64 } else { -1.0 };
    let y = s.iter().enumerate().map(|(i, s)| round(bend(i) * s + 0.3 * draws.next()));
    let y = y.collect();
    (s, y)
}

fn the_matrix_is_the_recursion<T: Real>(tolerance: f64) {
    let (n, capacity, gamma) = (9, 4, 0.4);
    let mut draws = Numbers::new(5);
    let mut matrix = LSr1::new(capacity);
    let mut pairs: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    let push = |matrix: &mut LSr1, pairs: &mut Vec<_>, pair: (Vec<f64>, Vec<f64>)| {
        assert!(matrix.push(blocks::<T>(&pair.0), blocks::<T>(&pair.1)));
        if pairs.len() == capacity {
            pairs.remove(0);
        }
        pairs.push(pair);
        compare::<T>(matrix, pairs, gamma, tolerance)
    };
    // Twice through the ring.
    for count in 1..=9 {
        let accepted = push(&mut matrix, &mut pairs, pair::<T>(&mut draws, n));
        assert_eq!(accepted.len(), capacity.min(count));
    }
    // The newest pair once more, in another length, is explained already: stored, and left out.
    let newest = pairs[capacity - 1].clone();
    let twice = |v: &Vec<f64>| v.iter().map(|x| 2.0 * x).collect::<Vec<f64>>();
    let accepted = push(&mut matrix, &mut pairs, (twice(&newest.0), twice(&newest.1)));
    assert_eq!(accepted, [0, 1, 2]);
    // What is not finite is not stored.
    let before = (matrix.len(), matrix.gram().clone());
    assert!(!matrix.push(blocks::<T>(&vec![f64::NAN; n]), blocks::<T>(&newest.1)));
    assert_eq!((matrix.len(), matrix.gram()), (before.0, &before.1));
    compare::<T>(&matrix, &pairs, gamma, tolerance);
    // After a reset it is as new.
    matrix.reset();
    pairs.clear();
    for _ in 0..6 {
        push(&mut matrix, &mut pairs, pair::<T>(&mut draws, n));
    }
}

#[test]
fn the_matrix_is_the_dense_recursion_through_the_ring_a_skipped_pair_and_a_reset() {
    // Rounding, times what four updates of noisy pairs lose; of f32 data, that of B v in f32.
    the_matrix_is_the_recursion::<f64>(1e-11);
    the_matrix_is_the_recursion::<f32>(1e-4);
}

#[test]
fn the_minimiser_in_the_hard_case_follows_negative_curvature_to_the_boundary() {
    for single in [false, true] {
        // B = diag(1, 1, -2, 1): e3 is an eigenvector, and g has no part along it.
        let of = |values: [f64; 4]| {
            if single { blocks::<f32>(&values) } else { blocks::<f64>(&values) }
        };
        let mut matrix = LSr1::new(3);
        assert!(matrix.push(of([0.0, 0.0, 1.0, 0.0]), of([0.0, 0.0, -2.0, 0.0])));
        let tolerances = if single { Tolerances::F32 } else { Tolerances::F64 };
        let g = of([0.5, 0.0, 0.0, 0.0]);
        let best = matrix.minimise(&g, 2.0, 1.0, tolerances).expect("solved");
        assert_eq!((best.case, best.accepted), (Case::Hard, vec![0]));
        // p_hat = -g / (1 + 2), the rest of the radius along e3.
        let p = numbers(&best.step);
        let hat = -0.5 / 3.0;
        let expected = [hat, 0.0, (4.0f64 - hat * hat).sqrt(), 0.0];
        let expected = if p[2] < 0.0 { [hat, 0.0, -expected[2], 0.0] } else { expected };
        assert!(norm(&minus(&p, &expected)) < 1e-6, "{p:?}");
        // Q(p) = g.p / 2 - sigma |p|^2 / 2.
        assert!((best.model_value - (0.5 * 0.5 * hat - 4.0)).abs() < 1e-12);

        // Where gamma is the smallest eigenvalue, it is all that is orthogonal to the pairs.
        let mut matrix = LSr1::new(3);
        assert!(matrix.push(of([1.0, 0.0, 0.0, 0.0]), of([3.0, 0.0, 0.0, 0.0])));
        let best = matrix.minimise(&g, 2.0, -1.0, tolerances).expect("solved");
        let p = numbers(&best.step);
        assert_eq!((best.case, best.lambda_min), (Case::Hard, -1.0));
        assert!((norm(&p) - 2.0).abs() < 1e-6 && (p[0] + 0.5 / 4.0).abs() < 1e-6, "{p:?}");
    }
}
