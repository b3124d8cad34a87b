//! How long an answer is held back, and how lengths of time are written.

use std::str::FromStr;
use std::time::Duration;

/// How long answers take that come from tape.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Latency {
    /// No longer than it takes to make them.
    #[default]
    None,
    /// As long as they took when they were recorded.
    Recorded,
    /// So many times as long.
    Times(f64),
    /// Always as long.
    Fixed(Duration),
}

/// Why a text says no latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is `recorded`, a factor of the recorded time, as in x2 or x0.5, up to x1000, or a time, as in 200ms or 2s"
)]
pub struct LatencyError;

impl Latency {
    /// How long an answer is held back that took this long when it was recorded.
    pub fn of(self, recorded: Duration) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Recorded => recorded,
            Self::Times(factor) => {
                let seconds = recorded.as_secs_f64() * factor;
                Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
            }
            Self::Fixed(time) => time,
        }
    }
}

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, LatencyError> {
        let factor = text.strip_prefix('x').map(|factor| {
            let is_plain = factor.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let factor = factor.parse().ok().filter(|_| is_plain);
            factor.filter(|factor| (0.0..=FACTOR_MAX).contains(factor))
        });
        match factor {
            Some(factor) => factor.map(Self::Times),
            None if text == "recorded" => Some(Self::Recorded),
            None => time(text).map(Self::Fixed),
        }
        .ok_or(LatencyError)
    }
}

/// `500ms`, `10s` or `5m`, up to an hour.
pub(super) fn time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let count: u64 = digits.parse().ok()?;
    let millis = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    let time = Duration::from_millis(count.checked_mul(millis)?);
    (time <= LONGEST).then_some(time)
}

const FACTOR_MAX: f64 = 1_000.0;
const LONGEST: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_read_and_applied_or_refused() {
        let recorded = Duration::from_millis(80);
        for (text, expected) in [
            ("recorded", Some(80)),
            ("x1", Some(80)),
            ("x2", Some(160)),
            ("x0.5", Some(40)),
            ("x0", Some(0)),
            ("200ms", Some(200)),
            ("2s", Some(2_000)),
            ("1m", Some(60_000)),
            ("60m", Some(3_600_000)),
            ("61m", None),
            ("x1001", None),
            ("x-1", None),
            ("xinf", None),
            ("x1e3", None),
            ("x", None),
            ("2", None),
            ("s", None),
            ("-2s", None),
            ("2 s", None),
            ("", None),
            ("99999999999999999999s", None),
        ] {
            let read = text.parse::<Latency>();
            let held = read.map(|latency| latency.of(recorded).as_millis());
            assert_eq!(held.ok(), expected, "{text}");
        }
        assert_eq!(Latency::default().of(recorded), Duration::ZERO);
        assert_eq!(Latency::Times(1e3).of(Duration::MAX), Duration::MAX);
    }
}
