//! The names of parameters and fields that code reasons about, in their wire spelling.
//!
//! Each is a row of `parameters.yaml`, which a test checks; the others exist only as rows.

macro_rules! names {
    ($($constant:ident = $name:literal,)*) => {
        $(#[doc = concat!("`", $name, "`")] pub const $constant: &str = $name;)*

        /// All of them.
        pub const ALL: &[&str] = &[$($name,)*];
    };
}

names! {
    ACCESS_TOKEN = "access_token",
    ACCESS_TYPE = "access_type",
    ACCOUNTS_SERVER = "accounts-server",
    ACTIVE = "active",
    ACTOR_TOKEN = "actor_token",
    ACTOR_TOKEN_TYPE = "actor_token_type",
    ALG = "alg",
    ASSERTION = "assertion",
    ATH = "ath",
    AT_HASH = "at_hash",
    AUD = "aud",
    AUDIENCE = "audience",
    AUTHORIZATION_ENDPOINT = "authorization_endpoint",
    AUTHORIZATION_RESPONSE_ISS_PARAMETER_SUPPORTED =
        "authorization_response_iss_parameter_supported",
    AUTH_REQ_ID = "auth_req_id",
    AUTH_TIME = "auth_time",
    AZP = "azp",
    BACKCHANNEL_AUTHENTICATION_ENDPOINT = "backchannel_authentication_endpoint",
    CLAIMS = "claims",
    CLIENT_ASSERTION = "client_assertion",
    CLIENT_ASSERTION_TYPE = "client_assertion_type",
    CLIENT_ID = "client_id",
    CLIENT_SECRET = "client_secret",
    CODE = "code",
    CODE_CHALLENGE = "code_challenge",
    CODE_CHALLENGE_METHOD = "code_challenge_method",
    CODE_CHALLENGE_METHODS_SUPPORTED = "code_challenge_methods_supported",
    CODE_VERIFIER = "code_verifier",
    C_HASH = "c_hash",
    DEVICE_AUTHORIZATION_ENDPOINT = "device_authorization_endpoint",
    DEVICE_CODE = "device_code",
    DPOP_JKT = "dpop_jkt",
    DURATION = "duration",
    END_SESSION_ENDPOINT = "end_session_endpoint",
    ERROR = "error",
    ERROR_CODES = "error_codes",
    ERROR_DESCRIPTION = "error_description",
    ERROR_URI = "error_uri",
    EXP = "exp",
    EXPIRES_IN = "expires_in",
    GRANT_TYPE = "grant_type",
    HTM = "htm",
    HTU = "htu",
    IAT = "iat",
    ID_TOKEN = "id_token",
    ID_TOKEN_HINT = "id_token_hint",
    ID_TOKEN_SIGNED_RESPONSE_ALG = "id_token_signed_response_alg",
    ID_TOKEN_SIGNING_ALG_VALUES_SUPPORTED = "id_token_signing_alg_values_supported",
    INTERVAL = "interval",
    INTROSPECTION_ENDPOINT = "introspection_endpoint",
    ISS = "iss",
    ISSUER = "issuer",
    JTI = "jti",
    JWK = "jwk",
    JWKS_URI = "jwks_uri",
    KEYS = "keys",
    KID = "kid",
    LOGIN_HINT = "login_hint",
    LOGIN_HINT_TOKEN = "login_hint_token",
    MAX_AGE = "max_age",
    MTLS_ENDPOINT_ALIASES = "mtls_endpoint_aliases",
    NBF = "nbf",
    NONCE = "nonce",
    PASSWORD = "password",
    POST_LOGOUT_REDIRECT_URI = "post_logout_redirect_uri",
    PROMPT = "prompt",
    PUSHED_AUTHORIZATION_REQUEST_ENDPOINT = "pushed_authorization_request_endpoint",
    REDIRECT_URI = "redirect_uri",
    REDIRECT_URIS = "redirect_uris",
    REFRESH_TOKEN = "refresh_token",
    REGISTRATION_ACCESS_TOKEN = "registration_access_token",
    REGISTRATION_ENDPOINT = "registration_endpoint",
    RELAY_STATE = "RelayState",
    REQUEST = "request",
    REQUEST_URI = "request_uri",
    REQUIRE_PUSHED_AUTHORIZATION_REQUESTS = "require_pushed_authorization_requests",
    RESOURCE = "resource",
    RESPONSE = "response",
    RESPONSE_MODE = "response_mode",
    RESPONSE_MODES_SUPPORTED = "response_modes_supported",
    RESPONSE_TYPE = "response_type",
    RESPONSE_TYPES_SUPPORTED = "response_types_supported",
    REVOCATION_ENDPOINT = "revocation_endpoint",
    RT_HASH = "rt_hash",
    SAML_REQUEST = "SAMLRequest",
    SAML_RESPONSE = "SAMLResponse",
    SCOPE = "scope",
    SCOPES_SUPPORTED = "scopes_supported",
    SESSION_STATE = "session_state",
    STATE = "state",
    SUB = "sub",
    SUBJECT_TOKEN = "subject_token",
    SUBJECT_TOKEN_TYPE = "subject_token_type",
    S_HASH = "s_hash",
    TOKEN = "token",
    TOKEN_ACCESS_TYPE = "token_access_type",
    TOKEN_ENDPOINT = "token_endpoint",
    TOKEN_ENDPOINT_AUTH_METHOD = "token_endpoint_auth_method",
    TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED = "token_endpoint_auth_methods_supported",
    TOKEN_ENDPOINT_AUTH_SIGNING_ALG_VALUES_SUPPORTED = "token_endpoint_auth_signing_alg_values_supported",
    TOKEN_TYPE = "token_type",
    TOKEN_TYPE_HINT = "token_type_hint",
    TYP = "typ",
    USERINFO_ENDPOINT = "userinfo_endpoint",
    USERNAME = "username",
    USER_CODE = "user_code",
    VERIFICATION_URI = "verification_uri",
    VERIFICATION_URL = "verification_url",
}

/// The grant types that code reasons about.
pub mod grant {
    /// `authorization_code`
    pub const AUTHORIZATION_CODE: &str = "authorization_code";
    /// `client_credentials`
    pub const CLIENT_CREDENTIALS: &str = "client_credentials";
    /// `password`
    pub const PASSWORD: &str = "password";
    /// `refresh_token`
    pub const REFRESH_TOKEN: &str = "refresh_token";
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer`
    pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    /// `urn:ietf:params:oauth:grant-type:saml2-bearer`
    pub const SAML2_BEARER: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
    /// `urn:ietf:params:oauth:grant-type:device_code`
    pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
    /// `urn:ietf:params:oauth:grant-type:token-exchange`
    pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
}

/// The ways of client authentication that code reasons about (RFC 7591 section 2, RFC 8705).
pub mod auth_method {
    /// `client_secret_basic`
    pub const CLIENT_SECRET_BASIC: &str = "client_secret_basic";
    /// `client_secret_jwt`
    pub const CLIENT_SECRET_JWT: &str = "client_secret_jwt";
    /// `client_secret_post`
    pub const CLIENT_SECRET_POST: &str = "client_secret_post";
    /// `none`
    pub const NONE: &str = "none";
    /// `private_key_jwt`
    pub const PRIVATE_KEY_JWT: &str = "private_key_jwt";
    /// `self_signed_tls_client_auth`
    pub const SELF_SIGNED_TLS_CLIENT_AUTH: &str = "self_signed_tls_client_auth";
    /// `tls_client_auth`
    pub const TLS_CLIENT_AUTH: &str = "tls_client_auth";
}

/// The types of client assertions (RFC 7522 section 2.2, RFC 7523 section 2.2).
pub mod assertion_type {
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`
    pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    /// `urn:ietf:params:oauth:client-assertion-type:saml2-bearer`
    pub const SAML2_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
}
