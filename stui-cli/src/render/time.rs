//! Times and durations in a few characters.

use std::time::Duration;

use stui_protocol::Timestamp;

/// A duration with the two digits that matter: `12 ms`, `3.4 s`, `2 m 05 s`, `3 h 20 m`, `2 d 4 h`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=9 => format!("{:.1} s", time.as_secs_f64()),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Milliseconds as they come from the image, which may be anything.
pub(crate) fn milliseconds(ms: f64) -> String {
    duration(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default())
}

/// How long ago, in one unit: `0 s`, `12 s`, `5 m`, `3 h`, `2 d`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second());
    match seconds {
        // A clock may have been set back.
        ..=59 => format!("{} s", seconds.max(0)),
        60..=3599 => format!("{} m", seconds / 60),
        3600..=86_399 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let said = |ms| duration(Duration::from_millis(ms));
        assert_eq!(said(12), "12 ms");
        assert_eq!(said(3_440), "3.4 s");
        assert_eq!(said(125_000), "2 m 05 s");
        assert_eq!(said(12_000_000), "3 h 20 m");
        assert_eq!(said(187_200_000), "2 d 4 h");
        assert_eq!(milliseconds(f64::NAN), "0 ms");
        assert_eq!(milliseconds(-1.0), "0 ms");
    }
}
