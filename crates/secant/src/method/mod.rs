//! The optimizers, one page each, by kind.
//!
//! | kind | methods |
//! |---|---|
//! | [`first_order`] | [SGD](first_order::sgd), [SGD-BB](first_order::sgd_bb), [Adam](first_order::adam), [RMSprop](first_order::rmsprop), [RAdam](first_order::radam), [AdaBelief](first_order::adabelief) |
//! | [`diagonal`] | [Apollo](diagonal::apollo), [AdaHessian](diagonal::adahessian) |
//! | [`lbfgs`] | [L-BFGS](lbfgs::l_bfgs), [SdLBFGS](lbfgs::sd_lbfgs), [oLBFGS](lbfgs::online), [multi-batch L-BFGS](lbfgs::multi_batch), [SQN](lbfgs::sqn), [Quasi-Adam](lbfgs::quasi_adam) |
//! | [`layer_wise`] | [Muon](layer_wise::muon) |
//! | [`trust_region`] | [MB-LSR1](trust_region::mb_lsr1), [L-SSR1-TR](trust_region::l_ssr1_tr) |
//! | [`variance_reduced`] | [SVRG](variance_reduced::svrg) |
//!
//! A method sees vectors and an oracle, never a module; see [`protocol`](crate::protocol).

pub mod diagonal;
pub mod first_order;
pub mod layer_wise;
pub mod lbfgs;
pub mod trust_region;
pub mod variance_reduced;
