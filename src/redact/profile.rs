//! How much a recording shows: what support needs, what anybody may see, or all of it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::model::{Captured, words};
use crate::redact::Redactor;
use crate::redact::content::AbsentBody;
use crate::redact::entry::Named;
use crate::redact::ledger::{Fresh, Shape};
use crate::redact::shape::Declaration;

words! {
    /// What a recording shows of what was said.
    #[derive(Default)]
    Profile {
        /// As [`Profile::Support`], with hosts, clients, tenants and requests as labels, too.
        Public = "public",
        /// Nothing is hidden: each secret is written beside its label.
        Raw = "raw",
        /// No secret and nothing personal; hosts, clients and requests by their names.
        #[default]
        Support = "support",
    }
}

/// Something as it was on the wire, which only a recording of [`Profile::Raw`] holds.
///
/// It has no `Serialize`, and its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
pub struct Unredacted(#[schemars(with = "String")] Zeroizing<String>);

impl Unredacted {
    fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one writer of such a recording.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Unredacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unredacted")
    }
}

impl<'de> Deserialize<'de> for Unredacted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Redactor {
    /// What is declared of a secret that is new, itself included where nothing is hidden.
    pub(super) fn revealed(
        &self,
        fresh: &Fresh,
        declared: Option<Named<Declaration>>,
    ) -> Option<Named<Declaration>> {
        if self.profile != Profile::Raw {
            return declared;
        }
        let bare = || Named::new(fresh.label.key(), Declaration::default());
        let mut declared = declared.unwrap_or_else(bare);
        declared.value.value = Some(Unredacted::new(fresh.value.as_str()));
        Some(declared)
    }

    /// What a part says of a file behind its name, where nothing is hidden.
    pub(super) fn file_name(&mut self, disposition: &[u8]) -> String {
        let text = String::from_utf8_lossy(disposition);
        let at = text.to_ascii_lowercase().find("filename");
        match at.filter(|_| self.profile == Profile::Raw) {
            Some(at) => format!("; {}", self.secret("filename", &text[at..], Shape::Hidden)),
            None => String::new(),
        }
    }

    /// Keeps the bytes of a body that no rule can read, where nothing is hidden.
    pub(super) fn keep_dropped(&self, absent: &mut Option<AbsentBody>, captured: &Captured) {
        if self.profile != Profile::Raw {
            return;
        }
        if let Some(AbsentBody::Dropped(dropped)) = absent {
            match std::str::from_utf8(&captured.bytes) {
                Ok(text) => dropped.text = Some(Unredacted::new(text)),
                Err(_) => dropped.base64 = Some(Unredacted::new(STANDARD.encode(&captured.bytes))),
            }
        }
    }
}
