//! Showing how far a download is.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What a moving bar looks like.
const TEMPLATE: &str = "{msg:28} {bar:30} {decimal_bytes:>10} of {decimal_total_bytes}, {eta} left";

/// Whether the user sees how far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A moving bar where standard error is a terminal, else a line for each file.
    Shown,
    /// Nothing.
    Hidden,
}

impl Progress {
    /// Begins to show the download of a file.
    pub(super) fn start(self, file: &str, bytes: u64) -> Bar {
        let moving = self == Progress::Shown && stderr().is_terminal();
        if self == Progress::Shown && !moving {
            eprintln!("downloading {file} ({bytes} bytes)");
        }
        let target =
            if moving { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(bytes), target).with_message(file.to_owned());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Bar(bar)
    }
}

/// A shown or hidden bar; it stops when dropped.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// Goes forward by `bytes`.
    pub(super) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_of_the_bar_is_sound() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
