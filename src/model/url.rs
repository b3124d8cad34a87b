//! An absolute URL in its parts, never normalised: OAuth compares redirect URIs byte by byte.

use std::fmt::{self, Write as _};

/// An absolute `scheme://authority/path?query#fragment` URL, every part as it was written.
///
/// Nothing is lower-cased, decoded or defaulted (RFC 3986 section 6.2.1): a difference in spelling
/// is evidence.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    /// `https`, as written.
    pub scheme: String,
    /// `user:password`, without the `@`.
    pub userinfo: Option<String>,
    /// The host; an IPv6 literal keeps its brackets.
    pub host: String,
    /// The port, where one is written.
    pub port: Option<u16>,
    /// The path with its leading slash, or empty.
    pub path: String,
    /// The raw query without the `?`.
    pub query: Option<String>,
    /// The raw fragment without the `#`.
    pub fragment: Option<String>,
}

impl Url {
    /// Splits an absolute URL; `None` where there is no scheme and host.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let valid = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(valid) {
            return None;
        }
        let (rest, fragment) = split_off(rest, '#');
        let (rest, query) = split_off(rest, '?');
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (userinfo, host_port) = match authority.rsplit_once('@') {
            Some((userinfo, host_port)) => (Some(userinfo.to_owned()), host_port),
            None => (None, authority),
        };
        let (host, port) = split_port(host_port)?;
        Some(Self {
            scheme: scheme.to_owned(),
            userinfo,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            fragment: fragment.map(str::to_owned),
        })
    }

    /// The port that is dialled: the written one, or the scheme's own.
    pub fn effective_port(&self) -> u16 {
        let default = if self.scheme.eq_ignore_ascii_case("http") {
            80
        } else {
            443
        };
        self.port.unwrap_or(default)
    }

    /// `host` or `host:port`, as written.
    pub fn authority(&self) -> String {
        let mut out = String::with_capacity(self.host.len() + ":65535".len());
        self.push_authority(&mut out);
        out
    }

    fn push_authority(&self, out: &mut String) {
        out.push_str(&self.host);
        if let Some(port) = self.port {
            // Writing to a string does not fail.
            let _ = write!(out, ":{port}");
        }
    }

    /// `scheme://host[:port]/path`, without userinfo, query and fragment.
    pub fn endpoint(&self) -> String {
        let mut out =
            String::with_capacity(self.scheme.len() + self.host.len() + self.path.len() + 9);
        out.push_str(&self.scheme);
        out.push_str("://");
        self.push_authority(&mut out);
        out.push_str(&self.path);
        out
    }

    /// `/path?query`, with `/` for an empty path: what stands in an origin-form request line.
    pub fn origin_form(&self) -> String {
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        match &self.query {
            Some(query) => [path, "?", query].concat(),
            None => path.to_owned(),
        }
    }

    /// Whether the host is this machine: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || host
                .parse::<std::net::Ipv4Addr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        if let Some(userinfo) = &self.userinfo {
            write!(f, "{userinfo}@")?;
        }
        write!(f, "{}{}", self.authority(), self.path)?;
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        if let Some(fragment) = &self.fragment {
            write!(f, "#{fragment}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({}://{})", self.scheme, self.authority())
    }
}

fn split_off(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let host_end = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        0
    };
    match text[host_end..].rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(host_end + colon);
            let port = port[1..].parse().ok()?;
            (!host.is_empty()).then_some((host, Some(port)))
        }
        None => (!text.is_empty()).then_some((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_kept_as_written() {
        for text in [
            "https://accounts.example.com",
            "https://accounts.example.com/",
            "HTTPS://Accounts.Example.com:443/Path%2f?a=b&a=c#frag",
            "http://user:secret@127.0.0.1:8080/cb?",
            "http://[::1]:51004/callback",
            "com.example.app://callback/path",
        ] {
            let url = Url::parse(text).unwrap_or_else(|| panic!("{text} does not parse"));
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_absolute_url_is_refused() {
        for text in [
            "",
            "/path",
            "https://",
            "https:///path",
            "a b://x",
            "https://x:99999/",
            "x:y",
        ] {
            assert_eq!(Url::parse(text).map(|url| url.to_string()), None, "{text}");
        }
    }

    #[test]
    fn loopback_is_told_from_the_rest() {
        for (text, expected) in [
            ("http://localhost:1/", true),
            ("http://a.localhost/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://localhost.example.com/", false),
            ("http://128.0.0.1/", false),
        ] {
            assert_eq!(
                Url::parse(text).expect(text).is_loopback(),
                expected,
                "{text}"
            );
        }
    }
}
