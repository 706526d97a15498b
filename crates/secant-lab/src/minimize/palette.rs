//! Colours that people with a colour-blindness can tell apart.

use plotters::style::RGBColor;

const COLOURS: [u32; 16] = [
    0x00_72_B2, 0xD5_5E_00, 0x00_9E_73, 0xC2_5A_94, 0xC7_8A_00, 0x3D_A5_DA, 0x22_22_22, 0x7A_4F_A3,
    0x00_4C_78, 0x9A_44_00, 0x00_6B_4E, 0x8C_3A_68, 0x8A_60_00, 0x1F_78_A3, 0x66_66_66, 0x52_31_75,
];

/// The colour of the method at `slot` of a list.
pub(super) fn colour(slot: usize) -> RGBColor {
    let [_, red, green, blue] = COLOURS[slot % COLOURS.len()].to_be_bytes();
    RGBColor(red, green, blue)
}
