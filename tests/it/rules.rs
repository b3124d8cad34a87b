//! The rules, from outside.
