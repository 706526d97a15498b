//! The library from outside: every method on common tests (`conformance`), against plain scalar
//! twins (`twins`), the papers' theorems (`theorems`), what the optimizer adds to a method
//! (`groups_and_clipping`), Hessian products (`dual`), and vectors on a device (`device`).
//!
//! A new method joins with one line in `table.rs`, which names its plain twin in `twin/`.

mod batches;
mod collective;
mod conformance;
mod curvature_products;
mod device;
mod dual;
mod functions;
mod groups_and_clipping;
mod layers;
mod metric;
mod missing;
mod muon;
mod panics;
mod prelude;
mod quasi_newton;
mod records;
mod resume;
mod schedule_free;
mod searches;
mod shampoo;
mod soap;
mod spec;
mod ss_broyden;
mod subnormal;
mod subspace_newton;
mod support;
mod switch;
mod table;
mod theorems;
mod transaction;
mod trust_region;
mod twin;
mod twins;
