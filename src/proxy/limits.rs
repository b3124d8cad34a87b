//! The limits of a proxy: how much it takes, and how long it waits.

use std::time::Duration;

use crate::proxy::Error;

/// How much a proxy takes of those it speaks to, and how long it waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's fields together.
    pub head: usize,
    /// How many fields a head has.
    pub fields: usize,
    /// Bytes of one field.
    pub field: usize,
    /// Bytes of a request's target.
    pub target: usize,
    /// Bytes of a body that are kept; what is longer passes all the same.
    pub body: usize,
    /// How many connections clients have at once, where there are file descriptors for so many.
    pub connections: usize,
    /// From accepting a connection to its first byte.
    pub first_byte: Duration,
    /// A TLS handshake with a client.
    pub handshake: Duration,
    /// A request's head, once it has begun.
    pub head_time: Duration,
    /// Between two parts of a request's body.
    pub body_gap: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub reader: Duration,
    /// Reaching a server, TLS included.
    pub upstream_connect: Duration,
    /// From the end of a request to the head of its answer.
    pub answer_head: Duration,
    /// Between two parts of an answer's body.
    pub answer_gap: Duration,
    /// How long a tunnel that passes unread may carry nothing.
    pub tunnel_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            fields: 100,
            // Bearer tokens and cookies are long, but not longer.
            field: 16 << 10,
            target: 16 << 10,
            body: 1 << 20,
            connections: 4_096,
            first_byte: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            body_gap: Duration::from_secs(30),
            idle: Duration::from_mins(1),
            reader: Duration::from_mins(1),
            upstream_connect: Duration::from_secs(10),
            answer_head: Duration::from_mins(1),
            // Event streams send a comment every quarter of a minute.
            answer_gap: Duration::from_mins(1),
            tunnel_idle: Duration::from_mins(5),
        }
    }
}

impl Limits {
    /// The same limits with one set by name, as in `head=128K` or `idle=2m`.
    ///
    /// # Errors
    ///
    /// Where there is no limit of that name, or its value is none that it may have.
    pub fn with(mut self, text: &str) -> Result<Self, Error> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let all = self.all().into_iter();
        let known = { all }.find(|limit| limit.name == name);
        let set = known.map(|limit| {
            let range = limit.range();
            limit.set(value).ok_or(range)
        });
        let unknown = || Err(format!("NAME=VALUE, with one of {}", Self::names()));
        set.unwrap_or_else(unknown)
            .map_err(|expected| Error::Limit {
                text: text.to_owned(),
                expected,
            })?;
        Ok(self)
    }

    /// Every name with the value that it has where none is set.
    pub fn defaults() -> String {
        let mut limits = Self::default();
        let shown = limits
            .all()
            .map(|limit| format!("{}={}", limit.name, limit.shown()));
        shown.join(", ")
    }

    fn names() -> String {
        Self::default().all().map(|limit| limit.name).join(", ")
    }

    fn all(&mut self) -> [Named<'_>; 16] {
        [
            size("head", &mut self.head, 8 << 10, 256 << 10),
            count("fields", &mut self.fields, 1, 256),
            size("field", &mut self.field, 256, 256 << 10),
            // hyper reads no longer one.
            size("target", &mut self.target, 256, 60 << 10),
            size("body", &mut self.body, 1 << 10, 64 << 20),
            count("connections", &mut self.connections, 1, 1_000_000),
            time("first-byte", &mut self.first_byte),
            time("handshake", &mut self.handshake),
            time("head-time", &mut self.head_time),
            time("body-gap", &mut self.body_gap),
            time("idle", &mut self.idle),
            time("reader", &mut self.reader),
            time("upstream-connect", &mut self.upstream_connect),
            time("answer-head", &mut self.answer_head),
            time("answer-gap", &mut self.answer_gap),
            time("tunnel-idle", &mut self.tunnel_idle),
        ]
    }
}

/// A limit by its name.
struct Named<'a> {
    name: &'static str,
    value: Value<'a>,
}

enum Value<'a> {
    Count(&'a mut usize, usize, usize),
    Size(&'a mut usize, usize, usize),
    Time(&'a mut Duration),
}

fn count<'a>(name: &'static str, value: &'a mut usize, least: usize, most: usize) -> Named<'a> {
    let value = Value::Count(value, least, most);
    Named { name, value }
}

fn size<'a>(name: &'static str, value: &'a mut usize, least: usize, most: usize) -> Named<'a> {
    let value = Value::Size(value, least, most);
    Named { name, value }
}

fn time<'a>(name: &'static str, value: &'a mut Duration) -> Named<'a> {
    let value = Value::Time(value);
    Named { name, value }
}

impl Named<'_> {
    fn set(self, text: &str) -> Option<()> {
        let (into, found, least, most) = match self.value {
            Value::Count(into, least, most) => (into, text.parse().ok()?, least, most),
            Value::Size(into, least, most) => (into, bytes(text)?, least, most),
            Value::Time(into) => {
                *into = duration(text).filter(|time| TIMES.contains(time))?;
                return Some(());
            }
        };
        *into = Some(found).filter(|found| (least..=most).contains(found))?;
        Some(())
    }

    fn shown(&self) -> String {
        match &self.value {
            Value::Count(value, ..) => value.to_string(),
            Value::Size(value, ..) => in_bytes(**value),
            Value::Time(value) => in_time(**value),
        }
    }

    /// What it may be.
    fn range(&self) -> String {
        let (least, most, unit) = match self.value {
            Value::Count(_, least, most) => (least.to_string(), most.to_string(), ""),
            Value::Size(_, least, most) => (in_bytes(least), in_bytes(most), ", in bytes, K or M"),
            Value::Time(_) => {
                let (least, most) = (in_time(*TIMES.start()), in_time(*TIMES.end()));
                (least, most, ", with a unit of ms, s, m or h")
            }
        };
        let example = self.shown();
        let name = self.name;
        format!("{name}=VALUE from {least} to {most}{unit}, as in {name}={example}")
    }
}

/// `16K`, `1M`, or just bytes.
fn bytes(text: &str) -> Option<usize> {
    let (digits, unit) = match text.strip_suffix(['K', 'M']) {
        Some(digits) if text.ends_with('K') => (digits, 1 << 10),
        Some(digits) => (digits, 1 << 20),
        None => (text, 1),
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

fn in_bytes(value: usize) -> String {
    if value.is_multiple_of(1 << 20) {
        format!("{}M", value >> 20)
    } else if value.is_multiple_of(1 << 10) {
        format!("{}K", value >> 10)
    } else {
        value.to_string()
    }
}

/// `500ms`, `10s`, `5m` or `1h`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let count: u64 = digits.parse().ok()?;
    let millis = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(count.checked_mul(millis)?))
}

fn in_time(value: Duration) -> String {
    let millis = value.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let whole = units
        .iter()
        .find(|(unit, _)| millis >= *unit && millis.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}

const TIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_hours(24);

/// Streams that a client may have open at once on one HTTP/2 connection.
pub(super) const STREAMS_MAX: u32 = 100;
/// The least that RFC 9113 section 6.5.2 allows, and all that is needed.
pub(super) const FRAME_MAX: u32 = 16 << 10;
/// What a client may have sent on one stream that was not passed on.
pub(super) const CLIENT_WINDOW: u32 = 64 << 10;
/// What a server may have: it is farther away, and waits a round trip for each window.
pub(super) const SERVER_WINDOW: u32 = 256 << 10;
/// What either may have on all streams of a connection.
pub(super) const CONNECTION_WINDOW: u32 = 1 << 20;
/// Streams that were reset before they were looked at (CVE-2023-44487).
pub(super) const PENDING_RESETS_MAX: usize = 20;
/// Streams that were reset for an error of the other side (CVE-2025-8671).
pub(super) const ERROR_RESETS_MAX: usize = 1_024;

/// How many fields hyper has room for without asking for memory; its default.
pub(super) const HYPERS_FIELDS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_set_by_its_name_and_within_its_range() {
        for (text, expected) in [
            ("head=128K", Some("head=128K")),
            ("head=256K", Some("head=256K")),
            ("head=262145", None),
            ("head=8191", None),
            ("fields=256", Some("fields=256")),
            ("fields=257", None),
            ("body=2M", Some("body=2M")),
            ("target=1000", Some("target=1000")),
            ("idle=90s", Some("idle=90s")),
            ("idle=120s", Some("idle=2m")),
            ("head-time=500ms", Some("head-time=500ms")),
            ("tunnel-idle=24h", Some("tunnel-idle=24h")),
            ("tunnel-idle=25h", None),
            ("idle=0s", None),
            ("idle=10", None),
            ("idle=s", None),
            ("body=-1", None),
            ("body=K", None),
            ("bodies=1", None),
            ("head", None),
            ("", None),
        ] {
            let set = Limits::default().with(text).ok();
            let shown = set.map(|mut limits| {
                let name = text.split('=').next().unwrap_or_default();
                let mut all = limits.all().into_iter();
                let limit = all.find(|limit| limit.name == name).expect(text);
                format!("{name}={}", limit.shown())
            });
            assert_eq!(shown.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_default_can_be_set_and_a_refusal_names_them_all() {
        for shown in Limits::defaults().split(", ") {
            let set = Limits::default().with(shown).expect(shown);
            assert_eq!(set, Limits::default(), "{shown}");
            let name = shown.split('=').next().expect("a name");
            let refused = Limits::default().with("nothing=1").expect_err("no limit");
            assert!(refused.to_string().contains(name), "{name}: {refused}");
            let refused = Limits::default()
                .with(&format!("{name}=x"))
                .expect_err(name);
            assert!(refused.to_string().ends_with(shown), "{name}: {refused}");
        }
    }
}
