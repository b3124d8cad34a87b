//! `mtls-alias-not-used`: a client that shows a certificate goes where none is asked for.

use crate::cassette::{Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::diagnose::rules::client_authentication::client_auth_method_not_registered::registration_of;
use crate::model::Url;
use crate::oauth::name::{self, auth_method};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "mtls-alias-not-used",
    severity: Severity::Error,
    tier: 3,
    summary: "the client is to show a certificate, and called the endpoint that asks for none",
    why: "A server that asks some clients for a certificate has another host for them, which its metadata names in mtls_endpoint_aliases. A proxy that reads along ends TLS, so that a certificate of the client does not pass it either.",
    fix: "call the URL in mtls_endpoint_aliases",
    see: &["RFC 8705 section 5", "RFC 8705 section 2"],
    example: "POST https://as.example/token, and https://mtls.as.example/token among the aliases",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for token in session
        .token_requests()
        .filter(|token| token.refused_client())
    {
        let metadata = session.metadata_of(token);
        let alias = metadata.and_then(|metadata| metadata.mtls_alias(name::TOKEN_ENDPOINT));
        let Some((metadata, alias)) = metadata.zip(alias) else {
            continue;
        };
        let plain = Url::parse(alias)
            .zip(token.url())
            .is_some_and(|(alias, url)| alias.endpoint() != url.endpoint());
        if plain && shows_certificate(session, token) {
            let finding = Finding::of(rule)
                .saying(format!("this client is to show a certificate at {alias}"))
                .fixed_by(format!("call {alias}; a proxy that ends TLS, as authtape does, cannot pass the client's certificate on"))
                .at(Evidence::new(
                    metadata.id(),
                    "metadata",
                    format!("{}: {alias}", name::MTLS_ENDPOINT_ALIASES),
                ))
                .at(Evidence::new(
                    token.id(),
                    "token",
                    token.interaction.request().url(),
                ));
            findings.raise(finding, token);
        }
    }
}

/// Whether the client is one that shows a certificate, which nobody sees here: by its registration,
/// by where it goes, or by what the server says.
pub(super) fn shows_certificate(session: &Session<'_>, token: &Turn<'_>) -> bool {
    let registered = registration_of(session, token)
        .and_then(|turn| turn.answer().get(name::TOKEN_ENDPOINT_AUTH_METHOD));
    let methods = [
        auth_method::TLS_CLIENT_AUTH,
        auth_method::SELF_SIGNED_TLS_CLIENT_AUTH,
    ];
    let alias = session
        .metadata_of(token)
        .and_then(|metadata| metadata.mtls_alias(name::TOKEN_ENDPOINT));
    let said = token.error_words();
    let asks = ["certificate", "mtls", "mutual tls"];
    registered.is_some_and(|method| methods.contains(&method))
        || alias == Some(token.interaction.request().url())
        || (token.client_auth().is_empty() && asks.iter().any(|word| said.contains(word)))
}
