//! Grants without a redirect, and the endpoints beside the token endpoint.

mod assertion_or_exchange_invalid;
mod client_credentials_misuse;
mod device_flow_broken;
mod device_slow_down_ignored;
mod dpop_proof_invalid;
mod introspection_revocation_misuse;
mod par_problem;
mod password_grant_problem;
mod polls;
mod token_type_scheme_mismatch;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &device_slow_down_ignored::RULE,
    &device_flow_broken::RULE,
    &client_credentials_misuse::RULE,
    &assertion_or_exchange_invalid::RULE,
    &password_grant_problem::RULE,
    &introspection_revocation_misuse::RULE,
    &par_problem::RULE,
    &dpop_proof_invalid::RULE,
    &token_type_scheme_mismatch::RULE,
];
