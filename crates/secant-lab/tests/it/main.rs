//! The laboratory from outside.

mod store_kill;
