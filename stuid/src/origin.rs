//! Where a client sits: its program and its terminal, as the kernel has them in `/proc`.

use std::fs;

/// What the kernel knows of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The name of its program.
    pub command: Option<String>,
    /// Its controlling terminal, such as `pts/3`.
    pub terminal: Option<String>,
}

impl Origin {
    /// Of a process; nothing is known of one that is gone or hidden.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        match fs::read(format!("/proc/{pid}/stat")) {
            Ok(stat) if pid != 0 => Self::parse(&String::from_utf8_lossy(&stat)),
            _ => Self::default(),
        }
    }

    /// Reads a line of proc_pid_stat(5): `pid (comm) state ppid pgrp session tty_nr …`. A program
    /// can put anything into its name, also parentheses.
    fn parse(stat: &str) -> Self {
        let Some((before, after)) = stat.rsplit_once(')') else {
            return Self::default();
        };
        let name = before.split_once('(').map_or("", |(_, name)| name);
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        let device = after.split_whitespace().nth(4);
        let device = device.and_then(|number| number.parse::<i32>().ok());
        Self {
            command: (!name.is_empty()).then_some(name),
            terminal: device.and_then(|number| terminal(number.cast_unsigned())),
        }
    }
}

/// The name of a terminal by its device number: major in bits 8 to 15, minor in the others.
fn terminal(device: u32) -> Option<String> {
    let major = device >> 8 & 0xff;
    let minor = device & 0xff | device >> 12 & 0xf_ff00;
    match major {
        0 => None,
        4 if minor < 64 => Some(format!("tty{minor}")),
        4 => Some(format!("ttyS{}", minor - 64)),
        136..=143 => Some(format!("pts/{}", (major - 136) << 20 | minor)),
        _ => Some(format!("device {major}:{minor}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_and_terminal_are_read_whatever_the_program_is_called() {
        let of = |name: &str, tty: u32| {
            Origin::parse(&format!("42 ({name}) S 1 42 42 {tty} 42 4194304 100\n"))
        };
        let found = of("stui", 34_819);
        assert_eq!(found.command.as_deref(), Some("stui"));
        assert_eq!(found.terminal.as_deref(), Some("pts/3"));
        let strange = of("a) S 1 (b\x1b[2J", 1025);
        assert_eq!(strange.command.as_deref(), Some("a) S 1 (b[2J"));
        assert_eq!(strange.terminal.as_deref(), Some("tty1"));
        assert_eq!(of("cron", 0).terminal, None);
        assert_eq!(Origin::parse("nonsense"), Origin::default());
    }

    #[test]
    fn this_process_is_known_and_one_that_cannot_be_is_not() {
        assert!(Origin::of(std::process::id()).command.is_some());
        assert_eq!(Origin::of(0), Origin::default());
    }
}
