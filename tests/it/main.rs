//! Everything that is tested from outside, in one binary.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test stops at what it cannot do, and its tables are long"
)]

mod audit;
mod cli;
mod declared;
mod dialect;
mod diff;
mod explain;
mod faults;
mod flood;
mod formats;
mod grants;
mod harness;
mod help;
mod mishaps;
mod modes;
mod mutate;
mod proofs;
mod proxy;
mod public;
mod raw;
mod record;
mod refusals;
mod registered;
mod replay;
mod reverse;
mod rules;
mod runs;
mod scrub;
mod secrets;
mod servers;
mod session;
mod sessions;
mod share;
mod show;
mod snapshot;
mod support;
mod tokens;
mod transcript;
mod waits;
mod ways;
