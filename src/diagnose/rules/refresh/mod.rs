//! Refresh tokens: whether there is one, and how it is used.

mod refresh_request_invalid;
mod refresh_token_not_issued;
mod refresh_token_reused;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &refresh_token_reused::RULE,
    &refresh_request_invalid::RULE,
    &refresh_token_not_issued::RULE,
];
