//! Colours that people with a colour-blindness can tell apart, on white and on black.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// One method's look: its colour on a light and on a dark page, and its dashes.
struct Look {
    light: (u8, u8, u8),
    dark: &'static str,
    dashes: &'static str,
}

/// No colour stands twice, so that the style sheet can tell the methods apart by colour alone.
const LOOKS: [Look; 16] = [
    look(0x00_72_B2, "#4BA3E3", "none"),
    look(0xD5_5E_00, "#FF8B3D", "none"),
    look(0x00_9E_73, "#2BC99A", "none"),
    look(0xC2_5A_94, "#EE8FC0", "none"),
    look(0xC7_8A_00, "#F0B429", "none"),
    look(0x3D_A5_DA, "#8AD2FF", "none"),
    look(0x22_22_22, "#F2F2F2", "none"),
    look(0x7A_4F_A3, "#B794E6", "none"),
    look(0x00_4C_78, "#2F7FB8", "14 8"),
    look(0x9A_44_00, "#C9692A", "14 8"),
    look(0x00_6B_4E, "#1F9A75", "14 8"),
    look(0x8C_3A_68, "#BD6B97", "14 8"),
    look(0x8A_60_00, "#BA8A1F", "14 8"),
    look(0x1F_78_A3, "#5FA3CC", "14 8"),
    look(0x66_66_66, "#ABABAB", "14 8"),
    look(0x52_31_75, "#8C6BB8", "14 8"),
];

const fn look(light: u32, dark: &'static str, dashes: &'static str) -> Look {
    let [_, red, green, blue] = light.to_be_bytes();
    Look { light: (red, green, blue), dark, dashes }
}

/// The colour of the method at `slot` of the comparison's list.
pub fn colour(slot: usize) -> RGBColor {
    let (red, green, blue) = LOOKS[slot % LOOKS.len()].light;
    RGBColor(red, green, blue)
}

/// The same colour as the charts write it.
pub fn colour_code(slot: usize) -> String {
    let RGBColor(red, green, blue) = colour(slot);
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Style rules for the first `count` methods: dashes everywhere, brighter colours on dark pages.
pub fn style_rules(count: usize) -> String {
    let mut rules = String::new();
    let mut dark_rules = String::new();
    for (slot, look) in LOOKS.iter().enumerate().take(count) {
        let code = colour_code(slot);
        let Look { dark, dashes, .. } = look;
        if *dashes != "none" {
            let _ = writeln!(rules, "svg [stroke=\"{code}\"] {{ stroke-dasharray: {dashes} }}");
        }
        let _ = writeln!(
            dark_rules,
            "svg [stroke=\"{code}\"] {{ stroke: {dark} }} svg [fill=\"{code}\"] {{ fill: {dark} }}"
        );
    }
    format!("{rules}@media screen and (prefers-color-scheme: dark) {{\n{dark_rules}}}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_colour_stands_twice() {
        let light: HashSet<String> = (0..LOOKS.len()).map(colour_code).collect();
        let dark: HashSet<&str> = LOOKS.iter().map(|look| look.dark).collect();
        assert_eq!((light.len(), dark.len()), (LOOKS.len(), LOOKS.len()));
    }

    #[test]
    fn the_rules_name_colours_as_the_charts_write_them() {
        assert_eq!(colour_code(0), "#0072B2");
        assert!(style_rules(1).contains("svg [stroke=\"#0072B2\"] { stroke: #4BA3E3 }"));
    }

    #[test]
    fn only_the_second_half_is_dashed() {
        assert!(!style_rules(8).contains("stroke-dasharray"));
        assert!(style_rules(9).contains("svg [stroke=\"#004C78\"] { stroke-dasharray: 14 8 }"));
    }
}
