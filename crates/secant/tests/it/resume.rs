//! Saved after step k and loaded into a fresh optimizer, the next steps are bit-identical to never
//! having stopped: for every row of [`crate::table`], at every k.
//!
//! This is the place for these tests; they come with records.
