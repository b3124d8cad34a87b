//! What anybody may see: whose server, client and request it was becomes a label as well.

use crate::model::Url;
use crate::oauth::name;
use crate::oauth::registry::{Class, HeaderClass, Place};
use crate::redact::Redactor;
use crate::redact::label::{self, Piece, Suffix, escape};
use crate::redact::ledger::Shape;
use crate::redact::profile::Profile;
use crate::redact::values::PART_ENDS;
use crate::redact::vocabulary::{is_host, is_host_label};

/// The kind of a host's name.
pub(crate) const HOST: &str = "host";

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
        Some(self.secret(kind, value, Shape::Hidden))
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
            let is_tenant = has_tenants && at == 1 && !EVERYBODY.contains(&segment);
            let kind = if is_tenant {
                Some("tenant")
            } else {
                REALMS
                    .iter()
                    .find(|(mark, _)| *mark == before)
                    .map(|(_, kind)| *kind)
            };
            out.push(match kind {
                Some(kind) if !segment.is_empty() => self.secret(kind, segment, Shape::Hidden),
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
        if self.is_checked(HOST, host) {
            return host.to_owned();
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

/// Directories of everybody at the vendor that names directories in paths.
const EVERYBODY: &[&str] = &["", "common", "consumers", "organizations"];

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
