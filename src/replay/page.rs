//! A page in place of a recorded one: its forms, with this run's values, and nothing else.

use std::fmt::Write as _;

use crate::model::percent_encode;
use crate::oauth::name;
use crate::oauth::page::FieldKind;
use crate::redact::{Named, RecordedForm};
use crate::replay::echo::Echo;
use crate::replay::render::Rendering;

impl Rendering<'_> {
    /// The page; a form that a script sent is sent by one again.
    pub(super) fn page(&mut self, forms: &[RecordedForm]) -> String {
        let sent = forms.iter().position(RecordedForm::auto_submit);
        let forms: String = forms.iter().map(|form| self.form(form)).collect();
        html(&forms, sent)
    }

    fn form(&mut self, form: &RecordedForm) -> String {
        let is_answer = self.asked.answers_at(form.action());
        let action = self.fill(form.action(), percent_encode);
        let action = if is_answer {
            self.asked.redirect_uri(&action)
        } else {
            action
        };
        let mut out = format!(
            "<form method=\"{}\" action=\"{}\">\n",
            form.method(),
            attribute(&action)
        );
        let mut echoed = !is_answer || self.asked.echo != Echo::Sent;
        for Named { name, value: field } in form.fields() {
            let name = self.fill(name, str::to_owned);
            let value = field.value.as_deref();
            let mut value = value.map(|value| self.fill(value, str::to_owned));
            if name == name::STATE && !echoed {
                echoed = true;
                value = self.asked.live.get(name::STATE).map(str::to_owned);
                if value.is_none() {
                    continue;
                }
            }
            out.push_str(&input(&name, field.r#type, value.as_deref()));
        }
        if let Some(state) = self.asked.live.get(name::STATE).filter(|_| !echoed) {
            out.push_str(&input(name::STATE, FieldKind::Hidden, Some(state)));
        }
        out + "<input type=\"submit\">\n</form>\n"
    }
}

/// A page with a form of hidden fields that a script sends (OAuth 2.0 Form Post Response Mode).
pub(super) fn posted(action: &str, fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| input(name, FieldKind::Hidden, Some(value));
    let fields: String = fields.iter().map(field).collect();
    let action = attribute(action);
    html(
        &format!("<form method=\"post\" action=\"{action}\">\n{fields}</form>\n"),
        Some(0),
    )
}

/// A page of these forms, of which a script sends one.
fn html(forms: &str, sent: Option<usize>) -> String {
    // A field may be named `submit`, and then its form has no other.
    let onload = sent.map(|at| {
        format!(" onload=\"HTMLFormElement.prototype.submit.call(document.forms[{at}])\"")
    });
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>authtape replay</title></head>\n\
         <body{}>\n{forms}</body></html>\n",
        onload.unwrap_or_default()
    )
}

/// A field; a list of which one choice is known is a line of text with that choice.
fn input(name: &str, kind: FieldKind, value: Option<&str>) -> String {
    let kind = match kind {
        FieldKind::Select | FieldKind::Textarea => FieldKind::Text,
        kind => kind,
    };
    let mut out = format!("<input type=\"{kind}\" name=\"{}\"", attribute(name));
    if let Some(value) = value {
        // Writing to a string does not fail.
        let _ = write!(out, " value=\"{}\"", attribute(value));
    }
    out + ">\n"
}

/// A text as it stands in an attribute, or between tags.
pub(super) fn attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
