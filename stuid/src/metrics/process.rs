//! Numbers of the process, under the names that they have in every program. The collector of the
//! crate `prometheus` reads `/proc/stat` and tells the year 1970 where a sandbox hides that, as that
//! of `stuid.service` does; and it counts whole seconds.

use std::time::{Duration, SystemTime};

use prometheus::{Counter, IntGauge};
use rustix::process::{Resource, getrlimit};

use super::making::{Making, Registered};

#[derive(Debug)]
pub(super) struct Process {
    cpu: Counter,
    resident: IntGauge,
    size: IntGauge,
    threads: IntGauge,
    files: IntGauge,
    most_files: IntGauge,
}

impl Process {
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        let started = make.seconds(
            "process_start_time_seconds",
            "When the daemon started, in seconds since 1970.",
        )?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        started.set(now.unwrap_or_default().as_secs_f64());
        Ok(Self {
            cpu: make.seconds_counter(
                "process_cpu_seconds_total",
                "Time that the daemon has computed for.",
            )?,
            resident: make.gauge(
                "process_resident_memory_bytes",
                "Resident memory of the daemon.",
            )?,
            size: make.gauge(
                "process_virtual_memory_bytes",
                "Address space of the daemon.",
            )?,
            threads: make.gauge("process_threads", "Threads of the daemon.")?,
            files: make.gauge("process_open_fds", "Files that the daemon has open.")?,
            most_files: make.gauge("process_max_fds", "Files that it may have open.")?,
        })
    }

    /// Brings the numbers up to date. What cannot be read stays as it was.
    pub(super) fn look(&self) {
        if let Some(stat) = Stat::read() {
            let more = stat.cpu.as_secs_f64() - self.cpu.get();
            self.cpu.inc_by(more.max(0.0));
            self.resident.set(stat.resident);
            self.size.set(stat.size);
            self.threads.set(stat.threads);
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            // One is for looking.
            let open = files.count().saturating_sub(1);
            self.files.set(i64::try_from(open).unwrap_or(i64::MAX));
        }
        let most = getrlimit(Resource::Nofile).current;
        let most = most.and_then(|most| i64::try_from(most).ok());
        self.most_files.set(most.unwrap_or(i64::MAX));
    }
}

/// Bytes of memory that the process has.
pub(crate) fn resident_bytes() -> Option<i64> {
    Stat::read().map(|stat| stat.resident)
}

/// What `/proc/self/stat` tells, in seconds and bytes.
struct Stat {
    cpu: Duration,
    threads: i64,
    size: i64,
    resident: i64,
}

impl Stat {
    fn read() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The second field is a name in brackets, which may have anything in it.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        // Numbered as in proc_pid_stat(5), from 1.
        let field = |number: usize| fields.get(number - 3)?.trim().parse::<i64>().ok();
        let ticks = u64::try_from(field(14)?.checked_add(field(15)?)?).ok()?;
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        let page = i64::try_from(rustix::param::page_size()).ok()?;
        Some(Self {
            cpu: Duration::from_millis(ticks.saturating_mul(1000) / per_second),
            threads: field(20)?,
            size: field(23)?,
            resident: field(24)?.checked_mul(page)?,
        })
    }
}
