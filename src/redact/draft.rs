//! A draft: an interaction whose answer is changed, for negative tests, and that is checked again.

use std::time::Duration;

use crate::model::{FailureKind, Framing, Phase};
use crate::oauth::facts::Facts;
use crate::oauth::name;
use crate::oauth::page::{FieldKind, Method};
use crate::oauth::sniff::Sniff;
use crate::redact::check::check;
use crate::redact::content::{AbsentBody, DropReason, DroppedBody, JsonWire};
use crate::redact::entry::{Named, Seconds};
use crate::redact::form::{RecordedField, RecordedForm};
use crate::redact::interaction::{Interaction, RecordedError, RecordedResponse};
use crate::redact::json::pretty;
use crate::redact::profile::Profile;
use crate::redact::shape::Declaration;

/// An interaction whose answer is being changed; what was asked stays as it is.
///
/// Nothing that was not redacted comes in: [`Draft::finish`] refuses what a recorder would have
/// replaced.
pub(crate) struct Draft {
    recorded: Interaction,
    interaction: Interaction,
}

/// A change that would bring in what a recorder would have replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the change would write a {kind} without a label into interaction {id}")]
pub struct Undisclosed {
    /// The interaction.
    pub id: u64,
    /// What it would have been replaced as.
    pub kind: String,
}

impl Draft {
    /// A draft of this interaction.
    pub(crate) fn of(recorded: &Interaction) -> Self {
        Self {
            recorded: recorded.clone(),
            interaction: recorded.clone(),
        }
    }

    /// The interaction as it stands by now.
    pub(crate) fn interaction(&self) -> &Interaction {
        &self.interaction
    }

    /// Answers with this status and nothing else.
    pub(crate) fn answer(&mut self, status: u16) {
        let after = self.interaction.response.as_ref();
        let after = after.map_or_else(Seconds::default, |response| response.after);
        self.interaction.error = None;
        self.interaction.facts = self.interaction.facts.clone().of_request();
        self.interaction.response = Some(RecordedResponse {
            status,
            after,
            framing: Some(Framing::Length),
            ..RecordedResponse::default()
        });
    }

    /// Sets a header field of the answer: in the place of those of that name, or behind the others.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        let Some(response) = &mut self.interaction.response else {
            return;
        };
        let is_it = |field: &Named<String>| field.name.eq_ignore_ascii_case(name);
        let first = response.headers.iter().position(is_it);
        if let Some(first) = first {
            value.clone_into(&mut response.headers[first].value);
            let mut at = 0;
            response.headers.retain(|field| {
                at += 1;
                at - 1 <= first || !is_it(field)
            });
        } else {
            response.headers.push(Named::new(name, value.to_owned()));
        }
    }

    /// Makes this JSON text the body of the answer.
    pub(crate) fn set_json(&mut self, compact: &str) {
        if let Some(response) = self.emptied() {
            response.json = Some(pretty(compact));
            response.wire = Some(JsonWire::Compact);
        }
    }

    /// Makes this text the body of the answer.
    pub(crate) fn set_text(&mut self, text: &str) {
        if let Some(response) = self.emptied() {
            response.text = Some(text.to_owned());
        }
    }

    /// Makes a page that asks for a password the body of the answer.
    pub(crate) fn set_page(&mut self) {
        let password = RecordedField {
            r#type: FieldKind::Password,
            value: None,
        };
        if let Some(response) = self.emptied() {
            response.body = Some(AbsentBody::Dropped(DroppedBody {
                dropped: DropReason::Page,
                size: 64,
                sniff: Some(Sniff::Html),
                text: None,
                base64: None,
            }));
            response.forms = vec![RecordedForm {
                method: Method::Post,
                action: String::new(),
                auto_submit: false,
                fields: vec![Named::new(name::PASSWORD, password)],
            }];
        }
    }

    /// Takes the body of the answer away.
    pub(crate) fn set_empty(&mut self) {
        if let Some(response) = self.emptied() {
            response.body = Some(AbsentBody::Empty);
        }
    }

    /// Sets a field of the forms that a script sends, or takes it away.
    pub(crate) fn set_field(&mut self, name: &str, value: Option<&str>) {
        let forms = self.interaction.response.iter_mut();
        let forms = forms.flat_map(|response| &mut response.forms);
        for form in forms.filter(|form| form.auto_submit()) {
            form.fields.retain(|field| field.name != name);
            form.fields.extend(value.map(|value| {
                let field = RecordedField {
                    r#type: FieldKind::Hidden,
                    value: Some(value.to_owned()),
                };
                Named::new(name, field)
            }));
        }
    }

    /// Has the answer come so long after the request.
    pub(crate) fn set_after(&mut self, after: Duration) {
        if let Some(response) = &mut self.interaction.response {
            response.after = after.into();
        }
    }

    /// Has the exchange end so: without an answer, or, in its body, with a part of one.
    pub(crate) fn fail(&mut self, kind: FailureKind, phase: Phase) {
        let after = self.interaction.response.as_ref();
        let after = after.map_or_else(Seconds::default, |response| response.after);
        if phase != Phase::ResponseBody {
            self.interaction.response = None;
        }
        self.interaction.error = Some(RecordedError { kind, phase, after });
    }

    /// What only the raw exchange could tell.
    pub(crate) fn facts(&mut self) -> &mut Facts {
        &mut self.interaction.facts
    }

    /// What is said of the secrets that were first seen here.
    pub(crate) fn secrets(&mut self) -> &mut Vec<Named<Declaration>> {
        &mut self.interaction.secrets
    }

    /// The changed interaction, as one of a cassette that shows so much.
    ///
    /// # Errors
    ///
    /// Where something stands without a label that a recorder would have replaced.
    pub(crate) fn finish(self, profile: Profile) -> Result<Interaction, Undisclosed> {
        let before = check(&self.recorded, profile, &[]);
        let is_new = |kind: &str, value: &str| {
            let mut before = before.iter();
            !before.any(|stray| stray.kind == kind && stray.value == value)
        };
        let strays = check(&self.interaction, profile, &[]);
        let mut new = strays.into_iter().filter(|s| is_new(&s.kind, &s.value));
        match new.next() {
            Some(stray) => Err(Undisclosed {
                id: self.interaction.id,
                kind: stray.kind,
            }),
            None => Ok(self.interaction),
        }
    }

    /// The answer without its body.
    fn emptied(&mut self) -> Option<&mut RecordedResponse> {
        let response = self.interaction.response.as_mut()?;
        response.form.clear();
        response.raw_form = None;
        response.json = None;
        response.wire = None;
        response.text = None;
        response.body = None;
        response.forms.clear();
        response.trailers.clear();
        Some(response)
    }
}
