//! Which server is which: what it publishes, and where its endpoints are.

mod discovery_issuer_mismatch;
mod endpoint_or_tenant_mismatch;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &endpoint_or_tenant_mismatch::RULE,
    &discovery_issuer_mismatch::RULE,
];
