//! What servers and libraries say, and the rules that look for what is behind it.

use crate::diagnose::{self, Rule};
use crate::oauth::{error_code, name};

/// Texts that speak of the same sort of fault.
pub struct Symptom {
    /// What is known of it, for a person.
    pub says: &'static str,
    /// Any of these is in the text, in lower case.
    words: &'static [&'static str],
    /// The most likely first.
    rules: &'static [&'static [&'static str]],
}

impl Symptom {
    /// The rules to look at, the most likely first.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        let ids = self.rules.iter().copied().flatten();
        ids.filter_map(|id| diagnose::find(id))
    }

    fn is_in(&self, text: &str) -> bool {
        self.words.iter().any(|word| text.contains(word))
    }
}

/// The symptoms that an error text may be of. What says more than the standard's code comes before
/// what has the code alone: servers say the same code of many faults.
pub fn find(text: &str) -> Vec<&'static Symptom> {
    let text = text.to_lowercase();
    let is_code = |word: &str| error_code::is_registered(word);
    let mut found: Vec<_> = SYMPTOMS
        .iter()
        .filter(|symptom| symptom.is_in(&text))
        .collect();
    found.sort_by_key(|symptom| {
        let words = symptom.words.iter();
        let said = words.filter(|word| text.contains(**word) && !is_code(word));
        std::cmp::Reverse(said.map(|word| word.len()).max().unwrap_or_default())
    });
    found
}

const SYMPTOMS: &[Symptom] = &[
    Symptom {
        says: "the browser did not let a page read the answer",
        words: &[
            "cors",
            "cross-origin",
            "access-control-allow-origin",
            "failed to fetch",
        ],
        rules: &[&[
            "token-cors-blocked",
            "entra-spa-origin",
            "authorize-called-by-script",
        ]],
    },
    Symptom {
        says: "the person, or the server, said no at the authorization endpoint",
        words: &[
            "access_denied",
            "consent_required",
            "login_required",
            "interaction_required",
            "aadsts65001",
        ],
        rules: &[&["authorize-error-returned", "prompt-none-failed"]],
    },
    Symptom {
        says: "the server failed, or something in front of it did",
        words: &[
            "server_error",
            "temporarily_unavailable",
            "500",
            "502",
            "503",
        ],
        rules: &[&[
            "token-server-error",
            "token-intermediary-answered",
            "token-rate-limited",
        ]],
    },
    Symptom {
        says: "the server did not find or know the grant type; most often it could not read the body",
        words: &[
            "unsupported_grant_type",
            name::GRANT_TYPE,
            "grant type",
            "aadsts900144",
            "only authorization_code and refresh_token",
        ],
        rules: &[&[
            "token-body-multipart-as-urlencoded",
            "token-body-json",
            "token-body-json-as-urlencoded",
            "token-body-form-mislabelled",
            "token-params-in-query",
            "token-post-redirected",
            "token-grant-type-missing",
            "token-grant-type-wrong",
            "token-body-double-encoded",
            "token-body-empty",
        ]],
    },
    Symptom {
        says: "a parameter is said to be missing; if you did send it, the server could not read the body",
        words: &[
            "invalid_request",
            "missing parameter",
            "missing required parameter",
        ],
        rules: &[&[
            "token-body-multipart-as-urlencoded",
            "token-body-multipart",
            "token-body-json",
            "token-body-json-as-urlencoded",
            "token-body-form-mislabelled",
            "token-params-in-query",
            "token-body-double-encoded",
            "token-value-unencoded",
            "token-param-misspelled",
            "token-param-duplicate",
            "client-auth-multiple",
        ]],
    },
    Symptom {
        says: "the client failed to show who it is",
        words: &[
            "invalid_client",
            "bad_client_secret",
            "client authentication failed",
            "invalid client secret",
            "aadsts7000215",
            "aadsts7000218",
            "aadsts700025",
            "38187",
            "client_id and/or client_secret",
            "client secret not provided",
            "client_secret is missing",
            "invalid client credentials",
            "invalid client or",
            "aadsts700016",
            "aadsts9002326",
            "aadsts9002327",
            "incorrect_client_credentials",
        ],
        rules: &[&[
            "client-auth-multiple",
            "client-auth-missing",
            "client-auth-basic-not-form-encoded",
            "client-auth-basic-server-expects-raw",
            "client-auth-basic-malformed",
            "client-auth-basic-swapped",
            "client-credential-whitespace",
            "client-auth-method-unsupported",
            "client-auth-method-not-registered",
            "client-secret-sent-by-public-client",
            "client-secret-empty",
            "client-secret-looks-like-identifier",
            "client-assertion-aud",
            "client-assertion-time",
            "client-assertion-identity",
            "client-assertion-replayed",
            "client-assertion-key",
            "mtls-alias-not-used",
            "endpoint-or-tenant-mismatch",
        ]],
    },
    Symptom {
        says: "the authorization code was refused, or what it is bound to: redirect_uri, client, PKCE",
        words: &[
            "invalid_grant",
            "aadsts70000",
            "aadsts70008",
            "aadsts54005",
            "aadsts501481",
            "aadsts500112",
            "code not valid",
            "code was not found",
            "auth_code_not_found",
            "bad_verification_code",
            "bad_auth_code",
            "malformed auth code",
            "invalid \"code\"",
            "code has expired",
            "code doesn't exist",
            "authorization code is invalid",
            "code passed is incorrect",
            name::CODE_VERIFIER,
            "code verifier",
        ],
        rules: &[
            REDIRECT_URIS,
            &[
                "code-reused",
                "code-expired",
                "code-over-encoded",
                "code-plus-became-space",
                "code-truncated",
                "code-has-extra-suffix",
                "code-from-another-flow",
                "code-unknown",
                "code-missing",
                "client-id-mismatch-authorize-token",
            ],
            PKCE,
            &[
                "endpoint-or-tenant-mismatch",
                "token-body-multipart-as-urlencoded",
            ],
        ],
    },
    Symptom {
        says: "the code verifier does not fit the code challenge, or one of them is missing",
        words: &[
            "pkce",
            "proof key for code exchange",
            "aadsts9002325",
            "aadsts501481",
            "code challenge",
        ],
        rules: &[PKCE],
    },
    Symptom {
        says: "a refresh token was refused",
        words: &[
            "invalid_grant",
            "token has been expired or revoked",
            "invalid refresh",
            "unknown or invalid refresh",
            "refresh_token is invalid",
            "refresh token",
        ],
        rules: &[&[
            "refresh-token-reused",
            "refresh-request-invalid",
            "placeholder-literal-value",
            "endpoint-or-tenant-mismatch",
            "clock-skew",
        ]],
    },
    Symptom {
        says: "the redirect URI is not one that is registered, or not the one of the authorization request",
        words: &[
            "aadsts50011",
            name::REDIRECT_URI,
            "redirect uri",
            "redirect url",
            "callback url",
        ],
        rules: &[
            &["redirect-uri-rejected-at-authorize"],
            REDIRECT_URIS,
            &["redirect-uri-fragment"],
        ],
    },
    Symptom {
        says: "the server speaks of a user and a password; with a code there is neither, so it could not read the body",
        words: &["username and password", "username or password"],
        rules: &[&[
            "token-error-misleading",
            "token-body-multipart-as-urlencoded",
            "token-body-multipart",
            "token-body-json",
            "token-grant-type-missing",
            "token-value-unencoded",
            "password-grant-problem",
        ]],
    },
    Symptom {
        says: "the request came by another method than the endpoint takes",
        words: &["405", "method not allowed", "method_not_allowed"],
        rules: &[&[
            "token-method-not-post",
            "token-post-redirected",
            "token-wrong-endpoint",
        ]],
    },
    Symptom {
        says: "a page came where JSON was expected",
        words: &[
            "unexpected token <",
            "unexpected token '<'",
            "<html",
            "<!doctype",
            "invalid json",
        ],
        rules: &[&[
            "token-response-login-page",
            "token-intermediary-answered",
            "token-post-redirected",
            "token-wrong-endpoint",
        ]],
    },
    Symptom {
        says: "what came back is not of the login that was begun",
        words: &["state mismatch", "invalid state", "state not found", "csrf"],
        rules: &[&[
            "state-mismatch",
            "state-cookie-not-returned",
            "state-weak-or-reused",
        ]],
    },
    Symptom {
        says: "the ID Token has another nonce than the request, or none",
        words: &[name::NONCE],
        rules: &[&[
            "nonce-mismatch",
            "nonce-missing-in-request",
            "dpop-proof-invalid",
        ]],
    },
    Symptom {
        says: "the issuer is not the one that was expected",
        words: &["issuer", "iss mismatch", "unexpected \"iss\""],
        rules: &[&[
            "discovery-issuer-mismatch",
            "iss-param-mismatch",
            "iss-param-missing",
            "id-token-claims-invalid",
        ]],
    },
    Symptom {
        says: "the times in a token are not those of the client's clock",
        words: &[
            "issued in the future",
            "used before issued",
            "not yet valid",
            "token expired",
            "clock",
        ],
        rules: &[&[
            "clock-skew",
            "id-token-claims-invalid",
            "client-assertion-time",
        ]],
    },
    Symptom {
        says: "no key verifies the token's signature",
        words: &["no matching key", "kid", "signature"],
        rules: &[&["id-token-signature-or-key"]],
    },
    Symptom {
        says: "the scope is not one that the server has, or not spelled as it does",
        words: &["invalid_scope", "invalid scope"],
        rules: &[&[
            "scope-separator",
            "scope-unknown",
            "client-credentials-misuse",
        ]],
    },
    Symptom {
        says: "the client may not use this grant or response type",
        words: &["unauthorized_client", "unsupported_response_type"],
        rules: &[&[
            "client-grant-not-allowed",
            "response-type-unsupported",
            "client-auth-missing",
        ]],
    },
    Symptom {
        says: "the DPoP proof was refused",
        words: &["invalid_dpop_proof", "use_dpop_nonce", "dpop"],
        rules: &[&["dpop-proof-invalid", "token-type-scheme-mismatch"]],
    },
    Symptom {
        says: "the device or its user has not come to an end yet, or came too often",
        words: &["authorization_pending", "slow_down", "expired_token"],
        rules: &[&["device-slow-down-ignored", "device-flow-broken"]],
    },
    Symptom {
        says: "there were too many requests",
        words: &["429", "too many requests", "rate limit"],
        rules: &[&["token-rate-limited"]],
    },
];

/// A redirect URI that is not the one that was asked for.
const REDIRECT_URIS: &[&str] = &[
    "redirect-uri-trailing-slash",
    "redirect-uri-scheme",
    "redirect-uri-host-or-port",
    "redirect-uri-case",
    "redirect-uri-encoding",
    "redirect-uri-contains-response-params",
    "redirect-uri-missing-at-token",
    "redirect-uri-differs",
];
/// A code verifier that does not fit.
const PKCE: &[&str] = &[
    "pkce-mismatch",
    "pkce-verifier-missing",
    "pkce-verifier-without-challenge",
    "pkce-challenge-hex",
    "pkce-challenge-not-base64url",
    "pkce-method-invalid",
    "pkce-method-omitted-for-hash",
    "pkce-plain-labelled-s256",
    "pkce-verifier-format",
    "pkce-verifier-from-other-flow",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_text_leads_to_the_rules_behind_it() {
        for (text, first) in [
            ("invalid_grant", Some("redirect-uri-trailing-slash")),
            (
                "AADSTS7000215: Invalid client secret provided",
                Some("client-auth-multiple"),
            ),
            (
                "Unable to authenticate username and password",
                Some("token-error-misleading"),
            ),
            ("405 Method Not Allowed", Some("token-method-not-post")),
            (
                "invalid_grant: Token has been expired or revoked.",
                Some("refresh-token-reused"),
            ),
            (
                "AADSTS50011: The redirect URI does not match the redirect URIs configured",
                Some("redirect-uri-rejected-at-authorize"),
            ),
            (
                "PKCE verification failed: Code mismatch",
                Some("pkce-mismatch"),
            ),
            (
                "SyntaxError: Unexpected token < in JSON",
                Some("token-response-login-page"),
            ),
            ("it does not work", None),
        ] {
            let found = find(text);
            let rule = found.first().and_then(|symptom| symptom.rules().next());
            assert_eq!(rule.map(|rule| rule.id), first, "{text}");
        }
    }

    #[test]
    fn every_rule_that_is_named_is_there() {
        for symptom in SYMPTOMS {
            let lower = symptom
                .words
                .iter()
                .all(|word| *word == word.to_lowercase());
            assert!(lower, "{}", symptom.says);
            for id in symptom.rules.iter().copied().flatten() {
                assert!(diagnose::find(id).is_some(), "{id}");
            }
        }
    }
}
