//! The optimality conditions on random problems, and the limits.

use super::*;
use crate::{
    compact::Tolerances,
    dense::{DenseProblem, Matrix, Vector, random_symmetric, random_vector, worse, worst_cosine},
    rng::SplitMix64,
};

const KINDS: u64 = 8;

struct Random {
    problem: DenseProblem,
    gamma: f64,
    delta: f64,
}

/// 10^x with x uniform.
fn power(rng: &mut SplitMix64, low: f32, high: f32) -> f64 {
    10f64.powf(f64::from(rng.range(low, high)))
}

/// A problem of at most 60 entries and 8 pairs, of one of these kinds.
fn random_problem(rng: &mut SplitMix64, kind: u64) -> Random {
    let n = 1 + rng.below(60);
    let count = rng.below(9);
    let hessian = random_symmetric(rng, n);
    let mut gamma = f64::from(rng.range(-2.0, 2.0));
    let mut pairs: Vec<(Vector, Vector)> = Vec::new();
    for _ in 0..count {
        let length = power(rng, -3.0, 3.0);
        let s = length * random_vector(rng, n);
        let y = &hessian * &s + f64::from(rng.range(0.0, 2.0)) * length * random_vector(rng, n);
        pairs.push((s, y));
    }
    let mut g = power(rng, -6.0, 6.0) * random_vector(rng, n);
    match kind {
        // A positive definite Hessian, y = A s.
        0 => {
            gamma = gamma.abs();
            for (s, y) in &mut pairs {
                *y = &hessian * (&hessian * &*s) + 0.1 * &*s;
            }
        }
        // Flat directions: y = 0, and gamma = 0.
        1 => {
            pairs.iter_mut().take(2).for_each(|(_, y)| y.fill(0.0));
            gamma = if rng.below(2) == 0 { 0.0 } else { gamma };
        }
        // A pair twice, and one that is the sum of two.
        2 if count > 2 => {
            let sum = (&pairs[0].0 + &pairs[1].0, &pairs[0].1 + &pairs[1].1);
            let first = pairs[0].clone();
            pairs[2] = sum;
            pairs.push(first);
        }
        // g in the span of Psi, gamma often the smallest eigenvalue.
        3 => {
            gamma = -power(rng, 0.0, 4.0);
            g = pairs.iter().fold(Vector::zeros(n), |sum, (s, y)| {
                sum + f64::from(rng.bell()) * (y - gamma * s)
            });
        }
        // The same on its edge.
        4 => {
            gamma = -power(rng, 0.0, 4.0);
            let span = pairs.iter().fold(Vector::zeros(n), |sum, (s, y)| sum + (y - gamma * s));
            let tiny = power(rng, -14.0, -4.0) * span.norm();
            g = span + tiny * random_vector(rng, n);
        }
        _ => {}
    }
    let mut problem = DenseProblem { g, pairs };
    if (5..7).contains(&kind) {
        remove_lowest(rng, &mut problem, gamma, kind == 6);
    }
    if kind == 7 {
        problem.g.fill(0.0);
    }
    Random { problem, gamma, delta: power(rng, -8.0, 8.0) }
}

/// Makes g orthogonal to the smallest eigenvectors of B, but for a tiny part where `nearly`.
fn remove_lowest(rng: &mut SplitMix64, problem: &mut DenseProblem, gamma: f64, nearly: bool) {
    let Ok(matrix) = problem.build(gamma) else { return };
    let (b, _) = problem.recursion(gamma, matrix.accepted());
    let eigen = b.symmetric_eigen();
    let (lowest, norm) = (eigen.eigenvalues.min(), eigen.eigenvalues.amax());
    let length = problem.g.norm();
    for (u, value) in eigen.eigenvectors.column_iter().zip(&eigen.eigenvalues) {
        if value - lowest <= 1e-10 * norm {
            let part = u.dot(&problem.g);
            problem.g.axpy(-part, &u, 1.0);
            if nearly {
                problem.g.axpy(power(rng, -14.0, -4.0) * length, &u, 1.0);
            }
        }
    }
}

/// How far a solution is from the optimality conditions, each relative to its terms.
#[derive(Clone, Copy, Debug, Default)]
struct Violations {
    /// |(B + sigma I) p + g|
    residual: f64,
    /// sigma | delta - |p| |
    complementarity: f64,
    /// |p| - delta
    infeasibility: f64,
    /// - (lambda_min + sigma)
    indefiniteness: f64,
    /// Q(p) as told, against g'p + p'Bp / 2
    model_value: f64,
    /// Q(p) above Q at the Cauchy point
    above_cauchy: f64,
}

impl Violations {
    fn of(random: &Random, b: &Matrix, p: &Vector, solution: &Solution) -> Self {
        let (g, delta, sigma, norm) = (&random.problem.g, random.delta, solution.sigma, p.norm());
        // Eigenvalues are sums with gamma.
        let scale = solution.norm_b.max(random.gamma.abs());
        let forces = g.norm() + (scale + sigma) * norm;
        let values = g.norm() * norm + scale * norm * norm;
        let bp = b * p;
        let value = g.dot(p) + 0.5 * p.dot(&bp);
        let relative = |x: f64, scale: f64| x / scale.max(f64::MIN_POSITIVE);
        Self {
            residual: relative((&bp + sigma * p + g).norm(), forces),
            complementarity: relative(sigma * (delta - norm).abs(), (sigma + scale) * delta),
            infeasibility: norm / delta - 1.0,
            indefiniteness: relative(-b.symmetric_eigenvalues().min() - sigma, scale + sigma),
            model_value: relative((solution.model_value - value).abs(), values),
            above_cauchy: relative(solution.model_value - cauchy_value(b, g, delta), values),
        }
    }

    /// The larger of each; NaN where one is, so that it fails every bound.
    fn worse(self, other: Self) -> Self {
        Self {
            residual: worse(self.residual, other.residual),
            complementarity: worse(self.complementarity, other.complementarity),
            infeasibility: worse(self.infeasibility, other.infeasibility),
            indefiniteness: worse(self.indefiniteness, other.indefiniteness),
            model_value: worse(self.model_value, other.model_value),
            above_cauchy: worse(self.above_cauchy, other.above_cauchy),
        }
    }
}

/// The model at its minimizer along -g within the radius.
fn cauchy_value(b: &Matrix, g: &Vector, delta: f64) -> f64 {
    let length = g.norm();
    if length == 0.0 {
        return 0.0;
    }
    let direction = g / length;
    let curvature = direction.dot(&(b * &direction));
    let t = if curvature > 0.0 { delta.min(length / curvature) } else { delta };
    -t * length + 0.5 * t * t * curvature
}

#[test]
fn the_optimality_conditions_hold_on_random_problems() {
    let mut cases = [0; 3];
    let mut worst = Violations::default();
    let (mut most_iterations, mut uncomparable, mut outside) = (0, 0, 0);
    for seed in 0..24_000 {
        let mut rng = SplitMix64::stream(1, seed);
        let random = random_problem(&mut rng, seed % KINDS);
        let matrix = random.problem.build(random.gamma).unwrap();
        let (solution, p) = random.problem.solve(&matrix, random.delta).unwrap();
        most_iterations = most_iterations.max(solution.newton_iterations);
        cases[solution.case as usize] += 1;
        if worst_cosine(&random.problem, &matrix) < 1e-4 {
            uncomparable += 1;
            continue;
        }
        let (b, _) = random.problem.recursion(random.gamma, matrix.accepted());
        let violations = Violations::of(&random, &b, &p, &solution);
        outside += u32::from(violations.infeasibility > 1e-12);
        worst = worst.worse(violations);
    }
    println!(
        "{cases:?} {worst:?}, at most {most_iterations} iterations, {uncomparable} left out, {outside} outside"
    );
    assert!(cases.iter().all(|&count| count > 1000) && uncomparable < 100, "{cases:?}");
    // Updates of cosine c cost both sides of the comparison a factor 1 / c, again and again.
    assert!(worst.residual <= 1e-8 && worst.model_value <= 1e-8, "{worst:?}");
    assert!(worst.above_cauchy <= 1e-8, "{worst:?}");
    // Square Psi have condition numbers up to 1e3, squared in Psi'Psi; 1e-12 is usual.
    assert!(outside <= 24, "{outside} of 24,000 steps beyond 1 + 1e-12 radii");
    assert!(worst.infeasibility <= 1e-9 && worst.complementarity <= 1e-9, "{worst:?}");
    assert!(worst.indefiniteness <= 1e-9, "{worst:?}");
    // From the safe start the method is a handful of iterations from the root.
    assert!(most_iterations <= 12, "{most_iterations}");
}

/// A problem whose B is positive definite, and its B.
fn definite(rng: &mut SplitMix64) -> (DenseProblem, CompactSr1, Matrix) {
    let hessian = random_symmetric(rng, 15);
    let hessian = &hessian * &hessian / 15.0 + Matrix::identity(15, 15);
    let pairs = (0..5).map(|_| random_vector(rng, 15)).map(|s| (s.clone(), &hessian * s)).collect();
    let problem = DenseProblem { g: random_vector(rng, 15), pairs };
    // Below the smallest eigenvalue of the Hessian: all updates are positive.
    let matrix = problem.build(0.9).unwrap();
    let (b, _) = problem.recursion(0.9, matrix.accepted());
    (problem, matrix, b)
}

#[test]
fn a_tiny_radius_gives_steepest_descent_and_a_huge_one_newtons_step() {
    let mut rng = SplitMix64::new(2);
    for _ in 0..100 {
        let (problem, matrix, b) = definite(&mut rng);
        let (solution, p) = problem.solve(&matrix, 1e-8).unwrap();
        assert_eq!(solution.case, Case::Boundary);
        let descent = -&problem.g / problem.g.norm();
        // The next term of the expansion in delta is |B| delta / |g| < 1e-6.
        assert!((p / 1e-8 - descent).norm() < 1e-6);

        let (solution, p) = problem.solve(&matrix, 1e8).unwrap();
        assert_eq!((solution.case, solution.sigma), (Case::Interior, 0.0));
        let newton = -b.clone().lu().solve(&problem.g).unwrap();
        // Condition numbers below 1e2.
        assert!((&p - &newton).norm() < 1e-12 * newton.norm());
        assert!((solution.step_norm - newton.norm()).abs() < 1e-12 * newton.norm());
    }
}

#[test]
fn the_longer_radius_is_never_worse_and_no_feasible_point_is_better() {
    let mut rng = SplitMix64::new(3);
    for kind in (0..400).map(|i| i % KINDS) {
        let random = random_problem(&mut rng, kind);
        let (problem, delta) = (&random.problem, random.delta);
        let matrix = problem.build(random.gamma).unwrap();
        let (b, _) = problem.recursion(random.gamma, matrix.accepted());
        let (solution, _) = problem.solve(&matrix, delta).unwrap();
        let (longer, _) = problem.solve(&matrix, 1.5 * delta).unwrap();
        let scale = problem.g.norm() * delta + solution.norm_b * delta * delta;
        // Rounding, and the coefficients of g that count as zero.
        assert!(longer.model_value <= solution.model_value + 1e-9 * scale);
        for _ in 0..20 {
            let direction = random_vector(&mut rng, problem.g.len());
            let shrink = f64::from(rng.range(0.0, 1.0));
            let p = shrink * delta * &direction / direction.norm().max(f64::MIN_POSITIVE);
            let value = problem.g.dot(&p) + 0.5 * p.dot(&(&b * &p));
            assert!(solution.model_value <= value + 1e-9 * scale);
        }
    }
}

#[test]
fn without_pairs_the_step_is_along_the_gradient() {
    let g = Vector::from_vec(vec![3.0, -4.0]);
    let problem = DenseProblem { g: g.clone(), pairs: vec![] };
    // gamma, delta, the expected multiple of g, and sigma = |g| / delta - gamma on the boundary.
    for (gamma, delta, multiple, sigma) in [
        (2.0, 10.0, -0.5, 0.0),
        (2.0, 1.0, -0.2, 3.0),
        (0.0, 1.0, -0.2, 5.0),
        (-1.0, 1.0, -0.2, 6.0),
    ] {
        let matrix = problem.build(gamma).unwrap();
        let (solution, p) = problem.solve(&matrix, delta).unwrap();
        // A few roundings.
        assert!((p - multiple * &g).norm() < 1e-15);
        assert!((solution.sigma - sigma).abs() < 1e-15);
    }
}

#[test]
fn at_a_zero_gradient_the_step_follows_negative_curvature_or_stays() {
    let mut rng = SplitMix64::new(4);
    let (mut problem, matrix, _) = definite(&mut rng);
    problem.g.fill(0.0);
    let (solution, p) = problem.solve(&matrix, 2.0).unwrap();
    assert_eq!((solution.case, solution.model_value, p.norm()), (Case::Interior, 0.0, 0.0));

    // The smallest eigenvalue is gamma, or the curvature along the only pair.
    for (gamma, curvature) in [(-1.0f64, 2.0), (0.5, -3.0)] {
        let s = random_vector(&mut rng, 15);
        problem.pairs = vec![(s.clone(), curvature * s)];
        let matrix = problem.build(gamma).unwrap();
        let (solution, p) = problem.solve(&matrix, 2.0).unwrap();
        assert_eq!((solution.case, solution.unit.is_some()), (Case::Hard, gamma < curvature));
        // A unit vector from a projection, a few roundings.
        assert!((p.norm() - 2.0).abs() < 1e-14);
        assert!((solution.model_value - 2.0 * gamma.min(curvature)).abs() < 1e-14);
    }
}

#[test]
fn the_unit_vector_of_the_hard_case_is_not_in_the_span_of_the_pairs() {
    // Psi spans the first three entries, so their unit vectors are of no use.
    let n = 6;
    let unit = |i: usize| Vector::from_fn(n, |j, _| f64::from(u8::from(i == j)));
    let pairs = (0..3).map(|i| (unit(i), (i as f64 + 1.0) * unit(i))).collect();
    let problem = DenseProblem { g: unit(0) + unit(1), pairs };
    let matrix = problem.build(-2.0).unwrap();
    let (solution, p) = problem.solve(&matrix, 5.0).unwrap();
    assert_eq!((solution.case, solution.sigma), (Case::Hard, 2.0));
    assert_eq!(solution.unit.map(|unit| unit.index), Some(3));
    // p_hat = -g / (lambda + 2) with lambda = 1, 2 and the rest along entry 3.
    let rest = (25.0f64 - 1.0 / 9.0 - 1.0 / 16.0).sqrt();
    let expected = Vector::from_vec(vec![-1.0 / 3.0, -0.25, 0.0, rest, 0.0, 0.0]);
    // A few roundings.
    assert!((p - expected).norm() < 1e-14);
}

#[test]
fn an_eigenvalue_that_is_a_rounding_error_beside_gamma_is_zero() {
    // B = 0 on a line, as gamma plus its negative.
    let (s, y) = (Vector::from_vec(vec![0.3]), Vector::zeros(1));
    let problem = DenseProblem { g: Vector::from_vec(vec![3.0]), pairs: vec![(s, y)] };
    for gamma in [0.1, 0.7, 1.3, -2.3] {
        let matrix = problem.build(gamma).unwrap();
        let (solution, p) = problem.solve(&matrix, 1e12).unwrap();
        assert_eq!((solution.lambda_min, solution.case), (0.0, Case::Boundary));
        // A few roundings.
        assert!((p[0] + 1e12).abs() < 1e-2 && (solution.sigma - 3e-12).abs() < 1e-26);
    }
}

#[test]
fn the_hard_case_takes_the_same_sign_every_time() {
    let mut rng = SplitMix64::new(5);
    for _ in 0..50 {
        let random = random_problem(&mut rng, 5);
        let delta = 1e8;
        let [one, other] = [0, 1].map(|_| {
            let matrix = random.problem.build(random.gamma).unwrap();
            random.problem.solve(&matrix, delta).unwrap()
        });
        assert_eq!(one, other);
        // Also where the pairs are given in another length, which turns no vector round.
        let mut scaled = random.problem.clone();
        for (s, y) in &mut scaled.pairs {
            *s *= 4.0;
            *y *= 4.0;
        }
        let matrix = scaled.build(random.gamma).unwrap();
        let (_, p) = scaled.solve(&matrix, delta).unwrap();
        assert!((p - one.1).norm() <= 1e-12 * delta);
    }
    // The largest part of the eigenvector, as a combination of the columns of Psi, is positive.
    for _ in 0..50 {
        let random = random_problem(&mut rng, 7);
        let matrix = random.problem.build(random.gamma).unwrap();
        let (solution, _) = random.problem.solve(&matrix, 1.0).unwrap();
        if solution.case == Case::Hard && solution.unit.is_none() {
            let columns = random.problem.pairs.iter().map(|(s, y)| (y - random.gamma * s).norm());
            let parts: Vec<f64> = columns.zip(&solution.step.y).map(|(psi, c)| psi * c).collect();
            let most = parts.iter().copied().fold(0.0, f64::max);
            let least = parts.iter().copied().fold(0.0, f64::min);
            // Columns are compared at lengths between 0.7 and 1.42.
            assert!(most > -0.49 * least);
        }
    }
}

#[test]
fn a_gradient_nearly_in_the_span_is_replaced_by_its_rest() {
    let mut rng = SplitMix64::new(6);
    let pairs: Vec<_> =
        (0..3).map(|_| (random_vector(&mut rng, 9), random_vector(&mut rng, 9))).collect();
    let span = pairs.iter().fold(Vector::zeros(9), |sum, (s, y)| sum + y + 4.0 * s);
    let g = &span + 1e-8 * random_vector(&mut rng, 9);
    let problem = DenseProblem { g: g.clone(), pairs };
    let matrix = problem.build(-4.0).unwrap();
    let mut vectors = problem.clone();
    let (sg, yg) = problem.products_with(&g);
    let gradient = GradientProducts { gg: g.dot(&g), sg, yg };
    let solution = solve(&matrix, &gradient, 1e3, &mut vectors).unwrap();
    assert!((1e-10..1e-8).contains(&(vectors.g.norm() / span.norm())));
    // The rest is orthogonal to the span to rounding, which plain subtraction misses by 1e8.
    for (s, y) in &problem.pairs {
        let column = y + 4.0 * s;
        assert!(column.dot(&vectors.g).abs() <= 1e-14 * column.norm() * vectors.g.norm());
    }
    let p = vectors.combine(&solution.step);
    assert!((p.norm() - 1e3).abs() <= 1e-12 * 1e3);
}

#[test]
fn what_rounding_to_f32_leaves_of_a_zero_counts_as_zero() {
    let mut rng = SplitMix64::new(8);
    let rounded = |v: &Vector| v.map(|x| f64::from(x as f32));
    for _ in 0..100 {
        // s an eigenvector of eigenvalue -3, and g orthogonal to it, both rounded.
        let s = random_vector(&mut rng, 20).normalize();
        let g = random_vector(&mut rng, 20);
        let g = &g - s.dot(&g) * &s;
        let pairs = vec![(rounded(&s), rounded(&(-3.0 * &s)))];
        let mut problem = DenseProblem { g: rounded(&g), pairs };
        let case = |problem: &DenseProblem, tolerances| {
            let matrix = problem.build_with(tolerances, 1.0).unwrap();
            (matrix.accepted().len(), problem.solve(&matrix, 1e3).unwrap().0.case)
        };
        assert_eq!(case(&problem, Tolerances::F32), (1, Case::Hard));
        // Of vectors of f64 it would be a fact.
        assert_eq!(case(&problem, Tolerances::F64), (1, Case::Boundary));
        // The same pair in another rounding says nothing new.
        problem.pairs.push((rounded(&(0.3 * &s)), rounded(&(-0.9 * &s))));
        assert_eq!(case(&problem, Tolerances::F32), (1, Case::Hard));
    }
}

#[test]
fn a_radius_or_a_number_that_cannot_be_is_refused() {
    let mut rng = SplitMix64::new(7);
    let (problem, matrix, _) = definite(&mut rng);
    for delta in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(problem.solve(&matrix, delta), Err(SubproblemError::Radius(delta)));
    }
    assert!(problem.solve(&matrix, f64::NAN).is_err());
    for bad in [f64::NAN, f64::INFINITY] {
        let mut broken = problem.clone();
        broken.g[3] = bad;
        assert_eq!(broken.solve(&matrix, 1.0), Err(SubproblemError::NonFinite));
    }
}
