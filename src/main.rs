//! The binary: parses, calls `cli`, and ends with its exit code.

mod cli;

fn main() {}
