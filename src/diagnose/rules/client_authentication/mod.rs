//! How the client proves who it is.

mod client_auth_multiple;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[&client_auth_multiple::RULE];
