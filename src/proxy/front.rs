//! The front: how a request that arrives gets its absolute URL, and its link to the server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;

use crate::model::{Headers, Url};
use crate::proxy::check::same_host;
use crate::proxy::link::{Link, Target};
use crate::proxy::password::user;
use crate::proxy::reverse::Stand;
use crate::proxy::server::Reach;

/// Where a connection's requests are meant for.
pub(super) struct Front {
    kind: Kind,
    /// Whom the client called itself when it asked for the tunnel.
    user: Option<Arc<str>>,
    served: AtomicUsize,
}

enum Kind {
    /// Each request names its server; one link for each of the last ones.
    Forward {
        links: Mutex<HashMap<Target, Arc<Link>>>,
    },
    /// The tunnel named the server.
    Tunnel {
        scheme: &'static str,
        authority: String,
        link: Option<Arc<Link>>,
    },
    /// A local origin stands for the server.
    Reverse {
        stand: Arc<Stand>,
        link: Option<Arc<Link>>,
    },
}

impl Front {
    /// A proxy's own port: requests in absolute-form.
    pub(super) fn forward() -> Self {
        Self {
            kind: Kind::Forward {
                links: Mutex::default(),
            },
            user: None,
            served: AtomicUsize::new(0),
        }
    }

    /// The inside of a tunnel; offline there is no link.
    pub(super) fn tunnel(scheme: &'static str, authority: String, link: Option<Arc<Link>>) -> Self {
        Self {
            kind: Kind::Tunnel {
                scheme,
                authority,
                link,
            },
            user: None,
            served: AtomicUsize::new(0),
        }
    }

    /// A local origin, whose server is offered these protocols; offline there is no link.
    pub(super) fn reverse(stand: Arc<Stand>, reach: &Reach, alpn: Vec<Vec<u8>>) -> Self {
        let url = Url::parse(stand.origin()).filter(|_| reach.upstream().is_some());
        let link = url.map(|url| Arc::new(Link::to(Target::at(&url), alpn)));
        Self {
            kind: Kind::Reverse { stand, link },
            user: None,
            served: AtomicUsize::new(0),
        }
    }

    /// The same, behind a tunnel that this user asked for.
    pub(super) fn asked_by(self, user: Option<Arc<str>>) -> Self {
        Self { user, ..self }
    }

    /// Whom the client of a request calls itself: each request to the proxy says so, and one in a
    /// tunnel is of whoever asked for that.
    pub(super) fn user(&self, fields: &Headers) -> Option<Arc<str>> {
        if self.is_proxy() {
            fields.get("proxy-authorization").and_then(user)
        } else {
            self.user.clone()
        }
    }

    /// Whether the client knows that it speaks to a proxy.
    pub(super) fn is_proxy(&self) -> bool {
        matches!(self.kind, Kind::Forward { .. })
    }

    /// The local origin, where that is what the connection came to.
    pub(super) fn stand(&self) -> Option<&Arc<Stand>> {
        match &self.kind {
            Kind::Reverse { stand, .. } => Some(stand),
            Kind::Forward { .. } | Kind::Tunnel { .. } => None,
        }
    }

    /// The absolute URL; `None` where the request names no server.
    pub(super) fn url(&self, request: &http::Request<Incoming>) -> Option<Url> {
        // Absolute-form inside a tunnel is legal; see `is_misdirected`.
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        match &self.kind {
            Kind::Forward { .. } => Url::parse(&request.uri().to_string()),
            Kind::Tunnel {
                scheme, authority, ..
            } => Url::parse(&format!("{scheme}://{authority}{path}")),
            Kind::Reverse { stand, .. } => stand.url(request.uri()),
        }
    }

    /// Whether a request names another server than the one that its tunnel leads to. A client may
    /// do so where it takes a connection for good for several names (RFC 9113 section 9.1.1); over
    /// HTTP/1 it names one by its target, and some give Host fields of their own making.
    pub(super) fn is_misdirected<B>(&self, request: &http::Request<B>, fields: &Headers) -> bool {
        let Kind::Tunnel { authority, .. } = &self.kind else {
            return false;
        };
        let named = request.uri().authority().cloned().or_else(|| {
            let host = fields
                .get("host")
                .filter(|_| request.version() >= http::Version::HTTP_2);
            host.and_then(|host| host.parse().ok())
        });
        let is_another = |named: &http::uri::Authority| {
            let target = authority.parse::<http::uri::Authority>();
            target.is_ok_and(|target| !same_host(&target, named))
        };
        named.as_ref().is_some_and(is_another)
    }

    /// The link that the request travels on.
    pub(super) fn link(&self, url: &Url, reach: &Reach) -> Option<Arc<Link>> {
        reach.upstream()?;
        match &self.kind {
            Kind::Tunnel { link, .. } | Kind::Reverse { link, .. } => link.clone(),
            Kind::Forward { links } => {
                let target = Target::at(url);
                let mut links = links.lock().unwrap_or_else(PoisonError::into_inner);
                if links.len() >= LINKS_MAX && !links.contains_key(&target) {
                    // An answer that is on its way keeps its own connection.
                    links.clear();
                }
                Some(Arc::clone(
                    links
                        .entry(target.clone())
                        .or_insert_with(|| Arc::new(Link::to(target, Vec::new()))),
                ))
            }
        }
    }

    /// The host that a tunnel leads to, or that a local origin stands for.
    pub(super) fn host(&self) -> Option<String> {
        let origin = match &self.kind {
            Kind::Forward { .. } => return None,
            Kind::Tunnel {
                scheme, authority, ..
            } => format!("{scheme}://{authority}"),
            Kind::Reverse { stand, .. } => stand.origin().to_owned(),
        };
        Url::parse(&origin).map(|url| url.host)
    }

    /// Notes that a request came.
    pub(super) fn count(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests came.
    pub(super) fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }
}

/// Each link may hold a connection to a server.
const LINKS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use http::Version;

    use super::*;
    use crate::proxy::{Upstream, UpstreamOptions};

    #[test]
    fn a_connection_has_links_to_a_few_servers_only() {
        let upstream = Upstream::new(UpstreamOptions::default()).expect("an upstream");
        let (front, reach) = (Front::forward(), Reach::Live(upstream));
        let link = |at: usize| {
            let url = Url::parse(&format!("http://{at}.example/")).expect("a URL");
            front.link(&url, &reach).expect("a link")
        };
        for at in 0..100 {
            assert!(Arc::ptr_eq(&link(at), &link(at)), "{at} is used again");
        }
        let Kind::Forward { links } = &front.kind else {
            panic!("a proxy's own port")
        };
        assert!(links.lock().expect("a lock").len() <= LINKS_MAX);
    }

    #[test]
    fn a_front_has_the_host_of_its_server() {
        let stand = |origin: &str| {
            let address = "127.0.0.1:9000".parse().expect("an address");
            Arc::new(Stand::new(origin.to_owned(), address))
        };
        let tunnel = |authority: &str| Front::tunnel("https", authority.to_owned(), None);
        let reverse = |origin| Front::reverse(stand(origin), &Reach::Offline, Vec::new());
        for (front, expected) in [
            (Front::forward(), None),
            (tunnel("a.example"), Some("a.example")),
            (tunnel("a.example:8443"), Some("a.example")),
            (tunnel("[::1]:8443"), Some("[::1]")),
            (reverse("https://a.example"), Some("a.example")),
            (reverse("http://a.example:8080"), Some("a.example")),
        ] {
            assert_eq!(front.host().as_deref(), expected);
        }
    }

    #[test]
    fn a_tunnel_carries_requests_for_its_own_server_only() {
        let (one, two) = (Version::HTTP_11, Version::HTTP_2);
        for (tunnel, version, target, host, expected) in [
            ("a.example", two, "https://a.example/", "", false),
            ("a.example", two, "https://A.example:443/", "", false),
            ("a.example:8443", two, "https://a.example/", "", false),
            ("a.example:8443", two, "https://a.example:8443/", "", false),
            ("a.example", two, "/", "", false),
            ("a.example", two, "/", "a.example", false),
            ("a.example", two, "https://b.example/", "", true),
            ("a.example", two, "https://a.example:8443/", "", true),
            ("a.example", two, "/", "b.example", true),
            ("a.example", one, "https://b.example/", "", true),
            ("a.example", one, "/", "b.example", false),
        ] {
            let request = http::Request::get(target).version(version).body(());
            let host = Some(host).filter(|host| !host.is_empty());
            let fields: Headers = host.map(|host| ("host", host)).into_iter().collect();
            let front = Front::tunnel("https", tunnel.to_owned(), None);
            let misdirected = front.is_misdirected(&request.expect("a request"), &fields);
            assert_eq!(
                misdirected, expected,
                "{tunnel} {version:?} {target} {host:?}"
            );
        }
    }
}
