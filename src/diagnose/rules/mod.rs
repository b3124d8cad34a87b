//! The rules, by family. A new one is its file, its line in the family's list, and its case file.

mod authorization_code;
mod authorization_request;
mod client_authentication;
mod correlation;
mod discovery;
mod good_practice;
mod id_token;
mod other_grants;
mod pkce;
mod redirect_uri;
mod refresh;
mod token_request;
mod token_response;

use crate::diagnose::Rule;

/// The lists of all families.
pub(super) const FAMILIES: &[&[&Rule]] = &[
    token_request::RULES,
    client_authentication::RULES,
    authorization_request::RULES,
    redirect_uri::RULES,
    authorization_code::RULES,
    pkce::RULES,
    correlation::RULES,
    authorization_code::LAST,
    refresh::RULES,
    other_grants::RULES,
    discovery::RULES,
    token_response::RULES,
    id_token::RULES,
    good_practice::RULES,
];
