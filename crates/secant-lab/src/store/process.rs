//! Which process this is, and whether another one still lives.

use std::fs;

/// A process that works on runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Its number.
    pub(super) id: u32,
    /// The name of its machine, for people.
    pub(super) host: String,
    /// Where its number means it: this boot of this kernel and this namespace. `None` where that
    /// cannot be known.
    pub(super) place: Option<String>,
    /// When it began, in the kernel's clock ticks since the boot.
    pub(super) began: Option<i64>,
}

impl Process {
    /// This one.
    pub(super) fn this() -> Self {
        let id = std::process::id();
        Self { id, host: host(), place: place(), began: beginning(id) }
    }

    /// Whether it has certainly ended, as far as `self` can see.
    pub(super) fn sees_the_end_of(&self, other: &Self) -> bool {
        let same_place = self.place.is_some() && self.place == other.place;
        same_place && other.began.is_some() && beginning(other.id) != other.began
    }
}

fn host() -> String {
    let linux = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = linux.or_else(|| std::env::var("COMPUTERNAME").ok());
    named.map_or_else(|| "this machine".to_string(), |name| name.trim().to_string())
}

fn place() -> Option<String> {
    // Where other users' processes are hidden, one that is not seen may live.
    beginning(1)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// When a process began, if it lives; a number that is given to another process has another
/// beginning.
fn beginning(id: u32) -> Option<i64> {
    let status = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, rest) = status.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    // The state is the third field, the beginning the 22nd.
    let began = fields.nth(18)?.parse().ok()?;
    (!ended).then_some(began)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn this_process_lives() {
        let this = Process::this();
        assert!(this.place.is_some() && this.began.is_some());
        assert!(!this.sees_the_end_of(&this));
    }

    #[test]
    fn a_process_that_ended_is_seen_before_it_is_reaped_and_after() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("a process");
        let this = Process::this();
        let other = Process { id: child.id(), began: beginning(child.id()), ..this.clone() };
        assert!(!this.sees_the_end_of(&other));
        child.kill().expect("killed");
        while beginning(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(this.sees_the_end_of(&other));
        child.wait().expect("reaped");
        assert!(this.sees_the_end_of(&other));
    }

    #[test]
    fn a_number_that_another_process_has_now_is_not_the_same_process() {
        let this = Process::this();
        let before = Process { began: this.began.map(|began| began - 1), ..this.clone() };
        assert!(this.sees_the_end_of(&before));
    }

    #[test]
    fn nothing_is_known_about_processes_elsewhere() {
        let this = Process::this();
        let gone = Process { began: Some(0), place: Some("elsewhere".to_string()), ..this.clone() };
        assert!(!this.sees_the_end_of(&gone));
    }
}
