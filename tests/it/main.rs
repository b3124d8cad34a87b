//! Everything that is tested from outside, in one binary.

mod cli;
mod proxy;
mod record;
mod replay;
mod rules;
mod secrets;
mod support;
