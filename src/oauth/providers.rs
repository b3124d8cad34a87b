//! The typed view of `providers.yaml`: what single providers take beside what the standard has.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::words;

words! {
    /// What a token endpoint takes beside a form in a POST that says its grant.
    Allowance {
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

/// Whether the token endpoint of a host is known to take it.
pub fn takes(host: &str, allowance: Allowance) -> bool {
    let host = host.to_ascii_lowercase();
    let is_of = |known: &String| match known.strip_prefix('*') {
        Some(domain) => host.ends_with(domain),
        None => host == *known,
    };
    let mut rows = PROVIDERS.iter();
    rows.any(|row| row.takes.contains(&allowance) && row.hosts.iter().any(is_of))
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
    takes: Vec<Allowance>,
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
    fn a_provider_takes_what_its_row_says() {
        for (host, allowance, expected) in [
            ("acme.eu.auth0.com", Allowance::Json, true),
            ("auth0.com.example", Allowance::Json, false),
            ("notauth0.com", Allowance::Json, false),
            ("acme.eu.auth0.com", Allowance::Query, false),
            ("GitHub.com", Allowance::NoGrantType, true),
            ("graph.facebook.com", Allowance::Get, true),
            ("as.example", Allowance::Get, false),
        ] {
            assert_eq!(takes(host, allowance), expected, "{host} {allowance}");
        }
    }
}
