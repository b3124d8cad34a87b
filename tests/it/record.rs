//! The record, from outside.
