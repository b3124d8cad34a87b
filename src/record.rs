//! The tape: exchanges in, interactions out, in the order in which they end.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
