//! The proxy, from outside.
