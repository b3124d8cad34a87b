//! The ID Token: its claims, its signature, and what it hashes.

mod clock_skew;
mod id_token_claims_invalid;
mod id_token_hash_mismatch;
mod id_token_signature_or_key;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &id_token_signature_or_key::RULE,
    &id_token_claims_invalid::RULE,
    &id_token_hash_mismatch::RULE,
    &clock_skew::RULE,
];
