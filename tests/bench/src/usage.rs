//! What a thread and a process have used, as Linux tells it under `/proc`.
//!
//! Processor time and not the time that passes: what else runs on the machine does not count.

use std::{fs, time::Duration};

use crate::Outcome;

/// A process's use up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time of all its threads, in user and system mode, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// The most memory it ever had resident, in bytes.
    pub(crate) peak: u64,
}

/// Processor time of this thread.
pub(crate) fn of_this_thread() -> Outcome<Duration> {
    // Asking to run again brings the figure up to date, which otherwise is as old as the last tick.
    std::thread::yield_now();
    let told = fs::read_to_string("/proc/thread-self/schedstat")?;
    on_processor(&told).ok_or_else(|| "the kernel keeps no schedstat".into())
}

/// The use of a process that runs.
pub(crate) fn of_process(pid: u32) -> Outcome<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let unreadable = || format!("/proc/{pid} is not as expected");
    Ok(Usage {
        cpu: user_and_system(&stat).ok_or_else(unreadable)?,
        peak: high_water(&status).ok_or_else(unreadable)?,
    })
}

/// Processor time of the threads that a process has, to the nanosecond. Those that have ended do not
/// count: it is for a process that has just started.
pub(crate) fn of_its_threads(pid: u32) -> Outcome<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let told = fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += on_processor(&told).ok_or("the kernel keeps no schedstat")?;
    }
    Ok(sum)
}

/// The first number of `schedstat`: nanoseconds on a processor.
fn on_processor(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The fields `utime` and `stime`, the 14th and 15th, in hundredths of a second. The second, the
/// name, stands in parentheses and may hold anything.
fn user_and_system(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_proc_are_understood() {
        assert_eq!(on_processor("123456789 17 4\n"), Some(Duration::from_nanos(123_456_789)));
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 99 0 0 0 250 50 7 8 20 0 1 0 100 1 1";
        assert_eq!(user_and_system(stat), Some(Duration::from_secs(3)));
        let status = "Name:\tbatch\nVmPeak:\t  99 kB\nVmHWM:\t   10240 kB\n";
        assert_eq!(high_water(status), Some(10 * 1024 * 1024));
        assert_eq!(high_water("Name:\tbatch\n"), None);
    }

    #[test]
    fn this_thread_and_this_process_have_used_something() {
        let before = of_this_thread().unwrap();
        let mut sum = 0u64;
        while of_this_thread().unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(of_process(std::process::id()).unwrap().peak > 0);
        assert!(of_its_threads(std::process::id()).unwrap() >= before);
    }
}
