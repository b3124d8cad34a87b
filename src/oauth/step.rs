//! The steps of OAuth and OpenID Connect that a request can be.

use crate::model::words;

words! {
    /// Which step of the protocol a request, with its response, is.
    Step {
        /// The request to the authorization endpoint (RFC 6749 section 4.1.1); its response
        /// carries the authorization response in `Location` or a form.
        AuthorizationRequest = "authorization_request",
        /// The request that reaches the client's redirection endpoint (RFC 6749 section 4.1.2).
        AuthorizationResponse = "authorization_response",
        /// The authentication request of a client that goes to the server by itself (OpenID Connect
        /// Client-Initiated Backchannel Authentication section 7).
        BackchannelAuthenticationRequest = "backchannel_authentication_request",
        /// The device authorization request (RFC 8628 section 3.1).
        DeviceAuthorizationRequest = "device_authorization_request",
        /// Authorization server metadata (RFC 8414, OpenID Connect Discovery).
        Discovery = "discovery",
        /// The logout request (OpenID Connect RP-Initiated Logout).
        EndSession = "end_session",
        /// Token introspection (RFC 7662).
        Introspection = "introspection",
        /// The key set of a server (RFC 7517).
        Jwks = "jwks",
        /// A page of the authorization server between the request and its response: sign-in,
        /// consent, a second factor.
        LoginPage = "login_page",
        /// Protected resource metadata (RFC 9728).
        ProtectedResourceMetadata = "protected_resource_metadata",
        /// The pushed authorization request (RFC 9126).
        PushedAuthorizationRequest = "pushed_authorization_request",
        /// Dynamic client registration (RFC 7591).
        Registration = "registration",
        /// A request that carries an access token issued in this session.
        Resource = "resource",
        /// Token revocation (RFC 7009).
        Revocation = "revocation",
        /// The token request, of any grant type (RFC 6749 section 3.2).
        TokenRequest = "token_request",
        /// The `UserInfo` request (OpenID Connect Core section 5.3).
        Userinfo = "userinfo",
        /// None of these.
        Other = "other",
    }
}

impl Step {
    /// Whether cassettes keep it unless everything is asked for.
    pub fn is_oauth(self) -> bool {
        !matches!(self, Self::Other)
    }

    /// Whether its request is a form by which a client shows who it is (RFC 6749 section 2.3).
    pub fn authenticates_client(self) -> bool {
        matches!(
            self,
            Self::BackchannelAuthenticationRequest
                | Self::DeviceAuthorizationRequest
                | Self::Introspection
                | Self::PushedAuthorizationRequest
                | Self::Revocation
                | Self::TokenRequest
        )
    }

    /// Whether the same request may be asked any number of times and changes nothing.
    pub fn is_repeatable(self) -> bool {
        matches!(
            self,
            Self::Discovery
                | Self::Jwks
                | Self::ProtectedResourceMetadata
                | Self::Resource
                | Self::Userinfo
        )
    }

    /// The step of this word, or of the short name of what it is asked for: `token`, `authorize`.
    pub fn named(text: &str) -> Option<Self> {
        let short = SHORT.iter().find(|(name, _)| *name == text);
        short
            .map(|(_, step)| *step)
            .or_else(|| Self::from_word(text))
    }

    /// The words that people read: `token request`.
    pub fn title(self) -> String {
        self.as_str().replace('_', " ")
    }
}

/// What people call the steps on a command line.
const SHORT: &[(&str, Step)] = &[
    ("authorize", Step::AuthorizationRequest),
    ("ciba", Step::BackchannelAuthenticationRequest),
    ("device", Step::DeviceAuthorizationRequest),
    ("introspect", Step::Introspection),
    ("logout", Step::EndSession),
    ("par", Step::PushedAuthorizationRequest),
    ("register", Step::Registration),
    ("revoke", Step::Revocation),
    ("token", Step::TokenRequest),
];
