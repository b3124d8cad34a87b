//! The token response: what the server says.

mod client_grant_not_allowed;
mod token_error_misleading;
mod token_response_200_error;
mod token_response_cacheable;
mod token_response_fields;
mod token_response_login_page;
mod token_response_not_json;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &client_grant_not_allowed::RULE,
    &token_response_login_page::RULE,
    &token_response_200_error::RULE,
    &token_response_not_json::RULE,
    &token_response_fields::RULE,
    &token_response_cacheable::RULE,
    &token_error_misleading::RULE,
];
