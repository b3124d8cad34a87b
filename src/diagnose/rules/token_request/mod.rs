//! The token request: its method, its URL and its body.

mod placeholder_literal_value;
mod token_accept_not_json;
mod token_body_double_encoded;
mod token_body_empty;
mod token_body_form_mislabelled;
mod token_body_json;
mod token_body_json_as_urlencoded;
mod token_body_multipart;
mod token_body_multipart_as_urlencoded;
mod token_content_type_charset;
mod token_cors_blocked;
mod token_expect_continue;
mod token_grant_type_missing;
mod token_grant_type_wrong;
mod token_intermediary_answered;
mod token_length_required;
mod token_method_not_post;
mod token_over_http;
mod token_param_duplicate;
mod token_param_misspelled;
mod token_params_in_query;
mod token_post_redirected;
mod token_rate_limited;
mod token_server_error;
mod token_value_unencoded;
mod token_wrong_endpoint;

use crate::diagnose::rule::Rule;

pub(super) use token_param_misspelled::misspelled;

/// Those that look at what was found before them come behind it.
pub(super) const RULES: &[&Rule] = &[
    &token_intermediary_answered::RULE,
    &token_method_not_post::RULE,
    &token_post_redirected::RULE,
    &token_wrong_endpoint::RULE,
    &token_cors_blocked::RULE,
    &token_rate_limited::RULE,
    &token_length_required::RULE,
    &token_expect_continue::RULE,
    &token_body_empty::RULE,
    &token_body_multipart_as_urlencoded::RULE,
    &token_body_multipart::RULE,
    &token_body_json::RULE,
    &token_body_json_as_urlencoded::RULE,
    &token_body_form_mislabelled::RULE,
    &token_params_in_query::RULE,
    &token_body_double_encoded::RULE,
    &token_param_misspelled::RULE,
    &token_grant_type_missing::RULE,
    &token_grant_type_wrong::RULE,
    &token_param_duplicate::RULE,
    &token_value_unencoded::RULE,
    &placeholder_literal_value::RULE,
    &token_content_type_charset::RULE,
    &token_server_error::RULE,
    &token_accept_not_json::RULE,
    &token_over_http::RULE,
];
