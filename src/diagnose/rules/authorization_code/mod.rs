//! The authorization code: how it comes back, and how it is redeemed.

mod authorize_error_returned;
mod code_expired;
mod code_from_another_flow;
mod code_missing;
mod code_never_exchanged;
mod code_reused;
mod code_unknown;
mod comparison;

pub(super) use code_from_another_flow::stale;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &code_missing::RULE,
    &comparison::OVER_ENCODED,
    &comparison::PLUS_BECAME_SPACE,
    &comparison::TRUNCATED,
    &comparison::EXTRA_SUFFIX,
    &code_from_another_flow::RULE,
    &code_reused::RULE,
    &code_unknown::RULE,
    &code_never_exchanged::RULE,
];

/// What is said behind everything else: what came of a cause that others tell, and what explains a
/// refusal only where they do not.
pub(super) const LAST: &[&Rule] = &[&authorize_error_returned::RULE, &code_expired::RULE];
