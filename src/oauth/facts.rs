//! What only the raw exchange can tell, as words, numbers and booleans.

use serde::Deserialize;

use crate::oauth::pkce::PkceCheck;
use crate::oauth::sniff::Sniff;

/// The facts of one interaction. A fact with its expected value is left out.
///
/// A fact is a word, a number or a boolean, never a hash or a part of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// What the request's body really is, where it is not what this step expects (a form at the
    /// token endpoint, what the header promises elsewhere).
    #[serde(rename = "body.sniff")]
    pub body_sniff: Option<Sniff>,
    /// How the code challenge of this flow relates to the verifier, where that is not `ok`.
    #[serde(rename = "pkce.check")]
    pub pkce_check: Option<PkceCheck>,
    /// The credentials behind `Basic` are no base64.
    #[serde(rename = "basic.not_base64")]
    pub basic_not_base64: bool,
    /// The base64 lacks its padding.
    #[serde(rename = "basic.unpadded")]
    pub basic_unpadded: bool,
    /// There is white space inside the credentials.
    #[serde(rename = "basic.white_space")]
    pub basic_white_space: bool,
    /// How many colons the decoded credentials have, where it is not one.
    #[serde(rename = "basic.colons")]
    pub basic_colons: Option<u32>,
    /// The user half is the client's secret, or the password half its identifier.
    #[serde(rename = "basic.swapped")]
    pub basic_swapped: bool,
    /// A half holds a character that form-encoding would change (RFC 6749 section 2.3.1).
    #[serde(rename = "basic.reserved")]
    pub basic_reserved: bool,
    /// A half decodes as a form and holds `%XX`.
    #[serde(rename = "basic.looks_form_encoded")]
    pub basic_looks_form_encoded: bool,
    /// A parameter holds a template that was never filled in (`${…}`, `{{…}}`, `<…>`, `%…%`).
    #[serde(rename = "placeholder.in")]
    pub placeholder_in: Option<String>,
    /// A page speaks of the redirect URI or the callback, and asks for no password.
    #[serde(rename = "page.mentions_redirect_uri")]
    pub page_mentions_redirect_uri: bool,
    /// A page asks for a password.
    #[serde(rename = "page.asks_password")]
    pub page_asks_password: bool,
    /// The server's `Date` minus our clock, in seconds, where it is two or more.
    #[serde(rename = "time.date_skew")]
    pub date_skew: Option<i64>,
}
