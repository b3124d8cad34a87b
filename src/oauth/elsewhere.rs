//! Whether the token endpoint is of another server than the one that issued the code.

use std::net::IpAddr;

use crate::model::{Url, words};

words! {
    /// How the server of a token request is another than that of the authorization request.
    Elsewhere {
        /// One is for tests, and the other is not.
        Environment = "other-environment",
        /// The same name below another top-level domain: one vendor's server for another part of
        /// the world.
        Region = "other-region",
        /// Another domain.
        Site = "other-site",
        /// The same server, and another tenant or realm of it.
        Tenant = "other-tenant",
    }
}

/// How the second URL is of another server than the first; `None` where both are of one, as far as
/// names can tell.
pub fn elsewhere(authorize: &Url, token: &Url) -> Option<Elsewhere> {
    if authorize.host.eq_ignore_ascii_case(&token.host) {
        let tenants = tenant(&authorize.path).zip(tenant(&token.path));
        return tenants
            .filter(|(a, b)| !a.eq_ignore_ascii_case(b))
            .map(|_| Elsewhere::Tenant);
    }
    if [authorize, token].into_iter().any(is_nobodys) {
        return None;
    }
    let (a, b) = (domain(&authorize.host)?, domain(&token.host)?);
    if a.name != b.name {
        let is_pair = |(one, other): &(&str, &str)| {
            (*one, *other) == (&*a.name, &*b.name) || (*one, *other) == (&*b.name, &*a.name)
        };
        return (!ONE_VENDOR.iter().any(is_pair)).then_some(Elsewhere::Site);
    }
    if a.suffix != b.suffix {
        return Some(Elsewhere::Region);
    }
    (a.is_for_tests != b.is_for_tests).then_some(Elsewhere::Environment)
}

/// A host in its parts.
struct Domain {
    /// What was registered, without what it is registered below.
    name: String,
    suffix: String,
    is_for_tests: bool,
}

fn domain(host: &str) -> Option<Domain> {
    let host = host.to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let at = |back: usize| labels.len().checked_sub(back).map(|at| labels[at]);
    let is_country = at(1)?.len() == 2 && at(2).is_some_and(|it| SECOND.contains(&it));
    let suffix = if is_country { 2 } else { 1 };
    let own = labels.len().checked_sub(suffix + 1)?;
    Some(Domain {
        name: labels[own].to_owned(),
        suffix: labels[own + 1..].join("."),
        is_for_tests: labels[..own].iter().any(|label| TESTS.contains(label)),
    })
}

/// Whether the host's name says nothing of whose it is.
fn is_nobodys(url: &Url) -> bool {
    let bare = url.host.trim_matches(['[', ']']);
    url.is_loopback() || bare.parse::<IpAddr>().is_ok() || !url.host.contains('.')
}

/// The segment of a path that says whose part of a server it is.
fn tenant(path: &str) -> Option<&str> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let marked = segments.windows(2).find(|pair| MARKS.contains(&pair[0]));
    if let Some(pair) = marked {
        return Some(pair[1]);
    }
    match segments.as_slice() {
        // Entra, and Okta.
        [tenant, "oauth2", ..] | ["oauth2", tenant, "v1", ..] => Some(tenant),
        _ => None,
    }
}

/// The names of vendors whose two endpoints are in two domains.
const ONE_VENDOR: &[(&str, &str)] = &[
    ("dropbox", "dropboxapi"),
    ("google", "googleapis"),
    ("hubspot", "hubapi"),
    ("live", "microsoftonline"),
    ("microsoftonline", "windows"),
    ("salesforce", "force"),
    ("tiktok", "tiktokapis"),
    ("twitter", "x"),
];
const MARKS: &[&str] = &["realm", "realms", "t", "tenant", "tenants"];
/// What stands below a country's domain.
const SECOND: &[&str] = &["ac", "co", "com", "gov", "net", "org"];
const TESTS: &[&str] = &[
    "demo", "dev", "preprod", "preview", "qa", "sandbox", "stage", "staging", "test", "uat",
];

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &[(&str, &str, Option<Elsewhere>)] = &[
        (
            "accounts.zoho.eu/auth",
            "accounts.zoho.com/token",
            Some(Elsewhere::Region),
        ),
        (
            "accounts.zoho.com.au/auth",
            "accounts.zoho.com/token",
            Some(Elsewhere::Region),
        ),
        (
            "test.salesforce.com/a",
            "login.salesforce.com/t",
            Some(Elsewhere::Environment),
        ),
        (
            "www.sandbox.paypal.com/a",
            "api-m.paypal.com/t",
            Some(Elsewhere::Environment),
        ),
        (
            "www.sandbox.paypal.com/a",
            "api-m.sandbox.paypal.com/t",
            None,
        ),
        ("accounts.google.com/a", "oauth2.googleapis.com/token", None),
        (
            "discord.com/oauth2/authorize",
            "discord.com/api/oauth2/token",
            None,
        ),
        (
            "x.com/i/oauth2/authorize",
            "api.twitter.com/2/oauth2/token",
            None,
        ),
        (
            "www.fitbit.com/oauth2/authorize",
            "api.fitbit.com/oauth2/token",
            None,
        ),
        (
            "login.acme.example/a",
            "login.other.example/t",
            Some(Elsewhere::Site),
        ),
        (
            "sso.example/realms/a/x",
            "sso.example/realms/b/y",
            Some(Elsewhere::Tenant),
        ),
        ("sso.example/realms/a/x", "sso.example/realms/a/y", None),
        ("sso.example/realms/a/x", "sso.example/token", None),
        (
            "login.e.com/common/oauth2/v2.0/a",
            "login.e.com/acme/oauth2/v2.0/t",
            Some(Elsewhere::Tenant),
        ),
        (
            "o.okta.com/oauth2/a/v1/x",
            "o.okta.com/oauth2/b/v1/y",
            Some(Elsewhere::Tenant),
        ),
        ("o.okta.com/oauth2/v1/x", "o.okta.com/oauth2/v1/y", None),
        ("localhost/a", "acme.example/t", None),
        ("10.0.0.1/a", "10.0.0.2/t", None),
        ("idp/a", "acme.example/t", None),
    ];

    #[test]
    fn a_server_is_told_from_another_one_by_its_name() {
        for (authorize, token, expected) in CASES {
            let url = |text: &str| Url::parse(&format!("https://{text}")).expect(text);
            let found = elsewhere(&url(authorize), &url(token));
            assert_eq!(found, *expected, "{authorize} {token}");
        }
    }
}
