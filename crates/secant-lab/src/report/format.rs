//! Numbers as people read them.

use super::statistics::Estimate;

/// What stands where there is no number.
pub const ABSENT: &str = "–";

/// Three significant digits, without trailing zeros: `0.001`, `3.16e-5`.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{value:.2e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-3..6).contains(&power) {
        let decimals = usize::try_from(2 - power).unwrap_or(0);
        without_trailing_zeros(&format!("{value:.decimals$}")).to_owned()
    } else {
        format!("{}e{exponent}", without_trailing_zeros(mantissa))
    }
}

fn without_trailing_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// A whole number with commas between the thousands.
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time with about three digits: `0.042`, `3.14`, `187`.
pub fn time(value: f64) -> String {
    match value {
        v if v < 0.1 => format!("{v:.3}"),
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => grouped(v),
    }
}

/// `mean ± half-width`, or the mean alone for a single run.
pub fn estimate(estimate: Estimate, decimals: usize) -> String {
    let digits = |value: f64| {
        // A run that diverged can end at 1e27.
        if value.abs() < 1e5 { format!("{value:.decimals$}") } else { short(value) }
    };
    let mean = digits(estimate.mean);
    match estimate.half_width {
        Some(width) => format!("{mean} ± {}", digits(width)),
        None => mean,
    }
}

/// A share as a percentage, without needless zeros: `97 %`, `97.5 %`.
pub fn percent(share: f64) -> String {
    let digits = format!("{:.2}", share * 100.0);
    format!("{} %", without_trailing_zeros(&digits))
}

/// `1 run`, `2 runs`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_keep_three_digits() {
        let cases = [
            (0.001, "0.001"),
            (0.003_162_277, "0.00316"),
            (0.000_031_622, "3.16e-5"),
            (1e-4, "1e-4"),
            (1.0, "1"),
            (31.62, "31.6"),
            (1000.0, "1000"),
            (2e7, "2e7"),
            (0.0, "0"),
        ];
        for (value, expected) in cases {
            assert_eq!(short(value), expected);
        }
    }

    #[test]
    fn thousands_are_separated_by_commas() {
        assert_eq!(grouped(999.0), "999");
        assert_eq!(grouped(1000.0), "1,000");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
    }

    #[test]
    fn times_keep_about_three_digits() {
        let texts = [0.0421, 3.456, 42.0, 1234.0].map(time);
        assert_eq!(texts, ["0.042", "3.46", "42.0", "1,234"]);
    }

    #[test]
    fn an_estimate_of_one_run_shows_no_spread() {
        let one = Estimate::of(&[0.5]).expect("a value");
        let two = Estimate::of(&[0.5, 0.5]).expect("values");
        assert_eq!(estimate(one, 2), "0.50");
        assert_eq!(estimate(two, 2), "0.50 ± 0.00");
        let diverged = Estimate { half_width: Some(3.2e28), mean: 5.79e27, ..one };
        assert_eq!(estimate(diverged, 4), "5.79e27 ± 3.2e28");
    }

    #[test]
    fn percentages_drop_needless_zeros() {
        assert_eq!(percent(0.97), "97 %");
        assert_eq!(percent(0.9), "90 %");
        assert_eq!(percent(0.975), "97.5 %");
    }

    #[test]
    fn one_run_is_singular() {
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(2, "run"), "2 runs");
    }
}
