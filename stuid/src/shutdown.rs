//! Signals as events: the first SIGTERM or SIGINT asks the daemon to end, a second one ends it at
//! once. SIGHUP asks for the configuration to be read again, and never kills.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// Exit code of a daemon that was told twice.
const IMPATIENT: i32 = 130;

/// Listens for signals on a thread of its own, which calls `end` at each that asks for the end and
/// `reload` at SIGHUP.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn on_signals(
    end: impl Fn() + Send + 'static,
    reload: impl Fn() + Send + 'static,
) -> io::Result<()> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: at the first signal the flag is still off when it is looked at.
        flag::register_conditional_shutdown(signal, IMPATIENT, Arc::clone(&told))?;
        flag::register(signal, Arc::clone(&told))?;
    }
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if signal == SIGHUP {
                    tracing::info!("SIGHUP: told to read the configuration again");
                    reload();
                } else {
                    tracing::info!(signal, "told to end");
                    end();
                }
            }
        })?;
    Ok(())
}
