//! `state-cookie-not-returned`: the browser keeps back the cookie that the login was begun with.

use crate::cassette::{Flow, Outcome, Session, Turn};
use crate::diagnose::finding::{Evidence, Finding, Findings};
use crate::diagnose::rule::{Rule, Severity};
use crate::model::{Params, Url};
use crate::oauth::{Step, name};

/// See [`Rule::why`].
pub(super) static RULE: Rule = Rule {
    id: "state-cookie-not-returned",
    severity: Severity::Error,
    tier: 4,
    summary: "the cookie that holds the state was not sent back",
    why: "An application keeps the state of a pending login in a cookie, or in a session that a cookie leads to. Where the browser does not send it back, no state matches.",
    fix: "begin the login at the host that the redirect URI names; for form_post set the cookie with SameSite=None and Secure",
    see: &[
        "RFC 6749 section 10.12",
        "OAuth 2.0 Form Post Response Mode section 4",
    ],
    example: "a response by form_post, and a cookie with SameSite=Lax",
    check,
};

fn check(session: &Session<'_>, rule: &'static Rule, findings: &mut Findings) {
    for flow in session.flows() {
        let Some((begun, callback)) = begun_by(session, flow).zip(flow.callback()) else {
            continue;
        };
        if flow.outcome() == Outcome::Accepted {
            continue;
        }
        let cookies: Vec<_> = begun.answer_headers().all("set-cookie").collect();
        let cookies: Vec<_> = cookies
            .iter()
            .filter_map(|field| Cookie::of(field))
            .collect();
        let sent = callback.headers().get("cookie").unwrap_or_default();
        let is_sent = |cookie: &Cookie<'_>| {
            let names = sent.split(';').map(|pair| pair.split('=').next());
            names.flatten().any(|name| name.trim() == cookie.name)
        };
        // Which of them holds the state nobody can tell, so that none may have come back.
        if cookies.iter().any(is_sent) {
            continue;
        }
        let kept = cookies
            .iter()
            .find_map(|cookie| Some((cookie, cookie.kept_back(begun.url()?, callback)?)));
        if let Some((cookie, why)) = kept {
            let finding = Finding::of(rule)
                .saying(format!(
                    "the cookie {} that the login was begun with was not sent back because {why}",
                    cookie.name
                ))
                .at(Evidence::new(
                    begun.id(),
                    "response",
                    format!("Set-Cookie: {}", cookie.field),
                ))
                .at(Evidence::new(callback.id(), "callback", "(no such cookie)"));
            findings.raise_ungraded(finding);
        }
    }
}

/// The answer of the application that sent the browser to the authorization endpoint.
fn begun_by<'s, 'a>(session: &'s Session<'a>, flow: Flow<'_, '_>) -> Option<&'s Turn<'a>> {
    let asked = flow.request();
    let state = flow.asked().get(name::STATE)?;
    let before = session.turns().iter();
    let mut before = before.take_while(|turn| turn.id() != asked.id());
    before.find(|turn| {
        let location = turn.answer_headers().get("location").and_then(Url::parse);
        let query = location.and_then(|location| location.query);
        let params = Params::parse(&query.unwrap_or_default());
        turn.step() == Step::Other && params.get(name::STATE) == Some(state)
    })
}

/// A cookie as it is set.
struct Cookie<'a> {
    field: &'a str,
    name: &'a str,
}

impl<'a> Cookie<'a> {
    fn of(field: &'a str) -> Option<Self> {
        let (name, _) = field.split_once('=')?;
        Some(Self {
            field,
            name: name.trim(),
        })
    }

    fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut attributes = self.field.split(';').skip(1).map(|attribute| {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            (name.trim(), value.trim())
        });
        attributes.find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Why a browser does not send it to the redirection endpoint (RFC 6265 section 5.4).
    fn kept_back(&self, begun: &Url, callback: &Turn<'_>) -> Option<String> {
        let to = callback.url()?;
        let same_site = self.attribute("samesite");
        let domain = self.attribute("domain");
        let path = self.attribute("path");
        let is_loose = same_site.is_some_and(|mode| mode.eq_ignore_ascii_case("none"));
        let same_site = same_site.unwrap_or("not set, which is Lax");
        if domain.is_none() && !begun.host.eq_ignore_ascii_case(&to.host) {
            Some(format!(
                "{} set it, and the response went to {}",
                begun.host, to.host
            ))
        } else if callback.method() == "POST" && !is_loose {
            Some(format!(
                "the response came by POST from another site, and SameSite is {same_site}"
            ))
        } else if self.attribute("secure").is_some() && to.scheme == "http" && !to.is_loopback() {
            Some("it is only for https, and the response went to http".to_owned())
        } else {
            path.filter(|path| !to.path.starts_with(path))
                .map(|path| format!("it is for {path}, and the response went to {}", to.path))
        }
    }
}
