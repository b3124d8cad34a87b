//! What anybody may see: whose server, client and request it was becomes a label as well.

use crate::model::Url;
use crate::oauth::name;
use crate::oauth::registry::{Class, HeaderClass, Place};
use crate::redact::Redactor;
use crate::redact::label::{self, Piece, Suffix, escape};
use crate::redact::ledger::Shape;
use crate::redact::pattern::is_uuid;
use crate::redact::profile::Profile;
use crate::redact::sweep::is_protocol;
use crate::redact::text::PART_ENDS;
use crate::redact::vocabulary::{is_host, is_host_label};

/// The kind of a host's name.
pub(crate) const HOST: &str = "host";

/// Whether a label of this kind says whose server it was.
pub(crate) fn says_whose(kind: &str) -> bool {
    kind == HOST || REALMS.iter().any(|(_, known)| *known == kind)
}

impl Redactor {
    pub(super) fn is_public(&self) -> bool {
        self.profile == Profile::Public
    }

    /// What stands for a parameter that says who somebody is; `None` where its row decides.
    pub(super) fn public_value(
        &mut self,
        (place, class): (Place, Option<Class>),
        name: &str,
        value: &str,
    ) -> Option<String> {
        if !self.is_public() || class != Some(Class::Keep) {
            return None;
        }
        let kind = match name {
            "aud" if value.contains("://") => return Some(self.url(value)),
            "appid" | "azp" => name::CLIENT_ID,
            "aud" | "kid" | name::CLIENT_ID => name,
            "correlation_id" | "trace_id" => CORRELATION,
            // What a server says to everybody says who it is.
            _ => return (place == Place::Metadata).then(|| self.kept(value)),
        };
        Some(self.whose(kind, value))
    }

    /// The label of a name. One that is a word of the protocol is nobody's, and is said elsewhere.
    fn whose(&mut self, kind: &str, name: &str) -> String {
        if is_protocol(name) {
            escape(name)
        } else {
            self.secret(kind, name, Shape::Hidden)
        }
    }

    /// What stands for a header field that says who somebody is.
    pub(super) fn public_field(
        &mut self,
        name: &str,
        value: &str,
        class: Option<HeaderClass>,
    ) -> Option<String> {
        if !self.is_public() {
            return None;
        }
        match class {
            Some(HeaderClass::Correlation) => Some(self.secret(CORRELATION, value, Shape::Hidden)),
            Some(HeaderClass::Keep) if name.eq_ignore_ascii_case("user-agent") => {
                Some(self.free_text(&products(value)))
            }
            _ => None,
        }
    }

    /// What stands for a scheme: a private-use one is an app's name (RFC 8252 section 7.1).
    pub(super) fn scheme(&mut self, scheme: &str) -> String {
        let is_plain = ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str());
        if is_plain || !self.is_public() {
            escape(scheme)
        } else {
            self.secret("scheme", scheme, Shape::Hidden)
        }
    }

    /// What stands for the authority of a URL.
    pub(super) fn public_authority(&mut self, url: &Url) -> Option<String> {
        if !self.is_public() || url.is_loopback() {
            return None;
        }
        let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}{port}", self.host(&url.host)))
    }

    /// What stands for a word that names a host; of a value of the protocol only where it can be
    /// no name of a scope or the like.
    pub(super) fn public_word(&mut self, word: &str) -> Option<String> {
        if !self.is_public() {
            return None;
        }
        let lead = word.len() - word.trim_start_matches(['*', '.']).len();
        let (lead, rest) = word.split_at(lead);
        let (host, port) = match rest.split_once(':') {
            Some((host, _)) => rest.split_at(host.len()),
            None => (rest, ""),
        };
        let lower = host.to_ascii_lowercase();
        let url = Url::parse(&format!("http://{lower}/"))?;
        let last = lower.rsplit_once('.').map(|(_, last)| last)?;
        let is_named = last.len() == 2 || DOMAINS.contains(&last);
        let is_it = is_named
            && (is_host(&format!("{lower}{port}")) || lower.split('.').all(is_host_label))
            && port.bytes().skip(1).all(|byte| byte.is_ascii_digit())
            && !url.is_loopback();
        is_it.then(|| format!("{lead}{}{port}", self.host(host)))
    }

    /// Whether a run of known words has a part that says whose it is.
    pub(super) fn has_public_part(&self, run: &str) -> bool {
        self.is_public() && run.split(PART_ENDS).any(|part| self.ledger.knows(part))
    }

    /// A path, in which a segment behind a word such as `realms` says whose it is.
    pub(super) fn public_path(&mut self, host: &str, path: &str, has_tenants: bool) -> String {
        let mut out = Vec::new();
        let mut before = "";
        for (at, segment) in path.split('/').enumerate() {
            let is_tenant = has_tenants && at == 1 && (is_uuid(segment) || segment.contains('.'));
            let kind = if is_tenant {
                Some("tenant")
            } else {
                REALMS
                    .iter()
                    .find(|(mark, _)| *mark == before)
                    .map(|(_, kind)| *kind)
            };
            out.push(match kind {
                Some(kind) if !segment.is_empty() => self.whose(kind, segment),
                _ => match self.public_word(segment) {
                    Some(named) => named,
                    None => self.segment(host, at, segment),
                },
            });
            before = segment;
        }
        out.join("/")
    }

    /// The label of a host, with how this one is spelled: names are the same in any case.
    fn host(&mut self, host: &str) -> String {
        let lower = host.to_ascii_lowercase();
        if is_protocol(&lower) || self.is_checked(HOST, host) {
            return escape(host);
        }
        // A label that stood there before is no name in another case.
        if host != lower && self.ledger.knows(host) {
            return self.ledger.text(HOST, host, Shape::Hidden);
        }
        let mut labelled = self.ledger.pieces(HOST, &lower, Shape::Hidden);
        if host != lower {
            let suffix = if host == host.to_ascii_uppercase() {
                Suffix::Upper
            } else {
                Suffix::Mixed
            };
            for piece in &mut labelled {
                if let Piece::Label(label) = piece {
                    label.suffixes.push(suffix);
                }
            }
        }
        label::join(&labelled)
    }
}

/// The products of a `User-Agent` field, without what stands in brackets (RFC 9110 section 10.1.5).
fn products(agent: &str) -> String {
    let mut depth = 0_u32;
    let outside = agent.chars().filter(|c| {
        match c {
            '(' => depth += 1,
            ')' => {
                let was_inside = depth > 0;
                depth = depth.saturating_sub(1);
                return !was_inside;
            }
            _ => {}
        }
        depth == 0
    });
    let products: String = outside.collect();
    products.split_whitespace().collect::<Vec<_>>().join(" ")
}

const CORRELATION: &str = "correlation";

/// What a segment of a path is that stands behind another.
const REALMS: &[(&str, &str)] = &[
    ("customers", "tenant"),
    ("directories", "tenant"),
    ("org", "tenant"),
    ("organizations", "tenant"),
    ("orgs", "tenant"),
    ("realm", "realm"),
    ("realms", "realm"),
    ("t", "tenant"),
    ("tenant", "tenant"),
    ("tenants", "tenant"),
    ("workspaces", "tenant"),
];

/// What names end with that are of hosts and not of files or scopes, beside the countries' codes.
const DOMAINS: &[&str] = &[
    "academy",
    "agency",
    "app",
    "arpa",
    "biz",
    "blog",
    "cloud",
    "club",
    "cluster",
    "com",
    "company",
    "corp",
    "dev",
    "digital",
    "edu",
    "email",
    "example",
    "finance",
    "global",
    "gov",
    "group",
    "health",
    "home",
    "info",
    "int",
    "internal",
    "international",
    "intranet",
    "invalid",
    "lan",
    "live",
    "local",
    "localdomain",
    "localhost",
    "mil",
    "mobi",
    "net",
    "network",
    "news",
    "onion",
    "online",
    "org",
    "page",
    "private",
    "pro",
    "services",
    "shop",
    "site",
    "software",
    "solutions",
    "space",
    "store",
    "svc",
    "systems",
    "tech",
    "technology",
    "test",
    "today",
    "website",
    "work",
    "works",
    "world",
    "xyz",
    "zone",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(Profile::Public, Vec::new())
    }

    #[test]
    fn a_word_that_names_a_host_is_told_from_files_and_scopes() {
        for (word, expected) in [
            ("login.acme.example", Some("REDACTED-host-1")),
            ("login.acme.example:8443", Some("REDACTED-host-1:8443")),
            (".acme.co.uk", Some(".REDACTED-host-1")),
            ("*.acme.com", Some("*.REDACTED-host-1")),
            ("LOGIN.ACME.EXAMPLE", Some("REDACTED-host-1--upper")),
            ("Login.Acme.Example", Some("REDACTED-host-1--mixed")),
            ("localhost", None),
            ("127.0.0.1:8080", None),
            ("app.localhost", None),
            ("files.read", None),
            ("index.html", None),
            ("jwks.json", None),
            ("Mozilla/5.0", None),
            ("2.1.19000", None),
        ] {
            let told = redactor().public_word(word);
            assert_eq!(told.as_deref(), expected, "{word}");
        }
    }

    #[test]
    fn segments_are_somebodys_behind_certain_words() {
        for (host, path, expected) in [
            (
                "idp.example",
                "/realms/acme/token",
                "/realms/REDACTED-realm-1/token",
            ),
            (
                "idp.example",
                "/t/acme/oauth/token",
                "/t/REDACTED-tenant-1/oauth/token",
            ),
            ("idp.example", "/realms/", "/realms/"),
            (
                "idp.example",
                "/realms/openid/token",
                "/realms/openid/token",
            ),
            (
                "login.microsoftonline.com",
                "/3f1c9f2e-1b2a-4c3d-8e9f-0a1b2c3d4e5f/oauth2/token",
                "/REDACTED-tenant-1/oauth2/token",
            ),
            (
                "login.microsoftonline.com",
                "/acme.onmicrosoft.com/oauth2/token",
                "/REDACTED-tenant-1/oauth2/token",
            ),
            (
                "login.microsoftonline.com",
                "/common/oauth2/token",
                "/common/oauth2/token",
            ),
            ("login.microsoftonline.com", "/error", "/error"),
            (
                "idp.example",
                "/sites/acme.com/login",
                "/sites/REDACTED-host-1/login",
            ),
        ] {
            assert_eq!(redactor().path(host, path), expected, "{path}");
        }
    }

    #[test]
    fn of_an_agent_its_products_are_left() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux (x86) y) Firefox/140.0",
                "Mozilla/5.0 Firefox/140.0",
            ),
            ("curl/8.0.1", "curl/8.0.1"),
            ("a/1 (unclosed b/2", "a/1"),
            ("a/1) b/2", "a/1) b/2"),
            ("(only)", ""),
        ] {
            assert_eq!(products(agent), expected, "{agent}");
        }
    }
}
