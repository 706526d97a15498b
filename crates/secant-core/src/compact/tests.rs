//! The compact matrix against the dense recursion.

use super::*;
use crate::{
    dense::{
        DenseProblem, Matrix, Vector, new_products, random_symmetric, random_vector, worse,
        worst_cosine,
    },
    rng::SplitMix64,
};

const N: usize = 12;

/// The matrix by unit vectors.
fn materialize(problem: &DenseProblem, matrix: &CompactSr1) -> Matrix {
    let n = problem.g.len();
    let columns: Vec<Vector> = Matrix::identity(n, n)
        .column_iter()
        .map(|e| {
            let e = e.into_owned();
            let (se, ye) = problem.products_with(&e);
            problem.combine_with(&e, &matrix.apply(&se, &ye))
        })
        .collect();
    Matrix::from_columns(&columns)
}

/// s and y = A s + noise, random.
fn noisy_pair(rng: &mut SplitMix64, hessian: &Matrix) -> (Vector, Vector) {
    let s = random_vector(rng, hessian.nrows());
    let y = hessian * &s + 0.5 * random_vector(rng, hessian.nrows());
    (s, y)
}

fn of_pairs(pairs: Vec<(Vector, Vector)>) -> DenseProblem {
    DenseProblem { g: Vector::zeros(pairs[0].0.len()), pairs }
}

/// The largest entry of the difference, over the norm of the second matrix.
fn distance(actual: &Matrix, expected: &Matrix) -> f64 {
    (actual - expected).iter().map(|x| x.abs()).fold(0.0, worse) / expected.norm().max(1.0)
}

#[test]
fn it_is_the_dense_recursion_after_every_push_also_when_old_pairs_are_dropped() {
    let mut rng = SplitMix64::new(1);
    let mut compared = 0;
    for _ in 0..200 {
        let hessian = random_symmetric(&mut rng, N);
        let gamma = f64::from(rng.range(-2.0, 2.0));
        let mut problem = of_pairs(vec![noisy_pair(&mut rng, &hessian)]);
        let mut gram = problem.gram();
        for _ in 0..8 {
            let pair = noisy_pair(&mut rng, &hessian);
            if gram.len() == 5 {
                gram.drop_oldest();
                problem.pairs.remove(0);
            }
            gram.push(&new_products(&problem.pairs, &pair));
            problem.pairs.push(pair);
            assert_eq!(gram, problem.gram());
            assert_eq!(Gram::from_numbers(gram.len(), &gram.to_numbers()).as_ref(), Some(&gram));

            let matrix = problem.build(gamma).unwrap();
            let cosine = worst_cosine(&problem, &matrix);
            if cosine < 1e-3 {
                continue;
            }
            compared += 1;
            let (dense, pivots) = problem.recursion(gamma, matrix.accepted());
            // 1e-16 times the lost digits of up to five updates, each at most 1e3, and the
            // condition number of five random columns.
            let error = distance(&materialize(&problem, &matrix), &dense);
            assert!(error <= 1e-9, "{error:e} at cosine {cosine:e}");
            for (&j, (sr, residual)) in matrix.accepted().iter().zip(pivots) {
                let test = matrix.tests()[j];
                assert!((test.sr - sr).abs() <= 1e-8 * sr.abs(), "{} != {sr}", test.sr);
                assert!((test.residual - residual).abs() <= 1e-8 * residual);
            }
            let mut values: Vec<f64> = dense.symmetric_eigenvalues().iter().copied().collect();
            values.sort_by(f64::total_cmp);
            let norm = values[0].abs().max(values[N - 1].abs());
            let mut ours = matrix.eigenvalues();
            ours.sort_by(f64::total_cmp);
            assert!((ours[0] - values[0]).abs() <= 1e-9 * norm);
            assert!((ours[ours.len() - 1] - values[N - 1]).abs() <= 1e-9 * norm);
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn the_secant_equation_holds_for_the_newest_accepted_pair() {
    let mut rng = SplitMix64::new(2);
    for _ in 0..300 {
        let hessian = random_symmetric(&mut rng, N);
        let pairs = (0..5).map(|_| noisy_pair(&mut rng, &hessian)).collect();
        let problem = of_pairs(pairs);
        let matrix = problem.build(0.7).unwrap();
        let cosine = worst_cosine(&problem, &matrix);
        let (s, y) = &problem.pairs[*matrix.accepted().last().unwrap()];
        let bs = materialize(&problem, &matrix) * s;
        // Rounding errors of 1e-16, multiplied by the digits that the worst update loses.
        assert!((bs - y).norm() <= 1e-11 / cosine * y.norm());
    }
}

#[test]
fn on_a_quadratic_it_maps_every_displacement_right_and_n_pairs_give_the_hessian() {
    let mut rng = SplitMix64::new(3);
    for _ in 0..50 {
        let hessian = random_symmetric(&mut rng, N);
        let on_quadratic = |s: Vector| (s.clone(), &hessian * s);
        let pairs: Vec<_> = (0..N).map(|_| on_quadratic(random_vector(&mut rng, N))).collect();
        let few = of_pairs(pairs[..5].to_vec());
        let matrix = few.build(0.3).unwrap();
        let b = materialize(&few, &matrix);
        let lost = 1.0 / worst_cosine(&few, &matrix);
        for (s, y) in &few.pairs {
            // As above.
            assert!((&b * s - y).norm() <= 1e-11 * lost * y.norm());
        }
        let all = of_pairs(pairs);
        let matrix = all.build(0.3).unwrap();
        assert_eq!(matrix.accepted().len(), N);
        let lost = 1.0 / worst_cosine(&all, &matrix);
        let error = distance(&materialize(&all, &matrix), &hessian);
        // Twelve random displacements have condition numbers up to 1e3, squared in Psi'Psi.
        assert!(error <= 1e-9 * lost, "{error:e}, {lost:e}");
    }
}

#[test]
fn a_pair_that_the_matrix_explains_already_is_left_out() {
    let mut rng = SplitMix64::new(4);
    for _ in 0..200 {
        let hessian = random_symmetric(&mut rng, N);
        let pairs: Vec<_> = (0..4).map(|_| noisy_pair(&mut rng, &hessian)).collect();
        let mut problem = of_pairs(pairs);
        let matrix = problem.build(0.5).unwrap();
        let before = materialize(&problem, &matrix);
        // The newest pair once more, in another length.
        let (s, y) = problem.pairs[*matrix.accepted().last().unwrap()].clone();
        problem.pairs.push((-3.0 * s, -3.0 * y));
        let again = problem.build(0.5).unwrap();
        assert_eq!(again.accepted(), matrix.accepted());
        assert_eq!(materialize(&problem, &again), before);
    }
}

#[test]
fn pairs_without_information_are_left_out() {
    let mut rng = SplitMix64::new(5);
    let (s, zero) = (random_vector(&mut rng, N), Vector::zeros(N));
    let problem = of_pairs(vec![
        (zero.clone(), zero.clone()),
        (zero.clone(), s.clone()),
        (s.clone(), 0.25 * &s),
        (Vector::repeat(N, f64::NAN), s.clone()),
        (s.clone(), Vector::repeat(N, f64::INFINITY)),
    ]);
    let matrix = problem.build(0.25).unwrap();
    assert_eq!((matrix.accepted().len(), matrix.rank()), (0, 0));
    assert_eq!(matrix.eigenvalues(), [0.25]);
    // A zero change of the gradient is information: B s = 0.
    let flat = of_pairs(vec![(s.clone(), zero)]);
    let matrix = flat.build(0.25).unwrap();
    assert_eq!(matrix.accepted(), [0]);
    assert!((materialize(&flat, &matrix) * &s).norm() <= 1e-15 * s.norm());
}

#[test]
fn a_residual_that_inner_products_do_not_resolve_is_asked_for_as_a_vector() {
    let mut rng = SplitMix64::new(6);
    let hessian = random_symmetric(&mut rng, N);
    let mut pairs: Vec<_> = (0..3).map(|_| noisy_pair(&mut rng, &hessian)).collect();
    // B s = y + a part of 1e-10: more than r2, less than the 1e-8 that inner products know.
    let (s, y) = pairs[2].clone();
    pairs.push((s, &y + 1e-10 * random_vector(&mut rng, N)));
    let problem = of_pairs(pairs);
    let mut asked = Vec::new();
    let norm_of = &mut |combination: &crate::two_loop::PairCombination| {
        asked.push(problem.combine(combination).norm());
        asked[asked.len() - 1]
    };
    let matrix = CompactSr1::build(&problem.gram(), N, 0.5, Tolerances::F64, norm_of).unwrap();
    assert_eq!(asked.len(), 1);
    assert!((1e-11..1e-8).contains(&asked[0]), "{asked:?}");
    assert_eq!(matrix.tests()[3].residual, asked[0]);
    assert!(matrix.tests()[3].accepted);
}

#[test]
fn the_lengths_of_the_pairs_do_not_matter() {
    let mut rng = SplitMix64::new(7);
    let hessian = random_symmetric(&mut rng, N);
    let problem = of_pairs((0..4).map(|_| noisy_pair(&mut rng, &hessian)).collect());
    let mut scaled = problem.clone();
    for ((s, y), exponent) in scaled.pairs.iter_mut().zip([-60, -7, 9, 80]) {
        *s *= 2f64.powi(exponent);
        *y *= 2f64.powi(exponent);
    }
    let [one, other] = [&problem, &scaled].map(|problem| problem.build(0.5).unwrap());
    // Powers of two scale without rounding.
    assert_eq!(one.eigenvalues(), other.eigenvalues());
    assert_eq!(materialize(&problem, &one), materialize(&scaled, &other));
}

#[test]
fn columns_that_depend_on_each_other_lower_the_rank() {
    let mut rng = SplitMix64::new(8);
    let direction = random_vector(&mut rng, N);
    // y - gamma s is a multiple of one direction for both pairs.
    let gamma = 0.5;
    let pairs = [1.0, 2.0].map(|factor| {
        let s = random_vector(&mut rng, N);
        let y = gamma * &s + factor * &direction;
        (s, y)
    });
    let problem = of_pairs(pairs.to_vec());
    let matrix = problem.build(gamma).unwrap();
    assert_eq!((matrix.accepted().len(), matrix.rank()), (2, 1));
    let (dense, _) = problem.recursion(gamma, &[0, 1]);
    // Two random displacements: a few digits lost.
    assert!(distance(&materialize(&problem, &matrix), &dense) <= 1e-12);
}

#[test]
fn the_rank_is_at_most_the_dimension_also_where_products_cancel() {
    // y is gamma s but for 1e-7: Psi'Psi has only two digits, and on a line a rank of one.
    let pair = |s: f64, part: f64| (Vector::repeat(1, s), Vector::repeat(1, 0.7 * s + part));
    let problem = of_pairs(vec![pair(1.1, 1.3e-7), pair(1.7, -3.1e-7), pair(0.9, 0.7e-7)]);
    let matrix = problem.build(0.7).unwrap();
    assert_eq!((matrix.accepted().len(), matrix.rank()), (3, 1));
    assert!(!matrix.has_complement());
}

#[test]
fn the_forbidden_gamma_always_rejects_the_newest_pair() {
    let mut rng = SplitMix64::new(9);
    for _ in 0..200 {
        let hessian = random_symmetric(&mut rng, N);
        let problem = of_pairs(vec![noisy_pair(&mut rng, &hessian)]);
        let (s, y) = &problem.pairs[0];
        let matrix = problem.build(s.dot(y) / s.dot(s)).unwrap();
        assert!(matrix.accepted().is_empty());
    }
}

#[test]
fn below_the_smallest_eigenvalue_every_pair_is_accepted_with_a_positive_pivot() {
    let mut rng = SplitMix64::new(10);
    for _ in 0..500 {
        let hessian = random_symmetric(&mut rng, N);
        let problem = of_pairs((0..6).map(|_| noisy_pair(&mut rng, &hessian)).collect());
        let gamma = GammaRule::SmallestEigenvalue.gamma(&problem.gram(), 1.0).unwrap();
        let matrix = problem.build(gamma).unwrap();
        assert_eq!(matrix.accepted().len(), 6);
        assert!(matrix.tests().iter().all(|test| test.sr > 0.0));
        // Then B >= gamma I, up to rounding.
        let lowest = matrix.eigenvalues().into_iter().fold(f64::INFINITY, f64::min);
        assert!(lowest >= gamma - 1e-12 * gamma.abs());
    }
}

#[test]
fn the_smallest_eigenvalue_rule_is_exact_for_one_pair_and_for_a_quadratic() {
    let mut rng = SplitMix64::new(11);
    let hessian = random_symmetric(&mut rng, N);
    let rule = GammaRule::SmallestEigenvalue;
    let expected = |lambda: f64| if lambda > 0.0 { 0.5 * lambda } else { 1.5 * lambda };

    let one = of_pairs(vec![noisy_pair(&mut rng, &hessian)]);
    let (s, y) = &one.pairs[0];
    let lambda = s.dot(y) / s.dot(s);
    assert!(
        (rule.gamma(&one.gram(), 1.0).unwrap() - expected(lambda)).abs() < 1e-13 * lambda.abs()
    );

    // L + D + L' = S'AS: with n displacements the eigenvalues are those of A.
    let all = of_pairs(
        (0..N)
            .map(|_| {
                let s = random_vector(&mut rng, N);
                (s.clone(), &hessian * s)
            })
            .collect(),
    );
    let lambda = hessian.symmetric_eigenvalues().min();
    // The condition number of twelve random displacements, squared in S'S.
    let gamma = rule.gamma(&all.gram(), 1.0).unwrap();
    assert!((gamma - expected(lambda)).abs() < 1e-9 * lambda.abs(), "{gamma} {lambda}");
}

#[test]
fn without_a_usable_pair_gamma_stays() {
    let empty = Gram::default();
    for rule in [GammaRule::LastPair, GammaRule::SmallestEigenvalue] {
        assert_eq!(rule.gamma(&empty, 3.0), Ok(3.0));
    }
    assert_eq!(GammaRule::Constant(-2.0).gamma(&empty, 3.0), Ok(-2.0));

    let mut negative = Gram::default();
    negative.push(&NewProducts { ss: 2.0, sy: -1.0, yy: 4.0, ..NewProducts::default() });
    assert_eq!(GammaRule::LastPair.gamma(&negative, 3.0), Ok(3.0));
    let gamma = GammaRule::SmallestEigenvalue.gamma(&negative, 3.0).unwrap();
    assert!((gamma + 0.75).abs() < 1e-15);

    let mut positive = Gram::default();
    positive.push(&NewProducts { ss: 2.0, sy: 1.0, yy: 4.0, ..NewProducts::default() });
    assert_eq!(GammaRule::LastPair.gamma(&positive, 3.0), Ok(4.0));
}
