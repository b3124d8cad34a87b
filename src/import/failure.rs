//! Why there was no response, as other tools say it.

use crate::model::{FailureKind, Phase};

/// What went wrong where there is no response, by the tool's word for it.
pub(super) fn failure(error: Option<&str>) -> (FailureKind, Phase) {
    let error = error.unwrap_or_default().to_ascii_lowercase();
    let known = FAILURES.iter().find(|(word, ..)| error.contains(word));
    // Without a word for it the client gave it up, or keeps the answer to itself.
    known.map_or(
        (FailureKind::ClientAborted, Phase::ResponseHead),
        |(_, kind, phase)| (*kind, *phase),
    )
}

/// The first that stands in Chromium's `net::ERR_…`, Firefox's `NS_ERROR_…` or a system's or mitmproxy's words.
const FAILURES: &[(&str, FailureKind, Phase)] = &[
    ("name_not_resolved", FailureKind::DnsFailure, Phase::Connect),
    (
        "name or service not known",
        FailureKind::DnsFailure,
        Phase::Connect,
    ),
    ("unknown_host", FailureKind::DnsFailure, Phase::Connect),
    ("enotfound", FailureKind::DnsFailure, Phase::Connect),
    ("dns", FailureKind::DnsFailure, Phase::Connect),
    ("proxy", FailureKind::ProxyFailure, Phase::Connect),
    ("tunnel", FailureKind::ProxyFailure, Phase::Connect),
    ("cert", FailureKind::TlsFailure, Phase::Connect),
    ("ssl", FailureKind::TlsFailure, Phase::Connect),
    ("tls", FailureKind::TlsFailure, Phase::Connect),
    ("refused", FailureKind::ConnectRefused, Phase::Connect),
    (
        "connection_timed_out",
        FailureKind::ConnectTimeout,
        Phase::Connect,
    ),
    ("timed_out", FailureKind::ReadTimeout, Phase::ResponseHead),
    ("timeout", FailureKind::ReadTimeout, Phase::ResponseHead),
    ("reset", FailureKind::ConnectionReset, Phase::ResponseHead),
    (
        "server disconnected",
        FailureKind::ClosedEarly,
        Phase::ResponseHead,
    ),
    (
        "empty_response",
        FailureKind::ClosedEarly,
        Phase::ResponseHead,
    ),
    (
        "connection_closed",
        FailureKind::ClosedEarly,
        Phase::ResponseHead,
    ),
    (
        "protocol_error",
        FailureKind::ProtocolError,
        Phase::ResponseHead,
    ),
];
