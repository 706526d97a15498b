//! Methods that correct a batch's gradient by one of all records.

pub mod svrg;
