//! The token response: what the server says.

mod token_error_misleading;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[&token_error_misleading::RULE];
