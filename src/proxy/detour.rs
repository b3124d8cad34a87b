//! A proxy on the way to the servers: from a flag, or from the environment as curl reads it.

use std::error::Error as StdError;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::Authority;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::model::FailureKind;
use crate::proxy::Error;
use crate::proxy::dial::Trouble;

/// Which servers are reached through another proxy.
#[derive(Clone, Debug, Default)]
pub struct Detour {
    rules: Option<Arc<Matcher>>,
    /// A proxy of the environment is not asked for what is on this machine.
    spares_loopback: bool,
}

impl Detour {
    /// No other proxy.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything goes through this one: `http://`, `socks5://` or `socks5h://`, with or without
    /// `user:password@`.
    ///
    /// # Errors
    ///
    /// Where it is not of that form.
    pub fn through(proxy: &str) -> Result<Self, Error> {
        check(proxy)?;
        Self::read(proxy, "", "").ok_or_else(|| unusable(proxy))
    }

    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in either case.
    ///
    /// # Errors
    ///
    /// Where one of them names no proxy that can be used.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let first = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        };
        // In a CGI program HTTP_PROXY is a field of the request, not a setting.
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let https = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
        let http = first(if is_cgi {
            &["http_proxy", "all_proxy", "ALL_PROXY"]
        } else {
            &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        });
        if https.is_none() && http.is_none() {
            return Ok(Self::none());
        }
        let no = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        for proxy in [&https, &http].into_iter().flatten() {
            check(proxy)?;
        }
        let (https, http) = (https.unwrap_or_default(), http.unwrap_or_default());
        let detour = Self::read_both(&https, &http, &no).ok_or_else(|| {
            let is_https = !https.is_empty() && Self::read_both(&https, "", &no).is_none();
            unusable(if is_https { &https } else { &http })
        })?;
        Ok(Self {
            spares_loopback: true,
            ..detour
        })
    }

    fn read(proxy: &str, http: &str, no: &str) -> Option<Self> {
        Self::read_both(proxy, if http.is_empty() { proxy } else { http }, no)
    }

    fn read_both(https: &str, http: &str, no: &str) -> Option<Self> {
        let matcher = Matcher::builder()
            .https(https.to_owned())
            .http(http.to_owned())
            .no(normalised(no))
            .build();
        let asked = |scheme: &str| {
            let uri = format!("{scheme}://a.invalid/").parse().ok()?;
            matcher.intercept(&uri)
        };
        let everything_excluded = no.split(',').any(|entry| entry.trim() == "*");
        let read = (https.is_empty() || asked("https").is_some())
            && (http.is_empty() || asked("http").is_some());
        (read || everything_excluded).then(|| Self {
            rules: Some(Arc::new(matcher)),
            spares_loopback: false,
        })
    }

    /// The proxy to ask for this server, if any.
    pub(super) fn for_server(&self, tls: bool, host: &str, port: u16) -> Option<Other> {
        let bare = host.trim_matches(['[', ']']);
        let is_here = bare.eq_ignore_ascii_case("localhost")
            || bare
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback());
        if self.spares_loopback && is_here {
            return None;
        }
        let scheme = if tls { "https" } else { "http" };
        let uri = format!("{scheme}://{host}:{port}/").parse().ok()?;
        let intercept = self.rules.as_ref()?.intercept(&uri)?;
        Other::of(&intercept)
    }
}

/// Another proxy, and how to introduce oneself to it.
pub(super) struct Other {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) speaks: Speaks,
}

impl Other {
    /// The proxy by its address, with what is wrong there.
    pub(super) fn trouble(&self, what: &str) -> Arc<str> {
        let Self { host, port, .. } = self;
        format!("the proxy {host}:{port} on the way did not let us through: {what}").into()
    }

    /// It could not be reached.
    pub(super) fn unreached(&self, kind: FailureKind) -> Trouble {
        let what = match kind {
            FailureKind::ConnectForbidden => return kind.into(),
            FailureKind::ConnectRefused => "nothing listens there",
            FailureKind::ConnectTimeout => "it could not be reached in time",
            FailureKind::DnsFailure => "its name does not resolve",
            _ => "the connection failed",
        };
        self.failure(what)
    }

    /// It was reached, and did no more.
    pub(super) fn refused(&self, error: &(dyn StdError + 'static)) -> Trouble {
        // The library keeps the types of these errors to itself, and names them in `Debug` only.
        let told = format!("{error:?}");
        let has_user = match &self.speaks {
            Speaks::Http { authorization } => authorization.is_some(),
            Speaks::Socks5 { user } => user.is_some(),
        };
        let what = match (told.contains("Auth"), has_user) {
            (true, true) => "it does not take the user and password of its URL",
            (true, false) => {
                "it asks for a user and a password; give them before the host of its URL"
            }
            (false, _) if told.contains("Io") || told.contains("Eof") => "it broke off",
            (false, _) => "it opened no tunnel",
        };
        self.failure(what)
    }

    fn failure(&self, what: &str) -> Trouble {
        Trouble {
            kind: FailureKind::ProxyFailure,
            detail: Some(self.trouble(what)),
        }
    }
}

pub(super) enum Speaks {
    Http { authorization: Option<HeaderValue> },
    Socks5 { user: Option<(String, String)> },
}

impl Other {
    fn of(intercept: &Intercept) -> Option<Self> {
        let uri = intercept.uri();
        let is_socks = uri
            .scheme_str()
            .is_some_and(|scheme| scheme.starts_with("socks"));
        let speaks = if is_socks {
            let user = intercept
                .raw_auth()
                .map(|(user, password)| (user.to_owned(), password.to_owned()));
            Speaks::Socks5 { user }
        } else {
            let authorization = intercept.basic_auth().cloned();
            Speaks::Http { authorization }
        };
        Some(Self {
            host: uri.host()?.to_owned(),
            port: uri.port_u16().unwrap_or(if is_socks { 1080 } else { 80 }),
            speaks,
        })
    }
}

/// The matcher knows neither ports, nor brackets, nor `*.name`.
fn normalised(no: &str) -> String {
    let entries = no.split(',').map(|entry| {
        let entry = entry.trim();
        if let Some(bracketed) = entry.strip_prefix('[') {
            return bracketed.split(']').next().unwrap_or_default();
        }
        let entry = entry
            .strip_prefix('*')
            .filter(|rest| !rest.is_empty())
            .unwrap_or(entry);
        match entry.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') && port.parse::<u16>().is_ok() => host,
            _ => entry,
        }
    });
    entries.collect::<Vec<_>>().join(",")
}

/// Whether a proxy's URL says one thing only: a character of a password that ends the part it
/// stands in would have the rest of it taken for a host, a port or a path.
fn check(proxy: &str) -> Result<(), Error> {
    let (scheme, rest) = parts(proxy);
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (user, place),
        None => ("", rest),
    };
    if user.contains(['/', '#', '?', '@']) {
        return Err(Error::UpstreamProxyUser {
            text: without_password(proxy),
        });
    }
    let place = place.strip_suffix('/').unwrap_or(place);
    let place: Option<Authority> = place.parse().ok();
    let is_place = place.is_some_and(|place| {
        let behind = place.as_str().get(place.host().len()..);
        let port = place.port_u16().filter(|port| *port > 0);
        !place.host().is_empty() && (behind == Some("") || port.is_some())
    });
    if is_place && ["http", "socks5", "socks5h"].contains(&scheme) {
        Ok(())
    } else {
        Err(unusable(proxy))
    }
}

fn parts(proxy: &str) -> (&str, &str) {
    proxy.split_once("://").unwrap_or(("http", proxy))
}

fn unusable(proxy: &str) -> Error {
    Error::UpstreamProxy {
        text: without_password(proxy),
    }
}

fn without_password(proxy: &str) -> String {
    let (scheme, rest) = parts(proxy);
    let place = rest.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(detour: &Detour, tls: bool, host: &str) -> Option<String> {
        let other = detour.for_server(tls, host, 443)?;
        let kind = match other.speaks {
            Speaks::Http { authorization } => match authorization {
                Some(value) => value.to_str().expect("text").to_owned(),
                None => "http".to_owned(),
            },
            Speaks::Socks5 { user } => match user {
                Some((user, password)) => format!("socks {user}:{password}"),
                None => "socks".to_owned(),
            },
        };
        Some(format!("{kind} {}:{}", other.host, other.port))
    }

    #[test]
    fn a_flag_names_the_proxy_of_all_servers() {
        for (text, expected) in [
            ("http://proxy.example:3128", Some("http proxy.example:3128")),
            ("proxy.example:3128", Some("http proxy.example:3128")),
            (
                "http://user:pass@proxy.example",
                Some("Basic dXNlcjpwYXNz proxy.example:80"),
            ),
            ("socks5://proxy.example", Some("socks proxy.example:1080")),
            (
                "socks5h://u:p@proxy.example:9",
                Some("socks u:p proxy.example:9"),
            ),
            ("ftp://proxy.example", None),
            ("https://proxy.example", None),
            ("", None),
            (
                "http://u:a%2Fb%40@proxy.example:1/",
                Some("Basic dTphL2JA proxy.example:1"),
            ),
            ("http://[::1]:3128", Some("http [::1]:3128")),
            ("http://proxy.example:99999", None),
            ("http://proxy.example:0", None),
            ("http://proxy.example:", None),
            ("http://proxy.example/path", None),
            ("http://proxy.example?x", None),
            ("http://", None),
        ] {
            let detour = Detour::through(text).ok();
            let found = detour.and_then(|detour| way(&detour, true, "127.0.0.1"));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        let refused = Detour::through("ftp://me:secret@proxy.example");
        let text = refused.expect_err("a scheme of its own").to_string();
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn what_ends_a_part_of_a_url_is_percent_encoded_in_a_password() {
        for proxy in [
            "http://u:PASS/WORD@h:1",
            "http://u:1234/WORD@h:1",
            "http://u:PASS#WORD@h:1",
            "http://u:PASS?WORD@h:1",
            "http://u:PASS@WORD@h:1",
            "u:PASS/WORD@h:1",
            "socks5://u:PASS#WORD@h:99999",
        ] {
            let variable = |name: &str| (name == "http_proxy").then(|| proxy.to_owned());
            for refused in [Detour::through(proxy), Detour::from_environment(variable)] {
                let text = refused.expect_err(proxy).to_string();
                assert!(text.contains("percent-encoded"), "{proxy}: {text}");
                for part in ["PASS", "WORD", "1234"] {
                    assert!(!text.contains(part), "{proxy}: {text}");
                }
            }
        }
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let variables = [
            ("HTTPS_PROXY", "http://secure.example:1"),
            ("http_proxy", "http://plain.example:2"),
            (
                "NO_PROXY",
                "*.corp.example, [::1], 10.0.0.0/8, direct.example:443",
            ),
        ];
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        };
        let detour = Detour::from_environment(variable).expect("a detour");
        for (tls, host, expected) in [
            (true, "idp.example", Some("http secure.example:1")),
            (false, "idp.example", Some("http plain.example:2")),
            (true, "a.corp.example", None),
            (true, "direct.example", None),
            (true, "10.1.2.3", None),
            (true, "localhost", None),
            (true, "127.0.0.1", None),
            (true, "[::1]", None),
        ] {
            assert_eq!(way(&detour, tls, host).as_deref(), expected, "{tls} {host}");
        }
        for (wrong, right) in [("https_proxy", "http_proxy"), ("http_proxy", "https_proxy")] {
            let variable = |name: &str| {
                let value = if name == wrong { "ftp" } else { "http" };
                let is_set = [wrong, right].contains(&name);
                is_set.then(|| format!("{value}://proxy.example"))
            };
            let error = Detour::from_environment(variable).expect_err(wrong);
            let text = error.to_string();
            assert!(text.contains("`ftp://proxy.example`"), "{wrong}: {text}");
        }
        let none = Detour::from_environment(|_| None).expect("nothing set");
        assert_eq!(way(&none, true, "idp.example"), None);
    }
}
