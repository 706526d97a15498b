//! Ctrl-C.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The exit code of a command that Ctrl-C ended, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Is set by the first Ctrl-C, upon which the steps in progress are to end; the second ends the process.
///
/// # Errors
/// The system takes no handler.
pub fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        eprintln!("\nstopping after the steps in progress; press Ctrl-C again to stop at once");
    })?;
    Ok(stop)
}
