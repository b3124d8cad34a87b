//! Good practice: what works, and is not safe (RFC 9700).

mod sweep;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &sweep::IMPLICIT_GRANT,
    &sweep::TOKEN_IN_URL,
    &sweep::HTTP_REDIRECT_URI,
    &sweep::PKCE,
    &sweep::REFRESH,
    &sweep::REUSED,
];
