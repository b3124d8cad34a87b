//! The secrets, from outside.
