//! Points in time on the wire: RFC 3339, UTC, exact to the millisecond.

/// A point in time; written as `2026-11-20T10:30:00.123Z`, without zeros at the end of the fraction.
pub type Timestamp = jiff::Timestamp;

/// The current time, cut to milliseconds.
#[must_use]
pub fn now() -> Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
