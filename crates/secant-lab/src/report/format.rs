//! Numbers as people read them.

use crate::{
    Direction, Metric,
    statistics::{Difference, Interval, Scale},
};

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

/// A value of a metric with its unit: `97.5 %`, `0.0334`; a dash where there is none.
pub fn value_text(metric: &Metric, value: Option<f64>) -> String {
    value.map_or(
        ABSENT.into(),
        |value| {
            if metric.is_in_percent() { percent(value) } else { short(value) }
        },
    )
}

/// A value of a metric as a table shows it: shares in percent, without the sign.
pub fn cell(metric: &Metric, value: f64) -> String {
    if metric.is_in_percent() { format!("{:.2}", 100.0 * value) } else { short(value) }
}

/// `mean [low, high]`, or the mean alone where nothing is known of the spread.
pub fn interval_cell(metric: &Metric, value: Option<Interval>) -> String {
    let Some(Interval { mean, low, high, count }) = value else { return ABSENT.into() };
    if count < 2 {
        return cell(metric, mean);
    }
    format!("{} [{}, {}]", cell(metric, mean), cell(metric, low), cell(metric, high))
}

/// A difference with its sign and its interval, `-0.52 [-0.90, -0.14]`; of logarithms how many times one value
/// is the other, `x 1.28 [1.10, 1.49]`.
pub fn difference_cell(metric: &Metric, difference: Option<&Difference>) -> String {
    let Some(difference) = difference else { return ABSENT.into() };
    if let Some(Times { mean, low, high }) = times(metric, difference) {
        return match low.zip(high) {
            Some((low, high)) => format!("x {} [{}, {}]", short(mean), short(low), short(high)),
            None => format!("x {}", short(mean)),
        };
    }
    let signed = |value: f64| {
        let text = cell(metric, value);
        if value > 0.0 { format!("+{text}") } else { text }
    };
    match (difference.low, difference.high) {
        (Some(low), Some(high)) => {
            format!("{} [{}, {}]", signed(difference.estimate), signed(low), signed(high))
        }
        _ => signed(difference.estimate),
    }
}

/// How many times one value is another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// The mean.
    pub mean: f64,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// How many times a method's value is the other's, with the ends of the interval; `None` of differences of
/// values.
pub fn times(metric: &Metric, difference: &Difference) -> Option<Times> {
    let Difference { of: Scale::Logarithms, estimate: mean, low, high, .. } = *difference else {
        return None;
    };
    Some(match metric.direction {
        Direction::Higher => {
            Times { mean: mean.exp(), low: low.map(f64::exp), high: high.map(f64::exp) }
        }
        // The difference is how much better the method is.
        Direction::Lower => {
            let inverse = |x: f64| (-x).exp();
            Times { mean: inverse(mean), low: high.map(inverse), high: low.map(inverse) }
        }
    })
}

/// A share as a percentage, without needless zeros: `97 %`, `97.5 %`.
pub fn percent(share: f64) -> String {
    let digits = format!("{:.2}", share * 100.0);
    format!("{} %", without_trailing_zeros(&digits))
}

/// The most characters of a name in a text.
const LONGEST_NAME: usize = 40;

/// A name with the end left out where it is long: that of a class is as long as its file has it.
pub fn short_name(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
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
    fn values_have_the_unit_of_their_metric_and_their_interval() {
        let (accuracy, loss) = (Metric::share("accuracy"), Metric::loss());
        assert_eq!(value_text(&accuracy, Some(0.975)), "97.5 %");
        assert_eq!(value_text(&loss, Some(0.033_44)), "0.0334");
        assert_eq!(value_text(&loss, None), ABSENT);
        let interval = Interval { mean: 0.5, low: 0.25, high: 0.751, count: 3 };
        assert_eq!(interval_cell(&accuracy, Some(interval)), "50.00 [25.00, 75.10]");
        assert_eq!(interval_cell(&loss, Some(Interval { count: 1, ..interval })), "0.5");
        let (low, high) = (Some(-0.01), Some(0.02));
        let of = Scale::Values;
        let difference = Difference { of, estimate: 0.005, low, high, deviation: None, count: 3 };
        assert_eq!(difference_cell(&accuracy, Some(&difference)), "+0.50 [-1.00, +2.00]");
        // Better by e^0.693 is half the loss.
        let of = Scale::Logarithms;
        let (estimate, low, high) = (2f64.ln(), Some(0.0), Some(4f64.ln()));
        let difference = Difference { of, estimate, low, high, ..difference };
        assert_eq!(difference_cell(&loss, Some(&difference)), "x 0.5 [0.25, 1]");
        let gain = Metric::new("gain", Direction::Higher, crate::Range::Positive);
        assert_eq!(difference_cell(&gain, Some(&difference)), "x 2 [1, 4]");
    }

    #[test]
    fn percentages_drop_needless_zeros() {
        assert_eq!(percent(0.97), "97 %");
        assert_eq!(percent(0.9), "90 %");
        assert_eq!(percent(0.975), "97.5 %");
    }

    #[test]
    fn a_long_name_ends_after_40_characters_in_an_ellipsis() {
        let most = "ä".repeat(40);
        assert_eq!(short_name(&most), most);
        assert_eq!(short_name(&format!("{most}b")), format!("{most}…"));
    }

    #[test]
    fn one_run_is_singular() {
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(2, "run"), "2 runs");
    }
}
