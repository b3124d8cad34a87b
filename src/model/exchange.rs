//! One whole exchange, raw: what was asked, what came back or what went wrong, and when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Alias, Captured, Headers, Url, Version};

/// A request with its response or failure, as they crossed the wire.
///
/// It holds secrets. It has no `Serialize`, its `Debug` shows names and sizes, and the only way
/// out of it is redaction.
pub struct Exchange {
    /// The order of the requests' starts, from 1.
    pub id: u64,
    /// When the request started, since the recording began.
    pub at: Duration,
    /// The proxy's own clock when the response's head arrived, in Unix seconds.
    pub clock: i64,
    /// What the client said.
    pub request: Said,
    /// What the server answered, where it did.
    pub response: Option<Heard>,
    /// What went wrong, if anything.
    pub failure: Option<Failure>,
}

/// The client's side of an exchange.
#[derive(Clone)]
pub struct Said {
    /// The method, as written.
    pub method: String,
    /// The absolute URL.
    pub url: Url,
    /// The version the client spoke.
    pub version: Version,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Captured,
    /// By which other origin the client calls the server, where it does.
    pub alias: Option<Arc<Alias>>,
}

impl Said {
    /// The URL, without its query, as the client calls it.
    pub fn called(&self) -> String {
        match &self.alias {
            Some(alias) => alias.endpoint(&self.url),
            None => self.url.endpoint(),
        }
    }
}

/// The server's side of an exchange.
pub struct Heard {
    /// The status code.
    pub status: u16,
    /// The reason phrase, where it is not the status code's usual one.
    pub reason: Option<String>,
    /// The version the server spoke.
    pub version: Version,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Captured,
    /// When the head arrived, since the request started.
    pub after: Duration,
}

/// What ended an exchange, or a connection, before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub kind: FailureKind,
    /// What was being done.
    pub phase: Phase,
    /// When, since the request started.
    pub after: Duration,
    /// What is known besides, for people; no cassette has it.
    pub detail: Option<Arc<str>>,
    /// It comes from tape: what happened then happens to the client, who would otherwise be told.
    pub is_played: bool,
}

impl Failure {
    /// A failure of which nothing else is known.
    pub fn new(kind: FailureKind, phase: Phase, after: Duration) -> Self {
        Self {
            kind,
            phase,
            after,
            detail: None,
            is_played: false,
        }
    }

    /// The same failure, to happen to the client.
    #[must_use]
    pub fn played(self) -> Self {
        Self {
            is_played: true,
            ..self
        }
    }

    /// Whether the client meets it as the end of its connection, without an answer.
    pub fn ends_connection(&self) -> bool {
        let without_answer = [
            FailureKind::ClosedEarly,
            FailureKind::ConnectionReset,
            FailureKind::ReadTimeout,
        ];
        self.is_played && self.phase == Phase::ResponseHead && without_answer.contains(&self.kind)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that cassettes use.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The variant of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|variant| variant.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::from_word(&word).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|variant| variant.as_str()).collect();
                    serde::de::Error::custom(format!(
                        "unknown word `{}`, expected one of {}", word.escape_debug(), known.join(", ")
                    ))
                })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let words: Vec<_> = Self::ALL.iter().map(|variant| variant.as_str()).collect();
                schemars::json_schema!({ "type": "string", "enum": words })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The kinds of failure a cassette records as an outcome.
    FailureKind {
        /// The client went away.
        ClientAborted = "client_aborted",
        /// The server talks to those only who show a certificate, and none was given for it.
        ClientCertificateRequired = "client_certificate_required",
        /// The server closed before its answer was whole.
        ClosedEarly = "closed_early",
        /// The address is one that is never dialled: our own, or a link-local one.
        ConnectForbidden = "connect_forbidden",
        /// Nothing listened.
        ConnectRefused = "connect_refused",
        /// The connection was not made in time.
        ConnectTimeout = "connect_timeout",
        /// The connection was reset.
        ConnectionReset = "connection_reset",
        /// The name does not resolve.
        DnsFailure = "dns_failure",
        /// The server's bytes are no HTTP.
        ProtocolError = "protocol_error",
        /// The proxy on the way did not let us through.
        ProxyFailure = "proxy_failure",
        /// No answer in time.
        ReadTimeout = "read_timeout",
        /// The TLS handshake failed, or the certificate was refused.
        TlsFailure = "tls_failure",
    }
}

words! {
    /// What was being done when a failure came.
    Phase {
        /// Reaching the server, TLS included.
        Connect = "connect",
        /// Sending the request.
        Request = "request",
        /// Waiting for, or reading, the response's head.
        ResponseHead = "response_head",
        /// Reading the response's body.
        ResponseBody = "response_body",
    }
}

words! {
    /// How a body's end was marked on HTTP/1.
    Framing {
        /// `Transfer-Encoding: chunked`
        Chunked = "chunked",
        /// By closing the connection.
        Eof = "eof",
        /// `Content-Length`
        Length = "length",
    }
}

impl Framing {
    /// The framing that the header fields declare; `None` where they declare none.
    pub fn declared(headers: &Headers) -> Option<Self> {
        let chunked = |value: &str| value.to_ascii_lowercase().contains("chunked");
        if headers.all("transfer-encoding").any(chunked) {
            Some(Self::Chunked)
        } else {
            headers.has("content-length").then_some(Self::Length)
        }
    }
}

/// A connection that never became a request, or one that passes unread.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incident {
    /// The client refused the certificate we showed for this host, or went silent after it.
    CertificateRefused {
        /// The host the certificate was for.
        host: String,
        /// The TLS alert, where one came.
        alert: Option<String>,
        /// What the client calls itself where it asked for the tunnel, without its version.
        client: Option<String>,
    },
    /// The connection passes unread.
    Tunnelled {
        /// The host and port of the tunnel.
        authority: String,
        /// Why.
        reason: &'static str,
    },
    /// The server of a connection that was to pass unread could not be reached.
    Unreached {
        /// The host and port.
        authority: String,
        /// Why.
        failure: Failure,
    },
    /// What arrived is no request that can be read, and was answered with 400.
    Unreadable {
        /// The host, where one is known.
        host: Option<String>,
        /// Why.
        reason: &'static str,
    },
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Exchange({}, {:?}, {:?}, {:?})",
            self.id, self.request, self.response, self.failure
        )
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Said({} {:?}, {:?}, {:?})",
            self.method, self.url, self.headers, self.body
        )
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Heard({}, {:?}, {:?})",
            self.status, self.headers, self.body
        )
    }
}
