//! One entry, and one page: times, and what stands beside the messages.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::import::failure::failure;
use crate::import::har::json::Members;
use crate::import::har::message::{self, Spoken};
use crate::model::{
    Aside, Exchange, Failure, FailureKind, Heard, Lost, Page, Phase, Said, Timings,
};

/// An entry, or why it is none.
pub(super) struct Read(pub(super) Result<Raw, &'static str>);

/// An entry that is not numbered yet.
pub(super) struct Raw {
    pub(super) started: OffsetDateTime,
    said: Said,
    heard: Option<Heard>,
    failure: Option<(FailureKind, Phase)>,
    page: Option<String>,
    aside: Aside,
}

impl From<Value> for Read {
    fn from(value: Value) -> Self {
        Self(raw(Members::of(value)))
    }
}

impl Raw {
    /// The exchange under its number, and what stands beside it.
    pub(super) fn exchange(
        self,
        id: u64,
        begun: OffsetDateTime,
        pages: &[RawPage],
    ) -> (Exchange, Aside) {
        let after = self.aside.timings.until_head();
        let exchange = Exchange {
            id,
            at: since(begun, self.started),
            clock: self
                .started
                .unix_timestamp()
                .saturating_add_unsigned(after.as_secs()),
            request: self.said,
            response: self.heard,
            failure: self
                .failure
                .map(|(kind, phase)| Failure::new(kind, phase, after)),
        };
        let named = |name: String| pages.iter().position(|page| page.id == name);
        let aside = Aside {
            page: self.page.and_then(named),
            ..self.aside
        };
        (exchange, aside)
    }
}

/// A page, and the name by which entries refer to it.
pub(super) struct RawPage {
    id: String,
    started: OffsetDateTime,
    page: Page,
}

impl From<Value> for RawPage {
    fn from(value: Value) -> Self {
        let mut members = Members::of(value);
        let mut timings = members.object("pageTimings");
        Self {
            id: members.text("id").unwrap_or_default(),
            started: started(&mut members),
            page: Page {
                at: Duration::ZERO,
                on_content_load: timings.millis("onContentLoad"),
                on_load: timings.millis("onLoad"),
            },
        }
    }
}

impl RawPage {
    /// The page without its name and its title, which is a URL as often as not.
    pub(super) fn page(&self, begun: OffsetDateTime) -> Page {
        Page {
            at: since(begun, self.started),
            ..self.page
        }
    }
}

fn raw(mut entry: Members) -> Result<Raw, &'static str> {
    let mut lost = std::collections::BTreeSet::new();
    let mut request = entry.object("request");
    let mut response = entry.object("response");
    let timings = timings(&mut entry);
    let asked = message::said(&mut request, &mut lost)?;
    let started = started(&mut entry);
    let page = entry.text("pageref");
    let error = response.text("_error").or_else(|| entry.text("_error"));
    let answered = message::heard(&mut response, &asked, timings.until_head(), &mut lost);
    let failure = answered.is_none().then(|| failure(error.as_deref()));
    for (name, what) in BESIDE {
        if entry.take(name).is_some_and(|value| says_something(&value)) {
            lost.insert(*what);
        }
    }
    if [&entry, &request, &response]
        .iter()
        .any(|rest| !rest.is_empty())
    {
        lost.insert(Lost::Members);
    }
    let Spoken { message, is_http3 } = asked;
    Ok(Raw {
        started,
        said: message,
        heard: answered,
        failure,
        page,
        aside: Aside {
            timings,
            page: None,
            is_http3,
            lost,
        },
    })
}

fn says_something(value: &Value) -> bool {
    !Members::of(serde_json::json!({ "value": value })).is_empty()
}

fn timings(entry: &mut Members) -> Timings {
    let mut spent = entry.object("timings");
    Timings {
        total: entry.millis("time"),
        blocked: spent.millis("blocked"),
        dns: spent.millis("dns"),
        connect: spent.millis("connect"),
        ssl: spent.millis("ssl"),
        send: spent.millis("send"),
        wait: spent.millis("wait"),
        receive: spent.millis("receive"),
    }
}

/// When it started; the beginning of Unix time where that is not said.
fn started(members: &mut Members) -> OffsetDateTime {
    let text = members.text("startedDateTime").unwrap_or_default();
    let parsed = OffsetDateTime::parse(&text, &Rfc3339);
    // Charles writes the offset without its colon.
    let with_colon = || {
        let (time, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        OffsetDateTime::parse(&format!("{time}:{minutes}"), &Rfc3339).ok()
    };
    parsed
        .ok()
        .or_else(with_colon)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Since a time, and never before it.
fn since(begun: OffsetDateTime, at: OffsetDateTime) -> Duration {
    Duration::try_from(at - begun).unwrap_or_default()
}

/// Members that have a name of their own for what they lose.
const BESIDE: &[(&str, Lost)] = &[
    ("_initiator", Lost::Initiator),
    ("_webSocketMessages", Lost::Messages),
    ("cache", Lost::Cache),
    ("comment", Lost::Comment),
    ("connection", Lost::Connection),
    ("serverIPAddress", Lost::Address),
];
