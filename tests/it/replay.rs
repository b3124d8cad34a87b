//! The replay, from outside.
