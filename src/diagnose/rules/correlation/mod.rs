//! What ties a response to its request: state, nonce, and the issuer.

mod iss_param_mismatch;
mod iss_param_missing;
mod nonce_mismatch;
mod nonce_missing_in_request;
mod state_cookie_not_returned;
mod state_mismatch;
mod state_missing;
mod state_weak_or_reused;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &state_mismatch::RULE,
    &state_cookie_not_returned::RULE,
    &state_missing::RULE,
    &state_weak_or_reused::RULE,
    &iss_param_mismatch::RULE,
    &iss_param_missing::RULE,
    &nonce_missing_in_request::RULE,
    &nonce_mismatch::RULE,
];
