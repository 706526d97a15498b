//! exp as plain arithmetic, which the compiler turns into vector code.

/// 2^52 + 2^51: adding it rounds to a whole number, which is then in the last bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has zeros at its end, so that its multiples are exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
/// Below it exp is drawn as there: a normal number still.
const LEAST: f64 = -708.0;
/// 1/13!, 1/12!, .., 1/2!; the next term is below 1e-17 of the sum.
const TERMS: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
];

/// exp(x) for x <= 0, to about two units in the last place; exp(-708) below -708, NaN of NaN. The same
/// bits on every machine, since there is no fused multiply-add in it.
#[inline(always)]
pub(super) fn exp_of_negative(x: f64) -> f64 {
    // Not `max`, which would lose a NaN.
    let x = if x < LEAST { LEAST } else { x };
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let times = shifted - ROUND;
    let rest = (x - times * LN_2[0]) - times * LN_2[1];
    let mut sum = TERMS[0];
    for term in &TERMS[1..] {
        sum = sum * rest + term;
    }
    let fraction = 1.0 + (rest + rest * rest * sum);
    // 2^times: the last bits of `shifted`, moved into the exponent.
    fraction * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_exp_to_two_units_in_the_last_place() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 0.003_54;
            let (found, expected) = (exp_of_negative(x), x.exp());
            assert!((found / expected - 1.0).abs() <= 5e-16, "exp({x}) is not {found}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
    }

    #[test]
    fn it_ends_at_a_normal_number_and_keeps_nan() {
        assert_eq!(exp_of_negative(f64::NEG_INFINITY), exp_of_negative(-708.0));
        assert!(exp_of_negative(f64::NEG_INFINITY).is_normal());
        assert!(exp_of_negative(f64::NAN).is_nan());
    }
}
