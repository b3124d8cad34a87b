//! The page of a device flow: a person types in the user code, and approves or denies.

use std::collections::VecDeque;

use crate::model::{Response, Url};
use crate::oauth::{Step, name};
use crate::replay::asking::{APPROVE, DECISION};
use crate::replay::document::document;
use crate::replay::judged::Judged;
use crate::replay::page::attribute;
use crate::replay::player::{Pages, Player};
use crate::replay::refusal::{Manner, Refusal};
use crate::replay::values::Live;

/// The devices that wait for a person. They hold this run's secrets: no `Debug`.
#[derive(Default)]
pub(super) struct Devices(VecDeque<Device>);

struct Device {
    /// The interaction that the device began with.
    at: usize,
    code: String,
    user_code: String,
    /// Where its person is sent, without the query.
    page: String,
    decision: Decision,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Approved,
    Denied,
    Open,
}

impl Player {
    /// Takes in what a device was given, where a person is to be asked.
    pub(super) fn note_device(&mut self, at: usize, response: &Response) {
        let is_asked = self.repertoire.options.pages == Pages::Asked;
        if !is_asked || self.repertoire.step(at) != Step::DeviceAuthorizationRequest {
            return;
        }
        let heard = response.heard();
        let Ok(members) = serde_json::from_slice::<serde_json::Value>(&heard.body.bytes) else {
            return;
        };
        let text = |name: &str| members[name].as_str().map(str::to_owned);
        let page = VERIFICATION_URIS.iter().find_map(|name| text(name));
        let page = page.and_then(|page| Url::parse(&page));
        let (Some(code), Some(user_code), Some(page)) =
            (text(name::DEVICE_CODE), text(name::USER_CODE), page)
        else {
            return;
        };
        let waiting = &mut self.devices.0;
        if waiting.len() >= WAITING_MAX {
            waiting.pop_front();
        }
        waiting.push_back(Device {
            at,
            code,
            user_code,
            page: page.endpoint(),
            decision: Decision::Open,
        });
    }

    /// What a person sees who was sent here by a device.
    pub(super) fn device_page(&mut self, live: &Live<'_>) -> Option<Response> {
        let here = |device: &&mut Device| device.page == live.endpoint;
        let mut waiting = self.devices.0.iter_mut().filter(here).peekable();
        waiting.peek()?;
        let path = attribute(&live.said.url.path);
        let Some(typed) = live.fields.query.get(name::USER_CODE) else {
            return Some(document(200, &typing(&path, "")));
        };
        let is_meant = |device: &&mut Device| plain(&device.user_code) == plain(typed);
        let Some(device) = waiting.rev().find(is_meant) else {
            let unknown = "<p class=\"none\">No device waits with this code.</p>\n";
            return Some(document(200, &typing(&path, unknown)));
        };
        let decision = live.fields.query.get(DECISION).map(|decision| {
            if decision == APPROVE {
                Decision::Approved
            } else {
                Decision::Denied
            }
        });
        let is_open = device.decision == Decision::Open;
        if let Some(decision) = decision.filter(|_| is_open) {
            device.decision = decision;
        }
        let body = match device.decision {
            Decision::Approved => "<h1>Approved</h1><p>Go on at your device.</p>".to_owned(),
            Decision::Denied => "<h1>Denied</h1><p>Your device is told.</p>".to_owned(),
            Decision::Open => deciding(&path, &device.user_code),
        };
        Some(document(200, &body))
    }

    /// What a device is told while nobody has approved of it (RFC 8628 section 3.5).
    pub(super) fn not_approved(&mut self, live: &Live<'_>, judged: &Judged) -> Option<Refusal> {
        if judged.call.step() != Step::TokenRequest || !judged.defects.are_none() {
            return None;
        }
        let code = live.get(name::DEVICE_CODE)?;
        let mut waiting = self.devices.0.iter();
        let device = waiting.find(|device| device.code == code)?;
        let (error, why) = match device.decision {
            Decision::Approved => return None,
            Decision::Denied => ("access_denied", "the person at the page said no"),
            Decision::Open => ("authorization_pending", "nobody has decided yet"),
        };
        if device.decision == Decision::Denied {
            for follower in self.repertoire.followers(device.at) {
                self.plays.mean(follower);
            }
        }
        Some(Refusal {
            error,
            why: why.to_owned(),
            manner: Manner::Body,
        })
    }
}

/// The code without what people leave out or add (RFC 8628 section 6.1).
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.collect::<String>().to_ascii_uppercase()
}

fn typing(path: &str, told: &str) -> String {
    let name = name::USER_CODE;
    format!(
        "<h1>Which code does your device show?</h1>\n{told}\
         <form method=\"get\" action=\"{path}\">\n\
         <input name=\"{name}\" aria-label=\"Code\" autocomplete=\"off\" required autofocus>\n\
         <button class=\"first\">Go on</button>\n</form>\n{NOTE}"
    )
}

fn deciding(path: &str, user_code: &str) -> String {
    let (name, code) = (name::USER_CODE, attribute(user_code));
    format!(
        "<h1>Let the device in that shows <b>{code}</b>?</h1>\n\
         <form method=\"get\" action=\"{path}\">\n\
         <input type=\"hidden\" name=\"{name}\" value=\"{code}\">\n\
         <button name=\"{DECISION}\" value=\"deny\">Deny</button>\n\
         <button name=\"{DECISION}\" value=\"{APPROVE}\" class=\"first\">Approve</button>\n\
         </form>\n{NOTE}"
    )
}

/// As RFC 8628 section 3.2 has it, and as Google does.
const VERIFICATION_URIS: &[&str] = &[name::VERIFICATION_URI, name::VERIFICATION_URL];
const NOTE: &str = "<p class=\"note\">This is a replay by authtape; no server is asked.</p>";
/// A client that begins again and again must not fill the memory.
const WAITING_MAX: usize = 64;
