//! The typed view of `parameters.yaml` and `headers.yaml`: what may be kept of which name, where.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::words;
use crate::oauth::Step;

words! {
    /// What may be kept of a parameter, field or claim.
    Class {
        /// Public protocol text.
        Keep = "keep",
        /// Replaced by a label that says nothing of its shape.
        LowEntropy = "low_entropy",
        /// Replaced; its type is declared.
        Personal = "personal",
        /// An identifier of somebody: replaced; its type is declared.
        Pseudonym = "pseudonym",
        /// Replaced; its shape may be declared.
        Secret = "secret",
        /// A sentence: kept after every secret and personal pattern in it is replaced.
        Text = "text",
        /// Kept, its query and userinfo redacted.
        Url = "url",
    }
}

words! {
    /// What may be kept of a header field.
    HeaderClass {
        /// The scheme is kept, the credentials are replaced.
        Authorization = "authorization",
        /// Kept, with a canonical boundary.
        ContentType = "content_type",
        /// Names are kept, values are replaced.
        Cookie = "cookie",
        /// Kept where it looks like an identifier of a request.
        Correlation = "correlation",
        /// Not written.
        Drop = "drop",
        /// The name of a server.
        Host = "host",
        /// Public words.
        Keep = "keep",
        /// Public words and numbers.
        Measure = "measure",
        /// Replaced.
        Personal = "personal",
        /// Replaced.
        Secret = "secret",
        /// Names and attributes are kept, values are replaced.
        SetCookie = "set_cookie",
        /// Kept, its query and userinfo redacted.
        Url = "url",
    }
}

words! {
    /// A part of the protocol where a parameter may stand.
    Place {
        /// The authorization request.
        AuthorizationRequest = "az",
        /// The authorization response.
        AuthorizationResponse = "azr",
        /// Claims and header fields of a JWT.
        Jwt = "jwt",
        /// A key set.
        Jwks = "jwks",
        /// Server metadata.
        Metadata = "meta",
        /// The request of another endpoint.
        SideRequest = "side",
        /// The response of another endpoint.
        SideResponse = "sider",
        /// The token request.
        TokenRequest = "tk",
        /// The token response.
        TokenResponse = "tkr",
        /// `UserInfo` and other claims.
        Userinfo = "ui",
        /// Everywhere.
        Any = "any",
    }
}

impl Place {
    /// Where the request of a step puts its parameters.
    pub fn of_request(step: Step) -> Self {
        match step {
            Step::AuthorizationRequest => Self::AuthorizationRequest,
            Step::AuthorizationResponse => Self::AuthorizationResponse,
            Step::TokenRequest => Self::TokenRequest,
            _ => Self::SideRequest,
        }
    }

    /// Where the response of a step puts its fields.
    pub fn of_response(step: Step) -> Self {
        match step {
            Step::AuthorizationRequest | Step::AuthorizationResponse | Step::LoginPage => {
                Self::AuthorizationResponse
            }
            Step::Discovery | Step::ProtectedResourceMetadata => Self::Metadata,
            Step::Jwks => Self::Jwks,
            Step::TokenRequest => Self::TokenResponse,
            Step::Resource | Step::Userinfo => Self::Userinfo,
            _ => Self::SideResponse,
        }
    }
}

/// The class of a name at a place; `None` where no row speaks of it, which means: replace it.
pub fn class(place: Place, name: &str) -> Option<Class> {
    let rows = rows(name)?;
    let declared = rows
        .iter()
        .find(|(_, places)| places.contains(&place) || places.contains(&Place::Any));
    let everywhere = || rows.iter().find(|(class, _)| is_sensitive(*class));
    declared.or_else(everywhere).map(|(class, _)| *class)
}

/// Whether a row speaks of the name at all.
pub fn is_known(name: &str) -> bool {
    rows(name).is_some()
}

/// Every name that some row speaks of.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PARAMETERS.keys().map(String::as_str)
}

fn rows(name: &str) -> Option<&'static Rows> {
    // A long name is nobody's, and is not read for each of the values under it.
    if name.len() > LONGEST {
        return None;
    }
    PARAMETERS.get(name)
}

/// Whether a row has the name of this header field written out, in any case.
pub fn is_header(name: &str) -> bool {
    HEADERS.names.contains_key(&name.to_ascii_lowercase())
}

/// The class of a header field, by its name in any case; `None` means: replace it.
pub fn header_class(name: &str) -> Option<HeaderClass> {
    let name = name.to_ascii_lowercase();
    let by_pattern = || {
        let mut patterns = HEADERS.patterns.iter();
        patterns.find(|(pattern, _)| pattern.made(&name).is_some())
    };
    HEADERS
        .names
        .get(&name)
        .or_else(|| by_pattern().map(|(_, class)| class))
        .copied()
}

/// Classes by name, and by patterns of names.
pub(super) struct Table<C> {
    pub(super) names: HashMap<String, C>,
    pub(super) patterns: Vec<(Pattern, C)>,
}

impl<C: Copy> Table<C> {
    /// The table of rows that give names, patterns among them, a class.
    pub(super) fn of(rows: impl Iterator<Item = (Vec<String>, C)>) -> Self {
        let (mut names, mut patterns) = (HashMap::new(), Vec::new());
        for (row, class) in rows {
            for name in row {
                match Pattern::of(&name) {
                    Some(pattern) => patterns.push((pattern, class)),
                    None => {
                        names.insert(name, class);
                    }
                }
            }
        }
        Self { names, patterns }
    }
}

/// A name of which a part is of somebody's making: `x-b3-*`.
pub(super) struct Pattern {
    before: String,
    pub(super) after: String,
}

impl Pattern {
    /// The pattern that a name of the data is, if it is one.
    fn of(name: &str) -> Option<Self> {
        let (before, after) = name.split_once('*')?;
        Some(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    /// The part of a name that somebody made up; `None` where the name is another.
    pub(super) fn made<'a>(&self, name: &'a str) -> Option<&'a str> {
        let rest = name.strip_prefix(self.before.as_str())?;
        rest.strip_suffix(self.after.as_str())
            .filter(|made| !made.is_empty())
    }
}

fn is_sensitive(class: Class) -> bool {
    matches!(
        class,
        Class::LowEntropy | Class::Personal | Class::Pseudonym | Class::Secret
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    names: Vec<String>,
    class: Class,
    r#in: Vec<Place>,
    #[expect(
        dead_code,
        reason = "the clause is for the people who review the table"
    )]
    spec: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderRow {
    names: Vec<String>,
    class: HeaderClass,
}

/// Characters of the longest name that has a row.
const LONGEST: usize = 80;

type Rows = Vec<(Class, Vec<Place>)>;

#[expect(
    clippy::expect_used,
    reason = "the data is embedded, and a test reads it"
)]
static PARAMETERS: LazyLock<HashMap<String, Rows>> = LazyLock::new(|| {
    let rows: Vec<Row> =
        serde_yaml::from_str(include_str!("parameters.yaml")).expect("parameters.yaml reads");
    let mut table: HashMap<String, Rows> = HashMap::new();
    for row in rows {
        for name in row.names {
            table
                .entry(name)
                .or_default()
                .push((row.class, row.r#in.clone()));
        }
    }
    table
});

#[expect(
    clippy::expect_used,
    reason = "the data is embedded, and a test reads it"
)]
static HEADERS: LazyLock<Table<HeaderClass>> = LazyLock::new(|| {
    let rows: Vec<HeaderRow> =
        serde_yaml::from_str(include_str!("headers.yaml")).expect("headers.yaml reads");
    Table::of(rows.into_iter().map(|row| (row.names, row.class)))
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::name;

    #[test]
    fn every_name_that_code_reasons_about_has_a_row() {
        for name in name::ALL {
            assert!(is_known(name), "{name} has no row in parameters.yaml");
        }
    }

    #[test]
    fn a_name_has_its_class_where_it_stands() {
        for (place, name, expected) in [
            (Place::TokenRequest, "client_secret", Some(Class::Secret)),
            (Place::AuthorizationRequest, "scope", Some(Class::Keep)),
            (Place::Userinfo, "grant_type", None),
            (
                Place::AuthorizationRequest,
                "client_secret",
                Some(Class::Secret),
            ),
            (Place::Metadata, "issuer", Some(Class::Url)),
            (Place::TokenResponse, "issuer", None),
            (Place::Jwks, "d", Some(Class::Secret)),
            (Place::Jwks, "n", Some(Class::Pseudonym)),
            (Place::Jwks, "kty", Some(Class::Keep)),
            (Place::TokenResponse, "never_heard_of", None),
        ] {
            assert_eq!(class(place, name), expected, "{place} {name}");
        }
    }

    #[test]
    fn no_name_has_two_classes_at_one_place() {
        let mut table: Vec<_> = PARAMETERS.iter().collect();
        table.sort_by_key(|(name, _)| *name);
        assert!(table.iter().all(|(name, _)| name.len() <= LONGEST));
        for (name, rows) in table {
            let places: Vec<_> = rows.iter().flat_map(|(_, places)| places).collect();
            let mut once = places.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), places.len(), "{name} stands twice");
        }
    }

    #[test]
    fn header_names_are_found_in_any_case() {
        assert_eq!(header_class("X-Request-ID"), Some(HeaderClass::Correlation));
        assert_eq!(header_class("x-unheard-of"), None);
    }

    #[test]
    fn a_header_name_that_is_written_out_goes_before_a_pattern() {
        for (name, expected) in [
            ("X-B3-ParentSpanId", Some(HeaderClass::Correlation)),
            ("X-Vendor-Request-Id", Some(HeaderClass::Correlation)),
            ("X-RateLimit-Used", Some(HeaderClass::Measure)),
            ("Access-Control-Max-Age", Some(HeaderClass::Measure)),
            ("Access-Control-Allow-Origin", Some(HeaderClass::Keep)),
            ("X-User-Email", Some(HeaderClass::Personal)),
            ("x-b3-", None),
        ] {
            assert_eq!(header_class(name), expected, "{name}");
        }
        assert!(is_header("X-Request-ID") && !is_header("X-Vendor-Request-Id"));
    }
}
