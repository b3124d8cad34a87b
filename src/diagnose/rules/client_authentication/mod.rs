//! How the client proves who it is.

mod client_assertion_aud;
mod client_assertion_envelope;
mod client_assertion_identity;
mod client_assertion_key;
mod client_assertion_replayed;
mod client_assertion_time;
mod client_auth_basic_malformed;
mod client_auth_basic_not_form_encoded;
mod client_auth_basic_server_expects_raw;
mod client_auth_basic_swapped;
mod client_auth_method_not_registered;
mod client_auth_method_unsupported;
mod client_auth_missing;
mod client_auth_multiple;
mod client_auth_wrong_scheme;
mod client_credential_whitespace;
mod client_id_mismatch_authorize_token;
mod client_secret_empty;
mod client_secret_in_url;
mod client_secret_looks_like_identifier;
mod client_secret_sent_by_public_client;
mod entra_spa_origin;
mod mtls_alias_not_used;

use crate::diagnose::rule::Rule;

/// What looks at what was found before it comes behind it.
pub(super) const RULES: &[&Rule] = &[
    &client_auth_multiple::RULE,
    &client_auth_wrong_scheme::RULE,
    &client_auth_basic_malformed::RULE,
    &client_auth_basic_swapped::RULE,
    &client_credential_whitespace::RULE,
    &client_auth_missing::RULE,
    &client_secret_empty::RULE,
    &client_secret_looks_like_identifier::RULE,
    &client_auth_method_unsupported::RULE,
    &client_auth_method_not_registered::RULE,
    &client_secret_sent_by_public_client::RULE,
    &client_assertion_envelope::RULE,
    &client_assertion_identity::RULE,
    &client_assertion_aud::RULE,
    &client_assertion_time::RULE,
    &client_assertion_replayed::RULE,
    &client_assertion_key::RULE,
    &mtls_alias_not_used::RULE,
    &entra_spa_origin::RULE,
    &client_auth_basic_not_form_encoded::RULE,
    &client_auth_basic_server_expects_raw::RULE,
    &client_id_mismatch_authorize_token::RULE,
    &client_secret_in_url::RULE,
];
