//! The typed view of `providers.yaml`: what single providers do otherwise than the standard has it.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::words;

words! {
    /// What a provider takes beside scopes with spaces between, and a form in a POST that says its
    /// grant.
    Allowance {
        /// Scopes with commas between.
        CommaScopes = "comma_scopes",
        /// The parameters in the query of a GET.
        Get = "get",
        /// The parameters as JSON.
        Json = "json",
        /// The parameters as `multipart/form-data`.
        Multipart = "multipart",
        /// Requests without `grant_type`.
        NoGrantType = "no_grant_type",
        /// The parameters in the query of a POST.
        Query = "query",
    }
}

/// Whether a host is known to take it.
pub fn takes(host: &str, allowance: Allowance) -> bool {
    rows(host).any(|row| row.takes.contains(&allowance))
}

/// How many seconds a code of the host lives, where that is known.
pub fn code_life(host: &str) -> Option<u64> {
    rows(host).find_map(|row| row.code_life)
}

fn rows(host: &str) -> impl Iterator<Item = &'static Row> {
    let host = host.to_ascii_lowercase();
    let is_of = move |known: &String| match known.strip_prefix('*') {
        Some(domain) => host.ends_with(domain),
        None => host == *known,
    };
    PROVIDERS
        .iter()
        .filter(move |row| row.hosts.iter().any(&is_of))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[expect(
        dead_code,
        reason = "whose hosts they are is for the people who review the table"
    )]
    provider: String,
    hosts: Vec<String>,
    #[serde(default)]
    takes: Vec<Allowance>,
    code_life: Option<u64>,
}

#[expect(
    clippy::expect_used,
    reason = "the data is embedded, and a test reads it"
)]
static PROVIDERS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("providers.yaml")).expect("providers.yaml reads")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_lives_as_long_as_its_provider_says() {
        for (host, expected) in [("api.box.com", Some(30)), ("as.example", None)] {
            assert_eq!(code_life(host), expected, "{host}");
        }
    }

    #[test]
    fn a_provider_takes_what_its_row_says() {
        for (host, allowance, expected) in [
            ("acme.eu.auth0.com", Allowance::Json, true),
            ("auth0.com.example", Allowance::Json, false),
            ("notauth0.com", Allowance::Json, false),
            ("acme.eu.auth0.com", Allowance::Query, false),
            ("GitHub.com", Allowance::NoGrantType, true),
            ("graph.facebook.com", Allowance::Get, true),
            ("www.strava.com", Allowance::CommaScopes, true),
            ("as.example", Allowance::Get, false),
        ] {
            assert_eq!(takes(host, allowance), expected, "{host} {allowance}");
        }
    }
}
