//! The cli, from outside.
