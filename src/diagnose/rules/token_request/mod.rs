//! The token request: its method, its URL and its body.

mod placeholder_literal_value;
mod token_body_double_encoded;
mod token_body_empty;
mod token_body_form_mislabelled;
mod token_body_json;
mod token_body_json_as_urlencoded;
mod token_body_multipart;
mod token_body_multipart_as_urlencoded;
mod token_grant_type_missing;
mod token_grant_type_wrong;
mod token_method_not_post;
mod token_params_in_query;
mod token_post_redirected;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &token_method_not_post::RULE,
    &token_post_redirected::RULE,
    &token_body_empty::RULE,
    &token_body_multipart_as_urlencoded::RULE,
    &token_body_multipart::RULE,
    &token_body_json::RULE,
    &token_body_json_as_urlencoded::RULE,
    &token_body_form_mislabelled::RULE,
    &token_params_in_query::RULE,
    &token_body_double_encoded::RULE,
    &token_grant_type_missing::RULE,
    &token_grant_type_wrong::RULE,
    &placeholder_literal_value::RULE,
];
