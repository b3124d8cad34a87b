//! The redirect URI: registered, sent, and sent again.

mod comparison;
mod redirect_landed_elsewhere;
mod redirect_uri_fragment;
mod redirect_uri_rejected_at_authorize;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &comparison::TRAILING_SLASH,
    &comparison::SCHEME,
    &comparison::HOST_OR_PORT,
    &comparison::CASE,
    &comparison::ENCODING,
    &comparison::RESPONSE_PARAMS,
    &comparison::MISSING,
    &comparison::DIFFERS,
    &redirect_uri_rejected_at_authorize::RULE,
    &redirect_uri_fragment::RULE,
    &redirect_landed_elsewhere::RULE,
];
