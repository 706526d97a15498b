//! Methods that keep a whole matrix, for smooth functions of up to some thousands of parameters.

pub mod ss_broyden;
