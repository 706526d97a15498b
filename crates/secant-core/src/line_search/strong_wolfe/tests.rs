use proptest::prelude::*;

use super::*;

/// What a driver saw of a search.
struct Run {
    asked: Vec<Point>,
    found: Found,
}

impl Run {
    fn steps(&self) -> Vec<f64> {
        self.asked.iter().map(|point| point.step).collect()
    }

    /// The point found.
    fn point(&self) -> Point {
        *self.asked.iter().rfind(|point| point.step == self.found.step).unwrap()
    }
}

/// Runs a search as a driver does that keeps one gradient, and checks that the gradient of the
/// step found is there and that every step is finite and positive.
fn run(mut search: StrongWolfe, mut phi: impl FnMut(f64) -> (f64, f64)) -> Run {
    let (mut asked, mut kept) = (Vec::<Point>::new(), 0.0);
    let mut next = search.first();
    loop {
        match next {
            Next::Try(step) => {
                assert!(is_step(step));
                let (value, slope) = phi(step);
                asked.push(Point { step, value, slope });
                next = search.tell(value, slope);
                if search.keep_newest() {
                    kept = step;
                }
            }
            Next::Done(found) => {
                assert!(found.step == 0.0 || found.step == kept);
                assert_eq!(found.step == 0.0, found.reason == Ended::Failed);
                return Run { asked, found };
            }
        }
    }
}

fn start_of(phi: impl Fn(f64) -> (f64, f64)) -> Start {
    let (value, slope) = phi(0.0);
    Start { value, slope, noise: 0.0 }
}

fn presets() -> [WolfeSettings; 2] {
    [WolfeSettings::torch(25), WolfeSettings::default()]
}

/// What torch's `_strong_wolfe` (version 2.15) did on a line. Its square roots and divisions of
/// doubles are not all rounded correctly; here they were, so that steps agree to the bit.
struct Log {
    max_ls: u32,
    max_norm: f64,
    start: (f64, f64),
    /// (step, value, slope) of every evaluation.
    asked: &'static [(f64, f64, f64)],
    found: Found,
}

const TORCH: [Log; 6] = [
    // t^4 - 3 t^3 + t^2 - t + 1: two extensions, and a zoom with two trials.
    Log {
        max_ls: 25,
        max_norm: 1.0,
        start: (1.0, -1.0),
        asked: &[
            (0.25, 0.76953125, -1.0),
            (1.37625, -2.714824262692872, -4.8672538984375),
            (6.133619192364895, 755.5848088249528, 595.694206886335),
            (2.732301129946309, 0.2726707012288174, 18.867019693521854),
            (2.0653256429462172, -5.034041488334276, -0.02031431140861173),
        ],
        found: Found { step: 2.0653256429462172, reason: Ended::StrongWolfe },
    },
    // An oscillating line: trials close to an end are moved away by a tenth of the bracket.
    Log {
        max_ls: 5,
        max_norm: 0.0019799877201939157,
        start: (2.4412573969031137, -0.0002972139919298813),
        asked: &[
            (13.751196695048387, 2.404014008947328, -0.00517430785979664),
            (13.888708661998871, 2.4032990596829893, -0.005224047854285446),
            (138.8870866199887, 1.0574574365485105, 0.002530144838048363),
            (133.7832521305187, 1.0488269731901534, 0.0008307149365283613),
            (121.7937977836667, 1.0645800302828632, -0.0035147470978124018),
            (131.41755411044136, 1.0478352329137404, 4.180631553773622e-06),
        ],
        found: Found { step: 131.41755411044136, reason: Ended::StrongWolfe },
    },
    // Values rounded to f32, all equal: a bracket that is too small to be narrowed.
    Log {
        max_ls: 3,
        max_norm: 6.7782088082973885e-06,
        start: (160967.0, -5.025428440393452e-12),
        asked: &[
            (1.0, 160967.0, -5.025394376990131e-12),
            (1.01, 160967.0, -5.0253940363560974e-12),
            (1.0101, 160967.0, -5.025394032949757e-12),
        ],
        found: Found { step: 1.01, reason: Ended::Decrease },
    },
    // Values below the start without a sufficient decrease: each is the low end nevertheless.
    // The evaluations run out, and the last one is not the lowest.
    Log {
        max_ls: 2,
        max_norm: 1221088.091951464,
        start: (19716066.907401513, -180574136766799.75),
        asked: &[
            (0.4261389950648422, 520351.012936251, 1221088.091951464),
            (0.14204640303778931, 173448.9318003913, 1221088.091951464),
            (0.28409269905131573, 346899.9723683211, 1221088.091951464),
        ],
        found: Found { step: 0.14204640303778931, reason: Ended::Decrease },
    },
    // The evaluations run out while bracketing, at the value of the start.
    Log {
        max_ls: 1,
        max_norm: 1.0,
        start: (1.1420073898156842e+26, -1.0),
        asked: &[(1.0, 1.1420073898156842e+26, -1.0), (1.01, 1.1420073898156842e+26, -1.0)],
        found: Found { step: 0.0, reason: Ended::Failed },
    },
    // (t - 1)^2: one evaluation takes place even if none may.
    Log {
        max_ls: 0,
        max_norm: 1.0,
        start: (1.0, -2.0),
        asked: &[(3.0, 4.0, 4.0)],
        found: Found { step: 0.0, reason: Ended::Failed },
    },
];

#[test]
fn the_torch_preset_asks_for_the_steps_of_torch_and_returns_the_same_one() {
    for Log { max_ls, max_norm, start: (value, slope), asked, found } in TORCH {
        let start = Start { value, slope, noise: 0.0 };
        let settings = WolfeSettings::torch(max_ls);
        let search = StrongWolfe::new(settings, start, asked[0].0, max_norm);
        let mut rows = asked.iter();
        let run = run(search, |step| {
            let &(expected, value, slope) = rows.next().unwrap();
            assert_eq!(step, expected);
            (value, slope)
        });
        assert_eq!(rows.next(), None);
        assert_eq!(run.found, found);
    }
}

#[test]
fn only_the_torch_preset_makes_a_point_without_a_sufficient_decrease_the_low_end() {
    let start = Start { value: 1.0, slope: -1.0, noise: 0.0 };
    for (settings, low) in presets().into_iter().zip([true, false]) {
        let mut search = StrongWolfe::new(settings, start, 1.0, 1.0);
        assert!(matches!(search.tell(1.0 - 0.9e-4, 2.0), Next::Try(_)));
        assert_eq!(search.keep_newest(), low);
    }
}

#[test]
fn a_line_that_does_not_descend_from_finite_numbers_fails_before_any_trial() {
    let nan = f64::NAN;
    for (value, slope, step) in [
        (0.0, 0.0, 1.0),
        (0.0, 1.0, 1.0),
        (0.0, nan, 1.0),
        (0.0, f64::NEG_INFINITY, 1.0),
        (nan, -1.0, 1.0),
        (f64::INFINITY, -1.0, 1.0),
        (0.0, -1.0, 0.0),
        (0.0, -1.0, nan),
        (0.0, -1.0, f64::INFINITY),
    ] {
        let start = Start { value, slope, noise: 0.0 };
        let mut search = StrongWolfe::new(WolfeSettings::default(), start, step, 1.0);
        assert_eq!(search.first(), Next::Done(Found::FAILED));
        assert_eq!(search.tell(-1.0, 0.0), Next::Done(Found::FAILED));
        assert!(!search.keep_newest());
    }
}

#[test]
fn where_every_longer_step_is_nan_a_short_one_is_found() {
    // The case in which torch's search moves on to a step of 1e17.
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for bad_slope in [bad, 0.0] {
            let phi = |t: f64| if t > 1e-6 { (bad, bad_slope) } else { (-t, -1.0) };
            for settings in presets() {
                let run = run(StrongWolfe::new(settings, start_of(phi), 1.0, 1.0), phi);
                assert_eq!(run.found.reason, Ended::Decrease);
                assert_eq!(run.steps()[..2], [1.0, 0.1]);
                assert!(run.found.step > 0.5e-6 && run.found.step <= 1e-6);
            }
        }
    }
}

#[test]
fn a_slope_that_is_not_finite_excludes_a_point_of_finite_value() {
    let phi = |t: f64| if t > 0.3 { (-t, f64::NAN) } else { (t * (t - 0.4), 2.0 * t - 0.4) };
    for settings in presets() {
        let run = run(StrongWolfe::new(settings, start_of(phi), 1.0, 1.0), phi);
        assert_eq!(run.found.reason, Ended::StrongWolfe);
        assert!(run.found.step <= 0.3);
    }
}

#[test]
fn evaluations_that_run_out_while_bracketing_leave_the_last_sufficient_decrease() {
    // exp(-t) up to 0.03, and NaN or a rise behind it: no step is flat enough.
    for beyond in [(f64::NAN, f64::NAN), (2.0, 1.0)] {
        let phi = |t: f64| if t > 0.03 { beyond } else { ((-t).exp(), -(-t).exp()) };
        let settings = WolfeSettings { max_iterations: 1, ..WolfeSettings::default() };
        let run = run(StrongWolfe::new(settings, start_of(phi), 0.01, 1.0), phi);
        assert_eq!(run.asked.len(), 2);
        assert_eq!(run.found, Found { step: 0.01, reason: Ended::Decrease });
    }
}

#[test]
fn evaluations_that_run_out_on_the_way_down_leave_the_last_point() {
    let phi = |t: f64| ((-t).exp(), -(-t).exp());
    let settings = WolfeSettings { max_iterations: 1, ..WolfeSettings::default() };
    let run = run(StrongWolfe::new(settings, start_of(phi), 0.001, 1.0), phi);
    assert_eq!(run.found, Found { step: run.steps()[1], reason: Ended::Decrease });
}

#[test]
fn a_step_that_cannot_become_longer_is_the_last() {
    let phi = |t: f64| (-t, -1.0);
    for settings in presets() {
        let run = run(StrongWolfe::new(settings, start_of(phi), 1e308, 1.0), phi);
        assert_eq!(run.steps(), [1e308]);
        assert_eq!(run.found, Found { step: 1e308, reason: Ended::Decrease });
    }
}

/// 1000 + k ((t - 1)^2 - 1), with its value rounded to f32 and its slope exact.
fn rounded(k: f64) -> impl Fn(f64) -> (f64, f64) {
    move |t| {
        let value = (1000.0 + k * ((t - 1.0).powi(2) - 1.0)) as f32;
        (value.into(), 2.0 * k * (t - 1.0))
    }
}

#[test]
fn a_decrease_below_the_rounding_of_values_is_found_by_slopes_and_not_without_noise() {
    // The decrease of at most 1e-6 is less than half the distance of f32 numbers at 1000.
    let phi = rounded(1e-6);
    let steps = [(0.02, 0.2), (0.5, 0.5), (1.0, 1.0), (1.9, 1.9), (5.0, 1.0), (50.0, 1.0)];
    for (first_step, expected) in steps {
        let exact = start_of(&phi);
        let noisy = Start { noise: 1e-7 * exact.value, ..exact };
        let search = |start| StrongWolfe::new(WolfeSettings::default(), start, first_step, 1.0);
        assert_eq!(run(search(exact), &phi).found, Found::FAILED);
        let run = run(search(noisy), &phi);
        assert_eq!(run.found.reason, Ended::ApproximateWolfe);
        let (step, evaluations) = (run.found.step, run.asked.len());
        // Steps from 0.1 to 1.9998 satisfy the conditions and are taken. From 50, where the
        // rise is above the noise, the cubic of rounded values leads near the minimum.
        assert!((step - expected).abs() <= 0.1, "{first_step} -> {step}");
        assert!(evaluations <= 3, "{first_step}: {evaluations} evaluations");
    }
}

#[test]
fn the_approximate_conditions_are_not_accepted_without_noise() {
    // Just above a sufficient decrease, with a slope of 0.
    let start = |noise| Start { value: 1.0, slope: -1.0, noise };
    for (noise, ended) in [(0.0, false), (f64::NAN, false), (-1.0, false), (1e-9, true)] {
        let mut search = StrongWolfe::new(WolfeSettings::default(), start(noise), 1.0, 1.0);
        let next = search.tell(1.0 - 0.9e-4, 0.0);
        assert_eq!(matches!(next, Next::Done(_)), ended);
    }
}

#[test]
fn between_values_that_the_noise_hides_slopes_decide() {
    let start = Start { value: 0.0, slope: -1.0, noise: 0.1 };
    let mut search = StrongWolfe::new(WolfeSettings::default(), start, 1.0, 1.0);
    // The same value, and a rise: the secant of the slopes.
    assert_eq!(search.tell(0.0, 3.0), Next::Try(0.25));
    // A higher value, but the slope still leads down: the low end moves here.
    let mut down = search.clone();
    assert!(matches!(down.tell(0.05, -0.95), Next::Try(step) if step > 0.25));
    assert!(down.keep_newest());
    // A higher value, too steep for the strong conditions and not for the approximate ones.
    let found = Found { step: 0.25, reason: Ended::ApproximateWolfe };
    assert_eq!(search.tell(0.05, 0.95), Next::Done(found));
}

/// Convex lines with their minimum at `m`; `k` is a steepness.
fn convex(kind: usize, k: f64, m: f64, t: f64) -> (f64, f64) {
    let x = t - m;
    match kind {
        0 => (0.5 * k * x * x, k * x),
        1 => (k * x.powi(4), 4.0 * k * x.powi(3)),
        2 => ((k * x).exp() - k * x, k * ((k * x).exp() - 1.0)),
        3 => ((1.0 + k * x * x).sqrt(), k * x / (1.0 + k * x * x).sqrt()),
        _ => ((k * x).cosh(), k * (k * x).sinh()),
    }
}

fn is_strong(settings: WolfeSettings, start: Start, point: Point) -> bool {
    point.value <= start.value + settings.c1 * point.step * start.slope
        && point.slope.abs() <= settings.c2 * start.slope.abs()
}

/// Numbers of an ordinary size, and any whatever.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![-2.0..2.0f64, -1e-3..0.0f64, prop::num::f64::ANY]
}

fn settings() -> impl Strategy<Value = WolfeSettings> {
    let preset = prop_oneof![Just(presets()[0]), Just(presets()[1])];
    (preset, 0..30u32, prop::option::of((number(), number())))
        .prop_map(|(preset, max_iterations, odd)| {
            let (c1, c2) = odd.unwrap_or((preset.c1, preset.c2));
            WolfeSettings { c1, c2, max_iterations, ..preset }
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_numbers_whatever_end_it_in_time_at_a_step_that_it_can_defend(
        settings in settings(),
        told in prop::collection::vec((number(), number()), 31),
        start in (number(), -2.0..0.0f64, number()),
        first_step in prop_oneof![1e-3..50.0f64, prop::num::f64::POSITIVE],
        max_norm in number(),
    ) {
        let start = Start { value: start.0, slope: start.1, noise: start.2 };
        let mut told = told.into_iter();
        let search = StrongWolfe::new(settings, start, first_step, max_norm);
        let run = run(search, |_| told.next().unwrap());
        prop_assert!(run.asked.len() <= settings.max_iterations as usize + 1);
        if run.found.step > 0.0 {
            let (point, WolfeSettings { c1, c2, .. }) = (run.point(), settings);
            prop_assert!(point.is_finite());
            let holds = match run.found.reason {
                Ended::StrongWolfe => is_strong(settings, start, point),
                Ended::ApproximateWolfe => {
                    let slopes = c2 * start.slope..=(2.0 * c1 - 1.0) * start.slope;
                    point.value <= start.value + start.noise && slopes.contains(&point.slope)
                }
                _ => point.value <= start.value,
            };
            prop_assert!(holds);
        }
    }

    #[test]
    fn on_a_convex_line_both_strong_wolfe_conditions_are_met(
        kind in 0..5usize,
        k in 0.1..10.0f64,
        m in 0.01..10.0f64,
        first_step in 1e-3..50.0f64,
    ) {
        let phi = |t| convex(kind, k, m, t);
        for settings in presets() {
            let start = start_of(phi);
            let run = run(StrongWolfe::new(settings, start, first_step, 1.0), phi);
            prop_assert_eq!(run.found.reason, Ended::StrongWolfe);
            prop_assert!(is_strong(settings, start, run.point()));
        }
    }

    #[test]
    fn a_nan_region_is_survived(
        kind in 0..5usize,
        m in 0.01..10.0f64,
        edge in 1e-3..10.0f64,
        first_step in 1e-3..50.0f64,
    ) {
        let phi = |t| if t > edge { (f64::NAN, f64::NAN) } else { convex(kind, 1.0, m, t) };
        for settings in presets() {
            let start = start_of(phi);
            let run = run(StrongWolfe::new(settings, start, first_step, 1.0), phi);
            prop_assert!(run.found.step > 0.0 && run.found.step <= edge);
            prop_assert!(run.point().value < start.value);
        }
    }

    #[test]
    fn the_default_search_does_not_see_the_scale_of_values_and_parameters(
        kind in 0..5usize,
        m in 0.01..10.0f64,
        first_step in 1e-3..50.0f64,
        noise in prop_oneof![Just(0.0), 1e-3..1.0f64],
        (a, b) in (-30..30i32, -30..30i32),
    ) {
        // Powers of two scale without rounding.
        let (high, long) = (2f64.powi(a), 2f64.powi(b));
        let phi = |t| convex(kind, 1.0, m, t);
        let scaled = |t| {
            let (value, slope) = phi(t / long);
            (high * value, high / long * slope)
        };
        let search = |start, noise, step, norm| {
            StrongWolfe::new(WolfeSettings::default(), Start { noise, ..start }, step, norm)
        };
        let plain = run(search(start_of(phi), noise, first_step, 1.0), phi);
        let other = search(start_of(scaled), high * noise, long * first_step, 1.0 / long);
        let other = run(other, scaled);
        let expected: Vec<f64> = plain.steps().iter().map(|step| long * step).collect();
        prop_assert_eq!(other.steps(), expected);
        prop_assert_eq!(other.found.reason, plain.found.reason);
    }

    #[test]
    fn with_noise_a_parabola_of_any_depth_ends_near_its_minimum(
        depth in -9.0..2.0f64,
        first_step in 1e-3..50.0f64,
    ) {
        let phi = rounded(10f64.powf(depth));
        let start = Start { noise: 1e-7 * 1000.0, ..start_of(&phi) };
        let search = StrongWolfe::new(WolfeSettings::default(), start, first_step, 1.0);
        let run = run(search, &phi);
        prop_assert!(matches!(run.found.reason, Ended::StrongWolfe | Ended::ApproximateWolfe));
        // The slope is within [0.9, 2 c1 - 1] of the first one.
        prop_assert!(run.found.step >= 0.1 - 1e-9 && run.found.step <= 2.0);
        prop_assert!(run.asked.len() <= 6, "{} evaluations", run.asked.len());
    }
}
