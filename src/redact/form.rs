//! The forms of a page as a cassette holds them, beside the body that is dropped.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::Url;
use crate::oauth::page::{FieldKind, Method};
use crate::redact::entry::Named;
use crate::redact::urls::encode;

/// A form of a page: what a person or a script sends from it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedForm {
    pub(super) method: Method,
    /// Where it is sent, as it was written; empty for the page's own address.
    pub(super) action: String,
    /// Whether a script sends it at once.
    #[serde(default)]
    pub(super) auto_submit: bool,
    #[serde(default)]
    pub(super) fields: Vec<Named<RecordedField>>,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedField {
    /// What it is.
    pub r#type: FieldKind,
    /// What is in it from the start.
    pub value: Option<String>,
}

impl RecordedForm {
    /// How it is sent.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Where it is sent, as it was written; empty for the page's own address.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Whether a script sends it at once.
    pub fn auto_submit(&self) -> bool {
        self.auto_submit
    }

    /// Its fields, in their order.
    pub fn fields(&self) -> &[Named<RecordedField>] {
        &self.fields
    }

    /// Whether it goes to this address, whatever the query.
    pub fn goes_to(&self, address: &Url) -> bool {
        Url::parse(&self.action).is_some_and(|action| action.endpoint() == address.endpoint())
    }

    /// Where a browser is sent on to by a form that nobody fills in: its action, with what it sends
    /// as a query. `None` for one that somebody fills in.
    pub fn location(&self) -> Option<String> {
        let field = |field: &Named<RecordedField>| {
            let value = field.value.value.as_deref().unwrap_or_default();
            format!("{}={}", encode(&field.name), encode(value))
        };
        let sent: Vec<String> = self.fields.iter().map(field).collect();
        self.auto_submit
            .then(|| format!("{}?{}", self.action, sent.join("&")))
    }
}
