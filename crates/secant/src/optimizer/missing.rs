//! Parameters that have a gradient in some steps and none in others.

/// What a step does where a trainable parameter has no gradient: an expert that no record of the batch
/// was sent to, a layer that is frozen for a while, a backbone that is released later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MissingGradients {
    /// It fails, and so does a step with a gradient that the first step had not: a state that silently
    /// covers other numbers than before would be worse.
    #[default]
    Error,
    /// It leaves the parameter and its state alone, bit by bit: its moments do not decay, and its count
    /// of steps stands still. A parameter that appears later joins with a fresh state. Each parameter
    /// thus makes the steps that an optimizer of its own would have made.
    Skip,
}
