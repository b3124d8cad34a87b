//! Who issued a token, and what was made of it.

use std::time::Duration;

use crate::cassette::session::{Flow, Session, Turn};
use crate::oauth::name;
use crate::oauth::token_response::refusal;
use crate::redact::{Label, cores, identity};

/// An ID Token, and what brought it.
pub struct IdToken<'s, 'a> {
    /// The message that brought it.
    pub turn: &'s Turn<'a>,
    /// The flow that it is of, where that is seen.
    pub flow: Option<Flow<'s, 'a>>,
    /// Which part of the message it stands in.
    pub place: &'static str,
    /// The token, as the cassette has it.
    pub text: &'s str,
}

impl<'a> Session<'a> {
    /// The ID Tokens of token responses and of authorization responses.
    pub fn id_tokens(&self) -> Vec<IdToken<'_, 'a>> {
        let responses = self.token_requests().filter_map(|turn| {
            let flow = self.flow_of(turn).map(|(flow, _)| flow);
            let text = turn.answer().get(name::ID_TOKEN)?;
            Some(IdToken {
                turn,
                flow,
                place: "response",
                text,
            })
        });
        let redirected = self.flows().filter_map(|flow| {
            Some(IdToken {
                turn: flow.carrier()?,
                flow: Some(flow),
                place: "redirect",
                text: flow.answered(name::ID_TOKEN)?,
            })
        });
        responses.chain(redirected).collect()
    }

    /// The token response that brought the secret in a text, and what it is called there.
    pub fn issuer_of(&self, text: &str) -> Option<(&Turn<'a>, &'static str)> {
        let secret = identity(text);
        self.token_requests().find_map(|turn| {
            let is_it = |name: &&&str| turn.issued(name).as_ref() == Some(&secret);
            let name = ISSUED.iter().find(is_it)?;
            Some((turn, *name))
        })
    }

    /// The later requests that carry a secret of a token response in `Authorization`.
    pub fn uses_of(&self, issued: &Turn<'_>) -> impl Iterator<Item = &Turn<'a>> {
        let answer = issued.answer().iter();
        let labels: Vec<Label> = answer.flat_map(|member| cores(&member.value)).collect();
        let id = issued.id();
        let later = self.turns.iter().filter(move |turn| turn.id() > id);
        later.filter(move |turn| {
            let sent = turn.authorization();
            sent.is_some_and(|(_, token)| cores(token).any(|label| labels.contains(&label)))
        })
    }
}

impl Turn<'_> {
    /// What tells the secret that a member of the response is from others.
    pub fn issued(&self, name: &str) -> Option<String> {
        self.answer().get(name).map(identity)
    }

    /// The same of a parameter of the request.
    pub fn sent(&self, name: &str) -> Option<String> {
        self.param(name).map(identity)
    }

    /// When the answer began to come, since the recording began.
    pub fn answered_at(&self) -> Option<Duration> {
        let response = self.interaction.response()?;
        Some(self.interaction.at() + response.after())
    }

    /// The error that the response reports, however it is spelled.
    pub fn refusal(&self) -> Option<String> {
        match self.answer_json() {
            Some(members) => refusal(members),
            None => self.answer().get(name::ERROR).map(str::to_owned),
        }
    }

    /// Where the response redirects to a page on which people log in.
    pub fn login_location(&self) -> Option<&str> {
        self.status().filter(|status| (300..400).contains(status))?;
        let location = self.answer_headers().get("location")?;
        let path = location.split(['?', '#']).next()?.trim_end_matches('/');
        let (_, page) = path.rsplit_once('/')?;
        let page = page.to_ascii_lowercase();
        let is_login = LOGIN_PAGES.iter().any(|word| page.starts_with(word));
        is_login.then_some(location)
    }
}

const ISSUED: &[&str] = &[name::REFRESH_TOKEN, name::ACCESS_TOKEN, name::ID_TOKEN];
const LOGIN_PAGES: &[&str] = &["log-in", "login", "logon", "sign-in", "sign_in", "signin"];
