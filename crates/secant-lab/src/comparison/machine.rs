//! Where a comparison is made.

/// Processor, cores and system.
pub(super) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (arch, system) = (std::env::consts::ARCH, std::env::consts::OS);
    let processor = processor().unwrap_or_else(|| arch.to_string());
    format!("{processor}, {cores} cores, {system}")
}

/// What can change the bits of a result: the vector unit that loops are compiled for.
pub(super) fn arithmetic() -> String {
    format!("{}, {:?}", std::env::consts::ARCH, pulp::Arch::new())
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
