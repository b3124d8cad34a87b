//! The command line: arguments in, exit code out; it sees only the public API of the crate.
