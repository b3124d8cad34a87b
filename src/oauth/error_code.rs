//! The error codes that the registries know.

/// The registered codes (IANA "OAuth Extensions Error", OpenID Connect, RFC 6750); kept verbatim.
const REGISTERED: &[&str] = &[
    "access_denied",
    "account_selection_required",
    "authorization_pending",
    "consent_required",
    "expired_token",
    "incompatible_ace_profiles",
    "insufficient_scope",
    "insufficient_user_authentication",
    "interaction_required",
    "invalid_authorization_details",
    "invalid_client",
    "invalid_client_metadata",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_issuer",
    "invalid_metadata",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_request_uri_method",
    "invalid_scope",
    "invalid_software_statement",
    "invalid_subject",
    "invalid_target",
    "invalid_token",
    "invalid_trust_anchor",
    "invalid_trust_chain",
    "login_required",
    "need_info",
    "not_found",
    "registration_not_supported",
    "request_denied",
    "request_not_supported",
    "request_submitted",
    "request_uri_not_supported",
    "server_error",
    "slow_down",
    "temporarily_unavailable",
    "unapproved_software_statement",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_parameter",
    "unsupported_pop_key",
    "unsupported_response_type",
    "unsupported_token_type",
    "use_dpop_nonce",
    "vp_formats_not_supported",
    "wallet_unavailable",
];

/// `invalid_grant`
pub const INVALID_GRANT: &str = "invalid_grant";
/// `invalid_request`
pub const INVALID_REQUEST: &str = "invalid_request";
/// `invalid_scope`
pub const INVALID_SCOPE: &str = "invalid_scope";
/// `unsupported_response_type`
pub const UNSUPPORTED_RESPONSE_TYPE: &str = "unsupported_response_type";
/// Those by which a client that polls is told to ask again (RFC 8628 section 3.5).
pub const POLLING: &[&str] = &["authorization_pending", "slow_down"];
/// Those that are steps of a flow that goes on: to ask again, or with a nonce (RFC 9449 section 8).
pub const ONGOING: &[&str] = &["authorization_pending", "slow_down", "use_dpop_nonce"];
/// Those of an authorization response that say which parameter the server does not take.
pub const OF_PARAMETER: &[&str] = &[
    INVALID_SCOPE,
    "unauthorized_client",
    UNSUPPORTED_RESPONSE_TYPE,
];
/// Those of an authorization response to a request that allows no page (OpenID Connect Core section
/// 3.1.2.6).
pub const OF_SILENCE: &[&str] = &[
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "login_required",
];

/// Whether a registry knows the code.
pub fn is_registered(code: &str) -> bool {
    REGISTERED.binary_search(&code).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found() {
        assert!(REGISTERED.is_sorted());
        assert!(is_registered("invalid_grant"));
        assert!(!is_registered("bad_verification_code"));
    }
}
