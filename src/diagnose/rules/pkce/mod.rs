//! Proof Key for Code Exchange: the verifier, the challenge and the method.

mod comparison;
mod pkce_method_invalid;
mod pkce_verifier_format;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &pkce_method_invalid::RULE,
    &comparison::VERIFIER_MISSING,
    &comparison::WITHOUT_CHALLENGE,
    &comparison::HEX,
    &comparison::NOT_BASE64URL,
    &comparison::METHOD_OMITTED,
    &comparison::PLAIN_LABELLED_S256,
    &comparison::FROM_OTHER_FLOW,
    &comparison::MISMATCH,
    &pkce_verifier_format::RULE,
];
