//! Cassettes in other tools' formats: functions of what was redacted, so none redacts again.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod har;
mod har_body;
mod reason;
